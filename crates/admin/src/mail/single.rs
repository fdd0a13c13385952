//! One message a file.

use std::fs;
use std::path::Path;

use anser_base::Result;
use anser_base::limits::MESSAGE_SIZE;

use crate::answer::Mail;
use crate::mail::{DEPTH, Reading, cannot, date, head, with_crlf};

/// Reads one file, or every file below a folder in the order of names; hidden ones are left out.
pub fn read(path: &Path, folder: &[String], reading: &mut Reading<'_>) -> Result<()> {
    let meta = fs::metadata(path).map_err(|error| cannot(path, &error))?;
    match meta.is_dir() {
        true => walk(path, folder, reading, 0),
        false => one(path, folder, reading),
    }
}

fn walk(path: &Path, folder: &[String], reading: &mut Reading<'_>, depth: usize) -> Result<()> {
    let entries = fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let mut paths: Vec<_> = match entries {
        Ok(entries) if depth < DEPTH => entries.into_iter().map(|entry| entry.path()).collect(),
        Ok(_) => {
            reading.skip(path, "too many levels of folders", "文件夹层级过多");
            return Ok(());
        }
        Err(error) => {
            reading.skip(path, error.to_string(), error.to_string());
            return Ok(());
        }
    };
    paths.sort();
    for path in paths {
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        match fs::metadata(&path) {
            _ if hidden => {}
            Ok(meta) if meta.is_dir() => walk(&path, folder, reading, depth + 1)?,
            Ok(meta) if meta.is_file() => one(&path, folder, reading)?,
            Ok(_) => {}
            Err(error) => reading.skip(&path, error.to_string(), error.to_string()),
        }
    }
    Ok(())
}

fn one(path: &Path, folder: &[String], reading: &mut Reading<'_>) -> Result<()> {
    let Some((raw, written)) = load(path, reading) else { return Ok(()) };
    let body = with_crlf(raw);
    let mut head = head(folder, body.len());
    date::set(&mut head, &body, None, Some(written));
    (reading.mail)(Mail { head, body })
}

/// A whole file and when it was written; `None` when it was skipped.
pub(super) fn load(path: &Path, reading: &mut Reading<'_>) -> Option<(Vec<u8>, std::time::SystemTime)> {
    let found = fs::metadata(path).and_then(|meta| Ok((meta.len(), meta.modified()?)));
    let loaded = match found {
        Ok((size, _)) if size > MESSAGE_SIZE => {
            reading.skip(path, "the message is too large", "邮件过大");
            return None;
        }
        Ok((_, written)) => fs::read(path).map(|raw| (raw, written)),
        Err(error) => Err(error),
    };
    match loaded {
        Ok((raw, written)) => {
            reading.read(raw.len());
            Some((raw, written))
        }
        Err(error) => {
            reading.skip(path, error.to_string(), error.to_string());
            None
        }
    }
}
