//! Sets of a segment's messages.

/// A set of ordinals below a length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bits {
    words: Vec<u64>,
    len: u32,
}

impl Bits {
    /// None of `len` ordinals.
    pub fn none(len: u32) -> Bits {
        Bits { words: vec![0; len.div_ceil(64) as usize], len }
    }

    /// All of them.
    pub fn all(len: u32) -> Bits {
        let mut bits = Bits { words: vec![u64::MAX; len.div_ceil(64) as usize], len };
        if let (Some(last), rest @ 1..) = (bits.words.last_mut(), len % 64) {
            *last = (1 << rest) - 1;
        }
        bits
    }

    /// Ordinals that there are.
    pub fn len(&self) -> u32 {
        self.len
    }

    /// Whether there are no ordinals at all.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Puts an ordinal in; `None` when there is no such ordinal.
    pub fn insert(&mut self, at: u32) -> Option<()> {
        (at < self.len).then(|| self.words[at as usize / 64] |= 1 << (at % 64))
    }

    /// Puts those in that a list of bytes has set; `None` when it has others.
    pub(crate) fn insert_bytes(&mut self, bytes: &[u8]) -> Option<()> {
        (bytes.len() == self.len.div_ceil(8) as usize).then_some(())?;
        for (word, bytes) in self.words.iter_mut().zip(bytes.chunks(8)) {
            let mut all = [0; 8];
            all[..bytes.len()].copy_from_slice(bytes);
            *word |= u64::from_le_bytes(all);
        }
        let (Some(last), rest @ 1..) = (self.words.last_mut(), self.len % 64) else { return Some(()) };
        let beyond = *last >> rest;
        *last &= (1 << rest) - 1;
        (beyond == 0).then_some(())
    }

    /// Leaves only those that the other holds too.
    pub fn keep(&mut self, other: &Bits) {
        self.words.iter_mut().zip(&other.words).for_each(|(mine, theirs)| *mine &= theirs);
    }

    /// Puts in those that the other holds.
    pub fn add(&mut self, other: &Bits) {
        self.words.iter_mut().zip(&other.words).for_each(|(mine, theirs)| *mine |= theirs);
    }

    /// Whether an ordinal is in.
    pub fn has(&self, at: u32) -> bool {
        at < self.len && self.words[at as usize / 64] >> (at % 64) & 1 == 1
    }

    /// How many are in.
    pub fn count(&self) -> u32 {
        self.words.iter().map(|word| word.count_ones()).sum()
    }

    /// Those that are in, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        self.words.iter().enumerate().flat_map(|(at, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = (left != 0).then(|| left.trailing_zeros())?;
                left &= left - 1;
                Some(at as u32 * 64 + bit)
            })
        })
    }
}
