//! Where tables live. The one function that names an account's file is [`Place::file`], so that several accounts may one day share a file.

use std::io;
use std::path::{Path, PathBuf};

use anser_base::{AccountId, Disk, Error, Result};

/// A set of tables that commits together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// The directory: `server.db`.
    Server,
    /// The queue: `queue.db`.
    Queue,
    /// Organisations that move in: `moves.db`.
    Moves,
    /// What is known of other mail servers: `peers.db`.
    Peers,
    /// The journal of one month, as `year * 100 + month`: `journal/2026-11.db`.
    Journal(u32),
    /// An account's mail: `accounts/…/<id>/mail.db`.
    Account(AccountId),
    /// An account's search index, `search.db` beside its mail: derived, in no backup, thrown away by [`crate::Db::discard`].
    Search(AccountId),
}

/// Which schema a place has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PlaceKind {
    /// Tables of `directory`.
    Server,
    /// Tables of `queue`.
    Queue,
    /// Tables of `migrate`.
    Moves,
    /// Tables of `peers`.
    Peers,
    /// Tables of `journal`.
    Journal,
    /// Tables of `store`.
    Account,
    /// Tables of `store` that are made from mail and can be made again.
    Search,
}

impl PlaceKind {
    pub(crate) const ALL: [Self; 7] =
        [Self::Server, Self::Queue, Self::Moves, Self::Peers, Self::Journal, Self::Account, Self::Search];
    /// Those that hold truth: a backup takes them, a restore brings them.
    pub(crate) const TRUTH: [Self; 6] =
        [Self::Server, Self::Queue, Self::Moves, Self::Peers, Self::Journal, Self::Account];

    /// As the table `anser_schema` calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Queue => "queue",
            Self::Moves => "moves",
            Self::Peers => "peers",
            Self::Journal => "journal",
            Self::Account => "account",
            Self::Search => "search",
        }
    }
}

impl Place {
    /// The schema it has.
    pub fn kind(self) -> PlaceKind {
        match self {
            Self::Server => PlaceKind::Server,
            Self::Queue => PlaceKind::Queue,
            Self::Moves => PlaceKind::Moves,
            Self::Peers => PlaceKind::Peers,
            Self::Journal(_) => PlaceKind::Journal,
            Self::Account(_) => PlaceKind::Account,
            Self::Search(_) => PlaceKind::Search,
        }
    }

    /// The places that hold truth and whose files are below a folder: server, queue, moves, peers, journals by month, accounts by number.
    pub(crate) fn below(disk: &dyn Disk, dir: &Path) -> Result<Vec<Self>> {
        let mut found = Vec::new();
        for entry in list(disk, &dir.join("journal"))? {
            let month = entry.strip_suffix(".db").and_then(|name| name.split_once('-'));
            let month = month.and_then(|(year, month)| Some((year.parse::<u32>().ok()?, month.parse::<u32>().ok()?)));
            found.extend(month.map(|(year, month)| Self::Journal(year * 100 + month)));
        }
        for shelf in list(disk, &dir.join("accounts"))? {
            let ids = list(disk, &dir.join("accounts").join(shelf))?;
            found.extend(ids.iter().filter_map(|id| id.parse().ok()).map(|id| Self::Account(AccountId(id))));
        }
        found.extend([Self::Server, Self::Queue, Self::Moves, Self::Peers]);
        found.retain(|place| disk.stat(&place.file(dir)).is_ok());
        found.sort_unstable();
        Ok(found)
    }

    /// Its SQLite file below the data folder.
    pub fn file(self, dir: &Path) -> PathBuf {
        match self {
            Self::Server => dir.join("server.db"),
            Self::Queue => dir.join("queue.db"),
            Self::Moves => dir.join("moves.db"),
            Self::Peers => dir.join("peers.db"),
            Self::Journal(month) => dir.join("journal").join(format!("{:04}-{:02}.db", month / 100, month % 100)),
            Self::Account(id) => folder_of(dir, id).join("mail.db"),
            Self::Search(id) => folder_of(dir, id).join("search.db"),
        }
    }
}

/// The folder of one account.
fn folder_of(dir: &Path, account: AccountId) -> PathBuf {
    dir.join("accounts").join(format!("{:02x}", account.0 & 0xff)).join(account.to_string())
}

/// Names in a folder; none when there is no such folder.
fn list(disk: &dyn Disk, path: &Path) -> Result<Vec<String>> {
    match disk.list(path) {
        Ok(entries) => Ok(entries.into_iter().map(|entry| entry.name).collect()),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(Vec::new()),
        Err(error) => Err(Error::io(error)),
    }
}
