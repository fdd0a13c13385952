//! External lists (RFC 6134). The match type `:list` itself lies beside the other ones.

use crate::program::Node;
use crate::run::{Halt, Machine, whole_list_name};
use crate::table::{Extension, Kind, Needs, PLAIN, Row, Run, Syntax};

pub(crate) static VALID_EXT_LIST: Row = Row {
    name: "valid_ext_list",
    needs: Needs::All(&[Extension::ExtLists]),
    arguments: &[Kind::List(Syntax::Any)],
    run: Run::Ask(valid_ext_list),
    ..PLAIN
};

fn valid_ext_list(machine: &mut Machine<'_>, node: &Node) -> Result<bool, Halt> {
    for name in machine.list(node, 0)? {
        machine.budget.steps(10)?;
        if !machine.input.world.list_exists(&whole_list_name(name.into_owned())) {
            return Ok(false);
        }
    }
    Ok(true)
}
