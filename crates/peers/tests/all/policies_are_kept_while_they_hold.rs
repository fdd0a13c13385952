use std::time::Duration;

use anser_peers::policies::Kept;

use crate::{START, on_each_engine};

#[test]
fn a_policy_is_there_until_it_ends_and_a_newer_one_takes_its_place() {
    on_each_engine(|peers, clock| async move {
        let kept = |id: &str, hours: u64| Kept {
            domain: "a.test".into(),
            id: id.into(),
            policy: format!("version: STSv1\nid {id}\n"),
            until: START.after(Duration::from_secs(hours * 3600)),
        };
        assert_eq!(peers.kept_policy("a.test").await.unwrap(), None);
        peers.keep_policy(kept("1", 2)).await.unwrap();
        assert_eq!(peers.kept_policy("a.test").await.unwrap(), Some(kept("1", 2)));
        peers.keep_policy(kept("2", 3)).await.unwrap();
        assert_eq!(peers.kept_policy("a.test").await.unwrap(), Some(kept("2", 3)));
        assert_eq!(peers.kept_policy("b.test").await.unwrap(), None);
        let before = |hours: u64| peers.ending_policies(START.after(Duration::from_secs(hours * 3600)));
        assert_eq!((before(3).await.unwrap().len(), before(4).await.unwrap()), (0, vec!["a.test".to_owned()]));
        clock.advance(Duration::from_secs(3 * 3600));
        assert_eq!(peers.kept_policy("a.test").await.unwrap(), None);
        assert!(before(4).await.unwrap().is_empty(), "it has ended");
    });
}
