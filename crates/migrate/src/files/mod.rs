//! Mail that lies in files: Maildir, mbox, one message a file, the spool of a Cyrus. Only ever read.
//!
//! | form | a folder is | a message is known by | besides |
//! |---|---|---|---|
//! | [`maildir`] | a directory with `cur`: `.A.B` beside it (Maildir++), or `A/B` below it | its file name up to `:2,` | UIDs, keywords, unique ids and subscriptions of Dovecot and Courier |
//! | [`mbox`] | a file; `A/B` below a directory, with Thunderbird's `.sbd` | its bytes without what programs note among them | UIDs, flags and keywords as UW IMAP, Dovecot and Thunderbird note them |
//! | [`single`] | a directory | its file name | flags of Apple's `.emlx` |
//! | [`archive`] | a directory in a zip or tar file | its file name | flags, tags and dates as Zimbra notes them |
//! | [`cyrus`] | a directory of a spool | its UID | UIDs, flags, keywords and dates as Cyrus notes them |
//! | [`pst`] | a folder | the number of its node | flags and dates as Outlook notes them; mail is built of properties |
//! | [`takeout`] | a label | its bytes | labels of Google's own as flags |
//!
//! Lines that end in a bare LF get CRLF, as they had on the wire; a message whose first line ends in CRLF is taken byte for byte. How lines
//! ended that were changed is kept with the message ([`Ends`]), and an export gives the file again. Files
//! of a Maildir that are compressed with gzip are read through. All of this blocks: it runs on threads of its own.

pub mod archive;
pub mod cyrus;
mod ends;
pub mod fetch;
mod mail;
pub mod maildir;
pub mod mbox;
pub mod pst;
pub mod read;
pub mod single;
pub mod takeout;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anser_base::{Clock, Error};
use anser_mime::date::{DateTime, format_internal_date};
use anser_store::LedgerFolder;

use crate::model::{Kind, Source};
use crate::source::{Folder, KEY, Seen, Space, Standing, Window};
use crate::trouble::Trouble;

pub use ends::{Ends, Restore};
pub use mail::Mail;

/// Levels of directories that are walked.
pub const DEPTH: usize = 64;
/// Folders of one login that are followed at most.
const FOLDERS: usize = 20_000;
/// Dates before the year 10,000, in seconds since 1970.
const LATEST: i64 = 253_402_300_800;
/// Messages of one folder at most.
const MESSAGES: usize = 10_000_000;

/// Where the bytes of a message lie.
#[derive(Clone, Debug)]
pub enum Place {
    /// They are a file of a Maildir, which may be renamed meanwhile.
    Maildir(PathBuf),
    /// They are a file.
    File(PathBuf),
    /// They are a file, byte for byte, and no link.
    Exact(PathBuf),
    /// They are some bytes of a file.
    Part(mbox::Part),
    /// They are a member of a zip or tar file.
    Member(archive::Member),
    /// They are made of a node of a PST file.
    Pst(pst::Node),
}

/// A folder, and where it lies.
#[derive(Clone, Debug)]
pub struct Found {
    /// As every source tells of one.
    pub folder: Folder,
    /// Its directory or file.
    pub path: PathBuf,
}

impl Found {
    fn new(levels: &[&[u8]], delimiter: u8, path: PathBuf) -> Self {
        let (attributes, standing) = (Vec::new(), None);
        let folder = Folder {
            name: levels.join(&delimiter),
            delimiter: Some(delimiter),
            attributes,
            subscribed: true,
            standing,
            stamp: 0,
            id: 0,
            space: Space::Own,
        };
        Self { folder, path }
    }
}

/// The folders of a tree; of a tree that holds those of everybody, the folders of one login. [`io::ErrorKind::NotFound`] when there is no
/// mail of this form.
pub fn folders(kind: Kind, root: &Path, login: &str) -> io::Result<Vec<Found>> {
    let mut found = match kind {
        Kind::Maildir => maildir::folders(root)?,
        Kind::Mbox => mbox::folders(root)?,
        Kind::Cyrus => cyrus::folders(root, login)?,
        _ => single::folders(root)?,
    };
    found.truncate(FOLDERS);
    for one in &mut found {
        one.folder.stamp = stamp(kind, &one.path);
    }
    Ok(found)
}

/// Files that are younger than this, in seconds, may be written to once more within what their time is measured by.
const YOUNG: i64 = 2;

/// A number that is another one after every change of a folder; 0 when no number can tell.
fn stamp(kind: Kind, path: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let parts: &[&str] = match kind {
        Kind::Maildir => {
            &["cur", "new", "dovecot-uidlist", "dovecot-keywords", "courierimapuiddb", "courierimapkeywords"]
        }
        Kind::Mbox => &[""],
        Kind::Cyrus => &["", "cyrus.index", "cyrus.header"],
        _ => return 0,
    };
    let (mut hash, oldest) = (blake3::Hasher::new(), Clock::System.now().secs() - YOUNG);
    for part in parts {
        let path = if part.is_empty() { path.to_owned() } else { path.join(part) };
        let Ok(meta) = std::fs::metadata(path) else { continue };
        if meta.mtime() > oldest {
            return 0;
        }
        for number in
            [meta.mtime(), meta.mtime_nsec(), meta.ctime(), meta.ctime_nsec(), meta.size() as i64, meta.ino() as i64]
        {
            hash.update(&number.to_le_bytes());
        }
    }
    let mut number = [0; 8];
    number.copy_from_slice(&hash.finalize().as_bytes()[..8]);
    // It is kept where a modification sequence is, which has 63 bits.
    u64::from_le_bytes(number) >> 1 | 1
}

/// How a folder stands, and its messages in their order.
pub fn messages(kind: Kind, found: &Found) -> io::Result<(Standing, Vec<Mail>)> {
    let (mut standing, mut mails) = match kind {
        Kind::Maildir => maildir::messages(&found.path, found.folder.name == b"INBOX")?,
        Kind::Mbox => mbox::messages(&found.path)?,
        Kind::Cyrus => cyrus::messages(&found.path, found.folder.name == b"INBOX")?,
        _ => single::messages(&found.path)?,
    };
    mails.truncate(MESSAGES);
    (standing.messages, standing.modseq) = (mails.len() as u64, found.folder.stamp);
    if standing.uidvalidity > 0 {
        let last = mails.iter().map(Mail::uid).max().unwrap_or(0);
        standing.uidnext = standing.uidnext.max(last.saturating_add(1));
    }
    Ok((standing, mails))
}

/// Folders that are known with their messages, since all of a file is read for them; `None` where each folder is read by itself.
fn contents(kind: Kind, root: &Path) -> io::Result<Option<Vec<(Found, Vec<Mail>)>>> {
    Ok(match kind {
        Kind::Takeout => Some(takeout::folders(root)?),
        Kind::Pst => Some(pst::folders(root)?),
        Kind::Eml if archive::is_archive(root) => Some(archive::folders(root)?),
        _ => None,
    })
}

/// A tree, open for one login.
pub struct Files {
    kind: Kind,
    found: HashMap<Vec<u8>, Found>,
    /// Of folders that are known with their messages.
    contents: HashMap<Vec<u8>, Arc<Vec<Mail>>>,
    root: PathBuf,
    login: String,
    /// What was found at the opening, until somebody asks for it: to find it all of a file may have been read.
    listed: Option<Vec<Folder>>,
    /// Messages of the open folder.
    open: Arc<Vec<Mail>>,
    /// The folder that is opened behind its mark, and how it stood then.
    mark: Option<(Vec<u8>, Standing)>,
    went_on: bool,
}

impl Files {
    /// Finds the tree of a login: the path of the source, with the login for `%u`, what is before its `@` for `%n`, what is behind it
    /// for `%d`. [`Trouble::Login`] when there is none.
    pub async fn open(source: &Source, login: &str) -> Result<Self, Trouble> {
        let missing = |why: String| Trouble::Login { kind: "missing", why };
        let root = path_of(&source.host, login).ok_or_else(|| missing(format!("{login} is no name of a directory")))?;
        let (found, contents) = (HashMap::new(), HashMap::new());
        let (open, mark, went_on) = (Arc::default(), None, false);
        let mut files = Self {
            kind: source.kind,
            found,
            contents,
            root,
            login: login.to_owned(),
            listed: None,
            open,
            mark,
            went_on,
        };
        files.listed = Some(files.look().await?);
        Ok(files)
    }

    /// Every folder of the tree.
    pub async fn folders(&mut self) -> Result<Vec<Folder>, Trouble> {
        match self.listed.take() {
            Some(listed) => Ok(listed),
            None => self.look().await,
        }
    }

    async fn look(&mut self) -> Result<Vec<Folder>, Trouble> {
        let (kind, root, login) = (self.kind, self.root.clone(), self.login.clone());
        let walk = move || -> io::Result<(Vec<Found>, HashMap<Vec<u8>, Arc<Vec<Mail>>>)> {
            let Some(all) = contents(kind, &root)? else { return Ok((folders(kind, &root, &login)?, HashMap::new())) };
            let (mut walked, mut contents) = (Vec::new(), HashMap::new());
            for (found, mails) in all {
                contents.insert(found.folder.name.clone(), Arc::new(mails));
                walked.push(found);
            }
            Ok((walked, contents))
        };
        let walked = tokio::task::spawn_blocking(walk).await.map_err(Error::unavailable)?;
        let why = |error: io::Error| format!("{}: {error}", self.root.display());
        let (walked, contents) = walked.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Trouble::Login { kind: "missing", why: why(error) },
            _ => Trouble::lost(why(error)),
        })?;
        self.contents = contents;
        let list = walked.iter().map(|found| found.folder.clone()).collect();
        self.found = walked.into_iter().map(|found| (found.folder.name.clone(), found)).collect();
        Ok(list)
    }

    /// Opens a folder: reads what it holds, but for bodies.
    pub async fn examine(&mut self, name: &[u8]) -> Result<Standing, Trouble> {
        let Some(found) = self.found.get(name).cloned() else {
            return Err(Trouble::Refused("there is no such folder".to_owned()));
        };
        self.went_on = false;
        if let Some(mails) = self.contents.get(name) {
            self.open = mails.clone();
            return Ok(Standing { messages: mails.len() as u64, ..Standing::default() });
        }
        let (kind, path) = (self.kind, found.path.display().to_string());
        let before = self.mark.as_ref().filter(|(marked, _)| marked == name).map(|(_, before)| *before);
        let read = move || match before.map(|before| mbox::behind(&found.path, &before)).transpose()?.flatten() {
            Some((mut standing, mails)) => {
                standing.modseq = found.folder.stamp;
                Ok((standing, mails, true))
            }
            None => messages(kind, &found).map(|(standing, mails)| (standing, mails, false)),
        };
        let read = tokio::task::spawn_blocking(read).await.map_err(Error::unavailable)?;
        let (standing, mails, went_on) =
            read.map_err(|error: io::Error| Trouble::Refused(format!("{path}: {error}")))?;
        (self.open, self.went_on) = (Arc::new(mails), went_on);
        Ok(standing)
    }

    /// See [`Origin::go_on_from`](crate::source::Origin::go_on_from).
    pub fn go_on_from(&mut self, folder: Option<&LedgerFolder>) {
        self.mark = folder.filter(|_| self.kind == Kind::Mbox).and_then(|folder| {
            let LedgerFolder { messages, uidvalidity, uidnext, modseq, .. } = *folder;
            let mark = folder.mark.as_slice().try_into().ok()?;
            Some((folder.name.clone(), Standing { messages, uidvalidity, uidnext, modseq, mark, id: 0 }))
        });
    }

    /// Whether a folder comes by its files alone, since what its program noted of it cannot be read.
    pub fn is_bare(&self, standing: &Standing) -> bool {
        self.kind == Kind::Cyrus && standing.uidvalidity == 0
    }

    /// Whether the open folder was opened behind its mark.
    pub fn went_on(&self) -> bool {
        self.went_on
    }

    /// The messages of a window of the open folder.
    pub fn list(&self, window: Window) -> Vec<Seen> {
        let (first, last) = (window.first.max(1) as usize - 1, window.last as usize);
        let within = self.open.get(first..last.min(self.open.len())).unwrap_or_default();
        (window.first.max(1)..).zip(within).map(|(at, mail)| mail.seen(at)).collect()
    }

    /// Where messages of the open folder lie.
    pub fn opened(&self) -> Arc<Vec<Mail>> {
        self.open.clone()
    }
}

/// The path of a login. A login must not lead anywhere else.
fn path_of(template: &str, login: &str) -> Option<PathBuf> {
    let (local, domain) = login.split_once('@').unwrap_or((login, ""));
    let is_plain = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.contains(['/', '\0']);
    if !is_plain(local) || (!domain.is_empty() && !is_plain(domain)) {
        return None;
    }
    Some(template.replace("%u", login).replace("%n", local).replace("%d", domain).into())
}

/// A date as the list of a source writes it; nothing for one that no calendar has.
fn written(unix: i64, offset_minutes: i32) -> String {
    match (0..LATEST).contains(&unix) && offset_minutes.abs() < 24 * 60 {
        true => format_internal_date(DateTime { unix, offset_minutes }),
        false => String::new(),
    }
}

/// A label or tag as a keyword that clients can name.
fn keyword_of(label: &str) -> String {
    let plain =
        |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.' | ':' | '/' | '+' | '$' | '@');
    label.trim().chars().map(|letter| if plain(letter) { letter } else { '_' }).collect()
}

/// What the ledger knows a file by.
fn key_of(name: &[u8]) -> Vec<u8> {
    match name.len() <= KEY {
        true => name.to_vec(),
        false => anser_base::BlobId::of(name).to_hex().into_bytes(),
    }
}

/// When a file was written, in seconds since 1970.
fn modified(meta: &std::fs::Metadata) -> Option<i64> {
    let since = meta.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_leads_to_its_own_tree_only() {
        let path = |login| path_of("/old/%d/%n/Maildir", login).map(|path| path.display().to_string());
        assert_eq!(path("ann@x.y").as_deref(), Some("/old/x.y/ann/Maildir"));
        assert_eq!(path_of("/old/%u", "ann"), Some("/old/ann".into()));
        for login in ["../root", "ann@../..", "a/b", "", ".", "@x.y", "ann@x/y"] {
            assert_eq!(path(login), None, "{login}");
        }
    }
}
