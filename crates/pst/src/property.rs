//! Properties of a node ([MS-PST] §2.3.3), and what their values are ([MS-OXCDATA] §2.11.1).

use std::collections::BTreeMap;
use std::io;

use crate::blocks::Reader;
use crate::heap::Heap;
use crate::node::Within;
use crate::{Node, Octets, damaged, u16_at, u32_at, u64_at};

/// Octets of a value that is held in memory, at most; larger ones are streamed.
const HELD: usize = 64 * 1024 * 1024;
/// Properties of one node.
const PROPERTIES: usize = 20_000;
/// The client of a heap that holds properties.
const CLIENT: u8 = 0xbc;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A number, or 0 and 1 for no and yes.
    Number(i64),
    /// Seconds since 1970.
    Time(i64),
    /// A text.
    Text(String),
    /// A text in the code page of its message.
    Coded(Vec<u8>),
    /// Octets.
    Octets(Vec<u8>),
    /// A node within the one whose property it is.
    Inside(u32),
}

/// The properties of a node. Their values are read when they are asked for.
#[derive(Debug)]
pub struct Properties<'a, O> {
    heap: Heap<'a, O>,
    /// The type of each, and the value or where it is.
    known: BTreeMap<u16, (u16, u32)>,
}

impl<'a, O: Octets> Properties<'a, O> {
    pub(crate) fn read(reader: &'a Reader<'a, O>, block: u64, within: Within) -> io::Result<Self> {
        let heap = Heap::read(reader, block, within)?;
        if heap.client != CLIENT {
            return Err(damaged("properties that are none"));
        }
        let mut known = BTreeMap::new();
        heap.tree(heap.root, &mut |key, value| {
            if let (Some(id), Some(kind), Some(value)) = (u16_at(key, 0), u16_at(value, 0), u32_at(value, 2))
                && known.len() < PROPERTIES
            {
                known.insert(id, (kind, value));
            }
        })?;
        Ok(Self { heap, known })
    }

    /// The value of a property; `None` when it has none, or one that cannot be read.
    pub fn get(&self, id: u16) -> Option<Value> {
        let (kind, value) = *self.known.get(&id)?;
        match kind {
            // Numbers of up to four octets lie where others have the place of their value.
            0x02 | 0x03 | 0x0a | 0x0b => value_of(kind, &value.to_le_bytes()),
            _ => value_of(kind, &self.heap.octets(value, HELD).ok()?),
        }
    }

    /// Hands over a value of octets, however large it is. Whether there is one.
    pub fn stream(&self, id: u16, out: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<bool> {
        let Some((_, value)) = self.known.get(&id).filter(|(kind, _)| *kind == 0x102) else { return Ok(false) };
        self.heap.stream(*value, out).map(|()| true)
    }

    /// The node within that a property is; `None` when it is none.
    pub fn inside(&self, id: u16) -> Option<Node<'a, O>> {
        let Some(Value::Inside(node)) = self.get(id) else { return None };
        let found = self.heap.within.find(node)?;
        Some(Node::new(self.heap.reader, found.data, found.within))
    }

    /// A number.
    pub fn number(&self, id: u16) -> Option<i64> {
        match self.get(id)? {
            Value::Number(value) => Some(value),
            _ => None,
        }
    }

    /// A time, in seconds since 1970.
    pub fn time(&self, id: u16) -> Option<i64> {
        match self.get(id)? {
            Value::Time(value) => Some(value),
            _ => None,
        }
    }
}

/// A value of a type out of its octets; `None` for types that nothing here has.
pub(crate) fn value_of(kind: u16, octets: &[u8]) -> Option<Value> {
    Some(match kind {
        0x02 => Value::Number((u16_at(octets, 0)? as i16).into()),
        0x03 | 0x0a => Value::Number((u32_at(octets, 0)? as i32).into()),
        0x0b => Value::Number(i64::from(*octets.first()? != 0)),
        0x14 => Value::Number(u64_at(octets, 0)? as i64),
        // In units of 100 ns since 1601.
        0x40 => match u64_at(octets, 0)? {
            0 => return None,
            time => Value::Time((time / 10_000_000) as i64 - 11_644_473_600),
        },
        0x1f => {
            let units: Vec<u16> = octets.chunks_exact(2).map(|two| u16::from_le_bytes([two[0], two[1]])).collect();
            Value::Text(String::from_utf16_lossy(&units).trim_end_matches('\0').to_owned())
        }
        0x1e => Value::Coded(octets.strip_suffix(b"\0").unwrap_or(octets).to_vec()),
        0x0d => Value::Inside(u32_at(octets, 0)?),
        0x102 => Value::Octets(octets.to_vec()),
        _ => return None,
    })
}
