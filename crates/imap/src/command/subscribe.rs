//! SUBSCRIBE (RFC 9051 §6.3.7) and UNSUBSCRIBE (§6.3.8).

use anser_base::Durability;

use super::find;
use crate::reply::{Outcome, Reply};
use crate::session::Session;

pub(super) async fn run(session: &mut Session, mailbox: &str, subscribed: bool) -> Outcome {
    let found = find(session, mailbox).await?;
    if found.subscribed != subscribed {
        let account = session.account_id()?;
        let write = session.deps.store.write(account, Durability::Sync, move |tx| tx.subscribe(found.id, subscribed));
        write.await?;
    }
    Ok(Reply::ok("Done"))
}
