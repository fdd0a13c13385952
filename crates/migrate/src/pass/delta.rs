//! What changed in a folder since the last whole pass, as the source itself tells it (RFC 7162): new messages and flags by CHANGEDSINCE,
//! what left by VANISHED. It is believed when it adds up to the number of messages there; else everything is listed.

use std::collections::HashMap;

use anser_store::{LedgerFolder, LedgerRow, LedgerState, MailTx};

use super::rule::is_left_out;
use super::{Changes, Pass, ROWS};
use crate::source::{Origin, Seen, Standing};
use crate::trouble::Trouble;

impl Pass<'_> {
    /// What is new and what is gone in the open folder; flags are merged at once. `None` when all of it has to be listed.
    pub(super) async fn changes_since(
        &self,
        origin: &mut Origin,
        ledger: &LedgerFolder,
        standing: &Standing,
    ) -> Result<Option<Changes>, Trouble> {
        if ledger.modseq == 0 || standing.modseq < ledger.modseq || standing.uidvalidity != ledger.uidvalidity {
            return Ok(None);
        }
        let Some(told) = origin.changed_since(ledger.modseq).await? else { return Ok(None) };
        // What comes while this goes on is for the next pass to count.
        let came =
            told.changed.iter().filter(|one| (ledger.uidnext..standing.uidnext).contains(&one.uid)).count() as u64;
        let Some(left) = (ledger.messages + came).checked_sub(standing.messages) else { return Ok(None) };
        let mut changes = Changes { kept: standing.messages.saturating_sub(came), ..Changes::default() };
        if left > 0 {
            let gone = self.rows_of(ledger, &told.vanished, left).await?;
            if gone.len() as u64 != left {
                return Ok(None);
            }
            let (out, gone): (Vec<LedgerRow>, Vec<LedgerRow>) = gone.into_iter().partition(is_left_out);
            self.forget(ledger, out.into_iter().map(|row| row.key).collect()).await?;
            changes.gone = gone.into_iter().filter(|row| row.state.is_here()).collect();
        }
        let flagged = self.sort_out(ledger, told.changed, &mut changes).await?;
        self.merge(ledger, flagged).await?;
        self.watch.done(changes.kept, 0);
        Ok(Some(changes))
    }

    /// Rows of messages in these ranges of UIDs that were at the source when it was last gone over; one more than `most` at most.
    async fn rows_of(
        &self,
        ledger: &LedgerFolder,
        ranges: &[(u32, u32)],
        most: u64,
    ) -> Result<Vec<LedgerRow>, Trouble> {
        let (key, mut found) = (ledger.key, Vec::new());
        for (mut first, last) in ranges.iter().copied() {
            while first <= last && found.len() as u64 <= most {
                let (from, to) = (first.to_be_bytes(), last.to_be_bytes());
                let rows = self.store.read(self.account, move |tx| tx.ledger_rows(key, &from, &to, ROWS)).await?;
                let end = rows.len() < ROWS;
                let behind = rows.last().and_then(|row| Some(u32::from_be_bytes(row.key.as_slice().try_into().ok()?)));
                found.extend(rows.into_iter().filter(|row| row.state != LedgerState::Gone));
                match behind.and_then(|uid| uid.checked_add(1)) {
                    Some(next) if !end => first = next,
                    _ => break,
                }
            }
        }
        Ok(found)
    }

    /// New messages go to `changes`; returns those that are known, with their rows, where flags are others.
    async fn sort_out(
        &self,
        ledger: &LedgerFolder,
        changed: Vec<Seen>,
        changes: &mut Changes,
    ) -> Result<Vec<(LedgerRow, Seen)>, Trouble> {
        let changed: HashMap<Vec<u8>, Seen> = changed.into_iter().map(|one| (one.key.clone(), one)).collect();
        let mut changed: Vec<Seen> = changed.into_values().collect();
        changed.sort_by_key(|one| one.at);
        let (key, mut flagged, mut wanted) = (ledger.key, Vec::new(), Vec::new());
        for some in changed.chunks(ROWS) {
            let keys: Vec<Vec<u8>> = some.iter().map(|one| one.key.clone()).collect();
            let find = move |tx: &mut MailTx<'_, '_>| {
                keys.iter().map(|row| tx.ledger_row(key, row)).collect::<Result<Vec<_>, _>>()
            };
            for (row, seen) in self.store.read(self.account, find).await?.into_iter().zip(some) {
                match row {
                    None => changes.new.push(seen.clone()),
                    Some(row) if self.is_let_in(&row, seen) => {
                        wanted.push(row);
                        changes.new.push(seen.clone());
                    }
                    Some(row) if row.state.is_here() && (row.flags != seen.flags || row.keywords != seen.keywords) => {
                        flagged.push((row, seen.clone()));
                    }
                    Some(_) => {}
                }
            }
        }
        self.let_in(ledger, wanted).await?;
        Ok(flagged)
    }
}
