//! Mail that was in a mailbox before the move came to it: brought by another tool, or delivered already. A message of the source that is
//! here in the same bytes is taken for what is here, and so is one that is here with nothing but what tools and servers add; of what an
//! IMAP source writes anew for each tool that asks (Exchange), also one that has its Message-ID, its Date and its size, where each side has
//! but one of that Message-ID and Date. Each message here is taken for one of the source at most. What finds no twin is brought, so that in
//! doubt there are two.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anser_base::{AccountId, BlobId, Error, MailboxId, MessageId, Result, TenantId};
use anser_mime::header::{self, Field, fields};
use anser_store::{MailTx, Message, Store};

/// Entries of a mailbox that are read at once.
const PAGE: usize = 1_000;
/// Bytes of a message that its added fields are looked for in.
const HEADER: usize = 256 * 1024;
/// Bytes of a body that are read at once.
const PIECE: usize = 256 * 1024;
/// Messages of one mailbox that are looked at, at most: the newest.
const MESSAGES: usize = 1_000_000;
/// Messages whose hashes are kept in memory.
const READ: usize = 100_000;

/// A message that is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Here {
    /// The mailbox that it is in.
    pub mailbox: MailboxId,
    /// Its UID in the mailbox.
    pub uid: u32,
    /// Its number.
    pub message: MessageId,
}

/// What a message here may be known by beside its bytes.
#[derive(Debug, Default)]
struct Known {
    /// The hashes of what it may have been before something was added to it.
    bare: Vec<BlobId>,
    /// [`identity`].
    identity: Option<BlobId>,
}

/// What messages are known by. Bodies never change: a pass that begins again reads none twice, unless those of other accounts took their
/// place meanwhile.
#[derive(Debug, Default)]
pub struct Read(Mutex<HashMap<(AccountId, MessageId), Arc<Known>>>);

impl Read {
    fn of(&self, account: AccountId, message: MessageId) -> Option<Arc<Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&(account, message)).cloned()
    }

    fn keep(&self, account: AccountId, message: MessageId, known: Arc<Known>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= READ
            && let Some(other) = all.keys().map(|(of, _)| *of).find(|of| *of != account)
        {
            all.retain(|(of, _), _| *of != other);
        }
        if all.len() < READ {
            all.insert((account, message), known);
        }
    }

    /// Of an account that is finished nothing is asked again.
    pub fn forget(&self, account: AccountId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|(of, _), _| *of != account);
    }
}

/// Messages of one mailbox that no move has brought, by their bytes.
#[derive(Debug, Default)]
pub struct Adoptable {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Ascending by UID, taken from the end on.
    exact: HashMap<BlobId, Vec<Here>>,
    /// By the bytes without what was added.
    bare: HashMap<BlobId, Vec<Here>>,
    /// By [`identity`], with their sizes; `None` where several have it, here or at the source.
    identities: HashMap<BlobId, Option<(Here, u64)>>,
    taken: HashSet<MessageId>,
}

impl Adoptable {
    /// Those of a mailbox; `None` when there are none. Reads every one of them that was not `read` before;
    /// `alive` is told how many more were.
    pub async fn of(
        store: &Store,
        tenant: TenantId,
        account: AccountId,
        mailbox: MailboxId,
        read: &Arc<Read>,
        alive: &(dyn Fn(u64) + Sync),
    ) -> Result<Option<Arc<Self>>> {
        let found = store.read(account, move |tx| unclaimed(tx, mailbox)).await?;
        if found.is_empty() {
            return Ok(None);
        }
        let mut state = State::default();
        for some in found.chunks(PAGE) {
            let ids: Vec<MessageId> = some.iter().map(|here| here.message).collect();
            let find = move |tx: &mut MailTx<'_, '_>| ids.iter().map(|id| tx.message(*id)).collect::<Result<Vec<_>>>();
            let messages = store.read(account, find).await?;
            let (store, read, page) = (store.clone(), read.clone(), some.to_vec());
            let hash = move || -> Result<State> {
                let mut state = State::default();
                for (here, message) in page.into_iter().zip(messages) {
                    let Some(message) = message else { continue };
                    let known = match read.of(account, here.message) {
                        Some(known) => known,
                        None => {
                            let Some(found) = known_by(&store, tenant, &message)?.map(Arc::new) else { continue };
                            read.keep(account, here.message, found.clone());
                            found
                        }
                    };
                    state.note(here, &message, &known);
                }
                Ok(state)
            };
            let more = tokio::task::spawn_blocking(hash).await.map_err(Error::unavailable)??;
            more.exact.into_iter().for_each(|(id, mut all)| state.exact.entry(id).or_default().append(&mut all));
            more.bare.into_iter().for_each(|(id, mut all)| state.bare.entry(id).or_default().append(&mut all));
            more.identities.into_iter().for_each(|(id, one)| state.identify(id, one));
            alive(some.len() as u64);
        }
        for all in state.exact.values_mut().chain(state.bare.values_mut()) {
            all.reverse();
        }
        Ok(Some(Arc::new(Self { state: Mutex::new(state) })))
    }

    /// Whether there is one that an [`identity`] alone could tell.
    pub fn has_identities(&self) -> bool {
        self.state().identities.values().any(Option::is_some)
    }

    /// Tells how often the source has each identity. Those that it has more than once tell nothing, nor do any before this.
    pub fn identities_there(&self, there: &HashMap<BlobId, u32>) {
        self.state().identities.retain(|id, _| there.get(id) == Some(&1));
    }

    /// The message here that has these bytes, once; else the one that has this identity and this size, if it does.
    pub fn take(&self, bytes: BlobId, identity: Option<BlobId>, size: u64) -> Option<Here> {
        let mut state = self.state();
        let State { exact, bare, identities, taken } = &mut *state;
        let mut of = |all: &mut HashMap<BlobId, Vec<Here>>| {
            let twins = all.get_mut(&bytes)?;
            std::iter::from_fn(|| twins.pop()).find(|here| taken.insert(here.message))
        };
        let found = of(exact).or_else(|| of(bare));
        let of_identity = || {
            let (here, as_large) = identities.get(&identity?).copied().flatten()?;
            (as_large == size && taken.insert(here.message)).then_some(here)
        };
        found.or_else(of_identity)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What no row of a ledger tells of, ascending.
fn unclaimed(tx: &mut MailTx<'_, '_>, mailbox: MailboxId) -> Result<Vec<Here>> {
    let claimed = tx.ledger_messages(mailbox)?;
    let mut found = Vec::new();
    let mut first = 1;
    loop {
        let page = tx.entries_from(mailbox, first, PAGE)?;
        let Some(last) = page.last().map(|entry| entry.uid) else { break };
        let free = page.into_iter().filter(|entry| !claimed.contains(&entry.message));
        found.extend(free.map(|entry| Here { mailbox, uid: entry.uid, message: entry.message }));
        match last.checked_add(1) {
            Some(next) => first = next,
            None => break,
        }
    }
    found.drain(..found.len().saturating_sub(MESSAGES));
    Ok(found)
}

impl State {
    fn note(&mut self, here: Here, message: &Message, known: &Known) {
        // What delivery put before it stands in a prefix of its own.
        match message.prefix.is_empty() {
            true => self.exact.entry(message.blob).or_default().push(here),
            false => self.bare.entry(message.blob).or_default().push(here),
        }
        for hash in &known.bare {
            self.bare.entry(*hash).or_default().push(here);
        }
        if let Some(identity) = known.identity {
            self.identify(identity, Some((here, message.size())));
        }
    }

    fn identify(&mut self, identity: BlobId, one: Option<(Here, u64)>) {
        self.identities.entry(identity).and_modify(|known| *known = None).or_insert(one);
    }
}

/// The Message-ID and the Date of a message, hashed, out of its header or the beginning of it. `None` of one that lacks either.
pub fn identity(head: &[u8]) -> Option<BlobId> {
    let value = |name| header::value(head, name).filter(|value| !value.trim_ascii().is_empty());
    let (id, date) = (value("Message-ID")?, value("Date")?);
    Some(BlobId::of(&[id.trim_ascii(), b"\0", date.trim_ascii()].concat()))
}

/// What a message may be known by. `None` of one that cannot be read: it is nobody's twin, and `check` tells of it.
fn known_by(store: &Store, tenant: TenantId, message: &Message) -> Result<Option<Known>> {
    let mut reader = match store.open(tenant, message.blob) {
        Ok(reader) => reader,
        Err(error) => {
            tracing::warn!(error = error.chain(), "a message here cannot be held against the old server's");
            return Ok(None);
        }
    };
    let head = reader.read_at(0, HEADER)?;
    let mut hashes: Vec<blake3::Hasher> = Vec::new();
    for one in &bare(&head) {
        let mut hash = blake3::Hasher::new();
        hash.update(one);
        hashes.push(hash);
    }
    let mut offset = head.len() as u64;
    while !hashes.is_empty() {
        let piece = reader.read_at(offset, PIECE)?;
        if piece.is_empty() {
            break;
        }
        offset += piece.len() as u64;
        for hash in &mut hashes {
            hash.update(&piece);
        }
    }
    let bare = hashes.into_iter().map(|hash| BlobId(*hash.finalize().as_bytes())).collect();
    Ok(Some(Known { bare, identity: identity(&head) }))
}

/// What the beginning of a message may have been before something was added to it: without the fields of tools, and without those of a
/// delivery besides. Only where that changes anything.
fn bare(head: &[u8]) -> Vec<Vec<u8>> {
    let all: Vec<Field<'_>> = fields(head).collect();
    let is_one =
        |field: &Field<'_>, names: &[&str]| names.iter().any(|name| field.name.eq_ignore_ascii_case(name.as_bytes()));
    let of_tools = |field: &Field<'_>| {
        is_one(field, &["X-TUID", "X-OfflineIMAP"])
            || (is_one(field, &["Message-Id"]) && field.value.trim_ascii().ends_with(b"@imapsync>"))
    };
    let without = |dropped: &dyn Fn(usize, &Field<'_>) -> bool| {
        let (mut kept, mut at) = (Vec::with_capacity(head.len()), 0);
        for (_, field) in all.iter().enumerate().filter(|(number, field)| dropped(*number, field)) {
            kept.extend_from_slice(&head[at..field.range.start]);
            at = field.range.end;
        }
        kept.extend_from_slice(&head[at..]);
        kept
    };
    // Return-Path, Delivered-To and the like at the top, up to the first Received.
    let top =
        all.iter().take_while(|field| is_one(field, &["Return-Path", "Delivered-To", "X-Original-To", "Envelope-To"]));
    let top = top.count();
    let delivered = top + usize::from(all.get(top).is_some_and(|field| is_one(field, &["Received"])));
    let mut found = vec![without(&|_, field| of_tools(field))];
    if delivered > 0 {
        found.push(without(&|number, field| number < delivered || of_tools(field)));
    }
    found.retain(|one| one.len() < head.len());
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_one_account_makes_room_for_another() {
        let read = Read::default();
        let keep = |account, message| read.keep(AccountId(account), MessageId(message), Arc::default());
        (0..READ as u64).for_each(|message| keep(1 + message % 2, message));
        keep(3, 7);
        assert!(read.of(AccountId(3), MessageId(7)).is_some());
        assert_eq!(read.0.lock().unwrap().len(), READ / 2 + 1, "of one of the others nothing is left");
        (0..READ as u64).for_each(|message| keep(3, message));
        assert_eq!(read.0.lock().unwrap().len(), READ);
    }

    #[test]
    fn what_tools_and_servers_add_goes() {
        let plain = b"Received: from a\r\nSubject: x\r\n\r\nX-TUID: body\r\n";
        assert_eq!(bare(b"Subject: x\r\n\r\nX-TUID: body\r\n"), Vec::<Vec<u8>>::new());
        let with = |more: &str| [more.as_bytes(), plain].concat();
        assert_eq!(bare(&with("X-TUID: abc\r\n"))[0], plain);
        assert_eq!(bare(&with("X-OfflineIMAP: 1-2\r\n\t-3\r\n"))[0], plain);
        assert_eq!(bare(&with("Message-Id: <12@imapsync>\r\n"))[0], plain);
        let delivered = with("Return-Path: <a@b>\r\nDelivered-To: c@d\r\nReceived: by c\r\n");
        assert_eq!(bare(&delivered), [plain]);
        // The newest Received may have been added as well, for all that can be told.
        assert_eq!(bare(plain), [b"Subject: x\r\n\r\nX-TUID: body\r\n"]);
        assert_eq!(bare(b"Message-Id: <a@b>\r\n\r\n"), Vec::<Vec<u8>>::new());
    }
}
