//! Domains.

use anser_base::{Address, DomainId, Error, Result};
use anser_directory::{Domain, NewDomain};

use crate::answer::{DomainView, Item, Out, Report};
use crate::request::DomainChange;
use crate::{Actor, Admin, parse};

impl Admin {
    /// Adds a domain, or another name of one, with keys to sign its mail. Errors as for [`anser_directory::Directory::add_domain`].
    pub async fn add_domain(&self, actor: &Actor, name: &str, alias_of: Option<String>) -> Result<Report> {
        let new = NewDomain { alias_of: alias_of.clone(), ..NewDomain::new(name) };
        self.deps.directory.add_domain(new).await?;
        self.note(actor, "domain.create", name, None, alias_of.map(|of| format!("alias of {of}"))).await?;
        self.add_dkim_keys(actor, name).await
    }

    /// Every domain, by name.
    pub async fn list_domains(&self, out: &Out) -> Result<Report> {
        let (all, default) = self.all_domains().await?;
        for domain in &all {
            out.item(Item::Domain(view(domain, &all, default))).await?;
        }
        Ok(Report::Done)
    }

    /// One domain.
    pub async fn show_domain(&self, name: &str, out: &Out) -> Result<Report> {
        let domain = self.deps.directory.domain(name).await?.ok_or_else(|| no_domain(name))?;
        let (all, default) = self.all_domains().await?;
        out.item(Item::Domain(view(&domain, &all, default))).await?;
        Ok(Report::Done)
    }

    async fn all_domains(&self) -> Result<(Vec<Domain>, Option<DomainId>)> {
        let default = self.deps.directory.default_domain().await?.map(|domain| domain.id);
        Ok((self.deps.directory.domains().await?, default))
    }

    /// Changes what the request names; addresses are read before anything is changed. Errors as for
    /// [`anser_directory::Directory::set_catch_all`].
    pub async fn change_domain(&self, actor: &Actor, name: &str, change: DomainChange) -> Result<Report> {
        let directory = &self.deps.directory;
        let catch_all = change.catch_all.as_deref().map(address_or_none).transpose()?;
        let postmaster = change.postmaster.as_deref().map(address_or_none).transpose()?;
        if let Some(target) = &catch_all {
            directory.set_catch_all(name, target.as_ref()).await?;
        }
        if let Some(target) = &postmaster {
            directory.set_postmaster(name, target.as_ref()).await?;
        }
        if let Some(disabled) = change.disabled {
            directory.set_domain_disabled(name, disabled).await?;
        }
        if change.default {
            directory.set_default_domain(name).await?;
        }
        self.note(actor, "domain.change", name, None, serde_json::to_string(&change).ok()).await?;
        Ok(Report::Done)
    }

    /// Removes a domain that nobody uses any more. Errors as for [`anser_directory::Directory::remove_domain`].
    pub async fn remove_domain(&self, actor: &Actor, name: &str) -> Result<Report> {
        if self.deps.directory.domain(name).await?.is_none() {
            return Err(no_domain(name));
        }
        self.deps.directory.remove_domain(name).await?;
        self.note(actor, "domain.remove", name, None, None).await?;
        Ok(Report::Done)
    }
}

fn address_or_none(text: &str) -> Result<Option<Address>> {
    (!text.is_empty()).then(|| parse(text)).transpose()
}

fn view(domain: &Domain, all: &[Domain], default: Option<DomainId>) -> DomainView {
    let name_of = |id: DomainId| all.iter().find(|other| other.id == id).map(|other| other.name.clone());
    DomainView {
        name: domain.name.clone(),
        disabled: domain.disabled,
        alias_of: domain.alias_of.and_then(name_of),
        catch_all: domain.catch_all.as_ref().map(ToString::to_string),
        postmaster: domain.postmaster.as_ref().map(ToString::to_string),
        default: default == Some(domain.id),
    }
}

fn no_domain(name: &str) -> Error {
    Error::not_found(format!("there is no domain {name}"), format!("没有域名 {name}"))
}
