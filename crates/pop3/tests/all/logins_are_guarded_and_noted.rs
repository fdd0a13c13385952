use anser_directory::guard::PAIR_FAILURES;
use anser_directory::{Attempt, Service, Services};
use anser_journal::{By, What};

use crate::site::{Client, PASSWORD, Site, each_site};

fn try_login(site: &Site, name: &str, password: &str) -> String {
    let mut client = Client::connect(site.plain);
    client.hear();
    client.ask(&format!("USER {name}"));
    let answer = client.ask(&format!("PASS {password}"));
    client.ask("QUIT");
    answer
}

#[test]
fn good_and_bad() {
    each_site(|site| {
        let account = site.account("ann");
        assert!(try_login(site, "ann@anser.test", PASSWORD).starts_with("+OK"));
        let wrong = try_login(site, "bob@anser.test", "wrong");
        assert_eq!(wrong, "-ERR [AUTH] wrong user name or password");
        assert_eq!(try_login(site, "nobody@anser.test", "wrong"), wrong);
        let login = What::Login {
            account,
            user: "ann@anser.test".into(),
            mechanism: "PASS".into(),
            by: By::of("password", None),
        };
        assert!(site.journal("ann@anser.test").contains(&login));
        for name in ["bob@anser.test", "nobody@anser.test"] {
            let failed = What::LoginFailed {
                user: name.into(),
                why: "wrong user name or password".into(),
                reason: Some("wrong".into()),
            };
            assert!(site.journal(name).contains(&failed), "{name}");
        }
    });
}

/// Only who has the right password is told more.
#[test]
fn accounts_that_may_not_use_pop3() {
    each_site(|site| {
        let (ann, bob) = (site.account("ann"), site.account("bob"));
        site.runtime.block_on(async {
            let directory = &site.deps.directory;
            directory.set_services(ann, Services::ALL.without(Services::POP3)).await.unwrap();
            directory.suspend(bob).await.unwrap();
        });
        for name in ["ann", "bob"] {
            assert!(try_login(site, name, PASSWORD).starts_with("-ERR [AUTH] this account may not be used here"));
            assert_eq!(try_login(site, name, "wrong"), "-ERR [AUTH] wrong user name or password");
        }
    });
}

/// Names with blanks, passwords with anything, app passwords aside.
#[test]
fn passwords_go_through_as_they_are() {
    each_site(|site| {
        let password = " two  blanks and 中文 ";
        let ann = site.account("ann");
        let set = async {
            let directory = &site.deps.directory;
            let secret = directory.make_secret(password.as_bytes()).await.unwrap();
            directory.set_password(ann, &anser_directory::Password::Made(secret), false).await.unwrap();
        };
        site.runtime.block_on(set);
        assert!(try_login(site, "ann", password).starts_with("+OK"));
        assert!(try_login(site, "ann", password.trim()).starts_with("-ERR [AUTH]"));
    });
}

/// RFC 2449 §8.1.1: the right password as well has to wait, and the session goes on.
#[test]
fn who_guesses_too_often_is_told_to_wait() {
    each_site(|site| {
        let (name, source) = (&b"ann"[..], [127, 0, 0, 1].into());
        site.runtime.block_on(async {
            for n in 0..PAIR_FAILURES {
                // Too long to be hashed, so that the test is quick.
                let password = n.to_string().repeat(2000);
                let (password, service) = (password.as_bytes(), Service::Pop3);
                let attempt = Attempt { name, password, service, source, tls: false };
                site.deps.directory.authenticate(attempt).await.unwrap_err();
            }
        });
        let answer = try_login(site, "ann", PASSWORD);
        assert!(answer.starts_with("-ERR [LOGIN-DELAY] too many failed logins; try again in "), "{answer}");
        assert!(try_login(site, "bob", PASSWORD).starts_with("+OK"));
    });
}

/// RFC 3206 §4: what only the person can mend.
#[test]
fn who_must_choose_a_new_password_is_told_so() {
    each_site(|site| {
        let ann = site.account("ann");
        site.runtime.block_on(site.deps.directory.set_must_change(ann, true)).unwrap();
        assert!(try_login(site, "ann", PASSWORD).starts_with("-ERR [AUTH] you must choose a new password"));
        assert_eq!(try_login(site, "ann", "wrong"), "-ERR [AUTH] wrong user name or password");
    });
}
