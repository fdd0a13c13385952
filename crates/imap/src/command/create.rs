//! CREATE (RFC 9051 §6.3.4), with USE (RFC 6154 §3).

use anser_base::{Durability, MailboxId, Result};
use anser_store::{MailTx, Mailbox, Rights, Role};

use crate::access::{self, Spot};
use crate::name;
use crate::reply::{Outcome, Reply, Trouble};
use crate::session::Session;

pub(super) async fn run(session: &mut Session, mailbox: &str, special_use: &[String]) -> Outcome {
    let role = match special_use {
        [] => None,
        [one] => Some(role_of(one)?),
        _ => return Err(Reply::no("USEATTR", "One mailbox has one use").into()),
    };
    let spot = may_create(session, mailbox).await?;
    let (owner, levels) = (spot.owner.id, spot.path);
    let work = move |tx: &mut MailTx<'_, '_>| {
        let (last, above) = levels.split_last().map_or(("", &[][..]), |(last, above)| (last.as_str(), above));
        let parent = ensure(tx, above)?;
        tx.create_mailbox(parent, last, role)
    };
    let made = session.deps.store.write(owner, Durability::Sync, work).await?;
    let scope = (owner != session.account_id()?).then_some(owner);
    Ok(Reply::ok_with(format!("MAILBOXID ({})", name::mailbox_id(scope, made.id)), "Created"))
}

/// Where a new mailbox would be, if the user may make it: he needs `k` on the nearest mailbox above that exists (RFC 4314 §4).
pub(super) async fn may_create(session: &Session, name: &str) -> std::result::Result<Spot, Trouble> {
    let user = session.account_id()?;
    let spot = access::spot(session, name).await?.filter(|spot| !spot.path.is_empty());
    let Some(spot) = spot else { return Err(access::not_permitted().into()) };
    if spot.owner.id == user {
        let reserved = spot.path.first().is_some_and(|top| [access::OTHERS, access::SHARED].contains(&top.as_str()));
        return if reserved { Err(Reply::no("CANNOT", "This name is reserved").into()) } else { Ok(spot) };
    }
    for depth in (1..spot.path.len()).rev() {
        let above = Spot { owner: spot.owner.clone(), path: spot.path[..depth].to_vec() };
        if let Some(place) = access::at(session, &above).await? {
            // Whether the user sees the mailbox above or not, the answer is the same.
            return if place.rights.has(Rights::CREATE) { Ok(spot) } else { Err(access::not_permitted().into()) };
        }
    }
    match access::care(session, &spot.owner).await?.has(Rights::CREATE) {
        true => Ok(spot),
        false => Err(access::not_permitted().into()),
    }
}

fn role_of(attribute: &str) -> std::result::Result<Role, Reply> {
    let is = |role: &Role| role.attribute().is_some_and(|known| known.eq_ignore_ascii_case(attribute));
    Role::ALL.into_iter().find(is).ok_or_else(|| Reply::no("USEATTR", "This use is not offered"))
}

/// The mailbox at these levels, made as far as it is missing; `None` for no levels.
pub(super) fn ensure(tx: &mut MailTx<'_, '_>, levels: &[String]) -> Result<Option<MailboxId>> {
    let mut parent = None;
    for depth in 1..=levels.len() {
        let path: Vec<&str> = levels[..depth].iter().map(String::as_str).collect();
        let found: Mailbox = match tx.mailbox_at(&path)? {
            Some(found) => found,
            None => tx.create_mailbox(parent, path[depth - 1], None)?,
        };
        parent = Some(found.id);
    }
    Ok(parent)
}
