//! What one node changes another sees, on the engine that several nodes share.

use std::rc::Rc;
use std::time::Duration;

use anser_directory::{GENERATION_AGE_MS, Password, Resolution};

use crate::site::{HOME, PASSWORD, Site, address, each_site};

#[test]
fn a_change_on_another_node_shows_within_the_promised_time() {
    each_site(|site: Rc<Site>| async move {
        if !site.db.is_postgres() {
            return;
        }
        let other = site.another_node();
        let ann = address("ann@anser.test");
        assert!(matches!(site.directory.resolve(&ann).await.unwrap(), Resolution::Account(_)));
        site.login("ann", PASSWORD, HOME).await.unwrap();
        let id = site.account("ann@anser.test").await.id;
        other.directory.set_password(id, &Password::None, false).await.unwrap();
        other.directory.suspend(id).await.unwrap();
        site.clock.advance(Duration::from_millis(GENERATION_AGE_MS as u64));
        assert!(matches!(site.directory.resolve(&ann).await.unwrap(), Resolution::Suspended(_)));
        assert!(site.login("ann", PASSWORD, HOME).await.is_err());
    });
}

#[test]
fn changes_made_at_once_on_two_nodes_all_count() {
    each_site(|site: Rc<Site>| async move {
        if !site.db.is_postgres() {
            return;
        }
        let other = site.another_node();
        let mut tasks = Vec::new();
        for n in 0..40 {
            let node = if n % 2 == 0 { site.directory.clone() } else { other.directory.clone() };
            let new = site.person(&format!("user{}@anser.test", n / 2)).await;
            tasks.push(tokio::spawn(async move { node.add_account(new).await }));
        }
        let mut ids = Vec::new();
        for task in tasks {
            ids.extend(task.await.unwrap());
        }
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 20, "each address goes to one account, each with its own number");
    });
}
