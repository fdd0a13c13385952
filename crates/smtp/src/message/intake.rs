//! Second stage: a message gathers in memory while it is small, and goes into the blob store piece by piece once it is not.

use std::sync::{Arc, Mutex, PoisonError};

use anser_base::limits::INLINE_BODY;
use anser_base::{Durability, Error, TenantId};
use anser_blob::{BlobWriter, Prepared};
use anser_directory::{Account, DEFAULT_TENANT};
use anser_queue::Body;
use anser_senderauth::{Message, Passed, message};
use anser_wire::smtp::Reply;
use bytes::Bytes;

use super::header::{self, Head};
use crate::answer::Stop;
use crate::deps::{Deps, Service};
use crate::senders::Look;
use crate::session::Session;
use crate::verb::too_large;

/// Octets of a message that are dropped beyond the largest size, so that the peer reads its 552; more end the session.
pub const DISCARDED: u64 = 64 * 1024 * 1024;
/// Room that is left for the fields that submission adds, in bytes.
const ADDED: usize = 1024;
/// Largest message that stays in memory, and largest header, in bytes.
pub const INLINE: usize = INLINE_BODY - ADDED;
/// Bytes of a large message that go to the blob store at once.
const BATCH: usize = 256 * 1024;
/// Up to this size a message is hashed and compressed at once; beyond it, on a worker thread. In bytes.
const AT_ONCE: usize = 64 * 1024;

/// What of the session the message depends on.
pub struct Terms {
    /// The door's surroundings.
    pub deps: Arc<Deps>,
    /// Who submits it; `None` at the other services.
    pub account: Option<Arc<Account>>,
    /// Whose blob store a large one goes to.
    pub tenant: TenantId,
    /// What is to be looked at while it comes in.
    pub look: Look,
    /// What claims to be results of ours is taken out: nobody in front of us writes such.
    pub clean: bool,
    /// Any octets are allowed (BODY=BINARYMIME).
    binary: bool,
    /// SIZE= of MAIL, in bytes.
    expected: Option<u64>,
}

impl Terms {
    /// Of the session and its transaction.
    pub fn of(session: &Session) -> Self {
        let transaction = session.transaction.as_ref();
        Self {
            deps: session.deps.clone(),
            account: session.login.clone(),
            tenant: transaction.and_then(|transaction| transaction.tenant).unwrap_or(DEFAULT_TENANT),
            look: Look::of(session),
            clean: session.service != Service::Lmtp,
            binary: transaction.is_some_and(|transaction| transaction.is_binary()),
            expected: transaction.and_then(|transaction| transaction.mail.size),
        }
    }

    /// Of a message of an account that came through another door.
    pub fn submitted(deps: Arc<Deps>, account: Arc<Account>) -> Self {
        let tenant = account.tenant;
        Self { deps, account: Some(account), tenant, look: Look::Sign, clean: true, binary: false, expected: None }
    }
}

/// A message that is coming in.
pub struct Intake {
    terms: Terms,
    /// What came last: the whole message as long as it is small.
    pub buffer: Vec<u8>,
    /// Octets that came in all.
    received: u64,
    /// Whether the last octet of the last chunk was a CR.
    after_cr: bool,
    large: Option<Large>,
    /// What signatures see of it, from the moment that its header is whole.
    passing: Option<Message>,
    /// Once it is refused nothing of it is kept.
    refused: Option<Reply>,
}

/// A large message on its way into the blob store.
struct Large {
    /// Behind a lock only so that sessions can be shared between threads; nobody ever waits for it.
    writer: Mutex<BlobWriter>,
    /// What its header said.
    head: Head,
}

impl Large {
    fn into_parts(self) -> (BlobWriter, Head) {
        (self.writer.into_inner().unwrap_or_else(PoisonError::into_inner), self.head)
    }
}

/// A whole message.
pub struct Taken {
    /// For the queue.
    pub body: Body,
    /// What its header said.
    pub head: Head,
    /// What signatures see of it, if they are looked at.
    pub passed: Option<Passed>,
}

impl Intake {
    /// Before the first octet.
    pub fn new(terms: Terms) -> Self {
        let expected = terms.expected.map_or(16 * 1024, |size| usize::try_from(size).unwrap_or(INLINE)).min(INLINE);
        let buffer = Vec::with_capacity(expected + ADDED);
        Self { terms, buffer, received: 0, after_cr: false, large: None, passing: None, refused: None }
    }

    /// Why it was refused, if it was.
    pub fn refusal(&self) -> Option<&Reply> {
        self.refused.as_ref()
    }

    /// A bare CR or LF was met: the next server might read two messages where we read one (SMTP smuggling).
    pub fn refuse_bare_newline(&mut self) {
        self.refuse(Stop::refused(554, (5, 6, 0), "The message holds a CR or LF that is not part of a CR LF"));
    }

    /// Takes octets of a chunk.
    pub fn append(&mut self, octets: &[u8]) {
        if self.refused.is_none() && !self.terms.binary && self.breaks_badly(octets) {
            self.refuse_bare_newline();
        }
        self.buffer.extend_from_slice(octets);
    }

    /// Looks at what has become of the message now that `count` more octets are in the buffer. `Stop::Close` when it is hopelessly
    /// too large.
    pub async fn settle(&mut self, count: usize) -> Result<(), Stop> {
        let limit = self.terms.deps.limits.message_size;
        self.received += count as u64;
        if self.received > limit {
            self.refuse(too_large(limit));
        }
        if self.refused.is_some() {
            self.buffer.clear();
            let hopeless = self.received > limit.saturating_add(DISCARDED);
            return if hopeless { Err(too_large(limit).and_close()) } else { Ok(()) };
        }
        let most = if self.large.is_some() { BATCH } else { INLINE };
        if self.buffer.len() > most
            && let Err(stop) = self.pass_on().await
        {
            self.refuse(stop);
        }
        Ok(())
    }

    /// The end: judges the header of a small message and makes the body ready for the queue.
    pub async fn finish(mut self) -> Result<Taken, Stop> {
        if self.after_cr {
            self.refuse_bare_newline();
        }
        if let Some(reply) = self.refused {
            return Err(Stop::Refused(reply));
        }
        if self.large.is_some() {
            return self.finish_large().await;
        }
        let came = self.look_at(Look::Check);
        let head = header::judge(&self.terms, &mut self.buffer, true).await?;
        let passed = came.or_else(|| self.look_at(Look::Sign)).map(Message::finish);
        if self.buffer.capacity() > 2 * self.buffer.len() {
            self.buffer.shrink_to_fit();
        }
        let raw = Bytes::from(self.buffer);
        let Prepared { id, size, stored, .. } = prepare(raw.clone()).await?;
        Ok(Taken { body: Body::inline(id, size, stored).with_raw(raw), head, passed })
    }

    async fn finish_large(mut self) -> Result<Taken, Stop> {
        self.pass_on().await?;
        let Some((writer, head)) = self.large.take().map(Large::into_parts) else { return Err(Stop::Gone) };
        let (id, size) = blocking(move || writer.finish(Durability::Sync)).await?;
        let passed = self.passing.map(Message::finish);
        Ok(Taken { body: Body::in_blob(id, size), head, passed })
    }

    /// Hands the buffer to the blob store. The first time the header must be in it, whole.
    async fn pass_on(&mut self) -> Result<(), Stop> {
        let (writer, head) = match self.large.take().map(Large::into_parts) {
            Some((writer, head)) => (Some(writer), head),
            None => {
                self.passing = self.look_at(Look::Check);
                let head = header::judge(&self.terms, &mut self.buffer, false).await?;
                self.passing = self.passing.take().or_else(|| self.look_at(Look::Sign));
                (None, head)
            }
        };
        if writer.is_some()
            && let Some(passing) = &mut self.passing
        {
            passing.push(&self.buffer);
        }
        let (blobs, tenant, mut octets) =
            (self.terms.deps.blobs.clone(), self.terms.tenant, std::mem::take(&mut self.buffer));
        let (writer, emptied) = blocking(move || {
            let mut writer = writer.map_or_else(|| blobs.writer(tenant), Ok)?;
            writer.write(&octets)?;
            octets.clear();
            Ok((writer, octets))
        })
        .await?;
        self.large = Some(Large { writer: Mutex::new(writer), head });
        self.buffer = emptied;
        Ok(())
    }

    /// Looks at the header that the buffer begins with and at what there is of the body, if that is what is wanted: to check before
    /// anything in it is changed, to sign afterwards.
    fn look_at(&self, wanted: Look) -> Option<Message> {
        if self.terms.look != wanted {
            return None;
        }
        let (header, body) = message::split(&self.buffer);
        let mut passing = if wanted == Look::Sign { Message::to_sign(header) } else { Message::new(header) };
        passing.push(body);
        Some(passing)
    }

    /// The first refusal stands. What was written so far goes away on a worker thread, since that blocks.
    fn refuse(&mut self, stop: Stop) {
        if let (Stop::Refused(reply), None) = (stop, &self.refused) {
            self.refused = Some(reply);
        }
        if let Some(large) = self.large.take() {
            drop(tokio::task::spawn_blocking(move || drop(large)));
        }
    }

    /// Whether there is a CR without LF or a LF without CR, the end of the last chunk taken into account.
    fn breaks_badly(&mut self, octets: &[u8]) -> bool {
        let Some(&last) = octets.last() else { return false };
        let torn = self.after_cr && octets[0] != b'\n';
        let after_cr = std::mem::replace(&mut self.after_cr, last == b'\r');
        torn || memchr::memchr2_iter(b'\r', b'\n', octets).any(|at| match octets[at] {
            b'\r' => octets.get(at + 1).is_some_and(|next| *next != b'\n'),
            _ if at == 0 => !after_cr,
            _ => octets[at - 1] != b'\r',
        })
    }
}

async fn prepare(raw: Bytes) -> Result<Prepared, Stop> {
    if raw.len() <= AT_ONCE { Ok(Prepared::new(&raw)) } else { blocking(move || Ok(Prepared::new(&raw))).await }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> anser_base::Result<T> + Send + 'static) -> Result<T, Stop> {
    let done = tokio::task::spawn_blocking(work).await.map_err(Error::unavailable)?;
    Ok(done?)
}
