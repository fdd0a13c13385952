//! The tables, in [`Place::Moves`](anser_db::Place::Moves).

use anser_db::Schema;

/// Tables of moves, to be handed to `anser_db::Db::open`.
pub const SCHEMA: Schema = Schema(&[
    FIRST, PROOF, HOME, AWAY, FORM, OWN, GIVEN, TOLD, PACE, REFUSED, ADMIN, TICKETS, REFUSED_AS, PAST, IMPORTED, KEPT,
    NAMES, MADE, CHOICE, RULES, SUMS, SPACES,
]);

/// `state` as [`crate::model::MoveState`] and [`crate::model::State`] have it. `secret` is sealed by a key that is not here.
const FIRST: &str = "
CREATE TABLE mov_moves (
  id INTEGER NOT NULL PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  state INTEGER NOT NULL,
  created_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE mov_sources (
  id INTEGER NOT NULL PRIMARY KEY,
  move INTEGER NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  host TEXT NOT NULL,
  port INTEGER NOT NULL,
  tls TEXT NOT NULL,
  profile TEXT NOT NULL,
  connections INTEGER NOT NULL,
  UNIQUE (move, name)
) STRICT;
CREATE TABLE mov_accounts (
  id INTEGER NOT NULL PRIMARY KEY,
  move INTEGER NOT NULL,
  source INTEGER NOT NULL,
  login TEXT NOT NULL,
  address TEXT NOT NULL,
  account INTEGER NOT NULL,
  secret BLOB,
  state INTEGER NOT NULL,
  task INTEGER NOT NULL,
  note TEXT,
  due_ms INTEGER NOT NULL,
  tries INTEGER NOT NULL,
  pass INTEGER NOT NULL,
  done INTEGER NOT NULL,
  total INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  holder INTEGER NOT NULL,
  held_until_ms INTEGER NOT NULL,
  UNIQUE (source, login)
) STRICT;
CREATE INDEX mov_accounts_due ON mov_accounts (state, due_ms);
CREATE INDEX mov_accounts_move ON mov_accounts (move, id);
";

/// The newest proof of each mailbox, as JSON.
const PROOF: &str = "
CREATE TABLE mov_proofs (
  account INTEGER NOT NULL PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  proof TEXT NOT NULL
) STRICT;
";

/// Where mailboxes live. `home` as [`crate::model::Home`], `passing` as [`crate::model::Passing`]; `gates` is JSON of [`crate::gates`].
const HOME: &str = "
ALTER TABLE mov_accounts ADD COLUMN home INTEGER NOT NULL DEFAULT 0;
ALTER TABLE mov_accounts ADD COLUMN cut_ms INTEGER NOT NULL DEFAULT 0;
CREATE INDEX mov_accounts_account ON mov_accounts (account);
ALTER TABLE mov_moves ADD COLUMN passing INTEGER NOT NULL DEFAULT 0;
ALTER TABLE mov_moves ADD COLUMN relay TEXT;
ALTER TABLE mov_moves ADD COLUMN gates TEXT;
";

/// Who is away is asked at logins.
const AWAY: &str = "CREATE INDEX mov_accounts_home ON mov_accounts (home);";

/// The survey form, JSON of [`crate::form`].
const FORM: &str = "ALTER TABLE mov_moves ADD COLUMN form TEXT;";

/// Moves that persons make of their own other mailboxes. `every` is minutes between two passes, 0 for one pass only; `target` is the mailbox
/// that takes everything, 0 for none. One that is `gone` is remembered, so that what it brought is not brought twice when its owner makes it
/// again. `runs` are those that the owner began in that `hour` since 1970.
const OWN: &str = "
CREATE TABLE mov_own (
  move INTEGER NOT NULL PRIMARY KEY,
  account INTEGER NOT NULL,
  email TEXT NOT NULL,
  every INTEGER NOT NULL,
  target INTEGER NOT NULL,
  started_ms INTEGER NOT NULL,
  ended_ms INTEGER NOT NULL,
  hour INTEGER NOT NULL,
  runs INTEGER NOT NULL,
  gone INTEGER NOT NULL
) STRICT;
CREATE INDEX mov_own_account ON mov_own (account, move);
";

/// What a person chose of the folders of a move of his own, JSON of [`crate::own::Choice`]; how many messages each folder holds that was left
/// out; `looks` at its server, beside passes, in that `look_hour` since 1970.
const CHOICE: &str = "
ALTER TABLE mov_own ADD COLUMN choice TEXT NOT NULL DEFAULT '{}';
ALTER TABLE mov_own ADD COLUMN left_out TEXT NOT NULL DEFAULT '{}';
ALTER TABLE mov_own ADD COLUMN look_hour INTEGER NOT NULL DEFAULT 0;
ALTER TABLE mov_own ADD COLUMN looks INTEGER NOT NULL DEFAULT 0;
";

/// The highest number of a row of a table that was removed: none is given twice.
const GIVEN: &str = "
CREATE TABLE mov_given (
  name TEXT NOT NULL PRIMARY KEY,
  id INTEGER NOT NULL
) STRICT;
";

/// Letters that were begun, of each login, occasion and side as [`crate::notices`] has them, and whether they went.
const TOLD: &str = "
CREATE TABLE mov_told (
  account INTEGER NOT NULL,
  occasion TEXT NOT NULL,
  side TEXT NOT NULL,
  begun_ms INTEGER NOT NULL,
  went INTEGER NOT NULL,
  PRIMARY KEY (account, occasion, side)
) STRICT;
";

/// Who comes first, and when: `priority` as [`crate::model::Priority`]; `hours` as `Hours` of the directory writes them, none for all day.
/// `tally` is JSON of what the ledger added up to at the end of the last pass. Of the day since 1970 in `day` so many bytes came as `day_bytes`
/// says; `bytes_a_day` is 0 for any. `mov_runs` are the newest passes of each mailbox, numbered for each, `task` and `state` as words.
const PACE: &str = "
ALTER TABLE mov_accounts ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
ALTER TABLE mov_accounts ADD COLUMN wave TEXT;
ALTER TABLE mov_accounts ADD COLUMN tally TEXT;
ALTER TABLE mov_accounts ADD COLUMN day INTEGER NOT NULL DEFAULT 0;
ALTER TABLE mov_accounts ADD COLUMN day_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE mov_sources ADD COLUMN hours TEXT;
ALTER TABLE mov_sources ADD COLUMN bytes_a_day INTEGER NOT NULL DEFAULT 0;
CREATE TABLE mov_waves (
  move INTEGER NOT NULL,
  name TEXT NOT NULL,
  hours TEXT,
  PRIMARY KEY (move, name)
) STRICT;
CREATE TABLE mov_runs (
  id INTEGER NOT NULL,
  account INTEGER NOT NULL,
  task TEXT NOT NULL,
  began_ms INTEGER NOT NULL,
  ended_ms INTEGER NOT NULL,
  messages INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  state TEXT NOT NULL,
  note TEXT,
  PRIMARY KEY (account, id)
) STRICT;
";

/// Secrets that old servers refused: see [`crate::refused`].
const REFUSED: &str = "
CREATE TABLE mov_refused (
  source INTEGER NOT NULL,
  login TEXT NOT NULL,
  mark BLOB NOT NULL,
  at_ms INTEGER NOT NULL,
  times INTEGER NOT NULL,
  why TEXT NOT NULL,
  PRIMARY KEY (source, login)
) STRICT;
";

/// An administrator's login of a source: see [`crate::entry::Admin`]. `admin_secret` is sealed as those of mailboxes are.
const ADMIN: &str = "
ALTER TABLE mov_sources ADD COLUMN admin TEXT;
ALTER TABLE mov_sources ADD COLUMN admin_form TEXT;
ALTER TABLE mov_sources ADD COLUMN admin_secret BLOB;
";

/// As what kind of login a secret was refused: see [`crate::trouble::Trouble::Login`].
const REFUSED_AS: &str = "ALTER TABLE mov_refused ADD COLUMN kind TEXT NOT NULL DEFAULT 'wrong';";

/// What users complain of (see [`crate::tickets`]).
const TICKETS: &str = "
CREATE TABLE mov_tickets (
  id INTEGER NOT NULL PRIMARY KEY,
  move INTEGER NOT NULL,
  opened_ms INTEGER NOT NULL,
  opened_by TEXT NOT NULL,
  text TEXT NOT NULL,
  closed_ms INTEGER,
  closed_by TEXT,
  answer TEXT
) STRICT;
CREATE INDEX mov_tickets_move ON mov_tickets (move, id);
";

/// What is remembered of passes however many follow, as [`crate::history::Past`] has it. Of passes before it is what the newest
/// tell; where those that brought something are no longer among them, it may have been as late as these began.
const PAST: &str = "
ALTER TABLE mov_accounts ADD COLUMN whole_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE mov_accounts ADD COLUMN took_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE mov_accounts ADD COLUMN brought_ms INTEGER NOT NULL DEFAULT 0;
UPDATE mov_accounts SET
  whole_ms = CASE WHEN state = 0 THEN 0 ELSE COALESCE((SELECT MAX(mov_runs.ended_ms) FROM mov_runs
    WHERE mov_runs.account = mov_accounts.id AND mov_runs.state = 'settled'
    AND mov_runs.task IN ('copy', 'copy-after-loss', 'last')),
    CASE WHEN state = 5 OR cut_ms > 0 THEN 1 ELSE 0 END) END,
  took_ms = COALESCE((SELECT mov_runs.ended_ms - mov_runs.began_ms FROM mov_runs
    WHERE mov_runs.account = mov_accounts.id AND mov_runs.state = 'settled'
    AND mov_runs.task IN ('copy', 'copy-after-loss', 'last') ORDER BY mov_runs.id DESC LIMIT 1), 0),
  brought_ms = COALESCE(
    (SELECT MAX(mov_runs.ended_ms) FROM mov_runs WHERE mov_runs.account = mov_accounts.id AND mov_runs.bytes > 0),
    (SELECT MIN(mov_runs.began_ms) FROM mov_runs WHERE mov_runs.account = mov_accounts.id), 0);
";

/// What imports said of accounts and lists, by the keys of their addresses, as JSON of [`crate::imported::Imported`].
const IMPORTED: &str = "
CREATE TABLE mov_imported (
  move INTEGER NOT NULL,
  address TEXT NOT NULL,
  said TEXT NOT NULL,
  PRIMARY KEY (move, address)
) STRICT;
";

/// How long secrets are kept, as [`crate::kept`] has it: `used_ms` is 0 where that is not known yet.
const KEPT: &str = "
ALTER TABLE mov_moves ADD COLUMN secrets_until_ms INTEGER;
ALTER TABLE mov_moves ADD COLUMN used_ms INTEGER NOT NULL DEFAULT 0;
";

/// Mailboxes are found by their names, and by the domains of their addresses, in lower case.
const NAMES: &str = "
ALTER TABLE mov_accounts ADD COLUMN domain TEXT NOT NULL DEFAULT '';
UPDATE mov_accounts SET domain = lower(replace(address, rtrim(address, replace(address, '@', '')), ''));
CREATE INDEX mov_accounts_address ON mov_accounts (move, address);
CREATE INDEX mov_accounts_login ON mov_accounts (move, login);
CREATE INDEX mov_accounts_domain ON mov_accounts (move, domain, state);
";

/// Old addresses that a move made, as [`crate::old_addresses`] has it: of a mailbox, and which of the alias and the identity.
const MADE: &str = "
CREATE TABLE mov_old_addresses (
  mailbox INTEGER NOT NULL,
  address TEXT NOT NULL,
  alias INTEGER NOT NULL,
  identity INTEGER NOT NULL,
  PRIMARY KEY (mailbox, address)
) STRICT;
";

/// What a proof adds up to, as JSON of [`crate::verify::Sum`]; none of one that was kept before.
const SUMS: &str = "ALTER TABLE mov_proofs ADD COLUMN sum_json TEXT;";

/// The namespaces of a login as its old server last told them, JSON of [`crate::source::Spaces`]; none before it did.
const SPACES: &str = "ALTER TABLE mov_accounts ADD COLUMN spaces TEXT;";

/// What is left out of a source, as [`crate::rules::Rules`] has it.
const RULES: &str = "
ALTER TABLE mov_sources ADD COLUMN skip_deleted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE mov_sources ADD COLUMN shared TEXT;
";

#[cfg(test)]
mod tests {
    use anser_db::{Durability, Place, Schemas, Tx, params};
    use anser_testkit::engines::{NO_SCHEMAS, World};

    use super::*;
    use crate::model::State;

    /// The tables before what is remembered of passes.
    const BEFORE: Schema =
        Schema(&[FIRST, PROOF, HOME, AWAY, FORM, OWN, GIVEN, TOLD, PACE, REFUSED, ADMIN, TICKETS, REFUSED_AS]);

    /// A mailbox: its number, its state, when it was cut over.
    type Row = (i64, State, i64);
    /// A pass: its mailbox, its number, what it was to do, how it ended, when it began and ended, the bytes that it brought.
    type Ran = (i64, i64, &'static str, &'static str, i64, i64, i64);

    const MAILBOXES: [Row; 6] = [
        (1, State::Settled, 0),
        (2, State::New, 0),
        (3, State::Settled, 0),
        (4, State::Waiting, 900),
        (5, State::Ready, 0),
        (6, State::Settled, 0),
    ];
    const RUNS: [Ran; 8] = [
        (1, 7, "copy", "settled", 100, 220, 5_000),
        (1, 8, "copy", "settled", 300, 450, 0),
        (1, 9, "copy", "waiting", 500, 510, 0),
        (2, 1, "copy", "settled", 100, 200, 5_000),
        (5, 1, "trial", "ready", 100, 140, 70),
        (6, 3, "last", "settled", 600, 640, 0),
        (6, 4, "copy", "settled", 700, 710, 0),
        (6, 5, "return", "waiting", 800, 810, 0),
    ];

    fn fill(tx: &mut Tx<'_>) -> anser_base::Result<()> {
        for (id, state, cut) in MAILBOXES {
            let sql = "INSERT INTO mov_accounts (id, move, source, login, address, account, state, task, due_ms, tries, pass, done, total, \
                       bytes, holder, held_until_ms, cut_ms) VALUES (?1, 1, 1, ?2, ?2, ?1, ?3, 0, 0, 0, 1, 0, 0, 0, 0, 0, ?4)";
            tx.execute(sql, params![id, &format!("user{id}"), state as i64, cut])?;
        }
        for (account, id, task, state, began, ended, bytes) in RUNS {
            let sql = "INSERT INTO mov_runs (account, id, task, state, began_ms, ended_ms, messages, bytes) \
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7)";
            tx.execute(sql, params![account, id, task, state, began, ended, bytes])?;
        }
        tx.execute("INSERT INTO mov_proofs (account, at_ms, proof) VALUES (1, 700, '{}')", &[]).map(drop)
    }

    /// The tables before mailboxes were found by domains.
    const WITHOUT_NAMES: Schema = Schema(&[
        FIRST, PROOF, HOME, AWAY, FORM, OWN, GIVEN, TOLD, PACE, REFUSED, ADMIN, TICKETS, REFUSED_AS, PAST, IMPORTED,
        KEPT,
    ]);

    #[test]
    fn the_domains_of_mailboxes_that_were_listed_before_are_known() {
        let schemas = Schemas { moves: WITHOUT_NAMES, ..NO_SCHEMAS };
        for mut world in [Some(World::embedded(schemas)), World::postgres(schemas)].into_iter().flatten() {
            let old = world.open();
            old.write(Place::Moves, Durability::Sync, |tx| {
                fill(tx)?;
                for (id, address) in [(1_i64, "Ann@Example.Org"), (2, "\"a@b\"@b.example"), (3, "x@org.org")] {
                    let sql = "UPDATE mov_accounts SET address = ?2 WHERE id = ?1";
                    tx.execute(sql, params![id, address])?;
                }
                tx.execute("DELETE FROM mov_accounts WHERE id > 3", &[]).map(drop)
            })
            .wait()
            .unwrap();
            drop(old);
            world.schemas.moves = SCHEMA;
            let find = |tx: &mut Tx<'_>| crate::rows::domains(tx, 1);
            let found = world.open().read(Place::Moves, find).wait().unwrap();
            assert_eq!(found, ["b.example", "example.org", "org.org"], "{}", world.name);
        }
    }

    #[test]
    fn what_the_newest_passes_tell_is_remembered_of_those_before() {
        let schemas = Schemas { moves: BEFORE, ..NO_SCHEMAS };
        for mut world in [Some(World::embedded(schemas)), World::postgres(schemas)].into_iter().flatten() {
            let old = world.open();
            old.write(Place::Moves, Durability::Sync, fill).wait().unwrap();
            drop(old);
            world.schemas.moves = SCHEMA;
            let read = |tx: &mut Tx<'_>| {
                let sql = "SELECT id, whole_ms, took_ms, brought_ms FROM mov_accounts ORDER BY id";
                tx.query(sql, &[], |row| Ok([row.int(0)?, row.int(1)?, row.int(2)?, row.int(3)?]))
            };
            let found = world.open().read(Place::Moves, read).wait().unwrap();
            // 1: the last whole pass brought nothing. 2: undone. 3 and 4: whole, nobody knows when. 5: only tried. 6: what it brought was
            // told by passes that are no longer kept.
            let wanted =
                [[1, 450, 150, 220], [2, 0, 100, 200], [3, 1, 0, 0], [4, 1, 0, 0], [5, 0, 0, 140], [6, 710, 10, 600]];
            assert_eq!(found, wanted, "{}", world.name);
            let count = |tx: &mut Tx<'_>| tx.query_one("SELECT COUNT(*) FROM mov_proofs", &[], |row| row.int(0));
            assert_eq!(world.open().read(Place::Moves, count).wait().unwrap(), Some(1), "proofs stay");
        }
    }
}
