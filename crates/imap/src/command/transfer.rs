//! COPY (RFC 9051 §6.4.7) and MOVE (§6.4.8), with UID and without.

use anser_base::Durability;
use anser_wire::imap::Transfer;
use anser_wire::imap::write::write_number_set;

use super::find_target;
use crate::reply::{Outcome, Reply};
use crate::session::Session;

pub(super) async fn copy(session: &mut Session, copy: Transfer) -> Outcome {
    let target = find_target(session, &copy.mailbox).await?;
    let view = session.view()?;
    let (from, to) = (view.mailbox, target.id);
    let uids = view.uids(&view.numbers(&copy.set, copy.uid, &session.saved)?);
    let (account, quota) = (session.account_id()?, session.quota().await?);
    let write = session.deps.store.write(account, Durability::Sync, move |tx| tx.copy(from, &uids, to, quota));
    let pairs = write.await?;
    match pairs.is_empty() {
        true => Ok(Reply::ok("No messages copied")),
        false => Ok(Reply::ok_with(copyuid(target.uidvalidity, &pairs), "Copied")),
    }
}

pub(super) async fn move_to(session: &mut Session, copy: Transfer) -> Outcome {
    let target = find_target(session, &copy.mailbox).await?;
    let view = session.writable_view()?;
    let (from, to) = (view.mailbox, target.id);
    let uids = view.uids(&view.numbers(&copy.set, copy.uid, &session.saved)?);
    let account = session.account_id()?;
    let pairs = session.deps.store.write(account, Durability::Sync, move |tx| tx.move_to(from, &uids, to)).await?;
    if pairs.is_empty() {
        return Ok(Reply::ok("No messages moved"));
    }
    session.untagged(&format!("OK [{}] Moved", copyuid(target.uidvalidity, &pairs)));
    Ok(Reply::ok("Done"))
}

fn copyuid(uidvalidity: u32, pairs: &[(u32, u32)]) -> String {
    let mut code = format!("COPYUID {uidvalidity} ").into_bytes();
    write_number_set(&mut code, pairs.iter().map(|(old, _)| *old));
    code.push(b' ');
    write_number_set(&mut code, pairs.iter().map(|(_, new)| *new));
    String::from_utf8_lossy(&code).into_owned()
}
