//! The client's side of TLS.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::SystemTime;

use anser_base::{Class, Error, Result};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};
use tokio::time::timeout;

use crate::dane::{Association, Dane};
use crate::judge::{Judge, JudgedBy};
use crate::tls::{EXPORTER_LABEL, HANDSHAKE_TIMEOUT, TlsInfo, describe, provider};
use crate::transport::Transport;

/// Files of authorities that are kept in memory at most.
const BUNDLES: usize = 16;

/// When a file was written, in bytes how long it was, and the authorities in it.
type Bundle = (SystemTime, u64, Arc<RootCertStore>);

/// A bundle holds hundreds of certificates, and each picture of a letter is a connection.
static BUNDLED: LazyLock<Mutex<HashMap<PathBuf, Bundle>>> = LazyLock::new(Mutex::default);

/// Starts TLS towards a server. Clones share remembered sessions.
#[derive(Clone, Debug)]
pub struct TlsConnector {
    config: Arc<ClientConfig>,
}

impl TlsConnector {
    /// Encrypts towards whoever answers: any certificate will do (RFC 7435). Protects from listeners, not from impostors.
    pub fn opportunistic() -> Result<Self> {
        Self::judged_by(Anybody)
    }

    /// Accepts only what the TLSA records of the server vouch for (RFC 7672 §3); `names` are the reference identifiers for those
    /// that name a trust anchor. [`Class::Invalid`] when there is no record.
    pub fn dane(associations: Vec<Association>, names: &[String]) -> Result<Self> {
        Self::judged_by(Dane::new(associations, names, provider())?)
    }

    /// Accepts only certificates for the wanted name that chain up to one of these authorities, given as a file of PEM
    /// certificates: the system's bundle, or one's own authority. The file is read again when it is another. [`Class::Invalid`] when it
    /// holds none.
    pub fn verified(authorities: &Path) -> Result<Self> {
        let unread = |error| no_authorities().caused_by(format!("{}: {error}", authorities.display()));
        let about = std::fs::metadata(authorities).map_err(unread)?;
        let (written, length) = (about.modified().map_err(unread)?, about.len());
        let mut bundled = BUNDLED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, _, roots)) = bundled.get(authorities).filter(|known| (known.0, known.1) == (written, length)) {
            return Self::verified_by(roots.clone());
        }
        let roots = Arc::new(roots_of(&std::fs::read(authorities).map_err(unread)?)?);
        if bundled.len() >= BUNDLES {
            bundled.clear();
        }
        bundled.insert(authorities.to_owned(), (written, length, roots.clone()));
        Self::verified_by(roots)
    }

    /// [`Self::verified`] by the PEM text itself.
    pub fn verified_by_pem(authorities: &[u8]) -> Result<Self> {
        Self::verified_by(Arc::new(roots_of(authorities)?))
    }

    fn verified_by(roots: Arc<RootCertStore>) -> Result<Self> {
        Ok(Self::of(builder()?.with_root_certificates(roots).with_no_client_auth()))
    }

    fn judged_by(judge: impl Judge) -> Result<Self> {
        let verifier = Arc::new(JudgedBy { judge, provider: provider() });
        Ok(Self::of(builder()?.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth()))
    }

    pub(crate) async fn handshake(
        &self,
        transport: Transport,
        name: &str,
    ) -> Result<(tokio_rustls::client::TlsStream<Transport>, TlsInfo)> {
        let server = ServerName::try_from(name.trim_end_matches('.').to_owned())
            .map_err(|error| Error::invalid("not a host name", "不是有效的主机名").caused_by(error))?;
        let connector = tokio_rustls::TlsConnector::from(self.config.clone());
        let tls = match timeout(HANDSHAKE_TIMEOUT, connector.connect(server, transport)).await {
            Ok(result) => result.map_err(Error::unavailable)?,
            Err(_) => return Err(Error::unavailable("no TLS handshake in time")),
        };
        let connection = tls.get_ref().1;
        let certificate = connection.peer_certificates().and_then(<[_]>::first);
        let info = TlsInfo {
            sni: Some(name.to_owned()),
            ..describe(connection, certificate, |out| {
                connection.export_keying_material(out, EXPORTER_LABEL, Some(b"")).is_ok()
            })
        };
        Ok((tls, info))
    }

    fn of(config: ClientConfig) -> Self {
        Self { config: Arc::new(config) }
    }
}

fn roots_of(pem: &[u8]) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_slice_iter(pem).filter_map(Result::ok);
    // Bundles carry odd old roots; those that cannot be used are left out.
    let (added, _left_out) = roots.add_parsable_certificates(certificates);
    if added == 0 { Err(no_authorities()) } else { Ok(roots) }
}

/// Why a server's TLS was not what it has to be, in a word of RFC 8460 §4.3.
pub fn tls_failure(error: &Error) -> &'static str {
    let source = error.source.as_ref().and_then(|source| source.downcast_ref::<std::io::Error>());
    match source.and_then(|error| error.get_ref()?.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(why)) => match why {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => "certificate-expired",
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "certificate-host-mismatch"
            }
            // What TLSA records do not vouch for.
            CertificateError::ApplicationVerificationFailure => "validation-failure",
            _ => "certificate-not-trusted",
        },
        _ => "validation-failure",
    }
}

fn builder() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>> {
    ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().map_err(Error::unavailable)
}

fn no_authorities() -> Error {
    Error::new(Class::Invalid, "no usable certificate authorities", "没有可用的证书颁发机构")
}

/// Accepts every certificate.
#[derive(Debug)]
struct Anybody;

impl Judge for Anybody {
    fn accepts(&self, _leaf: &CertificateDer<'_>, _rest: &[CertificateDer<'_>], _now: UnixTime) -> bool {
        true
    }
}
