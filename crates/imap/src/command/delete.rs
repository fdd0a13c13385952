//! DELETE (RFC 9051 §6.3.5). Who subscribed to the mailbox still does (§6.3.7).

use anser_base::Durability;
use anser_store::{MailTx, Rights};
use anser_wire::imap::write::Status;

use super::{is_selected, leave_mailbox};
use crate::access;
use crate::name;
use crate::note;
use crate::reply::{Outcome, Reply};
use crate::session::Session;

pub(super) async fn run(session: &mut Session, mailbox: &str) -> Outcome {
    let place = access::find(session, mailbox, Rights::DELETE_MAILBOX).await?;
    let (owner, found) = (place.owner.id, place.mailbox);
    let id = found.id;
    let delete = move |tx: &mut MailTx<'_, '_>| {
        let has_children = tx.mailboxes()?.iter().any(|mailbox| mailbox.parent == Some(id));
        if !has_children {
            tx.keep_subscription(id)?;
            tx.delete_mailbox(id)?;
        }
        Ok(has_children)
    };
    if session.deps.store.write(owner, Durability::Sync, delete).await? {
        return Ok(Reply::no("HASCHILDREN", "The mailbox has mailboxes below it"));
    }
    if found.total > 0 {
        note::deleted(
            session,
            owner,
            &name::text(mailbox),
            format!("1:{}", found.uidnext.saturating_sub(1)),
            Vec::new(),
        )
        .await;
    }
    if is_selected(session, owner, id) {
        leave_mailbox(session).await;
        session.tell("*", Status::Ok, "CLOSED", "The mailbox is gone");
    }
    Ok(Reply::ok("Deleted"))
}
