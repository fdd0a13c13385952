//! "Move my mail" and "fetch my other account": a person's own moves come as an organisation's do, within bounds.

use std::time::Duration;

use anser_base::{AccountId, Class, Clock, Durability, Timestamp};
use anser_migrate::own::{Change, Choice, MOVES, RUNS};
use anser_migrate::{OwnState, Passing, Password, Wish};
use anser_net::Network;
use anser_store::{LedgerKey, LedgerRow, LedgerState};
use serde_json::json;

use crate::fake::{Fake, Habits, folder, mail};
use crate::office::{MOVE, Office, each_office, wish};

fn old() -> Fake {
    let inbox = folder("INBOX", (1..=5).map(|uid| mail(uid, "", &format!("letter {uid}"))).collect());
    Fake::start(vec![inbox, folder("Work", vec![mail(1, "\\Seen", "work")])], Habits::default())
}

async fn messages(office: &Office, ann: AccountId) -> u64 {
    office.store.read(ann, |tx| Ok(tx.messages())).await.unwrap()
}

#[test]
fn what_came_once_comes_no_more_however_often_it_is_made() {
    each_office(&Network::loopback(), &Clock::System, async |office| {
        let fake = old();
        let ann = office.account(office.person("ann", 0).await).await;
        let (_shutdown, running) = office.run();
        let begun = office.migrate.begin_own(&ann, wish(&fake.source())).await.unwrap();
        assert_eq!(begun.result, None);
        let one = office.rests(&ann).await;
        let result = one.result.clone().unwrap();
        assert_eq!((one.state, &one.problem, one.folders, one.messages), (OwnState::Done, &None, (2, 2), (6, 6)));
        assert_eq!((result.total, result.copied, result.failed, result.skipped), (6, 6, 0, 0));
        assert!(one.started.is_some() && one.ended >= one.started && one.bytes > 0);
        assert!(office.migrate.moves().await.unwrap().is_empty(), "it is no move of the organisation's");

        fake.change(|state| state.folders[0].mails.push(mail(9, "", "news")));
        fake.change(|state| state.folders[0].uidnext = 10);
        let again = Change { paused: Some(false), ..Change::default() };
        office.migrate.change_own(&ann, one.id, again).await.unwrap();
        assert_eq!(office.rests(&ann).await.result.unwrap().copied, 7);

        // What the other server no longer has stays here and is no question.
        fake.change(|state| state.folders[0].mails.clear());
        let again = Change { paused: Some(false), ..Change::default() };
        office.migrate.change_own(&ann, one.id, again).await.unwrap();
        assert_eq!(office.rests(&ann).await.state, OwnState::Done);
        assert_eq!(messages(office, ann.id).await, 7);

        office.migrate.forget_own(&ann, one.id).await.unwrap();
        assert!(office.migrate.own_moves(&ann).await.unwrap().is_empty());
        let begun = office.migrate.begin_own(&ann, Wish { every: Some(15), ..wish(&fake.source()) }).await.unwrap();
        assert_eq!(begun.id, one.id, "it is remembered");
        let one = office.rests(&ann).await;
        assert_eq!((one.state, one.every), (OwnState::Waiting, Some(15)), "and goes on by itself");
        assert_eq!(messages(office, ann.id).await, 7);

        let bob = office.account(office.person("bob", 0).await).await;
        let foreign = office.migrate.change_own(&bob, one.id, Change::default()).await.unwrap_err();
        assert_eq!(foreign.class, Class::NotFound);
        assert_eq!(office.migrate.forget_own(&bob, one.id).await.unwrap_err().class, Class::NotFound);
        assert!(fake.heard().iter().all(|line| !line.contains("STORE") && !line.contains("SELECT")));
        running.abort();
    });
}

#[test]
fn one_mailbox_takes_everything_when_it_is_named() {
    each_office(&Network::loopback(), &Clock::System, async |office| {
        let fake = old();
        let ann = office.account(office.person("ann", 0).await).await;
        office.store.ensure(ann.id).await.unwrap();
        let made = |tx: &mut anser_store::MailTx<'_, '_>| tx.create_mailbox(None, "Fetched", None);
        let target = office.store.write(ann.id, Durability::Sync, made).await.unwrap().id;
        let (_shutdown, running) = office.run();
        let wish = Wish { target: Some(target), ..wish(&fake.source()) };
        office.migrate.begin_own(&ann, wish).await.unwrap();
        assert_eq!(office.rests(&ann).await.state, OwnState::Done);
        let held = office.store.read(ann.id, move |tx| Ok(tx.mailbox(target)?.total)).await.unwrap();
        assert_eq!(held, 6);
        assert!(!office.store.read(ann.id, |tx| Ok(tx.mailbox_at(&["Work"])?.is_some())).await.unwrap());
        running.abort();
    });
}

#[test]
fn what_is_wrong_is_said_so_that_a_person_can_mend_it() {
    each_office(&Network::loopback(), &Clock::System, async |office| {
        let fake = old();
        let ann = office.account(office.person("ann", 0).await).await;
        let (_shutdown, running) = office.run();
        let wrong = Wish { password: Some(Password(b"other".to_vec())), ..wish(&fake.source()) };
        office.migrate.begin_own(&ann, wrong).await.unwrap();
        let one = office.rests(&ann).await;
        let problem = one.problem.unwrap();
        assert_eq!(one.state, OwnState::Refused);
        assert_eq!(one.ended, None, "nothing was gone over");
        assert!(problem.en.contains("authorization code") && problem.zh.contains("授权码"), "{problem:?}");
        let right = Change { password: Some(Password(b"secret".to_vec())), ..Change::default() };
        office.migrate.change_own(&ann, one.id, right).await.unwrap();
        let one = office.rests(&ann).await;
        assert_eq!((one.state, one.problem), (OwnState::Done, None));

        // A mailbox that is full says so, and what came stays.
        let bob = office.account(office.person("bob", 250).await).await;
        office.migrate.begin_own(&bob, wish(&fake.source())).await.unwrap();
        let one = office.rests(&bob).await;
        assert_eq!(one.state, OwnState::Waiting);
        assert!(one.problem.unwrap().zh.contains("已满"));
        assert!(messages(office, bob.id).await < 6);

        // An organisation brings everything and is told of it.
        office.plan_for(&fake.source(), "bob").await;
        office.migrate.start(MOVE, Vec::new()).await.unwrap();
        let mut changes = office.migrate.changes();
        let view = loop {
            let view = office.migrate.mailbox_views(MOVE, Vec::new()).await.unwrap().remove(0);
            if view.state == "settled" {
                break view;
            }
            changes.changed().await.unwrap();
        };
        assert!(view.note.unwrap().contains("above its quota"));
        running.abort();
    });
}

#[test]
fn nobody_reaches_what_only_this_server_can_reach() {
    each_office(&[], &Clock::System, async |office| {
        let fake = old();
        let ann = office.account(office.person("ann", 0).await).await;
        let (_shutdown, running) = office.run();
        for host in ["127.0.0.1", "localhost", "::ffff:127.0.0.1", "[::1]"] {
            let wish = Wish { host: host.into(), ..wish(&fake.source()) };
            let begun = office.migrate.begin_own(&ann, wish).await.unwrap();
            let one = office.rests(&ann).await;
            assert_eq!(one.state, OwnState::Refused, "{host}");
            assert!(one.problem.unwrap().en.contains("may not connect"), "{host}");
            office.migrate.forget_own(&ann, begun.id).await.unwrap();
        }
        assert!(fake.heard().is_empty());
        running.abort();
    });
}

#[test]
fn nobody_has_too_many_or_begins_too_often() {
    each_office(&Network::loopback(), &Clock::System, async |office| {
        let fake = old();
        let ann = office.account(office.person("ann", 0).await).await;
        let named = |n: usize| Wish { login: format!("ann{n}"), ..wish(&fake.source()) };
        let mut begun = Vec::new();
        for n in 0..MOVES {
            begun.push(office.migrate.begin_own(&ann, named(n)).await.unwrap().id);
        }
        assert_eq!(office.migrate.begin_own(&ann, named(MOVES)).await.unwrap_err().class, Class::Limit);
        // One mailbox is not moved by two, each of which would bring everything.
        assert_eq!(office.migrate.begin_own(&ann, named(0)).await.unwrap_err().class, Class::Invalid);
        let again = || Change { paused: Some(false), ..Change::default() };
        for id in &begun[..RUNS as usize - MOVES] {
            office.migrate.change_own(&ann, *id, again()).await.unwrap();
        }
        assert_eq!(office.migrate.change_own(&ann, begun[0], again()).await.unwrap_err().class, Class::Limit);
        // Pausing is no beginning.
        let paused = Change { paused: Some(true), ..Change::default() };
        assert_eq!(office.migrate.change_own(&ann, begun[0], paused).await.unwrap().state, OwnState::Paused);
        let bad = Wish { every: Some(1), ..named(0) };
        assert_eq!(office.migrate.begin_own(&ann, bad).await.unwrap_err().class, Class::Invalid);
    });
}

#[test]
fn of_many_that_were_taken_away_the_oldest_is_forgotten() {
    let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
    each_office(&Network::loopback(), &clock, async |office| {
        let fake = old();
        let ann = office.account(office.person("ann", 0).await).await;
        let mut begun = Vec::new();
        for n in 0..120 {
            // No more are begun in an hour than may.
            clock.advance(Duration::from_secs(3_600));
            let named = Wish { login: format!("ann{n}"), ..wish(&fake.source()) };
            let id = office.migrate.begin_own(&ann, named).await.unwrap().id;
            assert!(!begun.contains(&id), "no number is given twice");
            office.migrate.forget_own(&ann, id).await.unwrap();
            begun.push(id);
        }
        clock.advance(Duration::from_secs(3_600));
        let again = async |n: usize| {
            let named = Wish { login: format!("ann{n}"), ..wish(&fake.source()) };
            office.migrate.begin_own(&ann, named).await.unwrap().id
        };
        assert_eq!(again(119).await, begun[119], "a later one is remembered");
        assert!(!begun.contains(&again(0).await));
    });
}

#[test]
fn a_result_is_counted_when_a_pass_ended_and_not_at_every_look() {
    each_office(&Network::loopback(), &Clock::System, async |office| {
        let fake = old();
        let ann = office.account(office.person("ann", 0).await).await;
        let (_shutdown, running) = office.run();
        office.migrate.begin_own(&ann, wish(&fake.source())).await.unwrap();
        let one = office.rests(&ann).await;
        assert_eq!(one.result.as_ref().unwrap().copied, 6);
        // A row that no pass has written shows who counts.
        let work = |tx: &mut anser_store::MailTx<'_, '_>| {
            tx.put_ledger_row(LedgerKey { source: 1, folder: 1 }, &LedgerRow::new(vec![9; 9], LedgerState::Gone))
        };
        office.store.write(ann.id, Durability::Sync, work).await.unwrap();
        assert_eq!(office.rests(&ann).await.result, one.result);
        let again = Change { paused: Some(false), ..Change::default() };
        office.migrate.change_own(&ann, one.id, again).await.unwrap();
        let one = office.rests(&ann).await;
        assert_eq!(one.result.as_ref().unwrap().copied, 7);
        // So it is with what is left out.
        let left = Choice::read(&json!({ "Work": { "skip": true } })).unwrap();
        let left = Change { choice: Some(left), paused: Some(false), ..Change::default() };
        office.migrate.change_own(&ann, one.id, left).await.unwrap();
        let one = office.rests(&ann).await;
        assert_eq!(one.result.as_ref().unwrap().left_out, 0, "it came before");
        let forget = |tx: &mut anser_store::MailTx<'_, '_>| {
            let all = tx.ledger_folders(1)?;
            let work = all.iter().find(|folder| folder.name == b"Work").unwrap();
            let row = tx.ledger_rows(work.key, &[], &[255; 64], 1)?.remove(0);
            tx.forget_ledger_row(work.key, &row.key).map(drop)
        };
        office.store.write(ann.id, Durability::Sync, forget).await.unwrap();
        assert_eq!(office.rests(&ann).await.result, one.result);
        running.abort();
    });
}

#[test]
fn nothing_is_left_of_an_account_that_is_forgotten() {
    each_office(&Network::loopback(), &Clock::System, async |office| {
        let fake = old();
        let ann = office.account(office.person("ann", 0).await).await;
        let bob = office.account(office.person("bob", 0).await).await;
        let first = office.migrate.begin_own(&ann, wish(&fake.source())).await.unwrap();
        office.plan_for(&fake.source(), "ann").await;
        let kept = office.migrate.begin_own(&bob, wish(&fake.source())).await.unwrap();
        let relay = Some("old.test:25".to_owned());
        office.migrate.pass_through(MOVE, Some(Passing::UntilCutover), relay).await.unwrap();
        assert_eq!(
            office.directory.routes(None).await.unwrap().len(),
            2,
            "of the address, and of what nobody here has"
        );
        office.migrate.forget_account(ann.id).await.unwrap();
        assert!(office.directory.routes(None).await.unwrap().is_empty(), "nobody is left in the move");
        let count = async |sql: &'static str| {
            let find = move |tx: &mut anser_db::Tx<'_>| tx.query_one(sql, &[], |row| row.int(0));
            office.db.read(anser_db::Place::Moves, find).await.unwrap().unwrap()
        };
        assert_eq!(count("SELECT count(*) FROM mov_accounts WHERE secret IS NOT NULL").await, 1, "Bob's");
        assert_eq!(count("SELECT count(*) FROM mov_own").await, 1);
        assert_eq!(office.migrate.own_moves(&bob).await.unwrap()[0].id, kept.id);
        let view = office.migrate.mailbox_views(MOVE, Vec::new()).await.unwrap().remove(0);
        assert_eq!(view.state, "abandoned", "the organisation's list says what became of it");
        office.migrate.forget_account(bob.id).await.unwrap();
        let next = office.migrate.begin_own(&bob, wish(&fake.source())).await.unwrap();
        assert!(next.id > kept.id && kept.id > first.id, "no number is given twice");
    });
}
