//! The state crates, opened in order, and closed.

use std::io::Write;
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use anser_acme::Acme;
use anser_admin::owner::Owner;
use anser_admin::{Admin, Out, Report, Running};
use anser_base::{Clock, Disk, Entropy, Error, Result};
use anser_blob::{Blobs, RealDisk};
use anser_db::{Db, Embedded, Schemas};
use anser_delivery::{Delivery, Outward};
use anser_directory::Directory;
use anser_journal::{Entry, Journal, Origin, What, months_in};
use anser_migrate::Migrate;
use anser_net::dns::Settings;
use anser_net::{Resolver, TlsAcceptor};
use anser_peers::Peers;
use anser_queue::Queue;
use anser_store::Store;

use crate::config::{Config, Engine};

/// The tables of every kind of place.
pub const SCHEMAS: Schemas = Schemas {
    server: anser_directory::SCHEMA,
    queue: anser_queue::SCHEMA,
    moves: anser_migrate::SCHEMA,
    peers: anser_peers::SCHEMA,
    journal: anser_journal::SCHEMA,
    account: anser_store::SCHEMA,
    search: anser_store::SEARCH_SCHEMA,
};
/// The number of this node; every machine of an installation with one node has this one.
const NODE: u32 = 0;

/// All that holds truth, open.
pub struct House {
    pub db: Db,
    pub directory: Directory,
    pub store: Store,
    pub queue: Queue,
    pub journal: Journal,
    pub blobs: Blobs,
    pub disk: Arc<dyn Disk>,
    pub delivery: Delivery,
    pub moves: Migrate,
    pub peers: Peers,
    pub clock: Clock,
    pub entropy: Entropy,
    /// The DNS.
    pub resolver: Resolver,
    /// The DNS as others hold it.
    witnesses: Vec<(String, Resolver)>,
    config: Config,
    _owner: Owner,
}

impl House {
    /// Takes the data folder and opens everything; what the last run left open is closed before anybody can look.
    pub async fn open(config: &Config) -> Result<Self> {
        let owner = Owner::of(&config.data_dir)?;
        let (clock, entropy): (_, _) = (Clock::System, Entropy::system());
        let disk: Arc<dyn Disk> = Arc::new(RealDisk);
        let db = open_db(config, &disk)?;
        let blobs = Blobs::new(disk.clone(), config.data_dir.join("blobs"));
        let months = match config.engine {
            Engine::Embedded => months_in(&*disk, &config.data_dir)?,
            Engine::Postgres(_) => Default::default(),
        };
        let journal =
            Journal::open(anser_journal::Deps { db: db.clone(), clock: clock.clone(), node: NODE, months }).await?;
        let queue = Queue::open(anser_queue::Deps {
            db: db.clone(),
            clock: clock.clone(),
            name: Some(owner.name().to_owned()),
        })
        .await?;
        let store = Store::new(anser_store::Deps { db: db.clone(), blobs: blobs.clone(), clock: clock.clone() });
        let directory = Directory::new(anser_directory::Deps {
            db: db.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            hostname: config.hostname.clone(),
            literals: literals(config),
        });
        // Nodes that share a database share no folder.
        if let Engine::Embedded = config.engine {
            directory.use_key(key_file(&config.data_dir, "sign-in.key", &entropy)?).await?;
        }
        let resolver = Resolver::network(&config.dns)?;
        let witness = |server: &std::net::SocketAddr| {
            let settings = Settings { servers: vec![*server], trust_anchor: config.dns.trust_anchor.clone() };
            Ok((server.to_string(), Resolver::network(&settings)?))
        };
        let witnesses = config.witnesses.iter().map(witness).collect::<Result<_>>()?;
        let peers = Peers::new(anser_peers::Deps { db: db.clone(), clock: clock.clone() });
        let delivery = Delivery::new(anser_delivery::Deps {
            queue: queue.clone(),
            store: store.clone(),
            directory: directory.clone(),
            journal: journal.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            hostname: config.hostname.clone(),
            smarthost: config.smarthost.clone(),
            outward: outward(config, &resolver),
            peers: peers.clone(),
            resolver: resolver.clone(),
        });
        delivery.recover().await?;
        let moves = Migrate::new(anser_migrate::Deps {
            db: db.clone(),
            store: store.clone(),
            directory: directory.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            key: key_file(&config.data_dir, "move.key", &entropy)?,
            allowed: config.own_moves.clone().into(),
            clients: config.clients.clone().into(),
        })?;
        directory.use_old_servers(anser_migrate::front_door::old_servers(&moves)).await?;
        let config = config.clone();
        Ok(Self {
            db,
            directory,
            store,
            queue,
            journal,
            blobs,
            disk,
            delivery,
            moves,
            peers,
            clock,
            entropy,
            resolver,
            witnesses,
            config,
            _owner: owner,
        })
    }

    /// The administrative acts over this house.
    pub fn admin(&self, running: Option<Arc<Running>>) -> Admin {
        Admin::new(anser_admin::Deps {
            directory: self.directory.clone(),
            store: self.store.clone(),
            queue: self.queue.clone(),
            journal: self.journal.clone(),
            delivery: self.delivery.clone(),
            db: self.db.clone(),
            blobs: self.blobs.clone(),
            disk: self.disk.clone(),
            data_dir: self.config.data_dir.clone(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            hostname: self.config.hostname.clone(),
            moves: self.moves.clone(),
            peers: self.peers.clone(),
            resolver: self.resolver.clone(),
            outbound: self.config.outward.as_ref().map(|outward| outward.sources.clone()).unwrap_or_default(),
            witnesses: self.witnesses.clone(),
            name_server_port: self.config.name_server_port,
            mta_sts: self.config.web.mta_sts,
            running,
        })
    }

    /// The keeper of certificates, where the boot file names an authority.
    pub fn acme(&self, tls: &TlsAcceptor) -> Option<Acme> {
        let settings = self.config.acme.clone()?;
        Some(Acme::new(self.certificates(tls), settings))
    }

    /// What those work with who look after certificates.
    pub fn certificates(&self, tls: &TlsAcceptor) -> anser_acme::Deps {
        anser_acme::Deps {
            directory: self.directory.clone(),
            journal: self.journal.clone(),
            queue: self.queue.clone(),
            resolver: self.resolver.clone(),
            tls: tls.clone(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            hostname: self.config.hostname.clone(),
        }
    }

    /// Notes an event of the house's own.
    pub async fn note(&self, what: What) -> Result<()> {
        self.journal.append_durable(Entry { origin: Origin::internal(), what }).await
    }

    /// Makes all durable that still waits. The engine closes its files when the last handle goes.
    pub async fn close(self) -> Result<()> {
        self.journal.flush().await?;
        self.queue.close().await?;
        let blobs = self.blobs.clone();
        tokio::task::spawn_blocking(move || blobs.sync_all()).await.map_err(Error::unavailable)?
    }
}

/// Puts a whole backup where nobody has any mail yet; while no server runs. Blocks.
pub fn restore_all(config: &Config, path: &Path, out: &Out) -> Result<Report> {
    let _owner = Owner::of(&config.data_dir)?;
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let db = open_db(config, &disk)?;
    let blobs = Blobs::new(disk, config.data_dir.join("blobs"));
    anser_admin::restore_all(&db, &blobs, path, out)
}

fn open_db(config: &Config, disk: &Arc<dyn Disk>) -> Result<Db> {
    let engine = match &config.engine {
        Engine::Embedded => anser_db::Engine::Embedded(Embedded::new(&config.data_dir, disk.clone())),
        Engine::Postgres(url) => anser_db::Engine::Postgres(url.clone()),
    };
    Db::open(engine, SCHEMAS)
}

/// A key that seals what whoever has only the tables must not read: a file beside them, in no backup. Made at the first start.
fn key_file(data_dir: &Path, name: &str, entropy: &Entropy) -> Result<[u8; 32]> {
    let path = data_dir.join(name);
    let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
    match made {
        Ok(mut file) => {
            let key: [u8; 32] = entropy.bytes();
            file.write_all(&key).and_then(|()| file.sync_all()).map_err(Error::io)?;
            Ok(key)
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let bytes = std::fs::read(&path).map_err(Error::io)?;
            bytes.try_into().map_err(|_| Error::damaged(format!("the key {name} is not 32 bytes")))
        }
        Err(error) => Err(Error::io(error)),
    }
}

/// The addresses that mail may name instead of a domain.
fn literals(config: &Config) -> Vec<IpAddr> {
    let all = config.listen.get("smtp").into_iter().flatten().map(|address| address.ip());
    all.filter(|address| !address.is_unspecified()).collect()
}

/// Makes a folder that only its owner may look into; fine when it is there.
pub fn make_folder(path: &Path) -> Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|error| {
        let (en, zh) = (format!("cannot make {}", path.display()), format!("无法创建 {}", path.display()));
        Error::new(anser_base::Class::Unavailable, en, zh).caused_by(error)
    })
}

fn outward(config: &Config, resolver: &Resolver) -> Option<Outward> {
    let settings = config.outward.as_ref()?;
    let (port, private, new_since) = (settings.port, settings.private, settings.new_since);
    Some(Outward { port, private, new_since, sources: settings.sources.clone(), ..Outward::new(resolver.clone()) })
}
