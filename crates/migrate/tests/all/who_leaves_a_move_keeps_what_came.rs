//! A mailbox that is taken out of a move in the middle of its first fill is open again, with what came; taken up again it gets the rest.

use anser_base::{AccountId, Class, MailboxId};
use anser_migrate::Said;
use anser_store::Role;
use anser_testkit::engines::World;

use crate::fake::{Fake, Habits, folder, mail};
use crate::office::{MOVE, Office, SCHEMAS};

const ALL: u32 = 400;

async fn inbox(office: &Office, ann: AccountId) -> MailboxId {
    let find = |tx: &mut anser_store::MailTx<'_, '_>| Ok(tx.mailbox_with_role(Role::Inbox)?.unwrap().id);
    office.store.read(ann, find).await.unwrap()
}

async fn state(office: &Office) -> String {
    office.migrate.mailbox_views(MOVE, Vec::new()).await.unwrap()[0].state.clone()
}

#[test]
fn a_move_that_was_ended_and_goes_on_is_not_ended() {
    for world in [Some(World::embedded(SCHEMAS)), World::postgres(SCHEMAS)].into_iter().flatten() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let office = Office::open(world.open(), world.blobs());
            let fake = Fake::start(vec![folder("INBOX", Vec::new())], Habits::default());
            office.plan(&[(fake.source(), &["ann"])]).await;
            let closed = async || office.migrate.look_at_gates(MOVE, &[], Said::default()).await.unwrap().closed;
            office.close(MOVE).await;
            assert!(closed().await);
            assert_eq!(office.migrate.start(MOVE, Vec::new()).await.unwrap_err().class, Class::Conflict);
            office.migrate.resume(MOVE, false, Vec::new()).await.unwrap();
            assert!(!closed().await);
        });
    }
}

#[test]
fn a_mailbox_that_is_abandoned_is_open() {
    for world in [Some(World::embedded(SCHEMAS)), World::postgres(SCHEMAS)].into_iter().flatten() {
        let mails = (1..=ALL).map(|uid| mail(uid, "", &format!("message {uid}"))).collect();
        let fake = Fake::start(vec![folder("INBOX", mails)], Habits::default());
        fake.change(|state| state.habits.cuts = vec![45_000]);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let office = Office::open(world.open(), world.blobs());
            let ann = office.plan(&[(fake.source(), &["ann"])]).await[0];
            let which = vec!["ann@anser.test".to_owned()];
            office.migrate.start(MOVE, which.clone()).await.unwrap();
            let (_shutdown, running) = office.run();
            // The first pass breaks in the middle.
            office.migrate.wait(MOVE).await.unwrap();
            let id = inbox(&office, ann).await;
            let came = office.store.snapshot(ann, id).await.unwrap();
            assert!(came.is_filling, "it is closed to those who count by UIDs");
            assert_eq!(office.migrate.abandon(MOVE, which.clone()).await.unwrap(), 1);
            let left = office.store.snapshot(ann, id).await.unwrap();
            assert!(!left.is_filling && left.len() >= came.len());
            assert_eq!(state(&office).await, "abandoned");
            assert_eq!(office.migrate.start(MOVE, Vec::new()).await.unwrap(), 0, "nobody starts it by the way");

            office.migrate.check(MOVE, which.clone()).await.unwrap();
            office.migrate.wait(MOVE).await.unwrap();
            office.migrate.start(MOVE, which).await.unwrap();
            office.migrate.wait(MOVE).await.unwrap();
            let all = office.store.read(ann, |tx| Ok(tx.messages())).await.unwrap();
            assert_eq!((all, state(&office).await.as_str()), (u64::from(ALL), "settled"));
            running.abort();
        });
    }
}
