//! A small Internet on loopback: two servers of ours and a postfix find each other by MX in a signed DNS. Signatures, senders' addresses
//! and certificates are checked as in the large one.

use std::fs;
use std::net::{IpAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anser_net::certificate::{der_of_pem, self_signed};
use anser_testkit::dns::{NameServer, Signing};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::runtime::Runtime;

use super::node::PASSWORD;
use super::postfix::{Postfix, Sink};
use super::tools::{Home, free_port, root, run, shell, wait_for, wanted};

const BINARY: &str = env!("CARGO_BIN_EXE_anser");

/// Where the name server is, and the one that a resolver which checks signatures stands for.
const NAMES: u8 = 53;
const VOUCHING: u8 = 54;

/// The bit AD in the fourth byte of an answer (RFC 4035 §3.2.3).
const AUTHENTIC: u8 = 0x20;

/// Addresses of this test's own: `127.<process>.<last>`. Where mail servers listen, all at one port.
struct Ground {
    net: String,
    port: u16,
}

impl Ground {
    fn new() -> Self {
        let id = std::process::id();
        let net = format!("127.{}.{}", 60 + id / 250 % 100, 1 + id % 250);
        let port = TcpListener::bind((format!("{net}.1"), 0)).expect("an address").local_addr().expect("it").port();
        Self { net, port }
    }

    fn host(&self, last: u8) -> String {
        format!("{}.{last}", self.net)
    }

    /// Begins to pass questions on to the name server, and says of every answer that its signatures hold (RFC 4035 §3.2.3): programs
    /// that leave the checking to their resolver believe it. Goes on until the process ends.
    fn vouch(&self) {
        let here = UdpSocket::bind((self.host(VOUCHING), 53)).expect("an address for names");
        let (there, net) = ((self.host(NAMES), 53), self.host(VOUCHING));
        std::thread::spawn(move || {
            let mut packet = [0; 4096];
            while let Ok((length, who)) = here.recv_from(&mut packet) {
                let asks = UdpSocket::bind((net.as_str(), 0)).expect("a port");
                asks.set_read_timeout(Some(Duration::from_secs(5))).expect("a time");
                let asked = asks.send_to(&packet[..length], (there.0.as_str(), there.1));
                if let Ok(answered @ 4..) = asked.and_then(|_| asks.recv(&mut packet)) {
                    packet[3] |= AUTHENTIC;
                    let _ = here.send_to(&packet[..answered], who);
                }
            }
        });
    }
}

/// A server of ours for one domain.
struct Server {
    folder: PathBuf,
    domain: &'static str,
    host: String,
    submissions: u16,
    /// The records of its keys.
    keys: String,
    process: Option<Child>,
}

impl Server {
    /// Makes a server with `ann`, not started yet.
    fn new(home: &Home, ground: &Ground, domain: &'static str, last: u8) -> Self {
        let folder = home.path(domain);
        let hostname = format!("mx.{domain}");
        run(Command::new(BINARY).args(["init", "--hostname", &hostname, "--domain", domain, "--dir"]).arg(&folder));
        let mut server = Self {
            folder,
            domain,
            host: ground.host(last),
            submissions: free_port(),
            keys: String::new(),
            process: None,
        };
        shell(&format!(
            "printf %s {PASSWORD} | {BINARY} account add ann@{domain} --password-stdin --dir {}",
            server.folder.display()
        ));
        server.keys = server.key_records();
        let boot = fs::read_to_string(server.folder.join("anser.toml")).expect("the boot file");
        let (head, tail) =
            (boot.split("[listen]").next().expect("its head"), &boot[boot.find("[tls]").expect("tls")..]);
        let (port, dns, host, submissions) = (ground.port, ground.host(NAMES), &server.host, server.submissions);
        let text = format!(
            "{head}[listen]\nsmtp = [\"{host}:{port}\"]\nsubmissions = [\"{host}:{submissions}\"]\n{tail}\n\
             [dns]\nservers = [\"{dns}:53\"]\ntrust_anchor = \"anchor\"\n\
             [outward]\nport = {port}\nprivate = true\nsources = [\"{host}\"]\n[senders]\nown = []\n"
        );
        fs::write(server.folder.join("anser.toml"), text).expect("the boot file");
        server
    }

    fn anser(&self, arguments: &[&str]) -> String {
        let printed = run(Command::new(BINARY).args(arguments).arg("--dir").arg(&self.folder).env("LC_ALL", "C"));
        String::from_utf8(printed).expect("text")
    }

    fn key_records(&self) -> String {
        let keys: Value =
            serde_json::from_str(&self.anser(&["--json", "domain", "dkim", "list", self.domain])).expect("JSON");
        let keys = keys.as_array().expect("a list").iter().map(|key| {
            let text = |name: &str| key[name].as_str().expect("a text").to_owned();
            format!("{}. IN TXT {}\n", text("name"), strings(&text("record")))
        });
        keys.collect()
    }

    /// What its domain says in the DNS.
    fn zone(&self, ground: &Ground) -> String {
        let certificate = fs::read(self.folder.join("cert.pem")).expect("a certificate");
        records(ground, &self.host, &certificate) + &self.keys
    }

    fn start(&mut self, trust_anchor: &str) {
        fs::write(self.folder.join("anchor"), trust_anchor).expect("the anchor");
        let log = fs::File::create(self.folder.join("log")).expect("a log");
        let mut command = Command::new(BINARY);
        command.args(["serve", "--dir"]).arg(&self.folder).env("LC_ALL", "C").env("ANSER_LOG", "info");
        self.process = Some(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().expect("it runs"));
        wait_for("the server", || std::net::TcpStream::connect((self.host.as_str(), self.submissions)).ok());
    }

    /// Ann writes to somebody.
    fn write(&self, home: &Home, to: &str, id: &str) {
        let message = home.write("message", mail(&format!("ann@{}", self.domain), to, id));
        let mut command = home.command("curl");
        command.args(["-q", "-sS", "-k", "-u", &format!("ann@{}:{PASSWORD}", self.domain)]);
        command.args(["--mail-from", &format!("ann@{}", self.domain), "--mail-rcpt", to, "-T"]).arg(&message);
        run(command.arg(format!("smtps://{}:{}/client.example", self.host, self.submissions)));
    }

    /// Ann's message with this id, once it is there.
    fn read(&self, home: &Home, id: &str) -> String {
        let mut number = 0;
        wait_for(id, || {
            number += 1;
            let file = home.path(&format!("{}.{id}.{number}", self.domain));
            let ann = format!("ann@{}", self.domain);
            self.anser(&["export", "mbox", &file.display().to_string(), "--account", &ann]);
            let text = fs::read_to_string(below(&file)?).ok()?;
            text.split("\nFrom ").find(|message| message.contains(&format!("The body of {id}."))).map(str::to_owned)
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- {}\n{}", self.domain, fs::read_to_string(self.folder.join("log")).unwrap_or_default());
        }
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// The file itself, or the first below it.
fn below(path: &Path) -> Option<PathBuf> {
    if path.is_file() { Some(path.to_owned()) } else { super::tools::files(path).into_iter().next() }
}

fn mail(from: &str, to: &str, id: &str) -> String {
    format!(
        "From: {from}\r\nTo: {to}\r\nSubject: {id}\r\nMessage-ID: <{id}@test>\r\nDate: Sun, 01 Nov 2026 10:00:00 +0000\r\n\r\nThe body of {id}.\r\n"
    )
}

/// A text of any length as the strings of a TXT record (RFC 1035 §3.3.14).
fn strings(text: &str) -> String {
    let pieces = text.as_bytes().chunks(200).map(|piece| format!("\"{}\"", String::from_utf8_lossy(piece)));
    pieces.collect::<Vec<_>>().join(" ")
}

/// MX, address, SPF, DMARC and TLSA of a domain with one server.
fn records(ground: &Ground, host: &str, certificate: &[u8]) -> String {
    let digest = Sha256::digest(der_of_pem(certificate).expect("a certificate"));
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "@ IN MX 10 mx\nmx IN A {host}\n@ IN TXT \"v=spf1 ip4:{host} -all\"\n_dmarc IN TXT \"v=DMARC1; p=reject\"\n\
         _{}._tcp.mx IN TLSA 3 0 1 {digest}\n",
        ground.port
    )
}

/// What the receiver found, on one line.
fn results(message: &str) -> String {
    let at = message.find("Authentication-Results:").expect("results of a check");
    let rest = &message[at..];
    let end = rest.match_indices('\n').map(|(at, _)| at).find(|at| !rest[at + 1..].starts_with([' ', '\t']));
    rest[..end.unwrap_or(rest.len())].split_whitespace().collect::<Vec<_>>().join(" ")
}

fn assert_trusted(message: &str, methods: &[&str]) {
    let found = results(message);
    for method in methods {
        assert!(found.contains(&format!("{method}=pass")), "{method} in {found}\n{message}");
    }
    assert!(message.contains("with ESMTPS") || message.contains("with UTF8SMTPS"), "encrypted:\n{message}");
}

/// A postfix for `three.test`: signed by opendkim, with a certificate, its mail to a sink.
struct Three {
    postfix: Postfix,
    sink: Sink,
    _signer: Signer,
}

impl Three {
    fn start(home: &Home, ground: &Ground) -> (Self, String) {
        let (chain, key) = self_signed(&["mx.three.test".into()]).expect("a certificate");
        let (chain_file, key_file) = (home.write("three.pem", &chain), home.write("three.key", key));
        let (signer, milter, record) = opendkim(home);
        let (sink, host) = (Sink::start(), ground.host(3));
        let settings = format!(
            "myhostname = mx.three.test\nsmtp_bind_address = {host}\nmynetworks = 127.0.0.1/32\n\
             disable_dns_lookups = no\nsmtp_host_lookup = dns\nsmtp_dns_support_level = dnssec\nsmtp_tls_security_level = dane\n\
             smtp_tls_loglevel = 1\ndefault_transport = smtp:\nsmtp_tcp_port = {}\n\
             relay_domains = three.test\ntransport_maps = inline:{{ {{three.test = smtp:[127.0.0.1]:{}}} }}\nsmtpd_tls_security_level = may\n\
             smtpd_tls_cert_file = {}\nsmtpd_tls_key_file = {}\nsmtpd_milters = inet:127.0.0.1:{milter}\nmilter_default_action = tempfail",
            ground.port,
            sink.port,
            chain_file.display(),
            key_file.display()
        );
        let postfix = Postfix::start_with_names(&host, ground.port, &settings, &ground.host(VOUCHING));
        let zone = records(ground, &host, chain.as_bytes()) + &format!("s._domainkey IN TXT {}\n", strings(&record));
        (Self { postfix, sink, _signer: signer }, zone)
    }

    fn write(&self, home: &Home, to: &str, id: &str) {
        let message = home.write("message", mail("joe@three.test", to, id));
        let mut command = home.command("swaks");
        command.args(["--server", "127.0.0.1", "--port", &self.postfix.port.to_string(), "--helo", "client.example"]);
        command.args(["--from", "joe@three.test", "--to", to, "--data"]);
        run(command.arg(format!("@{}", message.display())));
    }

    fn read(&self, id: &str) -> String {
        let body = format!("The body of {id}.");
        let found = || {
            let texts = self.sink.messages().into_iter().map(|(_, bytes)| String::from_utf8_lossy(&bytes).into_owned());
            texts.into_iter().find(|text| text.contains(&body))
        };
        wait_for(id, found)
    }
}

/// A running opendkim.
struct Signer(Child);

impl Drop for Signer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A signer for `three.test`, its port, and its record.
fn opendkim(home: &Home) -> (Signer, u16, String) {
    let key = home.path("dkim.key");
    run(home.command("openssl").args(["genrsa", "-traditional", "-out"]).arg(&key).arg("2048"));
    let public = run(home.command("openssl").args(["rsa", "-pubout", "-in"]).arg(&key));
    let public: String = String::from_utf8_lossy(&public).lines().filter(|line| !line.starts_with('-')).collect();
    let port = free_port();
    let config = home.write(
        "opendkim.conf",
        format!(
            "Domain three.test\nSelector s\nKeyFile {}\nMode s\nSocket inet:{port}@127.0.0.1\nInternalHosts 127.0.0.0/8\n\
             SignatureAlgorithm rsa-sha256\nRequireSafeKeys no\nCanonicalization relaxed/relaxed\nOversignHeaders From\n",
            key.display()
        ),
    );
    let mut command = Command::new("/usr/sbin/opendkim");
    let signer = Signer(command.args(["-f", "-x"]).arg(config).stdin(Stdio::null()).spawn().expect("opendkim runs"));
    wait_for("opendkim", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
    (signer, port, format!("v=DKIM1; k=rsa; p={public}"))
}

#[test]
fn they_exchange_mail_with_dkim_dmarc_and_dane() {
    if !wanted() || !root() {
        return;
    }
    let (home, ground) = (Home::new(), Ground::new());
    let (mut one, mut two) = (Server::new(&home, &ground, "one.test", 1), Server::new(&home, &ground, "two.test", 2));
    let runtime = Runtime::new().expect("a runtime");
    let dns: IpAddr = ground.host(NAMES).parse().expect("an address");
    let dns = runtime.block_on(NameServer::start_at((dns, 53).into(), &[]));
    ground.vouch();
    let (three, third_zone) = Three::start(&home, &ground);
    // The server of two.test under another name, whose record is of a certificate that it does not have.
    let wrong = records(&ground, &ground.host(2), fs::read(one.folder.join("cert.pem")).expect("it").as_slice());
    let zones = [one.zone(&ground), two.zone(&ground), third_zone, wrong];
    let names = ["one.test", "two.test", "three.test", "wrong.test"];
    let zones: Vec<_> =
        names.into_iter().zip(&zones).map(|(name, zone)| (name, Signing::Signed, zone.as_str())).collect();
    dns.replace(&zones);
    one.start(&dns.trust_anchor);
    two.start(&dns.trust_anchor);

    one.write(&home, "ann@two.test", "one-to-two");
    two.write(&home, "ann@one.test", "two-to-one");
    one.write(&home, "joe@three.test", "one-to-three");
    three.write(&home, "ann@two.test", "three-to-two");
    one.write(&home, "x@wrong.test", "nowhere");

    assert_trusted(&two.read(&home, "one-to-two"), &["spf", "dkim", "dmarc"]);
    assert_trusted(&one.read(&home, "two-to-one"), &["spf", "dkim", "dmarc"]);
    assert_trusted(&two.read(&home, "three-to-two"), &["spf", "dkim", "dmarc"]);
    let text = three.read("one-to-three");
    assert!(text.contains("DKIM-Signature: ") && text.contains("with ESMTPS"), "{text}");
    let log = three.postfix.log();
    assert!(log.contains("Verified TLS connection established to mx.two.test"), "our TLSA records hold:\n{log}");
    let waits = wait_for("the mail that nobody may have", || {
        Some(one.anser(&["queue", "list", "--domain", "wrong.test"])).filter(|list| list.contains("4.7."))
    });
    assert!(waits.contains("x@wrong.test"), "{waits}");
    // Joe's domain, but not his server: refused as he asks.
    let forged = home.write("message", mail("joe@three.test", "ann@one.test", "forged"));
    let mut command = home.command("swaks");
    command.args(["--server", &one.host, "--port", &ground.port.to_string(), "--helo", "mx.three.test"]);
    command.args(["--from", "joe@three.test", "--to", "ann@one.test", "--data"]).arg(format!("@{}", forged.display()));
    let (status, said, _) = super::tools::finish(&mut command);
    assert!(status != 0 && String::from_utf8_lossy(&said).contains("550 5.7.1"), "{}", String::from_utf8_lossy(&said));
}
