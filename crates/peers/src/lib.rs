//! What is known of other mail servers beyond a single message: what we saw of them and will tell their domains, what they tell of
//! ours, and how they want to be spoken to.
//!
//! | module | holds |
//! |---|---|
//! | [`aggregate`] | DMARC aggregate reports as XML (RFC 9990, RFC 7489 §7.2) |
//! | [`tls`] | reports on TLS as JSON (RFC 8460) |
//! | [`pack`] | reports packed and unpacked, within bounds |
//! | [`counts`] | what we saw, by domain and day, until it is told |
//! | [`received`] | what others told of our domains |
//! | [`policies`] | the MTA-STS policies of other domains (RFC 8461) |
//!
//! Everything here can be lost without harm to any message: rows are written without a sync of their own.

pub mod aggregate;
pub mod counts;
pub mod pack;
pub mod policies;
pub mod received;
mod schema;
pub mod tls;

use anser_base::{Clock, Result, Timestamp};
use anser_db::{Db, Durability, Place, Tx};
use anser_mime::header;
use serde::{Deserialize, Serialize};

pub use schema::SCHEMA;

/// Seconds of a day; days are those of UTC, counted from 1970.
pub const DAY: i64 = 24 * 3600;

/// What it works with.
#[derive(Clone)]
pub struct Deps {
    /// The engine.
    pub db: Db,
    /// The clock.
    pub clock: Clock,
}

/// What is known of other servers; cheap to clone.
#[derive(Clone)]
pub struct Peers {
    deps: Deps,
}

impl std::fmt::Debug for Peers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Peers")
    }
}

/// What a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Mail in a domain's name (DMARC).
    Dmarc,
    /// Encryption on the way to a domain (TLS-RPT).
    Tls,
}

impl Kind {
    /// `dmarc` or `tls`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Dmarc => "dmarc",
            Self::Tls => "tls",
        }
    }

    fn number(self) -> i64 {
        match self {
            Self::Dmarc => 1,
            Self::Tls => 2,
        }
    }

    fn of(number: i64) -> Self {
        if number == 2 { Self::Tls } else { Self::Dmarc }
    }
}

/// Who reports, and about what time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// The organisation that reports.
    pub organization: String,
    /// How its people are reached.
    pub contact: String,
    /// Its name for the report.
    pub id: String,
    /// The time that it is about, in seconds since 1970, the end included.
    pub begin: i64,
    /// The end.
    pub end: i64,
}

impl Peers {
    /// Over an open engine.
    pub fn new(deps: Deps) -> Self {
        Self { deps }
    }

    fn now(&self) -> Timestamp {
        self.deps.clock.now()
    }

    async fn read<R: Send + 'static>(&self, work: impl FnMut(&mut Tx<'_>) -> Result<R> + Send + 'static) -> Result<R> {
        self.deps.db.read(Place::Peers, work).await
    }

    async fn write<R: Send + 'static>(&self, work: impl FnMut(&mut Tx<'_>) -> Result<R> + Send + 'static) -> Result<R> {
        self.deps.db.write(Place::Peers, Durability::Deferred, work).await
    }
}

/// What the report is about that a message with this header says to bring (RFC 8460 §5.3, RFC 7489 §7.2.1.1); `None` for other mail.
pub fn announced(header: &[u8]) -> Option<Kind> {
    let says = |name: &str, what: &str| {
        header::value(header, name).is_some_and(|value| String::from_utf8_lossy(&value).to_lowercase().contains(what))
    };
    if header::value(header, "TLS-Report-Domain").is_some() || says("Content-Type", "tlsrpt") {
        return Some(Kind::Tls);
    }
    says("Subject", "report domain:").then_some(Kind::Dmarc)
}

/// A stranger's text that is shown to people and kept in a row: one line, without signs that steer a terminal, at most so many bytes.
fn plain(text: &str, most: usize) -> String {
    let text: String = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text[..text.floor_char_boundary(most)].trim_end().to_owned()
}
