//! What the rules of a move leave out: messages that are marked as deleted at the source, and folders that are not its user's own. Each
//! message has a row that says so, until it is no longer marked or the rule is no more: then it comes.

use std::collections::{HashMap, HashSet};

use anser_base::{Durability, Result};
use anser_store::{Flags, LedgerFolder, LedgerKey, LedgerRow, LedgerState, MailTx};

use super::{BATCH, Outcome, Pass};
use crate::name;
use crate::source::{Folder, Seen, Space};

/// What a row says of a message that is marked as deleted.
pub(crate) const DELETED: &str = "it is marked as deleted there";
/// What a row says of a message that was left out before, and comes.
const WANTED: &str = "it was left out before";

/// What the rules of a source say to one of its mailboxes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// Messages that are marked as deleted stay there.
    pub skips_deleted: bool,
    /// Folders that many share come into this one.
    pub takes_shared: bool,
}

impl Rule {
    /// Whether a folder comes. One that is not the user's own goes on to come where all of it `came_whole` before.
    pub(crate) fn lets_in(self, space: Space, came_whole: bool) -> bool {
        match space {
            Space::Own => true,
            Space::Shared if self.takes_shared => true,
            _ => came_whole,
        }
    }
}

/// The names of folders of which all came once, by the rows of their login: under whatever number they had.
pub(crate) fn whole(known: &[LedgerFolder]) -> HashSet<&[u8]> {
    known.iter().filter(|folder| folder.uidnext > 0).map(|folder| &folder.name[..]).collect()
}

impl Pass<'_> {
    /// Parts folders that come from those that are left out, and names these.
    pub(super) async fn leave_folders(&self, folders: Vec<Folder>, outcome: &mut Outcome) -> Result<Vec<Folder>> {
        if folders.iter().all(|folder| folder.space == Space::Own) {
            return Ok(folders);
        }
        let id = self.id;
        let known = self.store.read(self.account, move |tx| tx.ledger_folders(id)).await?;
        let whole = whole(&known);
        let newest: HashMap<&[u8], &LedgerFolder> = known.iter().map(|folder| (&folder.name[..], folder)).collect();
        let (come, out): (Vec<Folder>, Vec<Folder>) =
            folders.into_iter().partition(|folder| self.rule.lets_in(folder.space, whole.contains(&folder.name[..])));
        for folder in out.into_iter().filter(Folder::is_selectable) {
            if let Some(begun) = newest.get(&folder.name[..]) {
                self.leave_folder(begun).await?;
            }
            outcome.left_out.push(name::shown(&folder.name));
        }
        Ok(come)
    }

    /// Nothing more comes of a folder that began to: its mailbox here is open to everybody, and is no longer held for its UIDs.
    async fn leave_folder(&self, begun: &LedgerFolder) -> Result<()> {
        let of = begun.clone();
        let find = move |tx: &mut MailTx<'_, '_>| tx.ledger_tally(of.key.source, Some(of.key.folder));
        let rows = self.store.read(self.account, find).await?.rows;
        let came = [LedgerState::Copied, LedgerState::Adopted, LedgerState::Removed].map(|state| rows[state as usize]);
        if begun.keeps_uids || begun.state > 0 || came != [0; 3] {
            self.close(begun.clone()).await?;
            let (messages, modseq, state) = (0, 0, 0);
            self.put(LedgerFolder { keeps_uids: false, messages, modseq, state, ..begun.clone() }).await?;
        }
        Ok(())
    }

    /// Notes what is left out of messages that are new; returns the others.
    pub(super) async fn leave_out(&self, ledger: &LedgerFolder, new: Vec<Seen>) -> Result<Vec<Seen>> {
        if !self.rule.skips_deleted {
            return Ok(new);
        }
        let (out, new): (Vec<Seen>, Vec<Seen>) = new.into_iter().partition(|one| one.flags.has(Flags::DELETED));
        let rows = out.iter().map(|one| LedgerRow { pass: self.number, ..row_of(one) }).collect();
        self.put_rows(ledger.key, rows).await?;
        self.watch.done(out.len() as u64, 0);
        Ok(new)
    }

    /// Whether a message that was left out is not any more.
    pub(super) fn is_let_in(&self, row: &LedgerRow, seen: &Seen) -> bool {
        is_left_out(row) && !(self.rule.skips_deleted && seen.flags.has(Flags::DELETED))
    }

    /// Notes of messages that were left out that they are to come: whatever is killed before they do, the next pass looks for them.
    pub(super) async fn let_in(&self, ledger: &LedgerFolder, rows: Vec<LedgerRow>) -> Result<()> {
        let wanted = |row: LedgerRow| LedgerRow {
            state: LedgerState::Failed,
            tries: 0,
            note: Some(WANTED.to_owned()),
            pass: self.number,
            ..row
        };
        self.put_rows(ledger.key, rows.into_iter().map(wanted).collect()).await
    }

    async fn put_rows(&self, key: LedgerKey, rows: Vec<LedgerRow>) -> Result<()> {
        for some in rows.chunks(BATCH) {
            let some = some.to_vec();
            let work = move |tx: &mut MailTx<'_, '_>| some.iter().try_for_each(|row| tx.put_ledger_row(key, row));
            self.store.write(self.account, Durability::Sync, work).await?;
        }
        Ok(())
    }

    /// Folders that are to be listed as a whole, whatever changed in them: some message of theirs was not handed out, or was left out by a
    /// rule that is no more.
    pub(super) async fn to_be_listed(&self, tries: u32) -> Result<HashSet<LedgerKey>> {
        let (id, skips) = (self.id, self.rule.skips_deleted);
        let find = move |tx: &mut MailTx<'_, '_>| {
            let mut found = tx.ledger_folders_with(id, LedgerState::Failed, tries)?;
            if !skips {
                found.extend(tx.ledger_folders_noted(id, LedgerState::Excluded, DELETED)?);
            }
            Ok(found)
        };
        self.store.read(self.account, find).await
    }
}

/// Whether a message was left out because it was marked as deleted.
pub(super) fn is_left_out(row: &LedgerRow) -> bool {
    row.state == LedgerState::Excluded && row.note.as_deref() == Some(DELETED)
}

fn row_of(one: &Seen) -> LedgerRow {
    let fresh = LedgerRow::new(one.key.clone(), LedgerState::Excluded);
    let (size, received, note) = (one.size, one.received.clone(), Some(DELETED.to_owned()));
    let (flags, keywords, identity) = (one.flags, one.keywords.clone(), one.identity);
    LedgerRow { size, received, note, flags, keywords, identity, ..fresh }
}
