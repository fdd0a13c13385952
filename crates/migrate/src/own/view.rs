//! How a person's own move stands, for its owner, who may look often.

use std::collections::{BTreeMap, HashMap};
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use anser_base::{Result, Text, Timestamp};
use anser_store::{LedgerState, MailTx};

use super::rows::Own;
use super::words;
use super::{OwnMove, OwnResult, OwnState, SignInState};
use crate::Migrate;
use crate::model::{Mailbox, Move, MoveState, Source, State};
use crate::name::chosen_by;

/// Messages that did not come whose reasons are told.
const FAILED: usize = 1_000;
/// Reasons that are told apart.
const REASONS: usize = 20;
/// Moves whose results are kept in memory.
const COUNTED: usize = 10_000;

/// Results as they were last counted, by mailbox: a ledger may have millions of rows, and is counted again only when a pass may have changed
/// it, or its owner the choice of what comes.
pub(crate) type Counted = HashMap<u64, (Passed, OwnResult)>;

/// What is another one after every pass: how many there were, messages looked at, bytes, and what is with the mailbox; and how many messages
/// each folder holds that is left out.
pub(crate) type Passed = (u32, u64, u64, State, BTreeMap<String, u64>);

impl Migrate {
    pub(super) async fn own_view(&self, own: Own, (of, mailbox, source): (Move, Mailbox, Source)) -> Result<OwnMove> {
        let id = mailbox.id;
        let live = self.inner.followed(id);
        let [done, total, more] = match &live {
            Some(live) => [&live.done, &live.total, &live.bytes].map(|count| count.load(Ordering::Relaxed)),
            None => [mailbox.done, mailbox.total, 0],
        };
        let sign_in = self.inner.sign_in_of(own.account, &mailbox, &source)?;
        let is_asked =
            sign_in.as_ref().is_some_and(|one| matches!(one.state, SignInState::Needed | SignInState::Asked));
        let is_first = own.ended.0 == 0 && total + done + mailbox.bytes == 0;
        let began = if is_first { OwnState::Checking } else { OwnState::Running };
        let state = match (of.state, mailbox.state) {
            (_, State::Refused) if is_asked => OwnState::Paused,
            (_, State::Refused) => OwnState::Refused,
            // It does not go on by itself either.
            (MoveState::Paused, _) | (_, State::Asking) => OwnState::Paused,
            (_, State::Settled) => OwnState::Done,
            // Somebody has just begun it, or its time has come.
            (_, State::Copying) => began,
            (_, State::Waiting)
                if mailbox.tries == 0 && mailbox.note.is_none() && mailbox.due <= self.inner.deps.clock.now() =>
            {
                began
            }
            _ => OwnState::Waiting,
        };
        let folders = match mailbox.pass {
            0 => (0, 0),
            _ => self.inner.deps.store.read(mailbox.account, move |tx| folders(tx, id)).await?,
        };
        // Before the first pass came to its end there is nothing to be told of.
        let result = match own.ended.0 {
            0 => None,
            _ => Some(self.result_of(&mailbox, &own).await?),
        };
        let moment = |at: Timestamp| Some(at).filter(|at| at.0 > 0);
        Ok(OwnMove {
            id: own.of,
            problem: words::problem(&mailbox, sign_in.as_ref()),
            sign_in,
            login: mailbox.login,
            every: own.every(),
            target: own.target,
            choice: own.choice,
            state,
            folders,
            messages: (done.min(total.max(done)), total.max(done)),
            bytes: mailbox.bytes + more,
            result,
            started: moment(own.started),
            ended: moment(own.ended),
            email: own.email,
            source,
        })
    }

    async fn result_of(&self, mailbox: &Mailbox, own: &Own) -> Result<OwnResult> {
        let left = own.left.clone().into_iter().filter(|(name, _)| own.choice.leaves_out(name.as_bytes()));
        let left: BTreeMap<String, u64> = left.collect();
        let (id, passed) = (mailbox.id, (mailbox.pass, mailbox.done, mailbox.bytes, mailbox.state, left.clone()));
        let counted_before = || self.inner.counted.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, result)) = counted_before().get(&id).filter(|(as_of, _)| *as_of == passed) {
            return Ok(result.clone());
        }
        let result = self.inner.deps.store.read(mailbox.account, move |tx| counted(tx, id, &left)).await?;
        let mut all = counted_before();
        if all.len() >= COUNTED {
            all.clear();
        }
        all.insert(id, (passed, result.clone()));
        Ok(result)
    }
}

/// Folders gone over as a whole, and all that are known.
fn folders(tx: &mut MailTx<'_, '_>, id: u64) -> Result<(u64, u64)> {
    let mut by_name: BTreeMap<Vec<u8>, bool> = BTreeMap::new();
    for folder in tx.ledger_folders(id)? {
        by_name.insert(folder.name, folder.uidnext > 0);
    }
    Ok((by_name.values().filter(|whole| **whole).count() as u64, by_name.len() as u64))
}

/// Messages of folders that are left out: not those that came before.
fn left_out(tx: &mut MailTx<'_, '_>, id: u64, left: &BTreeMap<String, u64>) -> Result<u64> {
    let mut count = 0;
    let known = if left.is_empty() { Vec::new() } else { tx.ledger_folders(id)? };
    for (name, there) in left {
        let mut came = 0;
        for folder in known.iter().filter(|folder| chosen_by(&folder.name) == **name) {
            came += tx.ledger_tally(id, Some(folder.key.folder))?.rows.iter().sum::<u64>();
        }
        count += there.saturating_sub(came);
    }
    Ok(count)
}

impl OwnResult {
    fn with_left_out(mut self, left: u64) -> Self {
        self.left_out = left;
        self.skipped += left;
        self.total += left;
        if left > 0 {
            self.reasons.push((words::left_out(), left));
        }
        self
    }
}

/// What the ledger says of a login.
fn counted(tx: &mut MailTx<'_, '_>, id: u64, left: &BTreeMap<String, u64>) -> Result<OwnResult> {
    let tally = tx.ledger_tally(id, None)?;
    let count = |state: LedgerState| tally.rows[state as usize];
    let (failed, skipped) = (count(LedgerState::Failed), count(LedgerState::Adopted) + count(LedgerState::Excluded));
    let mut why: BTreeMap<String, u64> = BTreeMap::new();
    for (_, row) in tx.ledger_rows_in(id, LedgerState::Failed, FAILED)? {
        let note = row.note.unwrap_or_default();
        let known = why.len() < REASONS || why.contains_key(&note);
        *why.entry(if known { note } else { "…".to_owned() }).or_default() += 1;
    }
    let mut reasons: Vec<(Text, u64)> = why.into_iter().map(|(said, count)| (words::failure(&said), count)).collect();
    if skipped > 0 {
        reasons.push((words::adopted(), skipped));
    }
    let copied = count(LedgerState::Copied) + count(LedgerState::Gone) + count(LedgerState::Removed);
    let result = OwnResult { total: copied + failed + skipped, copied, failed, skipped, left_out: 0, reasons };
    Ok(result.with_left_out(left_out(tx, id, left)?))
}
