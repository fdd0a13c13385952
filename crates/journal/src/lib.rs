//! The journal: what happened, in order, never changed. Audit, message trace and statistics are readings of it.
//!
//! An event is one line of JSON ([`Event`]) in the file of its month. Each node has its own chain: the hash of an event is BLAKE3 over
//! the hash before it, its number and its bytes ([`chain::link`]), and the first event of a month goes on from the last of the
//! month before. So a changed, removed or inserted event shows in [`Journal::verify`].
//!
//! | to | call |
//! |---|---|
//! | note what happened | [`Journal::append`]: returns at once, waits only when 4,096 events are on their way |
//! | note an act before answering it | [`Journal::append_durable`] |
//! | have all of it on disk | [`Journal::flush`] |
//! | follow a message or an address | [`Journal::trace`] |
//! | tell somebody what concerns them, a page at a time | [`Journal::leaf`] |
//! | check the chain | [`Journal::verify`] |
//!
//! One task writes: it gathers events for a few milliseconds and commits them together. A plain event is durable some time after it
//! was appended (with the next durable one, or the next `Disk::sync_all`); a power cut may take the last moments, never
//! something in the middle.

pub mod chain;
mod event;
mod index;
mod journal;
mod leaf;
mod line;
mod months;
mod schema;
mod trace;
mod verify;
mod write;

pub use event::{By, Entry, Event, KINDS, Origin, What};
pub use journal::{Deps, Journal};
pub use leaf::{Leaf, Mark};
pub use months::{month_of, months_in};
pub use schema::SCHEMA;
pub use trace::Query;
pub use verify::{Broken, Verdict};
