//! `address` and `envelope` (RFC 5228 §5.1, §5.4) with the parts of addresses (§2.7.4, RFC 5233).

use std::rc::Rc;

use anser_mime::address::{Address, parse_list};
use anser_mime::charset;

use crate::ask::header::{indexed, mime_fields};
use crate::compare::Text;
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
            fields.extend(mime_fields(machine, node, &name)?);
        } else {
            fields.extend(machine.fields(&name)?.map(|field| machine.message.raw(field).to_vec()));
        }
    }
    let mut values = Vec::new();
    for raw in indexed(node, fields) {
        machine.budget.field()?;
        machine.budget.steps(1 + raw.len() as u64 / 32)?;
        let list = parse_list(&raw);
        let mailboxes = list.iter().filter(|entry| entry.host.is_some());
        values.extend(
            mailboxes.filter_map(|entry| part(node, entry, machine.counts(node))).map(|text| Rc::new(Text::new(text))),
        );
    }
    machine.any_matches(node, values, true)
}

/// The part of an address that the test's tags ask for; `None` when the address has no such part. What is no address has
/// only its text, as `:all` (RFC 5228 §5.1).
fn part(node: &Node, entry: &Address, is_counted: bool) -> Option<String> {
    let local = charset::decode(None, entry.mailbox.as_deref().unwrap_or_default());
    let domain = charset::decode(None, entry.host.as_deref().unwrap_or_default());
    if is_counted {
        return Some(local);
    }
    if domain.is_empty() {
        let wants_all = ![Tag::LocalPart, Tag::Domain, Tag::User, Tag::Detail].into_iter().any(|tag| node.has(tag));
        return wants_all.then_some(local);
    }
    piece(node, &local, &domain)
}

fn piece(node: &Node, local: &str, domain: &str) -> Option<String> {
    let split = local.split_once('+');
    if node.has(Tag::LocalPart) {
        Some(local.to_owned())
    } else if node.has(Tag::Domain) {
        Some(domain.to_owned())
    } else if node.has(Tag::User) {
        Some(split.map_or(local, |(user, _)| user).to_owned())
    } else if node.has(Tag::Detail) {
        // Without a separator there is no detail, which is not an empty one (RFC 5233 §4).
        split.map(|(_, detail)| detail.to_owned())
    } else {
        Some(format!("{local}@{domain}"))
    }
}

fn envelope(machine: &mut Machine<'_>, node: &Node) -> Result<bool, Halt> {
    let mut values = Vec::new();
    for name in machine.list(node, 0)? {
        machine.check(&name, Syntax::EnvelopePart)?;
        let is_from = name.eq_ignore_ascii_case("from");
        let address = if is_from { machine.input.sender } else { machine.input.recipient };
        let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
        let local = unquoted(local);
        if address.is_empty() && machine.counts(node) {
            continue;
        }
        // An empty sender is an empty string in every part (RFC 5228 §5.4).
        let value = if address.is_empty() {
            (!node.has(Tag::Detail)).then(String::new)
        } else if domain.is_empty() {
            (!node.has(Tag::Domain) && !node.has(Tag::Detail)).then_some(local)
        } else {
            piece(node, &local, domain)
        };
        values.extend(value.map(|text| Rc::new(Text::new(text))));
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
