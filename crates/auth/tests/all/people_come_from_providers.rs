//! People who sign in at a provider outside, and what is no good answer of one.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anser_base::Address;
use anser_directory::{Names, Provider, ProviderKind};
use anser_journal::What;
use anser_testkit::door::PASSWORD;
use serde_json::json;

use crate::outside::{CLIENT, Outside, SECRET, parameters};
use crate::site::{Answer, Site, each_site};

fn provider(outside: &Outside) -> Provider {
    Provider {
        id: "uni".into(),
        name: "University".into(),
        scope: "anser.test".into(),
        kind: ProviderKind::OpenId,
        url: outside.url(),
        client: CLIENT.into(),
        claim: String::new(),
        names: Names::Address,
        password: true,
        second: true,
    }
}

fn add(site: &Site, provider: Provider) {
    site.door.runtime.block_on(site.door.directory.add_provider(provider, Some(SECRET))).unwrap();
}

fn outside_of(site: &Site) -> Arc<Outside> {
    site.outside.clone()
}

/// Off to the provider: the state that it has to bring back.
fn leave(site: &Site, outside: &Outside) -> String {
    let gone = site.curl("ann", "/auth/outside/uni?next=/mail/%3Fopen=1", &[]);
    let to = gone.field("location").unwrap_or_else(|| panic!("{}{}", gone.head, gone.body));
    assert!(to.starts_with(&format!("{}/authorize?", outside.url())), "{to}");
    let asked = parameters(to);
    assert_eq!((asked["response_type"].as_str(), asked["client_id"].as_str()), ("code", CLIENT));
    assert_eq!(asked["code_challenge_method"], "S256");
    *outside.begun.lock().unwrap() = (asked["nonce"].clone(), asked["code_challenge"].clone());
    asked["state"].clone()
}

fn back(site: &Site, outside: &Outside, state: &str, code: &str) -> Answer {
    let issuer = outside.url().replace(':', "%3A").replace('/', "%2F");
    let path = format!("/auth/outside/uni/back?code={code}&state={state}&iss={issuer}");
    site.curl("ann", &path, &["-H", "Sec-Fetch-Site: cross-site"])
}

fn is_in(answer: &Answer) -> bool {
    answer.head.contains("__Host-anser=") && !answer.head.contains("__Host-anser=;")
}

/// A whole login.
fn through(site: &Site, outside: &Outside, code: &str) -> Answer {
    let state = leave(site, outside);
    back(site, outside, &state, code)
}

#[test]
fn a_provider_opens_a_session() {
    each_site(|site| {
        let outside = outside_of(site);
        add(site, provider(&outside));
        let state = leave(site, &outside);
        let good = back(site, &outside, &state, "c1");
        assert!(
            good.status == 200 && is_in(&good) && good.body.contains("url=/mail/?open=1"),
            "{}{}",
            good.head,
            good.body
        );
        assert_eq!(site.page("ann", "GET", "/auth/sessions", None).status, 200);
        let told = site.door.journal("ann@anser.test");
        assert!(told.iter().any(|what| matches!(what, What::Login { mechanism, .. } if mechanism == "PROVIDER uni")));
        assert!(!is_in(&back(site, &outside, &state, "c2")), "an answer is good once");
        assert!(!is_in(&through(site, &outside, "c1")), "a code that the provider has seen");
        assert_eq!(outside.looks.load(Ordering::SeqCst), 1, "what it tells of itself is remembered");
        *outside.wrong.lock().unwrap() = "new key";
        assert!(!is_in(&through(site, &outside, "c3")), "keys are not looked for at every token");
        *outside.wrong.lock().unwrap() = "";
        *outside.person.lock().unwrap() = json!({ "email": "nobody@anser.test", "sub": "u1" });
        let nobody = through(site, &outside, "c4");
        assert_eq!((nobody.status, is_in(&nobody)), (403, false));
    });
}

#[test]
fn what_the_provider_did_not_say_of_this_login_is_refused() {
    each_site(|site| {
        let outside = outside_of(site);
        add(site, provider(&outside));
        assert!(is_in(&through(site, &outside, "c0")));
        for (at, wrong) in [
            "nonce",
            "audience",
            "many audiences",
            "asked by another",
            "expired",
            "old",
            "from the future",
            "issuer",
            "nobody",
            "unverified",
            "none",
            "shared secret",
            "unknown key",
            "another's key",
            "critical",
        ]
        .into_iter()
        .enumerate()
        {
            *outside.wrong.lock().unwrap() = wrong;
            let answer = through(site, &outside, &format!("w{at}"));
            assert_eq!((answer.status, is_in(&answer)), (401, false), "{wrong}: {}", answer.body);
        }
        *outside.wrong.lock().unwrap() = "";
        let state = leave(site, &outside);
        let issuer = format!("/auth/outside/uni/back?code=m&state={state}&iss=https%3A%2F%2Fevil.example");
        assert!(!is_in(&site.curl("ann", &issuer, &[])), "mixed up");
        let state = leave(site, &outside);
        assert!(!is_in(&site.curl("ann", &format!("/auth/outside/uni/back?code=m&state={state}"), &[])), "no issuer");
        let state = leave(site, &outside);
        assert!(!is_in(&back(site, &outside, &format!("{state}x"), "m2")), "another state");
        let state = leave(site, &outside);
        let issuer = outside.url().replace(':', "%3A").replace('/', "%2F");
        let path = format!("/auth/outside/uni/back?code=m3&state={state}&iss={issuer}");
        assert!(!is_in(&site.curl("bob", &path, &[])), "another browser");
    });
}

#[test]
fn a_provider_that_does_not_work_is_said_so() {
    each_site(|site| {
        let outside = outside_of(site);
        add(site, provider(&outside));
        for wrong in ["huge", "another issuer", "plain", "elsewhere"] {
            *outside.wrong.lock().unwrap() = wrong;
            let looks = outside.looks.load(Ordering::SeqCst);
            let gone = site.curl("ann", "/auth/outside/uni", &["-H", "Accept-Language: zh"]);
            assert_eq!((gone.status, gone.field("location")), (503, None), "{wrong}");
            assert_eq!(site.curl("ann", "/auth/outside/uni", &[]).status, 503);
            assert_eq!(outside.looks.load(Ordering::SeqCst), looks + 1, "it is not asked again at once");
            site.clock.advance(Duration::from_secs(15));
            assert!(gone.body.contains("也可使用密码登录"), "{}", gone.body);
        }
        assert_eq!(site.curl("ann", "/auth/outside/nobody", &[]).status, 404);
    });
}

#[test]
fn a_provider_is_asked_once_and_what_it_told_outlives_its_troubles() {
    each_site(|site| {
        let outside = outside_of(site);
        add(site, provider(&outside));
        let looks = || outside.looks.load(Ordering::SeqCst);
        let gone = |who: &str| site.curl(who, "/auth/outside/uni", &[]).status;
        std::thread::scope(|scope| {
            let all = ["ann", "bob", "chen", "new"].map(|who| scope.spawn(move || gone(who)));
            all.into_iter().for_each(|one| assert_eq!(one.join().unwrap(), 303));
        });
        assert_eq!(looks(), 1, "many come at once");
        *outside.wrong.lock().unwrap() = "elsewhere";
        for (later, status, asked) in [(3600, 303, 2), (0, 303, 2), (15, 303, 3), (24 * 3600, 503, 4)] {
            site.clock.advance(Duration::from_secs(later));
            assert_eq!((gone("ann"), looks()), (status, asked), "{later}");
        }
        *outside.wrong.lock().unwrap() = "";
        site.clock.advance(Duration::from_secs(15));
        assert_eq!((gone("ann"), looks()), (303, 5));
    });
}

#[test]
fn what_somebody_is_called_there_is_an_account_here() {
    each_site(|site| {
        let outside = outside_of(site);
        let linked = Provider { claim: "number".into(), names: Names::Linked, ..provider(&outside) };
        add(site, linked);
        assert!(!is_in(&through(site, &outside, "c1")), "linked to nobody");
        let ann = Address::parse("ann@anser.test").unwrap();
        let link = |account| site.door.runtime.block_on(site.door.directory.link_person("uni", "10023", account));
        link(Some(&ann)).unwrap();
        assert!(is_in(&through(site, &outside, "c2")), "a number of the userinfo endpoint");
        *outside.wrong.lock().unwrap() = "somebody else";
        assert!(!is_in(&through(site, &outside, "c3")));
        *outside.wrong.lock().unwrap() = "";
        link(None).unwrap();
        assert!(!is_in(&through(site, &outside, "c4")));
    });
}

#[test]
fn a_second_factor_and_the_own_password_are_as_the_provider_is_registered() {
    each_site(|site| {
        let outside = outside_of(site);
        site.door.runtime.block_on(site.door.directory.require_second_factor("anser.test", true)).unwrap();
        add(site, Provider { password: false, ..provider(&outside) });
        let asked = through(site, &outside, "c1");
        assert!(!is_in(&asked) && asked.body.contains("name=\"ticket\""), "{}", asked.body);
        let own = site.sign_in("ann", PASSWORD);
        assert_eq!((own.status, own.field("set-cookie")), (403, None));
        assert!(own.body.contains("sign in elsewhere"), "{}", own.body);
        assert_eq!(site.sign_in("ann", "guess").status, 401, "which is told to whoever knows it only");
        site.door.runtime.block_on(site.door.directory.remove_provider("uni")).unwrap();
        add(site, Provider { second: false, ..provider(&outside) });
        assert!(is_in(&through(site, &outside, "c2")), "the provider asked for it");
    });
}

#[test]
fn a_cas_server_opens_a_session_by_a_ticket() {
    each_site(|site| {
        let outside = outside_of(site);
        let cas = Provider {
            id: "cas".into(),
            kind: ProviderKind::Cas,
            url: format!("{}/cas", outside.url()),
            client: String::new(),
            names: Names::User,
            ..provider(&outside)
        };
        add(site, cas);
        let service = |next: &str| {
            let gone = site.curl("ann", &format!("/auth/outside/cas?next={next}"), &[]);
            let to = gone.field("location").unwrap().to_owned();
            assert!(to.starts_with(&format!("{}/cas/login?service=", outside.url())), "{to}");
            parameters(&parameters(&to)["service"])["state"].clone()
        };
        let come = |state: &str, ticket: &str| {
            site.curl("ann", &format!("/auth/outside/cas/back?state={state}&ticket={ticket}"), &[])
        };
        let state = service("//evil.example");
        let good = come(&state, "ST-1");
        assert!(is_in(&good) && good.body.contains("url=/mail/\""), "{}", good.body);
        assert!(!is_in(&come(&state, "ST-2")), "once");
        assert!(!is_in(&come(&service("/"), "ST-1")), "a ticket that was used");
        assert!(!is_in(&come(&service("/"), "")));
        assert!(!is_in(&come("x", "ST-3")));
    });
}
