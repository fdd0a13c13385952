//! STATUS (RFC 9051 §6.3.11): answered from the mailbox's counters.

use anser_directory::Account;
use anser_store::{Flags, MailTx, Mailbox};
use anser_wire::imap::StatusItem;
use anser_wire::imap::write::write_mailbox;

use crate::access;
use crate::name;
use crate::reply::{Outcome, Reply, Trouble};
use crate::session::Session;

pub(super) async fn run(session: &mut Session, mailbox: &str, items: Vec<StatusItem>) -> Outcome {
    let place = access::find_readable(session, mailbox).await?;
    let path = name::text(mailbox);
    write(session, path.strip_suffix(name::SEPARATOR).unwrap_or(&path), &place.owner, &place.mailbox, &items).await?;
    Ok(Reply::ok("Done"))
}

/// Writes the STATUS response of a mailbox; none of one that is filling, of which nothing can be told yet (RFC 5819 §2).
pub(crate) async fn write(
    session: &mut Session,
    path: &str,
    owner: &Account,
    mailbox: &Mailbox,
    items: &[StatusItem],
) -> Result<(), Trouble> {
    session.enabled.condstore |= items.contains(&StatusItem::HighestModSeq);
    if mailbox.is_filling() {
        return Ok(());
    }
    let mut values = Vec::with_capacity(items.len());
    for item in items {
        values.push(format!("{} {}", item.name(), value(session, owner, mailbox, *item).await?));
    }
    session.out.extend_from_slice(b"* STATUS ");
    write_mailbox(&mut session.out, path, session.enabled.utf8);
    session.out.extend_from_slice(format!(" ({})\r\n", values.join(" ")).as_bytes());
    Ok(())
}

async fn value(session: &Session, owner: &Account, mailbox: &Mailbox, item: StatusItem) -> Result<String, Trouble> {
    let user = session.account_id()?;
    let number = match item {
        StatusItem::Messages => mailbox.total,
        StatusItem::Recent => {
            if owner.id == user {
                recent(session, mailbox).await?
            } else {
                0
            }
        }
        StatusItem::UidNext => u64::from(mailbox.uidnext),
        StatusItem::UidValidity => u64::from(mailbox.uidvalidity),
        StatusItem::Unseen => mailbox.unseen,
        StatusItem::Deleted => mailbox.deleted,
        StatusItem::Size => mailbox.size,
        StatusItem::HighestModSeq => mailbox.modseq.max(1),
        StatusItem::MailboxId => {
            return Ok(format!("({})", name::mailbox_id((owner.id != user).then_some(owner.id), mailbox.id)));
        }
        StatusItem::AppendLimit => session.deps.limits.message_size,
        StatusItem::DeletedStorage => deleted_storage(session, owner, mailbox).await?,
    };
    Ok(number.to_string())
}

async fn recent(session: &Session, mailbox: &Mailbox) -> Result<u64, Trouble> {
    let (id, from) = (mailbox.id, mailbox.recent_from);
    if from >= mailbox.uidnext {
        return Ok(0);
    }
    let count = move |tx: &mut MailTx<'_, '_>| tx.count_from(id, from);
    Ok(session.deps.store.read(session.account_id()?, count).await?)
}

async fn deleted_storage(session: &Session, owner: &Account, mailbox: &Mailbox) -> Result<u64, Trouble> {
    if mailbox.deleted == 0 {
        return Ok(0);
    }
    let list = session.deps.store.snapshot(owner.id, mailbox.id).await?;
    Ok(list.iter().filter(|entry| entry.flags.has(Flags::DELETED)).map(|entry| entry.size).sum())
}
