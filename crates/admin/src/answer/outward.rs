//! Views of mail that leaves: its ways, its limits, its queue.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// Recipients elsewhere that somebody may write to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitsView {
    /// Whose limits they are.
    pub scope: String,
    /// In an hour.
    pub per_hour: u32,
    /// In a day.
    pub per_day: u32,
    /// Of them new ones, in a day.
    pub new_per_day: u32,
}

/// An account whose mail to others is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldView {
    /// Its address.
    pub address: String,
    /// Since when (RFC 3339).
    pub since: String,
    /// Why.
    pub why: String,
}

/// A route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteView {
    /// Whom it is for.
    pub pattern: String,
    /// `HOST:PORT`, `mx`, `mx=DOMAIN`, `hold`, `discard`.
    pub way: String,
    /// `opportunistic`, `required`, `implicit`, `never`; of a server only.
    pub tls: Option<String>,
    /// Who we are there.
    pub user: Option<String>,
    /// Mail for the domain is taken from everybody, and who knows its addresses: `all`, `list`, `callout`.
    pub accept: Option<String>,
    /// Unknown addresses are taken while the server cannot be asked.
    pub open_when_down: bool,
    /// When mail goes this way, in UTC.
    pub hours: Option<String>,
    /// Until when it counts (RFC 3339).
    pub until: Option<String>,
    /// It counts no more.
    pub over: bool,
}

/// One recipient of an entry of the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipientView {
    /// The address.
    pub address: String,
    /// `waiting`, `done`, `failed`, `expired`.
    pub state: String,
    /// Attempts that did not deliver.
    pub attempts: u32,
    /// When it is attempted next (RFC 3339).
    pub due: Option<String>,
    /// What the last attempt brought.
    pub why: Option<String>,
}

/// An entry of the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryView {
    /// Its number.
    pub id: u64,
    /// The sender; empty for reports.
    pub sender: String,
    /// The recipients.
    pub recipients: Vec<RecipientView>,
    /// Bytes of its body.
    pub size: u64,
    /// When it was accepted (RFC 3339).
    pub accepted: String,
    /// When it expires.
    pub expires: String,
    /// When it is due; `None` when it is held.
    pub due: Option<String>,
    /// Whether it is held.
    pub held: bool,
    /// Whether it is being delivered right now.
    pub leased: bool,
    /// The door that it came through.
    pub protocol: String,
    /// The peer that brought it.
    pub client: Option<IpAddr>,
    /// The way that an operator chose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
}
