//! Control: `require`, `if`, `stop` (RFC 5228 §3), `error` (RFC 5463 §5).

use crate::program::Node;
use crate::run::{Flow, Halt, Machine};
use crate::table::{Extension, Kind, Needs, PLAIN, Row, Run, Syntax, Tests};

/// The compiler reads it; it is never run.
pub(crate) static REQUIRE: Row =
    Row { name: "require", arguments: &[Kind::List(Syntax::Constant)], run: Run::Act(nothing), ..PLAIN };

pub(crate) static IF: Row = Row { name: "if", tests: Tests::One, has_block: true, run: Run::Act(branch), ..PLAIN };
pub(crate) static ELSIF: Row =
    Row { name: "elsif", tests: Tests::One, has_block: true, run: Run::Act(branch), ..PLAIN };
pub(crate) static ELSE: Row = Row { name: "else", has_block: true, run: Run::Act(branch), ..PLAIN };
pub(crate) static STOP: Row = Row { name: "stop", run: Run::Act(stop), ..PLAIN };

pub(crate) static ERROR: Row = Row {
    name: "error",
    needs: Needs::All(&[Extension::Ihave]),
    arguments: &[Kind::Text(Syntax::Any)],
    run: Run::Act(error),
    ..PLAIN
};

/// What a command becomes whose extension is missing while `ihave` is in force.
pub(crate) static MISSING: Row = Row { name: "", arguments: &[Kind::Text(Syntax::Any)], run: Run::Act(error), ..PLAIN };

pub(crate) fn nothing(_: &mut Machine<'_>, _: &Node) -> Result<Flow, Halt> {
    Ok(Flow::Next)
}

/// Runs the block of a branch; which branch is taken was decided before.
fn branch(machine: &mut Machine<'_>, node: &Node) -> Result<Flow, Halt> {
    machine.block(&node.block)
}

fn stop(_: &mut Machine<'_>, _: &Node) -> Result<Flow, Halt> {
    Ok(Flow::Stop)
}

fn error(machine: &mut Machine<'_>, node: &Node) -> Result<Flow, Halt> {
    let text = machine.text(node, 0)?.into_owned();
    Err(Halt::error(text.clone(), text))
}
