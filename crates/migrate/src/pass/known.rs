//! What is here already, as the source itself tells: the name that it gives a message in every folder, after UIDVALIDITY changed and, where
//! it is a hash of the message, on another server of its kind. Such a message is not fetched again. The ledger keeps eight bytes of a hash
//! of the name; they are believed where size and INTERNALDATE are the same besides. From there on it is as if the body had come.

use std::collections::HashMap;

use anser_base::Result;
use anser_store::{LedgerFolder, LedgerKey, LedgerState, MailTx};
use tokio::sync::Mutex;

use super::{Pass, ROWS};
use crate::merge::{is_same_date, where_is};
use crate::source::{Known, Seen, Spared};

/// Names that are remembered at most, at some 30 bytes each.
const NAMES: usize = 4_000_000;
/// Bytes of bodies that come in the time in which one name of the ledger is read: some 10 MB and a million names in a second.
const ROW: u64 = 10;

/// Where the ledger tells of messages, by their names: the number of a folder and a UID in it. They are read once a pass has more to fetch
/// than the reading is worth: the few messages that are new in most passes come sooner.
#[derive(Debug, Default)]
pub struct Names(Mutex<Looked>);

#[derive(Debug, Default)]
struct Looked {
    names: Option<HashMap<u64, (u64, u32)>>,
    /// What is still to be fetched without a look, in bytes; `None` before the first.
    unread: Option<u64>,
}

impl Pass<'_> {
    /// Those among messages of a folder whose bytes are here.
    pub(super) async fn spared(&self, ledger: &LedgerFolder, new: &[Seen]) -> Result<Spared> {
        let mut spared = Spared::new();
        // At the first meeting only a message with several labels is met twice.
        let may_be_here = self.number > 1 || self.profile.labels;
        if !may_be_here || new.iter().all(|one| one.identity.is_none()) {
            return Ok(spared);
        }
        let Looked { names, unread } = &mut *self.names.0.lock().await;
        let names = match names {
            Some(names) => names,
            names => {
                let left = match *unread {
                    Some(left) => left,
                    None => ROW * self.messages_of_ledger().await?,
                };
                let left = left.checked_sub(new.iter().map(|one| one.size).sum());
                *unread = Some(left.unwrap_or(0));
                if left.is_some() {
                    return Ok(spared);
                }
                names.insert(self.names_of_ledger().await?)
            }
        };
        let (source, to) = (ledger.key.source, ledger.key);
        for some in new.chunks(ROWS) {
            let place = |one: &Seen| {
                let (folder, uid) = *names.get(&one.identity?)?;
                Some((one.clone(), LedgerKey { source, folder }, uid.to_be_bytes().to_vec()))
            };
            let asked: Vec<(Seen, LedgerKey, Vec<u8>)> = some.iter().filter_map(place).collect();
            let find = move |tx: &mut MailTx<'_, '_>| {
                let found = asked.iter().map(|(one, folder, key)| Ok((one.at, known(tx, to, one, (*folder, key))?)));
                found.collect::<Result<Vec<_>>>()
            };
            let found = self.store.read(self.account, find).await?;
            spared.extend(found.into_iter().filter_map(|(at, known)| Some((at, known?))));
        }
        for (name, one) in new.iter().filter_map(|one| Some((one.identity?, one))) {
            if !spared.contains_key(&one.at) && names.len() < NAMES {
                names.insert(name, (to.folder, one.at));
            }
        }
        Ok(spared)
    }

    /// How many the source had when its folders were last gone through.
    async fn messages_of_ledger(&self) -> Result<u64> {
        let id = self.id;
        let folders = self.store.read(self.account, move |tx| tx.ledger_folders(id)).await?;
        Ok(folders.iter().map(|folder| folder.messages).sum())
    }

    async fn names_of_ledger(&self) -> Result<HashMap<u64, (u64, u32)>> {
        let (id, mut names) = (self.id, HashMap::new());
        for folder in self.store.read(self.account, move |tx| tx.ledger_folders(id)).await? {
            let (key, mut behind) = (folder.key, Vec::new());
            loop {
                let from = std::mem::take(&mut behind);
                let rows = self.store.read(self.account, move |tx| tx.ledger_identities(key, &from, ROWS)).await?;
                let end = rows.len() < ROWS;
                for (row, state, name) in rows {
                    let uid = row.as_slice().try_into().map(u32::from_be_bytes);
                    behind = row;
                    // What is here tells more than what left.
                    let is_better = state.is_here() || !names.contains_key(&name);
                    if let Some(uid) = uid.ok().filter(|_| is_better && names.len() < NAMES) {
                        names.insert(name, (key.folder, uid));
                    }
                }
                if end {
                    break;
                }
            }
        }
        Ok(names)
    }
}

/// The row at this place, where it tells of the same message and its bytes are to be had.
fn known(
    tx: &mut MailTx<'_, '_>,
    to: LedgerKey,
    one: &Seen,
    (folder, key): (LedgerKey, &[u8]),
) -> Result<Option<Known>> {
    let row = tx.ledger_row(folder, key)?.filter(|row| {
        row.identity == one.identity && row.size == one.size && is_same_date(&row.received, &one.received)
    });
    let Some((row, content)) = row.and_then(|row| row.content.map(|content| (row, content))) else { return Ok(None) };
    // It goes with the message, and stays away where its owner removed it.
    let follows = row.state == LedgerState::Gone && row.message.0 != 0 && folder != to;
    let is_to_be_had = follows
        || match where_is(tx, &row)? {
            Some(_) => tx.message(row.message)?.is_some_and(|held| held.blob == content && held.prefix.is_empty()),
            None => false,
        };
    Ok(is_to_be_had.then(|| Known { content, size: row.size, folder, key: key.to_vec() }))
}
