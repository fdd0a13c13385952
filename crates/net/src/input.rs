//! The input buffer of a stream: bytes that arrived and wait to be consumed, and the search for lines in them.

use anser_base::{Class, Error, Result};

use crate::stream::Line;

/// Most bytes that wait in the input buffer; a line or command that needs more at once cannot be read.
pub const INPUT_BUFFER: usize = 1024 * 1024;
/// Most bytes of one over-long line that are skipped before the stream gives up.
pub const SKIPPED_LINE: usize = 16 * 1024 * 1024;
/// A buffer of this many bytes may stay mostly empty; a larger one is cut down before a wait.
const KEPT: usize = 8 * 1024;

/// Waiting bytes. Nothing is allocated while there are none and the peer is waited for.
#[derive(Debug, Default)]
pub(crate) struct Input {
    bytes: Vec<u8>,
    /// Bytes before this index are consumed.
    start: usize,
    /// Bytes of an over-long line that were skipped so far; `None` outside one.
    skipping: Option<usize>,
}

impl Input {
    pub(crate) fn rest(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    pub(crate) fn consume(&mut self, count: usize) {
        self.start = self.bytes.len().min(self.start.saturating_add(count));
        if self.start == self.bytes.len() {
            self.bytes.clear();
            self.start = 0;
        }
    }

    pub(crate) fn keep(&mut self, bytes: &[u8]) {
        // Moving no more than was consumed since the last move keeps the cost per byte constant.
        if self.start >= self.bytes.len() - self.start {
            self.compact();
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Gives back room that a waiting connection does not need.
    pub(crate) fn shrink(&mut self) {
        if self.bytes.is_empty() {
            self.bytes = Vec::new();
        } else if self.bytes.capacity() > KEPT && self.rest().len() < self.bytes.capacity() / 4 {
            self.compact();
            self.bytes.shrink_to_fit();
        }
    }

    /// A line out of the buffer, or `None` when more input is needed. `searched` bytes are known to hold no `LF`; it starts
    /// at 0 and is carried from call to call, so that a line that comes in drops is not searched again and again.
    pub(crate) fn take_line(&mut self, max: usize, searched: &mut usize) -> Result<Option<Line>> {
        let rest = self.rest();
        let length = rest.len();
        let end = rest[*searched..].iter().position(|byte| *byte == b'\n').map(|at| *searched + at + 1);
        if self.skipping.is_none() && end.unwrap_or(length) > max {
            self.skipping = Some(0);
        }
        match (end, self.skipping) {
            (Some(end), Some(_)) => {
                self.consume(end);
                self.skipping = None;
                Ok(Some(Line::TooLong))
            }
            (Some(end), None) => {
                let line = self.rest()[..end].to_vec();
                self.consume(end);
                Ok(Some(Line::Full(line)))
            }
            (None, Some(skipped)) => {
                self.consume(length);
                *searched = 0;
                self.skipping = Some(skipped + length);
                if skipped + length > SKIPPED_LINE { Err(too_much()) } else { Ok(None) }
            }
            (None, None) => {
                *searched = length;
                Ok(None)
            }
        }
    }

    fn compact(&mut self) {
        self.bytes.drain(..self.start);
        self.start = 0;
    }
}

/// The peer sends more than any command needs.
pub(crate) fn too_much() -> Error {
    Error::new(Class::Limit, "too much input", "输入过长")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines_of(pieces: &[Vec<u8>], max: usize) -> Vec<Line> {
        let (mut input, mut lines, mut searched) = (Input::default(), Vec::new(), 0);
        for piece in pieces {
            input.keep(piece);
            while let Some(line) = input.take_line(max, &mut searched).unwrap() {
                lines.push(line);
                searched = 0;
            }
            assert!(input.rest().len() <= max);
            input.shrink();
        }
        lines
    }

    fn expected(bytes: &[u8], max: usize) -> Vec<Line> {
        let whole = bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n"));
        whole.map(|line| if line.len() > max { Line::TooLong } else { Line::Full(line.to_vec()) }).collect()
    }

    proptest! {
        #[test]
        fn lines_do_not_depend_on_how_the_bytes_arrive(
            pieces in prop::collection::vec(prop::collection::vec(prop::sample::select(b"ab\r\n".to_vec()), 0..20), 0..20),
            max in 1usize..12,
        ) {
            prop_assert_eq!(lines_of(&pieces, max), expected(&pieces.concat(), max));
        }
    }

    #[test]
    fn a_buffer_that_waits_gives_its_room_back() {
        let mut input = Input::default();
        input.keep(&vec![b'x'; INPUT_BUFFER]);
        input.consume(INPUT_BUFFER - 3);
        input.shrink();
        assert_eq!(input.rest(), b"xxx");
        assert!(input.bytes.capacity() <= KEPT);
        input.consume(3);
        input.shrink();
        assert_eq!(input.bytes.capacity(), 0);
    }
}
