//! What all requests share: seats, and what is remembered to answer faster. All of it may be lost at any time.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anser_base::{AccountId, MailboxId, Result, Timestamp};
use anser_store::{Snapshot, Threads};
use tokio::sync::OnceCell;

use crate::Deps;
use crate::email::Results;
use crate::mailbox::Counts;
use crate::principal::Moments;
use crate::push::{Pusher, Vapid};
use crate::submission::Looked;
use crate::vendor::{Bulks, Images};

/// Who logged in, from where, and what they showed: its kind, and which of that kind.
type Login = (AccountId, IpAddr, &'static str, Option<u64>);

/// How long one who logged in from an address by the same thing is not noted again in the journal.
const NOTED_FOR: Duration = Duration::from_secs(3600);
/// Logins remembered at most.
const LOGINS: usize = 20_000;
/// Accounts whose conversations are remembered, and messages of them in all; 16 bytes each.
const ACCOUNTS: usize = 2_000;
const MESSAGES: usize = 5_000_000;
/// Mailboxes whose counts are remembered at most.
const COUNTED: usize = 50_000;
/// Recalls that go on at once.
const TURNS: usize = 64;

/// What somebody may do at once so many times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Use {
    Request,
    Upload,
    Push,
    Image,
}

/// The seats that are taken.
type Seats = Arc<Mutex<HashMap<(AccountId, Use), usize>>>;

/// The door.
pub(crate) struct Door {
    pub deps: Deps,
    seats: Seats,
    logins: Mutex<HashMap<Login, Timestamp>>,
    threads: Mutex<HashMap<AccountId, Threads>>,
    counts: Mutex<HashMap<(AccountId, MailboxId), (u64, Counts)>>,
    recalling: [Arc<tokio::sync::Mutex<()>>; TURNS],
    /// Up to where accounts were looked through for reports.
    pub reports: Looked,
    /// What queries found.
    pub results: Results,
    /// What runs for who asked for it.
    pub bulks: Bulks,
    /// Who there was when.
    pub moments: Moments,
    /// Pictures that were fetched.
    pub images: Images,
    /// Tells push services of others of changes, and with which key.
    pub pusher: Pusher,
    pub vapid: Vapid,
    /// Seals their addresses.
    pub image_key: OnceCell<[u8; 32]>,
}

/// A place among those that may do something at once; free again when it is dropped.
pub(crate) struct Seat {
    seats: Seats,
    of: (AccountId, Use),
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seats = lock(&self.seats);
        if let Some(taken) = seats.get_mut(&self.of) {
            *taken -= 1;
            if *taken == 0 {
                seats.remove(&self.of);
            }
        }
    }
}

impl Door {
    pub fn new(deps: Deps) -> Self {
        let (seats, logins, threads, counts, results, bulks, moments, images, image_key) = Default::default();
        let (pusher, vapid, reports) = Default::default();
        let recalling = std::array::from_fn(|_| Arc::default());
        Self {
            deps,
            seats,
            logins,
            threads,
            counts,
            recalling,
            reports,
            results,
            bulks,
            moments,
            images,
            pusher,
            vapid,
            image_key,
        }
    }

    /// Held by who takes messages of an account back; accounts may share one.
    pub fn recalling(&self, account: AccountId) -> Arc<tokio::sync::Mutex<()>> {
        self.recalling[(account.0 % TURNS as u64) as usize].clone()
    }

    /// A seat, if the account has not taken all.
    pub fn seat(&self, account: AccountId, what: Use) -> Option<Seat> {
        let most = match what {
            Use::Request => self.deps.limits.concurrent_requests,
            Use::Upload => self.deps.limits.concurrent_upload,
            Use::Push => self.deps.limits.concurrent_push,
            Use::Image => self.deps.limits.concurrent_images,
        };
        let (mut seats, of) = (lock(&self.seats), (account, what));
        let taken = seats.entry(of).or_default();
        if *taken >= most {
            return None;
        }
        *taken += 1;
        Some(Seat { seats: self.seats.clone(), of })
    }

    /// Whether this login is to be noted: not when one by the same thing from the same address was, a short while ago.
    pub fn is_new_login(&self, login: Login) -> bool {
        let now = self.deps.clock.now();
        let mut logins = lock(&self.logins);
        if logins.get(&login).is_some_and(|noted| now.since(*noted) < NOTED_FOR) {
            return false;
        }
        if logins.len() >= LOGINS {
            logins.clear();
        }
        logins.insert(login, now);
        true
    }

    /// The conversations of an account, as they are now or a little earlier than that: of all messages that were there before this was
    /// called.
    pub async fn threads_of(&self, account: AccountId) -> Result<Threads> {
        let mut known = lock(&self.threads).get(&account).cloned().unwrap_or_default();
        let threads = self.deps.store.read(account, move |tx| tx.threads(std::mem::take(&mut known))).await?;
        let mut all = lock(&self.threads);
        let held: usize = all.values().map(Threads::len).sum();
        if all.len() >= ACCOUNTS || held + threads.len() > MESSAGES {
            all.clear();
        }
        all.insert(account, threads.clone());
        Ok(threads)
    }

    /// The counts of this list, when they were counted.
    pub fn known_counts(&self, account: AccountId, list: &Snapshot) -> Option<Counts> {
        let known = lock(&self.counts).get(&(account, list.mailbox)).copied();
        known.filter(|(modseq, _)| *modseq == list.modseq).map(|(_, counts)| counts)
    }

    /// Remembers the counts of a list.
    pub fn remember_counts(&self, account: AccountId, list: &Snapshot, counts: Counts) {
        let mut all = lock(&self.counts);
        if all.len() >= COUNTED {
            all.clear();
        }
        all.insert((account, list.mailbox), (list.modseq, counts));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
