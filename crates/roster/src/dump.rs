//! What rows of a mail system's tables mean: those of postfixadmin, of what was derived from it, and of the common hand-made kind.

use std::collections::HashMap;

use anser_base::Text;

use crate::field::{self, Field};
use crate::person::{Draft, address_in, addresses};
use crate::row::Entry;
use crate::sql::{self, Row};
use crate::{Options, Roster};

/// What a table holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Table {
    Domains,
    DomainAliases,
    People,
    Aliases,
}

/// Names of tables.
const TABLES: &[(&str, Table)] = &[
    ("domain", Table::Domains),
    ("domains", Table::Domains),
    ("virtual_domains", Table::Domains),
    ("alias_domain", Table::DomainAliases),
    ("mailbox", Table::People),
    ("mailboxes", Table::People),
    ("users", Table::People),
    ("virtual_users", Table::People),
    ("accounts", Table::People),
    ("alias", Table::Aliases),
    ("aliases", Table::Aliases),
    ("virtual_aliases", Table::Aliases),
    ("forwardings", Table::Aliases),
];

/// Columns that mean something else than a column of that name in a table of people would.
const COLUMNS: &[(&str, Field)] = &[
    ("password", Field::Hash),
    ("username", Field::Address),
    ("email", Field::Address),
    ("forwarding", Field::Forwards),
    ("local_part", Field::Lists),
];

/// Reads a dump into the roster.
pub fn read(text: &str, options: &Options, roster: &mut Roster) {
    let (mut domains, mut bad) = (HashMap::new(), Vec::new());
    sql::read(
        text,
        |row| {
            let Some((_, table)) = TABLES.iter().find(|(name, _)| *name == row.table) else { return true };
            one(*table, &row, options, roster, &mut domains)
        },
        |line| bad.push(line),
    );
    for line in bad {
        roster.complain(line, Text::new("the statement breaks off", "语句不完整"));
    }
}

fn one(
    table: Table,
    row: &Row<'_>,
    options: &Options,
    roster: &mut Roster,
    domains: &mut HashMap<String, String>,
) -> bool {
    if row.columns.is_empty() {
        let name = row.table;
        let text = Text::new(
            format!("nothing names the columns of {name}: the dump must have its CREATE TABLE"),
            format!("没有 {name} 的列名：转储须包含 CREATE TABLE"),
        );
        return roster.add(row.line, Err(text));
    }
    let value = |wanted: &str| {
        let at = row.columns.iter().position(|column| column == wanted)?;
        row.values.get(at)?.as_deref().map(str::trim).filter(|text| !text.is_empty())
    };
    match table {
        Table::Domains => {
            let Some(name) = value("domain").or_else(|| value("name")) else { return true };
            if let Some(id) = value("id") {
                domains.insert(id.to_owned(), name.to_owned());
            }
            // postfixadmin's row for settings of all domains.
            if name.eq_ignore_ascii_case("all") {
                return true;
            }
            roster.add(row.line, Ok(Entry::Domain { name: name.to_lowercase(), alias_of: None }))
        }
        Table::DomainAliases => {
            let (Some(name), Some(target)) = (value("alias_domain"), value("target_domain")) else { return true };
            let alias_of = Some(target.to_lowercase());
            roster.add(row.line, Ok(Entry::Domain { name: name.to_lowercase(), alias_of }))
        }
        Table::People => {
            let domain =
                value("domain").or_else(|| value("domain_id").and_then(|id| domains.get(id).map(String::as_str)));
            let entry = person(row, roster, domain.or(options.domain.as_deref()));
            roster.add(row.line, entry)
        }
        Table::Aliases => alias(row.line, value, options, roster),
    }
}

fn person(row: &Row<'_>, roster: &mut Roster, domain: Option<&str>) -> Result<Entry, Text> {
    // postfixadmin counts bytes, others megabytes: the size of the number tells.
    let mut draft = Draft::new();
    let mut addresses = Vec::new();
    for (column, value) in row.columns.iter().zip(&row.values) {
        let ours = COLUMNS.iter().find(|(name, _)| name == column).map(|(_, field)| *field);
        let field =
            ours.or_else(|| field::of_column(column)).filter(|field| *field != Field::Lists && *field != Field::Domain);
        roster.met(&format!("{}.{column}", row.table), field);
        match (field, value) {
            (Some(Field::Address), Some(value)) => addresses.push(value.as_str()),
            (Some(field), Some(value)) => draft.values.push((field, value)),
            _ => {}
        }
    }
    // Of several names the one with a domain is the address.
    let address = addresses.iter().find(|name| name.contains('@')).or_else(|| addresses.first());
    draft.values.extend(address.map(|address| (Field::Address, *address)));
    draft.entry(domain)
}

fn alias<'a>(line: u64, value: impl Fn(&str) -> Option<&'a str>, options: &Options, roster: &mut Roster) -> bool {
    let from = value("address").or_else(|| value("source")).or_else(|| value("alias")).or_else(|| value("mail"));
    let to = value("goto").or_else(|| value("destination")).or_else(|| value("forwarding"));
    let (Some(from), Some(to)) = (from, to) else { return true };
    if value("active").is_some_and(|active| matches!(active, "0" | "f" | "false")) {
        roster.pass_over(line, Text::new(format!("the alias {from} is switched off"), format!("别名 {from} 已停用")));
        return true;
    }
    let domain = options.domain.as_deref();
    let read = addresses(to, domain).and_then(|mut targets| {
        if let Some(domain) = from.strip_prefix('@') {
            let Some(target) = targets.pop().filter(|_| targets.is_empty()) else {
                return Err(Text::new("a catch-all leads to one address", "兜底地址只能指向一个地址"));
            };
            return Ok(Some(Entry::CatchAll { domain: domain.to_lowercase(), target }));
        }
        let address = address_in(from, domain)?;
        // postfixadmin has a row for every mailbox that leads to itself.
        if targets.iter().all(|target| target.key() == address.key()) {
            return Ok(None);
        }
        Ok(Some(Entry::Alias { address, targets }))
    });
    match read {
        Ok(None) => true,
        Ok(Some(entry)) => roster.add(line, Ok(entry)),
        Err(text) => roster.add(line, Err(text)),
    }
}
