//! The compact byte form that cached structures and envelopes share: LEB128 numbers and length-prefixed strings, with
//! a dictionary of the strings that most mail repeats.

use anser_base::pack::{put_number, take_number};

/// Strings written as one dictionary number. The order is part of the stored form: append only.
const COMMON: [&str; 40] = [
    "text",
    "plain",
    "html",
    "multipart",
    "mixed",
    "alternative",
    "related",
    "application",
    "octet-stream",
    "pdf",
    "image",
    "jpeg",
    "png",
    "gif",
    "message",
    "rfc822",
    "delivery-status",
    "report",
    "signed",
    "digest",
    "charset",
    "us-ascii",
    "utf-8",
    "UTF-8",
    "gb2312",
    "GB2312",
    "gbk",
    "gb18030",
    "iso-8859-1",
    "format",
    "flowed",
    "boundary",
    "name",
    "filename",
    "attachment",
    "inline",
    "7bit",
    "8bit",
    "base64",
    "quoted-printable",
];

/// Appends a byte string: dictionary number, or length and bytes.
pub(crate) fn put_bytes(out: &mut Vec<u8>, value: &[u8]) {
    match COMMON.iter().position(|common| common.as_bytes() == value) {
        Some(number) => put_number(out, (number as u64) << 1 | 1),
        None => {
            put_number(out, (value.len() as u64) << 1);
            out.extend_from_slice(value);
        }
    }
}

/// Reads what the `put_*` functions wrote; every method answers `None` on bytes they could not have written.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Reader { rest: bytes }
    }

    /// How many bytes are not read yet: the upper bound of any count that may follow.
    pub(crate) fn left(&self) -> usize {
        self.rest.len()
    }

    /// What is not read yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    pub(crate) fn number(&mut self) -> Option<u64> {
        take_number(&mut self.rest)
    }

    /// A count of things of at least one byte each; refuses counts that the rest cannot hold.
    pub(crate) fn count(&mut self) -> Option<usize> {
        let count = usize::try_from(self.number()?).ok()?;
        (count <= self.left()).then_some(count)
    }

    pub(crate) fn bytes(&mut self) -> Option<Vec<u8>> {
        let head = self.number()?;
        let number = usize::try_from(head >> 1).ok()?;
        if head & 1 == 1 {
            return COMMON.get(number).map(|common| common.as_bytes().to_vec());
        }
        self.take(number).map(<[u8]>::to_vec)
    }

    /// The next `length` bytes.
    pub(crate) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (value, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(value)
    }

    pub(crate) fn string(&mut self) -> Option<String> {
        String::from_utf8(self.bytes()?).ok()
    }
}
