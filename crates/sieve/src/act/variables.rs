//! `set` (RFC 5229 §4).

use crate::program::{Node, Value};
use crate::run::{Flow, Halt, Machine};
use crate::table::{Extension, Kind, MODIFIERS, Needs, PLAIN, Row, Run, Syntax, Tag};

pub(crate) static SET: Row = Row {
    name: "set",
    needs: Needs::All(&[Extension::Variables]),
    tags: &[MODIFIERS],
    arguments: &[Kind::Text(Syntax::Variable), Kind::Text(Syntax::Any)],
    run: Run::Act(set),
    ..PLAIN
};

/// Modifiers in the order of their precedence (RFC 5229 §4.1, RFC 5435 §6), with what they do.
const MODIFIER_STEPS: &[(Tag, fn(&str) -> String)] = &[
    (Tag::Lower, |text| text.to_ascii_lowercase()),
    (Tag::Upper, |text| text.to_ascii_uppercase()),
    (Tag::LowerFirst, |text| first(text, char::to_ascii_lowercase)),
    (Tag::UpperFirst, |text| first(text, char::to_ascii_uppercase)),
    (Tag::QuoteWildcard, |text| quote(text, "*?\\")),
    (Tag::QuoteRegex, |text| quote(text, ".^$*+?{}[]()|\\")),
    (Tag::EncodeUrl, encode_url),
    (Tag::Length, |text| text.chars().count().to_string()),
];

fn set(machine: &mut Machine<'_>, node: &Node) -> Result<Flow, Halt> {
    let value = modified(node, machine.text(node, 1)?.into_owned());
    let name = node.arguments.first().and_then(Value::constant).unwrap_or_default();
    machine.budget.steps(1 + value.len() as u64 / 256)?;
    machine.set_variable(name, value)?;
    Ok(Flow::Next)
}

/// `value` after the modifiers among the node's tags.
pub(crate) fn modified(node: &Node, value: String) -> String {
    let steps = MODIFIER_STEPS.iter().filter(|(tag, _)| node.has(*tag));
    steps.fold(value, |value, (_, step)| step(&value))
}

fn first(text: &str, change: impl Fn(&char) -> char) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| change(&c)).into_iter().chain(chars).collect()
}

fn quote(text: &str, special: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if special.contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Everything but the unreserved characters of RFC 3986 §2.3 as `%XX`.
fn encode_url(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 3);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(byte as char);
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
