//! The bytes of one message out of its file, as they were on the wire.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::Place;
use super::ends::{Count, Ends};
use super::maildir::base_of;
use super::mbox::{is_field, is_label, unquoted};
use crate::source::BODY;

/// Bytes read from a file at once, and longest piece of a line.
const PIECE: usize = 64 * 1024;
/// What a gzip file begins with (RFC 1952 §2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// What is done to lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undo {
    /// Lines that end in a bare LF get CRLF, where the first one does; how they ended is remembered.
    pub bare: bool,
    /// `>From ` loses a `>`.
    pub quoting: bool,
    /// Header fields by which programs remember what they know of a message go.
    pub notes: bool,
    /// What Google Takeout puts before a message goes.
    pub labels: bool,
}

impl Undo {
    /// What a file that is one message asks for.
    pub(super) const FILE: Self = Self { bare: true, quoting: false, notes: false, labels: false };
    /// What is as it was on the wire.
    const NOTHING: Self = Self { bare: false, quoting: false, notes: false, labels: false };
}

/// Hands over the whole message, piece by piece. How its lines ended, where they got CRLF.
pub fn body(place: &Place, out: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<Option<Ends>> {
    match place {
        Place::Maildir(path) => {
            let opened = File::open(path).or_else(|error| File::open(renamed(path).ok_or(error)?));
            copy(&mut plain(opened?)?, Undo::FILE, out)
        }
        Place::File(path) => {
            let mut file: Box<dyn BufRead> = Box::new(BufReader::with_capacity(PIECE, File::open(path)?));
            match path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("emlx")) {
                true => copy(&mut emlx(file)?, Undo::FILE, out),
                false => copy(&mut file, Undo::FILE, out),
            }
        }
        Place::Exact(path) => {
            if !fs::symlink_metadata(path)?.is_file() {
                return Err(io::Error::other("it is a link, or no file"));
            }
            copy(&mut BufReader::with_capacity(PIECE, File::open(path)?), Undo::NOTHING, out)
        }
        Place::Member(member) => member.read(|file| copy(&mut BufReader::with_capacity(PIECE, file), Undo::FILE, out)),
        Place::Pst(node) => super::pst::read(node, out).map(|()| None),
        Place::Part(part) => {
            let mut file = File::open(&*part.path)?;
            file.seek(SeekFrom::Start(part.offset))?;
            copy(&mut BufReader::with_capacity(PIECE, file).take(part.length), part.undo, out)
        }
    }
}

/// The file itself, or what is in it.
fn plain(file: File) -> io::Result<Box<dyn BufRead>> {
    let mut file = BufReader::with_capacity(PIECE, file);
    Ok(match file.fill_buf()?.starts_with(&GZIP) {
        true => Box::new(BufReader::with_capacity(PIECE, MultiGzDecoder::new(file).take(BODY))),
        false => Box::new(file),
    })
}

/// The message in a file of Apple's Mail: the first line says how many bytes it has; what comes after is a property list.
fn emlx(mut file: Box<dyn BufRead>) -> io::Result<io::Take<Box<dyn BufRead>>> {
    let mut line = Vec::new();
    Read::take(&mut file, 32).read_until(b'\n', &mut line)?;
    let size = std::str::from_utf8(line.trim_ascii()).ok().and_then(|text| text.parse().ok());
    Ok(file
        .take(size.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no emlx: its first line is no number"))?))
}

/// Where a message of a Maildir went whose flags changed, or that was seen.
fn renamed(path: &Path) -> Option<PathBuf> {
    let (base, dir) = (base_of(path.file_name()?.as_encoded_bytes()).0, path.parent()?.parent()?);
    let entries = ["cur", "new"].into_iter().filter_map(|part| fs::read_dir(dir.join(part)).ok()).flatten().flatten();
    entries
        .map(|entry| entry.path())
        .find(|found| found.file_name().is_some_and(|name| base_of(name.as_encoded_bytes()).0 == base))
}

/// Copies a message, its lines as they were on the wire.
pub(super) fn copy(
    file: &mut dyn BufRead,
    undo: Undo,
    out: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<Option<Ends>> {
    let mut piece = Vec::with_capacity(PIECE);
    let (mut is_start, mut after_cr, mut in_header, mut in_note) = (true, false, true, false);
    // Whether lines end in a bare LF: the first tells.
    let (mut is_bare, mut ends) = (None, Count::default());
    loop {
        piece.clear();
        if Read::take(&mut *file, PIECE as u64).read_until(b'\n', &mut piece)? == 0 {
            return Ok(ends.end());
        }
        let is_end = piece.last() == Some(&b'\n');
        let has_cr = is_end && (piece.len() > 1 && piece[piece.len() - 2] == b'\r' || piece.len() == 1 && after_cr);
        if is_start && in_header {
            in_header = !matches!(&piece[..], b"\n" | b"\r\n");
            let continues = matches!(piece[0], b' ' | b'\t');
            let begins = || (undo.notes && is_note(&piece)) || (undo.labels && is_label(&piece));
            in_note = in_header && if continues { in_note } else { begins() };
        }
        let line = if is_start && undo.quoting { unquoted(&piece) } else { &piece[..] };
        (is_start, after_cr) = (is_end, piece.last() == Some(&b'\r'));
        if is_end {
            is_bare.get_or_insert(!has_cr);
        }
        if in_note && in_header {
            continue;
        }
        match undo.bare && is_end && is_bare == Some(true) && ends.line(has_cr) {
            true => {
                out(&line[..line.len() - 1])?;
                out(b"\r\n")?;
            }
            false => out(line)?,
        }
    }
}

/// Fields that are no part of a message, in mailboxes whose programs write them all.
const NOTES: [&str; 7] = ["Status", "X-Status", "X-Keywords", "X-UID", "X-IMAP", "X-IMAPbase", "Content-Length"];

/// Whether a line is one of them.
pub fn is_note(line: &[u8]) -> bool {
    NOTES.iter().any(|name| is_field(line, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copied(raw: &[u8], undo: Undo) -> Vec<u8> {
        let mut all = Vec::new();
        let mut file = raw;
        copy(&mut file, undo, &mut |octets| {
            all.extend_from_slice(octets);
            Ok(())
        })
        .unwrap();
        all
    }

    #[test]
    fn unix_lines_become_wire_lines_and_wire_lines_stay() {
        let plain = |raw: &[u8]| copied(raw, Undo::FILE);
        assert_eq!(plain(b"a: b\n\nx\r\ny\n"), b"a: b\r\n\r\nx\r\ny\r\n");
        assert_eq!(plain(b"a: b\r\n\r\nx\ny\r\n"), b"a: b\r\n\r\nx\ny\r\n");
        assert_eq!(plain(b"\n"), b"\r\n");
        assert_eq!(plain(b"no line"), b"no line");
        assert_eq!(plain(b""), b"");
        let long = [&vec![b'x'; PIECE - 1][..], b"\r\n.\n"].concat();
        assert_eq!(plain(&long), long, "a line that ends where a piece does");
    }

    #[test]
    fn quotes_and_notes_go() {
        let undo = Undo { bare: true, quoting: true, notes: true, labels: false };
        let raw = b"Status: RO\nX-Keywords: a\n b\nSubject: x\nX-UID: 7\n\n>From a\n>>From b\n> From\nStatus: body\n";
        assert_eq!(copied(raw, undo), b"Subject: x\r\n\r\nFrom a\r\n>From b\r\n> From\r\nStatus: body\r\n");
    }
}
