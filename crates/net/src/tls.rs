//! The server's side of TLS (1.2 and 1.3): certificates, their reload without a restart, and channel bindings.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

use anser_base::{Class, Error, Result};
use rustls::ServerConfig;
use rustls::client::verify_server_name;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use sha2::{Digest, Sha256};
use tokio::time::timeout;

use crate::certificate::{Summary, server_end_point, summary};
use crate::transport::Transport;

/// Longest a handshake may take, from either side.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(30);
/// How often, at most, handshakes look whether the certificate files changed.
pub const CHECK_EVERY: Duration = Duration::from_secs(2);
/// Most certificates that one acceptor chooses from by name.
pub const CERTIFICATES: usize = 256;
/// The protocols that an HTTPS service chooses from, best first (RFC 7301 §6, RFC 8737 §6.2).
pub const ALPN_H2: &[u8] = b"h2";
/// HTTP/1.1.
pub const ALPN_HTTP_1_1: &[u8] = b"http/1.1";
/// The handshake by which an authority sees that a name is ours.
pub const ALPN_ACME: &[u8] = b"acme-tls/1";
/// Label of the exporter of RFC 9266 §2.
pub(crate) const EXPORTER_LABEL: &[u8] = b"EXPORTER-Channel-Binding";

/// Where a certificate chain and its private key come from, both in PEM.
#[derive(Clone, Debug)]
pub enum CertificateSource {
    /// Files, watched for changes. The first is the chain, server certificate first; the second the key.
    Files(PathBuf, PathBuf),
    /// The texts themselves: chain and key.
    Pem(String, String),
}

/// What TLS agreed on for one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsInfo {
    /// `TLSv1.3` or `TLSv1.2`.
    pub version: &'static str,
    /// The cipher suite's IANA name, such as `TLS_AES_128_GCM_SHA256`.
    pub cipher: String,
    /// The host name that the client asked for (RFC 6066 §3).
    pub sni: Option<String>,
    /// The protocol that both sides chose (RFC 7301), if they did.
    pub alpn: Option<Vec<u8>>,
    /// What SCRAM-…-PLUS binds the login to.
    pub binding: ChannelBinding,
}

/// The channel bindings of one TLS connection; a missing one cannot be used on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelBinding {
    /// `tls-server-end-point` (RFC 5929 §4).
    pub server_end_point: Option<Vec<u8>>,
    /// `tls-exporter` (RFC 9266); with TLS 1.3 only, because earlier versions need a promise that rustls does not reveal.
    pub exporter: Option<[u8; 32]>,
}

/// Takes TLS handshakes. Clones share the certificates and their reload.
#[derive(Clone, Debug)]
pub struct TlsAcceptor {
    shared: Arc<Shared>,
    /// Whether HTTP is chosen by ALPN.
    http: bool,
}

#[derive(Debug)]
struct Shared {
    sources: Vec<CertificateSource>,
    /// Those that came since, tried before `sources`.
    installed: Mutex<Vec<CertificateSource>>,
    challenges: Arc<Challenges>,
    current: RwLock<Arc<Loaded>>,
    check_every: Duration,
    watch: Mutex<Watch>,
}

/// What the files looked like when they were last read, whether that failed, and when somebody last looked.
#[derive(Debug)]
struct Watch {
    stamps: Vec<Option<Stamp>>,
    failed: bool,
    checked: Instant,
}

type Stamp = (Option<SystemTime>, u64);

/// One generation of certificates. Tickets and sessions belong to it, so that no resumed session outlives a certificate.
#[derive(Debug)]
struct Loaded {
    config: Arc<ServerConfig>,
    http: Arc<ServerConfig>,
    certificates: Arc<Certificates>,
}

impl TlsAcceptor {
    /// Loads the certificates. The first one serves clients that ask for no or an unknown name; the others those that ask for
    /// one of their names (SNI, RFC 6066 §3). [`Class::Invalid`], naming the file in its cause, when one cannot be used.
    pub fn new(sources: Vec<CertificateSource>) -> Result<Self> {
        Self::checking_every(sources, CHECK_EVERY)
    }

    /// [`Self::new`], looking for changed files on handshakes at most this often. Zero looks on every handshake.
    pub fn checking_every(sources: Vec<CertificateSource>, check_every: Duration) -> Result<Self> {
        let stamps = stamps(&sources);
        let challenges = Arc::default();
        let current = RwLock::new(Arc::new(load(&[], &sources, &challenges)?));
        let watch = Mutex::new(Watch { stamps, failed: false, checked: Instant::now() });
        let installed = Mutex::default();
        let shared = Shared { sources, installed, challenges, current, check_every, watch };
        Ok(Self { shared: Arc::new(shared), http: false })
    }

    /// The same certificates for an HTTPS service: HTTP/2 and HTTP/1.1 are chosen by ALPN (RFC 7301), and an authority finds the
    /// answers to its challenges.
    pub fn for_http(&self) -> Self {
        Self { http: true, ..self.clone() }
    }

    /// Uses these certificates (chain and key, PEM) for new handshakes, before those that it began with and instead of those that
    /// were installed before; the first serves clients that ask for no or an unknown name. After an error all stays as it was.
    pub fn install(&self, pairs: Vec<(String, String)>) -> Result<()> {
        let sources: Vec<_> = pairs.into_iter().map(|(chain, key)| CertificateSource::Pem(chain, key)).collect();
        let mut installed = self.shared.installed.lock().unwrap_or_else(PoisonError::into_inner);
        let loaded = load(&sources, &self.shared.sources, &self.shared.challenges)?;
        *installed = sources;
        *self.shared.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(loaded);
        Ok(())
    }

    /// What is known of the certificates that new handshakes are given, that for clients with no or an unknown name first.
    pub fn certificates(&self) -> Vec<Summary> {
        let loaded = self.shared.current.read().unwrap_or_else(PoisonError::into_inner).clone();
        loaded.certificates.0.iter().filter_map(|key| summary(key.end_entity_cert().ok()?)).collect()
    }

    /// SHA-256 of the public key of the certificate that clients with no or an unknown name are given, as TLSA records of type `3 1 1`
    /// name it (RFC 7672 §3.1.1).
    pub fn public_key_hash(&self) -> Option<[u8; 32]> {
        let loaded = self.shared.current.read().unwrap_or_else(PoisonError::into_inner).clone();
        let certificate = loaded.certificates.0[0].end_entity_cert().ok()?;
        let parsed = ParsedCertificate::try_from(certificate).ok()?;
        Some(Sha256::digest(&*parsed.subject_public_key_info()).into())
    }

    /// Shows this certificate (chain and key, PEM) to an authority that looks whether the name is ours (RFC 8737 §3), over HTTPS
    /// services, until it is taken away by `None`. [`Class::Invalid`] when it cannot be used.
    pub fn answer_challenge(&self, name: &str, answer: Option<(String, String)>) -> Result<()> {
        let key = answer.map(|(chain, key)| shown(chain.as_bytes(), key.as_bytes()).map_err(unusable)).transpose()?;
        let mut challenges = self.shared.challenges.0.write().unwrap_or_else(PoisonError::into_inner);
        match key {
            Some(key) => challenges.insert(name.to_ascii_lowercase(), key),
            None => challenges.remove(&name.to_ascii_lowercase()),
        };
        Ok(())
    }

    /// Reads the certificates again, for new handshakes; connections that stand go on. After an error the old certificates
    /// stay in use. Blocks for the time of a few file reads.
    pub fn reload(&self) -> Result<()> {
        // Before the files are read: a change meanwhile is then seen as one by the next look.
        let stamps = stamps(&self.shared.sources);
        let installed = self.shared.installed.lock().unwrap_or_else(PoisonError::into_inner);
        let loaded = load(&installed, &self.shared.sources, &self.shared.challenges);
        {
            let mut watch = self.watch();
            (watch.stamps, watch.failed) = (stamps, loaded.is_err());
        }
        *self.shared.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(loaded?);
        Ok(())
    }

    pub(crate) async fn handshake(
        &self,
        transport: Transport,
    ) -> Result<(tokio_rustls::server::TlsStream<Transport>, TlsInfo)> {
        self.reload_if_changed().await;
        let loaded = self.shared.current.read().unwrap_or_else(PoisonError::into_inner).clone();
        let config = if self.http { &loaded.http } else { &loaded.config };
        let acceptor = tokio_rustls::TlsAcceptor::from(config.clone());
        let tls = match timeout(HANDSHAKE_TIMEOUT, acceptor.accept(transport)).await {
            Ok(result) => result.map_err(Error::unavailable)?,
            Err(_) => return Err(Error::unavailable("no TLS handshake in time")),
        };
        let connection = tls.get_ref().1;
        let certificate = loaded.certificates.choose(connection.server_name());
        let info = TlsInfo {
            sni: connection.server_name().map(str::to_owned),
            ..describe(connection, certificate.end_entity_cert().ok(), |out| {
                connection.export_keying_material(out, EXPORTER_LABEL, Some(b"")).is_ok()
            })
        };
        Ok((tls, info))
    }

    async fn reload_if_changed(&self) {
        if !self.is_due() {
            return;
        }
        let this = self.clone();
        let looked = tokio::task::spawn_blocking(move || this.look()).await;
        if let Err(error) = looked {
            tracing::error!(%error, "looking for new certificates failed");
        }
    }

    fn is_due(&self) -> bool {
        let mut watch = self.watch();
        let due = !watch.stamps.is_empty() && watch.checked.elapsed() >= self.shared.check_every;
        if due {
            watch.checked = Instant::now();
        }
        due
    }

    /// Reloads when a file changed, and as long as the last reload failed: its reason may have gone without a trace in the
    /// files. A failure is said once.
    fn look(&self) {
        let now = stamps(&self.shared.sources);
        let (changed, failed) = {
            let watch = self.watch();
            (watch.stamps != now, watch.failed)
        };
        if !changed && !failed {
            return;
        }
        match self.reload() {
            Ok(()) => tracing::info!("new certificates are in use"),
            Err(error) if changed => {
                tracing::error!(error = error.chain(), "new certificates cannot be used; the old ones stay");
            }
            Err(_) => {}
        }
    }

    fn watch(&self) -> MutexGuard<'_, Watch> {
        self.shared.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// What both sides read off a finished handshake.
pub(crate) fn describe(
    connection: &rustls::CommonState,
    certificate: Option<&CertificateDer<'_>>,
    export: impl FnOnce(&mut [u8; 32]) -> bool,
) -> TlsInfo {
    let is_1_3 = connection.protocol_version() == Some(rustls::ProtocolVersion::TLSv1_3);
    let mut exported = [0; 32];
    let exporter = (is_1_3 && export(&mut exported)).then_some(exported);
    TlsInfo {
        version: if is_1_3 { "TLSv1.3" } else { "TLSv1.2" },
        cipher: connection.negotiated_cipher_suite().map(cipher_name).unwrap_or_default(),
        sni: None,
        alpn: connection.alpn_protocol().map(<[u8]>::to_vec),
        binding: ChannelBinding {
            server_end_point: certificate.and_then(|certificate| server_end_point(certificate)),
            exporter,
        },
    }
}

/// rustls writes `TLS13_` where IANA writes `TLS_`.
fn cipher_name(suite: rustls::SupportedCipherSuite) -> String {
    suite.suite().as_str().unwrap_or_default().replacen("TLS13_", "TLS_", 1)
}

/// The certificates of one generation; never empty.
#[derive(Debug)]
struct Certificates(Vec<Arc<CertifiedKey>>);

impl Certificates {
    fn choose(&self, name: Option<&str>) -> &Arc<CertifiedKey> {
        let name = name.and_then(|name| ServerName::try_from(name).ok());
        let named = name.and_then(|name| self.0.iter().find(|key| is_for(key, &name)));
        named.unwrap_or(&self.0[0])
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.choose(hello.server_name()).clone())
    }
}

/// What authorities are shown, by name.
#[derive(Debug, Default)]
struct Challenges(RwLock<HashMap<String, Arc<CertifiedKey>>>);

/// The certificates of an HTTPS service.
#[derive(Debug)]
struct Web {
    certificates: Arc<Certificates>,
    challenges: Arc<Challenges>,
}

impl ResolvesServerCert for Web {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let asks_for_proof = hello.alpn().is_some_and(|mut offered| offered.any(|protocol| protocol == ALPN_ACME));
        if asks_for_proof {
            let challenges = self.challenges.0.read().unwrap_or_else(PoisonError::into_inner);
            return challenges.get(&hello.server_name()?.to_ascii_lowercase()).cloned();
        }
        self.certificates.resolve(hello)
    }
}

fn is_for(key: &CertifiedKey, name: &ServerName<'_>) -> bool {
    let parsed = key.end_entity_cert().and_then(ParsedCertificate::try_from);
    parsed.is_ok_and(|certificate| verify_server_name(&certificate, name).is_ok())
}

fn load(
    installed: &[CertificateSource],
    sources: &[CertificateSource],
    challenges: &Arc<Challenges>,
) -> Result<Loaded> {
    if installed.len() + sources.len() > CERTIFICATES {
        return Err(unusable(format!("more than {CERTIFICATES} certificates")));
    }
    let keys: Vec<_> = installed.iter().chain(sources).map(load_one).collect::<Result<_>>()?;
    if keys.is_empty() {
        return Err(Error::invalid("TLS needs a certificate", "TLS 需要证书"));
    }
    let certificates = Arc::new(Certificates(keys));
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .with_no_client_auth()
        .with_cert_resolver(certificates.clone());
    config.ticketer = aws_lc_rs::Ticketer::new().map_err(unusable)?;
    let mut http = config.clone();
    http.cert_resolver = Arc::new(Web { certificates: certificates.clone(), challenges: challenges.clone() });
    http.alpn_protocols = [ALPN_H2, ALPN_HTTP_1_1, ALPN_ACME].map(<[u8]>::to_vec).to_vec();
    // A ticket of a mail service opens nothing here: what was chosen there was no HTTP.
    http.ticketer = aws_lc_rs::Ticketer::new().map_err(unusable)?;
    Ok(Loaded { config: Arc::new(config), http: Arc::new(http), certificates })
}

fn load_one(source: &CertificateSource) -> Result<Arc<CertifiedKey>> {
    let (chain, key, name) = match source {
        CertificateSource::Files(chain, key) => {
            (read(chain)?, read(key)?, format!("{} / {}", chain.display(), key.display()))
        }
        CertificateSource::Pem(chain, key) => (chain.clone().into_bytes(), key.clone().into_bytes(), "PEM".to_owned()),
    };
    certified(&chain, &key).map_err(|error| unusable(format!("{name}: {error}")))
}

fn certified(chain: &[u8], key: &[u8]) -> Result<Arc<CertifiedKey>, Box<dyn std::error::Error + Send + Sync>> {
    let chain = CertificateDer::pem_slice_iter(chain).collect::<Result<Vec<_>, _>>()?;
    if chain.is_empty() {
        return Err("no certificate in the file".into());
    }
    let key = PrivateKeyDer::from_pem_slice(key)?;
    // Also fails when the key does not belong to the certificate: a pair of which only one file was replaced yet.
    Ok(Arc::new(CertifiedKey::from_der(chain, key, &provider())?))
}

/// A certificate for authorities' eyes: what its one critical extension means is theirs to know (RFC 8737 §3).
fn shown(chain: &[u8], key: &[u8]) -> Result<Arc<CertifiedKey>, Box<dyn std::error::Error + Send + Sync>> {
    let chain = CertificateDer::pem_slice_iter(chain).collect::<Result<Vec<_>, _>>()?;
    let key = provider().key_provider.load_private_key(PrivateKeyDer::from_pem_slice(key)?)?;
    Ok(Arc::new(CertifiedKey::new(chain, key)))
}

fn read(path: &PathBuf) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| unusable(format!("{}: {error}", path.display())))
}

fn unusable(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(Class::Invalid, "the TLS certificate cannot be used", "TLS 证书无法使用").caused_by(cause)
}

/// Time and size of every watched file; `None` for one that is not there.
fn stamps(sources: &[CertificateSource]) -> Vec<Option<Stamp>> {
    let files = sources.iter().filter_map(|source| match source {
        CertificateSource::Files(chain, key) => Some([chain, key]),
        CertificateSource::Pem(..) => None,
    });
    files.flatten().map(|path| fs::metadata(path).ok().map(|meta| (meta.modified().ok(), meta.len()))).collect()
}
