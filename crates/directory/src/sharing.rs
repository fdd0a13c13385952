//! Who shares mailboxes with whom. Access lists are the store's; this is what a door needs beside them: whom an identifier means,
//! which groups somebody is in, and in whose accounts there may be something for him.

use std::collections::BTreeSet;
use std::sync::Arc;

use anser_base::{AccountId, Address, Result, TenantId};
use anser_db::{Tx, params};

use crate::model::{Account, AccountState, Group, GroupId};
use crate::resolve::GROUP_DEPTH;
use crate::rows::{self, Kind};
use crate::{Directory, admin, names};

/// Accounts that share something with one person, at most; those with the lowest numbers count.
pub const OWNERS: usize = 1_000;
/// Members of a group who are told of what was shared with it.
const CONCERNED: usize = 200;
/// Groups that one person is in, at most.
const GROUPS: usize = 1_000;

/// Whom an identifier of an access list means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// An account, by its primary address or an alias.
    Account(Arc<Account>),
    /// A group.
    Group(Group),
}

impl Directory {
    /// The account or group of a tenant that a name means: an address, or a local part in the domain of `near`. Subaddresses and
    /// catch-alls mean nobody here, removed accounts neither.
    pub async fn identify(&self, name: &str, near: &Account) -> Result<Option<Identity>> {
        let address = match name.contains('@') {
            true => Address::parse(name),
            false => Address::new(name, near.address.domain()),
        };
        let Some(address) = address else { return Ok(None) };
        let (key, tenant) = (names::key(&address), near.tenant);
        self.read(move |tx| identify(tx, &key, tenant)).await
    }

    /// A group by its number.
    pub async fn group_by_id(&self, id: GroupId) -> Result<Option<Group>> {
        self.read(move |tx| admin::groups::by_id(tx, id)).await
    }

    /// The groups that an account is in, at any depth, sorted.
    pub async fn groups_of(&self, account: AccountId) -> Result<Arc<[u64]>> {
        let stamp = self.stamp().await?;
        if let Some(known) = self.inner.memberships.get(stamp, &account) {
            return Ok(known);
        }
        let found: Arc<[u64]> = self.read(move |tx| groups_of(tx, account)).await?.into_iter().collect();
        self.inner.memberships.put(stamp, account, found.clone());
        Ok(found)
    }

    /// Who hears of a change of what `owner` gives to somebody, with the groups that each is in: an active account, or the first 200 members
    /// of a group; nobody where everybody is meant, and neither the owner nor who did it.
    pub async fn concerned(
        &self,
        owner: AccountId,
        by: AccountId,
        (kind, who): (i64, i64),
    ) -> Result<Vec<(AccountId, Arc<[u64]>)>> {
        let mut accounts = Vec::new();
        match kind {
            3 => accounts.extend(self.account(AccountId::from_sql(who)).await?),
            4 => {
                for member in self.members(GroupId(who as u64)).await?.iter().take(CONCERNED) {
                    accounts.extend(self.account_by_address(member).await?);
                }
            }
            _ => {}
        }
        let mut concerned = Vec::new();
        for account in accounts {
            if account.state == AccountState::Active && account.id != owner && account.id != by {
                concerned.push((account.id, self.groups_of(account.id).await?));
            }
        }
        Ok(concerned)
    }

    /// Notes that `owner` gave something to somebody, by kind and number as the access lists have them. Before the access list is
    /// written: a note too many costs a look, one too few would hide a mailbox.
    pub async fn note_share(&self, owner: AccountId, (kind, who): (i64, i64)) -> Result<()> {
        let key = [kind, who, owner.to_sql()];
        if self.read(move |tx| is_noted(tx, key)).await? {
            return Ok(());
        }
        let sql = "INSERT INTO dir_shares (kind, who, owner) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
        self.change(move |tx| tx.execute(sql, params![key[0], key[1], key[2]]).map(drop)).await
    }

    /// Takes the note back. After the access lists of `owner` were written and hold nothing for him any more.
    pub async fn forget_share(&self, owner: AccountId, (kind, who): (i64, i64)) -> Result<()> {
        let key = [kind, who, owner.to_sql()];
        if !self.read(move |tx| is_noted(tx, key)).await? {
            return Ok(());
        }
        let sql = "DELETE FROM dir_shares WHERE kind = ?1 AND who = ?2 AND owner = ?3";
        self.change(move |tx| tx.execute(sql, params![key[0], key[1], key[2]]).map(drop)).await
    }

    /// The accounts in which there may be something for somebody, his own left out, by address; only active ones of his tenant. With
    /// `administers` every shared account is among them.
    pub async fn owners_for(&self, account: &Account, administers: bool) -> Result<Arc<[Arc<Account>]>> {
        let stamp = self.stamp().await?;
        let key = (account.id, administers);
        if let Some(known) = self.inner.owners.get(stamp, &key) {
            return Ok(known);
        }
        let (id, tenant) = (account.id, account.tenant);
        let found = self.read(move |tx| owners_for(tx, id, tenant, administers)).await?;
        let found: Arc<[Arc<Account>]> = found.into_iter().map(Arc::new).collect();
        self.inner.owners.put(stamp, key, found.clone());
        Ok(found)
    }

    /// The tenant's own annotations (RFC 5464, server annotations under `/shared`), by name.
    pub async fn annotations(&self, tenant: TenantId) -> Result<Vec<(String, Vec<u8>)>> {
        let sql = "SELECT entry, value FROM dir_annotations WHERE tenant = ?1 ORDER BY entry";
        self.read(move |tx| tx.query(sql, params![tenant.to_sql()], |row| Ok((row.text(0)?, row.blob(1)?)))).await
    }

    /// Sets annotations of the tenant, or removes those without a value. How many and how long they may be is the caller's to check.
    pub async fn annotate(&self, tenant: TenantId, entries: Vec<(String, Option<Vec<u8>>)>) -> Result<()> {
        self.note(move |tx| {
            for (entry, value) in &entries {
                let sql = "DELETE FROM dir_annotations WHERE tenant = ?1 AND entry = ?2";
                tx.execute(sql, params![tenant.to_sql(), entry.as_str()])?;
                if let Some(value) = value {
                    let sql = "INSERT INTO dir_annotations (tenant, entry, value) VALUES (?1, ?2, ?3)";
                    tx.execute(sql, params![tenant.to_sql(), entry.as_str(), value.as_slice()])?;
                }
            }
            Ok(())
        })
        .await
    }
}

fn identify(tx: &mut Tx<'_>, key: &str, tenant: TenantId) -> Result<Option<Identity>> {
    let Some((local, domain)) = key.rsplit_once('@') else { return Ok(None) };
    let Some(domain) = rows::domain_followed(tx, domain)? else { return Ok(None) };
    let Some(row) = rows::address(tx, &format!("{local}@{}", domain.name))? else { return Ok(None) };
    Ok(match row.kind {
        Kind::Primary | Kind::Alias => rows::account_by_id(tx, AccountId::from_sql(row.target))?
            .filter(|account| account.tenant == tenant && account.state != AccountState::Removed)
            .map(|account| Identity::Account(Arc::new(account))),
        Kind::Group => admin::groups::by_id(tx, GroupId(row.target as u64))?
            .filter(|group| group.tenant == tenant)
            .map(Identity::Group),
        Kind::Forward => None,
    })
}

fn groups_of(tx: &mut Tx<'_>, account: AccountId) -> Result<BTreeSet<u64>> {
    let direct = "SELECT m.group_id FROM dir_addresses a JOIN dir_members m ON m.member = a.address
                  WHERE a.target = ?1 AND a.kind IN (?2, ?3)";
    let above = "SELECT m.group_id FROM dir_groups g JOIN dir_members m ON m.member = g.address WHERE g.id = ?1";
    let kinds = params![account.to_sql(), Kind::Primary.to_sql(), Kind::Alias.to_sql()];
    let mut level = tx.query(direct, kinds, |row| Ok(row.int(0)? as u64))?;
    let mut met = BTreeSet::new();
    for _ in 0..GROUP_DEPTH {
        let mut next = Vec::new();
        for group in level {
            if met.len() < GROUPS && met.insert(group) {
                next.extend(tx.query(above, params![group as i64], |row| Ok(row.int(0)? as u64))?);
            }
        }
        level = next;
    }
    Ok(met)
}

fn is_noted(tx: &mut Tx<'_>, [kind, who, owner]: [i64; 3]) -> Result<bool> {
    let sql = "SELECT 1 FROM dir_shares WHERE kind = ?1 AND who = ?2 AND owner = ?3";
    Ok(tx.query_one(sql, params![kind, who, owner], |_| Ok(()))?.is_some())
}

fn owners_for(tx: &mut Tx<'_>, id: AccountId, tenant: TenantId, administers: bool) -> Result<Vec<Account>> {
    // Anyone, everybody who logged in, the account, its groups: kinds 1 to 4 of an access list.
    let mut whom: Vec<(i64, i64)> = vec![(1, 0), (2, 0), (3, id.to_sql())];
    whom.extend(groups_of(tx, id)?.into_iter().map(|group| (4, group as i64)));
    let mut found: BTreeSet<i64> = BTreeSet::new();
    for (kind, who) in whom {
        let sql = "SELECT owner FROM dir_shares WHERE kind = ?1 AND who = ?2 ORDER BY owner LIMIT ?3";
        found.extend(tx.query(sql, params![kind, who, OWNERS as i64], |row| row.int(0))?);
    }
    if administers {
        let sql = "SELECT id FROM dir_accounts WHERE shared = 1 AND tenant = ?1 ORDER BY id LIMIT ?2";
        found.extend(tx.query(sql, params![tenant.to_sql(), OWNERS as i64], |row| row.int(0))?);
    }
    let mut owners = Vec::new();
    for owner in found.into_iter().map(AccountId::from_sql).filter(|owner| *owner != id).take(OWNERS) {
        let account = rows::account_by_id(tx, owner)?;
        owners.extend(account.filter(|account| account.tenant == tenant && account.state == AccountState::Active));
    }
    owners.sort_by_key(|account| account.address.to_string());
    Ok(owners)
}
