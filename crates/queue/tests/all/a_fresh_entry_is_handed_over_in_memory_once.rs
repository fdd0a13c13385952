use anser_base::{AccountId, BlobId};
use anser_queue::{Act, Body, Counts, Origin, Outcome, Protocol, Settlement};
use bytes::Bytes;

use crate::fixture::{START, body, envelope, on_each_engine, put, settle, text_of};

#[test]
fn a_put_comes_out_as_it_went_in_and_only_once() {
    on_each_engine(|data| async move {
        let queue = data.queue().await;
        assert!(queue.try_next_due().await.unwrap().is_none());
        let mut sent = envelope(&["ann@anser.test", "陈@例子.中国"]);
        sent.trace = b"Received: by anser\r\n".to_vec();
        sent.origin = Origin {
            protocol: Protocol::Smtp,
            client: Some("2001:db8::7".parse().unwrap()),
            helo: Some("host".into()),
            account: Some(AccountId(3)),
            listener: None,
        };
        let id = queue.put(sent.clone(), body("hello").with_raw(&b"raw"[..])).await.unwrap();

        let lease = queue.next_due().await;
        assert_eq!((lease.id, &lease.envelope, text_of(&lease)), (id, &sent, "hello"));
        assert_eq!(lease.body.raw, Some(Bytes::from_static(b"raw")), "it came straight from memory");
        assert!(!lease.redelivery);
        assert_eq!(lease.due(START).count(), 2);
        assert!(queue.try_next_due().await.unwrap().is_none(), "nobody else gets it");

        settle(&queue, &lease, Outcome::Done, START).await;
        assert_eq!(queue.counts().await.unwrap(), Counts::default());
        assert!(queue.try_next_due().await.unwrap().is_none());
    });
}

#[test]
fn local_deliveries_are_settled_in_batches() {
    on_each_engine(|data| async move {
        let queue = data.queue().await;
        let mut batch = Vec::new();
        for text in ["one", "two", "three"] {
            put(&queue, text).await;
            batch.push(Settlement::done(queue.next_due().await));
        }
        queue.act(batch[1].lease.id, &Act::Remove).await.unwrap();
        queue.settle_after_sync(&batch).await.unwrap();
        drop(batch);
        assert_eq!(queue.counts().await.unwrap(), Counts::default(), "what was removed meanwhile is passed over");
    });
}

#[test]
fn large_bodies_are_references_that_the_sweeper_can_ask_for() {
    on_each_engine(|data| async move {
        let queue = data.queue().await;
        let big = BlobId::of(b"big");
        queue.put(envelope(&["ann@anser.test"]), Body::in_blob(big, 9_000_000)).await.unwrap();
        put(&queue, "small").await;
        assert_eq!(queue.references(None).await.unwrap(), (vec![big], None));
        let lease = queue.next_due().await;
        settle(&queue, &lease, crate::fixture::retry(), START).await;
        assert_eq!(queue.references(None).await.unwrap(), (vec![big], None));
    });
}

#[test]
fn nonsense_is_refused() {
    on_each_engine(|data| async move {
        let queue = data.queue().await;
        assert!(queue.put(envelope(&[]), body("x")).await.is_err());
        let too_big = Body::inline(BlobId::of(b""), 1 << 20, &b"zip"[..]);
        assert!(queue.put(envelope(&["ann@anser.test"]), too_big).await.is_err());
    });
}
