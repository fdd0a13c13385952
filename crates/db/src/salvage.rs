//! Every row of a damaged SQLite file that can still be read.
//!
//! A table is read by its key from its start until an error, then from its end backwards. From the last key before an error
//! look-ups step forward, column by column, until one lands behind the damaged pages; from there it is read on, and
//! backwards over what was stepped over. Only columns of integers are stepped through, and no others are stepped behind: what lies
//! downwards is a column of bytes. Rows below a damaged inner page of the tree are out of reach.

use std::cmp::Ordering;
use std::path::PathBuf;

use anser_base::Result;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use crate::tx::sqlite_error;

/// Look-ups that may fail, for each table; some 20 µs each.
const PROBES: usize = 1 << 20;
/// Steps of one key each that a look-up makes before the steps grow: several pages of small rows.
const SMALL_STEPS: i64 = 2048;

/// What a salvage brought home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Salvaged {
    /// Where the damaged file is now.
    pub aside: PathBuf,
    /// What was found, table by table.
    pub tables: Vec<SalvagedTable>,
}

/// What was found of one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SalvagedTable {
    /// Its name.
    pub name: String,
    /// Rows that are in the new file.
    pub rows: u64,
    /// Rows that were read but do not fit the table's rules, so that they must be nonsense.
    pub unfit: u64,
    /// Whether the table was read from end to end without an error.
    pub complete: bool,
}

type Key = Vec<Value>;

/// Fills the tables of a fresh file from a damaged one. `first` is what keys begin with, if that is known.
pub(crate) fn salvage(damaged: &Connection, fresh: &Connection, first: Option<i64>) -> Result<Vec<SalvagedTable>> {
    let mut tables = Vec::new();
    fresh.execute_batch("BEGIN").map_err(sqlite_error)?;
    for table in tables_of(fresh).map_err(sqlite_error)? {
        // What the schema itself put there is in the old table, if it was not changed or removed since.
        fresh.execute_batch(&format!("DELETE FROM \"{}\"", table.name)).map_err(sqlite_error)?;
        let table = table.reduced_to(damaged);
        tables.push(Search::new(damaged, fresh, &table)?.run(first));
    }
    fresh.execute_batch("COMMIT").map_err(sqlite_error)?;
    Ok(tables)
}

/// The tables of a fresh file that nobody has written to, without rows.
pub(crate) fn nothing_found(fresh: &Connection) -> Result<Vec<SalvagedTable>> {
    let empty = |table: Table| SalvagedTable { name: table.name, rows: 0, unfit: 0, complete: false };
    Ok(tables_of(fresh).map_err(sqlite_error)?.into_iter().map(empty).collect())
}

struct Table {
    name: String,
    columns: Vec<String>,
    /// What its rows are sorted by in the file.
    key: Vec<KeyColumn>,
}

struct KeyColumn {
    name: String,
    /// Whether its rows lie downwards.
    down: bool,
}

impl Table {
    /// With the columns that the damaged file knows of. Of a table that it does not know at all every reading fails.
    fn reduced_to(self, damaged: &Connection) -> Table {
        let known = table_of(damaged, self.name.clone(), true).map(|table| table.columns).unwrap_or_default();
        let shared: Vec<String> = self.columns.iter().filter(|column| known.contains(column)).cloned().collect();
        if shared.is_empty() { self } else { Table { columns: shared, ..self } }
    }
}

fn tables_of(connection: &Connection) -> rusqlite::Result<Vec<Table>> {
    let mut names = connection.prepare(
        "SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
    )?;
    let names = names.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?)))?;
    names.map(|found| found.and_then(|(name, without_rowid)| table_of(connection, name, without_rowid))).collect()
}

fn table_of(connection: &Connection, name: String, without_rowid: bool) -> rusqlite::Result<Table> {
    let mut info = connection.prepare("SELECT name FROM pragma_table_info(?1) ORDER BY cid")?;
    let columns = info.query_map([&name], |row| Ok(quoted(&row.get::<_, String>(0)?)))?.collect::<Result<_, _>>()?;
    let mut info = connection.prepare(
        "SELECT x.name, x.desc FROM pragma_index_list(?1) l, pragma_index_xinfo(l.name) x WHERE l.origin = 'pk' AND x.key = 1 \
         ORDER BY x.seqno",
    )?;
    let key = match without_rowid {
        true => info
            .query_map([&name], |row| Ok(KeyColumn { name: quoted(&row.get::<_, String>(0)?), down: row.get(1)? }))?
            .collect::<Result<_, _>>()?,
        false => vec![KeyColumn { name: "rowid".into(), down: false }],
    };
    Ok(Table { name, columns, key })
}

fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

/// One table on its way.
struct Search<'a> {
    damaged: &'a Connection,
    insert: rusqlite::Statement<'a>,
    /// `SELECT key, columns FROM table`, and the columns of the key.
    select: String,
    key: String,
    columns: &'a [KeyColumn],
    width: usize,
    probes: usize,
    found: SalvagedTable,
}

/// Where a reading begins, and which way it goes: up, but down from `Below` and `End`.
#[derive(Clone, Copy)]
enum Way<'k> {
    From(&'k [Value]),
    Below(&'k [Value]),
    Start,
    End,
}

/// What one reading came to.
struct Read {
    /// The last key that was read.
    last: Option<Key>,
    /// Whether the rows ended, or the limit was reached, without an error.
    finished: bool,
}

impl<'a> Search<'a> {
    fn new(damaged: &'a Connection, fresh: &'a Connection, table: &'a Table) -> Result<Self> {
        let columns = table.columns.join(", ");
        let key = table.key.iter().map(|column| &*column.name).collect::<Vec<_>>().join(", ");
        let marks = vec!["?"; table.columns.len()].join(", ");
        let insert = format!("INSERT OR IGNORE INTO \"{}\" ({columns}) VALUES ({marks})", table.name);
        Ok(Self {
            damaged,
            insert: fresh.prepare(&insert).map_err(sqlite_error)?,
            select: format!("SELECT {key}, {columns} FROM \"{}\"", table.name),
            key,
            columns: &table.key,
            width: table.key.len(),
            probes: PROBES,
            found: SalvagedTable { name: table.name.clone(), rows: 0, unfit: 0, complete: false },
        })
    }

    fn run(mut self, first: Option<i64>) -> SalvagedTable {
        let forwards = self.read(Way::Start, None);
        if forwards.finished {
            self.found.complete = true;
            return self.found;
        }
        let backwards = self.read(Way::End, forwards.last.as_deref());
        if !backwards.finished {
            let mut guess = vec![Value::Integer(0); self.width];
            guess[0] = Value::Integer(first.unwrap_or(0));
            let end = vec![Value::Blob(vec![u8::MAX; 64])];
            self.search_holes(forwards.last.unwrap_or(guess), &backwards.last.unwrap_or(end));
        }
        self.found
    }

    fn search_holes(&mut self, mut low: Key, high: &[Value]) {
        while let Some(next) = self.step_over(&low, high) {
            low = next;
        }
    }

    /// Finds the next rows behind a hole; the last key of them, `None` when there are none or nothing is left to be found.
    fn step_over(&mut self, low: &[Value], high: &[Value]) -> Option<Key> {
        for column in (0..self.width).rev() {
            let Value::Integer(number) = low[column] else { continue };
            for number in steps(number) {
                let mut middle = low.to_vec();
                middle[column] = Value::Integer(number);
                middle[column + 1..].fill(Value::Integer(i64::MIN));
                self.probes = self.probes.checked_sub(1)?;
                if !self.less(&middle, high) {
                    break;
                }
                let up = self.read(Way::From(&middle), Some(high));
                if up.finished || up.last.is_some() {
                    self.read(Way::Below(&middle), Some(low));
                    return if up.finished { None } else { up.last };
                }
            }
        }
        None
    }

    /// Reads one way until an error, the end, or a row at or beyond the limit, and keeps what it reads.
    fn read(&mut self, way: Way<'_>, limit: Option<&[Value]>) -> Read {
        let mut read = Read { last: None, finished: false };
        // What went wrong does not matter: it is not read.
        let _ = self.try_read(way, limit, &mut read);
        read
    }

    fn try_read(&mut self, way: Way<'_>, limit: Option<&[Value]>, read: &mut Read) -> rusqlite::Result<()> {
        let (sign, from, up) = match way {
            Way::Start => (">=", None, true),
            Way::From(key) => (">=", Some(key), true),
            Way::Below(key) => ("<", Some(key), false),
            Way::End => ("<", None, false),
        };
        let marks = vec!["?"; self.width].join(", ");
        let condition = from.map(|_| format!("WHERE ({}) {sign} ({marks})", self.key)).unwrap_or_default();
        let order = |column: &KeyColumn| format!("{} {}", column.name, if column.down == up { "DESC" } else { "ASC" });
        let sorted = self.columns.iter().map(order).collect::<Vec<_>>().join(", ");
        let mut statement = self.damaged.prepare_cached(&format!("{} {condition} ORDER BY {sorted}", self.select))?;
        let mut rows = statement.query(params_from_iter(from.unwrap_or_default()))?;
        while let Some(row) = rows.next()? {
            let values =
                (0..row.as_ref().column_count()).map(|n| row.get(n)).collect::<rusqlite::Result<Vec<Value>>>()?;
            let (key, values) = values.split_at(self.width);
            let beyond = limit.is_some_and(|limit| if up { !self.less(key, limit) } else { !self.less(limit, key) });
            let in_order = read.last.as_ref().is_none_or(|last| self.less(last, key) == up);
            if beyond || !in_order {
                read.finished = beyond;
                return Ok(());
            }
            match self.insert.execute(params_from_iter(values)) {
                Ok(added) => self.found.rows += added as u64,
                Err(_) => self.found.unfit += 1,
            }
            read.last = Some(key.to_vec());
        }
        read.finished = true;
        Ok(())
    }

    /// Whether a key lies before another in the file.
    fn less(&self, one: &[Value], other: &[Value]) -> bool {
        let columns = self.columns.iter().zip(one.iter().zip(other));
        let orders = columns.map(|(column, (one, other))| match column.down {
            true => order_of(other, one),
            false => order_of(one, other),
        });
        orders.fold(Ordering::Equal, Ordering::then).is_lt()
    }
}

/// How two values of a key lie in the file; SQLite's order of the types that keys have.
fn order_of(one: &Value, other: &Value) -> Ordering {
    fn rank(value: &Value) -> u8 {
        match value {
            Value::Null => 0,
            Value::Integer(_) | Value::Real(_) => 1,
            Value::Text(_) => 2,
            Value::Blob(_) => 3,
        }
    }
    match (one, other) {
        (Value::Integer(one), Value::Integer(other)) => one.cmp(other),
        (Value::Text(one), Value::Text(other)) => one.as_bytes().cmp(other.as_bytes()),
        (Value::Blob(one), Value::Blob(other)) => one.cmp(other),
        _ => rank(one).cmp(&rank(other)),
    }
}

/// Numbers above one, one by one at first and then ever faster.
fn steps(from: i64) -> impl Iterator<Item = i64> {
    let grow = |step: &i64| step.checked_add(if *step < SMALL_STEPS { 1 } else { *step / 4 });
    std::iter::successors(Some(1), grow).map_while(move |step| from.checked_add(step))
}

#[cfg(test)]
mod tests {
    use super::{SMALL_STEPS, steps};

    #[test]
    fn steps_are_small_at_first_and_come_to_an_end() {
        let all: Vec<i64> = steps(100).collect();
        assert_eq!(all[..3], [101, 102, 103]);
        assert!(all.is_sorted() && all.len() < SMALL_STEPS as usize + 200, "{} steps", all.len());
        assert_eq!(steps(i64::MAX).count(), 0);
    }
}
