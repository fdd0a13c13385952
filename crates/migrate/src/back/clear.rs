//! What was moved or removed here goes there.

use std::collections::{BTreeMap, HashSet};

use anser_base::{Durability, MailboxId, MessageId};
use anser_store::{Flags, LedgerFolder, LedgerRow, LedgerState, MailTx};

use super::{Back, Line, marks, pair};
use crate::merge::Marks;
use crate::name;
use crate::pass::{FEW, LOSS};
use crate::source::{Seen, Window};
use crate::trouble::Trouble;

impl Back<'_> {
    /// Asks before it removes much: what the ledger knows of a folder, and is there no longer here, may be gone for a reason that nobody
    /// thought of.
    pub(super) async fn check_losses(&mut self, folders: &[LedgerFolder]) -> Result<(), Trouble> {
        if self.losses_are_meant {
            return Ok(());
        }
        for folder in folders {
            let of = folder.clone();
            let pair = self.store.read(self.account, move |tx| pair(tx, of.clone())).await?;
            let (lost, all) = (pair.removed().count() as u64, pair.rows.len() as u64);
            if lost > FEW && lost * LOSS > all {
                let name = name::shown(&folder.name);
                return Err(Trouble::Question(format!(
                    "{lost} of {all} messages of the folder {name} were removed here, and would be removed there"
                )));
            }
        }
        Ok(())
    }

    /// Removes there what was moved to another folder here, and is in that one by now; what has its own UID there by now; and what was
    /// removed here, where it is still as the ledger knows it. What was moved to a mailbox that is not `filled` there stays where it was.
    pub(super) async fn clear(&mut self, folder: LedgerFolder, filled: &HashSet<MailboxId>) -> Result<(), Trouble> {
        let of = folder.clone();
        let pair = self.store.read(self.account, move |tx| pair(tx, of.clone())).await?;
        let in_place = pair.in_place();
        let fate = |line: &Line| {
            let is_elsewhere = |mailbox: &MailboxId| *mailbox != folder.mailbox && filled.contains(mailbox);
            let was_moved = line.here.as_ref().is_some_and(|(mailbox, _)| is_elsewhere(mailbox));
            match () {
                () if line.is_removed => Some(Fate::Removed),
                () if was_moved => Some(Fate::Moved),
                () if !line.is_in_place() && in_place.contains(&line.row.message) => Some(Fate::Doubled),
                () => None,
            }
        };
        let mut doomed: Vec<(LedgerRow, u32, Fate)> =
            pair.rows.iter().filter_map(|line| Some((line.row.clone(), line.uid, fate(line)?))).collect();
        if doomed.is_empty() {
            return Ok(());
        }
        self.select(&folder).await?;
        if doomed.iter().any(|(.., fate)| *fate == Fate::Removed) {
            let listed = self.imap.list(Window::WHOLE).await?;
            let there: BTreeMap<u32, Seen> = listed.into_iter().map(|seen| (seen.uid, seen)).collect();
            doomed.retain(|(row, uid, fate)| *fate != Fate::Removed || is_untouched(row, there.get(uid)));
        }
        doomed.sort_unstable_by_key(|(_, uid, _)| *uid);
        let uids: Vec<u32> = doomed.iter().map(|(_, uid, _)| *uid).collect();
        let are_gone = self.imap.remove(&uids).await?;
        let (pass, key) = (self.pass, folder.key);
        let work = move |tx: &mut MailTx<'_, '_>| {
            for (row, _, fate) in &doomed {
                let gone = |state| LedgerRow { state, message: MessageId(0), pass, ..row.clone() };
                match (are_gone, fate) {
                    (true, Fate::Doubled) => tx.forget_ledger_row(key, &row.key)?,
                    (true, Fate::Moved) => tx.put_ledger_row(key, &gone(LedgerState::Gone))?,
                    (true, Fate::Removed) => tx.put_ledger_row(key, &gone(LedgerState::Removed))?,
                    // It is marked there, which is no wish of its owner's.
                    (false, _) => {
                        let flags = row.flags.with(Flags::DELETED);
                        tx.put_ledger_row(key, &LedgerRow { flags, pass, ..row.clone() })?;
                    }
                }
            }
            Ok(())
        };
        Ok(self.store.write(self.account, Durability::Sync, work).await?)
    }
}

/// Why a message goes there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It is in another folder.
    Moved,
    /// It has its own UID by now.
    Doubled,
    /// It was removed here.
    Removed,
}

/// Whether a message is there as the ledger knows it. Whatever somebody has touched there since stays.
fn is_untouched(row: &LedgerRow, there: Option<&Seen>) -> bool {
    there.is_some_and(|seen| marks(row) == Marks { flags: seen.flags, keywords: seen.keywords.clone() })
}
