//! Mail for other servers, by SMTP (RFC 5321) as a client: to the mail exchanges of the recipients' domain, or to a smarthost.
//!
//! | file | holds |
//! |---|---|
//! | `mod` | the configuration, one attempt at one entry |
//! | `servers` | which servers can be tried, with what protection, one after the other |
//! | `exchange` | the mail exchanges of a domain and their addresses |
//! | `protect` | what the TLSA records of a host ask for |
//! | `sts` | the MTA-STS policies of domains |
//! | `pace` | how much goes to one destination at once, and how soon |
//! | `callout` | whether another server has an address |
//! | `hand` | a letter handed to a server at once, past the queue |
//! | `client` | a connection up to the point where it takes mail: greeting, EHLO, STARTTLS, AUTH; commands and replies |
//! | `transaction` | MAIL, RCPT, DATA or BDAT for some recipients of one entry |
//! | `fitness` | what the entry needs of the server, and what follows when it is not offered |
//! | `onward` | what a message gets on its way out |
//! | `outcome` | how sessions went, for those who want to be told |
//! | `author` | in whose name a group passes mail on |
//! | `pool` | idle connections for the next entry |
//! | `stop` | why an attempt ended early, in words |

mod author;
mod callout;
mod client;
mod exchange;
mod fitness;
mod hand;
mod onward;
mod outcome;
mod pace;
mod pool;
mod protect;
mod servers;
mod stop;
mod sts;
mod transaction;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anser_base::{Address, Clock, Entropy, Timestamp, limits};
use anser_directory::{Directory, HopTls, NextHop, RouteWay};
use anser_journal::{Entry as Note, Journal, Origin, What};
use anser_net::Resolver;
use anser_peers::announced;
use anser_queue::{Entry, Outcome, Protocol};
use anser_store::Store;
use anser_wire::Secret;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::Deps;
use crate::content::Content;
use crate::dispatcher::REMOTE_ATTEMPTS;
pub(crate) use client::authorities;
pub use hand::{Door, Handed, NotHanded};
pub(crate) use outcome::destinations as tls_destinations;

use callout::Callouts;
use client::{Client, Connector, Phase, Target};
use outcome::Outcomes;
use pace::{Pace, Turn};
use pool::Pool;
use servers::{Needs, Servers};
use stop::Stop;
use sts::Policies;
use transaction::Answer;

/// Recipients of one transaction: what every server takes (RFC 5321 §4.5.3.1.8). An entry with more has several.
const RECIPIENTS: usize = 100;

/// The part of its age that an entry waits when its destination is left alone, and the longest such wait.
const PATIENCE: u32 = 8;
const LONGEST_WAIT: Duration = Duration::from_secs(4 * 3600);

/// Destinations that one entry goes to at once.
const WAYS_AT_ONCE: usize = 8;

/// The server that takes mail for all other domains.
#[derive(Clone, Debug)]
pub struct Smarthost {
    /// Its name or address; with verified TLS the name that its certificate must have.
    pub host: String,
    /// Its port: 25, 587 or, with [`SmarthostTls::Implicit`], 465.
    pub port: u16,
    /// How the connection is protected.
    pub tls: SmarthostTls,
    /// User name and password, given only over TLS or to this machine itself (RFC 4954 §4).
    pub login: Option<(String, Secret)>,
}

/// How the connection to the smarthost is protected. Where a certificate is verified, it has to chain up to an authority in the
/// given file of PEM certificates, or in the system's bundle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SmarthostTls {
    /// STARTTLS when it is offered, with whatever certificate (RFC 7435); in plain when not, or when the handshake fails.
    #[default]
    Opportunistic,
    /// STARTTLS with a verified certificate, or no mail at all (RFC 3207).
    Required(Option<PathBuf>),
    /// TLS from the first byte with a verified certificate (RFC 8314 §3.3).
    Implicit(Option<PathBuf>),
    /// Never, for a server on this machine or a trusted wire.
    Never,
}

/// What came of one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Relayed {
    /// Which recipient.
    pub index: usize,
    /// What came of it.
    pub outcome: Outcome,
    /// The server was given the DSN parameters, so it is the one to report success (RFC 3461 §5.2.1).
    pub reports_success: bool,
}

/// How mail finds the servers of other domains by itself.
#[derive(Clone, Debug)]
pub struct Outward {
    /// Who knows the mail exchanges.
    pub resolver: Resolver,
    /// The port at which they are spoken to: 25, but in a loopback internet.
    pub port: u16,
    /// Own addresses to speak from, in turns; none leaves it to the system. Families without one are then not spoken to.
    pub sources: Vec<IpAddr>,
    /// Whether mail may go to addresses that are not public.
    pub private: bool,
    /// Who vouches for certificates where authorities count; `None` is the system's bundle.
    pub authorities: Option<PathBuf>,
    /// Since when own addresses send that nobody knew before: for two weeks they send little to each domain, twice as much each day.
    pub new_since: Option<Timestamp>,
    /// The port at which policies are fetched: 443, but in a loopback internet.
    pub web_port: u16,
}

impl Outward {
    /// The world's DNS by this resolver, port 25, public addresses only.
    pub fn new(resolver: Resolver) -> Self {
        Self {
            resolver,
            port: 25,
            sources: Vec::new(),
            private: false,
            authorities: None,
            new_since: None,
            web_port: 443,
        }
    }

    fn speaks(&self, address: IpAddr) -> bool {
        self.sources.is_empty() || self.sources.iter().any(|own| own.is_ipv4() == address.is_ipv4())
    }
}

/// Where some recipients of an entry go.
#[derive(Clone, Debug)]
pub(crate) enum Way {
    /// To this server, whatever their domain, unless the message came from there.
    Relay(Arc<Smarthost>, Option<IpAddr>),
    /// To the mail exchanges of this domain.
    Exchange(String),
}

impl Way {
    /// The way of a route; `None` when it leaves that to others.
    pub fn of(way: Option<&RouteWay>, recipient: &Address, from: Option<IpAddr>) -> Option<Self> {
        match way? {
            RouteWay::Host(hop) => Some(Self::Relay(Arc::new(Smarthost::of(hop)), from)),
            RouteWay::Exchanges(domain) => {
                Some(Self::Exchange(domain.clone().unwrap_or_else(|| recipient.domain().to_owned())))
            }
            RouteWay::Hold | RouteWay::Discard => None,
        }
    }

    /// Ways with the same name are one destination.
    pub fn name(&self) -> String {
        match self {
            Self::Relay(relay, _) => format!("{}:{}", relay.host, relay.port),
            Self::Exchange(domain) => domain.clone(),
        }
    }

    /// Recipients with the same key can be in one transaction.
    fn key(&self) -> String {
        match self {
            Self::Relay(relay, from) => {
                let user = relay.login.as_ref().map(|(user, _)| user.as_str()).unwrap_or_default();
                format!("{} {user} {:?} {from:?}", self.name(), relay.tls)
            }
            Self::Exchange(_) => self.name(),
        }
    }
}

impl Smarthost {
    fn of(hop: &NextHop) -> Self {
        let tls = match hop.tls {
            HopTls::Opportunistic => SmarthostTls::Opportunistic,
            HopTls::Required => SmarthostTls::Required(None),
            HopTls::Implicit => SmarthostTls::Implicit(None),
            HopTls::Never => SmarthostTls::Never,
        };
        Self { host: hop.host.clone(), port: hop.port, tls, login: hop.login.clone() }
    }
}

/// The way to other servers.
pub(crate) struct Relay {
    clock: Clock,
    journal: Journal,
    store: Store,
    directory: Directory,
    entropy: Entropy,
    hostname: String,
    outward: Option<Outward>,
    smarthost: Option<Arc<Smarthost>>,
    connector: Connector,
    pace: Pace,
    policies: Policies,
    outcomes: Outcomes,
    callouts: Callouts,
    talks: Semaphore,
    pool: Arc<Pool>,
}

impl Relay {
    pub fn new(deps: &Deps) -> Self {
        Self {
            clock: deps.clock.clone(),
            journal: deps.journal.clone(),
            store: deps.store.clone(),
            directory: deps.directory.clone(),
            entropy: deps.entropy.clone(),
            hostname: deps.hostname.clone(),
            outward: deps.outward.clone(),
            smarthost: deps.smarthost.clone().map(Arc::new),
            connector: Connector::new(&deps.hostname),
            pace: Pace::new(deps.entropy.clone()),
            policies: Policies::new(deps.peers.clone(), deps.clock.clone()),
            outcomes: Outcomes {
                peers: deps.peers.clone(),
                resolver: deps.resolver.clone(),
                source: deps.outward.as_ref().and_then(|outward| outward.sources.first().copied()),
            },
            callouts: Callouts::new(),
            talks: Semaphore::new(REMOTE_ATTEMPTS),
            pool: Arc::default(),
        }
    }

    /// Sends an entry to some of its recipients. Every one of them gets an outcome.
    pub async fn attempt(self: &Arc<Self>, entry: Arc<Entry>, recipients: Vec<(usize, Way)>) -> Vec<Relayed> {
        let mut relayed = Vec::with_capacity(recipients.len());
        let mut ways: BTreeMap<String, (Way, Vec<usize>)> = BTreeMap::new();
        for (index, way) in recipients {
            ways.entry(way.key()).or_insert_with(|| (way, Vec::new())).1.push(index);
        }
        let mut under_way = JoinSet::new();
        for (way, part) in ways.into_values() {
            if under_way.len() >= WAYS_AT_ONCE {
                relayed.extend(under_way.join_next().await.into_iter().flatten().flatten());
            }
            let (this, entry) = (self.clone(), entry.clone());
            under_way.spawn(async move { this.go(&way, &entry, &part).await });
        }
        while let Some(done) = under_way.join_next().await {
            relayed.extend(done.into_iter().flatten());
        }
        relayed
    }

    /// Fetches anew the MTA-STS policies that end soon.
    pub async fn refresh_policies(&self) {
        let found = self.outward.as_ref().and_then(|outward| Some((outward, sts::options(outward)?)));
        if let Some((outward, options)) = found {
            self.policies.refresh(&outward.resolver, &options).await;
        }
    }

    /// Where a recipient goes that no route is for.
    pub fn usual_way(&self, recipient: &Address) -> Option<Way> {
        match (&self.smarthost, &self.outward) {
            (Some(smarthost), _) => Some(Way::Relay(smarthost.clone(), None)),
            (None, Some(_)) => Some(Way::Exchange(recipient.domain().to_owned())),
            (None, None) => None,
        }
    }

    async fn turn(&self, way: &Way) -> Result<Turn, Stop> {
        let (now, new_since) = (self.clock.now(), self.outward.as_ref().and_then(|outward| outward.new_since));
        let most = new_since.and_then(|since| pace::warm_up(since, now));
        match (way, most) {
            (Way::Exchange(domain), Some(most)) => self.pace.turn_of(domain, most, now).await,
            _ => self.pace.turn(&way.name()).await,
        }
    }

    async fn go(&self, way: &Way, entry: &Entry, recipients: &[usize]) -> Vec<Relayed> {
        let mut content = match self.open(entry).await {
            Ok(content) => content,
            Err(stop) => return all(recipients, &stop),
        };
        let mut relayed = Vec::with_capacity(recipients.len());
        for part in recipients.chunks(RECIPIENTS) {
            let turn = match self.turn(way).await {
                Ok(turn) => turn,
                Err(stop) => {
                    // What is old waits longer, so that a destination that is down for days costs little.
                    let age = self.clock.now().since(entry.envelope.accepted);
                    relayed.extend(all(part, &stop.at_least((age / PATIENCE).min(LONGEST_WAIT))));
                    continue;
                }
            };
            let _talks = self.talks.acquire().await;
            relayed.extend(self.send(way, turn, entry, part, &mut content).await);
        }
        relayed
    }

    /// One transaction with the first of the servers that takes it; the others are tried as long as none of the message went out
    /// (RFC 5321 §5.1).
    async fn send(&self, way: &Way, turn: Turn, entry: &Entry, part: &[usize], content: &mut Content) -> Vec<Relayed> {
        let mut servers = Servers::of(self, way, Needs::of(entry, &content.header()));
        let mut last: Option<Stop> = None;
        loop {
            let stop = match servers.next().await {
                Ok(Some(target)) => match self.talk(&target, entry, part, content).await {
                    Talk::Done { relayed, was_closed: false } => {
                        turn.went_well();
                        return relayed;
                    }
                    Talk::Done { relayed, was_closed: true } => {
                        turn.went_badly("4.3.2 the server closed the connection");
                        return relayed;
                    }
                    Talk::Next(stop) => stop,
                },
                Ok(None) => break,
                Err(stop) => stop,
            };
            // As long as one of the servers may take it another time, it is not over.
            if last.as_ref().is_none_or(|last| stop.is_temporary() || !last.is_temporary()) {
                last = Some(stop);
            }
        }
        let stop = last.unwrap_or_else(|| Stop::later(format!("4.4.4 no server takes mail for {}", way.name())));
        if stop.is_temporary() {
            turn.went_badly(stop.why());
        }
        all(part, &stop)
    }

    /// One transaction with one server. An idle connection that turns out to be dead before any of the message went over it is
    /// replaced, once.
    async fn talk(&self, target: &Target, entry: &Entry, part: &[usize], content: &mut Content) -> Talk {
        let key = target.key();
        if let Some(mut client) = self.pool.take(&key).await {
            let done = client.transact(entry, part, content).await;
            if !client.is_broken() || client.phase == Phase::Message {
                return self.conclude(key, client, entry, part, done).await;
            }
        }
        let connected = self.connector.connect(target).await;
        // Nobody is told how reports came to them, or there would be no end of it.
        if let Some(told) = target.told.as_ref().filter(|_| !is_report(entry, content)) {
            let failure = connected.as_ref().map_or_else(|stop| stop.tls, |client| client.tls_failure);
            // A server that is not there had no session.
            if connected.is_ok() || failure.is_some() {
                self.outcomes.note(told, &target.host, target.address(), failure).await;
            }
        }
        match connected {
            Ok(mut client) => {
                let done = client.transact(entry, part, content).await;
                self.conclude(key, client, entry, part, done).await
            }
            Err(stop) => Talk::Next(stop),
        }
    }

    /// Writes down what happened; the connection waits for the next message.
    async fn conclude(
        &self,
        key: String,
        mut client: Client,
        entry: &Entry,
        part: &[usize],
        done: Result<Vec<(usize, Answer)>, Stop>,
    ) -> Talk {
        let (host, passes_dsn) = (client.host().to_owned(), client.capabilities().dsn);
        let (was_closed, was_begun) = (client.is_broken(), client.phase == Phase::Message);
        if client.reset().await {
            self.pool.put(key, client);
        }
        let answers = match done {
            Ok(answers) => answers,
            Err(stop) if stop.is_temporary() && !was_begun => return Talk::Next(stop),
            Err(stop) => return Talk::Done { relayed: all(part, &stop), was_closed },
        };
        let mut relayed = Vec::with_capacity(answers.len());
        for (index, answer) in answers {
            relayed.push(self.note(entry, &host, passes_dsn, index, answer).await);
        }
        Talk::Done { relayed, was_closed }
    }

    /// Opens the message, unless it has come by too often (RFC 5321 §6.3).
    async fn open(&self, entry: &Entry) -> Result<Content, Stop> {
        let mut content = Content::open(&self.store, entry).await.map_err(|error| Stop::own(&error))?;
        if content.hops() > limits::HOPS {
            return Err(Stop::never("5.4.6 the message has gone through too many servers: a loop"));
        }
        onward::mark(self, entry, &mut content).await;
        Ok(content)
    }

    async fn note(&self, entry: &Entry, host: &str, passes_dsn: bool, index: usize, answer: Answer) -> Relayed {
        let outcome = match answer {
            Answer::Refused(stop) => stop.outcome(),
            Answer::Taken(reply) => {
                let recipient = entry.envelope.recipients[index].address.to_string();
                let what =
                    What::Relayed { entry: entry.id, recipient, host: host.to_owned(), reply: reply.to_string() };
                if let Err(error) = self.journal.append(Note { origin: Origin::internal(), what }).await {
                    tracing::error!(error = error.chain(), "an event could not be written to the journal");
                }
                Outcome::Done
            }
        };
        Relayed { index, outcome, reports_success: passes_dsn }
    }
}

/// What came of a conversation with one server.
enum Talk {
    /// Every recipient has its outcome.
    Done {
        relayed: Vec<Relayed>,
        /// The server closed the connection, or broke it.
        was_closed: bool,
    },
    /// Another server may do better; none of the message went to this one.
    Next(Stop),
}

fn all(recipients: &[usize], stop: &Stop) -> Vec<Relayed> {
    let one = |&index| Relayed { index, outcome: stop.outcome(), reports_success: false };
    recipients.iter().map(one).collect()
}

/// A report of ours on what we saw of others.
fn is_report(entry: &Entry, content: &Content) -> bool {
    entry.envelope.origin.protocol == Protocol::Internal && announced(&content.header()).is_some()
}
