//! Who is in an organisation, as its old system wrote it down: domains, people, aliases, lists. Files as typed rows.
//!
//! ```text
//! bytes ─▶ charset (guessed, told) ─▶ format (guessed, told) ─▶ pairs of Field and text, a line number each ─▶ Row
//! ```
//!
//! | module | holds |
//! |---|---|
//! | [`row`] | the nouns |
//! | [`field`] | what a column, an attribute or a header name means: one table |
//! | `charset` | UTF-8 with or without a mark, UTF-16, GBK |
//! | `table` | CSV with any of three separators |
//! | `ldif`, `entry` | LDIF (RFC 2849), and what its entries mean |
//! | `unix` | passwd and shadow, Dovecot's passwd-file |
//! | `sql`, `dump` | SQL dumps of the tables that mail systems keep, and what their rows mean |
//! | `person` | pairs become a row, or a complaint |
//!
//! Nothing here is an error of the whole: what cannot be read is a [`Problem`] with its line, and the rest is read. Only the limits
//! below end a file early, and say so.

pub mod charset;
mod dump;
mod entry;
pub mod field;
mod ldif;
mod person;
pub mod row;
mod sql;
mod table;
mod unix;

use anser_base::Text;

pub use field::Field;
pub use row::{Away, Entry, Pass, Person, Row};

/// Largest file, in bytes.
pub const FILE: usize = 256 << 20;
/// Rows of one file.
pub const ROWS: usize = 500_000;
/// Columns of a table, attributes of an entry.
pub const FIELDS: usize = 1_000;
/// Bytes of one value.
pub const VALUE: usize = 1 << 20;
/// Addresses in one value: aliases of a person, members of a list.
pub const ADDRESSES: usize = 50_000;
/// Problems that are told; of more only the number is known.
pub const PROBLEMS: usize = 10_000;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A table with a line of column names.
    Csv,
    /// RFC 2849.
    Ldif,
    /// `/etc/passwd`.
    Passwd,
    /// `/etc/shadow`.
    Shadow,
    /// Dovecot's passwd-file.
    Dovecot,
    /// A dump of SQL tables.
    Sql,
}

impl Format {
    const NAMES: [(Self, &'static str); 6] = [
        (Self::Csv, "csv"),
        (Self::Ldif, "ldif"),
        (Self::Passwd, "passwd"),
        (Self::Shadow, "shadow"),
        (Self::Dovecot, "dovecot"),
        (Self::Sql, "sql"),
    ];

    /// Its name: `csv`, `ldif`, `passwd`, `shadow`, `dovecot`, `sql`.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(one, _)| *one == self).map_or("", |(_, name)| name)
    }

    /// The inverse of [`Self::name`].
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known)| *known == name).map(|(one, _)| *one)
    }
}

/// How to read a file.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How it is written; guessed without.
    pub format: Option<Format>,
    /// The domain of names that have none.
    pub domain: Option<String>,
}

/// Something that could not be read, or was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line, from 1.
    pub line: u64,
    /// Whether it is nothing that anybody misses: a system user of passwd, a line of a table that is not ours.
    pub harmless: bool,
    /// What is wrong.
    pub text: Text,
}

/// A column of a table, and what it was taken for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name in the file.
    pub name: String,
    /// What it means; `None` when it is not used.
    pub field: Option<Field>,
}

/// What a file says.
#[derive(Clone, Debug)]
pub struct Roster {
    /// How it is written.
    pub format: Format,
    /// Its charset.
    pub charset: &'static str,
    /// What stands between the fields of a table.
    pub separator: Option<char>,
    /// The columns of a table, or the attributes and columns that were met, in the order in which they came.
    pub columns: Vec<Column>,
    /// What was understood, by line.
    pub rows: Vec<Row>,
    /// What was not, by line; at most [`PROBLEMS`].
    pub problems: Vec<Problem>,
    /// All problems, told or not.
    pub problem_count: u64,
}

impl Roster {
    fn new(format: Format, charset: &'static str) -> Self {
        let (columns, rows, problems) = (Vec::new(), Vec::new(), Vec::new());
        Self { format, charset, separator: None, columns, rows, problems, problem_count: 0 }
    }

    fn complain(&mut self, line: u64, text: Text) {
        self.note(line, false, text);
    }

    fn pass_over(&mut self, line: u64, text: Text) {
        self.note(line, true, text);
    }

    fn note(&mut self, line: u64, harmless: bool, text: Text) {
        self.problem_count += 1;
        if self.problems.len() < PROBLEMS {
            self.problems.push(Problem { line, harmless, text });
        }
    }

    /// Adds what was understood. False when there are [`ROWS`]: the caller stops.
    fn add(&mut self, line: u64, read: Result<Entry, Text>) -> bool {
        match read {
            Ok(_) if self.rows.len() >= ROWS => {
                let text = Text::new(
                    format!("a file has at most {ROWS} rows; the rest was not read"),
                    format!("一个文件最多 {ROWS} 行，其余未读取"),
                );
                self.complain(line, text);
                return false;
            }
            Ok(entry) => self.rows.push(Row { line, entry }),
            Err(text) => self.complain(line, text),
        }
        true
    }

    /// Remembers that a name was met, and what it was taken for.
    fn met(&mut self, name: &str, field: Option<Field>) {
        if self.columns.len() < FIELDS && !self.columns.iter().any(|known| known.name == name) {
            self.columns.push(Column { name: name.to_owned(), field });
        }
    }
}

/// Reads a file of at most [`FILE`] bytes; of a longer one only a problem comes back.
pub fn read(bytes: &[u8], options: &Options) -> Roster {
    if bytes.len() > FILE {
        let mut roster = Roster::new(options.format.unwrap_or(Format::Csv), "");
        roster.complain(1, Text::new(format!("the file has more than {FILE} bytes"), format!("文件超过 {FILE} 字节")));
        return roster;
    }
    let (text, charset) = charset::decode(bytes);
    let format = options.format.unwrap_or_else(|| guess(&text));
    let mut roster = Roster::new(format, charset);
    match format {
        Format::Csv => table::read(&text, options, &mut roster),
        Format::Ldif => entry::read(&text, options, &mut roster),
        Format::Passwd | Format::Shadow | Format::Dovecot => unix::read(&text, format, options, &mut roster),
        Format::Sql => dump::read(&text, options, &mut roster),
    }
    roster
}

/// Lines that a guess looks at.
const LOOKED_AT: usize = 200;

/// What the first lines look like; a table when nothing else fits.
fn guess(text: &str) -> Format {
    let lines =
        || text.lines().map(str::trim_end).filter(|line| !line.is_empty() && !line.starts_with('#')).take(LOOKED_AT);
    let starts = |wanted: &str| {
        lines().any(|line| line.get(..wanted.len()).is_some_and(|head| head.eq_ignore_ascii_case(wanted)))
    };
    if starts("INSERT INTO") || starts("CREATE TABLE") || starts("COPY ") {
        return Format::Sql;
    }
    if starts("dn:") || starts("version: 1") {
        return Format::Ldif;
    }
    let colons = |line: &str| line.matches(':').count();
    let Some(first) = lines().next() else { return Format::Csv };
    let is_number =
        |field: Option<&str>| field.is_some_and(|text| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()));
    let name = first.split(':').next().unwrap_or_default();
    let is_name = !name.is_empty() && !name.contains([',', ';', '\t', ' ']);
    match colons(first) {
        6 if is_name && is_number(first.split(':').nth(2)) && !name.contains('@') => Format::Passwd,
        8 if is_name && first.split(':').skip(2).all(|field| field.is_empty() || is_number(Some(field))) => {
            Format::Shadow
        }
        1.. if is_name => Format::Dovecot,
        _ => Format::Csv,
    }
}
