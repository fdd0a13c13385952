//! Folders: those that are only here are made there, those that got another name here get it there, and those that were removed here go,
//! once nothing is in them.

use std::collections::{BTreeSet, VecDeque};

use anser_base::Durability;
use anser_store::{LedgerFolder, LedgerKey, MailTx};
use anser_wire::imap::encode_mutf7;

use super::{Back, homeless, newest};
use crate::pass::Outcome;
use crate::source::Spaces;
use crate::trouble::Trouble;

/// Names there.
struct Names {
    delimiter: u8,
    spaces: Spaces,
    all: BTreeSet<Vec<u8>>,
}

impl Names {
    /// What the name of every folder at or below `from` becomes when that is renamed.
    fn renamed(&self, name: &[u8], from: &[u8], to: &[u8]) -> Option<Vec<u8>> {
        let rest = name.strip_prefix(from)?;
        (rest.is_empty() || rest[0] == self.delimiter).then(|| [to, rest].concat())
    }

    fn name_of(&self, path: &[String]) -> Vec<u8> {
        name_of(path, self.delimiter, &self.spaces.prefix())
    }

    fn has_below(&self, name: &[u8]) -> bool {
        self.all.iter().any(|other| other != name && self.renamed(other, name, name).is_some())
    }
}

/// A folder that has another place here than when that was noted.
struct Displaced {
    name: Vec<u8>,
    target: Vec<u8>,
}

impl Back<'_> {
    async fn names(&mut self) -> Result<Names, Trouble> {
        let spaces = self.imap.spaces().await?;
        let listed = self.imap.folders().await?;
        let delimiter = listed.iter().find_map(|folder| folder.delimiter).unwrap_or(b'/');
        Ok(Names { delimiter, spaces, all: listed.into_iter().map(|folder| folder.name).collect() })
    }

    /// Folders that got another name here get it there. One whose name another folder has there keeps its own.
    pub(super) async fn rename_folders(&mut self) -> Result<(), Trouble> {
        let id = self.id;
        let find = move |tx: &mut MailTx<'_, '_>| {
            let (noted, mut found) = (tx.ledger_paths(id)?, Vec::new());
            for folder in newest(tx, id)? {
                let Some(before) = noted.get(&folder.key.folder) else { continue };
                if tx.has_mailbox(folder.mailbox)? {
                    let now = tx.path(folder.mailbox)?;
                    if now != *before {
                        found.push((now, folder.name));
                    }
                }
            }
            found.sort_by_key(|(path, _)| path.len());
            Ok(found)
        };
        let found = self.store.read(self.account, find).await?;
        if found.is_empty() {
            return Ok(());
        }
        let mut names = self.names().await?;
        let mut left: VecDeque<Displaced> = VecDeque::new();
        for (path, name) in found {
            let target = names.name_of(&path);
            // What is not the user's own is for others to name.
            if names.spaces.are_own(&name) && names.spaces.are_own(&target) {
                left.push_back(Displaced { name, target });
            }
        }
        let mut waited = 0;
        while let Some(one) = left.pop_front() {
            if one.name == one.target {
                continue;
            }
            let is_awaited = left.iter().any(|other| other.name == one.target);
            if is_awaited && waited <= left.len() {
                waited += 1;
                left.push_back(one);
                continue;
            }
            waited = 0;
            // Two that change places: one of them steps aside.
            let to = if is_awaited { [&one.target[..], b"~"].concat() } else { one.target.clone() };
            if !self.rename(&mut names, &one.name, &to).await? {
                continue;
            }
            for other in &mut left {
                other.name = names.renamed(&other.name, &one.name, &to).unwrap_or(std::mem::take(&mut other.name));
            }
            if is_awaited {
                left.push_back(Displaced { name: to, target: one.target });
            }
        }
        Ok(())
    }

    /// Whether it has its new name.
    async fn rename(&mut self, names: &mut Names, from: &[u8], to: &[u8]) -> Result<bool, Trouble> {
        // One that was renamed before a crash has its new name already.
        let was_done = !names.all.contains(from) && names.all.contains(to);
        if !was_done {
            match self.imap.rename(from, to).await {
                Ok(()) => {}
                Err(Trouble::Refused(why)) => {
                    tracing::warn!(why, "a folder keeps its name at the old server");
                    return Ok(false);
                }
                Err(other) => return Err(other),
            }
        }
        let change = |name: &Vec<u8>| names.renamed(name, from, to).unwrap_or_else(|| name.clone());
        names.all = names.all.iter().map(change).collect();
        let (id, from, to, delimiter) = (self.id, from.to_vec(), to.to_vec(), names.delimiter);
        let work = move |tx: &mut MailTx<'_, '_>| {
            let names = Names { delimiter, spaces: Spaces::default(), all: BTreeSet::new() };
            let mut subscribed = BTreeSet::new();
            for folder in tx.ledger_folders(id)? {
                let Some(name) = names.renamed(&folder.name, &from, &to) else { continue };
                if tx.has_mailbox(folder.mailbox)? && tx.mailbox(folder.mailbox)?.subscribed {
                    subscribed.insert((folder.name.clone(), name.clone()));
                }
                tx.put_ledger_folder(&LedgerFolder { name, ..folder })?;
            }
            Ok(subscribed)
        };
        for (before, now) in self.store.write(self.account, Durability::Sync, work).await? {
            self.imap.subscribe_instead(&before, &now).await?;
        }
        Ok(true)
    }

    /// Folders that are only here are made there. Those whose names are of others or of many there stay here, and are named.
    pub(super) async fn make_folders(&mut self, outcome: &mut Outcome) -> Result<(), Trouble> {
        let id = self.id;
        let find = move |tx: &mut MailTx<'_, '_>| {
            let mut found = Vec::new();
            for mailbox in homeless(tx, id)? {
                found.push((mailbox, tx.path(mailbox)?, tx.mailbox(mailbox)?.subscribed));
            }
            Ok(found)
        };
        let homeless = self.store.read(self.account, find).await?;
        if homeless.is_empty() {
            return Ok(());
        }
        let names = self.names().await?;
        for (mailbox, path, subscribed) in homeless {
            let name = names.name_of(&path);
            if !names.spaces.are_own(&name) {
                outcome.left_out.push(path.join("/"));
                continue;
            }
            if !names.all.contains(&name) {
                match self.imap.create(&name, subscribed).await {
                    // Some servers have folders that they do not list.
                    Ok(()) | Err(Trouble::Refused(_)) => {}
                    Err(other) => return Err(other),
                }
            }
            let standing = self.imap.examine(&name).await?;
            let work = move |tx: &mut MailTx<'_, '_>| {
                let last = tx.ledger_folders(id)?.iter().map(|folder| folder.key.folder).max().unwrap_or(0);
                tx.put_ledger_folder(&LedgerFolder {
                    key: LedgerKey { source: id, folder: last + 1 },
                    name: name.clone(),
                    mailbox,
                    uidvalidity: standing.uidvalidity,
                    uidnext: 0,
                    modseq: 0,
                    messages: 0,
                    keeps_uids: false,
                    state: 0,
                    mark: Vec::new(),
                    id: 0,
                })
            };
            self.store.write(self.account, Durability::Sync, work).await?;
        }
        Ok(())
    }

    /// Folders that were here when that was noted, and were removed since, go there when no message and no folder is left in them.
    pub(super) async fn remove_folders(&mut self) -> Result<(), Trouble> {
        let id = self.id;
        let find = move |tx: &mut MailTx<'_, '_>| {
            let (noted, mut found) = (tx.ledger_paths(id)?, Vec::new());
            for folder in newest(tx, id)? {
                if noted.contains_key(&folder.key.folder) && !tx.has_mailbox(folder.mailbox)? {
                    found.push(folder);
                }
            }
            // Those below first.
            found.sort_by_key(|folder| std::cmp::Reverse(folder.name.len()));
            Ok(found)
        };
        let found = self.store.read(self.account, find).await?;
        if found.is_empty() {
            return Ok(());
        }
        let mut names = self.names().await?;
        for folder in found {
            if !names.all.contains(&folder.name) || names.has_below(&folder.name) || !names.spaces.are_own(&folder.name)
            {
                continue;
            }
            if self.imap.examine(&folder.name).await?.messages > 0 {
                continue;
            }
            // Some servers end the session of whoever removes the folder that is open.
            self.imap.examine(b"INBOX").await?;
            match self.imap.delete(&folder.name).await {
                Ok(()) => {}
                Err(Trouble::Refused(why)) => {
                    tracing::warn!(why, "a folder that was removed here stays at the old server");
                    continue;
                }
                Err(other) => return Err(other),
            }
            names.all.remove(&folder.name);
            let closed = LedgerFolder { messages: 0, uidnext: 0, modseq: 0, ..folder };
            let work = move |tx: &mut MailTx<'_, '_>| tx.put_ledger_folder(&closed);
            self.store.write(self.account, Durability::Sync, work).await?;
        }
        Ok(())
    }
}

/// The name of a folder there. A level that holds what stands between levels there gets `_` for it.
pub(super) fn name_of(path: &[String], delimiter: u8, prefix: &[u8]) -> Vec<u8> {
    let mark = char::from(delimiter);
    let levels: Vec<String> = path.iter().map(|level| encode_mutf7(&level.replace(mark, "_"))).collect();
    [prefix, levels.join(&mark.to_string()).as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_other_side() {
        let path = |levels: &[&str]| levels.iter().map(|level| (*level).to_owned()).collect::<Vec<_>>();
        assert_eq!(name_of(&path(&["Work", "2026.dot"]), b'/', b""), b"Work/2026.dot");
        assert_eq!(name_of(&path(&["Work", "2026.dot"]), b'.', b"INBOX."), b"INBOX.Work.2026_dot");
        assert_eq!(name_of(&path(&["已发送"]), b'/', b""), b"&XfJT0ZAB-");
    }
}
