//! What the store knows: mailboxes and annotations (RFC 5490, RFC 9042, RFC 8579).

use std::rc::Rc;

use crate::compare::Text;
use crate::program::Node;
use crate::run::{Halt, Machine};
use crate::table::{Extension, Kind, MATCH, Needs, PLAIN, Row, Run, Syntax};

/// Steps that asking the store costs.
const QUESTION: u64 = 20;

pub(crate) static MAILBOXEXISTS: Row = Row {
    name: "mailboxexists",
    needs: Needs::All(&[Extension::Mailbox]),
    arguments: &[Kind::List(Syntax::Any)],
    run: Run::Ask(mailboxexists),
    ..PLAIN
};

pub(crate) static MAILBOXIDEXISTS: Row = Row {
    name: "mailboxidexists",
    needs: Needs::All(&[Extension::MailboxId]),
    arguments: &[Kind::List(Syntax::Any)],
    run: Run::Ask(mailboxidexists),
    ..PLAIN
};

pub(crate) static SPECIALUSE_EXISTS: Row = Row {
    name: "specialuse_exists",
    needs: Needs::All(&[Extension::SpecialUse]),
    arguments: &[Kind::Text(Syntax::Mailbox), Kind::List(Syntax::SpecialUse)],
    is_first_optional: true,
    run: Run::Ask(specialuse_exists),
    ..PLAIN
};

pub(crate) static METADATA: Row = Row {
    name: "metadata",
    needs: Needs::All(&[Extension::MboxMetadata]),
    tags: &[MATCH],
    arguments: &[Kind::Text(Syntax::Mailbox), Kind::Text(Syntax::Any), Kind::List(Syntax::Key)],
    run: Run::Ask(metadata),
    ..PLAIN
};

pub(crate) static METADATAEXISTS: Row = Row {
    name: "metadataexists",
    needs: Needs::All(&[Extension::MboxMetadata]),
    arguments: &[Kind::Text(Syntax::Mailbox), Kind::List(Syntax::Any)],
    run: Run::Ask(metadataexists),
    ..PLAIN
};

pub(crate) static SERVERMETADATA: Row = Row {
    name: "servermetadata",
    needs: Needs::All(&[Extension::ServerMetadata]),
    tags: &[MATCH],
    arguments: &[Kind::Text(Syntax::Any), Kind::List(Syntax::Key)],
    run: Run::Ask(servermetadata),
    ..PLAIN
};

pub(crate) static SERVERMETADATAEXISTS: Row = Row {
    name: "servermetadataexists",
    needs: Needs::All(&[Extension::ServerMetadata]),
    arguments: &[Kind::List(Syntax::Any)],
    run: Run::Ask(servermetadataexists),
    ..PLAIN
};

/// Whether `holds` is true for every string of the `n`th argument.
fn all(machine: &Machine<'_>, node: &Node, n: usize, holds: impl Fn(&str) -> bool) -> Result<bool, Halt> {
    for name in machine.list(node, n)? {
        machine.budget.steps(QUESTION)?;
        if !holds(&name) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn mailboxexists(machine: &mut Machine<'_>, node: &Node) -> Result<bool, Halt> {
    all(machine, node, 0, |name| machine.input.world.mailbox_exists(name))
}

fn mailboxidexists(machine: &mut Machine<'_>, node: &Node) -> Result<bool, Halt> {
    all(machine, node, 0, |id| machine.input.world.mailbox_id_exists(id))
}

fn specialuse_exists(machine: &mut Machine<'_>, node: &Node) -> Result<bool, Halt> {
    let mailbox = machine.text(node, 0)?;
    let mailbox = Some(&*mailbox).filter(|name| !name.is_empty());
    all(machine, node, 1, |special_use| machine.input.world.special_use_exists(mailbox, special_use))
}

fn metadata(machine: &mut Machine<'_>, node: &Node) -> Result<bool, Halt> {
    let (mailbox, entry) = (machine.text(node, 0)?, machine.text(node, 1)?);
    machine.budget.steps(QUESTION)?;
    let value = machine.input.world.metadata(Some(&mailbox), &entry);
    machine.any_matches(node, value.map(|value| Rc::new(Text::new(value))), true)
}

fn metadataexists(machine: &mut Machine<'_>, node: &Node) -> Result<bool, Halt> {
    let mailbox = machine.text(node, 0)?;
    all(machine, node, 1, |entry| machine.input.world.metadata(Some(&mailbox), entry).is_some())
}

fn servermetadata(machine: &mut Machine<'_>, node: &Node) -> Result<bool, Halt> {
    let entry = machine.text(node, 0)?;
    machine.budget.steps(QUESTION)?;
    let value = machine.input.world.metadata(None, &entry);
    machine.any_matches(node, value.map(|value| Rc::new(Text::new(value))), true)
}

fn servermetadataexists(machine: &mut Machine<'_>, node: &Node) -> Result<bool, Halt> {
    all(machine, node, 0, |entry| machine.input.world.metadata(None, entry).is_some())
}
