//! Which doors an account is used by is known, at the price of one write a day for each.

use std::time::Duration;

use anser_base::AccountId;
use anser_directory::{AppPasswordKind, Attempt, OF_THE_HOUSE, Service, Services};

use crate::site::{HOME, PASSWORD, Site, each_site};

const DAY: Duration = Duration::from_secs(24 * 3600);

async fn log_in(site: &Site, service: Service, password: &[u8]) {
    let source = HOME.parse().unwrap();
    let attempt = Attempt { name: b"ann@anser.test", password, service, source, tls: true };
    site.directory.authenticate(attempt).await.unwrap();
}

/// Door, first and last time in seconds, days.
async fn used(site: &Site, ann: AccountId) -> Vec<(&'static str, i64, i64, u32)> {
    let all = site.directory.used(&[ann]).await.unwrap();
    all.iter().map(|one| (one.service.word(), one.first.secs(), one.last.secs(), one.days)).collect()
}

#[test]
fn a_door_counts_once_a_day_and_the_house_itself_never() {
    each_site(async |site| {
        let site = &*site;
        let ann = site.account("ann@anser.test").await.id;
        assert_eq!(used(site, ann).await, []);
        let began = site.clock.now().secs();
        for _ in 0..3 {
            log_in(site, Service::Imap, PASSWORD).await;
        }
        log_in(&site.another_node(), Service::Imap, PASSWORD).await;
        log_in(site, Service::Submission, PASSWORD).await;
        assert_eq!(used(site, ann).await, [("smtp", began, began, 1), ("imap", began, began, 1)]);
        site.clock.advance(DAY * 3);
        let now = site.clock.now().secs();
        log_in(site, Service::Imap, PASSWORD).await;
        log_in(&site.another_node(), Service::Imap, PASSWORD).await;
        assert_eq!(used(site, ann).await, [("smtp", began, began, 1), ("imap", began, now, 2)]);

        let kind = AppPasswordKind::Typed;
        let name = format!("{OF_THE_HOUSE}x");
        let made = site.directory.add_app_password(ann, kind, &name, Services::ALL, Some(DAY)).await.unwrap();
        log_in(site, Service::Pop3, made.password.as_bytes()).await;
        assert_eq!(used(site, ann).await.len(), 2, "what the house looks at by itself is no use");
        let own = site.directory.add_app_password(ann, kind, "phone", Services::ALL, None).await.unwrap();
        log_in(site, Service::Pop3, own.password.as_bytes()).await;
        assert_eq!(used(site, ann).await.len(), 3);
    });
}

#[test]
fn who_came_before_use_was_noted_is_known_by_the_place() {
    each_site(async |site| {
        let site = &*site;
        let ann = site.account("ann@anser.test").await.id;
        let bob = site.account("bob@anser.test").await.id;
        assert!(site.directory.logged_in(&[ann, bob]).await.unwrap().is_empty());
        log_in(site, Service::Imap, PASSWORD).await;
        let forget = |tx: &mut anser_db::Tx<'_>| tx.execute("DELETE FROM dir_used", &[]);
        site.db.write(anser_db::Place::Server, anser_db::Durability::Sync, forget).await.unwrap();
        assert_eq!(used(site, ann).await, []);
        assert_eq!(site.directory.logged_in(&[ann, bob]).await.unwrap().into_iter().collect::<Vec<_>>(), [ann]);
    });
}
