//! The transaction type that domain code is written over.

use anser_base::{Class, Error, Result};

use crate::pg;

/// A parameter of a statement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// SQL NULL.
    Null,
    /// A 64-bit integer.
    Int(i64),
    /// Text; PostgreSQL refuses U+0000 in it.
    Text(&'a str),
    /// Bytes.
    Blob(&'a [u8]),
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<u32> for Value<'_> {
    fn from(value: u32) -> Self {
        Self::Int(value.into())
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Int(value.into())
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Blob(value)
    }
}

impl<'a> From<&'a Vec<u8>> for Value<'a> {
    fn from(value: &'a Vec<u8>) -> Self {
        Self::Blob(value)
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Builds a parameter list: `params![account.to_sql(), name, flags]`. Byte arrays go in as slices.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        &[$($crate::Value::from($value)),*][..]
    };
}

/// One row of an answer; columns count from 0. A column of another type than asked for is an error of class `Damaged`.
pub struct Row<'a> {
    pub(crate) inner: RowInner<'a>,
}

pub(crate) enum RowInner<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a postgres::Row),
}

impl Row<'_> {
    /// An integer column.
    pub fn int(&self, column: usize) -> Result<i64> {
        match &self.inner {
            RowInner::Sqlite(row) => match row.get_ref(column).map_err(sqlite_error)? {
                rusqlite::types::ValueRef::Integer(number) => Ok(number),
                rusqlite::types::ValueRef::Null => Err(unexpected_null(column)),
                other => Err(Error::damaged(format!("column {column} is {}", other.data_type()))),
            },
            RowInner::Postgres(_) => self.opt_int(column)?.ok_or_else(|| unexpected_null(column)),
        }
    }

    /// An integer column that may be NULL.
    pub fn opt_int(&self, column: usize) -> Result<Option<i64>> {
        match &self.inner {
            RowInner::Sqlite(row) => row.get(column).map_err(sqlite_error),
            RowInner::Postgres(row) => row.try_get(column).map_err(pg::error),
        }
    }

    /// A text column.
    pub fn text(&self, column: usize) -> Result<String> {
        self.opt_text(column)?.ok_or_else(|| unexpected_null(column))
    }

    /// A text column that may be NULL.
    pub fn opt_text(&self, column: usize) -> Result<Option<String>> {
        match &self.inner {
            RowInner::Sqlite(row) => row.get(column).map_err(sqlite_error),
            RowInner::Postgres(row) => row.try_get(column).map_err(pg::error),
        }
    }

    /// A bytes column.
    pub fn blob(&self, column: usize) -> Result<Vec<u8>> {
        self.opt_blob(column)?.ok_or_else(|| unexpected_null(column))
    }

    /// A bytes column that may be NULL.
    pub fn opt_blob(&self, column: usize) -> Result<Option<Vec<u8>>> {
        match &self.inner {
            RowInner::Sqlite(row) => row.get(column).map_err(sqlite_error),
            RowInner::Postgres(row) => row.try_get(column).map_err(pg::error),
        }
    }

    /// A bytes column, in place.
    pub fn blob_ref(&self, column: usize) -> Result<&[u8]> {
        match &self.inner {
            RowInner::Sqlite(row) => {
                let value = row.get_ref(column).map_err(sqlite_error)?;
                value.as_blob().map_err(|error| Error::damaged(error.to_string()))
            }
            RowInner::Postgres(row) => row.try_get(column).map_err(pg::error),
        }
    }

    /// A text column, in place.
    pub fn text_ref(&self, column: usize) -> Result<&str> {
        match &self.inner {
            RowInner::Sqlite(row) => {
                let value = row.get_ref(column).map_err(sqlite_error)?;
                value.as_str().map_err(|error| Error::damaged(error.to_string()))
            }
            RowInner::Postgres(row) => row.try_get(column).map_err(pg::error),
        }
    }

    /// An integer column as a truth value.
    pub fn bool(&self, column: usize) -> Result<bool> {
        Ok(self.int(column)? != 0)
    }
}

fn unexpected_null(column: usize) -> Error {
    Error::damaged(format!("column {column} is NULL"))
}

/// A transaction in progress.
pub struct Tx<'a> {
    inner: TxInner<'a>,
    poisoned: Option<Class>,
    retry: bool,
}

enum TxInner<'a> {
    Sqlite(&'a rusqlite::Connection),
    Postgres(pg::Session<'a>),
}

impl<'a> Tx<'a> {
    pub(crate) fn sqlite(connection: &'a rusqlite::Connection) -> Self {
        Self { inner: TxInner::Sqlite(connection), poisoned: None, retry: false }
    }

    pub(crate) fn postgres(session: pg::Session<'a>) -> Self {
        Self { inner: TxInner::Postgres(session), poisoned: None, retry: false }
    }

    /// What class of engine failure makes the whole transaction void, if any happened.
    pub(crate) fn poisoned(&self) -> Option<Class> {
        self.poisoned
    }

    pub(crate) fn wants_retry(&self) -> bool {
        self.retry
    }

    /// Whether the engine is PostgreSQL, for the few statements that differ.
    pub fn is_postgres(&self) -> bool {
        matches!(self.inner, TxInner::Postgres(_))
    }

    /// Runs a statement; returns how many rows it changed. A broken uniqueness or check rule is `Class::Exists`.
    pub fn execute(&mut self, sql: &str, params: &[Value<'_>]) -> Result<u64> {
        let result = match &mut self.inner {
            TxInner::Sqlite(connection) => sqlite_execute(connection, sql, params),
            TxInner::Postgres(session) => session.execute(sql, params),
        };
        result.map_err(|error| self.noticed(error))
    }

    /// All rows of a query, each turned into a `T`.
    pub fn query<T>(
        &mut self,
        sql: &str,
        params: &[Value<'_>],
        mut each: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut all = Vec::new();
        self.for_each(sql, params, |row| {
            all.push(each(row)?);
            Ok(())
        })?;
        Ok(all)
    }

    /// The first row of a query, if any.
    pub fn query_one<T>(
        &mut self,
        sql: &str,
        params: &[Value<'_>],
        each: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let (mut each, mut found) = (Some(each), None);
        self.for_each(sql, params, |row| {
            if let Some(each) = each.take() {
                found = Some(each(row)?);
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Visits every row of a query, without holding them all.
    pub fn for_each(
        &mut self,
        sql: &str,
        params: &[Value<'_>],
        each: impl FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<()> {
        let result = match &mut self.inner {
            TxInner::Sqlite(connection) => sqlite_for_each(connection, sql, params, each),
            TxInner::Postgres(session) => session.for_each(sql, params, each),
        };
        result.map_err(|error| self.noticed(error))
    }

    fn noticed(&mut self, error: Error) -> Error {
        match &mut self.inner {
            TxInner::Sqlite(connection) if is_engine_failure(&error) || connection.is_autocommit() => {
                self.poisoned = Some(error.class);
            }
            TxInner::Sqlite(_) => {}
            TxInner::Postgres(_) => self.retry |= pg::is_serialization_failure(&error),
        }
        error
    }
}

/// Whether SQLite itself failed (and not the statement, nor the closure that looked at a row).
fn is_engine_failure(error: &Error) -> bool {
    use rusqlite::ErrorCode as Code;
    let source = error.source.as_ref().and_then(|source| source.downcast_ref::<rusqlite::Error>());
    let code = source.and_then(rusqlite::Error::sqlite_error_code);
    matches!(
        code,
        Some(
            Code::DiskFull
                | Code::SystemIoFailure
                | Code::DatabaseCorrupt
                | Code::NotADatabase
                | Code::OutOfMemory
                | Code::CannotOpen
                | Code::FileLockingProtocolFailed
                | Code::InternalMalfunction
        )
    )
}

fn sqlite_execute(connection: &rusqlite::Connection, sql: &str, params: &[Value<'_>]) -> Result<u64> {
    let mut statement = connection.prepare_cached(sql).map_err(sqlite_error)?;
    bind(&mut statement, params)?;
    statement.raw_execute().map(|changed| changed as u64).map_err(sqlite_error)
}

fn sqlite_for_each(
    connection: &rusqlite::Connection,
    sql: &str,
    params: &[Value<'_>],
    mut each: impl FnMut(&Row<'_>) -> Result<()>,
) -> Result<()> {
    let mut statement = connection.prepare_cached(sql).map_err(sqlite_error)?;
    bind(&mut statement, params)?;
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().map_err(sqlite_error)? {
        each(&Row { inner: RowInner::Sqlite(row) })?;
    }
    Ok(())
}

fn bind(statement: &mut rusqlite::CachedStatement<'_>, params: &[Value<'_>]) -> Result<()> {
    use rusqlite::types::{ToSqlOutput, ValueRef};
    for (index, value) in params.iter().enumerate() {
        let value = match *value {
            Value::Null => ValueRef::Null,
            Value::Int(number) => ValueRef::Integer(number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Blob(bytes) => ValueRef::Blob(bytes),
        };
        statement.raw_bind_parameter(index + 1, ToSqlOutput::Borrowed(value)).map_err(sqlite_error)?;
    }
    Ok(())
}

/// Sorts SQLite's error codes into the house's classes.
pub(crate) fn sqlite_error(error: rusqlite::Error) -> Error {
    use rusqlite::ErrorCode as Code;
    match &error {
        rusqlite::Error::SqliteFailure(failure, _) => match failure.code {
            Code::DiskFull => {
                Error::new(Class::Full, "insufficient system storage", "系统存储空间不足").caused_by(error)
            }
            Code::DatabaseCorrupt | Code::NotADatabase => Error::damaged(error),
            Code::ConstraintViolation => Error::exists("exists already", "已存在").caused_by(error),
            _ => Error::unavailable(error),
        },
        rusqlite::Error::InvalidColumnType(..) | rusqlite::Error::FromSqlConversionFailure(..) => Error::damaged(error),
        _ => Error::unavailable(error),
    }
}

impl<'a> Tx<'a> {
    /// The PostgreSQL transaction inside, to commit it.
    pub(crate) fn into_postgres(self) -> Option<postgres::Transaction<'a>> {
        match self.inner {
            TxInner::Postgres(session) => Some(session.into_transaction()),
            TxInner::Sqlite(_) => None,
        }
    }
}
