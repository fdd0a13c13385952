//! A connection to an old server: TLS, login, commands and their answers. Every wait ends.

use std::collections::BTreeSet;
use std::time::Duration;

use anser_net::{Fill, Stream, TlsConnector};
use anser_wire::Secret;
use anser_wire::imap::client::{Argument, Code, Condition, Event, Response, ResponseReader, quoted};
use anser_wire::imap::write::Status;
use anser_wire::sasl::encode_base64;

use crate::halt;
use crate::model::{Source, Tls};
use crate::oauth::{bearer, initial};
use crate::reach;
use crate::trouble::Trouble;

/// For a connection and its greeting.
const GREETING: Duration = Duration::from_secs(60);
/// For the next bytes of an answer.
const ANSWER: Duration = Duration::from_secs(180);
/// Responses that one command may be answered with at most; more is no mail server.
const RESPONSES: u64 = 20_000_000;
/// What we say we are (RFC 2971): NetEase's servers open no mailbox without.
const ID: &str = "ID (\"name\" \"anser\" \"version\" \"1\" \"vendor\" \"anser\")";
/// Where systems keep the certificates of the authorities that they trust.
const AUTHORITIES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

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
}

impl Imap {
    /// Connects and logs in.
    pub async fn open(source: &Source, login: &str, password: &Secret) -> Result<Self, Trouble> {
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
        let mut imap = Self { stream, reader, next_tag: 1, capabilities, tells_vanished: false };
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
            Response::Condition(condition) => Err(Trouble::lost(format!("the server greets with: {}", condition.text))),
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

    /// Logs in by whatever way takes any password: SASL PLAIN (RFC 4616), else LOGIN with a literal, else in quotes. Then says who we
    /// are and asks once more what the server can do.
    pub async fn log_in(&mut self, login: &str, password: &Secret) -> Result<(), Trouble> {
        let condition = if let Some(token) = bearer(password) {
            self.authenticate_bearer(login, token).await?
        } else if self.can("AUTH=PLAIN") {
            self.authenticate_plain(login, password).await?
        } else if self.can("LOGINDISABLED") {
            return Err(Trouble::Login {
                kind: "imap-off",
                why: "the server takes no passwords on this connection".into(),
            });
        } else {
            self.login(login, password).await?
        };
        if condition.status != Status::Ok {
            return Err(refusal(&condition));
        }
        match condition.code {
            Some(Code::Capability(_)) => {}
            _ => self.ask_capabilities().await?,
        }
        // Whatever it answers: some answer BAD and are content.
        let tag = self.send(ID).await?;
        self.until(&tag, |_| ()).await?;
        Ok(())
    }

    async fn authenticate_plain(&mut self, login: &str, password: &Secret) -> Result<Condition, Trouble> {
        let response = encode_base64(&[b"\0", login.as_bytes(), b"\0", password.as_bytes()].concat());
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

    /// LOGIN. Both strings are literals where they are not plain, and the password always is.
    async fn login(&mut self, login: &str, password: &Secret) -> Result<Condition, Trouble> {
        let arguments = [quoted(login.as_bytes()), Argument::Literal(password.as_bytes().to_vec())];
        self.run_with("LOGIN", &arguments, |_| ()).await
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
                    return Err(Trouble::Later {
                        why: format!("the server says goodbye: {text}"),
                        pause: pause_in(text),
                    });
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

/// Makes NO and BAD an error.
pub fn well(condition: Condition, command: &str) -> Result<Condition, Trouble> {
    if condition.status == Status::Ok {
        return Ok(condition);
    }
    let verb: String = command.split(' ').take(2).collect::<Vec<_>>().join(" ");
    match pause_in(&condition.text) {
        Some(pause) => Err(Trouble::Later { why: format!("{verb}: {}", condition.text), pause: Some(pause) }),
        None => Err(Trouble::Refused(format!("{verb}: {}", condition.text))),
    }
}

/// `Suggested Backoff Time: 2000 milliseconds` (Exchange).
fn pause_in(text: &str) -> Option<Duration> {
    let rest = text.split_once("Backoff Time: ")?.1;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok().map(Duration::from_millis)
}

/// Why a login is refused, as far as the server's words tell.
fn refusal(condition: &Condition) -> Trouble {
    let code = match &condition.code {
        Some(Code::Other(name)) => name.as_str(),
        _ => "",
    };
    let why = condition.text.clone();
    let text = why.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if code == "UNAVAILABLE"
        || code == "INUSE"
        || code == "LIMIT"
        || has(&["too many", "try again later", "temporar", "backoff"])
    {
        return Trouble::Later { pause: pause_in(&why), why };
    }
    let kind = if has(&["lock", "suspend", "disabled account", "frozen", "冻结", "锁定"]) {
        "locked"
    } else if has(&["imap is disabled", "not enabled", "disabled for", "service is not open", "未开启", "未启用"])
    {
        "imap-off"
    } else if has(&["application-specific", "app password", "authorization code", "授权码", "two-factor", "2fa"]) {
        "app-password"
    } else if code == "EXPIRED" || has(&["expired", "must change"]) {
        "must-change"
    } else {
        "wrong"
    };
    Trouble::Login { kind, why }
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
