//! Push (RFC 8620 §7): who follows is told that something changed, and what is told by asking. The change log is the truth.
//!
//! | file | holds |
//! |---|---|
//! | `follow` | the accounts that are followed, and what is said of their changes |
//! | `events` | the event source (§7.3) |
//! | `socket` | WebSocket (RFC 8887) |
//! | `standing` | whether who follows may still do so |

mod events;
mod follow;
mod socket;
mod standing;

pub(crate) use events::events;
pub(crate) use socket::socket;
