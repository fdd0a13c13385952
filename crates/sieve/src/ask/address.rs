//! `address` and `envelope` (RFC 5228 §5.1, §5.4) with the parts of addresses (§2.7.4, RFC 5233).

use std::rc::Rc;

use crate::ask::header::{indexed, mime_fields};
use crate::compare::Text;
use crate::message::mailbox::{Mailbox, Part};
use crate::program::Node;
use crate::run::{Halt, Machine};
use crate::table::{ADDRESS_PART, Extension, INDEX, Kind, MATCH, MIME, Needs, PLAIN, Row, Run, Syntax, Tag};

pub(crate) static ADDRESS: Row = Row {
    name: "address",
    tags: &[MATCH, ADDRESS_PART, INDEX, MIME],
    arguments: &[Kind::List(Syntax::AddressHeader), Kind::List(Syntax::Key)],
    run: Run::Ask(address),
    ..PLAIN
};

pub(crate) static ENVELOPE: Row = Row {
    name: "envelope",
    needs: Needs::All(&[Extension::Envelope]),
    tags: &[MATCH, ADDRESS_PART],
    arguments: &[Kind::List(Syntax::EnvelopePart), Kind::List(Syntax::Key)],
    run: Run::Ask(envelope),
    ..PLAIN
};

fn address(machine: &mut Machine<'_>, node: &Node) -> Result<bool, Halt> {
    let mut fields = Vec::new();
    for name in machine.list(node, 0)? {
        machine.check(&name, Syntax::AddressHeader)?;
        if node.has(Tag::Mime) {
            fields.extend(mime_fields(machine, node, &name)?.iter().map(|raw| Mailbox::list(raw)));
        } else {
            fields.extend(machine.fields(&name)?.map(|field| machine.message.mailboxes(field)));
        }
    }
    let mut values: Vec<Rc<Text>> = Vec::new();
    let part = wanted(machine, node);
    for list in indexed(node, fields) {
        machine.budget.field()?;
        machine.budget.steps(1 + list.len() as u64 / 4)?;
        values.extend(list.iter().filter_map(|mailbox| mailbox.part(part)));
    }
    machine.any_matches(node, values, true)
}

/// The part that a test's tags ask for; when addresses are counted each one counts.
fn wanted(machine: &Machine<'_>, node: &Node) -> Part {
    let parts = [
        (Tag::LocalPart, Part::Local),
        (Tag::Domain, Part::Domain),
        (Tag::User, Part::User),
        (Tag::Detail, Part::Detail),
    ];
    let named = parts.into_iter().find(|(tag, _)| node.has(*tag)).map(|(_, part)| part);
    named.filter(|_| !machine.counts(node)).unwrap_or(Part::All)
}

fn envelope(machine: &mut Machine<'_>, node: &Node) -> Result<bool, Halt> {
    let mut values = Vec::new();
    let part = wanted(machine, node);
    for name in machine.list(node, 0)? {
        machine.check(&name, Syntax::EnvelopePart)?;
        let is_from = name.eq_ignore_ascii_case("from");
        let address = if is_from { machine.input.sender } else { machine.input.recipient };
        let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
        let value = match address {
            // An empty sender is an empty string in every part (RFC 5228 §5.4), and counts as none (RFC 5231 §4.2).
            "" if machine.counts(node) || part == Part::Detail => None,
            "" => Some(Rc::new(Text::new(""))),
            _ if domain.is_empty() && matches!(part, Part::Local | Part::User) => {
                Some(Rc::new(Text::new(unquoted(local))))
            }
            _ => Mailbox::new(unquoted(local), domain.to_owned()).part(part),
        };
        values.extend(value);
    }
    machine.any_matches(node, values, true)
}

/// A local part without the quotes that SMTP asks for.
fn unquoted(local: &str) -> String {
    match local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(quoted) => quoted.replace('\\', ""),
        None => local.to_owned(),
    }
}
