//! An organisation's move brings UIDs, for which nobody may have used a mailbox before: a person's own move into the same account waits until
//! it is finished, says so, and goes on by itself.

use anser_base::Clock;
use anser_migrate::OwnState;
use anser_net::Network;

use crate::fake::{Fake, Habits, folder, mail};
use crate::house::held;
use crate::office::{MOVE, each_office, wish};

#[test]
fn uids_of_the_organisation_come_first() {
    each_office(&Network::loopback(), &Clock::System, async |office| {
        let mails =
            |from: u32, what: &str| (from..from + 5).map(|uid| mail(uid, "", &format!("{what} {uid}"))).collect();
        let theirs = Fake::start(vec![folder("INBOX", mails(11, "house"))], Habits::default());
        let other = Fake::start(vec![folder("INBOX", mails(1, "own"))], Habits::default());
        let ann = office.account(office.person("ann", 0).await).await;
        office.plan_for(&theirs.source(), "ann").await;
        let (_shutdown, running) = office.run();
        let begun = office.migrate.begin_own(&ann, wish(&other.source())).await.unwrap();
        let one = office.rests(&ann).await;
        assert_eq!(one.state, OwnState::Waiting);
        let words = one.problem.unwrap();
        assert!(
            words.en.contains("organisation moves your mailbox here first") && words.zh.contains("先行"),
            "{words:?}"
        );
        assert!(other.heard().is_empty(), "nobody logs in there before");

        office.migrate.start(MOVE, Vec::new()).await.unwrap();
        let mut changes = office.migrate.changes();
        while office.migrate.own_moves(&ann).await.unwrap()[0].state != OwnState::Done {
            changes.changed().await.unwrap();
        }
        let all = held(&office.store, ann.id, ann.tenant).await.remove("INBOX").unwrap();
        let uids = |what: &str| -> Vec<u32> {
            let of = |body: &[u8]| String::from_utf8_lossy(body).contains(&format!("Subject: {what}"));
            all.iter().filter(|one| of(&one.4)).map(|one| one.0).collect()
        };
        assert_eq!(uids("house"), [11, 12, 13, 14, 15]);
        assert_eq!(uids("own"), [16, 17, 18, 19, 20]);

        // Once that is finished, what is new at either comes.
        other.change(|state| {
            state.folders[0].mails.push(mail(9, "", "own news"));
            state.folders[0].uidnext = 10;
        });
        let again = anser_migrate::own::Change { paused: Some(false), ..Default::default() };
        office.migrate.change_own(&ann, begun.id, again).await.unwrap();
        assert_eq!(office.rests(&ann).await.result.unwrap().copied, 6);
        running.abort();
    });
}
