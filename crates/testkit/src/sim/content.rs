//! The bytes of one file: what the operating system shows, what the platter holds, and the changes in between.

use std::collections::HashSet;

use super::dice::Dice;
use super::fate::Fate;

/// The unit that a device writes whole or not at all, in bytes.
pub(super) const SECTOR: usize = 512;

/// A change that is not durable yet, with the step that made it.
enum Change {
    Write { step: u64, offset: usize, bytes: Vec<u8> },
    Length { step: u64, len: usize },
}

/// One file's content, under whatever names it has.
#[derive(Default)]
pub(super) struct Content {
    /// What every reader sees.
    cached: Vec<u8>,
    /// What is there after a power cut at the very least.
    durable: Vec<u8>,
    pending: Vec<Change>,
    modified_ms: i64,
    durable_modified_ms: i64,
    /// A temporary file of SQLite: without a name, so nothing of it outlives the process anyway.
    pub(super) temporary: bool,
}

impl Content {
    /// An empty file.
    pub(super) fn new(modified_ms: i64, temporary: bool) -> Self {
        Self { modified_ms, durable_modified_ms: modified_ms, temporary, ..Self::default() }
    }

    /// Length in bytes.
    pub(super) fn len(&self) -> usize {
        self.cached.len()
    }

    /// When it was last written, in milliseconds since 1970.
    pub(super) fn modified_ms(&self) -> i64 {
        self.modified_ms
    }

    /// The bytes that every reader sees.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.cached
    }

    /// Reads at an offset; how many bytes there were.
    pub(super) fn read(&self, buffer: &mut [u8], offset: usize) -> usize {
        let rest = self.cached.get(offset..).unwrap_or_default();
        let n = rest.len().min(buffer.len());
        buffer[..n].copy_from_slice(&rest[..n]);
        n
    }

    /// Writes at an offset; a gap before it reads as zeros.
    pub(super) fn write(&mut self, step: u64, offset: usize, bytes: &[u8], now_ms: i64) {
        put(&mut self.cached, offset, bytes);
        self.modified_ms = now_ms;
        if !self.temporary {
            self.pending.push(Change::Write { step, offset, bytes: bytes.to_vec() });
        }
    }

    /// Cuts it, or lengthens it with zeros.
    pub(super) fn set_len(&mut self, step: u64, len: usize, now_ms: i64) {
        set_len(&mut self.cached, len);
        self.modified_ms = now_ms;
        if !self.temporary {
            self.pending.push(Change::Length { step, len });
        }
    }

    /// Sets the time of the last write without a write.
    pub(super) fn touch(&mut self, now_ms: i64) {
        self.modified_ms = now_ms;
    }

    /// Turns all bits of one byte over, in the cache and on the platter, as a decaying medium does.
    pub(super) fn damage(&mut self, offset: usize) {
        for bytes in [&mut self.cached, &mut self.durable] {
            if let Some(byte) = bytes.get_mut(offset) {
                *byte = !*byte;
            }
        }
    }

    /// Makes all of it durable.
    pub(super) fn sync(&mut self) {
        for change in self.pending.drain(..) {
            match change {
                Change::Write { offset, bytes, .. } => put(&mut self.durable, offset, &bytes),
                Change::Length { len, .. } => set_len(&mut self.durable, len),
            }
        }
        self.durable_modified_ms = self.modified_ms;
    }

    /// A sync that failed, the way Linux does it: some sectors were written, and the others count as clean from now on, so that
    /// no later sync writes them. Readers may still see them, or no more.
    pub(super) fn fail_sync(&mut self, dice: &mut Dice) {
        let fate = Fate::scattered(dice);
        self.settle(&fate, dice);
        if dice.sixteenths(8) {
            let len = self.cached.len();
            self.cached.clone_from(&self.durable);
            set_len(&mut self.cached, len);
        }
    }

    /// What is left after a power cut.
    pub(super) fn lose_power(&mut self, fate: &Fate, dice: &mut Dice) {
        let last = self.modified_ms;
        self.settle(fate, dice);
        self.cached.clone_from(&self.durable);
        self.modified_ms = if dice.sixteenths(8) { last } else { self.durable_modified_ms };
        self.durable_modified_ms = self.modified_ms;
    }

    /// Decides over every pending change. A sector holds some earlier state of itself: once one write to it is lost, so are the
    /// later ones to it. The length likewise. Behind a lost cut nothing survives: what was written after it sits in sectors
    /// that the file does not own yet.
    fn settle(&mut self, fate: &Fate, dice: &mut Dice) {
        let mut image = std::mem::take(&mut self.durable);
        let mut len = image.len();
        let mut len_stuck = false;
        let mut stuck = HashSet::new();
        for change in self.pending.drain(..) {
            let (step, end, cut) = match &change {
                Change::Write { step, offset, bytes } => (*step, offset + bytes.len(), false),
                Change::Length { step, len: to } => (*step, *to, *to < len),
            };
            if cut {
                if !fate.spares_length(step, dice) {
                    break;
                }
                (len, len_stuck) = (end, false);
                stuck.retain(|sector| sector * SECTOR < end);
            } else if end > len && !len_stuck {
                len_stuck = !fate.spares_length(step, dice);
                len = if len_stuck { len } else { end };
            }
            match change {
                Change::Write { step, offset, bytes } => {
                    settle_write(&mut image, &mut stuck, offset, &bytes, || fate.spares_sector(step, dice));
                }
                Change::Length { len: to, .. } => image.truncate(to),
            }
        }
        set_len(&mut image, len);
        self.durable = image;
    }
}

/// Lets the sectors of one write through, each for itself.
fn settle_write(
    image: &mut Vec<u8>,
    stuck: &mut HashSet<usize>,
    offset: usize,
    bytes: &[u8],
    mut spared: impl FnMut() -> bool,
) {
    let mut at = 0;
    while at < bytes.len() {
        let start = offset + at;
        let sector = start / SECTOR;
        let n = (SECTOR - start % SECTOR).min(bytes.len() - at);
        if !stuck.contains(&sector) {
            if spared() {
                put(image, start, &bytes[at..at + n]);
            } else {
                stuck.insert(sector);
            }
        }
        at += n;
    }
}

fn put(image: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if image.len() < end {
        set_len(image, end);
    }
    image[offset..end].copy_from_slice(bytes);
}

/// `Vec::resize` goes byte by byte in a debug build, and most of a run's time with it.
fn set_len(image: &mut Vec<u8>, len: usize) {
    image.truncate(len);
    image.append(&mut vec![0; len - image.len()]);
}
