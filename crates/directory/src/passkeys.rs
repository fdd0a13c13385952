//! Passkeys: keys of an authenticator, a telephone or a USB stick, that sign for this site and for no other (Web Authentication).
//!
//! A passkey is a second factor beside the password, and with user verification it is both at once: the login page takes it without a name
//! and without a password. What a browser brings is judged in [`crate::webauthn`]; here lie the keys, and the challenges.
//!
//! A challenge is a sealed note of ours: it stands in no table until it is used, is good for [`CHALLENGE`], once, and only together with
//! what it was made for: a ticket of the login page, a session that adds a passkey, or a visitor of whom nothing is known yet.

use std::sync::Arc;
use std::time::Duration;

use anser_base::{AccountId, Class, Error, Result, Timestamp};
use anser_db::{Row, Tx, params};

use crate::admin::{no_account, one};
use crate::refusal::{AuthFailure, Refusal};
use crate::second::{Factors, put_recovery, recovery_hash};
use crate::sessions::shortened;
use crate::sign_in::{Shown, Signed, Visitor, elsewhere};
use crate::webauthn::{Assertion, Credential, Registration, RelyingParty};
use crate::{Account, Directory, rows};

/// How long a challenge is good.
pub const CHALLENGE: Duration = Duration::from_secs(5 * 60);
/// Passkeys of an account.
pub const PASSKEYS: usize = 20;
/// Bytes of a challenge: end, random, seal.
const CHALLENGE_BYTES: usize = 8 + 16 + 32;

/// A passkey as its owner sees it in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    /// Its number, unique in the whole system.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// When it was added.
    pub created: Timestamp,
    /// When it was last used.
    pub used: Option<Timestamp>,
}

/// What a page hands to `navigator.credentials`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ceremony {
    /// To `create`: a new key.
    Create {
        /// The challenge.
        challenge: Vec<u8>,
        /// `user.id`: says nothing to others, and is the same for each passkey of an account.
        user: [u8; 32],
        /// Whose it becomes.
        address: String,
        /// Ids of the keys that the account has already.
        known: Vec<Vec<u8>>,
    },
    /// To `get`: a key that is there.
    Get {
        /// The challenge.
        challenge: Vec<u8>,
        /// Ids of the keys that are good; none: any of this site, with user verification.
        known: Vec<Vec<u8>>,
    },
}

/// What came back from `navigator.credentials`.
#[derive(Clone, Copy, Debug)]
pub enum Brought<'a> {
    /// A new key.
    Registration(Registration<'a>),
    /// A signature of a key that is there.
    Assertion(Assertion<'a>),
}

/// A passkey that was added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Added {
    /// Its number.
    pub id: u64,
    /// When it is the account's first second factor: recovery codes, which cannot be shown again.
    pub recovery: Vec<String>,
}

/// What a login finds of a passkey.
struct Kept {
    account: AccountId,
    key: Vec<u8>,
}

impl Directory {
    /// The passkeys of an account, the oldest first.
    pub async fn passkeys(&self, account: AccountId) -> Result<Vec<Passkey>> {
        let sql = "SELECT number, name, created_ms, used_ms FROM dir_passkeys WHERE account = ?1 ORDER BY number";
        let passkey = |row: &Row<'_>| {
            let (created, used) = (Timestamp(row.int(2)?), row.opt_int(3)?.map(Timestamp));
            Ok(Passkey { id: row.int(0)? as u64, name: row.text(1)?, created, used })
        };
        self.read(move |tx| tx.query(sql, params![account.to_sql()], passkey)).await
    }

    /// Begins to add a passkey; it answers to the same `bound` only. `Class::Limit` when there are [`PASSKEYS`] already.
    pub async fn begin_passkey(&self, account: AccountId, bound: &str) -> Result<Ceremony> {
        let Some(owner) = self.account(account).await? else { return Err(no_account()) };
        let known = self.credential_ids(account).await?;
        if known.len() >= PASSKEYS {
            return Err(too_many());
        }
        let (challenge, user) = (self.challenge(bound).await?, self.user_handle(account).await?);
        Ok(Ceremony::Create { challenge, user, address: owner.address.to_string(), known })
    }

    /// Adds the passkey that was begun. `Class::Invalid` when what came is not a new key for this site and challenge, `Class::Exists` when
    /// it is somebody's already.
    pub async fn add_passkey(
        &self,
        account: AccountId,
        bound: &str,
        site: &RelyingParty,
        name: &str,
        brought: Registration<'_>,
    ) -> Result<Added> {
        self.meet(&brought.challenge()?, bound).await?;
        let credential = brought.verify(site)?;
        let (now, name) = (self.inner.deps.clock.now(), shortened(name));
        let (codes, key) = (self.new_codes(), self.secrets().await?.second);
        let hashes: Vec<[u8; 32]> = codes.iter().map(|code| recovery_hash(&key, code)).collect();
        let (id, is_first) = self
            .change(move |tx| {
                let is_first = !Factors::of(tx, account)?.any();
                let id = add(tx, account, &credential, &name, now)?;
                if is_first {
                    put_recovery(tx, account, &hashes)?;
                }
                Ok((id, is_first))
            })
            .await?;
        Ok(Added { id, recovery: if is_first { codes } else { Vec::new() } })
    }

    /// Gives a passkey another name. `Class::NotFound` when the account has no such one.
    pub async fn rename_passkey(&self, account: AccountId, id: u64, name: &str) -> Result<()> {
        let name = shortened(name);
        let sql = "UPDATE dir_passkeys SET name = ?3 WHERE account = ?1 AND number = ?2";
        self.note(move |tx| one(tx.execute(sql, params![account.to_sql(), id as i64, &name])?, no_passkey)).await
    }

    /// Takes a passkey away; with the last factor the recovery codes go. `Class::NotFound` when the account has no such one.
    pub async fn remove_passkey(&self, account: AccountId, id: u64) -> Result<()> {
        let sql = "DELETE FROM dir_passkeys WHERE account = ?1 AND number = ?2";
        self.change(move |tx| {
            one(tx.execute(sql, params![account.to_sql(), id as i64])?, no_passkey)?;
            Factors::tidy(tx, account)
        })
        .await
    }

    /// What the login page asks a browser for: with a ticket a passkey of its holder, or a new one where a second factor has to be set up;
    /// without, any passkey of this site.
    pub async fn ask_passkey(&self, ticket: Option<&str>, visitor: Visitor<'_>) -> Result<Ceremony, AuthFailure> {
        let Some(ticket) = ticket else {
            return Ok(Ceremony::Get { challenge: self.challenge("").await?, known: Vec::new() });
        };
        let (holder, _) = self.holder(ticket, visitor).await?;
        let account = holder.account.id;
        if holder.second.is_missing() {
            return Ok(self.begin_passkey(account, ticket).await?);
        }
        Ok(Ceremony::Get { challenge: self.challenge(ticket).await?, known: self.credential_ids(account).await? })
    }

    /// The step that [`crate::Need::Passkey`] asks for, and another way for [`crate::Need::Enrol`]. What is not good is [`Refusal::Wrong`]
    /// and counts like a wrong code; the ticket stays good.
    pub async fn show_passkey(
        &self,
        ticket: &str,
        site: &RelyingParty,
        brought: Brought<'_>,
        visitor: Visitor<'_>,
    ) -> Result<Shown, AuthFailure> {
        let (holder, _) = self.holder(ticket, visitor).await?;
        let account = holder.account.id;
        let shown = match brought {
            Brought::Assertion(assertion) => {
                self.assert(assertion, ticket, site, Some(account)).await.map(|_| Vec::new())
            }
            Brought::Registration(new) if holder.second.is_missing() => {
                self.add_passkey(account, ticket, site, visitor.device, new).await.map(|added| added.recovery)
            }
            Brought::Registration(_) => Err(not_accepted()),
        };
        match shown {
            Ok(recovery) => {
                self.code_succeeded(&holder, visitor).await;
                let Some(holder) = self.credentials_of(account).await? else { return Err(not_accepted().into()) };
                Ok(Shown { signed: self.next_step(&holder, true, visitor).await?, recovery })
            }
            Err(error) => Err(refused(error, || self.code_failed(&holder, visitor.source))),
        }
    }

    /// Signs somebody in by a passkey alone, which must say that it recognised its owner. Fails like [`Directory::sign_in`].
    pub async fn sign_in_with_passkey(
        &self,
        site: &RelyingParty,
        assertion: Assertion<'_>,
        visitor: Visitor<'_>,
    ) -> Result<Signed, AuthFailure> {
        let name = format!("passkey {}", &blake3::hash(assertion.id).to_hex()[..16]);
        self.admit_name(&name, visitor.source)?;
        let account = match self.assert(assertion, "", site, None).await {
            Ok(account) => account,
            Err(error) => return Err(refused(error, || self.name_failed(&name, visitor.source))),
        };
        let found = self.credentials_of(account).await?;
        match found.filter(|found| found.may_sign_in()) {
            Some(found) if found.provider.is_some() => Err(elsewhere()),
            Some(found) => self.next_step(&found, true, visitor).await,
            None => Err(AuthFailure {
                reason: Refusal::NotAllowed,
                delay: Duration::ZERO,
                error: crate::portals::no_mailbox(),
            }),
        }
    }

    /// For the journal: whose passkey has this id.
    pub async fn passkey_owner(&self, id: &[u8]) -> Result<Option<Arc<Account>>> {
        let id = id.to_vec();
        let sql = "SELECT account FROM dir_passkeys WHERE id = ?1";
        let found = self.read(move |tx| tx.query_one(sql, params![&id], |row| row.int(0))).await?;
        match found {
            Some(account) => self.account(AccountId::from_sql(account)).await,
            None => Ok(None),
        }
    }

    /// Whose key signed this, once its challenge is used up. Without an `owner` the key has to tell whose it is, and whom it recognised.
    async fn assert(
        &self,
        assertion: Assertion<'_>,
        bound: &str,
        site: &RelyingParty,
        owner: Option<AccountId>,
    ) -> Result<AccountId> {
        self.meet(&assertion.challenge()?, bound).await?;
        let id = assertion.id.to_vec();
        let sql = "SELECT account, public_key FROM dir_passkeys WHERE id = ?1";
        let kept = |row: &Row<'_>| Ok(Kept { account: AccountId::from_sql(row.int(0)?), key: row.blob(1)? });
        let found = self.read(move |tx| tx.query_one(sql, params![&id], kept)).await?.ok_or_else(not_accepted)?;
        let user = self.user_handle(found.account).await?;
        let is_theirs = match (owner, assertion.user) {
            (Some(owner), None) => owner == found.account,
            (Some(owner), Some(told)) => owner == found.account && told == user,
            (None, told) => told == Some(&user[..]),
        };
        if !is_theirs {
            return Err(not_accepted());
        }
        let shown = assertion.verify(site, &found.key)?;
        if owner.is_none() && !shown.verified {
            return Err(not_accepted());
        }
        self.count_use(assertion.id, shown.count).await?;
        Ok(found.account)
    }

    /// WebAuthn §7.2, the last steps: a counter that does not go up is that of a copy.
    async fn count_use(&self, id: &[u8], count: u32) -> Result<()> {
        let (id, now) = (id.to_vec(), self.inner.deps.clock.now());
        let sql =
            "UPDATE dir_passkeys SET uses = ?2, used_ms = ?3 WHERE id = ?1 AND (uses < ?2 OR (uses = 0 AND ?2 = 0))";
        let copied = || not_accepted().caused_by("its counter went back: there is a copy of this key");
        self.note(move |tx| one(tx.execute(sql, params![&id, i64::from(count), now.0])?, copied)).await
    }

    async fn credential_ids(&self, account: AccountId) -> Result<Vec<Vec<u8>>> {
        let sql = "SELECT id FROM dir_passkeys WHERE account = ?1 ORDER BY number";
        self.read(move |tx| tx.query(sql, params![account.to_sql()], |row| row.blob(0))).await
    }

    async fn user_handle(&self, account: AccountId) -> Result<[u8; 32]> {
        Ok(*blake3::keyed_hash(&self.secrets().await?.passkeys, format!("user {}", account.0).as_bytes()).as_bytes())
    }

    async fn challenge(&self, bound: &str) -> Result<Vec<u8>> {
        let until = self.inner.deps.clock.now().after(CHALLENGE);
        let random: [u8; 16] = self.inner.deps.entropy.bytes();
        let mut challenge = [&until.0.to_be_bytes()[..], &random].concat();
        let seal = seal(&self.secrets().await?.passkeys, &challenge, bound);
        challenge.extend_from_slice(seal.as_bytes());
        Ok(challenge)
    }

    /// Uses a challenge up. `Class::Invalid` when it is not ours, not for this, too old or used.
    async fn meet(&self, challenge: &[u8], bound: &str) -> Result<()> {
        let (said, sealed) = challenge.split_last_chunk::<32>().ok_or_else(not_accepted)?;
        let until = said.first_chunk().filter(|_| challenge.len() == CHALLENGE_BYTES).ok_or_else(not_accepted)?;
        let until = Timestamp(i64::from_be_bytes(*until));
        // Hashes compare in constant time.
        let is_ours = seal(&self.secrets().await?.passkeys, said, bound) == blake3::Hash::from_bytes(*sealed);
        let is_good = is_ours && self.inner.deps.clock.now() < until && self.spend(challenge, until).await?;
        if is_good { Ok(()) } else { Err(not_accepted()) }
    }
}

fn seal(key: &[u8; 32], said: &[u8], bound: &str) -> blake3::Hash {
    blake3::keyed_hash(key, &[b"challenge ", said, bound.as_bytes()].concat())
}

fn add(tx: &mut Tx<'_>, account: AccountId, credential: &Credential, name: &str, now: Timestamp) -> Result<u64> {
    let count = "SELECT COUNT(*) FROM dir_passkeys WHERE account = ?1";
    if tx.query_one(count, params![account.to_sql()], |row| row.int(0))?.unwrap_or(0) >= PASSKEYS as i64 {
        return Err(too_many());
    }
    let number = rows::count_up(tx, "passkey", 1)?;
    let sql = "INSERT INTO dir_passkeys (number, account, id, public_key, uses, name, created_ms)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING";
    let Credential { id, key, count } = credential;
    let added = tx.execute(sql, params![number as i64, account.to_sql(), id, key, i64::from(*count), name, now.0])?;
    one(added, || Error::exists("this passkey is in use already", "该通行密钥已被使用"))?;
    Ok(number)
}

/// What is wrong with what somebody brought counts as a guess, what is wrong with us does not.
fn refused(error: Error, count: impl FnOnce() -> Duration) -> AuthFailure {
    if error.class.is_temporary() {
        return error.into();
    }
    let delay = count();
    AuthFailure { reason: Refusal::Wrong, delay, error: Error { class: Class::Unauthenticated, ..error } }
}

fn not_accepted() -> Error {
    Error::invalid("the passkey was not accepted; try again", "通行密钥未被接受，请重试")
}

fn too_many() -> Error {
    Error::new(Class::Limit, format!("at most {PASSKEYS} passkeys"), format!("最多 {PASSKEYS} 个通行密钥"))
}

fn no_passkey() -> Error {
    Error::not_found("there is no such passkey", "没有这个通行密钥")
}
