//! Tables of lines: CSV (RFC 4180) with commas, semicolons or tabs.

use anser_base::Text;
use csv::{ReaderBuilder, StringRecord};

use crate::field::{self, Field};
use crate::person::Draft;
use crate::{Column, FIELDS, Options, Roster};

/// What may stand between fields.
const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];
/// Lines before the column names, such as a title, that are looked through.
const TITLES: usize = 10;

/// Reads a table into the roster.
pub fn read(text: &str, options: &Options, roster: &mut Roster) {
    let Some(separator) = separator(text) else {
        roster.complain(1, no_columns());
        return;
    };
    roster.separator = Some(char::from(separator));
    let mut reader =
        ReaderBuilder::new().delimiter(separator).has_headers(false).flexible(true).from_reader(text.as_bytes());
    let (mut record, mut units) = (StringRecord::new(), Vec::new());
    let mut lines = Lines::of(text);
    loop {
        let at = reader.position().byte() as usize;
        match reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            // Text is UTF-8 by now, and any number of fields is allowed.
            Err(error) => {
                roster.complain(lines.at(at), Text::new(error.to_string(), "无法读取表格"));
                break;
            }
        }
        let at = record.position().map_or(at, |position| position.byte() as usize);
        let line = lines.at(at);
        if record.iter().all(|field| field.trim().is_empty()) {
            continue;
        }
        if roster.columns.is_empty() {
            if is_header(&record) {
                units = record.iter().map(field::unit_of_column).collect();
                roster.columns = columns(&record);
            }
            continue;
        }
        if !roster
            .add(line, draft(&record, &roster.columns, &units).and_then(|draft| draft.entry(options.domain.as_deref())))
        {
            break;
        }
    }
    if roster.columns.is_empty() {
        roster.complain(1, no_columns());
    }
}

fn no_columns() -> Text {
    Text::new(
        "no line of column names was found; the first line must name the columns, one of them an address",
        "未找到列名行；首行须为列名，且其中一列为邮箱",
    )
}

/// The separator by which one of the first lines names columns best.
fn separator(text: &str) -> Option<u8> {
    let known = |separator: u8| {
        let names = |line: &str| {
            line.split(char::from(separator))
                .filter(|name| field::of_column(name.trim().trim_matches('"')).is_some())
                .count()
        };
        text.lines().take(TITLES).map(names).max().unwrap_or(0)
    };
    SEPARATORS.into_iter().rev().max_by_key(|separator| known(*separator)).filter(|separator| known(*separator) > 0)
}

fn is_header(record: &StringRecord) -> bool {
    let mut fields = record.iter().filter_map(field::of_column);
    fields.any(|field| field == Field::Address)
}

fn columns(record: &StringRecord) -> Vec<Column> {
    let mut all: Vec<Column> = Vec::new();
    for name in record.iter().take(FIELDS) {
        let field = field::of_column(name);
        // A second column that could be the address, such as a staff number beside 邮箱, is not used.
        let is_taken = field == Some(Field::Address) && all.iter().any(|column| column.field == field);
        all.push(Column { name: name.trim().to_owned(), field: field.filter(|_| !is_taken) });
    }
    // What names an address outright goes before what may be a person's name at a computer.
    let outright = |name: &str| name.contains(['邮', '@']) || name.to_lowercase().contains("mail");
    let taken = all.iter().position(|column| column.field == Some(Field::Address));
    let better =
        all.iter().position(|column| outright(&column.name) && field::of_column(&column.name) == Some(Field::Address));
    if let (Some(taken), Some(better)) = (taken, better) {
        all[taken].field = None;
        all[better].field = Some(Field::Address);
    }
    all
}

fn draft<'a>(record: &'a StringRecord, columns: &[Column], units: &[u64]) -> Result<Draft<'a>, Text> {
    if record.len() > FIELDS {
        return Err(Text::new(format!("more than {FIELDS} fields"), format!("字段超过 {FIELDS} 个")));
    }
    let surplus = record.iter().skip(columns.len()).any(|text| !text.trim().is_empty());
    if surplus {
        let (has, named) = (record.len(), columns.len());
        return Err(Text::new(
            format!("the line has {has} fields and the table {named} columns: a quote or a separator is wrong"),
            format!("本行有 {has} 个字段，而表有 {named} 列：引号或分隔符有误"),
        ));
    }
    let mut draft = Draft::new();
    for ((text, column), unit) in record.iter().zip(columns).zip(units) {
        let Some(field) = column.field else { continue };
        if field == Field::Quota {
            draft.unit = *unit;
        }
        draft.values.push((field, text));
    }
    Ok(draft)
}

/// Line numbers of rising positions.
struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        Self { text: text.as_bytes(), at: 0, line: 1 }
    }

    fn at(&mut self, position: usize) -> u64 {
        // The reader gives where the record before ended: empty lines may follow.
        let position = position.clamp(self.at, self.text.len());
        let empty = self.text[position..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let position = position + empty;
        self.line += self.text[self.at..position].iter().filter(|byte| **byte == b'\n').count() as u64;
        self.at = position;
        self.line
    }
}
