//! One connection: the loop, input, output, and the state that commands change.

use std::net::IpAddr;
use std::sync::Arc;

use anser_base::{Error, Language};
use anser_directory::Account;
use anser_directory::scripts::SCRIPT;
use anser_journal::{Entry, Origin, What};
use anser_net::{Fill, Line, Shutdown, Stream, without_end};
use anser_wire::managesieve::{Code, Command, CommandReader, LINE_MAX, Need};
use tokio::time::{Duration, Instant, timeout_at};

use crate::reply::{Outcome, Reply, Trouble};
use crate::{Deps, command};

/// How long a client may take to accept each 64 KiB.
const WRITE_TIME: Duration = Duration::from_secs(5 * 60);
/// The door's name in the journal.
const PROTOCOL: &str = "managesieve";

pub(crate) struct Session {
    pub deps: Arc<Deps>,
    pub shutdown: Shutdown,
    pub stream: Stream,
    pub language: Language,
    /// Who logged in.
    pub account: Option<Arc<Account>>,
    /// Failed logins so far.
    pub failures: u32,
    /// LOGOUT was answered, or too many logins failed.
    pub ended: bool,
    deadline: Instant,
    commands: u32,
    bad_commands: u32,
}

impl Session {
    pub fn new(mut stream: Stream, deps: Arc<Deps>, shutdown: Shutdown) -> Self {
        stream.set_write_timeout(WRITE_TIME);
        stream.set_read_timeout(deps.limits.idle_time);
        let deadline = Instant::now() + deps.limits.login_time;
        Self {
            deps,
            shutdown,
            stream,
            language: Language::default(),
            account: None,
            failures: 0,
            ended: false,
            deadline,
            commands: 0,
            bad_commands: 0,
        }
    }

    /// Greets, serves, and ends politely where it can.
    pub async fn run(mut self) {
        let said = match self.serve().await {
            Err(Trouble::Gone(error)) => return tracing::debug!(error = error.chain(), "the connection broke"),
            Err(Trouble::Bye(reply)) => self.reply(&reply).await,
            _ => Ok(()),
        };
        if let (Ok(()), Err(error)) = (said, self.stream.close().await) {
            tracing::debug!(error = error.chain(), "the connection broke while it closed");
        }
    }

    async fn serve(&mut self) -> Result<(), Trouble> {
        let greeting = command::greeting(self).await?;
        self.reply(&greeting).await?;
        while !self.ended {
            match self.answer_next().await {
                Ok(reply) | Err(Trouble::Reply(reply)) => self.reply(&reply).await?,
                Err(Trouble::Bad(reply)) => self.bad(&reply).await?,
                Err(end) => return Err(end),
            }
        }
        Ok(())
    }

    async fn answer_next(&mut self) -> Outcome {
        let literal = match self.account {
            Some(_) => SCRIPT as u64,
            None => self.deps.limits.login_literal,
        };
        let command = self.read(CommandReader::new(literal)).await?;
        self.commands = self.commands.saturating_add(1);
        if self.account.is_none() && self.commands > self.deps.limits.login_commands {
            return Err(Trouble::Bye(Reply::bye("too many commands without a login", "未登录时命令过多")));
        }
        command::run(self, command).await
    }

    async fn bad(&mut self, reply: &Reply) -> Result<(), Trouble> {
        self.reply(reply).await?;
        self.bad_commands += 1;
        match self.bad_commands > self.deps.limits.bad_commands {
            true => Err(Trouble::Bye(Reply::bye("too many bad commands", "错误命令过多"))),
            false => Ok(()),
        }
    }
}

/// Input and output.
impl Session {
    /// A command with its literals, or a response of SASL.
    pub async fn read(&mut self, mut reader: CommandReader) -> Result<Command, Trouble> {
        let mut need = Need::Line;
        loop {
            need = match need {
                Need::Line => {
                    let line = self.read_line().await?;
                    reader.line(&line)
                }
                Need::Literal(size) => {
                    let octets = self.read_octets(size, true).await?;
                    reader.literal(octets)
                }
                Need::Skip(size) if size > self.deps.limits.skipped => {
                    return Err(Trouble::Bye(Reply::bye("the literal is much too large", "内容远超限制")));
                }
                Need::Skip(size) => {
                    self.read_octets(size, false).await?;
                    Need::Line
                }
                Need::Done(command) => return command.map_err(Trouble::from),
            };
        }
    }

    /// The next line without its end. Replies are sent before the wait for more input.
    async fn read_line(&mut self) -> Result<Vec<u8>, Trouble> {
        if !self.stream.buffer().contains(&b'\n') {
            self.stream.flush().await.map_err(Trouble::Gone)?;
        }
        let deadline = self.deadline();
        let line = self.shutdown.or(timeout_at(deadline, self.stream.read_line(LINE_MAX))).await;
        match line.ok_or_else(shutting_down)? {
            Err(_) | Ok(Ok(Line::TimedOut)) => Err(silent()),
            Ok(Ok(Line::Full(line))) => Ok(without_end(line)),
            Ok(Ok(Line::TooLong)) => Err(Trouble::Bye(Reply::bye("line too long", "命令行过长"))),
            Ok(Ok(Line::Closed)) => Err(Trouble::Gone(Error::unavailable("the client closed"))),
            Ok(Err(error)) => Err(Trouble::Gone(error)),
        }
    }

    /// So many octets; nothing of them unless they are wanted.
    async fn read_octets(&mut self, size: u64, wanted: bool) -> Result<Vec<u8>, Trouble> {
        let deadline = self.deadline();
        let mut octets = Vec::new();
        let mut left = size;
        while left > 0 {
            if self.stream.buffer().is_empty() {
                let fill = self.shutdown.or(timeout_at(deadline, self.stream.fill())).await;
                match fill.ok_or_else(shutting_down)? {
                    Err(_) | Ok(Ok(Fill::TimedOut)) => return Err(silent()),
                    Ok(Ok(Fill::Closed)) => return Err(Trouble::Gone(Error::unavailable("the client closed"))),
                    Ok(Err(error)) => return Err(Trouble::Gone(error)),
                    Ok(Ok(_)) => {}
                }
            }
            let buffer = self.stream.buffer();
            let take = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            if wanted {
                octets.extend_from_slice(&buffer[..take]);
            }
            self.stream.consume(take);
            left -= take as u64;
        }
        Ok(octets)
    }

    fn deadline(&self) -> Instant {
        match self.account {
            Some(_) => Instant::now() + self.deps.limits.idle_time,
            None => self.deadline,
        }
    }

    pub async fn reply(&mut self, reply: &Reply) -> Result<(), Trouble> {
        self.write(&reply.octets(self.language)).await
    }

    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        self.stream.write_all(bytes).await.map_err(Trouble::Gone)
    }

    /// Waits before a failed login is answered.
    pub async fn wait(&mut self, delay: Duration) -> Result<(), Trouble> {
        self.shutdown.or(tokio::time::sleep(delay)).await.ok_or_else(shutting_down)
    }
}

/// The state.
impl Session {
    /// Whether logins are taken over this connection.
    pub fn takes_logins(&self) -> bool {
        self.stream.is_secure() || self.deps.allow_plaintext_auth
    }

    pub fn offers_tls(&self) -> bool {
        self.deps.tls.is_some() && !self.stream.is_secure()
    }

    /// Somebody else begins: the time to log in as well.
    pub fn forget(&mut self) {
        (self.account, self.language) = (None, Language::default());
        (self.deadline, self.commands) = (Instant::now() + self.deps.limits.login_time, 0);
    }

    fn peer(&self) -> IpAddr {
        self.stream.peer_addr().ip()
    }

    /// Tells the journal. One that cannot take it is logged, and the session goes on.
    pub async fn note(&self, what: What) {
        let entry = Entry { origin: Origin::peer(PROTOCOL, self.peer()), what };
        if let Err(error) = self.deps.journal.append(entry).await {
            tracing::error!(error = error.chain(), "the journal does not take an event");
        }
    }
}

fn shutting_down() -> Trouble {
    let Reply::Bye(_, text) = Reply::bye("the server is shutting down", "服务器正在关闭") else {
        return Trouble::Gone(Error::unavailable("shutdown"));
    };
    Trouble::Bye(Reply::Bye(Some(Code::TryLater), text))
}

fn silent() -> Trouble {
    Trouble::Bye(Reply::bye("too long silent", "长时间没有操作"))
}
