//! Members of a tar file, one after the other (POSIX.1-1988 ustar, with the long names of GNU and pax), compressed with gzip or not.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

/// Bytes of a block.
const BLOCK: usize = 512;
/// Longest name of a member that comes as a member of its own, in bytes.
const NAME: u64 = 16 * 1024;
/// Bytes read from the file at once.
const PIECE: usize = 64 * 1024;

/// A member's header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its whole name.
    pub name: Vec<u8>,
    /// Its size in bytes.
    pub size: u64,
}

/// A file that is gone through.
pub struct Tar<R> {
    input: R,
    /// Bytes of the current member that were not read, and of the padding behind it.
    left: u64,
    padding: u64,
}

/// Opens a file, through gzip where it is compressed.
pub fn open(path: &Path) -> io::Result<Tar<Box<dyn BufRead + Send>>> {
    let mut file = BufReader::with_capacity(PIECE, File::open(path)?);
    let input: Box<dyn BufRead + Send> = match file.fill_buf()?.starts_with(&[0x1f, 0x8b]) {
        true => Box::new(BufReader::with_capacity(PIECE, MultiGzDecoder::new(file))),
        false => Box::new(file),
    };
    Ok(Tar::new(input))
}

impl<R: Read> Tar<R> {
    /// Begins at the first member.
    pub fn new(input: R) -> Self {
        Self { input, left: 0, padding: 0 }
    }

    /// The next file; what is left of the one before is passed over. `None` at the end, which a file that was cut off has as well.
    pub fn next(&mut self) -> io::Result<Option<Head>> {
        let mut long_name = None;
        loop {
            let rest = self.left + self.padding;
            if io::copy(&mut (&mut self.input).take(rest), &mut io::sink())? < rest {
                return Ok(None);
            }
            (self.left, self.padding) = (0, 0);
            let mut block = [0; BLOCK];
            let mut read = 0;
            while read < BLOCK {
                match self.input.read(&mut block[read..])? {
                    0 => return Ok(None),
                    count => read += count,
                }
            }
            if block.iter().all(|byte| *byte == 0) {
                return Ok(None);
            }
            let size = size_of(&block)?;
            (self.left, self.padding) = (size, size.wrapping_neg() % BLOCK as u64);
            match block[156] {
                b'0' | 0 => return Ok(Some(Head { name: long_name.unwrap_or_else(|| name_of(&block)), size })),
                b'L' => long_name = Some(until_zero(&self.small()?).to_vec()),
                b'x' => long_name = path_of(&self.small()?).or(long_name),
                _ => long_name = None,
            }
        }
    }

    fn small(&mut self) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        let size = self.left.min(NAME);
        self.take(size).read_to_end(&mut all)?;
        Ok(all)
    }
}

impl<R: Read> Read for Tar<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.input.read(&mut buffer[..most])?;
        self.left -= count as u64;
        if count == 0 && most > 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the archive ends in the middle of a message"));
        }
        Ok(count)
    }
}

fn until_zero(field: &[u8]) -> &[u8] {
    &field[..field.iter().position(|byte| *byte == 0).unwrap_or(field.len())]
}

/// Octal digits, or from the second byte on a number of its own where the first bit is set.
fn size_of(block: &[u8; BLOCK]) -> io::Result<u64> {
    let field = &block[124..136];
    let wrong = || io::Error::new(io::ErrorKind::InvalidData, "no tar: a size is no number");
    if field[0] & 0x80 != 0 {
        let mut octets = [0; 8];
        octets.copy_from_slice(&field[4..]);
        return Ok(u64::from_be_bytes(octets)).and_then(|size| if size >> 60 == 0 { Ok(size) } else { Err(wrong()) });
    }
    let text = std::str::from_utf8(until_zero(field)).map_err(|_| wrong())?.trim();
    if text.is_empty() { Ok(0) } else { u64::from_str_radix(text, 8).map_err(|_| wrong()) }
}

fn name_of(block: &[u8; BLOCK]) -> Vec<u8> {
    let (name, above) = (until_zero(&block[..100]), until_zero(&block[345..500]));
    match above.is_empty() || &block[257..262] != b"ustar" {
        true => name.to_vec(),
        false => [above, b"/", name].concat(),
    }
}

/// `path` of a pax header: records of `<length> <key>=<value>` and a line feed.
fn path_of(mut records: &[u8]) -> Option<Vec<u8>> {
    while let Some(at) = records.iter().position(|byte| *byte == b' ') {
        let length: usize = std::str::from_utf8(&records[..at]).ok()?.parse().ok()?;
        let record = records.get(at + 1..length)?;
        if let Some(value) = record.strip_prefix(b"path=") {
            return Some(value.strip_suffix(b"\n").unwrap_or(value).to_vec());
        }
        records = &records[length..];
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A member as programs write it.
    fn member(name: &[u8], kind: u8, body: &[u8]) -> Vec<u8> {
        let mut block = vec![0; BLOCK];
        block[..name.len()].copy_from_slice(name);
        block[124..135].copy_from_slice(format!("{:011o}", body.len()).as_bytes());
        block[156] = kind;
        block[257..262].copy_from_slice(b"ustar");
        block.extend_from_slice(body);
        block.resize(block.len().next_multiple_of(BLOCK), 0);
        block
    }

    fn all(tar: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let (mut tar, mut found) = (Tar::new(tar), Vec::new());
        while let Some(head) = tar.next().unwrap() {
            let mut body = Vec::new();
            let size = head.size;
            (&mut tar).take(size).read_to_end(&mut body).unwrap();
            found.push((head.name, body));
        }
        found
    }

    #[test]
    fn long_names_of_both_kinds_are_read_and_what_is_no_file_is_passed_over() {
        let long = [b'n'; 300];
        let record = [b"310 path=", &long[..], b"\n"].concat();
        let tar = [
            member(b"dir/", b'5', b""),
            member(b"a", b'0', b"one"),
            member(b"././@LongLink", b'L', &long),
            member(b"nnn", b'0', b"two"),
            member(b"pax", b'x', &record),
            member(b"nnn", b'0', &[b'x'; 513]),
            vec![0; 1024],
            member(b"behind", b'0', b"the end"),
        ];
        let found = all(&tar.concat());
        assert_eq!(found[0], (b"a".to_vec(), b"one".to_vec()));
        assert_eq!((&found[1].0[..], &found[1].1[..]), (&long[..], &b"two"[..]));
        assert_eq!((&found[2].0[..], found[2].1.len(), found.len()), (&long[..], 513, 3));
    }

    proptest! {
        #[test]
        fn whatever_it_is_it_comes_to_an_end(mut bytes in proptest::collection::vec(any::<u8>(), 0..4096), size in 0u64..1 << 40) {
            if bytes.len() > BLOCK {
                bytes[124..135].copy_from_slice(&format!("{size:011o}").as_bytes()[..11]);
            }
            let mut tar = Tar::new(&bytes[..]);
            let mut count = 0;
            while let Ok(Some(_)) = tar.next() {
                count += 1;
            }
            prop_assert!(count <= 8);
        }
    }
}
