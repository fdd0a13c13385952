//! The simple model: what the mailboxes of the account must hold. Only modification sequences are learned from the store, and
//! checked as they are learned: they rise with every change, and without a change they stay.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use anser_base::{AccountId, MailboxId};
use anser_store::{MailTx, Store};

use super::flags::{self, DELETED, SEEN};
use super::wire::{Checked, check};

#[derive(Default)]
pub struct Truth {
    pub mailboxes: BTreeMap<MailboxId, Mailbox>,
    pub names: BTreeMap<String, MailboxId>,
    /// Every UIDVALIDITY that was ever given.
    validities: HashSet<u32>,
    /// Where each message is.
    places: HashMap<u64, Vec<(MailboxId, u32)>>,
    messages: u64,
}

#[derive(Default)]
pub struct Mailbox {
    pub uidvalidity: u32,
    pub uidnext: u32,
    pub modseq: u64,
    pub list: BTreeMap<u32, Entry>,
    /// Modification sequences of expunges, with their UIDs.
    pub vanished: Vec<(u64, u32)>,
    /// What every UID ever was.
    pub past: HashMap<u32, Past>,
    /// UIDs that changed since modification sequences were learned.
    changed: BTreeSet<u32>,
    gone: Vec<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    message: u64,
    pub content: usize,
    pub flags: u32,
    pub modseq: u64,
}

pub struct Past {
    pub content: usize,
    /// Modification sequences with the flags since.
    pub versions: Vec<(u64, u32)>,
}

/// What STORE does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    Set,
    Add,
    Remove,
}

impl Act {
    pub fn on(self, flags: u32, mask: u32) -> u32 {
        match self {
            Act::Set => mask,
            Act::Add => flags | mask,
            Act::Remove => flags & !mask,
        }
    }
}

/// Messages that may be stored, each of another size.
pub const CONTENTS: usize = 64;

pub fn content(number: usize) -> Vec<u8> {
    let head = format!("Subject: message {number}\r\nMessage-ID: <{number}@example.org>\r\n\r\n");
    [head.into_bytes(), vec![b'a' + (number % 26) as u8; number + 1], b"\r\n".to_vec()].concat()
}

impl Truth {
    pub fn named(&self, name: &str) -> Option<MailboxId> {
        self.names.get(name).copied()
    }

    /// Mailboxes that changed since they were compared with the tables.
    pub fn changed(&self) -> Vec<MailboxId> {
        let changed =
            self.mailboxes.iter().filter(|(_, mailbox)| !mailbox.changed.is_empty() || !mailbox.gone.is_empty());
        changed.map(|(id, _)| *id).collect()
    }

    fn mailbox(&mut self, id: MailboxId) -> &mut Mailbox {
        self.mailboxes.get_mut(&id).expect("the model has the mailbox")
    }

    /// A new message, in one or more mailboxes; its UIDs.
    pub fn append(&mut self, into: &[MailboxId], flags: u32, content: usize) -> Vec<u32> {
        self.messages += 1;
        let message = self.messages;
        into.iter().map(|id| self.place(*id, Entry { message, content, flags, modseq: 0 })).collect()
    }

    fn place(&mut self, id: MailboxId, entry: Entry) -> u32 {
        let mailbox = self.mailbox(id);
        let uid = mailbox.uidnext;
        mailbox.uidnext += 1;
        mailbox.list.insert(uid, entry);
        mailbox.past.insert(uid, Past { content: entry.content, versions: Vec::new() });
        mailbox.changed.insert(uid);
        self.places.entry(entry.message).or_default().push((id, uid));
        uid
    }

    /// Changes flags; returns the UIDs that exist and were touched, and those that changed after `since`.
    pub fn store(
        &mut self,
        id: MailboxId,
        uids: &[u32],
        act: Act,
        mask: u32,
        since: Option<u64>,
    ) -> (Vec<u32>, Vec<u32>) {
        let (mut touched, mut modified) = (Vec::new(), Vec::new());
        for uid in uids {
            let Some(entry) = self.mailbox(id).list.get(uid).copied() else { continue };
            if since.is_some_and(|since| entry.modseq > since) {
                modified.push(*uid);
                continue;
            }
            touched.push(*uid);
            let flags = act.on(entry.flags, mask);
            self.set(id, *uid, flags);
            // `\Deleted` belongs to the place, everything else to the message wherever it is.
            for (other, twin) in self.places[&entry.message].clone() {
                if (other, twin) != (id, *uid) {
                    let own = self.mailbox(other).list[&twin].flags & DELETED;
                    self.set(other, twin, flags & !DELETED | own);
                }
            }
        }
        (touched, modified)
    }

    fn set(&mut self, id: MailboxId, uid: u32, flags: u32) {
        let mailbox = self.mailbox(id);
        let entry = mailbox.list.get_mut(&uid).expect("the model has the message");
        if entry.flags != flags {
            entry.flags = flags;
            mailbox.changed.insert(uid);
        }
    }

    /// Copies; pairs of old and new UIDs.
    pub fn copy(&mut self, from: MailboxId, uids: &[u32], to: MailboxId) -> Vec<(u32, u32)> {
        let mut pairs = Vec::new();
        for uid in uids {
            if let Some(entry) = self.mailbox(from).list.get(uid).copied() {
                pairs.push((*uid, self.append(&[to], entry.flags, entry.content)[0]));
            }
        }
        pairs
    }

    /// Moves; a message that the target has already only leaves the source.
    pub fn move_to(&mut self, from: MailboxId, uids: &[u32], to: MailboxId) -> Vec<(u32, u32)> {
        let mut pairs = Vec::new();
        for uid in uids {
            let Some(entry) = self.mailbox(from).list.get(uid).copied() else { continue };
            let there =
                self.places[&entry.message].iter().find(|place| place.0 == to && **place != (from, *uid)).copied();
            let new = there.map_or_else(|| self.place(to, entry), |(_, uid)| uid);
            self.remove(from, *uid);
            pairs.push((*uid, new));
        }
        pairs
    }

    pub fn expunge(&mut self, id: MailboxId, uids: &[u32]) {
        for uid in uids {
            self.remove(id, *uid);
        }
    }

    fn remove(&mut self, id: MailboxId, uid: u32) {
        let mailbox = self.mailbox(id);
        let Some(entry) = mailbox.list.remove(&uid) else { return };
        mailbox.changed.remove(&uid);
        mailbox.gone.push(uid);
        let places = self.places.get_mut(&entry.message).expect("the model has the message");
        places.retain(|place| *place != (id, uid));
        if places.is_empty() {
            self.places.remove(&entry.message);
        }
    }

    /// The UIDs with `\Deleted`.
    pub fn deleted(&self, id: MailboxId) -> Vec<u32> {
        self.mailboxes[&id].list.iter().filter(|(_, entry)| entry.flags & DELETED != 0).map(|(uid, _)| *uid).collect()
    }

    /// The mailbox and all its messages go.
    pub fn delete(&mut self, name: &str) {
        let Some(id) = self.names.remove(name) else { return };
        let uids: Vec<u32> = self.mailboxes[&id].list.keys().copied().collect();
        self.expunge(id, &uids);
        self.mailboxes.remove(&id);
    }
}

/// What the tables hold of a mailbox.
struct Stored {
    row: anser_store::Mailbox,
    entries: Vec<anser_store::Entry>,
}

/// Agreement with the tables.
impl Truth {
    /// Reads the tree of mailboxes; new ones are empty as far as the model knows.
    pub async fn read_tree(&mut self, store: &Store, account: AccountId) -> Checked {
        let tree = store.read(account, |tx| {
            let rows = tx.mailboxes()?;
            rows.into_iter().map(|row| Ok((tx.path(row.id)?.join("/"), row))).collect::<anser_base::Result<Vec<_>>>()
        });
        let tree = tree.await.map_err(|error| error.chain())?;
        self.names.clear();
        for (name, row) in tree {
            if !self.mailboxes.contains_key(&row.id) {
                check!(self.validities.insert(row.uidvalidity), "UIDVALIDITY {} is given twice", row.uidvalidity);
                let (uidvalidity, uidnext) = (row.uidvalidity, 1);
                // What it was made with is still to be learned.
                let modseq = row.modseq - u64::from(row.uidnext > 1);
                self.mailboxes.insert(row.id, Mailbox { uidvalidity, uidnext, modseq, ..Mailbox::default() });
            }
            check!(self.mailboxes[&row.id].uidvalidity == row.uidvalidity, "UIDVALIDITY of {name} changed");
            self.names.insert(name, row.id);
        }
        Ok(())
    }

    /// Compares mailboxes with the tables and learns the modification sequences of what changed.
    pub async fn learn(&mut self, store: &Store, account: AccountId, ids: &[MailboxId]) -> Checked {
        let wanted = ids.to_vec();
        let read = move |tx: &mut MailTx<'_, '_>| {
            wanted
                .iter()
                .map(|id| Ok(Stored { row: tx.mailbox(*id)?.clone(), entries: tx.entries(*id, 1, u32::MAX)? }))
                .collect::<anser_base::Result<Vec<_>>>()
        };
        let stored = store.read(account, read).await.map_err(|error| error.chain())?;
        ids.iter().zip(stored).try_for_each(|(id, stored)| self.mailbox(*id).learn(&stored))
    }
}

impl Mailbox {
    fn learn(&mut self, stored: &Stored) -> Checked {
        let Stored { row, entries } = stored;
        check!(entries.len() == self.list.len(), "the table has {} messages, not {}", entries.len(), self.list.len());
        check!(row.uidnext == self.uidnext, "the table's next UID is {}, not {}", row.uidnext, self.uidnext);
        let changed = std::mem::take(&mut self.changed);
        let moved = !changed.is_empty() || !self.gone.is_empty();
        check!(
            if moved { row.modseq > self.modseq } else { row.modseq == self.modseq },
            "HIGHESTMODSEQ went {} to {}",
            self.modseq,
            row.modseq
        );
        for (found, (uid, entry)) in entries.iter().zip(&mut self.list) {
            check!(found.uid == *uid, "the table has UID {}, not {uid}", found.uid);
            let names =
                anser_store::Flags::NAMES.iter().filter(|(_, flag)| found.flags.has(*flag)).map(|(name, _)| *name);
            let mask = flags::of_names(names.chain(found.keywords.iter()));
            check!(mask == Some(entry.flags), "the table has {:?} {:?} at UID {uid}", found.flags, found.keywords);
            check!(found.size == content(entry.content).len() as u64, "the table has another size at UID {uid}");
            match changed.contains(uid) {
                true => {
                    check!(
                        found.modseq > self.modseq && found.modseq <= row.modseq,
                        "MODSEQ {} of UID {uid} is wrong",
                        found.modseq
                    );
                    entry.modseq = found.modseq;
                    self.past.get_mut(uid).expect("a past").versions.push((entry.modseq, entry.flags));
                }
                false => check!(
                    found.modseq == entry.modseq,
                    "MODSEQ of UID {uid} went {} to {}",
                    entry.modseq,
                    found.modseq
                ),
            }
        }
        self.vanished.extend(self.gone.drain(..).map(|uid| (row.modseq, uid)));
        self.modseq = row.modseq;
        let (unseen, deleted) = (self.count(SEEN, false), self.count(DELETED, true));
        let counted = (row.total, row.unseen, row.deleted, row.size);
        check!(counted == (self.list.len() as u64, unseen, deleted, self.size()), "the table counts {counted:?}");
        Ok(())
    }

    /// Messages that have these flags, or do not.
    pub fn count(&self, mask: u32, has: bool) -> u64 {
        self.list.values().filter(|entry| (entry.flags & mask != 0) == has).count() as u64
    }

    pub fn size(&self) -> u64 {
        self.list.values().map(|entry| content(entry.content).len() as u64).sum()
    }
}
