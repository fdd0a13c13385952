//! Tests of tests (RFC 5228 §5) and `ihave` (RFC 5463 §4). Left to right, and no test more than needed.

use crate::program::Node;
use crate::run::{Halt, Machine};
use crate::table::{Extension, Kind, Needs, PLAIN, Row, Run, Syntax, Tests};

pub(crate) static TRUE: Row = Row { name: "true", run: Run::Ask(|_, _| Ok(true)), ..PLAIN };
pub(crate) static FALSE: Row = Row { name: "false", run: Run::Ask(|_, _| Ok(false)), ..PLAIN };
pub(crate) static NOT: Row = Row { name: "not", tests: Tests::One, run: Run::Ask(not), ..PLAIN };
pub(crate) static ALLOF: Row = Row { name: "allof", tests: Tests::List, run: Run::Ask(allof), ..PLAIN };
pub(crate) static ANYOF: Row = Row { name: "anyof", tests: Tests::List, run: Run::Ask(anyof), ..PLAIN };

pub(crate) static IHAVE: Row = Row {
    name: "ihave",
    needs: Needs::All(&[Extension::Ihave]),
    arguments: &[Kind::List(Syntax::Constant)],
    run: Run::Ask(ihave),
    ..PLAIN
};

/// What a test becomes whose extension is missing while `ihave` is in force.
pub(crate) static MISSING: Row =
    Row { name: "", arguments: &[Kind::Text(Syntax::Any)], run: Run::Ask(missing), ..PLAIN };

fn not(machine: &mut Machine<'_>, node: &Node) -> Result<bool, Halt> {
    match node.tests.first() {
        Some(test) => machine.ask(test).map(|is_true| !is_true),
        None => Ok(false),
    }
}

fn allof(machine: &mut Machine<'_>, node: &Node) -> Result<bool, Halt> {
    for test in &node.tests {
        if !machine.ask(test)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn anyof(machine: &mut Machine<'_>, node: &Node) -> Result<bool, Halt> {
    for test in &node.tests {
        if machine.ask(test)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Switches the capabilities on when all of them are there.
fn ihave(machine: &mut Machine<'_>, node: &Node) -> Result<bool, Halt> {
    let mut found = machine.scope.enabled;
    for name in machine.list(node, 0)? {
        match Extension::named(&name) {
            Some(extension) if extension.can_be_late() || found.has(extension) => found.add(extension),
            _ => return Ok(false),
        }
    }
    machine.scope.enabled = found;
    Ok(true)
}

fn missing(machine: &mut Machine<'_>, node: &Node) -> Result<bool, Halt> {
    let text = machine.text(node, 0)?.into_owned();
    Err(Halt::error(text.clone(), text))
}
