//! What is said of reports between servers.

use serde::{Deserialize, Serialize};

/// What others saw of a domain of ours, alike things summed up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenView {
    /// `dmarc` (mail in our name) or `tls` (encryption on the way to us).
    pub kind: String,
    /// Our domain.
    pub domain: String,
    /// The address that sent.
    pub source: String,
    /// The author's domain; of TLS, our server.
    pub about: String,
    /// All was well.
    pub passed: bool,
    /// What was found and done, in words of the protocols.
    pub detail: String,
    /// Messages, or sessions.
    pub count: u64,
    /// Reports that say so.
    pub reports: u64,
    /// At least one of them came from whom it says.
    pub verified: bool,
}

/// A report that was received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceivedView {
    /// `dmarc` or `tls`.
    pub kind: String,
    /// Our domain.
    pub domain: String,
    /// Who says that it reports.
    pub organization: String,
    /// Its name for the report.
    pub id: String,
    /// The domain that the message came from.
    pub sender: String,
    /// It did come from there.
    pub verified: bool,
    /// The time that it is about.
    pub begin: String,
    /// The end of that time.
    pub end: String,
}
