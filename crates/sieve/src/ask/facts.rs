//! What the world around the message says: `environment` (RFC 5183), `duplicate` (RFC 7352), notification methods (RFC 5435).

use std::rc::Rc;

use crate::compare::Text;
use crate::compile::syntax::is_field_name;
use crate::mailto;
use crate::program::Node;
use crate::run::{Halt, Machine, Remember};
use crate::table::{self, Extension, Kind, MATCH, Needs, PLAIN, Row, Run, Syntax, Tag};

/// Seconds for which a unique id is remembered when the script says none (RFC 7352 §3.3).
const DEFAULT_SECONDS: u64 = 7 * 86_400;

/// Longest such time, in seconds.
const MAX_SECONDS: u64 = 90 * 86_400;

pub(crate) static ENVIRONMENT: Row = Row {
    name: "environment",
    needs: Needs::Any(&[Extension::Environment, Extension::ImapSieve]),
    tags: &[MATCH],
    arguments: &[Kind::Text(Syntax::Any), Kind::List(Syntax::Key)],
    run: Run::Ask(environment),
    ..PLAIN
};

pub(crate) static DUPLICATE: Row = Row {
    name: "duplicate",
    needs: Needs::All(&[Extension::Duplicate]),
    tags: &[table::DUPLICATE],
    run: Run::Ask(duplicate),
    ..PLAIN
};

pub(crate) static VALID_NOTIFY_METHOD: Row = Row {
    name: "valid_notify_method",
    needs: Needs::All(&[Extension::Enotify]),
    arguments: &[Kind::List(Syntax::Any)],
    run: Run::Ask(valid_notify_method),
    ..PLAIN
};

pub(crate) static NOTIFY_METHOD_CAPABILITY: Row = Row {
    name: "notify_method_capability",
    needs: Needs::All(&[Extension::Enotify]),
    tags: &[MATCH],
    arguments: &[Kind::Text(Syntax::Any), Kind::Text(Syntax::Any), Kind::List(Syntax::Key)],
    run: Run::Ask(notify_method_capability),
    ..PLAIN
};

/// An item that is not known matches nothing (RFC 5183 §4).
fn environment(machine: &mut Machine<'_>, node: &Node) -> Result<bool, Halt> {
    let name = machine.text(node, 0)?.to_ascii_lowercase();
    let value = machine.input.environment.get(&name).map(|value| Rc::new(Text::new(value.as_str())));
    if machine.counts(node) {
        let count = value.is_some_and(|value| !value.plain().is_empty());
        return machine.count_matches(node, count.into());
    }
    machine.any_matches(node, value, true)
}

fn duplicate(machine: &mut Machine<'_>, node: &Node) -> Result<bool, Halt> {
    let seconds = node.number(Tag::Seconds).unwrap_or(DEFAULT_SECONDS).min(MAX_SECONDS);
    let handle = machine.tag_text(node, Tag::Handle)?.unwrap_or_default();
    let id = match machine.tag_text(node, Tag::UniqueId)? {
        Some(id) => Some(id),
        None => {
            let name = machine.tag_text(node, Tag::Header)?.unwrap_or_else(|| "Message-ID".to_owned());
            let name = Some(name).filter(|name| is_field_name(name));
            name.and_then(|name| {
                let field = machine.message.fields(&name).next()?;
                Some(machine.message.text(field).plain().to_owned())
            })
        }
    };
    let Some(id) = id.filter(|_| seconds > 0) else { return Ok(false) };
    machine.budget.steps(20 + machine.remember.len() as u64 / 16)?;
    machine.budget.memory(id.len() + handle.len())?;
    let is_duplicate = machine.input.world.is_duplicate(&handle, &id);
    let remember = Remember { handle, id, seconds, from_last: node.has(Tag::Last), is_duplicate };
    let is_same = |known: &&mut Remember| known.handle == remember.handle && known.id == remember.id;
    match machine.remember.iter_mut().find(is_same) {
        Some(known) => *known = remember,
        None => machine.remember.push(remember),
    }
    Ok(is_duplicate)
}

fn valid_notify_method(machine: &mut Machine<'_>, node: &Node) -> Result<bool, Halt> {
    Ok(machine.list(node, 0)?.iter().all(|uri| mailto::parse(uri).is_some()))
}

/// `mailto` cannot tell who is online (RFC 5436 §2.2); a copy of what it sends can be kept (RFC 8580 §3.2).
fn notify_method_capability(machine: &mut Machine<'_>, node: &Node) -> Result<bool, Halt> {
    let is_valid = mailto::parse(&machine.text(node, 0)?).is_some();
    let value = match machine.text(node, 1)?.to_ascii_lowercase().as_str() {
        _ if !is_valid => return Ok(false),
        "online" => "maybe",
        "fcc" => "yes",
        _ => return Ok(false),
    };
    machine.any_matches(node, [Rc::new(Text::new(value))], true)
}
