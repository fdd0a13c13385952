//! The accept loop.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anser_base::{Clock, Error, Result};
use futures_util::FutureExt;
use nix::errno::Errno;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::limit::{Rate, RateLimiter};
use crate::listen::BoundListener;
use crate::network::{Network, source_of};
use crate::proxy;
use crate::shutdown::Shutdown;
use crate::stream::Stream;
use crate::tls::TlsAcceptor;

/// Sources whose connection rate is remembered.
const RATED_SOURCES: usize = 100_000;
/// How long the accept loop rests when the process or the machine has run out of files or memory.
const REST: Duration = Duration::from_millis(250);

/// Why a connection is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The service has as many connections as it takes.
    TooMany,
    /// This source has as many connections as one source may have.
    TooManyFromSource,
    /// This source connects too often.
    TooFast,
}

impl Refusal {
    /// The reason as doors tell it, in English: no session has chosen a language yet.
    pub fn words(self) -> &'static str {
        match self {
            Self::TooMany => "too many connections",
            Self::TooManyFromSource => "too many connections from your address",
            Self::TooFast => "you connect too often",
        }
    }
}

/// What a service counts, for metrics: keep an [`Arc`] of it beside the options. Services that share one share
/// [`ServeOptions::connections`] as well.
#[derive(Debug, Default)]
pub struct Counters {
    live: AtomicU64,
    accepted: AtomicU64,
    refused: AtomicU64,
    panicked: AtomicU64,
}

impl Counters {
    /// Sessions at this moment.
    pub fn live(&self) -> u64 {
        self.live.load(Ordering::Relaxed)
    }

    /// Connections that became sessions, since the start.
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Connections that were refused, since the start.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Sessions that ended by a panic, since the start. Each is a bug.
    pub fn panicked(&self) -> u64 {
        self.panicked.load(Ordering::Relaxed)
    }
}

/// How a service takes connections.
#[derive(Clone)]
pub struct ServeOptions {
    /// Its name in the log: `smtp`, `imaps`.
    pub name: &'static str,
    /// With it the TLS handshake comes first (implicit TLS, RFC 8314 §3); STARTTLS is the handler's business.
    pub tls: Option<TlsAcceptor>,
    /// Most connections at once.
    pub connections: usize,
    /// Most connections at once from one source ([`source_of`]).
    pub connections_per_source: usize,
    /// How often one source may connect; `None` is as often as it likes.
    pub rate_per_source: Option<Rate>,
    /// Sources to which the two limits per source do not apply.
    pub exempt: Vec<Network>,
    /// Proxies. Connections from here must begin with a PROXY header, and count for the source that it names; from
    /// anywhere else a PROXY header is not understood.
    pub proxies: Vec<Network>,
    /// The protocol's words of refusal, with line end; empty for none. Not said under implicit TLS.
    pub refusal: Arc<dyn Fn(Refusal) -> String + Send + Sync>,
    /// Where it counts.
    pub counters: Arc<Counters>,
    /// The clock of the rate.
    pub clock: Clock,
}

impl ServeOptions {
    /// A service that takes 20,000 connections, 1,000 from one source, at any rate, in plain, from anywhere, without a proxy,
    /// and refuses without words.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            tls: None,
            connections: 20_000,
            connections_per_source: 1_000,
            rate_per_source: None,
            exempt: Vec::new(),
            proxies: Vec::new(),
            refusal: Arc::new(|_| String::new()),
            counters: Arc::default(),
            clock: Clock::System,
        }
    }
}

impl fmt::Debug for ServeOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServeOptions").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Serves the listeners as one service, a task per session, until the shutdown begins; then closes the listeners, lets the
/// sessions end, aborts those that outlast the grace, and returns. A session that panics is counted and logged, and harms no
/// other. Errors only before the first connection is taken.
pub async fn serve<H, F>(
    listeners: Vec<BoundListener>,
    options: ServeOptions,
    shutdown: Shutdown,
    handler: H,
) -> Result<()>
where
    H: Fn(Stream, Shutdown) -> F + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let service = Arc::new(Service::new(options, shutdown, handler));
    let mut loops = JoinSet::new();
    for listener in listeners {
        let listener = listener.into_tokio().map_err(Error::unavailable)?;
        loops.spawn(service.clone().accept_loop(listener));
    }
    while let Some(ended) = loops.join_next().await {
        ended.map_err(Error::unavailable)?;
    }
    Ok(())
}

struct Service<H> {
    options: ServeOptions,
    shutdown: Shutdown,
    handler: H,
    sources: Arc<Sources>,
    rate: Option<RateLimiter<IpAddr>>,
}

impl<H, F> Service<H>
where
    H: Fn(Stream, Shutdown) -> F + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    fn new(options: ServeOptions, shutdown: Shutdown, handler: H) -> Self {
        let rate = options.rate_per_source.map(|rate| RateLimiter::new(options.clock.clone(), rate, RATED_SOURCES));
        Self { options, shutdown, handler, sources: Arc::default(), rate }
    }

    async fn accept_loop(self: Arc<Self>, listener: TcpListener) {
        let mut sessions = JoinSet::new();
        let shutdown = self.shutdown.clone();
        let ending = shutdown.notified();
        tokio::pin!(ending);
        loop {
            tokio::select! {
                () = &mut ending => break,
                Some(_) = sessions.join_next() => {}
                accepted = listener.accept() => match accepted {
                    Ok((tcp, peer)) => self.clone().admit(tcp, peer, &mut sessions),
                    Err(error) => self.rest_after(&error, &mut sessions).await,
                }
            }
        }
        drop(listener);
        self.drain(sessions).await;
    }

    fn admit(self: Arc<Self>, tcp: TcpStream, peer: SocketAddr, sessions: &mut JoinSet<()>) {
        match Live::count(&self.options.counters, self.options.connections) {
            Some(live) => {
                sessions.spawn(self.session(tcp, peer, live));
            }
            None => self.refuse(&tcp, Refusal::TooMany),
        }
    }

    /// The whole life of one connection; a panic in it ends here.
    async fn session(self: Arc<Self>, tcp: TcpStream, peer: SocketAddr, live: Live) {
        let result = AssertUnwindSafe(self.run(tcp, peer)).catch_unwind().await;
        match result {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(service = self.options.name, %peer, error = error.chain(), "no session"),
            Err(panic) => {
                self.options.counters.panicked.fetch_add(1, Ordering::Relaxed);
                tracing::error!(service = self.options.name, %peer, panic = words_of(&*panic), "session panicked");
            }
        }
        drop(live);
    }

    async fn run(&self, tcp: TcpStream, peer: SocketAddr) -> Result<()> {
        let mut stream = Stream::from_tcp(tcp).map_err(Error::unavailable)?;
        if self.options.proxies.iter().any(|proxy| proxy.contains(peer.ip())) {
            proxy::take_header(&mut stream).await?;
        }
        let _seat = match self.seat(stream.peer_addr().ip()) {
            Ok(seat) => seat,
            Err(refusal) => {
                stream.tcp().inspect(|tcp| self.refuse(tcp, refusal));
                return Ok(());
            }
        };
        self.options.counters.accepted.fetch_add(1, Ordering::Relaxed);
        if let Some(tls) = &self.options.tls {
            stream.start_tls(tls).await?;
        }
        (self.handler)(stream, self.shutdown.clone()).await;
        Ok(())
    }

    /// One of the source's places, `None` inside for sources without limits.
    fn seat(&self, address: IpAddr) -> Result<Option<Seat>, Refusal> {
        if self.options.exempt.iter().any(|network| network.contains(address)) {
            return Ok(None);
        }
        let source = source_of(address);
        if self.rate.as_ref().is_some_and(|rate| rate.try_take(&source).is_err()) {
            return Err(Refusal::TooFast);
        }
        Seat::take(&self.sources, source, self.options.connections_per_source)
            .map(Some)
            .ok_or(Refusal::TooManyFromSource)
    }

    /// Says no without waiting for the peer; a new connection's buffer takes a line at once. The peer has no reason to have
    /// spoken yet, so closing does not reset the connection.
    fn refuse(&self, tcp: &TcpStream, refusal: Refusal) {
        self.options.counters.refused.fetch_add(1, Ordering::Relaxed);
        let socket = SockRef::from(tcp);
        if self.options.tls.is_none() {
            let _ = socket.send((self.options.refusal)(refusal).as_bytes());
        }
        let _ = socket.shutdown(std::net::Shutdown::Write);
    }

    async fn rest_after(&self, error: &io::Error, sessions: &mut JoinSet<()>) {
        if !is_exhaustion(error) {
            tracing::debug!(service = self.options.name, %error, "accept");
            return;
        }
        tracing::error!(service = self.options.name, %error, "cannot accept connections; resting");
        tokio::time::sleep(REST).await;
        while sessions.try_join_next().is_some() {}
    }

    async fn drain(&self, mut sessions: JoinSet<()>) {
        let all_ended = async { while sessions.join_next().await.is_some() {} };
        tokio::select! {
            () = all_ended => return,
            () = self.shutdown.expired() => {}
        }
        tracing::warn!(service = self.options.name, sessions = sessions.len(), "aborting sessions that did not end");
        sessions.shutdown().await;
    }
}

/// Out of files or memory: accepting again at once would fail again at once. Anything else concerns one connection only.
fn is_exhaustion(error: &io::Error) -> bool {
    let exhaustion = [Errno::EMFILE, Errno::ENFILE, Errno::ENOBUFS, Errno::ENOMEM];
    error.raw_os_error().is_some_and(|code| exhaustion.contains(&Errno::from_raw(code)))
}

/// What a panic said.
pub fn words_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no words")
}

/// Counts one live session for as long as it is held.
struct Live(Arc<Counters>);

impl Live {
    fn count(counters: &Arc<Counters>, most: usize) -> Option<Self> {
        let most = u64::try_from(most).unwrap_or(u64::MAX);
        let up = |live: u64| (live < most).then_some(live + 1);
        counters.live.fetch_update(Ordering::Relaxed, Ordering::Relaxed, up).ok()?;
        Some(Self(counters.clone()))
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.0.live.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How many connections each source has; as many entries as there are connections at most.
pub(crate) type Sources = Mutex<HashMap<IpAddr, usize>>;

/// A source's place, free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    sources: Arc<Sources>,
    source: IpAddr,
}

impl Seat {
    pub(crate) fn take(sources: &Arc<Sources>, source: IpAddr, most: usize) -> Option<Self> {
        let mut taken = sources.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.get(&source).copied().unwrap_or(0);
        if count >= most {
            return None;
        }
        taken.insert(source, count + 1);
        drop(taken);
        Some(Self { sources: sources.clone(), source })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        match taken.get_mut(&self.source) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(taken.remove(&self.source)),
        }
    }
}
