use std::collections::BTreeSet;

use anser_pop3::Limits;
use anser_testkit::engines::each_engine;

use crate::site::{SCHEMAS, Site, mail};

/// Imported ids, two of them alike and one that no client could take, beside messages of our own.
const IMPORTED: [Option<&str>; 7] =
    [Some("0001abc"), None, Some("17"), Some("17"), Some("not valid"), None, Some("0001abc")];

fn ids(site: &Site) -> Vec<String> {
    let listed = site.login("ann").ask_lines("UIDL");
    listed.iter().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect()
}

#[test]
fn over_sessions_restarts_and_removals() {
    each_engine(SCHEMAS, |world| {
        let site = Site::start(world, Limits::default());
        site.populate();
        let new = (1..).zip(IMPORTED).map(|(n, uidl)| {
            let mut new = site.message("ann", mail(n).as_bytes());
            new.uidl = uidl.map(str::to_owned);
            new
        });
        site.append("ann", new.collect());
        let first = ids(&site);
        assert_eq!((first[0].as_str(), first[2].as_str()), ("0001abc", "17"));
        assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), 7);
        assert!(first.iter().all(|id| (1..=70).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic())));
        let mut client = site.login("ann");
        assert_eq!(client.ask("UIDL 4"), format!("+OK 4 {}", first[3]));
        // The first of each pair goes; its id must not pass to the other.
        client.ask("DELE 1");
        client.ask("DELE 3");
        assert_eq!(client.ask("QUIT"), "+OK bye");
        site.stop();

        let site = Site::start(world, Limits::default());
        assert_eq!(ids(&site), [1, 3, 4, 5, 6].map(|at: usize| first[at].clone()));
        site.deliver("ann", &[mail(8)]);
        let newest = ids(&site);
        assert!(!first.contains(&newest[5]));
        assert_eq!(newest[..5], [1, 3, 4, 5, 6].map(|at: usize| first[at].clone()));
        site.stop();
    });
}
