//! One connection: the loop, input, output, and the state that commands change.

use std::net::IpAddr;
use std::sync::Arc;

use anser_base::{Error, Language};
use anser_directory::Passage;
use anser_net::{Line, Shutdown, Stream, without_end};
use anser_wire::pop3::{AUTH_LINE_MAX, Command};
use tokio::time::{Duration, Instant, timeout_at};

use crate::command;
use crate::maildrop::Maildrop;
use crate::reply::{Code, Outcome, Reply, Trouble};
use crate::{Deps, note};

/// How long a client may take to accept each 64 KiB.
const WRITE_TIME: Duration = Duration::from_secs(5 * 60);

pub(crate) struct Session {
    pub deps: Arc<Deps>,
    pub shutdown: Shutdown,
    pub stream: Stream,
    pub language: Language,
    /// The name that USER gave, for PASS.
    pub user: Option<String>,
    /// Open in TRANSACTION, `None` in AUTHORIZATION.
    pub maildrop: Option<Box<Maildrop>>,
    /// Failed logins so far.
    pub failures: u32,
    /// QUIT was answered, or too many logins failed.
    pub ended: bool,
    /// Where the session goes on once the login is answered, when the mailbox is still at an old server.
    pub passage: Option<Passage>,
    login_deadline: Instant,
    commands: u32,
    bad_commands: u32,
}

impl Session {
    pub fn new(mut stream: Stream, deps: Arc<Deps>, shutdown: Shutdown) -> Self {
        stream.set_write_timeout(WRITE_TIME);
        stream.set_read_timeout(deps.limits.idle_time);
        let login_deadline = Instant::now() + deps.limits.login_time;
        Self {
            deps,
            shutdown,
            stream,
            language: Language::default(),
            user: None,
            maildrop: None,
            failures: 0,
            ended: false,
            passage: None,
            login_deadline,
            commands: 0,
            bad_commands: 0,
        }
    }

    /// Greets, serves, and ends politely where it can.
    pub async fn run(mut self) {
        let trouble = self.serve().await.err();
        if let Some(maildrop) = self.maildrop.take() {
            note::remember_read(&maildrop).await;
        }
        let said = match trouble {
            Some(Trouble::Gone(error)) => return tracing::debug!(error = error.chain(), "the connection broke"),
            Some(Trouble::Bye(reply)) => self.reply(&reply).await,
            _ => Ok(()),
        };
        if let Some(passage) = self.passage {
            return passage.run(self.stream, self.shutdown).await;
        }
        if let (Ok(()), Err(error)) = (said, self.stream.close().await) {
            tracing::debug!(error = error.chain(), "the connection broke while it closed");
        }
    }

    async fn serve(&mut self) -> Result<(), Trouble> {
        // Without a time stamp in angle brackets: that would offer APOP.
        let greeting = format!("{} POP3 ready", self.deps.hostname);
        self.reply(&Reply::Exact(greeting)).await?;
        while !self.ended && self.passage.is_none() {
            match self.answer_next().await {
                Ok(reply) | Err(Trouble::Reply(reply)) => self.reply(&reply).await?,
                Err(Trouble::Bad(reply)) => self.bad(&reply).await?,
                Err(end) => return Err(end),
            }
        }
        Ok(())
    }

    async fn answer_next(&mut self) -> Outcome {
        let line = self.read_line().await?;
        self.count_command()?;
        match Command::parse(&line) {
            Ok(command) => command::run(self, command).await,
            Err(error) => Err(Trouble::Bad(Reply::err(error.text, "命令格式错误"))),
        }
    }

    /// Before the login commands cost nothing to send, so they are counted.
    fn count_command(&mut self) -> Result<(), Trouble> {
        self.commands = self.commands.saturating_add(1);
        match self.maildrop.is_none() && self.commands > self.deps.limits.login_commands {
            true => Err(Trouble::Bye(Reply::err("too many commands without a login", "未登录时命令过多"))),
            false => Ok(()),
        }
    }

    async fn bad(&mut self, reply: &Reply) -> Result<(), Trouble> {
        self.reply(reply).await?;
        self.bad_commands += 1;
        match self.bad_commands > self.deps.limits.bad_commands {
            true => Err(Trouble::Bye(Reply::err("too many bad commands", "错误命令过多"))),
            false => Ok(()),
        }
    }
}

/// Input and output.
impl Session {
    /// The next line without its end. Replies are sent before the wait for more input, so that a pipelined group is answered together.
    pub async fn read_line(&mut self) -> Result<Vec<u8>, Trouble> {
        let lost = self.begin_to_wait();
        if !self.stream.buffer().contains(&b'\n') {
            self.stream.flush().await.map_err(Trouble::Gone)?;
        }
        let deadline = match self.maildrop {
            Some(_) => Instant::now() + self.deps.limits.idle_time,
            None => self.login_deadline,
        };
        let line = tokio::select! {
            line = self.shutdown.or(timeout_at(deadline, self.stream.read_line(AUTH_LINE_MAX))) => line,
            () = lost => return Err(Trouble::Silent),
        };
        let Some(line) = line else { return Err(shutting_down()) };
        if self.maildrop.as_ref().is_some_and(|maildrop| !maildrop.lock.go_on()) {
            return Err(Trouble::Silent);
        }
        match line {
            Err(_) | Ok(Ok(Line::TimedOut)) => Err(Trouble::Silent),
            Ok(Ok(Line::Full(line))) => Ok(without_end(line)),
            Ok(Ok(Line::TooLong)) => Err(Trouble::Bad(Reply::err("line too long", "命令行过长"))),
            Ok(Ok(Line::Closed)) => Err(Trouble::Gone(Error::unavailable("the client closed"))),
            Ok(Err(error)) => Err(Trouble::Gone(error)),
        }
    }

    /// From now on another login may take the maildrop; what is returned ends when one does.
    fn begin_to_wait(&self) -> impl Future<Output = ()> + use<> {
        let lost = self.maildrop.as_ref().map(|maildrop| {
            maildrop.lock.wait(self.deps.clock.now());
            maildrop.lock.lost()
        });
        async move {
            match lost {
                Some(lost) => lost.await,
                None => std::future::pending().await,
            }
        }
    }

    pub async fn reply(&mut self, reply: &Reply) -> Result<(), Trouble> {
        self.write(reply.line(self.language).as_bytes()).await
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
    pub fn peer(&self) -> IpAddr {
        self.stream.peer_addr().ip()
    }

    /// Whether logins are taken over this connection.
    pub fn takes_logins(&self) -> bool {
        self.stream.is_secure() || self.deps.allow_plaintext_auth
    }

    pub fn offers_tls(&self) -> bool {
        self.deps.tls.is_some() && !self.stream.is_secure()
    }

    /// The open maildrop; the table of commands sees to it that there is one.
    pub fn maildrop(&mut self) -> Result<&mut Maildrop, Trouble> {
        self.maildrop.as_deref_mut().ok_or_else(|| Reply::err("log in first", "请先登录").into())
    }
}

fn shutting_down() -> Trouble {
    Trouble::Bye(Reply::coded(Code::SysTemp, "the server is shutting down", "服务器正在关闭"))
}
