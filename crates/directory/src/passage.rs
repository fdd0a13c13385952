//! Sessions of people whose mail is still at an old server: a door finds out who they are, as ever, and hands their connection on.

use std::fmt;
use std::sync::{Arc, PoisonError};

use anser_base::{AccountId, Class, Result};
use anser_net::{Shutdown, Stream};

use crate::front_door::Later;
use crate::login::{Login, Via};
use crate::{Account, AppPasswordId, Directory, Service};

/// What takes a connection from the door, up to its end.
type Taker = Box<dyn FnOnce(Stream, Shutdown) -> Later<()> + Send + Sync>;

/// A session that is open at an old server, where its user is logged in already.
pub struct Passage {
    /// What the old server says it can do: the words of CAPABILITY (RFC 9051 §7.2.2), or nothing.
    pub capabilities: String,
    taker: Taker,
}

impl Passage {
    /// A session, and what joins a client's connection to it.
    pub fn new(
        capabilities: String,
        taker: impl FnOnce(Stream, Shutdown) -> Later<()> + Send + Sync + 'static,
    ) -> Self {
        Self { capabilities, taker: Box::new(taker) }
    }

    /// Passes on whatever either side says, byte for byte, until one of them ends or the mailbox has moved. The door has answered the
    /// login before, and says nothing more.
    pub async fn run(self, client: Stream, shutdown: Shutdown) {
        (self.taker)(client, shutdown).await;
    }
}

impl fmt::Debug for Passage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passage").field("capabilities", &self.capabilities).finish_non_exhaustive()
    }
}

impl Directory {
    /// Where the session of a login goes, as [`Self::passage`] says; it stays here when it came with an app password that is to
    /// [look here](Self::look_here).
    pub async fn passage_of(&self, login: &Login, service: Service) -> Result<Option<Passage>> {
        match login.via {
            Via::AppPassword(id) if self.inner.looking.lock().unwrap_or_else(PoisonError::into_inner).contains(&id) => {
                Ok(None)
            }
            _ => self.passage(&login.account, service).await,
        }
    }

    /// What logs in to this process with this app password is shown what is here, wherever the mailbox lives, until told otherwise: who
    /// compares what is here with what an old server has must not be passed on to that.
    pub fn look_here(&self, id: AppPasswordId, looks: bool) {
        let mut looking = self.inner.looking.lock().unwrap_or_else(PoisonError::into_inner);
        match looks {
            true => looking.insert(id),
            false => looking.remove(&id),
        };
    }

    /// Where the session of somebody who has just logged in goes: `None` when the mailbox is here. [`anser_base::Class::Unavailable`]
    /// while nobody can say, or the old server is out of reach: the login fails for a time.
    pub async fn passage(&self, account: &Arc<Account>, service: Service) -> Result<Option<Passage>> {
        let Some(servers) = self.inner.old_servers.get() else { return Ok(None) };
        match (servers.pass)(account.clone(), service).await {
            // The password that it lacks may be on its way.
            Err(error) if error.class == Class::Unavailable && self.wait_for_learning(account).await => {
                (servers.pass)(account.clone(), service).await
            }
            found => found,
        }
    }

    /// Of these accounts, those whose mailbox lives at an old server: what is here is a copy, which doors that pass no session on may show
    /// and must not change.
    pub async fn living_elsewhere(&self, accounts: Vec<AccountId>) -> Result<Vec<AccountId>> {
        match self.inner.old_servers.get() {
            Some(servers) => (servers.elsewhere)(accounts).await,
            None => Ok(Vec::new()),
        }
    }
}
