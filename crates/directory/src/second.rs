//! The second factor: what somebody has, beside the password that they know.
//!
//! An account has one when its owner set up an authenticator ([`crate::totp`]) or a passkey ([`crate::passkeys`]), and must have one where
//! an administrator says so, for an account, a domain or everybody. From then on its password opens nothing but the login page, which asks
//! for the other; programs are given app passwords and tokens. Ten recovery codes, each good once, stand in for a lost device.

use anser_base::{AccountId, Class, Error, Result};
use anser_db::{Row, Tx, params};

use crate::admin::{no_account, one};
use crate::credentials::Credentials;
use crate::{Directory, names, sealed, totp};

/// Recovery codes of an account.
pub const RECOVERY_CODES: usize = 10;
/// Length of one in characters of 5 bits: 60 bits.
const RECOVERY_CODE: usize = 12;
/// Who shows a code in the authenticator, where the server has no better name.
const ISSUER: &str = "Anser";

/// The second factors of an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Factors {
    /// An authenticator.
    pub totp: bool,
    /// At least one passkey.
    pub passkey: bool,
}

/// What is known of an account's second factor at a login.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Second {
    /// What there is.
    pub factors: Factors,
    /// There must be one.
    pub required: bool,
}

impl Second {
    /// Whether the password alone opens no door.
    pub fn is_asked(self) -> bool {
        self.factors.any() || self.required
    }

    /// Whether there must be one and is none.
    pub fn is_missing(self) -> bool {
        self.required && !self.factors.any()
    }
}

impl Factors {
    pub fn of(tx: &mut Tx<'_>, account: AccountId) -> Result<Self> {
        let sql = "SELECT (SELECT COUNT(*) FROM dir_totp WHERE account = ?1 AND confirmed = 1),
                          (SELECT COUNT(*) FROM dir_passkeys WHERE account = ?1)";
        let counts = |row: &Row<'_>| Ok(Self { totp: row.int(0)? > 0, passkey: row.int(1)? > 0 });
        Ok(tx.query_one(sql, params![account.to_sql()], counts)?.unwrap_or_default())
    }

    pub fn any(self) -> bool {
        self.totp || self.passkey
    }

    /// Where no factor is left, recovery codes stand in for nothing.
    pub fn tidy(tx: &mut Tx<'_>, account: AccountId) -> Result<()> {
        if !Self::of(tx, account)?.any() {
            tx.execute("DELETE FROM dir_recovery WHERE account = ?1", params![account.to_sql()])?;
        }
        Ok(())
    }
}

/// What the secrets of authenticators are sealed with.
#[derive(Clone, Copy)]
struct TotpKeys {
    now: [u8; 32],
    /// Without the key that lies outside.
    before: [u8; 32],
}

impl TotpKeys {
    fn open(&self, account: AccountId, kept: &[u8]) -> Result<Vec<u8>> {
        let opened = sealed::open(&self.now, place(account), kept);
        opened.or_else(|error| sealed::open(&self.before, place(account), kept).map_err(|_| error))
    }
}

/// What an owner sees of the own second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecondFactor {
    /// An authenticator is set up.
    pub totp: bool,
    /// Passkeys.
    pub passkeys: usize,
    /// An administrator wants one.
    pub required: bool,
    /// Recovery codes that are left.
    pub recovery: usize,
}

/// An authenticator that is being set up.
#[derive(Clone)]
pub struct NewTotp {
    /// The secret, to be typed into the authenticator (base32).
    pub secret: String,
    /// The same as an `otpauth` URI, to be shown as a QR code.
    pub uri: String,
}

impl std::fmt::Debug for NewTotp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewTotp")
    }
}

impl Directory {
    /// What an account has and must have.
    pub async fn second_factor(&self, account: AccountId) -> Result<SecondFactor> {
        let Some(found) = self.credentials_of(account).await? else { return Err(no_account()) };
        let sql = "SELECT (SELECT COUNT(*) FROM dir_recovery WHERE account = ?1),
                          (SELECT COUNT(*) FROM dir_passkeys WHERE account = ?1)";
        let counts = |row: &Row<'_>| Ok((row.int(0)? as usize, row.int(1)? as usize));
        let counted = self.read(move |tx| tx.query_one(sql, params![account.to_sql()], counts)).await?;
        let ((recovery, passkeys), Second { factors, required }) = (counted.unwrap_or_default(), found.second);
        Ok(SecondFactor { totp: factors.totp, passkeys, required, recovery })
    }

    /// Begins to set up an authenticator; nothing changes until [`Self::confirm_totp`] is shown a code of it. `Class::Exists` when there
    /// is one already.
    pub async fn begin_totp(&self, account: AccountId) -> Result<NewTotp> {
        let Some(found) = self.credentials_of(account).await? else { return Err(no_account()) };
        if found.second.factors.totp {
            return Err(Error::exists("an authenticator is set up already", "已设置验证器"));
        }
        let entropy = &self.inner.deps.entropy;
        let secret: [u8; totp::SECRET] = entropy.bytes();
        let kept = sealed::seal(&self.totp_keys().await?.now, place(account), &secret, entropy)?;
        let sql = "INSERT INTO dir_totp (account, secret, confirmed, last_step) VALUES (?1, ?2, 0, 0)
                   ON CONFLICT (account) DO UPDATE SET secret = excluded.secret, last_step = 0
                   WHERE dir_totp.confirmed = 0";
        self.note(move |tx| tx.execute(sql, params![account.to_sql(), &kept])).await?;
        let secret = totp::base32(&secret);
        let issuer = if self.inner.hostname.is_empty() { ISSUER } else { &self.inner.hostname };
        let label: String = names::key(&found.account.address).bytes().map(percent).collect();
        let issuer: String = issuer.bytes().map(percent).collect();
        Ok(NewTotp { uri: format!("otpauth://totp/{issuer}:{label}?secret={secret}&issuer={issuer}"), secret })
    }

    /// Sets up the authenticator that was begun, once it shows a right code. Returns new recovery codes, which cannot be shown again.
    /// `Class::Invalid` for a wrong code, `Class::NotFound` when none was begun.
    pub async fn confirm_totp(&self, account: AccountId, code: &str) -> Result<Vec<String>> {
        let (now, code, key) = (self.inner.deps.clock.now(), code.to_owned(), self.secrets().await?.second);
        let (codes, keys) = (self.new_codes(), self.totp_keys().await?);
        let hashes: Vec<[u8; 32]> = codes.iter().map(|code| recovery_hash(&key, code)).collect();
        self.change(move |tx| {
            let (secret, last) = secret_of(tx, &keys, account, false)?.ok_or_else(none_begun)?;
            let step = totp::step_of(&secret, &code, now, last).ok_or_else(wrong_code)?;
            let sql = "UPDATE dir_totp SET confirmed = 1, last_step = ?2 WHERE account = ?1";
            tx.execute(sql, params![account.to_sql(), step])?;
            put_recovery(tx, account, &hashes)
        })
        .await?;
        Ok(codes)
    }

    /// New recovery codes in place of all that are left. `Class::NotFound` without a second factor.
    pub async fn renew_recovery(&self, account: AccountId) -> Result<Vec<String>> {
        let found = self.second_factor(account).await?;
        if !found.totp && found.passkeys == 0 {
            return Err(none_begun());
        }
        let (codes, key) = (self.new_codes(), self.secrets().await?.second);
        let hashes: Vec<[u8; 32]> = codes.iter().map(|code| recovery_hash(&key, code)).collect();
        self.note(move |tx| put_recovery(tx, account, &hashes)).await?;
        Ok(codes)
    }

    /// Takes an account's authenticator away; with the last factor the recovery codes go. Returns whether there was one.
    pub async fn remove_totp(&self, account: AccountId) -> Result<bool> {
        self.change(move |tx| {
            let gone = tx.execute("DELETE FROM dir_totp WHERE account = ?1", params![account.to_sql()])? > 0;
            Factors::tidy(tx, account)?;
            Ok(gone)
        })
        .await
    }

    /// Takes an account's second factors away, recovery codes, passkeys and all. Returns whether there was one.
    pub async fn remove_second_factor(&self, account: AccountId) -> Result<bool> {
        self.change(move |tx| forget(tx, account)).await
    }

    /// Whether a code is the authenticator's at this time, or a recovery code. It is used up by that.
    pub(crate) async fn use_code(&self, account: AccountId, code: &str) -> Result<bool> {
        let (now, code, key) = (self.inner.deps.clock.now(), code.to_owned(), self.secrets().await?.second);
        let keys = self.totp_keys().await?;
        self.note(move |tx| {
            // Recovery codes are good without the key that lies outside.
            let kept = secret_of(tx, &keys, account, true).or_else(|error| match error.class {
                Class::Damaged => {
                    tracing::error!(%account, error = error.chain(), "an authenticator is of no use");
                    Ok(None)
                }
                _ => Err(error),
            });
            if let Some((secret, last)) = kept?
                && let Some(step) = totp::step_of(&secret, &code, now, last)
            {
                let sql = "UPDATE dir_totp SET last_step = ?2 WHERE account = ?1 AND last_step < ?2";
                return Ok(tx.execute(sql, params![account.to_sql(), step])? > 0);
            }
            let sql = "DELETE FROM dir_recovery WHERE account = ?1 AND hash = ?2";
            Ok(tx.execute(sql, params![account.to_sql(), &recovery_hash(&key, &code)[..]])? > 0)
        })
        .await
    }

    /// Says whether all of a scope must have a second factor: an account, a domain, `*` for everybody.
    pub async fn require_second_factor(&self, scope: &str, required: bool) -> Result<()> {
        let scope = scope_key(scope)?;
        let sql = match required {
            true => "INSERT INTO dir_second_required (scope) VALUES (?1) ON CONFLICT (scope) DO NOTHING",
            false => "DELETE FROM dir_second_required WHERE scope = ?1",
        };
        self.change(move |tx| tx.execute(sql, params![&scope]).map(drop)).await
    }

    /// The scopes in which a second factor is required.
    pub async fn second_factor_required(&self) -> Result<Vec<String>> {
        let sql = "SELECT scope FROM dir_second_required ORDER BY scope";
        self.read(move |tx| tx.query(sql, &[], |row| row.text(0))).await
    }

    /// From now on the secrets of authenticators are sealed with a key that lies outside of the database, too: whoever has the tables, or a
    /// backup of them, has none. What was sealed without it is sealed anew. Called once, before logins are taken; every node of one
    /// database needs the same key.
    pub async fn use_key(&self, key: [u8; 32]) -> Result<()> {
        // Who calls it twice keeps the first.
        let _ = self.inner.outside_key.set(key);
        let (keys, entropy) = (self.totp_keys().await?, self.inner.deps.entropy.clone());
        self.note(move |tx| {
            let one = |row: &Row<'_>| Ok((AccountId::from_sql(row.int(0)?), row.blob(1)?));
            for (account, kept) in tx.query("SELECT account, secret FROM dir_totp", &[], one)? {
                let Ok(secret) = sealed::open(&keys.before, place(account), &kept) else { continue };
                let kept = sealed::seal(&keys.now, place(account), &secret, &entropy)?;
                let sql = "UPDATE dir_totp SET secret = ?2 WHERE account = ?1";
                tx.execute(sql, params![account.to_sql(), &kept])?;
            }
            Ok(())
        })
        .await
    }

    async fn totp_keys(&self) -> Result<TotpKeys> {
        let before = self.secrets().await?.second;
        let outside = self.inner.outside_key.get();
        Ok(TotpKeys { now: outside.map_or(before, |key| *blake3::keyed_hash(key, &before).as_bytes()), before })
    }

    pub(crate) fn new_codes(&self) -> Vec<String> {
        let one = |_| {
            let token = self.inner.deps.entropy.token(RECOVERY_CODE);
            format!("{}-{}-{}", &token[..4], &token[4..8], &token[8..])
        };
        (0..RECOVERY_CODES).map(one).collect()
    }
}

impl Credentials {
    /// The step that a login page asks for next because of the second factor, unless one was shown.
    pub(crate) fn asks_second(&self, shown: bool) -> bool {
        self.second.is_asked() && !shown
    }
}

/// What a login has to know.
pub(crate) fn of_account(tx: &mut Tx<'_>, account: AccountId, address: &str, domain: &str) -> Result<Second> {
    let sql = "SELECT COUNT(*) FROM dir_second_required WHERE scope IN (?1, ?2, '*')";
    let required = tx.query_one(sql, params![address, domain], |row| row.int(0))?.unwrap_or(0) > 0;
    Ok(Second { factors: Factors::of(tx, account)?, required })
}

/// Forgets an account's second factors.
pub(crate) fn forget(tx: &mut Tx<'_>, account: AccountId) -> Result<bool> {
    tx.execute("DELETE FROM dir_recovery WHERE account = ?1", params![account.to_sql()])?;
    let passkeys = tx.execute("DELETE FROM dir_passkeys WHERE account = ?1", params![account.to_sql()])?;
    let totp = tx.execute("DELETE FROM dir_totp WHERE account = ?1", params![account.to_sql()])?;
    Ok(passkeys + totp > 0)
}

/// The secret and the last step that was used.
fn secret_of(tx: &mut Tx<'_>, keys: &TotpKeys, account: AccountId, confirmed: bool) -> Result<Option<(Vec<u8>, i64)>> {
    let sql = "SELECT secret, last_step FROM dir_totp WHERE account = ?1 AND confirmed = ?2";
    let found = tx.query_one(sql, params![account.to_sql(), confirmed], |row| Ok((row.blob(0)?, row.int(1)?)))?;
    found.map(|(kept, last)| Ok((keys.open(account, &kept)?, last))).transpose()
}

pub(crate) fn put_recovery(tx: &mut Tx<'_>, account: AccountId, hashes: &[[u8; 32]]) -> Result<()> {
    tx.execute("DELETE FROM dir_recovery WHERE account = ?1", params![account.to_sql()])?;
    for hash in hashes {
        let sql = "INSERT INTO dir_recovery (account, hash) VALUES (?1, ?2)";
        one(tx.execute(sql, params![account.to_sql(), &hash[..]])?, no_account)?;
    }
    Ok(())
}

/// Blanks, dashes and case do not count.
pub(crate) fn recovery_hash(key: &[u8; 32], code: &str) -> [u8; 32] {
    let bare: String = code
        .chars()
        .take(RECOVERY_CODE * 3)
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    *blake3::keyed_hash(key, bare.as_bytes()).as_bytes()
}

fn scope_key(scope: &str) -> Result<String> {
    if scope == "*" {
        return Ok(scope.to_owned());
    }
    match scope.contains('@') {
        true => {
            let address = anser_base::Address::parse(scope);
            address
                .map(|address| names::key(&address))
                .ok_or_else(|| Error::invalid("that is no address", "邮箱地址无效"))
        }
        false => names::new_domain(scope),
    }
}

fn place(account: AccountId) -> String {
    format!("totp {}", account.0)
}

fn percent(byte: u8) -> String {
    let plain = byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte);
    if plain { char::from(byte).to_string() } else { format!("%{byte:02X}") }
}

pub(crate) fn wrong_code() -> Error {
    Error::invalid("the code is wrong", "验证码错误")
}

fn none_begun() -> Error {
    Error::not_found("no authenticator is set up", "尚未设置验证器")
}
