//! Contacts (RFC 9610): address books and the cards in them, the owner's own.
//!
//! | file | holds |
//! |---|---|
//! | `book` | AddressBook |
//! | `card` | ContactCard: what a card is |
//! | `query` | ContactCard/query |
//! | `exchange` | vCard and CSV |

mod book;
mod card;
mod exchange;
mod query;

pub(crate) use book::{BOOK, get as book_get, set as book_set};
pub(crate) use card::{BOOKS, CARD, copy, set};
pub use exchange::{cards_in, writer};
pub(crate) use exchange::{export, import};
pub(crate) use query::{query, query_changes};
