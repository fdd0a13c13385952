//! What files of old systems say.

mod any_bytes_are_read_without_harm;
mod directories_are_read_as_ldif;
mod dumps_of_tables_are_read;
mod files_with_colons_are_read;
mod tables_are_read_however_they_are_written;

use anser_roster::{Entry, Format, Options, Person, Roster};

/// What a file says, names without a domain being in `example.org`.
fn read(bytes: &[u8]) -> Roster {
    anser_roster::read(bytes, &Options { format: None, domain: Some("example.org".into()) })
}

fn read_as(format: Format, text: &str) -> Roster {
    anser_roster::read(text.as_bytes(), &Options { format: Some(format), domain: Some("example.org".into()) })
}

fn person<'a>(roster: &'a Roster, address: &str) -> &'a Person {
    let people = roster.rows.iter().filter_map(|row| match &row.entry {
        Entry::Person(person) => Some(&**person),
        _ => None,
    });
    people.into_iter().find(|person| person.address.to_string() == address).unwrap_or_else(|| panic!("{roster:#?}"))
}

/// Rows in short: line and what it says.
fn told(roster: &Roster) -> Vec<String> {
    let join = |all: &[anser_base::Address]| all.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let one = |entry: &Entry| match entry {
        Entry::Domain { name, alias_of: None } => format!("domain {name}"),
        Entry::Domain { name, alias_of: Some(target) } => format!("domain {name} = {target}"),
        Entry::Person(person) => format!("person {}", person.address),
        Entry::Alias { address, targets } => format!("alias {address} > {}", join(targets)),
        Entry::CatchAll { domain, target } => format!("catch-all {domain} > {target}"),
        Entry::List { address, name, members } => format!("list {address} {name} > {}", join(members)),
    };
    roster.rows.iter().map(|row| format!("{} {}", row.line, one(&row.entry))).collect()
}

/// Lines with problems that are not harmless.
fn wrong(roster: &Roster) -> Vec<u64> {
    roster.problems.iter().filter(|problem| !problem.harmless).map(|problem| problem.line).collect()
}
