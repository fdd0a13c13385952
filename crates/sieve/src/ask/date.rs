//! `date` and `currentdate` (RFC 5260).

use std::rc::Rc;

use anser_base::time::Civil;
use anser_mime::date::{self, DateTime, format_rfc5322};
use anser_mime::header::unfold;

use crate::ask::header::indexed;
use crate::compare::Text;
use crate::compile::syntax::zone_minutes;
use crate::program::Node;
use crate::run::{Halt, Machine};
use crate::table::{Extension, INDEX, Kind, MATCH, Needs, ORIGINAL_ZONE, PLAIN, Row, Run, Syntax, Tag, ZONE};

pub(crate) static DATE: Row = Row {
    name: "date",
    needs: Needs::All(&[Extension::Date]),
    tags: &[MATCH, ZONE, ORIGINAL_ZONE, INDEX],
    arguments: &[Kind::Text(Syntax::Header), Kind::Text(Syntax::DatePart), Kind::List(Syntax::Key)],
    run: Run::Ask(date),
    ..PLAIN
};

pub(crate) static CURRENTDATE: Row = Row {
    name: "currentdate",
    needs: Needs::All(&[Extension::Date]),
    tags: &[MATCH, ZONE],
    arguments: &[Kind::Text(Syntax::DatePart), Kind::List(Syntax::Key)],
    run: Run::Ask(currentdate),
    ..PLAIN
};

fn date(machine: &mut Machine<'_>, node: &Node) -> Result<bool, Halt> {
    let name = machine.text(node, 0)?;
    let fields: Vec<Vec<u8>> = machine.fields(&name)?.map(|field| machine.message.raw(field).to_vec()).collect();
    machine.budget.field()?;
    // The first field counts, unless an index says another.
    let Some(raw) = indexed(node, fields).into_iter().next() else { return unknown(machine, node) };
    let Some(found) = date_of(&raw) else { return unknown(machine, node) };
    let zone = if node.has(Tag::OriginalZone) { found.offset_minutes } else { zone(machine, node, found.unix)? };
    compare(machine, node, 1, DateTime { unix: found.unix, offset_minutes: zone })
}

/// A field without a date counts as none and matches nothing.
fn unknown(machine: &mut Machine<'_>, node: &Node) -> Result<bool, Halt> {
    machine.any_matches(node, [], true)
}

/// The date that a field is, or that stands behind its last semicolon.
fn date_of(raw: &[u8]) -> Option<DateTime> {
    let value = unfold(raw);
    let start = memchr::memrchr(b';', &value).map_or(0, |at| at + 1);
    date::parse(&value[start..]).or_else(|| date::parse(&value))
}

fn currentdate(machine: &mut Machine<'_>, node: &Node) -> Result<bool, Halt> {
    let unix = machine.input.now.secs();
    compare(machine, node, 0, DateTime { unix, offset_minutes: zone(machine, node, unix)? })
}

/// The zone that the test names, or what the owner's one is at that time (RFC 5260 §4.1).
fn zone(machine: &Machine<'_>, node: &Node, unix: i64) -> Result<i32, Halt> {
    let Some(text) = machine.tag_text(node, Tag::Zone)? else { return Ok((machine.input.zone)(unix)) };
    machine.check(&text, Syntax::Zone)?;
    Ok(zone_minutes(&text).unwrap_or_else(|| (machine.input.zone)(unix)))
}

/// Compares the part of a date that the argument at `position` names.
fn compare(machine: &mut Machine<'_>, node: &Node, position: usize, date: DateTime) -> Result<bool, Halt> {
    let part = machine.text(node, position)?.into_owned();
    machine.check(&part, Syntax::DatePart)?;
    let text = part_of(&part.to_ascii_lowercase(), date);
    machine.any_matches(node, [Rc::new(Text::new(text))], true)
}

/// A part of a date in its own zone (RFC 5260 §4.2).
fn part_of(part: &str, date: DateTime) -> String {
    let local = date.unix + i64::from(date.offset_minutes) * 60;
    let c = Civil::from_secs(local);
    let sign = if date.offset_minutes < 0 { '-' } else { '+' };
    let (hours, minutes) = (date.offset_minutes.unsigned_abs() / 60, date.offset_minutes.unsigned_abs() % 60);
    match part {
        "year" => format!("{:04}", c.year),
        "month" => format!("{:02}", c.month),
        "day" => format!("{:02}", c.day),
        "date" => format!("{:04}-{:02}-{:02}", c.year, c.month, c.day),
        // Day 0 is 17 November 1858, 40,587 days before 1970.
        "julian" => (local.div_euclid(86_400) + 40_587).to_string(),
        "hour" => format!("{:02}", c.hour),
        "minute" => format!("{:02}", c.minute),
        "second" => format!("{:02}", c.second),
        "time" => format!("{:02}:{:02}:{:02}", c.hour, c.minute, c.second),
        "iso8601" => {
            let zone = if date.offset_minutes == 0 { "Z".to_owned() } else { format!("{sign}{hours:02}:{minutes:02}") };
            let (year, month, day) = (c.year, c.month, c.day);
            format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}{zone}", c.hour, c.minute, c.second)
        }
        "std11" => format_rfc5322(date),
        "zone" => format!("{sign}{hours:02}{minutes:02}"),
        _ => c.weekday.to_string(),
    }
}
