//! Blocks of terms with their postings, and the directory that finds them.

use anser_base::{Error, Result};
use memchr::memmem::Finder;

use super::bits::Bits;
use anser_base::pack::{put_number, take_number};

use super::postings;
use super::terms::Class;

/// Bytes of terms after which a block is full.
const TERMS: usize = 32 * 1024;
/// Bytes of postings after which a block is full; one term's may be longer.
const POSTINGS: usize = 64 * 1024;

/// One block, ready to be stored: terms and postings apart, for most searches look at all terms and few postings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// The class, then the terms in order, each between two zero bytes.
    pub terms: Vec<u8>,
    /// How many terms, the length of each one's postings, then these.
    pub postings: Vec<u8>,
}

/// A place in a block: the term of this number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Located {
    /// Which block of the segment.
    pub block: u32,
    /// Which term of the block.
    pub term: u32,
}

/// How a piece of a query must meet a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum How {
    Whole,
    Prefix,
    Suffix,
    Within,
}

/// Takes terms in order and makes blocks.
pub(crate) struct Writer<'a> {
    messages: u32,
    directory: Directory,
    class: Option<Class>,
    terms: Vec<u8>,
    lengths: Vec<usize>,
    lists: Vec<u8>,
    sink: &'a mut dyn FnMut(u32, Block) -> Result<()>,
}

impl<'a> Writer<'a> {
    pub fn new(messages: u32, sink: &'a mut dyn FnMut(u32, Block) -> Result<()>) -> Self {
        let directory = Directory::default();
        Self { messages, directory, class: None, terms: Vec::new(), lengths: Vec::new(), lists: Vec::new(), sink }
    }

    /// The next term with the ordinals of each zone that has any, zones and ordinals ascending.
    pub fn push<'l>(&mut self, class: Class, term: &[u8], lists: impl Iterator<Item = (u8, &'l [u32])>) -> Result<()> {
        let is_full = self.terms.len() > TERMS || self.lists.len() > POSTINGS;
        if self.class != Some(class) || is_full {
            self.flush()?;
            self.class = Some(class);
            self.terms.extend_from_slice(&[class as u8, 0]);
            self.directory.0.push((class, term.into()));
        }
        self.terms.extend_from_slice(term);
        self.terms.push(0);
        let before = self.lists.len();
        lists.for_each(|(zone, ordinals)| postings::put(&mut self.lists, zone, ordinals, self.messages));
        self.lengths.push(self.lists.len() - before);
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        if self.class.is_none() {
            return Ok(());
        }
        let mut block = Block { terms: std::mem::take(&mut self.terms), postings: Vec::new() };
        put_number(&mut block.postings, self.lengths.len() as u64);
        self.lengths.drain(..).for_each(|length| put_number(&mut block.postings, length as u64));
        block.postings.append(&mut self.lists);
        (self.sink)(self.directory.0.len() as u32 - 1, block)
    }

    pub fn finish(mut self) -> Result<Directory> {
        self.flush()?;
        Ok(self.directory)
    }
}

/// The first term of every block of a segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directory(Vec<(Class, Box<[u8]>)>);

impl Directory {
    /// How many blocks there are.
    pub fn blocks(&self) -> u32 {
        self.0.len() as u32
    }

    /// Its byte form.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (class, first) in &self.0 {
            out.push(*class as u8);
            put_number(&mut out, first.len() as u64);
            out.extend_from_slice(first);
        }
        out
    }

    /// The inverse. `Class::Damaged` for other bytes.
    pub fn from_bytes(mut bytes: &[u8]) -> Result<Directory> {
        let mut all = Vec::new();
        while !bytes.is_empty() {
            all.push(take_first(&mut bytes).ok_or_else(damaged)?);
        }
        Ok(Directory(all))
    }

    /// The blocks that may hold a term which a piece meets.
    pub(crate) fn candidates(&self, class: Class, how: How, text: &[u8]) -> std::ops::Range<u32> {
        let of_class = |wanted: Class| self.0.partition_point(|(class, _)| *class < wanted) as u32;
        let all = of_class(class)..self.0.partition_point(|(known, _)| *known <= class) as u32;
        if all.is_empty() || matches!(how, How::Suffix | How::Within) {
            return all;
        }
        let blocks = &self.0[all.start as usize..all.end as usize];
        let first = blocks.partition_point(|(_, first)| **first <= *text).saturating_sub(1) as u32;
        let last = match how {
            How::Prefix => blocks.partition_point(|(_, first)| **first <= *text || first.starts_with(text)) as u32,
            _ => first + 1,
        };
        all.start + first..all.start + last.max(first + 1)
    }
}

fn take_first(bytes: &mut &[u8]) -> Option<(Class, Box<[u8]>)> {
    let (class, rest) = bytes.split_first()?;
    *bytes = rest;
    let length = usize::try_from(take_number(bytes)?).ok()?;
    let (first, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some((Class::from_number(*class)?, Box::from(first)))
}

/// The terms of a block that a piece meets, by number, ascending.
pub(crate) fn find(terms: &[u8], how: How, text: &[u8]) -> Vec<u32> {
    let terms = terms.get(1..).unwrap_or_default();
    let mut pattern = Vec::with_capacity(text.len() + 2);
    if matches!(how, How::Whole | How::Prefix) {
        pattern.push(0);
    }
    pattern.extend_from_slice(text);
    if matches!(how, How::Whole | How::Suffix) {
        pattern.push(0);
    }
    let (finder, mut found) = (Finder::new(&pattern), Vec::new());
    let (mut at, mut counted, mut zeros) = (0, 0, 0u32);
    while let Some(hit) = finder.find(&terms[at..]) {
        // The term's own first byte, so that the zero before it is counted.
        let inside = at + hit + usize::from(matches!(how, How::Whole | How::Prefix));
        zeros += memchr::memchr_iter(0, &terms[counted..inside]).count() as u32;
        counted = inside;
        found.push(zeros.saturating_sub(1));
        // On with the zero that ends this term: it begins the next.
        at = match memchr::memchr(0, &terms[inside..]) {
            Some(end) => inside + end,
            None => break,
        };
    }
    found
}

/// The postings of a block's terms.
struct Lists<'a> {
    lengths: Vec<usize>,
    lists: &'a [u8],
}

impl<'a> Lists<'a> {
    fn of(mut postings: &'a [u8]) -> Option<Self> {
        let count = usize::try_from(take_number(&mut postings)?).ok()?;
        // Each length takes one byte at least.
        (count <= postings.len()).then_some(())?;
        let lengths: Option<Vec<usize>> =
            (0..count).map(|_| take_number(&mut postings).and_then(|length| usize::try_from(length).ok())).collect();
        Some(Self { lengths: lengths?, lists: postings })
    }
}

/// Adds to a set the messages that hold one of these terms (numbers of one block, ascending) in one of the zones. `Class::Damaged` when
/// the block makes no sense.
pub fn union(postings: &[u8], terms: &[u32], zones: u8, into: &mut Bits) -> Result<()> {
    let mut work = || {
        let lists = Lists::of(postings)?;
        let (mut start, mut at) = (0usize, 0usize);
        for term in terms {
            let term = *term as usize;
            start = lists.lengths.get(at..term)?.iter().try_fold(start, |sum, length| sum.checked_add(*length))?;
            let length = *lists.lengths.get(term)?;
            postings::union(lists.lists.get(start..start.checked_add(length)?)?, zones, into)?;
            (start, at) = (start + length, term + 1);
        }
        Some(())
    };
    work().ok_or_else(damaged)
}

/// Goes through a block, term by term.
pub(crate) struct Cursor {
    pub class: Class,
    block: Block,
    term: std::ops::Range<usize>,
    lengths: std::vec::IntoIter<usize>,
    list: std::ops::Range<usize>,
}

impl Cursor {
    /// At the first term. `None` when the block makes no sense.
    pub fn new(block: Block) -> Option<Self> {
        let class = Class::from_number(*block.terms.first()?)?;
        let lists = Lists::of(&block.postings)?;
        let (lengths, start) = (lists.lengths.into_iter(), block.postings.len() - lists.lists.len());
        let mut cursor = Self { class, block, term: 1..1, lengths, list: start..start };
        cursor.step().then_some(cursor)
    }

    /// To the next term; false at the end.
    pub fn step(&mut self) -> bool {
        let start = self.term.end + 1;
        let end = self.block.terms.get(start..).and_then(|rest| memchr::memchr(0, rest));
        let (Some(end), Some(length)) = (end, self.lengths.next()) else { return false };
        self.term = start..start + end;
        self.list = self.list.end..self.list.end.saturating_add(length);
        true
    }

    pub fn term(&self) -> &[u8] {
        &self.block.terms[self.term.clone()]
    }

    pub fn list(&self) -> Option<&[u8]> {
        self.block.postings.get(self.list.clone())
    }
}

pub(crate) fn damaged() -> Error {
    Error::damaged("a block of the search index makes no sense")
}
