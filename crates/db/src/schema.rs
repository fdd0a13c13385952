//! Schema versions: a list of SQL texts per kind of place. Version `n` is the state after the first `n` texts. A text never
//! changes once it was released; a new one is appended. A table is made by `CREATE TABLE name` in upper case and never renamed: backup
//! finds the tables by these words.

use anser_base::{Class, Error, Result};

use crate::place::PlaceKind;

/// The versions of one kind of place, oldest first, in SQLite's dialect, statements separated by `;`.
#[derive(Clone, Copy, Debug)]
pub struct Schema(pub &'static [&'static str]);

/// The schema of every kind of place, each given by the crate that owns its tables.
#[derive(Clone, Copy, Debug)]
pub struct Schemas {
    /// `directory`'s.
    pub server: Schema,
    /// `queue`'s.
    pub queue: Schema,
    /// `migrate`'s.
    pub moves: Schema,
    /// `peers`'s.
    pub peers: Schema,
    /// `journal`'s.
    pub journal: Schema,
    /// `store`'s.
    pub account: Schema,
    /// `store`'s for search. A table of it is thrown away rather than migrated.
    pub search: Schema,
}

impl Schemas {
    pub(crate) fn of(&self, kind: PlaceKind) -> Schema {
        match kind {
            PlaceKind::Server => self.server,
            PlaceKind::Queue => self.queue,
            PlaceKind::Moves => self.moves,
            PlaceKind::Peers => self.peers,
            PlaceKind::Journal => self.journal,
            PlaceKind::Account => self.account,
            PlaceKind::Search => self.search,
        }
    }
}

impl Schema {
    /// The newest version that this program knows.
    pub fn version(&self) -> i64 {
        self.0.len() as i64
    }

    /// What was known at a version; all that is known, where this program knows no such version.
    pub(crate) fn at(&self, version: i64) -> Schema {
        Schema(usize::try_from(version).ok().and_then(|version| self.0.get(..version)).unwrap_or(self.0))
    }

    /// Every table that any version ever made, in order; some may be gone since.
    pub(crate) fn tables(&self) -> Vec<String> {
        let mut tables = Vec::new();
        for text in self.0 {
            for rest in text.split("CREATE TABLE ").skip(1) {
                let rest = rest.strip_prefix("IF NOT EXISTS ").unwrap_or(rest);
                let name = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
                if !tables.iter().any(|known| known == name) {
                    tables.push(name.to_owned());
                }
            }
        }
        tables
    }

    /// The texts that lead from `found` to the newest version; refuses data of a newer program.
    pub(crate) fn texts_from(&self, found: i64) -> Result<&'static [&'static str]> {
        usize::try_from(found).ok().and_then(|found| self.0.get(found..)).ok_or_else(|| {
            Error::new(
                Class::Unavailable,
                format!(
                    "the data has schema version {found}, this program knows up to {}; install the newer program",
                    self.version()
                ),
                format!("数据的结构版本为 {found}，本程序只支持到 {}；请安装更新的程序", self.version()),
            )
        })
    }
}

/// The same statements for PostgreSQL. Its keys have no direction: it goes through them either way.
pub(crate) fn for_postgres(text: &str) -> String {
    let mut out = text.replace("STRICT, WITHOUT ROWID", "").replace("STRICT", "").replace(" DESC)\n)", ")\n)");
    for (sqlite, postgres) in [("INTEGER", "BIGINT"), ("BLOB", "BYTEA"), ("TEXT", "TEXT COLLATE \"C\"")] {
        out = out.replace(sqlite, postgres);
    }
    out
}
