//! The tree of [`super::eml`] as one compressed tar file (POSIX.1-2001, pax; RFC 1952).

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anser_base::{Result, Timestamp};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::answer::MailHead;
use crate::mail::{Target, cannot, eml};

/// Octets of a block.
const BLOCK: usize = 512;
/// Where the sum of a header stands, and how long it is.
const SUM: std::ops::Range<usize> = 148..156;

/// Writes a new tar file.
#[derive(Debug)]
pub struct Writer {
    path: PathBuf,
    out: Option<GzEncoder<BufWriter<File>>>,
    /// Octets of the message under way.
    written: u64,
}

impl Writer {
    /// Which is not there yet.
    pub fn create(path: &Path) -> Result<Self> {
        let file = File::create_new(path).map_err(|error| cannot(path, &error))?;
        let out = Some(GzEncoder::new(BufWriter::new(file), Compression::default()));
        Ok(Self { path: path.to_owned(), out, written: 0 })
    }

    fn put(&mut self, octets: &[u8]) -> Result<()> {
        let done = self.out.as_mut().map_or(Ok(()), |out| out.write_all(octets));
        done.map_err(|error| cannot(&self.path, &error))
    }

    fn pad(&mut self, size: u64) -> Result<()> {
        let behind = (size % BLOCK as u64) as usize;
        if behind > 0 { self.put(&[0; BLOCK][behind..]) } else { Ok(()) }
    }
}

impl Target for Writer {
    fn begin(&mut self, head: &MailHead) -> Result<()> {
        let name = eml::place(head).display().to_string();
        let seconds = Timestamp(head.received.unwrap_or_default()).secs().max(0) as u64;
        // Names of any length and script stand in a header of their own.
        let record = record("path", &name);
        self.put(&header(b'x', "pax", record.len() as u64, seconds))?;
        self.put(record.as_bytes())?;
        self.pad(record.len() as u64)?;
        self.written = 0;
        self.put(&header(b'0', &format!("{:010}.eml", head.uid), head.size, seconds))
    }

    fn more(&mut self, piece: &[u8]) -> Result<()> {
        self.written += piece.len() as u64;
        self.put(piece)
    }

    fn end(&mut self) -> Result<()> {
        self.pad(self.written)
    }

    fn finish(&mut self) -> Result<()> {
        self.put(&[0; 2 * BLOCK])?;
        let ended = match self.out.take() {
            Some(out) => out.finish().and_then(|mut file| file.flush()),
            None => Ok(()),
        };
        ended.map_err(|error| cannot(&self.path, &error))
    }
}

/// A ustar header. A size that octal digits cannot hold is none that a message has.
fn header(kind: u8, name: &str, size: u64, seconds: u64) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let mut put = |at: usize, text: &str| block[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, "0000600\0");
    put(108, "0000000\0");
    put(116, "0000000\0");
    put(124, &format!("{size:011o}\0"));
    put(136, &format!("{seconds:011o}\0"));
    put(SUM.start, "        ");
    put(257, "ustar\x0000");
    block[156] = kind;
    let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
    block[SUM].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

/// A record of a pax header: its own length stands before it.
fn record(key: &str, value: &str) -> String {
    let bare = key.len() + value.len() + 3;
    let mut length = bare + bare.to_string().len();
    if bare + length.to_string().len() != length {
        length = bare + length.to_string().len();
    }
    format!("{length} {key}={value}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_counts_itself() {
        for length in 0..2000 {
            let made = record("path", &"x".repeat(length));
            assert_eq!(made.split(' ').next().unwrap().parse(), Ok(made.len()), "{length}");
        }
    }
}
