//! Requests that another site makes a browser send.

use anser_testkit::door::PASSWORD;
use serde_json::json;

use crate::site::each_site;

#[test]
fn a_cookie_alone_opens_nothing() {
    each_site(|site| {
        assert_eq!(site.sign_in("ann", PASSWORD).status, 200);
        let own = format!("Origin: {}", site.origin());
        for (field, status) in [
            ("Sec-Fetch-Site: same-origin", 200),
            (own.as_str(), 200),
            ("Sec-Fetch-Site: cross-site", 403),
            ("Sec-Fetch-Site: same-site", 403),
            ("Sec-Fetch-Site: none", 403),
            ("Origin: https://evil.example", 403),
            ("Origin: null", 403),
            ("X-Nothing: 1", 403),
        ] {
            assert_eq!(site.curl("ann", "/auth/sessions", &["-H", field]).status, status, "{field}");
        }
        let both = ["-H", own.as_str(), "-H", "Sec-Fetch-Site: cross-site"];
        assert_eq!(site.curl("ann", "/auth/sessions", &both).status, 403);
        let out = ["-X", "POST", "-H", "Sec-Fetch-Site: cross-site"];
        assert_eq!(site.curl("ann", "/auth/logout", &out).status, 403);
        assert_eq!(site.page("ann", "GET", "/auth/sessions", None).status, 200, "still in");
    });
}

#[test]
fn nobody_is_signed_in_by_another_site() {
    each_site(|site| {
        let body = json!({ "username": "ann@anser.test", "password": PASSWORD }).to_string();
        for field in ["Origin: https://evil.example", "Sec-Fetch-Site: cross-site", "Origin: null"] {
            let args = ["-H", "Content-Type: application/json", "-H", field, "--data-binary", &body];
            let answer = site.curl("x", "/auth/login", &args);
            assert_eq!((answer.status, answer.field("set-cookie")), (403, None), "{field}");
        }
        let program = ["-H", "Content-Type: application/json", "--data-binary", &body];
        assert_eq!(site.curl("x", "/auth/login", &program).status, 200, "programs say nothing of where they are");
    });
}
