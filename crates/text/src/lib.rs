//! What can be searched of a message, and the index over it. No I/O, no clock: bytes in, bounded text out.
//!
//! | Module | What it is for |
//! |---|---|
//! | `fold` | the form in which texts are compared |
//! | `searchable` | a message's headers and bodies as folded text, in zones |
//! | `query` | one text that is looked for in one field, judged by a message's text |
//! | [`html`] | HTML as text |
//! | [`document`] | PDF, Office and rich text as text |
//! | [`pinyin`] | Chinese names found by how they sound |
//! | [`index`] | an inverted index that answers what a substring search would: segments, their blocks, plans |
//!
//! # Limits
//!
//! | Limit | Value | Beyond it |
//! |---|---|---|
//! | [`HEAD`] | 1 MiB of folded header text of a message | cut, and [`Searchable::is_cut`] |
//! | [`BODY`] | 16 MiB of folded body text | cut, and [`Searchable::is_cut`] |
//! | [`DOCUMENTS`] | 100 documents of a message are opened | not opened, and [`Searchable::is_cut`] |
//! | [`document::INPUT`] | 48 MiB of one document | not opened, and counted as unreadable |
//! | [`document::OUTPUT`] | 8 MiB of text of one document | cut, and [`Searchable::is_cut`] |
//! | [`document::UNPACKED`] | 256 MiB unpacked of one document | cut, and [`Searchable::is_cut`] |

pub mod document;
pub mod html;
pub mod index;
pub mod pinyin;

mod fold;
mod query;
mod searchable;

pub use fold::fold;
pub use query::{Field, Query};
pub use searchable::{BODY, DOCUMENTS, Documents, HEAD, InProcess, Searchable, Zone};
