//! SRC-4, cases 24 and 25: the maildrop comes byte for byte, in its order, with its unique ids; nothing is ever deleted there; servers
//! that delete by themselves, or that have no lasting ids, lose and double nothing.

use anser_migrate::trouble::Trouble;

use crate::fake_pop3::{Fake, Habits};
use crate::house::{House, each_house};

fn mails() -> Vec<(String, Vec<u8>)> {
    let mut mails: Vec<(String, Vec<u8>)> = [
        &b"Subject: dots\r\n\r\n.\r\n..\r\n.x\r\n"[..],
        b"\r\nno header\r\n",
        b"Subject: \xb0\xa1\r\n\r\n\x00\x80\r\n",
        b"Subject: twin\r\n\r\nx\r\n",
        b"Subject: twin\r\n\r\nx\r\n",
        b"\r\n",
    ]
    .iter()
    .enumerate()
    .map(|(at, body)| (format!("id-{}", 9 - at), body.to_vec()))
    .collect();
    let large = format!("Date: Sat, 21 Nov 2020 08:00:00 +0800\r\n\r\n{}", ".large\r\n".repeat(200_000));
    mails.push(("large".into(), large.into_bytes()));
    mails
}

async fn pass(house: &House, fake: &Fake) -> Result<u64, Trouble> {
    house.pass_over(fake.open().await?, false, false).await.map(|outcome| outcome.copied)
}

async fn is_whole(house: &House, mails: &[(String, Vec<u8>)]) {
    let held = house.held().await;
    let bodies: Vec<&Vec<u8>> = held["INBOX"].iter().map(|one| &one.4).collect();
    let wanted: Vec<&Vec<u8>> = mails.iter().map(|mail| &mail.1).collect();
    assert!(bodies == wanted, "the same messages in the same order, {} of {}", bodies.len(), wanted.len());
}

#[test]
fn bytes_ids_and_order_are_kept_and_nothing_is_deleted() {
    for capabilities in [None, Some("TOP UIDL"), Some("PIPELINING UIDL")] {
        each_house(async |house| {
            let fake = Fake::start(mails(), Habits { capabilities, ..Habits::default() });
            for copied in [7, 0, 0] {
                assert_eq!(pass(house, &fake).await.map_err(|trouble| trouble.words()), Ok(copied));
                is_whole(house, &mails()).await;
            }
            assert_eq!(house.uidls("INBOX").await, ["id-9", "id-8", "id-7", "id-6", "id-5", "id-4", "large"]);
            let dates: Vec<i64> = house.held().await["INBOX"].iter().map(|one| one.3).collect();
            assert_eq!(dates[6], 1_605_916_800, "the date of the header, where the server keeps none");
            fake.state.lock().unwrap().mails.push(("new".into(), b"Subject: new\r\n\r\n".to_vec()));
            assert_eq!(pass(house, &fake).await.map_err(|trouble| trouble.words()), Ok(1));
            assert_eq!(fake.heard("DELE") + fake.heard("RSET"), 0);
            assert_eq!(fake.heard("RETR"), 8, "each is read once");
        });
    }
}

#[test]
fn without_ids_messages_are_known_by_their_bytes() {
    each_house(async |house| {
        let fake = Fake::start(mails(), Habits { has_no_ids: true, ..Habits::default() });
        for copied in [7, 0] {
            assert_eq!(pass(house, &fake).await.map_err(|trouble| trouble.words()), Ok(copied));
            is_whole(house, &mails()).await;
        }
        // What stands before others leaves: their numbers change, and they do not.
        fake.state.lock().unwrap().mails.remove(1);
        assert_eq!(pass(house, &fake).await.map_err(|trouble| trouble.words()), Ok(0));
        is_whole(house, &mails()).await;
    });
}

#[test]
fn ids_that_change_with_each_session_double_nothing() {
    each_house(async |house| {
        let fake = Fake::start(mails(), Habits { changes_ids: true, ..Habits::default() });
        for _ in 0..3 {
            pass(house, &fake).await.map_err(|trouble| trouble.words()).unwrap();
            is_whole(house, &mails()).await;
        }
    });
}

#[test]
fn a_server_that_removes_what_was_read_is_noticed_after_three() {
    each_house(async |house| {
        let fake = Fake::start(mails(), Habits { removes: true, ..Habits::default() });
        for _ in 0..2 {
            let asked = pass(house, &fake).await;
            assert!(matches!(asked, Err(Trouble::Question(_))), "{asked:?}");
            is_whole(house, &mails()[..3]).await;
            assert_eq!(fake.state.lock().unwrap().mails.len(), 4, "no more than three were touched");
        }
        let outcome = house.pass_over(fake.open().await.unwrap(), false, true).await;
        outcome.map_err(|trouble| trouble.words()).unwrap();
        is_whole(house, &mails()).await;
    });
}

#[test]
fn repeated_ids_refusals_and_cut_connections_lose_nothing() {
    each_house(async |house| {
        let mut all = mails();
        all[2].0 = "same".into();
        all[4].0 = "same".into();
        let habits =
            Habits { refuses: Some(2), cuts: vec![1, 0, 2], capabilities: Some("PIPELINING"), ..Habits::default() };
        let fake = Fake::start(all.clone(), habits);
        let mut ended = None;
        for _ in 0..8 {
            match house.pass_over(fake.open().await.unwrap(), false, false).await {
                Err(Trouble::Later { .. }) => {}
                other => {
                    ended = Some(other.map_err(|trouble| trouble.words()).unwrap());
                    break;
                }
            }
        }
        assert_eq!(ended.expect("a pass goes through").failed, 1);
        fake.state.lock().unwrap().habits.refuses = None;
        assert_eq!(pass(house, &fake).await.map_err(|trouble| trouble.words()), Ok(1));
        let mut bodies: Vec<Vec<u8>> = house.held().await["INBOX"].iter().map(|one| one.4.clone()).collect();
        let mut wanted: Vec<Vec<u8>> = all.into_iter().map(|mail| mail.1).collect();
        bodies.sort();
        wanted.sort();
        assert!(bodies == wanted);
    });
}

#[test]
fn a_maildrop_that_shifts_between_two_sessions_loses_and_doubles_nothing() {
    // The newest first: each that comes moves all others. One is listed as a whole, one part by part.
    for count in [7_u64, 5_200] {
        each_house(async |house| {
            let mails = (0..count).map(|n| (format!("id-{n}"), format!("Subject: {n}\r\n\r\n").into_bytes())).collect();
            let shifts = Some(("late".to_owned(), b"Subject: late\r\n\r\n".to_vec()));
            let fake =
                Fake::start(mails, Habits { shifts, capabilities: Some("PIPELINING UIDL"), ..Habits::default() });
            assert_eq!(pass(house, &fake).await.map_err(|trouble| trouble.words()), Ok(count + 2));
            assert_eq!(fake.state.lock().unwrap().sessions, 2);
            let bodies: Vec<Vec<u8>> = house.held().await["INBOX"].iter().map(|one| one.4.clone()).collect();
            let mut wanted = fake.state.lock().unwrap().mails.clone();
            for (id, body) in house.uidls("INBOX").await.into_iter().zip(bodies) {
                let at = wanted.iter().position(|mail| *mail == (id.clone(), body.clone()));
                wanted.swap_remove(at.unwrap_or_else(|| panic!("{id} is another message")));
            }
            assert!(wanted.is_empty(), "{wanted:?}");
            assert_eq!(pass(house, &fake).await.map_err(|trouble| trouble.words()), Ok(0));
        });
    }
}
