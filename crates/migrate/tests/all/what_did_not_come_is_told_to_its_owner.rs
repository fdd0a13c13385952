//! Of messages that do not come in a person's own move their owner is told which they are, and gets their octets where they can be had.

use anser_base::{Class, Clock, Timestamp};
use anser_directory::Account;
use anser_migrate::own::{Change, LOOKS};
use anser_net::Network;
use futures_util::StreamExt;

use crate::fake::{Fake, Habits, folder, mail};
use crate::office::{Office, each_office, wish};

/// All octets that are handed out.
async fn octets(office: &Office, ann: &Account, id: u64, message: &str) -> anser_base::Result<Vec<u8>> {
    let mut pieces = office.migrate.own_missing_octets(ann, id, message).await?;
    let mut all = Vec::new();
    while let Some(piece) = pieces.next().await {
        all.extend_from_slice(&piece?);
    }
    Ok(all)
}

fn old() -> Fake {
    let mut large = mail(2, "", "=?UTF-8?B?5Y+R56Wo?=");
    large.body.extend((0..2_000_000_u32).map(|at| (at % 251) as u8));
    let inbox = folder("INBOX", vec![mail(1, "", "comes"), large, mail(3, "", "comes too")]);
    let habits = Habits { refuses: Some(2), refuses_any_way: true, ..Habits::default() };
    Fake::start(vec![folder("Work", vec![mail(9, "", "other")]), inbox], habits)
}

#[test]
fn subjects_are_asked_for_and_octets_come_once_the_old_server_has_them() {
    let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
    each_office(&Network::loopback(), &clock, async |office| {
        let fake = old();
        let ann = office.account(office.person("ann", 0).await).await;
        let (_shutdown, running) = office.run();
        let id = office.migrate.begin_own(&ann, wish(&fake.source())).await.unwrap().id;
        assert_eq!(office.rests(&ann).await.result.unwrap().failed, 1);

        let missing = office.migrate.own_missing(&ann, id, 0).await.unwrap();
        assert_eq!((missing.total, missing.list.len(), &missing.problem), (1, 1, &None));
        let one = &missing.list[0];
        assert_eq!((one.subject.as_deref(), one.from.as_deref()), (Some("发票"), Some("ann@old.test")));
        assert_eq!((&*one.folder, one.tries, one.again), ("INBOX", 1, true));
        assert_eq!(one.date, Some(Timestamp::from_secs(1_605_916_800)));
        assert!(one.size > 2_000_000 && one.why.zh.contains("could not be read"), "{one:?}");
        assert!(office.migrate.own_missing(&ann, id, 1).await.unwrap().list.is_empty());

        let refused = octets(office, &ann, id, &one.id).await.unwrap_err();
        assert!(refused.class == Class::Unavailable && refused.text.en.contains("could not be read"), "{refused:?}");
        fake.change(|state| state.habits.refuses = None);
        let held = fake.state.lock().unwrap().folders[1].mails[1].body.clone();
        let before = office.store.read(ann.id, |tx| Ok((tx.messages(), tx.used()))).await.unwrap();
        assert!(octets(office, &ann, id, &one.id).await.unwrap() == held, "byte for byte");
        assert_eq!(office.store.read(ann.id, |tx| Ok((tx.messages(), tx.used()))).await.unwrap(), before);

        // What came, what nobody knows, and what is another's is not handed out.
        let bob = office.account(office.person("bob", 0).await).await;
        for (whose, message) in
            [(&ann, "1-00000001"), (&ann, "1-zz"), (&ann, "7-00000002"), (&ann, ""), (&bob, &one.id)]
        {
            assert_eq!(octets(office, whose, id, message).await.unwrap_err().class, Class::NotFound, "{message}");
        }
        // Another message in a folder that was numbered anew is none of these.
        fake.change(|state| state.folders[1].uidvalidity += 1);
        assert!(octets(office, &ann, id, &one.id).await.unwrap_err().text.en.contains("no longer there"));
        let told = office.migrate.own_missing(&ann, id, 0).await.unwrap();
        assert_eq!((told.list[0].subject.as_deref(), told.problem), (None, None));
        fake.change(|state| state.folders[1].uidvalidity -= 1);

        let again = Change { paused: Some(false), ..Change::default() };
        office.migrate.change_own(&ann, id, again).await.unwrap();
        assert_eq!(office.rests(&ann).await.result.unwrap().failed, 0);
        assert_eq!(office.migrate.own_missing(&ann, id, 0).await.unwrap().total, 0);
        running.abort();
    });
}

#[test]
fn what_is_known_is_told_where_the_old_server_cannot_be_asked_and_looks_are_counted() {
    let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
    each_office(&Network::loopback(), &clock, async |office| {
        let fake = old();
        let ann = office.account(office.person("ann", 0).await).await;
        let (_shutdown, running) = office.run();
        let id = office.migrate.begin_own(&ann, wish(&fake.source())).await.unwrap().id;
        office.rests(&ann).await;
        fake.change(|state| state.habits.busy = Some(("EXAMINE", "[UNAVAILABLE] come later")));
        let told = office.migrate.own_missing(&ann, id, 0).await.unwrap();
        assert_eq!((told.total, told.list[0].subject.as_deref()), (1, None));
        assert!(told.problem.unwrap().zh.contains("come later"));
        fake.change(|state| state.habits.busy = None);
        for _ in 1..LOOKS {
            assert_eq!(office.migrate.own_missing(&ann, id, 0).await.unwrap().problem, None);
        }
        let logins = fake.logins();
        let told = office.migrate.own_missing(&ann, id, 0).await.unwrap();
        assert!(told.list.len() == 1 && told.problem.unwrap().en.contains("too many looks"));
        assert_eq!(octets(office, &ann, id, &told.list[0].id).await.unwrap_err().class, Class::Limit);
        assert_eq!(fake.logins(), logins, "nobody was asked");
        clock.advance(std::time::Duration::from_secs(3_600));
        assert_eq!(office.migrate.own_missing(&ann, id, 0).await.unwrap().problem, None);
        running.abort();
    });
}
