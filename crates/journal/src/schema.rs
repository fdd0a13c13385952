//! The tables of one month (SQLite) or of all months (PostgreSQL).

use anser_base::{Error, Result};
use anser_db::Schema;

/// Versions of the journal's tables, for `Place::Journal`.
///
/// `journal_event.id` is the node in the upper bits and the event's number below (`id`), so that a node's events are one range
/// that only grows at its end. `journal_start` says what a month's chain goes on from. `journal_run` is the index, written a run
/// of events at a time, so that noting an event costs no other page than the last one.
pub const SCHEMA: Schema = Schema(&["
    CREATE TABLE journal_event (
        id INTEGER PRIMARY KEY,
        hash BLOB NOT NULL,
        event BLOB NOT NULL
    ) STRICT;
    CREATE TABLE journal_start (
        month INTEGER NOT NULL,
        node INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        hash BLOB NOT NULL,
        PRIMARY KEY (month, node)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE journal_run (
        part INTEGER NOT NULL,
        last INTEGER NOT NULL,
        keys BLOB NOT NULL,
        PRIMARY KEY (part, last)
    ) STRICT, WITHOUT ROWID;
"]);

/// Bits of an id that number a node's events.
const SEQ_BITS: u32 = 44;

/// Highest number of a node.
pub const NODES: u32 = 1 << 18;

/// Highest number of an event.
pub const LAST: u64 = (1 << SEQ_BITS) - 1;

/// The id of a node's event.
pub fn id(node: u32, seq: u64) -> i64 {
    (i64::from(node) << SEQ_BITS) | seq as i64
}

/// The node of an id.
pub fn node_of(id: i64) -> u32 {
    (id >> SEQ_BITS) as u32
}

/// The event's number of an id.
pub fn seq_of(id: i64) -> u64 {
    id as u64 & LAST
}

/// The first and the last id that a node can have.
pub fn range(node: u32) -> (i64, i64) {
    (id(node, 0), id(node, LAST))
}

/// A stored hash.
pub fn hash(bytes: &[u8]) -> Result<[u8; 32]> {
    bytes.try_into().map_err(|_| Error::damaged("a journal hash has not 32 bytes"))
}
