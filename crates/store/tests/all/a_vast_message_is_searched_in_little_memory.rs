//! What is before and behind a large attachment is found, and the attachment is never held.

use anser_base::{Durability, Timestamp};
use anser_store::{NewMessage, Searching};
use anser_testkit::memory::Peak;
use anser_text::Query;

use crate::fixture::{ANN, TENANT, inbox, on_each_engine, write};

/// Bytes of the attachment.
const VAST: usize = 200 << 20;
/// Bytes by which the process may grow.
const GROWTH: u64 = 48 << 20;
const BEFORE: &str = "Subject: vast\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nquail\r\n--b\r\n\
                      Content-Type: application/octet-stream; name=vast.bin\r\n\r\n";
const BEHIND: &str = "\r\n--b\r\nContent-Type: text/plain\r\n\r\nwalrus\r\n--b--\r\n";

#[test]
fn what_is_around_a_large_attachment_is_found() {
    on_each_engine(|store| async move {
        let inbox = inbox(&store).await;
        let mut writer = store.body_writer(TENANT).unwrap();
        writer.write(BEFORE.as_bytes()).unwrap();
        let piece = "0123456789abcdef".repeat(1 << 16);
        (0..VAST / piece.len()).for_each(|_| writer.write(piece.as_bytes()).unwrap());
        writer.write(BEHIND.as_bytes()).unwrap();
        let new =
            NewMessage::new(writer.finish(Durability::Deferred).unwrap(), inbox, Timestamp::from_secs(1_700_000_000));
        let id = write(&store, move |tx| tx.append(&new)).await.unwrap().message;
        let peak = Peak::begin();
        for _ in 0..2 {
            let queries = ["quail", "walrus", "vast.bin", "89abcdef"].map(Query::text).to_vec();
            let found = store.search(ANN, TENANT, queries, vec![id], &Searching::default()).await.unwrap();
            assert_eq!(found.messages, [vec![id], vec![id], vec![id], vec![]]);
            let blocking = store.clone();
            let index = move || while blocking.index_some(ANN, TENANT).unwrap().more {};
            tokio::task::spawn_blocking(index).await.unwrap();
        }
        assert!(peak.grown() < GROWTH, "{} bytes more", peak.grown());
    });
}
