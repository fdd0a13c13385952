//! `string` (RFC 5229 §5) and `hasflag` (RFC 5232 §4).

use std::rc::Rc;

use crate::act::flags::{flags_of, list, pay};
use crate::compare::{Found, MatchType, Ready, Text};
use crate::program::{Node, Value};
use crate::run::{Halt, Machine};
use crate::table::{Extension, Kind, MATCH, Needs, PLAIN, Row, Run, Syntax};

pub(crate) static STRING: Row = Row {
    name: "string",
    needs: Needs::All(&[Extension::Variables]),
    tags: &[MATCH],
    arguments: &[Kind::List(Syntax::Any), Kind::List(Syntax::Key)],
    run: Run::Ask(string),
    ..PLAIN
};

pub(crate) static HASFLAG: Row = Row {
    name: "hasflag",
    needs: Needs::All(&[Extension::Imap4Flags]),
    tags: &[MATCH],
    arguments: &[Kind::List(Syntax::Variable), Kind::List(Syntax::Key)],
    is_first_optional: true,
    run: Run::Ask(hasflag),
    ..PLAIN
};

fn string(machine: &mut Machine<'_>, node: &Node) -> Result<bool, Halt> {
    let mut values = machine.list(node, 0)?;
    if machine.counts(node) {
        values.retain(|value| !value.is_empty());
    }
    let values: Vec<_> = values.into_iter().map(|value| Rc::new(Text::new(value.into_owned()))).collect();
    machine.any_matches(node, values, true)
}

fn hasflag(machine: &mut Machine<'_>, node: &Node) -> Result<bool, Halt> {
    let names = node.arguments.first().map(Value::strings).unwrap_or_default();
    let sets: Vec<Vec<String>> = if names.is_empty() {
        vec![machine.flags.clone()]
    } else {
        let mut sets = Vec::new();
        for name in names {
            let name = machine.expand(name)?.to_ascii_lowercase();
            let value = machine.variable(&name);
            pay(machine, value.len())?;
            sets.push(flags_of([value]));
        }
        sets
    };
    if machine.counts(node) {
        return machine.count_matches(node, sets.iter().map(Vec::len).sum::<usize>() as u64);
    }
    let flags: Vec<_> = sets.into_iter().flatten().map(|flag| Rc::new(Text::new(flag))).collect();
    let Some(matcher) = &node.matcher else { return Ok(false) };
    if !matches!(matcher.kind, MatchType::Is | MatchType::Contains) {
        return machine.any_matches(node, flags, true);
    }
    // A key is a list of flags by itself (RFC 5232 §2), of which one is enough.
    for key in list(machine, node, 1)? {
        let ready = Ready::new(matcher.comparator, matcher.kind, &key);
        for flag in &flags {
            machine.budget.steps(1)?;
            if let Found::Yes = ready.matches(matcher.comparator, matcher.kind, flag, false) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
