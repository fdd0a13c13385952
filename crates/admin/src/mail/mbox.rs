//! mbox in the forms that are met (RFC 4155 and what is older): mboxo and mboxrd with `>From ` lines, mboxcl and mboxcl2 with
//! `Content-Length`, with LF or CRLF.
//!
//! Written is mboxrd. Before each message stand four lines that are not part of it, in a form that other programs take for header
//! fields: `Status`, `X-Status`, `X-Keywords`, and `X-Anser` with the message's exact length, date and zone. Read back here they give
//! every byte again.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anser_base::limits::MESSAGE_SIZE;
use anser_base::{Error, Result, Timestamp};
use anser_mime::date::{self as mail_date, DateTime};
use anser_mime::header;
use anser_store::Flags;

use crate::answer::{Mail, MailHead};
use crate::mail::{DEPTH, Reading, below, cannot, date, head, with_crlf};

/// Bytes read from the file at once.
const BUFFER: usize = 256 * 1024;
/// Longest line of a separator, in bytes.
const SEPARATOR: usize = 1000;
/// The ending of mbox files in a folder of them.
const ENDING: &str = "mbox";
/// Letters of `Status` and `X-Status`.
const LETTERS: [(u8, Flags); 5] = [
    (b'R', Flags::SEEN),
    (b'A', Flags::ANSWERED),
    (b'F', Flags::FLAGGED),
    (b'T', Flags::DRAFT),
    (b'D', Flags::DELETED),
];
/// All that a value of `Status` or `X-Status` consists of.
const LETTER_SET: &[u8] = b"RONAFTD";
const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Reads one mbox, or every `*.mbox` below a folder, each into a mailbox of its name.
pub fn read(path: &Path, folder: &[String], reading: &mut Reading<'_>) -> Result<()> {
    let meta = fs::metadata(path).map_err(|error| cannot(path, &error))?;
    match meta.is_dir() {
        true => walk(path, folder, &mut Vec::new(), reading),
        false => Source::open(path)?.read(folder, reading),
    }
}

fn walk(dir: &Path, folder: &[String], above: &mut Vec<String>, reading: &mut Reading<'_>) -> Result<()> {
    let entries = fs::read_dir(dir).map_err(|error| cannot(dir, &error))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let Some(name) = path.file_stem().and_then(|name| name.to_str()) else { continue };
        if path.is_dir() && above.len() < DEPTH {
            let level = path.file_name().and_then(|name| name.to_str()).unwrap_or(name);
            above.push(unescaped(level));
            walk(&path, folder, above, reading)?;
            above.pop();
        } else if path.extension().is_some_and(|ending| ending == ENDING) {
            let levels = above.iter().cloned().chain([unescaped(name)]).collect();
            Source::open(&path)?.read(&below(folder, levels), reading)?;
        }
    }
    Ok(())
}

/// An mbox that is being read.
struct Source {
    path: PathBuf,
    file: File,
    lines: BufReader<File>,
    offset: u64,
    written: Option<SystemTime>,
    line: Vec<u8>,
}

impl Source {
    fn open(path: &Path) -> Result<Self> {
        let open = || {
            let file = File::open(path)?;
            let lines = BufReader::with_capacity(BUFFER, file.try_clone()?);
            let written = file.metadata()?.modified().ok();
            Ok(Self { path: path.to_owned(), file, lines, offset: 0, written, line: Vec::new() })
        };
        open().map_err(|error: std::io::Error| cannot(path, &error))
    }

    fn read(mut self, folder: &[String], reading: &mut Reading<'_>) -> Result<()> {
        if !self.next_line(reading)? {
            return Ok(());
        }
        if separator(&self.line).is_none() {
            let name = self.path.display();
            return Err(Error::invalid(
                format!("{name} is no mbox: it does not begin with a \"From \" line"),
                format!("{name} 不是 mbox 文件：开头没有 \"From \" 行"),
            ));
        }
        let mut from = std::mem::take(&mut self.line);
        loop {
            let (raw, next) = self.message(reading)?;
            self.hand_over(&from, raw, folder, reading)?;
            match next {
                Some(next) => from = next,
                None => return Ok(()),
            }
        }
    }

    /// The next line with its end into `line`; false at the end of the file.
    fn next_line(&mut self, reading: &Reading<'_>) -> Result<bool> {
        self.line.clear();
        let most = MESSAGE_SIZE + 1;
        let read = std::io::Read::take(&mut self.lines, most).read_until(b'\n', &mut self.line);
        let read = read.map_err(|error| cannot(&self.path, &error))?;
        self.offset += read as u64;
        reading.read(read);
        Ok(read > 0)
    }

    /// The message behind a separator, and the separator behind it. `Err` inside when it is too large.
    fn message(&mut self, reading: &Reading<'_>) -> Result<(Raw, Option<Vec<u8>>)> {
        let mut raw = Raw::default();
        let (mut blank, mut in_header) = (false, true);
        while self.next_line(reading)? {
            if blank && separator(&self.line).is_some() {
                raw.drop_last_blank();
                return Ok((raw, Some(std::mem::take(&mut self.line))));
            }
            raw.push(&self.line);
            if raw.leading
                && let Some(length) = raw.own_length()
            {
                self.take_exactly(&mut raw, length, reading)?;
                return Ok((raw, self.after_exact(reading)?));
            }
            blank = is_blank(&self.line);
            if blank && in_header {
                in_header = false;
                if let Some(length) = raw.content_length().filter(|length| self.ends_message(*length)) {
                    self.take_exactly(&mut raw, length, reading)?;
                    return Ok((raw, self.after_exact(reading)?));
                }
            }
        }
        raw.drop_last_blank();
        Ok((raw, None))
    }

    /// Whether a message that goes on for so many bytes ends where the next begins, or the file ends.
    fn ends_message(&self, length: u64) -> bool {
        let mut behind = [0; SEPARATOR];
        let Some(at) = self.offset.checked_add(length) else { return false };
        let size = self.file.metadata().map_or(0, |meta| meta.len());
        let read = self.file.read_at(&mut behind, at).unwrap_or(0);
        let rest = &behind[..read];
        let blank = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        at <= size && (rest.len() == blank || separator(&rest[blank..]).is_some())
    }

    fn take_exactly(&mut self, raw: &mut Raw, length: u64, reading: &Reading<'_>) -> Result<()> {
        let from = raw.bytes.len();
        raw.exact = true;
        if length > MESSAGE_SIZE {
            raw.too_large = true;
        }
        let mut source = std::io::Read::take(&mut self.lines, length);
        let read = match raw.too_large {
            true => std::io::copy(&mut source, &mut std::io::sink()),
            false => std::io::Read::read_to_end(&mut source, &mut raw.bytes).map(|read| read as u64),
        };
        let read = read.map_err(|error| cannot(&self.path, &error))?;
        self.offset += read;
        reading.read(read as usize);
        // mboxcl quotes its lines, mboxcl2 does not: an unquoted one tells which it is.
        if raw.own || !has_line(&raw.bytes[from..], b"From ") {
            let body = raw.bytes.split_off(from);
            body.split_inclusive(|byte| *byte == b'\n').for_each(|line| raw.bytes.extend_from_slice(unquoted(line)));
        }
        Ok(())
    }

    /// The separator behind a message of known length, past blank lines.
    fn after_exact(&mut self, reading: &Reading<'_>) -> Result<Option<Vec<u8>>> {
        while self.next_line(reading)? {
            if !is_blank(&self.line) {
                return Ok(Some(std::mem::take(&mut self.line)));
            }
        }
        Ok(None)
    }

    fn hand_over(&self, from: &[u8], raw: Raw, folder: &[String], reading: &mut Reading<'_>) -> Result<()> {
        if raw.too_large || raw.bytes.len() as u64 > MESSAGE_SIZE {
            reading.skip(&self.path, "a message is too large", "有一封邮件过大");
            return Ok(());
        }
        let own = raw.own_fields();
        let kept = own.as_ref().and_then(|own| own.date).or_else(|| separator(from));
        let mut head = head(folder, 0);
        raw.flags(&mut head);
        let body = match own {
            Some(_) => raw.bytes[raw.own_end..].to_vec().into(),
            None => with_crlf(raw.bytes),
        };
        head.size = body.len() as u64;
        date::set(&mut head, &body, kept, self.written);
        (reading.mail)(Mail { head, body })
    }
}

/// The bytes of one message as they are gathered.
#[derive(Default)]
struct Raw {
    bytes: Vec<u8>,
    too_large: bool,
    /// Whether its length was known, so that its end is not a matter of blank lines.
    exact: bool,
    /// Whether only the lines that [`Writer`] puts before a message have come yet.
    leading: bool,
    /// Whether those lines were whole; they end at `own_end`.
    own: bool,
    own_end: usize,
}

/// What the `X-Anser` line tells.
struct Own {
    length: u64,
    date: Option<DateTime>,
}

impl Raw {
    fn push(&mut self, line: &[u8]) {
        if self.bytes.len() as u64 > MESSAGE_SIZE {
            self.too_large = true;
            return;
        }
        let first = self.bytes.is_empty();
        self.leading = (first || self.leading) && FIELDS.iter().any(|name| is_field(line, name));
        self.bytes.extend_from_slice(unquoted(line));
    }

    /// The length of the message when the lines before it are complete.
    fn own_length(&mut self) -> Option<u64> {
        let own = self.own_fields()?;
        (self.own, self.own_end, self.leading) = (true, self.bytes.len(), false);
        Some(own.length)
    }

    fn own_fields(&self) -> Option<Own> {
        let block = if self.own { &self.bytes[..self.own_end] } else { &self.bytes[..] };
        let mut lines = block.split_inclusive(|byte| *byte == b'\n');
        for name in FIELDS {
            let line = lines.next()?;
            if !is_field(line, name) {
                return None;
            }
            if name == FIELDS[FIELDS.len() - 1] {
                return own(std::str::from_utf8(&line[name.len() + 1..]).ok()?);
            }
        }
        None
    }

    fn content_length(&self) -> Option<u64> {
        let value = header::value(&self.bytes, "Content-Length")?;
        std::str::from_utf8(&value).ok()?.trim().parse().ok()
    }

    /// The blank line before a separator belongs to the separator.
    fn drop_last_blank(&mut self) {
        for end in [&b"\n\r\n"[..], b"\n\n"] {
            if !self.exact && self.bytes.ends_with(end) {
                self.bytes.truncate(self.bytes.len() - end.len() + 1);
                return;
            }
        }
    }

    fn flags(&self, head: &mut MailHead) {
        let mut flags = Flags::default();
        for name in ["Status", "X-Status"] {
            let value = header::value(&self.bytes, name).unwrap_or_default();
            // `Status` of a web form or a ticket is no mbox's.
            let value = if value.iter().all(|byte| LETTER_SET.contains(byte)) { &value[..] } else { &[] };
            let set = LETTERS.iter().filter(|(letter, _)| value.contains(letter));
            flags = set.fold(flags, |flags, (_, flag)| flags.with(*flag));
        }
        let keywords = header::value(&self.bytes, "X-Keywords").unwrap_or_default();
        head.flags = flags.0;
        head.keywords = String::from_utf8_lossy(&keywords).split_whitespace().map(str::to_owned).collect();
    }
}

/// The lines before a message, in order.
const FIELDS: [&str; 4] = ["Status", "X-Status", "X-Keywords", "X-Anser"];

fn is_field(line: &[u8], name: &str) -> bool {
    line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()))
        && line.get(name.len()) == Some(&b':')
}

fn own(value: &str) -> Option<Own> {
    let word = |name: &str| -> Option<i64> {
        value.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('=')?.parse().ok())
    };
    let length = u64::try_from(word("length")?).ok()?;
    let zone = word("zone").and_then(|zone| i32::try_from(zone).ok()).unwrap_or(0);
    Some(Own { length, date: word("received").map(|unix| DateTime { unix, offset_minutes: zone }) })
}

/// The date of a line that separates messages; `None` for any other line.
fn separator(line: &[u8]) -> Option<DateTime> {
    let line = &line[..line.len().min(SEPARATOR)];
    let text = String::from_utf8_lossy(line.strip_prefix(b"From ")?);
    let text = text.lines().next()?;
    let at = WEEKDAYS.iter().filter_map(|day| text.find(&format!(" {day}"))).min()?;
    mail_date::parse(&text.as_bytes()[at..])
}

fn is_blank(line: &[u8]) -> bool {
    matches!(line, b"\n" | b"\r\n")
}

/// `>From ` loses one `>` (mboxrd; the same for the one level that mboxo has).
fn unquoted(line: &[u8]) -> &[u8] {
    let quotes = line.iter().take_while(|byte| **byte == b'>').count();
    if quotes > 0 && line[quotes..].starts_with(b"From ") { &line[1..] } else { line }
}

fn has_line(bytes: &[u8], start: &[u8]) -> bool {
    bytes.split_inclusive(|byte| *byte == b'\n').any(|line| line.starts_with(start))
}

/// Writes mbox files.
#[derive(Debug)]
pub struct Writer {
    path: PathBuf,
    single: bool,
    open: Option<(Vec<String>, BufWriter<File>)>,
}

impl Writer {
    /// A new file for one mailbox when `single`, else a new or empty folder with a file for each.
    pub fn create(path: &Path, single: bool) -> Result<Self> {
        if !single {
            empty_folder(path)?;
        }
        Ok(Self { path: path.to_owned(), single, open: None })
    }

    /// Adds a message. Messages of one mailbox come one after the other.
    pub fn add(&mut self, mail: &Mail) -> Result<()> {
        if self.open.as_ref().is_none_or(|(folder, _)| *folder != mail.head.folder) {
            self.close_file()?;
            self.open = Some((mail.head.folder.clone(), self.create_file(&mail.head.folder)?));
        }
        match &mut self.open {
            Some((_, file)) => write_one(file, mail).map_err(|error| cannot(&self.path, &error)),
            None => Ok(()),
        }
    }

    /// Writes what is still in memory.
    pub fn finish(mut self) -> Result<()> {
        self.close_file()
    }

    fn close_file(&mut self) -> Result<()> {
        let flushed = self.open.take().map_or(Ok(()), |(_, mut file)| file.flush());
        flushed.map_err(|error| cannot(&self.path, &error))
    }

    fn create_file(&self, folder: &[String]) -> Result<BufWriter<File>> {
        let mut path = self.path.clone();
        if !self.single {
            path.extend(folder.iter().map(|level| escaped(level)));
            path.as_mut_os_string().push(format!(".{ENDING}"));
        }
        let parent = path.parent().map_or(Ok(()), fs::create_dir_all);
        let file = parent.and_then(|()| File::create_new(&path)).map_err(|error| cannot(&path, &error))?;
        Ok(BufWriter::with_capacity(BUFFER, file))
    }
}

fn write_one(out: &mut impl Write, mail: &Mail) -> std::io::Result<()> {
    let received = Timestamp(mail.head.received.unwrap_or_default());
    let at = received.utc();
    let flags = Flags(mail.head.flags);
    let letters = |from: usize| -> String {
        LETTERS[from..].iter().filter(|(_, flag)| flags.has(*flag)).map(|(letter, _)| char::from(*letter)).collect()
    };
    let mut quoted = Vec::with_capacity(mail.body.len());
    for line in mail.body.split_inclusive(|byte| *byte == b'\n') {
        let quotes = line.iter().take_while(|byte| **byte == b'>').count();
        if line[quotes..].starts_with(b"From ") {
            quoted.push(b'>');
        }
        quoted.extend_from_slice(line);
    }
    write!(
        out,
        "From MAILER-DAEMON {} {} {:2} {:02}:{:02}:{:02} {:04}\r\n",
        WEEKDAYS[at.weekday as usize % 7],
        MONTHS[(at.month as usize + 11) % 12],
        at.day,
        at.hour,
        at.minute,
        at.second,
        at.year
    )?;
    let seen = if flags.has(Flags::SEEN) { "RO" } else { "O" };
    write!(out, "Status: {seen}\r\nX-Status: {}\r\nX-Keywords: {}\r\n", letters(1), mail.head.keywords.join(" "))?;
    let (length, zone) = (quoted.len(), mail.head.zone);
    write!(out, "X-Anser: length={length} received={} zone={zone}\r\n", received.secs())?;
    out.write_all(&quoted)?;
    out.write_all(if quoted.ends_with(b"\n") { b"\r\n" } else { b"\r\n\r\n" })
}

/// Makes sure that a folder is there and empty.
pub(super) fn empty_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|error| cannot(path, &error))?;
    match fs::read_dir(path).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Ok(false) => {
            Err(Error::exists(format!("{} is not empty", path.display()), format!("{} 不是空文件夹", path.display())))
        }
        Err(error) => Err(cannot(path, &error)),
    }
}

/// A mailbox's name as a file's: `%`, a leading dot and what a file system refuses as `%xx`.
fn escaped(level: &str) -> String {
    let mut out = String::with_capacity(level.len());
    for (at, c) in level.char_indices() {
        match c {
            '%' | '/' | '\0' => out.push_str(&format!("%{:02x}", c as u32)),
            '.' if at == 0 => out.push_str("%2e"),
            c => out.push(c),
        }
    }
    out
}

fn unescaped(name: &str) -> String {
    let bytes = name.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        let code = bytes.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        let code = code.and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        out.push(code.unwrap_or(bytes[at]));
        at += if code.is_some() { 3 } else { 1 };
    }
    let name = String::from_utf8(out).unwrap_or_else(|_| name.to_owned());
    name.replace('/', "_")
}
