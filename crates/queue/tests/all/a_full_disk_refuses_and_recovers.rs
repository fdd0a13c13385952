use std::sync::Arc;

use anser_base::Class;
use anser_db::{Embedded, Engine};
use anser_queue::Outcome;
use anser_testkit::sim::SimDisk;

use crate::fixture::{Data, START, body, envelope, put, runtime, settle, text_of};

#[test]
fn nothing_is_accepted_without_room_and_nothing_accepted_is_lost() {
    runtime().block_on(async {
        let disk = SimDisk::new(1);
        let mut engine = Embedded::new("/data", Arc::new(disk.clone()));
        engine.vfs = Some(disk.vfs_name().to_owned());
        let queue = Data::new(Engine::Embedded(engine)).queue().await;
        let before = put(&queue, "before").await;
        disk.set_full(true);
        for _ in 0..3 {
            let refused = queue.put(envelope(&["ann@anser.test"]), body("too much")).await;
            assert_eq!(refused.unwrap_err().class, Class::Full);
        }
        disk.set_full(false);
        let after = put(&queue, "after").await;
        for (id, text) in [(before, "before"), (after, "after")] {
            let lease = queue.next_due().await;
            assert_eq!((lease.id, text_of(&lease)), (id, text));
            settle(&queue, &lease, Outcome::Done, START).await;
        }
        assert_eq!(queue.counts().await.unwrap().fresh, 0);
    });
}
