//! Mail for other servers, handed to the smarthost by SMTP (RFC 5321) as a client.
//!
//! | file | holds |
//! |---|---|
//! | `mod` | the configuration, one attempt at one entry |
//! | `client` | a connection up to the point where it takes mail: greeting, EHLO, STARTTLS, AUTH; commands and replies |
//! | `transaction` | MAIL, RCPT, DATA or BDAT for some recipients of one entry |
//! | `fitness` | what the entry needs of the server, and what follows when it is not offered |
//! | `pool` | idle connections for the next entry |
//! | `stop` | why an attempt ended early, in words |

mod client;
mod fitness;
mod pool;
mod stop;
mod transaction;

use std::path::PathBuf;
use std::sync::Arc;

use anser_base::limits;
use anser_journal::{Entry as Note, Journal, Origin, What};
use anser_queue::{Entry, Outcome};
use anser_store::Store;
use anser_wire::Secret;

use crate::Deps;
use crate::content::Content;
use client::{Client, Connector, Phase};
use pool::Pool;
use stop::Stop;
use transaction::Answer;

/// Recipients of one transaction: what every server takes (RFC 5321 §4.5.3.1.8). An entry with more has several.
const RECIPIENTS: usize = 100;

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

/// The way to other servers.
pub(crate) struct Relay {
    journal: Journal,
    store: Store,
    connector: Option<Connector>,
    pool: Arc<Pool>,
}

impl Relay {
    pub fn new(deps: &Deps) -> Self {
        let connector = deps.smarthost.clone().map(|smarthost| Connector::new(smarthost, &deps.hostname));
        Self { journal: deps.journal.clone(), store: deps.store.clone(), connector, pool: Arc::default() }
    }

    /// Sends an entry to some of its recipients. Every one of them gets an outcome.
    pub async fn attempt(&self, entry: &Entry, recipients: &[usize]) -> Vec<Relayed> {
        let Some(connector) = &self.connector else {
            return all(recipients, &Stop::later("4.4.4 no route to other servers is configured"));
        };
        let mut content = match self.open(entry).await {
            Ok(content) => content,
            Err(stop) => return all(recipients, &stop),
        };
        let mut relayed = Vec::with_capacity(recipients.len());
        for part in recipients.chunks(RECIPIENTS) {
            relayed.extend(self.send(connector, entry, part, &mut content).await);
        }
        relayed
    }

    /// Opens the message, unless it has come by too often (RFC 5321 §6.3).
    async fn open(&self, entry: &Entry) -> Result<Content, Stop> {
        let content = Content::open(&self.store, entry).await.map_err(|error| Stop::own(&error))?;
        match content.hops() > limits::HOPS {
            true => Err(Stop::never("5.4.6 the message has gone through too many servers: a loop")),
            false => Ok(content),
        }
    }

    /// One transaction. An idle connection that turns out to be dead before any of the message went over it is replaced, once.
    async fn send(&self, connector: &Connector, entry: &Entry, part: &[usize], content: &mut Content) -> Vec<Relayed> {
        if let Some(mut client) = self.pool.take().await {
            let done = client.transact(entry, part, content).await;
            if !client.is_broken() || client.phase == Phase::Message {
                return self.conclude(client, entry, part, done).await;
            }
        }
        match connector.connect().await {
            Ok(mut client) => {
                let done = client.transact(entry, part, content).await;
                self.conclude(client, entry, part, done).await
            }
            Err(stop) => all(part, &stop),
        }
    }

    /// Writes down what happened; the connection waits for the next message.
    async fn conclude(
        &self,
        mut client: Client,
        entry: &Entry,
        part: &[usize],
        done: Result<Vec<(usize, Answer)>, Stop>,
    ) -> Vec<Relayed> {
        let (host, passes_dsn) = (client.host().to_owned(), client.capabilities().dsn);
        if client.reset().await {
            self.pool.put(client);
        }
        let answers = match done {
            Ok(answers) => answers,
            Err(stop) => return all(part, &stop),
        };
        let mut relayed = Vec::with_capacity(answers.len());
        for (index, answer) in answers {
            relayed.push(self.note(entry, &host, passes_dsn, index, answer).await);
        }
        relayed
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

fn all(recipients: &[usize], stop: &Stop) -> Vec<Relayed> {
    let one = |&index| Relayed { index, outcome: stop.outcome(), reports_success: false };
    recipients.iter().map(one).collect()
}
