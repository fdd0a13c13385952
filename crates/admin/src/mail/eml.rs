//! One message a file, `UID.eml`, with a directory for each mailbox; its date is that of the file. Flags and keywords have no place there.

use std::fs::{self, File, FileTimes};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use anser_base::{Result, Timestamp};

use crate::answer::MailHead;
use crate::mail::{Target, cannot, empty_folder, escaped};

/// Writes a new tree of files.
#[derive(Debug)]
pub struct Writer {
    root: PathBuf,
    under_way: Option<(PathBuf, File, Timestamp)>,
}

impl Writer {
    /// In a folder that is not there yet or is empty.
    pub fn create(root: &Path) -> Result<Self> {
        empty_folder(root)?;
        Ok(Self { root: root.to_owned(), under_way: None })
    }
}

impl Target for Writer {
    fn begin(&mut self, head: &MailHead) -> Result<()> {
        let path = self.root.join(place(head));
        let parent = path.parent().map_or(Ok(()), fs::create_dir_all);
        let file = parent.and_then(|()| File::create_new(&path)).map_err(|error| cannot(&path, &error))?;
        self.under_way = Some((path, file, Timestamp(head.received.unwrap_or_default())));
        Ok(())
    }

    fn more(&mut self, piece: &[u8]) -> Result<()> {
        match &mut self.under_way {
            Some((path, file, _)) => file.write_all(piece).map_err(|error| cannot(path, &error)),
            None => Ok(()),
        }
    }

    fn end(&mut self) -> Result<()> {
        let Some((path, file, received)) = self.under_way.take() else { return Ok(()) };
        date(&file, received).map_err(|error| cannot(&path, &error))
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

/// Says when a file was written.
pub(super) fn date(file: &File, at: Timestamp) -> std::io::Result<()> {
    let at = UNIX_EPOCH + Duration::from_millis(u64::try_from(at.0).unwrap_or(0));
    file.set_times(FileTimes::new().set_modified(at))
}
