//! The life of a server: bind, drop privileges, open, serve, drain, close.

use std::sync::Arc;
use std::time::Duration;

use anser_admin::{Admin, Running, socket};
use anser_base::{Error, Result};
use anser_directory::{AccountFilter, Directory};
use anser_journal::What;
use anser_net::{BoundListener, CertificateSource, Shutdown, TlsAcceptor, bind, bind_local, serve_local};
use anser_store::Store;
use nix::unistd::{Gid, Uid, User, initgroups, setgid, setuid};
use sd_notify::NotifyState;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;

use crate::config::Config;
use crate::doors::{self, Allowed, Bound};
use crate::house::House;
use crate::text::{self, refused};
use crate::{memory, metrics};

/// This program, whatever stands in its file now.
const MYSELF: &str = "/proc/self/exe";
/// How often, after the start, some more accounts are looked at for mail without an index.
const STIR_EVERY: Duration = Duration::from_secs(10);
/// How long sessions may take to end.
const GRACE: Duration = Duration::from_secs(10);
/// How often the DNS of domains that move is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(3600);
/// How often bodies that nothing refers to are looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(24 * 3600);
/// How long after the start the first look comes.
const FIRST_SWEEP: Duration = Duration::from_secs(3600);

/// What a server needs before it has a runtime.
pub struct Prepared {
    config: Config,
    bound: Vec<Bound>,
    watchers: Vec<BoundListener>,
    tls: Option<TlsAcceptor>,
}

/// Binds, then becomes the user of the boot file.
pub fn prepare(config: Config) -> Result<Prepared> {
    if let Err(error) = anser_net::listen::raise_open_files() {
        tracing::warn!(error = error.chain(), "the limit of open files stays as it is");
    }
    let bound = doors::bind_all(&config)?;
    let watchers = config.listen.get("admin").map_or(Ok(Vec::new()), |addresses| bind(addresses))?;
    become_user(config.user.as_deref())?;
    let files = |tls: &crate::config::Tls| {
        TlsAcceptor::new(vec![CertificateSource::Files(tls.certificate.clone(), tls.key.clone())])
    };
    let tls = config.tls.as_ref().map(files).transpose()?;
    Ok(Prepared { config, bound, watchers, tls })
}

/// Serves until a signal ends it; `ready` is called when every listener accepts.
pub fn run(
    prepared: Prepared,
    allowed: Allowed,
    first: impl AsyncFnOnce(&Admin) -> Result<()>,
    ready: impl FnOnce(),
) -> Result<()> {
    let runtime = Runtime::new().map_err(Error::io)?;
    let ended = runtime.block_on(serve(prepared, allowed, first, ready));
    // What is left of tasks goes here, and with the last handle the engine closes its files.
    drop(runtime);
    ended
}

async fn serve(
    prepared: Prepared,
    allowed: Allowed,
    first: impl AsyncFnOnce(&Admin) -> Result<()>,
    ready: impl FnOnce(),
) -> Result<()> {
    let mut signals = Signals::new()?;
    let Prepared { config, bound, watchers, tls } = prepared;
    let house = House::open(&config).await?;
    let services = bound.iter().map(Bound::shown).collect();
    let acme = tls.as_ref().and_then(|tls| house.acme(tls));
    let running = Running { started: house.clock.now(), services, tls: tls.clone(), acme: acme.clone() };
    let running = Arc::new(running);
    let admin = house.admin(Some(running.clone()));
    first(&admin).await?;
    house.note(What::Started { version: env!("CARGO_PKG_VERSION").to_owned() }).await?;

    let (doors, inner) = (Shutdown::new(), Shutdown::new());
    let mut sessions = doors::open_all(bound, &house, &admin, &config, tls.as_ref(), acme.as_ref(), allowed, &doors);
    let mut helpers = helpers(&house, &admin, &config, &inner)?;
    if let Some(acme) = acme {
        let ending = inner.clone();
        helpers.spawn(async move { acme.run(ending).await });
    }
    if let Some(tls) = &tls {
        let (deps, ending) = (house.certificates(tls), inner.clone());
        helpers.spawn(async move { anser_acme::watch(&deps, ending).await });
    }
    helpers.spawn(metrics::serve(watchers, admin.clone(), house.journal.clone(), running.clone(), inner.clone()));
    let delivery = house.delivery.clone();
    let delivering = Shutdown::new();
    let mut courier = tokio::spawn({
        let delivering = delivering.clone();
        async move { delivery.run(delivering).await }
    });
    tracing::info!(hostname = config.hostname, version = env!("CARGO_PKG_VERSION"), "ready");
    say(&[NotifyState::Ready]);
    ready();

    let reason = tokio::select! {
        reason = signals.wait(&admin) => reason,
        // The disk lost what it was given: only a new start, without saying goodbye, puts that right.
        ended = &mut courier => return ended.map_err(Error::unavailable)?,
    };
    say(&[NotifyState::Stopping]);
    tracing::info!(reason, "stopping");
    tokio::spawn(async move {
        signals.next_end().await;
        tracing::warn!("stopping at once");
        std::process::exit(1);
    });
    doors.begin(GRACE);
    while sessions.join_next().await.is_some() {}
    inner.begin(GRACE);
    while helpers.join_next().await.is_some() {}
    delivering.begin(GRACE);
    courier.await.map_err(Error::unavailable)??;
    house.note(What::Stopped { reason: reason.to_owned() }).await?;
    house.close().await?;
    tracing::info!("stopped");
    Ok(())
}

/// The command line's socket, the sweeper, the watchdog.
fn helpers(house: &House, admin: &Admin, config: &Config, shutdown: &Shutdown) -> Result<JoinSet<()>> {
    let mut tasks = JoinSet::new();
    let listener = bind_local(&socket::path(&config.data_dir))?;
    let (acts, ending) = (admin.clone(), shutdown.clone());
    tasks.spawn(serve_local(listener, ending, move |reader, writer, uid| {
        socket::serve(acts.clone(), reader, writer, uid)
    }));
    let (acts, ending) = (admin.clone(), shutdown.clone());
    tasks.spawn(async move {
        let _ = ending.or(sweep_daily(acts)).await;
    });
    let (acts, ending) = (admin.clone(), shutdown.clone());
    tasks.spawn(async move {
        let _ = ending.or(look_hourly(acts)).await;
    });
    house.store.read_documents_with(anser_store::documents_in(MYSELF.into()));
    let (indexer, directory, ending) = (house.store.indexer(), house.directory.clone(), shutdown.clone());
    tasks.spawn(async move {
        let tenant_of = |account| {
            let directory = directory.clone();
            async move { Ok(directory.account(account).await?.map(|account| account.tenant)) }
        };
        let _ = ending.or(indexer.run(tenant_of)).await;
    });
    let (jobs, ending) = (house.delivery.jobs().clone(), shutdown.clone());
    tasks.spawn(async move {
        let _ = ending.or(jobs.run()).await;
    });
    let (delivery, ending) = (house.delivery.clone(), shutdown.clone());
    tasks.spawn(async move {
        let _ = ending.or(delivery.run_feedback()).await;
    });
    let (store, directory, ending) = (house.store.clone(), house.directory.clone(), shutdown.clone());
    tasks.spawn(async move {
        let _ = ending.or(stir_all(store, directory)).await;
    });
    let (moves, ending) = (house.moves.clone(), shutdown.clone());
    tasks.spawn(async move { moves.run(ending).await });
    let (moves, ending) = (house.moves.clone(), shutdown.clone());
    tasks.spawn(async move {
        let _ = ending.or(memory::give_back_after_moves(moves)).await;
    });
    if let Some(limit) = sd_notify::watchdog_enabled() {
        let (directory, ending) = (house.directory.clone(), shutdown.clone());
        tasks.spawn(async move {
            let _ = ending.or(feed_watchdog(directory, limit / 3)).await;
        });
    }
    Ok(tasks)
}

/// What the last run left without an index is found, slowly: until an account's turn comes its searches read what is missing.
async fn stir_all(store: Store, directory: Directory) {
    let mut filter = AccountFilter::default();
    loop {
        tokio::time::sleep(STIR_EVERY).await;
        match directory.accounts(filter.clone()).await {
            Ok(page) => {
                page.accounts.iter().for_each(|account| store.stir_index(account.id));
                match page.next {
                    Some(next) => filter.after = Some(next),
                    None => return,
                }
            }
            Err(error) => tracing::warn!(error = error.chain(), "accounts to be indexed could not be listed"),
        }
    }
}

async fn sweep_daily(admin: Admin) {
    tokio::time::sleep(FIRST_SWEEP).await;
    loop {
        match admin.sweep().await {
            Ok(report) => tracing::info!(?report, "bodies were swept"),
            Err(error) => tracing::error!(error = error.chain(), "bodies could not be swept; nothing was deleted"),
        }
        tokio::time::sleep(SWEEP_EVERY).await;
    }
}

/// Remembers what the DNS says of domains that move, so that nobody has to look before it counts.
async fn look_hourly(admin: Admin) {
    loop {
        if let Err(error) = admin.look_at_moves().await {
            tracing::warn!(error = error.chain(), "the DNS of domains that move could not be looked at");
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Says that all is well as long as the engine answers.
async fn feed_watchdog(directory: Directory, every: Duration) {
    loop {
        match directory.default_domain().await {
            Ok(_) => say(&[NotifyState::Watchdog]),
            Err(error) => tracing::error!(error = error.chain(), "the engine does not answer"),
        }
        tokio::time::sleep(every).await;
    }
}

/// Tells the service manager; without one nothing happens.
fn say(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "the service manager was not told");
    }
}

/// What the process is told by signals.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn new() -> Result<Self> {
        let of = |kind| signal(kind).map_err(Error::io);
        Ok(Self {
            terminate: of(SignalKind::terminate())?,
            interrupt: of(SignalKind::interrupt())?,
            hangup: of(SignalKind::hangup())?,
        })
    }

    /// Waits for the end; reloads meanwhile as often as it is told to.
    async fn wait(&mut self, admin: &Admin) -> &'static str {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return "SIGTERM",
                _ = self.interrupt.recv() => return "SIGINT",
                _ = self.hangup.recv() => {
                    let actor = anser_admin::Actor::here("SIGHUP");
                    if let Err(error) = admin.reload(&actor).await {
                        tracing::error!(error = error.chain(), "nothing was reloaded; what was there stays");
                    }
                }
            }
        }
    }

    async fn next_end(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Becomes a user for good. Nothing happens when the process is that user already.
pub fn become_user(name: Option<&str>) -> Result<()> {
    let Some(name) = name else { return Ok(()) };
    let user = User::from_name(name).ok().flatten().ok_or_else(|| refused(text::NO_USER, &[name]))?;
    if Uid::effective() == user.uid {
        return Ok(());
    }
    if !Uid::effective().is_root() {
        return Err(refused(text::NOT_ROOT, &[name]));
    }
    let name = std::ffi::CString::new(name).map_err(Error::unavailable)?;
    let changed = initgroups(&name, user.gid).and_then(|()| setgid(user.gid)).and_then(|()| setuid(user.uid));
    changed.map_err(|error| Error::io(error.into()))?;
    debug_assert_eq!((Uid::effective(), Gid::effective()), (user.uid, user.gid));
    Ok(())
}
