//! DELETE (RFC 9051 §6.3.5).

use anser_base::Durability;

use super::{find, is_selected, leave_mailbox};
use crate::name;
use crate::note;
use crate::reply::{Outcome, Reply};
use crate::session::Session;

pub(super) async fn run(session: &mut Session, mailbox: &str) -> Outcome {
    let found = find(session, mailbox).await?;
    let id = found.id;
    let write = session.deps.store.write(session.account_id()?, Durability::Sync, move |tx| tx.delete_mailbox(id));
    write.await?;
    if found.total > 0 {
        note::deleted(session, &name::text(mailbox), format!("1:{}", found.uidnext.saturating_sub(1)), Vec::new())
            .await;
    }
    if is_selected(session, id) {
        leave_mailbox(session).await;
        session.untagged("OK [CLOSED] The mailbox is gone");
    }
    Ok(Reply::ok("Deleted"))
}
