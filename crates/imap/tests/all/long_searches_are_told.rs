//! A search that waits too long for texts says so (RFC 5530 §3).

use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anser_imap::Limits;
use anser_text::Documents;
use anser_text::document::{Failed, Kind};

use crate::node::{ACCOUNTS, Node, Options};

/// Reads no document until the other end is dropped.
struct Stuck(Arc<Mutex<Receiver<()>>>);

impl Documents for Stuck {
    fn text(&mut self, _: Kind, _: &[u8]) -> Result<(String, bool), Failed> {
        let _ = self.0.lock().unwrap().recv();
        Err(Failed)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_that_takes_too_long_is_refused_whole() {
    let limits = Limits { search_time: Duration::ZERO, ..Limits::default() };
    let node = Node::start_with(Options { limits, ..Options::default() }).await;
    let (release, stuck) = channel::<()>();
    let stuck = Arc::new(Mutex::new(stuck));
    node.store.read_documents_with(Arc::new(move || Box::new(Stuck(stuck.clone()))));
    let mut client = node.inbox(ACCOUNTS[0]).await;
    let message = b"Content-Type: application/pdf\r\n\r\n%PDF-1.7 x";
    client.append("INBOX", message).await;
    client.ok("NOOP").await;
    let (lines, end) = client.command("SEARCH TEXT x").await;
    assert!(lines.is_empty(), "no part of an answer: {lines:?}");
    assert!(end.starts_with("NO [INUSE] The texts of these messages"), "{end}");
    drop(release);
}
