//! The boot file: what a process must know before it can look into the directory.

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anser_acme::{Proof, Settings as Acme};
use anser_base::{Error, Result, Timestamp};
use anser_delivery::{Smarthost, SmarthostTls};
use anser_directory::NextHop;
use anser_migrate::own::Client;
use anser_net::Network;
use anser_net::dns::Settings;
use anser_net::http::client;
use anser_web::sts::Mode;
use anser_wire::Secret;
use serde::Deserialize;

use crate::clients;
use crate::text::{self, refused};

/// The boot file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    hostname: String,
    data_dir: PathBuf,
    user: Option<String>,
    #[serde(default)]
    proxy_from: Vec<String>,
    #[serde(default)]
    listen: Listen,
    tls: Option<Tls>,
    #[serde(default)]
    store: Store,
    relay: Option<Relay>,
    #[serde(default)]
    dns: Dns,
    #[serde(default)]
    outward: WrittenOutward,
    #[serde(default)]
    web: WrittenWeb,
    acme: Option<WrittenAcme>,
    #[serde(default)]
    senders: WrittenSenders,
    #[serde(default)]
    own_moves: WrittenOwnMoves,
}

/// From where persons may move their mail.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WrittenOwnMoves {
    networks: Vec<String>,
    clients: Vec<clients::Written>,
}

/// Who gives certificates, and how. Without this the files of `[tls]` serve.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenAcme {
    agree_to_terms: bool,
    contact: Option<String>,
    authority: Option<String>,
    authorities: Option<PathBuf>,
    proof: Option<String>,
    hook: Option<PathBuf>,
    #[serde(default)]
    names: Vec<String>,
}

/// The port of name servers (RFC 1035 §4.2).
const NAME_SERVER_PORT: u16 = 53;

/// Resolvers of others that are asked.
const WITNESSES: usize = 16;

/// What is said over HTTP.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WrittenWeb {
    mta_sts: Option<String>,
    strict_transport: bool,
}

/// How those who send from outside are judged.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WrittenSenders {
    follow_reject: Option<bool>,
    follow_quarantine: Option<bool>,
    reports: Option<bool>,
    trusted: Vec<String>,
    own: Option<Vec<String>>,
}

/// Whom to ask for names.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Dns {
    servers: Vec<SocketAddr>,
    trust_anchor: Option<PathBuf>,
    name_server_port: Option<u16>,
    witnesses: Vec<SocketAddr>,
}

/// How mail leaves.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WrittenOutward {
    off: bool,
    port: Option<u16>,
    sources: Vec<IpAddr>,
    private: bool,
    new_since: Option<toml::value::Datetime>,
}

/// Addresses of each service; one without any is off.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Listen {
    smtp: Vec<SocketAddr>,
    submission: Vec<SocketAddr>,
    submissions: Vec<SocketAddr>,
    lmtp: Vec<SocketAddr>,
    imap: Vec<SocketAddr>,
    imaps: Vec<SocketAddr>,
    pop3: Vec<SocketAddr>,
    pop3s: Vec<SocketAddr>,
    managesieve: Vec<SocketAddr>,
    http: Vec<SocketAddr>,
    https: Vec<SocketAddr>,
    admin: Vec<SocketAddr>,
}

/// The files of TLS.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The certificate chain, PEM.
    pub certificate: PathBuf,
    /// Its key, PEM.
    pub key: PathBuf,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Store {
    engine: String,
    url: Option<String>,
}

impl Default for Store {
    fn default() -> Self {
        Self { engine: "embedded".to_owned(), url: None }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Relay {
    smarthost: String,
    tls: Option<String>,
    username: Option<String>,
    password_file: Option<PathBuf>,
}

/// Where the tables are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Engine {
    /// In files below the data folder.
    Embedded,
    /// In PostgreSQL, by its URL.
    Postgres(String),
}

/// A boot file that was read and checked; paths are whole.
#[derive(Clone, Debug)]
pub struct Config {
    /// This server's name.
    pub hostname: String,
    /// The folder of all data.
    pub data_dir: PathBuf,
    /// The user to become once the listeners are bound.
    pub user: Option<String>,
    /// Proxies whose PROXY header is believed.
    pub proxy_from: Vec<Network>,
    /// Addresses by service, without empty ones.
    pub listen: BTreeMap<&'static str, Vec<SocketAddr>>,
    /// The files of TLS.
    pub tls: Option<Tls>,
    /// Where the tables are.
    pub engine: Engine,
    /// Where mail for other domains goes, instead of to their own servers.
    pub smarthost: Option<Smarthost>,
    /// Whom to ask for names.
    pub dns: Settings,
    /// Resolvers of others, at most [`WITNESSES`], that are asked what they hold of domains that move.
    pub witnesses: Vec<SocketAddr>,
    /// Where the name servers of zones are asked by `domain dns --check`.
    pub name_server_port: u16,
    /// How mail leaves; `None` when it only leaves by a smarthost.
    pub outward: Option<OutwardSettings>,
    /// What is said over HTTP.
    pub web: WebSettings,
    /// Who gives certificates, and how.
    pub acme: Option<Acme>,
    /// How providers of sign-in are reached.
    pub providers: client::Options,
    /// How those who send from outside are judged.
    pub senders: SenderSettings,
    /// Networks beside the public Internet whose servers persons may move their own mail from.
    pub own_moves: Vec<Network>,
    /// Whom providers know this server as, so that persons sign in there.
    pub clients: Vec<Client>,
}

/// What is said over HTTP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WebSettings {
    /// What other servers are asked for by MTA-STS.
    pub mta_sts: Mode,
    /// Whether browsers are told to use nothing but TLS.
    pub strict_transport: bool,
}

/// How those who send from outside are judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SenderSettings {
    /// What a domain asks to be refused (DMARC p=reject) is refused.
    pub follow_reject: bool,
    /// What a domain asks to be set apart (DMARC p=quarantine) goes to the junk mailbox.
    pub follow_quarantine: bool,
    /// Domains that ask for it are told what was seen of mail in their name.
    pub reports: bool,
    /// Domains that may vouch for others' mail: seals (ARC), mailing lists.
    pub trusted: Vec<String>,
    /// Networks of the house's own hosts, which are believed without a look; loopback unless said otherwise.
    pub own: Vec<Network>,
}

/// How mail leaves for the servers of its domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutwardSettings {
    /// The port that they are spoken to at.
    pub port: u16,
    /// Own addresses to speak from.
    pub sources: Vec<IpAddr>,
    /// Whether they may have addresses that are not public.
    pub private: bool,
    /// Since when own addresses send that nobody knew before.
    pub new_since: Option<Timestamp>,
}

/// As IMAP writes them (RFC 9051 §9, date-month).
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The port of SMTP between servers (RFC 5321 §4.5.4.2).
const SMTP: u16 = 25;

/// The port of HTTPS (RFC 9110 §4.2.2).
const HTTPS: u16 = 443;
/// Who gives certificates unless the boot file names another.
const AUTHORITY: &str = "https://acme-v02.api.letsencrypt.org/directory";
/// Who vouches for its web server: the system's bundle.
pub const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";
/// How long one exchange with it may take.
const ACME_TIME: Duration = Duration::from_secs(60);
/// How long a question to a provider of sign-in may take: somebody waits for it.
const PROVIDER_TIME: Duration = Duration::from_secs(10);

/// Services that begin with TLS.
const TLS_FIRST: [&str; 4] = ["submissions", "imaps", "pop3s", "https"];

impl Config {
    /// Reads a boot file. What is wrong is said with its line. Nothing else is touched but the files of passwords that it names.
    pub fn read(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let raw = fs::read_to_string(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => refused(text::NO_BOOT_FILE, &[&name]),
            _ => refused(text::BAD_BOOT_VALUE, &[&name, &error.to_string()]),
        })?;
        let written: Written = toml::from_str(&raw).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start).min(raw.len());
            let line = raw.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
            refused(text::BAD_BOOT_FILE, &[&name, &line.to_string(), error.message()])
        })?;
        let folder = std::path::absolute(path).map_err(Error::io)?;
        written.checked(&name, folder.parent().unwrap_or(Path::new("/")))
    }
}

impl Written {
    fn checked(self, name: &str, folder: &Path) -> Result<Config> {
        let bad = |error: Error| refused(text::BAD_BOOT_VALUE, &[name, &error.text.en]);
        let engine = match (&*self.store.engine, self.store.url) {
            ("embedded", _) => Engine::Embedded,
            ("postgres", Some(url)) => Engine::Postgres(url),
            ("postgres", None) => return Err(refused(text::WANTS_URL, &[name])),
            (other, _) => return Err(refused(text::NO_ENGINE, &[name, other])),
        };
        let listen = self.listen.services();
        let first = TLS_FIRST.into_iter().find(|service| listen.contains_key(service));
        if let (Some(service), None) = (first, &self.tls) {
            return Err(refused(text::WANTS_TLS, &[name, service]));
        }
        let proxy_from =
            self.proxy_from.iter().map(|range| Network::parse(range)).collect::<Result<_>>().map_err(bad)?;
        let networks = self.own_moves.networks.iter().map(|range| Network::parse(range));
        let own_moves = networks.collect::<Result<_>>().map_err(bad)?;
        let tls = self.tls.map(|tls| Tls { certificate: folder.join(tls.certificate), key: folder.join(tls.key) });
        Ok(Config {
            hostname: self.hostname,
            data_dir: folder.join(self.data_dir),
            user: self.user,
            proxy_from,
            listen,
            tls,
            engine,
            smarthost: self.relay.map(|relay| relay.smarthost(name, folder)).transpose()?,
            witnesses: self.dns.witnesses.iter().take(WITNESSES).copied().collect(),
            name_server_port: self.dns.name_server_port.unwrap_or(NAME_SERVER_PORT),
            dns: self.dns.settings(folder)?,
            outward: self.outward.settings(),
            web: self.web.settings(name)?,
            // The operator registered the provider; it may be one of the house's own.
            providers: client::Options { private: true, ..client::Options::new(AUTHORITIES.into(), PROVIDER_TIME) },
            acme: self.acme.map(|acme| acme.settings(name, folder)).transpose()?,
            senders: self.senders.settings().map_err(bad)?,
            own_moves,
            clients: clients::read(self.own_moves.clients, folder)?,
        })
    }
}

impl Dns {
    fn settings(self, folder: &Path) -> Result<Settings> {
        let read = |file: PathBuf| {
            let path = folder.join(file);
            let bad = |error: std::io::Error| {
                refused(text::BAD_BOOT_VALUE, &[&path.display().to_string(), &error.to_string()])
            };
            fs::read_to_string(&path).map_err(bad)
        };
        Ok(Settings { servers: self.servers, trust_anchor: self.trust_anchor.map(read).transpose()? })
    }
}

impl WrittenAcme {
    fn settings(self, name: &str, folder: &Path) -> Result<Acme> {
        if !self.agree_to_terms {
            return Err(refused(text::ACME_TERMS, &[name]));
        }
        let proof = match (self.proof.as_deref(), self.hook) {
            (None | Some("http"), None) => Proof::Http,
            (Some("tls-alpn"), None) => Proof::TlsAlpn,
            (Some("dns"), Some(hook)) => Proof::Dns(folder.join(hook)),
            _ => return Err(refused(text::ACME_PROOF, &[name])),
        };
        let authorities = self.authorities.map_or_else(|| AUTHORITIES.into(), |file| folder.join(file));
        // The operator named the authority; it may be one of the house's own.
        let web = client::Options { port: HTTPS, private: true, ..client::Options::new(authorities, ACME_TIME) };
        Ok(Acme {
            authority: self.authority.unwrap_or_else(|| AUTHORITY.to_owned()),
            contact: self.contact.map(|address| format!("mailto:{address}")).into_iter().collect(),
            proof,
            names: self.names,
            web,
        })
    }
}

impl WrittenWeb {
    fn settings(self, name: &str) -> Result<WebSettings> {
        let mta_sts = match self.mta_sts {
            None => Mode::default(),
            Some(word) => Mode::of_word(&word).ok_or_else(|| refused(text::MTA_STS, &[name, &word]))?,
        };
        Ok(WebSettings { mta_sts, strict_transport: self.strict_transport })
    }
}

impl WrittenOutward {
    fn settings(self) -> Option<OutwardSettings> {
        let Self { off, port, sources, private, new_since } = self;
        let new_since = new_since.and_then(|at| midnight(&at));
        (!off).then(|| OutwardSettings { port: port.unwrap_or(SMTP), sources, private, new_since })
    }
}

/// The beginning of a day, in UTC.
fn midnight(at: &toml::value::Datetime) -> Option<Timestamp> {
    let date = at.date?;
    let written =
        format!("{:02}-{}-{:04} 00:00:00 +0000", date.day, MONTHS.get(usize::from(date.month) - 1)?, date.year);
    anser_mime::date::parse_internal_date(written.as_bytes()).map(|date| Timestamp::from_secs(date.unix))
}

impl WrittenSenders {
    fn settings(self) -> Result<SenderSettings> {
        let own = self.own.map(|ranges| ranges.iter().map(|range| Network::parse(range)).collect::<Result<_>>());
        Ok(SenderSettings {
            follow_reject: self.follow_reject.unwrap_or(true),
            follow_quarantine: self.follow_quarantine.unwrap_or(true),
            reports: self.reports.unwrap_or(true),
            trusted: self.trusted,
            own: own.unwrap_or_else(|| Ok(Network::loopback()))?,
        })
    }
}

impl Listen {
    fn services(self) -> BTreeMap<&'static str, Vec<SocketAddr>> {
        let all = [
            ("smtp", self.smtp),
            ("submission", self.submission),
            ("submissions", self.submissions),
            ("lmtp", self.lmtp),
            ("imap", self.imap),
            ("imaps", self.imaps),
            ("pop3", self.pop3),
            ("pop3s", self.pop3s),
            ("managesieve", self.managesieve),
            ("http", self.http),
            ("https", self.https),
            ("admin", self.admin),
        ];
        all.into_iter().filter(|(_, addresses)| !addresses.is_empty()).collect()
    }
}

impl Relay {
    fn smarthost(self, name: &str, folder: &Path) -> Result<Smarthost> {
        let tls = match self.tls.as_deref() {
            None | Some("opportunistic") => SmarthostTls::Opportunistic,
            Some("required") => SmarthostTls::Required(None),
            Some("implicit") => SmarthostTls::Implicit(None),
            Some(other) => return Err(refused(text::RELAY_TLS, &[name, other])),
        };
        let password = self.password_file.map(|file| crate::password::of_file(&folder.join(file)));
        let login = self.username.zip(password.transpose()?).map(|(user, password)| (user, Secret::new(password)));
        Ok(Smarthost { tls, login, ..smarthost(&self.smarthost)? })
    }
}

/// A smarthost by `HOST:PORT`, `[v6]:PORT` included, without a login.
pub fn smarthost(text: &str) -> Result<Smarthost> {
    let hop = NextHop::parse(text).ok_or_else(|| refused(text::HOST_PORT, &[text]))?;
    Ok(Smarthost { host: hop.host, port: hop.port, tls: SmarthostTls::Opportunistic, login: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config> {
        let written: Written = toml::from_str(text).map_err(|error| Error::invalid(error.message().to_owned(), ""))?;
        written.checked("anser.toml", Path::new("/etc/anser"))
    }

    #[test]
    fn the_boot_file_of_the_contract_is_read() {
        let config = read(
            r#"
            hostname = "mail.example.org"
            data_dir = "/var/lib/anser"
            [listen]
            smtp = ["[::]:25"]
            lmtp = ["127.0.0.1:24"]
            imaps = ["[::]:993"]
            http = ["[::]:80"]
            [tls]
            certificate = "cert.pem"
            key = "/etc/anser/key.pem"
            [store]
            engine = "postgres"
            url = "postgres://x"
            [relay]
            smarthost = "[::1]:587"
            tls = "required"
            [dns]
            servers = ["192.0.2.53:53"]
            witnesses = ["198.51.100.1:53"]
            [outward]
            sources = ["192.0.2.1", "2001:db8::1"]
            new_since = 2026-11-20
            [senders]
            follow_reject = false
            trusted = ["lists.example.net"]
            own = ["192.0.2.0/24"]
            [own_moves]
            networks = ["10.3.0.0/16"]
            [[own_moves.clients]]
            provider = "office365"
            client = "0f0f"
            "#,
        )
        .unwrap();
        assert_eq!(config.engine, Engine::Postgres("postgres://x".into()));
        assert_eq!(config.tls.unwrap().certificate, Path::new("/etc/anser/cert.pem"));
        assert_eq!(config.listen.keys().copied().collect::<Vec<_>>(), ["http", "imaps", "lmtp", "smtp"]);
        assert_eq!(config.dns.servers, ["192.0.2.53:53".parse().unwrap()]);
        assert_eq!(config.witnesses, ["198.51.100.1:53".parse().unwrap()]);
        let outward = config.outward.unwrap();
        assert_eq!((outward.port, outward.sources.len(), outward.private), (25, 2, false));
        assert_eq!(outward.new_since, Some(Timestamp::from_secs(1_795_132_800)));
        assert_eq!(config.own_moves, [Network::parse("10.3.0.0/16").unwrap()]);
        assert_eq!(config.clients.len(), 1);
        let senders = config.senders;
        assert_eq!((senders.follow_reject, senders.own.len(), &*senders.trusted[0]), (false, 1, "lists.example.net"));
        let smarthost = config.smarthost.unwrap();
        assert_eq!((&*smarthost.host, smarthost.port, smarthost.tls), ("::1", 587, SmarthostTls::Required(None)));
    }

    #[test]
    fn mistakes_are_named() {
        let start = "hostname = \"a\"\ndata_dir = \"/d\"\n";
        for (text, named) in [
            ("colour = 1", "colour"),
            ("[listen]\ntelnet = []", "telnet"),
            ("[listen]\nsmtp = [\"everywhere\"]", "socket address"),
            ("[listen]\nimaps = [\"[::]:993\"]", "imaps"),
            ("[store]\nengine = \"oracle\"", "oracle"),
            ("[store]\nengine = \"postgres\"", "url"),
            ("[relay]\nsmarthost = \"nowhere\"", "nowhere"),
            ("[web]\nmta_sts = \"always\"", "always"),
            ("[[own_moves.clients]]\nprovider = \"qq\"\nclient = \"0f\"", "codes"),
            ("[acme]\nagree_to_terms = false", "agree_to_terms"),
            ("[acme]\nagree_to_terms = true\nproof = \"dns\"", "hook"),
        ] {
            let error = read(&format!("{start}{text}\n")).unwrap_err().text.en;
            assert!(error.contains(named), "{text:?} gives {error:?}");
        }
    }
}
