//! One old server that never answers, with more mailboxes than connections, keeps nobody from the others.

use std::net::TcpListener;

use anser_migrate::Source;
use anser_testkit::engines::World;

use crate::fake::{Fake, Habits, folder, mail};
use crate::office::{MOVE, Office, SCHEMAS};

#[test]
fn a_silent_server_keeps_no_other_from_moving() {
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let fake = Fake::start(vec![folder("INBOX", vec![mail(1, "", "one")])], Habits::default());
    let first = Source { name: "silent".into(), port: silent.local_addr().unwrap().port(), ..fake.source() };
    let second = Source { name: "well".into(), ..fake.source() };
    for world in [Some(World::embedded(SCHEMAS)), World::postgres(SCHEMAS)].into_iter().flatten() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let office = Office::open(world.open(), world.blobs());
            let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
            let made = office.plan(&[(first.clone(), &names), (second.clone(), &["ann"])]).await;
            let ann = made[names.len()];
            office.store.ensure(ann).await.unwrap();
            let mut watch = office.store.watch(ann);
            office.migrate.start(MOVE, Vec::new()).await.unwrap();
            let (_shutdown, running) = office.run();
            while office.store.read(ann, |tx| Ok(tx.messages())).await.unwrap() == 0 {
                watch.next().await;
            }
            // The others are worked on no more than the server has connections for.
            let views = office.migrate.mailbox_views(MOVE, Vec::new()).await.unwrap();
            assert!(views.iter().filter(|view| view.state == "copying").count() <= 4);
            running.abort();
        });
    }
}
