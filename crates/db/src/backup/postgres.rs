//! PostgreSQL's side: one file per table in the binary form of `COPY`, all out of one snapshot.

use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use anser_base::disk::File;
use anser_base::{AccountId, Class, Disk, Error, Result};
use postgres::{IsolationLevel, NoTls, Transaction};

use super::list::{Engine, List, Versions};
use super::{Backup, Part, not_in_backup};
use crate::pg::{self, Pool};
use crate::place::PlaceKind;
use crate::schema::for_postgres;

/// Bytes read or written at a time.
const PIECE: usize = 1 << 20;
/// How a file of this form begins.
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
/// Bytes of one row that is looked at; PostgreSQL's own limit for a field is 1 GiB.
const LARGEST_ROW: usize = 1 << 30;

pub(super) fn backup(
    pool: &Pool,
    disk: &dyn Disk,
    dir: &Path,
    progress: &mut dyn FnMut(&Part),
) -> Result<(Versions, Backup)> {
    let mut client = pool.config().connect(NoTls).map_err(pg::error)?;
    let start = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true);
    let mut transaction = start.start().map_err(pg::error)?;
    let (mut versions, mut backup) = (Versions::default(), Backup::default());
    for kind in PlaceKind::TRUTH {
        let schema = pool.schemas().of(kind);
        versions.kinds.push((kind.name().into(), schema.version()));
        for table in schema.tables() {
            let Some(columns) = columns_of(&mut transaction, &table)? else { continue };
            let name = file_of(&table);
            let bytes = copy_out(&mut transaction, &table, &columns, disk, &dir.join(&name))?;
            versions.tables.push((table, columns));
            let part = Part { name, bytes };
            progress(&part);
            backup.parts.push(part);
        }
    }
    Ok((versions, backup))
}

fn file_of(table: &str) -> String {
    format!("{table}.copy")
}

/// The columns of a table, comma-separated; `None` when it was dropped.
fn columns_of(transaction: &mut Transaction<'_>, table: &str) -> Result<Option<String>> {
    let row = transaction
        .query_one(
            "SELECT string_agg(attname, ',' ORDER BY attnum) FROM pg_attribute \
             WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped",
            &[&table],
        )
        .map_err(pg::error)?;
    row.try_get(0).map_err(pg::error)
}

fn copy_out(
    transaction: &mut Transaction<'_>,
    table: &str,
    columns: &str,
    disk: &dyn Disk,
    target: &Path,
) -> Result<u64> {
    let mut file = disk.create(target).map_err(Error::io)?;
    let sql = format!("COPY {table} ({columns}) TO STDOUT (FORMAT binary)");
    let mut rows = transaction.copy_out(&sql).map_err(pg::error)?;
    let mut piece = vec![0; PIECE];
    let (mut bytes, mut at_end) = (0, false);
    while !at_end {
        let mut filled = 0;
        // Behind its end this reader must not be asked again.
        while filled < PIECE && !at_end {
            let read = rows.read(&mut piece[filled..]).map_err(Error::unavailable)?;
            at_end = read == 0;
            filled += read;
        }
        file.append(&piece[..filled]).map_err(Error::io)?;
        bytes += filled as u64;
    }
    Ok(bytes)
}

pub(super) fn restore_all(
    pool: &Pool,
    list: &List,
    disk: &dyn Disk,
    dir: &Path,
    progress: &mut dyn FnMut(&Part),
) -> Result<()> {
    let Engine::Postgres(versions) = &list.engine else { return Err(super::other_engine()) };
    let mut client = pool.config().connect(NoTls).map_err(pg::error)?;
    let mut transaction = client.transaction().map_err(pg::error)?;
    refuse_mail(pool, &mut transaction)?;
    for kind in PlaceKind::TRUTH {
        empty(pool, &mut transaction, kind, version_of(versions, kind)?)?;
    }
    for (table, columns) in &versions.tables {
        let source = dir.join(file_of(table));
        copy_in(&mut transaction, table, columns, disk, &source, |rows, sink| io::copy(rows, sink).map(|_| 1))?;
        list.parts.iter().filter(|part| part.name == file_of(table)).for_each(&mut *progress);
    }
    for kind in PlaceKind::TRUTH {
        for text in pool.schemas().of(kind).texts_from(version_of(versions, kind)?)? {
            transaction.batch_execute(&for_postgres(text)).map_err(pg::error)?;
        }
    }
    transaction.commit().map_err(pg::error)
}

fn version_of(versions: &Versions, kind: PlaceKind) -> Result<i64> {
    if versions.kinds.is_empty() {
        return Err(Error::damaged("the backup does not tell its versions"));
    }
    // A kind of place that is younger than the backup has no tables in it.
    let found = versions.kinds.iter().find(|(name, _)| name == kind.name());
    Ok(found.map_or(0, |(_, version)| *version))
}

/// Only where no account has any mail.
fn refuse_mail(pool: &Pool, transaction: &mut Transaction<'_>) -> Result<()> {
    for table in pool.schemas().of(PlaceKind::Account).tables() {
        if columns_of(transaction, &table)?.is_none() {
            continue;
        }
        let row = transaction.query_one(&format!("SELECT EXISTS (SELECT 1 FROM {table})"), &[]).map_err(pg::error)?;
        if row.try_get(0).map_err(pg::error)? {
            return Err(Error::exists("accounts have mail here already", "此处的账户中已有邮件"));
        }
    }
    Ok(())
}

/// Empties the tables of one kind; those of another version than the backup's are made as they were then.
fn empty(pool: &Pool, transaction: &mut Transaction<'_>, kind: PlaceKind, version: i64) -> Result<()> {
    let schema = pool.schemas().of(kind);
    // Refuses a newer one.
    let newer = schema.texts_from(version)?.len();
    let verb = if newer == 0 { "TRUNCATE" } else { "DROP TABLE" };
    for table in schema.tables() {
        if columns_of(transaction, &table)?.is_some() {
            transaction.batch_execute(&format!("{verb} {table}")).map_err(pg::error)?;
        }
    }
    if newer == 0 {
        return Ok(());
    }
    for text in &schema.0[..schema.0.len() - newer] {
        transaction.batch_execute(&for_postgres(text)).map_err(pg::error)?;
    }
    // What the old texts put into the tables is in the backup.
    for table in schema.tables() {
        if columns_of(transaction, &table)?.is_some() {
            transaction.batch_execute(&format!("TRUNCATE {table}")).map_err(pg::error)?;
        }
    }
    Ok(())
}

pub(super) fn restore_account(pool: &Pool, list: &List, disk: &dyn Disk, dir: &Path, account: AccountId) -> Result<()> {
    let Engine::Postgres(versions) = &list.engine else { return Err(super::other_engine()) };
    let schema = pool.schemas().of(PlaceKind::Account);
    let version = version_of(versions, PlaceKind::Account)?;
    if version != schema.version() {
        return Err(Error::new(
            Class::Unavailable,
            format!("the backup has schema version {version}, this program {}; restore it whole", schema.version()),
            format!("备份的结构版本为 {version}，本程序为 {}；请整体恢复", schema.version()),
        ));
    }
    let mut client = pool.config().connect(NoTls).map_err(pg::error)?;
    let mut transaction = client.transaction().map_err(pg::error)?;
    let mut rows = 0;
    for table in schema.tables() {
        let Some((_, columns)) = versions.tables.iter().find(|(name, _)| *name == table) else { continue };
        let at = columns.split(',').position(|column| column == "account");
        let at = at.ok_or_else(|| Error::damaged(format!("{table} has no column for the account")))?;
        let delete = format!("DELETE FROM {table} WHERE account = $1");
        transaction.execute(&delete, &[&account.to_sql()]).map_err(pg::error)?;
        let source = dir.join(file_of(&table));
        rows += copy_in(&mut transaction, &table, columns, disk, &source, |from, to| filter(from, to, at, account))?;
    }
    if rows == 0 {
        return Err(not_in_backup());
    }
    for table in pool.schemas().of(PlaceKind::Search).tables() {
        let delete = format!("DELETE FROM {table} WHERE account = $1");
        transaction.execute(&delete, &[&account.to_sql()]).map_err(pg::error)?;
    }
    transaction.commit().map_err(pg::error)
}

/// Sends a file, or a part of it, to the server; what `send` returns.
fn copy_in(
    transaction: &mut Transaction<'_>,
    table: &str,
    columns: &str,
    disk: &dyn Disk,
    source: &Path,
    send: impl FnOnce(&mut dyn Read, &mut dyn Write) -> io::Result<u64>,
) -> Result<u64> {
    let file = disk.open(source).map_err(Error::io)?;
    let mut rows = BufReader::with_capacity(PIECE, FileReader { file, at: 0 });
    let sql = format!("COPY {table} ({columns}) FROM STDIN (FORMAT binary)");
    let mut sink = transaction.copy_in(&sql).map_err(pg::error)?;
    let sent = send(&mut rows, &mut sink).map_err(Error::damaged)?;
    sink.finish().map_err(pg::error)?;
    Ok(sent)
}

/// Passes on the rows of one account; how many there were.
fn filter(from: &mut dyn Read, to: &mut dyn Write, at: usize, account: AccountId) -> io::Result<u64> {
    let mut header = [0; 19];
    from.read_exact(&mut header)?;
    // Flags and the length of an extension, both without meaning until today, follow the signature.
    if !header.starts_with(SIGNATURE) || header[SIGNATURE.len()..] != [0; 8] {
        return Err(io::ErrorKind::InvalidData.into());
    }
    to.write_all(&header)?;
    let (mut row, mut passed) = (Vec::new(), 0);
    while let Some(is_match) = read_row(from, &mut row, at, account)? {
        if is_match {
            to.write_all(&row)?;
            passed += 1;
        }
    }
    to.write_all(&(-1_i16).to_be_bytes())?;
    Ok(passed)
}

/// Reads one row and tells whether it is the account's; `None` at the end.
fn read_row(from: &mut dyn Read, row: &mut Vec<u8>, at: usize, account: AccountId) -> io::Result<Option<bool>> {
    row.clear();
    let mut count = [0; 2];
    from.read_exact(&mut count)?;
    let Ok(fields) = usize::try_from(i16::from_be_bytes(count)) else { return Ok(None) };
    row.extend_from_slice(&count);
    let mut is_match = false;
    for field in 0..fields {
        let mut len = [0; 4];
        from.read_exact(&mut len)?;
        row.extend_from_slice(&len);
        // NULL has the length -1.
        let len = usize::try_from(i32::from_be_bytes(len)).unwrap_or(0);
        let start = row.len();
        if start + len > LARGEST_ROW {
            return Err(io::ErrorKind::InvalidData.into());
        }
        row.resize(start + len, 0);
        from.read_exact(&mut row[start..])?;
        is_match |= field == at && row[start..] == account.to_sql().to_be_bytes();
    }
    Ok(Some(is_match))
}

struct FileReader {
    file: Box<dyn File>,
    at: u64,
}

impl Read for FileReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}
