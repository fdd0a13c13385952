//! mbox as `anser export` writes it: mboxrd. Before each message stand four lines that are not part of it, in a form that other programs
//! take for header fields: `Status`, `X-Status`, `X-Keywords`, and `X-Anser` with the message's exact length, date and zone. Read by
//! [`anser_migrate::files::mbox`] they give every byte again.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anser_base::{Error, Result, Timestamp};
use anser_migrate::files::mbox::LETTERS;
use anser_store::Flags;

use crate::answer::Mail;
use crate::mail::cannot;

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
