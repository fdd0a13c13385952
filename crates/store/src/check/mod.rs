//! Every invariant of an account, verified and mended.
//!
//! What an account should look like is worked out from what cannot be derived: the entries of its mailboxes, its messages' own rows,
//! their bodies. A finding is a difference between that and what is stored; a repair writes the difference. So what was repaired is
//! clean when it is looked at again, but for bodies that are lost: their messages stay, and are named every time.
//!
//! | stored | derived from |
//! |---|---|
//! | a message's places | the entries that name it |
//! | an entry's size | the message's body and prefix |
//! | a mailbox's blocks | its entries |
//! | a mailbox's counters, next UID, modification sequence | its entries and its vanished UIDs |
//! | an account's counters, next number, modification sequence | everything that it has |
//! | conversations and references | the messages' rows and keys |
//! | summary, structure, keys, kept header fields | the body |

mod bodies;
mod finding;
mod mend;
mod rows;
mod tree;
mod write;

use anser_base::{AccountId, BlobId, Durability, Result, TenantId};
use anser_db::Place;

use crate::Store;
use crate::change::{Change, Changes};

pub use finding::Finding;

use mend::mend;
use rows::Rows;

/// Findings that a report names; the rest is only counted.
pub const FINDINGS: usize = 10_000;

/// How closely bodies are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Whether they exist.
    Quick,
    /// Every byte is read and verified, and parsed anew.
    Full,
}

/// What [`Store::check`] found out.
#[derive(Debug, Default, PartialEq)]
pub struct Report {
    /// What is wrong, or was before the repair; at most [`FINDINGS`].
    pub findings: Vec<Finding>,
    /// How many findings there were in all.
    pub total: u64,
    /// Messages looked at.
    pub messages: u64,
    /// Whether the findings that can be mended were.
    pub repaired: bool,
}

impl Report {
    /// Whether nothing was wrong.
    pub fn is_clean(&self) -> bool {
        self.total == 0
    }

    fn of(findings: Vec<Finding>, messages: u64, repaired: bool) -> Self {
        let total = findings.len() as u64;
        let named = findings.into_iter().take(FINDINGS).collect();
        Self { findings: named, total, messages, repaired }
    }
}

impl Store {
    /// Verifies an account, and with `repair` mends what can be mended, in one transaction. `referenced` is told every body
    /// that a message refers to. May run beside a working server. Blocks, for a long time when bodies are read; holds some 300
    /// bytes per message. A file that SQLite itself cannot read is an error of class `Damaged`: `Db::salvage` comes first.
    pub fn check(
        &self,
        account: AccountId,
        tenant: TenantId,
        level: Level,
        repair: bool,
        referenced: &mut dyn FnMut(BlobId),
    ) -> Result<Report> {
        let place = Place::Account(account);
        let rows = self.db.read(place, move |tx| rows::load(tx, account)).wait()?;
        rows.messages.values().filter_map(|message| message.blob).for_each(&mut *referenced);
        let facts = bodies::look(self, tenant, &rows, level)?;
        let messages = rows.messages.len() as u64;
        let (_, findings) = mend(rows, &facts, self.clock.now());
        if !repair || !findings.iter().any(Finding::is_mendable) {
            return Ok(Report::of(findings, messages, false));
        }
        let (clock, shared) = (self.clock.clone(), self.shared.clone());
        let pending = self.db.write_then(
            place,
            Durability::Sync,
            move |tx| {
                // What changed since the look is taken as it is now; its bodies count as sound.
                rows::lock(tx, account)?;
                let before = rows::load(tx, account)?;
                let (after, findings) = mend(before.clone(), &facts, clock.now());
                let changes = write::difference(tx, account, &before, after, &facts)?;
                Ok((findings, Some(changes)))
            },
            move |(_, changes)| {
                if let Some(changes) = changes.take() {
                    shared.publish(account, changes);
                }
            },
        );
        Ok(Report::of(pending.wait()?.0, messages, true))
    }
}

/// Every list of the account is to be loaded anew.
fn all_changed(account: AccountId, rows: &Rows) -> Changes {
    let list = rows.mailboxes.keys().map(|id| Change::MailboxUpdated(*id)).collect();
    Changes { account: Some(account), modseq: rows.account.modseq, list }
}
