//! A heap: small pieces of a node by numbers, and trees of records in them ([MS-PST] §2.3.1, §2.3.2).

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::rc::Rc;

use crate::blocks::Reader;
use crate::node::{Data, Within};
use crate::{Octets, damaged, u16_at, u32_at};

/// Octets of a heap that are held at once, in blocks.
const HELD: usize = 1024;
/// Records of one tree at most.
const RECORDS: usize = 2_000_000;
/// Levels of a tree.
const LEVELS: u8 = 8;
/// What a heap and a tree begin with.
const HEAP: u8 = 0xec;
const TREE: u8 = 0xb5;

/// A heap.
#[derive(Debug)]
pub(crate) struct Heap<'a, O> {
    pub reader: &'a Reader<'a, O>,
    data: Data,
    pub within: Within,
    /// Whose heap it is: 0xbc of properties, 0x7c of a table.
    pub client: u8,
    /// The piece that all others are reached by.
    pub root: u32,
    held: RefCell<HashMap<usize, Rc<Vec<u8>>>>,
}

impl<'a, O: Octets> Heap<'a, O> {
    pub fn read(reader: &'a Reader<'a, O>, block: u64, within: Within) -> io::Result<Self> {
        let data = Data::read(reader, block)?;
        let mut heap = Self { reader, data, within, client: 0, root: 0, held: RefCell::default() };
        let first = heap.block(0)?;
        if first.get(2) != Some(&HEAP) {
            return Err(damaged("a heap that is none"));
        }
        heap.client = first.get(3).copied().unwrap_or(0);
        heap.root = u32_at(&first, 4).unwrap_or(0);
        Ok(heap)
    }

    fn block(&self, at: usize) -> io::Result<Rc<Vec<u8>>> {
        if let Some(held) = self.held.borrow().get(&at) {
            return Ok(held.clone());
        }
        let block = Rc::new(self.data.block(self.reader, at)?);
        let mut held = self.held.borrow_mut();
        if held.len() >= HELD {
            held.clear();
        }
        held.insert(at, block.clone());
        Ok(block)
    }

    /// A piece by its number; nothing by none. What its page says of free places does not matter.
    pub fn piece(&self, number: u32) -> io::Result<Vec<u8>> {
        let (at, block) = ((number >> 5 & 0x7ff) as usize, (number >> 16) as usize);
        if number == 0 {
            return Ok(Vec::new());
        }
        let wrong = || damaged("a piece of a heap that is nowhere");
        let block = self.block(block)?;
        let map = usize::from(u16_at(&block, 0).ok_or_else(wrong)?);
        let count = usize::from(u16_at(&block, map).ok_or_else(wrong)?);
        if number & 0x1f != 0 || at == 0 || at > count {
            return Err(wrong());
        }
        let place = map + 4 + (at - 1) * 2;
        let (from, to) = (u16_at(&block, place), u16_at(&block, place + 2));
        let (from, to) = (usize::from(from.ok_or_else(wrong)?), usize::from(to.ok_or_else(wrong)?));
        self.reader.spend((to.saturating_sub(from)) as u64)?;
        Ok(block.get(from..to).ok_or_else(wrong)?.to_vec())
    }

    /// The octets of a piece, or of the node within that this number names; at most so many.
    pub fn octets(&self, number: u32, most: usize) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        self.stream(number, &mut |octets| {
            if all.len() + octets.len() > most {
                return Err(damaged("more than is held of one value"));
            }
            all.extend_from_slice(octets);
            Ok(())
        })?;
        Ok(all)
    }

    /// The same, handed over piece by piece.
    pub fn stream(&self, number: u32, out: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        if number & 0x1f == 0 {
            return out(&self.piece(number)?);
        }
        let Some(data) = self.data_of(number)? else { return Ok(()) };
        for at in 0..data.count() {
            out(&data.block(self.reader, at)?)?;
        }
        Ok(())
    }

    /// The blocks of the node within that a number names; `None` when it names a piece, or nothing.
    pub fn data_of(&self, number: u32) -> io::Result<Option<Data>> {
        if number & 0x1f == 0 {
            return Ok(None);
        }
        let found = self.within.find(number).ok_or_else(|| damaged("a value that is nowhere"))?;
        Data::read(self.reader, found.data).map(Some)
    }

    /// The records of a tree, each a key and what is kept by it.
    pub fn tree(&self, number: u32, each: &mut dyn FnMut(&[u8], &[u8])) -> io::Result<()> {
        let head = self.piece(number)?;
        let [TREE, key, value, levels, ..] = head[..] else { return Err(damaged("a tree that is none")) };
        let root = u32_at(&head, 4).ok_or_else(|| damaged("a tree without a root"))?;
        if key == 0 || levels > LEVELS {
            return Err(damaged("a tree without keys"));
        }
        let mut left = RECORDS;
        self.branch(root, levels, (usize::from(key), usize::from(value)), &mut left, each)
    }

    fn branch(
        &self,
        number: u32,
        level: u8,
        (key, value): (usize, usize),
        left: &mut usize,
        each: &mut dyn FnMut(&[u8], &[u8]),
    ) -> io::Result<()> {
        let octets = self.piece(number)?;
        let step = key + if level == 0 { value } else { 4 };
        for record in octets.chunks_exact(step) {
            *left = left.checked_sub(1).ok_or_else(|| damaged("a tree without end"))?;
            match level {
                0 => each(&record[..key], &record[key..]),
                _ => {
                    let below = u32_at(record, key).unwrap_or(0);
                    self.branch(below, level - 1, (key, value), left, each)?;
                }
            }
        }
        Ok(())
    }
}
