//! Providers that tell who somebody is: an outside OpenID Connect provider, a CAS server. The door asks them; here lie what they are
//! registered with, for whom they speak, and whose account somebody is.
//!
//! A provider speaks for a domain, or for everybody. What it calls somebody by is looked up as an address, as a user name of the domain, or
//! among the links that an administrator made, as for employee numbers. Where its password rule says so, the own password opens the login
//! page no more; mail programs are a matter of their app passwords and tokens.

use std::time::Duration;

use anser_base::{Address, Class, Error, Result};
use anser_db::{Row, Tx, params};

use crate::admin::{no_account, one};
use crate::credentials::Credentials;
use crate::portals::no_mailbox;
use crate::refusal::{AuthFailure, Refusal};
use crate::sign_in::{Signed, Visitor};
use crate::{Directory, names, sealed};

/// Providers of the house.
pub const PROVIDERS: usize = 50;
/// Links of one provider.
pub const LINKS: i64 = 200_000;
/// Longest text of a registration, and longest name that a provider calls somebody by, in bytes.
pub const TEXT: usize = 500;

/// How a provider is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderKind {
    /// OpenID Connect Core, code flow with PKCE (RFC 7636).
    OpenId,
    /// CAS protocol 3.0, `/p3/serviceValidate`.
    Cas,
    /// CAS protocol 2.0, `/serviceValidate`.
    Cas2,
}

/// What a provider's name for somebody is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// A whole address.
    Address,
    /// What stands before the `@` in the provider's domain.
    User,
    /// Whatever was linked to an account ([`Directory::link_person`]).
    Linked,
}

/// A provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Its name in paths, in lower case.
    pub id: String,
    /// Its name on the login page.
    pub name: String,
    /// For whom it speaks: a domain, or `*`.
    pub scope: String,
    /// How it is spoken to.
    pub kind: ProviderKind,
    /// The issuer of OpenID Connect, or what stands before `/login` of CAS; `https`, without a slash at its end unless the issuer has one.
    pub url: String,
    /// `client_id`; empty for CAS.
    pub client: String,
    /// The claim or attribute that names somebody; empty is `email`, or the user of CAS.
    pub claim: String,
    /// What that is here.
    pub names: Names,
    /// Whether the own password still opens the login page.
    pub password: bool,
    /// Whether the account's second factor is asked for after the provider said yes.
    pub second: bool,
}

impl ProviderKind {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OpenId => "openid",
            Self::Cas => "cas",
            Self::Cas2 => "cas2",
        }
    }

    /// The inverse of [`Self::as_str`].
    pub fn of_word(word: &str) -> Option<Self> {
        [Self::OpenId, Self::Cas, Self::Cas2].into_iter().find(|kind| kind.as_str() == word)
    }
}

impl Names {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::User => "user",
            Self::Linked => "linked",
        }
    }

    /// The inverse of [`Self::as_str`].
    pub fn of_word(word: &str) -> Option<Self> {
        [Self::Address, Self::User, Self::Linked].into_iter().find(|names| names.as_str() == word)
    }
}

impl Provider {
    /// Whether it speaks for a domain, which is in normal form.
    pub fn speaks_for(&self, domain: &str) -> bool {
        self.scope == "*" || self.scope == domain
    }

    fn check(&self) -> Result<()> {
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if self.id.is_empty() || self.id.len() > 50 || !self.id.chars().all(is_name) {
            return Err(Error::invalid(
                "a name has small letters, digits and - only",
                "名称只能包含小写字母、数字和 -",
            ));
        }
        let is_plain = |c: u8| c.is_ascii_graphic() && !b"?#@".contains(&c);
        if !self.url.starts_with("https://") || self.url.len() > TEXT || !self.url.bytes().all(is_plain) {
            return Err(Error::invalid("a provider has an https address", "提供方地址必须以 https 开头"));
        }
        if [&self.name, &self.client, &self.claim].iter().any(|text| text.len() > TEXT) {
            return Err(Error::invalid("that is too long", "内容过长"));
        }
        if self.names == Names::User && self.scope == "*" {
            return Err(Error::invalid(
                "user names are those of a domain: name it",
                "用户名必须属于某个域名，请指明域名",
            ));
        }
        if self.kind == ProviderKind::OpenId && self.client.is_empty() {
            return Err(Error::invalid("OpenID Connect wants a client id", "OpenID Connect 需要 client id"));
        }
        Ok(())
    }
}

impl Directory {
    /// Registers a provider; the secret is the client's with it. `Class::Exists` when the name is taken, `Class::Invalid` for what cannot be.
    pub async fn add_provider(&self, provider: Provider, secret: Option<&str>) -> Result<()> {
        provider.check()?;
        let scope = if provider.scope == "*" { provider.scope.clone() } else { names::new_domain(&provider.scope)? };
        let (key, entropy) = (self.secrets().await?.second, &self.inner.deps.entropy);
        let place = place(&provider.id);
        let secret = secret.map(|secret| sealed::seal(&key, &place, secret.as_bytes(), entropy)).transpose()?;
        self.change(move |tx| {
            let count = tx.query_one("SELECT COUNT(*) FROM dir_providers", &[], |row| row.int(0))?.unwrap_or(0);
            if count >= PROVIDERS as i64 {
                return Err(Error::new(
                    Class::Limit,
                    format!("at most {PROVIDERS} providers"),
                    format!("最多 {PROVIDERS} 个提供方"),
                ));
            }
            let sql =
                "INSERT INTO dir_providers (id, name, scope, kind, url, client, secret, claim, names, password, second)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT DO NOTHING";
            let Provider { id, name, url, client, claim, password, second, .. } = &provider;
            let (kind, names, secret) = (provider.kind.as_str(), provider.names.as_str(), secret.as_ref());
            let values = params![id, name, &scope, kind, url, client, secret, claim, names, *password, *second];
            one(tx.execute(sql, values)?, || Error::exists("there is a provider of that name", "已有同名提供方"))
        })
        .await
    }

    /// All providers, by name.
    pub async fn providers(&self) -> Result<Vec<Provider>> {
        let sql = format!("{COLUMNS} ORDER BY id");
        self.read(move |tx| tx.query(&sql, &[], provider)).await
    }

    /// A provider and its client's secret.
    pub async fn provider(&self, id: &str) -> Result<Option<(Provider, Option<String>)>> {
        let (sought, sql) = (id.to_owned(), format!("{COLUMNS} WHERE id = ?1"));
        let read = |row: &Row<'_>| Ok((provider(row)?, row.opt_blob(10)?));
        let found = self.read(move |tx| tx.query_one(&sql, params![&sought], read)).await?;
        let Some((provider, kept)) = found else { return Ok(None) };
        let Some(kept) = kept else { return Ok(Some((provider, None))) };
        let secret = sealed::open(&self.secrets().await?.second, place(id), &kept)?;
        let secret = String::from_utf8(secret).map_err(|_| Error::damaged("a provider's secret"))?;
        Ok(Some((provider, Some(secret))))
    }

    /// Removes a provider and its links. `Class::NotFound` when there is none of that name.
    pub async fn remove_provider(&self, id: &str) -> Result<()> {
        let id = id.to_owned();
        self.change(move |tx| {
            tx.execute("DELETE FROM dir_provider_links WHERE provider = ?1", params![&id])?;
            one(tx.execute("DELETE FROM dir_providers WHERE id = ?1", params![&id])?, no_provider)
        })
        .await
    }

    /// Says whose account somebody is whom a provider calls by a name; `None` takes that back. `Class::NotFound` when there is no such
    /// provider, account or link.
    pub async fn link_person(&self, provider: &str, name: &str, account: Option<&Address>) -> Result<()> {
        if name.is_empty() || name.len() > TEXT {
            return Err(Error::invalid("that is no name", "名称无效"));
        }
        let (provider, name) = (provider.to_owned(), name.to_owned());
        let Some(address) = account else {
            let sql = "DELETE FROM dir_provider_links WHERE provider = ?1 AND name = ?2";
            let missing = || Error::not_found("there is no such link", "没有这个关联");
            return self.note(move |tx| one(tx.execute(sql, params![&provider, &name])?, missing)).await;
        };
        let Some(account) = self.account_by_address(address).await? else { return Err(no_account()) };
        self.note(move |tx| {
            let known = "SELECT COUNT(*) FROM dir_providers WHERE id = ?1";
            one(tx.query_one(known, params![&provider], |row| row.int(0))?.unwrap_or(0) as u64, no_provider)?;
            let count = "SELECT COUNT(*) FROM dir_provider_links WHERE provider = ?1";
            if tx.query_one(count, params![&provider], |row| row.int(0))?.unwrap_or(0) >= LINKS {
                return Err(Error::new(Class::Limit, "that are too many links", "关联过多"));
            }
            let sql = "INSERT INTO dir_provider_links (provider, name, account) VALUES (?1, ?2, ?3)
                       ON CONFLICT (provider, name) DO UPDATE SET account = excluded.account";
            tx.execute(sql, params![&provider, &name, account.id.to_sql()]).map(drop)
        })
        .await
    }

    /// Uses up what a provider brought back for one login, which would end by itself; whether it was not used before.
    pub async fn use_once(&self, what: &[u8], life: Duration) -> Result<bool> {
        self.spend(what, self.inner.deps.clock.now().after(life)).await
    }

    /// Takes somebody in of whom a provider said what they are called. Fails like [`Directory::sign_in`]; whoever has no account here that
    /// the provider speaks for is [`Refusal::NotAllowed`].
    pub async fn sign_in_from_provider(
        &self,
        provider: &Provider,
        name: &str,
        visitor: Visitor<'_>,
    ) -> Result<Signed, AuthFailure> {
        let found = match self.address_of(provider, name).await? {
            Some(address) => self.credentials(address.as_bytes()).await?,
            None => None,
        };
        let ours = |found: &Credentials| {
            let address = &found.account.address;
            found.may_sign_in() && provider.speaks_for(&names::domain_key(address.domain()))
        };
        match found.filter(|found| ours(found)) {
            Some(found) => self.next_step(&found, !provider.second, visitor).await,
            None => Err(AuthFailure { reason: Refusal::NotAllowed, delay: Duration::ZERO, error: no_mailbox() }),
        }
    }

    /// The address of whom a provider calls so, in normal form.
    async fn address_of(&self, provider: &Provider, name: &str) -> Result<Option<String>> {
        if name.is_empty() || name.len() > TEXT {
            return Ok(None);
        }
        let address = |text: &str| Address::parse(text).map(|address| names::key(&address));
        match provider.names {
            Names::Address => Ok(address(name)),
            Names::User => Ok(address(&format!("{name}@{}", provider.scope)).filter(|_| !name.contains('@'))),
            Names::Linked => {
                let (provider, name) = (provider.id.clone(), name.to_owned());
                let sql = "SELECT a.address FROM dir_provider_links l JOIN dir_accounts a ON a.id = l.account
                           WHERE l.provider = ?1 AND l.name = ?2";
                self.read(move |tx| tx.query_one(sql, params![&provider, &name], |row| row.text(0))).await
            }
        }
    }
}

/// The provider that an account has to sign in by at the login page, if its password is not enough there.
pub(crate) fn in_place_of_password(tx: &mut Tx<'_>, domain: &str) -> Result<Option<String>> {
    let sql = "SELECT id FROM dir_providers WHERE password = 0 AND scope IN (?1, '*') ORDER BY id LIMIT 1";
    tx.query_one(sql, params![domain], |row| row.text(0))
}

const COLUMNS: &str =
    "SELECT id, name, scope, kind, url, client, claim, names, password, second, secret FROM dir_providers";

fn provider(row: &Row<'_>) -> Result<Provider> {
    let damaged = || Error::damaged("a provider of the directory");
    Ok(Provider {
        id: row.text(0)?,
        name: row.text(1)?,
        scope: row.text(2)?,
        kind: ProviderKind::of_word(&row.text(3)?).ok_or_else(damaged)?,
        url: row.text(4)?,
        client: row.text(5)?,
        claim: row.text(6)?,
        names: Names::of_word(&row.text(7)?).ok_or_else(damaged)?,
        password: row.bool(8)?,
        second: row.bool(9)?,
    })
}

fn place(id: &str) -> String {
    format!("provider {id}")
}

fn no_provider() -> Error {
    Error::not_found("there is no such provider", "没有这个提供方")
}
