//! From the password to the cookie, and back.

use anser_journal::What;
use anser_testkit::door::PASSWORD;
use serde_json::json;

use crate::site::each_site;

#[test]
fn a_password_becomes_a_cookie_until_logout() {
    each_site(|site| {
        let answer = site.sign_in("ann", PASSWORD);
        assert_eq!((answer.status, answer.json()), (200, json!({ "next": "/mail/" })));
        let cookie = answer.field("set-cookie").unwrap();
        assert!(cookie.starts_with("__Host-anser="), "{cookie}");
        for attribute in ["; Path=/", "; HttpOnly", "; SameSite=Strict", "; Secure"] {
            assert!(cookie.contains(attribute), "{cookie}");
        }
        assert!(!cookie.contains("Max-Age"), "it ends with the browser");
        assert_eq!(answer.field("cache-control"), Some("no-store"));
        let listed = site.page("ann", "GET", "/auth/sessions", None).json();
        assert_eq!(listed["sessions"][0]["current"], true);
        assert_eq!(listed["sessions"][0]["device"], "curl");
        assert_eq!(site.page("bob", "GET", "/auth/sessions", None).status, 401);
        let out = site.page("ann", "POST", "/auth/logout", None);
        assert_eq!(out.status, 204);
        assert!(out.field("set-cookie").unwrap().contains("Max-Age=0"));
        let gone = site.page("ann", "GET", "/auth/sessions", None);
        assert_eq!((gone.status, gone.field("content-type")), (401, Some("application/problem+json")));
        let told = site.door.journal("ann@anser.test");
        assert!(told.iter().any(|what| matches!(what, What::Login { mechanism, .. } if mechanism == "WEB")));
        assert!(told.iter().any(|what| matches!(what, What::Administered { act, .. } if act == "session.end")));
    });
}

#[test]
fn a_stolen_cookie_is_dead_after_logout() {
    each_site(|site| {
        let answer = site.sign_in("ann", PASSWORD);
        let cookie = answer.field("set-cookie").unwrap().split(';').next().unwrap().to_owned();
        let thief = ["-H", "Sec-Fetch-Site: same-origin", "-H", &format!("Cookie: {cookie}")];
        assert_eq!(site.curl("thief", "/auth/sessions", &thief).status, 200);
        site.page("ann", "POST", "/auth/logout", None);
        assert_eq!(site.curl("thief", "/auth/sessions", &thief).status, 401);
    });
}

#[test]
fn wrong_names_and_wrong_passwords_are_answered_alike_in_both_languages() {
    each_site(|site| {
        let mut said = Vec::new();
        for (name, language, detail) in [
            ("ann@anser.test", "en", "wrong user name or password"),
            ("nobody@anser.test", "en", "wrong user name or password"),
            ("ann@anser.test", "zh-CN", "用户名或密码错误"),
        ] {
            let body = json!({ "username": name, "password": "guess" }).to_string();
            let language = format!("Accept-Language: {language}");
            let args = ["-H", "Content-Type: application/json", "-H", &language, "--data-binary", &body];
            let answer = site.curl("x", "/auth/login", &args);
            assert_eq!((answer.status, answer.json()["detail"].as_str()), (401, Some(detail)));
            assert!(answer.field("set-cookie").is_none());
            said.push(answer.body);
        }
        assert_eq!(said[0], said[1]);
        let failures = site.door.journal("ann@anser.test");
        assert!(failures.iter().any(|what| matches!(what, What::LoginFailed { .. })));
    });
}

#[test]
fn guessing_is_locked_here_too() {
    each_site(|site| {
        let ann = || site.sign_in("ann", "guess").status;
        // The same guess again counts once, so that other ones are needed; they are counted by the directory's own guard.
        let source = "127.0.0.1".parse().unwrap();
        site.door.runtime.block_on(async {
            for n in 0..anser_directory::guard::PAIR_FAILURES {
                let visitor = anser_directory::Visitor { source, device: "", tls: true };
                let guess = format!("guess {n}");
                site.door.directory.sign_in(b"ann@anser.test", guess.as_bytes(), visitor).await.unwrap_err();
            }
        });
        assert_eq!(ann(), 429);
        assert_eq!(site.sign_in("ann", PASSWORD).status, 429, "the right one is not looked at either");
        assert_eq!(site.sign_in("bob", PASSWORD).status, 200);
    });
}

#[test]
fn other_sessions_are_ended_from_here() {
    each_site(|site| {
        for _ in 0..3 {
            assert_eq!(site.sign_in("ann", PASSWORD).status, 200);
        }
        let listed = site.page("ann", "GET", "/auth/sessions", None).json();
        let all = listed["sessions"].as_array().unwrap();
        assert_eq!(all.len(), 3);
        let other = all.iter().find(|one| one["current"] == false).unwrap()["id"].as_str().unwrap().to_owned();
        assert_eq!(site.page("ann", "DELETE", &format!("/auth/sessions/{other}"), None).status, 204);
        assert_eq!(site.page("ann", "DELETE", &format!("/auth/sessions/{other}"), None).status, 404);
        assert_eq!(site.page("ann", "DELETE", "/auth/sessions/x", None).status, 404);
        assert_eq!(site.page("ann", "DELETE", "/auth/sessions", None).json(), json!({ "ended": 1 }));
        let left = site.page("ann", "GET", "/auth/sessions", None).json();
        assert_eq!(left["sessions"].as_array().unwrap().len(), 1);
    });
}

#[test]
fn a_form_without_scripts_works() {
    each_site(|site| {
        let form = |fields: &[&str]| {
            let mut args = vec!["-H", "Sec-Fetch-Site: same-origin"];
            for field in fields {
                args.extend(["--data-urlencode", field]);
            }
            site.curl("ann", "/auth/login", &args)
        };
        let wrong = form(&["username=ann@anser.test", "password=a+b&c=%"]);
        assert_eq!((wrong.status, wrong.field("location")), (303, Some("/?why=wrong")));
        let password = format!("password={PASSWORD}");
        let good = form(&["username=ann@anser.test", &password, "remember=1"]);
        assert_eq!((good.status, good.field("location")), (303, Some("/mail/")));
        assert!(good.field("set-cookie").unwrap().contains("Max-Age="));
        let on = form(&["username=ann@anser.test", &password, "next=/auth/authorize?x=1"]);
        assert_eq!(on.field("location"), Some("/auth/authorize?x=1"));
        let away = form(&["username=ann@anser.test", &password, "next=//evil.example/"]);
        assert_eq!(away.field("location"), Some("/mail/"));
    });
}

#[test]
fn what_cannot_be_read_is_refused() {
    each_site(|site| {
        for (kind, body) in [
            ("application/json", "{"),
            ("application/json", "[]"),
            ("application/json", "{\"username\":1,\"password\":2}"),
            ("application/json", "{\"username\":\"ann\"}"),
            ("text/plain", "username=ann"),
            ("application/x-www-form-urlencoded", "a=b"),
        ] {
            let kind = format!("Content-Type: {kind}");
            let answer = site.curl("x", "/auth/login", &["-H", &kind, "--data-binary", body]);
            assert_eq!(answer.status, 400, "{body}");
        }
        let deep = format!("{{\"username\":{}", "[".repeat(60_000));
        let answer = site.curl("x", "/auth/login", &["-H", "Content-Type: application/json", "--data-binary", &deep]);
        assert_eq!(answer.status, 400);
        let long = format!("{{\"username\":\"{}\"}}", "a".repeat(70_000));
        let answer = site.curl("x", "/auth/login", &["-H", "Content-Type: application/json", "--data-binary", &long]);
        assert_eq!(answer.status, 413);
    });
}
