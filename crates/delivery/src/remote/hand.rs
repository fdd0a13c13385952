//! A letter handed to a server at once, past the queue: a probe of the way that mail takes, a word into a mailbox at an old server.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anser_base::Address;
use anser_directory::NextHop;
use anser_wire::smtp::{ForwardPath, MailFrom, Mailbox, RcptTo, Reply};
use bytes::Bytes;
use tokio::time::timeout;

use super::client::{Client, ENVELOPE, Phase};
use super::servers::{Servers, hop};
use super::stop::Stop;
use super::{Outward, Relay, Smarthost, onward};
use crate::Delivery;
use crate::content::Content;

/// The longest that somebody waits for it.
const PATIENCE: Duration = Duration::from_secs(90);

/// Where a letter is handed over.
#[derive(Clone, Debug)]
pub enum Door {
    /// At the mail exchanges of this domain as any other server finds them, be they this one.
    Exchanges(String),
    /// At this server.
    Server(NextHop),
}

/// What came of a letter that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handed {
    /// Who took it.
    pub host: String,
    /// Its reply.
    pub reply: String,
}

/// Why nobody said that it took a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotHanded {
    /// Begins with an enhanced status code (RFC 3463).
    pub why: String,
    /// Whether somebody may have it all the same: the answer to all of it was lost, or came too late.
    pub may_be_there: bool,
}

impl Delivery {
    /// Hands a letter over, signed by the domain of its author; `sender` is the null sender when there is none. Takes 90 seconds at most.
    pub async fn hand_over(
        &self,
        door: &Door,
        sender: Option<&Address>,
        to: &Address,
        raw: Vec<u8>,
    ) -> Result<Handed, NotHanded> {
        let is_given = AtomicBool::new(false);
        let why = match timeout(PATIENCE, self.relay.hand_over(door, (sender, to), raw.into(), &is_given)).await {
            Ok(Ok(handed)) => return Ok(handed),
            Ok(Err(stop)) => stop.why().to_owned(),
            Err(_) => "4.4.2 the server takes too long to answer".to_owned(),
        };
        Err(NotHanded { why, may_be_there: is_given.load(Ordering::Relaxed) })
    }
}

impl Relay {
    /// `is_given` is true while a server may have a letter whose answer is not here.
    async fn hand_over(
        &self,
        door: &Door,
        (sender, to): (Option<&Address>, &Address),
        raw: Bytes,
        is_given: &AtomicBool,
    ) -> Result<Handed, Stop> {
        let mut content = Content::of(raw);
        match onward::signatures(&self.directory, &mut content).await {
            Ok(front) => content.prepend(&front),
            Err(error) => tracing::error!(error = error.chain(), "a letter goes without a signature"),
        }
        let own;
        let outward = match &self.outward {
            Some(outward) => outward,
            None => {
                own = Outward::new(self.outcomes.resolver.clone());
                &own
            }
        };
        let mut servers = match door {
            Door::Exchanges(domain) => Servers::of_the_world(self, outward, domain),
            Door::Server(next) => {
                let targets = hop(&Smarthost::of(next), None, Some(outward)).await?;
                Servers::those(self, outward, targets)
            }
        };
        let mut last = None;
        loop {
            let target = match servers.next().await {
                Ok(Some(target)) => target,
                Ok(None) => break,
                // One exchange that cannot be looked up hides no other.
                Err(stop) => {
                    last = Some(stop);
                    continue;
                }
            };
            let mut client = match self.connector.connect(&target).await {
                Ok(client) => client,
                Err(stop) => {
                    last = Some(stop);
                    continue;
                }
            };
            let handed = client.hand_over((sender, to), &mut content, is_given).await;
            // Whoever answered has said what became of it.
            is_given.store(client.phase == Phase::Message, Ordering::Relaxed);
            match handed {
                Ok(reply) => return Ok(Handed { host: target.host, reply: reply.to_string() }),
                // What was begun may be there.
                Err(stop) if !stop.is_temporary() || client.phase == Phase::Message => return Err(stop),
                Err(stop) => last = Some(stop),
            }
        }
        Err(last.unwrap_or_else(|| Stop::later("4.4.4 there is no server to hand it to")))
    }
}

impl Client {
    async fn hand_over(
        &mut self,
        (sender, to): (Option<&Address>, &Address),
        content: &mut Content,
        is_given: &AtomicBool,
    ) -> Result<Reply, Stop> {
        let (mail, rcpt) = self.lines(sender, to)?;
        self.phase = Phase::Envelope;
        for line in [mail, rcpt] {
            let reply = self.command(&line, ENVELOPE).await?;
            if !reply.is_positive() {
                return Err(self.said(&reply));
            }
        }
        is_given.store(true, Ordering::Relaxed);
        self.message(content, false, None).await
    }

    /// MAIL and RCPT for one recipient.
    pub(super) fn lines(&self, sender: Option<&Address>, to: &Address) -> Result<(String, String), Stop> {
        let unwritable = |_| Stop::never("5.1.3 an address that no command can carry");
        let smtputf8 = !to.is_ascii() || sender.is_some_and(|sender| !sender.is_ascii());
        if smtputf8 && !self.capabilities().smtputf8 {
            return Err(Stop::later(format!("4.6.7 {} does not offer SMTPUTF8", self.host())));
        }
        let mailbox = |of: &Address| Mailbox { local: of.local().to_owned(), domain: of.domain().to_owned() };
        let mail = MailFrom { path: sender.map(mailbox), smtputf8, ..MailFrom::default() };
        let rcpt = RcptTo { path: ForwardPath::Mailbox(mailbox(to)), notify: None, orcpt: None, other: Vec::new() };
        Ok((mail.to_line().map_err(unwritable)?, rcpt.to_line().map_err(unwritable)?))
    }
}
