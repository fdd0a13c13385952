//! Messages of a person's own move that did not come, one by one: what is known of each, what the other server tells of it when it is asked,
//! and its octets where they can be had now.

use std::collections::HashMap;

use anser_base::{AccountId, Class, Error, Result, Text, Timestamp};
use anser_directory::Account;
use anser_mime::summary::subject_text;
use anser_mime::{date, header, text};
use anser_store::{LedgerFolder, LedgerKey, LedgerRow, LedgerState, MailTx};
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::sync::mpsc;

use super::{mailbox_of, words};
use crate::Migrate;
use crate::failed::rows_of;
use crate::pass::TRIES;
use crate::reach;
use crate::source::{KEY, Origin, PIECES, Pour};
use crate::trouble::Trouble;

/// Messages that are told of at once, and asked the other server for.
pub const LISTED: usize = 50;

/// A message that did not come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missed {
    /// What it is asked for by.
    pub id: String,
    /// Its folder: the mailbox here that takes it; else as it stands there.
    pub folder: String,
    /// Its subject, where the other server tells it.
    pub subject: Option<String>,
    /// Who wrote it, likewise.
    pub from: Option<String>,
    /// When the other server received it; else its own date, where one of them is known.
    pub date: Option<Timestamp>,
    /// Its size, as the other server said.
    pub size: u64,
    /// Why it did not come.
    pub why: Text,
    /// How often it was asked for.
    pub tries: u32,
    /// Whether the next pass asks for it again by itself.
    pub again: bool,
}

/// What did not come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// How many; 10,000 at most.
    pub total: u64,
    /// Some of them.
    pub list: Vec<Missed>,
    /// Why the other server did not tell of them, where it did not.
    pub problem: Option<Text>,
}

/// The octets of a message, as they come.
pub type Octets = BoxStream<'static, Result<Bytes>>;

impl Migrate {
    /// What did not come of an account's own move, from a position on, [`LISTED`] at most. The other server is asked for the subjects.
    /// [`Class::NotFound`].
    pub async fn own_missing(&self, account: &Account, id: u64, position: u64) -> Result<Missing> {
        let owner = account.id;
        let mailbox = self.read(move |tx| mailbox_of(tx, owner, id)).await?;
        if mailbox.pass == 0 {
            return Ok(Missing::default());
        }
        let login = mailbox.id;
        let find = move |tx: &mut MailTx<'_, '_>| Ok((rows_of(tx, login)?, tx.ledger_folders(login)?));
        let (rows, folders) = self.inner.deps.store.read(owner, find).await?;
        let total = rows.len() as u64;
        let from = usize::try_from(position).unwrap_or(usize::MAX).min(rows.len());
        let some = &rows[from..rows.len().min(from + LISTED)];
        let keys: Vec<(LedgerKey, Vec<u8>)> = some.iter().map(|(key, _, row)| (*key, row.key.clone())).collect();
        let (mut heads, mut problem) = (HashMap::new(), None);
        if !keys.is_empty() {
            let asked = Box::pin(self.ask_heads(owner, id, &folders, &keys, &mut heads));
            problem = self.in_time(asked).await.err().map(|trouble| words::trouble(&trouble));
        }
        let one = |(key, folder, row): &(LedgerKey, String, LedgerRow)| {
            missed(*key, folder, row, heads.get(&(key.folder, row.key.clone())))
        };
        Ok(Missing { total, list: some.iter().map(one).collect(), problem })
    }

    /// What the other server tells of messages, whatever else it refuses.
    async fn ask_heads(
        &self,
        owner: AccountId,
        id: u64,
        folders: &[LedgerFolder],
        keys: &[(LedgerKey, Vec<u8>)],
        heads: &mut HashMap<(u64, Vec<u8>), Vec<u8>>,
    ) -> Result<(), Trouble> {
        let (_, mut origin) = self.look(owner, id).await?;
        for some in keys.chunk_by(|one, other| one.0 == other.0) {
            let key = some[0].0;
            let Some(folder) = folders.iter().find(|folder| folder.key == key) else { continue };
            if !opens(&mut origin, folder).await? {
                continue;
            }
            let wanted: Vec<&[u8]> = some.iter().map(|(_, row)| &row[..]).collect();
            let told = origin.heads(&wanted).await?;
            heads.extend(told.into_iter().map(|(row, head)| ((key.folder, row), head)));
        }
        origin.leave().await;
        Ok(())
    }

    /// The octets of a message that did not come, as the other server hands them out now, 256 MiB at most; nothing of them is kept.
    /// [`Class::NotFound`] for a message that came or that nobody knows, [`Class::Limit`] for too many looks in an hour,
    /// [`Class::Unavailable`] where the other server does not hand it out.
    pub async fn own_missing_octets(&self, account: &Account, id: u64, message: &str) -> Result<Octets> {
        let (folder, key) = parsed(message).ok_or_else(super::missing)?;
        let owner = account.id;
        let mailbox = self.read(move |tx| mailbox_of(tx, owner, id)).await?;
        if mailbox.pass == 0 {
            return Err(super::missing());
        }
        let place = LedgerKey { source: mailbox.id, folder };
        let row = key.clone();
        let find = move |tx: &mut MailTx<'_, '_>| {
            let row = tx.ledger_row(place, &row)?.filter(|row| row.state == LedgerState::Failed);
            let folder = tx.ledger_folders(place.source)?.into_iter().find(|folder| folder.key == place);
            Ok(row.and(folder))
        };
        let folder = self.inner.deps.store.read(owner, find).await?.ok_or_else(super::missing)?;
        let (to, mut pieces) = mpsc::channel(PIECES);
        let (migrate, allowed) = (self.clone(), self.inner.deps.allowed.clone());
        tokio::spawn(async move {
            let reader = to.clone();
            let mut pour = Pour::new(to);
            let pouring = async {
                let poured = Box::pin(migrate.pour(owner, id, &folder, &key, &mut pour));
                if let Err(trouble) = reach::within(allowed, poured).await {
                    pour.break_off(error_of(trouble)).await;
                }
            };
            // An old server that hangs is left when nobody waits any more.
            tokio::select! {
                () = pouring => {}
                () = reader.closed() => {}
            }
        });
        // What comes first tells whether anything does.
        match pieces.recv().await {
            Some(Ok(first)) => {
                let rest = stream::unfold(pieces, |mut pieces| async { pieces.recv().await.map(|one| (one, pieces)) });
                Ok(stream::once(async { Ok(first) }).chain(rest).boxed())
            }
            Some(Err(error)) => Err(error),
            None => Err(error_of(Trouble::Refused("the server did not hand it out".to_owned()))),
        }
    }

    async fn pour(
        &self,
        owner: AccountId,
        id: u64,
        folder: &LedgerFolder,
        key: &[u8],
        into: &mut Pour,
    ) -> Result<(), Trouble> {
        let gone = || Trouble::Refused("it is no longer there".to_owned());
        let (_, mut origin) = self.look(owner, id).await?;
        if !opens(&mut origin, folder).await? {
            return Err(gone());
        }
        let at = origin.place_of(key).await?.ok_or_else(gone)?;
        origin.pour(at, into).await?;
        origin.leave().await;
        Ok(())
    }
}

/// Opens a folder, as long as it is the one that the ledger knows.
async fn opens(origin: &mut Origin, folder: &LedgerFolder) -> Result<bool, Trouble> {
    match origin.examine(&folder.name).await {
        Ok(standing) => Ok(standing.uidvalidity == folder.uidvalidity),
        Err(Trouble::Refused(_)) => Ok(false),
        Err(other) => Err(other),
    }
}

fn missed(key: LedgerKey, folder: &str, row: &LedgerRow, head: Option<&Vec<u8>>) -> Missed {
    let value = |name: &str| head.and_then(|head| header::value(head, name));
    let sent = || value("Date").and_then(|value| date::parse(&value));
    let date = date::parse_internal_date(row.received.trim().as_bytes()).or_else(sent);
    Missed {
        id: shown(key.folder, &row.key),
        folder: folder.to_owned(),
        subject: value("Subject").map(|value| subject_text(&value)),
        from: value("From").map(|value| text::decode_header(&value)),
        date: date.map(|date| Timestamp::from_secs(date.unix)),
        size: row.size,
        why: words::failure(row.note.as_deref().unwrap_or_default()),
        tries: row.tries,
        again: row.tries < TRIES,
    }
}

fn error_of(trouble: Trouble) -> Error {
    let text = words::trouble(&trouble);
    match trouble {
        Trouble::Own(error) => error,
        _ => Error::new(Class::Unavailable, text.en, text.zh),
    }
}

/// What a message is asked for by: the number of its folder, and its key in hexadecimal.
fn shown(folder: u64, key: &[u8]) -> String {
    key.iter().fold(format!("{folder}-"), |id, octet| id + &format!("{octet:02x}"))
}

fn parsed(id: &str) -> Option<(u64, Vec<u8>)> {
    let (folder, hex) = id.split_once('-')?;
    if !hex.is_ascii() || hex.len() % 2 != 0 || hex.len() > 2 * KEY {
        return None;
    }
    let octets = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).ok());
    let (folder, key) = (folder.parse().ok()?, octets.collect::<Option<Vec<u8>>>()?);
    // One form for one message.
    (shown(folder, &key) == id).then_some((folder, key))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_message_is_asked_for_by_one_form(folder in any::<u32>(), key in proptest::collection::vec(any::<u8>(), 0..=KEY), other in ".{0,40}") {
            let folder = u64::from(folder);
            prop_assert_eq!(parsed(&shown(folder, &key)), Some((folder, key)));
            if let Some((folder, key)) = parsed(&other) {
                prop_assert_eq!(shown(folder, &key), other);
            }
        }
    }
}
