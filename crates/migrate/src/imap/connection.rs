//! A connection to an old server: TLS, login, commands and their answers. Every wait ends.

use std::collections::BTreeSet;
use std::time::Duration;

use anser_net::{Fill, Stream, TlsConnector};
use anser_wire::Secret;
use anser_wire::imap::client::{Argument, Code, Condition, Event, Response, ResponseReader, quoted};
use anser_wire::imap::write::Status;

use crate::entry::Login;
use crate::halt;
use crate::meaning::{Said, text_of};
use crate::model::{Source, Tls};
use crate::oauth::{bearer, initial};
use crate::reach;
use crate::source::{Spaces, mark_of};
use crate::talk::{plain, unsaid};
use crate::trouble::Trouble;

/// For a connection and its greeting.
const GREETING: Duration = Duration::from_secs(60);
/// For the next bytes of an answer.
const ANSWER: Duration = Duration::from_secs(180);
/// Responses that one command may be answered with at most; more is no mail server.
pub(super) const RESPONSES: u64 = 20_000_000;
/// What we say we are (RFC 2971): NetEase's servers open no mailbox without.
const ID: &str = "ID (\"name\" \"anser\" \"version\" \"1\" \"vendor\" \"anser\")";
/// Data items that name a message over folders, by the capabilities that offer them; the first is taken. That of Cyrus is the hash of the
/// message: every server of its kind has the same.
const IDENTITIES: [(&str, &str); 3] =
    [("DIGEST=SHA1", "DIGEST.SHA1"), ("OBJECTID", "EMAILID"), ("X-GM-EXT-1", "X-GM-MSGID")];
/// What Dovecot names messages and mailboxes by.
pub(super) const GUID: &str = "X-GUID";
/// Where systems keep the certificates of the authorities that they trust.
const AUTHORITIES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// How a password is said.
enum Way {
    Plain,
    Literal,
    Quoted,
}

/// What came next.
#[derive(Debug)]
pub enum Got {
    /// A body of so many octets begins.
    Body(u64),
    /// So many octets of it are at the front of [`Imap::octets`]: use them, then [`Imap::used`].
    Octets(usize),
    /// A whole response.
    Response(Response),
}

/// A connection.
pub struct Imap {
    pub(super) stream: Stream,
    reader: ResponseReader,
    next_tag: u32,
    capabilities: BTreeSet<String>,
    /// Whether QRESYNC is enabled (RFC 7162 §3.2.3).
    pub(super) tells_vanished: bool,
    /// The data item that names a message over folders, where the server has one.
    pub(super) identity: Option<&'static str>,
    /// Whether the server calls itself Dovecot: what it knows of its own no capability tells.
    pub(super) is_dovecot: bool,
    /// What its ids begin with: see `id_of`.
    pub(super) server: u16,
    /// Its namespaces, once they were asked for.
    pub(super) spaces: Option<Spaces>,
}

impl Imap {
    /// Connects and logs in.
    pub async fn open(source: &Source, login: impl Into<Login>, password: &Secret) -> Result<Self, Trouble> {
        let mut imap = Self::connect(source).await?;
        imap.log_in(login, password).await?;
        if imap.can("QRESYNC") {
            let tag = imap.send("ENABLE QRESYNC").await?;
            imap.tells_vanished = imap.until(&tag, |_| ()).await?.status == Status::Ok;
        }
        Ok(imap)
    }

    /// Connects, starts TLS as the source asks for, and reads what the server can do.
    pub async fn connect(source: &Source) -> Result<Self, Trouble> {
        let mut stream = reach::connect(&source.host, source.port, GREETING).await?;
        stream.set_read_timeout(GREETING);
        stream.set_write_timeout(ANSWER);
        if matches!(source.tls, Tls::Implicit | Tls::ImplicitAny) {
            secure(&mut stream, source).await?;
        }
        let (reader, capabilities) = (ResponseReader::default(), BTreeSet::new());
        let (next_tag, tells_vanished, identity, is_dovecot, spaces) = (1, false, None, false, None);
        let server = mark_of(format!("{}:{}", source.host, source.port).as_bytes()) as u16;
        let mut imap =
            Self { stream, reader, next_tag, capabilities, tells_vanished, identity, is_dovecot, server, spaces };
        imap.greeting().await?;
        if matches!(source.tls, Tls::Starttls | Tls::StarttlsAny) {
            imap.ask_capabilities().await?;
            if !imap.can("STARTTLS") {
                return Err(Trouble::lost("the server does not offer STARTTLS, which this source asks for"));
            }
            imap.command("STARTTLS").await?;
            secure(&mut imap.stream, source).await?;
            (imap.reader, imap.capabilities) = (ResponseReader::default(), BTreeSet::new());
        }
        if imap.capabilities.is_empty() {
            imap.ask_capabilities().await?;
        }
        imap.stream.set_read_timeout(ANSWER);
        Ok(imap)
    }

    async fn greeting(&mut self) -> Result<(), Trouble> {
        match self.response().await? {
            Response::Condition(Condition { status: Status::Ok | Status::PreAuth, .. }) => Ok(()),
            Response::Condition(condition) => {
                let text = text_of(&condition.text);
                let pause = said(&condition, &text).patience();
                Err(Trouble::Later { why: format!("the server greets with: {text}"), pause })
            }
            _ => Err(Trouble::lost("the server's greeting is no IMAP")),
        }
    }

    /// Whether the server says that it can do this; in upper case.
    pub fn can(&self, capability: &str) -> bool {
        self.capabilities.contains(capability)
    }

    async fn ask_capabilities(&mut self) -> Result<(), Trouble> {
        self.command("CAPABILITY").await.map(drop)
    }

    /// Logs in by whatever way takes any password. Then says who we are and asks once more what the server can do.
    pub async fn log_in(&mut self, login: impl Into<Login>, password: &Secret) -> Result<(), Trouble> {
        let login = login.into();
        let condition = match bearer(password) {
            Some(token) => self.authenticate_bearer(&login.name, token).await?,
            None => self.say_password(&login, password).await?,
        };
        if condition.status != Status::Ok {
            return Err(said(&condition, &text_of(&condition.text)).login());
        }
        match condition.code {
            Some(Code::Capability(_)) => {}
            _ => self.ask_capabilities().await?,
        }
        // Whatever it answers: some answer BAD and are content.
        let (tag, mut is_dovecot) = (self.send(ID).await?, false);
        let each = |response| {
            if let Response::Id { name } = response {
                is_dovecot = name.is_some_and(|name| name.eq_ignore_ascii_case("Dovecot"));
            }
        };
        self.until(&tag, each).await?;
        let offered = IDENTITIES.iter().find(|(capability, _)| self.can(capability)).map(|(_, item)| *item);
        self.identity = offered.or(is_dovecot.then_some(GUID));
        self.is_dovecot = is_dovecot;
        Ok(())
    }

    /// SASL PLAIN (RFC 4616), else LOGIN with a literal, else with a quoted string: the next where the server does not know the one before.
    /// A password that it does not take is said once.
    async fn say_password(&mut self, login: &Login, password: &Secret) -> Result<Condition, Trouble> {
        let mut unknown = None;
        for way in [Way::Plain, Way::Literal, Way::Quoted] {
            let condition = match way {
                Way::Plain if self.can("AUTH=PLAIN") => self.authenticate_plain(login, password).await?,
                Way::Plain => continue,
                _ if login.whose.is_some() || self.can("LOGINDISABLED") => continue,
                Way::Literal => {
                    let password = Argument::Literal(password.as_bytes().to_vec());
                    self.run_with("LOGIN", &[quoted(login.name.as_bytes()), password], |_| ()).await?
                }
                Way::Quoted => {
                    let Some(both) = in_quotes(login.name.as_bytes()).zip(in_quotes(password.as_bytes())) else {
                        continue;
                    };
                    self.run_with("LOGIN", &[Argument::Inline(both.0), Argument::Inline(both.1)], |_| ()).await?
                }
            };
            if condition.status == Status::Ok || !said(&condition, &text_of(&condition.text)).is_of_form() {
                return Ok(condition);
            }
            unknown = Some(condition);
        }
        let off =
            || Trouble::Login { kind: "imap-off", why: "the server takes no passwords on this connection".into() };
        unknown.ok_or_else(|| if login.whose.is_some() { unsaid("it takes no authorization identity") } else { off() })
    }

    async fn authenticate_plain(&mut self, login: &Login, password: &Secret) -> Result<Condition, Trouble> {
        let response = plain(login, password);
        if self.can("SASL-IR") {
            let tag = self.send(&format!("AUTHENTICATE PLAIN {response}")).await?;
            return self.until(&tag, |_| ()).await;
        }
        let tag = self.send("AUTHENTICATE PLAIN").await?;
        if let Some(condition) = self.continuation(&tag).await? {
            return Ok(condition);
        }
        self.write(format!("{response}\r\n").as_bytes()).await?;
        self.until(&tag, |_| ()).await
    }

    /// By an access token: OAUTHBEARER (RFC 7628), else XOAUTH2.
    async fn authenticate_bearer(&mut self, login: &str, token: &str) -> Result<Condition, Trouble> {
        let mechanism = if self.can("AUTH=OAUTHBEARER") { "OAUTHBEARER" } else { "XOAUTH2" };
        let (response, end) = initial(mechanism, login, token);
        let tag = match self.can("SASL-IR") {
            true => self.send(&format!("AUTHENTICATE {mechanism} {response}")).await?,
            false => {
                let tag = self.send(&format!("AUTHENTICATE {mechanism}")).await?;
                if let Some(condition) = self.continuation(&tag).await? {
                    return Ok(condition);
                }
                self.write(format!("{response}\r\n").as_bytes()).await?;
                tag
            }
        };
        if let Some(condition) = self.continuation(&tag).await? {
            return Ok(condition);
        }
        // The server asked for more: what it said is why it refuses, and it wants to be heard out (RFC 7628 §3.2.3).
        self.write(format!("{end}\r\n").as_bytes()).await?;
        self.until(&tag, |_| ()).await
    }

    /// Octets on their way. A connection that does not take them is lost: that is no trouble of our own.
    pub(super) async fn write(&mut self, octets: &[u8]) -> Result<(), Trouble> {
        halt::answer(self.stream.write_all(octets)).await?.map_err(|error| Trouble::lost(error.chain()))
    }

    /// Sends a command; its tag.
    pub async fn send(&mut self, command: &str) -> Result<String, Trouble> {
        let tag = self.tag();
        self.write(format!("{tag} {command}\r\n").as_bytes()).await?;
        Ok(tag)
    }

    pub(super) fn tag(&mut self) -> String {
        let tag = format!("a{}", self.next_tag);
        self.next_tag = self.next_tag.wrapping_add(1);
        tag
    }

    /// Sends a command that must go well, and leaves out what it is answered with on the way.
    pub async fn command(&mut self, command: &str) -> Result<Condition, Trouble> {
        self.run(command, |_| ()).await
    }

    /// Sends a command that must go well; each response before its end goes to `each`. [`Trouble::Refused`] for NO and BAD.
    pub async fn run(&mut self, command: &str, each: impl FnMut(Response)) -> Result<Condition, Trouble> {
        let tag = self.send(command).await?;
        let condition = self.until(&tag, each).await?;
        well(condition, command)
    }

    /// Sends a command with strings; returns how it ended.
    pub async fn run_with(
        &mut self,
        command: &str,
        arguments: &[Argument],
        each: impl FnMut(Response),
    ) -> Result<Condition, Trouble> {
        let tag = self.tag();
        let mut line = format!("{tag} {command}").into_bytes();
        for argument in arguments {
            line.push(b' ');
            match argument {
                Argument::Inline(text) => line.extend_from_slice(text),
                Argument::Literal(octets) => {
                    line.extend_from_slice(format!("{{{}}}\r\n", octets.len()).as_bytes());
                    self.write(&line).await?;
                    if let Some(condition) = self.continuation(&tag).await? {
                        return Ok(condition);
                    }
                    line = octets.clone();
                }
            }
        }
        line.extend_from_slice(b"\r\n");
        self.write(&line).await?;
        self.until(&tag, each).await
    }

    /// Waits for the server to ask for more; how the command ended when it does not.
    pub(super) async fn continuation(&mut self, tag: &str) -> Result<Option<Condition>, Trouble> {
        loop {
            match self.response().await? {
                Response::Continue(_) => return Ok(None),
                Response::Condition(condition) if condition.tag.as_deref() == Some(tag) => return Ok(Some(condition)),
                _ => {}
            }
        }
    }

    /// Reads up to the end of a command.
    pub async fn until(&mut self, tag: &str, mut each: impl FnMut(Response)) -> Result<Condition, Trouble> {
        for _ in 0..RESPONSES {
            match self.response().await? {
                Response::Condition(condition) if condition.tag.as_deref() == Some(tag) => return Ok(condition),
                other => each(other),
            }
        }
        Err(Trouble::lost("the server answers without end"))
    }

    /// The next response; a body on the way to it is thrown away.
    async fn response(&mut self) -> Result<Response, Trouble> {
        loop {
            match self.next().await? {
                Got::Response(response) => return Ok(response),
                Got::Octets(count) => self.used(count),
                Got::Body(_) => {}
            }
        }
    }

    /// What comes next. BYE ends the connection.
    pub async fn next(&mut self) -> Result<Got, Trouble> {
        loop {
            if self.stream.buffered_input_len() == 0 {
                halt::answer(self.stream.flush()).await?.map_err(|error| Trouble::lost(error.chain()))?;
                match halt::answer(self.stream.fill()).await?.map_err(|error| Trouble::lost(error.chain()))? {
                    Fill::Data(_) => {}
                    Fill::Closed => return Err(Trouble::lost("the server closed the connection")),
                    Fill::TimedOut => return Err(Trouble::lost("the server does not answer")),
                }
            }
            let read = self.reader.read(self.stream.buffer());
            let (taken, event) =
                read.map_err(|error| Trouble::lost(format!("the server's answer is no IMAP: {}", error.0)))?;
            match event {
                Event::Octets(count) => return Ok(Got::Octets(count)),
                Event::More => self.stream.consume(taken),
                Event::Body(size) => {
                    self.stream.consume(taken);
                    return Ok(Got::Body(size));
                }
                Event::Response(response) => {
                    self.stream.consume(taken);
                    self.notice(&response)?;
                    return Ok(Got::Response(response));
                }
            }
        }
    }

    /// The octets that [`Got::Octets`] counts.
    pub fn octets(&self) -> &[u8] {
        self.stream.buffer()
    }

    /// Steps over octets.
    pub fn used(&mut self, count: usize) {
        self.stream.consume(count);
    }

    fn notice(&mut self, response: &Response) -> Result<(), Trouble> {
        match response {
            Response::Capability(list) => self.capabilities = list.iter().cloned().collect(),
            Response::Condition(Condition { status, code, text, tag }) => {
                if let Some(Code::Capability(list)) = code {
                    self.capabilities = list.iter().cloned().collect();
                }
                if *status == Status::Bye && tag.is_none() {
                    let text = &text_of(text);
                    let pause = Said { code: name_of(code.as_ref()), text, is_bad: false }.patience();
                    return Err(Trouble::Later { why: format!("the server says goodbye: {text}"), pause });
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The connection, for whoever speaks for himself from here on, and the words of CAPABILITY. What came and was not read yet is read
    /// first.
    pub fn into_stream(self) -> (Stream, String) {
        let words = self.capabilities();
        (self.stream, words)
    }

    /// The words of CAPABILITY.
    pub fn capabilities(&self) -> String {
        self.capabilities.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
    }

    /// Says goodbye and does not wait for the answer.
    pub async fn leave(mut self) {
        if self.send("LOGOUT").await.is_ok() {
            let _ = self.stream.flush().await;
        }
    }
}

/// A quoted string (RFC 9051 §4.3) of octets that one can hold: eight bits too, which servers that know no literals take.
fn in_quotes(octets: &[u8]) -> Option<Vec<u8>> {
    if octets.iter().any(|octet| matches!(octet, b'\r' | b'\n' | 0)) {
        return None;
    }
    let mut text = vec![b'"'];
    for octet in octets {
        if matches!(octet, b'"' | b'\\') {
            text.push(b'\\');
        }
        text.push(*octet);
    }
    text.push(b'"');
    Some(text)
}

/// Makes NO and BAD an error.
pub fn well(condition: Condition, command: &str) -> Result<Condition, Trouble> {
    if condition.status == Status::Ok {
        return Ok(condition);
    }
    let verb: String = command.split(' ').take(2).collect::<Vec<_>>().join(" ");
    let text = text_of(&condition.text);
    Err(said(&condition, &text).command(format!("{verb}: {text}")))
}

/// What a condition says; `text` is its text, decoded.
fn said<'a>(condition: &'a Condition, text: &'a str) -> Said<'a> {
    Said { code: name_of(condition.code.as_ref()), text, is_bad: condition.status == Status::Bad }
}

fn name_of(code: Option<&Code>) -> &str {
    if let Some(Code::Other(name)) = code { name } else { "" }
}

/// Starts TLS towards a source, as its policy asks for.
pub(crate) async fn secure(stream: &mut Stream, source: &Source) -> Result<(), Trouble> {
    let connector = match source.tls {
        Tls::ImplicitAny | Tls::StarttlsAny => TlsConnector::opportunistic()?,
        _ => {
            let found = AUTHORITIES.iter().map(std::path::Path::new).find(|path| path.exists());
            TlsConnector::verified(found.unwrap_or_else(|| std::path::Path::new(AUTHORITIES[0])))?
        }
    };
    let started = halt::answer(stream.start_tls_as_client(&connector, &source.host)).await?;
    started.map_err(|error| Trouble::lost(format!("no trusted encrypted connection: {}", error.chain())))
}
