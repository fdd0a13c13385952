//! Maildir, with what Dovecot and Courier keep beside the messages.
//!
//! | file | of | tells |
//! |---|---|---|
//! | `dovecot-uidlist`, `courierimapuiddb` | both | UIDVALIDITY, UIDNEXT, UIDs; Dovecot's unique ids |
//! | `dovecot-keywords` | Dovecot | what the letters `a` to `z` mean |
//! | `courierimapkeywords/:list` | Courier | keywords, and who has them; a file beside it named as a message has what changed since |
//! | `courierpop3dsizelist` | Courier | unique ids |
//! | `subscriptions`, `courierimapsubscribed` | both | folders that are subscribed to; without, all are |

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::path::Path;

use anser_store::{Flags, Keywords};

use super::{DEPTH, FOLDERS, Found, MESSAGES, Mail, Place, key_of, modified, written};
use crate::source::{Seen, Standing, keywords_of};

/// Letters of flags in file names.
pub const LETTERS: [(char, Flags); 5] =
    [('D', Flags::DRAFT), ('F', Flags::FLAGGED), ('R', Flags::ANSWERED), ('S', Flags::SEEN), ('T', Flags::DELETED)];
/// The letter `P` (passed on) as the keyword that clients use.
pub const PASSED: &str = "$Forwarded";
/// Keywords that Dovecot gives letters.
pub const KEYWORDS: usize = 26;
/// Largest file beside the messages that is read, in bytes.
const BESIDE: u64 = 1024 * 1024 * 1024;
/// Largest file with the keywords of one message, in bytes.
const CHANGE: u64 = 64 * 1024;
/// Directories that hold messages.
const PARTS: [&str; 3] = ["cur", "new", "tmp"];

/// The folders of a Maildir.
pub fn folders(root: &Path) -> io::Result<Vec<Found>> {
    let mut found = Vec::new();
    if root.join("cur").is_dir() {
        found.push(Found::new(&[b"INBOX"], b'.', root.to_owned()));
    }
    let entries = fs::read_dir(root)?;
    let mut names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
    names.sort();
    for name in &names {
        let (octets, path) = (name.as_encoded_bytes(), root.join(name));
        if let Some(levels) = octets.strip_prefix(b".").filter(|rest| !rest.is_empty() && !rest.starts_with(b"."))
            && path.join("cur").is_dir()
        {
            let levels: Vec<&[u8]> = levels.split(|&b| b == b'.').filter(|level| !level.is_empty()).collect();
            found.push(Found::new(&levels, b'.', path));
        }
    }
    walk(root, &mut Vec::new(), &mut found);
    if found.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "no Maildir: it has no folder cur"));
    }
    subscribe(root, &mut found);
    Ok(found)
}

/// Folders as directories below one another (Dovecot's `LAYOUT=fs`).
fn walk(dir: &Path, above: &mut Vec<Vec<u8>>, found: &mut Vec<Found>) {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name()).collect();
    names.sort();
    for name in names {
        let (octets, path) = (name.as_encoded_bytes(), dir.join(&name));
        let is_own = octets.starts_with(b".") || PARTS.iter().any(|part| part.as_bytes() == octets);
        if is_own
            || octets == b"courierimapkeywords"
            || !path.is_dir()
            || above.len() == DEPTH
            || found.len() >= FOLDERS
        {
            continue;
        }
        above.push(octets.to_vec());
        let levels: Vec<&[u8]> = above.iter().map(Vec::as_slice).collect();
        let is_known = levels.len() == 1 && found.iter().any(|one| one.folder.name == levels[0]);
        if path.join("cur").is_dir() && !is_known {
            found.push(Found::new(&levels, b'/', path.clone()));
        }
        walk(&path, above, found);
        above.pop();
    }
}

/// Names in files of subscriptions have the separator that clients see, and Courier's begin with `INBOX.`; levels tell.
fn subscribe(root: &Path, found: &mut [Found]) {
    let levels = |name: &[u8]| -> Vec<Vec<u8>> {
        let levels = name.split(|b| matches!(b, b'.' | b'/' | b'\t')).map(<[u8]>::to_vec);
        levels.collect()
    };
    let text = ["subscriptions", "courierimapsubscribed"].iter().find_map(|name| fs::read(root.join(name)).ok());
    let Some(text) = text else { return };
    let mut wanted: HashSet<Vec<Vec<u8>>> = HashSet::new();
    for line in text.split(|&b| b == b'\n').map(<[u8]>::trim_ascii_end).filter(|line| !line.is_empty()) {
        let levels = levels(line);
        if levels.len() > 1 && levels[0] == b"INBOX" {
            wanted.insert(levels[1..].to_vec());
        }
        wanted.insert(levels);
    }
    for one in found {
        one.folder.subscribed = wanted.contains(&levels(&one.folder.name));
    }
}

/// What Dovecot or Courier know of the messages of a folder, by base names.
#[derive(Default)]
struct Known {
    standing: Standing,
    numbers: HashMap<Vec<u8>, (u32, Option<String>)>,
    uidls: HashMap<Vec<u8>, String>,
    /// What letters mean.
    letters: HashMap<u8, String>,
    keywords: HashMap<Vec<u8>, Vec<String>>,
}

/// How a folder stands, and its messages: by UID, then by the time in the file name.
pub fn messages(dir: &Path, is_inbox: bool) -> io::Result<(Standing, Vec<Mail>)> {
    let known = Known::read(dir, is_inbox);
    let mut mails = Vec::new();
    for part in ["cur", "new"] {
        // A folder whose `new` is missing is still one.
        for entry in fs::read_dir(dir.join(part)).into_iter().flatten().flatten().take(MESSAGES) {
            let name = entry.file_name();
            let Ok(meta) = fs::metadata(entry.path()) else { continue };
            if name.as_encoded_bytes().starts_with(b".") || !meta.is_file() {
                continue;
            }
            let (base, letters) = base_of(name.as_encoded_bytes());
            let (flags, keywords) = known.marks(base, letters);
            let (uid, uidl) = known.numbers.get(base).cloned().unwrap_or((0, None));
            let uidl = known.uidls.get(base).cloned().or(uidl);
            let received = modified(&meta).map_or(String::new(), |unix| written(unix, 0));
            let (key, size) = (key_of(base), meta.len());
            let seen = Seen { at: 0, key, uid, uidl, identity: None, flags, keywords, received, written: None, size };
            mails.push((seen, entry.path()));
        }
    }
    mails.sort_by_cached_key(|(seen, _)| {
        let name = &seen.key;
        let digits: String = name.iter().take_while(|b| b.is_ascii_digit()).map(|b| char::from(*b)).collect();
        (seen.uid == 0, seen.uid, digits.parse::<u64>().unwrap_or(0), name.clone())
    });
    // A flag that changed while the list was made shows a message twice.
    let mut met = HashSet::new();
    mails.retain(|(seen, _)| met.insert(seen.key.clone()));
    let packed = mails.into_iter().map(|(seen, path)| Mail::new(&seen, Place::Maildir(path), &[]));
    Ok((known.standing, packed.collect()))
}

/// What is before `:2,` (or `;2,`, `!2,` where a colon cannot be), and the letters behind it.
pub fn base_of(name: &[u8]) -> (&[u8], &[u8]) {
    let at = name.windows(3).rposition(|mark| matches!(mark, b":2," | b";2," | b"!2,"));
    at.map_or((name, &[]), |at| (&name[..at], &name[at + 3..]))
}

impl Known {
    fn read(dir: &Path, is_inbox: bool) -> Self {
        let beside = |name: &str| -> Vec<u8> {
            let path = dir.join(name);
            let is_sane = fs::metadata(&path).is_ok_and(|meta| meta.is_file() && meta.len() <= BESIDE);
            if is_sane { fs::read(path).unwrap_or_default() } else { Vec::new() }
        };
        let mut known = Self::default();
        match beside("dovecot-uidlist") {
            list if !list.is_empty() => known.numbers(&list, is_inbox),
            _ => known.numbers(&beside("courierimapuiddb"), false),
        }
        for line in lines(&beside("dovecot-keywords")) {
            let (number, name) = split(line);
            if let Some(number) = parsed::<u8>(number).filter(|number| usize::from(*number) < KEYWORDS) {
                known.letters.insert(b'a' + number, String::from_utf8_lossy(name).trim().to_owned());
            }
        }
        known.courier_keywords(&beside("courierimapkeywords/:list"));
        known.courier_changes(&dir.join("courierimapkeywords"));
        if is_inbox {
            known.courier_uidls(&beside("courierpop3dsizelist"));
        }
        known
    }

    /// `3 V<uidvalidity> N<uidnext> …` and lines of `<uid> [P<unique id>] … :<name>`; before version 3, and with Courier,
    /// `1 <uidvalidity> <uidnext>` and lines of `<uid> <name>`. Dovecot makes unique ids of UIDs where it has noted none.
    fn numbers(&mut self, list: &[u8], makes_uidls: bool) {
        let mut lines = lines(list);
        let Some(head) = lines.next() else { return };
        let (version, rest) = split(head);
        let fields: Vec<&[u8]> = rest.split(|&b| b == b' ').collect();
        let find = |letter: u8| fields.iter().find_map(|field| parsed(field.strip_prefix(&[letter])?));
        let is_third = version == b"3";
        let (uidvalidity, uidnext) = match is_third {
            true => (find(b'V'), find(b'N')),
            false => (fields.first().and_then(|f| parsed(f)), fields.get(1).and_then(|f| parsed(f))),
        };
        let Some(uidvalidity) = uidvalidity else { return };
        self.standing = Standing { uidvalidity, uidnext: uidnext.unwrap_or(1), ..Standing::default() };
        for line in lines {
            let (uid, rest) = split(line);
            let Some(uid) = parsed::<u32>(uid) else { continue };
            let (more, name) = match rest.iter().position(|&b| b == b':').filter(|_| is_third) {
                Some(at) => (&rest[..at], &rest[at + 1..]),
                None => (&[][..], rest),
            };
            let noted = more.split(|&b| b == b' ').find_map(|field| field.strip_prefix(b"P"));
            let uidl = match noted {
                Some(noted) => Some(String::from_utf8_lossy(noted).into_owned()),
                None => makes_uidls.then(|| format!("{uid:08x}{uidvalidity:08x}")),
            };
            self.numbers.insert(base_of(name).0.to_vec(), (uid, uidl));
        }
    }

    /// Names one a line, an empty line, then `<name>:<number> <number> …`.
    fn courier_keywords(&mut self, list: &[u8]) {
        let mut lines = list.split(|&b| b == b'\n');
        let names: Vec<String> = lines
            .by_ref()
            .take_while(|line| !line.is_empty())
            .map(|line| String::from_utf8_lossy(line).into_owned())
            .collect();
        for line in lines {
            let Some(at) = line.iter().rposition(|&b| b == b':') else { continue };
            let numbers = line[at + 1..].split(|&b| b == b' ').filter_map(parsed::<usize>);
            let found: Vec<String> = numbers.filter_map(|number| names.get(number).cloned()).collect();
            self.keywords.insert(base_of(&line[..at]).0.to_vec(), found);
        }
    }

    /// Files of a message's name, each with all of its keywords one a line.
    fn courier_changes(&mut self, dir: &Path) {
        for entry in fs::read_dir(dir).into_iter().flatten().flatten().take(MESSAGES) {
            let name = entry.file_name();
            let is_sane = entry.metadata().is_ok_and(|meta| meta.is_file() && meta.len() <= CHANGE);
            if !is_sane || name.as_encoded_bytes().starts_with(b".") || name.as_encoded_bytes().starts_with(b":") {
                continue;
            }
            // One that went meanwhile is in the list by now.
            let Ok(text) = fs::read(entry.path()) else { continue };
            let words = lines(&text).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
            self.keywords.insert(base_of(name.as_encoded_bytes()).0.to_vec(), words);
        }
    }

    /// `/3 <uid> <uidvalidity>`, then `<name> <size> <uid>:<uidvalidity>:<seen>`, in the second version without the last: the unique id is made
    /// of the UID and UIDVALIDITY, or is the name.
    fn courier_uidls(&mut self, list: &[u8]) {
        for line in lines(list).filter(|line| !line.starts_with(b"/")) {
            let fields: Vec<&[u8]> = line.rsplitn(3, |&b| b == b' ').collect();
            let [numbers, _, name] = fields[..] else { continue };
            let mut numbers = numbers.split(|&b| b == b':').map(|number| parsed::<u64>(number).unwrap_or(0));
            let (uid, validity) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
            let base = base_of(name).0;
            let uidl = match uid {
                0 => String::from_utf8_lossy(base).into_owned(),
                _ => format!("UID{uid}-{validity}"),
            };
            self.uidls.insert(base.to_vec(), uidl);
        }
    }

    fn marks(&self, base: &[u8], letters: &[u8]) -> (Flags, Keywords) {
        let (mut flags, mut words) = (Flags::default(), Vec::new());
        for letter in letters {
            match LETTERS.iter().find(|(known, _)| *known == char::from(*letter)) {
                Some((_, flag)) => flags = flags.with(*flag),
                None if *letter == b'P' => words.push(PASSED),
                None => words.extend(self.letters.get(letter).map(String::as_str)),
            }
        }
        words.extend(self.keywords.get(base).into_iter().flatten().map(String::as_str));
        (flags, keywords_of(words))
    }
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|&b| b == b'\n').filter(|line| !line.is_empty())
}

fn split(line: &[u8]) -> (&[u8], &[u8]) {
    line.iter().position(|&b| b == b' ').map_or((line, &[]), |at| (&line[..at], &line[at + 1..]))
}

fn parsed<N: std::str::FromStr>(text: &[u8]) -> Option<N> {
    std::str::from_utf8(text).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_dovecot_and_courier_note_is_read() {
        let mut known = Known::default();
        known.numbers(b"3 V1275660208 N25022 G30\n25006 :12.a\n25017 W2481 Pold-id :13.b,S=5\n", true);
        assert_eq!((known.standing.uidvalidity, known.standing.uidnext), (1_275_660_208, 25_022));
        assert_eq!(known.numbers[&b"12.a"[..]], (25_006, Some("000061ae4c0907b0".to_owned())));
        assert_eq!(known.numbers[&b"13.b,S=5"[..]], (25_017, Some("old-id".to_owned())));
        let mut known = Known::default();
        known.numbers(b"1 7 12\n3 12.a\n11 13.b\n", false);
        assert_eq!((known.standing.uidvalidity, known.standing.uidnext, known.numbers.len()), (7, 12, 2));
        known.courier_keywords(b"$Label1\nWork\n\n12.a:1 0\n13.b:1\n");
        assert_eq!(known.marks(b"12.a", b"SF").1.iter().collect::<Vec<_>>(), ["$Label1", "Work"]);
        known.courier_uidls(b"/3 8 99\n12.a:2,S 55 7:99:0\n13.b 1 0:0\n14.c 1 8:99\n");
        let uidl = |name: &str| &*known.uidls[name.as_bytes()];
        assert_eq!((uidl("12.a"), uidl("13.b"), uidl("14.c")), ("UID7-99", "13.b", "UID8-99"));
    }

    #[test]
    fn names_are_cut_before_their_flags() {
        assert_eq!(base_of(b"12.a:2,FS"), (&b"12.a"[..], &b"FS"[..]));
        assert_eq!(base_of(b"12.a"), (&b"12.a"[..], &b""[..]));
        assert_eq!(base_of(b"12.a!2,"), (&b"12.a"[..], &b""[..]));
    }
}
