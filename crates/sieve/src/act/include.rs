//! Scripts within scripts: `include`, `return`, `global` (RFC 6609).

use std::sync::Arc;

use crate::program::{Node, Value};
use crate::run::{Flow, Halt, Machine, Scope};
use crate::table::{self, Extension, Kind, Needs, PLAIN, Row, Run, Syntax, Tag};

pub(crate) static INCLUDE: Row = Row {
    name: "include",
    needs: Needs::All(&[Extension::Include]),
    tags: &[table::INCLUDE],
    arguments: &[Kind::Text(Syntax::Constant)],
    run: Run::Act(include),
    ..PLAIN
};

pub(crate) static RETURN: Row =
    Row { name: "return", needs: Needs::All(&[Extension::Include]), run: Run::Act(leave), ..PLAIN };

pub(crate) static GLOBAL: Row = Row {
    name: "global",
    needs: Needs::All(&[Extension::Include, Extension::Variables]),
    arguments: &[Kind::List(Syntax::Global)],
    run: Run::Act(global),
    ..PLAIN
};

fn include(machine: &mut Machine<'_>, node: &Node) -> Result<Flow, Halt> {
    let name = node.arguments.first().and_then(Value::constant).unwrap_or_default().to_owned();
    let key = (node.has(Tag::Global), name);
    let is_running = machine.including.contains(&key);
    if node.has(Tag::Once) && (is_running || machine.included.contains(&key)) {
        return Ok(Flow::Next);
    }
    if is_running {
        let name = &key.1;
        return Err(Halt::error(
            format!("the script \"{name}\" includes itself"),
            format!("脚本 \"{name}\" 包含了自身"),
        ));
    }
    machine.budget.include()?;
    if machine.including.len() >= machine.budget.fuel.include_depth as usize {
        return Err(crate::run::Exhausted::Includes.into());
    }
    let Some(program) = machine.input.world.script(key.0, &key.1) else {
        if node.has(Tag::Optional) {
            return Ok(Flow::Next);
        }
        let name = &key.1;
        return Err(Halt::error(
            format!("there is no script \"{name}\" to include"),
            format!("没有可包含的脚本 \"{name}\""),
        ));
    };
    run(machine, key, &program)
}

/// Runs an included script in a scope of its own. When it fails its scope stays, to tell where.
fn run(machine: &mut Machine<'_>, key: (bool, String), program: &Arc<crate::Program>) -> Result<Flow, Halt> {
    let outer = std::mem::replace(&mut machine.scope, Scope::of(&key.1, program));
    machine.included.insert(key.clone());
    machine.including.push(key);
    let flow = machine.block(&program.block)?;
    machine.including.pop();
    machine.scope = outer;
    Ok(if flow == Flow::Stop { Flow::Stop } else { Flow::Next })
}

fn leave(_: &mut Machine<'_>, _: &Node) -> Result<Flow, Halt> {
    Ok(Flow::Return)
}

fn global(machine: &mut Machine<'_>, node: &Node) -> Result<Flow, Halt> {
    for name in node.arguments.first().map(Value::strings).unwrap_or_default() {
        machine.budget.memory(64)?;
        machine.scope.globals.insert(name.to_string().to_ascii_lowercase());
    }
    Ok(Flow::Next)
}
