//! Rows that more than one module reads.

use anser_base::{AccountId, Address, DomainId, Error, Result, TenantId, Timestamp};
use anser_db::{Row, Tx, params};

use crate::model::{Account, AccountState, Domain, Locale, Role, Services};
use crate::zone::TimeZone;

/// What an address in `dir_addresses` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The primary address of the account `target`.
    Primary,
    /// Another address of the account `target`.
    Alias,
    /// Leads to the outside address in `forward`.
    Forward,
    /// The address of the group `target`.
    Group,
}

impl Kind {
    pub fn to_sql(self) -> i64 {
        match self {
            Self::Primary => 1,
            Self::Alias => 2,
            Self::Forward => 3,
            Self::Group => 4,
        }
    }

    pub fn from_sql(value: i64) -> Result<Self> {
        [Self::Primary, Self::Alias, Self::Forward, Self::Group]
            .into_iter()
            .find(|kind| kind.to_sql() == value)
            .ok_or_else(|| Error::damaged(format!("address kind {value}")))
    }
}

/// A row of `dir_addresses`.
pub(crate) struct AddressRow {
    pub kind: Kind,
    pub target: i64,
    pub forward: Option<String>,
}

pub(crate) fn address(tx: &mut Tx<'_>, key: &str) -> Result<Option<AddressRow>> {
    tx.query_one("SELECT kind, target, forward FROM dir_addresses WHERE address = ?1", params![key], |row| {
        Ok(AddressRow { kind: Kind::from_sql(row.int(0)?)?, target: row.int(1)?, forward: row.opt_text(2)? })
    })
}

/// The primary address and the aliases of an account.
pub(crate) fn addresses_of(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<String>> {
    let sql = "SELECT address FROM dir_addresses WHERE target = ?1 AND kind IN (?2, ?3) ORDER BY kind, address";
    tx.query(sql, params![account.to_sql(), Kind::Primary.to_sql(), Kind::Alias.to_sql()], |row| row.text(0))
}

/// Counts a counter up and returns its new value.
pub(crate) fn count_up(tx: &mut Tx<'_>, name: &str, by: usize) -> Result<u64> {
    let by = i64::try_from(by).unwrap_or(i64::MAX);
    let sql = "UPDATE dir_counters SET value = value + ?2 WHERE name = ?1 RETURNING value";
    let value = tx.query_one(sql, params![name, by], |row| row.int(0))?;
    value.map(|value| value as u64).ok_or_else(|| Error::damaged(format!("the counter {name}")))
}

pub(crate) fn counter(tx: &mut Tx<'_>, name: &str) -> Result<u64> {
    let value = tx.query_one("SELECT value FROM dir_counters WHERE name = ?1", params![name], |row| row.int(0))?;
    value.map(|value| value as u64).ok_or_else(|| Error::damaged(format!("the counter {name}")))
}

/// The columns that [`account`] reads, of a table called `a`.
macro_rules! account_columns {
    () => {
        "a.id, a.tenant, a.domain, a.address, a.name, a.state, a.quota_bytes, a.locale, a.services, a.role, \
         a.must_change, a.pop3, a.created_ms, a.removed_ms, a.shared, a.time_zone"
    };
}
pub(crate) use account_columns;
/// How many columns [`account_columns`] names.
pub(crate) const ACCOUNT_COLUMNS: usize = 16;

pub(crate) fn account(row: &Row<'_>) -> Result<Account> {
    Ok(Account {
        id: AccountId::from_sql(row.int(0)?),
        tenant: TenantId::from_sql(row.int(1)?),
        domain: DomainId::from_sql(row.int(2)?),
        address: stored_address(&row.text(3)?)?,
        name: row.text(4)?,
        state: AccountState::from_sql(row.int(5)?),
        quota_bytes: row.int(6)? as u64,
        locale: Locale::from_text(&row.text(7)?),
        services: Services(row.int(8)? as u32),
        role: Role::from_text(&row.text(9)?).unwrap_or_default(),
        must_change_password: row.bool(10)?,
        pop3_options: row.text(11)?,
        created: Timestamp(row.int(12)?),
        removed: row.opt_int(13)?.map(Timestamp),
        shared: row.bool(14)?,
        time_zone: row.opt_text(15)?.as_deref().and_then(TimeZone::named),
    })
}

pub(crate) fn account_by_id(tx: &mut Tx<'_>, id: AccountId) -> Result<Option<Account>> {
    let sql = concat!("SELECT ", account_columns!(), " FROM dir_accounts a WHERE a.id = ?1");
    tx.query_one(sql, params![id.to_sql()], account)
}

pub(crate) fn account_by_address(tx: &mut Tx<'_>, key: &str) -> Result<Option<Account>> {
    let sql = concat!("SELECT ", account_columns!(), " FROM dir_accounts a WHERE a.address = ?1");
    tx.query_one(sql, params![key], account)
}

const DOMAIN_COLUMNS: &str = "SELECT id, tenant, name, disabled, alias_of, catch_all, postmaster FROM dir_domains";

pub(crate) fn domain(row: &Row<'_>) -> Result<Domain> {
    let address = |text: Option<String>| text.map(|text| stored_address(&text)).transpose();
    Ok(Domain {
        id: DomainId::from_sql(row.int(0)?),
        tenant: TenantId::from_sql(row.int(1)?),
        name: row.text(2)?,
        disabled: row.bool(3)?,
        alias_of: row.opt_int(4)?.map(DomainId::from_sql),
        catch_all: address(row.opt_text(5)?)?,
        postmaster: address(row.opt_text(6)?)?,
    })
}

pub(crate) fn domain_by_name(tx: &mut Tx<'_>, name: &str) -> Result<Option<Domain>> {
    tx.query_one(&format!("{DOMAIN_COLUMNS} WHERE name = ?1"), params![name], domain)
}

pub(crate) fn domain_by_id(tx: &mut Tx<'_>, id: DomainId) -> Result<Option<Domain>> {
    tx.query_one(&format!("{DOMAIN_COLUMNS} WHERE id = ?1"), params![id.to_sql()], domain)
}

pub(crate) fn all_domains(tx: &mut Tx<'_>) -> Result<Vec<Domain>> {
    tx.query(&format!("{DOMAIN_COLUMNS} ORDER BY name"), &[], domain)
}

/// The domain that a name leads to, an alias of a domain followed to what it repeats.
pub(crate) fn domain_followed(tx: &mut Tx<'_>, name: &str) -> Result<Option<Domain>> {
    let Some(found) = domain_by_name(tx, name)? else { return Ok(None) };
    match found.alias_of {
        Some(target) if !found.disabled => domain_by_id(tx, target),
        _ => Ok(Some(found)),
    }
}

/// The name of the domain in which bare local parts are sought: the chosen one, else the oldest.
pub(crate) fn default_domain(tx: &mut Tx<'_>) -> Result<Option<Domain>> {
    let chosen = tx.query_one(
        "SELECT d.name FROM dir_settings s JOIN dir_domains d ON d.name = s.value WHERE s.name = 'default-domain'",
        &[],
        |row| row.text(0),
    )?;
    let name = match chosen {
        Some(name) => Some(name),
        None => tx.query_one(
            "SELECT name FROM dir_domains WHERE alias_of IS NULL AND disabled = 0 ORDER BY id LIMIT 1",
            &[],
            |row| row.text(0),
        )?,
    };
    name.map_or(Ok(None), |name| domain_by_name(tx, &name))
}

/// An address as the directory wrote it.
pub(crate) fn stored_address(text: &str) -> Result<Address> {
    Address::parse(text).ok_or_else(|| Error::damaged(format!("stored address {text:?}")))
}
