//! What `urn:anser:mail` adds (docs/api/mail.md): what a webmail needs of its server and no RFC has.
//!
//! | file | holds |
//! |---|---|
//! | `document` | what a program keeps for its user |
//! | `note` | what the owner noted on a message |
//! | `view`, `safe` | a message as it may be shown to a person |
//! | `rules` | what happens to mail as it comes in |
//! | `image` | pictures of other servers, by this one |
//! | `moves` | a person's mail of other servers, moved or fetched |
//! | `bulk` | one act on everything that a filter finds |

mod bulk;
mod document;
mod image;
mod moves;
mod note;
mod rules;
mod safe;
mod view;

#[cfg(test)]
pub(crate) use bulk::PROPERTIES as BULK_PROPERTIES;
pub(crate) use bulk::{Bulks, get as bulk_get, set as bulk_set};
pub(crate) use document::DOCUMENT;
pub use image::Web;
pub(crate) use image::{Images, image};
#[cfg(test)]
pub(crate) use moves::PROPERTIES as MOVE_PROPERTIES;
pub(crate) use moves::{
    failed as move_failed, find as move_discover, folders as move_folders, get as move_get, message as moved,
    set as move_set, sign_in as move_sign_in, undo as move_undo,
};
pub(crate) use note::{NOTE, query as note_query};
#[cfg(test)]
pub(crate) use rules::PROPERTIES as RULES_PROPERTIES;
pub(crate) use rules::{get as rules_get, set as rules_set};
#[cfg(test)]
pub(crate) use view::PROPERTIES as VIEW_PROPERTIES;
pub(crate) use view::get as view_get;
