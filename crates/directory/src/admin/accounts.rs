//! Accounts, one or many.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use anser_base::{AccountId, Address, Class, Error, Result, TenantId, Timestamp};
use anser_db::{Tx, Value, params};

use crate::admin::{self, PAGE, no_account, one};
use crate::model::{Account, AccountState, Domain, Locale, Role, Services};
use crate::password::{Secret, stored};
use crate::rows::Kind;
use crate::scram::ScramKeys;
use crate::scripts::{self, ScriptOwner};
use crate::zone::TimeZone;
use crate::{Directory, names, rows};

/// Accounts that one call of [`Directory::add_accounts`] takes.
pub const ACCOUNTS_AT_ONCE: usize = 20_000;
/// Longest POP3 option text, in bytes.
const POP3_OPTIONS: usize = 1000;

/// What shall open an account.
#[derive(Clone)]
pub enum Password {
    /// A password as its owner types it.
    Plain(Vec<u8>),
    /// A hash from another server, in a scheme of [`stored`]; replaced by ours at the first good login.
    Hashed(String),
    /// Made before with [`Directory::make_secret`]; to give many accounts the same one without hashing each time.
    Made(Secret),
    /// Nothing opens it until a password is set.
    None,
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

/// An account to be made.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// Its primary address, in a domain of ours.
    pub address: Address,
    /// The name shown beside the address; may be empty.
    pub name: String,
    /// What opens it.
    pub password: Password,
    /// Room for its mail in bytes; 0 is no limit.
    pub quota_bytes: u64,
    /// Its language.
    pub locale: Locale,
    /// Its service switches.
    pub services: Services,
    /// Its role.
    pub role: Role,
    /// Whether its owner must choose a new password first.
    pub must_change_password: bool,
    /// Whether it is nobody's own ([`Account::shared`]).
    pub shared: bool,
}

impl NewAccount {
    /// An account with all services, no quota and no role.
    pub fn new(address: Address, password: Password) -> Self {
        Self {
            address,
            name: String::new(),
            password,
            quota_bytes: 0,
            locale: Locale::default(),
            services: Services::ALL,
            role: Role::None,
            must_change_password: false,
            shared: false,
        }
    }
}

/// Which accounts to list; the default lists all.
#[derive(Clone, Debug, Default)]
pub struct AccountFilter {
    /// Only of this tenant.
    pub tenant: Option<TenantId>,
    /// Only of this domain.
    pub domain: Option<String>,
    /// Only in this state.
    pub state: Option<AccountState>,
    /// Only with this text in the address or the name.
    pub text: Option<String>,
    /// Where to go on: [`AccountPage::next`] of the page before.
    pub after: Option<String>,
    /// Accounts wanted; 0 and more than [`PAGE`] mean [`PAGE`].
    pub limit: usize,
}

/// One page of a listing, in order of address.
#[derive(Clone, Debug)]
pub struct AccountPage {
    /// The accounts.
    pub accounts: Vec<Account>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<String>,
}

/// A checked account with its hash.
struct Prepared {
    new: NewAccount,
    secret: Secret,
}

impl Directory {
    /// Adds an account. `Class::Exists` when the address is taken, also by a removed account that is not purged yet;
    /// `Class::NotFound` when the domain is not ours; `Class::Invalid` for an address, name, hash or password that cannot be.
    pub async fn add_account(&self, new: NewAccount) -> Result<AccountId> {
        let ids = self.add_accounts(vec![new]).await?;
        ids.into_iter().next().ok_or_else(|| Error::unavailable("no account was made"))
    }

    /// Adds up to [`ACCOUNTS_AT_ONCE`] accounts in one transaction: all or none. The ids come in the order given. A
    /// [`Password::Plain`] costs a hash each, tens of milliseconds; the other forms cost next to nothing.
    pub async fn add_accounts(&self, new: Vec<NewAccount>) -> Result<Vec<AccountId>> {
        if new.len() > ACCOUNTS_AT_ONCE {
            return Err(Error::new(
                Class::Limit,
                format!("at most {ACCOUNTS_AT_ONCE} accounts at a time"),
                format!("一次最多添加 {ACCOUNTS_AT_ONCE} 个账号"),
            ));
        }
        let mut prepared = Vec::with_capacity(new.len());
        for one in new {
            prepared.push(self.prepare(one).await?);
        }
        let now = self.inner.deps.clock.now();
        self.change(move |tx| add_accounts(tx, &prepared, now)).await
    }

    async fn prepare(&self, mut new: NewAccount) -> Result<Prepared> {
        new.address = names::new_address(&new.address)?;
        new.name = names::display_name(&new.name)?;
        quota(new.quota_bytes)?;
        let secret = self.secret(&new.password).await?;
        Ok(Prepared { new, secret })
    }

    async fn secret(&self, password: &Password) -> Result<Secret> {
        match password {
            Password::Plain(plain) => self.make_secret(plain).await,
            Password::Hashed(hash) if stored::is_known(hash) => {
                let hash = stored::for_keeping(hash, self.inner.deps.entropy.bytes());
                Ok(Secret { hash, scram: None })
            }
            Password::Hashed(_) => {
                Err(Error::invalid("this kind of password hash is not known", "不支持这种密码哈希格式"))
            }
            Password::Made(secret) => Ok(secret.clone()),
            Password::None => Ok(Secret { hash: String::new(), scram: None }),
        }
    }

    /// Hashes a password once, for [`Password::Made`].
    pub async fn make_secret(&self, password: &[u8]) -> Result<Secret> {
        self.inner.hasher.make(password).await
    }

    /// An account by its primary address, in whatever state.
    pub async fn account_by_address(&self, address: &Address) -> Result<Option<Arc<Account>>> {
        let key = names::key(address);
        Ok(self.read(move |tx| rows::account_by_address(tx, &key)).await?.map(Arc::new))
    }

    /// Lists accounts page by page, in order of address.
    pub async fn accounts(&self, filter: AccountFilter) -> Result<AccountPage> {
        self.read(move |tx| page(tx, &filter)).await
    }

    /// How many accounts there are that are not removed.
    pub async fn account_count(&self) -> Result<u64> {
        let sql = "SELECT COUNT(*) FROM dir_accounts WHERE state <> ?1";
        let removed = AccountState::Removed.to_sql();
        let count = self.read(move |tx| tx.query_one(sql, params![removed], |row| row.int(0))).await?;
        Ok(count.unwrap_or(0) as u64)
    }

    /// Sets a new password. Sessions of our own pages end; connections of programs stay, and their new logins need the new one. App
    /// passwords stay.
    pub async fn set_password(&self, id: AccountId, password: &Password, must_change: bool) -> Result<()> {
        let Secret { hash, scram } = self.secret(password).await?;
        let scram = scram.map(|keys| keys.to_bytes());
        let sql = "UPDATE dir_accounts SET hash = ?2, scram = ?3, must_change = ?4, credential = credential + 1
                   WHERE id = ?1";
        self.change(move |tx| {
            one(tx.execute(sql, params![id.to_sql(), &hash, scram.as_ref(), must_change])?, no_account)
        })
        .await
    }

    /// Sets whether the owner must choose a new password before anything else; [`Self::set_password`] sets it too.
    pub async fn set_must_change(&self, id: AccountId, must: bool) -> Result<()> {
        self.set(id, "UPDATE dir_accounts SET must_change = ?2 WHERE id = ?1", Owned::Int(must.into())).await
    }

    /// Sets the display name.
    pub async fn set_name(&self, id: AccountId, name: &str) -> Result<()> {
        let name = names::display_name(name)?;
        self.set(id, "UPDATE dir_accounts SET name = ?2 WHERE id = ?1", Owned::Text(name)).await
    }

    /// Sets the quota in bytes; 0 is no limit.
    pub async fn set_quota(&self, id: AccountId, bytes: u64) -> Result<()> {
        let bytes = quota(bytes)?;
        self.set(id, "UPDATE dir_accounts SET quota_bytes = ?2 WHERE id = ?1", Owned::Int(bytes)).await
    }

    /// Sets the language.
    pub async fn set_locale(&self, id: AccountId, locale: Locale) -> Result<()> {
        let locale = Owned::Text(locale.as_str().to_owned());
        self.set(id, "UPDATE dir_accounts SET locale = ?2 WHERE id = ?1", locale).await
    }

    /// Sets the time zone; `None` is the one of the language.
    pub async fn set_time_zone(&self, id: AccountId, zone: Option<&TimeZone>) -> Result<()> {
        let name = zone.map(|zone| zone.name().to_owned());
        let sql = "UPDATE dir_accounts SET time_zone = ?2 WHERE id = ?1";
        self.change(move |tx| one(tx.execute(sql, params![id.to_sql(), name.as_deref()])?, no_account)).await
    }

    /// Sets the service switches.
    pub async fn set_services(&self, id: AccountId, services: Services) -> Result<()> {
        let services = Owned::Int(services.0.into());
        self.set(id, "UPDATE dir_accounts SET services = ?2 WHERE id = ?1", services).await
    }

    /// Sets the role.
    pub async fn set_role(&self, id: AccountId, role: Role) -> Result<()> {
        let role = Owned::Text(role.as_str().to_owned());
        self.set(id, "UPDATE dir_accounts SET role = ?2, credential = credential + 1 WHERE id = ?1", role).await
    }

    /// Sets the POP3 options, up to 1000 bytes that only `pop3` reads.
    pub async fn set_pop3_options(&self, id: AccountId, options: &str) -> Result<()> {
        if options.len() > POP3_OPTIONS || options.contains('\0') {
            return Err(Error::invalid("these POP3 options are too long", "POP3 选项过长"));
        }
        let options = Owned::Text(options.to_owned());
        self.set(id, "UPDATE dir_accounts SET pop3 = ?2 WHERE id = ?1", options).await
    }

    async fn set(&self, id: AccountId, sql: &'static str, value: Owned) -> Result<()> {
        self.change(move |tx| one(tx.execute(sql, &[id.to_sql().into(), value.borrow()])?, no_account)).await
    }

    /// Suspends an active account. `Class::Conflict` for a removed one.
    pub async fn suspend(&self, id: AccountId) -> Result<()> {
        self.set_state(id, AccountState::Suspended).await
    }

    /// Makes a suspended or removed account active again.
    pub async fn restore(&self, id: AccountId) -> Result<()> {
        self.set_state(id, AccountState::Active).await
    }

    /// Removes an account; until it is purged it can be restored, and its addresses stay taken.
    pub async fn remove(&self, id: AccountId) -> Result<()> {
        self.set_state(id, AccountState::Removed).await
    }

    async fn set_state(&self, id: AccountId, to: AccountState) -> Result<()> {
        let now = self.inner.deps.clock.now();
        self.change(move |tx| set_state(tx, id, to, now)).await
    }

    /// Forgets a removed account and frees its addresses. Its mail is the caller's to delete. `Class::Conflict` when it was not
    /// removed before.
    pub async fn purge(&self, id: AccountId) -> Result<()> {
        self.change(move |tx| purge(tx, id)).await
    }
}

/// A value that outlives the call, for a closure that may run twice.
enum Owned {
    Int(i64),
    Text(String),
}

impl Owned {
    fn borrow(&self) -> Value<'_> {
        match self {
            Self::Int(number) => Value::Int(*number),
            Self::Text(text) => Value::Text(text),
        }
    }
}

pub(super) fn quota(bytes: u64) -> Result<i64> {
    i64::try_from(bytes).map_err(|_| Error::invalid("this quota is too large", "配额过大"))
}

fn add_accounts(tx: &mut Tx<'_>, all: &[Prepared], now: Timestamp) -> Result<Vec<AccountId>> {
    let mut domains: HashMap<String, Domain> = HashMap::new();
    let last = rows::count_up(tx, "account", all.len())?;
    let first = last + 1 - all.len() as u64;
    let mut ids = Vec::with_capacity(all.len());
    for (one, id) in all.iter().zip(first..) {
        let name = one.new.address.domain();
        if !domains.contains_key(name) {
            domains.insert(name.to_owned(), admin::domain_for(tx, &one.new.address)?);
        }
        add(tx, one, &domains[name], AccountId(id), now)?;
        ids.push(AccountId(id));
    }
    Ok(ids)
}

fn add(tx: &mut Tx<'_>, one: &Prepared, domain: &Domain, id: AccountId, now: Timestamp) -> Result<()> {
    let Prepared { new, secret } = one;
    insert(tx, new, AccountState::Active, (&secret.hash, secret.scram.as_ref()), domain, id, now)
}

/// The row of a new account, and its claim to the address. The hash is empty where no password opens it.
pub(super) fn insert(
    tx: &mut Tx<'_>,
    new: &NewAccount,
    state: AccountState,
    (hash, scram): (&str, Option<&ScramKeys>),
    domain: &Domain,
    id: AccountId,
    now: Timestamp,
) -> Result<()> {
    admin::claim(tx, &new.address, domain.id, Kind::Primary, id.0, None)?;
    tx.execute(
        "INSERT INTO dir_accounts (id, tenant, domain, address, name, state, quota_bytes, locale, services, role,
           must_change, pop3, created_ms, hash, scram, credential, shared)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, '', ?12, ?13, ?14, 1, ?15)",
        params![
            id.to_sql(),
            domain.tenant.to_sql(),
            domain.id.to_sql(),
            &new.address.to_string(),
            &new.name,
            state.to_sql(),
            new.quota_bytes as i64,
            new.locale.as_str(),
            new.services.0,
            new.role.as_str(),
            new.must_change_password,
            now.0,
            hash,
            scram.map(|keys| keys.to_bytes()).as_ref(),
            new.shared,
        ],
    )?;
    Ok(())
}

fn page(tx: &mut Tx<'_>, filter: &AccountFilter) -> Result<AccountPage> {
    let limit = if (1..=PAGE).contains(&filter.limit) { filter.limit } else { PAGE };
    let domain = match &filter.domain {
        Some(name) => {
            let found = rows::domain_by_name(tx, &names::domain_key(name))?;
            Some(found.ok_or_else(admin::no_domain)?.id.to_sql())
        }
        None => None,
    };
    let sql = concat!(
        "SELECT ",
        rows::account_columns!(),
        " FROM dir_accounts a WHERE a.address > ?1 AND (a.tenant = ?2 OR ?2 = 0) AND (a.domain = ?3 OR ?3 = 0)
          AND (a.state = ?4 OR ?4 = 0) AND (a.address LIKE ?5 ESCAPE '\\' OR LOWER(a.name) LIKE ?5 ESCAPE '\\' OR ?5 = '')
          ORDER BY a.address LIMIT ?6"
    );
    let text = filter.text.as_deref().filter(|text| !text.is_empty()).map(|text| admin::like(&names::local_key(text)));
    let after = names::local_key(filter.after.as_deref().unwrap_or(""));
    let params = params![
        &after,
        filter.tenant.map_or(0, TenantId::to_sql),
        domain.unwrap_or(0),
        filter.state.map_or(0, AccountState::to_sql),
        text.as_deref().unwrap_or(""),
        limit as i64 + 1,
    ];
    let mut accounts = tx.query(sql, params, rows::account)?;
    let more = accounts.len() > limit;
    accounts.truncate(limit);
    let next = accounts.last().filter(|_| more).map(|last| last.address.to_string());
    Ok(AccountPage { accounts, next })
}

pub(super) fn set_state(tx: &mut Tx<'_>, id: AccountId, to: AccountState, now: Timestamp) -> Result<()> {
    let account = rows::account_by_id(tx, id)?.ok_or_else(no_account)?;
    if account.state == AccountState::Removed && to == AccountState::Suspended {
        return Err(Error::new(Class::Conflict, "restore the account first", "请先恢复该账号"));
    }
    let removed = (to == AccountState::Removed).then_some(account.removed.unwrap_or(now).0);
    let sql = "UPDATE dir_accounts SET state = ?2, removed_ms = ?3, credential = credential + 1 WHERE id = ?1";
    tx.execute(sql, params![id.to_sql(), to.to_sql(), removed]).map(|_| ())
}

fn purge(tx: &mut Tx<'_>, id: AccountId) -> Result<()> {
    let account = rows::account_by_id(tx, id)?.ok_or_else(no_account)?;
    if account.state != AccountState::Removed {
        return Err(Error::new(Class::Conflict, "remove the account before it is purged", "请先删除账号再彻底清除"));
    }
    crate::sending::forget(tx, id)?;
    crate::second::forget(tx, id)?;
    crate::used::forget(tx, id)?;
    let (primary, alias) = (Kind::Primary.to_sql(), Kind::Alias.to_sql());
    let mine = "SELECT address FROM dir_addresses WHERE target = ?1 AND kind IN (?2, ?3)";
    for table in ["dir_members WHERE member", "dir_grants WHERE address"] {
        let sql = format!("DELETE FROM {table} IN ({mine})");
        tx.execute(&sql, params![id.to_sql(), primary, alias])?;
    }
    for column in ["catch_all", "postmaster"] {
        let sql = format!("UPDATE dir_domains SET {column} = NULL WHERE {column} IN ({mine})");
        tx.execute(&sql, params![id.to_sql(), primary, alias])?;
    }
    let addresses = "DELETE FROM dir_addresses WHERE target = ?1 AND kind IN (?2, ?3)";
    tx.execute(addresses, params![id.to_sql(), primary, alias])?;
    for sql in [
        "DELETE FROM dir_grants WHERE account = ?1",
        "DELETE FROM dir_app_passwords WHERE account = ?1",
        "DELETE FROM dir_sessions WHERE account = ?1",
        "DELETE FROM dir_oauth_grants WHERE account = ?1",
        "DELETE FROM dir_oauth_devices WHERE account = ?1",
        "DELETE FROM dir_places WHERE account = ?1",
        "DELETE FROM dir_shares WHERE owner = ?1",
        "DELETE FROM dir_profiles WHERE account = ?1",
        "DELETE FROM dir_jobs WHERE account = ?1",
        "DELETE FROM dir_provider_links WHERE account = ?1",
        "DELETE FROM dir_push WHERE account = ?1",
        "DELETE FROM dir_accounts WHERE id = ?1",
    ] {
        tx.execute(sql, params![id.to_sql()])?;
    }
    scripts::forget(tx, ScriptOwner::Account(id))
}
