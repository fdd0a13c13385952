//! The header, and the two trees of pages that a file consists of ([MS-PST] §2.2): where the blocks of each node are, and where each block is.

use std::cell::Cell;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::encode::Encoding;
use crate::node::Node;
use crate::{Octets, damaged, u16_at, u32_at, u64_at};

/// Octets of a page.
const PAGE: usize = 512;
/// Octets of a block at most, with what says how it ends.
pub(crate) const BLOCK: usize = 8192;
/// Levels of a tree of pages at most.
const LEVELS: u8 = 20;
/// What a reader reads for each octet of the file, at most: what is reached by more than one way is read more than once.
const TIMES: u64 = 4;
/// The same for all readers of a file together: very many messages may each lead over all of it. Whoever goes over a sound file reads each
/// block a few times.
const TIMES_OF_ALL: u64 = 64;
/// What may be read of the smallest file.
const AT_LEAST: u64 = 1024 * 1024;
/// Kinds of pages ([MS-PST] §2.2.2.7.1).
const NODES: u8 = 0x81;
const BLOCKS: u8 = 0x80;

/// A file.
#[derive(Debug)]
pub struct Pst<O> {
    octets: O,
    /// Whether its numbers have 64 bits, as since Outlook 2003.
    pub(crate) is_wide: bool,
    encoding: Encoding,
    /// Where the trees begin.
    nodes: u64,
    blocks: u64,
    /// What its readers have read.
    spent: AtomicU64,
}

/// What the file knows of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeEntry {
    /// Its id.
    pub id: u32,
    /// That of the node above it: the folder of a message or folder.
    pub parent: u32,
    pub(crate) data: u64,
    pub(crate) within: u64,
}

impl<O: Octets> Pst<O> {
    /// Reads the header. [`io::ErrorKind::InvalidData`] when these octets are no file of Outlook's, or of a form that is not read: that of
    /// the caches (`.ost`) of Outlook 2013 and later has pages of another size.
    pub fn open(octets: O) -> io::Result<Self> {
        let mut header = [0; 564];
        let read = (octets.size() as usize).min(header.len());
        octets.read_at(0, &mut header[..read])?;
        if !header.starts_with(b"!BDN") || header[8..10] != *b"SM" {
            return Err(damaged("no data file of Outlook's"));
        }
        let is_wide = match u16_at(&header, 10) {
            Some(14 | 15) => false,
            Some(23) => true,
            _ => return Err(damaged("a data file of Outlook's in a form that is not read: export it as .pst")),
        };
        let small = |at| u32_at(&header, at).map(u64::from);
        let (nodes, blocks, encoding) = match is_wide {
            true => (u64_at(&header, 224), u64_at(&header, 240), header[513]),
            false => (small(188), small(196), header[461]),
        };
        let (Some(nodes), Some(blocks)) = (nodes, blocks) else { return Err(damaged("a header that ends early")) };
        let encoding = Encoding::of(encoding).ok_or_else(|| damaged("an encoding that nobody knows"))?;
        Ok(Self { octets, is_wide, encoding, nodes, blocks, spent: AtomicU64::new(0) })
    }

    /// Somebody who reads so much of it and no more: one for each message. All of them together read no more than so much either; whoever
    /// goes over a file again opens it again.
    pub fn reader(&self) -> Reader<'_, O> {
        let most = |times| self.octets.size().saturating_mul(times).saturating_add(AT_LEAST);
        let of_all = most(TIMES_OF_ALL).saturating_sub(self.spent.load(Ordering::Relaxed));
        Reader { pst: self, left: Cell::new(most(TIMES).min(of_all)) }
    }
}

/// Reads a file, and ends where a sound one would have ended long ago.
#[derive(Debug)]
pub struct Reader<'a, O> {
    pub(crate) pst: &'a Pst<O>,
    left: Cell<u64>,
}

/// A page of a tree.
struct Page {
    octets: [u8; PAGE],
    level: u8,
    count: usize,
    /// Octets of each entry.
    step: usize,
}

impl<O: Octets> Reader<'_, O> {
    /// Octets are read; an error when these are too many.
    pub(crate) fn spend(&self, octets: u64) -> io::Result<()> {
        let left = self.left.get().checked_sub(octets).ok_or_else(|| damaged("a file that leads round in circles"))?;
        self.left.set(left);
        self.pst.spent.fetch_add(octets, Ordering::Relaxed);
        Ok(())
    }

    /// The node of this id. [`io::ErrorKind::InvalidData`] when there is none.
    pub fn node(&self, id: u32) -> io::Result<Node<'_, O>> {
        let entry = self.find(self.pst.nodes, NODES, u64::from(id))?;
        let entry = entry.and_then(|entry| self.entry(&entry)).ok_or_else(|| damaged("there is no such node"))?;
        Ok(Node::new(self, entry.data, entry.within))
    }

    /// Goes over all nodes, by their ids. A page that cannot be read is left out with what is below it.
    pub fn each_node(&self, each: &mut dyn FnMut(NodeEntry)) -> io::Result<()> {
        let top = self.page(self.pst.nodes, NODES)?;
        self.walk(&top, each)
    }

    fn walk(&self, page: &Page, each: &mut dyn FnMut(NodeEntry)) -> io::Result<()> {
        for at in 0..page.count {
            let entry = page.entry(at);
            if page.level == 0 {
                if let Some(node) = self.entry(entry) {
                    each(node);
                }
                continue;
            }
            self.spend(PAGE as u64)?;
            let below = self.place(entry, self.width()).and_then(|place| self.page(place, NODES).ok());
            if let Some(below) = below.filter(|below| below.level < page.level) {
                self.walk(&below, each)?;
            }
        }
        Ok(())
    }

    /// The octets of a block as they are.
    pub(crate) fn block(&self, id: u64) -> io::Result<Vec<u8>> {
        let found = self.find(self.pst.blocks, BLOCKS, id & !1)?.ok_or_else(|| damaged("there is no such block"))?;
        let place = self.place(&found, 0).ok_or_else(|| damaged("a block nowhere"))?;
        let size = u16_at(&found, 2 * self.width()).map_or(0, usize::from);
        if size > BLOCK {
            return Err(damaged("a block that is too large"));
        }
        self.spend((size + PAGE) as u64)?;
        let mut octets = vec![0; size];
        self.pst.octets.read_at(place, &mut octets)?;
        // What leads to other blocks is never encoded.
        if !is_inner(id) {
            self.pst.encoding.decode(&mut octets, id);
        }
        Ok(octets)
    }

    /// Octets of an id or a place.
    pub(crate) fn width(&self) -> usize {
        if self.pst.is_wide { 8 } else { 4 }
    }

    /// An id or a place.
    pub(crate) fn number(&self, octets: &[u8], at: usize) -> Option<u64> {
        if self.pst.is_wide { u64_at(octets, at) } else { u32_at(octets, at).map(u64::from) }
    }

    /// The place behind an id at `at`.
    fn place(&self, entry: &[u8], at: usize) -> Option<u64> {
        self.number(entry, at + self.width())
    }

    fn entry(&self, octets: &[u8]) -> Option<NodeEntry> {
        let width = self.width();
        let (data, within) = (self.number(octets, width)?, self.number(octets, 2 * width)?);
        Some(NodeEntry { id: u32_at(octets, 0)?, data, within, parent: u32_at(octets, 3 * width)? })
    }

    /// The entry of a key in a tree.
    fn find(&self, root: u64, kind: u8, key: u64) -> io::Result<Option<Vec<u8>>> {
        let mut page = self.page(root, kind)?;
        loop {
            let key_of =
                |at: usize| self.number(page.entry(at), 0).map_or(u64::MAX, |found| found & !u64::from(kind == BLOCKS));
            let below = (0..page.count).take_while(|at| key_of(*at) <= key).last();
            let Some(at) = below else { return Ok(None) };
            if page.level == 0 {
                return Ok((key_of(at) == key).then(|| page.entry(at).to_vec()));
            }
            let place = self.place(page.entry(at), self.width()).ok_or_else(|| damaged("a page nowhere"))?;
            let next = self.page(place, kind)?;
            if next.level >= page.level {
                return Err(damaged("a tree that leads round in circles"));
            }
            page = next;
        }
    }

    fn page(&self, place: u64, kind: u8) -> io::Result<Page> {
        let mut octets = [0; PAGE];
        self.pst.octets.read_at(place, &mut octets)?;
        let (counts, kind_at) = if self.pst.is_wide { (488, 496) } else { (496, 500) };
        let (count, step, level) = (usize::from(octets[counts]), usize::from(octets[counts + 2]), octets[counts + 3]);
        let least = match (level, kind) {
            (0, NODES) => 3 * self.width() + 4,
            (0, _) => 2 * self.width() + 2,
            _ => 3 * self.width(),
        };
        if octets[kind_at] != kind || level > LEVELS || step < least {
            return Err(damaged("a page that is none"));
        }
        Ok(Page { octets, level, count: count.min(counts / step), step })
    }
}

impl Page {
    fn entry(&self, at: usize) -> &[u8] {
        &self.octets[at * self.step..(at + 1) * self.step]
    }
}

/// Whether a block leads to others ([MS-PST] §2.2.2.2).
pub(crate) fn is_inner(id: u64) -> bool {
    id & 2 != 0
}
