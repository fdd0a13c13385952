//! Mail in files: mbox, Maildir and single messages, read and written. All of it blocks; run it on worker threads.
//!
//! What has lines that end in a bare LF, as files on Unix do, gets CRLF: that is what the same message had on the wire. A message
//! whose first line ends in CRLF is taken byte for byte.

mod date;
pub mod maildir;
pub mod mbox;
pub mod single;

use std::borrow::Cow;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use anser_base::{Error, Result, Text};
use bytes::Bytes;
use memchr::memchr_iter;

use crate::answer::{Mail, MailHead};

/// Levels of folders that are walked.
const DEPTH: usize = 64;

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
/// own goes beside the inbox when that is the inbox, else below it.
pub fn read(form: Form, path: &Path, folder: &[String], reading: &mut Reading<'_>) -> Result<()> {
    match form {
        Form::Mbox => mbox::read(path, folder, reading),
        Form::Maildir => maildir::read(path, folder, reading),
        Form::Single => single::read(path, folder, reading),
    }
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

/// Where a folder of the source goes.
fn below(folder: &[String], path: Vec<String>) -> Vec<String> {
    match folder {
        [inbox] if inbox.eq_ignore_ascii_case("INBOX") => path,
        _ => folder.iter().cloned().chain(path).collect(),
    }
}

fn head(folder: &[String], size: usize) -> MailHead {
    MailHead { folder: folder.to_vec(), size: size as u64, ..MailHead::default() }
}

/// The bytes with CRLF at the end of every line, when the first line ends in a bare LF; else as they are.
fn with_crlf(raw: Vec<u8>) -> Bytes {
    let first = memchr::memchr(b'\n', &raw);
    match first {
        Some(at) if at == 0 || raw[at - 1] != b'\r' => {}
        _ => return raw.into(),
    }
    let mut out = Vec::with_capacity(raw.len() + raw.len() / 32);
    let mut from = 0;
    for at in memchr_iter(b'\n', &raw) {
        out.extend_from_slice(&raw[from..at]);
        if at == 0 || raw[at - 1] != b'\r' {
            out.push(b'\r');
        }
        out.push(b'\n');
        from = at + 1;
    }
    out.extend_from_slice(&raw[from..]);
    out.into()
}

fn cannot(path: &Path, error: &std::io::Error) -> Error {
    Error::invalid(format!("{}: {error}", path.display()), format!("{}：{error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unix_lines_become_wire_lines_and_wire_lines_stay() {
        assert_eq!(&with_crlf(b"a: b\n\nx\r\ny\n".to_vec())[..], b"a: b\r\n\r\nx\r\ny\r\n");
        assert_eq!(&with_crlf(b"a: b\r\n\r\nx\ny\r\n".to_vec())[..], b"a: b\r\n\r\nx\ny\r\n");
        assert_eq!(&with_crlf(b"\n".to_vec())[..], b"\r\n");
        assert_eq!(&with_crlf(b"no line".to_vec())[..], b"no line");
    }

    #[test]
    fn folders_of_the_source_stand_beside_the_inbox_or_below_the_folder() {
        let path = || vec!["Work".to_owned()];
        assert_eq!(below(&["inbox".into()], path()), ["Work"]);
        assert_eq!(below(&["Old".into()], path()), ["Old", "Work"]);
    }
}
