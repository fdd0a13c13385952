//! A loopback internet's DNS: one name server for a signed root and the zones below it, so that DNSSEC can be tested for real.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hickory_server::Server;
use hickory_server::dnssec::NxProofKind;
use hickory_server::net::runtime::{Time, TokioRuntimeProvider};
use hickory_server::proto::dnssec::crypto::EcdsaSigningKey;
use hickory_server::proto::dnssec::rdata::{DNSKEY, DNSSECRData, DS};
use hickory_server::proto::dnssec::{Algorithm, DigestType, DnssecSigner, SigningKey};
use hickory_server::proto::rr::{Name, RData, Record, RecordType};
use hickory_server::proto::serialize::txt::Parser;
use hickory_server::server::{Request, RequestHandler, ResponseHandler, ResponseInfo};
use hickory_server::store::in_memory::InMemoryZoneHandler;
use hickory_server::zone_handler::{AxfrPolicy, Catalog, ZoneType};
use tokio::net::{TcpListener, UdpSocket};

/// How long signatures hold.
const SIGNED_FOR: Duration = Duration::from_secs(7 * 24 * 3600);
/// Addresses of loopback that are tried for one that is free for UDP and TCP alike.
const TRIES: usize = 50;

/// How a zone is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signing {
    /// Signed, and its parent vouches for its key.
    Signed,
    /// Not signed, which its parent proves.
    Unsigned,
    /// Signed by a key that is not the one its parent vouches for.
    Bogus,
}

/// A zone: its origin, how it is signed, its records as lines of a zone file (RFC 1035 §5). It has the NS record `ns.`,
/// which is 127.0.0.1, and a SOA record unless there is one.
pub type ZoneText<'a> = (&'a str, Signing, &'a str);

/// The name server. It answers as long as the runtime that it was started on lives.
pub struct NameServer {
    /// Where it listens, UDP and TCP.
    pub address: SocketAddr,
    /// The root's key, as a line of a zone file.
    pub trust_anchor: String,
    root_key: Vec<u8>,
    zones: Arc<Mutex<Arc<Zones>>>,
}

impl NameServer {
    /// Serves these zones below a signed root, wherever there is room.
    pub async fn start(zones: &[ZoneText<'_>]) -> Self {
        Self::over(sockets().await.expect("a free address"), zones)
    }

    /// Serves them at this address, for programs that ask at the standard port only, or as another server of the same zones.
    pub async fn start_at(address: SocketAddr, zones: &[ZoneText<'_>]) -> Self {
        let mut last = None;
        for _ in 0..TRIES {
            match bind(address).await {
                Ok(sockets) => return Self::over(sockets, zones),
                // Somebody's question may be on its way from just this port.
                Err(error) => last = Some(error),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{address} is not free: {last:?}");
    }

    fn over((udp, tcp): (UdpSocket, TcpListener), zones: &[ZoneText<'_>]) -> Self {
        let root_key = EcdsaSigningKey::generate_pkcs8(Algorithm::ECDSAP256SHA256).expect("a key");
        let root_key = root_key.secret_pkcs8_der().to_vec();
        let shared = Arc::new(Mutex::new(Arc::new(build(&root_key, zones))));
        let address = tcp.local_addr().expect("a bound socket");
        let mut server = Server::new(Routing { zones: shared.clone() });
        server.register_socket(udp);
        server.register_listener(tcp, Duration::from_secs(60), 64);
        tokio::spawn(async move { server.block_until_done().await });
        let trust_anchor = format!(". 3600 IN DNSKEY {}\n", dnskey(&key(&root_key)));
        Self { address, trust_anchor, root_key, zones: shared }
    }

    /// Serves these zones from now on, below the same root.
    pub fn replace(&self, zones: &[ZoneText<'_>]) {
        *self.zones.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(build(&self.root_key, zones));
    }
}

async fn sockets() -> io::Result<(UdpSocket, TcpListener)> {
    let mut last = io::Error::other("none was tried");
    for _ in 0..TRIES {
        match bind(SocketAddr::from(([127, 0, 0, 1], 0))).await {
            Ok(sockets) => return Ok(sockets),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn bind(address: SocketAddr) -> io::Result<(UdpSocket, TcpListener)> {
    let tcp = TcpListener::bind(address).await?;
    Ok((UdpSocket::bind(tcp.local_addr()?).await?, tcp))
}

/// Zones by origin, each with a server's catalogue of its own.
type Zones = Vec<(Name, Catalog)>;

/// Hands a question to the deepest zone that has its name. A DS record is with the parent (RFC 4035 §3.1.4.1).
struct Routing {
    zones: Arc<Mutex<Arc<Zones>>>,
}

#[async_trait::async_trait]
impl RequestHandler for Routing {
    async fn handle_request<R: ResponseHandler, T: Time>(&self, request: &Request, response: R) -> ResponseInfo {
        let zones = self.zones.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (name, is_ds) = match request.request_info() {
            Ok(info) => (Name::from(info.query.name()), info.query.query_type() == RecordType::DS),
            Err(_) => (Name::root(), false),
        };
        let fits = |origin: &Name| origin.zone_of(&name) && !(is_ds && *origin == name && !origin.is_root());
        let zone = zones.iter().filter(|(origin, _)| fits(origin)).max_by_key(|(origin, _)| origin.num_labels());
        let (_, catalog) = zone.expect("the root has every name");
        catalog.handle_request::<R, T>(request, response).await
    }
}

fn build(root_key: &[u8], zones: &[ZoneText<'_>]) -> Zones {
    let mut root_records = Vec::new();
    let mut built = Vec::new();
    for (origin, signing, text) in zones {
        let origin = absolute(origin);
        let own = EcdsaSigningKey::generate_pkcs8(Algorithm::ECDSAP256SHA256).expect("a key");
        let own = own.secret_pkcs8_der().to_vec();
        let nameserver = Name::from_ascii("ns.").expect("a name");
        root_records.push(Record::from_rdata(
            origin.clone(),
            60,
            RData::NS(hickory_server::proto::rr::rdata::NS(nameserver)),
        ));
        let vouched = match signing {
            Signing::Signed => Some(own.clone()),
            Signing::Bogus => Some(root_key.to_vec()),
            Signing::Unsigned => None,
        };
        if let Some(vouched) = vouched {
            let public = key(&vouched).to_public_key().expect("a public key");
            let ds = DS::from_key(&public, &origin, DigestType::SHA256).expect("a digest");
            root_records.push(Record::from_rdata(origin.clone(), 60, RData::DNSSEC(DNSSECRData::DS(ds))));
        }
        let signer = (*signing != Signing::Unsigned).then_some(&own[..]);
        built.push(zone(&origin, text, Vec::new(), signer));
    }
    built.push(zone(&Name::root(), "ns 60 IN A 127.0.0.1\n", root_records, Some(root_key)));
    built
}

fn zone(origin: &Name, text: &str, more: Vec<Record>, signer: Option<&[u8]>) -> (Name, Catalog) {
    let own = if text.contains(" SOA ") { "" } else { "@ 60 IN SOA ns. host. 1 3600 600 86400 60\n" };
    let head = format!("$TTL 60\n{own}@ 60 IN NS ns.\n");
    let (_, records) = Parser::new(format!("{head}{text}\n"), None, Some(origin.clone())).parse().expect("a zone file");
    let proof = signer.map(|_| NxProofKind::Nsec);
    let mut handler: InMemoryZoneHandler<TokioRuntimeProvider> =
        InMemoryZoneHandler::new(origin.clone(), records, ZoneType::Primary, AxfrPolicy::Deny, proof).expect("a zone");
    for record in more {
        handler.upsert_mut(record, 1);
    }
    if let Some(signer) = signer {
        let key = key(signer);
        let signer = DnssecSigner::new(dnskey(&key), Box::new(key), origin.clone(), SIGNED_FOR);
        handler.add_zone_signing_key_mut(signer).expect("a signing key");
        handler.secure_zone_mut().expect("signatures");
    }
    let mut catalog = Catalog::new();
    catalog.upsert(origin.into(), vec![Arc::new(handler)]);
    (origin.clone(), catalog)
}

fn key(pkcs8: &[u8]) -> EcdsaSigningKey {
    EcdsaSigningKey::from_pkcs8(&pkcs8.into(), Algorithm::ECDSAP256SHA256).expect("a key")
}

fn dnskey(key: &EcdsaSigningKey) -> DNSKEY {
    DNSKEY::from_key(&key.to_public_key().expect("a public key"))
}

fn absolute(origin: &str) -> Name {
    Name::from_ascii(format!("{}.", origin.trim_end_matches('.'))).expect("an origin")
}
