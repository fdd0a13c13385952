//! Aliases and groups.

use anser_base::{Address, Error, Result};
use anser_directory::{AliasTarget, Group};

use crate::answer::{AliasView, GroupView, Item, Out, Report};
use crate::{Actor, Admin, parse};

impl Admin {
    /// Adds an alias that leads to an account of ours, or to an address elsewhere.
    pub async fn add_alias(&self, actor: &Actor, address: &str, target: &str) -> Result<Report> {
        let to = parse(target)?;
        let to = match self.deps.directory.account_by_address(&to).await? {
            Some(account) => AliasTarget::Account(account.id),
            None => AliasTarget::Outside(to),
        };
        self.deps.directory.add_alias(&parse(address)?, to).await?;
        self.note(actor, "alias.create", address, None, Some(target.to_owned())).await?;
        Ok(Report::Done)
    }

    /// Aliases by address, of one domain or all.
    pub async fn list_aliases(&self, domain: Option<String>, out: &Out) -> Result<Report> {
        let mut after: Option<Address> = None;
        loop {
            let page = self.deps.directory.aliases(domain.as_deref(), after.as_ref()).await?;
            let Some(last) = page.last() else { return Ok(Report::Done) };
            after = Some(last.address.clone());
            for alias in &page {
                let target = self.target_in_words(&alias.target).await?;
                out.item(Item::Alias(AliasView { address: alias.address.to_string(), target })).await?;
            }
        }
    }

    async fn target_in_words(&self, target: &AliasTarget) -> Result<String> {
        Ok(match target {
            AliasTarget::Outside(address) => address.to_string(),
            AliasTarget::Account(id) => self
                .deps
                .directory
                .account(*id)
                .await?
                .map_or_else(|| id.to_string(), |found| found.address.to_string()),
        })
    }

    /// Removes an alias.
    pub async fn remove_alias(&self, actor: &Actor, address: &str) -> Result<Report> {
        self.deps.directory.remove_alias(&parse(address)?).await?;
        self.note(actor, "alias.remove", address, None, None).await?;
        Ok(Report::Done)
    }

    /// Lets an account write as an address that is not its own.
    pub async fn grant_send_as(&self, actor: &Actor, address: &str, other: &str) -> Result<Report> {
        let (account, other) = (self.account(address).await?, parse(other)?);
        self.deps.directory.grant_send_as(account.id, &other).await?;
        self.note(actor, "account.send-as", address, None, Some(other.to_string())).await?;
        Ok(Report::Done)
    }

    /// The addresses that an account was granted to write as.
    pub async fn list_send_as(&self, address: &str, out: &Out) -> Result<Report> {
        let account = self.account(address).await?;
        for other in self.deps.directory.granted_send_as(account.id).await? {
            out.item(Item::Alias(AliasView { address: other.to_string(), target: account.address.to_string() }))
                .await?;
        }
        Ok(Report::Done)
    }

    /// Takes that right back.
    pub async fn revoke_send_as(&self, actor: &Actor, address: &str, other: &str) -> Result<Report> {
        let (account, other) = (self.account(address).await?, parse(other)?);
        self.deps.directory.revoke_send_as(account.id, &other).await?;
        self.note(actor, "account.send-as", address, Some(other.to_string()), None).await?;
        Ok(Report::Done)
    }

    /// Adds a group without members.
    pub async fn add_group(&self, actor: &Actor, address: &str, name: &str) -> Result<Report> {
        self.deps.directory.add_group(&parse(address)?, name).await?;
        self.note(actor, "group.create", address, None, None).await?;
        Ok(Report::Done)
    }

    /// Every group, by address.
    pub async fn list_groups(&self, out: &Out) -> Result<Report> {
        let mut after: Option<Address> = None;
        loop {
            let page = self.deps.directory.groups(after.as_ref()).await?;
            let Some(last) = page.last() else { return Ok(Report::Done) };
            after = Some(last.address.clone());
            for group in page {
                let view = GroupView { address: group.address.to_string(), name: group.name, members: None };
                out.item(Item::Group(view)).await?;
            }
        }
    }

    /// One group with its members.
    pub async fn show_group(&self, address: &str, out: &Out) -> Result<Report> {
        let group = self.group(address).await?;
        let members = self.deps.directory.members(group.id).await?;
        let members = Some(members.iter().map(Address::to_string).collect());
        out.item(Item::Group(GroupView { address: group.address.to_string(), name: group.name, members })).await?;
        Ok(Report::Done)
    }

    /// Removes a group; its members keep their accounts.
    pub async fn remove_group(&self, actor: &Actor, address: &str) -> Result<Report> {
        let group = self.group(address).await?;
        self.deps.directory.remove_group(group.id).await?;
        self.note(actor, "group.remove", address, None, None).await?;
        Ok(Report::Done)
    }

    /// Adds members to a group.
    pub async fn add_members(&self, actor: &Actor, address: &str, members: &[String]) -> Result<Report> {
        let group = self.group(address).await?;
        let addresses = members.iter().map(|member| parse(member)).collect::<Result<_>>()?;
        self.deps.directory.add_members(group.id, addresses).await?;
        self.note(actor, "group.join", address, None, Some(members.join(" "))).await?;
        Ok(Report::Done)
    }

    /// Takes members out of a group; stops at the first that is not in.
    pub async fn remove_members(&self, actor: &Actor, address: &str, members: &[String]) -> Result<Report> {
        let group = self.group(address).await?;
        for member in members {
            self.deps.directory.remove_member(group.id, &parse(member)?).await?;
            self.note(actor, "group.leave", address, Some(member.clone()), None).await?;
        }
        Ok(Report::Done)
    }

    async fn group(&self, address: &str) -> Result<Group> {
        let found = self.deps.directory.group(&parse(address)?).await?;
        found.ok_or_else(|| Error::not_found(format!("there is no group {address}"), format!("没有群组 {address}")))
    }
}
