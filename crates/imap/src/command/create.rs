//! CREATE (RFC 9051 §6.3.4), with USE (RFC 6154 §3).

use anser_base::{Durability, MailboxId, Result};
use anser_store::{MailTx, Mailbox, Role};

use crate::name;
use crate::reply::{Outcome, Reply};
use crate::session::Session;

pub(super) async fn run(session: &mut Session, mailbox: &str, special_use: &[String]) -> Outcome {
    let role = match special_use {
        [] => None,
        [one] => Some(role_of(one)?),
        _ => return Err(Reply::no("USEATTR", "One mailbox has one use").into()),
    };
    let levels = name::levels(mailbox)?;
    let work = move |tx: &mut MailTx<'_, '_>| {
        let (last, above) = levels.split_last().map_or(("", &[][..]), |(last, above)| (last.as_str(), above));
        let parent = ensure(tx, above)?;
        tx.create_mailbox(parent, last, role)
    };
    let made = session.deps.store.write(session.account_id()?, Durability::Sync, work).await?;
    Ok(Reply::ok_with(format!("MAILBOXID ({})", name::mailbox_id(made.id)), "Created"))
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
