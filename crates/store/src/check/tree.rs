//! The mailbox tree as it should be.

use std::collections::BTreeSet;

use anser_base::{MailboxId, Timestamp, limits};

use super::finding::Finding;
use super::rows::Rows;
use crate::model::{Mailbox, Role};

/// Name of a mailbox whose own was lost, before its number.
const RECOVERED: &str = "Recovered";

/// Mends mailboxes that are missing, misplaced, misnamed, or have a wrong role.
pub(super) fn mend(rows: &mut Rows, now: Timestamp, findings: &mut Vec<Finding>) {
    let named: BTreeSet<MailboxId> = rows.entries.keys().map(|(mailbox, _)| *mailbox).collect();
    for id in named {
        if !rows.mailboxes.contains_key(&id) {
            findings.push(Finding::MailboxLost(id));
            add(rows, id, recovered(id), None, now);
        }
    }
    mend_parents(rows, findings);
    mend_roles(rows, findings);
    mend_inbox(rows, now, findings);
    mend_names(rows, findings);
}

fn recovered(id: MailboxId) -> String {
    format!("{RECOVERED} {id}")
}

fn add(rows: &mut Rows, id: MailboxId, name: String, role: Option<Role>, now: Timestamp) {
    let now = u32::try_from(now.secs()).unwrap_or(u32::MAX / 2).max(1);
    let highest = rows.mailboxes.values().map(|mailbox| mailbox.uidvalidity).max().unwrap_or(0);
    let uidvalidity = now.max(rows.account.uidvalidity.max(highest).saturating_add(1));
    rows.account.uidvalidity = uidvalidity;
    let mailbox = Mailbox {
        id,
        parent: None,
        name,
        role,
        subscribed: true,
        uidvalidity,
        uidnext: 1,
        modseq: 0,
        total: 0,
        unseen: 0,
        deleted: 0,
        size: 0,
        recent_from: 1,
        reserved: (0, 0),
    };
    rows.mailboxes.insert(id, mailbox);
}

/// What hangs nowhere comes to the top.
fn mend_parents(rows: &mut Rows, findings: &mut Vec<Finding>) {
    for id in rows.mailboxes.keys().copied().collect::<Vec<_>>() {
        if !reaches_top(rows, id) {
            findings.push(Finding::Parent(id));
            if let Some(mailbox) = rows.mailboxes.get_mut(&id) {
                mailbox.parent = None;
            }
        }
    }
}

fn reaches_top(rows: &Rows, id: MailboxId) -> bool {
    let mut next = Some(id);
    for _ in 0..limits::MAILBOX_DEPTH {
        match next {
            None => return true,
            Some(id) => match rows.mailboxes.get(&id) {
                Some(mailbox) => next = mailbox.parent,
                None => return false,
            },
        }
    }
    next.is_none()
}

/// A role belongs to the oldest mailbox that has it.
fn mend_roles(rows: &mut Rows, findings: &mut Vec<Finding>) {
    findings.extend(rows.strange_roles.iter().map(|id| Finding::Role(*id)));
    rows.strange_roles.clear();
    let mut taken = Vec::new();
    for mailbox in rows.mailboxes.values_mut() {
        match mailbox.role {
            Some(role) if taken.contains(&role) => {
                findings.push(Finding::Role(mailbox.id));
                mailbox.role = None;
            }
            Some(role) => taken.push(role),
            None => {}
        }
    }
}

fn mend_inbox(rows: &mut Rows, now: Timestamp, findings: &mut Vec<Finding>) {
    if rows.mailboxes.values().any(|mailbox| mailbox.role == Some(Role::Inbox)) {
        return;
    }
    findings.push(Finding::NoInbox);
    let named = rows.mailboxes.values_mut().find(|mailbox| mailbox.parent.is_none() && is_inbox(&mailbox.name));
    match named {
        Some(mailbox) => mailbox.role = Some(Role::Inbox),
        None => {
            let id = MailboxId(rows.next_number());
            add(rows, id, "INBOX".to_owned(), Some(Role::Inbox), now);
        }
    }
}

/// The inbox keeps its name; of others with the same the oldest does.
fn mend_names(rows: &mut Rows, findings: &mut Vec<Finding>) {
    let mut taken = BTreeSet::new();
    let mut ids: Vec<MailboxId> = rows.mailboxes.keys().copied().collect();
    ids.sort_by_key(|id| rows.mailboxes.get(id).is_none_or(|mailbox| mailbox.role != Some(Role::Inbox)));
    for id in ids {
        let Some(mailbox) = rows.mailboxes.get_mut(&id) else { continue };
        let key = |parent: Option<MailboxId>, name: &str| {
            let folded = if parent.is_none() && is_inbox(name) { "INBOX".to_owned() } else { name.to_owned() };
            (parent, folded)
        };
        if !is_name(&mailbox.name) || taken.contains(&key(mailbox.parent, &mailbox.name)) {
            findings.push(Finding::Name(id));
            mailbox.name = recovered(id);
            // Somebody may have called his mailbox so.
            while taken.contains(&key(mailbox.parent, &mailbox.name)) {
                mailbox.name.push('\'');
            }
        }
        taken.insert(key(mailbox.parent, &mailbox.name));
    }
}

fn is_inbox(name: &str) -> bool {
    name.eq_ignore_ascii_case("INBOX")
}

fn is_name(name: &str) -> bool {
    (1..=limits::MAILBOX_NAME).contains(&name.len()) && !name.contains('/') && !name.chars().any(char::is_control)
}
