//! One connection: the loop, input, output, and the state that commands change.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

use anser_base::{AccountId, Error, Language};
use anser_directory::{Account, Passage};
use anser_net::{Fill, Shutdown, Stream};
use anser_wire::imap::write::{Status, write_continuation, write_status};
use anser_wire::imap::{AppendMessage, CatenateText, Command, CommandReader, Event, NumberSet};
use tokio::time::{Duration, Instant, timeout_at};

use crate::command;
use crate::notify::{self, Notifier};
use crate::reply::{Reply, Trouble};
use crate::view::{Telling, View};
use crate::{Deps, capability, words};

/// Output gathers up to this many bytes before it is handed to the connection.
const GATHER: usize = 32 * 1024;
/// How long a client may take to accept each 64 KiB.
const WRITE_TIME: Duration = Duration::from_secs(5 * 60);
/// Commands in a row that make no sense, after which the connection is closed.
const BAD_COMMANDS: u32 = 50;

/// Who logged in.
pub(crate) struct User {
    pub account: Arc<Account>,
}

/// What the client enabled (RFC 5161).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Enabled {
    /// CONDSTORE, by ENABLE or by use (RFC 7162 §3.1).
    pub condstore: bool,
    pub qresync: bool,
    /// UTF8=ACCEPT or IMAP4rev2: names and quoted strings are in UTF-8.
    pub utf8: bool,
    /// UTF8=ACCEPT itself: texts are in UTF-8 and in no other charset (RFC 9755 §3).
    pub utf8_only: bool,
    pub rev2: bool,
    /// UIDONLY (RFC 9586): message numbers are neither told nor taken.
    pub uid_only: bool,
}

/// The next thing that the client sent, owned.
pub(crate) enum Input {
    NeedContinuation,
    Command(String, Command),
    Append(AppendMessage),
    AppendData(Vec<u8>),
    AppendEnd,
    CatenateUrl(String),
    CatenateText(CatenateText),
    CatenateEnd,
    Line(Vec<u8>),
    Error(Option<String>, &'static str),
}

pub(crate) struct Session {
    pub deps: Arc<Deps>,
    pub shutdown: Shutdown,
    pub user: Option<User>,
    pub view: Option<View>,
    pub enabled: Enabled,
    /// What the client asked to be told of at any time.
    pub notifier: Option<Notifier>,
    /// UIDs of the last SEARCH with SAVE (RFC 5182).
    pub saved: NumberSet,
    /// Of the texts that people read (RFC 5255).
    pub language: Language,
    /// Failed logins so far.
    pub failures: u32,
    /// Output that is not yet handed to the connection.
    pub out: Vec<u8>,
    pub stream: Stream,
    pub reader: CommandReader,
    /// LOGOUT was answered.
    pub ended: bool,
    /// Where the session goes on once the login is answered, when the mailbox is still at an old server.
    pub passage: Option<Passage>,
    login_deadline: Instant,
    /// Octets of the command that is being read.
    taken: usize,
    bad_commands: u32,
}

impl Session {
    pub fn new(mut stream: Stream, deps: Arc<Deps>, shutdown: Shutdown) -> Self {
        stream.set_write_timeout(WRITE_TIME);
        let login_deadline = Instant::now() + deps.limits.login_time;
        Self {
            deps,
            shutdown,
            user: None,
            view: None,
            enabled: Enabled::default(),
            notifier: None,
            saved: NumberSet::default(),
            language: Language::default(),
            failures: 0,
            out: Vec::new(),
            stream,
            reader: CommandReader::new(),
            ended: false,
            passage: None,
            login_deadline,
            taken: 0,
            bad_commands: 0,
        }
    }

    /// Greets, serves, and ends politely where it can.
    pub async fn run(mut self) {
        let code = format!("CAPABILITY {}", capability::words(&self));
        let text = format!("{} ready", self.deps.hostname);
        write_status(&mut self.out, "*", Status::Ok, &code, &text);
        let trouble = self.serve().await.err();
        command::leave_mailbox(&mut self).await;
        match trouble {
            Some(Trouble::Gone(error)) => return tracing::debug!(error = error.chain(), "the connection broke"),
            Some(Trouble::Bye(text)) => self.tell("*", Status::Bye, "", text),
            _ => {}
        }
        if self.flush().await.is_err() {
            return;
        }
        if let Some(passage) = self.passage {
            return passage.run(self.stream, self.shutdown).await;
        }
        if let Err(error) = self.stream.close().await {
            tracing::debug!(error = error.chain(), "the connection broke while it closed");
        }
    }

    async fn serve(&mut self) -> Result<(), Trouble> {
        while !self.ended && self.passage.is_none() {
            match self.next().await? {
                Input::NeedContinuation => write_continuation(&mut self.out, "OK"),
                Input::Command(tag, command) => {
                    self.bad_commands = 0;
                    command::run(self, &tag, command).await?;
                }
                Input::Append(message) => command::append::run(self, message).await?,
                Input::Error(tag, text) => self.bad(tag.as_deref().unwrap_or("*"), text)?,
                Input::AppendData(_)
                | Input::AppendEnd
                | Input::CatenateUrl(_)
                | Input::CatenateText(_)
                | Input::CatenateEnd
                | Input::Line(_) => {}
            }
        }
        Ok(())
    }

    fn bad(&mut self, tag: &str, text: &'static str) -> Result<(), Trouble> {
        self.tell(tag, Status::Bad, "", text);
        self.bad_commands += 1;
        if self.bad_commands > BAD_COMMANDS { Err(Trouble::Bye("Too many bad commands")) } else { Ok(()) }
    }
}

/// Input.
impl Session {
    /// The next event. Output is sent before the wait for more input, so that a pipelined group is answered together.
    pub async fn next(&mut self) -> Result<Input, Trouble> {
        loop {
            if let Some(input) = self.buffered() {
                return Ok(input);
            }
            self.bound()?;
            self.flush().await?;
            if self.notifier.is_some() {
                notify::wait(self, false).await?;
                if self.stream.buffered_input_len() > 0 {
                    continue;
                }
            }
            self.fill().await?;
        }
    }

    /// Ends the connection whose client sends, or announces, more than a command may hold and more than is skipped.
    fn bound(&self) -> Result<(), Trouble> {
        let limits = &self.deps.limits;
        let taken = (self.taken as u64).saturating_add(self.reader.left_to_skip());
        match self.user {
            None if taken > limits.login_command as u64 => {
                Err(Trouble::Bye("The command is too long before the login"))
            }
            Some(_) if taken > limits.skipped => Err(Trouble::Bye("The command is too long")),
            _ => Ok(()),
        }
    }

    /// The next event of what has arrived already.
    pub fn buffered(&mut self) -> Option<Input> {
        let buffer = self.stream.buffer();
        let mut rest = buffer;
        let input = self.reader.read(&mut rest).map(owned);
        let used = buffer.len() - rest.len();
        self.stream.consume(used);
        self.taken = if input.is_some() { 0 } else { self.taken + used };
        input
    }

    /// Waits for more input, within the time that the state allows.
    pub async fn fill(&mut self) -> Result<(), Trouble> {
        let deadline = match self.user {
            Some(_) => Instant::now() + self.deps.limits.idle_time,
            None => self.login_deadline,
        };
        self.stream.set_read_timeout(self.deps.limits.idle_time);
        let Some(filled) = self.shutdown.or(timeout_at(deadline, self.stream.fill())).await else {
            return Err(Trouble::Bye("The server is shutting down"));
        };
        match filled {
            Err(_) | Ok(Ok(Fill::TimedOut)) => Err(Trouble::Bye("Nothing was heard for too long")),
            Ok(Ok(Fill::Data(_))) => Ok(()),
            Ok(Ok(Fill::Closed)) => Err(Trouble::Gone(Error::unavailable("the client closed"))),
            Ok(Err(error)) => Err(Trouble::Gone(error)),
        }
    }
}

fn owned(event: Event<'_>) -> Input {
    match event {
        Event::NeedContinuation { .. } => Input::NeedContinuation,
        Event::Command { tag, command } => Input::Command(tag, command),
        Event::Append(message) => Input::Append(message),
        Event::AppendData(piece) => Input::AppendData(piece.to_vec()),
        Event::AppendEnd { .. } => Input::AppendEnd,
        Event::CatenateUrl(url) => Input::CatenateUrl(url),
        Event::CatenateText(text) => Input::CatenateText(text),
        Event::CatenateEnd => Input::CatenateEnd,
        Event::Line(line) => Input::Line(line),
        Event::Error { tag, text } => Input::Error(tag, text),
    }
}

/// Output.
impl Session {
    /// Hands gathered output to the connection when there is enough of it.
    pub async fn relieve(&mut self) -> Result<(), Trouble> {
        if self.out.len() >= GATHER { self.hand_over().await } else { Ok(()) }
    }

    /// Output that was gathered elsewhere: much of it goes to the connection as it is.
    pub async fn put(&mut self, bytes: Vec<u8>) -> Result<(), Trouble> {
        if bytes.len() < GATHER {
            self.out.extend_from_slice(&bytes);
            return self.relieve().await;
        }
        self.hand_over().await?;
        self.stream.write_all(&bytes).await.map_err(Trouble::Gone)
    }

    /// Hands everything to the connection, which sends by itself what exceeds its buffer.
    pub async fn hand_over(&mut self) -> Result<(), Trouble> {
        self.stream.write_all(&self.out).await.map_err(Trouble::Gone)?;
        self.out.clear();
        self.out.shrink_to(GATHER);
        Ok(())
    }

    /// Sends everything.
    pub async fn flush(&mut self) -> Result<(), Trouble> {
        self.hand_over().await?;
        self.out = Vec::new();
        self.stream.flush().await.map_err(Trouble::Gone)
    }

    pub fn reply(&mut self, tag: &str, reply: &Reply) {
        write_status(&mut self.out, tag, reply.status, &reply.code, &reply.said_in(self.language));
    }

    /// A status response, which is untagged with `*` (RFC 9051 §7.1), in the client's language.
    pub fn tell(&mut self, tag: &str, status: Status, code: &str, text: &'static str) {
        write_status(&mut self.out, tag, status, code, &words::say(self.language, text));
    }

    /// An untagged line, without its star and CR LF.
    pub fn untagged(&mut self, line: &str) {
        self.out.extend_from_slice(b"* ");
        self.out.extend_from_slice(line.as_bytes());
        self.out.extend_from_slice(b"\r\n");
    }
}

/// The state.
impl Session {
    /// Forgets who logged in and all that came of it; the mailbox was left before.
    pub fn forget_user(&mut self) {
        (self.user, self.enabled, self.saved) = (None, Enabled::default(), NumberSet::default());
        (self.language, self.notifier) = (Language::default(), None);
        self.reader.set_utf8(false);
        self.login_deadline = Instant::now() + self.deps.limits.login_time;
    }

    pub fn peer(&self) -> IpAddr {
        self.stream.peer_addr().ip()
    }

    pub fn is_secure(&self) -> bool {
        self.stream.is_secure()
    }

    pub fn takes_passwords(&self) -> bool {
        self.is_secure() || self.deps.allow_plaintext_auth
    }

    /// The account of the user; commands that need one run only when there is one.
    pub fn account(&self) -> Result<&Arc<Account>, Trouble> {
        let user = self.user.as_ref().ok_or_else(|| Reply::bad("Log in first"))?;
        Ok(&user.account)
    }

    pub fn account_id(&self) -> Result<AccountId, Trouble> {
        Ok(self.account()?.id)
    }

    pub fn view(&self) -> Result<&View, Trouble> {
        self.view.as_ref().ok_or_else(|| Reply::bad("Select a mailbox first").into())
    }

    /// The selected mailbox, which was opened for writing.
    pub fn writable_view(&self) -> Result<&View, Trouble> {
        match self.view()? {
            view if view.read_only => Err(Reply::no("READ-ONLY", "The mailbox is open for reading only").into()),
            view => Ok(view),
        }
    }

    /// The client said that it understands modification sequences: it is told those of the selected mailbox from here on, first of
    /// all the highest (RFC 7162 §3.1).
    pub fn enable_condstore(&mut self) {
        if !std::mem::replace(&mut self.enabled.condstore, true)
            && let Some(view) = &self.view
        {
            view.write_highest(&mut self.out);
        }
    }

    /// Bytes that an account may hold; `None` for no limit. Asked anew each time, since it may have changed.
    pub async fn quota(&self, account: AccountId) -> Result<Option<u64>, Trouble> {
        let account = self.deps.directory.account(account).await?;
        Ok(account.map(|account| account.quota_bytes).filter(|quota| *quota > 0))
    }

    /// Messages of the selected mailbox whose flags changed since the client was last told.
    pub async fn changed(&self) -> Result<HashSet<u32>, Trouble> {
        let Some(view) = &self.view else { return Ok(HashSet::new()) };
        let newest = self.deps.store.snapshot(view.owner.id, view.mailbox).await?;
        Ok(view.list.diff(&newest).changed.into_iter().map(|entry| entry.uid).collect())
    }

    /// Tells the client what changed in its mailbox since it was last told, as far as NOTIFY lets it. Of what the client does itself it is
    /// told in any case.
    pub async fn sync(&mut self, telling: &Telling<'_>) -> Result<(), Trouble> {
        let asked = !telling.also.is_empty() || telling.silent.is_some() || telling.elsewhere.is_some();
        match self.notifier.as_ref().map(Notifier::mutes) {
            Some((_, true)) if !asked => Ok(()),
            Some((true, false)) if !asked => {
                let hidden = self.changed().await?;
                self.tell_all(&Telling { elsewhere: Some(&hidden), ..*telling }).await
            }
            _ => self.tell_all(telling).await,
        }
    }

    async fn tell_all(&mut self, telling: &Telling<'_>) -> Result<(), Trouble> {
        let Some(view) = &mut self.view else { return Ok(()) };
        let newest = match self.deps.store.snapshot(view.owner.id, view.mailbox).await {
            Err(error) if error.class == anser_base::Class::NotFound => {
                return Err(Trouble::Bye("The mailbox was deleted"));
            }
            other => other?,
        };
        if newest.uidvalidity != view.list.uidvalidity {
            return Err(Trouble::Bye("The mailbox was made anew"));
        }
        if newest.is_filling {
            return Err(Trouble::Bye("Mail moves into the mailbox: try again later"));
        }
        view.tell(&mut self.out, newest, self.enabled, telling);
        self.relieve().await
    }
}
