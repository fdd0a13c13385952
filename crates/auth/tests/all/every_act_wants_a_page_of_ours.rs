//! What another site makes a browser ask is refused, whatever it asks; a cookie that was there before is no session; nobody is sent elsewhere.

use anser_testkit::door::PASSWORD;

use crate::site::each_site;

/// Every act that goes by the cookie.
const ACTS: [(&str, &str); 20] = [
    ("POST", "/auth/logout"),
    ("DELETE", "/auth/sessions"),
    ("DELETE", "/auth/sessions/1"),
    ("POST", "/auth/password"),
    ("POST", "/auth/totp"),
    ("POST", "/auth/totp/confirm"),
    ("POST", "/auth/totp/remove"),
    ("POST", "/auth/totp/recovery"),
    ("POST", "/auth/passkeys/begin"),
    ("POST", "/auth/passkeys"),
    ("POST", "/auth/passkeys/1"),
    ("POST", "/auth/passkeys/1/remove"),
    ("POST", "/auth/authorize"),
    ("POST", "/auth/device"),
    ("DELETE", "/auth/grants/1"),
    ("POST", "/auth/app-passwords"),
    ("DELETE", "/auth/app-passwords/1"),
    ("POST", "/auth/tokens"),
    ("DELETE", "/auth/tokens/1"),
    ("POST", "/auth/passkey"),
];

#[test]
fn no_act_is_done_for_another_site() {
    each_site(|site| {
        assert_eq!(site.sign_in("ann", PASSWORD).status, 200);
        for (method, path) in ACTS {
            for from in [
                "Sec-Fetch-Site: cross-site",
                "Sec-Fetch-Site: same-site",
                "Origin: https://evil.example",
                "Origin: null",
            ] {
                let json = ["-X", method, "-H", from, "-H", "Content-Type: application/json", "--data-binary", "{}"];
                assert_eq!(site.curl("ann", path, &json).status, 403, "{method} {path} {from}");
            }
            let form = ["-X", method, "-H", "Sec-Fetch-Site: cross-site", "-d", "code=1"];
            assert_eq!(site.curl("ann", path, &form).status, 403, "{method} {path} as a form");
        }
        assert_eq!(site.page("ann", "GET", "/auth/sessions", None).status, 200, "still in");
    });
}

#[test]
fn a_login_begins_a_session_of_its_own() {
    each_site(|site| {
        let planted = [
            "-H",
            "Cookie: __Host-anser=planted",
            "-H",
            "Sec-Fetch-Site: same-origin",
            "-d",
            "username=ann@anser.test",
        ];
        let password = format!("password={PASSWORD}");
        let answer = site.curl("x", "/auth/login", &[&planted[..], &["-d", &password]].concat());
        let cookie = answer.field("set-cookie").unwrap();
        assert!(cookie.starts_with("__Host-anser=") && !cookie.contains("planted"), "{cookie}");
        assert!(cookie.contains("; HttpOnly; SameSite=Strict; Secure"), "{cookie}");
        let planted = ["-H", "Cookie: __Host-anser=planted", "-H", "Sec-Fetch-Site: same-origin"];
        assert_eq!(site.curl("y", "/auth/sessions", &planted).status, 401);
    });
}

#[test]
fn a_login_leads_to_places_of_this_site_only() {
    each_site(|site| {
        let password = format!("password={PASSWORD}");
        for (next, way) in [
            ("/mail/?open=1", "/mail/?open=1"),
            ("https://evil.example/", "/mail/"),
            ("//evil.example/", "/mail/"),
            ("/\\evil.example/", "/mail/"),
            ("/%09/evil.example", "/%09/evil.example"),
            ("javascript:alert(1)", "/mail/"),
        ] {
            let next = format!("next={next}");
            let args = ["-d", "username=ann@anser.test", "--data-urlencode", &password, "--data-urlencode", &next];
            let answer = site.curl("ann", "/auth/login", &args);
            assert_eq!((answer.status, answer.field("location")), (303, Some(way)), "{next}");
        }
    });
}
