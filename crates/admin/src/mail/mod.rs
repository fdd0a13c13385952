//! Mail in files: read as [`anser_migrate::files`] reads it, written as mbox, Maildir, one message a file, or a tar file of these. All of it blocks; run it on worker threads.

pub mod eml;
pub mod maildir;
pub mod mbox;
mod one;
pub mod tgz;

use std::borrow::Cow;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::{fs, io};

use anser_base::limits::MESSAGE_SIZE;
use anser_base::{Error, Result, Text};
use anser_migrate::Kind;
use anser_migrate::files::{self, DEPTH, Place};
use anser_migrate::name::path_of;
use anser_mime::date;

use crate::answer::{Mail, MailHead};

/// Forms of mail in files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One file, or a folder of `*.mbox` files.
    Mbox,
    /// A Maildir, with subfolders as `.A.B` (Maildir++).
    Maildir,
    /// One message a file; a folder is taken with all below it.
    Single,
}

/// Where an export is written: one message after the other, each in pieces.
pub trait Target {
    /// Begins a message. Those of one mailbox come one after the other.
    fn begin(&mut self, head: &MailHead) -> Result<()>;
    /// More of it.
    fn more(&mut self, piece: &[u8]) -> Result<()>;
    /// Ends it.
    fn end(&mut self) -> Result<()>;
    /// Ends the export: writes what is still in memory.
    fn finish(&mut self) -> Result<()>;
}

/// Where what was read goes.
pub struct Reading<'a> {
    /// Takes each message; an error ends the reading.
    pub mail: &'a mut dyn FnMut(Mail) -> Result<()>,
    /// Is told of each message that is left out, and why.
    pub skipped: &'a mut dyn FnMut(&str, Text),
    /// Bytes of files read so far.
    pub bytes: &'a AtomicU64,
}

impl Reading<'_> {
    fn read(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn skip(&mut self, place: &Path, en: impl Into<Cow<'static, str>>, zh: impl Into<Cow<'static, str>>) {
        (self.skipped)(&place.display().to_string(), Text::new(en, zh));
    }
}

/// Reads all there is at a path. What is in the mailbox of the source's top goes to `folder`; what the source has in folders of its
/// own goes beside the inbox when that is the inbox, else below it. Single files go to `folder` from wherever they lie.
pub fn read(form: Form, path: &Path, folder: &[String], reading: &mut Reading<'_>) -> Result<()> {
    let kind = match form {
        Form::Mbox => Kind::Mbox,
        Form::Maildir => Kind::Maildir,
        Form::Single => Kind::Eml,
    };
    for found in files::folders(kind, path, "").map_err(|error| cannot(path, &error))? {
        let levels = path_of(&found.folder.name, found.folder.delimiter, b"");
        let to = match &levels[..] {
            _ if form == Form::Single => folder.to_vec(),
            [inbox] if inbox == "INBOX" => folder.to_vec(),
            _ => below(folder, levels),
        };
        let (_, mails) = files::messages(kind, &found).map_err(|error| cannot(&found.path, &error))?;
        for mail in &mails {
            read_one(&found.path, mail, &to, reading)?;
        }
    }
    Ok(())
}

fn read_one(path: &Path, mail: &files::Mail, folder: &[String], reading: &mut Reading<'_>) -> Result<()> {
    let (mut body, mut is_too_large) = (Vec::new(), false);
    let taken = files::read::body(&mail.place, &mut |octets| {
        is_too_large = (body.len() + octets.len()) as u64 > MESSAGE_SIZE;
        body.extend_from_slice(octets);
        if is_too_large { Err(io::Error::other("the message is too large")) } else { Ok(()) }
    });
    reading.read(mail.size() as usize);
    let place = match &mail.place {
        Place::Maildir(path) | Place::File(path) | Place::Exact(path) => path,
        Place::Part(_) | Place::Member(_) | Place::Pst(_) => path,
    };
    match taken {
        Err(_) if is_too_large => reading.skip(place, "the message is too large", "邮件过大"),
        Err(error) => reading.skip(place, error.to_string(), error.to_string()),
        Ok(ends) => {
            let seen = mail.seen(0);
            let kept = date::parse_internal_date(seen.received.as_bytes());
            let head = MailHead {
                folder: folder.to_vec(),
                flags: seen.flags.0,
                keywords: seen.keywords.iter().map(str::to_owned).collect(),
                received: kept.map(|date| date.unix.saturating_mul(1000)),
                zone: kept.and_then(|date| i16::try_from(date.offset_minutes).ok()).unwrap_or(0),
                written: seen.written,
                uid: 0,
                size: body.len() as u64,
                line_ends: ends.map(|ends| ends.to_bytes()),
            };
            (reading.mail)(Mail { head, body: body.into() })?;
        }
    }
    Ok(())
}

/// Bytes of all files at a path, for a progress bar.
pub fn total_bytes(path: &Path) -> u64 {
    fn sum(path: &Path, depth: usize) -> u64 {
        let Ok(meta) = fs::metadata(path) else { return 0 };
        if !meta.is_dir() {
            return meta.len();
        }
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        entries.filter(|_| depth < DEPTH).map(|entry| sum(&entry.path(), depth + 1)).sum()
    }
    sum(path, 0)
}

/// Makes sure that a folder is there and empty. `Class::Exists` when it is not empty.
pub fn empty_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|error| cannot(path, &error))?;
    match fs::read_dir(path).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Ok(false) => {
            Err(Error::exists(format!("{} is not empty", path.display()), format!("{} 不是空文件夹", path.display())))
        }
        Err(error) => Err(cannot(path, &error)),
    }
}

/// The name of a mailbox or an address as a file's: `%`, a leading dot and what a file system refuses as `%xx`.
pub fn escaped(level: &str) -> String {
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

/// Where a folder of the source goes.
fn below(folder: &[String], path: Vec<String>) -> Vec<String> {
    match folder {
        [inbox] if inbox.eq_ignore_ascii_case("INBOX") => path,
        _ => folder.iter().cloned().chain(path).collect(),
    }
}

fn cannot(path: &Path, error: &std::io::Error) -> Error {
    Error::invalid(format!("{}: {error}", path.display()), format!("{}：{error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_in_its_folder() {
        assert_eq!(escaped("ann@anser.test"), "ann@anser.test");
        assert_eq!(escaped("../a/b%@anser.test"), "%2e.%2fa%2fb%25@anser.test");
    }

    #[test]
    fn folders_of_the_source_stand_beside_the_inbox_or_below_the_folder() {
        let path = || vec!["Work".to_owned()];
        assert_eq!(below(&["inbox".into()], path()), ["Work"]);
        assert_eq!(below(&["Old".into()], path()), ["Old", "Work"]);
    }
}
