//! Tables: rows of properties ([MS-PST] §2.3.4).

use std::cell::RefCell;
use std::io;

use crate::blocks::{BLOCK, Reader};
use crate::heap::Heap;
use crate::node::{Data, Within};
use crate::property::{Value, value_of};
use crate::{Octets, damaged, u16_at, u32_at};

/// Octets of the value of a cell at most.
const HELD: usize = 1024 * 1024;
/// Rows of a table at most.
const ROWS: usize = 1_000_000;
/// The client of a heap that holds a table.
const CLIENT: u8 = 0x7c;
/// Octets of what heads a table, before its columns.
const HEAD: usize = 22;

/// A table.
#[derive(Debug)]
pub struct Table<'a, O> {
    heap: Heap<'a, O>,
    columns: Vec<Column>,
    /// Octets of a row, and where the bits begin that say which of its cells there are.
    size: usize,
    bits: usize,
    rows: Rows,
    /// Where each row is among the rows.
    places: Vec<u32>,
}

#[derive(Debug)]
enum Rows {
    /// In a piece of the heap.
    Piece(Vec<u8>),
    /// In the blocks of a node; the block that was read last is held.
    Blocks(Data, RefCell<Option<(usize, Vec<u8>)>>),
}

#[derive(Clone, Copy, Debug)]
struct Column {
    kind: u16,
    id: u16,
    at: usize,
    bit: usize,
}

/// A row.
#[derive(Debug)]
pub struct Row<'t, 'a, O> {
    table: &'t Table<'a, O>,
    octets: Vec<u8>,
}

impl<'a, O: Octets> Table<'a, O> {
    pub(crate) fn read(reader: &'a Reader<'a, O>, block: u64, within: Within) -> io::Result<Self> {
        let wrong = || damaged("a table that is none");
        let heap = Heap::read(reader, block, within)?;
        let head = heap.piece(heap.root)?;
        if heap.client != CLIENT || head.first() != Some(&CLIENT) || head.len() < HEAD {
            return Err(wrong());
        }
        let number = |at| u16_at(&head, at).map_or(0, usize::from);
        let (bits, size) = (number(6), number(8));
        let (index, rows) = (u32_at(&head, 10).ok_or_else(wrong)?, u32_at(&head, 14).ok_or_else(wrong)?);
        let columns = head[HEAD..].chunks_exact(8).take(usize::from(head[1]));
        let columns = columns.map(|one| Column {
            kind: u16::from_le_bytes([one[0], one[1]]),
            id: u16::from_le_bytes([one[2], one[3]]),
            at: usize::from(u16::from_le_bytes([one[4], one[5]])),
            bit: usize::from(one[7]),
        });
        let columns = columns.collect();
        let mut places = Vec::new();
        if index != 0 {
            heap.tree(index, &mut |_, value| {
                let place = u32_at(value, 0).or_else(|| u16_at(value, 0).map(u32::from));
                if places.len() < ROWS {
                    places.extend(place);
                }
            })?;
        }
        if !places.is_empty() && !(4..=BLOCK).contains(&size) {
            return Err(wrong());
        }
        places.sort_unstable();
        let rows = match heap.data_of(rows)? {
            Some(data) => Rows::Blocks(data, RefCell::default()),
            None => Rows::Piece(heap.piece(rows)?),
        };
        Ok(Self { heap, columns, size, bits, rows, places })
    }

    /// The rows, in their order. One that cannot be read is an error of its own.
    pub fn rows(&self) -> impl Iterator<Item = io::Result<Row<'_, 'a, O>>> {
        self.places.iter().map(|place| Ok(Row { table: self, octets: self.row(*place as usize)? }))
    }

    fn row(&self, place: usize) -> io::Result<Vec<u8>> {
        let cut = |octets: &[u8], at: usize| {
            let from = at.checked_mul(self.size);
            let row = from.and_then(|from| octets.get(from..)?.get(..self.size));
            row.map(<[u8]>::to_vec).ok_or_else(|| damaged("a row that is nowhere"))
        };
        match &self.rows {
            Rows::Piece(octets) => cut(octets, place),
            Rows::Blocks(data, held) => {
                // No row is in two blocks.
                let trailer = if self.heap.reader.pst.is_wide { 16 } else { 12 };
                let each = (BLOCK - trailer) / self.size;
                let at = place.checked_div(each).ok_or_else(|| damaged("a row that no block can hold"))?;
                let mut held = held.borrow_mut();
                if held.as_ref().is_none_or(|(known, _)| *known != at) {
                    *held = Some((at, data.block(self.heap.reader, at)?));
                }
                cut(held.as_ref().map_or(&[], |(_, octets)| octets), place % each)
            }
        }
    }
}

impl<O: Octets> Row<'_, '_, O> {
    /// The value of a cell; `None` where there is none.
    pub fn get(&self, id: u16) -> Option<Value> {
        let column = self.table.columns.iter().find(|column| column.id == id)?;
        let bits = self.octets.get(self.table.bits + column.bit / 8)?;
        if bits >> (7 - column.bit % 8) & 1 == 0 {
            return None;
        }
        let cell = self.octets.get(column.at..)?;
        match column.kind {
            0x02 | 0x03 | 0x0a | 0x0b | 0x14 | 0x40 => value_of(column.kind, cell),
            kind => value_of(kind, &self.table.heap.octets(u32_at(cell, 0)?, HELD).ok()?),
        }
    }

    /// A number.
    pub fn number(&self, id: u16) -> Option<i64> {
        match self.get(id)? {
            Value::Number(value) => Some(value),
            _ => None,
        }
    }
}
