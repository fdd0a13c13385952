//! Maildir, with subfolders as Maildir++ has them: `.A.B` beside `cur`, names in modified UTF-7.

use std::fs::{self, File, FileTimes};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use anser_base::{Result, Timestamp};
use anser_store::Flags;
use anser_wire::imap::{decode_mutf7, encode_mutf7};

use crate::answer::Mail;
use crate::mail::{Reading, below, cannot, date, head, single, with_crlf};

/// Letters of flags in file names.
const LETTERS: [(char, Flags); 5] =
    [('D', Flags::DRAFT), ('F', Flags::FLAGGED), ('R', Flags::ANSWERED), ('S', Flags::SEEN), ('T', Flags::DELETED)];
/// The letter `P` (passed on) as the keyword that clients use.
const PASSED: &str = "$Forwarded";
/// Keywords that Dovecot gives letters, `a` to `z`, by the file `dovecot-keywords`.
const KEYWORDS: usize = 26;
/// What a gzip file starts with.
const GZIP: &[u8] = &[0x1f, 0x8b];

/// Reads a Maildir and its subfolders.
pub fn read(path: &Path, folder: &[String], reading: &mut Reading<'_>) -> Result<()> {
    if !path.join("cur").is_dir() {
        let missing = std::io::Error::new(std::io::ErrorKind::NotFound, "no Maildir: it has no folder cur");
        return Err(cannot(path, &missing));
    }
    read_one(path, folder, reading)?;
    let entries = fs::read_dir(path).map_err(|error| cannot(path, &error))?;
    let mut names: Vec<String> = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    for name in names {
        let sub = path.join(&name);
        if let Some(levels) = name.strip_prefix('.').filter(|rest| !rest.is_empty() && *rest != ".")
            && sub.join("cur").is_dir()
        {
            read_one(&sub, &below(folder, levels_of(levels)), reading)?;
        }
    }
    Ok(())
}

fn levels_of(name: &str) -> Vec<String> {
    let level = |part: &str| decode_mutf7(part).unwrap_or_else(|| part.to_owned()).replace('/', "_");
    name.split('.').filter(|part| !part.is_empty()).map(level).collect()
}

fn read_one(dir: &Path, folder: &[String], reading: &mut Reading<'_>) -> Result<()> {
    let keywords = fs::read_to_string(dir.join("dovecot-keywords")).map(|text| keywords_of(&text)).unwrap_or_default();
    let mut files = Vec::new();
    for part in ["cur", "new"] {
        let entries = fs::read_dir(dir.join(part)).into_iter().flatten().flatten();
        files.extend(entries.map(|entry| entry.path()).filter(|path| path.is_file()));
    }
    files.sort_by_key(|path| order(path));
    for path in files {
        let Some((raw, written)) = single::load(&path, reading) else { continue };
        if raw.starts_with(GZIP) {
            reading.skip(&path, "the file is compressed; unpack it first", "文件已压缩，请先解压");
            continue;
        }
        let body = with_crlf(raw);
        let mut head = head(folder, body.len());
        (head.flags, head.keywords) = flags_of(&path, &keywords);
        date::set(&mut head, &body, Some(date::of_file(written)), Some(written));
        (reading.mail)(Mail { head, body })?;
    }
    Ok(())
}

/// By the time in the name, then by the name.
fn order(path: &Path) -> (u64, PathBuf) {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let digits: String = name.chars().take_while(char::is_ascii_digit).collect();
    (digits.parse().unwrap_or(0), name.into())
}

fn keywords_of(text: &str) -> Vec<(usize, String)> {
    let line = |line: &str| {
        let (number, name) = line.split_once(' ')?;
        Some((number.parse().ok().filter(|number| *number < KEYWORDS)?, name.trim().to_owned()))
    };
    text.lines().filter_map(line).collect()
}

/// The letters behind `:2,` (or `;2,`, `!2,` where a colon cannot be).
fn flags_of(path: &Path, known: &[(usize, String)]) -> (u32, Vec<String>) {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let letters = [":2,", ";2,", "!2,"].iter().find_map(|mark| name.rsplit_once(mark)).map_or("", |(_, rest)| rest);
    let (mut flags, mut keywords) = (Flags::default(), Vec::new());
    for letter in letters.chars() {
        match LETTERS.iter().find(|(known, _)| *known == letter) {
            Some((_, flag)) => flags = flags.with(*flag),
            None if letter == 'P' => keywords.push(PASSED.to_owned()),
            None if letter.is_ascii_lowercase() => {
                let number = usize::from(letter as u8 - b'a');
                keywords.extend(known.iter().find(|(known, _)| *known == number).map(|(_, name)| name.clone()));
            }
            None => {}
        }
    }
    (flags.0, keywords)
}

/// Writes a new Maildir.
#[derive(Debug)]
pub struct Writer {
    root: PathBuf,
    open: Option<Open>,
    written: u64,
}

/// The folder that is being written.
#[derive(Debug)]
struct Open {
    folder: Vec<String>,
    dir: PathBuf,
    keywords: Vec<String>,
}

impl Writer {
    /// In a folder that is not there yet or is empty.
    pub fn create(root: &Path) -> Result<Self> {
        super::mbox::empty_folder(root)?;
        make_maildir(root)?;
        Ok(Self { root: root.to_owned(), open: None, written: 0 })
    }

    /// Adds a message. Keywords beyond 26 in one folder are left out.
    pub fn add(&mut self, mail: &Mail) -> Result<()> {
        let open = match self.open.take() {
            Some(open) if open.folder == mail.head.folder => open,
            _ => self.enter(&mail.head.folder)?,
        };
        let open = self.open.insert(open);
        let received = Timestamp(mail.head.received.unwrap_or_default());
        self.written += 1;
        let name = format!(
            "{}.M{:06}P{:010}.anser,S={}:2,{}",
            received.secs().max(0),
            self.written % 1_000_000,
            mail.head.uid,
            mail.body.len(),
            letters(mail, &mut open.keywords)
        );
        let path = open.dir.join("cur").join(name);
        let write = || {
            let mut file = File::create_new(&path)?;
            file.write_all(&mail.body)?;
            let at = UNIX_EPOCH + Duration::from_millis(u64::try_from(received.0).unwrap_or(0));
            file.set_times(FileTimes::new().set_modified(at))
        };
        write().map_err(|error| cannot(&path, &error))?;
        if open.keywords.is_empty() {
            return Ok(());
        }
        write_keywords(&open.dir, &open.keywords)
    }

    fn enter(&self, folder: &[String]) -> Result<Open> {
        let dir = match folder {
            [inbox] if inbox.eq_ignore_ascii_case("INBOX") => self.root.clone(),
            levels => self
                .root
                .join(format!(".{}", levels.iter().map(|level| file_level(level)).collect::<Vec<_>>().join("."))),
        };
        make_maildir(&dir)?;
        Ok(Open { folder: folder.to_vec(), dir, keywords: Vec::new() })
    }
}

/// A level's name; a dot would split it.
fn file_level(level: &str) -> String {
    encode_mutf7(level).replace('.', "&AC4-")
}

fn make_maildir(dir: &Path) -> Result<()> {
    for part in ["cur", "new", "tmp"] {
        let path = dir.join(part);
        fs::create_dir_all(&path).map_err(|error| cannot(&path, &error))?;
    }
    Ok(())
}

fn letters(mail: &Mail, known: &mut Vec<String>) -> String {
    let flags = Flags(mail.head.flags);
    let mut letters: Vec<char> =
        LETTERS.iter().filter(|(_, flag)| flags.has(*flag)).map(|(letter, _)| *letter).collect();
    for keyword in &mail.head.keywords {
        let at = known.iter().position(|known| known == keyword);
        match at {
            _ if keyword.eq_ignore_ascii_case(PASSED) => letters.push('P'),
            Some(at) => letters.push(char::from(b'a' + at as u8)),
            None if known.len() < KEYWORDS => {
                letters.push(char::from(b'a' + known.len() as u8));
                known.push(keyword.clone());
            }
            None => {}
        }
    }
    letters.sort_unstable();
    letters.into_iter().collect()
}

fn write_keywords(dir: &Path, keywords: &[String]) -> Result<()> {
    let path = dir.join("dovecot-keywords");
    let text: String = keywords.iter().enumerate().map(|(number, name)| format!("{number} {name}\n")).collect();
    fs::write(&path, text).map_err(|error| cannot(&path, &error))
}
