//! The tables of an account's search index, in a file of their own beside the mail they are made from.
//!
//! Blocks are of tens of kilobytes: small enough to read one for one term, large enough that a dictionary of some megabytes is a few
//! hundred rows.

use anser_db::Schema;

/// Versions of the search tables.
pub const SEARCH_SCHEMA: Schema = Schema(&["
CREATE TABLE search_state (
  account INTEGER NOT NULL PRIMARY KEY,
  form INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  through INTEGER NOT NULL,
  seen INTEGER NOT NULL,
  next_segment INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE search_segment (
  account INTEGER NOT NULL,
  id INTEGER NOT NULL,
  status INTEGER NOT NULL,
  first INTEGER NOT NULL,
  last INTEGER NOT NULL,
  messages INTEGER NOT NULL,
  map BLOB NOT NULL,
  directory BLOB NOT NULL,
  PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE search_terms (
  account INTEGER NOT NULL,
  segment INTEGER NOT NULL,
  block INTEGER NOT NULL,
  data BLOB NOT NULL,
  PRIMARY KEY (account, segment, block)
) STRICT, WITHOUT ROWID;

CREATE TABLE search_postings (
  account INTEGER NOT NULL,
  segment INTEGER NOT NULL,
  block INTEGER NOT NULL,
  data BLOB NOT NULL,
  PRIMARY KEY (account, segment, block)
) STRICT, WITHOUT ROWID;

CREATE TABLE search_text (
  account INTEGER NOT NULL,
  message INTEGER NOT NULL,
  mark INTEGER NOT NULL,
  head BLOB NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (account, message)
) STRICT, WITHOUT ROWID;

CREATE TABLE search_gone (
  account INTEGER NOT NULL,
  message INTEGER NOT NULL,
  PRIMARY KEY (account, message)
) STRICT, WITHOUT ROWID;
"]);
