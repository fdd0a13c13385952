//! Aliases, forward addresses, the right to write as somebody.

use anser_base::{AccountId, Address, Error, Result};
use anser_db::{Tx, params};

use crate::admin::{self, PAGE, no_account, one};
use crate::rows::{self, Kind};
use crate::{Directory, names};

/// Where an alias leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AliasTarget {
    /// Into an account, which may also write as the alias.
    Account(AccountId),
    /// To an address elsewhere.
    Outside(Address),
}

/// An address that leads somewhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// The address, in normal form.
    pub address: Address,
    /// Where it leads.
    pub target: AliasTarget,
}

impl Directory {
    /// Adds an alias, in whatever domain of ours. `Class::Exists` when the address is taken.
    pub async fn add_alias(&self, address: &Address, target: AliasTarget) -> Result<()> {
        let address = names::new_address(address)?;
        self.change(move |tx| add_alias(tx, &address, &target)).await
    }

    /// Removes an alias. `Class::NotFound` when the address is none.
    pub async fn remove_alias(&self, address: &Address) -> Result<()> {
        let key = names::key(address);
        let sql = "DELETE FROM dir_addresses WHERE address = ?1 AND kind IN (?2, ?3)";
        let missing = || Error::not_found("there is no such alias", "没有这个别名");
        self.change(move |tx| {
            let changed = tx.execute(sql, params![&key, Kind::Alias.to_sql(), Kind::Forward.to_sql()])?;
            one(changed, missing)?;
            forget_address(tx, &key)
        })
        .await
    }

    /// Where an alias leads; `None` when the address is none.
    pub async fn alias(&self, address: &Address) -> Result<Option<AliasTarget>> {
        let key = names::key(address);
        self.read(move |tx| {
            let Some(row) = rows::address(tx, &key)? else { return Ok(None) };
            Ok(match (row.kind, row.forward) {
                (Kind::Alias, _) => Some(AliasTarget::Account(AccountId::from_sql(row.target))),
                (Kind::Forward, Some(outside)) => Some(AliasTarget::Outside(rows::stored_address(&outside)?)),
                _ => None,
            })
        })
        .await
    }

    /// Whether an address is somebody's: an account's, an alias, a group's.
    pub async fn is_taken(&self, address: &Address) -> Result<bool> {
        let key = names::key(address);
        self.read(move |tx| Ok(rows::address(tx, &key)?.is_some())).await
    }

    /// All aliases of an account, by address.
    pub async fn aliases_of(&self, account: AccountId) -> Result<Vec<Address>> {
        let sql = "SELECT address FROM dir_addresses WHERE target = ?1 AND kind = ?2 ORDER BY address";
        self.read(move |tx| {
            let params = params![account.to_sql(), Kind::Alias.to_sql()];
            tx.query(sql, params, |row| rows::stored_address(&row.text(0)?))
        })
        .await
    }

    /// Aliases of all domains or of one, by address, at most [`PAGE`] at a time; `after` is the last address of the page before.
    pub async fn aliases(&self, domain: Option<&str>, after: Option<&Address>) -> Result<Vec<Alias>> {
        let (domain, after) = (domain.map(names::domain_key), after.map(names::key).unwrap_or_default());
        self.read(move |tx| list(tx, domain.as_deref(), &after)).await
    }

    /// Lets an account write as an address that is not its own.
    pub async fn grant_send_as(&self, account: AccountId, address: &Address) -> Result<()> {
        let key = names::key(address);
        let sql = "INSERT INTO dir_grants (account, address) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        self.change(move |tx| {
            rows::account_by_id(tx, account)?.ok_or_else(no_account)?;
            tx.execute(sql, params![account.to_sql(), &key]).map(|_| ())
        })
        .await
    }

    /// Takes that right back. Nothing happens when it was not given.
    pub async fn revoke_send_as(&self, account: AccountId, address: &Address) -> Result<()> {
        let key = names::key(address);
        let sql = "DELETE FROM dir_grants WHERE account = ?1 AND address = ?2";
        self.change(move |tx| tx.execute(sql, params![account.to_sql(), &key]).map(|_| ())).await
    }

    /// The addresses that an account was granted to write as.
    pub async fn granted_send_as(&self, account: AccountId) -> Result<Vec<Address>> {
        let sql = "SELECT address FROM dir_grants WHERE account = ?1 ORDER BY address";
        self.read(move |tx| tx.query(sql, params![account.to_sql()], |row| rows::stored_address(&row.text(0)?))).await
    }
}

fn add_alias(tx: &mut Tx<'_>, address: &Address, target: &AliasTarget) -> Result<()> {
    let domain = admin::domain_for(tx, address)?;
    match target {
        AliasTarget::Account(id) => {
            rows::account_by_id(tx, *id)?.ok_or_else(no_account)?;
            admin::claim(tx, address, domain.id, Kind::Alias, id.0, None)
        }
        AliasTarget::Outside(outside) => {
            if rows::domain_by_name(tx, &names::domain_key(outside.domain()))?.is_some() {
                return Err(Error::invalid(
                    format!("{outside} is an address of ours; let the alias lead to its account"),
                    format!("{outside} 是本系统的地址，请让别名指向对应账号"),
                ));
            }
            admin::claim(tx, address, domain.id, Kind::Forward, 0, Some(&outside.to_string()))
        }
    }
}

/// Drops what refers to an address that leads nowhere any more.
pub(super) fn forget_address(tx: &mut Tx<'_>, key: &str) -> Result<()> {
    for sql in [
        "DELETE FROM dir_members WHERE member = ?1",
        "DELETE FROM dir_grants WHERE address = ?1",
        "UPDATE dir_domains SET catch_all = NULL WHERE catch_all = ?1",
        "UPDATE dir_domains SET postmaster = NULL WHERE postmaster = ?1",
    ] {
        tx.execute(sql, params![key])?;
    }
    Ok(())
}

fn list(tx: &mut Tx<'_>, domain: Option<&str>, after: &str) -> Result<Vec<Alias>> {
    let domain = match domain {
        Some(name) => rows::domain_by_name(tx, name)?.ok_or_else(admin::no_domain)?.id.to_sql(),
        None => 0,
    };
    let sql = "SELECT address, kind, target, forward FROM dir_addresses
               WHERE address > ?1 AND (domain = ?2 OR ?2 = 0) AND kind IN (?3, ?4) ORDER BY address LIMIT ?5";
    let params = params![after, domain, Kind::Alias.to_sql(), Kind::Forward.to_sql(), PAGE as i64];
    tx.query(sql, params, |row| {
        let target = match row.opt_text(3)? {
            Some(outside) => AliasTarget::Outside(rows::stored_address(&outside)?),
            None => AliasTarget::Account(AccountId::from_sql(row.int(2)?)),
        };
        Ok(Alias { address: rows::stored_address(&row.text(0)?)?, target })
    })
}
