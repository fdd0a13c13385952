//! What a connection was let in by, asked after as long as the connection is open: a logout, a revocation, a suspension, a new password
//! or the end of a token's time ends what was opened with it.

use std::sync::Arc;

use anser_base::{AccountId, Result, Timestamp};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::sync::watch;

use crate::Directory;
use crate::credentials::Credentials;
use crate::login::Via;
use crate::model::{Account, AppPasswordId, Service, Services, SessionId};
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

    /// Its text, by which it is known after a restart. What was opened by a token of a grant lasts as long as the grant: such tokens are
    /// changed every hour.
    pub(crate) fn kept(&self) -> String {
        let (kind, id) = match self.via {
            Via::Password => ("password", 0),
            Via::Scram => ("scram", 0),
            Via::AppPassword(id) => ("app-password", id.0),
            Via::Token(id) => ("token", id.0),
            Via::Session(id) => ("session", id.0),
            Via::Grant(id, services) => ("grant", id.0 | u64::from(services.0) << 48),
        };
        let until = self.until.filter(|_| kind != "grant").map_or(-1, |until| until.0);
        let session = self.session.map_or_else(|| "-".to_owned(), |hash| URL_SAFE_NO_PAD.encode(hash));
        format!("{kind} {id} {} {until} {session}", self.credential)
    }

    /// The inverse, for the door of the Web; `None` for what is none.
    pub(crate) fn of_kept(account: AccountId, text: &str) -> Option<Self> {
        let mut parts = text.split(' ');
        let (kind, id) = (parts.next()?, parts.next()?.parse::<u64>().ok()?);
        let (credential, until) = (parts.next()?.parse().ok()?, parts.next()?.parse::<i64>().ok()?);
        let session = match parts.next()? {
            "-" => None,
            hash => Some(URL_SAFE_NO_PAD.decode(hash).ok()?.try_into().ok()?),
        };
        let via = match kind {
            "password" => Via::Password,
            "scram" => Via::Scram,
            "app-password" => Via::AppPassword(AppPasswordId(id)),
            "token" => Via::Token(AppPasswordId(id)),
            "session" => Via::Session(SessionId(id)),
            "grant" => Via::Grant(GrantId(id & ((1 << 48) - 1)), Services((id >> 48) as u32)),
            _ => return None,
        };
        let until = (until >= 0).then_some(Timestamp(until));
        Some(Self { account, credential, service: Service::Web, via, until, session })
    }

    /// What was shown.
    pub fn via(&self) -> Via {
        self.via
    }

    /// Whether both are one login, one token, one grant.
    pub fn is_same(&self, other: &Self) -> bool {
        self.account == other.account && self.kept() == other.kept()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_is_known_again() {
        let all = [
            Via::Password,
            Via::Scram,
            Via::AppPassword(AppPasswordId(7)),
            Via::Token(AppPasswordId(8)),
            Via::Session(SessionId(u64::MAX >> 1)),
            Via::Grant(GrantId(9), Services(73)),
        ];
        for via in all {
            for (until, session) in [(None, None), (Some(Timestamp(5)), Some([3; 32]))] {
                let pass = Pass { account: AccountId(1), credential: 4, service: Service::Web, via, until, session };
                let again = Pass::of_kept(AccountId(1), &pass.kept()).unwrap();
                assert!(again.is_same(&pass) && again.via == via && again.session == session);
                assert_eq!(
                    again.until,
                    until.filter(|_| !matches!(via, Via::Grant(..))),
                    "a grant outlives its tokens"
                );
                let other = Pass { credential: 5, ..pass };
                assert!(!again.is_same(&other));
            }
        }
        for wrong in ["", "x 1 2 3 -", "password", "session 1 2 3 ?", "token x 1 -1 -"] {
            assert_eq!(Pass::of_kept(AccountId(1), wrong), None, "{wrong}");
        }
    }
}
