//! Bearer tokens of the server itself.

use std::rc::Rc;
use std::time::Duration;

use anser_base::Class;
use anser_directory::admin::app_passwords::{APP_PASSWORDS, LONGEST_LIFE};
use anser_directory::{AppPasswordKind, Attempt, AuthFailure, Login, Refusal, Service, Services, Via};

use crate::site::{HOME, PASSWORD, Site, each_site};

const DAY: Duration = Duration::from_secs(24 * 3600);

async fn bearer(site: &Site, service: Service, name: &str, token: &str) -> Result<Login, AuthFailure> {
    let (name, password, source) = (name.as_bytes(), token.as_bytes(), HOME.parse().unwrap());
    site.directory.authenticate_token(Attempt { name, password, service, source, tls: true }).await
}

async fn refusal(site: &Site, name: &str, token: &str) -> Refusal {
    bearer(site, Service::Imap, name, token).await.unwrap_err().reason
}

#[test]
fn a_token_opens_what_it_was_made_for_with_and_without_a_name() {
    each_site(|site: Rc<Site>| async move {
        let (directory, ann) = (&site.directory, site.account("ann@anser.test").await.id);
        let add = |name: &'static str, services| {
            directory.add_app_password(ann, AppPasswordKind::Bearer, name, services, Some(DAY))
        };
        let made = add("sync", Services::IMAP).await.unwrap();
        assert!(made.password.starts_with("anser_") && made.password.len() > 52, "256 random bits at least");
        for name in ["", "ann", "ANN@anser.test"] {
            let login = bearer(&site, Service::Imap, name, &made.password).await.unwrap();
            assert_eq!((login.account.id, login.via), (ann, Via::Token(made.id)));
        }
        let elsewhere = bearer(&site, Service::Pop3, "ann", &made.password).await.unwrap_err();
        assert_eq!(elsewhere.reason, Refusal::NotAllowed);
        assert_eq!(refusal(&site, "bob", &made.password).await, Refusal::Wrong);
        assert_eq!(refusal(&site, "nobody", &made.password).await, Refusal::Wrong);
        assert_eq!(refusal(&site, "ann", "anser_guess").await, Refusal::Wrong);
        assert_eq!(refusal(&site, "", "anser_guess").await, Refusal::Wrong);
        assert!(site.login("ann", made.password.as_bytes(), HOME).await.is_err(), "it is no password");
        let typed =
            directory.add_app_password(ann, AppPasswordKind::Typed, "phone", Services::ALL, None).await.unwrap();
        assert_eq!(refusal(&site, "ann", &typed.password).await, Refusal::Wrong, "nor is a password a token");
        assert_eq!(add("phone", Services::ALL).await.unwrap_err().class, Class::Exists);
        let listed = directory.app_passwords(ann, AppPasswordKind::Bearer).await.unwrap();
        assert_eq!((listed.len(), listed[0].last_used), (1, Some(site.clock.now())));
        let other = directory.revoke_app_password(ann, AppPasswordKind::Typed, made.id).await.unwrap_err();
        assert_eq!(other.class, Class::NotFound);
        directory.revoke_app_password(ann, AppPasswordKind::Bearer, made.id).await.unwrap();
        assert_eq!(refusal(&site, "", &made.password).await, Refusal::Wrong);
    });
}

#[test]
fn a_token_ends_when_it_was_told_to() {
    each_site(|site: Rc<Site>| async move {
        let (directory, ann) = (&site.directory, site.account("ann@anser.test").await.id);
        let add = |kind, life| directory.add_app_password(ann, kind, "x", Services::ALL, life);
        let token = add(AppPasswordKind::Bearer, Some(DAY)).await.unwrap();
        directory.revoke_app_password(ann, AppPasswordKind::Bearer, token.id).await.unwrap();
        let (token, before) = (add(AppPasswordKind::Bearer, Some(DAY)).await.unwrap(), DAY - Duration::from_millis(1));
        site.clock.advance(before);
        bearer(&site, Service::Imap, "ann", &token.password).await.unwrap();
        site.clock.advance(Duration::from_millis(1));
        assert_eq!(refusal(&site, "ann", &token.password).await, Refusal::Wrong);
        directory.revoke_app_password(ann, AppPasswordKind::Bearer, token.id).await.unwrap();
        let typed = add(AppPasswordKind::Typed, Some(DAY)).await.unwrap();
        site.login("ann", typed.password.as_bytes(), HOME).await.unwrap();
        site.clock.advance(DAY);
        assert!(site.login("ann", typed.password.as_bytes(), HOME).await.is_err());
        let long = add(AppPasswordKind::Bearer, Some(LONGEST_LIFE + DAY)).await.unwrap_err();
        assert_eq!(long.class, Class::Invalid);
    });
}

#[test]
fn guesses_at_tokens_count_and_one_old_token_locks_out_nobody_else() {
    each_site(|site: Rc<Site>| async move {
        let (directory, ann) = (&site.directory, site.account("ann@anser.test").await.id);
        let kind = AppPasswordKind::Bearer;
        let good = directory.add_app_password(ann, kind, "good", Services::ALL, None).await.unwrap();
        for _ in 0..anser_directory::guard::PAIR_FAILURES * 2 {
            assert_eq!(refusal(&site, "", "anser_old").await, Refusal::Wrong, "the same again counts once");
        }
        for n in 0..anser_directory::guard::PAIR_FAILURES {
            assert_eq!(refusal(&site, "ann", &format!("anser_{n}")).await, Refusal::Wrong);
        }
        assert_eq!(refusal(&site, "ann", &good.password).await, Refusal::Locked);
        assert_eq!(site.login("ann", PASSWORD, HOME).await.unwrap_err().reason, Refusal::Locked, "one lock for all");
        let bob = site.account("bob@anser.test").await.id;
        let other = directory.add_app_password(bob, kind, "bob", Services::ALL, None).await.unwrap();
        bearer(&site, Service::Imap, "", &other.password).await.unwrap();
    });
}

#[test]
fn an_account_has_so_many_tokens_and_no_more() {
    each_site(|site: Rc<Site>| async move {
        let ann = site.account("ann@anser.test").await.id;
        let add = |n: usize| {
            let name = format!("number {n}");
            let directory = site.directory.clone();
            async move { directory.add_app_password(ann, AppPasswordKind::Bearer, &name, Services::ALL, None).await }
        };
        for n in 0..APP_PASSWORDS {
            add(n).await.unwrap();
        }
        assert_eq!(add(APP_PASSWORDS).await.unwrap_err().class, Class::Limit);
    });
}
