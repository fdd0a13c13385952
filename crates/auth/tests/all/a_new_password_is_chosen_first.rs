//! Passwords that were given for a first login, and passwords that are changed.

use anser_testkit::door::PASSWORD;
use serde_json::json;

use crate::site::{Site, each_site};

const STRONG: &str = "tin-rabbit-9 kettle";

fn must_change(site: &Site) {
    let ann = site.door.account("ann");
    site.door.runtime.block_on(site.door.directory.set_must_change(ann, true)).unwrap();
}

#[test]
fn a_first_password_opens_nothing_but_the_choice_of_another() {
    each_site(|site| {
        must_change(site);
        let first = site.sign_in("ann", PASSWORD);
        assert_eq!((first.status, first.field("set-cookie")), (200, None));
        let said = first.json();
        assert_eq!(said["need"], "new-password");
        let choose = |new: &str| {
            let body = json!({ "ticket": said["ticket"], "new": new });
            site.page("ann", "POST", "/auth/login", Some(body))
        };
        let weak = choose("ann1234567");
        assert_eq!(weak.status, 400);
        assert!(weak.json()["detail"].as_str().unwrap().contains("easy to guess"), "{}", weak.body);
        let good = choose(STRONG);
        assert_eq!((good.status, good.json()["next"].as_str()), (200, Some("/mail/")));
        assert_eq!(site.page("ann", "GET", "/auth/sessions", None).status, 200);
        assert_eq!(choose("another-kettle-77").status, 401, "the ticket was good once");
    });
}

#[test]
fn forms_lead_through_it_too() {
    each_site(|site| {
        must_change(site);
        let password = format!("password={PASSWORD}");
        let user = "username=ann@anser.test";
        let page = site.curl("ann", "/auth/login", &["-H", "Accept-Language: zh", "-d", user, "-d", &password]);
        assert_eq!(page.status, 200);
        assert!(page.body.contains("请设置新密码"), "{}", page.body);
        assert!(page.field("content-security-policy").unwrap().contains("default-src 'none'"));
        let ticket = page.body.split("name=\"ticket\" value=\"").nth(1).unwrap().split('"').next().unwrap();
        let ticket = format!("ticket={ticket}");
        let weak = site.curl("ann", "/auth/login", &["-d", &ticket, "-d", "new=1234567890"]);
        assert!(weak.body.contains("class=\"wrong\""), "{}", weak.body);
        let good = site.curl("ann", "/auth/login", &["-d", &ticket, "-d", "new=tin-rabbit-9+kettle"]);
        assert_eq!((good.status, good.field("location")), (303, Some("/mail/")));
        site.door.runtime.block_on(async {
            let visitor = anser_directory::Visitor { source: "127.0.0.1".parse().unwrap(), device: "", tls: true };
            site.door.directory.sign_in(b"ann@anser.test", STRONG.as_bytes(), visitor).await.unwrap();
        });
    });
}

#[test]
fn an_own_password_is_changed() {
    each_site(|site| {
        let rules = site.page("ann", "GET", "/auth/password", None).json();
        assert!(rules["length"].as_u64().unwrap() >= 8);
        let change =
            |old: &str, new: &str| site.page("ann", "POST", "/auth/password", Some(json!({ "old": old, "new": new })));
        assert_eq!(change(PASSWORD, STRONG).status, 401, "not signed in");
        site.sign_in("ann", PASSWORD);
        assert_eq!(change("wrong", STRONG).status, 403);
        assert_eq!(change(PASSWORD, "abcdefghij").status, 400);
        assert_eq!(change(PASSWORD, STRONG).status, 204);
        assert_eq!(site.page("ann", "GET", "/auth/sessions", None).status, 200, "still in");
        assert_eq!(site.sign_in("bob", PASSWORD).status, 200);
        assert_eq!(site.sign_in("ann", PASSWORD).status, 401);
        assert_eq!(site.sign_in("ann", STRONG).status, 200);
    });
}
