//! The way back: the only commands that change anything at an old server. No pass sends them.

use anser_base::{BlobId, Error, Result as Own};
use anser_blob::BlobReader;
use anser_store::{Flags, Keywords};
use anser_wire::imap::client::{Argument, Code, quoted, sets};
use anser_wire::imap::write::Status;
use bytes::Bytes;

use super::connection::{Imap, well};
use crate::source::Standing;
use crate::trouble::Trouble;

/// Octets of one piece.
const PIECE: usize = 256 * 1024;

/// A message to be appended.
pub struct Letter<'a> {
    /// Its system flags.
    pub flags: Flags,
    /// Its keywords.
    pub keywords: &'a Keywords,
    /// INTERNALDATE, as [`anser_mime::date::format_internal_date`] writes it.
    pub date: String,
    /// Its size in octets.
    pub size: u64,
}

/// The octets of a message, read piece by piece, and hashed on the way.
pub struct Body {
    prefix: Bytes,
    /// Away while a piece is read.
    reader: Option<BlobReader>,
    at: u64,
    size: u64,
    hash: blake3::Hasher,
}

impl Body {
    /// A message that lies where bodies are.
    pub fn new(prefix: Bytes, reader: BlobReader) -> Self {
        let size = prefix.len() as u64 + reader.size();
        Self { prefix, reader: Some(reader), at: 0, size, hash: blake3::Hasher::new() }
    }

    /// A message in memory.
    pub fn of(octets: impl Into<Bytes>) -> Self {
        let prefix = octets.into();
        let size = prefix.len() as u64;
        Self { prefix, reader: None, at: 0, size, hash: blake3::Hasher::new() }
    }

    /// Whether any of it was read.
    pub fn is_begun(&self) -> bool {
        self.at > 0
    }

    /// Its size in octets.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The next piece; none at the end.
    pub async fn next(&mut self) -> Own<Bytes> {
        let piece = match (self.at, self.at.checked_sub(self.prefix.len() as u64)) {
            (0, _) if !self.prefix.is_empty() => self.prefix.clone(),
            (_, Some(offset)) => self.read(offset).await?,
            _ => Bytes::new(),
        };
        self.at += piece.len() as u64;
        self.hash.update(&piece);
        Ok(piece)
    }

    async fn read(&mut self, offset: u64) -> Own<Bytes> {
        let Some(mut reader) = self.reader.take() else { return Ok(Bytes::new()) };
        let read = move || (reader.read_at(offset, PIECE), reader);
        let (piece, reader) = tokio::task::spawn_blocking(read).await.map_err(Error::unavailable)?;
        self.reader = Some(reader);
        piece
    }

    /// The hash of all that was read.
    pub fn hashed(&self) -> BlobId {
        BlobId(*self.hash.finalize().as_bytes())
    }

    /// Reads all of it; its hash.
    pub async fn hash(mut self) -> Own<BlobId> {
        while !self.next().await?.is_empty() {}
        Ok(self.hashed())
    }
}

impl Imap {
    /// Opens a folder to write.
    pub async fn select(&mut self, name: &[u8]) -> Result<Standing, Trouble> {
        self.enter("SELECT", name).await
    }

    /// Makes a folder, and subscribes to it where it is wanted.
    pub async fn create(&mut self, name: &[u8], subscribed: bool) -> Result<(), Trouble> {
        let made = self.run_with("CREATE", &[quoted(name)], |_| ()).await?;
        well(made, "CREATE")?;
        if subscribed {
            let done = self.run_with("SUBSCRIBE", &[quoted(name)], |_| ()).await?;
            well(done, "SUBSCRIBE")?;
        }
        Ok(())
    }

    /// Gives a folder, and those below it, another name.
    pub async fn rename(&mut self, from: &[u8], to: &[u8]) -> Result<(), Trouble> {
        let done = self.run_with("RENAME", &[quoted(from), quoted(to)], |_| ()).await?;
        well(done, "RENAME").map(drop)
    }

    /// Takes a name out of the subscriptions, and puts another one in: they are names (RFC 9051 §6.3.7), and stay with the old one when a
    /// folder is renamed. It matters to nothing else when the server refuses.
    pub async fn subscribe_instead(&mut self, from: &[u8], to: &[u8]) -> Result<(), Trouble> {
        self.run_with("UNSUBSCRIBE", &[quoted(from)], |_| ()).await?;
        self.run_with("SUBSCRIBE", &[quoted(to)], |_| ()).await.map(drop)
    }

    /// Removes a folder.
    pub async fn delete(&mut self, name: &[u8]) -> Result<(), Trouble> {
        let done = self.run_with("DELETE", &[quoted(name)], |_| ()).await?;
        well(done, "DELETE")?;
        self.run_with("UNSUBSCRIBE", &[quoted(name)], |_| ()).await.map(drop)
    }

    /// Appends a message, and gives its octets piece by piece. Its UID, where the server tells it (RFC 4315).
    pub async fn append(
        &mut self,
        folder: &[u8],
        letter: &Letter<'_>,
        body: &mut Body,
    ) -> Result<Option<u32>, Trouble> {
        let tag = self.tag();
        let mut line = format!("{tag} APPEND ").into_bytes();
        match quoted(folder) {
            Argument::Inline(name) => line.extend_from_slice(&name),
            Argument::Literal(name) => {
                line.extend_from_slice(format!("{{{}}}\r\n", name.len()).as_bytes());
                self.write(&line).await?;
                if let Some(condition) = self.continuation(&tag).await? {
                    return well(condition, "APPEND").map(|_| None);
                }
                line = name;
            }
        }
        let flags = words(letter.flags, letter.keywords);
        line.extend_from_slice(format!(" ({flags}) \"{}\" {{{}}}\r\n", letter.date, letter.size).as_bytes());
        self.write(&line).await?;
        if let Some(condition) = self.continuation(&tag).await? {
            return well(condition, "APPEND").map(|_| None);
        }
        loop {
            let piece = body.next().await?;
            if piece.is_empty() {
                break;
            }
            self.write(&piece).await?;
        }
        self.write(b"\r\n").await?;
        let condition = well(self.until(&tag, |_| ()).await?, "APPEND")?;
        Ok(match condition.code {
            Some(Code::AppendUid(_, uid)) => Some(uid),
            _ => None,
        })
    }

    /// Sets flags and keywords of a message in the open folder to these.
    pub async fn set_flags(&mut self, uid: u32, flags: Flags, keywords: &Keywords) -> Result<(), Trouble> {
        self.command(&format!("UID STORE {uid} FLAGS.SILENT ({})", words(flags, keywords))).await.map(drop)
    }

    /// Removes messages of the open folder, ascending; where the server cannot remove these alone (RFC 4315) they are only marked. Whether
    /// they are gone.
    pub async fn remove(&mut self, uids: &[u32]) -> Result<bool, Trouble> {
        for set in sets(uids) {
            self.command(&format!("UID STORE {set} +FLAGS.SILENT (\\Deleted)")).await?;
            if !self.can("UIDPLUS") {
                continue;
            }
            let tag = self.send(&format!("UID EXPUNGE {set}")).await?;
            let ended = self.until(&tag, |_| ()).await?;
            if ended.status != Status::Ok {
                return Ok(false);
            }
        }
        Ok(self.can("UIDPLUS"))
    }
}

fn words(flags: Flags, keywords: &Keywords) -> String {
    let system = Flags::NAMES.iter().filter(|(_, flag)| flags.has(*flag)).map(|(name, _)| *name);
    system.chain(keywords.iter()).collect::<Vec<_>>().join(" ")
}
