//! Whose mailbox a name means, and what the user may do with it (RFC 4314, RFC 2342).
//!
//! | name | mailbox |
//! |---|---|
//! | `Work/2026` | the user's own |
//! | `Other Users/bob/Work` | of bob, in the domain of the user; elsewhere `Other Users/bob@example.org/Work` |
//! | `Shared/hall/Plans` | of an account that is nobody's own |
//!
//! Names lead into accounts of the user's own tenant that are active, nowhere else. Rights are read anew for every command.

use std::sync::Arc;

use anser_base::AccountId;
use anser_directory::{Account, AccountState, Identity, Role};
use anser_store::{Mailbox, Rights, Subject};

use crate::name;
use crate::reply::{Reply, Trouble};
use crate::session::Session;

/// Where mailboxes of other people are.
pub(crate) const OTHERS: &str = "Other Users";
/// Where mailboxes that are nobody's own are.
pub(crate) const SHARED: &str = "Shared";

/// What an administrator may do with mailboxes that are nobody's own, besides what he was given.
const CARE: Rights = Rights(Rights::LOOKUP.0 | Rights::CREATE.0 | Rights::DELETE_MAILBOX.0 | Rights::ADMINISTER.0);
/// Stands for `/` in the level that names an account.
const SLASH: &str = "\u{2215}";

/// Where a name points, whether or not there is a mailbox.
pub(crate) struct Spot {
    pub owner: Arc<Account>,
    /// The levels inside the owner's account.
    pub path: Vec<String>,
}

/// A mailbox, and what the user may do with it.
pub(crate) struct Place {
    pub owner: Arc<Account>,
    pub mailbox: Mailbox,
    pub rights: Rights,
}

impl Place {
    /// Refuses when the user lacks a right; who may not even see the mailbox is told that there is none, with this code.
    pub fn require(&self, need: Rights, missing: &'static str) -> Result<(), Reply> {
        match self.rights.has(need) {
            true => Ok(()),
            false if self.rights.has(Rights::LOOKUP) => Err(not_permitted()),
            false => Err(nothing_there(missing)),
        }
    }
}

pub(crate) fn not_permitted() -> Reply {
    Reply::no("NOPERM", "You have no right to do that")
}

fn nothing_there(code: &'static str) -> Reply {
    Reply::no(code, "There is no such mailbox")
}

/// The mailbox of this name on which the user has these rights; NO with NONEXISTENT when there is none.
pub(crate) async fn find(session: &Session, name: &str, need: Rights) -> Result<Place, Trouble> {
    find_or(session, name, need, "NONEXISTENT").await
}

/// The mailbox of this name, to be read; NO with INUSE (RFC 5530 §3) while mail moves into it.
pub(crate) async fn find_readable(session: &Session, name: &str) -> Result<Place, Trouble> {
    let place = find(session, name, Rights::READ).await?;
    match place.mailbox.is_filling() {
        true => Err(Reply::no("INUSE", "Mail moves into the mailbox: try again later").into()),
        false => Ok(place),
    }
}

/// The mailbox of this name that messages are to come into; NO with TRYCREATE when there is none (RFC 9051 §6.3.12).
pub(crate) async fn find_target(session: &Session, name: &str) -> Result<Place, Trouble> {
    find_or(session, name, Rights::INSERT, "TRYCREATE").await
}

async fn find_or(session: &Session, name: &str, need: Rights, missing: &'static str) -> Result<Place, Trouble> {
    let spot = spot(session, name).await?.ok_or_else(|| nothing_there(missing))?;
    let place = at(session, &spot).await?.ok_or_else(|| nothing_there(missing))?;
    place.require(need, missing)?;
    Ok(place)
}

/// The mailbox at a spot, whatever the user may do with it.
pub(crate) async fn at(session: &Session, spot: &Spot) -> Result<Option<Place>, Trouble> {
    let (path, subject) = (spot.path.clone(), subject(session).await?);
    let found = session.deps.store.read(spot.owner.id, move |tx| {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let Some(mailbox) = tx.mailbox_at(&path)? else { return Ok(None) };
        let rights = tx.rights(mailbox.id, &subject)?;
        Ok(Some((mailbox, rights)))
    });
    let Some((mailbox, rights)) = found.await? else { return Ok(None) };
    let rights = rights.with(care(session, &spot.owner).await?);
    Ok(Some(Place { owner: spot.owner.clone(), mailbox, rights }))
}

/// Where a name points; `None` when it leads to nobody.
pub(crate) async fn spot(session: &Session, name: &str) -> Result<Option<Spot>, Trouble> {
    let (levels, account) = (name::levels(name)?, session.account()?.clone());
    let shared = match levels.first().map(String::as_str) {
        Some(OTHERS) => false,
        Some(SHARED) => true,
        _ => return Ok(Some(Spot { owner: account, path: levels })),
    };
    // An import may have brought an own mailbox of that name; it is not hidden.
    if is_own(session, account.id, &levels).await? {
        return Ok(Some(Spot { owner: account, path: levels }));
    }
    let [_, who, path @ ..] = levels.as_slice() else { return Ok(None) };
    let owner = match session.deps.directory.identify(&who.replace(SLASH, "/"), &account).await? {
        Some(Identity::Account(owner)) if owner.state == AccountState::Active && owner.shared == shared => owner,
        _ => return Ok(None),
    };
    if shared {
        session.deps.store.ensure(owner.id).await?;
    }
    Ok(Some(Spot { owner, path: path.to_vec() }))
}

async fn is_own(session: &Session, account: AccountId, levels: &[String]) -> Result<bool, Trouble> {
    let levels = levels.to_vec();
    let found = session.deps.store.read(account, move |tx| {
        let path: Vec<&str> = levels.iter().map(String::as_str).collect();
        tx.mailbox_at(&path)
    });
    Ok(found.await?.is_some())
}

/// How the user's names for mailboxes of an account begin, without a separator at the end; empty for his own.
pub(crate) fn prefix(user: &Account, owner: &Account) -> String {
    if user.id == owner.id {
        return String::new();
    }
    let name = match user.domain == owner.domain {
        true => owner.address.local().to_owned(),
        false => owner.address.to_string(),
    };
    format!("{}/{}", if owner.shared { SHARED } else { OTHERS }, name.replace('/', SLASH))
}

/// The user as access lists see him.
pub(crate) async fn subject(session: &Session) -> Result<Subject, Trouble> {
    let account = session.account_id()?;
    Ok(Subject { account, groups: session.deps.directory.groups_of(account).await? })
}

/// Whether the user administers the accounts of his tenant. Asked anew each time, since it may have changed.
pub(crate) async fn administers(session: &Session) -> Result<bool, Trouble> {
    let account = session.deps.directory.account(session.account_id()?).await?;
    Ok(account.is_some_and(|account| matches!(account.role, Role::System | Role::Organisation)))
}

/// The rights that come from administering.
pub(crate) async fn care(session: &Session, owner: &Account) -> Result<Rights, Trouble> {
    Ok(if owner.shared && administers(session).await? { CARE } else { Rights::NONE })
}

/// Looks anew what the user may do with the selected mailbox when it is not his own, and tells what changed. Without the right to
/// read the session ends (RFC 4314 §5.1.1).
pub(crate) async fn refresh(session: &mut Session) -> Result<(), Trouble> {
    let Some(view) = session.view.as_ref().filter(|view| view.scope.is_some()) else { return Ok(()) };
    let (owner, id, before) = (view.owner.clone(), view.mailbox, view.rights);
    let active =
        session.deps.directory.account(owner.id).await?.is_some_and(|owner| owner.state == AccountState::Active);
    let subject = subject(session).await?;
    let read = session.deps.store.read(owner.id, move |tx| tx.rights(id, &subject)).await?;
    let rights = read.with(care(session, &owner).await?);
    if !active || !rights.has(Rights::READ) {
        session.view = None;
        return Err(Trouble::Bye("The mailbox is no longer shared with you"));
    }
    if let Some(view) = session.view.as_mut().filter(|_| rights != before) {
        view.rights = rights;
        view.write_flags(&mut session.out, false);
        view.write_flags(&mut session.out, true);
    }
    Ok(())
}
