//! Tenants and domains.

use anser_base::{Address, DomainId, Error, Result, TenantId};
use anser_db::{Tx, params};

use crate::admin::{no_domain, one};
use crate::model::{DEFAULT_TENANT, Domain};
use crate::scripts::{self, ScriptOwner};
use crate::{Directory, names, rows, sign_in};

/// A domain to be made.
#[derive(Clone, Debug)]
pub struct NewDomain {
    /// Its name; ASCII (`xn--`) or Unicode labels.
    pub name: String,
    /// Whose it is.
    pub tenant: TenantId,
    /// The name of the domain whose addresses it repeats, if any.
    pub alias_of: Option<String>,
}

impl NewDomain {
    /// A domain of the default tenant with addresses of its own.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), tenant: DEFAULT_TENANT, alias_of: None }
    }
}

impl Directory {
    /// Adds a tenant. `Class::Exists` when the name is taken.
    pub async fn add_tenant(&self, name: &str) -> Result<TenantId> {
        let name = names::display_name(name)?;
        self.change(move |tx| {
            let id = TenantId(rows::count_up(tx, "tenant", 1)?);
            let sql = "INSERT INTO dir_tenants (id, name) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
            let taken = || Error::exists(format!("the tenant {name} exists"), format!("租户 {name} 已存在"));
            one(tx.execute(sql, params![id.to_sql(), &name])?, taken)?;
            Ok(id)
        })
        .await
    }

    /// All tenants with their names, in order of number.
    pub async fn tenants(&self) -> Result<Vec<(TenantId, String)>> {
        let sql = "SELECT id, name FROM dir_tenants ORDER BY id";
        self.read(move |tx| tx.query(sql, &[], |row| Ok((TenantId::from_sql(row.int(0)?), row.text(1)?)))).await
    }

    /// Adds a domain; its mail is ours from now on. `Class::Exists` when it is ours already, `Class::NotFound` for an unknown
    /// tenant or an unknown domain to repeat.
    pub async fn add_domain(&self, new: NewDomain) -> Result<DomainId> {
        let name = names::new_domain(&new.name)?;
        let alias_of = new.alias_of.map(|name| names::domain_key(&name));
        self.change(move |tx| add_domain(tx, &name, new.tenant, alias_of.as_deref())).await
    }

    /// All domains, by name.
    pub async fn domains(&self) -> Result<Vec<Domain>> {
        self.read(rows::all_domains).await
    }

    /// One domain by its name, in whatever form it is written.
    pub async fn domain(&self, name: &str) -> Result<Option<Domain>> {
        let name = names::domain_key(name);
        self.read(move |tx| rows::domain_by_name(tx, &name)).await
    }

    /// Removes a domain. `Class::Conflict` when it still has accounts, aliases or groups, or another domain repeats it.
    pub async fn remove_domain(&self, name: &str) -> Result<()> {
        let name = names::domain_key(name);
        self.change(move |tx| {
            let domain = rows::domain_by_name(tx, &name)?.ok_or_else(no_domain)?;
            if is_used(tx, domain.id)? {
                return Err(Error::new(
                    anser_base::Class::Conflict,
                    format!("{name} still has accounts, aliases, groups or alias domains; remove and purge them first"),
                    format!("{name} 下仍有账号、别名、群组或别名域，请先删除并彻底清除"),
                ));
            }
            scripts::forget(tx, ScriptOwner::Domain(domain.id))?;
            crate::dkim::remove_all(tx, domain.id.to_sql())?;
            tx.execute("DELETE FROM dir_front_doors WHERE domain = ?1", params![domain.id.to_sql()])?;
            sign_in::forget(tx, &name)?;
            tx.execute("DELETE FROM dir_domains WHERE id = ?1", params![domain.id.to_sql()])?;
            tx.execute("DELETE FROM dir_settings WHERE name = 'default-domain' AND value = ?1", params![&name])?;
            Ok(())
        })
        .await
    }

    /// Switches a domain off (no mail, no logins) or on again.
    pub async fn set_domain_disabled(&self, name: &str, disabled: bool) -> Result<()> {
        let name = names::domain_key(name);
        let sql = "UPDATE dir_domains SET disabled = ?2 WHERE name = ?1";
        self.change(move |tx| one(tx.execute(sql, params![&name, disabled])?, no_domain)).await
    }

    /// Where mail to addresses goes that nobody in the domain has; `None` refuses it. The target must be an address of ours.
    pub async fn set_catch_all(&self, domain: &str, target: Option<&Address>) -> Result<()> {
        self.set_domain_target("UPDATE dir_domains SET catch_all = ?2 WHERE name = ?1", domain, target).await
    }

    /// Who reads `postmaster@` the domain; `None` is the administrator. The target must be an address of ours.
    pub async fn set_postmaster(&self, domain: &str, target: Option<&Address>) -> Result<()> {
        self.set_domain_target("UPDATE dir_domains SET postmaster = ?2 WHERE name = ?1", domain, target).await
    }

    async fn set_domain_target(&self, sql: &'static str, domain: &str, target: Option<&Address>) -> Result<()> {
        let (name, target) = (names::domain_key(domain), target.map(names::key));
        self.change(move |tx| {
            if let Some(key) = &target
                && rows::address(tx, key)?.is_none()
            {
                return Err(Error::not_found(format!("{key} is nobody's address"), format!("没有地址 {key}")));
            }
            one(tx.execute(sql, params![&name, target.as_ref()])?, no_domain)
        })
        .await
    }

    /// The domain in which login names without a domain are sought: the chosen one, else the oldest. `None` when there is none.
    pub async fn default_domain(&self) -> Result<Option<Domain>> {
        self.read(rows::default_domain).await
    }

    /// Chooses the default domain.
    pub async fn set_default_domain(&self, name: &str) -> Result<()> {
        let name = names::domain_key(name);
        self.change(move |tx| {
            rows::domain_by_name(tx, &name)?.ok_or_else(no_domain)?;
            let sql = "INSERT INTO dir_settings (name, value) VALUES ('default-domain', ?1)
                       ON CONFLICT (name) DO UPDATE SET value = excluded.value";
            tx.execute(sql, params![&name]).map(|_| ())
        })
        .await
    }
}

fn add_domain(tx: &mut Tx<'_>, name: &str, tenant: TenantId, alias_of: Option<&str>) -> Result<DomainId> {
    if tx.query_one("SELECT 1 FROM dir_tenants WHERE id = ?1", params![tenant.to_sql()], |_| Ok(()))?.is_none() {
        return Err(Error::not_found("there is no such tenant", "没有这个租户"));
    }
    let alias_of = alias_of.map(|target| repeated(tx, target)).transpose()?;
    let id = DomainId(rows::count_up(tx, "domain", 1)?);
    let sql = "INSERT INTO dir_domains (id, tenant, name, disabled, alias_of) VALUES (?1, ?2, ?3, 0, ?4)
               ON CONFLICT DO NOTHING";
    let changed = tx.execute(sql, params![id.to_sql(), tenant.to_sql(), name, alias_of.map(DomainId::to_sql)])?;
    one(changed, || Error::exists(format!("the domain {name} exists"), format!("域名 {name} 已存在")))?;
    Ok(id)
}

/// The domain that a new one repeats; never itself one that repeats.
fn repeated(tx: &mut Tx<'_>, name: &str) -> Result<DomainId> {
    let domain = rows::domain_by_name(tx, name)?.ok_or_else(no_domain)?;
    Ok(domain.alias_of.unwrap_or(domain.id))
}

fn is_used(tx: &mut Tx<'_>, id: DomainId) -> Result<bool> {
    let sql = "SELECT 1 FROM dir_addresses WHERE domain = ?1
               UNION ALL SELECT 1 FROM dir_domains WHERE alias_of = ?1 LIMIT 1";
    Ok(tx.query_one(sql, params![id.to_sql()], |_| Ok(()))?.is_some())
}
