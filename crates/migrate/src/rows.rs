//! The rows of moves, sources and mailboxes.

mod due;
mod kept;
mod named;

use std::collections::{HashMap, HashSet};

use anser_base::{AccountId, Error, Result, Timestamp};
use anser_db::{Row, Tx, params};

use crate::entry::Admin;
use crate::gates::Counted;
use crate::history::Past;
use crate::model::{Home, Kind, Mailbox, Move, MoveState, Passing, Priority, Source, State, Task, Tls};
use crate::own;
use crate::rules::Rules;
use crate::source::Spaces;
use crate::verify::Sum;

pub use due::{begin_pass, due, due_of_persons, due_sources, hold, is_held, next_due, release_all};
pub use kept::{change_form, change_gates, form, gates};
pub use named::{domains, domains_left, has_domain, mailboxes_named};

const SELECT_MAILBOX: &str = "SELECT id, move, source, login, address, account, secret, state, task, note, due_ms, tries, pass, done, \
                              total, bytes, home, cut_ms, priority, wave, tally FROM mov_accounts";
const SELECT_MOVE: &str = "SELECT id, name, state, created_ms, passing, relay FROM mov_moves";
const SELECT_SOURCE: &str = "SELECT id, name, kind, host, port, tls, profile, connections, admin, admin_form, skip_deleted, shared \
                             FROM mov_sources";

const FORGET_REFUSED: &str = "DELETE FROM mov_refused WHERE source IN (SELECT id FROM mov_sources WHERE move = ?1)";

/// Proofs that one look at the tables brings.
pub const PROOFS: usize = 200;

/// Moves of the organisation, not those of persons.
const OF_ALL: &str = "id NOT IN (SELECT move FROM mov_own)";

/// The move of this name.
pub fn move_named(tx: &mut Tx<'_>, name: &str) -> Result<Option<Move>> {
    tx.query_one(&format!("{SELECT_MOVE} WHERE name = ?1 AND {OF_ALL}"), params![name], read_move)
}

/// Every move of the organisation, oldest first.
pub fn moves(tx: &mut Tx<'_>) -> Result<Vec<Move>> {
    tx.query(&format!("{SELECT_MOVE} WHERE {OF_ALL} ORDER BY id"), &[], read_move)
}

/// The move of this number.
pub fn move_by_id(tx: &mut Tx<'_>, id: u64) -> Result<Option<Move>> {
    tx.query_one(&format!("{SELECT_MOVE} WHERE id = ?1"), params![id as i64], read_move)
}

/// Makes a move; fine when it is there.
pub fn add_move(tx: &mut Tx<'_>, name: &str, now: Timestamp) -> Result<Move> {
    let id = next(tx, "mov_moves")?;
    tx.execute(
        "INSERT INTO mov_moves (id, name, state, created_ms) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (name) DO NOTHING",
        params![id, name, MoveState::Draft as i64, now.0],
    )?;
    move_named(tx, name)?.ok_or_else(|| Error::damaged("a move that was just made is not there"))
}

/// Sets what is with a move.
pub fn set_move(tx: &mut Tx<'_>, id: u64, state: MoveState) -> Result<()> {
    tx.execute("UPDATE mov_moves SET state = ?2 WHERE id = ?1", params![id as i64, state as i64]).map(drop)
}

/// Sets whether sessions are passed through, and where mail for mailboxes that live there goes.
pub fn set_passing(tx: &mut Tx<'_>, id: u64, passing: Passing, relay: Option<&str>) -> Result<()> {
    tx.execute("UPDATE mov_moves SET passing = ?2, relay = ?3 WHERE id = ?1", params![id as i64, passing as i64, relay])
        .map(drop)
}

/// The sources of a move, oldest first.
pub fn sources(tx: &mut Tx<'_>, of: u64) -> Result<Vec<Source>> {
    tx.query(&format!("{SELECT_SOURCE} WHERE move = ?1 ORDER BY id"), params![of as i64], read_source)
}

/// A source by its number.
pub fn source(tx: &mut Tx<'_>, id: u64) -> Result<Option<Source>> {
    tx.query_one(&format!("{SELECT_SOURCE} WHERE id = ?1"), params![id as i64], read_source)
}

/// Makes a source, or changes the one of its name. At another server its administrator is nobody any more, or their password would go there;
/// of that server nothing is proven.
pub fn put_source(tx: &mut Tx<'_>, of: u64, source: &Source) -> Result<()> {
    let others = "DELETE FROM mov_proofs WHERE account IN (SELECT a.id FROM mov_accounts a JOIN mov_sources s ON s.id = a.source \
                  WHERE s.move = ?1 AND s.name = ?2 AND (s.kind <> ?3 OR s.host <> ?4 OR s.port <> ?5))";
    let (kind, port) = (source.kind.word(), i64::from(source.port));
    tx.execute(others, params![of as i64, &source.name, kind, &source.host, port])?;
    let id = next(tx, "mov_sources")?;
    let there =
        "mov_sources.host = excluded.host AND mov_sources.port = excluded.port AND mov_sources.tls = excluded.tls";
    let kept = ["admin", "admin_form", "admin_secret"]
        .map(|column| format!("{column} = CASE WHEN {there} THEN mov_sources.{column} END"))
        .join(", ");
    let sql = format!(
        "INSERT INTO mov_sources (id, move, name, kind, host, port, tls, profile, connections) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (move, name) DO UPDATE SET kind = excluded.kind, \
         host = excluded.host, port = excluded.port, tls = excluded.tls, profile = excluded.profile, connections = excluded.connections, \
         {kept}"
    );
    tx.execute(
        &sql,
        params![
            id,
            of as i64,
            &source.name,
            kind,
            &source.host,
            port,
            source.tls.word(),
            &source.profile,
            source.connections
        ],
    )
    .map(drop)
}

/// Sets who logs in at a source for everybody, and by what, sealed; the secret stays when there is no new one.
pub fn set_admin(tx: &mut Tx<'_>, id: u64, admin: Option<&Admin>, sealed: Option<&[u8]>) -> Result<()> {
    let (name, form) = (admin.map(|admin| &*admin.name), admin.map(|admin| &*admin.form));
    let sql = "UPDATE mov_sources SET admin = ?2, admin_form = ?3 WHERE id = ?1";
    tx.execute(sql, params![id as i64, name, form])?;
    if admin.is_some() && sealed.is_none() {
        return Ok(());
    }
    tx.execute("UPDATE mov_sources SET admin_secret = ?2 WHERE id = ?1", params![id as i64, sealed]).map(drop)
}

/// What they log in with, sealed.
pub fn admin_secret(tx: &mut Tx<'_>, id: u64) -> Result<Option<Vec<u8>>> {
    let sql = "SELECT admin_secret FROM mov_sources WHERE id = ?1";
    Ok(tx.query_one(sql, params![id as i64], |row| row.opt_blob(0))?.flatten())
}

/// The mailbox of a login.
pub fn mailbox_of_login(tx: &mut Tx<'_>, source: u64, login: &str) -> Result<Option<Mailbox>> {
    let sql = format!("{SELECT_MAILBOX} WHERE source = ?1 AND login = ?2");
    tx.query_one(&sql, params![source as i64, login], read_mailbox)
}

/// Lists a login. One that is listed already keeps what is known of it; its address and account and, when there is a new one, its secret
/// change: the caller makes sure that nothing came into another account.
pub fn put_mailbox(tx: &mut Tx<'_>, mailbox: &Mailbox) -> Result<u64> {
    let id = next(tx, "mov_accounts")?;
    tx.execute(
        "INSERT INTO mov_accounts (id, move, source, login, address, account, secret, state, task, note, due_ms, tries, pass, done, \
         total, bytes, holder, held_until_ms, home, domain) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, NULL, 0, 0, 0, 0, 0, 0, 0, 0, ?10, ?11) \
         ON CONFLICT (source, login) DO UPDATE SET address = excluded.address, account = excluded.account, domain = excluded.domain, \
         secret = COALESCE(excluded.secret, mov_accounts.secret)",
        params![
            id,
            mailbox.of as i64,
            mailbox.source as i64,
            &mailbox.login,
            &mailbox.address,
            mailbox.account.to_sql(),
            mailbox.secret.as_deref(),
            mailbox.state as i64,
            mailbox.task as i64,
            mailbox.home as i64,
            &named::domain_of(&mailbox.address)
        ],
    )?;
    let found = tx.query_one(
        "SELECT id FROM mov_accounts WHERE source = ?1 AND login = ?2",
        params![mailbox.source as i64, &mailbox.login],
        |row| row.int(0),
    )?;
    found.map(|id| id as u64).ok_or_else(|| Error::damaged("a mailbox that was just listed is not there"))
}

/// The mailboxes of a move, by number, after this one, at most `limit`.
pub fn mailboxes(tx: &mut Tx<'_>, of: u64, after: u64, limit: usize) -> Result<Vec<Mailbox>> {
    tx.query(
        &format!("{SELECT_MAILBOX} WHERE move = ?1 AND id > ?2 ORDER BY id LIMIT ?3"),
        params![of as i64, after as i64, limit as i64],
        read_mailbox,
    )
}

/// Sets what is with a mailbox.
pub fn set_state(tx: &mut Tx<'_>, id: u64, to: &Standing<'_>) -> Result<()> {
    tx.execute(
        "UPDATE mov_accounts SET state = ?2, task = ?3, note = ?4, due_ms = ?5, tries = ?6, holder = 0, held_until_ms = 0 WHERE id = ?1",
        params![id as i64, to.state as i64, to.task as i64, to.note, to.due.0, to.tries],
    )
    .map(drop)
}

/// Sets where a mailbox lives, and since when it is cut over.
pub fn set_home(tx: &mut Tx<'_>, id: u64, home: Home, cut: Timestamp) -> Result<()> {
    tx.execute("UPDATE mov_accounts SET home = ?2, cut_ms = ?3 WHERE id = ?1", params![id as i64, home as i64, cut.0])
        .map(drop)
}

/// What a mailbox is opened with, sealed.
pub fn secret(tx: &mut Tx<'_>, id: u64) -> Result<Option<Vec<u8>>> {
    let sql = "SELECT secret FROM mov_accounts WHERE id = ?1";
    Ok(tx.query_one(sql, params![id as i64], |row| row.opt_blob(0))?.flatten())
}

/// Sets it.
pub fn set_secret(tx: &mut Tx<'_>, id: u64, sealed: &[u8]) -> Result<()> {
    tx.execute("UPDATE mov_accounts SET secret = ?2 WHERE id = ?1", params![id as i64, sealed]).map(drop)
}

/// Forgets it.
pub fn forget_secret(tx: &mut Tx<'_>, id: u64) -> Result<()> {
    tx.execute("UPDATE mov_accounts SET secret = NULL WHERE id = ?1", params![id as i64]).map(drop)
}

/// Forgets the passwords of a move, and which of them were refused.
pub fn wipe_secrets(tx: &mut Tx<'_>, of: u64) -> Result<()> {
    for sql in [
        "UPDATE mov_sources SET admin_secret = NULL WHERE move = ?1",
        "UPDATE mov_accounts SET secret = NULL WHERE move = ?1",
        "UPDATE mov_moves SET used_ms = 0 WHERE id = ?1",
        FORGET_REFUSED,
    ] {
        tx.execute(sql, params![of as i64])?;
    }
    Ok(())
}

/// The same, and nothing is due any more.
pub fn forget_secrets(tx: &mut Tx<'_>, of: u64) -> Result<()> {
    wipe_secrets(tx, of)?;
    tx.execute("UPDATE mov_accounts SET due_ms = 0 WHERE move = ?1", params![of as i64]).map(drop)
}

/// What is with a mailbox.
pub fn state(tx: &mut Tx<'_>, id: u64) -> Result<Option<State>> {
    let found = tx.query_one("SELECT state FROM mov_accounts WHERE id = ?1", params![id as i64], |row| row.int(0))?;
    found.map(State::from_number).transpose()
}

/// What is noted of a mailbox.
pub fn note(tx: &mut Tx<'_>, id: u64) -> Result<Option<String>> {
    let sql = "SELECT note FROM mov_accounts WHERE id = ?1";
    Ok(tx.query_one(sql, params![id as i64], |row| row.opt_text(0))?.flatten())
}

/// Where a mailbox lives.
pub fn home(tx: &mut Tx<'_>, id: u64) -> Result<Option<Home>> {
    let found = tx.query_one("SELECT home FROM mov_accounts WHERE id = ?1", params![id as i64], |row| row.int(0))?;
    found.map(Home::from_number).transpose()
}

/// The mailboxes of an account that do not live here, each with what its source speaks.
pub fn away(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<(Mailbox, Kind)>> {
    let all = tx.query(
        &format!("{SELECT_MAILBOX} WHERE account = ?1 AND home > ?2 ORDER BY id"),
        params![account.to_sql(), Home::Here as i64],
        read_mailbox,
    )?;
    let mut found = Vec::new();
    for mailbox in all {
        if let Some(source) = source(tx, mailbox.source)? {
            found.push((mailbox, source.kind));
        }
    }
    Ok(found)
}

/// Accounts with a mailbox that does not live here.
pub fn all_away(tx: &mut Tx<'_>) -> Result<HashSet<AccountId>> {
    let found = tx.query("SELECT account FROM mov_accounts WHERE home > ?1", params![Home::Here as i64], |row| {
        Ok(AccountId::from_sql(row.int(0)?))
    })?;
    Ok(found.into_iter().collect())
}

/// What is with a mailbox from now on.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    pub state: State,
    pub task: Task,
    pub note: Option<&'a str>,
    pub due: Timestamp,
    pub tries: u32,
}

/// Mailboxes of the organisation's moves that bring mail into an account and did not come to their end, or do not live here yet.
pub fn unfinished(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<Mailbox>> {
    let all = tx.query(
        &format!(
            "{SELECT_MAILBOX} WHERE account = ?1 AND state <> ?2 AND (state <> ?3 OR home <> ?4) \
             AND move IN (SELECT id FROM mov_moves WHERE {OF_ALL}) ORDER BY id"
        ),
        params![account.to_sql(), State::Abandoned as i64, State::Settled as i64, Home::Here as i64],
        read_mailbox,
    )?;
    let mut open = Vec::with_capacity(all.len());
    for mailbox in all {
        // Of a move that was closed nothing comes any more.
        if gates(tx, mailbox.of)?.closed.is_none() {
            open.push(mailbox);
        }
    }
    Ok(open)
}

/// Persons' own moves into an account that wait for the organisation's are due: it may be finished.
pub fn set_due_behind(tx: &mut Tx<'_>, account: AccountId, now: Timestamp) -> Result<()> {
    let sql = "UPDATE mov_accounts SET due_ms = ?2 WHERE account = ?1 AND state = ?3 AND note LIKE ?4 \
               AND move IN (SELECT move FROM mov_own)";
    let behind = format!("{}:%", own::BEHIND);
    tx.execute(sql, params![account.to_sql(), now.0, State::Waiting as i64, &behind]).map(drop)
}

/// The mailboxes of an account, of whatever moves.
pub fn mailboxes_of(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<Mailbox>> {
    tx.query(&format!("{SELECT_MAILBOX} WHERE account = ?1 ORDER BY id"), params![account.to_sql()], read_mailbox)
}

/// Those of moves of the organisation.
pub fn moving_of(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<Mailbox>> {
    let sql = format!(
        "{SELECT_MAILBOX} WHERE account = ?1 AND move IN (SELECT id FROM mov_moves WHERE {OF_ALL}) ORDER BY id"
    );
    tx.query(&sql, params![account.to_sql()], read_mailbox)
}

/// Removes a person's own move with all that is known of it.
pub fn remove_own(tx: &mut Tx<'_>, of: u64) -> Result<()> {
    for table in ["mov_moves", "mov_sources", "mov_accounts"] {
        let given = highest(tx, table)?;
        let sql = "INSERT INTO mov_given (name, id) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET id = excluded.id";
        tx.execute(sql, params![table, given])?;
    }
    for sql in [
        "DELETE FROM mov_proofs WHERE account IN (SELECT id FROM mov_accounts WHERE move = ?1)",
        "DELETE FROM mov_runs WHERE account IN (SELECT id FROM mov_accounts WHERE move = ?1)",
        "DELETE FROM mov_old_addresses WHERE mailbox IN (SELECT id FROM mov_accounts WHERE move = ?1)",
        "DELETE FROM mov_accounts WHERE move = ?1",
        FORGET_REFUSED,
        "DELETE FROM mov_sources WHERE move = ?1",
        "DELETE FROM mov_own WHERE move = ?1",
        "DELETE FROM mov_moves WHERE id = ?1",
    ] {
        tx.execute(sql, params![of as i64])?;
    }
    Ok(())
}

/// Notes how far a pass is.
pub fn progress(tx: &mut Tx<'_>, id: u64, done: u64, total: u64, bytes: u64) -> Result<()> {
    tx.execute(
        "UPDATE mov_accounts SET done = ?2, total = ?3, bytes = ?4 WHERE id = ?1",
        params![id as i64, done as i64, total as i64, bytes as i64],
    )
    .map(drop)
}

/// What the ledger of a mailbox adds up to, as JSON.
pub fn set_tally(tx: &mut Tx<'_>, id: u64, tally: Option<&str>) -> Result<()> {
    tx.execute("UPDATE mov_accounts SET tally = ?2 WHERE id = ?1", params![id as i64, tally]).map(drop)
}

/// The namespaces of a mailbox as its old server last told them.
pub fn spaces(tx: &mut Tx<'_>, id: u64) -> Result<Option<Spaces>> {
    let sql = "SELECT spaces FROM mov_accounts WHERE id = ?1";
    let told = tx.query_one(sql, params![id as i64], |row| row.opt_text(0))?.flatten();
    told.map(|told| serde_json::from_str(&told).map_err(Error::damaged)).transpose()
}

/// Notes them.
pub fn set_spaces(tx: &mut Tx<'_>, id: u64, spaces: &Spaces) -> Result<()> {
    let told = serde_json::to_string(spaces).map_err(Error::unavailable)?;
    tx.execute("UPDATE mov_accounts SET spaces = ?2 WHERE id = ?1", params![id as i64, &told]).map(drop)
}

/// It was brought: it no longer comes before others.
pub fn set_usual(tx: &mut Tx<'_>, id: u64) -> Result<()> {
    tx.execute("UPDATE mov_accounts SET priority = 0 WHERE id = ?1", params![id as i64]).map(drop)
}

/// Keeps the newest proof of a mailbox, which began at this time, and what it adds up to.
pub fn put_proof(tx: &mut Tx<'_>, id: u64, began: Timestamp, proof: &str, sum: &Sum) -> Result<()> {
    let sum = serde_json::to_string(sum).map_err(Error::damaged)?;
    tx.execute(
        "INSERT INTO mov_proofs (account, at_ms, proof, sum_json) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (account) DO UPDATE SET at_ms = excluded.at_ms, proof = excluded.proof, sum_json = excluded.sum_json",
        params![id as i64, began.0, proof, &sum],
    )
    .map(drop)
}

/// Proofs of a move that were kept without what they add up to, by the numbers of their mailboxes, after this one: [`PROOFS`] at a time.
pub fn proofs_without_sum(tx: &mut Tx<'_>, of: u64, after: u64) -> Result<Vec<(u64, String)>> {
    let sql = "SELECT account, proof FROM mov_proofs WHERE sum_json IS NULL AND account > ?2 \
               AND account IN (SELECT id FROM mov_accounts WHERE move = ?1) ORDER BY account LIMIT ?3";
    tx.query(sql, params![of as i64, after as i64, PROOFS as i64], |row| Ok((row.int(0)? as u64, row.text(1)?)))
}

/// Adds to such a proof what it adds up to; to none that came since.
pub fn set_sum(tx: &mut Tx<'_>, id: u64, sum: &Sum) -> Result<()> {
    let sum = serde_json::to_string(sum).map_err(Error::damaged)?;
    let sql = "UPDATE mov_proofs SET sum_json = ?2 WHERE account = ?1 AND sum_json IS NULL";
    tx.execute(sql, params![id as i64, &sum]).map(drop)
}

/// The newest proofs of these mailboxes, by number, and when each began. A proof may be some 100 KB: [`PROOFS`] at a time.
pub fn proofs(tx: &mut Tx<'_>, ids: &[u64]) -> Result<HashMap<u64, (Timestamp, String)>> {
    let sql = "SELECT at_ms, proof FROM mov_proofs WHERE account = ?1";
    let mut found = HashMap::new();
    for id in ids {
        let proof = tx.query_one(sql, params![*id as i64], |row| Ok((Timestamp(row.int(0)?), row.text(1)?)))?;
        found.extend(proof.map(|proof| (*id, proof)));
    }
    Ok(found)
}

/// Some mailboxes of a move by number, after this one, each with its past and what its proof adds up to, as all of that was at one moment.
pub fn counted(tx: &mut Tx<'_>, of: u64, after: u64) -> Result<Vec<Counted>> {
    let proof = |column: &str| format!("(SELECT {column} FROM mov_proofs WHERE mov_proofs.account = mov_accounts.id)");
    let (at, text) = (proof("at_ms"), proof("sum_json"));
    let more = format!(", whole_ms, took_ms, brought_ms, {at}, {text} FROM");
    let select = SELECT_MAILBOX.replacen(" FROM", &more, 1);
    let sql = format!("{select} WHERE move = ?1 AND id > ?2 ORDER BY id LIMIT ?3");
    tx.query(&sql, params![of as i64, after as i64, PROOFS as i64], |row| {
        let proof =
            row.opt_int(24)?.map(Timestamp).zip(row.opt_text(25)?.and_then(|text| serde_json::from_str(&text).ok()));
        Ok(Counted { mailbox: read_mailbox(row)?, past: Past::read(row, 21)?, proof })
    })
}

/// A number that no row of a table has, or had: the ledgers of accounts and what is in memory know mailboxes by it.
pub fn next(tx: &mut Tx<'_>, table: &str) -> Result<i64> {
    Ok(highest(tx, table)? + 1)
}

fn highest(tx: &mut Tx<'_>, table: &str) -> Result<i64> {
    let found = tx.query_one(&format!("SELECT COALESCE(MAX(id), 0) FROM {table}"), &[], |row| row.int(0))?;
    let given = tx.query_one("SELECT id FROM mov_given WHERE name = ?1", params![table], |row| row.int(0))?;
    Ok(found.max(given).unwrap_or(0))
}

fn read_move(row: &Row<'_>) -> Result<Move> {
    Ok(Move {
        id: row.int(0)? as u64,
        name: row.text(1)?,
        state: MoveState::from_number(row.int(2)?)?,
        created: Timestamp(row.int(3)?),
        passing: Passing::from_number(row.int(4)?)?,
        relay: row.opt_text(5)?,
    })
}

fn read_source(row: &Row<'_>) -> Result<Source> {
    let unknown = || Error::damaged("a source of a move is of an unknown kind");
    Ok(Source {
        id: row.int(0)? as u64,
        name: row.text(1)?,
        kind: Kind::from_word(&row.text(2)?).ok_or_else(unknown)?,
        host: row.text(3)?,
        port: u16::try_from(row.int(4)?).map_err(|_| unknown())?,
        tls: Tls::from_word(&row.text(5)?).ok_or_else(unknown)?,
        profile: row.text(6)?,
        connections: row.int(7)? as u32,
        admin: row.opt_text(8)?.zip(row.opt_text(9)?).map(|(name, form)| Admin { name, form }),
        rules: Rules { skip_deleted: row.bool(10)?, shared: row.opt_text(11)? },
    })
}

fn read_mailbox(row: &Row<'_>) -> Result<Mailbox> {
    Ok(Mailbox {
        id: row.int(0)? as u64,
        of: row.int(1)? as u64,
        source: row.int(2)? as u64,
        login: row.text(3)?,
        address: row.text(4)?,
        account: AccountId::from_sql(row.int(5)?),
        secret: row.opt_blob(6)?,
        state: State::from_number(row.int(7)?)?,
        task: Task::from_number(row.int(8)?)?,
        note: row.opt_text(9)?,
        due: Timestamp(row.int(10)?),
        tries: row.int(11)? as u32,
        pass: row.int(12)? as u32,
        done: row.int(13)? as u64,
        total: row.int(14)? as u64,
        bytes: row.int(15)? as u64,
        home: Home::from_number(row.int(16)?)?,
        cut: Timestamp(row.int(17)?),
        priority: Priority::from_number(row.int(18)?)?,
        wave: row.opt_text(19)?,
        tally: row.opt_text(20)?.and_then(|text| serde_json::from_str(&text).ok()),
    })
}
