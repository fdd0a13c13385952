//! An account as it should be, and every difference from what it is.

use std::collections::{BTreeMap, BTreeSet};

use anser_base::{MailboxId, MessageId, Timestamp};

use super::bodies::{Fact, Facts};
use super::finding::Finding;
use super::rows::{Rows, fields_of, hash_of};
use super::tree;
use crate::model::{Entry, Flags, Keywords, Role};

/// Numbers and modification sequences that are skipped when nobody knows which were given out.
const UNKNOWN: u64 = 1_000_000;

/// What the rows should be. The modification sequence of what is changed is set by the writing.
pub(super) fn mend(mut rows: Rows, facts: &Facts, now: Timestamp) -> (Rows, Vec<Finding>) {
    let mut findings = Vec::new();
    if rows.is_unused() {
        return (rows, findings);
    }
    if !rows.has_account {
        findings.push(Finding::AccountRow);
        rows.has_account = true;
        // What was given out and is gone leaves no trace.
        rows.account.next_id = rows.next_number() + UNKNOWN;
        rows.account.modseq = rows.highest_modseq() + UNKNOWN;
    }
    tree::mend(&mut rows, now, &mut findings);
    mend_bodies(&mut rows, facts, &mut findings);
    mend_entries(&mut rows, &mut findings);
    findings.extend(std::mem::take(&mut rows.wrong_blocks).into_iter().map(Finding::List));
    mend_counters(&mut rows, &mut findings);
    mend_places(&mut rows, now, &mut findings);
    mend_threads(&mut rows, &mut findings);
    mend_account(&mut rows, &mut findings);
    (rows, findings)
}

impl Rows {
    fn is_unused(&self) -> bool {
        !self.has_account && self.mailboxes.is_empty() && self.messages.is_empty() && self.entries.is_empty()
    }

    fn highest_modseq(&self) -> u64 {
        let mailboxes = self.mailboxes.values().map(|mailbox| mailbox.modseq);
        let entries = self.entries.values().map(|entry| entry.modseq);
        let vanished = self.vanished.values().map(|(_, modseq)| *modseq);
        mailboxes.chain(entries).chain(vanished).chain([self.account.modseq, self.logged]).max().unwrap_or(0)
    }

    /// A number that no object of the account has or had.
    pub fn next_number(&self) -> u64 {
        let mailbox = self.mailboxes.keys().last().map_or(0, |id| id.0);
        let named = self.entries.keys().last().map_or(0, |(id, _)| id.0);
        let message = self.messages.keys().last().map_or(0, |id| id.0);
        let thread = self.messages.values().map(|message| message.thread.0).max().unwrap_or(0);
        let entry = self.entries.values().map(|entry| entry.message.0).max().unwrap_or(0);
        let highest = [mailbox, named, message, thread, entry].into_iter().max().unwrap_or(0);
        self.account.next_id.max(highest + 1)
    }
}

fn mend_bodies(rows: &mut Rows, facts: &Facts, findings: &mut Vec<Finding>) {
    for (id, message) in &mut rows.messages {
        match (facts.get(id), message.blob) {
            (None, _) => {}
            (Some(Fact::Damaged), Some(blob)) => findings.push(Finding::BodyDamaged(*id, blob)),
            (Some(Fact::Lost | Fact::Damaged), blob) => findings.push(Finding::BodyLost(*id, blob)),
            (Some(Fact::Other(content)), blob) if blob == Some(content.blob) => {
                if message.blob_size != content.size {
                    findings.push(Finding::BodySize(*id));
                    message.blob_size = content.size;
                }
                let derived = hash_of(&content.summary, &content.structure);
                if message.derived != derived || message.keys.as_ref() != Some(&*content.thread_keys) {
                    findings.push(Finding::Derived(*id));
                    message.derived = derived;
                    message.keys = Some((*content.thread_keys).clone());
                    message.is_readable = true;
                }
                if message.fields.is_some() && message.fields != fields_of(content) {
                    findings.push(Finding::Derived(*id));
                    message.fields = None;
                }
            }
            (Some(Fact::Other(_)), _) => {}
        }
    }
}

fn mend_entries(rows: &mut Rows, findings: &mut Vec<Finding>) {
    let messages = &rows.messages;
    rows.entries.retain(|(mailbox, uid), entry| {
        let Some(message) = messages.get(&entry.message) else {
            findings.push(Finding::EntryWithoutMessage { mailbox: *mailbox, uid: *uid, message: entry.message });
            return false;
        };
        let flags = Flags(entry.flags.0 & Flags::ALL.0);
        if entry.size != message.size() || entry.flags != flags {
            findings.push(Finding::Entry { mailbox: *mailbox, uid: *uid });
            (entry.size, entry.flags) = (message.size(), flags);
        }
        true
    });
}

/// Of one mailbox, by its entries.
#[derive(Default)]
struct Sums {
    total: u64,
    unseen: u64,
    deleted: u64,
    size: u64,
    uid: u32,
    modseq: u64,
}

fn sums_of(rows: &Rows) -> BTreeMap<MailboxId, Sums> {
    let mut all: BTreeMap<MailboxId, Sums> = BTreeMap::new();
    for ((mailbox, uid), entry) in &rows.entries {
        let sums = all.entry(*mailbox).or_default();
        sums.total += 1;
        sums.unseen += u64::from(!entry.flags.has(Flags::SEEN));
        sums.deleted += u64::from(entry.flags.has(Flags::DELETED));
        sums.size += entry.size;
        sums.uid = sums.uid.max(*uid);
        sums.modseq = sums.modseq.max(entry.modseq);
    }
    for (mailbox, (uid, modseq)) in &rows.vanished {
        let sums = all.entry(*mailbox).or_default();
        (sums.uid, sums.modseq) = (sums.uid.max(*uid), sums.modseq.max(*modseq));
    }
    all
}

fn mend_counters(rows: &mut Rows, findings: &mut Vec<Finding>) {
    let all = sums_of(rows);
    for (id, mailbox) in &mut rows.mailboxes {
        let none = Sums::default();
        let sums = all.get(id).unwrap_or(&none);
        let mut number = |name, stored: &mut u64, expected| set(findings, Some(*id), name, stored, expected);
        number("total", &mut mailbox.total, sums.total);
        number("unseen", &mut mailbox.unseen, sums.unseen);
        number("deleted", &mut mailbox.deleted, sums.deleted);
        number("size", &mut mailbox.size, sums.size);
        let modseq = mailbox.modseq.max(sums.modseq);
        number("modseq", &mut mailbox.modseq, modseq);
        let mut next = u64::from(mailbox.uidnext);
        let expected = next.max(u64::from(sums.uid).saturating_add(1));
        number("uidnext", &mut next, expected);
        mailbox.uidnext = u32::try_from(next).unwrap_or(u32::MAX);
        let mut recent = u64::from(mailbox.recent_from);
        let expected = recent.min(next);
        number("recent_from", &mut recent, expected);
        mailbox.recent_from = recent as u32;
        let mut uidvalidity = u64::from(mailbox.uidvalidity);
        let expected = uidvalidity.max(1);
        number("uidvalidity", &mut uidvalidity, expected);
        mailbox.uidvalidity = uidvalidity as u32;
    }
}

fn set(findings: &mut Vec<Finding>, mailbox: Option<MailboxId>, name: &'static str, stored: &mut u64, expected: u64) {
    if *stored != expected {
        findings.push(Finding::Counter { mailbox, name, stored: *stored, expected });
        *stored = expected;
    }
}

/// Entries tell where messages are. A message without any comes back where it says that it was, or into the inbox.
fn mend_places(rows: &mut Rows, now: Timestamp, findings: &mut Vec<Finding>) {
    let mut places: BTreeMap<MessageId, Vec<(MailboxId, u32)>> = BTreeMap::new();
    for (place, entry) in &rows.entries {
        places.entry(entry.message).or_default().push(*place);
    }
    for id in rows.messages.keys().copied().collect::<Vec<_>>() {
        let expected = match places.remove(&id) {
            Some(places) => places,
            None => {
                findings.push(Finding::Homeless(id));
                bring_home(rows, id, now).into_iter().collect()
            }
        };
        if let Some(message) = rows.messages.get_mut(&id)
            && message.places.as_ref() != Some(&expected)
        {
            let was_known = findings.last() == Some(&Finding::Homeless(id));
            findings.extend((!was_known).then_some(Finding::Places(id)));
            message.places = Some(expected);
        }
    }
}

fn bring_home(rows: &mut Rows, id: MessageId, now: Timestamp) -> Option<(MailboxId, u32)> {
    let message = rows.messages.get(&id)?;
    let old = message.places.iter().flatten().map(|(mailbox, _)| *mailbox).find(|id| rows.mailboxes.contains_key(id));
    let inbox = rows.mailboxes.values().find(|mailbox| mailbox.role == Some(Role::Inbox)).map(|mailbox| mailbox.id);
    let mailbox = rows.mailboxes.get_mut(&old.or(inbox)?)?;
    let uid = mailbox.uidnext;
    mailbox.uidnext = uid.checked_add(1)?;
    mailbox.total += 1;
    mailbox.unseen += 1;
    mailbox.size += message.size();
    let entry = Entry {
        uid,
        flags: Flags::default(),
        size: message.size(),
        message: id,
        modseq: 0,
        received: message.received,
        zone: message.zone,
        saved: now,
        keywords: Keywords::default(),
    };
    rows.entries.insert((mailbox.id, uid), entry);
    Some((mailbox.id, uid))
}

fn mend_threads(rows: &mut Rows, findings: &mut Vec<Finding>) {
    let expected: BTreeSet<_> = rows.messages.iter().map(|(id, message)| (message.thread, *id)).collect();
    findings.extend(expected.difference(&rows.threads).map(|(_, id)| Finding::Thread(*id)));
    findings.extend(rows.threads.difference(&expected).map(|(_, id)| Finding::ThreadStray(*id)));
    // Rows of conversations that ended are left over by their members that left first; they are no finding, but go.
    let living: BTreeSet<_> = expected.iter().map(|(thread, _)| *thread).collect();
    rows.references.retain(|(_, _, thread)| living.contains(thread));
    rows.threads = expected;
    for (id, message) in &rows.messages {
        let Some(keys) = &message.keys else { continue };
        let missing: Vec<_> = keys
            .ids
            .iter()
            .map(|hash| (*hash, keys.subject, message.thread))
            .filter(|reference| !rows.references.contains(reference))
            .collect();
        if !missing.is_empty() {
            findings.push(Finding::Reference(*id));
            rows.references.extend(missing);
        }
    }
}

fn mend_account(rows: &mut Rows, findings: &mut Vec<Finding>) {
    let used = rows.messages.values().map(super::rows::MessageRow::size).sum();
    let messages = rows.messages.len() as u64;
    let next_id = rows.next_number();
    let modseq = rows.highest_modseq();
    let highest_uidvalidity = rows.mailboxes.values().map(|mailbox| u64::from(mailbox.uidvalidity)).max().unwrap_or(0);
    let account = &mut rows.account;
    set(findings, None, "used", &mut account.used, used);
    set(findings, None, "messages", &mut account.messages, messages);
    set(findings, None, "next_id", &mut account.next_id, next_id);
    set(findings, None, "modseq", &mut account.modseq, modseq);
    let forgotten = account.forgotten.min(modseq);
    set(findings, None, "forgotten", &mut account.forgotten, forgotten);
    let mut uidvalidity = u64::from(account.uidvalidity);
    let expected = uidvalidity.max(highest_uidvalidity);
    set(findings, None, "uidvalidity", &mut uidvalidity, expected);
    account.uidvalidity = uidvalidity as u32;
}
