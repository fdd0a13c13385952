//! Sessions: what our own pages are let in by, once somebody signed in.
//!
//! The browser holds a random token in a cookie; of it only a keyed hash is stored. A session ends when it was not used for [`IDLE`], in
//! any case after [`LONGEST`], when its owner ends it here or from elsewhere, and at once with every change of what it was begun with: a
//! new password, another role, a suspension or a removal count the version of the credentials up, and a session is good for one only.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use anser_base::{AccountId, Error, Result, Timestamp};
use anser_db::{Row, Tx, params};

use crate::admin::one;
use crate::credentials::Credentials;
use crate::login::Via;
use crate::model::{Account, Service, Services, SessionId};
use crate::pass::Pass;
use crate::rules::InForce;
use crate::{Directory, names, rows};

/// How long a session lasts without a request, unless a rule says otherwise.
pub const IDLE: Duration = Duration::from_secs(12 * 3600);
/// How long it lasts at most, unless a rule says otherwise.
pub const LONGEST: Duration = Duration::from_secs(14 * 24 * 3600);
/// Sessions of one account; of more, those that were not used longest end.
pub const SESSIONS: usize = 50;
/// Longest words for a device, in bytes.
pub const DEVICE: usize = 200;
/// How often it is written down that a session was used.
const SEEN_EVERY: Duration = Duration::from_secs(5 * 60);
/// Length of a token in characters of 5 bits: 260 bits.
const TOKEN: usize = 52;
/// Sessions whose time is over that one new one clears away.
const CLEARED: i64 = 100;

/// The name of the cookie that holds a session's token. Inside TLS it has the prefix that browsers take from this host and over TLS only;
/// without, in trials, one that they take there.
pub fn cookie_name(tls: bool) -> &'static str {
    if tls { "__Host-anser" } else { "anser" }
}

/// A session that is good.
#[derive(Clone, Debug)]
pub struct Session {
    /// Its number.
    pub id: SessionId,
    /// Whose it is.
    pub account: Arc<Account>,
    /// What may be done in it.
    pub services: Services,
    /// To ask after it by, while a connection is open.
    pub pass: Pass,
}

/// A session as its owner sees it in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its number.
    pub id: SessionId,
    /// When somebody signed in.
    pub created: Timestamp,
    /// When it was last used, to a few minutes.
    pub seen: Timestamp,
    /// When it ends at the latest.
    pub expires: Timestamp,
    /// The device, in words.
    pub device: String,
    /// The address that it was last used from.
    pub source: String,
}

/// A session that has just begun.
#[derive(Clone)]
pub struct NewSession {
    /// Its number.
    pub id: SessionId,
    /// Whose it is.
    pub account: Arc<Account>,
    /// What the browser shows from now on. Cannot be shown again.
    pub token: String,
    /// How long it lasts at most.
    pub longest: Duration,
}

impl fmt::Debug for NewSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewSession").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A session as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    account: AccountId,
    credential: i64,
    listed: Listed,
}

impl Stored {
    fn is_alive(&self, rules: &InForce, now: Timestamp) -> bool {
        let Listed { created, seen, expires, .. } = &self.listed;
        now < *expires && now.since(*created) < rules.longest && now.since(*seen) < rules.idle
    }
}

impl Directory {
    /// Begins a session for credentials that were shown to be the account's.
    pub(crate) async fn begin_session(&self, of: &Credentials, device: &str, source: IpAddr) -> Result<NewSession> {
        let token = self.inner.deps.entropy.token(TOKEN);
        let (hash, now) = (self.session_hash(token.as_bytes()).await?, self.inner.deps.clock.now());
        let (account, credential) = (of.account.id, of.version);
        let (device, source, longest) = (shortened(device), source.to_canonical().to_string(), of.rules.longest);
        let listed = Listed { id: SessionId(0), created: now, seen: now, expires: now.after(longest), device, source };
        let new = Stored { account, credential, listed };
        // A token that nobody has seen is in no cache, so that nothing cached has to go.
        let id = self.note(move |tx| begin(tx, &new, &hash)).await?;
        self.note_use(of, Service::SignIn, now).await;
        Ok(NewSession { id, account: of.account.clone(), token, longest })
    }

    /// Whose session a token stands for; `None` when it is over or never was. That is a use of it.
    pub async fn session(&self, token: &[u8], source: IpAddr) -> Result<Option<Session>> {
        let (hash, now) = (self.session_hash(token).await?, self.inner.deps.clock.now());
        let stamp = self.stamp().await?;
        let Some(stored) = self.stored_session(hash, now).await? else { return Ok(None) };
        let id = stored.listed.id;
        let Some(credentials) = self.credentials_of(stored.account).await? else { return Ok(None) };
        let is_good = credentials.version == stored.credential
            && !credentials.account.must_change_password
            && credentials.allows(Service::Web, Via::Session(id));
        if !is_good {
            return Ok(None);
        }
        let stored = match now.since(stored.listed.seen) >= SEEN_EVERY {
            true => match self.session_seen(&stored, source, now).await {
                Some(seen) => Arc::new(seen),
                None => return Ok(None),
            },
            false => stored,
        };
        self.inner.sessions.put(stamp, hash, stored);
        let services = credentials.services(Via::Session(id));
        let pass = Pass::new(&credentials, Service::Web, Via::Session(id)).of_session(hash);
        Ok(Some(Session { id, account: credentials.account.clone(), services, pass }))
    }

    /// Whether a session is there whose time is not over.
    pub(crate) async fn has_session(&self, hash: [u8; 32], now: Timestamp) -> Result<bool> {
        let stamp = self.stamp().await?;
        let found = self.stored_session(hash, now).await?;
        let is_there = found.is_some();
        if let Some(found) = found {
            self.inner.sessions.put(stamp, hash, found);
        }
        Ok(is_there)
    }

    async fn stored_session(&self, hash: [u8; 32], now: Timestamp) -> Result<Option<Arc<Stored>>> {
        let stamp = self.stamp().await?;
        if let Some(known) = self.inner.sessions.get(stamp, &hash)
            && self.is_alive(&known, now).await?
        {
            return Ok(Some(known));
        }
        // What looks idle here may have been used at another node.
        let Some(found) = self.read(move |tx| by_hash(tx, &hash)).await? else { return Ok(None) };
        Ok(self.is_alive(&found, now).await?.then(|| Arc::new(found)))
    }

    /// Whether a session's time is not over by the rules of its account.
    async fn is_alive(&self, stored: &Stored, now: Timestamp) -> Result<bool> {
        let owner = self.credentials_of(stored.account).await?;
        Ok(owner.is_some_and(|owner| stored.is_alive(&owner.rules, now)))
    }

    /// The sessions of an account that are not over, the one that was used last first.
    pub async fn sessions(&self, account: AccountId) -> Result<Vec<Listed>> {
        let now = self.inner.deps.clock.now();
        let Some(credentials) = self.credentials_of(account).await? else { return Ok(Vec::new()) };
        let sql = format!("{STORED} WHERE account = ?1 ORDER BY seen_ms DESC, id DESC");
        let all = self.read(move |tx| tx.query(&sql, params![account.to_sql()], stored)).await?;
        let alive = |one: &Stored| one.is_alive(&credentials.rules, now) && one.credential == credentials.version;
        Ok(all.into_iter().filter(alive).map(|one| one.listed).collect())
    }

    /// Ends a session of an account. `Class::NotFound` when it has no such one.
    pub async fn end_session(&self, account: AccountId, id: SessionId) -> Result<()> {
        let sql = "DELETE FROM dir_sessions WHERE account = ?1 AND id = ?2";
        let missing = || Error::not_found("there is no such session", "没有这个会话");
        self.change(move |tx| one(tx.execute(sql, params![account.to_sql(), id.0 as i64])?, missing)).await
    }

    /// Ends all sessions of an account but one, or all. Returns how many.
    pub async fn end_sessions(&self, account: AccountId, but: Option<SessionId>) -> Result<u64> {
        let but = but.map_or(0, |id| id.0 as i64);
        let sql = "DELETE FROM dir_sessions WHERE account = ?1 AND id <> ?2";
        self.change(move |tx| tx.execute(sql, params![account.to_sql(), but])).await
    }

    /// The credentials of an account by its number.
    pub(crate) async fn credentials_of(&self, account: AccountId) -> Result<Option<Arc<Credentials>>> {
        let Some(account) = self.account(account).await? else { return Ok(None) };
        let found = self.credentials(names::key(&account.address).as_bytes()).await?;
        Ok(found.filter(|found| found.account.id == account.id))
    }

    async fn session_hash(&self, token: &[u8]) -> Result<[u8; 32]> {
        Ok(*blake3::keyed_hash(&self.secrets().await?.sessions, token).as_bytes())
    }

    /// Writes down that a session is used; `None` when it is not there any more. Writing may fail, as on a full disk; the session stays
    /// good.
    async fn session_seen(&self, stored: &Stored, source: IpAddr, now: Timestamp) -> Option<Stored> {
        let listed = Listed { seen: now, source: source.to_canonical().to_string(), ..stored.listed.clone() };
        let (id, place) = (listed.id, listed.source.clone());
        let sql = "UPDATE dir_sessions SET seen_ms = ?2, source = ?3 WHERE id = ?1";
        match self.note(move |tx| tx.execute(sql, params![id.0 as i64, now.0, &place])).await {
            Ok(0) => return None,
            Ok(_) => {}
            Err(error) => tracing::warn!(error = error.chain(), "a session's use was not written down"),
        }
        Some(Stored { listed, ..stored.clone() })
    }
}

fn begin(tx: &mut Tx<'_>, new: &Stored, hash: &[u8; 32]) -> Result<SessionId> {
    let Stored { account, credential, listed: Listed { created, expires, device, source, .. } } = new;
    let over = "DELETE FROM dir_sessions WHERE id IN (SELECT id FROM dir_sessions WHERE expires_ms <= ?1 LIMIT ?2)";
    tx.execute(over, params![created.0, CLEARED])?;
    let most = "DELETE FROM dir_sessions WHERE account = ?1 AND id NOT IN
                (SELECT id FROM dir_sessions WHERE account = ?1 ORDER BY seen_ms DESC, id DESC LIMIT ?2)";
    tx.execute(most, params![account.to_sql(), SESSIONS as i64 - 1])?;
    let id = rows::count_up(tx, "session", 1)?;
    let sql =
        "INSERT INTO dir_sessions (id, account, hash, credential, created_ms, seen_ms, expires_ms, device, source)
               VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7, ?8)";
    let (account, credential, id_sql) = (account.to_sql(), *credential, id as i64);
    tx.execute(sql, params![id_sql, account, &hash[..], credential, created.0, expires.0, device, source])?;
    Ok(SessionId(id))
}

const STORED: &str =
    "SELECT id, account, credential, created_ms, seen_ms, expires_ms, device, source FROM dir_sessions";

fn by_hash(tx: &mut Tx<'_>, hash: &[u8; 32]) -> Result<Option<Stored>> {
    tx.query_one(&format!("{STORED} WHERE hash = ?1"), params![&hash[..]], stored)
}

fn stored(row: &Row<'_>) -> Result<Stored> {
    let listed = Listed {
        id: SessionId(row.int(0)? as u64),
        created: Timestamp(row.int(3)?),
        seen: Timestamp(row.int(4)?),
        expires: Timestamp(row.int(5)?),
        device: row.text(6)?,
        source: row.text(7)?,
    };
    Ok(Stored { account: AccountId::from_sql(row.int(1)?), credential: row.int(2)?, listed })
}

/// Words as they may be stored: bounded, on one line.
pub(crate) fn shortened(device: &str) -> String {
    let mut out = String::new();
    for c in device.trim().chars().filter(|c| !c.is_control()) {
        if out.len() + c.len_utf8() > DEVICE {
            break;
        }
        out.push(c);
    }
    out
}
