//! The compiled form of a script.

use std::sync::Arc;

use crate::compare::Matcher;
use crate::mistake::Mistakes;
use crate::table::{Extensions, Row, Tag};
use crate::template::Template;

/// A compiled script: what [`crate::compile`] makes and [`crate::run`] runs. It depends on nothing outside and may be kept
/// and shared; [`Program::to_bytes`] is its stored form.
#[derive(Debug, Default)]
pub struct Program {
    pub(crate) block: Vec<Node>,
    /// Capabilities in force: required, and those that `ihave` may switch on.
    pub(crate) known: Extensions,
    /// Lines on which rules of the form start, with their names, in order.
    pub(crate) rules: Arc<[(u32, String)]>,
}

/// A command or test with its arguments.
pub(crate) struct Node {
    pub(crate) row: &'static Row,
    pub(crate) line: u32,
    /// Positional arguments, as many as the row has.
    pub(crate) arguments: Vec<Value>,
    pub(crate) tags: Vec<(Tag, Value)>,
    pub(crate) tests: Vec<Node>,
    pub(crate) block: Vec<Node>,
    /// Of rows that compare: made of the tags and the last argument.
    pub(crate) matcher: Option<Box<Matcher>>,
}

/// An argument.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// Left out, or a tag without a value.
    Nothing,
    Number(u64),
    Text(Template),
    List(Vec<Template>),
}

impl Program {
    /// Compiles a script; see [`crate::compile`].
    pub fn compile(script: &[u8]) -> Result<Program, Mistakes> {
        crate::compile::compile(script)
    }

    /// The scripts that it includes by name, with whether they are global (RFC 6609), for a store that wants to have them
    /// at hand before it runs.
    pub fn includes(&self) -> Vec<(bool, &str)> {
        let mut found = Vec::new();
        walk(&self.block, &mut |node| {
            if node.row.name == "include"
                && let Some(name) = node.arguments.first().and_then(Value::constant)
            {
                found.push((node.tag(Tag::Global).is_some(), name));
            }
        });
        found
    }
}

fn walk<'a>(block: &'a [Node], visit: &mut impl FnMut(&'a Node)) {
    for node in block {
        visit(node);
        walk(&node.block, visit);
    }
}

impl Node {
    /// The value of a tag; [`Value::Nothing`] for a tag without one.
    pub(crate) fn tag(&self, tag: Tag) -> Option<&Value> {
        self.tags.iter().find(|(known, _)| *known == tag).map(|(_, value)| value)
    }

    pub(crate) fn has(&self, tag: Tag) -> bool {
        self.tag(tag).is_some()
    }

    /// The number of a tag.
    pub(crate) fn number(&self, tag: Tag) -> Option<u64> {
        match self.tag(tag) {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        }
    }
}

impl Value {
    /// The text, when it is one and constant.
    pub(crate) fn constant(&self) -> Option<&str> {
        match self {
            Value::Text(Template::Fixed(text)) => Some(text),
            _ => None,
        }
    }

    /// The strings of a list; a text is a list of one (RFC 5228 §2.4.2.1).
    pub(crate) fn strings(&self) -> &[Template] {
        match self {
            Value::Text(text) => std::slice::from_ref(text),
            Value::List(list) => list,
            Value::Nothing | Value::Number(_) => &[],
        }
    }
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct(self.row.name)
            .field("line", &self.line)
            .field("arguments", &self.arguments)
            .field("tags", &self.tags)
            .field("tests", &self.tests)
            .field("block", &self.block)
            .finish()
    }
}
