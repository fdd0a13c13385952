//! Ground floor: the nouns that every other crate shares, and the seams that a simulation replaces.
//!
//! | module | holds |
//! |---|---|
//! | [`id`] | numbers that name an account, a mailbox, a message, a queue entry; the content address of a body |
//! | [`address`] | an e-mail address, its normal form, its subaddress |
//! | [`time`] | [`Timestamp`] and the [`Clock`] seam |
//! | [`entropy`] | the randomness seam |
//! | [`disk`] | the file seam that `blob` writes through |
//! | [`error`] | the one error type: a class, a text for the peer in two languages, a source for the log |
//! | [`language`] | the languages of the house, as protocols name them |
//! | [`limits`] | limits that more than one crate must agree on |
//! | [`pack`] | compact bytes for database columns |
//! | [`words`] | enums whose variants have words |
//!
//! Nothing here does I/O, except [`entropy::Entropy::system`], which asks the kernel.

pub mod address;
pub mod disk;
pub mod entropy;
pub mod error;
pub mod id;
pub mod language;
pub mod limits;
pub mod pack;
pub mod time;
mod words;

pub use address::Address;
pub use disk::{Disk, Durability};
pub use entropy::Entropy;
pub use error::{Class, Error, Result, Text};
pub use id::{AccountId, BlobId, DomainId, EntryId, MailboxId, MessageId, TenantId, ThreadId};
pub use language::Language;
pub use time::{Clock, Timestamp};
