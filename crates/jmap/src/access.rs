//! Whose mail a method is about, and what the user may do with it (RFC 8620 §1.6.2, RFC 4314).

use std::collections::BTreeMap;
use std::sync::Arc;

use anser_base::{MailboxId, Result};
use anser_directory::{Account, AccountState};
use anser_store::{MailTx, Rights, Subject};

use crate::auth::User;
use crate::error::MethodError;
use crate::ids::{self, Scope};

/// An account that the user may use.
#[derive(Clone)]
pub(crate) struct Access {
    pub owner: Arc<Account>,
    /// The user, when the account is not his own.
    guest: Option<Subject>,
}

/// What the user may do with each mailbox.
pub(crate) struct Allowed(Option<BTreeMap<MailboxId, Rights>>);

impl Access {
    /// The account of this id; `accountNotFound` when there is none or nothing of it is shared with the user.
    pub fn to(user: &User, id: &str) -> Result<Self, MethodError> {
        let wanted = ids::parse_account(id);
        if wanted == Some(user.account.id) {
            return Ok(Self { owner: user.account.clone(), guest: None });
        }
        let other = user.others.iter().find(|other| Some(other.id) == wanted && other.state == AccountState::Active);
        match other {
            Some(owner) => Ok(Self { owner: owner.clone(), guest: Some(user.subject.clone()) }),
            None => Err(MethodError::new("accountNotFound", "")),
        }
    }

    /// How ids of this account are shown.
    pub fn scope(&self) -> Scope {
        self.guest.as_ref().map(|_| self.owner.id)
    }

    /// Whether the account is the user's own.
    pub fn is_own(&self) -> bool {
        self.guest.is_none()
    }

    /// What the user may do, as it is in a transaction.
    pub fn allowed(&self, tx: &mut MailTx<'_, '_>) -> Result<Allowed> {
        Ok(Allowed(match &self.guest {
            None => None,
            Some(guest) => Some(tx.all_rights(guest)?),
        }))
    }
}

impl Allowed {
    /// What the owner may do.
    pub const ALL: Self = Self(None);

    /// The rights on a mailbox.
    pub fn on(&self, mailbox: MailboxId) -> Rights {
        match &self.0 {
            None => Rights::ALL,
            Some(rights) => rights.get(&mailbox).copied().unwrap_or(Rights::NONE),
        }
    }

    /// Whether the mailbox is seen.
    pub fn sees(&self, mailbox: MailboxId) -> bool {
        self.on(mailbox).has(Rights::LOOKUP)
    }

    /// Whether its messages are.
    pub fn reads(&self, mailbox: MailboxId) -> bool {
        self.on(mailbox).has(Rights::READ)
    }
}
