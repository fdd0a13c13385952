//! The spool of a Cyrus IMAP server that is stopped, or a copy of it.
//!
//! | where | a folder is |
//! |---|---|
//! | up to 3.4, and kept by later ones | a directory: `user/ann/Sent`, with a letter before it (`a/user/ann`), and below `domain/e/example.org` |
//! | from 3.6 on | a directory named by an id: `uuid/j/7/j7wy…`; its `cyrus.header` says what it is called |
//!
//! A message is a file `N.`, where N is its UID. `cyrus.index` says which of them are there, and what is known of each; where it cannot be
//! read a folder comes by its files alone: without UIDVALIDITY, flags and dates, and with what was expunged and not yet cleaned up.
//! Whether a message was read is in the index from 2.4 on, for the folder's owner; before, and for others, it is in a database beside the
//! spool, which is not read. Nor are subscriptions. Links are not followed.

pub mod header;
pub mod index;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufReader};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use anser_store::{Flags, Keywords};

use self::index::{Index, Record};
use super::{DEPTH, FOLDERS, Found, MESSAGES, Mail, Place, modified, written};
use crate::source::{Seen, Standing};

/// Folders of everybody that are looked through for those of one.
const ALL: usize = 2_000_000;
/// Partitions that lie beside one another.
const PARTITIONS: usize = 64;

/// The folders of a login: a path leads to a partition, to a directory of some, or to the inbox of the login.
/// [`io::ErrorKind::NotFound`] when there are none.
pub fn folders(root: &Path, login: &str) -> io::Result<Vec<Found>> {
    let mut found = Vec::new();
    if is_folder(root) {
        walk(root, &mut Vec::new(), &mut found);
        return Ok(found);
    }
    let mut partitions = vec![root.to_owned()];
    partitions.extend(dirs(root)?.into_iter().filter(|dir| is_partition(dir)).take(PARTITIONS));
    let (local, domain) = login.split_once('@').unwrap_or((login, ""));
    let domain = Some(domain).filter(|domain| !domain.is_empty());
    // Where the spool has domains, who has the name in none of them is somebody else.
    let or_none = if domain.is_some() && !has_domains(&partitions) { vec![domain, None] } else { vec![domain] };
    for domain in or_none {
        let user = local.replace('.', "^");
        let name = domain.map_or(String::new(), |domain| format!("{domain}!")) + "user." + &user;
        for partition in &partitions {
            for top in tops(partition, &user, domain) {
                walk(&top, &mut Vec::new(), &mut found);
            }
            by_name(&partition.join("uuid"), name.as_bytes(), &mut found);
        }
        if !found.is_empty() {
            found.sort_by(|one, other| one.folder.name.cmp(&other.folder.name));
            tell_apart(&mut found);
            return Ok(found);
        }
    }
    Err(io::Error::new(io::ErrorKind::NotFound, "no folder of the login is in this spool"))
}

/// Whether users of a spool belong to domains: a directory of them, or a folder whose header names one.
fn has_domains(partitions: &[PathBuf]) -> bool {
    let by_id = |partition: &PathBuf| id_dirs(partition.join("uuid")).filter_map(|dir| header::read(&dir)?.name);
    partitions.iter().any(|partition| is_dir(&partition.join("domain")))
        || partitions.iter().flat_map(by_id).any(|name| name.contains(&b'!'))
}

/// Numbers folders of one name, which lie in two partitions, or in both layouts: each comes once.
fn tell_apart(found: &mut [Found]) {
    let (mut last, mut number): (Vec<u8>, u32) = (Vec::new(), 1);
    for one in found {
        let name = &mut one.folder.name;
        number = if *name == last { number + 1 } else { 1 };
        last.clone_from(name);
        if number > 1 {
            name.extend_from_slice(format!(" ({number})").as_bytes());
        }
    }
}

/// Directories, and no links to such, by name.
fn dirs(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(dir)?.flatten().take(ALL);
    let mut found: Vec<PathBuf> =
        entries.filter(|one| one.file_type().is_ok_and(|kind| kind.is_dir())).map(|one| one.path()).collect();
    found.sort();
    Ok(found)
}

/// Whether a directory beside others may be one; not a part of one.
fn is_partition(dir: &Path) -> bool {
    let name = dir.file_name().unwrap_or_default();
    name.len() > 1 && !["user", "uuid", "domain"].iter().any(|part| name == *part)
}

fn is_dir(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir())
}

/// Where folders of a user may begin.
fn tops(partition: &Path, user: &str, domain: Option<&str>) -> Vec<PathBuf> {
    let lettered = |dir: &Path| -> Vec<PathBuf> {
        let letters = dirs(dir).unwrap_or_default().into_iter();
        let letters = letters.filter(|dir| dir.file_name().is_some_and(|name| name.len() == 1));
        letters.chain([dir.to_owned()]).collect()
    };
    // No part of the way may be a link.
    let below = |all: Vec<PathBuf>, name: &str| -> Vec<PathBuf> {
        all.into_iter().map(|dir| dir.join(name)).filter(|dir| is_dir(dir)).collect()
    };
    let bases = match domain {
        Some(domain) => {
            let all = below(vec![partition.to_owned()], "domain");
            below(all.iter().flat_map(|dir| lettered(dir)).collect(), domain)
        }
        None => vec![partition.to_owned()],
    };
    below(below(bases.iter().flat_map(|base| lettered(base)).collect(), "user"), user)
}

/// A folder and those below it.
fn walk(dir: &Path, above: &mut Vec<Vec<u8>>, found: &mut Vec<Found>) {
    if found.len() >= FOLDERS || above.len() > DEPTH {
        return;
    }
    if is_folder(dir) && !header::read(dir).is_some_and(|header| header.is_other) {
        found.push(found_at(above, dir));
    }
    for dir in dirs(dir).unwrap_or_default() {
        let name = dir.file_name().unwrap_or_default().as_bytes();
        if !name.starts_with(b"#") {
            above.push(name.to_vec());
            walk(&dir, above, found);
            above.pop();
        }
    }
}

/// Directories that are named by ids.
fn id_dirs(ids: PathBuf) -> impl Iterator<Item = PathBuf> {
    let within = |dir: PathBuf| dirs(&dir).unwrap_or_default();
    Some(ids).filter(|ids| is_dir(ids)).into_iter().flat_map(within).flat_map(within).flat_map(within).take(ALL)
}

/// Folders in directories that are named by ids: their headers say whose they are.
fn by_name(ids: &Path, user: &[u8], found: &mut Vec<Found>) {
    for dir in id_dirs(ids.to_owned()) {
        let Some(header) = header::read(&dir).filter(|header| !header.is_other) else { continue };
        let Some(below) = header.name.as_deref().and_then(|name| name.strip_prefix(user)) else { continue };
        if found.len() >= FOLDERS || !(below.is_empty() || below.starts_with(b".")) {
            continue;
        }
        let levels: Vec<Vec<u8>> = below.split(|&b| b == b'.').map(<[u8]>::to_vec).collect();
        if !levels[1..].iter().any(|level| level.is_empty() || level.starts_with(b"#")) {
            found.push(found_at(&levels[1..], &dir));
        }
    }
}

/// A folder; in internal names a `^` stands for a dot.
fn found_at(levels: &[Vec<u8>], dir: &Path) -> Found {
    let plain = |level: &Vec<u8>| -> Vec<u8> { level.iter().map(|&b| if b == b'^' { b'.' } else { b }).collect() };
    let levels: Vec<Vec<u8>> =
        if levels.is_empty() { vec![b"INBOX".to_vec()] } else { levels.iter().map(plain).collect() };
    let levels: Vec<&[u8]> = levels.iter().map(Vec::as_slice).collect();
    Found::new(&levels, b'/', dir.to_owned())
}

/// Whether a directory holds a folder: what is known of one, or a message.
fn is_folder(dir: &Path) -> bool {
    let is_file = |name: &str| fs::symlink_metadata(dir.join(name)).is_ok_and(|meta| meta.is_file());
    let has_message =
        || fs::read_dir(dir).into_iter().flatten().flatten().any(|one| uid_of(&one.file_name()).is_some());
    is_file("cyrus.header") || is_file("cyrus.index") || has_message()
}

/// The UID in the name of a message's file.
fn uid_of(name: &OsStr) -> Option<u32> {
    let digits = name.to_str()?.strip_suffix('.')?;
    let is_plain = !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|_| is_plain)
}

/// How a folder stands, and its messages by UID. Without UIDVALIDITY where its index cannot be read.
pub fn messages(dir: &Path, is_inbox: bool) -> io::Result<(Standing, Vec<Mail>)> {
    let keywords = header::read(dir).unwrap_or_default().keywords;
    let index = match index_of(dir) {
        Ok(index) => index,
        Err(error) => {
            tracing::warn!(folder = %dir.display(), %error, "its index cannot be read: it comes by its files alone");
            return Ok((Standing::default(), files(dir)?));
        }
    };
    let mail = |record: &Record| {
        let uidl = match index.is_new_uidl {
            true => format!("{}.{}", index.uidvalidity, record.uid),
            false => record.uid.to_string(),
        };
        let named =
            keywords.iter().enumerate().filter(|(bit, name)| record.keywords >> bit & 1 == 1 && !name.is_empty());
        let seen = Seen {
            uidl: is_inbox.then_some(uidl),
            flags: record.flags,
            keywords: Keywords::new(named.map(|(_, name)| name.as_str())),
            received: written(record.date, 0),
            size: record.size,
            ..of_uid(record.uid)
        };
        Mail::new(&seen, place(dir, record.uid), &[])
    };
    let standing =
        Standing { uidvalidity: index.uidvalidity, uidnext: index.last_uid.saturating_add(1), ..Standing::default() };
    Ok((standing, index.records.iter().map(mail).collect()))
}

fn index_of(dir: &Path) -> io::Result<Index> {
    let path = dir.join("cyrus.index");
    let meta = fs::symlink_metadata(&path)?;
    if !meta.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is no file"));
    }
    index::read(&mut BufReader::new(File::open(path)?), meta.len())
}

/// What the files of a folder tell by themselves.
fn files(dir: &Path) -> io::Result<Vec<Mail>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)?.flatten().take(MESSAGES) {
        let Some(uid) = uid_of(&entry.file_name()) else { continue };
        // Of the entry itself, which may be a link.
        let Ok(meta) = entry.metadata() else { continue };
        if meta.is_file() {
            found.push(Seen { written: modified(&meta), size: meta.len(), ..of_uid(uid) });
        }
    }
    found.sort_by_key(|seen| seen.uid);
    Ok(found.iter().map(|seen| Mail::new(seen, place(dir, seen.uid), &[])).collect())
}

fn of_uid(uid: u32) -> Seen {
    let (flags, keywords, received) = (Flags::default(), Keywords::default(), String::new());
    let (at, key, uidl, written, size) = (0, uid.to_be_bytes().to_vec(), None, None, 0);
    Seen { at, key, uid, uidl, identity: None, flags, keywords, received, written, size }
}

fn place(dir: &Path, uid: u32) -> Place {
    Place::Exact(dir.join(format!("{uid}.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_messages_have_names_of_messages() {
        let uid = |name: &str| uid_of(OsStr::new(name));
        assert_eq!((uid("7."), uid("4294967295.")), (Some(7), Some(u32::MAX)));
        for name in ["7", "7.x", "07.", "0.", ".", "+7.", "4294967296.", "cyrus.index", "a."] {
            assert_eq!(uid(name), None, "{name}");
        }
    }
}
