//! GETQUOTA, GETQUOTAROOT and SETQUOTA (RFC 9208): one root for each account, `""` for the user's own, else the owner's address.

use std::sync::Arc;

use anser_directory::{Account, AccountState, Identity};
use anser_store::{MAILBOXES, Rights};
use anser_wire::imap::QuotaLimit;
use anser_wire::imap::write::{write_astring, write_mailbox};

use crate::access;
use crate::name;
use crate::reply::{Outcome, Reply, Trouble};
use crate::session::Session;

/// Octets of the unit in which STORAGE is told.
const UNIT: u64 = 1024;
/// Percent of the room from which on who adds messages is told that it comes to an end.
const SOFT: u64 = 95;

pub(super) async fn get(session: &mut Session, root: &str) -> Outcome {
    let owner = owner_of(session, root).await?;
    write(session, &owner).await?;
    Ok(Reply::ok("Done"))
}

/// The mailbox need not exist; the root is that of the account in which it would be. How full somebody else's account is shows only to
/// those who may read the mailbox (RFC 9208 §6).
pub(super) async fn get_root(session: &mut Session, mailbox: &str) -> Outcome {
    let spot =
        access::spot(session, mailbox).await?.ok_or_else(|| Reply::no("NONEXISTENT", "There is no such mailbox"))?;
    if spot.owner.id != session.account_id()? {
        access::find(session, mailbox, Rights::READ).await?;
    }
    let utf8 = session.enabled.utf8;
    session.out.extend_from_slice(b"* QUOTAROOT ");
    write_mailbox(&mut session.out, &name::text(mailbox), utf8);
    session.out.push(b' ');
    let root = root_of(session, &spot.owner)?;
    write_astring(&mut session.out, root.as_bytes(), utf8);
    session.out.extend_from_slice(b"\r\n");
    write(session, &spot.owner).await?;
    Ok(Reply::ok("Done"))
}

/// Sets the room of an account of the user's tenant, for administrators. The limits of other resources are the server's own.
pub(super) async fn set(session: &mut Session, root: &str, limits: &[QuotaLimit]) -> Outcome {
    if !access::administers(session).await? {
        return Ok(Reply::no("NOPERM", "Quotas are set by the administrator"));
    }
    let owner = owner_of(session, root).await?;
    if limits.iter().any(|limit| limit.resource != "STORAGE") {
        return Ok(Reply::no("CANNOT", "Only STORAGE can be limited"));
    }
    let units = limits.last().map_or(0, |limit| limit.limit.max(1));
    session.deps.directory.set_quota(owner.id, units.saturating_mul(UNIT)).await?;
    write(session, &owner).await?;
    Ok(Reply::ok("Done"))
}

fn root_of(session: &Session, owner: &Account) -> Result<String, Trouble> {
    Ok(if session.account_id()? == owner.id { String::new() } else { owner.address.to_string() })
}

/// The account of a root that the user may look at: his own, one in which he may read something, any of his tenant for administrators.
async fn owner_of(session: &Session, root: &str) -> Result<Arc<Account>, Trouble> {
    let user = session.account()?.clone();
    if root.is_empty() {
        return Ok(user);
    }
    let found = match session.deps.directory.identify(root, &user).await? {
        Some(Identity::Account(owner)) if owner.state == AccountState::Active => Some(owner),
        _ => None,
    };
    let missing = || Reply::no("NONEXISTENT", "There is no such quota root");
    let owner = found.ok_or_else(missing)?;
    if owner.id == user.id || access::administers(session).await? {
        return Ok(owner);
    }
    let subject = access::subject(session).await?;
    let rights = session.deps.store.read(owner.id, move |tx| tx.all_rights(&subject)).await?;
    match rights.values().any(|rights| rights.has(Rights::READ)) {
        true => Ok(owner),
        false => Err(missing().into()),
    }
}

async fn write(session: &mut Session, owner: &Account) -> Result<(), Trouble> {
    let read = session.deps.store.read(owner.id, |tx| Ok((tx.used(), tx.mailboxes()?.len())));
    let (used, mailboxes) = read.await?;
    let storage = match session.quota(owner.id).await? {
        Some(limit) => format!("STORAGE {} {} ", used.div_ceil(UNIT), limit / UNIT),
        None => String::new(),
    };
    let (root, utf8) = (root_of(session, owner)?, session.enabled.utf8);
    session.out.extend_from_slice(b"* QUOTA ");
    write_astring(&mut session.out, root.as_bytes(), utf8);
    session.out.extend_from_slice(format!(" ({storage}MAILBOX {mailboxes} {MAILBOXES})\r\n").as_bytes());
    Ok(())
}

/// Tells who has just added messages to an account that its room comes to an end (RFC 9208 §4.3.1).
pub(super) async fn warn(session: &mut Session, owner: &Account) -> Result<(), Trouble> {
    let Some(limit) = session.quota(owner.id).await? else { return Ok(()) };
    let used = session.deps.store.read(owner.id, |tx| Ok(tx.used())).await?;
    if used.saturating_mul(100) >= limit.saturating_mul(SOFT) {
        session.untagged("NO [OVERQUOTA] The mailbox is nearly full");
    }
    Ok(())
}
