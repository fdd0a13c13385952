//! Views of how things stand and what happened.

use std::net::IpAddr;

use anser_journal::What;
use serde::{Deserialize, Serialize};

/// An event of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventView {
    /// When (RFC 3339).
    pub at: String,
    /// The node.
    pub node: u32,
    /// The number in the node's chain.
    pub seq: u64,
    /// The door.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// The peer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<IpAddr>,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// Something that `check` found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingView {
    /// Where: an address, a file, `journal`, `queue`.
    pub place: String,
    /// What is wrong, in English.
    pub en: String,
    /// What is wrong, in Chinese.
    pub zh: String,
    /// Whether it was mended.
    pub mended: bool,
}

/// One service of a running server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceView {
    /// Its name.
    pub name: String,
    /// Where it listens.
    pub addresses: Vec<String>,
    /// Sessions at this moment.
    pub live: u64,
    /// Sessions since the start.
    pub accepted: u64,
    /// Connections refused since the start.
    pub refused: u64,
}

/// A certificate that is served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateView {
    /// The host names that it is for.
    pub names: Vec<String>,
    /// Who gave it.
    pub issuer: String,
    /// From when on it is good (RFC 3339).
    pub begins: String,
    /// Until when.
    pub ends: String,
    /// Whole days until then; below 0 when they are over.
    pub days: i64,
    /// `ok`, `ending` (soon), `bad` (has ended, or not begun), `self-signed`.
    pub state: String,
}

/// A name for which no certificate could be got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TroubleView {
    /// The name.
    pub name: String,
    /// How often it failed.
    pub failures: u32,
    /// What was wrong the last time.
    pub why: String,
    /// When it is tried again (RFC 3339).
    pub again: String,
}

/// How things stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusView {
    /// The program's version.
    pub version: String,
    /// This server's name.
    pub hostname: String,
    /// `embedded` or `postgres`.
    pub engine: String,
    /// Whether a server runs.
    pub running: bool,
    /// Its process.
    pub process: Option<u32>,
    /// When it started (RFC 3339).
    pub started: Option<String>,
    /// Its services.
    pub services: Vec<ServiceView>,
    /// Its certificates; the first serves who asks for no name.
    #[serde(default)]
    pub certificates: Vec<CertificateView>,
    /// Names for which no certificate could be got.
    #[serde(default)]
    pub certificates_failing: Vec<TroubleView>,
    /// Accounts that are not removed.
    pub accounts: u64,
    /// Entries of the queue that were never put off.
    pub queue_fresh: u64,
    /// Entries that wait.
    pub queue_waiting: u64,
    /// Entries that are held.
    pub queue_held: u64,
}
