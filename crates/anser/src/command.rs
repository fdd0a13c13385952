//! Commands become requests; the running server does them, or this process when none runs.

use std::io::{BufRead, IsTerminal};
use std::path::{Path, PathBuf};

use anser_admin::answer::Item;
use anser_admin::request::{
    self, AccountSpec, AppPasswordSpec, ClientSpec, DomainChange, LookSpec, ProviderSpec, QueueAct, Request,
    SendingAct, SignInAct, TokenAct,
};
use anser_admin::socket::{self, Client};
use anser_admin::{Event, Mail, Out, Report};
use anser_base::{EntryId, Error, Result};
use anser_directory::looks::LOGO;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::mpsc;

use crate::cli::{
    Account, AccountAdd, Admin, AdminToken, Alias, AppPassword, Cli, ClientAdd, Dkim, Domain, Elsewhere, Entries,
    FrontDoor, FrontDoorOpen, Group, Look, LookSet, Move, NewSecret, OAuthClient, Portal, Provider, ProviderAdd, Queue,
    Reports, Route, RouteAdd, RulesSet, Selection, SendAs, Sending, SignIn, SignInRules, Token, Verb,
};
use crate::config::Config;
use crate::files;
use crate::house::{self, House};
use crate::show::Printer;
use crate::text::{self, Language, refused};
use crate::{moves, password, people, scripts, serve, watch};

/// Accounts of one request.
const ACCOUNTS: usize = 10_000;
/// Bytes of a line of `--stdin-list`.
const LINE: u64 = 4096;

/// What a command asks for.
pub struct Asked {
    /// One after the other.
    pub requests: Vec<Request>,
    /// Whether it gives a list.
    pub list: bool,
}

/// Does one command. Tells whether all is well: `check` with findings, or an import that left something out, is not.
pub fn run(cli: Cli, language: Language) -> Result<bool> {
    let config = Config::read(&cli.place.boot_file())?;
    let runtime = tokio::runtime::Runtime::new().map_err(Error::io)?;
    match cli.verb {
        Verb::Import(import) => runtime.block_on(files::import(&config, &import, cli.json, language)),
        Verb::Account(Account::Import(import)) => runtime.block_on(people::import(&config, import, cli.json, language)),
        Verb::Export(export) => runtime.block_on(files::export(&config, &export, cli.json, language)),
        Verb::Restore { path, account: None } => restore_all(&config, &whole(&path)?, cli.json, language),
        Verb::Move(Move::Status { which, watch: true }) => {
            runtime.block_on(watch::watch(&config, which.project, which.chosen.which(), language))
        }
        Verb::Move(Move::Report { project, check: Some(path), .. }) => {
            runtime.block_on(moves::check_report(&config, project, &path, language))
        }
        Verb::Move(Move::Survey { blank: true, .. }) => moves::blank_form(language),
        Verb::Move(Move::Report { project, documents: Some(folder), .. }) => {
            runtime.block_on(moves::documents(&config, project, &folder))
        }
        Verb::Move(Move::Report { project, chosen, format, check: None, documents: None }) => {
            runtime.block_on(moves::report(&config, project, chosen.which(), format))
        }
        verb => {
            let asked = asked(verb, language)?;
            runtime.block_on(do_all(&config, asked, cli.json, language))
        }
    }
}

async fn do_all(config: &Config, asked: Asked, json: bool, language: Language) -> Result<bool> {
    let mut well = true;
    let mut printer = Printer::new(language, json, asked.list);
    let bar = bar();
    for request in asked.requests {
        let proves = matches!(&request, Request::Move { what: request::MoveAct::Verify { .. }, .. });
        let mut uncompared = 0_u64;
        let report = act(config, request, mpsc::channel(1).1, |event| {
            match event {
                Event::Item(item) => {
                    uncompared += u64::from(matches!(*item, Item::MoveUncompared(_)));
                    bar.suspend(|| printer.item(&item))?;
                }
                Event::Progress { done, total } => follow(&bar, done, total),
                Event::Mail(_) | Event::Part(_) => {}
            }
            Ok(())
        })
        .await?;
        bar.finish_and_clear();
        printer.report(&report)?;
        if uncompared > 0 {
            return Err(refused(text::UNCOMPARED, &[&uncompared.to_string()]));
        }
        if let Report::Counted { count: unexplained @ 1.. } = report
            && proves
        {
            return Err(refused(text::UNEXPLAINED, &[&unexplained.to_string()]));
        }
        well &= !matches!(report, Report::Checked { findings, mended, .. } if findings > mended);
        well &= !matches!(report, Report::BackedUp { skipped: 1.., .. });
    }
    if !well {
        return Err(refused(text::FINDINGS, &[]));
    }
    Ok(well)
}

/// A progress bar when somebody looks.
pub fn bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} {per_sec} {eta}");
    ProgressBar::no_length().with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

pub fn follow(bar: &ProgressBar, done: u64, total: u64) {
    if total > 0 {
        bar.set_length(total);
    }
    bar.set_position(done);
}

/// Has one act done by the server that runs, or here.
pub async fn act(
    config: &Config,
    request: Request,
    mails: mpsc::Receiver<Mail>,
    mut each: impl FnMut(Event) -> Result<()>,
) -> Result<Report> {
    let (out, mut events) = Out::new();
    let acting = match Client::connect(&config.data_dir).await? {
        Some(client) => tokio::spawn(async move { client.run(&request, mails, &out).await }),
        None => {
            let config = config.clone();
            tokio::spawn(async move { act_here(&config, request, mails, &out).await })
        }
    };
    let mut failed = None;
    while let Some(event) = events.recv().await {
        if let Err(error) = each(event) {
            failed = Some(error);
            break;
        }
    }
    drop(events);
    let ended = acting.await.map_err(Error::unavailable)?;
    failed.map_or(ended, Err)
}

async fn act_here(config: &Config, request: Request, mails: mpsc::Receiver<Mail>, out: &Out) -> Result<Report> {
    // What root does here must belong to the server's user afterwards.
    if nix::unistd::Uid::effective().is_root() {
        serve::become_user(config.user.as_deref())?;
    }
    let actor = socket::actor(nix::unistd::Uid::current().as_raw());
    let house = House::open(config).await?;
    let admin = house.admin(None);
    let ended = admin.run(&actor, request, mails, out).await;
    drop(admin);
    house.close().await?;
    ended
}

/// A path that the server understands, whatever folder it is in.
fn whole(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(Error::io)
}

/// A whole backup, into a server that is stopped and empty.
fn restore_all(config: &Config, path: &Path, json: bool, language: Language) -> Result<bool> {
    if nix::unistd::Uid::effective().is_root() {
        serve::become_user(config.user.as_deref())?;
    }
    let (out, mut events) = Out::new();
    let bar = bar();
    let watching = {
        let bar = bar.clone();
        std::thread::spawn(move || {
            while let Some(event) = events.blocking_recv() {
                if let Event::Progress { done, total } = event {
                    follow(&bar, done, total);
                }
            }
        })
    };
    let report = house::restore_all(config, path, &out);
    drop(out);
    let _ = watching.join();
    bar.finish_and_clear();
    let report = report?;
    let runtime = tokio::runtime::Runtime::new().map_err(Error::io)?;
    let noted = runtime.block_on(async {
        let house = House::open(config).await?;
        let actor = socket::actor(nix::unistd::Uid::current().as_raw()).name;
        let (act, object) = ("restore".to_owned(), path.display().to_string());
        house.note(anser_journal::What::Administered { actor, act, object, before: None, after: None }).await?;
        house.close().await
    });
    drop(runtime);
    noted?;
    Printer::new(language, json, false).report(&report)?;
    Ok(true)
}

fn asked(verb: Verb, language: Language) -> Result<Asked> {
    let one = |request| Ok(Asked { requests: vec![request], list: false });
    let list = |request| Ok(Asked { requests: vec![request], list: true });
    match verb {
        Verb::Domain(Domain::Add { name, alias_of }) => one(Request::DomainAdd { name, alias_of }),
        Verb::Domain(Domain::List) => list(Request::DomainList),
        Verb::Domain(Domain::Show { name }) => one(Request::DomainShow { name }),
        Verb::Domain(Domain::Set { name, disabled, catch_all, postmaster, default }) => {
            let [catch_all, postmaster] = [catch_all, postmaster].map(|address| address.map(unless_none));
            one(Request::DomainChange { name, change: DomainChange { disabled, catch_all, postmaster, default } })
        }
        Verb::Domain(Domain::Remove { name }) => one(Request::DomainRemove { name }),
        Verb::Domain(Domain::Dns { name, check }) => list(Request::DomainDns { name, check }),
        Verb::Domain(Domain::Dkim(Dkim::Add { domain })) => one(Request::DkimAdd { domain }),
        Verb::Domain(Domain::Dkim(Dkim::List { domain })) => list(Request::DkimList { domain }),
        Verb::Domain(Domain::Dkim(Dkim::Rotate { domain })) => one(Request::DkimRotate { domain }),
        Verb::Domain(Domain::Dkim(Dkim::Remove { domain, selector })) => one(Request::DkimRemove { domain, selector }),
        Verb::Domain(Domain::FrontDoor(FrontDoor::List)) => list(Request::FrontDoorList),
        Verb::Domain(Domain::FrontDoor(FrontDoor::Close { domain })) => one(Request::FrontDoorClose { domain }),
        Verb::Domain(Domain::FrontDoor(FrontDoor::Open(open))) => {
            let FrontDoorOpen { domain, host, port, protocol, tls, target, bare_user, days, tries, create, most } =
                open;
            let whole_address = !bare_user;
            let door = request::FrontDoorSpec {
                domain,
                protocol,
                host,
                port,
                tls,
                target,
                whole_address,
                days,
                tries,
                create,
                most,
            };
            one(Request::FrontDoorOpen { door })
        }
        Verb::Account(account) => account_asked(account, language),
        Verb::Alias(Alias::Add { address, target }) => one(Request::AliasAdd { address, target }),
        Verb::Alias(Alias::List { domain }) => list(Request::AliasList { domain }),
        Verb::Alias(Alias::Remove { address }) => one(Request::AliasRemove { address }),
        Verb::Group(Group::Add { address, name }) => one(Request::GroupAdd { address, name }),
        Verb::Group(Group::List) => list(Request::GroupList),
        Verb::Group(Group::Show { address }) => one(Request::GroupShow { address }),
        Verb::Group(Group::Remove { address }) => one(Request::GroupRemove { address }),
        Verb::Group(Group::Join { address, members }) => one(Request::GroupJoin { address, members }),
        Verb::Group(Group::Leave { address, members }) => one(Request::GroupLeave { address, members }),
        Verb::Route(route) => route_asked(route),
        Verb::Sending(sending) => Ok(sending_asked(sending)),
        Verb::SignIn(sign_in) => sign_in_asked(sign_in),
        Verb::Reports(Reports { domain, kind, days, each }) => {
            list(Request::Reports { asked: request::ReportsAsked { domain, kind, days, each } })
        }
        Verb::Queue(Queue::List(selection)) => list(Request::QueueList { selection: selected(selection)? }),
        Verb::Queue(Queue::Show { entry }) => one(Request::QueueShow { entry: EntryId(entry) }),
        Verb::Queue(Queue::Retry(entries)) => one(queue_act(QueueAct::Retry, entries)?),
        Verb::Queue(Queue::Hold(entries)) => one(queue_act(QueueAct::Hold, entries)?),
        Verb::Queue(Queue::Release(entries)) => one(queue_act(QueueAct::Release, entries)?),
        Verb::Queue(Queue::Reroute { to: way, entries }) => one(queue_act(QueueAct::Reroute { way }, entries)?),
        Verb::Queue(Queue::Remove(entries)) => one(queue_act(QueueAct::Remove, entries)?),
        Verb::Move(act) => moves::asked(act),
        Verb::Sieve(sieve) => {
            let (request, list) = scripts::asked(sieve)?;
            Ok(Asked { requests: vec![request], list })
        }
        Verb::Admin(Admin::Token(token)) => Ok(token_asked(token)),
        Verb::Trace { query, limit } => list(Request::Trace { query, limit }),
        Verb::Check { repair, quick } => list(Request::Check { repair, quick }),
        Verb::Backup { path } => one(Request::Backup { path: whole(&path)? }),
        Verb::Restore { path, account: Some(address) } => one(Request::RestoreOne { path: whole(&path)?, address }),
        Verb::Sweep => one(Request::Sweep),
        Verb::Reload => one(Request::Reload),
        Verb::Status => one(Request::Status),
        // These have ways of their own.
        Verb::Init(_) | Verb::Serve | Verb::Dev(_) | Verb::Import(_) | Verb::Export(_) | Verb::Restore { .. } => {
            Ok(Asked { requests: Vec::new(), list: false })
        }
    }
}

fn account_asked(account: Account, language: Language) -> Result<Asked> {
    let one = |request| Ok(Asked { requests: vec![request], list: false });
    let list = |request| Ok(Asked { requests: vec![request], list: true });
    match account {
        Account::Add(add) => Ok(Asked { requests: accounts_to_add(add, language)?, list: false }),
        Account::List { domain, state, text } => list(Request::AccountList { domain, state, text }),
        Account::Show { address } => one(Request::AccountShow { address }),
        Account::Password { address, password_stdin } => {
            let password = if password_stdin { password::of_stdin()? } else { password::ask(language)? };
            one(Request::AccountPassword { address, password })
        }
        Account::Set(set) => {
            let quota = set.quota.as_deref().map(quota).transpose()?;
            let (name, services, locale, role) = (set.name, set.services, set.locale, set.role);
            let (time_zone, pop3_days, must_change) = (set.time_zone, set.pop3_days, set.must_change);
            let change =
                request::AccountChange { name, quota, services, locale, time_zone, role, pop3_days, must_change };
            one(Request::AccountChange { address: set.address, change })
        }
        // It has a way of its own.
        Account::Import(_) => Ok(Asked { requests: Vec::new(), list: false }),
        Account::Suspend { address } => one(Request::AccountSuspend { address }),
        Account::Restore { address } => one(Request::AccountRestore { address }),
        Account::Remove { address } => one(Request::AccountRemove { address }),
        Account::Purge { address } => one(Request::AccountPurge { address }),
        Account::SendAs(SendAs::Add { address, other }) => one(Request::SendAsAdd { address, other }),
        Account::SendAs(SendAs::List { address }) => list(Request::SendAsList { address }),
        Account::SendAs(SendAs::Remove { address, other }) => one(Request::SendAsRemove { address, other }),
        Account::AppPassword(AppPassword::Add(new)) => one(secret_to_add(new, false)),
        Account::AppPassword(AppPassword::List { address }) => list(Request::AppPasswordList { address, token: false }),
        Account::AppPassword(AppPassword::Revoke { address, id }) => {
            one(Request::AppPasswordRevoke { address, token: false, id })
        }
        Account::Token(Token::Add(new)) => one(secret_to_add(new, true)),
        Account::Token(Token::List { address }) => list(Request::AppPasswordList { address, token: true }),
        Account::Token(Token::Remove { address, id }) => one(Request::AppPasswordRevoke { address, token: true, id }),
    }
}

fn route_asked(route: Route) -> Result<Asked> {
    let one = |request| Ok(Asked { requests: vec![request], list: false });
    let list = |request| Ok(Asked { requests: vec![request], list: true });
    match route {
        Route::Add(add) => {
            let password = add.password_stdin.then(password::of_stdin).transpose()?;
            let RouteAdd { pattern, way, tls, login: user, accept, hours, expires: days, .. } = add;
            let open_when_down = add.accept_when_down;
            let route = request::RouteSpec { pattern, way, tls, user, password, accept, open_when_down, hours, days };
            one(Request::RouteAdd { route })
        }
        Route::List => list(Request::RouteList),
        Route::Remove { pattern } => one(Request::RouteRemove { pattern }),
        Route::Address(Elsewhere::List { domain }) => list(Request::ElsewhereList { domain }),
        Route::Address(Elsewhere::Add { addresses }) => elsewhere(addresses, false),
        Route::Address(Elsewhere::Remove { addresses }) => elsewhere(addresses, true),
    }
}

fn sending_asked(sending: Sending) -> Asked {
    let list = matches!(sending, Sending::Limits | Sending::Held);
    let what = match sending {
        Sending::Limit { scope, per_hour, per_day, new_per_day } => {
            SendingAct::Limit { scope, per_hour, per_day, new_per_day }
        }
        Sending::Limits => SendingAct::Limits,
        Sending::Forget { scope } => SendingAct::Forget { scope },
        Sending::Held => SendingAct::Held,
        Sending::Hold { address } => SendingAct::Hold { address },
        Sending::Release { address } => SendingAct::Release { address },
    };
    Asked { requests: vec![Request::Sending { what }], list }
}

fn sign_in_asked(sign_in: SignIn) -> Result<Asked> {
    let is_list = |what: &SignInAct| {
        matches!(
            what,
            SignInAct::Sessions { .. }
                | SignInAct::Required
                | SignInAct::ClientList
                | SignInAct::PortalList
                | SignInAct::ProviderList
                | SignInAct::RulesList
                | SignInAct::LookList
        )
    };
    let what = match sign_in {
        SignIn::Sessions { address } => SignInAct::Sessions { address },
        SignIn::End { address, session } => SignInAct::End { address, id: session },
        SignIn::SecondFactor { address } => SignInAct::SecondFactor { address },
        SignIn::Reset { address } => SignInAct::Reset { address },
        SignIn::Require { scope } => SignInAct::Require { scope, required: true },
        SignIn::Free { scope } => SignInAct::Require { scope, required: false },
        SignIn::Required => SignInAct::Required,
        SignIn::Client(OAuthClient::Add(ClientAdd { client, name, redirect, services, confidential })) => {
            let client = ClientSpec { id: client, name, redirects: redirect, services, confidential };
            SignInAct::ClientAdd { client }
        }
        SignIn::Rules(SignInRules::Set(RulesSet { scope, idle, longest, password_length, password_kinds, doors })) => {
            let rules = request::SignInRules {
                scope,
                idle_minutes: idle,
                longest_hours: longest,
                password_length,
                password_kinds,
                services: doors,
            };
            SignInAct::RulesSet { rules }
        }
        SignIn::Rules(SignInRules::List) => SignInAct::RulesList,
        SignIn::Rules(SignInRules::Remove { scope }) => SignInAct::RulesRemove { scope },
        SignIn::Look(Look::Set(set)) => look_to_set(set)?,
        SignIn::Look(Look::List) => SignInAct::LookList,
        SignIn::Look(Look::Remove { scope }) => SignInAct::LookRemove { scope },
        SignIn::Provider(Provider::Add(add)) => provider_to_add(add)?,
        SignIn::Provider(Provider::List) => SignInAct::ProviderList,
        SignIn::Provider(Provider::Remove { provider }) => SignInAct::ProviderRemove { id: provider },
        SignIn::Provider(Provider::Link { provider, person, address }) => {
            SignInAct::ProviderLink { id: provider, person, address: Some(address) }
        }
        SignIn::Provider(Provider::Unlink { provider, person }) => {
            SignInAct::ProviderLink { id: provider, person, address: None }
        }
        SignIn::Portal(Portal::Add { portal, vouches_for, public_key }) => {
            SignInAct::PortalAdd { id: portal, scope: vouches_for, key: public_key }
        }
        SignIn::Portal(Portal::List) => SignInAct::PortalList,
        SignIn::Portal(Portal::Remove { portal }) => SignInAct::PortalRemove { id: portal },
        SignIn::Client(OAuthClient::List) => SignInAct::ClientList,
        SignIn::Client(OAuthClient::Remove { client }) => SignInAct::ClientRemove { id: client },
    };
    let list = is_list(&what);
    Ok(Asked { requests: vec![Request::SignIn { what }], list })
}

fn token_asked(token: AdminToken) -> Asked {
    let list = matches!(token, AdminToken::List);
    let what = match token {
        AdminToken::Add { name, scopes, of_move, days } => TokenAct::Add { name, scopes, of_move, days },
        AdminToken::List => TokenAct::List,
        AdminToken::Revoke { name } => TokenAct::Revoke { name },
    };
    Asked { requests: vec![Request::AdminToken { what }], list }
}

fn look_to_set(set: LookSet) -> Result<SignInAct> {
    let LookSet { scope, layout, colour, name, name_en, line, line_en, logo } = set;
    let both = |zh: Option<String>, en: Option<String>| zh.map(|zh| [zh.clone(), en.unwrap_or(zh)]);
    let (name, line) = (both(name, name_en), both(line, line_en));
    let logo = logo.map(|file| files::beginning(&file, LOGO as u64 + 1)).transpose()?;
    Ok(SignInAct::LookSet { look: LookSpec { scope, layout, colour, name, line, logo } })
}

fn provider_to_add(add: ProviderAdd) -> Result<SignInAct> {
    let secret = add.secret_stdin.then(password::of_stdin).transpose()?;
    let provider = ProviderSpec {
        name: add.name,
        scope: add.speaks_for,
        kind: add.kind,
        url: add.url,
        client: add.client,
        claim: add.claim,
        names: add.names,
        password: !add.no_password,
        second_factor: !add.no_second_factor,
        id: add.provider,
    };
    Ok(SignInAct::ProviderAdd { provider, secret })
}

fn elsewhere(mut addresses: Vec<String>, remove: bool) -> Result<Asked> {
    if addresses.is_empty() {
        addresses.extend(listed(&mut std::io::stdin().lock())?.into_iter().map(|account| account.address));
    }
    let request = |some: &[String]| Request::ElsewhereChange { addresses: some.to_vec(), remove };
    Ok(Asked { requests: addresses.chunks(ACCOUNTS).map(request).collect(), list: false })
}

/// An address, or the word that takes it away.
fn unless_none(address: String) -> String {
    if address == "none" { String::new() } else { address }
}

fn secret_to_add(new: NewSecret, token: bool) -> Request {
    let NewSecret { address, name, services, expires } = new;
    Request::AppPasswordAdd { address, new: AppPasswordSpec { name, token, services, days: expires } }
}

fn accounts_to_add(add: AccountAdd, language: Language) -> Result<Vec<Request>> {
    let mut stdin = std::io::stdin().lock();
    let password = match (add.no_password || (add.shared && !add.password_stdin), add.password_stdin, add.stdin_list) {
        (true, ..) => None,
        (_, true, true) => Some(password::of_line(&mut stdin)?),
        (_, true, false) => {
            drop(stdin);
            let password = password::of_stdin()?;
            stdin = std::io::stdin().lock();
            Some(password)
        }
        (_, false, true) => return Err(refused(text::PASSWORD_WANTED, &[])),
        (_, false, false) => Some(password::ask(language)?),
    };
    let named = |address| AccountSpec { address, name: add.name.clone() };
    let mut accounts: Vec<AccountSpec> = add.addresses.into_iter().map(named).collect();
    if add.stdin_list {
        accounts.extend(listed(&mut stdin)?);
    }
    if accounts.is_empty() {
        return Err(refused(text::ADDRESS_WANTED, &[]));
    }
    let quota = add.quota.as_deref().map(quota).transpose()?.unwrap_or(0);
    let request = |some: &[AccountSpec]| Request::AccountAdd {
        accounts: some.to_vec(),
        password: password.clone(),
        quota,
        role: add.role.clone(),
        shared: add.shared,
    };
    Ok(accounts.chunks(ACCOUNTS).map(request).collect())
}

/// `ADDRESS [NAME]` a line; empty lines are passed over.
pub fn listed(input: &mut impl BufRead) -> Result<Vec<AccountSpec>> {
    let mut accounts = Vec::new();
    let mut line = String::new();
    loop {
        line.clear();
        if std::io::Read::take(&mut *input, LINE).read_line(&mut line).map_err(Error::io)? == 0 {
            return Ok(accounts);
        }
        let (address, name) = line.trim().split_once(char::is_whitespace).unwrap_or((line.trim(), ""));
        if !address.is_empty() {
            accounts.push(AccountSpec { address: address.to_owned(), name: name.trim().to_owned() });
        }
    }
}

fn selected(selection: Selection) -> Result<request::Selection> {
    let Selection { sender, recipient, domain, why, older, newer, held } = selection;
    let (older, newer) = (older.as_deref().map(age).transpose()?, newer.as_deref().map(age).transpose()?);
    Ok(request::Selection { sender, recipient, domain, why, older, newer, held: held.then_some(true) })
}

/// Minutes of `30m`, `4h`, `2d`.
fn age(text: &str) -> Result<u64> {
    let bad = || refused(text::NO_AGE, &[text]);
    let unit = text.chars().next_back().ok_or_else(bad)?;
    let minutes = match unit {
        'm' => 1,
        'h' => 60,
        'd' => 24 * 60,
        _ => return Err(bad()),
    };
    let number: u64 = text[..text.len() - 1].parse().map_err(|_| bad())?;
    number.checked_mul(minutes).ok_or_else(bad)
}

fn queue_act(what: QueueAct, entries: Entries) -> Result<Request> {
    let selection = selected(entries.selection)?;
    let chosen = entries.all || selection != request::Selection::default();
    let entries = match (entries.entries.is_empty(), chosen) {
        (false, false) => request::Entries::These(entries.entries.into_iter().map(EntryId).collect()),
        (true, true) => request::Entries::Matching(selection),
        _ => return Err(refused(text::ENTRY_WANTED, &[])),
    };
    Ok(Request::QueueAct { what, entries })
}

/// `500MB`, `5GiB`, `1048576`, `0`.
pub fn quota(text: &str) -> Result<u64> {
    const UNITS: [(&str, u64); 9] = [
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("TiB", 1 << 40),
        ("KB", 1_000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("TB", 1_000_000_000_000),
        ("B", 1),
    ];
    let bad = || refused(text::QUOTA_BAD, &[text]);
    let at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let unit = match text[at..].trim() {
        "" => 1,
        unit => UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)).ok_or_else(bad)?.1,
    };
    text[..at].parse::<u64>().ok().and_then(|number| number.checked_mul(unit)).ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_are_sizes_with_units() {
        for (text, bytes) in [("5GiB", 5 << 30), ("500mb", 500_000_000), ("0", 0), ("1 KiB", 1024), ("7B", 7)] {
            assert_eq!(quota(text).unwrap(), bytes);
        }
        for text in ["", "GiB", "-1", "1.5GB", "5 parsecs", "99999999TiB"] {
            assert!(quota(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn lists_of_accounts_are_lines_of_address_and_name() {
        let mut input = &b"ann@x.y Ann Onym\n\n  bob@x.y\n"[..];
        let found = listed(&mut input).unwrap();
        let found: Vec<_> = found.iter().map(|one| (&*one.address, &*one.name)).collect();
        assert_eq!(found, [("ann@x.y", "Ann Onym"), ("bob@x.y", "")]);
    }
}
