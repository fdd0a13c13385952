//! Push (RFC 8620 §7): who follows is told that something changed, and what is told by asking. The change log is the truth.
//!
//! | file | holds |
//! |---|---|
//! | `follow` | the accounts that are followed, and what is said of their changes |
//! | `events` | the event source (§7.3) |
//! | `socket` | WebSocket (RFC 8887) |
//! | `web` | Web Push (§7.2) |
//! | `standing` | whether who follows may still do so |

mod events;
mod follow;
mod socket;
mod standing;
mod web;

pub(crate) use events::events;
pub(crate) use socket::socket;
#[cfg(test)]
pub(crate) use web::PROPERTIES;
pub(crate) use web::{Pusher, Vapid, begin, get, set};
