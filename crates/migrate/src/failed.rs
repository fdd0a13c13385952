//! Messages that an old server does not hand out, one by one.

use anser_base::Result;
use anser_store::{LedgerKey, LedgerRow, LedgerState, MailTx};
use serde::{Deserialize, Serialize};

use crate::Migrate;
use crate::model::Kind;
use crate::name;
use crate::pass::TRIES;
use crate::rows;
use crate::which::{Which, is_meant};
use crate::words::in_chinese;

/// Messages of one mailbox that are told.
const TOLD: usize = 10_000;

/// A message that did not come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedView {
    /// The name of its old server within the move.
    pub source: String,
    /// The name at the old server.
    pub login: String,
    /// The address here.
    pub address: String,
    /// Its folder there, by the mailbox that takes it; else as it stands there.
    pub folder: String,
    /// What the old server knows it by: a UID, or its own word.
    pub key: String,
    /// The date that the old server keeps, as it wrote it; empty where it said none.
    pub received: String,
    /// Its size, as the old server said.
    pub size: u64,
    /// Why it did not come: what the old server said.
    pub why: Option<String>,
    /// The same in Chinese; what the old server said stays as it was said.
    pub zh: Option<String>,
    /// How often it was asked for.
    pub tries: u32,
    /// Whether the next pass asks for it again.
    pub again: bool,
}

impl Migrate {
    /// What was not handed out, by mailbox, folder and place; of one mailbox 10,000 messages at most.
    pub async fn failed(&self, name: &str, which: Which) -> Result<Vec<FailedView>> {
        let of = self.named(name).await?.id;
        let sources = self.read(move |tx| rows::sources(tx, of)).await?;
        let failed = LedgerState::Failed as usize;
        let mut views = Vec::new();
        for mailbox in self.all(of).await?.into_iter().filter(|mailbox| is_meant(mailbox, &which)) {
            if mailbox.pass == 0 || mailbox.tally.is_some_and(|tally| tally[failed] == 0) {
                continue;
            }
            let id = mailbox.id;
            let source = sources.iter().find(|source| source.id == mailbox.source);
            let has_uids = source.is_some_and(|source| source.kind == Kind::Imap);
            let source = source.map(|source| source.name.clone()).unwrap_or_default();
            for (_, folder, row) in self.inner.deps.store.read(mailbox.account, move |tx| rows_of(tx, id)).await? {
                views.push(FailedView {
                    source: source.clone(),
                    login: mailbox.login.clone(),
                    address: mailbox.address.clone(),
                    folder,
                    key: shown(&row.key, has_uids),
                    again: row.tries < TRIES,
                    received: row.received,
                    size: row.size,
                    zh: row.note.as_deref().map(in_chinese),
                    why: row.note,
                    tries: row.tries,
                });
            }
        }
        Ok(views)
    }
}

/// The rows of a login that failed, each with its folder and the name of that.
pub(crate) fn rows_of(tx: &mut MailTx<'_, '_>, id: u64) -> Result<Vec<(LedgerKey, String, LedgerRow)>> {
    let (folders, mut all) = (tx.ledger_folders(id)?, Vec::new());
    for (key, row) in tx.ledger_rows_in(id, LedgerState::Failed, TOLD)? {
        let folder = folders.iter().find(|folder| folder.key == key);
        let name = match folder {
            Some(folder) if tx.has_mailbox(folder.mailbox)? => tx.path(folder.mailbox)?.join("/"),
            Some(folder) => name::shown(&folder.name),
            None => named(key),
        };
        all.push((key, name, row));
    }
    Ok(all)
}

fn named(key: LedgerKey) -> String {
    format!("#{}", key.folder)
}

fn shown(key: &[u8], is_uid: bool) -> String {
    match <[u8; 4]>::try_from(key) {
        Ok(uid) if is_uid => u32::from_be_bytes(uid).to_string(),
        _ => String::from_utf8_lossy(key).into_owned(),
    }
}
