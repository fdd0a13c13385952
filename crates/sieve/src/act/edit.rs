//! Header fields: `addheader` and `deleteheader` (RFC 5293).

use std::rc::Rc;

use crate::ask::header::nth;
use crate::program::Node;
use crate::run::{Flow, Halt, Machine};
use crate::table::{Extension, Kind, LAST, MATCH, Needs, OCCURRENCE, PLAIN, Row, Run, Syntax, Tag};

pub(crate) static ADDHEADER: Row = Row {
    name: "addheader",
    needs: Needs::All(&[Extension::EditHeader]),
    tags: &[LAST],
    arguments: &[Kind::Text(Syntax::Field), Kind::Text(Syntax::Any)],
    run: Run::Act(addheader),
    ..PLAIN
};

pub(crate) static DELETEHEADER: Row = Row {
    name: "deleteheader",
    needs: Needs::All(&[Extension::EditHeader]),
    tags: &[OCCURRENCE, MATCH],
    arguments: &[Kind::Text(Syntax::Field), Kind::List(Syntax::Key)],
    is_last_optional: true,
    run: Run::Act(deleteheader),
    ..PLAIN
};

/// Fields that no script removes: what stops loops (RFC 5293 §6).
const PROTECTED: &[&str] = &["Received", "Auto-Submitted"];

/// Bytes of a field that a script adds.
const MAX_VALUE: usize = 16 * 1024;

fn addheader(machine: &mut Machine<'_>, node: &Node) -> Result<Flow, Halt> {
    let name = machine.text(node, 0)?.into_owned();
    machine.check(&name, Syntax::Field)?;
    let value = machine.text(node, 1)?.into_owned();
    let mut end = value.len().min(MAX_VALUE);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    machine.budget.memory(name.len() + end)?;
    machine.budget.steps(machine.message.all_fields().len() as u64 / 16)?;
    machine.change().add(&name, value[..end].trim(), node.has(Tag::Last));
    Ok(Flow::Next)
}

fn deleteheader(machine: &mut Machine<'_>, node: &Node) -> Result<Flow, Halt> {
    let name = machine.text(node, 0)?.into_owned();
    machine.check(&name, Syntax::Field)?;
    if PROTECTED.iter().any(|field| field.eq_ignore_ascii_case(&name)) {
        return Ok(Flow::Next);
    }
    let texts: Vec<_> = machine.message.fields(&name).map(|field| machine.message.text(field)).collect();
    machine.budget.steps(1 + machine.message.all_fields().len() as u64 / 16)?;
    let candidates: Vec<usize> = match node.number(Tag::Index) {
        Some(index) => nth(texts.len(), index, node.has(Tag::Last)).into_iter().collect(),
        None => (0..texts.len()).collect(),
    };
    let has_patterns = node.arguments.get(1).is_some_and(|value| !value.strings().is_empty());
    let mut gone = vec![false; texts.len()];
    for at in candidates {
        gone[at] = !has_patterns || machine.any_matches(node, [Rc::clone(&texts[at])], false)?;
    }
    if gone.contains(&true) {
        let mut nth = 0;
        machine.change().retain(|field| {
            let is_named = field.is_called(&name);
            nth += usize::from(is_named);
            !(is_named && gone[nth - 1])
        });
    }
    Ok(Flow::Next)
}
