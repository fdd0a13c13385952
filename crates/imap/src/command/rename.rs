//! RENAME (RFC 9051 §6.3.6).

use anser_base::{Durability, Error, MailboxId};
use anser_store::{MailTx, Rights, Role};

use super::create::{ensure, may_create};
use crate::access;
use crate::reply::{Outcome, Reply};
use crate::session::Session;

pub(super) async fn run(session: &mut Session, from: &str, to: &str) -> Outcome {
    let place = access::find(session, from, Rights::DELETE_MAILBOX).await?;
    let target = may_create(session, to).await?;
    let (owner, source) = (place.owner.id, place.mailbox);
    if target.owner.id != owner {
        return Ok(Reply::no("CANNOT", "A mailbox stays in its account; copy its messages"));
    }
    let target = target.path;
    let is_inbox = source.role == Some(Role::Inbox);
    let work = move |tx: &mut MailTx<'_, '_>| {
        // A mailbox's own name is taken as well.
        let path: Vec<&str> = target.iter().map(String::as_str).collect();
        if tx.mailbox_at(&path)?.is_some() {
            return Err(Error::exists("a mailbox of this name exists", "已有同名文件夹"));
        }
        let (last, above) = target.split_last().map_or(("", &[][..]), |(last, above)| (last.as_str(), above));
        let parent = ensure(tx, above)?;
        match is_inbox {
            true => empty_into(tx, source.id, parent, last),
            false => tx.rename_mailbox(source.id, parent, last),
        }
    };
    session.deps.store.write(owner, Durability::Sync, work).await?;
    Ok(Reply::ok("Renamed"))
}

/// The inbox stays; its messages move into a new mailbox.
fn empty_into(
    tx: &mut MailTx<'_, '_>,
    inbox: MailboxId,
    parent: Option<MailboxId>,
    name: &str,
) -> anser_base::Result<()> {
    let target = tx.create_mailbox(parent, name, None)?.id;
    let uids: Vec<u32> = tx.entries(inbox, 1, u32::MAX)?.into_iter().map(|entry| entry.uid).collect();
    tx.move_to(inbox, &uids, target)?;
    tx.copy_annotations(inbox, target)?;
    Ok(())
}
