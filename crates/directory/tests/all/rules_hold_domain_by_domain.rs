//! Rules of signing in: everybody's, and a domain's before them.

use std::time::Duration;

use anser_base::Class;
use anser_directory::{PasswordRules, Refusal, Rules, Service, Services, Signed, Visitor};

use crate::site::{HOME, PASSWORD, Site, each_site};

const HOUR: Duration = Duration::from_secs(3600);

fn visitor() -> Visitor<'static> {
    Visitor { source: HOME.parse().unwrap(), device: "", tls: true }
}

async fn token(site: &Site) -> String {
    match site.directory.sign_in(b"ann@anser.test", PASSWORD, visitor()).await.unwrap() {
        Signed::In(session) => session.token,
        other => panic!("{other:?}"),
    }
}

async fn is_in(site: &Site, token: &str) -> bool {
    site.directory.session(token.as_bytes(), HOME.parse().unwrap()).await.unwrap().is_some()
}

fn of(scope: &str) -> Rules {
    Rules { scope: scope.into(), ..Rules::default() }
}

#[test]
fn sessions_last_as_long_as_their_domain_says() {
    each_site(|site| async move {
        let set = |rules| site.directory.set_rules(rules);
        set(Rules { idle: Some(HOUR), ..of("*") }).await.unwrap();
        set(Rules { idle: Some(HOUR * 3), longest: Some(HOUR * 5), ..of("anser.test") }).await.unwrap();
        let first = token(&site).await;
        site.clock.advance(HOUR * 2);
        assert!(is_in(&site, &first).await, "the domain's rule goes before everybody's");
        site.clock.advance(HOUR * 2);
        assert!(is_in(&site, &first).await);
        site.clock.advance(HOUR);
        assert!(!is_in(&site, &first).await, "five hours are over, with or without use");
        let second = token(&site).await;
        site.clock.advance(HOUR * 2);
        set(Rules { idle: Some(HOUR), ..of("anser.test") }).await.unwrap();
        assert!(!is_in(&site, &second).await, "a rule holds for sessions that are there");
        assert!(site.directory.remove_rules("anser.test").await.unwrap());
        assert!(!site.directory.remove_rules("anser.test").await.unwrap());
        let kept = site.directory.rules().await.unwrap();
        assert_eq!(kept, [Rules { idle: Some(HOUR), ..of("*") }]);
        for bad in [
            Rules { idle: Some(Duration::from_secs(1)), ..of("*") },
            Rules { longest: Some(HOUR * 24 * 1000), ..of("*") },
            Rules { length: Some(1), ..of("*") },
            Rules { kinds: Some(5), ..of("*") },
            of("no domain"),
        ] {
            assert_eq!(set(bad).await.unwrap_err().class, Class::Invalid);
        }
    });
}

#[test]
fn passwords_and_doors_are_as_their_domain_says() {
    each_site(|site| async move {
        let ann = site.account("ann@anser.test").await.id;
        let general = site.directory.password_rules(None).await.unwrap();
        assert_eq!(general, PasswordRules::usual());
        let rules = Rules { length: Some(20), services: Some(Services::IMAP.with(Services::WEB)), ..of("anser.test") };
        site.directory.set_rules(rules).await.unwrap();
        assert_eq!(site.directory.password_rules(Some(ann)).await.unwrap(), PasswordRules { length: 20, ..general });
        assert_eq!(site.directory.password_rules(None).await.unwrap(), general);
        let shown = token(&site).await;
        let session = site.directory.session(shown.as_bytes(), HOME.parse().unwrap()).await.unwrap().unwrap();
        let change = |new: &'static str| site.directory.change_password(&session, PASSWORD, new.as_bytes(), visitor());
        assert_eq!(change("Nineteen-letters-19").await.unwrap_err().error.class, Class::Invalid);
        assert!(site.login("ann@anser.test", PASSWORD, HOME).await.is_ok());
        let closed = site.login_at(Service::Pop3, "ann@anser.test", PASSWORD, HOME).await.unwrap_err();
        assert_eq!(closed.reason, Refusal::NotAllowed);
        change("Nineteen-letters-and-1").await.unwrap();
    });
}
