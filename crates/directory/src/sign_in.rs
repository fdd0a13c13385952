//! The login page's way in, step by step: a password, then what else is asked for, then a session.
//!
//! ```text
//! Directory::sign_in ── password good ──▶ nothing else asked ──────────────────────────────▶ Signed::In(session)
//!        │                                                                                        ▲
//!        ├──▶ Signed::Needs(Code, ticket) ───────▶ Directory::show_code ──────────────────────────┤
//!        ├──▶ Signed::Needs(Passkey, ticket) ────▶ Directory::ask_passkey, then show_passkey ─────┤
//!        ├──▶ Signed::Needs(Enrol, ticket) ──────▶ Directory::enrol, then show_code ──────────────┤
//!        └──▶ Signed::Needs(NewPassword, ticket) ▶ Directory::choose_password ────────────────────┘
//! ```
//!
//! A ticket says that somebody showed an account's password, and perhaps a code, a short while ago. It is a sealed note of ours and stands
//! in no table; it is good for [`TICKET`], for the credentials of its time and for nothing but the next step. Each step asks the guard as
//! the first one does, and wrong codes count there like wrong passwords.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use anser_base::{AccountId, Class, Error, Result, Timestamp};
use anser_db::{Tx, params};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::admin::one;
use crate::credentials::Credentials;
use crate::login::{Attempt, Login};
use crate::model::{AccountState, Service, SessionId};
use crate::password::policy::PasswordRules;
use crate::refusal::{AuthFailure, Refusal};
use crate::second::{Factors, NewTotp, wrong_code};
use crate::sessions::{NewSession, Session};
use crate::{Account, Directory, names};

/// How long a ticket is good.
pub const TICKET: Duration = Duration::from_secs(10 * 60);

/// Who signs in, and from where.
#[derive(Clone, Copy, Debug)]
pub struct Visitor<'a> {
    /// Their address.
    pub source: IpAddr,
    /// Their device, in words; for the list of sessions.
    pub device: &'a str,
    /// Whether the connection is encrypted; for the log.
    pub tls: bool,
}

/// What is asked for before there is a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// A code of the authenticator, or a recovery code, for [`Directory::show_code`].
    Code,
    /// A passkey, for [`Directory::ask_passkey`] and [`Directory::show_passkey`]; a code is as good.
    Passkey,
    /// An authenticator is to be set up: [`Directory::enrol`], then [`Directory::show_code`]; a passkey is as good.
    Enrol,
    /// A new password, for [`Directory::choose_password`].
    NewPassword,
}

/// What a step of signing in led to.
#[derive(Debug)]
pub enum Signed {
    /// The visitor is in.
    In(NewSession),
    /// Something else is asked for; the ticket goes with it.
    Needs(Need, String),
}

/// What a ticket says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ticket {
    account: AccountId,
    credential: i64,
    until: Timestamp,
    /// Whether a second factor was shown.
    second: bool,
}

/// What a code led to.
#[derive(Debug)]
pub struct Shown {
    /// What comes next.
    pub signed: Signed,
    /// When it was the first code of an authenticator: recovery codes, which cannot be shown again.
    pub recovery: Vec<String>,
}

impl Directory {
    /// The first step: name and password. Fails like [`Directory::authenticate`].
    pub async fn sign_in(&self, name: &[u8], password: &[u8], visitor: Visitor<'_>) -> Result<Signed, AuthFailure> {
        let Visitor { source, tls, .. } = visitor;
        let attempt = Attempt { name, password, service: Service::SignIn, source, tls };
        let Login { account, .. } = self.authenticate(attempt).await?;
        let Some(credentials) = self.credentials_of(account.id).await? else { return Err(too_late()) };
        if credentials.provider.is_some() {
            return Err(elsewhere());
        }
        self.next_step(&credentials, false, visitor).await
    }

    /// What comes after the steps that were taken.
    pub(crate) async fn next_step(
        &self,
        credentials: &Credentials,
        second: bool,
        visitor: Visitor<'_>,
    ) -> Result<Signed, AuthFailure> {
        let need = if credentials.asks_second(second) {
            match credentials.second.factors {
                Factors { passkey: true, .. } => Need::Passkey,
                Factors { totp: true, .. } => Need::Code,
                Factors { .. } => Need::Enrol,
            }
        } else if credentials.account.must_change_password {
            Need::NewPassword
        } else {
            return Ok(Signed::In(self.begin_session(credentials, visitor.device, visitor.source).await?));
        };
        let until = self.inner.deps.clock.now().after(TICKET);
        let ticket = Ticket { account: credentials.account.id, credential: credentials.version, until, second };
        Ok(Signed::Needs(need, ticket.sealed(&self.secrets().await?.tickets)))
    }

    /// The first half of what [`Need::Enrol`] asks for: the authenticator's secret.
    pub async fn enrol(&self, ticket: &str, visitor: Visitor<'_>) -> Result<NewTotp, AuthFailure> {
        let (credentials, _) = self.holder(ticket, visitor).await?;
        Ok(self.begin_totp(credentials.account.id).await?)
    }

    /// The step that [`Need::Code`] asks for, and the second half of [`Need::Enrol`]. A wrong code is [`Refusal::Wrong`], and the ticket
    /// stays good.
    pub async fn show_code(&self, ticket: &str, code: &str, visitor: Visitor<'_>) -> Result<Shown, AuthFailure> {
        let (credentials, _) = self.holder(ticket, visitor).await?;
        let account = credentials.account.id;
        let recovery = if credentials.second.factors.any() {
            self.use_code(account, code).await?.then(Vec::new)
        } else {
            match self.confirm_totp(account, code).await {
                Ok(codes) => Some(codes),
                Err(error) if matches!(error.class, Class::Invalid | Class::NotFound) => None,
                Err(error) => return Err(error.into()),
            }
        };
        let Some(recovery) = recovery else {
            let delay = self.code_failed(&credentials, visitor.source);
            let error = Error { class: Class::Unauthenticated, ..wrong_code() };
            return Err(AuthFailure { reason: Refusal::Wrong, delay, error });
        };
        self.code_succeeded(&credentials, visitor).await;
        let Some(credentials) = self.credentials_of(account).await? else { return Err(too_late()) };
        Ok(Shown { signed: self.next_step(&credentials, true, visitor).await?, recovery })
    }

    /// The step that [`Need::NewPassword`] asks for. `Class::Invalid` when the new password is too weak: the ticket stays good.
    pub async fn choose_password(&self, ticket: &str, new: &[u8], visitor: Visitor<'_>) -> Result<Signed, AuthFailure> {
        let (credentials, second) = self.holder(ticket, visitor).await?;
        if !credentials.account.must_change_password || credentials.asks_second(second) {
            return Err(too_late());
        }
        self.replace_password(&credentials, new, None).await?;
        let Some(credentials) = self.credentials_of(credentials.account.id).await? else { return Err(too_late()) };
        self.next_step(&credentials, second, visitor).await
    }

    /// Whether the own password of somebody who is signed in is this: asked for once more before what matters. Counts like a login.
    pub async fn confirm_password(
        &self,
        session: &Session,
        password: &[u8],
        visitor: Visitor<'_>,
    ) -> Result<(), AuthFailure> {
        let Visitor { source, tls, .. } = visitor;
        let name = names::key(&session.account.address);
        let attempt = Attempt { name: name.as_bytes(), password, service: Service::SignIn, source, tls };
        self.authenticate(attempt).await.map(drop)
    }

    /// Changes the own password of somebody who is signed in, and shows the old one again. The session stays, all others end.
    /// `Class::Invalid` when the new one is too weak or the old one again.
    pub async fn change_password(
        &self,
        session: &Session,
        old: &[u8],
        new: &[u8],
        visitor: Visitor<'_>,
    ) -> Result<(), AuthFailure> {
        self.confirm_password(session, old, visitor).await?;
        let Some(credentials) = self.credentials_of(session.account.id).await? else { return Err(too_late()) };
        Ok(self.replace_password(&credentials, new, Some(session.id)).await?)
    }

    /// What a new password must be like: of an account, or where none is known.
    pub async fn password_rules(&self, account: Option<AccountId>) -> Result<PasswordRules> {
        let found = match account {
            Some(account) => self.credentials_of(account).await?,
            None => None,
        };
        match found {
            Some(found) => Ok(found.rules.password),
            None => Ok(self.general_rules().await?.password),
        }
    }

    /// Sets a password that its owner chose. One session may stay.
    async fn replace_password(&self, of: &Credentials, new: &[u8], stays: Option<SessionId>) -> Result<()> {
        let account = &of.account;
        of.rules.password.judge(new, &[account.address.local(), account.address.domain(), &account.name])?;
        let turn = self.inner.hasher.turn().await?;
        if self.inner.hasher.verify(turn, new, Some(&of.hash)).await? {
            return Err(Error::invalid("that is the password that you have", "新密码不能与当前密码相同"));
        }
        let secret = self.make_secret(new).await?;
        let (id, version, stays) = (account.id, of.version, stays.map_or(0, |id| id.0 as i64));
        let scram = secret.scram.as_ref().map(|keys| keys.to_bytes());
        let changed = || Error::new(Class::Conflict, "the password was changed meanwhile", "密码已被更改");
        self.change(move |tx| {
            let sql = "UPDATE dir_accounts SET hash = ?3, scram = ?4, must_change = 0, credential = credential + 1
                       WHERE id = ?1 AND credential = ?2";
            one(tx.execute(sql, params![id.to_sql(), version, &secret.hash, scram.as_ref()])?, changed)?;
            tx.execute("DELETE FROM dir_sessions WHERE account = ?1 AND id <> ?2", params![id.to_sql(), stays])?;
            let sql = "UPDATE dir_sessions SET credential = ?2 WHERE account = ?1";
            tx.execute(sql, params![id.to_sql(), version + 1]).map(drop)
        })
        .await
    }

    /// For the journal: whose ticket this is, however old.
    pub async fn ticket_holder(&self, ticket: &str) -> Result<Option<Arc<Account>>> {
        match Ticket::open(&self.secrets().await?.tickets, ticket) {
            Some(ticket) => self.account(ticket.account).await,
            None => Ok(None),
        }
    }

    /// The credentials that a ticket stands for, if it is good and its holder may try at present; and whether a second factor was shown.
    pub(crate) async fn holder(
        &self,
        ticket: &str,
        visitor: Visitor<'_>,
    ) -> Result<(Arc<Credentials>, bool), AuthFailure> {
        let now = self.inner.deps.clock.now();
        let ticket = Ticket::open(&self.secrets().await?.tickets, ticket).filter(|it| now < it.until);
        let Some(ticket) = ticket else { return Err(too_late()) };
        let found = self.credentials_of(ticket.account).await?;
        let good = |it: &Arc<Credentials>| it.version == ticket.credential && it.account.state == AccountState::Active;
        let Some(found) = found.filter(good) else { return Err(too_late()) };
        self.admit(names::key(&found.account.address).as_bytes(), visitor.source, Some(&found))?;
        Ok((found, ticket.second))
    }
}

/// Bytes of a ticket: account, version, end, second factor, and the seal.
const TICKET_BYTES: usize = 8 + 8 + 8 + 1 + 32;

impl Ticket {
    fn sealed(&self, key: &[u8; 32]) -> String {
        let mut bytes = Vec::with_capacity(TICKET_BYTES);
        for number in [self.account.to_sql(), self.credential, self.until.0] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        bytes.push(self.second.into());
        let seal = blake3::keyed_hash(key, &bytes);
        bytes.extend_from_slice(seal.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn open(key: &[u8; 32], text: &str) -> Option<Self> {
        if text.len() > TICKET_BYTES * 2 {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (said, seal) = bytes.split_last_chunk::<32>()?;
        // Hashes compare in constant time.
        if blake3::keyed_hash(key, said) != blake3::Hash::from_bytes(*seal) {
            return None;
        }
        let (account, rest) = said.split_first_chunk()?;
        let (credential, rest) = rest.split_first_chunk()?;
        let (until, rest) = rest.split_first_chunk()?;
        let [second] = rest else { return None };
        let number = |bytes: &[u8; 8]| i64::from_be_bytes(*bytes);
        Some(Self {
            account: AccountId::from_sql(number(account)),
            credential: number(credential),
            until: Timestamp(number(until)),
            second: *second == 1,
        })
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Code => "code",
            Self::Passkey => "passkey",
            Self::Enrol => "enrol",
            Self::NewPassword => "new-password",
        })
    }
}

/// The step before is too long ago, or something changed meanwhile.
fn too_late() -> AuthFailure {
    let error = Error::new(Class::Unauthenticated, "this took too long; sign in again", "登录已超时，请重新登录");
    AuthFailure { reason: Refusal::Wrong, delay: Duration::ZERO, error }
}

/// Who has to sign in at a provider gets in by nothing of their own.
pub(crate) fn elsewhere() -> AuthFailure {
    let error = Error::new(
        Class::Forbidden,
        "your organisation wants you to sign in elsewhere: take the link on this page",
        "您的单位要求通过统一身份认证登录，请使用本页的链接",
    );
    AuthFailure { reason: Refusal::NotAllowed, delay: Duration::ZERO, error }
}

/// Forgets how the people of a domain signed in: one that takes its name later must not find the providers of another.
pub(crate) fn forget(tx: &mut Tx<'_>, domain: &str) -> Result<()> {
    for sql in [
        "DELETE FROM dir_provider_links WHERE provider IN (SELECT id FROM dir_providers WHERE scope = ?1)",
        "DELETE FROM dir_providers WHERE scope = ?1",
        "DELETE FROM dir_portals WHERE scope = ?1",
        "DELETE FROM dir_rules WHERE scope = ?1",
        "DELETE FROM dir_looks WHERE scope = ?1",
        "DELETE FROM dir_second_required WHERE scope = ?1",
    ] {
        tx.execute(sql, params![domain])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_what_was_sealed_or_nothing() {
        let key = [7; 32];
        let ticket = Ticket { account: AccountId(3), credential: 9, until: Timestamp(1_800_000_000_000), second: true };
        let text = ticket.sealed(&key);
        assert_eq!(Ticket::open(&key, &text), Some(ticket));
        assert_eq!(Ticket::open(&[8; 32], &text), None);
        for at in 0..text.len() {
            let mut forged = text.clone().into_bytes();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(Ticket::open(&key, str::from_utf8(&forged).unwrap()), None, "{at}");
        }
        assert_eq!(Ticket::open(&key, ""), None);
        assert_eq!(Ticket::open(&key, &"A".repeat(500)), None);
    }
}
