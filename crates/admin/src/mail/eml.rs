//! One message a file, `UID.eml`, with a directory for each mailbox; its date is that of the file. Flags and keywords have no place there.

use std::fs;
use std::path::{Path, PathBuf};

use anser_base::{Result, Timestamp};

use crate::answer::MailHead;
use crate::mail::one::One;
use crate::mail::{Target, cannot, empty_folder, escaped};

/// Writes a new tree of files.
#[derive(Debug)]
pub struct Writer {
    root: PathBuf,
    under_way: One,
}

impl Writer {
    /// In a folder that is not there yet or is empty.
    pub fn create(root: &Path) -> Result<Self> {
        empty_folder(root)?;
        Ok(Self { root: root.to_owned(), under_way: One::default() })
    }
}

impl Target for Writer {
    fn begin(&mut self, head: &MailHead) -> Result<()> {
        let path = self.root.join(place(head));
        path.parent().map_or(Ok(()), fs::create_dir_all).map_err(|error| cannot(&path, &error))?;
        self.under_way.begin(path, Timestamp(head.received.unwrap_or_default()))
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

/// Where a message lies below the root.
pub(super) fn place(head: &MailHead) -> PathBuf {
    let folder: PathBuf = head.folder.iter().map(|level| escaped(level)).collect();
    folder.join(format!("{:010}.eml", head.uid))
}
