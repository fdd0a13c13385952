//! How a house that moved is used, for the visits: who comes by which door, who never came, how much there is. What was so on the day of
//! a visit is remembered.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use anser_base::{AccountId, Result, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Migrate;
use crate::model::{Mailbox, State};
use crate::rows;

/// Who came within this time uses what he came by.
const LATELY: Duration = Duration::from_secs(7 * 24 * 3600);
/// Accounts that are counted.
const ACCOUNTS: usize = 50_000;

/// How a house was used at some time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// Accounts of the move.
    pub accounts: u64,
    /// Of them those that were logged in to within a week.
    pub lately: u64,
    /// Of them those that never were.
    pub never: u64,
    /// Accounts that were logged in to within a week, by door.
    pub doors: BTreeMap<String, u64>,
    /// Messages that they hold.
    pub messages: u64,
    /// Their octets.
    pub bytes: u64,
}

impl Figures {
    /// The doors in words.
    pub fn doors(&self) -> String {
        self.doors.iter().map(|(door, count)| format!("{door} {count}")).collect::<Vec<_>>().join(", ")
    }

    /// The octets in words.
    pub fn size(&self) -> String {
        format!("{:.1} GB", self.bytes as f64 / 1e9)
    }
}

impl Migrate {
    /// How the accounts of a move are used now.
    pub async fn figures(&self, name: &str) -> Result<Figures> {
        let of = self.named(name).await?;
        let is_here = |mailbox: &Mailbox| mailbox.state != State::Abandoned;
        let mut accounts: Vec<AccountId> =
            self.all(of.id).await?.iter().filter(|one| is_here(one)).map(|mailbox| mailbox.account).collect();
        accounts.sort_unstable();
        accounts.dedup();
        accounts.truncate(ACCOUNTS);
        let now = self.inner.deps.clock.now();
        let used = self.inner.deps.directory.used(&accounts).await?;
        let logged_in = self.inner.deps.directory.logged_in(&accounts).await?;
        let mut figures = Figures { at: now.0, accounts: accounts.len() as u64, ..Figures::default() };
        let mut lately = HashSet::new();
        // A day is known by its first login.
        for used in used.iter().filter(|used| now.since(used.last) < LATELY) {
            lately.insert(used.account);
            *figures.doors.entry(used.service.word().to_owned()).or_default() += 1;
        }
        figures.lately = lately.len() as u64;
        for account in accounts {
            figures.never += u64::from(!logged_in.contains(&account));
            if self.inner.deps.directory.account(account).await?.is_none() {
                continue;
            }
            let (messages, bytes) = self.inner.deps.store.read(account, |tx| Ok((tx.messages(), tx.used()))).await?;
            figures.messages += messages;
            figures.bytes += bytes;
        }
        Ok(figures)
    }

    /// Remembers the figures of a visit whose day has come, once.
    pub async fn keep_figures(&self, name: &str) -> Result<()> {
        let of = self.named(name).await?;
        let (id, now) = (of.id, self.inner.deps.clock.now());
        let gates = self.read(move |tx| rows::gates(tx, id)).await?;
        let due = gates.visits().into_iter().filter(|at| Timestamp(*at) <= now);
        let Some(visit) = due.max().filter(|at| !gates.figures.contains_key(at)) else { return Ok(()) };
        let figures = self.figures(name).await?;
        let keep = move |tx: &mut anser_db::Tx<'_>| {
            let figures = figures.clone();
            rows::change_gates(tx, id, |gates| drop(gates.figures.insert(visit, figures))).map(drop)
        };
        self.write(keep).await
    }
}
