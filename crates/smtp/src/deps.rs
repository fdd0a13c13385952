//! What a session works with, and the limits it keeps.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anser_base::limits::{MESSAGE_SIZE, RECIPIENTS};
use anser_base::{AccountId, Address, Clock, Entropy};
use anser_blob::Blobs;
use anser_directory::{Directory, Route, Standing};
use anser_journal::Journal;
use anser_net::network::source_of;
use anser_net::{Network, Rate, RateLimiter, Refusal, TlsAcceptor};
use anser_queue::{Protocol, Queue};

use crate::senders::Senders;

/// Sources and accounts, each, whose rate is remembered.
const RATED: usize = 100_000;

/// Which of the three services a connection came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// Mail from other servers, port 25 (RFC 5321).
    Mx,
    /// Submission by own users, ports 587 and 465 (RFC 6409, RFC 8314).
    Submission,
    /// Mail from a server in front of this one (RFC 2033). Whoever reaches the port may deliver: it belongs on a private network.
    Lmtp,
}

impl Service {
    /// The word of the envelope.
    pub fn protocol(self) -> Protocol {
        match self {
            Self::Mx => Protocol::Smtp,
            Self::Submission => Protocol::Submission,
            Self::Lmtp => Protocol::Lmtp,
        }
    }

    /// The word for logs and the journal: `smtp`, `submission`, `lmtp`.
    pub fn name(self) -> &'static str {
        self.protocol().name()
    }
}

/// A cheap look at whether an account is over its quota; what it does not know, delivery finds.
pub type OverQuota = Arc<dyn Fn(AccountId) -> bool + Send + Sync>;

/// Asks the server at the end of a route whether it has an address.
pub type Callout = Arc<dyn Fn(Arc<Route>, Address) -> Pin<Box<dyn Future<Output = Standing> + Send>> + Send + Sync>;

/// What every session works with; shared by all of them.
pub struct Deps {
    /// Takes the messages.
    pub queue: Queue,
    /// Knows recipients, senders and logins.
    pub directory: Directory,
    /// Notes what was accepted, refused and who logged in.
    pub journal: Journal,
    /// Holds bodies too large for the queue's rows.
    pub blobs: Blobs,
    /// For STARTTLS; without it the extension is not offered. Implicit TLS is the listener's business.
    pub tls: Option<TlsAcceptor>,
    /// For trace ids and Message-IDs.
    pub entropy: Entropy,
    /// For dates.
    pub clock: Clock,
    /// The name that this server calls itself.
    pub hostname: String,
    /// The limits.
    pub limits: Limits,
    /// The rates that `limits` name, as they stand.
    pub rates: Rates,
    /// AUTH is also offered without TLS. For trials on the loopback only.
    pub allow_plaintext_auth: bool,
    /// Submission refuses recipients that are not ours, for a house without a way out.
    pub local_only: bool,
    /// Checks who sent what comes to the MX; without it nothing is checked.
    pub senders: Option<Senders>,
    /// For domains whose mailboxes are on another server; without it nobody can say whether their addresses exist.
    pub callout: Option<Callout>,
    /// Accounts known to be over quota are refused at RCPT already.
    pub over_quota: Option<OverQuota>,
}

/// Limits of a session. How many connections there may be is the listener's business ([`anser_net::ServeOptions`]).
#[derive(Clone, Debug)]
pub struct Limits {
    /// Largest message, in bytes.
    pub message_size: u64,
    /// Recipients of one message; at most [`RECIPIENTS`].
    pub recipients: usize,
    /// Messages of one session.
    pub messages: u32,
    /// Commands that make no sense and failed logins between two messages, until the session is ended.
    pub errors: u32,
    /// Commands that do nothing (NOOP, RSET, VRFY, HELP, EHLO) between two messages, until the session is ended.
    pub idle_commands: u32,
    /// Unknown recipients of an MX session, until it is ended.
    pub unknown_recipients: u32,
    /// How long the answer to the fourth unknown recipient of an MX session waits; each further one waits twice as long, 8 seconds at
    /// most.
    pub unknown_delay: Duration,
    /// How long a command may take to come (RFC 5321 §4.5.3.2.7).
    pub command_timeout: Duration,
    /// How long the next piece of a message may take to come.
    pub data_timeout: Duration,
    /// How long a whole message, or one chunk of it, may take to come.
    pub message_time: Duration,
    /// Messages from one source at the MX.
    pub source_rate: Option<Rate>,
    /// Recipients of one account at submission.
    pub account_rate: Option<Rate>,
    /// Sources without rate, unknown-recipient limit and early-talk test: other hosts of the house.
    pub exempt: Vec<Network>,
    /// A peer that talks before the greeting of the MX is refused.
    pub refuse_early_talk: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_size: MESSAGE_SIZE,
            recipients: RECIPIENTS,
            messages: 10_000,
            errors: 10,
            idle_commands: 100,
            unknown_recipients: 20,
            unknown_delay: Duration::from_millis(250),
            command_timeout: Duration::from_secs(5 * 60),
            data_timeout: Duration::from_secs(5 * 60),
            message_time: Duration::from_secs(2 * 3600),
            source_rate: Some(Rate { count: 3000, per: Duration::from_secs(60) }),
            account_rate: Some(Rate { count: 10_000, per: Duration::from_secs(3600) }),
            exempt: Network::loopback(),
            refuse_early_talk: true,
        }
    }
}

impl Limits {
    /// Whether a source is one of the house.
    pub(crate) fn is_exempt(&self, source: IpAddr) -> bool {
        self.exempt.iter().any(|network| network.contains(source))
    }
}

/// Who sent how much lately.
#[derive(Debug)]
pub struct Rates {
    sources: Option<RateLimiter<IpAddr>>,
    accounts: Option<RateLimiter<AccountId>>,
}

impl Rates {
    /// Nobody has sent anything yet.
    pub fn new(limits: &Limits, clock: &Clock) -> Self {
        Self {
            sources: limits.source_rate.map(|rate| RateLimiter::new(clock.clone(), rate, RATED)),
            accounts: limits.account_rate.map(|rate| RateLimiter::new(clock.clone(), rate, RATED)),
        }
    }

    /// One more message from a source; `Err` says how long it should wait.
    pub(crate) fn message(&self, source: IpAddr) -> Result<(), Duration> {
        self.sources.as_ref().map_or(Ok(()), |rate| rate.try_take(&source_of(source)))
    }

    /// One more recipient of an account; `Err` says how long it should wait.
    pub(crate) fn recipient(&self, account: AccountId) -> Result<(), Duration> {
        self.accounts.as_ref().map_or(Ok(()), |rate| rate.try_take(&account))
    }
}

/// What a refused connection is told, for [`anser_net::ServeOptions::refusal`].
pub fn refusal_words(hostname: &str) -> Arc<dyn Fn(Refusal) -> String + Send + Sync> {
    let hostname = hostname.to_owned();
    Arc::new(move |refusal| {
        let why = match refusal {
            Refusal::TooMany => "4.3.2 Too many connections",
            Refusal::TooManyFromSource => "4.7.0 Too many connections from your address",
            Refusal::TooFast => "4.7.0 You connect too often",
        };
        format!("421 {why} ({hostname})\r\n")
    })
}
