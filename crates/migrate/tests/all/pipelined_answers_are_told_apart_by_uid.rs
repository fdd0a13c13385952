//! Case 14: bodies of a later command come first, and flags, numbers and expunges between them.

use crate::fake::{Fake, Habits, folder, mail};
use crate::house::each_house;

#[test]
fn every_message_gets_its_own_bytes() {
    each_house(async |house| {
        let mails: Vec<_> = (1..=700).map(|uid| mail(uid, "", &format!("message {uid}"))).collect();
        let fake = Fake::start(vec![folder("INBOX", mails.clone())], Habits { mixes: true, ..Habits::default() });
        let outcome = house.pass(&fake).await.map_err(|trouble| trouble.words()).unwrap();
        assert_eq!((outcome.copied, outcome.failed), (700, 0));
        let held = house.held().await;
        for (one, sent) in held["INBOX"].iter().zip(&mails) {
            assert_eq!((one.0, &one.4), (sent.uid, &sent.body));
        }
        assert!(!fake.heard().iter().any(|line| line.contains("SELECT") || line.contains("STORE")));
    });
}
