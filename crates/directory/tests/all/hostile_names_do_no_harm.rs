//! Names that were chosen to break something.

use std::rc::Rc;

use anser_base::{Address, Class};
use anser_directory::{AccountFilter, NewAccount, NewDomain, Password, Resolution};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::site::{HOME, PASSWORD, Site, each_site};

const HOSTILE: &[&str] = &[
    "$(reboot)",
    "`id`",
    "a\nb",
    "a\r\nRCPT TO:<x@y>",
    "'; DROP TABLE dir_accounts; --",
    "\"",
    "\\",
    "../../etc/passwd",
    "..",
    ".",
    "a\0b",
    "?1",
    "$1",
    "%",
    "_",
    "{PLAIN}x",
    "a b",
    "\u{202e}nna",
    "\u{feff}",
    "\u{7f}",
    "é\u{301}",
    "😀",
    "a@b",
    "<x>",
    "",
];

#[test]
fn hostile_texts_are_refused_or_kept_as_they_are() {
    each_site(|site: Rc<Site>| async move {
        let directory = &site.directory;
        let ann = site.account("ann@anser.test").await.id;
        for text in HOSTILE {
            if directory.set_name(ann, text).await.is_ok() {
                let kept = directory.account(ann).await.unwrap().unwrap().name.clone();
                assert!(!kept.chars().any(char::is_control));
            }
            if let Some(address) = Address::new(text, "anser.test") {
                match directory.add_account(NewAccount::new(address.clone(), Password::None)).await {
                    Ok(id) => {
                        let found = directory.resolve(&address).await.unwrap();
                        assert!(matches!(found, Resolution::Account(account) if account.id == id), "{text:?}");
                    }
                    Err(error) => assert_eq!(error.class, Class::Invalid, "{text:?}"),
                }
            }
            let domain = directory.add_domain(NewDomain::new(*text)).await;
            assert!(domain.is_ok() || domain.unwrap_err().class == Class::Invalid, "{text:?}");
            directory.domain(text).await.unwrap();
            let filter =
                AccountFilter { text: Some((*text).into()), after: Some((*text).into()), ..AccountFilter::default() };
            directory.accounts(filter).await.unwrap();
            assert!(site.login(text, PASSWORD, HOME).await.is_err());
            let hashed = Password::Hashed(format!("{{PLAIN}}{text}"));
            let _ = directory
                .set_password(ann, &hashed, false)
                .await
                .map_err(|error| assert_eq!(error.class, Class::Invalid));
        }
        assert_eq!(site.account("bob@anser.test").await.address.to_string(), "bob@anser.test");
    });
}

#[test]
fn any_address_resolves_to_something() {
    each_site(|site: Rc<Site>| async move {
        let mut runner = TestRunner::deterministic();
        let parts = (
            "\\PC{1,20}|[a-z+.\"\\\\$(){}'%_-]{1,20}",
            "anser\\.test|xn--[a-z0-9-]{0,20}|\\PC{1,20}|\\[[a-zA-Z0-9:.]{0,20}\\]",
        );
        for _ in 0..300 {
            let (local, domain) = parts.new_tree(&mut runner).unwrap().current();
            let Some(address) = Address::new(&local, &domain) else { continue };
            let found = site.directory.resolve(&address).await.unwrap();
            assert!(!matches!(found, Resolution::Account(_) | Resolution::Group(_)), "{address}");
            let bob = site.account("bob@anser.test").await.id;
            assert!(!site.directory.may_send_as(bob, &address).await.unwrap());
        }
    });
}
