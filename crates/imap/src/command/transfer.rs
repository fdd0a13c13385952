//! COPY (RFC 9051 §6.4.7) and MOVE (§6.4.8), with UID and without.
//!
//! Between accounts a message is stored anew over the same body, with its flags and dates, in one transaction of the target's account.
//! A MOVE then expunges what it copied: two transactions, so that a crash between them leaves the messages in both places and never
//! in none.

use anser_base::{AccountId, Durability, MailboxId, Result};
use anser_store::{MailTx, NewMessage, Rights};
use anser_wire::imap::Transfer;
use anser_wire::imap::write::write_number_set;

use super::{expunge, quota};
use crate::access::{self, Place};
use crate::reply::{Outcome, Reply, Trouble};
use crate::session::Session;

/// Messages that go from one account to another by one command at most; each takes some 4 KiB of memory on its way.
const BETWEEN_ACCOUNTS: usize = 8_000;

pub(super) async fn copy(session: &mut Session, copy: Transfer) -> Outcome {
    let target = access::find_target(session, &copy.mailbox).await?;
    let view = session.view()?;
    let uids = view.uids(&view.numbers(&copy.set, copy.uid, &session.saved)?);
    let pairs = copy_to(session, uids, &target).await?;
    quota::warn(session, &target.owner).await?;
    match pairs.is_empty() {
        true => Ok(Reply::ok("No messages copied")),
        false => Ok(Reply::ok_with(copyuid(target.mailbox.uidvalidity, &pairs), "Copied")),
    }
}

async fn copy_to(session: &Session, uids: Vec<u32>, target: &Place) -> Result<Vec<(u32, u32)>, Trouble> {
    let view = session.view()?;
    let (from, to, rights) = (view.mailbox, target.mailbox.id, target.rights);
    let quota = session.quota(target.owner.id).await?;
    if view.owner.id != target.owner.id {
        return between(session, uids, target, quota).await;
    }
    let work = move |tx: &mut MailTx<'_, '_>| {
        let pairs = tx.copy(from, &uids, to, quota)?;
        limit(tx, to, &pairs, rights)?;
        Ok(pairs)
    };
    Ok(session.deps.store.write(target.owner.id, Durability::Sync, work).await?)
}

pub(super) async fn move_to(session: &mut Session, copy: Transfer) -> Outcome {
    let target = access::find_target(session, &copy.mailbox).await?;
    let view = session.writable_view()?;
    // As COPY, STORE and EXPUNGE together (RFC 6851 §4.1).
    if !view.rights.has(Rights::DELETE_MESSAGES.with(Rights::EXPUNGE)) {
        return Err(access::not_permitted().into());
    }
    let (from, to, rights, owner) = (view.mailbox, target.mailbox.id, target.rights, view.owner.id);
    let uids = view.uids(&view.numbers(&copy.set, copy.uid, &session.saved)?);
    let pairs = match owner == target.owner.id {
        true => {
            let work = move |tx: &mut MailTx<'_, '_>| {
                let pairs = tx.move_to(from, &uids, to)?;
                limit(tx, to, &pairs, rights)?;
                Ok(pairs)
            };
            session.deps.store.write(owner, Durability::Sync, work).await?
        }
        false => {
            let pairs = copy_to(session, uids, &target).await?;
            remove(session, owner, from, pairs.iter().map(|(old, _)| *old).collect()).await?;
            pairs
        }
    };
    if pairs.is_empty() {
        return Ok(Reply::ok("No messages moved"));
    }
    session.untagged(&format!("OK [{}] Moved", copyuid(target.mailbox.uidvalidity, &pairs)));
    expunge::done(session).await
}

async fn remove(session: &Session, owner: AccountId, from: MailboxId, uids: Vec<u32>) -> Result<(), Trouble> {
    let work = move |tx: &mut MailTx<'_, '_>| tx.expunge(from, &uids, false).map(drop);
    Ok(session.deps.store.write(owner, Durability::Sync, work).await?)
}

/// Flags that the user may not set in the target are not kept (RFC 4314 §4).
fn limit(tx: &mut MailTx<'_, '_>, to: MailboxId, pairs: &[(u32, u32)], rights: Rights) -> Result<()> {
    let uids: Vec<u32> = pairs.iter().map(|(_, new)| *new).collect();
    if rights == Rights::ALL { Ok(()) } else { tx.limit_flags(to, &uids, rights) }
}

/// Copies into another account of the same tenant: the body is there already, what is read of it is kept from being swept.
async fn between(
    session: &Session,
    uids: Vec<u32>,
    target: &Place,
    quota: Option<u64>,
) -> Result<Vec<(u32, u32)>, Trouble> {
    if uids.len() > BETWEEN_ACCOUNTS {
        return Err(Reply::no("LIMIT", "Too many messages at once").into());
    }
    let (from, to, rights) = (session.view()?.mailbox, target.mailbox.id, target.rights);
    let (tenant, store) = (target.owner.tenant, session.deps.store.clone());
    let read = store.read(session.view()?.owner.id, move |tx| tx.to_be_copied(from, &uids, to, quota));
    let messages: Vec<(u32, NewMessage)> = read.await?;
    let blobs = store.clone();
    let messages = super::gather::blocking(move || {
        for (_, message) in &messages {
            blobs.blobs().refresh(tenant, message.content.blob)?;
        }
        Ok(messages)
    });
    let messages = messages.await?;
    let work = move |tx: &mut MailTx<'_, '_>| {
        let mut pairs = Vec::with_capacity(messages.len());
        for (old, message) in &messages {
            let appended = tx.append(message)?;
            pairs.extend(appended.iter().flat_map(|appended| &appended.places).map(|(_, _, new)| (*old, *new)));
        }
        limit(tx, to, &pairs, rights)?;
        Ok(pairs)
    };
    Ok(store.write(target.owner.id, Durability::Sync, work).await?)
}

fn copyuid(uidvalidity: u32, pairs: &[(u32, u32)]) -> String {
    let mut code = format!("COPYUID {uidvalidity} ").into_bytes();
    write_number_set(&mut code, pairs.iter().map(|(old, _)| *old));
    code.push(b' ');
    write_number_set(&mut code, pairs.iter().map(|(_, new)| *new));
    String::from_utf8_lossy(&code).into_owned()
}
