//! App passwords and tokens: random, shown once, each for one device or program.

use std::time::Duration;

use anser_base::{AccountId, Class, Error, Result, Timestamp};
use anser_db::{Tx, params};

use crate::admin::{no_account, one};
use crate::model::{AppPassword, AppPasswordId, AppPasswordKind, Services};
use crate::random::{APP_PASSWORD, TOKEN, TOKEN_PREFIX, app_hash, token_hash};
use crate::{Directory, names, rows};

/// App passwords of one account, and tokens of one account.
pub const APP_PASSWORDS: usize = 50;
/// Longest life that one can be made with; without a life it has no end.
pub const LONGEST_LIFE: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
/// Characters between two dashes of a shown app password.
const SHOWN_GROUP: usize = 7;

/// An app password or a token that was just made.
#[derive(Clone)]
pub struct NewAppPassword {
    /// Its number.
    pub id: AppPasswordId,
    /// The secret. An app password has dashes to read it by, which logins may leave out. Cannot be shown again.
    pub password: String,
}

impl std::fmt::Debug for NewAppPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewAppPassword").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What an app password or a token shall be.
struct Wanted {
    kind: AppPasswordKind,
    name: String,
    hash: blake3::Hash,
    services: Services,
    now: Timestamp,
    expires: Option<Timestamp>,
}

impl Directory {
    /// Makes an app password or a token that opens the given doors, for `life` or without an end. `Class::Exists` when the account
    /// has one of that name, `Class::Limit` beyond [`APP_PASSWORDS`] of its kind, `Class::Invalid` for a life beyond
    /// [`LONGEST_LIFE`].
    pub async fn add_app_password(
        &self,
        account: AccountId,
        kind: AppPasswordKind,
        name: &str,
        services: Services,
        life: Option<Duration>,
    ) -> Result<NewAppPassword> {
        if life.is_some_and(|life| life > LONGEST_LIFE) {
            return Err(Error::invalid("at most a hundred years", "最长一百年"));
        }
        let (key, entropy) = (self.secrets().await?.app_passwords, &self.inner.deps.entropy);
        let (password, hash) = match kind {
            AppPasswordKind::Typed => {
                let token = entropy.token(APP_PASSWORD);
                (shown(&token), app_hash(&key, token.as_bytes()))
            }
            AppPasswordKind::Bearer => {
                let token = format!("{TOKEN_PREFIX}{}", entropy.token(TOKEN));
                let hash = token_hash(&key, token.as_bytes());
                (token, Some(hash))
            }
        };
        let hash = hash.ok_or_else(|| Error::unavailable("an app password's length"))?;
        let now = self.inner.deps.clock.now();
        let expires = life.map(|life| now.after(life));
        let wanted = Wanted { kind, name: names::display_name(name)?, hash, services, now, expires };
        let id = self.change(move |tx| add(tx, account, &wanted)).await?;
        Ok(NewAppPassword { id, password })
    }

    /// The app passwords or the tokens of an account, oldest first.
    pub async fn app_passwords(&self, account: AccountId, kind: AppPasswordKind) -> Result<Vec<AppPassword>> {
        let sql = "SELECT id, name, services, created_ms, used_ms, expires_ms FROM dir_app_passwords
                   WHERE account = ?1 AND bearer = ?2 ORDER BY id";
        self.read(move |tx| {
            tx.query(sql, params![account.to_sql(), is_bearer(kind)], |row| {
                Ok(AppPassword {
                    id: AppPasswordId(row.int(0)? as u64),
                    name: row.text(1)?,
                    services: Services(row.int(2)? as u32),
                    created: Timestamp(row.int(3)?),
                    last_used: row.opt_int(4)?.map(Timestamp),
                    expires: row.opt_int(5)?.map(Timestamp),
                })
            })
        })
        .await
    }

    /// Makes an app password or a token worthless at once. `Class::NotFound` when the account has no such one.
    pub async fn revoke_app_password(
        &self,
        account: AccountId,
        kind: AppPasswordKind,
        id: AppPasswordId,
    ) -> Result<()> {
        let sql = "DELETE FROM dir_app_passwords WHERE account = ?1 AND id = ?2 AND bearer = ?3";
        let missing = move || match kind {
            AppPasswordKind::Typed => Error::not_found("there is no such app password", "没有这个应用专用密码"),
            AppPasswordKind::Bearer => Error::not_found("there is no such token", "没有这个令牌"),
        };
        self.change(move |tx| one(tx.execute(sql, params![account.to_sql(), id.0 as i64, is_bearer(kind)])?, missing))
            .await
    }
}

fn is_bearer(kind: AppPasswordKind) -> bool {
    kind == AppPasswordKind::Bearer
}

fn add(tx: &mut Tx<'_>, account: AccountId, wanted: &Wanted) -> Result<AppPasswordId> {
    let Wanted { kind, name, hash, services, now, expires } = wanted;
    let bearer = is_bearer(*kind);
    rows::account_by_id(tx, account)?.ok_or_else(no_account)?;
    let sql = "SELECT COUNT(*) FROM dir_app_passwords WHERE account = ?1 AND bearer = ?2";
    let count = tx.query_one(sql, params![account.to_sql(), bearer], |row| row.int(0))?;
    if count.unwrap_or(0) >= APP_PASSWORDS as i64 {
        return Err(Error::new(
            Class::Limit,
            format!("an account has at most {APP_PASSWORDS} of these"),
            format!("一个账号最多 {APP_PASSWORDS} 个"),
        ));
    }
    let id = AppPasswordId(rows::count_up(tx, "app-password", 1)?);
    let changed = tx.execute(
        "INSERT INTO dir_app_passwords (id, account, name, hash, services, created_ms, bearer, expires_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
        params![
            id.0 as i64,
            account.to_sql(),
            name,
            &hash.as_bytes()[..],
            services.0,
            now.0,
            bearer,
            expires.map(|at| at.0)
        ],
    )?;
    one(changed, || Error::exists("there is an app password or a token of that name", "已有同名的应用专用密码或令牌"))?;
    Ok(id)
}

fn shown(token: &str) -> String {
    let characters: Vec<char> = token.chars().collect();
    characters.chunks(SHOWN_GROUP).map(|part| part.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}
