//! A file with one message, while it is written.

use std::fs::{File, FileTimes};
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use anser_base::{Result, Timestamp};

use crate::mail::cannot;

/// The file under way, if any, and when its message came.
#[derive(Debug, Default)]
pub(super) struct One(Option<(PathBuf, File, Timestamp)>);

impl One {
    /// Begins a file that is not there yet.
    pub fn begin(&mut self, path: PathBuf, received: Timestamp) -> Result<()> {
        let file = File::create_new(&path).map_err(|error| cannot(&path, &error))?;
        self.0 = Some((path, file, received));
        Ok(())
    }

    /// More of it.
    pub fn more(&mut self, piece: &[u8]) -> Result<()> {
        match &mut self.0 {
            Some((path, file, _)) => file.write_all(piece).map_err(|error| cannot(path, &error)),
            None => Ok(()),
        }
    }

    /// All of it is written; its date is that of the message.
    pub fn end(&mut self) -> Result<()> {
        let Some((path, file, at)) = self.0.take() else { return Ok(()) };
        let at = UNIX_EPOCH + Duration::from_millis(u64::try_from(at.0).unwrap_or(0));
        file.set_times(FileTimes::new().set_modified(at)).map_err(|error| cannot(&path, &error))
    }
}
