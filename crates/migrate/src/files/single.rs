//! One message a file: `.eml` and Apple's `.emlx`, in whatever directories.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use anser_store::{Flags, Keywords};

use super::{DEPTH, FOLDERS, Found, MESSAGES, Mail, Place, key_of, modified};
use crate::source::{Seen, Standing};

/// Bits of the flags in an `.emlx`.
const BITS: [(u64, Flags); 4] = [(0, Flags::SEEN), (1, Flags::DELETED), (2, Flags::ANSWERED), (4, Flags::FLAGGED)];
/// Bytes at the end of an `.emlx` that its flags are looked for in.
const TAIL: u64 = 8 * 1024;

/// The directories of a tree that hold files; the top, and a single file, are the inbox.
pub fn folders(root: &Path) -> io::Result<Vec<Found>> {
    let mut found = vec![Found::new(&[b"INBOX"], b'/', root.to_owned())];
    if fs::metadata(root)?.is_dir() {
        walk(root, &mut Vec::new(), &mut found)?;
    }
    Ok(found)
}

fn walk(dir: &Path, above: &mut Vec<Vec<u8>>, found: &mut Vec<Found>) -> io::Result<()> {
    let mut names: Vec<_> = fs::read_dir(dir)?.flatten().map(|entry| entry.file_name()).collect();
    names.sort();
    for name in names {
        let path = dir.join(&name);
        let is_hidden = name.as_encoded_bytes().starts_with(b".");
        if is_hidden || !path.is_dir() || above.len() == DEPTH || found.len() >= FOLDERS {
            continue;
        }
        above.push(name.as_encoded_bytes().to_vec());
        let levels: Vec<&[u8]> = above.iter().map(Vec::as_slice).collect();
        found.push(Found::new(&levels, b'/', path.clone()));
        walk(&path, above, found)?;
        above.pop();
    }
    Ok(())
}

/// The messages of a directory, by name; or of one file.
pub fn messages(path: &Path) -> io::Result<(Standing, Vec<Mail>)> {
    let (mut paths, is_tree) = (vec![path.to_owned()], fs::metadata(path)?.is_dir());
    if is_tree {
        paths = fs::read_dir(path)?.flatten().take(MESSAGES).map(|entry| entry.path()).collect();
        paths.sort();
    }
    let mut mails = Vec::new();
    for path in paths {
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        let Ok(meta) = fs::metadata(&path) else { continue };
        if (is_tree && name.starts_with(b".")) || !meta.is_file() {
            continue;
        }
        let is_apples = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("emlx"));
        let flags = if is_apples { flags_of(&path, meta.len()).unwrap_or_default() } else { Flags::default() };
        let (key, size, written) = (key_of(name), meta.len(), modified(&meta));
        let (uidl, keywords, received) = (None, Keywords::default(), String::new());
        let seen = Seen { at: 0, key, uid: 0, uidl, identity: None, flags, keywords, received, written, size };
        mails.push(Mail::new(&seen, Place::File(path), &[]));
    }
    Ok((Standing::default(), mails))
}

fn flags_of(path: &Path, size: u64) -> Option<Flags> {
    let (mut file, mut tail) = (fs::File::open(path).ok()?, Vec::new());
    io::Seek::seek(&mut file, io::SeekFrom::Start(size.saturating_sub(TAIL))).ok()?;
    file.take(TAIL).read_to_end(&mut tail).ok()?;
    let tail = String::from_utf8_lossy(&tail).into_owned();
    let number = tail.rsplit_once("<key>flags</key>")?.1.split_once("<integer>")?.1.split_once('<')?.0;
    let bits: u64 = number.trim().parse().ok()?;
    Some(
        BITS.iter()
            .filter(|(bit, _)| bits >> bit & 1 == 1)
            .fold(Flags::default(), |flags, (_, flag)| flags.with(*flag)),
    )
}
