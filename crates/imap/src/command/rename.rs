//! RENAME (RFC 9051 §6.3.6).

use anser_base::{Durability, MailboxId};
use anser_store::{MailTx, Role};

use super::create::ensure;
use super::find;
use crate::name;
use crate::reply::{Outcome, Reply};
use crate::session::Session;

pub(super) async fn run(session: &mut Session, from: &str, to: &str) -> Outcome {
    let source = find(session, from).await?;
    let target = name::levels(to)?;
    let is_inbox = source.role == Some(Role::Inbox);
    let work = move |tx: &mut MailTx<'_, '_>| {
        let (last, above) = target.split_last().map_or(("", &[][..]), |(last, above)| (last.as_str(), above));
        let parent = ensure(tx, above)?;
        match is_inbox {
            true => empty_into(tx, source.id, parent, last),
            false => tx.rename_mailbox(source.id, parent, last),
        }
    };
    session.deps.store.write(session.account_id()?, Durability::Sync, work).await?;
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
    Ok(())
}
