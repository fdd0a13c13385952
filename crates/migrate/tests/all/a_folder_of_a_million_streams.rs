//! Case 47: a folder of a million messages is listed a window at a time, however its UIDs lie; bodies are asked for before the next window is.

use std::sync::atomic::Ordering;

use anser_migrate::pass::Pass;
use anser_migrate::source::{CROWD, Listed, Window};

use crate::endless::{Endless, SHORT, open};
use crate::house::{Quiet, each_house};

#[test]
fn bodies_are_asked_for_before_the_next_window_is_listed() {
    each_house(async |house| {
        let (server, source) = Endless::start(1_000_000, 1, SHORT);
        let mut origin = open(&source).await;
        let watch = Quiet::default();
        let done = Pass { limit: Some(300), ..house.to_pass("generic", &watch) }.run(&mut origin).await;
        assert_eq!(done.map_err(|trouble| trouble.words()).unwrap().copied, 300);
        assert!(server.most.load(Ordering::Relaxed) <= 5_000);
        let lists = server.heard.lock().unwrap().iter().filter(|line| line.contains("FLAGS")).count();
        assert_eq!(lists, 1);
        let standing = origin.examine(b"INBOX").await.unwrap();
        let windows: Vec<Window> = origin.windows(&standing).collect();
        assert_eq!(windows.len(), 200);
        for window in [windows[0], windows[100], windows[199]] {
            let Listed::All(seen) = origin.list(window).await.unwrap() else { panic!("{window:?} is parted") };
            assert_eq!(seen.len(), 5_000);
        }
    });
}

#[test]
fn uids_that_lie_close_together_far_up_are_listed_in_parts() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (messages, first) = (60_000, 4_000_000_000);
        let (_, source) = Endless::start(messages, first, SHORT);
        let mut origin = open(&source).await;
        let standing = origin.examine(b"INBOX").await.unwrap();
        let mut windows: Vec<Window> = origin.windows(&standing).collect();
        let mut uids = Vec::new();
        while let Some(window) = windows.pop() {
            match origin.list(window).await.unwrap() {
                Listed::All(seen) => {
                    assert!(seen.len() <= CROWD);
                    uids.extend(seen.iter().map(|one| one.uid));
                }
                Listed::Parts(parts) => windows.extend(parts),
            }
        }
        uids.sort_unstable();
        assert_eq!(uids, (first..first + messages).collect::<Vec<_>>());
    });
}
