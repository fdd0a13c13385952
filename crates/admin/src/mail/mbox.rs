//! mbox as `anser export` writes it: mboxrd. Before each message stand four lines that are not part of it, in a form that other programs
//! take for header fields: `Status`, `X-Status`, `X-Keywords`, and `X-Anser` with the message's exact length, date and zone, and whether its lines end in
//! a bare LF as those of the file did that it came from. Read by
//! [`anser_migrate::files::mbox`] they give every byte again.

use std::fs::{self, File};
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anser_base::{Result, Timestamp};
use anser_migrate::files::mbox::{EOL, LETTERS};
use anser_store::Flags;

use crate::answer::MailHead;
use crate::mail::{Target, cannot, empty_folder, escaped};

/// Bytes written to the file at once.
const BUFFER: usize = 256 * 1024;
/// The ending of mbox files in a folder of them.
const ENDING: &str = "mbox";
const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Writes mbox files.
#[derive(Debug)]
pub struct Writer {
    path: PathBuf,
    single: bool,
    open: Option<(Vec<String>, BufWriter<File>)>,
    /// Where the length of the message under way stands, and how long it is so far.
    length_at: u64,
    length: u64,
    quoting: Quoting,
}

impl Writer {
    /// A new file for one mailbox when `single`, else a new or empty folder with a file for each.
    pub fn create(path: &Path, single: bool) -> Result<Self> {
        if !single {
            empty_folder(path)?;
        }
        let (path, quoting) = (path.to_owned(), Quoting::default());
        Ok(Self { path, single, open: None, length_at: 0, length: 0, quoting })
    }

    fn file(&mut self) -> std::io::Result<&mut BufWriter<File>> {
        self.open.as_mut().map(|(_, file)| file).ok_or_else(|| std::io::Error::other("no mailbox was begun"))
    }

    fn start(&mut self, head: &MailHead) -> std::io::Result<()> {
        self.quoting = Quoting::default();
        self.length = 0;
        let file = self.file()?;
        let before = opening(head);
        file.write_all(before.as_bytes())?;
        let length_at = file.stream_position()?;
        let (received, zone) = (Timestamp(head.received.unwrap_or_default()).secs(), head.zone);
        // It is known at the end.
        let eol = if head.line_ends.is_some() { format!(" {EOL}") } else { String::new() };
        write!(file, "{:020} received={received} zone={zone}{eol}\r\n", 0)?;
        self.length_at = length_at;
        Ok(())
    }

    fn put(&mut self, octets: &[u8]) -> std::io::Result<()> {
        self.length += octets.len() as u64;
        self.file()?.write_all(octets)
    }

    fn stop(&mut self) -> std::io::Result<()> {
        let rest = self.quoting.end();
        self.put(&rest)?;
        let (at, length, ended) = (self.length_at, self.length, self.quoting.is_at_start());
        let file = self.file()?;
        file.seek(SeekFrom::Start(at))?;
        write!(file, "{length:020}")?;
        file.seek(SeekFrom::End(0))?;
        file.write_all(if ended && length > 0 { b"\r\n" } else { b"\r\n\r\n" })
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

impl Target for Writer {
    fn begin(&mut self, head: &MailHead) -> Result<()> {
        if self.open.as_ref().is_none_or(|(folder, _)| *folder != head.folder) {
            self.close_file()?;
            self.open = Some((head.folder.clone(), self.create_file(&head.folder)?));
        }
        self.start(head).map_err(|error| cannot(&self.path, &error))
    }

    fn more(&mut self, piece: &[u8]) -> Result<()> {
        let quoted = self.quoting.take(piece);
        self.put(&quoted).map_err(|error| cannot(&self.path, &error))
    }

    fn end(&mut self) -> Result<()> {
        self.stop().map_err(|error| cannot(&self.path, &error))
    }

    fn finish(&mut self) -> Result<()> {
        self.close_file()
    }
}

/// The lines before a message, up to where its length stands.
fn opening(head: &MailHead) -> String {
    let at = Timestamp(head.received.unwrap_or_default()).utc();
    let flags = Flags(head.flags);
    let letters: String =
        LETTERS[1..].iter().filter(|(_, flag)| flags.has(*flag)).map(|(letter, _)| char::from(*letter)).collect();
    let (day, month) = (WEEKDAYS[at.weekday as usize % 7], MONTHS[(at.month as usize + 11) % 12]);
    let time = format!("{:2} {:02}:{:02}:{:02} {:04}", at.day, at.hour, at.minute, at.second, at.year);
    let seen = if flags.has(Flags::SEEN) { "RO" } else { "O" };
    let keywords = head.keywords.join(" ");
    format!(
        "From MAILER-DAEMON {day} {month} {time}\r\nStatus: {seen}\r\nX-Status: {letters}\r\nX-Keywords: {keywords}\r\n\
         X-Anser: length="
    )
}

/// What begins a message in an mbox, and what may stand in none.
const FROM: &[u8] = b"From ";

/// Puts a `>` before each line of `>`s and `From `, wherever the pieces of a message end.
#[derive(Debug)]
struct Quoting {
    /// `>`s at the beginning of the line that were held back.
    quotes: usize,
    /// Octets of [`FROM`] behind them; `None` within a line.
    matched: Option<usize>,
}

impl Default for Quoting {
    fn default() -> Self {
        Self { quotes: 0, matched: Some(0) }
    }
}

impl Quoting {
    fn take(&mut self, piece: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(piece.len() + 16);
        for &byte in piece {
            match self.matched {
                Some(0) if byte == b'>' => self.quotes += 1,
                Some(matched) if FROM[matched] == byte => {
                    self.matched = Some(matched + 1);
                    if matched + 1 == FROM.len() {
                        out.push(b'>');
                        out.extend(self.end());
                        self.matched = None;
                    }
                }
                _ => {
                    out.extend(self.end());
                    out.push(byte);
                    self.matched = (byte == b'\n').then_some(0);
                }
            }
        }
        out
    }

    /// What was held back.
    fn end(&mut self) -> Vec<u8> {
        let matched = self.matched.unwrap_or(0);
        let held = [&vec![b'>'; std::mem::take(&mut self.quotes)], &FROM[..matched]].concat();
        if !held.is_empty() {
            self.matched = None;
        }
        held
    }

    fn is_at_start(&self) -> bool {
        self.matched == Some(0)
    }
}

#[cfg(test)]
mod quoting_tests {
    use proptest::prelude::*;

    use super::*;

    /// Line by line, as the form is defined.
    fn plainly(message: &[u8]) -> Vec<u8> {
        let mut quoted = Vec::new();
        for line in message.split_inclusive(|byte| *byte == b'\n') {
            let quotes = line.iter().take_while(|byte| **byte == b'>').count();
            if line[quotes..].starts_with(FROM) {
                quoted.push(b'>');
            }
            quoted.extend_from_slice(line);
        }
        quoted
    }

    proptest! {
        #[test]
        fn lines_are_quoted_wherever_pieces_end(
            message in prop::collection::vec(prop::sample::select(b">From \nx".to_vec()), 0..200),
            step in 1_usize..20,
        ) {
            let mut quoting = Quoting::default();
            let mut quoted: Vec<u8> = message.chunks(step).flat_map(|piece| quoting.take(piece)).collect();
            quoted.extend(quoting.end());
            prop_assert_eq!(quoted, plainly(&message));
        }
    }
}
