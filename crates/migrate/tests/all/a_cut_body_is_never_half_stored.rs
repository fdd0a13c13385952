//! Case 13: the connection ends after any number of bytes, in a body or anywhere else.

use crate::fake::{Fake, Habits, folder, mail};
use crate::house::each_house;

#[test]
fn what_is_here_is_whole_and_there_once_whenever_the_connection_ends() {
    each_house(async |house| {
        let mut mails: Vec<_> = (1..=20).map(|uid| mail(uid, "\\Seen", &format!("message {uid}"))).collect();
        mails[9].body.extend(vec![b'x'; 1_500_000]);
        // Each connection gets further than the one before; the last is not cut.
        let mut cuts: Vec<usize> = (1..60).map(|n| n * 61).collect();
        cuts.extend([900_000, 1_400_000, 1_501_000]);
        cuts.reverse();
        let most = cuts.len() + 1;
        let fake = Fake::start(vec![folder("INBOX", mails.clone())], Habits { cuts, ..Habits::default() });
        house.settle(&fake, most).await;
        let held = house.held().await;
        let found: Vec<_> = held["INBOX"].iter().map(|one| (one.0, one.4.clone())).collect();
        let sent: Vec<_> = mails.iter().map(|mail| (mail.uid, mail.body.clone())).collect();
        assert!(found == sent, "{} messages", found.len());
    });
}
