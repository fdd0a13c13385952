//! A house with one domain, a loopback DNS, and Debian's `pebble` as the authority.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anser_acme::{Acme, Deps, Proof, Settings};
use anser_base::{Clock, Entropy};
use anser_db::Schemas;
use anser_directory::{Directory, NewDomain};
use anser_journal::Journal;
use anser_net::certificate::self_signed;
use anser_net::dns::{Data, Zone};
use anser_net::http::{Site, client, session};
use anser_net::{CertificateSource, ConnectOptions, Resolver, ServeOptions, Shutdown, TlsAcceptor, TlsConnector};
use anser_queue::Queue;
use anser_testkit::engines::{NO_SCHEMAS, World};
use tempfile::TempDir;
use tokio::task::JoinHandle;

pub const SCHEMAS: Schemas = Schemas {
    server: anser_directory::SCHEMA,
    journal: anser_journal::SCHEMA,
    queue: anser_queue::SCHEMA,
    ..NO_SCHEMAS
};
pub const HOST: &str = "mail.example.org";
pub const DOMAIN: &str = "example.org";

/// A process that ends with the test.
struct Peer(Child);

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The authority, its DNS, and where it looks for proofs.
pub struct Authority {
    pub url: String,
    pub http: u16,
    pub https: u16,
    /// Where records of the DNS are set.
    pub management: u16,
    pub trust: PathBuf,
    folder: TempDir,
    _peers: [Peer; 2],
}

/// Whether the clients of others are to be run.
pub fn has_peers() -> bool {
    std::env::var_os("ANSER_TEST_CLIENTS").is_some()
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Authority {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [api, manage, http, https, dns, management] = std::array::from_fn(|_| free_port());
        let (certificate, key) = self_signed(&["127.0.0.1".to_owned()]).unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("cert.pem"), certificate).unwrap();
        fs::write(at("key.pem"), key).unwrap();
        let config = format!(
            "{{\"pebble\": {{\"listenAddress\": \"127.0.0.1:{api}\", \"managementListenAddress\": \"127.0.0.1:{manage}\",
               \"certificate\": \"{}\", \"privateKey\": \"{}\", \"httpPort\": {http}, \"tlsPort\": {https},
               \"ocspResponderURL\": \"\", \"externalAccountBindingRequired\": false}}}}",
            at("cert.pem").display(),
            at("key.pem").display()
        );
        fs::write(at("pebble.json"), config).unwrap();
        let names = Peer(
            Command::new("pebble-challtestsrv")
                .args([
                    "-defaultIPv4",
                    "127.0.0.1",
                    "-defaultIPv6",
                    "",
                    "-http01",
                    "",
                    "-https01",
                    "",
                    "-tlsalpn01",
                    "",
                ])
                .args(["-dns01", &format!("127.0.0.1:{dns}"), "-management", &format!("127.0.0.1:{management}")])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("pebble-challtestsrv"),
        );
        let pebble = Peer(
            Command::new("pebble")
                .args(["-strict", "-dnsserver", &format!("127.0.0.1:{dns}"), "-config"])
                .arg(at("pebble.json"))
                .env("PEBBLE_VA_NOSLEEP", "1")
                // Nonces refused at random are the library's to ask for again, three times: more than that would fail here by chance.
                .env("PEBBLE_WFE_NONCEREJECT", "0")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("pebble"),
        );
        let mut peers = [names, pebble];
        for (peer, port) in peers.iter_mut().zip([management, api]) {
            while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                assert!(peer.0.try_wait().unwrap().is_none(), "it ended by itself");
                tokio::task::yield_now().await;
            }
        }
        let (url, trust) = (format!("https://127.0.0.1:{api}/dir"), at("cert.pem"));
        Self { url, http, https, management, trust, folder, _peers: peers }
    }

    /// A program that sets and clears records, as an operator has one for dns-01.
    pub fn hook(&self) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = self.folder.path().join("hook");
        let at = format!("http://127.0.0.1:{}", self.management);
        let text = format!(
            "#!/bin/sh\nset -e\ncase $1 in\nadd) curl -sSf -d \"{{\\\"host\\\": \\\"$2.\\\", \\\"value\\\": \\\"$3\\\"}}\" {at}/set-txt ;;\n\
             remove) curl -sSf -d \"{{\\\"host\\\": \\\"$2.\\\"}}\" {at}/clear-txt ;;\nesac\n"
        );
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }
}

/// A house that keeps its certificates.
pub struct House {
    pub acme: Acme,
    pub directory: Directory,
    pub journal: Journal,
    pub queue: Queue,
    pub clock: Clock,
    shutdown: Shutdown,
    https: u16,
    services: Vec<JoinHandle<anser_base::Result<()>>>,
}

impl House {
    /// Over these tables; its HTTP services listen where the authority looks.
    pub async fn open(world: &World, authority: &str, ports: [u16; 2], trust: &Path, proof: Proof) -> Self {
        let (db, clock, entropy) = (world.open(), Clock::System, Entropy::system());
        let directory = Directory::new(anser_directory::Deps {
            db: db.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            hostname: HOST.into(),
            literals: Vec::new(),
        });
        if directory.domain(DOMAIN).await.unwrap().is_none() {
            directory.add_domain(NewDomain::new(DOMAIN)).await.unwrap();
        }
        let journal = anser_journal::Deps { db: db.clone(), clock: clock.clone(), node: 0, months: Default::default() };
        let journal = Journal::open(journal).await.unwrap();
        let queue = anser_queue::Deps { db: db.clone(), clock: clock.clone(), name: None };
        let queue = Queue::open(queue).await.unwrap();
        let (certificate, key) = self_signed(&[HOST.to_owned()]).unwrap();
        let tls = TlsAcceptor::new(vec![CertificateSource::Pem(certificate, key)]).unwrap();
        let zone = Zone::new();
        let here = |name: &str| zone.add(name, Data::A(Ipv4Addr::LOCALHOST));
        here(HOST);
        here(&format!("mta-sts.{DOMAIN}"));
        zone.add(&format!("autoconfig.{DOMAIN}"), Data::A(Ipv4Addr::new(192, 0, 2, 9)));
        let web = client::Options { private: true, ..client::Options::new(trust.to_owned(), Duration::from_secs(60)) };
        let settings = Settings {
            authority: authority.to_owned(),
            contact: vec![format!("mailto:postmaster@{DOMAIN}")],
            proof,
            names: Vec::new(),
            web,
        };
        let deps = Deps {
            directory: directory.clone(),
            journal: journal.clone(),
            queue: queue.clone(),
            resolver: Resolver::zone(zone),
            tls: tls.clone(),
            clock: clock.clone(),
            entropy,
            hostname: HOST.into(),
        };
        let acme = Acme::new(deps, settings);
        let shutdown = Shutdown::new();
        let site = Arc::new(Site::new(acme.routes()));
        let (mut services, mut https) = (Vec::new(), 0);
        for (port, tls) in [(ports[0], None), (ports[1], Some(tls.for_http()))] {
            let listeners = anser_net::bind(&[([127, 0, 0, 1], port).into()]).unwrap();
            https = listeners[0].address().port();
            let site = site.clone();
            let handler = move |stream, shutdown| session(stream, site.clone(), shutdown);
            let options = ServeOptions { tls, ..ServeOptions::new("http") };
            services.push(tokio::spawn(anser_net::serve(listeners, options, shutdown.clone(), handler)));
        }
        Self { acme, directory, journal, queue, clock, shutdown, https, services }
    }

    /// Ends its services and lets go of the tables.
    pub async fn stop(self) {
        self.shutdown.begin(Duration::from_secs(5));
        for service in self.services {
            service.await.unwrap().unwrap();
        }
        self.journal.flush().await.unwrap();
        self.queue.close().await.unwrap();
    }

    /// The hash by which the certificate for this name is known (RFC 5929 §4.1).
    pub async fn served(&self, name: &str) -> Vec<u8> {
        let mut stream = anser_net::connect("127.0.0.1", self.https, &ConnectOptions::default()).await.unwrap();
        stream.start_tls_as_client(&TlsConnector::opportunistic().unwrap(), name).await.unwrap();
        stream.tls_info().unwrap().binding.server_end_point.clone().unwrap()
    }
}
