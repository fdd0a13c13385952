//! Where stored bytes are read from: memory or a file.

use anser_base::disk::File;
use anser_base::{Error, Result};
use bytes::Bytes;

/// A file's first bytes that are read at once, in bytes: most messages are then read with a single call.
const HEAD: u64 = 64 * 1024;

/// The stored form of one body, wherever it is.
pub(crate) struct Source {
    file: Option<Box<dyn File>>,
    len: u64,
    head: Bytes,
}

impl Source {
    pub(crate) fn memory(stored: Bytes) -> Self {
        Self { file: None, len: stored.len() as u64, head: stored }
    }

    pub(crate) fn file(file: Box<dyn File>) -> Result<Self> {
        let len = file.len().map_err(Error::io)?;
        let head = read_exact(&*file, 0, len.min(HEAD) as usize)?;
        Ok(Self { file: Some(file), len, head })
    }

    /// Length of the stored form, in bytes.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Exactly these bytes; [`anser_base::Class::Damaged`] when the file ends before them.
    pub(crate) fn fetch(&self, at: u64, len: usize) -> Result<Bytes> {
        let end = at.checked_add(len as u64).filter(|end| *end <= self.len);
        let end = end.ok_or_else(|| Error::damaged("the body's file ends too early"))?;
        if end <= self.head.len() as u64 {
            return Ok(self.head.slice(at as usize..end as usize));
        }
        match &self.file {
            Some(file) => read_exact(&**file, at, len),
            None => Err(Error::damaged("the stored body ends too early")),
        }
    }
}

fn read_exact(file: &dyn File, at: u64, len: usize) -> Result<Bytes> {
    let mut buffer = vec![0; len];
    let mut filled = 0;
    while filled < len {
        match file.read_at(&mut buffer[filled..], at + filled as u64).map_err(Error::io)? {
            0 => return Err(Error::damaged("the body's file became shorter")),
            more => filled += more,
        }
    }
    Ok(Bytes::from(buffer))
}
