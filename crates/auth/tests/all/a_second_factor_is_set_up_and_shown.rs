//! An authenticator from its setting up to a login, and what programs use beside it. `oathtool` is the authenticator.

use std::process::Command;

use anser_testkit::door::{NOW, PASSWORD};
use serde_json::json;

use crate::site::{Site, each_site};

/// What another's authenticator shows, so many steps of thirty seconds after the clock's time.
fn oathtool(secret: &str, steps: i64) -> String {
    let at = format!("@{}", NOW.secs() + steps * 30);
    let output = Command::new("oathtool").args(["--totp", "-b", "-N", &at, secret]).output().expect("oathtool");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn set_up(site: &Site) -> (String, String) {
    let wrong = site.page("ann", "POST", "/auth/totp", Some(json!({ "password": "guess" })));
    assert_eq!(wrong.status, 403);
    let begun = site.page("ann", "POST", "/auth/totp", Some(json!({ "password": PASSWORD }))).json();
    let secret = begun["secret"].as_str().unwrap().to_owned();
    let none = site.page("ann", "POST", "/auth/totp/confirm", Some(json!({ "code": "1" })));
    assert_eq!(none.status, 400);
    let done = site.page("ann", "POST", "/auth/totp/confirm", Some(json!({ "code": oathtool(&secret, -1) }))).json();
    (secret, done["recovery"][0].as_str().unwrap().to_owned())
}

#[test]
fn an_authenticator_is_asked_at_the_login_page() {
    if std::env::var_os("ANSER_TEST_CLIENTS").is_none() {
        return;
    }
    each_site(|site| {
        site.sign_in("ann", PASSWORD);
        let (secret, recovery) = set_up(site);
        let shown = site.page("ann", "GET", "/auth/second-factor", None).json();
        assert_eq!(shown, json!({ "totp": true, "passkeys": [], "required": false, "recovery": 10 }));
        let asked = site.sign_in("x", PASSWORD);
        assert_eq!(asked.status, 401, "of nobody");
        let asked = site.sign_in("ann", PASSWORD);
        assert_eq!((asked.json()["need"].as_str(), asked.field("set-cookie")), (Some("code"), None));
        let ticket = asked.json()["ticket"].clone();
        let show =
            |code: &str| site.page("new", "POST", "/auth/login", Some(json!({ "ticket": ticket, "code": code })));
        assert_eq!(show("12345").status, 401);
        assert_eq!(show(&oathtool(&secret, 0)).json(), json!({ "next": "/mail/" }));
        assert_eq!(site.page("new", "GET", "/auth/sessions", None).status, 200);
        let code = oathtool(&secret, 1);
        let at_once = json!({ "username": "ann@anser.test", "password": PASSWORD, "code": code });
        assert_eq!(site.page("new", "POST", "/auth/login", Some(at_once)).json(), json!({ "next": "/mail/" }));
        let password = format!("password={PASSWORD}");
        let page = site.curl("form", "/auth/login", &["-d", "username=ann@anser.test", "-d", &password]);
        let ticket = page.body.split("name=\"ticket\" value=\"").nth(1).unwrap().split('"').next().unwrap();
        let (ticket, code) = (format!("ticket={ticket}"), format!("code={recovery}"));
        let wrong = site.curl("form", "/auth/login", &["-d", &ticket, "-d", "code=1"]);
        assert!(wrong.body.contains("class=\"wrong\"") && wrong.body.contains("name=\"code\""), "{}", wrong.body);
        assert_eq!(site.curl("form", "/auth/login", &["-d", &ticket, "-d", &code]).status, 303);
        let gone = site.page("new", "POST", "/auth/totp/remove", Some(json!({ "password": PASSWORD })));
        assert_eq!(gone.status, 204);
        assert_eq!(site.sign_in("ann", PASSWORD).json(), json!({ "next": "/mail/" }));
    });
}

#[test]
fn programs_are_given_secrets_of_their_own() {
    each_site(|site| {
        site.sign_in("ann", PASSWORD);
        for (path, start) in [("/auth/app-passwords", ""), ("/auth/tokens", "anser_")] {
            let add = |password: &str, services: &[&str]| {
                let body = json!({ "name": format!("{path} {services:?}"), "services": services, "days": 30, "password": password });
                site.page("ann", "POST", path, Some(body))
            };
            assert_eq!(add("guess", &["imap"]).status, 403);
            assert_eq!(add(PASSWORD, &["telnet"]).status, 400);
            let made = add(PASSWORD, &["imap", "read-only"]);
            assert_eq!(made.status, 201);
            assert!(made.json()["secret"].as_str().unwrap().starts_with(start));
            let listed = site.page("ann", "GET", path, None).json();
            assert_eq!(listed["list"][0]["services"], json!(["imap", "read-only"]));
            assert!(listed["list"][0].get("secret").is_none());
            let one = format!("{path}/{}", made.json()["id"].as_str().unwrap());
            assert_eq!(site.page("bob", "DELETE", &one, None).status, 401);
            assert_eq!(site.page("ann", "DELETE", &one, None).status, 204);
            assert_eq!(site.page("ann", "DELETE", &one, None).status, 404);
        }
    });
}
