//! REPLACE and UID REPLACE (RFC 8508): a new message comes and an old one goes, in one transaction. The message itself is taken by
//! `append`. Between accounts it is two, the first of them the storing, so that a crash between them loses nothing.

use anser_base::{Class, Durability, Error, MailboxId, Result};
use anser_store::{Entry, MailTx, NewMessage, Rights};
use anser_wire::imap::{Bound, Replaced};

use super::{expunge, quota};
use crate::access::{self, Place};
use crate::note;
use crate::reply::{Outcome, Reply, Trouble};
use crate::session::Session;

/// The message that will go. It needs the rights of STORE and EXPUNGE, as with MOVE.
pub(super) fn find_replaced(session: &Session, replaced: Replaced) -> std::result::Result<Entry, Trouble> {
    let view = session.writable_view()?;
    if session.enabled.uid_only && !replaced.uid {
        return Err(Reply::uid_required().into());
    }
    if !view.rights.has(Rights::DELETE_MESSAGES.with(Rights::EXPUNGE)) {
        return Err(access::not_permitted().into());
    }
    let found = match (replaced.message, replaced.uid) {
        (Bound::Star, _) => view.list.by_seq(view.list.len() as u32),
        (Bound::Number(uid), true) => view.list.by_uid(uid),
        (Bound::Number(seq), false) => view.list.by_seq(seq),
    };
    match found {
        Some(entry) => Ok(entry.clone()),
        None if replaced.uid => Err(Reply::no("NONEXISTENT", "There is no message of this UID").into()),
        None => Err(Reply::bad("There is no message of this number").into()),
    }
}

/// Bytes that become free in the account which the new message is for.
pub(super) fn freed(session: &Session, old: &Entry, target: &Place) -> u64 {
    let same = session.view.as_ref().is_some_and(|view| view.owner.id == target.owner.id);
    if same { old.size } else { 0 }
}

/// Stores the new message and expunges the old one, both or neither. The client is told the new UID before the old message goes
/// (RFC 8508 §4.3).
pub(super) async fn store(session: &mut Session, target: &Place, new: NewMessage, old: Entry) -> Outcome {
    let view = session.view()?;
    let (from, owner, name) = (view.mailbox, view.owner.id, view.name.clone());
    let (to, uid) = (target.mailbox.id, old.uid);
    let look = move |tx: &mut MailTx<'_, '_>| match tx.entry(from, uid)? {
        Some(_) => expunge::message_ids(tx, from, &[uid]).map(Some),
        None => Ok(None),
    };
    let Some(ids) = session.deps.store.read(owner, look).await? else { return Ok(gone()) };
    let stored = match owner == target.owner.id {
        true => {
            let work = move |tx: &mut MailTx<'_, '_>| replace(tx, from, uid, to, &new);
            session.deps.store.write(owner, Durability::Sync, work).await
        }
        false => {
            let work = move |tx: &mut MailTx<'_, '_>| append(tx, to, &new);
            session.deps.store.write(target.owner.id, Durability::Sync, work).await.map(Some)
        }
    };
    let (uidvalidity, new_uid) = match stored {
        Err(error) if error.class == Class::NotFound => return Ok(Reply::no("TRYCREATE", "There is no such mailbox")),
        other => match other? {
            Some(stored) => stored,
            None => return Ok(gone()),
        },
    };
    if owner != target.owner.id {
        let work = move |tx: &mut MailTx<'_, '_>| tx.expunge(from, &[uid], false).map(drop);
        session.deps.store.write(owner, Durability::Sync, work).await?;
    }
    note::deleted(session, owner, &name, uid.to_string(), ids).await;
    quota::warn(session, &target.owner).await?;
    session.untagged(&format!("OK [APPENDUID {uidvalidity} {new_uid}] The replacement is there"));
    expunge::done(session).await
}

fn gone() -> Reply {
    Reply::no("EXPUNGEISSUED", "The message was expunged, nothing was replaced")
}

/// Returns UIDVALIDITY and UID of the new message; `None` when the old one is gone already.
fn replace(
    tx: &mut MailTx<'_, '_>,
    from: MailboxId,
    old: u32,
    to: MailboxId,
    new: &NewMessage,
) -> Result<Option<(u32, u32)>> {
    if tx.entry(from, old)?.is_none() {
        return Ok(None);
    }
    // What counts is what the account holds afterwards.
    let stored = append(tx, to, &NewMessage { quota: None, ..new.clone() })?;
    tx.expunge(from, &[old], false)?;
    match new.quota.is_some_and(|quota| tx.used() > quota) {
        true => Err(Error::new(Class::OverQuota, "the mailbox is full", "邮箱空间已满")),
        false => Ok(Some(stored)),
    }
}

fn append(tx: &mut MailTx<'_, '_>, to: MailboxId, new: &NewMessage) -> Result<(u32, u32)> {
    let uidvalidity = tx.mailbox(to)?.uidvalidity;
    let appended = tx.append(new)?;
    let uid = appended.and_then(|appended| appended.places.first().map(|(_, _, uid)| *uid));
    Ok((uidvalidity, uid.unwrap_or(0)))
}
