//! Is this password good: [`Directory::authenticate`].

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use anser_base::{Result, Timestamp};
use anser_db::params;

use crate::credentials::{Credentials, remember_place};
use crate::guard::{Attempted, Network};
use crate::model::{Account, AppPasswordId, AppPasswordKind, Service, Services, SessionId};
use crate::names::LoginName;
use crate::oauth::{GrantId, Note};
use crate::pass::Pass;
use crate::password::{self, Secret};
use crate::random::{self, app_hash, token_hash};
use crate::refusal::{AuthFailure, Refusal, locked, must_change, needs_app_password, not_allowed, wrong};
use crate::scram::ScramKeys;
use crate::sign_in::Visitor;
use crate::{Directory, front_door, names};

/// How often it is written down that a place or an app password was seen again.
const SEEN_EVERY: Duration = Duration::from_secs(15 * 60);

/// One try to log in.
#[derive(Clone, Copy)]
pub struct Attempt<'a> {
    /// The login name as the peer sent it: an address, or a local part of the default domain.
    pub name: &'a [u8],
    /// The password as the peer sent it.
    pub password: &'a [u8],
    /// The door.
    pub service: Service,
    /// The peer.
    pub source: IpAddr,
    /// Whether the connection is encrypted; for the log.
    pub tls: bool,
}

impl fmt::Debug for Attempt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = String::from_utf8_lossy(self.name);
        f.debug_struct("Attempt").field("name", &name).field("service", &self.service).finish_non_exhaustive()
    }
}

/// With what somebody logged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// The account's own password.
    Password,
    /// An app password.
    AppPassword(AppPasswordId),
    /// A SCRAM proof of the account's own password.
    Scram,
    /// A bearer token.
    Token(AppPasswordId),
    /// A session of our own pages.
    Session(SessionId),
    /// An access token of a grant, and what it opens.
    Grant(GrantId, Services),
}

impl Via {
    /// What it is called in the journal.
    pub fn name(self) -> &'static str {
        match self {
            Self::Password | Self::Scram => "password",
            Self::AppPassword(_) => "app-password",
            Self::Token(_) => "token",
            Self::Session(_) => "session",
            Self::Grant(..) => "grant",
        }
    }

    /// Which app password or token.
    pub fn number(self) -> Option<u64> {
        match self {
            Self::AppPassword(id) | Self::Token(id) => Some(id.0),
            Self::Password | Self::Scram | Self::Session(_) | Self::Grant(..) => None,
        }
    }
}

/// A good login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Whose it is.
    pub account: Arc<Account>,
    /// With what.
    pub via: Via,
    /// What may be done so: the switches of the account, but no more than those of what was shown.
    pub services: Services,
    /// To ask after it by, while a connection is open.
    pub pass: Pass,
}

impl Directory {
    /// Whether name and password are good at a door. Wrong names and wrong passwords answer alike in text and in time; whether an
    /// account is suspended shows only after the right password. The door waits [`AuthFailure::delay`] before it answers.
    pub async fn authenticate(&self, attempt: Attempt<'_>) -> Result<Login, AuthFailure> {
        let began = self.inner.deps.clock.now();
        let credentials = self.credentials(attempt.name).await?;
        self.admit(attempt.name, attempt.source, credentials.as_deref())?;
        let via = self.verify(&attempt, credentials.as_deref()).await?;
        let visit = match via {
            None => self.visit(attempt.name, credentials.as_deref()).await?,
            Some(_) => None,
        };
        let Some(visit) = visit else {
            let is_own = matches!(via, Some(Via::Password));
            let login = self.conclude(&attempt, credentials.clone(), via).await?;
            if let Some(found) = credentials.filter(|_| is_own)
                && let Err(failure) = self.teach_again(&attempt, found).await
            {
                // Whoever is let in here hears of the old server when they get there.
                tracing::debug!(error = failure.error.chain(), "a password could not be learnt again");
            }
            return Ok(login);
        };
        let (credentials, via) = match self.learn(&attempt, &visit, credentials.as_deref()).await? {
            Some(learnt) => (Some(learnt), Some(Via::Password)),
            None => (credentials, None),
        };
        self.conclude(&attempt, credentials, via).await.map_err(|failure| {
            let elapsed = self.inner.deps.clock.now().since(began);
            let delay = match failure.reason {
                Refusal::Wrong => front_door::to_the_beat(failure.delay, elapsed),
                _ => failure.delay,
            };
            AuthFailure { delay, ..failure }
        })
    }

    /// The SCRAM keys of a login name, or the refusal to look at it.
    pub(crate) async fn scram_credentials(
        &self,
        name: &[u8],
        source: IpAddr,
    ) -> Result<Option<ScramKeys>, AuthFailure> {
        let credentials = self.credentials(name).await?;
        self.admit(name, source, credentials.as_deref())?;
        Ok(credentials.and_then(|credentials| credentials.scram.clone()))
    }

    /// The end of an exchange that began with `keys`, which must still be the account's.
    pub(crate) async fn finish_proven(
        &self,
        attempt: Attempt<'_>,
        via: Option<Via>,
        keys: &ScramKeys,
    ) -> Result<Login, AuthFailure> {
        let credentials = self.credentials(attempt.name).await?;
        let same = credentials.as_ref().is_some_and(|credentials| credentials.scram.as_ref() == Some(keys));
        self.conclude(&attempt, credentials, via.filter(|_| same)).await
    }

    /// Whether a bearer token is good at a door (RFC 6750). `attempt.password` is the token. An empty name takes the token's owner;
    /// with any other the token must be that account's. Wrong tokens count in the guard like wrong passwords, and answer alike
    /// whether or not there is such a name.
    pub async fn authenticate_token(&self, attempt: Attempt<'_>) -> Result<Login, AuthFailure> {
        if let Some(note) = self.open_access(attempt.password).await? {
            return self.authenticate_grant(attempt, note).await;
        }
        let hash = token_hash(&self.secrets().await?.app_passwords, attempt.password);
        let named = match attempt.name {
            b"" => self.owner_of_token(hash).await?,
            name => String::from_utf8_lossy(name).into_owned(),
        };
        let attempt = Attempt { name: named.as_bytes(), ..attempt };
        let credentials = self.credentials(attempt.name).await?;
        self.admit(attempt.name, attempt.source, credentials.as_deref())?;
        let now = self.inner.deps.clock.now();
        let found = credentials.as_ref().and_then(|found| found.random(AppPasswordKind::Bearer, hash, now));
        let via = found.map(|found| Via::Token(found.id));
        self.conclude(&attempt, credentials, via).await
    }

    /// The same for an access token of a grant ([`crate::oauth`]).
    async fn authenticate_grant(&self, attempt: Attempt<'_>, note: Note) -> Result<Login, AuthFailure> {
        let named = match (attempt.name, self.account(note.account).await?) {
            (b"", Some(owner)) => names::key(&owner.address),
            (name, _) => String::from_utf8_lossy(name).into_owned(),
        };
        let attempt = Attempt { name: named.as_bytes(), ..attempt };
        let credentials = self.credentials(attempt.name).await?;
        self.admit(attempt.name, attempt.source, credentials.as_deref())?;
        let opened = match &credentials {
            Some(found) => self.opened_by(note, found).await?,
            None => None,
        };
        let via = opened.map(|services| Via::Grant(note.grant, services));
        let mut login = self.conclude(&attempt, credentials, via).await?;
        login.pass.until = Some(note.until);
        Ok(login)
    }

    /// The address of the account that a token belongs to. Of a token that is nobody's, a name of its own, so that one device with an
    /// old token locks no other out.
    async fn owner_of_token(&self, hash: blake3::Hash) -> Result<String> {
        let owner = self.read(move |tx| random::owner_of_token(tx, &hash)).await?;
        Ok(owner.unwrap_or_else(|| format!("token {}", &hash.to_hex()[..16])))
    }

    pub(crate) fn admit(
        &self,
        name: &[u8],
        source: IpAddr,
        credentials: Option<&Credentials>,
    ) -> Result<(), AuthFailure> {
        let (guarded, now) = (guarded_name(name, credentials), self.inner.deps.clock.now());
        let attempted = attempted(&guarded, source, credentials, now);
        self.inner.guard.admit(attempted, now).map_err(locked)
    }

    /// Which of the account's passwords this is.
    pub(crate) async fn verify(
        &self,
        attempt: &Attempt<'_>,
        credentials: Option<&Credentials>,
    ) -> Result<Option<Via>, AuthFailure> {
        let Some(found) = credentials else {
            self.verify_slowly(attempt, None).await?;
            return Ok(None);
        };
        let (now, remembered) = (self.inner.deps.clock.now(), &self.inner.remembered);
        let key = remembered.key(found.account.id.0, found.version, attempt.password);
        if remembered.holds(&key, now) {
            return Ok(Some(Via::Password));
        }
        if let Some(app) = self.app_password(found, attempt.password, now).await? {
            return Ok(Some(Via::AppPassword(app)));
        }
        let good = self.verify_slowly(attempt, credentials).await?;
        if good {
            remembered.keep(key, now);
            log_failure("rehash", self.rehash(found, attempt).await);
        }
        Ok(good.then_some(Via::Password))
    }

    /// Asks the guard once more when its turn has come, so that guesses sent all at once do not pass a lock that the first of them
    /// brought about.
    async fn verify_slowly(&self, attempt: &Attempt<'_>, found: Option<&Credentials>) -> Result<bool, AuthFailure> {
        let turn = self.inner.hasher.turn().await?;
        self.admit(attempt.name, attempt.source, found)?;
        Ok(self.inner.hasher.verify(turn, attempt.password, found.map(|found| found.hash.as_str())).await?)
    }

    async fn app_password(
        &self,
        credentials: &Credentials,
        password: &[u8],
        now: Timestamp,
    ) -> Result<Option<AppPasswordId>> {
        if credentials.random.is_empty() {
            return Ok(None);
        }
        let Some(hash) = app_hash(&self.secrets().await?.app_passwords, password) else { return Ok(None) };
        Ok(credentials.random(AppPasswordKind::Typed, hash, now).map(|found| found.id))
    }

    /// Replaces an old server's hash by ours, now that the password is known.
    async fn rehash(&self, credentials: &Credentials, attempt: &Attempt<'_>) -> Result<()> {
        if password::is_current(&credentials.hash) {
            return Ok(());
        }
        let Secret { hash, scram } = self.inner.hasher.make(attempt.password).await?;
        let (id, version, scram) = (credentials.account.id, credentials.version, scram.map(|keys| keys.to_bytes()));
        self.note(move |tx| {
            let sql = "UPDATE dir_accounts SET hash = ?3, scram = ?4 WHERE id = ?1 AND credential = ?2";
            tx.execute(sql, params![id.to_sql(), version, &hash, scram.as_ref()])
        })
        .await?;
        self.forget(attempt.name);
        Ok(())
    }

    async fn conclude(
        &self,
        attempt: &Attempt<'_>,
        credentials: Option<Arc<Credentials>>,
        via: Option<Via>,
    ) -> Result<Login, AuthFailure> {
        let now = self.inner.deps.clock.now();
        let guarded = guarded_name(attempt.name, credentials.as_deref());
        let attempted = attempted(&guarded, attempt.source, credentials.as_deref(), now);
        let (Some(found), Some(via)) = (credentials.as_deref(), via) else {
            let password = (!attempt.password.is_empty()).then_some(attempt.password);
            let delay = self.inner.guard.failed(attempted, password, now);
            tracing::info!(name = %guarded, service = ?attempt.service, source = %attempt.source, tls = attempt.tls, "login failed");
            return Err(AuthFailure { reason: Refusal::Wrong, delay, error: wrong() });
        };
        let asks_second = found.asks_second(false) && matches!(via, Via::Password | Via::Scram);
        if asks_second && attempt.service != Service::SignIn {
            return Err(AuthFailure {
                reason: Refusal::NeedsAppPassword,
                delay: Duration::ZERO,
                error: needs_app_password(),
            });
        }
        // A password alone must not make wrong codes forgotten, nor the place known from which they come.
        if !asks_second {
            self.inner.guard.succeeded(attempted);
        }
        if found.account.must_change_password && attempt.service != Service::SignIn {
            return Err(AuthFailure { reason: Refusal::MustChange, delay: Duration::ZERO, error: must_change() });
        }
        if !found.allows(attempt.service, via) {
            return Err(AuthFailure { reason: Refusal::NotAllowed, delay: Duration::ZERO, error: not_allowed() });
        }
        if !asks_second {
            log_failure("remember", self.remember(attempt, found, via, now).await);
            let is_of_the_house =
                matches!(via, Via::AppPassword(id) if found.named(id).is_some_and(|app| app.is_of_the_house));
            if !is_of_the_house && self.note_use(found, attempt.service, now).await {
                self.forget(attempt.name);
            }
        }
        let pass = Pass::new(found, attempt.service, via);
        Ok(Login { account: found.account.clone(), via, services: found.services(via), pass })
    }

    /// Whether whoever comes by this name, which is no account's, may try at present.
    pub(crate) fn admit_name(&self, name: &str, source: IpAddr) -> Result<(), AuthFailure> {
        let now = self.inner.deps.clock.now();
        self.inner.guard.admit(attempted(name, source, None, now), now).map_err(locked)
    }

    /// Counts a failure of such a name; how long to wait before it is answered.
    pub(crate) fn name_failed(&self, name: &str, source: IpAddr) -> Duration {
        let now = self.inner.deps.clock.now();
        self.inner.guard.failed(attempted(name, source, None, now), None, now)
    }

    /// Counts a wrong code of somebody whose password was right; how long to wait before it is answered.
    pub(crate) fn code_failed(&self, of: &Credentials, source: IpAddr) -> Duration {
        let (now, name) = (self.inner.deps.clock.now(), names::key(&of.account.address));
        self.inner.guard.failed(attempted(&name, source, Some(of), now), None, now)
    }

    /// A right code: failures are forgotten, and the place is known from now on.
    pub(crate) async fn code_succeeded(&self, of: &Credentials, visitor: Visitor<'_>) {
        let (now, name) = (self.inner.deps.clock.now(), names::key(&of.account.address));
        let Visitor { source, tls, .. } = visitor;
        self.inner.guard.succeeded(attempted(&name, source, Some(of), now));
        let attempt = Attempt { name: name.as_bytes(), password: b"", service: Service::SignIn, source, tls };
        log_failure("remember", self.remember(&attempt, of, Via::Password, now).await);
    }

    /// Writes down where the account was used and which app password, when that is news.
    async fn remember(&self, attempt: &Attempt<'_>, found: &Credentials, via: Via, now: Timestamp) -> Result<()> {
        let network = Network::of(attempt.source);
        let news = |seen: Option<Timestamp>| seen.is_none_or(|seen| now.since(seen) >= SEEN_EVERY);
        let place = news(found.places.iter().find(|(known, _)| *known == network).map(|(_, seen)| *seen));
        let app = match via {
            Via::AppPassword(id) | Via::Token(id) => found.named(id).filter(|app| news(app.used)).map(|app| app.id),
            Via::Password | Via::Scram | Via::Session(_) | Via::Grant(..) => None,
        };
        if !place && app.is_none() {
            return Ok(());
        }
        let account = found.account.id;
        self.note(move |tx| {
            if place {
                remember_place(tx, account, network, now)?;
            }
            if let Some(app) = app {
                let sql = "UPDATE dir_app_passwords SET used_ms = ?2 WHERE id = ?1";
                tx.execute(sql, params![app.0 as i64, now.0])?;
            }
            Ok(())
        })
        .await?;
        self.forget(attempt.name);
        Ok(())
    }

    fn forget(&self, name: &[u8]) {
        if let Some(name) = LoginName::parse(name) {
            self.inner.logins.remove(&name);
        }
    }
}

/// What is written down beside a good login may fail, as on a full disk; the login stays good.
pub(crate) fn log_failure(what: &str, outcome: Result<()>) {
    if let Err(error) = outcome {
        tracing::warn!(what, error = error.chain(), "login bookkeeping failed");
    }
}

/// The name that failures are counted under: the account's address, or what was asked for.
fn guarded_name(name: &[u8], credentials: Option<&Credentials>) -> String {
    match (credentials, LoginName::parse(name)) {
        (Some(found), _) => names::key(&found.account.address),
        (None, Some(LoginName::Full(name) | LoginName::Bare(name))) => name,
        (None, None) => String::new(),
    }
}

fn attempted<'a>(name: &'a str, source: IpAddr, credentials: Option<&Credentials>, now: Timestamp) -> Attempted<'a> {
    let network = Network::of(source);
    Attempted { name, network, known_place: credentials.is_some_and(|found| found.knows(network, now)) }
}
