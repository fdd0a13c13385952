//! Compact bytes for database columns: whole numbers as LEB128, byte strings with their length before them. What a record
//! holds, in which order and under which version, is the business of the crate that owns the column.

use crate::error::{Error, Result};

/// Appends a whole number as LEB128, 1 to 10 bytes.
pub fn put_number(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Takes what [`put_number`] wrote off the front; `None` when it does not end or is more than 64 bits.
pub fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        if shift == 63 && byte & 0x7e != 0 {
            return None;
        }
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// Writes a record.
#[derive(Debug, Default)]
pub struct Packer {
    out: Vec<u8>,
}

impl Packer {
    /// Starts with room for `capacity` bytes.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { out: Vec::with_capacity(capacity) }
    }

    /// The record.
    pub fn finish(self) -> Vec<u8> {
        self.out
    }

    /// One byte.
    pub fn byte(&mut self, value: u8) {
        self.out.push(value);
    }

    /// A whole number, 1 to 10 bytes.
    pub fn number(&mut self, value: u64) {
        put_number(&mut self.out, value);
    }

    /// A number with a sign; small ones of either sign are short.
    pub fn signed(&mut self, value: i64) {
        self.number(((value << 1) ^ (value >> 63)) as u64);
    }

    /// A byte string of any length.
    pub fn bytes(&mut self, value: &[u8]) {
        self.number(value.len() as u64);
        self.out.extend_from_slice(value);
    }

    /// A text.
    pub fn text(&mut self, value: &str) {
        self.bytes(value.as_bytes());
    }

    /// A byte that tells whether something follows, then that.
    pub fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.byte(value.is_some().into());
        if let Some(value) = value {
            write(self, value);
        }
    }
}

/// Reads a record back. Every method fails with `Class::Damaged` when the bytes end early or make no sense.
#[derive(Debug)]
pub struct Unpacker<'a> {
    rest: &'a [u8],
}

impl<'a> Unpacker<'a> {
    /// Starts at the first byte.
    pub fn new(record: &'a [u8]) -> Self {
        Self { rest: record }
    }

    /// Whether all bytes were read.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// One byte.
    pub fn byte(&mut self) -> Result<u8> {
        let (first, rest) = self.rest.split_first().ok_or_else(short)?;
        self.rest = rest;
        Ok(*first)
    }

    /// A whole number.
    pub fn number(&mut self) -> Result<u64> {
        take_number(&mut self.rest).ok_or_else(short)
    }

    /// A number with a sign.
    pub fn signed(&mut self) -> Result<i64> {
        let value = self.number()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// A byte string.
    pub fn bytes(&mut self) -> Result<&'a [u8]> {
        let length = usize::try_from(self.number()?).map_err(|_| short())?;
        let (value, rest) = self.rest.split_at_checked(length).ok_or_else(short)?;
        self.rest = rest;
        Ok(value)
    }

    /// A text.
    pub fn text(&mut self) -> Result<&'a str> {
        std::str::from_utf8(self.bytes()?).map_err(Error::damaged)
    }

    /// What [`Packer::option`] wrote.
    pub fn option<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<Option<T>> {
        match self.byte()? {
            0 => Ok(None),
            1 => read(self).map(Some),
            _ => Err(Error::damaged("a packed choice is neither 0 nor 1")),
        }
    }
}

fn short() -> Error {
    Error::damaged("a packed record ends early")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_back_as_written_and_cut_ones_are_damaged() {
        let mut packer = Packer::default();
        for value in [0, 127, 128, u64::MAX] {
            packer.number(value);
        }
        for value in [0, -1, i64::MIN, i64::MAX] {
            packer.signed(value);
        }
        packer.text("邮件");
        packer.option(Some(7), Packer::number);
        packer.option(None, Packer::number);
        let record = packer.finish();

        let read = |record: &[u8]| -> Result<()> {
            let mut unpacker = Unpacker::new(record);
            for value in [0, 127, 128, u64::MAX] {
                assert_eq!(unpacker.number()?, value);
            }
            for value in [0, -1, i64::MIN, i64::MAX] {
                assert_eq!(unpacker.signed()?, value);
            }
            assert_eq!(unpacker.text()?, "邮件");
            assert_eq!(unpacker.option(Unpacker::number)?, Some(7));
            assert_eq!(unpacker.option(Unpacker::number)?, None);
            assert!(unpacker.is_empty());
            Ok(())
        };
        read(&record).unwrap();
        for cut in 0..record.len() {
            assert!(read(&record[..cut]).is_err());
        }
    }
}
