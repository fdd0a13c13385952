//! A connection to another server: from the socket to the point where it takes mail. Every wait has the deadline that RFC 5321
//! §4.5.3.2 asks for, over the whole reply and not over each byte of it.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use anser_base::{Class, Error};
use anser_net::{Association, ConnectOptions, Fill, Stream, TlsConnector, connect, connect_address, tls_failure};
use anser_wire::Secret;
use anser_wire::sasl::encode_base64;
use anser_wire::smtp::{Capabilities, Reply, ReplyError, ReplyReader};
use tokio::time::timeout;

use super::outcome::{NO_STARTTLS, Told};
use super::stop::{CLOSING, Stop};

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

/// A server, and how to speak to it.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// Its name, for the log, for SNI and for its certificate.
    pub host: String,
    pub place: Place,
    pub protection: Protection,
    /// User name and password.
    pub login: Option<(String, Secret)>,
    /// Own addresses to speak from; none leaves it to the system.
    pub from: Vec<IpAddr>,
    /// Who may want to be told how it went.
    pub told: Option<Arc<Told>>,
    /// A server that calls itself by our own name is us, and mail goes in a circle (RFC 5321 §6.3).
    pub may_be_us: bool,
}

/// Where a server is.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// At the port of its host, whose address the system knows.
    Port(u16),
    /// At this address.
    Address(SocketAddr),
}

/// What has to hold before mail goes over a connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Protection {
    /// No TLS.
    Never,
    /// TLS when it is offered and works, with whatever certificate.
    Opportunistic,
    /// TLS, with whatever certificate.
    Encrypted,
    /// TLS with a certificate for the host by one of these authorities, or of the system's.
    Verified { authorities: Option<PathBuf>, implicit: bool },
    /// As verified by the system's authorities or these; when that fails, opportunistic.
    Tried { authorities: Option<PathBuf> },
    /// TLS with a certificate that the TLSA records under this name vouch for, for one of the names.
    Dane { associations: Vec<Association>, base: String, names: Vec<String> },
}

impl Protection {
    fn is_required(&self) -> bool {
        !matches!(self, Self::Never | Self::Opportunistic)
    }

    fn verifies(&self) -> bool {
        matches!(self, Self::Verified { .. } | Self::Tried { .. } | Self::Dane { .. })
    }
}

impl Target {
    /// Its address, where that is known here.
    pub fn address(&self) -> Option<IpAddr> {
        match self.place {
            Place::Port(_) => None,
            Place::Address(address) => Some(address.ip()),
        }
    }

    /// Connections with the same key can be used for each other.
    pub fn key(&self) -> String {
        let port = match self.place {
            Place::Port(port) => port,
            Place::Address(address) => address.port(),
        };
        let user = self.login.as_ref().map(|(user, _)| user.as_str()).unwrap_or_default();
        format!("{} {port} {user} {:?}", self.host, self.protection)
    }
}

/// Makes connections; keeps what they need.
pub(super) struct Connector {
    hostname: String,
    tls: Mutex<HashMap<Option<PathBuf>, TlsConnector>>,
    opportunistic: OnceLock<TlsConnector>,
}

impl Connector {
    pub fn new(hostname: &str) -> Self {
        let hostname = hostname.chars().filter(|c| !c.is_control() && !c.is_whitespace()).collect();
        Self { hostname, tls: Mutex::default(), opportunistic: OnceLock::new() }
    }

    /// A connection that takes mail.
    pub async fn connect(&self, target: &Target) -> Result<Client, Stop> {
        let opened = self.open(target, target.protection != Protection::Never).await;
        let failed = opened.as_ref().err().and_then(|stop| stop.tls).filter(|_| target.login.is_none());
        let again = match (&target.protection, failed) {
            // A server whose TLS is broken still gets mail in plain (RFC 7435 §3), but no password.
            (Protection::Opportunistic, Some(_)) => self.open(target, false).await,
            // A policy that is tried stops no mail (RFC 8461 §5).
            (Protection::Tried { .. }, Some(_)) => {
                let lenient = Target { protection: Protection::Opportunistic, ..target.clone() };
                Box::pin(self.connect(&lenient)).await
            }
            _ => return opened,
        };
        again.map(|client| Client { tls_failure: failed, ..client })
    }

    async fn open(&self, target: &Target, with_tls: bool) -> Result<Client, Stop> {
        let stream = reach(target).await?;
        let mut client = Client::over(stream, &target.host);
        if matches!(target.protection, Protection::Verified { implicit: true, .. }) {
            self.start_tls(target, &mut client).await?;
        }
        client.greeting().await?;
        client.hello(&self.hostname).await?;
        if target.may_be_us && client.name.eq_ignore_ascii_case(&self.hostname) {
            return Err(Stop::never(format!("5.4.6 {} is this server itself: a mail loop", target.host)));
        }
        if with_tls && !client.stream.is_secure() {
            self.upgrade(target, &mut client).await?;
        }
        log_in(target, &mut client).await?;
        Ok(client)
    }

    /// STARTTLS (RFC 3207), and EHLO once more: what was said in plain counts no longer.
    async fn upgrade(&self, target: &Target, client: &mut Client) -> Result<(), Stop> {
        let required = target.protection.is_required();
        if !client.capabilities.starttls {
            let missing = format!("4.7.10 {} does not offer the encryption that is asked of it", client.host);
            client.tls_failure = Some(NO_STARTTLS);
            return if required { Err(Stop::later(missing).in_tls(NO_STARTTLS)) } else { Ok(()) };
        }
        let reply = client.command("STARTTLS", GREETING).await?;
        if reply.code != 220 {
            client.tls_failure = Some(NO_STARTTLS);
            let refused = Stop::said_to_us(&client.host, "4.7.10", &reply).in_tls(NO_STARTTLS);
            return if required { Err(refused) } else { Ok(()) };
        }
        if client.stream.buffered_input_len() > 0 {
            return Err(client.lost("it spoke in plain after STARTTLS"));
        }
        self.start_tls(target, client).await?;
        client.hello(&self.hostname).await
    }

    async fn start_tls(&self, target: &Target, client: &mut Client) -> Result<(), Stop> {
        let connector = self.tls(&target.protection).map_err(|error| {
            tracing::error!(error = error.chain(), "no TLS towards other servers");
            Stop::later("4.3.5 the certificates to verify other servers by cannot be read")
        })?;
        let name = match &target.protection {
            Protection::Dane { base, .. } => base,
            _ => &client.host,
        };
        let started = client.stream.start_tls_as_client(&connector, name).await;
        started.map_err(|error| {
            tracing::warn!(error = error.chain(), host = client.host, "no TLS with a server");
            Stop::later(format!("4.7.5 no trusted encrypted connection to {}", client.host)).in_tls(tls_failure(&error))
        })?;
        client.is_verified = target.protection.verifies();
        Ok(())
    }

    /// Made when it is needed and not before, so that a missing file keeps no server from starting.
    fn tls(&self, protection: &Protection) -> Result<TlsConnector, Error> {
        let authorities = match protection {
            Protection::Dane { associations, names, .. } => return TlsConnector::dane(associations.clone(), names),
            Protection::Verified { authorities, .. } | Protection::Tried { authorities } => authorities,
            Protection::Never | Protection::Opportunistic | Protection::Encrypted => {
                if let Some(known) = self.opportunistic.get() {
                    return Ok(known.clone());
                }
                let made = TlsConnector::opportunistic()?;
                return Ok(self.opportunistic.get_or_init(|| made).clone());
            }
        };
        let mut known = self.tls.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(authorities) {
            return Ok(known.clone());
        }
        let made = TlsConnector::verified(&self::authorities(authorities)?)?;
        known.insert(authorities.clone(), made.clone());
        Ok(made)
    }
}

async fn reach(target: &Target) -> Result<Stream, Stop> {
    let (host, port, connected) = match target.place {
        Place::Port(port) => (target.host.clone(), port, connect(&target.host, port, &from(target, None)).await),
        Place::Address(address) => {
            let name = format!("{} ({})", target.host, address.ip());
            (name, address.port(), connect_address(address, &from(target, Some(address))).await)
        }
    };
    connected.map_err(|error| {
        tracing::info!(error = error.chain(), "a server cannot be reached");
        Stop::later(format!("4.4.1 no answer from {host} port {port}"))
    })
}

/// Several own addresses take turns.
fn from(target: &Target, address: Option<SocketAddr>) -> ConnectOptions {
    static TURN: AtomicUsize = AtomicUsize::new(0);
    let fits = |own: &&IpAddr| address.is_none_or(|address| own.is_ipv4() == address.is_ipv4());
    let fitting: Vec<&IpAddr> = target.from.iter().filter(fits).collect();
    let turn = TURN.fetch_add(1, Ordering::Relaxed);
    let from = (!fitting.is_empty()).then(|| *fitting[turn % fitting.len()]);
    ConnectOptions { from, ..ConnectOptions::default() }
}

/// AUTH PLAIN (RFC 4616) or LOGIN. A refusal is ours to mend and returns no mail.
async fn log_in(target: &Target, client: &mut Client) -> Result<(), Stop> {
    let Some((user, password)) = &target.login else { return Ok(()) };
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

/// The file, or the system's bundle.
pub(crate) fn authorities(file: &Option<PathBuf>) -> Result<PathBuf, Error> {
    let bundle = || AUTHORITIES.iter().map(Path::new).find(|path| path.exists()).map(Path::to_owned);
    file.clone()
        .or_else(bundle)
        .ok_or_else(|| Error::new(Class::Invalid, "no certificate authorities were found", "找不到证书颁发机构"))
}

/// A connection.
pub(super) struct Client {
    stream: Stream,
    host: String,
    /// What the server calls itself in its answer to EHLO.
    name: String,
    capabilities: Capabilities,
    is_verified: bool,
    /// Why it has no TLS, or not the one that was wanted, in a word of RFC 8460 §4.3.
    pub(super) tls_failure: Option<&'static str>,
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
            name: String::new(),
            capabilities: Capabilities::default(),
            is_verified: false,
            tls_failure: None,
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
            let first = reply.lines.first().and_then(|line| line.split_ascii_whitespace().next());
            first.unwrap_or_default().clone_into(&mut self.name);
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
