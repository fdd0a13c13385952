//! MDN (RFC 9007): telling a sender that a message was read, and reading what others tell (RFC 8098).
//!
//! | file | holds |
//! |---|---|
//! | `send` | MDN/send |
//! | `parse` | MDN/parse |

mod parse;
mod send;

pub(crate) use parse::parse;
pub(crate) use send::send;

/// What a disposition says (RFC 9007 §2), and what stands for it in a notification (RFC 8098 §3.2.6).
const ACTION_MODES: [(&str, &str); 2] = [("manual-action", "manual-action"), ("automatic-action", "automatic-action")];
const SENDING_MODES: [(&str, &str); 2] =
    [("mdn-sent-manually", "MDN-sent-manually"), ("mdn-sent-automatically", "MDN-sent-automatically")];
/// Fields of a notification that are properties of their own, in lower case; all others are extension fields.
const KNOWN: [&str; 7] = [
    "reporting-ua",
    "mdn-gateway",
    "original-recipient",
    "final-recipient",
    "original-message-id",
    "disposition",
    "error",
];
const TYPES: [&str; 4] = ["deleted", "dispatched", "displayed", "processed"];
