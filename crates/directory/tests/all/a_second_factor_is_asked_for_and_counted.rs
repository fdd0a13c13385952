//! Authenticators, recovery codes, and what a password opens beside them.

use std::time::Duration;

use anser_base::Class;
use anser_directory::second::RECOVERY_CODES;
use anser_directory::totp::{STEP, code_at};
use anser_directory::{AppPasswordKind, Need, Refusal, Service, Services, Shown, Signed, Visitor, guard};

use crate::site::{HOME, PASSWORD, Site, each_site};

fn visitor() -> Visitor<'static> {
    Visitor { source: HOME.parse().unwrap(), device: "", tls: true }
}

/// What an authenticator shows now for what was typed into it.
fn code(site: &Site, secret: &str) -> String {
    let (mut bits, mut bytes) = (0_u64, Vec::new());
    for (at, c) in secret.bytes().enumerate() {
        let value = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|known| *known == c).unwrap();
        bits = bits << 5 | value as u64;
        if at % 8 == 7 {
            bytes.extend_from_slice(&bits.to_be_bytes()[3..]);
            bits = 0;
        }
    }
    code_at(&bytes, site.clock.now().secs() / STEP)
}

/// Sets ann's authenticator up; its secret and the recovery codes.
async fn set_up(site: &Site) -> (String, Vec<String>) {
    let ann = site.account("ann@anser.test").await.id;
    let made = site.directory.begin_totp(ann).await.unwrap();
    assert!(made.uri.starts_with("otpauth://totp/mail.anser.test:ann@anser.test?secret="), "{}", made.uri);
    let wrong = site.directory.confirm_totp(ann, "000000").await.unwrap_err();
    assert_eq!(wrong.class, Class::Invalid);
    let recovery = site.directory.confirm_totp(ann, &code(site, &made.secret)).await.unwrap();
    assert_eq!(recovery.len(), RECOVERY_CODES);
    site.clock.advance(Duration::from_secs(60));
    (made.secret, recovery)
}

async fn ticket(site: &Site) -> String {
    match site.directory.sign_in(b"ann@anser.test", PASSWORD, visitor()).await.unwrap() {
        Signed::Needs(Need::Code, ticket) => ticket,
        other => panic!("{other:?}"),
    }
}

async fn show(site: &Site, ticket: &str, code: &str) -> Result<Shown, Refusal> {
    site.directory.show_code(ticket, code, visitor()).await.map_err(|failure| failure.reason)
}

#[test]
fn a_code_opens_once_and_recovery_codes_too() {
    each_site(|site| async move {
        let (secret, recovery) = set_up(&site).await;
        let first = ticket(&site).await;
        assert_eq!(show(&site, &first, "123").await.unwrap_err(), Refusal::Wrong);
        let now = code(&site, &secret);
        assert!(matches!(show(&site, &first, &now).await.unwrap().signed, Signed::In(_)));
        assert_eq!(show(&site, &first, &now).await.unwrap_err(), Refusal::Wrong, "a code is good once");
        let spoken = recovery[0].to_uppercase().replace('-', " ");
        assert!(matches!(show(&site, &first, &spoken).await.unwrap().signed, Signed::In(_)));
        assert_eq!(show(&site, &first, &recovery[0]).await.unwrap_err(), Refusal::Wrong);
        let ann = site.account("ann@anser.test").await.id;
        assert_eq!(site.directory.second_factor(ann).await.unwrap().recovery, RECOVERY_CODES - 1);
        let fresh = site.directory.renew_recovery(ann).await.unwrap();
        assert_eq!(show(&site, &first, &recovery[1]).await.unwrap_err(), Refusal::Wrong, "replaced");
        assert!(show(&site, &first, &fresh[0]).await.is_ok());
    });
}

#[test]
fn the_password_alone_opens_no_other_door() {
    each_site(|site| async move {
        let ann = site.account("ann@anser.test").await.id;
        let made = site.directory.add_app_password(ann, AppPasswordKind::Typed, "phone", Services::IMAP, None);
        let app = made.await.unwrap().password;
        site.login("ann@anser.test", PASSWORD, HOME).await.unwrap();
        set_up(&site).await;
        for service in [Service::Imap, Service::Pop3, Service::Submission, Service::Web, Service::ManageSieve] {
            let failure = site.login_at(service, "ann@anser.test", PASSWORD, HOME).await.unwrap_err();
            assert_eq!(failure.reason, Refusal::NeedsAppPassword, "{service:?}");
        }
        site.login("ann@anser.test", app.as_bytes(), HOME).await.unwrap();
        assert!(site.directory.remove_second_factor(ann).await.unwrap());
        site.login("ann@anser.test", PASSWORD, HOME).await.unwrap();
    });
}

#[test]
fn codes_are_not_guessed_by_showing_the_password_again() {
    each_site(|site| async move {
        let (secret, _) = set_up(&site).await;
        for n in 0..guard::PAIR_FAILURES {
            let again = ticket(&site).await;
            assert_eq!(show(&site, &again, &format!("{n:05}x")).await.unwrap_err(), Refusal::Wrong);
        }
        let locked = site.directory.sign_in(b"ann@anser.test", PASSWORD, visitor()).await.unwrap_err();
        assert_eq!(locked.reason, Refusal::Locked);
        site.clock.advance(guard::WINDOW);
        let open = ticket(&site).await;
        assert!(show(&site, &open, &code(&site, &secret)).await.is_ok());
    });
}

#[test]
fn whoever_knows_the_password_alone_gets_no_more_guesses_from_elsewhere() {
    each_site(|site| async move {
        let (secret, _) = set_up(&site).await;
        let from = |n: u32| Visitor { source: format!("203.0.113.{n}").parse().unwrap(), device: "", tls: true };
        let mut refused = Vec::new();
        for n in 0..guard::NAME_FAILURES {
            let signed = match site.directory.sign_in(b"ann@anser.test", PASSWORD, from(n)).await {
                Ok(Signed::Needs(Need::Code, ticket)) => site.directory.show_code(&ticket, "00000x", from(n)).await,
                other => panic!("{n}: {other:?}"),
            };
            refused.push(signed.unwrap_err().reason);
        }
        assert!(refused.iter().all(|reason| *reason == Refusal::Wrong), "{refused:?}");
        let locked = site.directory.sign_in(b"ann@anser.test", PASSWORD, from(200)).await.unwrap_err();
        assert_eq!(locked.reason, Refusal::Locked, "as many as a name has from all unknown places");
        site.clock.advance(guard::WINDOW);
        let open = ticket(&site).await;
        assert!(show(&site, &open, &code(&site, &secret)).await.is_ok());
    });
}

#[test]
fn where_it_is_required_it_is_set_up_at_the_next_login() {
    each_site(|site| async move {
        site.directory.require_second_factor("anser.test", true).await.unwrap();
        assert_eq!(site.directory.second_factor_required().await.unwrap(), ["anser.test"]);
        let failure = site.login("ann@anser.test", PASSWORD, HOME).await.unwrap_err();
        assert_eq!(failure.reason, Refusal::NeedsAppPassword);
        let ann = site.account("ann@anser.test").await.id;
        site.directory.set_must_change(ann, true).await.unwrap();
        let signed = site.directory.sign_in(b"ann@anser.test", PASSWORD, visitor()).await.unwrap();
        let Signed::Needs(Need::Enrol, ticket) = signed else { panic!("{signed:?}") };
        let early = site.directory.choose_password(&ticket, b"tin-rabbit-9 kettle", visitor()).await.unwrap_err();
        assert_eq!(early.reason, Refusal::Wrong, "not before the second factor");
        let made = site.directory.enrol(&ticket, visitor()).await.unwrap();
        assert_eq!(show(&site, &ticket, "000000").await.unwrap_err(), Refusal::Wrong);
        let shown = show(&site, &ticket, &code(&site, &made.secret)).await.unwrap();
        assert_eq!(shown.recovery.len(), RECOVERY_CODES);
        let Signed::Needs(Need::NewPassword, ticket) = shown.signed else { panic!("{shown:?}") };
        let done = site.directory.choose_password(&ticket, b"tin-rabbit-9 kettle", visitor()).await.unwrap();
        assert!(matches!(done, Signed::In(_)), "{done:?}");
        site.directory.require_second_factor("anser.test", false).await.unwrap();
        assert!(site.login("bob@anser.test", PASSWORD, HOME).await.is_ok());
    });
}

#[test]
fn what_only_reads_opens_nothing_that_writes() {
    each_site(|site| async move {
        let ann = site.account("ann@anser.test").await.id;
        let scope = Services::ALL.with(Services::READ_ONLY);
        let made = site.directory.add_app_password(ann, AppPasswordKind::Typed, "reader", scope, None).await.unwrap();
        let login = site.login_at(Service::Web, "ann@anser.test", made.password.as_bytes(), HOME).await.unwrap();
        assert!(login.services.contains(Services::READ_ONLY));
        for service in [Service::Imap, Service::Submission, Service::Pop3] {
            let failure = site.login_at(service, "ann@anser.test", made.password.as_bytes(), HOME).await.unwrap_err();
            assert_eq!(failure.reason, Refusal::NotAllowed, "{service:?}");
        }
    });
}

#[test]
fn a_key_outside_seals_what_is_there_and_what_comes() {
    each_site(|site| async move {
        let (secret, recovery) = set_up(&site).await;
        let kept = async || {
            let sql = "SELECT secret FROM dir_totp";
            let read = site.db.read(anser_db::Place::Server, move |tx| tx.query_one(sql, &[], |row| row.blob(0)));
            read.await.unwrap().unwrap()
        };
        let before = kept().await;
        site.directory.use_key([9; 32]).await.unwrap();
        assert_ne!(kept().await, before, "what was there is sealed anew");
        let first = ticket(&site).await;
        assert!(matches!(show(&site, &first, &code(&site, &secret)).await.unwrap().signed, Signed::In(_)));
        // Whoever has the tables alone has no authenticator.
        let thief = site.another_node();
        site.clock.advance(Duration::from_secs(60));
        let shown = thief.directory.sign_in(b"ann@anser.test", PASSWORD, visitor()).await.unwrap();
        let Signed::Needs(_, ticket) = shown else { panic!("{shown:?}") };
        let now = code(&site, &secret);
        assert_eq!(show(&thief, &ticket, &now).await.unwrap_err(), Refusal::Wrong);
        assert!(
            matches!(show(&thief, &ticket, &recovery[0]).await.unwrap().signed, Signed::In(_)),
            "the owner's way back"
        );
    });
}
