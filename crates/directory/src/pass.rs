//! What a connection was let in by, asked after as long as the connection is open: a logout, a revocation, a suspension, a new password
//! or the end of a token's time ends what was opened with it.

use std::sync::Arc;

use anser_base::{AccountId, Result, Timestamp};
use tokio::sync::watch;

use crate::Directory;
use crate::login::{Credentials, Via};
use crate::model::{Account, Service, Services};
use crate::oauth::GrantId;

/// What a login or a session was, as far as it is needed to ask after it. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pass {
    account: AccountId,
    /// The version of the credentials.
    credential: i64,
    service: Service,
    via: Via,
    /// When the token's own time is over.
    pub(crate) until: Option<Timestamp>,
    /// By what a session is found.
    session: Option<[u8; 32]>,
}

impl Pass {
    pub(crate) fn new(of: &Credentials, service: Service, via: Via) -> Self {
        let (account, credential) = (of.account.id, of.version);
        Self { account, credential, service, via, until: None, session: None }
    }

    pub(crate) fn of_session(self, hash: [u8; 32]) -> Self {
        Self { session: Some(hash), ..self }
    }
}

impl Directory {
    /// Whose a pass is and what it opens, as it is now; `None` when it is good no more. That is no use of it: a session that only waits
    /// grows idle.
    pub async fn recheck(&self, pass: &Pass) -> Result<Option<(Arc<Account>, Services)>> {
        let now = self.inner.deps.clock.now();
        if pass.until.is_some_and(|until| now >= until) {
            return Ok(None);
        }
        let Some(found) = self.credentials_of(pass.account).await? else { return Ok(None) };
        let same = found.version == pass.credential;
        let is_good = match pass.via {
            Via::Password | Via::Scram => same && !found.asks_second(false),
            Via::AppPassword(id) | Via::Token(id) => found.is_alive(id, now),
            Via::Grant(id, _) => same && self.has_grant(id, &found).await?,
            Via::Session(_) => match pass.session {
                Some(hash) => same && self.has_session(hash, now).await?,
                None => false,
            },
        };
        let is_open = is_good && !found.account.must_change_password && found.allows(pass.service, pass.via);
        Ok(is_open.then(|| (found.account.clone(), found.services(pass.via))))
    }

    /// Tells that the directory changed here, so that it is time to [`Self::recheck`]. What other nodes change is seen by rechecking
    /// from time to time.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.inner.generation.subscribe()
    }

    async fn has_grant(&self, id: GrantId, holder: &Credentials) -> Result<bool> {
        Ok(self.known_grant(id).await?.is_some_and(|grant| grant.is_of(holder)))
    }
}
