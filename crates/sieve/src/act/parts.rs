//! Parts of the message: `foreverypart`, `break`, `extracttext`, `replace`, `enclose` (RFC 5703).

use std::borrow::Cow;

use anser_mime::build::{Entity, Headers, Mailbox, TextEncoding};
use anser_mime::date::DateTime;

use crate::act::variables::modified;
use crate::message::Message;
use crate::message::part::entity;
use crate::program::{Node, Value};
use crate::run::{Flow, Halt, Machine};
use crate::table::{self, Extension, FIRST, Kind, MODIFIERS, NAME, Needs, PLAIN, Row, Run, Syntax, Tag};

/// Bytes of a message that a step pays for when it is written anew and its parts are found again.
const REWRITE_BYTES: u64 = 128;

pub(crate) static FOREVERYPART: Row = Row {
    name: "foreverypart",
    needs: Needs::All(&[Extension::ForEveryPart]),
    tags: &[NAME],
    has_block: true,
    run: Run::Act(foreverypart),
    ..PLAIN
};

pub(crate) static BREAK: Row =
    Row { name: "break", needs: Needs::All(&[Extension::ForEveryPart]), tags: &[NAME], run: Run::Act(leave), ..PLAIN };

pub(crate) static EXTRACTTEXT: Row = Row {
    name: "extracttext",
    needs: Needs::All(&[Extension::ExtractText, Extension::Variables]),
    tags: &[MODIFIERS, FIRST],
    arguments: &[Kind::Text(Syntax::Variable)],
    run: Run::Act(extracttext),
    ..PLAIN
};

pub(crate) static REPLACE: Row = Row {
    name: "replace",
    needs: Needs::All(&[Extension::Replace]),
    tags: &[table::REPLACE],
    arguments: &[Kind::Text(Syntax::Any)],
    run: Run::Act(replace),
    ..PLAIN
};

pub(crate) static ENCLOSE: Row = Row {
    name: "enclose",
    needs: Needs::All(&[Extension::Enclose]),
    tags: &[table::ENCLOSE],
    arguments: &[Kind::Text(Syntax::Any)],
    run: Run::Act(enclose),
    ..PLAIN
};

/// Goes through the parts of the message, or those of the part that an outer loop is at, depth first.
fn foreverypart(machine: &mut Machine<'_>, node: &Node) -> Result<Flow, Halt> {
    let first = machine.parts.last().copied().unwrap_or(0);
    let mut left = machine.message.with_descendants(first);
    if !machine.parts.is_empty() {
        left.remove(0);
    }
    machine.budget.steps(1 + left.len() as u64 / 8)?;
    left.reverse();
    let own = node.tag(Tag::Name).and_then(Value::constant);
    while let Some(index) = left.pop() {
        machine.budget.steps(2)?;
        machine.parts.push(index);
        let changes = machine.part_changes;
        let flow = machine.block(&node.block)?;
        machine.parts.pop();
        match flow {
            Flow::Next => {}
            Flow::Break(name) if name.is_none() || name.as_deref() == own => return Ok(Flow::Next),
            other => return Ok(other),
        }
        if machine.part_changes != changes {
            left = after_change(machine, first, index);
        }
    }
    Ok(Flow::Next)
}

/// What is left to visit when the part `index` was exchanged: parts before it stand where they stood, its own new ones are
/// not visited.
fn after_change(machine: &Machine<'_>, first: usize, index: usize) -> Vec<usize> {
    // Descendants of a part follow it without a gap.
    let end = machine.message.with_descendants(index).into_iter().max().unwrap_or(index);
    let mut left = machine.message.with_descendants(first);
    left.retain(|at| *at > end);
    left.reverse();
    left
}

fn leave(_: &mut Machine<'_>, node: &Node) -> Result<Flow, Halt> {
    Ok(Flow::Break(node.tag(Tag::Name).and_then(Value::constant).map(str::to_owned)))
}

fn extracttext(machine: &mut Machine<'_>, node: &Node) -> Result<Flow, Halt> {
    let name = node.arguments.first().and_then(Value::constant).unwrap_or_default();
    let index = machine.parts.last().copied().unwrap_or(0);
    let part = machine.message.structure().parts.get(index).filter(|part| part.is_text());
    let mut text = part.map(|part| machine.message.part_text(part)).unwrap_or_default();
    machine.budget.steps(1 + text.len() as u64 / 64)?;
    if let Some(first) = node.number(Tag::First) {
        let end = text.char_indices().nth(usize::try_from(first).unwrap_or(usize::MAX)).map(|(at, _)| at);
        text.truncate(end.unwrap_or(text.len()));
    }
    machine.set_variable(name, modified(node, text))?;
    Ok(Flow::Next)
}

fn replace(machine: &mut Machine<'_>, node: &Node) -> Result<Flow, Halt> {
    let text = machine.text(node, 0)?.into_owned();
    let new = entity(&text, node.has(Tag::Mime));
    let index = machine.parts.last().copied().unwrap_or(0);
    machine.budget.rewritten(machine.message.size() + new.len() as u64)?;
    machine.budget.steps(1 + machine.message.size() / REWRITE_BYTES)?;
    let bytes = machine.message.with_part(index, &new);
    exchange(machine, bytes);
    if index == 0 {
        replace_field(machine, node, Tag::Subject, "Subject", "Original-Subject")?;
        replace_field(machine, node, Tag::From, "From", "Original-From")?;
    }
    Ok(Flow::Next)
}

/// `:subject` and `:from`: the old field stays under another name (RFC 5703 §5).
fn replace_field(machine: &mut Machine<'_>, node: &Node, tag: Tag, name: &str, kept_as: &str) -> Result<(), Halt> {
    let Some(value) = machine.tag_text(node, tag)? else { return Ok(()) };
    let old = machine.message.fields(name).next().map(|field| machine.message.text(field));
    let message = machine.change();
    message.retain(|field| !field.is_called(name));
    if let Some(old) = old {
        message.add(kept_as, old.plain(), true);
    }
    message.add(name, &value, true);
    Ok(())
}

/// Puts the whole message into a new one (RFC 5703 §6).
fn enclose(machine: &mut Machine<'_>, node: &Node) -> Result<Flow, Halt> {
    let text = machine.text(node, 0)?.into_owned();
    let copied = machine.tag_list(node, Tag::Headers)?.unwrap_or_default();
    machine.budget.rewritten(machine.message.size() * 2)?;
    machine.budget.steps(1 + machine.message.size() / REWRITE_BYTES)?;
    machine.enclosed += 1;
    let boundary = format!("{}.{}", machine.input.boundary, machine.enclosed);
    let mut headers = Headers::new();
    let has = |name: &str| copied.iter().any(|known| known.eq_ignore_ascii_case(name));
    if !has("Date") {
        let unix = machine.input.now.secs();
        headers = headers.date("Date", DateTime { unix, offset_minutes: (machine.input.zone)(unix) });
    }
    if !has("From") {
        headers = headers.addresses("From", &[Mailbox { name: "", email: machine.input.recipient }]);
    }
    if let Some(subject) = machine.tag_text(node, Tag::Subject)? {
        headers = headers.text("Subject", &subject);
    }
    let mut out = Vec::new();
    for name in &copied {
        for field in machine.message.fields(name) {
            out.extend_from_slice(field.whole(&machine.message));
        }
    }
    let inside = Entity::rfc822(&machine.message.to_bytes());
    let parts = [Entity::text("plain", &text, TextEncoding::QuotedPrintable), inside];
    out.extend(anser_mime::build::message(headers, Entity::multipart("mixed", &boundary, &parts)));
    exchange(machine, out);
    Ok(Flow::Next)
}

/// The message is `bytes` from now on.
fn exchange(machine: &mut Machine<'_>, bytes: Vec<u8>) {
    *machine.change() = Message::new(Cow::Owned(bytes));
    machine.part_changes += 1;
}
