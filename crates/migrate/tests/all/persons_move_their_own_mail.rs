//! "Move my mail" and "fetch my other account": a person's own moves come as an organisation's do, within bounds.

use std::sync::Arc;

use anser_base::{AccountId, Class};
use anser_directory::Account;
use anser_migrate::own::{Change, MOVES, RUNS};
use anser_migrate::{OwnMove, OwnState, Password, Source, Wish};
use anser_net::Network;
use anser_testkit::engines::World;

use crate::fake::{Fake, Habits, folder, mail};
use crate::office::{MOVE, Office, SCHEMAS};

fn each_office(allowed: &[Network], test: impl AsyncFn(&Office)) {
    for world in [Some(World::embedded(SCHEMAS)), World::postgres(SCHEMAS)].into_iter().flatten() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let office = Office::reaching(world.open(), world.blobs(), allowed.into());
        runtime.block_on(test(&office));
    }
}

fn old() -> Fake {
    let inbox = folder("INBOX", (1..=5).map(|uid| mail(uid, "", &format!("letter {uid}"))).collect());
    Fake::start(vec![inbox, folder("Work", vec![mail(1, "\\Seen", "work")])], Habits::default())
}

fn wish(of: &Source) -> Wish {
    Wish {
        email: "ann@old.test".into(),
        kind: of.kind,
        host: of.host.clone(),
        port: of.port,
        tls: of.tls,
        login: "ann".into(),
        password: Password(b"secret".to_vec()),
        every: None,
        target: None,
    }
}

async fn account(office: &Office, id: AccountId) -> Arc<Account> {
    office.directory.account(id).await.unwrap().unwrap()
}

/// Until the only move of an account rests.
async fn rests(office: &Office, ann: &Account) -> OwnMove {
    let mut changes = office.migrate.changes();
    loop {
        let one = office.migrate.own_moves(ann).await.unwrap().remove(0);
        if !matches!(one.state, OwnState::Checking | OwnState::Running) {
            return one;
        }
        changes.changed().await.unwrap();
    }
}

async fn messages(office: &Office, ann: AccountId) -> u64 {
    office.store.read(ann, |tx| Ok(tx.messages())).await.unwrap()
}

#[test]
fn what_came_once_comes_no_more_however_often_it_is_made() {
    each_office(&Network::loopback(), async |office| {
        let fake = old();
        let ann = account(office, office.person("ann", 0).await).await;
        let (_shutdown, running) = office.run();
        let begun = office.migrate.begin_own(&ann, wish(&fake.source())).await.unwrap();
        assert_eq!(begun.result, None);
        let one = rests(office, &ann).await;
        let result = one.result.clone().unwrap();
        assert_eq!((one.state, &one.problem, one.folders, one.messages), (OwnState::Done, &None, (2, 2), (6, 6)));
        assert_eq!((result.total, result.copied, result.failed, result.skipped), (6, 6, 0, 0));
        assert!(one.started.is_some() && one.ended >= one.started && one.bytes > 0);
        assert!(office.migrate.moves().await.unwrap().is_empty(), "it is no move of the organisation's");

        fake.change(|state| state.folders[0].mails.push(mail(9, "", "news")));
        fake.change(|state| state.folders[0].uidnext = 10);
        let again = Change { paused: Some(false), ..Change::default() };
        office.migrate.change_own(&ann, one.id, again).await.unwrap();
        assert_eq!(rests(office, &ann).await.result.unwrap().copied, 7);

        // What the other server no longer has stays here and is no question.
        fake.change(|state| state.folders[0].mails.clear());
        let again = Change { paused: Some(false), ..Change::default() };
        office.migrate.change_own(&ann, one.id, again).await.unwrap();
        assert_eq!(rests(office, &ann).await.state, OwnState::Done);
        assert_eq!(messages(office, ann.id).await, 7);

        office.migrate.forget_own(&ann, one.id).await.unwrap();
        assert!(office.migrate.own_moves(&ann).await.unwrap().is_empty());
        let begun = office.migrate.begin_own(&ann, Wish { every: Some(15), ..wish(&fake.source()) }).await.unwrap();
        assert_eq!(begun.id, one.id, "it is remembered");
        let one = rests(office, &ann).await;
        assert_eq!((one.state, one.every), (OwnState::Waiting, Some(15)), "and goes on by itself");
        assert_eq!(messages(office, ann.id).await, 7);

        let bob = account(office, office.person("bob", 0).await).await;
        let foreign = office.migrate.change_own(&bob, one.id, Change::default()).await.unwrap_err();
        assert_eq!(foreign.class, Class::NotFound);
        assert_eq!(office.migrate.forget_own(&bob, one.id).await.unwrap_err().class, Class::NotFound);
        assert!(fake.heard().iter().all(|line| !line.contains("STORE") && !line.contains("SELECT")));
        running.abort();
    });
}

#[test]
fn one_mailbox_takes_everything_when_it_is_named() {
    each_office(&Network::loopback(), async |office| {
        let fake = old();
        let ann = account(office, office.person("ann", 0).await).await;
        office.store.ensure(ann.id).await.unwrap();
        let made = |tx: &mut anser_store::MailTx<'_, '_>| tx.create_mailbox(None, "Fetched", None);
        let target = office.store.write(ann.id, anser_base::Durability::Sync, made).await.unwrap().id;
        let (_shutdown, running) = office.run();
        let wish = Wish { target: Some(target), ..wish(&fake.source()) };
        office.migrate.begin_own(&ann, wish).await.unwrap();
        assert_eq!(rests(office, &ann).await.state, OwnState::Done);
        let held = office.store.read(ann.id, move |tx| Ok(tx.mailbox(target)?.total)).await.unwrap();
        assert_eq!(held, 6);
        assert!(!office.store.read(ann.id, |tx| Ok(tx.mailbox_at(&["Work"])?.is_some())).await.unwrap());
        running.abort();
    });
}

#[test]
fn what_is_wrong_is_said_so_that_a_person_can_mend_it() {
    each_office(&Network::loopback(), async |office| {
        let fake = old();
        let ann = account(office, office.person("ann", 0).await).await;
        let (_shutdown, running) = office.run();
        let wrong = Wish { password: Password(b"other".to_vec()), ..wish(&fake.source()) };
        office.migrate.begin_own(&ann, wrong).await.unwrap();
        let one = rests(office, &ann).await;
        let problem = one.problem.unwrap();
        assert_eq!(one.state, OwnState::Refused);
        assert_eq!(one.ended, None, "nothing was gone over");
        assert!(problem.en.contains("authorization code") && problem.zh.contains("授权码"), "{problem:?}");
        let right = Change { password: Some(Password(b"secret".to_vec())), ..Change::default() };
        office.migrate.change_own(&ann, one.id, right).await.unwrap();
        let one = rests(office, &ann).await;
        assert_eq!((one.state, one.problem), (OwnState::Done, None));

        // A mailbox that is full says so, and what came stays.
        let bob = account(office, office.person("bob", 250).await).await;
        office.migrate.begin_own(&bob, wish(&fake.source())).await.unwrap();
        let one = rests(office, &bob).await;
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
    each_office(&[], async |office| {
        let fake = old();
        let ann = account(office, office.person("ann", 0).await).await;
        let (_shutdown, running) = office.run();
        for host in ["127.0.0.1", "localhost", "::ffff:127.0.0.1", "[::1]"] {
            let wish = Wish { host: host.into(), ..wish(&fake.source()) };
            let begun = office.migrate.begin_own(&ann, wish).await.unwrap();
            let one = rests(office, &ann).await;
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
    each_office(&Network::loopback(), async |office| {
        let fake = old();
        let ann = account(office, office.person("ann", 0).await).await;
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
