//! How the lines of a file ended that were given CRLF, so that an export gives the file again, byte for byte.
//!
//! Lines are counted in turns: some that ended in a bare LF, some that ended in CRLF, and so on. Of a file with more than `TURNS` turns
//! the rest is taken as it is.

use anser_base::pack::{Packer, Unpacker};
use anser_base::{Error, Result};

/// Turns that are counted. Odd, so that what is behind the last is taken as it is.
const TURNS: usize = 4095;

/// How the lines of a file ended whose first one ended in a bare LF.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    /// Lines that got a CR.
    bare: u64,
    /// Lines of each turn but the last, that of the bare ones first.
    turns: Vec<u64>,
}

impl Ends {
    /// From the form in which they are kept. `Class::Damaged` when it is none.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut from = Unpacker::new(bytes);
        let (bare, mut turns) = (from.number()?, Vec::new());
        while !from.is_empty() {
            if turns.len() == TURNS {
                return Err(Error::damaged("lines end in more ways than can be"));
            }
            turns.push(from.number()?);
        }
        Ok(Self { bare, turns })
    }

    /// The form in which they are kept: some bytes, as many more as the ending changes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut to = Packer::default();
        to.number(self.bare);
        self.turns.iter().for_each(|turn| to.number(*turn));
        to.finish()
    }

    /// Bytes that the file is shorter by than what was made of it.
    pub fn shorter(&self) -> u64 {
        self.bare
    }
}

/// Counts lines while they are read.
#[derive(Default)]
pub(super) struct Count {
    ends: Ends,
    /// Lines of the turn under way.
    lines: u64,
}

impl Count {
    /// One more line, which ends in CRLF or in a bare LF. Whether it gets a CR.
    pub fn line(&mut self, has_cr: bool) -> bool {
        if has_cr == self.is_bare() && self.ends.turns.len() < TURNS {
            self.ends.turns.push(std::mem::take(&mut self.lines));
        }
        self.lines += 1;
        self.ends.bare += u64::from(self.is_bare());
        self.is_bare()
    }

    fn is_bare(&self) -> bool {
        self.ends.turns.len().is_multiple_of(2)
    }

    /// What was counted; `None` where no line got a CR.
    pub fn end(self) -> Option<Ends> {
        Some(self.ends).filter(|ends| ends.bare > 0)
    }
}

/// Gives a file again, wherever the pieces of its message end.
#[derive(Debug)]
pub struct Restore {
    turns: std::vec::IntoIter<u64>,
    /// Lines that are left of this turn; `None` in the last one.
    left: Option<u64>,
    is_bare: bool,
    /// A CR that ended the last piece, which may be one that goes.
    has_cr: bool,
}

impl Restore {
    /// Of a file whose lines ended so.
    pub fn new(ends: Ends) -> Self {
        let mut turns = ends.turns.into_iter();
        let left = turns.next();
        let mut restore = Self { turns, left, is_bare: true, has_cr: false };
        restore.turn();
        restore
    }

    /// Some more of the file.
    pub fn take(&mut self, piece: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(piece.len() + 1);
        for line in piece.split_inclusive(|byte| *byte == b'\n') {
            let is_end = line.ends_with(b"\n");
            if !self.is_bare {
                out.extend_from_slice(line);
            } else {
                let text = if is_end { &line[..line.len() - 1] } else { line };
                if self.has_cr && !(is_end && text.is_empty()) {
                    out.push(b'\r');
                }
                let plain = text.strip_suffix(b"\r");
                out.extend_from_slice(plain.unwrap_or(text));
                out.extend_from_slice(if is_end { b"\n" } else { b"" });
                self.has_cr = !is_end && plain.is_some();
            }
            if is_end {
                self.left = self.left.map(|left| left.saturating_sub(1));
                self.turn();
            }
        }
        out
    }

    /// What is left when no more comes.
    pub fn end(&mut self) -> &'static [u8] {
        if std::mem::take(&mut self.has_cr) { b"\r" } else { b"" }
    }

    fn turn(&mut self) {
        while self.left == Some(0) {
            (self.left, self.is_bare) = (self.turns.next(), !self.is_bare);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::files::read::{Undo, copy};

    /// A file as it is kept, and how its lines ended.
    fn kept(file: &[u8]) -> (Vec<u8>, Option<Ends>) {
        let mut all = Vec::new();
        let mut take = |octets: &[u8]| {
            all.extend_from_slice(octets);
            Ok(())
        };
        let ends = copy(&mut &file[..], Undo::FILE, &mut take).unwrap();
        (all, ends)
    }

    fn restored(kept: &[u8], ends: &Ends, step: usize) -> Vec<u8> {
        let mut restore = Restore::new(Ends::from_bytes(&ends.to_bytes()).unwrap());
        let mut all: Vec<u8> = kept.chunks(step).flat_map(|piece| restore.take(piece)).collect();
        all.extend_from_slice(restore.end());
        all
    }

    proptest! {
        #[test]
        fn a_file_comes_back_however_its_lines_end(
            pieces in proptest::collection::vec(proptest::sample::select(vec!["\n", "\r\n", "\r", "a", "\n\n"]), 0..60),
            step in 1_usize..9,
        ) {
            let file = pieces.concat().into_bytes();
            let (kept, ends) = kept(&file);
            match ends {
                Some(ends) => {
                    prop_assert_eq!(ends.shorter(), (kept.len() - file.len()) as u64);
                    prop_assert_eq!(restored(&kept, &ends, step), file);
                }
                None => prop_assert_eq!(kept, file),
            }
        }

        #[test]
        fn whatever_was_kept_is_read_to_an_end(bytes in proptest::collection::vec(any::<u8>(), 0..40), text: Vec<u8>) {
            if let Ok(ends) = Ends::from_bytes(&bytes) {
                prop_assert!(restored_any(&text, ends).len() <= text.len());
            }
        }
    }

    fn restored_any(kept: &[u8], ends: Ends) -> Vec<u8> {
        let mut restore = Restore::new(ends);
        let mut all = restore.take(kept);
        all.extend_from_slice(restore.end());
        all
    }

    #[test]
    fn one_ending_is_remembered_in_a_few_bytes_and_many_in_bounds() {
        let (_, ends) = kept(&b"line\n".repeat(100_000));
        assert!(ends.unwrap().to_bytes().len() < 8);
        let file = b"a\nb\r\n".repeat(10_000);
        let (kept, ends) = kept(&file);
        let ends = ends.unwrap();
        assert!(ends.to_bytes().len() < 2 * TURNS);
        assert_eq!(restored(&kept, &ends, 1000), file, "what is behind the last turn is kept as it is");
    }
}
