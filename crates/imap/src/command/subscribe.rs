//! SUBSCRIBE (RFC 9051 §6.3.7) and UNSUBSCRIBE (§6.3.8). Subscriptions are the user's own, to mailboxes of others as well.

use anser_base::Durability;
use anser_store::{MailTx, Rights};

use crate::access;
use crate::name;
use crate::reply::{Outcome, Reply};
use crate::session::Session;

pub(super) async fn run(session: &mut Session, mailbox: &str, subscribed: bool) -> Outcome {
    let user = session.account_id()?;
    // What was subscribed while it was seen can be given up when it is no more (RFC 4314 §4).
    let need = if subscribed { Rights::LOOKUP } else { Rights::NONE };
    let path = name::levels(mailbox)?.join("/");
    if !subscribed && session.deps.store.write(user, Durability::Sync, move |tx| tx.forget_subscription(&path)).await? {
        return Ok(Reply::ok("Done"));
    }
    let place = access::find(session, mailbox, need).await?;
    let (owner, id) = (place.owner.id, place.mailbox.id);
    if !place.rights.has(Rights::LOOKUP) {
        let known = session.deps.store.read(user, |tx| tx.subscriptions()).await?;
        if !known.contains(&(owner, id)) {
            place.require(Rights::LOOKUP, "NONEXISTENT")?;
        }
    }
    if owner == user && place.mailbox.subscribed == subscribed {
        return Ok(Reply::ok("Done"));
    }
    let work = move |tx: &mut MailTx<'_, '_>| match owner == user {
        true => tx.subscribe(id, subscribed),
        false => tx.subscribe_to(owner, id, subscribed),
    };
    session.deps.store.write(user, Durability::Sync, work).await?;
    Ok(Reply::ok("Done"))
}
