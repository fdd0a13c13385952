//! GETQUOTA and GETQUOTAROOT (RFC 9208): one root, the account.

use anser_wire::imap::write::write_mailbox;

use super::find;
use crate::reply::{Outcome, Reply, Trouble};
use crate::session::Session;

/// Octets of the unit in which STORAGE is told.
const UNIT: u64 = 1024;

pub(super) async fn get(session: &mut Session, root: &str) -> Outcome {
    if !root.is_empty() {
        return Ok(Reply::no("NONEXISTENT", "There is no such quota root"));
    }
    write(session).await?;
    Ok(Reply::ok("Done"))
}

pub(super) async fn get_root(session: &mut Session, mailbox: &str) -> Outcome {
    find(session, mailbox).await?;
    session.out.extend_from_slice(b"* QUOTAROOT ");
    write_mailbox(&mut session.out, mailbox, session.enabled.utf8);
    session.out.extend_from_slice(b" \"\"\r\n");
    write(session).await?;
    Ok(Reply::ok("Done"))
}

async fn write(session: &mut Session) -> Result<(), Trouble> {
    let used = session.deps.store.read(session.account_id()?, |tx| Ok(tx.used())).await?;
    let line = match session.quota().await? {
        Some(limit) => format!("QUOTA \"\" (STORAGE {} {})", used.div_ceil(UNIT), limit / UNIT),
        None => "QUOTA \"\" ()".to_owned(),
    };
    session.untagged(&line);
    Ok(())
}
