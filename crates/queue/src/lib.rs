//! The queue: every message under way, durable before it is acknowledged, until each of its recipients has reached an end.
//!
//! ## States of a recipient and their legal moves
//!
//! | from | to | by |
//! |---|---|---|
//! | – | Waiting | [`Queue::put`]; a report or a redirected copy inside [`Queue::settle`] |
//! | Waiting | Leased | [`Queue::next_due`] |
//! | Leased | Done | [`Queue::settle`], [`Queue::settle_after_sync`] with [`Outcome::Done`] |
//! | Leased | Failed | the same with [`Outcome::Fail`] |
//! | Leased | Waiting | the same with [`Outcome::Retry`] before the entry expires; a [`Lease`] that is dropped; a restart; a dead node |
//! | Leased | Waiting | the same with [`Outcome::Wait`]; with [`Outcome::Hold`], until [`Queue::act`] with [`Act::Release`] |
//! | Leased | Expired | the same with [`Outcome::Retry`] once the entry has expired |
//! | Waiting | Held | [`Queue::act`] with [`Act::Hold`] |
//! | Held | Waiting | [`Queue::act`] with [`Act::Release`] |
//! | Waiting, Held, Leased | gone | [`Queue::act`] with [`Act::Remove`] |
//! | Done, Failed, Expired | gone | with the last recipient of the entry |
//!
//! Leased and Held belong to a whole entry, the others ([`State`]) to each recipient. There is no other move.
//!
//! ## Promises
//!
//! - What [`Queue::put`] returned an [`EntryId`](anser_base::EntryId) for is there, whole, until it is settled. A put that fails
//!   leaves nothing behind.
//! - An entry is leased to one holder at a time. A settlement by one who lost the lease changes nothing (`Class::Conflict`).
//! - An `EntryId` is never used twice, so a local delivery can carry it as its idempotence key. [`Entry::redelivery`] tells when
//!   an attempt may have happened whose outcome was not recorded.
//!
//! ## Where it lives
//!
//! A new entry is one row of `fresh` with its body inside, and nearly every entry dies there within milliseconds, handed over
//! in memory. Only one that must wait moves to `waiting` (small rows with a due time) and `body`. Memory holds a bounded list of
//! entries that are ready; what does not fit is read from the tables in windows.

mod act;
mod body;
mod envelope;
mod ids;
mod lease;
mod node;
mod operate;
mod queue;
mod ready;
mod record;
mod retry;
mod rows;
mod schema;
mod settle;
mod state;

pub use act::{Act, Slice};
pub use body::Body;
pub use envelope::{Entry, Envelope, Origin, Protocol, Recipient};
pub use lease::Lease;
pub use operate::{Counts, Filter, Listed, Page};
pub use queue::{Deps, Queue, Submission};
pub use record::{pack_submissions, unpack_submissions};
pub use retry::{DELAY_REPORT, EXPIRY, INTERVALS, interval};
pub use schema::SCHEMA;
pub use settle::Settlement;
pub use state::{Change, Outcome, Plan, Progress, State};
