//! Case 50: lines without end, literals of 4 GB, names that climb.

use anser_migrate::trouble::Trouble;

use crate::fake::{Fake, Habits, folder, mail};
use crate::house::each_house;

#[test]
fn endless_answers_end_the_connection() {
    each_house(async |house| {
        for flood in [
            &b"* LIST () \"/\" aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"[..],
            b"* LIST () \"/\" {4294967296}\r\n",
            b"* LIST () \"/\" {9}\r\nsomething ",
        ] {
            let fake = Fake::start(Vec::new(), Habits { floods: Some(flood), ..Habits::default() });
            assert!(matches!(house.pass(&fake).await, Err(Trouble::Later { .. })));
        }
    });
}

#[test]
fn a_body_that_is_announced_as_4_gb_and_ends_early_is_thrown_away() {
    each_house(async |house| {
        let habits = Habits { announces: Some(4_000_000_000), cuts: vec![4_000], ..Habits::default() };
        let mails = vec![mail(1, "", &"x".repeat(9_000))];
        let fake = Fake::start(vec![folder("INBOX", mails), folder("../../up", Vec::new())], habits);
        assert!(matches!(house.pass(&fake).await, Err(Trouble::Later { .. })));
        assert!(house.held().await.is_empty());
    });
}
