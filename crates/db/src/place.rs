//! Where tables live. The one function that names an account's file is [`Place::file`], so that several accounts may one day share a file.

use std::path::{Path, PathBuf};

use anser_base::AccountId;

/// A set of tables that commits together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// The directory: `server.db`.
    Server,
    /// The queue: `queue.db`.
    Queue,
    /// The journal of one month, as `year * 100 + month`: `journal/2026-11.db`.
    Journal(u32),
    /// An account's mail: `accounts/…/<id>/mail.db`.
    Account(AccountId),
}

/// Which schema a place has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PlaceKind {
    /// Tables of `directory`.
    Server,
    /// Tables of `queue`.
    Queue,
    /// Tables of `journal`.
    Journal,
    /// Tables of `store`.
    Account,
}

impl Place {
    /// The schema it has.
    pub fn kind(self) -> PlaceKind {
        match self {
            Self::Server => PlaceKind::Server,
            Self::Queue => PlaceKind::Queue,
            Self::Journal(_) => PlaceKind::Journal,
            Self::Account(_) => PlaceKind::Account,
        }
    }

    /// Its SQLite file below the data folder.
    pub fn file(self, dir: &Path) -> PathBuf {
        match self {
            Self::Server => dir.join("server.db"),
            Self::Queue => dir.join("queue.db"),
            Self::Journal(month) => dir.join("journal").join(format!("{:04}-{:02}.db", month / 100, month % 100)),
            Self::Account(id) => {
                dir.join("accounts").join(format!("{:02x}", id.0 & 0xff)).join(id.to_string()).join("mail.db")
            }
        }
    }
}
