//! Sessions of our own pages: what begins them, and everything that ends them.

use std::net::IpAddr;
use std::time::Duration;

use anser_base::Class;
use anser_directory::admin::NewAppPassword;
use anser_directory::sessions::{IDLE, LONGEST, SESSIONS};
use anser_directory::{AppPasswordKind, Need, NewSession, Password, Refusal, Role, Service, Services, Signed, Visitor};

use crate::site::{HOME, PASSWORD, Site, each_site};

/// What nobody guesses.
const STRONG: &[u8] = b"tin-rabbit-9 kettle";

fn visitor() -> Visitor<'static> {
    Visitor { source: source(), device: "Firefox, Linux", tls: true }
}

fn source() -> IpAddr {
    HOME.parse().unwrap()
}

async fn sign_in(site: &Site, name: &str, password: &[u8]) -> NewSession {
    match site.directory.sign_in(name.as_bytes(), password, visitor()).await.unwrap() {
        Signed::In(session) => session,
        needs => panic!("{needs:?}"),
    }
}

async fn is_good(site: &Site, session: &NewSession) -> bool {
    site.directory.session(session.token.as_bytes(), source()).await.unwrap().is_some()
}

#[test]
fn a_session_is_its_tokens_and_nobody_elses() {
    each_site(|site| async move {
        let session = sign_in(&site, "ann@anser.test", PASSWORD).await;
        let found = site.directory.session(session.token.as_bytes(), source()).await.unwrap().unwrap();
        assert_eq!((found.id, found.account.address.to_string()), (session.id, "ann@anser.test".into()));
        for wrong in ["", "x", &session.token[1..], &session.token.to_uppercase()] {
            assert!(site.directory.session(wrong.as_bytes(), source()).await.unwrap().is_none(), "{wrong:?}");
        }
        let other = site.another_node();
        assert!(is_good(&other, &session).await, "all nodes know it");
        let refused = site.directory.sign_in(b"ann@anser.test", b"wrong", visitor()).await.unwrap_err();
        let nobody = site.directory.sign_in(b"nobody@anser.test", b"wrong", visitor()).await.unwrap_err();
        assert_eq!((refused.reason, refused.error.text), (nobody.reason, nobody.error.text));
    });
}

#[test]
fn silence_and_age_end_a_session() {
    each_site(|site| async move {
        let session = sign_in(&site, "ann@anser.test", PASSWORD).await;
        let mut passed = Duration::ZERO;
        let step = IDLE - Duration::from_secs(1);
        while passed + step < LONGEST {
            site.clock.advance(step);
            passed += step;
            assert!(is_good(&site, &session).await, "used {passed:?} after it began");
        }
        site.clock.advance(LONGEST - passed);
        assert!(!is_good(&site, &session).await, "its time is over");
        let idle = sign_in(&site, "ann@anser.test", PASSWORD).await;
        site.clock.advance(IDLE);
        assert!(!is_good(&site, &idle).await, "nobody used it");
        let account = site.account("ann@anser.test").await.id;
        assert_eq!(site.directory.sessions(account).await.unwrap(), []);
    });
}

#[test]
fn what_changes_the_account_ends_its_sessions() {
    each_site(|site| async move {
        let ann = site.account("ann@anser.test").await.id;
        let bob = sign_in(&site, "bob@anser.test", PASSWORD).await;
        for change in ["password", "suspended", "role", "must change", "no web", "domain"] {
            let session = sign_in(&site, "ann@anser.test", PASSWORD).await;
            assert!(is_good(&site, &session).await);
            let directory = &site.directory;
            match change {
                "password" => directory.set_password(ann, &Password::Plain(PASSWORD.to_vec()), false).await.unwrap(),
                "suspended" => directory.suspend(ann).await.unwrap(),
                "role" => directory.set_role(ann, Role::Audit).await.unwrap(),
                "must change" => directory.set_must_change(ann, true).await.unwrap(),
                "no web" => directory.set_services(ann, Services::ALL.without(Services::WEB)).await.unwrap(),
                _ => directory.set_domain_disabled("anser.test", true).await.unwrap(),
            }
            assert!(!is_good(&site, &session).await, "{change}");
            directory.restore(ann).await.unwrap();
            directory.set_must_change(ann, false).await.unwrap();
            directory.set_services(ann, Services::ALL).await.unwrap();
            directory.set_domain_disabled("anser.test", false).await.unwrap();
        }
        assert!(is_good(&site, &bob).await, "others stay");
    });
}

#[test]
fn an_owner_sees_and_ends_sessions() {
    each_site(|site| async move {
        let ann = site.account("ann@anser.test").await.id;
        let bob = site.account("bob@anser.test").await.id;
        let first = sign_in(&site, "ann@anser.test", PASSWORD).await;
        site.clock.advance(Duration::from_secs(600));
        let second = sign_in(&site, "ann@anser.test", PASSWORD).await;
        let listed = site.directory.sessions(ann).await.unwrap();
        assert_eq!(listed.iter().map(|one| one.id).collect::<Vec<_>>(), [second.id, first.id]);
        assert_eq!((listed[0].device.as_str(), listed[0].source.as_str()), ("Firefox, Linux", HOME));
        let foreign = site.directory.end_session(bob, first.id).await.unwrap_err();
        assert_eq!(foreign.class, Class::NotFound, "nobody ends another's");
        assert!(is_good(&site, &first).await);
        site.directory.end_session(ann, first.id).await.unwrap();
        assert!(!is_good(&site, &first).await);
        for _ in 0..SESSIONS + 5 {
            site.clock.advance(Duration::from_secs(1));
            sign_in(&site, "ann@anser.test", PASSWORD).await;
        }
        assert_eq!(site.directory.sessions(ann).await.unwrap().len(), SESSIONS);
        let last = sign_in(&site, "ann@anser.test", PASSWORD).await;
        assert_eq!(site.directory.end_sessions(ann, Some(last.id)).await.unwrap(), SESSIONS as u64 - 1);
        assert!(is_good(&site, &last).await);
    });
}

#[test]
fn an_own_password_is_changed_with_the_old_one() {
    each_site(|site| async move {
        let session = sign_in(&site, "ann@anser.test", PASSWORD).await;
        let other = sign_in(&site, "ann@anser.test", PASSWORD).await;
        let own = site.directory.session(session.token.as_bytes(), source()).await.unwrap().unwrap();
        let change = |old: &'static [u8], new: &'static [u8]| {
            let (site, own) = (site.clone(), own.clone());
            async move { site.directory.change_password(&own, old, new, visitor()).await }
        };
        assert_eq!(change(b"wrong", STRONG).await.unwrap_err().reason, Refusal::Wrong);
        assert_eq!(change(PASSWORD, b"ann123").await.unwrap_err().error.class, Class::Invalid, "too weak");
        assert_eq!(change(PASSWORD, PASSWORD).await.unwrap_err().error.class, Class::Invalid, "the old one");
        change(PASSWORD, STRONG).await.unwrap();
        assert!(is_good(&site, &session).await, "the session that changed it stays");
        assert!(!is_good(&site, &other).await, "others end");
        assert_eq!(site.login("ann@anser.test", PASSWORD, HOME).await.unwrap_err().reason, Refusal::Wrong);
        site.login("ann@anser.test", STRONG, HOME).await.unwrap();
    });
}

#[test]
fn who_must_choose_a_password_does_that_first() {
    each_site(|site| async move {
        let ann = site.account("ann@anser.test").await.id;
        site.directory.set_must_change(ann, true).await.unwrap();
        for service in [Service::Imap, Service::Submission, Service::Web] {
            let failure = site.login_at(service, "ann@anser.test", PASSWORD, HOME).await.unwrap_err();
            assert_eq!(failure.reason, Refusal::MustChange, "{service:?}");
        }
        let first = site.directory.sign_in(b"ann@anser.test", PASSWORD, visitor()).await.unwrap();
        let Signed::Needs(Need::NewPassword, ticket) = first else { panic!("{first:?}") };
        let choose = |ticket: String, new: &'static [u8]| {
            let site = site.clone();
            async move { site.directory.choose_password(&ticket, new, visitor()).await }
        };
        let weak = choose(ticket.clone(), b"1234567890").await.unwrap_err();
        assert_eq!(weak.error.class, Class::Invalid);
        assert_eq!(choose("x".into(), STRONG).await.unwrap_err().reason, Refusal::Wrong);
        let Signed::In(session) = choose(ticket.clone(), STRONG).await.unwrap() else { panic!("not in") };
        assert!(is_good(&site, &session).await);
        assert_eq!(choose(ticket, b"another-kettle-77").await.unwrap_err().reason, Refusal::Wrong, "good once");
        site.login("ann@anser.test", STRONG, HOME).await.unwrap();
        site.directory.set_must_change(ann, true).await.unwrap();
        let again = site.directory.sign_in(b"ann@anser.test", STRONG, visitor()).await.unwrap();
        let Signed::Needs(_, ticket) = again else { panic!("{again:?}") };
        site.clock.advance(anser_directory::sign_in::TICKET);
        assert_eq!(choose(ticket, b"another-kettle-77").await.unwrap_err().reason, Refusal::Wrong, "too late");
    });
}

#[test]
fn app_passwords_begin_no_session() {
    each_site(|site| async move {
        let ann = site.account("ann@anser.test").await.id;
        let made = site.directory.add_app_password(ann, AppPasswordKind::Typed, "phone", Services::ALL, None);
        let NewAppPassword { password, .. } = made.await.unwrap();
        site.login_at(Service::Web, "ann@anser.test", password.as_bytes(), HOME).await.unwrap();
        let failure = site.directory.sign_in(b"ann@anser.test", password.as_bytes(), visitor()).await.unwrap_err();
        assert_eq!(failure.reason, Refusal::NotAllowed);
    });
}
