//! Portals that vouch for people: an office system where somebody is signed in already hands them over with a signed ticket.
//!
//! ```text
//! user "\n" time "\n" nonce ── HMAC-SHA-256 by the portal's secret (RFC 2104), or Ed25519 by its key (RFC 8032) ─▶ signature
//! ```
//!
//! `user` is the address, `time` seconds since 1970, `nonce` anything that is not used twice. A ticket is good for [`WINDOW`] around its
//! time, and once. A portal vouches for whom it is registered for: a domain, or everybody. What the account asks for beside the password, a
//! code of its second factor, is asked for all the same.

use std::time::Duration;

use anser_base::{Class, Error, Result};
use anser_db::{Row, params};
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::admin::one;
use crate::refusal::{AuthFailure, Refusal};
use crate::scram::hmac;
use crate::sign_in::{Signed, Visitor};
use crate::{Directory, names, sealed};

/// How far a ticket's time may be off, either way.
pub const WINDOW: Duration = Duration::from_secs(60);
/// Longest nonce, in bytes.
pub const NONCE: usize = 200;
/// Portals of the house.
pub const PORTALS: usize = 100;
/// Characters of a secret, of 5 bits each.
const SECRET: usize = 52;

/// A portal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Portal {
    /// Its name, in lower case.
    pub id: String,
    /// For whom it vouches: a domain, or `*`.
    pub scope: String,
    /// Its Ed25519 key, base64url; `None`: it has a secret.
    pub key: Option<String>,
}

/// A ticket as it comes in.
#[derive(Clone, Copy, Debug)]
pub struct PortalTicket<'a> {
    /// Which portal.
    pub portal: &'a str,
    /// The address.
    pub user: &'a str,
    /// Seconds since 1970, in digits.
    pub time: &'a str,
    /// Not used twice.
    pub nonce: &'a str,
    /// base64url, without padding.
    pub signature: &'a str,
}

impl PortalTicket<'_> {
    fn signed(&self) -> String {
        format!("{}\n{}\n{}", self.user, self.time, self.nonce)
    }
}

impl Directory {
    /// Registers a portal. Without a key of its own it gets a secret, which is shown this once. `Class::Exists` when the name is taken,
    /// `Class::Invalid` for a name, a scope or a key that cannot be.
    pub async fn add_portal(&self, portal: Portal) -> Result<Option<String>> {
        check(&portal)?;
        let scope = if portal.scope == "*" { portal.scope.clone() } else { names::new_domain(&portal.scope)? };
        let secret = portal.key.is_none().then(|| self.inner.deps.entropy.token(SECRET));
        let kept = match (&portal.key, &secret) {
            (Some(key), _) => key.clone().into_bytes(),
            (None, secret) => secret.clone().unwrap_or_default().into_bytes(),
        };
        let kept = sealed::seal(&self.secrets().await?.second, place(&portal.id), &kept, &self.inner.deps.entropy)?;
        let is_key = portal.key.is_some();
        self.note(move |tx| {
            let count = tx.query_one("SELECT COUNT(*) FROM dir_portals", &[], |row| row.int(0))?.unwrap_or(0);
            if count >= PORTALS as i64 {
                return Err(Error::new(
                    Class::Limit,
                    format!("at most {PORTALS} portals"),
                    format!("最多 {PORTALS} 个门户"),
                ));
            }
            let sql =
                "INSERT INTO dir_portals (id, scope, is_key, secret) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
            let added = tx.execute(sql, params![&portal.id, &scope, is_key, &kept])?;
            one(added, || Error::exists("there is a portal of that name", "已有同名门户"))
        })
        .await?;
        Ok(secret)
    }

    /// All portals, by name; of keys and secrets nothing.
    pub async fn portals(&self) -> Result<Vec<Portal>> {
        let sql = "SELECT id, scope FROM dir_portals ORDER BY id";
        let portal = |row: &Row<'_>| Ok(Portal { id: row.text(0)?, scope: row.text(1)?, key: None });
        self.read(move |tx| tx.query(sql, &[], portal)).await
    }

    /// Removes a portal. `Class::NotFound` when there is none of that name.
    pub async fn remove_portal(&self, id: &str) -> Result<()> {
        let id = id.to_owned();
        let missing = || Error::not_found("there is no such portal", "没有这个门户");
        self.note(move |tx| one(tx.execute("DELETE FROM dir_portals WHERE id = ?1", params![&id])?, missing)).await
    }

    /// Takes somebody in whom a portal vouches for. Fails like [`Directory::sign_in`]; wrong tickets are answered alike whatever is wrong
    /// with them. They are not counted: nobody guesses a signature, and a count would lock out the people whom the portal sends.
    pub async fn sign_in_from_portal(
        &self,
        ticket: PortalTicket<'_>,
        visitor: Visitor<'_>,
    ) -> Result<Signed, AuthFailure> {
        if !self.is_vouched(ticket).await? {
            return Err(AuthFailure { reason: Refusal::Wrong, delay: Duration::ZERO, error: bad_ticket() });
        }
        let credentials = self.credentials(ticket.user.as_bytes()).await?;
        match credentials.filter(|found| found.may_sign_in()) {
            Some(found) => self.next_step(&found, false, visitor).await,
            None => Err(AuthFailure { reason: Refusal::NotAllowed, delay: Duration::ZERO, error: no_mailbox() }),
        }
    }

    async fn is_vouched(&self, ticket: PortalTicket<'_>) -> Result<bool> {
        let now = self.inner.deps.clock.now();
        let Ok(time) = ticket.time.parse::<i64>() else { return Ok(false) };
        let window = WINDOW.as_secs() as i64;
        if !(now.secs() - window..=now.secs() + window).contains(&time) || ticket.nonce.len() > NONCE {
            return Ok(false);
        }
        let (id, key) = (ticket.portal.to_owned(), self.secrets().await?.second);
        let sql = "SELECT scope, is_key, secret FROM dir_portals WHERE id = ?1";
        let found =
            self.read(move |tx| tx.query_one(sql, params![&id], |row| Ok((row.text(0)?, row.bool(1)?, row.blob(2)?))));
        let Some((scope, is_key, kept)) = found.await? else { return Ok(false) };
        let secret = sealed::open(&key, place(ticket.portal), &kept)?;
        let Ok(signature) = URL_SAFE_NO_PAD.decode(ticket.signature) else { return Ok(false) };
        let signed = ticket.signed();
        let is_signed = if is_key {
            let public = URL_SAFE_NO_PAD.decode(&secret).unwrap_or_default();
            UnparsedPublicKey::new(&ED25519, public).verify(signed.as_bytes(), &signature).is_ok()
        } else {
            // Hashes compare in constant time.
            blake3::hash(&hmac(&secret, signed.as_bytes())) == blake3::hash(&signature)
        };
        let domain = anser_base::Address::parse(ticket.user).map(|address| names::domain_key(address.domain()));
        let is_in_scope = domain.is_some_and(|domain| scope == "*" || scope == domain);
        let once = format!("{}\n{signed}", ticket.portal);
        Ok(is_signed && is_in_scope && self.spend(once.as_bytes(), now.after(WINDOW * 2)).await?)
    }
}

fn check(portal: &Portal) -> Result<()> {
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if portal.id.is_empty() || portal.id.len() > 50 || !portal.id.chars().all(is_name) {
        return Err(Error::invalid("a name has small letters, digits and - only", "名称只能包含小写字母、数字和 -"));
    }
    let is_key = |key: &String| URL_SAFE_NO_PAD.decode(key).is_ok_and(|bytes| bytes.len() == 32);
    if portal.key.as_ref().is_some_and(|key| !is_key(key)) {
        return Err(Error::invalid("an Ed25519 key is 32 bytes in base64url", "Ed25519 公钥应为 32 字节的 base64url"));
    }
    Ok(())
}

fn place(id: &str) -> String {
    format!("portal {id}")
}

fn bad_ticket() -> Error {
    Error::new(
        Class::Unauthenticated,
        "the portal's ticket is not good; go back and try again",
        "门户票据无效，请返回重试",
    )
}

pub(crate) fn no_mailbox() -> Error {
    Error::new(
        Class::Forbidden,
        "you have no mailbox here that you may use at present; ask your administrator",
        "您在此没有可用的邮箱，请联系管理员",
    )
}
