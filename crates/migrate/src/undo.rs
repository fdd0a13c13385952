//! What a move brought goes away again: exactly the messages that it put here and that nobody has touched since, at either side.
//!
//! What was here before, what its owner moved, flagged or removed, and what the old server no longer has, stays. A row of the ledger goes
//! in the transaction that takes its message away, so that whatever is killed when, saying it again does the rest. The mailbox is new then:
//! nothing comes by itself, and when it is started again, what went comes once more, with UIDs of its own.

use anser_base::{AccountId, MailboxId, Result, Timestamp};
use anser_db::{Durability, Tx};
use anser_directory::Account;
use anser_store::{LedgerFolder, LedgerKey, LedgerState, MailTx, Store};
use serde::{Deserialize, Serialize};

use crate::Migrate;
use crate::acts::those;
use crate::history;
use crate::merge::{is_untouched, where_is};
use crate::model::{Mailbox, MoveState, State, Task};
use crate::own;
use crate::rows::{self, Standing};
use crate::source::Window;
use crate::which::Which;

/// Rows of the ledger that are looked at in one transaction.
const BATCH: usize = 256;

/// What goes away, or went, of one mailbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undone {
    /// Messages.
    pub removed: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Messages that the move brought and that stay, since their owner has touched them.
    pub touched: u64,
}

impl Migrate {
    /// What [`Self::undo`] would take away, by the address of each mailbox.
    pub async fn rehearse_undo(&self, name: &str, which: Which) -> Result<Vec<(String, Undone)>> {
        let of = self.named(name).await?;
        let mut all = Vec::new();
        for mailbox in self.those(of.id, &which).await? {
            let undone = go_over(&self.inner.deps.store, &mailbox, false).await?;
            all.push((mailbox.address, undone));
        }
        Ok(all)
    }

    /// Takes away what the move brought and nobody touched. A pass that is under way stops first. What went, by the address of each mailbox.
    pub async fn undo(&self, name: &str, which: Which) -> Result<Vec<(String, Undone)>> {
        let of = self.named(name).await?.id;
        let begin = move |tx: &mut Tx<'_>| {
            let all = those(tx, of, &which)?;
            all.iter().try_for_each(|mailbox| rest(tx, mailbox))?;
            Ok(all)
        };
        let mut all = Vec::new();
        for mailbox in self.write(begin).await? {
            let undone = self.undo_one(&mailbox).await?;
            all.push((mailbox.address, undone));
        }
        Ok(all)
    }

    /// Likewise for an account's own move, which pauses; with `dry_run` it is only counted. [`anser_base::Class::NotFound`].
    pub async fn undo_own(&self, account: &Account, id: u64, dry_run: bool) -> Result<Undone> {
        let owner = account.id;
        if dry_run {
            let mailbox = self.read(move |tx| own::mailbox_of(tx, owner, id)).await?;
            return go_over(&self.inner.deps.store, &mailbox, false).await;
        }
        let begin = move |tx: &mut Tx<'_>| {
            let mailbox = own::mailbox_of(tx, owner, id)?;
            rest(tx, &mailbox)?;
            rows::set_move(tx, id, MoveState::Paused)?;
            // Nothing came of it: the next pass is the first.
            own::rows::set_ended(tx, id, Timestamp(0))?;
            Ok(mailbox)
        };
        let mailbox = self.write(begin).await?;
        self.undo_one(&mailbox).await
    }

    async fn undo_one(&self, mailbox: &Mailbox) -> Result<Undone> {
        self.inner.stop_one(mailbox.id).await;
        let store = &self.inner.deps.store;
        begin_anew(store, mailbox.account, mailbox.id).await?;
        let undone = go_over(store, mailbox, true).await?;
        let (id, bytes) = (mailbox.id, mailbox.bytes.saturating_sub(undone.bytes));
        self.write(move |tx| {
            rows::progress(tx, id, 0, 0, bytes)?;
            rows::set_tally(tx, id, None)?;
            history::forget(tx, id)
        })
        .await?;
        Ok(undone)
    }
}

/// Nothing comes of a mailbox any more until it is started again.
fn rest(tx: &mut Tx<'_>, mailbox: &Mailbox) -> Result<()> {
    let state = if mailbox.state == State::Abandoned { State::Abandoned } else { State::New };
    let standing = Standing { state, task: Task::Copy, note: None, due: Timestamp(0), tries: 0 };
    rows::set_state(tx, mailbox.id, &standing)
}

/// No folder counts as gone over any more, so that the next pass meets what went; none keeps UIDs, since none is given twice.
async fn begin_anew(store: &Store, account: AccountId, id: u64) -> Result<()> {
    let work = move |tx: &mut MailTx<'_, '_>| {
        for folder in tx.ledger_folders(id)? {
            if folder.keeps_uids && tx.has_mailbox(folder.mailbox)? {
                tx.release_uids(folder.mailbox)?;
            }
            let (messages, uidnext, modseq, mark) = (0, 0, 0, Vec::new());
            tx.put_ledger_folder(&LedgerFolder { messages, uidnext, modseq, mark, keeps_uids: false, ..folder })?;
        }
        Ok(())
    };
    store.ensure(account).await?;
    store.write(account, Durability::Sync, work).await
}

/// Counts what would go of a mailbox, or takes it away.
async fn go_over(store: &Store, mailbox: &Mailbox, removes: bool) -> Result<Undone> {
    let (account, id) = (mailbox.account, mailbox.id);
    let mut all = Undone::default();
    if mailbox.pass == 0 {
        return Ok(all);
    }
    for folder in store.read(account, move |tx| tx.ledger_folders(id)).await? {
        let mut next = Some(Vec::new());
        while let Some(first) = next {
            let work = move |tx: &mut MailTx<'_, '_>| step(tx, folder.key, &first, removes);
            let (some, behind) = match removes {
                true => store.write(account, Durability::Sync, work).await?,
                false => store.read(account, work).await?,
            };
            all.removed += some.removed;
            all.bytes += some.bytes;
            all.touched += some.touched;
            next = behind;
        }
    }
    Ok(all)
}

/// Some rows from a key on, and where the next ones begin.
fn step(tx: &mut MailTx<'_, '_>, key: LedgerKey, first: &[u8], removes: bool) -> Result<(Undone, Option<Vec<u8>>)> {
    let rows = tx.ledger_rows(key, first, &Window::WHOLE.keys().1, BATCH)?;
    let behind = rows.last().filter(|_| rows.len() == BATCH).map(|last| [&last.key[..], &[0]].concat());
    let (mut undone, mut going): (_, Vec<(MailboxId, u32)>) = (Undone::default(), Vec::new());
    for row in rows.into_iter().filter(|row| row.state == LedgerState::Copied) {
        if is_untouched(tx, &row)? {
            undone.removed += 1;
            undone.bytes += row.size;
            if removes {
                going.push((row.mailbox, row.uid));
                tx.forget_ledger_row(key, &row.key)?;
            }
        } else {
            undone.touched += u64::from(where_is(tx, &row)?.is_some());
        }
    }
    going.sort_unstable_by_key(|(mailbox, uid)| (mailbox.0, *uid));
    for some in going.chunk_by(|one, other| one.0 == other.0) {
        let uids: Vec<u32> = some.iter().map(|(_, uid)| *uid).collect();
        tx.expunge(some[0].0, &uids, false)?;
    }
    Ok((undone, behind))
}
