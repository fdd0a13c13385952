//! PASS-4: passwords that are learnt again behind an old server which does not answer delay no login, and take nobody's turn who logs in for the
//! first time.

use std::sync::atomic::Ordering;

use anser_directory::Via;

use super::passwords_are_learnt_at_the_front_door::{NASTY, door, listed, old_server};
use crate::site::{HOME, PASSWORD, each_site};

/// More than are learnt again at once.
const MANY: usize = 257;

#[test]
fn a_slow_old_server_keeps_no_first_login_waiting() {
    each_site(|site| async move {
        let mut old = old_server(&site, None).await;
        site.directory.open_front_door(door(&site)).await.unwrap();
        listed(&site, "carl@anser.test").await;
        for at in 0..MANY {
            site.add(&format!("slow{at}@anser.test")).await;
        }
        old.lacks.store(true, Ordering::SeqCst);
        for at in 0..MANY {
            let login = site.login(&format!("slow{at}"), PASSWORD, HOME).await.unwrap();
            assert_eq!(login.via, Via::Password, "it is right here, whatever the old server says");
        }
        for _ in 1..MANY {
            assert!(old.questions.recv().await.unwrap().starts_with("slow"));
        }
        site.login("slow0", PASSWORD, HOME).await.expect("while it is asked about");
        site.login("carl", NASTY.as_bytes(), HOME).await.expect("for the first time");
        let lesson = old.lessons.recv().await.unwrap();
        assert_eq!((lesson.login.as_str(), old.questions.recv().await.unwrap().as_str()), ("carl", "carl"));
    });
}
