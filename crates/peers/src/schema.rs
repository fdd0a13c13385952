//! The tables, in [`Place::Peers`](anser_db::Place::Peers).

use anser_db::Schema;

/// Tables of what is known of other servers, to be handed to `anser_db::Db::open`.
pub const SCHEMA: Schema = Schema(&[FIRST]);

/// `kind` as [`crate::Kind`] has it. `peer_days` counts the lines of `peer_counts`, so that their number can be limited cheaply.
const FIRST: &str = "
CREATE TABLE peer_counts (
  kind INTEGER NOT NULL,
  day INTEGER NOT NULL,
  domain TEXT NOT NULL,
  what TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (kind, day, domain, what)
) STRICT, WITHOUT ROWID;
CREATE TABLE peer_days (
  kind INTEGER NOT NULL,
  day INTEGER NOT NULL,
  lines INTEGER NOT NULL,
  PRIMARY KEY (kind, day)
) STRICT, WITHOUT ROWID;
CREATE TABLE peer_reports (
  id INTEGER NOT NULL PRIMARY KEY,
  kind INTEGER NOT NULL,
  domain TEXT NOT NULL,
  organization TEXT NOT NULL,
  report TEXT NOT NULL,
  sender TEXT NOT NULL,
  verified INTEGER NOT NULL,
  begin_s INTEGER NOT NULL,
  end_s INTEGER NOT NULL,
  received_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX peer_reports_time ON peer_reports (received_ms);
CREATE TABLE peer_lines (
  report INTEGER NOT NULL,
  position INTEGER NOT NULL,
  source TEXT NOT NULL,
  about TEXT NOT NULL,
  passed INTEGER NOT NULL,
  detail TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (report, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE peer_policies (
  domain TEXT NOT NULL PRIMARY KEY,
  id TEXT NOT NULL,
  policy TEXT NOT NULL,
  until_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";
