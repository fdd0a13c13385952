//! The stored form of a program: a version, then the tree. Rows are told by name, so that the table may grow.

use anser_base::pack::{Packer, Unpacker};
use anser_base::{Error, Result};

use crate::compile::matcher;
use crate::program::{Node, Program, Value};
use crate::table::{self, COMMANDS, Extensions, TAGS, TESTS};
use crate::template::{Piece, Template};

/// Version of the stored form and of what it means; other ones are refused, and the caller compiles the script again.
pub const PROGRAM_VERSION: u8 = 1;

/// Levels that a stored program may nest.
const MAX_DEPTH: usize = crate::parse::MAX_NESTING + 2;

impl Program {
    /// The program as bytes, to be kept beside its script.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Packer::with_capacity(1024);
        out.byte(PROGRAM_VERSION);
        out.number(self.known.0);
        out.number(self.rules.len() as u64);
        for (line, name) in self.rules.iter() {
            out.number(u64::from(*line));
            out.text(name);
        }
        write_nodes(&mut out, &self.block);
        out.finish()
    }

    /// Reads [`Program::to_bytes`] back. `Class::Damaged` for bytes of another version or that were not written by it:
    /// compile the script again.
    pub fn from_bytes(bytes: &[u8]) -> Result<Program> {
        let mut input = Unpacker::new(bytes);
        if input.byte()? != PROGRAM_VERSION {
            return Err(Error::damaged("a stored program of another version"));
        }
        let known = Extensions(input.number()?);
        let mut rules = Vec::new();
        for _ in 0..input.number()? {
            rules.push((line(&mut input)?, input.text()?.to_owned()));
        }
        let block = read_nodes(&mut input, COMMANDS, 0)?;
        Ok(Program { block, known, rules: rules.into() })
    }
}

fn write_nodes(out: &mut Packer, nodes: &[Node]) {
    out.number(nodes.len() as u64);
    for node in nodes {
        out.text(node.row.name);
        out.number(u64::from(node.line));
        out.number(node.arguments.len() as u64);
        node.arguments.iter().for_each(|value| write_value(out, value));
        out.number(node.tags.len() as u64);
        for (tag, value) in &node.tags {
            out.byte(*tag as u8);
            write_value(out, value);
        }
        write_nodes(out, &node.tests);
        write_nodes(out, &node.block);
    }
}

fn write_value(out: &mut Packer, value: &Value) {
    match value {
        Value::Nothing => out.byte(0),
        Value::Number(number) => {
            out.byte(1);
            out.number(*number);
        }
        Value::Text(text) => {
            out.byte(2);
            write_template(out, text);
        }
        Value::List(list) => {
            out.byte(3);
            out.number(list.len() as u64);
            list.iter().for_each(|text| write_template(out, text));
        }
    }
}

fn write_template(out: &mut Packer, template: &Template) {
    let pieces = match template {
        Template::Fixed(text) => {
            out.number(0);
            return out.text(text);
        }
        Template::Parts(pieces) => pieces,
    };
    out.number(pieces.len() as u64);
    for piece in pieces {
        let (kind, text) = match piece {
            Piece::Text(text) => (0, text),
            Piece::Variable(name) => (1, name),
            Piece::Global(name) => (2, name),
            Piece::Match(number) => {
                out.byte(3);
                out.number(u64::from(*number));
                continue;
            }
        };
        out.byte(kind);
        out.text(text);
    }
}

fn line(input: &mut Unpacker<'_>) -> Result<u32> {
    u32::try_from(input.number()?).map_err(Error::damaged)
}

fn read_nodes(input: &mut Unpacker<'_>, rows: &'static [&'static table::Row], depth: usize) -> Result<Vec<Node>> {
    if depth > MAX_DEPTH {
        return Err(Error::damaged("a stored program nests too deeply"));
    }
    let mut nodes = Vec::new();
    for _ in 0..input.number()? {
        nodes.push(read_node(input, rows, depth)?);
    }
    Ok(nodes)
}

fn read_node(input: &mut Unpacker<'_>, rows: &'static [&'static table::Row], depth: usize) -> Result<Node> {
    let name = input.text()?;
    let is_command = std::ptr::eq(rows, COMMANDS);
    let row = match name {
        "" if is_command => &crate::act::flow::MISSING,
        "" => &crate::ask::logic::MISSING,
        name => table::find(rows, name).ok_or_else(|| Error::damaged("a stored program has an unknown command"))?,
    };
    let mut node = Node::empty(row, line(input)?);
    for _ in 0..input.number()? {
        node.arguments.push(read_value(input)?);
    }
    for _ in 0..input.number()? {
        let tag = TAGS.get(usize::from(input.byte()?)).ok_or_else(|| Error::damaged("an unknown tag"))?;
        node.tags.push((*tag, read_value(input)?));
    }
    node.tests = read_nodes(input, TESTS, depth + 1)?;
    node.block = read_nodes(input, COMMANDS, depth + 1)?;
    if row.is_matching() {
        node.matcher = Some(Box::new(matcher(&node)));
    }
    Ok(node)
}

fn read_value(input: &mut Unpacker<'_>) -> Result<Value> {
    Ok(match input.byte()? {
        0 => Value::Nothing,
        1 => Value::Number(input.number()?),
        2 => Value::Text(read_template(input)?),
        3 => {
            let mut list = Vec::new();
            for _ in 0..input.number()? {
                list.push(read_template(input)?);
            }
            Value::List(list)
        }
        _ => return Err(Error::damaged("an unknown value")),
    })
}

fn read_template(input: &mut Unpacker<'_>) -> Result<Template> {
    let count = input.number()?;
    if count == 0 {
        return Ok(Template::fixed(input.text()?));
    }
    let mut pieces = Vec::new();
    for _ in 0..count {
        pieces.push(match input.byte()? {
            0 => Piece::Text(input.text()?.into()),
            1 => Piece::Variable(input.text()?.into()),
            2 => Piece::Global(input.text()?.into()),
            3 => Piece::Match(line(input)?),
            _ => return Err(Error::damaged("an unknown piece of a string")),
        });
    }
    Ok(Template::Parts(pieces))
}
