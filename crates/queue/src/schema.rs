//! The tables.
//!
//! The column `lease` says who works on a row. [`NOBODY`] and [`RELEASED`] are free; every other number is one run of one node,
//! handed out by the counter `node` and never used again, so a restart frees what the last run held without touching each row's
//! meaning. All are numbers of four bytes, so that SQLite overwrites a row in place when its lease changes.

use anser_db::Schema;

/// Nobody works on it, and no attempt is unaccounted for.
pub const NOBODY: i64 = 16_777_216;
/// Nobody works on it, but somebody did, and what came of it is not known.
pub const RELEASED: i64 = 16_777_217;

/// Versions of the queue's tables, for `Place::Queue`.
///
/// `fresh` holds entries that were never put off, body inside; its partial index holds only the few that no dispatcher has in
/// memory. `waiting` holds the others, with their bodies apart, so that lists and due times never touch body pages. A held entry
/// is due at the end of time.
pub const SCHEMA: Schema = Schema(&[FIRST, CLASSES]);

/// Entries of one class are in order of their time; see [`crate::ready::Turn`].
const CLASSES: &str = "
    ALTER TABLE queue_waiting ADD COLUMN class INTEGER NOT NULL DEFAULT 1;
    DROP INDEX queue_waiting_due;
    CREATE INDEX queue_waiting_turn ON queue_waiting (class, due, id) WHERE lease < 16777218;
";

const FIRST: &str = "
    CREATE TABLE queue_fresh (
        id INTEGER PRIMARY KEY,
        lease INTEGER NOT NULL,
        envelope BLOB NOT NULL,
        body BLOB
    ) STRICT;
    CREATE INDEX queue_fresh_free ON queue_fresh (id) WHERE lease < 16777218;
    CREATE TABLE queue_waiting (
        id INTEGER PRIMARY KEY,
        lease INTEGER NOT NULL,
        due INTEGER NOT NULL,
        progress BLOB NOT NULL,
        envelope BLOB NOT NULL
    ) STRICT;
    CREATE INDEX queue_waiting_due ON queue_waiting (due, id) WHERE lease < 16777218;
    CREATE INDEX queue_waiting_leased ON queue_waiting (lease) WHERE lease >= 16777218;
    CREATE TABLE queue_body (
        id INTEGER PRIMARY KEY,
        body BLOB NOT NULL
    ) STRICT;
    CREATE TABLE queue_node (
        id INTEGER PRIMARY KEY,
        until INTEGER NOT NULL,
        name TEXT
    ) STRICT;
    CREATE TABLE queue_counter (
        name TEXT PRIMARY KEY,
        next INTEGER NOT NULL
    ) STRICT;
    INSERT INTO queue_counter (name, next) VALUES ('entry', 1), ('node', 16777218);
";
