use anser_base::Class;
use anser_queue::{Act, Counts, Filter, Outcome};

use crate::fixture::{START, body, envelope, on_each_engine, put, retry, settle};

#[test]
fn a_held_entry_stays_until_it_is_released() {
    on_each_engine(|data| async move {
        let queue = data.queue().await;
        let id = put(&queue, "hello").await;
        let lease = queue.next_due().await;
        assert_eq!(queue.act(id, &Act::Hold).await.unwrap_err().class, Class::Conflict, "it is being delivered");
        settle(&queue, &lease, retry(), START).await;

        queue.act(id, &Act::Hold).await.unwrap();
        data.clock.advance(std::time::Duration::from_secs(3600));
        assert!(queue.try_next_due().await.unwrap().is_none());
        assert_eq!(queue.counts().await.unwrap(), Counts { held: 1, ..Counts::default() });
        assert!(queue.show(id).await.unwrap().held);
        assert_eq!(queue.read(id).await.unwrap().body.stored.as_deref(), Some(&b"hello"[..]));

        queue.act(id, &Act::Release).await.unwrap();
        assert_eq!(queue.next_due().await.id, id);
    });
}

#[test]
fn retry_now_does_not_wait_for_the_schedule() {
    on_each_engine(|data| async move {
        let queue = data.queue().await;
        let id = put(&queue, "hello").await;
        let lease = queue.next_due().await;
        settle(&queue, &lease, retry(), START).await;
        queue.act(id, &Act::Retry).await.unwrap();
        let lease = queue.next_due().await;
        assert_eq!((lease.id, lease.due(START).count()), (id, 1));
        settle(&queue, &lease, Outcome::Done, START).await;
        assert_eq!(queue.act(id, &Act::Retry).await.unwrap_err().class, Class::NotFound);
        assert_eq!(queue.act(id, &Act::Remove).await.unwrap_err().class, Class::NotFound);
    });
}

#[test]
fn the_list_is_filtered_and_read_in_parts() {
    on_each_engine(|data| async move {
        let queue = data.queue().await;
        let mut ids = Vec::new();
        for name in ["ann", "Ben", "ann", "cat", "ann"] {
            let id = queue.put(envelope(&[&format!("{name}@anser.test")]), body(name)).await.unwrap();
            let lease = queue.next_due().await;
            if ids.len() != 2 {
                settle(&queue, &lease, retry(), START).await;
            } else {
                std::mem::forget(lease);
            }
            ids.push(id);
        }
        let page = queue.list(Filter::default(), None, 3).await.unwrap();
        assert_eq!(page.entries.iter().map(|entry| entry.id).collect::<Vec<_>>(), ids[..3]);
        assert!(page.entries[2].leased && !page.entries[0].leased);
        let page = queue.list(Filter::default(), page.next, 3).await.unwrap();
        assert_eq!(page.entries.iter().map(|entry| entry.id).collect::<Vec<_>>(), ids[3..]);
        assert_eq!(page.next, None);

        let to_ben = Filter { recipient: Some("BEN@".into()), ..Filter::default() };
        assert_eq!(queue.list(to_ben, None, 9).await.unwrap().entries[0].id, ids[1]);
        queue.act(ids[3], &Act::Hold).await.unwrap();
        let held = Filter { held: Some(true), sender: Some("bob".into()), ..Filter::default() };
        let held = queue.list(held, None, 9).await.unwrap();
        assert_eq!(held.entries.iter().map(|entry| entry.id).collect::<Vec<_>>(), [ids[3]]);
    });
}
