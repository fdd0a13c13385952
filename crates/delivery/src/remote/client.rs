//! A connection to the smarthost: from the socket to the point where it takes mail. Every wait has the deadline that RFC 5321
//! §4.5.3.2 asks for, over the whole reply and not over each byte of it.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use anser_base::{Class, Error};
use anser_net::{ConnectOptions, Fill, Stream, TlsConnector, connect};
use anser_wire::sasl::encode_base64;
use anser_wire::smtp::{Capabilities, Reply, ReplyError, ReplyReader};
use tokio::time::timeout;

use super::stop::{CLOSING, Stop};
use super::{Smarthost, SmarthostTls};

/// For the greeting (RFC 5321 §4.5.3.2.1), and for EHLO, STARTTLS and AUTH, for which it names none.
pub(super) const GREETING: Duration = Duration::from_secs(300);
/// For MAIL and RCPT (RFC 5321 §4.5.3.2.2, §4.5.3.2.3).
pub(super) const ENVELOPE: Duration = Duration::from_secs(300);
/// For DATA (RFC 5321 §4.5.3.2.4).
pub(super) const DATA: Duration = Duration::from_secs(120);
/// For the server to take each block of the message (RFC 5321 §4.5.3.2.5).
const BLOCK: Duration = Duration::from_secs(180);
/// For the reply to the end of the message (RFC 5321 §4.5.3.2.6).
pub(super) const FINAL_DOT: Duration = Duration::from_secs(600);
/// For a reply that explains why the server stopped reading.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// For QUIT and its reply.
const GOOD_BYE: Duration = Duration::from_secs(5);

/// Where systems keep the certificates of the authorities that they trust.
const AUTHORITIES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// How to reach the smarthost.
pub(super) struct Connector {
    smarthost: Smarthost,
    hostname: String,
    tls: OnceLock<TlsConnector>,
}

impl Connector {
    pub fn new(smarthost: Smarthost, hostname: &str) -> Self {
        let hostname = hostname.chars().filter(|c| !c.is_control() && !c.is_whitespace()).collect();
        Self { smarthost, hostname, tls: OnceLock::new() }
    }

    /// A connection that takes mail.
    pub async fn connect(&self) -> Result<Client, Stop> {
        let opportunistic = self.smarthost.tls == SmarthostTls::Opportunistic;
        match self.open(self.smarthost.tls != SmarthostTls::Never).await {
            // A server whose TLS is broken still gets mail in plain (RFC 7435 §3), but no password.
            Err(stop) if stop.is_tls && opportunistic && self.smarthost.login.is_none() => self.open(false).await,
            other => other,
        }
    }

    async fn open(&self, with_tls: bool) -> Result<Client, Stop> {
        let Smarthost { host, port, .. } = &self.smarthost;
        let stream = connect(host, *port, &ConnectOptions::default()).await.map_err(|error| {
            tracing::info!(error = error.chain(), "the smarthost cannot be reached");
            Stop::later(format!("4.4.1 no answer from {host} port {port}"))
        })?;
        let mut client = Client::over(stream, host);
        if matches!(self.smarthost.tls, SmarthostTls::Implicit(_)) {
            self.start_tls(&mut client).await?;
        }
        client.greeting().await?;
        client.hello(&self.hostname).await?;
        if with_tls && !client.stream.is_secure() {
            self.upgrade(&mut client).await?;
        }
        self.log_in(&mut client).await?;
        Ok(client)
    }

    /// STARTTLS (RFC 3207), and EHLO once more: what was said in plain counts no longer.
    async fn upgrade(&self, client: &mut Client) -> Result<(), Stop> {
        let required = matches!(self.smarthost.tls, SmarthostTls::Required(_));
        if !client.capabilities.starttls {
            let missing = format!("4.7.10 {} does not offer the encryption that is asked of it", client.host);
            return if required { Err(Stop::later(missing)) } else { Ok(()) };
        }
        let reply = client.command("STARTTLS", GREETING).await?;
        if reply.code != 220 {
            return if required { Err(Stop::said_to_us(&client.host, "4.7.10", &reply)) } else { Ok(()) };
        }
        if client.stream.buffered_input_len() > 0 {
            return Err(client.lost("it spoke in plain after STARTTLS"));
        }
        self.start_tls(client).await?;
        client.hello(&self.hostname).await
    }

    async fn start_tls(&self, client: &mut Client) -> Result<(), Stop> {
        let connector = self.tls().map_err(|error| {
            tracing::error!(error = error.chain(), "no TLS towards the smarthost");
            Stop::later("4.3.5 the certificates to verify the smarthost by cannot be read")
        })?;
        let started = client.stream.start_tls_as_client(connector, &client.host).await;
        started.map_err(|error| {
            tracing::warn!(error = error.chain(), host = client.host, "no TLS with the smarthost");
            Stop::later(format!("4.7.5 no trusted encrypted connection to {}", client.host)).in_tls()
        })?;
        client.is_verified = self.smarthost.tls != SmarthostTls::Opportunistic;
        Ok(())
    }

    /// Made at the first connection and not before, so that a missing file keeps no server from starting.
    fn tls(&self) -> Result<&TlsConnector, Error> {
        if let Some(known) = self.tls.get() {
            return Ok(known);
        }
        let made = match &self.smarthost.tls {
            SmarthostTls::Required(file) | SmarthostTls::Implicit(file) => TlsConnector::verified(&authorities(file)?)?,
            SmarthostTls::Opportunistic | SmarthostTls::Never => TlsConnector::opportunistic()?,
        };
        Ok(self.tls.get_or_init(|| made))
    }

    /// AUTH PLAIN (RFC 4616) or LOGIN. A refusal is ours to mend and returns no mail.
    async fn log_in(&self, client: &mut Client) -> Result<(), Stop> {
        let Some((user, password)) = &self.smarthost.login else { return Ok(()) };
        if !client.stream.is_secure() && !client.stream.peer_addr().ip().is_loopback() {
            return Err(Stop::later(format!("4.7.11 {} offers no encryption to log in over", client.host)));
        }
        let offers = |name: &str| client.capabilities.auth.iter().any(|offered| offered == name);
        let reply = if offers("PLAIN") {
            let text = [b"\0", user.as_bytes(), b"\0", password.as_bytes()].concat();
            client.command(&format!("AUTH PLAIN {}", encode_base64(&text)), GREETING).await?
        } else if offers("LOGIN") {
            client.login(user.as_bytes(), password.as_bytes()).await?
        } else {
            return Err(Stop::later(format!("4.7.4 {} offers no way to log in that we know", client.host)));
        };
        if reply.is_positive() { Ok(()) } else { Err(Stop::said_to_us(&client.host, "4.7.8", &reply)) }
    }
}

fn authorities(file: &Option<PathBuf>) -> Result<PathBuf, Error> {
    let bundle = || AUTHORITIES.iter().map(Path::new).find(|path| path.exists()).map(Path::to_owned);
    file.clone()
        .or_else(bundle)
        .ok_or_else(|| Error::new(Class::Invalid, "no certificate authorities were found", "找不到证书颁发机构"))
}

/// A connection.
pub(super) struct Client {
    stream: Stream,
    host: String,
    capabilities: Capabilities,
    is_verified: bool,
    /// Nothing sensible can be said on it any more.
    is_broken: bool,
    /// How far the current message got.
    pub(super) phase: Phase,
    messages: u32,
}

/// How far a message got on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// There is none.
    Idle,
    /// Its envelope was begun; another connection can begin it anew.
    Envelope,
    /// The message itself was begun.
    Message,
}

impl Client {
    fn over(mut stream: Stream, host: &str) -> Self {
        stream.set_write_timeout(BLOCK);
        Self {
            stream,
            host: host.to_owned(),
            capabilities: Capabilities::default(),
            is_verified: false,
            is_broken: false,
            phase: Phase::Idle,
            messages: 0,
        }
    }

    pub fn host(&self) -> &str {
        &self.host
    }

    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// Whether it is encrypted towards a server that showed who it is.
    pub fn is_verified(&self) -> bool {
        self.is_verified && self.stream.is_secure()
    }

    /// Messages that went over it.
    pub fn messages(&self) -> u32 {
        self.messages
    }

    pub fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// Nothing more is said on it.
    pub fn give_up(&mut self) {
        self.is_broken = true;
    }

    /// The server took or refused the whole message and waits for the next.
    pub fn end_message(&mut self) {
        self.phase = Phase::Idle;
        self.messages += 1;
    }

    pub fn lost(&mut self, what: &str) -> Stop {
        self.is_broken = true;
        Stop::lost(&self.host, what)
    }

    /// What a reply that is not the wanted one means.
    pub fn said(&mut self, reply: &Reply) -> Stop {
        let in_step = (reply.is_transient() || reply.is_permanent()) && reply.code != CLOSING;
        self.is_broken |= !in_step;
        Stop::said(&self.host, reply)
    }

    async fn greeting(&mut self) -> Result<(), Stop> {
        let reply = self.reply(GREETING).await?;
        if reply.is_positive() { Ok(()) } else { Err(Stop::said_to_us(&self.host, "4.3.2", &reply)) }
    }

    /// EHLO, or HELO to a server that does not know it (RFC 5321 §4.1.1.1).
    async fn hello(&mut self, hostname: &str) -> Result<(), Stop> {
        let reply = self.command(&format!("EHLO {hostname}"), GREETING).await?;
        if reply.is_positive() {
            self.capabilities = Capabilities::from_reply(&reply);
            return Ok(());
        }
        self.capabilities = Capabilities::default();
        let reply = match reply.is_permanent() {
            true => self.command(&format!("HELO {hostname}"), GREETING).await?,
            false => reply,
        };
        if reply.is_positive() { Ok(()) } else { Err(Stop::said_to_us(&self.host, "4.3.2", &reply)) }
    }

    async fn login(&mut self, user: &[u8], password: &[u8]) -> Result<Reply, Stop> {
        let mut reply = self.command("AUTH LOGIN", GREETING).await?;
        for text in [user, password] {
            if reply.code != 334 {
                return Ok(reply);
            }
            reply = self.command(&encode_base64(text), GREETING).await?;
        }
        Ok(reply)
    }
}

/// Commands and replies.
impl Client {
    /// Sends a line and reads its reply.
    pub async fn command(&mut self, line: &str, deadline: Duration) -> Result<Reply, Stop> {
        self.expect_silence()?;
        self.write(line.as_bytes()).await?;
        self.write(b"\r\n").await?;
        self.flush().await?;
        self.reply(deadline).await
    }

    /// A reply before its command would be taken for another command's.
    pub fn expect_silence(&mut self) -> Result<(), Stop> {
        if self.stream.buffered_input_len() > 0 { Err(self.lost("it spoke out of turn")) } else { Ok(()) }
    }

    /// Puts bytes on their way.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        match self.stream.write_all(bytes).await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.last_words(&error).await),
        }
    }

    pub async fn flush(&mut self) -> Result<(), Stop> {
        match self.stream.flush().await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.last_words(&error).await),
        }
    }

    /// The next reply.
    pub async fn reply(&mut self, deadline: Duration) -> Result<Reply, Stop> {
        match timeout(deadline, self.read_reply()).await {
            Ok(read) => read,
            Err(_) => Err(self.lost("no reply in time")),
        }
    }

    async fn read_reply(&mut self) -> Result<Reply, Stop> {
        let mut reader = ReplyReader::new();
        loop {
            let (consumed, reply) = reader.push(self.stream.buffer()).map_err(|error| self.lost(nonsense(error)))?;
            self.stream.consume(consumed);
            if let Some(reply) = reply {
                return Ok(reply);
            }
            match self.stream.fill().await {
                Ok(Fill::Data(_)) => {}
                Ok(Fill::Closed) => return Err(self.lost("it closed")),
                Ok(Fill::TimedOut) => return Err(self.lost("no reply in time")),
                Err(error) => return Err(self.lost(&error.chain())),
            }
        }
    }

    /// A server that stops reading may have said why.
    async fn last_words(&mut self, error: &Error) -> Stop {
        match timeout(LAST_WORDS, self.read_reply()).await {
            Ok(Ok(reply)) if reply.is_transient() || reply.is_permanent() => {
                self.is_broken = true;
                Stop::said(&self.host, &reply)
            }
            _ => self.lost(&error.chain()),
        }
    }

    /// Whether the server neither closed nor said anything since its last reply.
    pub async fn is_quiet(&mut self) -> bool {
        let nothing_yet = timeout(Duration::ZERO, self.stream.fill()).await.is_err();
        nothing_yet && self.stream.buffered_input_len() == 0
    }

    /// Gets ready for the next message; `false` when that cannot be (RFC 5321 §4.1.1.5).
    pub async fn reset(&mut self) -> bool {
        if !self.is_broken && self.phase != Phase::Idle {
            let reset = self.command("RSET", ENVELOPE).await.is_ok_and(|reply| reply.is_positive());
            self.is_broken |= !reset;
            self.phase = Phase::Idle;
        }
        !self.is_broken
    }

    /// QUIT (RFC 5321 §4.1.1.10).
    pub async fn quit(mut self) {
        // The mail is settled whatever the server answers.
        let _ = timeout(GOOD_BYE, self.command("QUIT", GOOD_BYE)).await;
    }
}

fn nonsense(error: ReplyError) -> &'static str {
    match error {
        ReplyError::Malformed => "it does not speak SMTP",
        ReplyError::TooLong => "its reply is too long",
    }
}
