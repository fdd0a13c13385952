//! Logins with passwords and app passwords.

use std::rc::Rc;

use anser_base::Class;
use anser_directory::{
    AccountState, AppPasswordKind, NewAccount, NewDomain, Password, Refusal, Service, Services, Via,
};

use crate::site::{HOME, PASSWORD, Site, address, each_site};

#[test]
fn the_owner_gets_in_under_every_writing_of_the_name() {
    each_site(|site: Rc<Site>| async move {
        for name in ["ann@anser.test", "ANN@Anser.Test", "ann", " Ann "] {
            let login = site.login(name, PASSWORD, HOME).await.unwrap();
            assert_eq!((login.account.address.to_string().as_str(), login.via), ("ann@anser.test", Via::Password));
        }
        site.directory.add_domain(NewDomain::new("second.test")).await.unwrap();
        site.add("zoe@second.test").await;
        assert!(site.login("zoe", PASSWORD, HOME).await.is_err());
        site.directory.set_default_domain("second.test").await.unwrap();
        site.login("zoe", PASSWORD, HOME).await.unwrap();
    });
}

#[test]
fn a_wrong_name_and_a_wrong_password_answer_alike() {
    each_site(|site: Rc<Site>| async move {
        let mut answers = Vec::new();
        for (name, password) in [
            ("ann", &b"wrong"[..]),
            ("nobody@anser.test", PASSWORD),
            ("ann@elsewhere.test", PASSWORD),
            ("bob@anser.test", b""),
            ("", PASSWORD),
            ("root@anser.test", &[b'x'; 5000]),
        ] {
            let failure = site.login(name, password, HOME).await.unwrap_err();
            answers.push((failure.reason, failure.delay, failure.error.class, failure.error.text));
        }
        answers.dedup();
        assert_eq!(answers.len(), 1, "{answers:?}");
        assert_eq!((answers[0].0, answers[0].2), (Refusal::Wrong, Class::Unauthenticated));
    });
}

#[test]
fn whether_an_account_may_be_used_shows_only_after_the_right_password() {
    each_site(|site: Rc<Site>| async move {
        let (directory, ann) = (&site.directory, site.account("ann@anser.test").await.id);
        let refusal =
            async |password: &[u8]| site.login("ann", password, HOME).await.map_err(|failure| failure.reason).err();
        directory.set_services(ann, Services::ALL.without(Services::IMAP)).await.unwrap();
        assert_eq!(refusal(PASSWORD).await, Some(Refusal::NotAllowed));
        assert_eq!(refusal(b"wrong").await, Some(Refusal::Wrong));
        site.login_at(Service::Submission, "ann", PASSWORD, HOME).await.unwrap();
        directory.set_services(ann, Services::ALL).await.unwrap();
        assert_eq!(refusal(PASSWORD).await, None);
        directory.suspend(ann).await.unwrap();
        assert_eq!(refusal(PASSWORD).await, Some(Refusal::NotAllowed));
        directory.remove(ann).await.unwrap();
        assert_eq!(refusal(PASSWORD).await, Some(Refusal::NotAllowed));
        assert_eq!(refusal(b"also wrong").await, Some(Refusal::Wrong));
        directory.restore(ann).await.unwrap();
        assert_eq!(refusal(PASSWORD).await, None);
        directory.set_domain_disabled("anser.test", true).await.unwrap();
        assert_eq!(site.account("ann@anser.test").await.state, AccountState::Active);
        assert_eq!(refusal(PASSWORD).await, Some(Refusal::Wrong), "a bare name has no default domain now");
        let failure = site.login("ann@anser.test", PASSWORD, HOME).await.unwrap_err();
        assert_eq!(failure.reason, Refusal::NotAllowed);
    });
}

#[test]
fn a_new_password_replaces_the_old_one_at_once() {
    each_site(|site: Rc<Site>| async move {
        let ann = site.account("ann@anser.test").await.id;
        site.login("ann", PASSWORD, HOME).await.unwrap();
        let odd = "a()*%\"\\ {}]~ 密 é";
        let password = Password::Plain(odd.as_bytes().to_vec());
        site.directory.set_password(ann, &password, false).await.unwrap();
        assert!(site.login("ann", PASSWORD, HOME).await.is_err());
        site.login("ann", odd.as_bytes(), HOME).await.unwrap();
        site.login("ann", odd.replace('é', "e\u{301}").as_bytes(), HOME).await.unwrap();
        site.directory.set_password(ann, &Password::None, false).await.unwrap();
        for password in [odd.as_bytes(), b"", b"\0"] {
            assert!(site.login("ann", password, HOME).await.is_err());
        }
        let empty = site.directory.set_password(ann, &Password::Plain(Vec::new()), false).await.unwrap_err();
        assert_eq!(empty.class, Class::Invalid);
    });
}

#[test]
fn a_password_that_must_be_changed_opens_the_login_page_only() {
    each_site(|site: Rc<Site>| async move {
        let ann = site.account("ann@anser.test").await.id;
        site.directory.set_password(ann, &Password::Plain(b"given".into()), true).await.unwrap();
        for service in [Service::Imap, Service::Pop3, Service::Submission, Service::ManageSieve, Service::Web] {
            let refusal = async |password| site.login_at(service, "ann", password, HOME).await.unwrap_err();
            assert_eq!(refusal(b"given").await.reason, Refusal::MustChange);
            let wrong = refusal(b"wrong").await;
            assert_eq!(wrong.reason, Refusal::Wrong, "only who knows the password hears of it");
        }
        let page = site.login_at(Service::SignIn, "ann", b"given", HOME).await.unwrap();
        assert!(page.account.must_change_password);
        site.directory.set_password(ann, &Password::Plain(b"chosen".into()), false).await.unwrap();
        site.login("ann", b"chosen", HOME).await.unwrap();
        site.directory.set_must_change(ann, true).await.unwrap();
        assert_eq!(site.login("ann", b"chosen", HOME).await.unwrap_err().reason, Refusal::MustChange);
    });
}

#[test]
fn a_remembered_password_still_meets_every_rule() {
    each_site(|site: Rc<Site>| async move {
        let (directory, ann) = (&site.directory, site.account("ann@anser.test").await.id);
        site.login("ann", PASSWORD, HOME).await.unwrap();
        directory.set_services(ann, Services::POP3).await.unwrap();
        assert_eq!(site.login("ann", PASSWORD, HOME).await.unwrap_err().reason, Refusal::NotAllowed);
        directory.set_services(ann, Services::ALL).await.unwrap();
        site.login("ann", PASSWORD, HOME).await.unwrap();
        for n in 0..anser_directory::guard::PAIR_FAILURES {
            let guess = format!("guess {n}");
            assert_eq!(site.login("ann", guess.as_bytes(), HOME).await.unwrap_err().reason, Refusal::Wrong);
        }
        let locked = site.login("ann", PASSWORD, HOME).await.unwrap_err();
        assert_eq!(locked.reason, Refusal::Locked, "what is remembered opens no lock");
    });
}

#[test]
fn an_app_password_opens_its_doors_until_it_is_revoked() {
    each_site(|site: Rc<Site>| async move {
        let (directory, ann) = (&site.directory, site.account("ann@anser.test").await.id);
        let phone =
            directory.add_app_password(ann, AppPasswordKind::Typed, "phone", Services::IMAP, None).await.unwrap();
        let again =
            directory.add_app_password(ann, AppPasswordKind::Typed, "phone", Services::ALL, None).await.unwrap_err();
        assert_eq!(again.class, Class::Exists);
        let bare = phone.password.replace('-', "").to_uppercase();
        for written in [phone.password.as_str(), &bare, &phone.password.replace('-', " ")] {
            let login = site.login("ann", written.as_bytes(), HOME).await.unwrap();
            assert_eq!(login.via, Via::AppPassword(phone.id));
        }
        let elsewhere = site.login_at(Service::Pop3, "ann", phone.password.as_bytes(), HOME).await.unwrap_err();
        assert_eq!(elsewhere.reason, Refusal::NotAllowed);
        assert!(site.login("bob", phone.password.as_bytes(), HOME).await.is_err());
        let listed = directory.app_passwords(ann, AppPasswordKind::Typed).await.unwrap();
        assert_eq!((listed.len(), listed[0].last_used), (1, Some(site.clock.now())));
        directory.revoke_app_password(ann, AppPasswordKind::Typed, phone.id).await.unwrap();
        assert!(site.login("ann", phone.password.as_bytes(), HOME).await.is_err());
        site.login("ann", PASSWORD, HOME).await.unwrap();
    });
}

#[test]
fn many_logins_at_once_all_succeed() {
    each_site(|site: Rc<Site>| async move {
        let login = || async { site.login("ann", PASSWORD, HOME).await.is_ok() };
        assert!(login().await);
        for _ in 0..500 {
            assert!(login().await);
        }
        let new = site.person("new@anser.test").await;
        let id = site.directory.add_account(NewAccount { must_change_password: true, ..new }).await.unwrap();
        let found = site.directory.account(id).await.unwrap().unwrap();
        assert_eq!(found.address, address("new@anser.test"));
    });
}
