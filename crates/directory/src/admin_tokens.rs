//! Tokens that administrative acts are done by from afar (RFC 6750): made at the server itself, for what they are needed for and no
//! longer than that. They are nobody's: no account, no password and no session opens what they do, and they open nothing else.
//!
//! Of a token only a keyed hash is stored. Wrong ones are counted by the guard of all doors, and whatever is wrong with one is answered alike.

use std::net::IpAddr;
use std::time::Duration;

use anser_base::{Class, Error, Result, Timestamp, words};
use anser_db::{Row, Tx, params};

use crate::admin::one;
use crate::random::{TOKEN, TOKEN_PREFIX, token_hash};
use crate::refusal::{AuthFailure, Refusal};
use crate::{Directory, names};

/// Tokens of the house.
pub const TOKENS: usize = 50;
/// Longest life that one can be made with.
pub const LONGEST_LIFE: Duration = Duration::from_secs(366 * 24 * 3600);
/// Longest name of a move, in bytes.
const MOVE: usize = 200;
/// How often it is written down that one was used.
const SEEN_EVERY: Duration = Duration::from_secs(5 * 60);

words! {
    /// What a token opens.
    pub enum AdminScope {
        /// Acts that look at moves.
        MovesRead = "moves:read",
        /// Acts that do something to moves; what looks at them too.
        MovesWrite = "moves:write",
    }
}

/// A token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminToken {
    /// Its name, by which the journal knows who acts.
    pub name: String,
    /// What it opens.
    pub scopes: Vec<AdminScope>,
    /// The only move that it opens, by its name; `None` for all.
    pub of_move: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// When it was last used, to a few minutes.
    pub last_used: Option<Timestamp>,
    hash: blake3::Hash,
}

impl AdminToken {
    /// Whether it opens what has this scope.
    pub fn opens(&self, scope: AdminScope) -> bool {
        self.scopes.contains(&scope)
            || (scope == AdminScope::MovesRead && self.scopes.contains(&AdminScope::MovesWrite))
    }

    /// Whether it opens this move.
    pub fn opens_move(&self, name: &str) -> bool {
        self.of_move.as_deref().is_none_or(|only| only == name)
    }
}

impl Directory {
    /// Makes a token, for one move or for all; it is shown this once. `Class::Exists` when there is one of that name, `Class::Limit` beyond
    /// [`TOKENS`], `Class::Invalid` without a name or a scope, or for a life beyond [`LONGEST_LIFE`].
    pub async fn add_admin_token(
        &self,
        name: &str,
        scopes: &[AdminScope],
        of_move: Option<&str>,
        life: Duration,
    ) -> Result<String> {
        let (name, of_move) = (names::display_name(name)?, of_move.map(|of| of.trim().to_owned()));
        if of_move.as_ref().is_some_and(|of| of.is_empty() || of.len() > MOVE || of.contains(char::is_control)) {
            return Err(Error::invalid("a move has a name", "迁移项目需要名称"));
        }
        if name.is_empty() || scopes.is_empty() || life.is_zero() || life > LONGEST_LIFE {
            return Err(Error::invalid(
                "a token has a name, a scope, and an end within a year",
                "令牌需要名称、权限范围和一年以内的有效期",
            ));
        }
        let token = format!("{TOKEN_PREFIX}{}", self.inner.deps.entropy.token(TOKEN));
        let hash = self.admin_hash(token.as_bytes()).await?;
        let now = self.inner.deps.clock.now();
        let words: Vec<&str> = scopes.iter().map(|scope| scope.word()).collect();
        let (words, expires) = (words.join(" "), now.after(life));
        self.change(move |tx| {
            let count = tx.query_one("SELECT COUNT(*) FROM dir_admin_tokens", &[], |row| row.int(0))?;
            if count.unwrap_or(0) >= TOKENS as i64 {
                let (en, zh) = (format!("at most {TOKENS} tokens"), format!("最多 {TOKENS} 个令牌"));
                return Err(Error::new(Class::Limit, en, zh));
            }
            let sql = "INSERT INTO dir_admin_tokens (name, hash, scopes, created_ms, expires_ms, move)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";
            let of_move = of_move.as_deref();
            let added = tx.execute(sql, params![&name, &hash.as_bytes()[..], &words, now.0, expires.0, of_move])?;
            one(added, || Error::exists("there is a token of that name", "已有同名令牌"))
        })
        .await?;
        Ok(token)
    }

    /// All tokens by name, those too that are over.
    pub async fn admin_tokens(&self) -> Result<Vec<AdminToken>> {
        self.read(all).await
    }

    /// Makes a token worthless at once. `Class::NotFound` when there is none of that name.
    pub async fn revoke_admin_token(&self, name: &str) -> Result<()> {
        let name = name.to_owned();
        let missing = || Error::not_found("there is no such token", "没有这个令牌");
        let sql = "DELETE FROM dir_admin_tokens WHERE name = ?1";
        self.change(move |tx| one(tx.execute(sql, params![&name])?, missing)).await
    }

    /// The token that somebody shows. Its bearer waits [`AuthFailure::delay`] for a refusal.
    pub async fn authenticate_admin(&self, token: &[u8], source: IpAddr) -> Result<AdminToken, AuthFailure> {
        let hash = self.admin_hash(token).await?;
        // A name of its own for each, so that a program with an old token locks no other out; their network is counted all the same.
        let name = format!("admin token {}", &hash.to_hex()[..16]);
        self.admit_name(&name, source)?;
        let now = self.inner.deps.clock.now();
        let found = self.admin_tokens().await?.into_iter().find(|one| one.hash == hash && now < one.expires);
        let Some(found) = found else {
            let delay = self.name_failed(&name, source);
            tracing::info!(%source, "an administrative token was refused");
            let error = Error::new(Class::Unauthenticated, "this token opens nothing here", "该令牌无效");
            return Err(AuthFailure { reason: Refusal::Wrong, delay, error });
        };
        if found.last_used.is_none_or(|used| now.since(used) >= SEEN_EVERY) {
            let name = found.name.clone();
            let sql = "UPDATE dir_admin_tokens SET used_ms = ?2 WHERE name = ?1";
            self.note(move |tx| tx.execute(sql, params![&name, now.0])).await?;
        }
        Ok(found)
    }

    /// Whether a token that was shown before is still good; [`Self::watch`] tells when to ask.
    pub async fn is_good_admin_token(&self, token: &AdminToken) -> Result<bool> {
        let now = self.inner.deps.clock.now();
        let is_it = |one: &AdminToken| one.hash == token.hash && now < one.expires;
        Ok(self.admin_tokens().await?.iter().any(is_it))
    }

    async fn admin_hash(&self, token: &[u8]) -> Result<blake3::Hash> {
        Ok(token_hash(&self.secrets().await?.app_passwords, token))
    }
}

fn all(tx: &mut Tx<'_>) -> Result<Vec<AdminToken>> {
    let sql = "SELECT name, hash, scopes, created_ms, expires_ms, used_ms, move FROM dir_admin_tokens ORDER BY name";
    tx.query(sql, &[], |row: &Row<'_>| {
        let hash: [u8; 32] = row.blob(1)?.try_into().map_err(|_| Error::damaged("the hash of a token"))?;
        Ok(AdminToken {
            name: row.text(0)?,
            // Those of a newer program open nothing here.
            scopes: row.text(2)?.split(' ').filter_map(AdminScope::from_word).collect(),
            created: Timestamp(row.int(3)?),
            expires: Timestamp(row.int(4)?),
            last_used: row.opt_int(5)?.map(Timestamp),
            of_move: row.opt_text(6)?,
            hash: hash.into(),
        })
    })
}
