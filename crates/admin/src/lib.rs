//! Every administrative act once, as a typed function. The command line is served here over a socket in the data folder, programs
//! and consoles over HTTP, by the same functions.
//!
//! ```text
//! anser account add …  ──▶ Client ──admin.sock──▶ socket::serve ──▶ Admin::run ──▶ directory, queue, store, journal
//!                             └── no server runs ──────────────────────▲
//! curl …  ── POST /admin/api ──▶ http::routes ─────────────────────────┘
//! ```
//!
//! | module | holds |
//! |---|---|
//! | [`request`] | what can be asked for |
//! | [`answer`] | what comes back: items while the act goes on, one report at its end |
//! | `acts` | the acts, as functions of [`Admin`] |
//! | [`mail`] | mail in files: mbox, Maildir, single messages, read and written |
//! | [`socket`] | both ends of the socket |
//! | [`http`] | the same over HTTP, with tokens |
//! | [`owner`] | one process owns a data folder |
//!
//! Every act that changes something is in the journal, durably, before it is answered, with who did it.

mod acts;
pub mod answer;
pub mod http;
pub mod mail;
pub mod owner;
pub mod request;
pub mod socket;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use anser_acme::Acme;
use anser_base::{Address, Clock, Disk, Entropy, Error, Result, Timestamp};
use anser_blob::Blobs;
use anser_db::Db;
use anser_delivery::Delivery;
use anser_directory::{Account, Directory};
use anser_journal::{Entry, Journal, Origin, What};
use anser_migrate::Migrate;
use anser_net::dns::Resolver;
use anser_net::{Counters, TlsAcceptor};
use anser_peers::Peers;
use anser_queue::Queue;
use anser_store::Store;
use tokio::sync::mpsc;

pub use acts::backup::{COMPLETE, restore_all};
pub use acts::sweep::{GRACE, Sweeping};
pub use answer::{Event, Failure, Item, Mail, MailHead, Out, Report};
pub use request::Request;

/// What the acts work with.
#[derive(Clone)]
pub struct Deps {
    /// Who exists.
    pub directory: Directory,
    /// What they hold.
    pub store: Store,
    /// What is under way.
    pub queue: Queue,
    /// What happened.
    pub journal: Journal,
    /// The courier: rules over stored mail, letters of the house's own.
    pub delivery: Delivery,
    /// The engine of all of them.
    pub db: Db,
    /// Bodies.
    pub blobs: Blobs,
    /// The disk that holds them.
    pub disk: Arc<dyn Disk>,
    /// The folder of all.
    pub data_dir: PathBuf,
    /// The clock.
    pub clock: Clock,
    /// Randomness for Message-IDs.
    pub entropy: Entropy,
    /// This server's name.
    pub hostname: String,
    /// Organisations that move in.
    pub moves: Migrate,
    /// What is known of other servers.
    pub peers: Peers,
    /// The DNS, to see what the world sees.
    pub resolver: Resolver,
    /// Own addresses that mail leaves from; none leaves it to the system.
    pub outbound: Vec<IpAddr>,
    /// Resolvers of others, by address: what they hold is what the world sees for now.
    pub witnesses: Vec<(String, Resolver)>,
    /// The port of the name servers of zones: 53, but in a loopback internet.
    pub name_server_port: u16,
    /// What our domains ask of other servers by MTA-STS.
    pub mta_sts: anser_web::sts::Mode,
    /// What only a server that runs has.
    pub running: Option<Arc<Running>>,
}

/// A server that runs.
pub struct Running {
    /// Since when.
    pub started: Timestamp,
    /// Its services: name, addresses, counters.
    pub services: Vec<(&'static str, Vec<SocketAddr>, Arc<Counters>)>,
    /// Its certificates.
    pub tls: Option<TlsAcceptor>,
    /// Who gets new ones.
    pub acme: Option<Acme>,
}

/// The acts. Cheap to clone.
#[derive(Clone)]
pub struct Admin {
    deps: Arc<Deps>,
    sweeping: Arc<Sweeping>,
}

/// What stands before the name of a token in the journal.
const TOKEN: &str = "token:";
/// The way of programs.
const HTTP: &str = "http";

/// Who asks for an act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The name that the journal keeps.
    pub name: String,
    /// By which way.
    pub origin: Origin,
}

impl Actor {
    /// Somebody at the server itself.
    pub fn here(name: impl Into<String>) -> Self {
        Self { name: name.into(), origin: Origin { protocol: Some("cli".to_owned()), client: None } }
    }

    /// A program that shows a token, from this address.
    pub(crate) fn program(token: &str, from: IpAddr) -> Self {
        Self { name: format!("{TOKEN}{token}"), origin: Origin::peer(HTTP, from) }
    }

    /// Whether it is one: what it holds may be in anybody's hands.
    pub(crate) fn is_program(&self) -> bool {
        self.origin.protocol.as_deref() == Some(HTTP) && self.name.starts_with(TOKEN)
    }
}

impl Admin {
    /// The acts over these parts.
    pub fn new(deps: Deps) -> Self {
        Self { deps: Arc::new(deps), sweeping: Arc::default() }
    }

    /// Does what is asked. Items and progress go to `out`; messages that an import takes come from `mails`.
    pub async fn run(&self, actor: &Actor, request: Request, mails: mpsc::Receiver<Mail>, out: &Out) -> Result<Report> {
        use Request as R;
        match request {
            R::DomainAdd { name, alias_of } => self.add_domain(actor, &name, alias_of).await,
            R::DomainList => self.list_domains(out).await,
            R::DomainShow { name } => self.show_domain(&name, out).await,
            R::DomainChange { name, change } => self.change_domain(actor, &name, change).await,
            R::DomainRemove { name } => self.remove_domain(actor, &name).await,
            R::AccountAdd { accounts, password, quota, role, shared } => {
                self.add_accounts(actor, accounts, password, quota, role, shared).await
            }
            R::AccountList { domain, state, text } => self.list_accounts(domain, state, text, out).await,
            R::AccountShow { address } => self.show_account(&address, out).await,
            R::AccountPassword { address, password } => self.set_password(actor, &address, password).await,
            R::AccountChange { address, change } => self.change_account(actor, &address, change).await,
            R::AccountSuspend { address } => self.suspend_account(actor, &address).await,
            R::AccountRestore { address } => self.restore_account(actor, &address).await,
            R::AccountRemove { address } => self.remove_account(actor, &address).await,
            R::AccountPurge { address } => self.purge_account(actor, &address).await,
            other => self.run_more(actor, other, mails, out).await,
        }
    }

    async fn run_more(
        &self,
        actor: &Actor,
        request: Request,
        mails: mpsc::Receiver<Mail>,
        out: &Out,
    ) -> Result<Report> {
        use Request as R;
        match request {
            R::SendAsAdd { address, other } => self.grant_send_as(actor, &address, &other).await,
            R::SendAsList { address } => self.list_send_as(&address, out).await,
            R::SendAsRemove { address, other } => self.revoke_send_as(actor, &address, &other).await,
            R::AppPasswordAdd { address, new } => self.add_app_password(actor, &address, &new).await,
            R::AppPasswordList { address, token } => self.list_app_passwords(&address, token, out).await,
            R::AppPasswordRevoke { address, token, id } => self.revoke_app_password(actor, &address, token, id).await,
            R::DomainDns { name, check } => self.domain_dns(&name, check, out).await,
            R::DkimAdd { domain } => self.add_dkim_keys(actor, &domain).await,
            R::DkimList { domain } => self.list_dkim_keys(&domain, out).await,
            R::DkimRotate { domain } => self.rotate_dkim_keys(actor, &domain).await,
            R::DkimRemove { domain, selector } => self.remove_dkim_key(actor, &domain, &selector).await,
            R::AliasAdd { address, target } => self.add_alias(actor, &address, &target).await,
            R::AliasList { domain } => self.list_aliases(domain, out).await,
            R::AliasRemove { address } => self.remove_alias(actor, &address).await,
            R::GroupAdd { address, name } => self.add_group(actor, &address, &name).await,
            R::GroupList => self.list_groups(out).await,
            R::GroupShow { address } => self.show_group(&address, out).await,
            R::GroupRemove { address } => self.remove_group(actor, &address).await,
            R::GroupJoin { address, members } => self.add_members(actor, &address, &members).await,
            R::GroupLeave { address, members } => self.remove_members(actor, &address, &members).await,
            R::RouteAdd { route } => self.add_route(actor, route).await,
            R::RouteList => self.list_routes(out).await,
            R::RouteRemove { pattern } => self.remove_route(actor, &pattern).await,
            R::ElsewhereChange { addresses, remove } => self.list_elsewhere(actor, &addresses, remove).await,
            R::ElsewhereList { domain } => self.listed_elsewhere(&domain, out).await,
            R::Sending { what } => self.sending(actor, what, out).await,
            R::SignIn { what } => self.sign_in(actor, what, out).await,
            R::Reports { asked } => self.reports(asked, out).await,
            R::QueueList { selection } => self.list_queue(selection, out).await,
            R::QueueShow { entry } => self.show_entry(entry, out).await,
            R::QueueAct { what, entries } => self.act_on_queue(actor, what, entries, out).await,
            R::Trace { query, limit } => self.trace(&query, limit, out).await,
            R::Check { repair, quick } => self.check(actor, repair, quick, out).await,
            R::Backup { path } => self.backup(actor, &path, out).await,
            R::RestoreOne { path, address } => self.restore_one(actor, &path, &address, out).await,
            R::Import { address } => self.import(actor, &address, mails, out).await,
            R::Export { address, folder } => self.export(actor, &address, folder, out).await,
            R::FrontDoorOpen { door } => self.open_front_door(actor, door).await,
            R::FrontDoorClose { domain } => self.close_front_door(actor, &domain).await,
            R::FrontDoorList => self.list_front_doors(out).await,
            R::PeopleImport { import } => self.import_people(actor, import, mails, out).await,
            R::Sieve { whose, what } => self.sieve(actor, &whose, what, out).await,
            R::AdminToken { what } => self.admin_token(actor, what, out).await,
            R::MoveList { name } => self.moves(name, out).await,
            R::Move { name, which, what } => self.act_on_move(actor, &name, which, what, out).await,
            R::Sweep => self.sweep().await,
            R::Reload => self.reload(actor).await,
            R::Status => self.status().await,
            other => Err(Error::invalid(format!("{other:?} is not known"), "未知操作")),
        }
    }

    /// Notes an act before it is answered.
    async fn note(
        &self,
        actor: &Actor,
        act: &str,
        object: &str,
        before: Option<String>,
        after: Option<String>,
    ) -> Result<()> {
        self.deps.journal.append_durable(administered(actor, act, object, before, after)).await
    }

    /// An account by what an administrator wrote.
    async fn account(&self, address: &str) -> Result<Arc<Account>> {
        let found = self.deps.directory.account_by_address(&parse(address)?).await?;
        found.ok_or_else(|| Error::not_found(format!("there is no account {address}"), format!("没有账号 {address}")))
    }
}

fn administered(actor: &Actor, act: &str, object: &str, before: Option<String>, after: Option<String>) -> Entry {
    let (origin, act, object) = (actor.origin.clone(), act.to_owned(), object.to_owned());
    let actor = actor.name.clone();
    Entry { origin, what: What::Administered { actor, act, object, before, after } }
}

fn parse(address: &str) -> Result<Address> {
    Address::parse(address)
        .ok_or_else(|| Error::invalid(format!("{address} is not an address"), format!("{address} 不是邮箱地址")))
}
