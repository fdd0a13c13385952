//! Several segments made one. Memory: a block of each, whatever their size.

use anser_base::Result;

use super::block::{Block, Cursor, Directory, Writer, damaged};
use super::postings;

/// Zones that there may be.
const ZONES: usize = 8;

/// A segment to be merged.
pub struct Input {
    /// How many blocks it has.
    pub blocks: u32,
    /// For each of its messages the ordinal in the new segment, ascending over all inputs; `None` for one that is gone.
    pub map: Vec<Option<u32>>,
}

/// Merges segments into one of `messages` messages. `load` gives a block of an input, `sink` takes the new ones. `Class::Damaged` when a
/// block makes no sense.
pub fn merge(
    inputs: &[Input],
    messages: u32,
    load: &mut dyn FnMut(usize, u32) -> Result<Block>,
    sink: &mut dyn FnMut(u32, Block) -> Result<()>,
) -> Result<Directory> {
    let mut streams: Vec<Stream> = Vec::with_capacity(inputs.len());
    for at in 0..inputs.len() {
        let mut stream = Stream { input: at, next: 0, cursor: None };
        stream.open(inputs, load)?;
        streams.push(stream);
    }
    let mut writer = Writer::new(messages, sink);
    let mut lists: [Vec<u32>; ZONES] = Default::default();
    while let Some(least) = streams.iter().filter_map(Stream::key).min().map(|(class, term)| (class, term.to_vec())) {
        lists.iter_mut().for_each(Vec::clear);
        for stream in &mut streams {
            if stream.key() != Some((least.0, &least.1)) {
                continue;
            }
            let map = &inputs[stream.input].map;
            let list = stream.cursor.as_ref().and_then(Cursor::list).ok_or_else(damaged)?;
            let add = |zone: u8, ordinal: u32| {
                if let Some(new) = map[ordinal as usize] {
                    lists[usize::from(zone) % ZONES].push(new);
                }
            };
            postings::each(list, map.len() as u32, add).ok_or_else(damaged)?;
            stream.step(inputs, load)?;
        }
        if lists.iter().any(|list| !list.is_empty()) {
            let filled = lists.iter().enumerate().filter(|(_, list)| !list.is_empty());
            writer.push(least.0, &least.1, filled.map(|(zone, list)| (zone as u8, list.as_slice())))?;
        }
    }
    writer.finish()
}

/// An input's terms, in order.
struct Stream {
    input: usize,
    next: u32,
    cursor: Option<Cursor>,
}

impl Stream {
    fn key(&self) -> Option<(super::terms::Class, &[u8])> {
        self.cursor.as_ref().map(|cursor| (cursor.class, cursor.term()))
    }

    fn step(&mut self, inputs: &[Input], load: &mut dyn FnMut(usize, u32) -> Result<Block>) -> Result<()> {
        match self.cursor.as_mut().is_some_and(Cursor::step) {
            true => Ok(()),
            false => self.open(inputs, load),
        }
    }

    fn open(&mut self, inputs: &[Input], load: &mut dyn FnMut(usize, u32) -> Result<Block>) -> Result<()> {
        self.cursor = None;
        if self.next < inputs[self.input].blocks {
            let block = load(self.input, self.next)?;
            self.next += 1;
            self.cursor = Some(Cursor::new(block).ok_or_else(damaged)?);
        }
        Ok(())
    }
}
