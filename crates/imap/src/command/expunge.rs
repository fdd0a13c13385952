//! EXPUNGE (RFC 9051 §6.4.3) and UID EXPUNGE (§6.4.9).

use anser_base::{Durability, MailboxId, Result};
use anser_store::{Listing, MailTx, Rights};
use anser_wire::imap::{NumberSet, SequenceSet};

use crate::access;
use crate::note;
use crate::reply::{Outcome, Reply, Trouble};
use crate::session::Session;
use crate::view::Telling;

/// Message-IDs that the journal is told of one expunge at most; the UIDs tell the others.
const MESSAGE_IDS: usize = 100;

pub(super) async fn run(session: &mut Session, set: Option<SequenceSet>) -> Outcome {
    let view = session.writable_view()?;
    if !view.rights.has(Rights::EXPUNGE) {
        return Err(access::not_permitted().into());
    }
    let uids = match &set {
        Some(set) => Some(view.uids(&view.numbers(set, true, &session.saved)?)),
        None => None,
    };
    remove(session, uids).await?;
    done(session).await
}

/// Ends a command that took messages away: it tells which, and the modification sequence that this came to (RFC 7162 §3.2.7, RFC 6851
/// §4.4).
pub(super) async fn done(session: &mut Session) -> Outcome {
    if !session.enabled.condstore {
        return Ok(Reply::ok("Done"));
    }
    session.sync(&Telling::ALL).await?;
    let highest = session.view()?.highest();
    Ok(Reply::ok_with(format!("HIGHESTMODSEQ {highest}"), "Done"))
}

/// Removes the messages that carry `\Deleted`, all of them or those of these UIDs. Returns whether there were any.
pub(super) async fn remove(session: &Session, uids: Option<Vec<u32>>) -> Result<bool, Trouble> {
    let view = session.view()?;
    let (account, mailbox) = (view.owner.id, view.mailbox);
    let work = move |tx: &mut MailTx<'_, '_>| {
        let deleted = tx.deleted(mailbox)?;
        let chosen: Vec<u32> = match &uids {
            Some(uids) => deleted.into_iter().filter(|uid| uids.binary_search(uid).is_ok()).collect(),
            None => deleted,
        };
        let ids = message_ids(tx, mailbox, &chosen)?;
        Ok((tx.expunge(mailbox, &chosen, true)?, ids))
    };
    let (gone, ids) = session.deps.store.write(account, Durability::Sync, work).await?;
    let removed = !gone.is_empty();
    if removed {
        let set: NumberSet = gone.into_iter().collect();
        note::deleted(session, account, &view.name, set.to_string(), ids).await;
    }
    Ok(removed)
}

/// Message-IDs of messages, for the journal.
pub(super) fn message_ids(tx: &mut MailTx<'_, '_>, mailbox: MailboxId, uids: &[u32]) -> Result<Vec<String>> {
    let mut ids = Vec::new();
    for uid in uids.iter().take(MESSAGE_IDS) {
        let Some(entry) = tx.entry(mailbox, *uid)? else { continue };
        let Some(message) = tx.message(entry.message)? else { continue };
        if let Some(id) = Listing::of(&message).envelope.message_id {
            ids.push(String::from_utf8_lossy(&id).trim_matches(['<', '>']).to_owned());
        }
    }
    Ok(ids)
}
