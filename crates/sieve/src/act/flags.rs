//! IMAP flags: `setflag`, `addflag`, `removeflag` (RFC 5232).

use crate::program::{Node, Value};
use crate::run::{Flow, Halt, Machine};
use crate::table::{Extension, Kind, Needs, PLAIN, Row, Run, Syntax, Tag};

/// Flags of one message; further ones are ignored.
pub const MAX_FLAGS: usize = 100;

/// Bytes of one flag.
const MAX_FLAG: usize = 100;

pub(crate) static SETFLAG: Row = Row {
    name: "setflag",
    needs: Needs::All(&[Extension::Imap4Flags]),
    arguments: &[Kind::Text(Syntax::Variable), Kind::List(Syntax::Any)],
    is_first_optional: true,
    run: Run::Act(setflag),
    ..PLAIN
};

pub(crate) static ADDFLAG: Row = Row { name: "addflag", run: Run::Act(addflag), ..SETFLAG };
pub(crate) static REMOVEFLAG: Row = Row { name: "removeflag", run: Run::Act(removeflag), ..SETFLAG };

fn setflag(machine: &mut Machine<'_>, node: &Node) -> Result<Flow, Halt> {
    change(machine, node, |_, new| new)
}

fn addflag(machine: &mut Machine<'_>, node: &Node) -> Result<Flow, Halt> {
    change(machine, node, |mut old, new| {
        old.extend(new);
        old
    })
}

fn removeflag(machine: &mut Machine<'_>, node: &Node) -> Result<Flow, Halt> {
    change(machine, node, |mut old, gone| {
        old.retain(|flag| !gone.iter().any(|gone| gone.eq_ignore_ascii_case(flag)));
        old
    })
}

/// Changes the internal variable, or the one that is named.
fn change(
    machine: &mut Machine<'_>,
    node: &Node,
    with: impl FnOnce(Vec<String>, Vec<String>) -> Vec<String>,
) -> Result<Flow, Halt> {
    let given = list(machine, node, 1)?;
    match node.arguments.first().and_then(Value::constant).map(str::to_ascii_lowercase) {
        None => {
            let old = std::mem::take(&mut machine.flags);
            machine.flags = distinct(with(old, given));
        }
        Some(name) => {
            pay(machine, machine.variable(&name).len())?;
            let old = flags_of([machine.variable(&name)]);
            machine.set_variable(&name, distinct(with(old, given)).join(" "))?;
        }
    }
    Ok(Flow::Next)
}

/// The flags of the `n`th argument.
pub(crate) fn list(machine: &Machine<'_>, node: &Node, n: usize) -> Result<Vec<String>, Halt> {
    let strings = machine.list(node, n)?;
    pay(machine, strings.iter().map(|text| text.len()).sum())?;
    Ok(flags_of(strings.iter().map(|text| &**text)))
}

/// The flags of `:flags`, when it is given.
pub(crate) fn of_tag(machine: &Machine<'_>, node: &Node) -> Result<Option<Vec<String>>, Halt> {
    let Some(strings) = machine.tag_list(node, Tag::Flags)? else { return Ok(None) };
    pay(machine, strings.iter().map(String::len).sum())?;
    Ok(Some(flags_of(strings.iter().map(String::as_str))))
}

/// Pays for telling the flags of a text apart: each word is compared with those before it.
pub(crate) fn pay(machine: &Machine<'_>, bytes: usize) -> Result<(), Halt> {
    Ok(machine.budget.steps(bytes as u64 / 4)?)
}

/// The flags in strings where spaces stand between them; what is no flag, or one that nobody can set, is left out
/// (RFC 5232 §2).
pub(crate) fn flags_of<'t>(strings: impl IntoIterator<Item = &'t str>) -> Vec<String> {
    let words = strings.into_iter().flat_map(|text| text.split(' ')).filter(|word| is_flag(word));
    distinct(words.map(str::to_owned).collect())
}

fn distinct(flags: Vec<String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for flag in flags {
        if kept.len() < MAX_FLAGS && !kept.iter().any(|known| known.eq_ignore_ascii_case(&flag)) {
            kept.push(flag);
        }
    }
    kept
}

/// `\Answered` and its four fellows, or a keyword (RFC 9051 §9).
fn is_flag(word: &str) -> bool {
    match word.strip_prefix('\\') {
        Some(system) => {
            let known = ["answered", "flagged", "deleted", "seen", "draft"];
            known.iter().any(|name| name.eq_ignore_ascii_case(system))
        }
        None => {
            let is_atom = |b: u8| b.is_ascii_graphic() && !b"(){%*\"\\]".contains(&b);
            !word.is_empty() && word.len() <= MAX_FLAG && word.bytes().all(is_atom)
        }
    }
}
