//! Accounts and their app passwords.

use std::time::Duration;

use anser_base::{Address, Durability, Error, Result};
use anser_directory::admin::accounts::ACCOUNTS_AT_ONCE;
use anser_directory::{
    Account, AccountFilter, AccountState, AppPassword, AppPasswordId, AppPasswordKind, Locale, NewAccount, Password,
    Role, Services, TimeZone,
};
use anser_pop3::Options;
use anser_store::MailTx;

use crate::answer::{AccountView, AppPasswordView, Item, Out, Report};
use crate::request::{AccountChange, AccountSpec, AppPasswordSpec, Plain};
use crate::{Actor, Admin, administered, parse};

impl Admin {
    /// Adds accounts, all or none of each [`ACCOUNTS_AT_ONCE`]; one password for all, hashed once. Without a password nothing opens
    /// them until one is set. With `shared` they are nobody's own, and their mailboxes show below `Shared/` to those who are given rights.
    pub async fn add_accounts(
        &self,
        actor: &Actor,
        accounts: Vec<AccountSpec>,
        password: Option<Plain>,
        quota: u64,
        role: Option<String>,
        shared: bool,
    ) -> Result<Report> {
        let role = role.as_deref().map_or(Ok(Role::None), role_named)?;
        let directory = &self.deps.directory;
        let password = match password {
            Some(plain) => Password::Made(directory.make_secret(&plain.0).await?),
            None => Password::None,
        };
        let new = |spec: &AccountSpec| -> Result<NewAccount> {
            let made = NewAccount::new(parse(&spec.address)?, password.clone());
            Ok(NewAccount { name: spec.name.clone(), quota_bytes: quota, role, shared, ..made })
        };
        let all: Vec<NewAccount> = accounts.iter().map(new).collect::<Result<_>>()?;
        for some in all.chunks(ACCOUNTS_AT_ONCE) {
            directory.add_accounts(some.to_vec()).await?;
            for account in some {
                let address = account.address.to_string();
                self.deps.journal.append(administered(actor, "account.create", &address, None, None)).await?;
            }
        }
        self.deps.journal.flush().await?;
        Ok(Report::Counted { count: all.len() as u64 })
    }

    /// Accounts by address: of one domain, in one state (`active`, `suspended`, `removed`), with a text in address or name, or all.
    pub async fn list_accounts(
        &self,
        domain: Option<String>,
        state: Option<String>,
        text: Option<String>,
        out: &Out,
    ) -> Result<Report> {
        let state = state.as_deref().map(state_named).transpose()?;
        let mut filter = AccountFilter { domain, state, text, ..AccountFilter::default() };
        loop {
            let page = self.deps.directory.accounts(filter.clone()).await?;
            for account in &page.accounts {
                out.item(Item::Account(view(account))).await?;
            }
            match page.next {
                Some(next) => filter.after = Some(next),
                None => return Ok(Report::Done),
            }
        }
    }

    /// One account with what its mail takes and its aliases.
    pub async fn show_account(&self, address: &str, out: &Out) -> Result<Report> {
        let account = self.account(address).await?;
        let (used, messages) = self.deps.store.read(account.id, |tx| Ok((tx.used(), tx.messages()))).await?;
        let aliases = self.deps.directory.aliases_of(account.id).await?;
        let aliases = Some(aliases.iter().map(Address::to_string).collect());
        let shown = AccountView { used: Some(used), messages: Some(messages), aliases, ..view(&account) };
        out.item(Item::Account(shown)).await?;
        Ok(Report::Done)
    }

    /// Sets a new password.
    pub async fn set_password(&self, actor: &Actor, address: &str, password: Plain) -> Result<Report> {
        let account = self.account(address).await?;
        self.deps.directory.set_password(account.id, &Password::Plain(password.0), false).await?;
        self.note(actor, "account.password", address, None, None).await?;
        Ok(Report::Done)
    }

    /// Changes what the request names; what can be wrong with it is checked before anything is changed.
    pub async fn change_account(&self, actor: &Actor, address: &str, change: AccountChange) -> Result<Report> {
        let account = self.account(address).await?;
        let services = change.services.as_deref().map(services_named).transpose()?;
        let role = change.role.as_deref().map(role_named).transpose()?;
        let pop3 = change.pop3_days.map(pop3_options).transpose()?;
        let zone = change.time_zone.as_deref().map(zone_or_none).transpose()?;
        let directory = &self.deps.directory;
        if let Some(name) = &change.name {
            directory.set_name(account.id, name).await?;
        }
        if let Some(quota) = change.quota {
            directory.set_quota(account.id, quota).await?;
        }
        if let Some(services) = services {
            directory.set_services(account.id, services).await?;
        }
        if let Some(locale) = &change.locale {
            directory.set_locale(account.id, Locale::from_text(locale)).await?;
        }
        if let Some(zone) = &zone {
            directory.set_time_zone(account.id, zone.as_ref()).await?;
        }
        if let Some(role) = role {
            directory.set_role(account.id, role).await?;
        }
        if let Some(options) = pop3 {
            directory.set_pop3_options(account.id, &options.to_string()).await?;
        }
        if let Some(must) = change.must_change {
            directory.set_must_change(account.id, must).await?;
        }
        let after = self.account(address).await?;
        self.note(actor, "account.change", address, Some(in_words(&account)), Some(in_words(&after))).await?;
        Ok(Report::Done)
    }

    /// Suspends an account: nobody logs in.
    pub async fn suspend_account(&self, actor: &Actor, address: &str) -> Result<Report> {
        let account = self.account(address).await?;
        self.deps.directory.suspend(account.id).await?;
        self.note_state(actor, "account.suspend", &account, AccountState::Suspended).await
    }

    /// Makes a suspended or removed account active again.
    pub async fn restore_account(&self, actor: &Actor, address: &str) -> Result<Report> {
        let account = self.account(address).await?;
        self.deps.directory.restore(account.id).await?;
        self.note_state(actor, "account.restore", &account, AccountState::Active).await
    }

    /// Removes an account; it can be restored until it is purged.
    pub async fn remove_account(&self, actor: &Actor, address: &str) -> Result<Report> {
        let account = self.account(address).await?;
        self.deps.directory.remove(account.id).await?;
        self.note_state(actor, "account.remove", &account, AccountState::Removed).await
    }

    /// Forgets a removed account for good: what it moves and fetches with its passwords, its mail, then the account. `Class::Conflict` when it was not removed before.
    pub async fn purge_account(&self, actor: &Actor, address: &str) -> Result<Report> {
        let account = self.account(address).await?;
        if account.state != AccountState::Removed {
            return Err(Error::new(
                anser_base::Class::Conflict,
                "remove the account before it is purged",
                "请先删除账号再彻底清除",
            ));
        }
        self.deps.moves.forget_account(account.id).await?;
        self.deps.store.write(account.id, Durability::Sync, destroy_all).await?;
        self.deps.directory.purge(account.id).await?;
        self.note(actor, "account.purge", address, None, None).await?;
        Ok(Report::Done)
    }

    /// Makes an app password or a token for some services, for all when none is named. It is shown this once.
    pub async fn add_app_password(&self, actor: &Actor, address: &str, new: &AppPasswordSpec) -> Result<Report> {
        let AppPasswordSpec { name, token, services, days } = new;
        let account = self.account(address).await?;
        let services = if services.is_empty() { Services::ALL } else { services_named(services)? };
        let life = days.map(|days| Duration::from_secs(u64::from(days) * 24 * 3600));
        let made = self.deps.directory.add_app_password(account.id, kind(*token), name, services, life).await?;
        let act = if *token { "token.create" } else { "app-password.create" };
        self.note(actor, act, address, None, Some(name.clone())).await?;
        Ok(Report::AppPassword { token: *token, id: made.id.0, password: made.password })
    }

    /// The app passwords or the tokens of an account, oldest first.
    pub async fn list_app_passwords(&self, address: &str, token: bool, out: &Out) -> Result<Report> {
        let account = self.account(address).await?;
        for one in self.deps.directory.app_passwords(account.id, kind(token)).await? {
            out.item(Item::AppPassword(app_password_view(&one))).await?;
        }
        Ok(Report::Done)
    }

    /// Makes an app password or a token worthless.
    pub async fn revoke_app_password(&self, actor: &Actor, address: &str, token: bool, id: u64) -> Result<Report> {
        let account = self.account(address).await?;
        self.deps.directory.revoke_app_password(account.id, kind(token), AppPasswordId(id)).await?;
        let act = if token { "token.revoke" } else { "app-password.revoke" };
        self.note(actor, act, address, Some(id.to_string()), None).await?;
        Ok(Report::Done)
    }

    async fn note_state(&self, actor: &Actor, act: &str, account: &Account, to: AccountState) -> Result<Report> {
        let (before, after) = (state_name(account.state).to_owned(), state_name(to).to_owned());
        self.note(actor, act, &account.address.to_string(), Some(before), Some(after)).await?;
        Ok(Report::Done)
    }
}

/// Empties every mailbox and removes all but the inbox, the deepest first. No pass of a move that is still under way stores anything
/// afterwards.
fn destroy_all(tx: &mut MailTx<'_, '_>) -> Result<()> {
    tx.forget_ledgers()?;
    let mut deepest_first = Vec::new();
    for mailbox in tx.mailboxes()? {
        deepest_first.push((tx.path(mailbox.id)?.len(), mailbox.id));
    }
    deepest_first.sort_by(|a, b| b.cmp(a));
    let inbox = tx.inbox()?.id;
    for (_, mailbox) in deepest_first {
        match mailbox == inbox {
            true => {
                let mut uids = Vec::new();
                tx.each_entry(mailbox, |entry| uids.push(entry.uid))?;
                tx.expunge(mailbox, &uids, false)?;
            }
            false => tx.delete_mailbox(mailbox)?,
        }
    }
    Ok(())
}

fn view(account: &Account) -> AccountView {
    AccountView {
        id: account.id.0,
        address: account.address.to_string(),
        name: account.name.clone(),
        state: state_name(account.state).to_owned(),
        quota: account.quota_bytes,
        locale: account.locale.as_str().to_owned(),
        time_zone: account.zone().to_string(),
        services: account.services.names().into_iter().map(str::to_owned).collect(),
        role: account.role.as_str().to_owned(),
        created: account.created.to_string(),
        must_change: account.must_change_password,
        pop3_days: Options::parse(&account.pop3_options).ok().and_then(|options| options.days),
        removed: account.removed.map(|at| at.to_string()),
        used: None,
        messages: None,
        aliases: None,
    }
}

fn app_password_view(one: &AppPassword) -> AppPasswordView {
    AppPasswordView {
        id: one.id.0,
        name: one.name.clone(),
        services: one.services.names().into_iter().map(str::to_owned).collect(),
        created: one.created.to_string(),
        last_used: one.last_used.map(|at| at.to_string()),
        expires: one.expires.map(|at| at.to_string()),
    }
}

/// What the journal keeps of an account.
fn in_words(account: &Account) -> String {
    format!(
        "name={:?} quota={} services={} locale={} time-zone={} role={} must-change={} pop3={:?}",
        account.name,
        account.quota_bytes,
        account.services.names().join(","),
        account.locale.as_str(),
        account.zone(),
        account.role.as_str(),
        account.must_change_password,
        account.pop3_options
    )
}

/// A zone by its name; the empty name is for the one of the language.
fn zone_or_none(name: &str) -> Result<Option<TimeZone>> {
    if name.is_empty() { Ok(None) } else { TimeZone::parse(name).map(Some) }
}

fn kind(token: bool) -> AppPasswordKind {
    if token { AppPasswordKind::Bearer } else { AppPasswordKind::Typed }
}

fn pop3_options(days: u32) -> Result<Options> {
    if days == 0 { Ok(Options::default()) } else { Options::parse(&format!("days={days}")) }
}

fn state_name(state: AccountState) -> &'static str {
    match state {
        AccountState::Active => "active",
        AccountState::Suspended => "suspended",
        AccountState::Removed => "removed",
    }
}

fn state_named(name: &str) -> Result<AccountState> {
    [AccountState::Active, AccountState::Suspended, AccountState::Removed]
        .into_iter()
        .find(|state| state_name(*state) == name)
        .ok_or_else(|| Error::invalid(format!("there is no account state {name}"), format!("没有账号状态 {name}")))
}

fn role_named(name: &str) -> Result<Role> {
    let role = Role::from_text(if name == "none" { "" } else { name });
    role.ok_or_else(|| Error::invalid(format!("there is no role {name}"), format!("没有角色 {name}")))
}

pub(super) fn services_named(names: &[String]) -> Result<Services> {
    names.iter().try_fold(Services::NONE, |all, name| {
        let one = Services::by_name(name);
        one.map(|one| all.with(one))
            .ok_or_else(|| Error::invalid(format!("there is no service {name}"), format!("没有服务 {name}")))
    })
}
