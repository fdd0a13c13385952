//! The session: reads a command, has it carried out, writes the answer.

use std::future::ready;
use std::net::IpAddr;
use std::sync::Arc;

use anser_base::Result;
use anser_directory::Account;
use anser_net::{Line, Shutdown, Stream};
use anser_wire::smtp::{AUTH_LINE_MAX, Command, Reply};

use crate::answer::{Answer, Stop};
use crate::deps::{Deps, Service};
use crate::state::State;
use crate::transaction::Transaction;
use crate::verb;

/// Commands between two accepted messages, until the session is ended. As many as a large message in small chunks needs.
const COMMANDS: u32 = 200_000;

/// One connection.
pub struct Session {
    pub stream: Stream,
    pub service: Service,
    pub deps: Arc<Deps>,
    pub shutdown: Shutdown,
    pub hello: Option<Hello>,
    pub login: Option<Arc<Account>>,
    pub transaction: Option<Transaction>,
    pub tally: Tally,
    /// The session ends with the answer to the command under way.
    pub ending: bool,
}

/// How the peer greeted.
pub struct Hello {
    /// The name it gave itself, unverified.
    pub name: String,
    /// By EHLO or LHLO rather than HELO.
    pub extended: bool,
}

/// What is counted against the limits.
#[derive(Default)]
pub struct Tally {
    /// Accepted messages.
    pub messages: u32,
    /// Errors since the last accepted message.
    pub errors: u32,
    /// Commands that did nothing since the last accepted message.
    pub idle: u32,
    /// Unknown recipients.
    pub unknown: u32,
    /// Commands since the last accepted message.
    pub commands: u32,
}

/// Serves one connection to its end. Under implicit TLS the handshake was made before. Failures of the connection end the session
/// and are logged at debug level.
pub async fn session(stream: Stream, service: Service, deps: Arc<Deps>, shutdown: Shutdown) {
    let session = Session {
        stream,
        service,
        deps,
        shutdown,
        hello: None,
        login: None,
        transaction: None,
        tally: Tally::default(),
        ending: false,
    };
    if let Err(error) = session.run().await {
        tracing::debug!(service = service.name(), error = error.chain(), "the session ended with its connection");
    }
}

impl Session {
    async fn run(mut self) -> Result<()> {
        self.stream.set_read_timeout(self.deps.limits.command_timeout);
        if self.talks_early().await {
            return self.refuse_early_talk().await;
        }
        let greeting = self.greeting();
        self.write(&greeting).await?;
        loop {
            let going_on = match self.turn().await {
                Ok(answer) => self.write_answer(answer).await?,
                Err(stop) => self.write_stop(stop).await?,
            };
            if !going_on || self.ending {
                return self.stream.close().await;
            }
        }
    }

    /// Whether a peer of the MX, which is to wait for the greeting (RFC 5321 §3.1), has sent something already. Costs honest peers no
    /// time: only what is there at this moment counts.
    async fn talks_early(&mut self) -> bool {
        let watched = self.service == Service::Mx && self.deps.limits.refuse_early_talk;
        if !watched || self.deps.limits.is_exempt(self.source()) {
            return false;
        }
        tokio::task::yield_now().await;
        tokio::select! {
            biased;
            _ = self.stream.readable() => self.stream.buffered_input_len() > 0,
            () = ready(()) => false,
        }
    }

    async fn refuse_early_talk(mut self) -> Result<()> {
        let reply = Reply::new(554, Some((5, 5, 1)), "You talk before you are greeted");
        self.note_refused("connect", &reply, None).await;
        self.write(&reply).await?;
        self.stream.close().await
    }

    fn greeting(&self) -> Reply {
        let protocol = if self.service == Service::Lmtp { "LMTP" } else { "ESMTP" };
        Reply::new(220, None, format!("{} {protocol} Anser", self.deps.hostname))
    }

    /// One command and what it brings.
    async fn turn(&mut self) -> Result<Answer, Stop> {
        let line = self.line().await?;
        self.tally.commands += 1;
        if self.tally.commands > COMMANDS {
            return Err(Stop::close(421, (4, 7, 0), "Too many commands"));
        }
        if !verb_of(&line).is_ascii() {
            return Err(Stop::refused(500, (5, 5, 2), "Command not recognised"));
        }
        let smtputf8 = self.transaction.as_ref().is_some_and(|transaction| transaction.mail.smtputf8);
        let command = Command::parse(&line, smtputf8)?;
        verb::carry_out(self, command).await
    }

    /// The next line without its CRLF. Replies wait to be sent until the peer's pipelined group is used up (RFC 2920 §3.2).
    pub async fn line(&mut self) -> Result<Vec<u8>, Stop> {
        if !self.stream.buffer().contains(&b'\n') {
            self.stream.flush().await.map_err(Stop::gone)?;
        }
        let Some(line) = self.shutdown.or(self.stream.read_line(AUTH_LINE_MAX)).await else {
            return Err(Stop::close(421, (4, 3, 2), "The server is stopping; come back in a moment"));
        };
        match line.map_err(Stop::gone)? {
            Line::Full(mut line) if line.ends_with(b"\r\n") => {
                line.truncate(line.len() - 2);
                Ok(line)
            }
            // What follows the bare LF may be a command that was smuggled in through the peer: it is not looked at.
            Line::Full(_) => Err(Stop::close(500, (5, 5, 2), "Lines end with CR LF")),
            Line::TooLong => Err(Stop::refused(500, (5, 5, 2), "Line too long")),
            Line::TimedOut => Err(Stop::close(421, (4, 4, 2), "You were silent for too long")),
            Line::Closed => Err(Stop::Gone),
        }
    }

    /// Says something before the command is over, and sends it.
    pub async fn prompt(&mut self, reply: &Reply) -> Result<(), Stop> {
        self.write(reply).await.map_err(Stop::gone)?;
        self.stream.flush().await.map_err(Stop::gone)
    }

    async fn write(&mut self, reply: &Reply) -> Result<()> {
        let mut bytes = Vec::with_capacity(128);
        reply.encode(&mut bytes);
        self.stream.write_all(&bytes).await
    }

    /// Writes an answer; false ends the session.
    async fn write_answer(&mut self, answer: Answer) -> Result<bool> {
        match answer {
            Answer::One(reply) => self.write(&reply).await?,
            Answer::Each(replies) => {
                for reply in &replies {
                    self.write(reply).await?;
                }
            }
            Answer::Said => {}
        }
        self.end_if_idle().await
    }

    async fn write_stop(&mut self, stop: Stop) -> Result<bool> {
        match stop {
            Stop::Refused(reply) => {
                self.write(&reply).await?;
                self.tally.errors += u32::from(is_error(&reply));
                self.end_if_wrong().await
            }
            Stop::EachRefused(reply, times) => {
                for _ in 0..times {
                    self.write(&reply).await?;
                }
                Ok(true)
            }
            Stop::Close(reply) => self.write(&reply).await.map(|()| false),
            Stop::Gone => Ok(false),
        }
    }

    async fn end_if_wrong(&mut self) -> Result<bool> {
        let limits = &self.deps.limits;
        let why = if self.tally.errors >= limits.errors {
            "Too many errors"
        } else if self.tally.unknown >= limits.unknown_recipients {
            "Too many unknown recipients"
        } else {
            return Ok(true);
        };
        self.write(&Reply::new(421, Some((4, 7, 0)), why)).await.map(|()| false)
    }

    async fn end_if_idle(&mut self) -> Result<bool> {
        if self.tally.idle <= self.deps.limits.idle_commands {
            return Ok(true);
        }
        self.write(&Reply::new(421, Some((4, 7, 0)), "Too many commands without a message")).await.map(|()| false)
    }
}

/// What the session knows.
impl Session {
    /// Where it stands in the state table.
    pub fn state(&self) -> State {
        match (&self.hello, &self.transaction) {
            (None, _) => State::Connected,
            (_, Some(transaction)) if transaction.chunks.is_some() => State::Data,
            (_, Some(transaction)) if transaction.recipients.is_empty() => State::MailGiven,
            (_, Some(_)) => State::RcptGiven,
            (_, None) if self.login.is_some() => State::Authenticated,
            (_, None) => State::Greeted,
        }
    }

    /// The peer's address.
    pub fn source(&self) -> IpAddr {
        self.stream.peer_addr().ip()
    }

    /// Whether a login may be tried on this connection.
    pub fn may_log_in(&self) -> bool {
        self.service == Service::Submission && (self.stream.is_secure() || self.deps.allow_plaintext_auth)
    }

    /// Whether STARTTLS can be carried out.
    pub fn may_start_tls(&self) -> bool {
        self.deps.tls.is_some() && !self.stream.is_secure()
    }

    /// Ends the transaction, if there is one.
    pub fn reset(&mut self) {
        self.transaction = None;
    }
}

/// The first word of a command line.
fn verb_of(line: &[u8]) -> &[u8] {
    line.split(|byte| *byte == b' ').next().unwrap_or_default()
}

/// Replies that count as errors of the peer: commands that make no sense, and failed logins.
fn is_error(reply: &Reply) -> bool {
    matches!(reply.code, 454 | 500..=504 | 525 | 530 | 535 | 538 | 555)
}
