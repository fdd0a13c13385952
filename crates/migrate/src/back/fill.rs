//! What is only here is appended there, with the UID that it has here where that is free; flags that changed are set.

use std::collections::{BTreeMap, HashMap, HashSet};

use anser_base::{BlobId, Durability, MessageId};
use anser_mime::date::{DateTime, format_internal_date};
use anser_store::{Entry, FlagAct, LedgerFolder, LedgerKey, LedgerRow, LedgerState, MailTx};

use super::{Back, Line, Pair, marks, marks_of, pair};
use crate::imap::fetch::Fetcher;
use crate::imap::write::{Body, Letter};
use crate::merge::{Marks, merged};
use crate::pass::Outcome;
use crate::source::{Allowance, Seen, Taken, Window};
use crate::trouble::Trouble;

/// UIDs that are passed over, at most, so that a message keeps its own: each costs the old server a message that goes at once.
const GAP: u32 = 300;
/// Messages there that nobody knows, whose bytes are looked at in one folder.
const STRANGERS: usize = 10_000;
/// Bodies that are asked for at once.
const READ: usize = 16;
/// What stands in for a message of which only the UID is wanted.
const BLANK: &[u8] = b"Subject: -\r\n\r\n";

impl Back<'_> {
    /// Appends what is only here, and sets flags that changed.
    pub(super) async fn fill(&mut self, folder: &LedgerFolder, outcome: &mut Outcome) -> Result<(), Trouble> {
        let of = folder.clone();
        let mut pair = self.store.read(self.account, move |tx| pair(tx, of.clone())).await?;
        let is_changed = |line: &Line| line.here.as_ref().is_some_and(|(_, entry)| marks(&line.row) != marks_of(entry));
        let may_place = folder.keeps_uids && self.imap.can("UIDPLUS");
        let placed = if may_place { pair.misplaced() } else { Vec::new() };
        if pair.fresh.is_empty() && placed.is_empty() && !pair.rows.iter().any(is_changed) {
            return Ok(());
        }
        let standing = self.select(folder).await?;
        let there: BTreeMap<u32, Seen> =
            self.imap.list(Window::WHOLE).await?.into_iter().map(|seen| (seen.uid, seen)).collect();
        self.adopt(&mut pair, &there).await?;
        let mut next = standing.uidnext;
        let mut unsure = false;
        let fresh = std::mem::take(&mut pair.fresh).into_iter().map(|entry| (entry, true));
        let mut all: Vec<(Entry, bool)> = fresh.chain(placed.into_iter().map(|entry| (entry, false))).collect();
        all.sort_by_key(|(entry, _)| entry.uid);
        for (entry, is_fresh) in all {
            if may_place {
                next = self.pass_over(&folder.name, next, entry.uid).await?;
            }
            // One that is there already is not worth another UID that is not its own.
            if !is_fresh && next != entry.uid {
                continue;
            }
            match self.append(folder, &entry).await? {
                Some(uid) => next = uid.saturating_add(1),
                None => unsure = true,
            }
            if is_fresh {
                (outcome.copied, outcome.bytes) = (outcome.copied + 1, outcome.bytes + entry.size);
            }
        }
        self.set_flags(folder, &pair.rows, &there).await?;
        if unsure {
            self.find_appended(folder).await?;
        }
        Ok(())
    }

    /// A server that does not tell the UIDs of what it takes (RFC 4315) is asked what is new, and the bytes tell.
    async fn find_appended(&mut self, folder: &LedgerFolder) -> Result<(), Trouble> {
        self.select(folder).await?;
        let listed = self.imap.list(Window::WHOLE).await?;
        let there: BTreeMap<u32, Seen> = listed.into_iter().map(|seen| (seen.uid, seen)).collect();
        let of = folder.clone();
        let mut pair = self.store.read(self.account, move |tx| pair(tx, of.clone())).await?;
        self.adopt(&mut pair, &there).await?;
        match pair.fresh.is_empty() {
            true => Ok(()),
            false => Err(Trouble::lost("the old server does not show what it took")),
        }
    }

    /// Messages there that the ledger does not know, and that are the same as some which are only here: the ledger knows them from now on.
    async fn adopt(&mut self, pair: &mut Pair, there: &BTreeMap<u32, Seen>) -> Result<(), Trouble> {
        let known: HashSet<u32> = pair.rows.iter().map(|line| line.uid).chain(pair.left_out.iter().copied()).collect();
        let sizes: HashSet<u64> = pair.fresh.iter().map(|entry| entry.size).collect();
        let stranger = |seen: &&Seen| !known.contains(&seen.uid) && sizes.contains(&seen.size);
        let strangers: Vec<u32> = there.values().filter(stranger).map(|seen| seen.uid).take(STRANGERS).collect();
        if strangers.is_empty() {
            return Ok(());
        }
        let mut by_bytes: HashMap<BlobId, Vec<Entry>> = HashMap::new();
        for entry in pair.fresh.iter().rev() {
            let hash = self.body(entry.message).await?.hash().await?;
            by_bytes.entry(hash).or_default().push(entry.clone());
        }
        let mut found = Vec::new();
        for some in strangers.chunks(READ) {
            let (store, tenant) = (self.store.clone(), self.tenant);
            let mut fetcher = Fetcher::new(self.imap, store, tenant, Allowance::default());
            fetcher.ask(some.to_vec()).await?;
            for (uid, taken) in fetcher.receive().await?.whole()?.arrived {
                let hash = match &taken {
                    Taken::Memory(body) => BlobId::of(body),
                    Taken::Stored(content) => content.blob,
                    Taken::Here(known) => known.content,
                };
                if let Some(entry) = by_bytes.get_mut(&hash).and_then(Vec::pop) {
                    found.push((uid, hash, entry));
                }
            }
        }
        let folder = pair.ledger.clone();
        pair.fresh.retain(|entry| !found.iter().any(|(_, _, twin)| twin.uid == entry.uid));
        for (uid, hash, entry) in found {
            let seen = &there[&uid];
            let (flags, keywords) = (seen.flags, seen.keywords.clone());
            let row = LedgerRow { flags, keywords, ..self.row(uid, hash, &folder, &entry) };
            self.put(folder.key, row).await?;
        }
        Ok(())
    }

    async fn append(&mut self, folder: &LedgerFolder, entry: &Entry) -> Result<Option<u32>, Trouble> {
        let mut body = self.body(entry.message).await?;
        let date = DateTime { unix: entry.received.secs(), offset_minutes: i32::from(entry.zone) };
        let letter = Letter {
            flags: entry.flags,
            keywords: &entry.keywords,
            date: format_internal_date(date),
            size: body.size(),
        };
        let Some(uid) = self.imap.append(&folder.name, &letter, &mut body).await? else { return Ok(None) };
        let row = self.row(uid, body.hashed(), folder, entry);
        self.put(folder.key, row).await?;
        Ok(Some(uid))
    }

    fn row(&self, uid: u32, content: BlobId, folder: &LedgerFolder, entry: &Entry) -> LedgerRow {
        let date = DateTime { unix: entry.received.secs(), offset_minutes: i32::from(entry.zone) };
        LedgerRow {
            content: Some(content),
            size: entry.size,
            received: format_internal_date(date),
            flags: entry.flags,
            keywords: entry.keywords.clone(),
            message: entry.message,
            mailbox: folder.mailbox,
            uid: entry.uid,
            pass: self.pass,
            ..LedgerRow::new(uid.to_be_bytes().to_vec(), LedgerState::Copied)
        }
    }

    async fn put(&self, key: LedgerKey, row: LedgerRow) -> Result<(), Trouble> {
        let work = move |tx: &mut MailTx<'_, '_>| tx.put_ledger_row(key, &row);
        Ok(self.store.write(self.account, Durability::Sync, work).await?)
    }

    async fn body(&self, message: MessageId) -> Result<Body, Trouble> {
        let gone = || anser_base::Error::not_found("a message went meanwhile", "邮件已被删除");
        let found = self.store.read(self.account, move |tx| tx.message(message)).await?.ok_or_else(gone)?;
        let reader = self.store.blobs().open(self.tenant, found.blob)?;
        Ok(Body::new(found.prefix, reader))
    }

    /// Takes UIDs there until the next one is this; it is not where others were given out meanwhile, or the gap is wide.
    async fn pass_over(&mut self, folder: &[u8], mut next: u32, wanted: u32) -> Result<u32, Trouble> {
        if next == 0 || next >= wanted || wanted - next > GAP || !self.imap.can("UIDPLUS") {
            return Ok(next);
        }
        let mut blanks = Vec::new();
        while next < wanted {
            let letter = Letter {
                flags: anser_store::Flags::DELETED,
                keywords: &Default::default(),
                date: format_internal_date(DateTime { unix: 0, offset_minutes: 0 }),
                size: BLANK.len() as u64,
            };
            let Some(uid) = self.imap.append(folder, &letter, &mut Body::of(BLANK)).await? else { break };
            blanks.push(uid);
            next = uid.saturating_add(1);
        }
        self.imap.remove(&blanks).await?;
        Ok(next)
    }

    async fn set_flags(
        &mut self,
        folder: &LedgerFolder,
        rows: &[Line],
        there: &BTreeMap<u32, Seen>,
    ) -> Result<(), Trouble> {
        for line in rows {
            let (Some((mailbox, entry)), Some(seen)) = (&line.here, there.get(&line.uid)) else { continue };
            let (base, own) = (marks(&line.row), marks_of(entry));
            if base == own || *mailbox != folder.mailbox {
                continue;
            }
            let theirs = Marks { flags: seen.flags, keywords: seen.keywords.clone() };
            let to = merged(&base, &own, &theirs);
            if to != theirs {
                self.imap.set_flags(line.uid, to.flags, &to.keywords).await?;
            }
            let (key, mailbox, uid) = (folder.key, *mailbox, entry.uid);
            let row = LedgerRow { flags: to.flags, keywords: to.keywords.clone(), pass: self.pass, ..line.row.clone() };
            let work = move |tx: &mut MailTx<'_, '_>| {
                if to != own {
                    tx.store_flags(mailbox, &[uid], FlagAct::Set, to.flags, &to.keywords, None)?;
                }
                tx.put_ledger_row(key, &row)
            };
            self.store.write(self.account, Durability::Sync, work).await?;
        }
        Ok(())
    }
}
