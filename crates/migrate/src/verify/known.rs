//! What the ledger knows of a mailbox, for the reasons of differences: its folders, what it notes of single messages, and a digest of all
//! of it.

use std::collections::{HashMap, HashSet};

use anser_base::{AccountId, Result};
use anser_store::{LedgerFolder, LedgerRow, LedgerState, MailTx, Store};

use crate::pass::TRIES;
use crate::source::Window;

/// Rows that are read at once.
const ROWS: usize = 5_000;
/// Messages of one folder that something odd is noted of, and that are remembered for it.
const ODD: usize = 100_000;

/// The ledger of one login.
pub(super) struct Known {
    /// The newest folder of each name there.
    pub folders: HashMap<Vec<u8>, KnownFolder>,
    /// Names of which all came once.
    pub whole: HashSet<Vec<u8>>,
    /// BLAKE3 over its folders and rows in their order, in hexadecimal.
    pub digest: String,
}

/// One of its folders.
pub(super) struct KnownFolder {
    pub ledger: LedgerFolder,
    /// Its path here.
    pub path: String,
    /// What the source did not hand out to the move.
    pub failed: HashSet<Vec<u8>>,
    /// What the ledger notes something of: a size or a date that was not right.
    pub odd: HashSet<Vec<u8>>,
    /// UIDs here of these, in the folder's own mailbox.
    pub odd_here: HashSet<u32>,
}

impl KnownFolder {
    /// Whether the source ended the connection whenever it was opened.
    pub fn ends_connections(&self) -> bool {
        self.ledger.state >= TRIES
    }

    fn see(&mut self, row: &LedgerRow) {
        if row.state == LedgerState::Failed {
            self.failed.insert(row.key.clone());
        } else if row.note.is_some() && row.state != LedgerState::Excluded && self.odd.len() < ODD {
            self.odd.insert(row.key.clone());
            if row.mailbox == self.ledger.mailbox {
                self.odd_here.insert(row.uid);
            }
        }
    }
}

impl Known {
    pub async fn of(store: &Store, account: AccountId, id: u64) -> Result<Self> {
        let all = store.read(account, move |tx| paths(tx, id)).await?;
        let is_whole = |(folder, _): &&(LedgerFolder, String)| folder.uidnext > 0;
        let whole = all.iter().filter(is_whole).map(|(folder, _)| folder.name.clone()).collect();
        let (mut folders, mut hash) = (HashMap::new(), blake3::Hasher::new());
        for (ledger, path) in all {
            put(&mut hash, &[&ledger.key.folder.to_le_bytes(), &ledger.name, &ledger.uidvalidity.to_le_bytes()]);
            let (failed, odd, odd_here) = Default::default();
            let mut one = KnownFolder { ledger, path, failed, odd, odd_here };
            let (mut first, last) = Window::WHOLE.keys();
            loop {
                let (key, from, to) = (one.ledger.key, first.clone(), last.clone());
                let rows = store.read(account, move |tx| tx.ledger_rows(key, &from, &to, ROWS)).await?;
                for row in &rows {
                    add(&mut hash, row);
                    one.see(row);
                }
                match rows.last() {
                    // The least key behind it.
                    Some(row) if rows.len() == ROWS => first = [&row.key[..], &[0]].concat(),
                    _ => break,
                }
            }
            folders.insert(one.ledger.name.clone(), one);
        }
        Ok(Self { folders, whole, digest: hash.finalize().to_hex().to_string() })
    }
}

/// Folders of the ledger with their paths here.
fn paths(tx: &mut MailTx<'_, '_>, id: u64) -> Result<Vec<(LedgerFolder, String)>> {
    let mut found = Vec::new();
    for folder in tx.ledger_folders(id)? {
        let path = tx.path(folder.mailbox).unwrap_or_default().join("/");
        found.push((folder, path));
    }
    Ok(found)
}

/// Each part behind its length, so that no two rows are written alike.
fn put(hash: &mut blake3::Hasher, parts: &[&[u8]]) {
    for part in parts {
        hash.update(&(part.len() as u64).to_le_bytes());
        hash.update(part);
    }
}

fn add(hash: &mut blake3::Hasher, row: &LedgerRow) {
    let content = row.content.map(|content| content.0);
    let keywords = row.keywords.iter().collect::<Vec<_>>().join(" ");
    put(
        hash,
        &[
            &row.key,
            row.state.word().as_bytes(),
            content.as_ref().map_or(&[], |content| &content[..]),
            &row.size.to_le_bytes(),
            row.received.as_bytes(),
            &row.flags.0.to_le_bytes(),
            keywords.as_bytes(),
            &row.message.0.to_le_bytes(),
            &row.mailbox.0.to_le_bytes(),
            &row.uid.to_le_bytes(),
            row.note.as_deref().unwrap_or_default().as_bytes(),
        ],
    );
}
