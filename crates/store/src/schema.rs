//! The tables of an account. `account` leads every key, so that one file may hold one account or many, and PostgreSQL all.
//!
//! Few B-trees: a delivery touches one leaf each of `account`, `mailbox`, `message`, `header`, `entry`, `thread`, `reference`, `change` and
//! `delivered`, and all but `reference` grow at their right edge. A mailbox is read by one range scan of `entry`, a large one by one of `block`.

use anser_db::Schema;

/// Versions of the account's tables.
pub const SCHEMA: Schema = Schema(&[
    "
CREATE TABLE account (
  account INTEGER NOT NULL PRIMARY KEY,
  next_id INTEGER NOT NULL,
  modseq INTEGER NOT NULL,
  uidvalidity INTEGER NOT NULL,
  used INTEGER NOT NULL,
  messages INTEGER NOT NULL,
  forgotten INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE mailbox (
  account INTEGER NOT NULL,
  id INTEGER NOT NULL,
  parent INTEGER NOT NULL,
  name TEXT NOT NULL,
  role TEXT,
  subscribed INTEGER NOT NULL,
  uidvalidity INTEGER NOT NULL,
  uidnext INTEGER NOT NULL,
  modseq INTEGER NOT NULL,
  total INTEGER NOT NULL,
  unseen INTEGER NOT NULL,
  deleted INTEGER NOT NULL,
  size INTEGER NOT NULL,
  recent_from INTEGER NOT NULL,
  PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX mailbox_name ON mailbox (account, parent, name);

CREATE TABLE message (
  account INTEGER NOT NULL,
  id INTEGER NOT NULL,
  thread INTEGER NOT NULL,
  blob BLOB NOT NULL,
  blob_size INTEGER NOT NULL,
  prefix BLOB NOT NULL,
  received INTEGER NOT NULL,
  zone INTEGER NOT NULL,
  uidl TEXT,
  places BLOB NOT NULL,
  keys BLOB NOT NULL,
  summary BLOB NOT NULL,
  structure BLOB NOT NULL,
  PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE entry (
  account INTEGER NOT NULL,
  mailbox INTEGER NOT NULL,
  uid INTEGER NOT NULL,
  message INTEGER NOT NULL,
  modseq INTEGER NOT NULL,
  flags INTEGER NOT NULL,
  keywords TEXT NOT NULL,
  size INTEGER NOT NULL,
  received INTEGER NOT NULL,
  zone INTEGER NOT NULL,
  saved INTEGER NOT NULL,
  PRIMARY KEY (account, mailbox, uid)
) STRICT, WITHOUT ROWID;

CREATE TABLE vanished (
  account INTEGER NOT NULL,
  mailbox INTEGER NOT NULL,
  modseq INTEGER NOT NULL,
  first INTEGER NOT NULL,
  last INTEGER NOT NULL,
  PRIMARY KEY (account, mailbox, modseq, first)
) STRICT, WITHOUT ROWID;

CREATE TABLE thread (
  account INTEGER NOT NULL,
  id INTEGER NOT NULL,
  message INTEGER NOT NULL,
  PRIMARY KEY (account, id, message)
) STRICT, WITHOUT ROWID;

CREATE TABLE reference (
  account INTEGER NOT NULL,
  hash INTEGER NOT NULL,
  subject INTEGER NOT NULL,
  thread INTEGER NOT NULL,
  PRIMARY KEY (account, hash, subject, thread)
) STRICT, WITHOUT ROWID;

CREATE TABLE change (
  account INTEGER NOT NULL,
  modseq INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  id INTEGER NOT NULL,
  action INTEGER NOT NULL,
  PRIMARY KEY (account, modseq, kind, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE delivered (
  account INTEGER NOT NULL,
  entry INTEGER NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (account, entry)
) STRICT, WITHOUT ROWID;
",
    SHARING,
    UIDL,
    HEADER,
    RULES,
    ROLE,
    BLOCK,
    JOB,
    LEDGER,
    GONE_SUBSCRIPTION,
    UPLOAD,
    RECORD,
    RESERVED,
    RECORD_NAME,
    MOVED_BACK,
    MARK,
    LEDGER_NEWEST_FIRST,
    LINE_ENDS,
    IDENTITY,
]);

/// What RFC 4314 and RFC 5464 need: who may do what, annotations, and subscriptions to mailboxes of other accounts. An annotation's
/// `mailbox` is 0 for the account itself, its `owner` 0 when it is shared, else the account whose private one it is.
const SHARING: &str = "
CREATE TABLE acl (
  account INTEGER NOT NULL,
  mailbox INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  who INTEGER NOT NULL,
  negative INTEGER NOT NULL,
  rights INTEGER NOT NULL,
  PRIMARY KEY (account, mailbox, kind, who, negative)
) STRICT, WITHOUT ROWID;

CREATE TABLE annotation (
  account INTEGER NOT NULL,
  mailbox INTEGER NOT NULL,
  owner INTEGER NOT NULL,
  entry TEXT NOT NULL,
  value BLOB NOT NULL,
  PRIMARY KEY (account, mailbox, owner, entry)
) STRICT, WITHOUT ROWID;

CREATE TABLE subscription (
  account INTEGER NOT NULL,
  owner INTEGER NOT NULL,
  mailbox INTEGER NOT NULL,
  PRIMARY KEY (account, owner, mailbox)
) STRICT, WITHOUT ROWID;
";

/// What lists of messages show of headers: `fields`. Beside `message`, so that a row of either stays within one page.
const HEADER: &str = "
CREATE TABLE header (
  account INTEGER NOT NULL,
  message INTEGER NOT NULL,
  fields BLOB NOT NULL,
  PRIMARY KEY (account, message)
) STRICT, WITHOUT ROWID;
";

/// Finds the inbox of a delivery, and whether a role is taken, among many mailboxes.
const ROLE: &str = "CREATE INDEX mailbox_role ON mailbox (account, role) WHERE role IS NOT NULL;";

/// Copies of rows of `entry`, by which large mailboxes open fast; see `block`.
const BLOCK: &str = "
CREATE TABLE block (
  account INTEGER NOT NULL,
  mailbox INTEGER NOT NULL,
  number INTEGER NOT NULL,
  entries BLOB NOT NULL,
  PRIMARY KEY (account, mailbox, number)
) STRICT, WITHOUT ROWID;
";

/// Finds the few messages that were imported with a unique id of POP3 among the many that were not.
const UIDL: &str = "CREATE INDEX message_uidl ON message (account, uidl) WHERE uidl IS NOT NULL;";

/// What rules leave behind: keys that are remembered for a while (answers given, messages seen), and mail that follows from a delivery
/// until the queue has it.
const RULES: &str = "
CREATE TABLE remembered (
  account INTEGER NOT NULL,
  key BLOB NOT NULL,
  until INTEGER NOT NULL,
  PRIMARY KEY (account, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE follow_up (
  account INTEGER NOT NULL,
  entry INTEGER NOT NULL,
  recipient INTEGER NOT NULL,
  mail BLOB NOT NULL,
  PRIMARY KEY (account, entry)
) STRICT, WITHOUT ROWID;
";

/// What goes through the mail of a mailbox, one an account; its script apart, since each step writes the row anew.
const JOB: &str = "
CREATE TABLE job (
  account INTEGER NOT NULL PRIMARY KEY,
  started INTEGER NOT NULL,
  mailbox INTEGER NOT NULL,
  first INTEGER NOT NULL,
  next INTEGER NOT NULL,
  looked INTEGER NOT NULL,
  touched INTEGER NOT NULL,
  skipped INTEGER NOT NULL,
  total INTEGER NOT NULL,
  state INTEGER NOT NULL,
  ended INTEGER,
  untold BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE job_script (
  account INTEGER NOT NULL PRIMARY KEY,
  script BLOB NOT NULL
) STRICT, WITHOUT ROWID;
";

/// What a move brought here and from where: see `ledger`. `moved_content` finds a message by what it is made of.
const LEDGER: &str = "
CREATE TABLE moved_folder (
  account INTEGER NOT NULL,
  source INTEGER NOT NULL,
  folder INTEGER NOT NULL,
  name BLOB NOT NULL,
  mailbox INTEGER NOT NULL,
  uidvalidity INTEGER NOT NULL,
  uidnext INTEGER NOT NULL,
  modseq INTEGER NOT NULL,
  messages INTEGER NOT NULL,
  keeps_uids INTEGER NOT NULL,
  state INTEGER NOT NULL,
  PRIMARY KEY (account, source, folder)
) STRICT, WITHOUT ROWID;

CREATE TABLE moved (
  account INTEGER NOT NULL,
  source INTEGER NOT NULL,
  folder INTEGER NOT NULL,
  key BLOB NOT NULL,
  state INTEGER NOT NULL,
  content BLOB,
  size INTEGER NOT NULL,
  received TEXT NOT NULL,
  flags INTEGER NOT NULL,
  keywords TEXT NOT NULL,
  message INTEGER NOT NULL,
  mailbox INTEGER NOT NULL,
  uid INTEGER NOT NULL,
  pass INTEGER NOT NULL,
  tries INTEGER NOT NULL,
  note TEXT,
  PRIMARY KEY (account, source, folder, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX moved_content ON moved (account, content) WHERE content IS NOT NULL;
";

/// Names of own mailboxes that are subscribed and gone.
const GONE_SUBSCRIPTION: &str = "
CREATE TABLE gone_subscription (
  account INTEGER NOT NULL,
  path TEXT NOT NULL,
  PRIMARY KEY (account, path)
) STRICT, WITHOUT ROWID;
";

/// Bodies that were uploaded and that nothing refers to yet; `owner` is who uploaded them.
const UPLOAD: &str = "
CREATE TABLE upload (
  account INTEGER NOT NULL,
  owner INTEGER NOT NULL,
  blob BLOB NOT NULL,
  size INTEGER NOT NULL,
  until INTEGER NOT NULL,
  PRIMARY KEY (account, owner, blob)
) STRICT, WITHOUT ROWID;
";

/// What programs keep with the account: see `record`.
const RECORD: &str = "
CREATE TABLE record (
  account INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  id INTEGER NOT NULL,
  value BLOB NOT NULL,
  PRIMARY KEY (account, kind, id)
) STRICT, WITHOUT ROWID;
";

/// What a source that lies in one file goes on from: see [`crate::LedgerFolder`].
const MARK: &str = "
ALTER TABLE moved_folder ADD COLUMN mark BLOB;
";

/// How the lines of the file ended that a message came from, where they were given CRLF: see [`crate::NewMessage`].
const LINE_ENDS: &str = "
ALTER TABLE message ADD COLUMN line_ends BLOB;
";

/// UIDs of a mailbox that messages of a move still take, the end excluded; zeros when there are none.
const RESERVED: &str = "
ALTER TABLE mailbox ADD COLUMN reserved_from INTEGER NOT NULL DEFAULT 0;
ALTER TABLE mailbox ADD COLUMN reserved_to INTEGER NOT NULL DEFAULT 0;
";

/// By what records are found that have a name of their own; see `record`.
const RECORD_NAME: &str = "
CREATE TABLE record_name (
  account INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  id INTEGER NOT NULL,
  name BLOB NOT NULL,
  PRIMARY KEY (account, kind, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX record_name_of ON record_name (account, kind, name);
";

/// For the way back of a move. `path`: the levels of a folder's mailbox when it was last the same on both sides, a line each. `form`: see
/// `uidl`.
const MOVED_BACK: &str = "
ALTER TABLE moved_folder ADD COLUMN path TEXT;
CREATE TABLE uidl_form (
  account INTEGER NOT NULL,
  mailbox INTEGER NOT NULL,
  form INTEGER NOT NULL,
  first_uid INTEGER NOT NULL,
  PRIMARY KEY (account, mailbox)
) STRICT, WITHOUT ROWID;
";

/// `moved` with its keys downwards: a move brings the newest messages first, and SQLite leaves the pages of a table half empty that grows
/// at its left edge. `ledger_content` finds rows by the first eight bytes of their content key: the row itself has the others.
const LEDGER_NEWEST_FIRST: &str = "
CREATE TABLE ledger (
  account INTEGER NOT NULL,
  source INTEGER NOT NULL,
  folder INTEGER NOT NULL,
  key BLOB NOT NULL,
  state INTEGER NOT NULL,
  content BLOB,
  size INTEGER NOT NULL,
  received TEXT NOT NULL,
  flags INTEGER NOT NULL,
  keywords TEXT NOT NULL,
  message INTEGER NOT NULL,
  mailbox INTEGER NOT NULL,
  uid INTEGER NOT NULL,
  pass INTEGER NOT NULL,
  tries INTEGER NOT NULL,
  note TEXT,
  PRIMARY KEY (account, source, folder, key DESC)
) STRICT, WITHOUT ROWID;
INSERT INTO ledger SELECT * FROM moved ORDER BY account, source, folder, key DESC;
DROP TABLE moved;
CREATE INDEX ledger_content ON ledger (account, substr(content, 1, 8)) WHERE content IS NOT NULL;
";

/// What a source knows a message and a folder by wherever they are: see [`crate::LedgerRow`], [`crate::LedgerFolder`].
const IDENTITY: &str = "
ALTER TABLE ledger ADD COLUMN identity INTEGER;
ALTER TABLE moved_folder ADD COLUMN id INTEGER NOT NULL DEFAULT 0;
";
