//! Mail that came to both servers while the world was told of the other one: an old MX that somebody still remembered, a copy that was
//! forwarded. What is swept from the old server is then here already, delivered. It is the same when one that was delivered here about that
//! time has all that its sender wrote, to the byte: what servers put before that differs. Each is taken for one of the source at most; in
//! doubt both stay.

use anser_base::{BlobId, Error, Result, Timestamp};
use anser_mime::header;
use anser_store::{Content, MailTx, Message, Store};

use crate::adopt::Here;
use crate::commit::Target;

/// How long before the cut-over mail may have come to both, in milliseconds.
pub(crate) const BEFORE: i64 = 24 * 3_600_000;
/// How far apart the two may have come, in milliseconds: as long as a server tries again.
const APART: i64 = 5 * 24 * 3_600_000;
/// Messages of a conversation that are looked at, the newest.
const MOST: usize = 32;
/// Bytes of a message that its header ends within.
const HEADER: usize = 256 * 1024;
/// Bytes of a body that are read at once.
const PIECE: usize = 256 * 1024;
/// Fields that a message has from its sender (RFC 5322 §3.6, RFC 2045 §3) and that no server on the way writes.
const WRITTEN: [&str; 16] = [
    "Message-ID",
    "Date",
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Subject",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Content-Disposition",
    "Content-ID",
    "Content-Language",
];

/// The message here that was delivered, and is the one which came to the old server at this time.
pub(crate) async fn delivered(
    store: &Store,
    target: &Target,
    since: Timestamp,
    content: &Content,
    received: Timestamp,
) -> Result<Option<Here>> {
    if received < since {
        return Ok(None);
    }
    let wanted = content.clone();
    let find = move |tx: &mut MailTx<'_, '_>| {
        let mut found = Vec::new();
        for id in tx.conversation_of(&wanted, MOST)? {
            let Some(message) = tx.message(id)? else { continue };
            let is_near = message.received >= since && (message.received.0 - received.0).abs() <= APART;
            if is_near && !message.places.is_empty() && !tx.is_in_ledger(id, message.blob)? {
                found.push(message);
            }
        }
        Ok(found)
    };
    let found = store.read(target.account, find).await?;
    if found.is_empty() {
        return Ok(None);
    }
    let (store, tenant, blob) = (store.clone(), target.tenant, content.blob);
    let compare = move || -> Result<Option<Message>> {
        let Some(wanted) = written(&store, tenant, blob)? else { return Ok(None) };
        for message in found {
            if written(&store, tenant, message.blob)? == Some(wanted) {
                return Ok(Some(message));
            }
        }
        Ok(None)
    };
    let twin = tokio::task::spawn_blocking(compare).await.map_err(Error::unavailable)??;
    Ok(twin.and_then(|message| {
        let (mailbox, uid) = *message.places.first()?;
        Some(Here { mailbox, uid, message: message.id })
    }))
}

/// The hash of what the sender of a message wrote. `None` of one without a Message-ID, with a header that is longer than [`HEADER`], and of
/// one that cannot be read.
fn written(store: &Store, tenant: anser_base::TenantId, blob: BlobId) -> Result<Option<BlobId>> {
    let mut reader = match store.open(tenant, blob) {
        Ok(reader) => reader,
        Err(error) => {
            tracing::warn!(error = error.chain(), "a message cannot be held against one of the old server's");
            return Ok(None);
        }
    };
    let head = reader.read_at(0, HEADER)?;
    let Some(end) = memchr::memmem::find(&head, b"\r\n\r\n") else { return Ok(None) };
    if header::find(&head[..end + 2], "Message-ID").is_none() {
        return Ok(None);
    }
    let mut hash = blake3::Hasher::new();
    for name in WRITTEN {
        for field in header::find_all(&head[..end + 2], name) {
            hash.update(name.as_bytes()).update(field.value.trim_ascii()).update(b"\0");
        }
    }
    hash.update(b"\0");
    hash.update(&head[end + 4..]);
    let mut offset = head.len() as u64;
    loop {
        let piece = reader.read_at(offset, PIECE)?;
        if piece.is_empty() {
            return Ok(Some(BlobId(*hash.finalize().as_bytes())));
        }
        offset += piece.len() as u64;
        hash.update(&piece);
    }
}
