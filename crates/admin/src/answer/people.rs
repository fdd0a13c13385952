//! Views of people and their addresses.

use serde::{Deserialize, Serialize};

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountView {
    /// Its number.
    pub id: u64,
    /// Its address.
    pub address: String,
    /// The name shown beside it.
    pub name: String,
    /// `active`, `suspended`, `removed`.
    pub state: String,
    /// Room in bytes; 0 is no limit.
    pub quota: u64,
    /// `zh` or `en`.
    pub locale: String,
    /// The IANA name of its time zone: the one that was set, else that of the language.
    pub time_zone: String,
    /// The services that are on.
    pub services: Vec<String>,
    /// `system` and the like; empty for none.
    pub role: String,
    /// When it was made (RFC 3339).
    pub created: String,
    /// Whether its owner must choose a new password first.
    pub must_change: bool,
    /// How many days of its inbox POP3 shows; nothing for all.
    pub pop3_days: Option<u32>,
    /// When it was removed.
    pub removed: Option<String>,
    /// Bytes that its mail takes; only where one account is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used: Option<u64>,
    /// Its messages; likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages: Option<u64>,
    /// Its aliases; likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aliases: Option<Vec<String>>,
}

/// An alias.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AliasView {
    /// The address.
    pub address: String,
    /// Where it leads.
    pub target: String,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupView {
    /// Its address.
    pub address: String,
    /// The name shown beside it.
    pub name: String,
    /// Its members; only where one group is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<Vec<String>>,
}

/// An app password or a token, without the secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppPasswordView {
    /// Its number.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// What it opens.
    pub services: Vec<String>,
    /// When it was made (RFC 3339).
    pub created: String,
    /// When it was last used.
    pub last_used: Option<String>,
    /// From when on it opens nothing; nothing for never.
    pub expires: Option<String>,
}
