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
//! | a folder that got another name or place | gets it, unless another folder has that name there |
//! | a message that was removed | is removed, unless somebody has touched it there since |
//! | a folder that was removed | goes, once nothing is left in it |
//!
//! Only what the ledger knows, and what its owner removed as whatever is expunged or moved leaves a trace of, is ever removed; what came there
//! late stays. When much would be removed from a folder, a person is asked first. Folders are renamed and removed as their places here have
//! changed since the cut-over, or the last way back.
//!
//! A message that was appended, and of which a crash kept the ledger from knowing, is found there by its bytes.

mod clear;
mod fill;
mod folders;

use std::collections::{BTreeMap, HashMap, HashSet};

use anser_base::{AccountId, Durability, MailboxId, MessageId, TenantId};
use anser_store::{Entry, LedgerFolder, LedgerRow, LedgerState, MailTx, Store};
use serde::{Deserialize, Serialize};

use crate::imap::Imap;
use crate::merge::{Marks, Removals, where_is};
use crate::model::{Mailbox, Task};
use crate::name;
use crate::pass::{HIDDEN, Outcome, Rule, whole};
use crate::source::{Origin, Spaces, Standing, Window};
use crate::trouble::Trouble;
use crate::work::{CAREFUL, Work};
use folders::name_of;

/// Rows of the ledger that are looked at in one folder.
const ROWS: usize = 5_000_000;

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
    /// Messages that were removed here; those that nobody has touched there since are removed there.
    pub removed: u64,
    /// Folders that have another name or place here.
    #[serde(default)]
    pub renamed: u64,
    /// Folders that were removed here.
    #[serde(default)]
    pub removed_folders: u64,
}

/// One folder of both sides.
struct Pair {
    ledger: LedgerFolder,
    /// Rows of messages that are here, by what the source knows them by.
    rows: Vec<Line>,
    /// Messages that only this side has, by UID.
    fresh: Vec<Entry>,
    /// UIDs there of messages that a rule left out: they are none of those.
    left_out: HashSet<u32>,
}

/// A row, and where its message is now.
struct Line {
    row: LedgerRow,
    /// The UID at the old server.
    uid: u32,
    here: Option<(MailboxId, Entry)>,
    /// Whether its owner removed it here, as far as that left a trace.
    is_removed: bool,
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

    /// Messages that were removed here.
    fn removed(&self) -> impl Iterator<Item = &Line> {
        self.rows.iter().filter(|line| line.is_removed)
    }

    /// Messages that are in this folder on both sides, under two UIDs: they came late, when theirs was past.
    fn misplaced(&self) -> Vec<Entry> {
        let (in_place, mailbox) = (self.in_place(), self.ledger.mailbox);
        let is_it = |line: &&Line| !line.is_in_place() && !in_place.contains(&line.row.message);
        let here = self.rows.iter().filter(is_it).filter_map(|line| line.here.as_ref());
        here.filter(|(at, _)| *at == mailbox).map(|(_, entry)| entry.clone()).collect()
    }
}

/// What the way back of a mailbox would bring; nothing is asked of the old server, whose namespaces are those that it told last.
pub(crate) async fn rehearse(
    store: &Store,
    mailbox: &Mailbox,
    rule: Rule,
    spaces: Spaces,
) -> anser_base::Result<Returned> {
    let id = mailbox.id;
    let count = move |tx: &mut MailTx<'_, '_>| {
        let name_of = |path: &[String]| name_of(path, spaces.delimiter().unwrap_or(b'/'), &spaces.prefix());
        let (mut all, mut made) = (Returned::default(), Vec::new());
        for mailbox in homeless(tx, id)? {
            if spaces.are_own(&name_of(&tx.path(mailbox)?)) {
                all.folders += 1;
                all.messages += tx.entries(mailbox, 1, u32::MAX)?.len() as u64;
                made.push(mailbox);
            }
        }
        let noted = tx.ledger_paths(id)?;
        for folder in newest(tx, id)?.into_iter().filter(|folder| spaces.are_own(&folder.name)) {
            let Some(before) = noted.get(&folder.key.folder) else { continue };
            if !tx.has_mailbox(folder.mailbox)? {
                all.removed_folders += 1;
                continue;
            }
            let now = tx.path(folder.mailbox)?;
            all.renamed += u64::from(now != *before && spaces.are_own(&name_of(&now)));
        }
        let (folders, _) = parted(tx, id, rule, &spaces)?;
        let filled: HashSet<MailboxId> = folders.iter().map(|folder| folder.mailbox).chain(made).collect();
        for folder in folders {
            let pair = pair(tx, folder)?;
            all.messages += pair.fresh.len() as u64;
            for line in &pair.rows {
                match &line.here {
                    None => all.removed += u64::from(line.is_removed),
                    Some((at, _)) if *at != pair.ledger.mailbox => all.moved += u64::from(filled.contains(at)),
                    Some((_, entry)) => all.flags += u64::from(marks(&line.row) != marks_of(entry)),
                }
            }
        }
        // A message that was moved is fresh in its new folder.
        all.messages = all.messages.saturating_sub(all.moved);
        Ok(all)
    };
    store.read(mailbox.account, count).await
}

/// Gives the old server what is new here.
pub(crate) async fn give_back(work: &Work<'_>, origin: &mut Origin) -> Result<Outcome, Trouble> {
    let Work { inner, mailbox, source, account, .. } = work;
    let pass = inner.begin_pass(mailbox).await?;
    let Origin::Imap(imap) = origin else {
        return Err(Trouble::Question("the way back needs IMAP: this source takes no mail".into()));
    };
    let store = inner.deps.store.clone();
    let losses_are_meant = mailbox.task == Task::ReturnAfterLoss;
    let mut back =
        Back { store, tenant: account.tenant, account: account.id, id: mailbox.id, pass, losses_are_meant, imap };
    let id = mailbox.id;
    let spaces = back.imap.spaces().await?;
    // As on the way here: one that never does may as well have none.
    if spaces.are_hidden && mailbox.tries < CAREFUL {
        return Err(Trouble::lost(HIDDEN));
    }
    // First: of a mailbox that asks nothing is changed.
    let folders = back.store.read(back.account, move |tx| newest(tx, id)).await?;
    back.check_losses(&folders).await?;
    back.rename_folders().await?;
    let mut outcome = Outcome::default();
    back.make_folders(&mut outcome).await?;
    let rule = inner.rule_for(mailbox, source).await?;
    // What came of a folder that is left out stays here, and is named.
    let (folders, out) = back.store.read(back.account, move |tx| parted(tx, id, rule, &spaces)).await?;
    outcome.left_out.extend(out.iter().map(|folder| name::shown(&folder.name)));
    for folder in &folders {
        back.fill(folder, &mut outcome).await?;
    }
    // Only now: whatever was moved is in its new folder.
    let filled: HashSet<MailboxId> = folders.iter().map(|folder| folder.mailbox).collect();
    for folder in folders {
        back.clear(folder, &filled).await?;
    }
    back.remove_folders().await?;
    let note = move |tx: &mut MailTx<'_, '_>| tx.note_ledger_paths(id);
    back.store.write(back.account, Durability::Sync, note).await?;
    Ok(outcome)
}

struct Back<'a> {
    store: Store,
    tenant: TenantId,
    account: AccountId,
    /// The number by which the ledger knows the login.
    id: u64,
    pass: u32,
    /// Whether somebody said that what was removed here is to be removed there, much as it is.
    losses_are_meant: bool,
    imap: &'a mut Imap,
}

impl Back<'_> {
    /// Opens a folder to write. What the ledger knows its messages by must still name the same ones: of a folder that was numbered anew
    /// nothing is changed.
    async fn select(&mut self, folder: &LedgerFolder) -> Result<Standing, Trouble> {
        let standing = self.imap.select(&folder.name).await?;
        if folder.uidvalidity != 0 && standing.uidvalidity != folder.uidvalidity {
            let name = name::shown(&folder.name);
            return Err(Trouble::Question(format!("the old server numbered {name} anew: run delta first")));
        }
        Ok(standing)
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

/// The newest folders that take part, and those that are left out.
fn parted(
    tx: &mut MailTx<'_, '_>,
    id: u64,
    rule: Rule,
    spaces: &Spaces,
) -> anser_base::Result<(Vec<LedgerFolder>, Vec<LedgerFolder>)> {
    let known = tx.ledger_folders(id)?;
    let whole = whole(&known);
    let takes_part = |folder: &LedgerFolder| rule.lets_in(spaces.of(&folder.name), whole.contains(&folder.name[..]));
    Ok(newest(tx, id)?.into_iter().partition(takes_part))
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
    let (mut rows, mut known, mut removals) = (Vec::new(), HashSet::new(), Removals::default());
    let mut left_out = HashSet::new();
    for row in tx.ledger_rows(ledger.key, &first, &last, ROWS)? {
        let Some(uid) = <[u8; 4]>::try_from(&row.key[..]).ok().map(u32::from_be_bytes) else { continue };
        if row.state == LedgerState::Excluded {
            left_out.insert(uid);
        }
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
        let is_removed = here.is_none() && removals.include(tx, row.mailbox, row.uid)?;
        rows.push(Line { row, uid, here, is_removed });
    }
    let mut fresh: Vec<Entry> = entries.into_values().filter(|entry| !known.contains(&entry.message)).collect();
    fresh.sort_by_key(|entry| entry.uid);
    Ok(Pair { ledger, rows, fresh, left_out })
}

fn marks(row: &LedgerRow) -> Marks {
    Marks { flags: row.flags, keywords: row.keywords.clone() }
}

fn marks_of(entry: &Entry) -> Marks {
    Marks { flags: entry.flags, keywords: entry.keywords.clone() }
}
