//! What `urn:anser:mail` adds (docs/api/mail.md): what a webmail needs of its server and no RFC has.
//!
//! | file | holds |
//! |---|---|
//! | `document` | what a program keeps for its user |
//! | `note` | what the owner noted on a message |
//! | `view`, `safe` | a message as it may be shown to a person |
//! | `rules` | what happens to mail as it comes in |
//! | `image` | pictures of other servers, by this one |
//! | `bulk` | one act on everything that a filter finds |

mod bulk;
mod document;
mod image;
mod note;
mod rules;
mod safe;
mod view;

pub(crate) use bulk::{Bulks, get as bulk_get, set as bulk_set};
pub(crate) use document::DOCUMENT;
pub use image::Web;
pub(crate) use image::{Images, image};
pub(crate) use note::{NOTE, query as note_query};
pub(crate) use rules::{get as rules_get, set as rules_set};
pub(crate) use view::get as view_get;
