//! App passwords and bearer tokens as a login sees them: random secrets of which only a keyed hash is stored.

use anser_base::{AccountId, Error, Result, Timestamp};
use anser_db::{Tx, params};
use unicode_normalization::UnicodeNormalization;

use crate::model::{AppPasswordId, AppPasswordKind, Services};
use crate::used::OF_THE_HOUSE;

/// Length of an app password in characters of 5 bits, without its dashes: 130 bits.
pub(crate) const APP_PASSWORD: usize = 26;
/// Length of a token's random part in characters of 5 bits: 260 bits.
pub(crate) const TOKEN: usize = 52;
/// What every token begins with, so that programs that look for secrets in published files know it.
pub(crate) const TOKEN_PREFIX: &str = "anser_";

/// One app password or token of an account.
#[derive(Debug)]
pub(crate) struct Random {
    pub id: AppPasswordId,
    pub kind: AppPasswordKind,
    pub hash: blake3::Hash,
    pub services: Services,
    pub used: Option<Timestamp>,
    pub expires: Option<Timestamp>,
    /// Made by the house for itself.
    pub is_of_the_house: bool,
}

impl Random {
    /// Whether it opens anything at a moment.
    pub fn is_alive(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|at| now < at)
    }
}

/// The stored form of an app password: fast, because 130 random bits need no slow hash. Blanks and dashes do not count.
pub(crate) fn app_hash(key: &[u8; 32], password: &[u8]) -> Option<blake3::Hash> {
    let text: String = str::from_utf8(password).ok()?.nfkc().take(APP_PASSWORD * 3).collect();
    let bare: String =
        text.chars().filter(|c| !c.is_whitespace() && *c != '-').map(|c| c.to_ascii_lowercase()).collect();
    (bare.len() == APP_PASSWORD).then(|| blake3::keyed_hash(key, bare.as_bytes()))
}

/// The stored form of a token.
pub(crate) fn token_hash(key: &[u8; 32], token: &[u8]) -> blake3::Hash {
    blake3::keyed_hash(key, token)
}

/// All of an account.
pub(crate) fn of_account(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<Random>> {
    let sql = "SELECT id, bearer, hash, services, used_ms, expires_ms, name FROM dir_app_passwords WHERE account = ?1";
    tx.query(sql, params![account.to_sql()], |row| {
        let hash: [u8; 32] = row.blob(2)?.try_into().map_err(|_| Error::damaged("an app password's hash"))?;
        Ok(Random {
            id: AppPasswordId(row.int(0)? as u64),
            kind: if row.bool(1)? { AppPasswordKind::Bearer } else { AppPasswordKind::Typed },
            hash: hash.into(),
            services: Services(row.int(3)? as u32),
            used: row.opt_int(4)?.map(Timestamp),
            expires: row.opt_int(5)?.map(Timestamp),
            is_of_the_house: row.text(6)?.starts_with(OF_THE_HOUSE),
        })
    })
}

/// The address of the account whose token has this hash.
pub(crate) fn owner_of_token(tx: &mut Tx<'_>, hash: &blake3::Hash) -> Result<Option<String>> {
    let sql = "SELECT a.address FROM dir_app_passwords p JOIN dir_accounts a ON a.id = p.account
               WHERE p.hash = ?1 AND p.bearer = ?2";
    tx.query_one(sql, params![&hash.as_bytes()[..], true], |row| row.text(0))
}
