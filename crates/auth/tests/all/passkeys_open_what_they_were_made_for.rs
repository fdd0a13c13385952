//! Passkeys beside the password and alone, and what is no good signature of one.

use anser_journal::What;
use anser_testkit::door::PASSWORD;
use serde_json::{Value, json};

use crate::authenticator::{Authenticator, PRESENT, VERIFIED};
use crate::site::{Answer, Site, each_site};

/// Adds a passkey to ann's account; she is signed in.
fn add(site: &Site, key: &mut Authenticator) -> Answer {
    let begun = site.page("ann", "POST", "/auth/passkeys/begin", Some(json!({ "password": PASSWORD })));
    assert_eq!(begun.status, 200, "{}", begun.body);
    let credential = key.create(&begun.json()["create"]);
    site.page("ann", "POST", "/auth/passkeys", Some(json!({ "credential": credential, "name": "key ring" })))
}

/// What a browser is asked for: with a ticket, or without.
fn asked(site: &Site, ticket: Option<&str>) -> Value {
    let body = ticket.map_or(json!({}), |ticket| json!({ "ticket": ticket }));
    site.page("new", "POST", "/auth/passkey", Some(body)).json()
}

/// Signs in by a passkey alone.
fn alone(site: &Site, key: &mut Authenticator) -> Answer {
    let credential = key.get(&asked(site, None)["get"]);
    site.page("new", "POST", "/auth/login", Some(json!({ "credential": credential })))
}

fn ticket(site: &Site) -> String {
    let said = site.sign_in("ann", PASSWORD).json();
    assert_eq!(said["need"], "passkey");
    said["ticket"].as_str().unwrap().to_owned()
}

#[test]
fn a_passkey_is_asked_for_beside_the_password_and_opens_alone_too() {
    each_site(|site| {
        for mut key in [Authenticator::es256(), Authenticator::eddsa(), Authenticator::rs256()] {
            site.sign_in("ann", PASSWORD);
            let wrong = site.page("ann", "POST", "/auth/passkeys/begin", Some(json!({ "password": "guess" })));
            assert_eq!(wrong.status, 403);
            let added = add(site, &mut key);
            assert_eq!(added.status, 201, "{}", added.body);
            let recovery = added.json()["recovery"][0].as_str().unwrap().to_owned();
            let listed = site.page("ann", "GET", "/auth/second-factor", None).json();
            assert_eq!((&listed["totp"], &listed["recovery"]), (&json!(false), &json!(10)));
            assert_eq!(listed["passkeys"][0]["name"], "key ring");
            let one = format!("/auth/passkeys/{}", listed["passkeys"][0]["id"].as_str().unwrap());
            assert_eq!(site.page("ann", "POST", &one, Some(json!({ "name": "telephone" }))).status, 204);
            assert_eq!(site.page("bob", "POST", &one, Some(json!({ "name": "x" }))).status, 401);

            let first = ticket(site);
            let options = asked(site, Some(&first));
            assert_eq!(options["get"]["allowCredentials"].as_array().unwrap().len(), 1);
            key.flags = PRESENT;
            let credential = key.get(&options["get"]);
            let shown =
                site.page("new", "POST", "/auth/login", Some(json!({ "ticket": first, "credential": credential })));
            assert_eq!(shown.json(), json!({ "next": "/mail/" }));
            let again =
                site.page("new", "POST", "/auth/login", Some(json!({ "ticket": first, "credential": credential })));
            assert_eq!((again.status, again.field("set-cookie")), (401, None), "a challenge is good once");
            let code = json!({ "ticket": ticket(site), "code": recovery });
            assert_eq!(site.page("new", "POST", "/auth/login", Some(code)).json(), json!({ "next": "/mail/" }));

            let unseen = alone(site, &mut key);
            assert_eq!((unseen.status, unseen.field("set-cookie")), (401, None), "alone it must know its owner");
            key.flags = PRESENT | VERIFIED;
            assert_eq!(alone(site, &mut key).json(), json!({ "next": "/mail/" }));
            let used = site.page("new", "GET", "/auth/second-factor", None).json();
            assert!(used["passkeys"][0]["used"].is_string(), "{used}");
            assert_eq!(
                site.page("new", "POST", &format!("{one}/remove"), Some(json!({ "password": PASSWORD }))).status,
                204
            );
            assert_eq!(
                site.sign_in("ann", PASSWORD).json(),
                json!({ "next": "/mail/" }),
                "nothing is asked for any more"
            );
            assert_eq!(alone(site, &mut key).status, 401, "removed");
        }
    });
}

#[test]
fn a_key_that_was_copied_is_refused() {
    each_site(|site| {
        site.sign_in("ann", PASSWORD);
        let mut key = Authenticator { count: 5, ..Authenticator::es256() };
        assert_eq!(add(site, &mut key).status, 201);
        for (count, status) in [(5, 401), (6, 200), (6, 401), (4, 401), (0, 401), (60, 200)] {
            key.count = count;
            assert_eq!(alone(site, &mut key).status, status, "{count}");
        }
        let failed = |what: &What| matches!(what, What::LoginFailed { user, .. } if user == "ann@anser.test");
        assert_eq!(
            site.door.journal("ann@anser.test").iter().filter(|what| failed(what)).count(),
            4,
            "it is said whose"
        );
    });
}

#[test]
fn what_is_for_another_site_or_another_login_is_refused() {
    each_site(|site| {
        site.sign_in("ann", PASSWORD);
        let mut key = Authenticator::es256();
        assert_eq!(add(site, &mut key).status, 201);
        let twice = add(site, &mut key);
        assert_eq!(twice.status, 409, "{}", twice.body);
        let first = ticket(site);
        let open = asked(site, None)["get"].clone();
        let bound = key.get(&open);
        let other = site.page("new", "POST", "/auth/login", Some(json!({ "ticket": first, "credential": bound })));
        assert_eq!(other.status, 401, "a challenge of no ticket");
        let bound = key.get(&asked(site, Some(&first))["get"]);
        let other = site.page("new", "POST", "/auth/login", Some(json!({ "credential": bound })));
        assert_eq!(other.status, 401, "a challenge of a ticket");
        let twist: [(&str, &dyn Fn(&mut Authenticator)); 7] = [
            ("origin", &|key| key.origin = "https://mail.anser.test.evil.example".into()),
            ("host", &|key| key.host = "evil.example".into()),
            ("nobody there", &|key| key.flags = VERIFIED),
            ("flags", &|key| key.flags |= 0x10),
            ("id", &|key| key.id = vec![9; 32]),
            ("user", &|key| key.user = Some(vec![0; 32])),
            ("no user", &|key| key.user = None),
        ];
        // Each with a key of its own: after many failures of one the guard answers in the place of what is tried here.
        for (at, (name, twist)) in twist.into_iter().enumerate() {
            let mut key = Authenticator { id: vec![at as u8 + 100; 32], ..Authenticator::es256() };
            assert_eq!(add(site, &mut key).status, 201);
            let kept = (key.origin.clone(), key.host.clone(), key.flags, key.id.clone(), key.user.clone());
            twist(&mut key);
            let refused = alone(site, &mut key);
            let told = (refused.status, refused.field("set-cookie"));
            assert_eq!(told, (401, None), "{name}: {}", refused.body);
            (key.origin, key.host, key.flags, key.id, key.user) = kept;
            assert_eq!(alone(site, &mut key).status, 200, "{name}: it is this that was refused");
        }
        let mut thief = Authenticator { id: key.id.clone(), user: key.user.clone(), ..Authenticator::es256() };
        assert_eq!(alone(site, &mut thief).status, 401, "another's key");
        let options = asked(site, None)["get"].clone();
        let body = json!({ "credential": key.get(&options) }).to_string();
        let cross =
            ["-H", "Content-Type: application/json", "-H", "Sec-Fetch-Site: cross-site", "--data-binary", &body];
        assert_eq!(site.curl("new", "/auth/login", &cross).status, 403);
    });
}

#[test]
fn where_a_second_factor_is_required_a_passkey_can_be_made_at_once() {
    each_site(|site| {
        site.door.runtime.block_on(site.door.directory.require_second_factor("anser.test", true)).unwrap();
        let said = site.sign_in("ann", PASSWORD).json();
        assert_eq!(said["need"], "enrol");
        let ticket = said["ticket"].as_str().unwrap();
        let mut key = Authenticator::es256();
        let credential = key.create(&asked(site, Some(ticket))["create"]);
        let made =
            site.page("new", "POST", "/auth/login", Some(json!({ "ticket": ticket, "credential": credential }))).json();
        assert_eq!((&made["next"], made["recovery"].as_array().map(Vec::len)), (&json!("/mail/"), Some(10)));
        assert_eq!(alone(site, &mut key).json(), json!({ "next": "/mail/" }));
        let mut second = Authenticator { id: vec![7; 20], ..Authenticator::es256() };
        let options = json!({ "challenge": asked(site, Some(ticket))["get"]["challenge"], "user": { "id": "AAAA" } });
        let credential = second.create(&options);
        let refused =
            site.page("x", "POST", "/auth/login", Some(json!({ "ticket": ticket, "credential": credential })));
        assert_eq!(
            (refused.status, refused.field("set-cookie")),
            (401, None),
            "a password alone adds none to those there are"
        );
    });
}
