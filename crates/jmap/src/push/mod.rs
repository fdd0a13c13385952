//! Push (RFC 8620 §7): who follows is told that something changed, and what is told by asking. The change log is the truth.
//!
//! | file | holds |
//! |---|---|
//! | `follow` | the accounts that are followed, and what is said of their changes |
//! | `events` | the event source (§7.3) |

mod events;
mod follow;

pub(crate) use events::events;
