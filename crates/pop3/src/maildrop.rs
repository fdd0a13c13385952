//! The maildrop of one session: the inbox as it stood at login, the marks of DELE, and the update.

use std::collections::BTreeSet;
use std::sync::Arc;

use anser_base::{Class, Durability, Error, MailboxId, Result, Timestamp};
use anser_directory::Account;
use anser_store::{Entry, FlagAct, Flags, Keywords, Listing, MailTx, Snapshot, Store};

use crate::bodies::{Bodies, Found, Next};
use crate::lock::Lock;
use crate::options::Options;
use crate::uidl::UniqueIds;

/// Messages that get `\Seen` in one transaction.
const SEEN_AT_ONCE: usize = 500;
/// Message-IDs that the journal is told of one update.
const MESSAGE_IDS: usize = 1000;

/// An open maildrop. Dropping it lets the lock go.
pub(crate) struct Maildrop {
    pub account: Arc<Account>,
    pub bodies: Bodies,
    store: Store,
    list: Arc<Snapshot>,
    /// The sequence numbers in `list` that have message numbers; `None` when all have their own.
    shown: Option<Vec<u32>>,
    /// Numbers and octets of the messages that are not marked.
    size: u64,
    marked: BTreeSet<u32>,
    /// Numbers of the messages that were sent whole.
    read: BTreeSet<u32>,
    ids: Option<UniqueIds>,
    pub lock: Lock,
}

/// What an update removed.
pub(crate) struct Removed {
    pub uids: Vec<u32>,
    /// Message-IDs without angle brackets, of the first messages.
    pub message_ids: Vec<String>,
}

impl Maildrop {
    /// Opens the inbox of an account. `Class::Conflict` while mail moves into it.
    pub async fn open(store: &Store, account: Arc<Account>, lock: Lock, now: Timestamp) -> Result<Self> {
        store.ensure(account.id).await?;
        let inbox = store.read(account.id, |tx| tx.inbox()).await?.id;
        let list = store.snapshot(account.id, inbox).await?;
        if list.is_filling {
            return Err(Error::new(Class::Conflict, "mail moves into the mailbox", "邮件正在迁入该邮箱"));
        }
        let shown = Options::read(&account.pop3_options).since(now).map(|since| received_since(&list, since));
        let bodies = Bodies::new(store.clone(), account.id, account.tenant);
        let (marked, read) = (BTreeSet::new(), BTreeSet::new());
        let store = store.clone();
        let mut maildrop = Self { account, bodies, store, list, shown, size: 0, marked, read, ids: None, lock };
        maildrop.size = maildrop.unmarked_from(1).map(|(_, entry)| entry.size).sum();
        Ok(maildrop)
    }

    /// Messages that are not marked.
    pub fn count(&self) -> u32 {
        self.last() - self.marked.len() as u32
    }

    /// Octets of the messages that are not marked.
    pub fn size(&self) -> u64 {
        self.size
    }

    fn last(&self) -> u32 {
        self.shown.as_ref().map_or(self.list.len(), Vec::len) as u32
    }

    /// The message with this number, unless there is none or it is marked.
    pub fn message(&self, number: u32) -> Option<&Entry> {
        if self.marked.contains(&number) { None } else { self.entry(number) }
    }

    fn entry(&self, number: u32) -> Option<&Entry> {
        match &self.shown {
            None => self.list.by_seq(number),
            Some(shown) => self.list.by_seq(*shown.get((number as usize).checked_sub(1)?)?),
        }
    }

    /// Number and message of those that are not marked, from a number on.
    pub fn unmarked_from(&self, number: u32) -> impl Iterator<Item = (u32, &Entry)> {
        (number..=self.last()).filter_map(|number| Some((number, self.message(number)?)))
    }

    /// The unique ids, read at their first need.
    pub async fn ids(&mut self) -> Result<&UniqueIds> {
        let ids = match self.ids.take() {
            Some(ids) => ids,
            None => UniqueIds::load(&self.store, self.account.id, &self.list).await?,
        };
        Ok(self.ids.insert(ids))
    }

    /// The unique ids, when they were read.
    pub fn known_ids(&self) -> Option<&UniqueIds> {
        self.ids.as_ref()
    }

    /// Marks a message.
    pub fn mark(&mut self, number: u32) {
        self.size -= self.message(number).map_or(0, |entry| entry.size);
        self.marked.insert(number);
    }

    /// Takes every mark away.
    pub fn unmark_all(&mut self) {
        self.marked.clear();
        self.size = self.unmarked_from(1).map(|(_, entry)| entry.size).sum();
    }

    /// Notes that a message was sent whole.
    pub fn note_read(&mut self, number: u32) {
        self.read.insert(number);
    }

    /// Finds a message's body, and reads on behind it. `Class::NotFound` when there is no such message, or another door expunged it
    /// since the login.
    pub async fn find(&mut self, number: u32) -> Result<Found> {
        let gone = || Error::not_found("no such message", "没有此邮件");
        let (uid, message) = self.message(number).map(|entry| (entry.uid, entry.message)).ok_or_else(gone)?;
        let newest = self.store.snapshot(self.account.id, self.list.mailbox).await?;
        if newest.uidvalidity != self.list.uidvalidity || newest.by_uid(uid).is_none() {
            return Err(gone());
        }
        let found = self.bodies.get(number, message).await?;
        let Self { bodies, list, shown, marked, .. } = self;
        bodies.read_ahead(|from| following(list, shown.as_deref(), marked, from));
        Ok(found)
    }

    /// Gives `\Seen` to what was sent whole. Lazily: a power cut may take it back.
    pub async fn remember_read(&self) -> Result<()> {
        let unseen = self.read.iter().filter_map(|number| self.message(*number));
        let uids: Vec<u32> = unseen.filter(|entry| !entry.flags.has(Flags::SEEN)).map(|entry| entry.uid).collect();
        for some in uids.chunks(SEEN_AT_ONCE) {
            let (mailbox, uidvalidity, some) = (self.list.mailbox, self.list.uidvalidity, some.to_vec());
            let seen = move |tx: &mut MailTx<'_, '_>| {
                require_same(tx, mailbox, uidvalidity)?;
                tx.store_flags(mailbox, &some, FlagAct::Add, Flags::SEEN, &Keywords::default(), None)
            };
            self.store.write(self.account.id, Durability::Deferred, seen).await?;
        }
        Ok(())
    }

    /// The update (RFC 1939 §6): removes all that is marked, durably, or nothing.
    pub async fn remove_marked(&self) -> Result<Removed> {
        let uids: Vec<u32> =
            self.marked.iter().filter_map(|number| self.entry(*number)).map(|entry| entry.uid).collect();
        if uids.is_empty() {
            return Ok(Removed { uids, message_ids: Vec::new() });
        }
        let (mailbox, uidvalidity) = (self.list.mailbox, self.list.uidvalidity);
        let remove = move |tx: &mut MailTx<'_, '_>| {
            require_same(tx, mailbox, uidvalidity)?;
            let message_ids = message_ids(tx, mailbox, &uids)?;
            Ok(Removed { uids: tx.expunge(mailbox, &uids, false)?, message_ids })
        };
        self.store.write(self.account.id, Durability::Sync, remove).await
    }
}

fn received_since(list: &Snapshot, since: Timestamp) -> Vec<u32> {
    (1..).zip(list.iter()).filter(|(_, entry)| entry.received >= since).map(|(seq, _)| seq).collect()
}

/// What comes at and behind a number, without what is marked.
fn following<'a>(
    list: &'a Snapshot,
    shown: Option<&'a [u32]>,
    marked: &'a BTreeSet<u32>,
    from: u32,
) -> impl Iterator<Item = Next> + 'a {
    let seq = move |number: u32| shown.map_or(Some(number), |shown| shown.get(number as usize - 1).copied());
    let entries = (from..).map_while(move |number| Some((number, list.by_seq(seq(number)?)?)));
    let wanted = entries.filter(|(number, _)| !marked.contains(number));
    wanted.map(|(number, entry)| Next { number, message: entry.message, size: entry.size })
}

/// UIDs mean the same messages only as long as UIDVALIDITY stays.
fn require_same(tx: &mut MailTx<'_, '_>, mailbox: MailboxId, uidvalidity: u32) -> Result<()> {
    match tx.mailbox(mailbox)?.uidvalidity == uidvalidity {
        true => Ok(()),
        false => Err(Error::new(Class::Conflict, "the mailbox was made anew", "该文件夹已重建")),
    }
}

fn message_ids(tx: &mut MailTx<'_, '_>, mailbox: MailboxId, uids: &[u32]) -> Result<Vec<String>> {
    let mut ids = Vec::new();
    for uid in uids.iter().take(MESSAGE_IDS) {
        let Some(entry) = tx.entry(mailbox, *uid)? else { continue };
        let Some(message) = tx.message(entry.message)? else { continue };
        if let Some(id) = Listing::of(&message).envelope.message_id {
            let id = id.trim_ascii();
            let bare = id.strip_prefix(b"<").and_then(|id| id.strip_suffix(b">")).unwrap_or(id);
            ids.push(String::from_utf8_lossy(bare).into_owned());
        }
    }
    Ok(ids)
}
