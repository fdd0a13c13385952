//! Messages in a zip or tar file, each a member whose name ends in `.eml`: what webmail hands out for download, and what Zimbra exports,
//! with a `.meta` beside each message. Directories in the file are folders.
//!
//! A zip is read in any order. A tar file is gone through: once for the list, and again for the bodies, in its order.

mod meta;
mod tar;

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use zip::ZipArchive;

use super::{DEPTH, FOLDERS, Found, MESSAGES, Mail, Place, key_of};
use crate::source::Seen;
use meta::Meta;
use tar::Tar;

/// Longest `.meta` that is read, in bytes.
const META: u64 = 256 * 1024;
/// Longest name of a member, in bytes.
const NAME: usize = 16 * 1024;
/// Bytes at the beginning of a file that tell what it is.
const MAGIC: usize = 512;

/// A member that is a message.
#[derive(Clone)]
pub struct Member {
    archive: Arc<Archive>,
    number: usize,
    size: u64,
}

impl std::fmt::Debug for Member {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Member({})", self.number)
    }
}

enum Archive {
    Zip(Mutex<ZipArchive<BufReader<File>>>),
    Tar(PathBuf, Mutex<Option<Going>>),
}

/// A tar file on the way from message to message.
struct Going {
    tar: Tar<Box<dyn io::BufRead + Send>>,
    /// The number of the next member.
    next: usize,
}

/// Whether a file is one that is read here.
pub fn is_archive(path: &Path) -> bool {
    let mut begin = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAGIC as u64).read_to_end(&mut begin));
    read.is_ok()
        && (begin.starts_with(b"PK\x03\x04")
            || begin.starts_with(&[0x1f, 0x8b])
            || begin.get(257..262) == Some(b"ustar"))
}

/// The folders of an archive, each with its messages.
pub fn folders(path: &Path) -> io::Result<Vec<(Found, Vec<Mail>)>> {
    let mut begin = [0; 2];
    File::open(path)?.read_exact(&mut begin)?;
    let mut list = List {
        path: path.to_owned(),
        folders: vec![(Found::new(&[b"INBOX"], b'/', path.to_owned()), Vec::new())],
        ..List::default()
    };
    match &begin {
        b"PK" => list.zip(File::open(path)?)?,
        _ => list.tar()?,
    }
    Ok(list.end())
}

#[derive(Default)]
struct List {
    path: PathBuf,
    folders: Vec<(Found, Vec<Mail>)>,
    /// Where each folder is among them, by its name.
    known: HashMap<Vec<u8>, usize>,
    /// What is told of messages, by the names of their members.
    metas: HashMap<Vec<u8>, Meta>,
    /// Messages, and their members' names.
    messages: Vec<(Vec<u8>, Member)>,
}

impl List {
    fn zip(&mut self, file: File) -> io::Result<()> {
        let mut zip = ZipArchive::new(BufReader::new(file))?;
        let mut found = Vec::new();
        for number in 0..zip.len().min(MESSAGES) {
            // One that cannot be opened is told of when its body is asked for.
            let Ok(member) = zip.by_index_raw(number) else { continue };
            let (name, size) = (member.name_raw().to_vec(), member.size());
            drop(member);
            if is_meta(&name) && size <= META {
                let member = zip.by_index(number)?;
                self.take_meta(&name, member)?;
            } else if is_message(&name) {
                found.push((name, number, size));
            }
        }
        let archive = Arc::new(Archive::Zip(Mutex::new(zip)));
        let member = |(name, number, size)| (name, Member { archive: archive.clone(), number, size });
        self.messages.extend(found.into_iter().map(member));
        Ok(())
    }

    fn tar(&mut self) -> io::Result<()> {
        let mut tar = tar::open(&self.path)?;
        let archive = Arc::new(Archive::Tar(self.path.clone(), Mutex::new(None)));
        for number in 0.. {
            let Some(head) = tar.next()? else { break };
            if is_meta(&head.name) && head.size <= META {
                self.take_meta(&head.name, &mut tar)?;
            } else if is_message(&head.name) && self.messages.len() < MESSAGES {
                self.messages.push((head.name, Member { archive: archive.clone(), number, size: head.size }));
            }
        }
        Ok(())
    }

    fn take_meta(&mut self, name: &[u8], member: impl Read) -> io::Result<()> {
        let mut text = Vec::new();
        member.take(META).read_to_end(&mut text)?;
        if self.metas.len() < MESSAGES
            && let Some(meta) = Meta::parse(&text)
        {
            self.metas.insert(name[..name.len() - ENDING.len()].to_vec(), meta);
        }
        Ok(())
    }

    /// Messages into their folders.
    fn end(mut self) -> Vec<(Found, Vec<Mail>)> {
        let mut met: HashMap<Vec<u8>, u32> = HashMap::new();
        for (name, member) in std::mem::take(&mut self.messages) {
            let meta = self.metas.remove(&name).unwrap_or_default();
            let trimmed = name.strip_prefix(b"./").unwrap_or(&name);
            let (dir, file) = match trimmed.iter().rposition(|byte| *byte == b'/') {
                Some(at) => (&trimmed[..at], &trimmed[at + 1..]),
                None => (&b""[..], trimmed),
            };
            let Some(at) = self.folder(dir) else { continue };
            // Some zips hold two members of one name.
            let again = met.entry(name.clone()).or_default();
            let key =
                if *again == 0 { key_of(file) } else { key_of(&[file, b" ", again.to_string().as_bytes()].concat()) };
            *again += 1;
            let (uidl, size) = (None, member.size);
            let (flags, keywords, received) = (meta.flags, meta.keywords, meta.received);
            let seen =
                Seen { at: 0, key, uid: 0, uidl, identity: None, flags, keywords, received, written: None, size };
            self.folders[at].1.push(Mail::new(&seen, Place::Member(member), &[]));
        }
        self.folders
    }

    fn folder(&mut self, dir: &[u8]) -> Option<usize> {
        if let Some(at) = self.known.get(dir) {
            return Some(*at);
        }
        let levels: Vec<&[u8]> =
            dir.split(|byte| *byte == b'/').filter(|level| !level.is_empty()).take(DEPTH).collect();
        let is_inbox = levels.is_empty() || (levels.len() == 1 && levels[0].eq_ignore_ascii_case(b"inbox"));
        let at = if is_inbox { 0 } else { self.folders.len() };
        if at >= FOLDERS {
            return None;
        }
        if at > 0 {
            self.folders.push((Found::new(&levels, b'/', self.path.clone()), Vec::new()));
        }
        self.known.insert(dir.to_vec(), at);
        Some(at)
    }
}

/// The end of the name of what Zimbra tells of a message.
const ENDING: &[u8] = b".meta";

fn is_meta(name: &[u8]) -> bool {
    name.strip_suffix(ENDING).is_some_and(is_message)
}

fn is_message(name: &[u8]) -> bool {
    let ending = name.len().checked_sub(4).map(|at| &name[at..]);
    name.len() <= NAME && ending.is_some_and(|ending| ending.eq_ignore_ascii_case(b".eml"))
}

impl Member {
    /// Hands its bytes to a reader. Of a tar file those of later members are cheap, those of earlier ones want it gone through again.
    pub fn read<R>(&self, reader: impl FnOnce(&mut dyn Read) -> io::Result<R>) -> io::Result<R> {
        match &*self.archive {
            Archive::Zip(zip) => {
                let mut zip = zip.lock().unwrap_or_else(PoisonError::into_inner);
                // No more than it says: what is packed may be a bomb.
                reader(&mut zip.by_index(self.number)?.take(self.size))
            }
            Archive::Tar(path, going) => {
                let mut going = going.lock().unwrap_or_else(PoisonError::into_inner);
                let mut at = match going.take().filter(|going| going.next <= self.number) {
                    Some(at) => at,
                    None => Going { tar: tar::open(path)?, next: 0 },
                };
                let gone = || io::Error::new(io::ErrorKind::UnexpectedEof, "the archive became shorter");
                let mut head = None;
                while at.next <= self.number {
                    head = Some(at.tar.next()?.ok_or_else(gone)?);
                    at.next += 1;
                }
                let size = head.ok_or_else(gone)?.size;
                let read = reader(&mut (&mut at.tar).take(size))?;
                *going = Some(at);
                Ok(read)
            }
        }
    }
}
