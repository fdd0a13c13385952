//! Where mail to an address goes, and who may write as it.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

use anser_base::{AccountId, Address, Result};
use anser_db::{Tx, params};

use crate::model::{Account, AccountState, Domain, GroupId, Role};
use crate::rows::{self, Kind};
use crate::{Directory, Inner, names};

/// Most recipients that a group expands to, over all nested groups.
pub const GROUP_RECIPIENTS: usize = 10_000;
/// How deep groups may be nested.
pub const GROUP_DEPTH: usize = 8;
/// The local part that every domain answers to (RFC 5321 §4.5.1).
const POSTMASTER: &str = "postmaster";

/// Where mail to an address goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Into an active account.
    Account(Arc<Account>),
    /// To everybody in a group.
    Group(Arc<Expansion>),
    /// On to an address elsewhere.
    Forward(Address),
    /// To an account that is suspended for now.
    Suspended(Arc<Account>),
    /// The domain is ours, the address nobody's.
    NoSuchUser,
    /// The domain is ours, but switched off.
    Disabled,
    /// The domain is not ours: relay, or refuse.
    NotLocal,
}

/// A group with everybody in it, each once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expansion {
    /// The group.
    pub id: GroupId,
    /// Its address.
    pub address: Address,
    /// The active accounts in it and in the groups within.
    pub accounts: Vec<Arc<Account>>,
    /// The addresses elsewhere.
    pub outside: Vec<Address>,
    /// Whether [`GROUP_RECIPIENTS`] or [`GROUP_DEPTH`] cut it short.
    pub truncated: bool,
}

impl Directory {
    /// Where mail to an address goes. Looks for the whole address first, then without its subaddress (RFC 5233), then for
    /// `postmaster`, then for the domain's catch-all. The subaddress is for the caller to use: `Address::detail`.
    pub async fn resolve(&self, address: &Address) -> Result<Resolution> {
        let stamp = self.stamp().await?;
        let key = names::key(address);
        if let Some(known) = self.inner.resolutions.get(stamp, &key) {
            return Ok(known);
        }
        let (inner, sought) = (self.inner.clone(), key.clone());
        let found = self.read(move |tx| resolve(tx, &inner, &sought)).await?;
        self.inner.resolutions.put(stamp, key, found.clone());
        Ok(found)
    }

    /// Where mail to `<postmaster>` without a domain goes (RFC 5321 §4.1.1.3).
    pub async fn resolve_postmaster(&self) -> Result<Resolution> {
        let inner = self.inner.clone();
        self.read(move |tx| match rows::default_domain(tx)? {
            Some(domain) => resolve(tx, &inner, &format!("{POSTMASTER}@{}", domain.name)),
            None => administrator(tx, None),
        })
        .await
    }

    /// Whether mail to a domain is ours to deliver, though it may be switched off.
    pub async fn is_local_domain(&self, domain: &str) -> Result<bool> {
        match Address::new(POSTMASTER, domain) {
            Some(address) => Ok(self.resolve(&address).await? != Resolution::NotLocal),
            None => Ok(false),
        }
    }

    /// Whether an account may write mail as an address (RFC 6409 §6.1): its own, one of its aliases, either with a subaddress,
    /// `postmaster@` when that leads to it, or one granted to it.
    pub async fn may_send_as(&self, account: AccountId, address: &Address) -> Result<bool> {
        let stamp = self.stamp().await?;
        let key = (account, names::key(address));
        if let Some(known) = self.inner.senders.get(stamp, &key) {
            return Ok(known);
        }
        let (inner, sought) = (self.inner.clone(), key.1.clone());
        let may = self.read(move |tx| may_send_as(tx, &inner, account, &sought)).await?;
        self.inner.senders.put(stamp, key, may);
        Ok(may)
    }
}

fn resolve(tx: &mut Tx<'_>, inner: &Inner, key: &str) -> Result<Resolution> {
    let Some((local, domain)) = key.rsplit_once('@') else { return Ok(Resolution::NotLocal) };
    let Some(domain) = own_domain(tx, inner, domain)? else {
        let ours = local == POSTMASTER && is_self(inner, domain);
        return if ours { administrator(tx, None) } else { Ok(Resolution::NotLocal) };
    };
    if domain.disabled {
        return Ok(Resolution::Disabled);
    }
    match find(tx, local, &domain.name)? {
        Some(row) => follow(tx, row),
        None if is_postmaster(local) => postmaster(tx, &domain),
        None => match &domain.catch_all {
            Some(address) => follow_address(tx, &names::key(address)),
            None => Ok(Resolution::NoSuchUser),
        },
    }
}

/// The domain of ours that a name or a domain literal means.
fn own_domain(tx: &mut Tx<'_>, inner: &Inner, domain: &str) -> Result<Option<Domain>> {
    if domain.starts_with('[') && is_self(inner, domain) {
        return rows::default_domain(tx);
    }
    rows::domain_followed(tx, domain)
}

/// Whether a name is this host's, or a domain literal (RFC 5321 §4.1.3) one of its addresses.
fn is_self(inner: &Inner, domain: &str) -> bool {
    let literal = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match literal {
        Some(text) => {
            let text = text.strip_prefix("ipv6:").unwrap_or(text);
            text.parse::<IpAddr>().is_ok_and(|address| inner.deps.literals.contains(&address))
        }
        None => domain == inner.hostname,
    }
}

fn is_postmaster(local: &str) -> bool {
    local.split('+').next() == Some(POSTMASTER)
}

/// The row of an address, or of the address without its subaddress.
fn find(tx: &mut Tx<'_>, local: &str, domain: &str) -> Result<Option<rows::AddressRow>> {
    if let Some(row) = rows::address(tx, &format!("{local}@{domain}"))? {
        return Ok(Some(row));
    }
    match local.split_once('+') {
        Some((user, _)) if !user.is_empty() => rows::address(tx, &format!("{user}@{domain}")),
        _ => Ok(None),
    }
}

fn follow(tx: &mut Tx<'_>, row: rows::AddressRow) -> Result<Resolution> {
    match row.kind {
        Kind::Primary | Kind::Alias => {
            let account = rows::account_by_id(tx, AccountId::from_sql(row.target))?;
            Ok(account.map_or(Resolution::NoSuchUser, of_account))
        }
        Kind::Forward => {
            let address = row.forward.as_deref().map(rows::stored_address).transpose()?;
            Ok(address.map_or(Resolution::NoSuchUser, Resolution::Forward))
        }
        Kind::Group => Expander::default().run(tx, GroupId(row.target as u64)),
    }
}

/// Like [`resolve`] for an address that the directory itself refers to: no subaddress, no catch-all, perhaps elsewhere.
fn follow_address(tx: &mut Tx<'_>, key: &str) -> Result<Resolution> {
    match rows::address(tx, key)? {
        Some(row) => follow(tx, row),
        None => Ok(Resolution::NoSuchUser),
    }
}

fn of_account(account: Account) -> Resolution {
    match account.state {
        AccountState::Active => Resolution::Account(Arc::new(account)),
        AccountState::Suspended => Resolution::Suspended(Arc::new(account)),
        AccountState::Removed => Resolution::NoSuchUser,
    }
}

fn postmaster(tx: &mut Tx<'_>, domain: &Domain) -> Result<Resolution> {
    if let Some(address) = &domain.postmaster {
        let found = follow_address(tx, &names::key(address))?;
        if found != Resolution::NoSuchUser {
            return Ok(found);
        }
    }
    administrator(tx, Some(domain))
}

/// The oldest active administrator, those of the domain's tenant first.
fn administrator(tx: &mut Tx<'_>, domain: Option<&Domain>) -> Result<Resolution> {
    let tenant = domain.map_or(0, |domain| domain.tenant.to_sql());
    let sql = concat!(
        "SELECT ",
        rows::account_columns!(),
        " FROM dir_accounts a WHERE a.role = ?1 AND a.state = ?2 ORDER BY CASE WHEN a.tenant = ?3 THEN 0 ELSE 1 END, a.id LIMIT 1"
    );
    let found =
        tx.query_one(sql, params![Role::System.as_str(), AccountState::Active.to_sql(), tenant], rows::account)?;
    Ok(found.map_or(Resolution::NoSuchUser, of_account))
}

/// Walks a group breadth first; what it met once it does not enter again, so that loops end.
#[derive(Default)]
struct Expander {
    met: HashSet<String>,
    accounts: Vec<Arc<Account>>,
    known: HashSet<AccountId>,
    outside: Vec<Address>,
    truncated: bool,
}

impl Expander {
    fn run(mut self, tx: &mut Tx<'_>, id: GroupId) -> Result<Resolution> {
        let sql = "SELECT address FROM dir_groups WHERE id = ?1";
        let Some(address) = tx.query_one(sql, params![id.0 as i64], |row| row.text(0))? else {
            return Ok(Resolution::NoSuchUser);
        };
        self.met.insert(address.clone());
        let mut level = vec![id];
        for _ in 0..GROUP_DEPTH {
            let mut next = Vec::new();
            for group in level {
                self.members(tx, group, &mut next)?;
            }
            level = next;
        }
        self.truncated |= !level.is_empty();
        let Self { accounts, outside, truncated, .. } = self;
        let address = rows::stored_address(&address)?;
        Ok(Resolution::Group(Arc::new(Expansion { id, address, accounts, outside, truncated })))
    }

    fn members(&mut self, tx: &mut Tx<'_>, group: GroupId, next: &mut Vec<GroupId>) -> Result<()> {
        let sql = "SELECT member FROM dir_members WHERE group_id = ?1 ORDER BY member";
        for member in tx.query(sql, params![group.0 as i64], |row| row.text(0))? {
            if self.accounts.len() + self.outside.len() >= GROUP_RECIPIENTS {
                self.truncated = true;
                return Ok(());
            }
            if self.met.insert(member.clone()) {
                self.member(tx, &member, next)?;
            }
        }
        Ok(())
    }

    fn member(&mut self, tx: &mut Tx<'_>, member: &str, next: &mut Vec<GroupId>) -> Result<()> {
        let address = rows::stored_address(member)?;
        match rows::address(tx, &names::key(&address))? {
            Some(row) if row.kind == Kind::Group => next.push(GroupId(row.target as u64)),
            Some(row) => match follow(tx, row)? {
                Resolution::Account(account) if self.known.insert(account.id) => self.accounts.push(account),
                Resolution::Forward(address) if self.met.insert(address.to_string()) => self.outside.push(address),
                _ => {}
            },
            None if rows::domain_by_name(tx, &names::domain_key(address.domain()))?.is_none() => {
                self.outside.push(address);
            }
            None => {}
        }
        Ok(())
    }
}

fn may_send_as(tx: &mut Tx<'_>, inner: &Inner, account: AccountId, key: &str) -> Result<bool> {
    let Some((local, domain)) = key.rsplit_once('@') else { return Ok(false) };
    let Some(domain) = own_domain(tx, inner, domain)? else { return granted(tx, account, key) };
    let owns = match find(tx, local, &domain.name)? {
        Some(row) => matches!(row.kind, Kind::Primary | Kind::Alias) && AccountId::from_sql(row.target) == account,
        None if is_postmaster(local) => {
            matches!(postmaster(tx, &domain)?, Resolution::Account(reader) if reader.id == account)
        }
        None => false,
    };
    Ok(owns || granted(tx, account, &format!("{local}@{}", domain.name))?)
}

fn granted(tx: &mut Tx<'_>, account: AccountId, key: &str) -> Result<bool> {
    let sql = "SELECT 1 FROM dir_grants WHERE account = ?1 AND address = ?2";
    Ok(tx.query_one(sql, params![account.to_sql(), key], |_| Ok(()))?.is_some())
}
