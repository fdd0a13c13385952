//! IMAP4rev1 (RFC 3501) and IMAP4rev2 (RFC 9051), server side.
//!
//! Feed a [`CommandReader`] with what arrives; it yields [`Event`]s with typed [`Command`]s. Write responses with
//! the functions of [`mod@write`]. The texts of ENVELOPE and BODYSTRUCTURE are the door's, built from these primitives.

pub mod client;
mod command;
mod date;
mod fetch;
mod flag;
mod list_pattern;
mod mutf7;
mod notify;
mod parse;
mod reader;
mod search;
mod sequence_set;
mod url;
pub mod write;

pub use command::{
    Acl, Command, List, ListReturn, ListSelection, Metadata, PartialRange, Qresync, QuotaLimit, ReturnOptions, Select,
    Sort, SortKey, StatusItem, Store, StoreAction, Thread, Transfer,
};
pub use date::{Date, DateTime};
pub use fetch::{Fetch, FetchItem, Partial, Section, SectionText};
pub use flag::Flag;
pub use list_pattern::ListPattern;
pub use mutf7::{decode_mutf7, encode_mutf7, mailbox_from_wire, raw_octets};
pub use notify::{EventGroup, Events, MailboxFilter, Notify};
pub use reader::{AppendMessage, CatenateText, CommandReader, Event, Replaced};
pub use search::{Search, SearchKey};
pub use sequence_set::{Bound, NumberSet, SequenceSet};
pub use url::ImapUrl;

/// Longest command without its literals, in octets.
pub const LINE_MAX: usize = 65_536;
/// Longest literal outside APPEND, in octets.
pub const LITERAL_MAX: u64 = 65_536;
/// Longest command with its literals (APPEND's messages apart), in octets.
pub const COMMAND_MAX: usize = 524_288;
/// Deepest nesting of parentheses, NOT and OR in a command.
pub const NESTING_MAX: usize = 50;
/// Most members (numbers or ranges) of a sequence set.
pub const SEQUENCE_SET_MAX: usize = 10_000;
/// Most elements of any other list (flags, fetch items, search keys, patterns, ID pairs).
pub const LIST_MAX: usize = 1_000;
/// Longest tag, in octets.
pub const TAG_MAX: usize = 128;
/// Longest mailbox name or LIST pattern, in octets as sent.
pub const MAILBOX_MAX: usize = 1_024;
/// Most patterns of one LIST: each is held against every mailbox.
pub const PATTERNS_MAX: usize = 100;
/// Longest IMAP URL, in octets.
pub const URL_MAX: usize = 8_192;
/// Most part numbers in a section.
pub const SECTION_DEPTH_MAX: usize = 100;
