//! `header`, `exists`, `size` (RFC 5228 §5), with `:index` (RFC 5260 §6) and `:mime` (RFC 5703 §4).

use std::rc::Rc;

use anser_mime::header as fields;
use anser_mime::params;
use anser_mime::text::decode_header;

use crate::compare::Text;
use crate::message::MAX_FIELD_BYTES;
use crate::program::{Node, Value};
use crate::run::{Halt, Machine};
use crate::table::{self, INDEX, Kind, MATCH, MIME, MIME_PART, PLAIN, Row, Run, Syntax, Tag};

pub(crate) static HEADER: Row = Row {
    name: "header",
    tags: &[MATCH, INDEX, MIME, MIME_PART],
    arguments: &[Kind::List(Syntax::Header), Kind::List(Syntax::Key)],
    run: Run::Ask(header),
    ..PLAIN
};

pub(crate) static EXISTS: Row =
    Row { name: "exists", tags: &[MIME], arguments: &[Kind::List(Syntax::Header)], run: Run::Ask(exists), ..PLAIN };

pub(crate) static SIZE: Row = Row { name: "size", tags: &[table::SIZE], run: Run::Ask(size), ..PLAIN };

fn header(machine: &mut Machine<'_>, node: &Node) -> Result<bool, Halt> {
    let mut values = Vec::new();
    for name in machine.list(node, 0)? {
        values.extend(values_of(machine, node, &name)?);
    }
    let values = indexed(node, values);
    machine.any_matches(node, values, true)
}

/// The values of the fields called `name`: of the message, or of the part that a loop is at.
fn values_of(machine: &Machine<'_>, node: &Node, name: &str) -> Result<Vec<Rc<Text>>, Halt> {
    if node.has(Tag::Mime) {
        let mut found = Vec::new();
        for raw in mime_fields(machine, node, name)? {
            found.extend(mime_values(machine, node, &raw)?);
        }
        return Ok(found);
    }
    let mut found = Vec::new();
    for field in machine.fields(name)? {
        machine.budget.field()?;
        found.push(machine.message.text(field));
    }
    Ok(found)
}

/// Raw values of the fields called `name` of the current part, and with `:anychild` of those below it.
pub(crate) fn mime_fields(machine: &Machine<'_>, node: &Node, name: &str) -> Result<Vec<Vec<u8>>, Halt> {
    let current = machine.parts.last().copied().unwrap_or(0);
    let message = &machine.message;
    let parts = if node.has(Tag::AnyChild) { message.with_descendants(current) } else { vec![current] };
    let mut found = Vec::new();
    for index in parts {
        if index == 0 {
            found.extend(message.fields(name).map(|field| message.raw(field).to_vec()));
        } else if let Some(part) = message.structure().parts.get(index) {
            let block = message.part_header(part);
            machine.budget.steps(1 + block.len() as u64 / 64)?;
            let values = fields::find_all(block, name).map(|field| field.value);
            found.extend(values.map(|value| value[..value.len().min(MAX_FIELD_BYTES)].to_vec()));
        }
        machine.budget.field()?;
    }
    Ok(found)
}

/// What `:type`, `:subtype`, `:contenttype` or `:param` take of a field; the whole value without them.
fn mime_values(machine: &Machine<'_>, node: &Node, raw: &[u8]) -> Result<Vec<Rc<Text>>, Halt> {
    let text = |text: &str| vec![Rc::new(Text::new(text))];
    let wants = |tag| node.has(tag);
    if ![Tag::Type, Tag::Subtype, Tag::ContentType, Tag::Param].into_iter().any(wants) {
        return Ok(text(decode_header(raw).trim()));
    }
    let (head, params) = params::parse(&fields::unfold(raw));
    let (kind, subtype) = head.split_once('/').unwrap_or((&head, ""));
    Ok(if wants(Tag::Type) {
        text(kind)
    } else if wants(Tag::Subtype) {
        text(subtype)
    } else if wants(Tag::ContentType) {
        text(&head)
    } else {
        let names = machine.tag_list(node, Tag::Param)?.unwrap_or_default();
        let values = names.iter().filter_map(|name| params.get(&name.to_ascii_lowercase()));
        values.map(|value| Rc::new(Text::new(value))).collect()
    })
}

/// The one value that `:index` asks for, or all of them.
pub(crate) fn indexed<T>(node: &Node, mut values: Vec<T>) -> Vec<T> {
    match node.number(Tag::Index) {
        None => values,
        Some(index) => match nth(values.len(), index, node.has(Tag::Last)) {
            Some(at) => vec![values.swap_remove(at)],
            None => Vec::new(),
        },
    }
}

/// Position of the `index`th of `count` things, from 1, from the end with `is_last`.
pub(crate) fn nth(count: usize, index: u64, is_last: bool) -> Option<usize> {
    let index = usize::try_from(index).ok()?.checked_sub(1)?;
    if index >= count {
        return None;
    }
    Some(if is_last { count - 1 - index } else { index })
}

fn exists(machine: &mut Machine<'_>, node: &Node) -> Result<bool, Halt> {
    for name in machine.list(node, 0)? {
        machine.budget.steps(1)?;
        let is_there = if node.has(Tag::Mime) {
            !mime_fields(machine, node, &name)?.is_empty()
        } else {
            machine.fields(&name)?.next().is_some()
        };
        if !is_there {
            return Ok(false);
        }
    }
    Ok(true)
}

fn size(machine: &mut Machine<'_>, node: &Node) -> Result<bool, Halt> {
    let size = machine.message.size();
    Ok(match (node.tag(Tag::Over), node.tag(Tag::Under)) {
        (Some(Value::Number(limit)), _) => size > *limit,
        (_, Some(Value::Number(limit))) => size < *limit,
        _ => false,
    })
}
