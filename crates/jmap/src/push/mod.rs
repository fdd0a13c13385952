//! Push (RFC 8620 §7): who follows is told that something changed, and what is told by asking. The change log is the truth.
//!
//! | file | holds |
//! |---|---|
//! | `follow` | the accounts that are followed, and what is said of their changes |
//! | `events` | the event source (§7.3) |
//! | `socket` | WebSocket (RFC 8887) |

mod events;
mod follow;
mod socket;

pub(crate) use events::events;
pub(crate) use socket::socket;
