//! What programs are let in by without a password: grants of OAuth 2.0 (RFC 6749), given by an owner to a client that an administrator
//! registered.
//!
//! A grant is one row. The code, the refresh tokens and the access tokens that come of it are sealed notes of ours which name it:
//!
//! ```text
//! approve ─▶ code (turn 0, once, CODE_TIME) ─▶ refresh token (turn 1) ─▶ refresh token (turn 2) ─▶ …
//!                                └────▶ access token      └────▶ access token     (ACCESS_TIME each)
//! ```
//!
//! A code or a refresh token that comes a second time was stolen, by its first user or by its second: the grant is gone with all that came
//! of it (RFC 6749 §4.1.2, RFC 9700 §4.14.2). So it is when its owner, the client or an administrator takes it back, when the password
//! changes, and when the account is suspended.

mod device;

use std::sync::Arc;
use std::time::Duration;

use anser_base::{AccountId, Class, Error, Result, Timestamp};
use anser_db::{Row, params};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::admin::{no_account, one};
use crate::credentials::Credentials;
use crate::model::{Account, Services};
use crate::{Directory, names, rows};

pub use device::{DEVICE_INTERVAL, DEVICE_TIME, Device};

/// How long a code is good.
pub const CODE_TIME: Duration = Duration::from_secs(60);
/// How long an access token is good.
pub const ACCESS_TIME: Duration = Duration::from_secs(3600);
/// How long a grant lasts that nobody uses.
pub const GRANT_IDLE: Duration = Duration::from_secs(90 * 24 * 3600);
/// Clients of the house.
pub const CLIENTS: usize = 1_000;
/// Addresses that one client may be sent back to.
pub const REDIRECTS: usize = 10;
/// Grants of one account; of more, those that were not used longest go.
pub const GRANTS: i64 = 100;
/// Longest text that a client sends along: `nonce`, `code_challenge`, `redirect_uri`.
pub const TEXT: usize = 1_000;
/// What tokens begin with, so that programs that look for secrets in published files know them.
const PREFIX: &str = "anser_";

/// A grant. Unique in the whole system, never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GrantId(pub u64);

/// A program that an administrator registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// `client_id`.
    pub id: String,
    /// The name that owners are shown.
    pub name: String,
    /// Where it is sent back to; whole URIs (RFC 9700 §4.1.3).
    pub redirects: Vec<String>,
    /// The most that it is given.
    pub services: Services,
    /// Whether it keeps a secret of its own.
    pub confidential: bool,
}

/// What a client asks an owner for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// `client_id`.
    pub client: String,
    /// What it may do.
    pub services: Services,
    /// Whether it wants to know who the owner is (`openid`).
    pub openid: bool,
    /// What goes into the id token.
    pub nonce: String,
    /// `code_challenge`, by S256 (RFC 7636 §4.2); empty for devices.
    pub challenge: String,
    /// Where the code is sent; empty for devices.
    pub redirect: String,
}

/// What a client is given.
#[derive(Clone)]
pub struct Tokens {
    /// For the doors, as `Bearer`.
    pub access: String,
    /// For more of them.
    pub refresh: String,
    /// Whose.
    pub account: Arc<Account>,
    /// What may be done.
    pub wanted: Wanted,
    /// When the owner signed in.
    pub signed_in: Timestamp,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").field("account", &self.account.address).finish_non_exhaustive()
    }
}

/// A grant as its owner sees it in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedGrant {
    /// Its number.
    pub id: GrantId,
    /// The client's name.
    pub client: String,
    /// What it may do.
    pub services: Services,
    /// Since when.
    pub created: Timestamp,
    /// When it last asked for an access token.
    pub used: Timestamp,
}

/// Why a client is given nothing, in the words of RFC 6749 §5.2 and RFC 8628 §3.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// `invalid_grant`
    Grant,
    /// `authorization_pending`
    Pending,
    /// `slow_down`
    SlowDown,
    /// `access_denied`
    Owner,
    /// `expired_token`
    Expired,
}

/// A note of ours that names a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Note {
    kind: Kind,
    pub grant: GrantId,
    pub account: AccountId,
    turn: i64,
    pub until: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Code = 1,
    Refresh = 2,
    Access = 3,
}

/// A grant as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    account: AccountId,
    credential: i64,
    wanted: Wanted,
    signed_in: Timestamp,
}

impl Grant {
    /// Whether it was given by this account with the credentials of today.
    pub fn is_of(&self, holder: &Credentials) -> bool {
        self.account == holder.account.id && self.credential == holder.version
    }
}

/// Clients.
impl Directory {
    /// Registers a client; the secret of a confidential one is shown this once. `Class::Exists` when the id is taken, `Class::Invalid` for
    /// an id or a URI that cannot be.
    pub async fn add_client(&self, client: Client) -> Result<Option<String>> {
        check(&client)?;
        let secret = client.confidential.then(|| format!("{PREFIX}cs_{}", self.inner.deps.entropy.token(52)));
        let key = self.secrets().await?.oauth;
        let hash = secret.as_ref().map(|secret| blake3::keyed_hash(&key, secret.as_bytes()).as_bytes().to_vec());
        let now = self.inner.deps.clock.now().0;
        self.change(move |tx| {
            let count = tx.query_one("SELECT COUNT(*) FROM dir_oauth_clients", &[], |row| row.int(0))?.unwrap_or(0);
            if count >= CLIENTS as i64 {
                return Err(Error::new(
                    Class::Limit,
                    format!("at most {CLIENTS} clients"),
                    format!("最多 {CLIENTS} 个客户端"),
                ));
            }
            let sql = "INSERT INTO dir_oauth_clients (id, name, redirects, services, secret, created_ms)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (id) DO NOTHING";
            let redirects = client.redirects.join("\n");
            let services = client.services.0;
            let added = tx.execute(sql, params![&client.id, &client.name, &redirects, services, hash.as_ref(), now])?;
            one(added, || Error::exists("there is a client of that id", "已有此 ID 的客户端"))
        })
        .await?;
        Ok(secret)
    }

    /// All clients, by id.
    pub async fn clients(&self) -> Result<Vec<Client>> {
        self.read(|tx| tx.query(&format!("{CLIENT} ORDER BY id"), &[], client)).await
    }

    /// One client.
    pub async fn client(&self, id: &str) -> Result<Option<Client>> {
        let id = id.to_owned();
        self.read(move |tx| tx.query_one(&format!("{CLIENT} WHERE id = ?1"), params![&id], client)).await
    }

    /// Removes a client with all that it was given. `Class::NotFound` when there is none of that id.
    pub async fn remove_client(&self, id: &str) -> Result<()> {
        let id = id.to_owned();
        self.change(move |tx| {
            tx.execute("DELETE FROM dir_oauth_grants WHERE client = ?1", params![&id])?;
            tx.execute("DELETE FROM dir_oauth_devices WHERE client = ?1", params![&id])?;
            one(tx.execute("DELETE FROM dir_oauth_clients WHERE id = ?1", params![&id])?, || {
                Error::not_found("there is no such client", "没有这个客户端")
            })
        })
        .await
    }

    /// Whether a client is who it says: a confidential one by its secret, any other by having none.
    pub async fn is_client(&self, id: &str, secret: Option<&str>) -> Result<bool> {
        let (id, key) = (id.to_owned(), self.secrets().await?.oauth);
        let sql = "SELECT secret FROM dir_oauth_clients WHERE id = ?1";
        let found = self.read(move |tx| tx.query_one(sql, params![&id], |row| row.opt_blob(0))).await?;
        Ok(match (found, secret) {
            (Some(None), None) => true,
            (Some(Some(hash)), Some(secret)) => {
                let hash: [u8; 32] = hash.try_into().map_err(|_| Error::damaged("a client's secret"))?;
                blake3::keyed_hash(&key, secret.as_bytes()) == blake3::Hash::from_bytes(hash)
            }
            _ => false,
        })
    }
}

/// Owners.
impl Directory {
    /// What an owner allows becomes a grant and its code, to be sent to the client.
    pub async fn approve(&self, account: AccountId, wanted: Wanted) -> Result<String> {
        let credential = self.credentials_of(account).await?.ok_or_else(no_account)?.version;
        let id = self.add_grant(account, credential, wanted).await?;
        let until = self.inner.deps.clock.now().after(CODE_TIME);
        self.sealed_note(Note { kind: Kind::Code, grant: id, account, turn: 0, until }).await
    }

    async fn add_grant(&self, account: AccountId, credential: i64, wanted: Wanted) -> Result<GrantId> {
        let now = self.inner.deps.clock.now();
        self.note(move |tx| {
            let idle = "DELETE FROM dir_oauth_grants WHERE account = ?1 AND (used_ms < ?2 OR id NOT IN
                        (SELECT id FROM dir_oauth_grants WHERE account = ?1 ORDER BY used_ms DESC LIMIT ?3))";
            let old = now.0 - GRANT_IDLE.as_millis() as i64;
            tx.execute(idle, params![account.to_sql(), old, GRANTS - 1])?;
            let id = rows::count_up(tx, "grant", 1)?;
            let sql = "INSERT INTO dir_oauth_grants (id, account, client, services, openid, nonce, challenge, redirect,
                         credential, turn, created_ms, used_ms)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, ?10, ?10)";
            let Wanted { client, services, openid, nonce, challenge, redirect } = &wanted;
            let (id_sql, services) = (id as i64, services.0);
            tx.execute(
                sql,
                params![
                    id_sql,
                    account.to_sql(),
                    client,
                    services,
                    *openid,
                    nonce,
                    challenge,
                    redirect,
                    credential,
                    now.0
                ],
            )?;
            Ok(GrantId(id))
        })
        .await
    }

    /// The grants of an account, the one that was used last first.
    pub async fn grants(&self, account: AccountId) -> Result<Vec<ListedGrant>> {
        let sql = "SELECT g.id, c.name, g.services, g.created_ms, g.used_ms FROM dir_oauth_grants g
                   JOIN dir_oauth_clients c ON c.id = g.client WHERE g.account = ?1 AND g.turn > 0 ORDER BY g.used_ms DESC";
        self.read(move |tx| {
            tx.query(sql, params![account.to_sql()], |row| {
                Ok(ListedGrant {
                    id: GrantId(row.int(0)? as u64),
                    client: row.text(1)?,
                    services: Services(row.int(2)? as u32),
                    created: Timestamp(row.int(3)?),
                    used: Timestamp(row.int(4)?),
                })
            })
        })
        .await
    }

    /// Takes a grant back, with all that came of it. `Class::NotFound` when the account gave no such one.
    pub async fn revoke_grant(&self, account: AccountId, id: GrantId) -> Result<()> {
        let sql = "DELETE FROM dir_oauth_grants WHERE account = ?1 AND id = ?2";
        let missing = || Error::not_found("there is no such grant", "没有这个授权");
        self.change(move |tx| one(tx.execute(sql, params![account.to_sql(), id.0 as i64])?, missing)).await
    }
}

/// Tokens.
impl Directory {
    /// Exchanges a code (RFC 6749 §4.1.3, RFC 7636 §4.5).
    pub async fn redeem_code(
        &self,
        code: &str,
        client: &str,
        redirect: &str,
        verifier: &str,
    ) -> Result<Result<Tokens, Denied>> {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        let fits =
            |wanted: &Wanted| wanted.client == client && wanted.redirect == redirect && wanted.challenge == challenge;
        self.turn(code, Kind::Code, fits).await
    }

    /// Exchanges a refresh token (RFC 6749 §6).
    pub async fn refresh(&self, token: &str, client: &str) -> Result<Result<Tokens, Denied>> {
        self.turn(token, Kind::Refresh, |wanted| wanted.client == client).await
    }

    /// The next turn of a grant.
    async fn turn(&self, text: &str, kind: Kind, fits: impl Fn(&Wanted) -> bool) -> Result<Result<Tokens, Denied>> {
        let now = self.inner.deps.clock.now();
        let Some(note) = self.open_note(text).await?.filter(|note| note.kind == kind && now < note.until) else {
            return Ok(Err(Denied::Grant));
        };
        let Some(grant) = self.grant_now(note.grant).await?.filter(|grant| grant.account == note.account) else {
            return Ok(Err(Denied::Grant));
        };
        if !fits(&grant.wanted) {
            return Ok(Err(Denied::Grant));
        }
        let sql = "UPDATE dir_oauth_grants SET turn = turn + 1, used_ms = ?3 WHERE id = ?1 AND turn = ?2";
        let (id, turn) = (note.grant.0 as i64, note.turn);
        if self.note(move |tx| tx.execute(sql, params![id, turn, now.0])).await? == 0 {
            tracing::warn!(account = note.account.0, client = %grant.wanted.client, "a code or refresh token came twice: its grant is revoked");
            let sql = "DELETE FROM dir_oauth_grants WHERE id = ?1";
            self.change(move |tx| tx.execute(sql, params![id]).map(drop)).await?;
            return Ok(Err(Denied::Grant));
        }
        self.tokens(note.grant, &grant, turn + 1).await
    }

    async fn tokens(&self, id: GrantId, grant: &Grant, turn: i64) -> Result<Result<Tokens, Denied>> {
        let now = self.inner.deps.clock.now();
        let holder = self.credentials_of(grant.account).await?;
        let Some(holder) = holder.filter(|holder| holder.is_open() && holder.version == grant.credential) else {
            return Ok(Err(Denied::Grant));
        };
        let note = Note { kind: Kind::Access, grant: id, account: grant.account, turn, until: now.after(ACCESS_TIME) };
        let access = self.sealed_note(note).await?;
        let refresh = Note { kind: Kind::Refresh, until: now.after(GRANT_IDLE), ..note };
        Ok(Ok(Tokens {
            access,
            refresh: self.sealed_note(refresh).await?,
            account: holder.account.clone(),
            wanted: grant.wanted.clone(),
            signed_in: grant.signed_in,
        }))
    }

    /// Takes back what a token belongs to (RFC 7009); of what is none of ours, or another client's, nothing.
    pub async fn revoke_token(&self, token: &str, client: &str) -> Result<()> {
        let Some(note) = self.open_note(token).await? else { return Ok(()) };
        let (id, client) = (note.grant.0 as i64, client.to_owned());
        let sql = "DELETE FROM dir_oauth_grants WHERE id = ?1 AND client = ?2";
        self.change(move |tx| tx.execute(sql, params![id, &client]).map(drop)).await
    }

    /// Whether a bearer token has the form of an access token of a grant.
    pub(crate) async fn open_access(&self, token: &[u8]) -> Result<Option<Note>> {
        let Ok(text) = str::from_utf8(token) else { return Ok(None) };
        Ok(self.open_note(text).await?.filter(|note| note.kind == Kind::Access))
    }

    /// What an access token opens, if its grant is there and was given with the credentials of today.
    pub(crate) async fn opened_by(&self, note: Note, holder: &Credentials) -> Result<Option<Services>> {
        let now = self.inner.deps.clock.now();
        if now >= note.until || note.account != holder.account.id {
            return Ok(None);
        }
        let grant = self.known_grant(note.grant).await?.filter(|grant| grant.is_of(holder));
        Ok(grant.map(|grant| grant.wanted.services))
    }

    /// A grant, from memory as long as the directory did not change.
    pub(crate) async fn known_grant(&self, id: GrantId) -> Result<Option<Arc<Grant>>> {
        let stamp = self.stamp().await?;
        if let Some(known) = self.inner.grants.get(stamp, &id) {
            return Ok(Some(known));
        }
        let found = self.grant_now(id).await?.map(Arc::new);
        if let Some(found) = &found {
            self.inner.grants.put(stamp, id, found.clone());
        }
        Ok(found)
    }

    /// Who is behind an access token that was given with `openid`.
    pub async fn openid_owner(&self, token: &str) -> Result<Option<Arc<Account>>> {
        let Some(note) = self.open_access(token.as_bytes()).await? else { return Ok(None) };
        let Some(holder) = self.credentials_of(note.account).await?.filter(|holder| holder.is_open()) else {
            return Ok(None);
        };
        let opened = self.opened_by(note, &holder).await?;
        let openid = self.grant_now(note.grant).await?.is_some_and(|grant| grant.wanted.openid);
        Ok(opened.filter(|_| openid).map(|_| holder.account.clone()))
    }

    async fn grant_now(&self, id: GrantId) -> Result<Option<Grant>> {
        self.read(move |tx| tx.query_one(GRANT, params![id.0 as i64], grant)).await
    }

    async fn sealed_note(&self, note: Note) -> Result<String> {
        let key = self.secrets().await?.oauth;
        let mut bytes = vec![note.kind as u8];
        for number in [note.grant.0 as i64, note.account.to_sql(), note.turn, note.until.0] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        // Two tokens of one turn and time are still two.
        bytes.extend_from_slice(&self.inner.deps.entropy.bytes::<8>());
        let seal = blake3::keyed_hash(&key, &bytes);
        bytes.extend_from_slice(seal.as_bytes());
        Ok(format!("{PREFIX}{}_{}", note.kind.word(), URL_SAFE_NO_PAD.encode(bytes)))
    }

    async fn open_note(&self, text: &str) -> Result<Option<Note>> {
        let key = self.secrets().await?.oauth;
        Ok(Note::open(&key, text))
    }
}

impl Kind {
    const ALL: [Self; 3] = [Self::Code, Self::Refresh, Self::Access];

    fn word(self) -> &'static str {
        match self {
            Self::Code => "oc",
            Self::Refresh => "or",
            Self::Access => "oa",
        }
    }
}

/// Bytes of a note: kind, four numbers, random, seal.
const NOTE: usize = 1 + 4 * 8 + 8 + 32;

impl Note {
    fn open(key: &[u8; 32], text: &str) -> Option<Self> {
        if text.len() > NOTE * 2 {
            return None;
        }
        let (word, encoded) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let bytes: [u8; NOTE] = URL_SAFE_NO_PAD.decode(encoded).ok()?.try_into().ok()?;
        let (said, seal) = bytes.split_last_chunk::<32>()?;
        if blake3::keyed_hash(key, said) != blake3::Hash::from_bytes(*seal) {
            return None;
        }
        let kind = Kind::ALL.into_iter().find(|kind| *kind as u8 == said[0] && kind.word() == word)?;
        let number = |at: usize| Some(i64::from_be_bytes(said.get(1 + at * 8..9 + at * 8)?.try_into().ok()?));
        Some(Self {
            kind,
            grant: GrantId(number(0)? as u64),
            account: AccountId::from_sql(number(1)?),
            turn: number(2)?,
            until: Timestamp(number(3)?),
        })
    }
}

const CLIENT: &str = "SELECT id, name, redirects, services, secret FROM dir_oauth_clients";

fn client(row: &Row<'_>) -> Result<Client> {
    Ok(Client {
        id: row.text(0)?,
        name: row.text(1)?,
        redirects: row.text(2)?.lines().map(str::to_owned).collect(),
        services: Services(row.int(3)? as u32),
        confidential: row.opt_blob(4)?.is_some(),
    })
}

const GRANT: &str = "SELECT account, client, services, openid, nonce, challenge, redirect, credential, created_ms
                     FROM dir_oauth_grants WHERE id = ?1";

fn grant(row: &Row<'_>) -> Result<Grant> {
    Ok(Grant {
        account: AccountId::from_sql(row.int(0)?),
        wanted: Wanted {
            client: row.text(1)?,
            services: Services(row.int(2)? as u32),
            openid: row.bool(3)?,
            nonce: row.text(4)?,
            challenge: row.text(5)?,
            redirect: row.text(6)?,
        },
        credential: row.int(7)?,
        signed_in: Timestamp(row.int(8)?),
    })
}

fn check(client: &Client) -> Result<()> {
    let is_id = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    if client.id.is_empty() || client.id.len() > 100 || !client.id.chars().all(is_id) {
        return Err(Error::invalid("an id has letters, digits and - . _ only", "ID 只能包含字母、数字和 - . _"));
    }
    names::display_name(&client.name)?;
    if client.redirects.len() > REDIRECTS || !client.redirects.iter().all(|uri| is_redirect(uri)) {
        return Err(Error::invalid(
            "a client is sent back to whole URIs: https, http on loopback, or a scheme of its own with a dot",
            "回调地址须为完整 URI：https、本机 http，或带点的自定义协议",
        ));
    }
    Ok(())
}

/// Whether a client may be sent back there (RFC 8252 §7, RFC 9700 §2.1): no fragment, nothing that a browser runs.
fn is_redirect(uri: &str) -> bool {
    let Some((scheme, rest)) = uri.split_once(':') else { return false };
    let authority = rest.strip_prefix("//").map(|rest| rest.split(['/', '?']).next().unwrap_or_default());
    let known = match scheme {
        "https" => authority.is_some_and(|host| !host.is_empty() && !host.contains('@')),
        "http" => authority.is_some_and(|authority| loopback(authority).is_some()),
        own => own.contains('.') && own.chars().all(|c| c.is_ascii_alphanumeric() || ".-+".contains(c)),
    };
    known && uri.len() <= TEXT && uri.bytes().all(|byte| byte.is_ascii_graphic()) && !uri.contains('#')
}

/// The host of an authority on loopback, whatever its port is.
fn loopback(authority: &str) -> Option<&'static str> {
    let is_port = |text: &str| text.parse::<u16>().is_ok() && text.bytes().all(|byte| byte.is_ascii_digit());
    ["127.0.0.1", "localhost", "[::1]"].into_iter().find(|host| {
        let rest = authority.strip_prefix(host);
        rest.is_some_and(|rest| rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port))
    })
}

impl Client {
    /// Whether it may be sent back there: as it was registered, on loopback with any port (RFC 8252 §7.3).
    pub fn returns_to(&self, uri: &str) -> bool {
        self.redirects.iter().any(|known| {
            known == uri
                || (is_redirect(uri) && without_port(known) == without_port(uri) && without_port(uri).is_some())
        })
    }
}

/// A URI on loopback without its port.
fn without_port(uri: &str) -> Option<(&str, &str)> {
    let rest = uri.strip_prefix("http://")?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    Some((loopback(authority)?, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_sent_back_only_where_they_were_registered() {
        let redirects =
            ["https://app.example/cb", "http://127.0.0.1/cb", "com.example.app:/cb"].map(str::to_owned).to_vec();
        let client =
            Client { id: "x".into(), name: "X".into(), redirects, services: Services::ALL, confidential: false };
        check(&client).unwrap();
        for good in
            ["https://app.example/cb", "http://127.0.0.1/cb", "http://127.0.0.1:40123/cb", "com.example.app:/cb"]
        {
            assert!(client.returns_to(good), "{good}");
        }
        for bad in [
            "https://app.example/cb2",
            "https://app.example:444/cb",
            "https://app.example.evil.example/cb",
            "http://127.0.0.1.evil.example/cb",
            "http://127.0.0.1:1@evil.example/cb",
            "http://127.0.0.1:/cb",
            "http://127.0.0.1:+1/cb",
            "http://127.0.0.1:99999/cb",
            "http://localhost/cb",
            "https://app.example/cb#x",
            "",
        ] {
            assert!(!client.returns_to(bad), "{bad}");
        }
        for bad in
            ["javascript:alert(1)", "http://app.example/", "https://", "data:x", "x", "https://a/#b", "https://a@b/"]
        {
            assert!(!is_redirect(bad), "{bad}");
        }
    }

    #[test]
    fn a_note_is_what_was_sealed_or_nothing() {
        assert_eq!(Note::open(&[1; 32], "anser_oa_AAAA"), None);
        assert_eq!(Note::open(&[1; 32], &format!("anser_oa_{}", "A".repeat(98))), None);
        assert_eq!(Note::open(&[1; 32], ""), None);
    }
}
