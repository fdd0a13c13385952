//! Views of rules and what they do.

use serde::{Deserialize, Serialize};

/// A Sieve script.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScriptView {
    /// Its name.
    pub name: String,
    /// Where it runs: `active`, `before`, `after`, `off`.
    pub place: String,
    /// Bytes.
    pub size: u64,
    /// When it was put last (RFC 3339).
    pub changed: String,
}

/// Something that a rule does with a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActView {
    /// What.
    pub what: String,
    /// The script.
    pub script: String,
    /// Its line, from 1; 0 for its end.
    pub line: u32,
    /// The rule of the form that the line belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}

/// A stored message that rules touch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TouchedView {
    /// Its UID.
    pub uid: u32,
    /// When it came (RFC 3339).
    pub received: String,
    /// Its subject.
    pub subject: String,
    /// What rules do with it.
    pub acts: Vec<ActView>,
}

/// A job that applies rules to stored mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobView {
    /// The account.
    pub address: String,
    /// The mailbox, its levels joined by `/`; nothing when it is gone.
    pub folder: Option<String>,
    /// `running`, `done`, `cancelled`, `failed`.
    pub state: String,
    /// Messages that there were to look at.
    pub total: u64,
    /// Messages looked at.
    pub looked: u64,
    /// Of these, changed ones.
    pub touched: u64,
    /// Of these, such that could not be changed, or on which a script failed.
    pub skipped: u64,
    /// When it was started (RFC 3339).
    pub started: String,
    /// When it ended.
    pub ended: Option<String>,
}
