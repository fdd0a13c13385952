//! The way back: what is new here goes to the old server, by the same ledger, so that either direction may follow the other as often as
//! anybody likes, and each message is on both sides once.
//!
//! | here since | there then |
//! |---|---|
//! | a message that came, or was written | is appended, with its date, flags and keywords; with the same UID where that is still free |
//! | other flags or keywords | are set; what changed there meanwhile comes here |
//! | a message that was moved to another folder | is moved |
//! | a message that has another UID here than there, because it came late | is put where it is here, and goes from where it was |
//! | a folder that was made | is made |
//! | a message that was removed | stays: nothing is lost on the way back |
//!
//! A message that was appended, and of which a crash kept the ledger from knowing, is found there by its bytes.

use std::collections::{BTreeMap, HashMap, HashSet};

use anser_base::{AccountId, BlobId, Durability, MailboxId, MessageId, TenantId};
use anser_directory::Account;
use anser_mime::date::{DateTime, format_internal_date};
use anser_store::{Entry, FlagAct, LedgerFolder, LedgerKey, LedgerRow, LedgerState, MailTx, Store};
use anser_wire::imap::encode_mutf7;
use serde::{Deserialize, Serialize};

use crate::Inner;
use crate::imap::Imap;
use crate::imap::write::{Body, Letter};
use crate::merge::{Marks, merged, where_is};
use crate::model::Mailbox;
use crate::pass::Outcome;
use crate::source::{Origin, Seen, Taken, Window};
use crate::trouble::Trouble;

/// Rows of the ledger that are looked at in one folder.
const ROWS: usize = 5_000_000;
/// UIDs that are passed over, at most, so that a message keeps its own: each costs the old server a message that goes at once.
const GAP: u32 = 300;
/// Messages there that nobody knows, whose bytes are looked at in one folder.
const STRANGERS: usize = 10_000;
/// Bodies that are asked for at once.
const READ: usize = 16;
/// What stands in for a message of which only the UID is wanted.
const BLANK: &[u8] = b"Subject: -\r\n\r\n";

/// What the way back brings, or would bring.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Returned {
    /// Messages that are only here.
    pub messages: u64,
    /// Messages whose flags or keywords are others here than at the last pass.
    pub flags: u64,
    /// Messages that are in another folder here.
    pub moved: u64,
    /// Folders that are only here.
    pub folders: u64,
    /// Messages that were removed here, and stay there.
    pub removed: u64,
}

/// One folder of both sides.
struct Pair {
    ledger: LedgerFolder,
    /// Rows of messages that are here, by what the source knows them by.
    rows: Vec<Line>,
    /// Messages that only this side has, by UID.
    fresh: Vec<Entry>,
}

/// A row, and where its message is now.
struct Line {
    row: LedgerRow,
    /// The UID at the old server.
    uid: u32,
    here: Option<(MailboxId, Entry)>,
}

impl Line {
    /// Whether the message has the UID here that it has there.
    fn is_in_place(&self) -> bool {
        self.here.as_ref().is_some_and(|(_, entry)| entry.uid == self.uid)
    }
}

impl Pair {
    /// Messages that have the same UID on both sides.
    fn in_place(&self) -> HashSet<MessageId> {
        let lines = self.rows.iter().filter(|line| line.is_in_place());
        lines.map(|line| line.row.message).collect()
    }

    /// Messages that are in this folder on both sides, under two UIDs: they came late, when theirs was past.
    fn misplaced(&self) -> Vec<Entry> {
        let (in_place, mailbox) = (self.in_place(), self.ledger.mailbox);
        let is_it = |line: &&Line| !line.is_in_place() && !in_place.contains(&line.row.message);
        let here = self.rows.iter().filter(is_it).filter_map(|line| line.here.as_ref());
        here.filter(|(at, _)| *at == mailbox).map(|(_, entry)| entry.clone()).collect()
    }
}

/// What the way back of a mailbox would bring; nothing is asked of the old server.
pub(crate) async fn rehearse(store: &Store, mailbox: &Mailbox) -> anser_base::Result<Returned> {
    let id = mailbox.id;
    let count = move |tx: &mut MailTx<'_, '_>| {
        let mut all = Returned { folders: homeless(tx, id)?.len() as u64, ..Returned::default() };
        for folder in newest(tx, id)? {
            let pair = pair(tx, folder)?;
            all.messages += pair.fresh.len() as u64;
            for line in &pair.rows {
                match &line.here {
                    None => all.removed += 1,
                    Some((at, _)) if *at != pair.ledger.mailbox => all.moved += 1,
                    Some((_, entry)) => all.flags += u64::from(marks(&line.row) != marks_of(entry)),
                }
            }
        }
        for mailbox in homeless(tx, id)? {
            all.messages += tx.entries(mailbox, 1, u32::MAX)?.len() as u64;
        }
        // A message that was moved is fresh in its new folder.
        all.messages = all.messages.saturating_sub(all.moved);
        Ok(all)
    };
    store.read(mailbox.account, count).await
}

/// Gives the old server what is new here.
pub(crate) async fn give_back(
    inner: &Inner,
    mailbox: &Mailbox,
    account: &Account,
    origin: &mut Origin,
    pass: u32,
) -> Result<Outcome, Trouble> {
    let Origin::Imap(imap) = origin else {
        return Err(Trouble::Question("the way back needs IMAP: this source takes no mail".into()));
    };
    let store = inner.deps.store.clone();
    let mut back = Back { store, tenant: account.tenant, account: account.id, id: mailbox.id, pass, imap };
    back.make_folders().await?;
    let id = mailbox.id;
    let folders = back.store.read(back.account, move |tx| newest(tx, id)).await?;
    let mut outcome = Outcome::default();
    for folder in &folders {
        back.fill(folder, &mut outcome).await?;
    }
    // Only now: whatever was moved is in its new folder.
    for folder in folders {
        back.clear(folder).await?;
    }
    Ok(outcome)
}

struct Back<'a> {
    store: Store,
    tenant: TenantId,
    account: AccountId,
    /// The number by which the ledger knows the login.
    id: u64,
    pass: u32,
    imap: &'a mut Imap,
}

impl Back<'_> {
    /// Folders that are only here are made there.
    async fn make_folders(&mut self) -> Result<(), Trouble> {
        let id = self.id;
        let find = move |tx: &mut MailTx<'_, '_>| {
            let mut found = Vec::new();
            for mailbox in homeless(tx, id)? {
                found.push((mailbox, tx.path(mailbox)?, tx.mailbox(mailbox)?.subscribed));
            }
            Ok(found)
        };
        let homeless = self.store.read(self.account, find).await?;
        if homeless.is_empty() {
            return Ok(());
        }
        let prefix = self.imap.personal_prefix().await?;
        let listed = self.imap.folders().await?;
        let delimiter = listed.iter().find_map(|folder| folder.delimiter).unwrap_or(b'/');
        let names: HashSet<&[u8]> = listed.iter().map(|folder| &folder.name[..]).collect();
        for (mailbox, path, subscribed) in homeless {
            let name = name_of(&path, delimiter, &prefix);
            if !names.contains(&name[..]) {
                match self.imap.create(&name, subscribed).await {
                    // Some servers have folders that they do not list.
                    Ok(()) | Err(Trouble::Refused(_)) => {}
                    Err(other) => return Err(other),
                }
            }
            let standing = self.imap.examine(&name).await?;
            let work = move |tx: &mut MailTx<'_, '_>| {
                let last = tx.ledger_folders(id)?.iter().map(|folder| folder.key.folder).max().unwrap_or(0);
                tx.put_ledger_folder(&LedgerFolder {
                    key: LedgerKey { source: id, folder: last + 1 },
                    name: name.clone(),
                    mailbox,
                    uidvalidity: standing.uidvalidity,
                    uidnext: 0,
                    modseq: 0,
                    messages: 0,
                    keeps_uids: false,
                    state: 0,
                })
            };
            self.store.write(self.account, Durability::Sync, work).await?;
        }
        Ok(())
    }

    /// Appends what is only here, and sets flags that changed.
    async fn fill(&mut self, folder: &LedgerFolder, outcome: &mut Outcome) -> Result<(), Trouble> {
        let of = folder.clone();
        let mut pair = self.store.read(self.account, move |tx| pair(tx, of.clone())).await?;
        let is_changed = |line: &Line| line.here.as_ref().is_some_and(|(_, entry)| marks(&line.row) != marks_of(entry));
        let may_place = folder.keeps_uids && self.imap.can("UIDPLUS");
        let placed = if may_place { pair.misplaced() } else { Vec::new() };
        if pair.fresh.is_empty() && placed.is_empty() && !pair.rows.iter().any(is_changed) {
            return Ok(());
        }
        let standing = self.imap.select(&folder.name).await?;
        if folder.uidvalidity != 0 && standing.uidvalidity != folder.uidvalidity {
            let name = String::from_utf8_lossy(&folder.name);
            return Err(Trouble::Question(format!("the old server numbered {name} anew: run delta first")));
        }
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
        self.imap.select(&folder.name).await?;
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
        let known: HashSet<u32> = pair.rows.iter().map(|line| line.uid).collect();
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
            let mut fetcher = crate::imap::fetch::Fetcher::new(self.imap, self.store.clone(), self.tenant);
            fetcher.ask(some.to_vec()).await?;
            for (uid, taken) in fetcher.receive().await?.arrived {
                let hash = match &taken {
                    Taken::Memory(body) => BlobId::of(body),
                    Taken::Stored(content) => content.blob,
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

    /// Removes there what was moved to another folder here, and is in that one by now; and what has its own UID there by now.
    async fn clear(&mut self, folder: LedgerFolder) -> Result<(), Trouble> {
        let of = folder.clone();
        let pair = self.store.read(self.account, move |tx| pair(tx, of.clone())).await?;
        let in_place = pair.in_place();
        let is_doubled = |line: &Line| !line.is_in_place() && in_place.contains(&line.row.message);
        let was_moved = |line: &Line| line.here.as_ref().is_some_and(|(mailbox, _)| *mailbox != folder.mailbox);
        let doomed: Vec<&Line> = pair.rows.iter().filter(|line| was_moved(line) || is_doubled(line)).collect();
        if doomed.is_empty() {
            return Ok(());
        }
        let mut uids: Vec<u32> = doomed.iter().map(|line| line.uid).collect();
        uids.sort_unstable();
        self.imap.select(&folder.name).await?;
        let are_gone = self.imap.remove(&uids).await?;
        let (pass, key) = (self.pass, folder.key);
        let doomed: Vec<(LedgerRow, bool)> = doomed.iter().map(|line| (line.row.clone(), is_doubled(line))).collect();
        let work = move |tx: &mut MailTx<'_, '_>| {
            for (row, is_doubled) in &doomed {
                let flags = row.flags.with(anser_store::Flags::DELETED);
                match (are_gone, is_doubled) {
                    (true, true) => tx.forget_ledger_row(key, &row.key)?,
                    (true, false) => {
                        let (state, message) = (LedgerState::Gone, MessageId(0));
                        tx.put_ledger_row(key, &LedgerRow { state, message, pass, ..row.clone() })?;
                    }
                    // It is marked there, which is no wish of its owner's.
                    (false, _) => tx.put_ledger_row(key, &LedgerRow { flags, pass, ..row.clone() })?,
                }
            }
            Ok(())
        };
        Ok(self.store.write(self.account, Durability::Sync, work).await?)
    }
}

/// The folders of a login; the newest of each mailbox, and those that are still there.
fn newest(tx: &mut MailTx<'_, '_>, id: u64) -> anser_base::Result<Vec<LedgerFolder>> {
    let mut by_name: BTreeMap<Vec<u8>, LedgerFolder> = BTreeMap::new();
    for folder in tx.ledger_folders(id)? {
        by_name.insert(folder.name.clone(), folder);
    }
    Ok(by_name.into_values().collect())
}

/// Mailboxes that take no folder of the login, those above first. Empty ones too: programs have seen them, and look for them there.
fn homeless(tx: &mut MailTx<'_, '_>, id: u64) -> anser_base::Result<Vec<MailboxId>> {
    let taken: HashSet<MailboxId> = tx.ledger_folders(id)?.iter().map(|folder| folder.mailbox).collect();
    let mut found = Vec::new();
    for mailbox in tx.mailboxes()? {
        if !taken.contains(&mailbox.id) {
            found.push((tx.path(mailbox.id)?.len(), mailbox.id));
        }
    }
    found.sort_unstable();
    Ok(found.into_iter().map(|(_, id)| id).collect())
}

fn pair(tx: &mut MailTx<'_, '_>, ledger: LedgerFolder) -> anser_base::Result<Pair> {
    let (first, last) = Window::WHOLE.keys();
    let entries: HashMap<u32, Entry> =
        tx.entries(ledger.mailbox, 1, u32::MAX)?.into_iter().map(|entry| (entry.uid, entry)).collect();
    let (mut rows, mut known) = (Vec::new(), HashSet::new());
    for row in tx.ledger_rows(ledger.key, &first, &last, ROWS)? {
        let Some(uid) = <[u8; 4]>::try_from(&row.key[..]).ok().map(u32::from_be_bytes) else { continue };
        if !row.state.is_here() {
            continue;
        }
        let in_place = entries.get(&row.uid).filter(|entry| entry.message == row.message);
        let here = match in_place {
            Some(entry) => Some((ledger.mailbox, entry.clone())),
            None => match where_is(tx, &row)? {
                Some((mailbox, uid)) => tx.entry(mailbox, uid)?.map(|entry| (mailbox, entry)),
                None => None,
            },
        };
        if here.as_ref().is_some_and(|(mailbox, _)| *mailbox == ledger.mailbox) {
            known.insert(row.message);
        }
        rows.push(Line { row, uid, here });
    }
    let mut fresh: Vec<Entry> = entries.into_values().filter(|entry| !known.contains(&entry.message)).collect();
    fresh.sort_by_key(|entry| entry.uid);
    Ok(Pair { ledger, rows, fresh })
}

fn marks(row: &LedgerRow) -> Marks {
    Marks { flags: row.flags, keywords: row.keywords.clone() }
}

fn marks_of(entry: &Entry) -> Marks {
    Marks { flags: entry.flags, keywords: entry.keywords.clone() }
}

/// The name of a folder there. A level that holds what stands between levels there gets `_` for it.
fn name_of(path: &[String], delimiter: u8, prefix: &[u8]) -> Vec<u8> {
    let mark = char::from(delimiter);
    let levels: Vec<String> = path.iter().map(|level| encode_mutf7(&level.replace(mark, "_"))).collect();
    [prefix, levels.join(&mark.to_string()).as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_other_side() {
        let path = |levels: &[&str]| levels.iter().map(|level| (*level).to_owned()).collect::<Vec<_>>();
        assert_eq!(name_of(&path(&["Work", "2026.dot"]), b'/', b""), b"Work/2026.dot");
        assert_eq!(name_of(&path(&["Work", "2026.dot"]), b'.', b"INBOX."), b"INBOX.Work.2026_dot");
        assert_eq!(name_of(&path(&["已发送"]), b'/', b""), b"&XfJT0ZAB-");
    }
}
