//! A node: octets, in as many blocks as they take, and nodes within it ([MS-PST] §2.2.2.8.3).

use std::io;

use crate::blocks::{Reader, is_inner};
use crate::property::Properties;
use crate::table::Table;
use crate::{Octets, damaged, u16_at, u32_at};

/// Blocks of one node at most: of some 8 KB each.
const BLOCKS: usize = 4 * 1024 * 1024;
/// Nodes within one.
const WITHIN: usize = 200_000;
/// Levels of blocks that lead to blocks.
const LEVELS: u8 = 2;

/// A node.
#[derive(Debug)]
pub struct Node<'a, O> {
    reader: &'a Reader<'a, O>,
    data: u64,
    within: u64,
}

impl<'a, O: Octets> Node<'a, O> {
    pub(crate) fn new(reader: &'a Reader<'a, O>, data: u64, within: u64) -> Self {
        Self { reader, data, within }
    }

    /// Its properties.
    pub fn properties(&self) -> io::Result<Properties<'a, O>> {
        Properties::read(self.reader, self.data, self.within()?)
    }

    /// Hands over its octets as they are.
    pub fn stream(&self, out: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let data = Data::read(self.reader, self.data)?;
        (0..data.count()).try_for_each(|at| out(&data.block(self.reader, at)?))
    }

    /// The table within it that has this id; `None` when there is none.
    pub fn table(&self, id: u32) -> io::Result<Option<Table<'a, O>>> {
        let within = self.within()?;
        let Some(found) = within.find(id) else { return Ok(None) };
        Table::read(self.reader, found.data, Within::read(self.reader, found.within)?).map(Some)
    }

    /// The nodes of a kind within it, by their ids.
    pub fn all(&self, kind: u32) -> io::Result<Vec<(u32, Node<'a, O>)>> {
        let within = self.within()?;
        let of = within.0.iter().filter(|one| crate::kind_of(one.id) == kind);
        Ok(of.map(|one| (one.id, Node::new(self.reader, one.data, one.within))).collect())
    }

    fn within(&self) -> io::Result<Within> {
        Within::read(self.reader, self.within)
    }
}

/// A node within another one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inside {
    pub id: u32,
    pub data: u64,
    pub within: u64,
}

/// The nodes within one, by their ids.
#[derive(Debug, Default)]
pub(crate) struct Within(Vec<Inside>);

impl Within {
    pub fn read<O: Octets>(reader: &Reader<'_, O>, block: u64) -> io::Result<Self> {
        let mut all = Vec::new();
        if block != 0 {
            collect(reader, block, LEVELS, &mut all)?;
        }
        all.sort_by_key(|one| one.id);
        Ok(Self(all))
    }

    pub fn find(&self, id: u32) -> Option<&Inside> {
        self.0.binary_search_by_key(&id, |one| one.id).ok().map(|at| &self.0[at])
    }
}

fn collect<O: Octets>(reader: &Reader<'_, O>, block: u64, levels: u8, all: &mut Vec<Inside>) -> io::Result<()> {
    let octets = reader.block(block)?;
    let (width, head) = (reader.width(), if reader.pst.is_wide { 8 } else { 4 });
    let (kind, level, count) = (octets.first(), octets.get(1).copied(), u16_at(&octets, 2).unwrap_or(0));
    let level = level.filter(|level| kind == Some(&2) && *level < levels);
    let level = level.ok_or_else(|| damaged("a block that should lead to nodes"))?;
    let step = if level == 0 { 3 * width } else { 2 * width };
    for entry in octets[head.min(octets.len())..].chunks_exact(step).take(usize::from(count)) {
        let (Some(id), Some(data)) = (u32_at(entry, 0), reader.number(entry, width)) else { continue };
        if level > 0 {
            collect(reader, data, level, all)?;
        } else if all.len() < WITHIN {
            all.push(Inside { id, data, within: reader.number(entry, 2 * width).unwrap_or(0) });
        }
    }
    Ok(())
}

/// The blocks of a node's octets, in order ([MS-PST] §2.2.2.8.3.2).
#[derive(Debug, Default)]
pub(crate) struct Data {
    blocks: Vec<u64>,
}

impl Data {
    pub fn read<O: Octets>(reader: &Reader<'_, O>, block: u64) -> io::Result<Self> {
        let mut data = Self::default();
        if block != 0 {
            data.collect(reader, block, LEVELS + 1)?;
        }
        Ok(data)
    }

    fn collect<O: Octets>(&mut self, reader: &Reader<'_, O>, block: u64, levels: u8) -> io::Result<()> {
        if !is_inner(block) {
            if self.blocks.len() >= BLOCKS {
                return Err(damaged("a node without end"));
            }
            self.blocks.push(block);
            return Ok(());
        }
        let octets = reader.block(block)?;
        let level = octets.get(1).copied().filter(|level| octets[0] == 1 && (1..levels).contains(level));
        let level = level.ok_or_else(|| damaged("a block that should lead to blocks"))?;
        let count = usize::from(u16_at(&octets, 2).unwrap_or(0));
        for entry in octets.get(8..).unwrap_or_default().chunks_exact(reader.width()).take(count) {
            let Some(below) = reader.number(entry, 0) else { continue };
            self.collect(reader, below, level)?;
        }
        Ok(())
    }

    /// How many blocks there are.
    pub fn count(&self) -> usize {
        self.blocks.len()
    }

    /// The octets of one of them.
    pub fn block<O: Octets>(&self, reader: &Reader<'_, O>, at: usize) -> io::Result<Vec<u8>> {
        reader.block(*self.blocks.get(at).ok_or_else(|| damaged("a node that ends early"))?)
    }
}
