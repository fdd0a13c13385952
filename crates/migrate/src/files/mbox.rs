//! mbox in the forms that are met (RFC 4155 and what is older): mboxo and mboxrd with `>From ` lines, mboxcl and mboxcl2 with
//! `Content-Length`, with LF or CRLF, and the form that `anser export` writes: before each message four lines that are no part of it,
//! `Status`, `X-Status`, `X-Keywords`, and `X-Anser` with the message's exact length, date and zone.
//!
//! The whole file is read for the list: what a message is known by is made of its bytes. No message is held. A large file that only grew is
//! read on where it ended: its mark says how far it was read, with a hash of pieces of what was there. What a program changes between those
//! pieces without moving anything, such as a flag, shows when the file is written anew.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use anser_mime::date;
use anser_mime::header;
use anser_store::{Flags, Keywords};

use super::read::{Undo, is_note};
use super::{DEPTH, FOLDERS, Found, MESSAGES, Mail, Place, modified, written};
use crate::source::{Mark, Seen, Standing, keywords_of};

/// Bytes read from the file at once, and longest piece of a line.
const PIECE: usize = 256 * 1024;
/// Bytes of a message's header that are looked at.
const HEADER: usize = 256 * 1024;
/// Longest line of a separator, in bytes.
const SEPARATOR: usize = 1000;
/// Bytes of the hash that a message is known by.
const HASH: usize = 16;
/// Files below this size, in bytes, are always read as a whole.
const SMALL: u64 = 64 * 1024 * 1024;
/// Pieces of a file that its mark is made of, and bytes of each.
const SAMPLES: u64 = 256;
const SAMPLE: u64 = 4 * 1024;
/// Endings of the names of files and directories that are no part of a folder's name: Thunderbird puts folders below one into `.sbd`.
const ENDINGS: [&[u8]; 2] = [b".mbox", b".sbd"];
/// Letters of `Status` and `X-Status`.
pub const LETTERS: [(u8, Flags); 5] = [
    (b'R', Flags::SEEN),
    (b'A', Flags::ANSWERED),
    (b'F', Flags::FLAGGED),
    (b'T', Flags::DRAFT),
    (b'D', Flags::DELETED),
];
/// All that a value of `Status` or `X-Status` consists of.
const LETTER_SET: &[u8] = b"RONAFTD";
/// Bits of `X-Mozilla-Status`.
const MOZILLA: [(u32, Flags); 3] = [(0x1, Flags::SEEN), (0x2, Flags::ANSWERED), (0x4, Flags::FLAGGED)];
/// Of these: it was removed, and the file not yet written anew; it was passed on.
const REMOVED: u32 = 0x8;
const PASSED: u32 = 0x1000;
const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/// A message in a file.
#[derive(Clone, Debug)]
pub struct Part {
    /// The file.
    pub path: Arc<Path>,
    /// Where it begins.
    pub offset: u64,
    /// Its bytes there.
    pub length: u64,
    /// What has to be undone.
    pub undo: Undo,
}

/// Every mbox below a directory; a file is the inbox.
pub fn folders(root: &Path) -> io::Result<Vec<Found>> {
    if !fs::metadata(root)?.is_dir() {
        return Ok(vec![Found::new(&[b"INBOX"], b'/', root.to_owned())]);
    }
    let mut found = Vec::new();
    walk(root, &mut Vec::new(), &mut found)?;
    Ok(found)
}

fn walk(dir: &Path, above: &mut Vec<Vec<u8>>, found: &mut Vec<Found>) -> io::Result<()> {
    let mut names: Vec<_> = fs::read_dir(dir)?.flatten().map(|entry| entry.file_name()).collect();
    names.sort();
    for name in names.iter().filter(|name| !name.as_encoded_bytes().starts_with(b".")) {
        let (path, octets) = (dir.join(name), name.as_encoded_bytes());
        if above.len() == DEPTH || found.len() >= FOLDERS {
            continue;
        }
        let bare = ENDINGS.iter().find_map(|ending| octets.strip_suffix(*ending)).unwrap_or(octets);
        above.push(unescaped(bare));
        if path.is_dir() {
            walk(&path, above, found)?;
        } else if is_mbox(&path, octets) {
            let levels: Vec<&[u8]> = above.iter().map(Vec::as_slice).collect();
            found.push(Found::new(&levels, b'/', path));
        }
        above.pop();
    }
    Ok(())
}

/// It begins with a separator, or it is empty and its name is that of an mbox.
fn is_mbox(path: &Path, name: &[u8]) -> bool {
    let mut begin = Vec::new();
    let read = File::open(path).and_then(|file| file.take(SEPARATOR as u64).read_to_end(&mut begin));
    match read {
        Ok(0) => name.ends_with(b".mbox") || !name.contains(&b'.'),
        Ok(_) => is_separator(&begin),
        Err(_) => false,
    }
}

/// `%xx` in names of files.
fn unescaped(name: &[u8]) -> Vec<u8> {
    let (mut out, mut at) = (Vec::with_capacity(name.len()), 0);
    while at < name.len() {
        let code = name.get(at + 1..at + 3).filter(|_| name[at] == b'%');
        let code = code.and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        match code {
            // What no level can hold.
            Some(b'/') => out.extend_from_slice("\u{2215}".as_bytes()),
            Some(code) => out.push(code),
            None => out.push(name[at]),
        }
        at += if code.is_some() { 3 } else { 1 };
    }
    out
}

/// How an mbox stands, and its messages in their order.
pub fn messages(path: &Path) -> io::Result<(Standing, Vec<Mail>)> {
    let mut scan = Scan::begin(path, 0)?;
    if !scan.next_line()? {
        return Ok((scan.standing, Vec::new()));
    }
    if !is_separator(&scan.line) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "no mbox: it does not begin with a \"From \" line"));
    }
    scan.rest()
}

/// What stands behind the mark of an mbox, which stood like this before, and how it stands now; `None` when what was before the mark is
/// no longer the same.
pub fn behind(path: &Path, before: &Standing) -> io::Result<Option<(Standing, Vec<Mail>)>> {
    let length = length_of(&before.mark);
    let mut scan = Scan::begin(path, length)?;
    if length == 0 || mark_of(&scan.file, length)? != Some(before.mark) {
        return Ok(None);
    }
    let mut is_more = scan.next_line()?;
    while is_more && matches!(&scan.line[..], b"\n" | b"\r\n") {
        is_more = scan.next_line()?;
    }
    if is_more && !is_separator(&scan.line) {
        return Ok(None);
    }
    let (now, mails) = scan.rest()?;
    let last = mails.iter().map(Mail::uid).max().unwrap_or(0);
    let uidnext = if before.uidvalidity > 0 { before.uidnext.max(last.saturating_add(1)) } else { before.uidnext };
    Ok(Some((Standing { messages: before.messages + mails.len() as u64, uidnext, mark: now.mark, ..*before }, mails)))
}

fn length_of(mark: &Mark) -> u64 {
    let mut length = [0; 8];
    length.copy_from_slice(&mark[..8]);
    u64::from_le_bytes(length)
}

/// The mark of a file that was read up to here; `None` when it is shorter, or small.
pub fn mark_of(file: &File, length: u64) -> io::Result<Option<Mark>> {
    if length < SMALL || file.metadata()?.len() < length {
        return Ok(None);
    }
    let (mut hash, mut piece) = (blake3::Hasher::new(), vec![0; SAMPLE as usize]);
    for number in 0..SAMPLES {
        file.read_exact_at(&mut piece, (length - SAMPLE) / (SAMPLES - 1) * number)?;
        hash.update(&piece);
    }
    file.read_exact_at(&mut piece, length - SAMPLE)?;
    hash.update(&piece);
    let mut mark = Mark::default();
    mark[..8].copy_from_slice(&length.to_le_bytes());
    mark[8..].copy_from_slice(&hash.finalize().as_bytes()[..HASH]);
    Ok(Some(mark))
}

impl Scan {
    fn begin(path: &Path, offset: u64) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let written = modified(&file.metadata()?);
        file.seek(SeekFrom::Start(offset))?;
        let lines = BufReader::with_capacity(PIECE, file.try_clone()?);
        let standing = Standing::default();
        Ok(Self { path: path.into(), file, lines, offset, line: Vec::new(), written, standing })
    }

    /// The messages from the separator that was read last on.
    fn rest(mut self) -> io::Result<(Standing, Vec<Mail>)> {
        let scan = &mut self;
        let (mut mails, mut met) = (Vec::new(), HashMap::<[u8; HASH], u32>::new());
        let mut from = Some(std::mem::take(&mut scan.line)).filter(|line| !line.is_empty());
        while let Some(separator) = from {
            let raw = scan.message()?;
            from = scan.after(&raw)?;
            if let Some((hash, seen, part, labels)) = scan.mail(&separator, raw) {
                let count = met.entry(hash).or_default();
                let key = [&hash[..], &count.to_be_bytes()].concat();
                *count += 1;
                mails.push(Mail::new(&Seen { key, ..seen }, Place::Part(part), &labels));
            }
            if mails.len() >= MESSAGES {
                return Ok((scan.standing, mails));
            }
        }
        scan.standing.mark = mark_of(&scan.file, scan.offset)?.unwrap_or_default();
        Ok((scan.standing, mails))
    }
}

/// An mbox that is gone through.
struct Scan {
    path: Arc<Path>,
    file: File,
    lines: BufReader<File>,
    /// Behind the last line.
    offset: u64,
    line: Vec<u8>,
    written: Option<i64>,
    standing: Standing,
}

/// A message as it was gone through.
#[derive(Default)]
struct Raw {
    offset: u64,
    length: u64,
    header: Vec<u8>,
    hash: blake3::Hasher,
    /// Its length was told, so that its end is no matter of blank lines.
    is_exact: bool,
    /// A line begins with `From ` that nothing quotes.
    has_from: bool,
    own: Option<Own>,
}

/// What the line `X-Anser` tells.
struct Own {
    length: u64,
    date: Option<i64>,
    zone: i32,
    /// Whether its lines were given the bare LF again that they had.
    is_bare: bool,
}

impl Scan {
    /// The next line, or piece of a very long one; false at the end of the file.
    fn next_line(&mut self) -> io::Result<bool> {
        self.line.clear();
        let read = Read::take(&mut self.lines, PIECE as u64).read_until(b'\n', &mut self.line)?;
        self.offset += read as u64;
        Ok(read > 0)
    }

    /// The message that begins here, to its end or to the separator behind it, which is the line then.
    fn message(&mut self) -> io::Result<Raw> {
        let mut raw = Raw { offset: self.offset, ..Raw::default() };
        let (mut in_header, mut in_note, mut is_start) = (true, false, true);
        // The blank line before a separator belongs to it: it counts once something else follows.
        let (mut blank, mut end, mut was_asked) = (Vec::new(), raw.offset, false);
        while self.next_line()? {
            if is_start && !blank.is_empty() && is_separator(&self.line) {
                raw.length = end - raw.offset;
                return Ok(raw);
            }
            raw.hash.update(&std::mem::take(&mut blank));
            let is_blank = is_start && matches!(&self.line[..], b"\n" | b"\r\n");
            if in_header && is_start {
                in_header = !is_blank;
                let continues = matches!(self.line[0], b' ' | b'\t');
                in_note = in_header && if continues { in_note } else { is_changing(&self.line) };
            }
            if in_header && raw.header.len() < HEADER {
                raw.header.extend_from_slice(&self.line);
            }
            match is_blank {
                true => blank = self.line.clone(),
                false if in_note => end = self.offset,
                false => {
                    raw.hash.update(&self.line);
                    end = self.offset;
                }
            }
            raw.has_from |= is_start && self.line.starts_with(b"From ");
            is_start = self.line.ends_with(b"\n");
            if raw.own.is_none() && in_header && is_field(&self.line, FIELDS[3]) {
                raw.own = raw.own_fields();
                if let Some(length) = raw.own.as_ref().map(|own| own.length) {
                    (raw.offset, raw.hash) = (self.offset, blake3::Hasher::new());
                    return self.take_exactly(raw, length);
                }
            }
            if is_blank && !in_header && !was_asked {
                was_asked = true;
                if let Some(length) = raw.content_length().filter(|length| self.ends_message(*length)) {
                    return self.take_exactly(raw, length);
                }
            }
        }
        raw.length = end - raw.offset;
        Ok(raw)
    }

    /// Whether a message that goes on for so many bytes ends where the next begins, or the file ends.
    fn ends_message(&self, length: u64) -> bool {
        let mut behind = [0; SEPARATOR];
        let Some(at) = self.offset.checked_add(length) else { return false };
        let size = self.file.metadata().map_or(0, |meta| meta.len());
        let read = self.file.read_at(&mut behind, at).unwrap_or(0);
        let rest = &behind[..read];
        let blank = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        at <= size && (rest.len() == blank || is_separator(&rest[blank..]))
    }

    fn take_exactly(&mut self, mut raw: Raw, length: u64) -> io::Result<Raw> {
        let (mut left, mut is_start) = (length, true);
        while left > 0 {
            self.line.clear();
            let most = left.min(PIECE as u64);
            let read = Read::take(&mut self.lines, most).read_until(b'\n', &mut self.line)? as u64;
            if read == 0 {
                break;
            }
            (self.offset, left) = (self.offset + read, left - read);
            raw.has_from |= is_start && self.line.starts_with(b"From ");
            is_start = self.line.ends_with(b"\n");
            raw.hash.update(&self.line);
        }
        self.line.clear();
        (raw.length, raw.is_exact) = (self.offset - raw.offset, true);
        Ok(raw)
    }

    /// The separator behind a message.
    fn after(&mut self, raw: &Raw) -> io::Result<Option<Vec<u8>>> {
        if !raw.is_exact {
            return Ok(Some(std::mem::take(&mut self.line)).filter(|line| !line.is_empty()));
        }
        while self.next_line()? {
            if !matches!(&self.line[..], b"\n" | b"\r\n") {
                return Ok(Some(std::mem::take(&mut self.line)));
            }
        }
        Ok(None)
    }

    /// What was found; nothing of a message that is only there for the program that writes the file.
    fn mail(&mut self, separator: &[u8], raw: Raw) -> Option<([u8; HASH], Seen, Part, Vec<u8>)> {
        let value = |name: &str| {
            header::value(&raw.header, name).map(|value| String::from_utf8_lossy(&value).trim().to_owned())
        };
        let base = value("X-IMAP").or_else(|| value("X-IMAPbase"));
        if let Some((uidvalidity, last)) = base.as_deref().and_then(two_numbers) {
            (self.standing.uidvalidity, self.standing.uidnext) = (uidvalidity, last.saturating_add(1));
        }
        let is_internal = value("X-IMAP").is_some()
            && value("Subject").is_some_and(|subject| subject.starts_with("DON'T DELETE THIS MESSAGE"));
        let mozilla = value("X-Mozilla-Status").and_then(|text| u32::from_str_radix(&text, 16).ok()).unwrap_or(0);
        if is_internal || mozilla & REMOVED != 0 {
            return None;
        }
        let uid = value("X-UID").and_then(|text| text.parse().ok()).unwrap_or(0);
        let notes = raw.own.is_none() && (uid > 0 || base.is_some());
        // mboxcl quotes its lines, mboxcl2 does not: an unquoted one tells which it is.
        let quoting = !raw.is_exact || raw.own.is_some() || !raw.has_from;
        let labels = header::value(&raw.header, LABELS).map(|value| value.to_vec()).unwrap_or_default();
        let undo =
            Undo { quoting, notes, labels: !labels.is_empty(), bare: raw.own.as_ref().is_none_or(|own| own.is_bare) };
        let (flags, keywords) = raw.marks(mozilla);
        let received = match &raw.own {
            Some(own) => own.date.map(|unix| written(unix, own.zone)),
            None => date_of(separator).map(|date| written(date.unix, date.offset_minutes)),
        };
        let received = received.unwrap_or_default();
        let seen = Seen {
            at: 0,
            key: Vec::new(),
            uid,
            uidl: None,
            identity: None,
            flags,
            keywords,
            received,
            written: self.written,
            size: raw.length,
        };
        let mut hash = [0; HASH];
        hash.copy_from_slice(&raw.hash.finalize().as_bytes()[..HASH]);
        let part = Part { path: self.path.clone(), offset: raw.offset, length: raw.length, undo };
        Some((hash, seen, part, labels))
    }
}

impl Raw {
    fn content_length(&self) -> Option<u64> {
        let value = header::value(&self.header, "Content-Length")?;
        std::str::from_utf8(&value).ok()?.trim().parse().ok()
    }

    /// When the lines that `anser export` writes stand before the message, and nothing else.
    fn own_fields(&self) -> Option<Own> {
        let mut lines = self.header.split_inclusive(|byte| *byte == b'\n');
        if !FIELDS.iter().all(|name| lines.next().is_some_and(|line| is_field(line, name))) || lines.next().is_some() {
            return None;
        }
        let value = header::value(&self.header, FIELDS[3])?;
        let value = String::from_utf8_lossy(&value).into_owned();
        let word = |name: &str| -> Option<i64> {
            value.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('=')?.parse().ok())
        };
        let zone = word("zone").and_then(|zone| i32::try_from(zone).ok()).unwrap_or(0);
        let is_bare = value.split_whitespace().any(|word| word == EOL);
        Some(Own { length: u64::try_from(word("length")?).ok()?, date: word("received"), zone, is_bare })
    }

    fn marks(&self, mozilla: u32) -> (Flags, Keywords) {
        let (mut flags, mut words) = (Flags::default(), Vec::new());
        for name in ["Status", "X-Status"] {
            let value = header::value(&self.header, name).unwrap_or_default();
            // `Status` of a web form or a ticket is no mbox's.
            let value = if value.iter().all(|byte| LETTER_SET.contains(byte)) { &value[..] } else { &[] };
            let set = LETTERS.iter().filter(|(letter, _)| value.contains(letter));
            flags = set.fold(flags, |flags, (_, flag)| flags.with(*flag));
        }
        flags = MOZILLA.iter().filter(|(bit, _)| mozilla & bit != 0).fold(flags, |flags, (_, flag)| flags.with(*flag));
        if mozilla & PASSED != 0 {
            words.push("$Forwarded".to_owned());
        }
        for name in ["X-Keywords", "X-Mozilla-Keys"] {
            let value = header::value(&self.header, name).unwrap_or_default();
            words.extend(String::from_utf8_lossy(&value).split_whitespace().map(str::to_owned));
        }
        (flags, keywords_of(words.iter().map(String::as_str)))
    }
}

/// The lines before a message that `anser export` wrote, in order.
pub const FIELDS: [&str; 4] = ["Status", "X-Status", "X-Keywords", "X-Anser"];

/// What `X-Anser` says of a message whose lines end in a bare LF, and are to be given CRLF.
pub const EOL: &str = "eol=lf";

/// The field in which Google Takeout tells the labels of a message.
const LABELS: &str = "X-Gmail-Labels";

/// Whether a line is one of the fields that Google Takeout puts before a message.
pub fn is_label(line: &[u8]) -> bool {
    is_field(line, LABELS) || is_field(line, "X-GM-THRID")
}

/// Whether a line is a field whose value changes while the message stays the same.
fn is_changing(line: &[u8]) -> bool {
    is_note(line)
        || is_label(line)
        || ["X-Mozilla-Status", "X-Mozilla-Status2", "X-Mozilla-Keys"].iter().any(|name| is_field(line, name))
}

/// Whether a line is a header field of this name.
pub fn is_field(line: &[u8], name: &str) -> bool {
    line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()))
        && line.get(name.len()) == Some(&b':')
}

fn two_numbers(text: &str) -> Option<(u32, u32)> {
    let mut words = text.split_whitespace().map(|word| word.parse().ok());
    Some((words.next()??, words.next()??))
}

/// `>From ` loses one `>` (mboxrd; the same for the one level that mboxo has).
pub fn unquoted(line: &[u8]) -> &[u8] {
    let quotes = line.iter().take_while(|byte| **byte == b'>').count();
    if quotes > 0 && line[quotes..].starts_with(b"From ") { &line[1..] } else { line }
}

fn is_separator(line: &[u8]) -> bool {
    line.starts_with(b"From ") && date_of(line).is_some()
}

/// The date of a line that separates messages.
fn date_of(line: &[u8]) -> Option<date::DateTime> {
    let line = &line[..line.len().min(SEPARATOR)];
    let text = String::from_utf8_lossy(line.strip_prefix(b"From ")?);
    let text = text.lines().next()?;
    let at = WEEKDAYS.iter().filter_map(|day| text.find(&format!(" {day}"))).min()?;
    date::parse(&text.as_bytes()[at..])
}
