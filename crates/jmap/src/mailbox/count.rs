//! What is in a mailbox (RFC 8621 §2). A message that IMAP marked `\Deleted` there is not seen by JMAP (§10.1) and counts nowhere.
//! Unread conversations are those of which an unread message is in the mailbox.

use anser_base::{AccountId, MailboxId, Result};
use anser_store::{Flags, Rights, Snapshot, Threads};

use crate::door::Door;

/// Counts of one mailbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub emails: u64,
    pub unread_emails: u64,
    pub threads: u64,
    pub unread_threads: u64,
}

/// The counts of a mailbox as it is now; nothing is told of one whose messages may not be read.
pub(crate) async fn counts(door: &Door, account: AccountId, mailbox: MailboxId, rights: Rights) -> Result<Counts> {
    if !rights.has(Rights::READ) {
        return Ok(Counts::default());
    }
    let list = match door.deps.store.snapshot(account, mailbox).await {
        Err(error) if error.class == anser_base::Class::NotFound => return Ok(Counts::default()),
        list => list?,
    };
    if let Some(known) = door.known_counts(account, &list) {
        return Ok(known);
    }
    let threads = door.threads_of(account).await?;
    let counts = of(&list, &threads);
    door.remember_counts(account, &list, counts);
    Ok(counts)
}

fn of(list: &Snapshot, threads: &Threads) -> Counts {
    let mut counts = Counts::default();
    let (mut all, mut unread) = (Vec::with_capacity(list.len()), Vec::new());
    let mut hint = 0;
    for entry in list.iter().filter(|entry| !entry.flags.has(Flags::DELETED)) {
        let thread = threads.near(entry.message, &mut hint).map_or(entry.message.0, |thread| thread.0);
        counts.emails += 1;
        all.push(thread);
        if !entry.flags.has(Flags::SEEN) {
            counts.unread_emails += 1;
            unread.push(thread);
        }
    }
    counts.threads = distinct(all);
    counts.unread_threads = distinct(unread);
    counts
}

fn distinct(mut all: Vec<u64>) -> u64 {
    all.sort_unstable();
    all.dedup();
    all.len() as u64
}
