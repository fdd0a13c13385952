//! Every change to the directory, as typed functions. Each is one transaction; when it fails, nothing was changed.
//!
//! | module | changes |
//! |---|---|
//! | [`domains`] | tenants, domains |
//! | [`accounts`] | accounts, one or many |
//! | [`aliases`] | aliases, forward addresses, the right to write as somebody |
//! | [`groups`] | groups and their members |
//! | [`app_passwords`] | app passwords |
//! | [`people`] | people as an old system has them, by the thousand |

pub mod accounts;
pub mod aliases;
pub mod app_passwords;
pub mod domains;
pub mod groups;
pub mod people;

use anser_base::{Address, DomainId, Error, Result};
use anser_db::{Tx, params};

use crate::model::Domain;
use crate::rows::{self, Kind};

pub use accounts::{AccountFilter, AccountPage, NewAccount, Password};
pub use aliases::{Alias, AliasTarget};
pub use app_passwords::NewAppPassword;
pub use domains::NewDomain;
pub use people::{Incoming, Outcome, Profile, Stored, Verdict};

/// Rows that a listing gives at most at a time.
pub const PAGE: usize = 1000;

/// The domain in which an address of ours is to be made.
fn domain_for(tx: &mut Tx<'_>, address: &Address) -> Result<Domain> {
    match rows::domain_by_name(tx, address.domain())? {
        Some(domain) if domain.alias_of.is_some() => Err(Error::invalid(
            format!("{} is an alias of another domain and has no addresses of its own", domain.name),
            format!("{} 是其他域名的别名，不能有自己的地址", domain.name),
        )),
        Some(domain) => Ok(domain),
        None => Err(Error::not_found(
            format!("the domain {} is not one of ours", address.domain()),
            format!("域名 {} 不属于本系统", address.domain()),
        )),
    }
}

/// Takes an address for somebody; `Class::Exists` when it is taken.
fn claim(
    tx: &mut Tx<'_>,
    address: &Address,
    domain: DomainId,
    kind: Kind,
    target: u64,
    forward: Option<&str>,
) -> Result<()> {
    let sql = "INSERT INTO dir_addresses (address, domain, kind, target, forward) VALUES (?1, ?2, ?3, ?4, ?5)
               ON CONFLICT (address) DO NOTHING";
    let text = address.to_string();
    match tx.execute(sql, params![&text, domain.to_sql(), kind.to_sql(), target as i64, forward])? {
        0 => Err(Error::exists(format!("the address {text} is taken"), format!("地址 {text} 已被占用"))),
        _ => Ok(()),
    }
}

/// An update of one row: nothing changed means that the row is not there.
pub(crate) fn one(changed: u64, missing: impl FnOnce() -> Error) -> Result<()> {
    if changed == 0 { Err(missing()) } else { Ok(()) }
}

pub(crate) fn no_account() -> Error {
    Error::not_found("there is no such account", "没有这个账号")
}

pub(crate) fn no_domain() -> Error {
    Error::not_found("there is no such domain", "没有这个域名")
}

fn no_group() -> Error {
    Error::not_found("there is no such group", "没有这个群组")
}

/// A part of a `LIKE` pattern that means itself; `\` is the escape character.
fn like(text: &str) -> String {
    let mut out = String::from("%");
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out + "%"
}
