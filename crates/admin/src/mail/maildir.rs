//! Maildir, with subfolders as Maildir++ has them: `.A.B` beside `cur`, names in modified UTF-7.

use std::fs;
use std::path::{Path, PathBuf};

use anser_base::{Result, Timestamp};
use anser_migrate::files::maildir::{KEYWORDS, LETTERS, PASSED};
use anser_store::Flags;
use anser_wire::imap::encode_mutf7;

use crate::answer::MailHead;
use crate::mail::one::One;
use crate::mail::{Target, cannot};

/// Writes a new Maildir.
#[derive(Debug)]
pub struct Writer {
    root: PathBuf,
    open: Option<Open>,
    under_way: One,
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
        super::empty_folder(root)?;
        make_maildir(root)?;
        Ok(Self { root: root.to_owned(), open: None, under_way: One::default(), written: 0 })
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

/// Keywords beyond 26 in one folder are left out.
impl Target for Writer {
    fn begin(&mut self, head: &MailHead) -> Result<()> {
        let open = match self.open.take() {
            Some(open) if open.folder == head.folder => open,
            _ => self.enter(&head.folder)?,
        };
        let open = self.open.insert(open);
        let received = Timestamp(head.received.unwrap_or_default());
        self.written += 1;
        let name = format!(
            "{}.M{:06}P{:010}.anser,S={}:2,{}",
            received.secs().max(0),
            self.written % 1_000_000,
            head.uid,
            head.size,
            letters(head, &mut open.keywords)
        );
        let path = open.dir.join("cur").join(name);
        self.under_way.begin(path, received)?;
        if open.keywords.is_empty() {
            return Ok(());
        }
        write_keywords(&open.dir, &open.keywords)
    }

    fn more(&mut self, piece: &[u8]) -> Result<()> {
        self.under_way.more(piece)
    }

    fn end(&mut self) -> Result<()> {
        self.under_way.end()
    }

    fn finish(&mut self) -> Result<()> {
        Ok(())
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

fn letters(head: &MailHead, known: &mut Vec<String>) -> String {
    let flags = Flags(head.flags);
    let mut letters: Vec<char> =
        LETTERS.iter().filter(|(_, flag)| flags.has(*flag)).map(|(letter, _)| *letter).collect();
    for keyword in &head.keywords {
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
