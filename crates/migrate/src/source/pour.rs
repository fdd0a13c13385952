//! The octets of one message as they come, for somebody who waits for them: nothing of them is kept.

use std::collections::HashMap;

use bytes::Bytes;
use tokio::sync::mpsc;

use super::{Listed, Origin, Window};
use crate::trouble::Trouble;

/// Octets of one message that are handed on at most.
const MOST: u64 = super::UNCOMMITTED;
/// Pieces on their way from the old server to whoever reads them.
pub const PIECES: usize = 8;

/// Where octets go.
pub struct Pour {
    to: mpsc::Sender<anser_base::Result<Bytes>>,
    came: u64,
}

impl Pour {
    /// To somebody who may go away.
    pub fn new(to: mpsc::Sender<anser_base::Result<Bytes>>) -> Self {
        Self { to, came: 0 }
    }

    /// The next octets. [`Trouble::Stopped`] when nobody waits for them any more, [`Trouble::Refused`] when they are more than 256 MiB.
    pub async fn put(&mut self, octets: &[u8]) -> Result<(), Trouble> {
        self.came += octets.len() as u64;
        if self.came > MOST {
            return Err(Trouble::Refused("the message is larger than what is handed on".to_owned()));
        }
        if octets.is_empty() {
            return Ok(());
        }
        self.to.send(Ok(Bytes::copy_from_slice(octets))).await.map_err(|_| Trouble::Stopped)
    }

    /// Whether some came.
    pub fn has_any(&self) -> bool {
        self.came > 0
    }

    /// It breaks off: what came is not all.
    pub async fn break_off(&self, error: anser_base::Error) {
        // Whoever went away wants to hear nothing.
        let _ = self.to.send(Err(error)).await;
    }
}

impl Origin {
    /// Where the message of this key stands in the open folder.
    pub async fn place_of(&mut self, key: &[u8]) -> Result<Option<u32>, Trouble> {
        if let Self::Imap(_) = self {
            return Ok(<[u8; 4]>::try_from(key).ok().map(u32::from_be_bytes));
        }
        let Listed::All(seen) = self.list(Window::WHOLE).await? else { return Ok(None) };
        Ok(seen.into_iter().find(|one| one.key == key).map(|one| one.at))
    }

    /// Fields of the headers of messages of the open folder by which a person knows them, by their keys; of those of which the source tells
    /// them.
    pub async fn heads(&mut self, keys: &[&[u8]]) -> Result<HashMap<Vec<u8>, Vec<u8>>, Trouble> {
        let Self::Imap(imap) = self else { return Ok(HashMap::new()) };
        let uids: Vec<u32> =
            keys.iter().filter_map(|key| Some(u32::from_be_bytes(<[u8; 4]>::try_from(*key).ok()?))).collect();
        let heads = imap.heads(&uids).await?;
        Ok(heads.into_iter().map(|(uid, head)| (uid.to_be_bytes().to_vec(), head)).collect())
    }

    /// Hands on a message of the open folder, in whichever way the source gives it. [`Trouble::Refused`] when it gives it in none.
    pub async fn pour(&mut self, at: u32, into: &mut Pour) -> Result<(), Trouble> {
        match self {
            Self::Imap(imap) => imap.pour(at, into).await,
            Self::Pop3(pop3) => pop3.pour(at, into).await,
            Self::Jmap(jmap) => jmap.pour(at, into).await,
            Self::Files(_) => Err(Trouble::Refused("it lies in files".to_owned())),
        }
    }
}
