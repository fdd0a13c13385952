//! Case 20: two engines over the same tables work on different mailboxes, never on one.

use anser_migrate::Source;
use anser_testkit::engines::World;

use crate::fake::{Fake, Habits, folder, mail};
use crate::office::{MOVE, Office, SCHEMAS};

const MAILS: u64 = 40;
const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

#[test]
fn each_mailbox_is_worked_on_by_one() {
    // The folder of an embedded engine has one owner: two are there only with PostgreSQL.
    let Some(world) = World::postgres(SCHEMAS) else { return };
    let mails = (1..=MAILS as u32).map(|uid| mail(uid, "", &format!("message {uid}"))).collect();
    let fake = Fake::start(vec![folder("INBOX", mails)], Habits::default());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let (one, two) = (Office::open(world.open(), world.blobs()), Office::open(world.open(), world.blobs()));
        let names: Vec<[&str; 1]> = NAMES.iter().map(|name| [*name]).collect();
        let source = |name: &str| Source { name: name.into(), ..fake.source() };
        let sources: Vec<(Source, &[&str])> = names.iter().map(|name| (source(name[0]), &name[..])).collect();
        let accounts = one.plan(&sources).await;
        for account in &accounts {
            one.store.ensure(*account).await.unwrap();
        }
        one.migrate.start(MOVE, Vec::new()).await.unwrap();
        let running = [one.run(), two.run()];
        // Whichever of the two brings a message, its own watchers hear of it.
        for account in &accounts {
            let (mut first, mut second) = (one.store.watch(*account), two.store.watch(*account));
            while one.store.read(*account, |tx| Ok(tx.messages())).await.unwrap() < MAILS {
                tokio::select! {
                    _ = first.next() => {}
                    _ = second.next() => {}
                }
            }
        }
        for (shutdown, running) in running {
            shutdown.begin(std::time::Duration::from_secs(10));
            running.await.unwrap();
        }
        for account in &accounts {
            assert_eq!(one.store.read(*account, |tx| Ok(tx.messages())).await.unwrap(), MAILS);
        }
        let logins = fake.heard().iter().filter(|line| line.contains("LOGIN")).count();
        assert_eq!(logins, NAMES.len());
    });
}
