//! SQL dumps as rows: `INSERT INTO` with its values, `COPY … FROM stdin` of PostgreSQL, `CREATE TABLE` for the order of columns. As
//! much of the language as dumps use; what is not understood is passed over up to the next `;`.

use std::collections::HashMap;

use crate::FIELDS;

/// A row of a table.
pub struct Row<'a> {
    /// The line where it begins.
    pub line: u64,
    /// The table, in lower case, without its schema.
    pub table: &'a str,
    /// The columns, in lower case; empty when nothing names them.
    pub columns: &'a [String],
    /// The values; `None` is NULL.
    pub values: Vec<Option<String>>,
}

/// Gives every row to `each` until that is false; where a statement breaks off goes to `bad`.
pub fn read(text: &str, mut each: impl FnMut(Row<'_>) -> bool, mut bad: impl FnMut(u64)) {
    let mut tables: HashMap<String, Vec<String>> = HashMap::new();
    let mut words = Words { text, at: 0, line: 1 };
    while let Some(word) = words.next() {
        let line = words.line;
        let done = match word {
            Word::Name(name) if name.eq_ignore_ascii_case("insert") => words.insert(&tables, &mut each),
            Word::Name(name) if name.eq_ignore_ascii_case("copy") => words.copy(&mut each),
            Word::Name(name) if name.eq_ignore_ascii_case("create") => words.create(&mut tables),
            Word::Sign(b';') => continue,
            _ => Done::Other,
        };
        match done {
            Done::Stop => return,
            Done::Whole => {}
            Done::Other => words.skip(),
            Done::Broken => {
                bad(line);
                words.skip();
            }
        }
    }
}

/// How a statement ended.
enum Done {
    Whole,
    Other,
    Broken,
    Stop,
}

/// A word of the language.
#[derive(Debug, PartialEq)]
enum Word<'a> {
    Name(&'a str),
    /// A name in quotes of any kind, or a text.
    Text(String),
    Sign(u8),
}

struct Words<'a> {
    text: &'a str,
    at: usize,
    line: u64,
}

impl<'a> Words<'a> {
    fn rest(&self) -> &'a [u8] {
        &self.text.as_bytes()[self.at..]
    }

    fn step(&mut self, count: usize) {
        let end = (self.at + count).min(self.text.len());
        self.line += self.text.as_bytes()[self.at..end].iter().filter(|byte| **byte == b'\n').count() as u64;
        self.at = end;
    }

    /// To the end of the line.
    fn step_line(&mut self) {
        let rest = self.rest();
        self.step(rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1));
    }

    fn next(&mut self) -> Option<Word<'a>> {
        loop {
            match self.rest() {
                [] => return None,
                [b'-', b'-', ..] | [b'#', ..] => self.step_line(),
                [b'/', b'*', ..] => {
                    let end = self.text[self.at..].find("*/").map_or(self.text.len() - self.at, |at| at + 2);
                    self.step(end);
                }
                [byte, ..] if byte.is_ascii_whitespace() => self.step(1),
                [quote @ (b'\'' | b'"' | b'`'), ..] => return Some(Word::Text(self.quoted(*quote))),
                [b'E' | b'e', b'\'', ..] => {
                    self.step(1);
                    return Some(Word::Text(self.quoted(b'\'')));
                }
                [byte, ..] if is_name(*byte) => {
                    let length = self.rest().iter().take_while(|byte| is_name(**byte)).count();
                    let name = &self.text[self.at..self.at + length];
                    self.step(length);
                    return Some(Word::Name(name));
                }
                [byte, ..] => {
                    let byte = *byte;
                    self.step(1);
                    return Some(Word::Sign(byte));
                }
            }
        }
    }

    /// A text in quotes: a doubled quote is one, a backslash takes the next character as MySQL writes it.
    fn quoted(&mut self, quote: u8) -> String {
        self.step(1);
        let (mut out, mut from) = (String::new(), self.at);
        let bytes = self.text.as_bytes();
        let mut at = self.at;
        while at < bytes.len() {
            let byte = bytes[at];
            if byte == quote && bytes.get(at + 1) == Some(&quote) {
                out.push_str(&self.text[from..=at]);
                at += 2;
                from = at;
            } else if byte == quote {
                break;
            } else if byte == b'\\' && quote != b'`' {
                out.push_str(&self.text[from..at]);
                let next = self.text[at + 1..].chars().next();
                out.extend(next.map(unescaped));
                at += 1 + next.map_or(0, char::len_utf8);
                from = at;
            } else {
                at += 1;
            }
        }
        out.push_str(&self.text[from..at]);
        self.step(at + 1 - self.at);
        out
    }

    /// To the next `;` outside of quotes.
    fn skip(&mut self) {
        while let Some(word) = self.next() {
            if word == Word::Sign(b';') {
                return;
            }
        }
    }

    fn is_word(&mut self, wanted: &str) -> bool {
        matches!(self.next(), Some(Word::Name(name)) if name.eq_ignore_ascii_case(wanted))
    }

    /// A name, its schema left out; and the word after it.
    fn table(&mut self) -> Option<(String, Option<Word<'a>>)> {
        loop {
            let name = match self.next()? {
                Word::Name(name) => name.to_lowercase(),
                Word::Text(name) => name.to_lowercase(),
                Word::Sign(_) => return None,
            };
            match self.next() {
                Some(Word::Name(".")) => {}
                // A schema and a table in one name, as nothing quotes them.
                after => return Some((name.rsplit('.').next().unwrap_or_default().to_owned(), after)),
            }
        }
    }

    /// Names up to `)`.
    fn names(&mut self) -> Option<Vec<String>> {
        let mut all = Vec::new();
        loop {
            match self.next()? {
                Word::Name(name) => all.push(name.to_lowercase()),
                Word::Text(name) => all.push(name.to_lowercase()),
                Word::Sign(b')') => return Some(all),
                Word::Sign(b',') if all.len() < FIELDS => {}
                Word::Sign(_) => return None,
            }
        }
    }

    fn insert(&mut self, tables: &HashMap<String, Vec<String>>, each: &mut impl FnMut(Row<'_>) -> bool) -> Done {
        let mut into = self.next();
        if matches!(&into, Some(Word::Name(name)) if name.eq_ignore_ascii_case("ignore")) {
            into = self.next();
        }
        if !matches!(&into, Some(Word::Name(name)) if name.eq_ignore_ascii_case("into")) {
            return Done::Other;
        }
        let Some((table, after)) = self.table() else { return Done::Broken };
        let (columns, after) = match after {
            Some(Word::Sign(b'(')) => {
                let Some(names) = self.names() else { return Done::Broken };
                (names, self.next())
            }
            other => (tables.get(&table).cloned().unwrap_or_default(), other),
        };
        if !matches!(&after, Some(Word::Name(name)) if name.eq_ignore_ascii_case("values")) {
            return Done::Other;
        }
        loop {
            if self.next() != Some(Word::Sign(b'(')) {
                return Done::Broken;
            }
            let line = self.line;
            let Some(values) = self.values() else { return Done::Broken };
            if !each(Row { line, table: &table, columns: &columns, values }) {
                return Done::Stop;
            }
            match self.next() {
                Some(Word::Sign(b',')) => {}
                Some(Word::Sign(b';')) | None => return Done::Whole,
                Some(_) => return Done::Other,
            }
        }
    }

    /// Values up to `)`; an expression is the words that it is made of.
    fn values(&mut self) -> Option<Vec<Option<String>>> {
        let (mut all, mut value, mut depth): (Vec<Option<String>>, Option<String>, u32) = (Vec::new(), None, 0);
        loop {
            match self.next()? {
                Word::Name(name) if name.eq_ignore_ascii_case("null") => {}
                Word::Name(name) => value.get_or_insert_default().push_str(name),
                Word::Text(text) => value.get_or_insert_default().push_str(&text),
                Word::Sign(b'(') => depth += 1,
                Word::Sign(b')') if depth > 0 => depth -= 1,
                Word::Sign(b')') => {
                    all.push(value);
                    return Some(all);
                }
                Word::Sign(b',') if depth == 0 => {
                    all.push(value.take());
                    if all.len() > FIELDS {
                        return None;
                    }
                }
                Word::Sign(b';') => return None,
                Word::Sign(_) => {}
            }
        }
    }

    /// `COPY table (columns) FROM stdin;` and lines with tabs between, up to `\.`.
    fn copy(&mut self, each: &mut impl FnMut(Row<'_>) -> bool) -> Done {
        let Some((table, Some(Word::Sign(b'(')))) = self.table() else { return Done::Other };
        let Some(columns) = self.names() else { return Done::Broken };
        if !self.is_word("from") || !self.is_word("stdin") {
            return Done::Other;
        }
        self.step_line();
        loop {
            let (line, rest) = (self.line, &self.text[self.at..]);
            let text = rest.lines().next().unwrap_or_default();
            if rest.is_empty() || text == "\\." {
                self.step_line();
                return Done::Whole;
            }
            let values: Vec<Option<String>> = text.split('\t').take(FIELDS).map(copied).collect();
            if !each(Row { line, table: &table, columns: &columns, values }) {
                return Done::Stop;
            }
            self.step_line();
        }
    }

    /// Learns the order of a table's columns.
    fn create(&mut self, tables: &mut HashMap<String, Vec<String>>) -> Done {
        if !self.is_word("table") {
            return Done::Other;
        }
        let Some((mut table, mut after)) = self.table() else { return Done::Broken };
        // IF NOT EXISTS
        if table == "if" {
            self.next();
            let Some(named) = self.table() else { return Done::Broken };
            (table, after) = named;
        }
        if after != Some(Word::Sign(b'(')) || tables.len() >= FIELDS {
            return Done::Other;
        }
        let (mut columns, mut depth, mut is_first) = (Vec::new(), 0_u32, true);
        while let Some(word) = self.next() {
            match word {
                Word::Sign(b'(') => depth += 1,
                Word::Sign(b')') if depth == 0 => break,
                Word::Sign(b')') => depth -= 1,
                Word::Sign(b',') if depth == 0 => is_first = true,
                Word::Sign(b';') => return Done::Broken,
                Word::Text(name) if is_first && columns.len() < FIELDS => {
                    columns.push(name.to_lowercase());
                    is_first = false;
                }
                Word::Name(name) if is_first && columns.len() < FIELDS => {
                    let constraints =
                        ["primary", "key", "unique", "constraint", "index", "foreign", "check", "fulltext"];
                    if !constraints.iter().any(|word| name.eq_ignore_ascii_case(word)) {
                        columns.push(name.to_lowercase());
                    }
                    is_first = false;
                }
                _ => {}
            }
        }
        tables.insert(table, columns);
        Done::Other
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+' | b'.' | b'$' | b'@' | b':') || byte >= 0x80
}

fn unescaped(c: char) -> char {
    match c {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        '0' => '\0',
        other => other,
    }
}

/// A value of COPY.
fn copied(text: &str) -> Option<String> {
    if text == "\\N" {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => out.extend(characters.next().map(unescaped)),
            other => out.push(other),
        }
    }
    Some(out)
}
