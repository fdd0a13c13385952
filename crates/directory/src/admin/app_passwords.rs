//! App passwords: random, shown once, each for one device or program.

use anser_base::{AccountId, Class, Error, Result, Timestamp};
use anser_db::{Tx, params};

use crate::admin::{no_account, one};
use crate::login::{APP_PASSWORD, app_hash};
use crate::model::{AppPassword, AppPasswordId, Services};
use crate::{Directory, names, rows};

/// App passwords of one account.
pub const APP_PASSWORDS: usize = 50;
/// Characters between two dashes of a shown app password.
const SHOWN_GROUP: usize = 7;

/// An app password that was just made.
#[derive(Clone)]
pub struct NewAppPassword {
    /// Its number.
    pub id: AppPasswordId,
    /// The password with dashes to read it by; logins may leave them out. Cannot be shown again.
    pub password: String,
}

impl std::fmt::Debug for NewAppPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewAppPassword").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Directory {
    /// Makes an app password that opens the given doors. `Class::Exists` when the account has one of that name, `Class::Limit`
    /// beyond [`APP_PASSWORDS`].
    pub async fn add_app_password(&self, account: AccountId, name: &str, services: Services) -> Result<NewAppPassword> {
        let name = names::display_name(name)?;
        let token = self.inner.deps.entropy.token(APP_PASSWORD);
        let key = self.secrets().await?.app_passwords;
        let hash = app_hash(&key, token.as_bytes()).ok_or_else(|| Error::unavailable("an app password's length"))?;
        let now = self.inner.deps.clock.now();
        let id = self.change(move |tx| add(tx, account, &name, hash.as_bytes(), services, now)).await?;
        Ok(NewAppPassword { id, password: shown(&token) })
    }

    /// The app passwords of an account, oldest first.
    pub async fn app_passwords(&self, account: AccountId) -> Result<Vec<AppPassword>> {
        let sql =
            "SELECT id, name, services, created_ms, used_ms FROM dir_app_passwords WHERE account = ?1 ORDER BY id";
        self.read(move |tx| {
            tx.query(sql, params![account.to_sql()], |row| {
                Ok(AppPassword {
                    id: AppPasswordId(row.int(0)? as u64),
                    name: row.text(1)?,
                    services: Services(row.int(2)? as u32),
                    created: Timestamp(row.int(3)?),
                    last_used: row.opt_int(4)?.map(Timestamp),
                })
            })
        })
        .await
    }

    /// Makes an app password worthless at once. `Class::NotFound` when the account has no such one.
    pub async fn revoke_app_password(&self, account: AccountId, id: AppPasswordId) -> Result<()> {
        let sql = "DELETE FROM dir_app_passwords WHERE account = ?1 AND id = ?2";
        let missing = || Error::not_found("there is no such app password", "没有这个应用专用密码");
        self.change(move |tx| one(tx.execute(sql, params![account.to_sql(), id.0 as i64])?, missing)).await
    }
}

fn add(
    tx: &mut Tx<'_>,
    account: AccountId,
    name: &str,
    hash: &[u8],
    services: Services,
    now: Timestamp,
) -> Result<AppPasswordId> {
    rows::account_by_id(tx, account)?.ok_or_else(no_account)?;
    let sql = "SELECT COUNT(*) FROM dir_app_passwords WHERE account = ?1";
    if tx.query_one(sql, params![account.to_sql()], |row| row.int(0))?.unwrap_or(0) >= APP_PASSWORDS as i64 {
        return Err(Error::new(
            Class::Limit,
            format!("an account has at most {APP_PASSWORDS} app passwords"),
            format!("一个账号最多 {APP_PASSWORDS} 个应用专用密码"),
        ));
    }
    let id = AppPasswordId(rows::count_up(tx, "app-password", 1)?);
    let changed = tx.execute(
        "INSERT INTO dir_app_passwords (id, account, name, hash, services, created_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO NOTHING",
        params![id.0 as i64, account.to_sql(), name, hash, services.0, now.0],
    )?;
    one(changed, || Error::exists("there is an app password of that name", "已有同名的应用专用密码"))?;
    Ok(id)
}

fn shown(token: &str) -> String {
    let characters: Vec<char> = token.chars().collect();
    characters.chunks(SHOWN_GROUP).map(|part| part.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}
