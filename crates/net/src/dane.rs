//! DANE (RFC 6698, RFC 7671): certificates vouched for by TLSA records instead of authorities.

use std::sync::Arc;

use anser_base::{Error, Result};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use sha2::{Digest, Sha256, Sha512};

use crate::dns::Data;
use crate::judge::Judge;

/// TLSA records of one name that are looked at.
pub const ASSOCIATIONS: usize = 32;
/// Certificates of a chain that are looked at.
const CHAIN: usize = 10;

/// DANE-TA(2) and DANE-EE(3) (RFC 7218 §2.1): the usages that count for SMTP (RFC 7672 §3.1).
const TRUST_ANCHOR: u8 = 2;
const END_ENTITY: u8 = 3;

/// What a TLSA record says (RFC 6698 §2.1), of those that can be used for SMTP.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Association {
    usage: u8,
    selector: u8,
    matching: u8,
    data: Vec<u8>,
}

impl std::fmt::Display for Association {
    /// As a zone file has it (RFC 6698 §2.2).
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {} ", self.usage, self.selector, self.matching)?;
        self.data.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Association {
    /// From a TLSA record; `None` for one that SMTP does not use (RFC 7672 §3.1.3) or that nobody understands.
    pub fn usable(data: &Data) -> Option<Self> {
        let Data::Tlsa { usage, selector, matching, data } = data else { return None };
        let length_fits = match matching {
            0 => !data.is_empty(),
            1 => data.len() == 32,
            2 => data.len() == 64,
            _ => false,
        };
        let is_usable = matches!(*usage, TRUST_ANCHOR | END_ENTITY) && *selector <= 1 && length_fits;
        is_usable.then(|| Self { usage: *usage, selector: *selector, matching: *matching, data: data.clone() })
    }

    /// The usable ones among the records of an answer.
    pub fn usable_of(records: &[Data]) -> Vec<Self> {
        records.iter().filter_map(Self::usable).take(ASSOCIATIONS).collect()
    }

    fn matches(&self, certificate: &CertificateDer<'_>) -> bool {
        let selected = match self.selector {
            0 => certificate.to_vec(),
            _ => match ParsedCertificate::try_from(certificate) {
                Ok(parsed) => parsed.subject_public_key_info().to_vec(),
                Err(_) => return false,
            },
        };
        match self.matching {
            0 => selected == self.data,
            1 => Sha256::digest(&selected)[..] == self.data[..],
            _ => Sha512::digest(&selected)[..] == self.data[..],
        }
    }
}

/// Accepts a server by its TLSA records (RFC 7672 §3).
#[derive(Debug)]
pub(crate) struct Dane {
    associations: Vec<Association>,
    /// The names one of which a certificate below a DANE-TA(2) anchor must have (RFC 7672 §3.2.2).
    names: Vec<ServerName<'static>>,
    provider: Arc<CryptoProvider>,
}

impl Dane {
    pub fn new(associations: Vec<Association>, names: &[String], provider: Arc<CryptoProvider>) -> Result<Self> {
        let names = names.iter().filter_map(|name| ServerName::try_from(name.clone()).ok()).collect();
        match associations.is_empty() {
            true => Err(Error::invalid("no usable TLSA record", "没有可用的 TLSA 记录")),
            false => Ok(Self { associations, names, provider }),
        }
    }

    fn of_usage(&self, usage: u8) -> impl Iterator<Item = &Association> {
        self.associations.iter().filter(move |association| association.usage == usage)
    }

    /// Whether an anchor of the chain is among the records, and the chain holds up to it for one of the names.
    fn is_anchored(&self, leaf: &CertificateDer<'_>, rest: &[CertificateDer<'_>], now: UnixTime) -> bool {
        let rest = &rest[..rest.len().min(CHAIN)];
        let in_chain = rest.iter().filter(|certificate| self.of_usage(TRUST_ANCHOR).any(|a| a.matches(certificate)));
        // A record that holds the whole certificate stands for one that the server does not send (RFC 7671 §5.2.2).
        let in_dns = self.of_usage(TRUST_ANCHOR).filter(|a| a.selector == 0 && a.matching == 0);
        let mut roots = RootCertStore::empty();
        for anchor in in_chain.cloned().map(CertificateDer::into_owned) {
            let _ = roots.add(anchor);
        }
        for association in in_dns {
            let _ = roots.add(CertificateDer::from(association.data.clone()));
        }
        if roots.is_empty() {
            return false;
        }
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), self.provider.clone()).build();
        verifier.is_ok_and(|verifier| {
            self.names.iter().any(|name| verifier.verify_server_cert(leaf, rest, name, &[], now).is_ok())
        })
    }
}

impl Judge for Dane {
    /// A DANE-EE(3) match needs neither names nor dates (RFC 7672 §3.1.1).
    fn accepts(&self, leaf: &CertificateDer<'_>, rest: &[CertificateDer<'_>], now: UnixTime) -> bool {
        self.of_usage(END_ENTITY).any(|association| association.matches(leaf)) || self.is_anchored(leaf, rest, now)
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

    use super::*;
    use crate::tls::provider;

    struct Chain {
        leaf: CertificateDer<'static>,
        anchor: CertificateDer<'static>,
        leaf_key: Vec<u8>,
    }

    fn chain() -> Chain {
        let anchor_key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let anchor = params.self_signed(&anchor_key).unwrap();
        let issuer = Issuer::new(params, &anchor_key);
        let leaf_key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec!["mx.test".to_owned()]).unwrap().signed_by(&leaf_key, &issuer).unwrap();
        let parsed = ParsedCertificate::try_from(leaf.der()).unwrap().subject_public_key_info().to_vec();
        Chain { leaf: leaf.der().clone(), anchor: anchor.der().clone(), leaf_key: parsed }
    }

    fn tlsa(usage: u8, selector: u8, matching: u8, data: &[u8]) -> Data {
        Data::Tlsa { usage, selector, matching, data: data.to_vec() }
    }

    fn accepts(record: Data, chain: &Chain, sent: &[CertificateDer<'static>], name: &str) -> bool {
        let associations = Association::usable_of(&[record]);
        let dane = Dane::new(associations, &[name.to_owned()], provider()).unwrap();
        dane.accepts(&chain.leaf, sent, UnixTime::now())
    }

    #[test]
    fn an_end_entity_matches_by_key_or_certificate_whatever_its_name() {
        let (chain, other) = (chain(), chain());
        for (record, expected) in [
            (tlsa(3, 1, 1, &Sha256::digest(&chain.leaf_key)), true),
            (tlsa(3, 1, 2, &Sha512::digest(&chain.leaf_key)), true),
            (tlsa(3, 1, 0, &chain.leaf_key), true),
            (tlsa(3, 0, 1, &Sha256::digest(&chain.leaf)), true),
            (tlsa(3, 0, 0, &chain.leaf), true),
            (tlsa(3, 1, 1, &Sha256::digest(&other.leaf_key)), false),
            (tlsa(3, 0, 1, &Sha256::digest(&chain.anchor)), false),
        ] {
            assert_eq!(accepts(record.clone(), &chain, &[], "elsewhere.test"), expected, "{record:?}");
        }
    }

    #[test]
    fn a_trust_anchor_must_be_in_the_chain_and_the_name_must_fit() {
        let (chain, other) = (chain(), chain());
        let sent = [chain.anchor.clone()];
        let by_hash = tlsa(2, 0, 1, &Sha256::digest(&chain.anchor));
        assert!(accepts(by_hash.clone(), &chain, &sent, "mx.test"));
        assert!(!accepts(by_hash.clone(), &chain, &sent, "elsewhere.test"));
        assert!(!accepts(by_hash, &chain, &[], "mx.test"), "a hash of what is not sent anchors nothing");
        assert!(accepts(tlsa(2, 0, 0, &chain.anchor), &chain, &[], "mx.test"));
        assert!(!accepts(tlsa(2, 0, 1, &Sha256::digest(&other.anchor)), &chain, &sent, "mx.test"));
        let forged = [other.anchor.clone()];
        assert!(!accepts(tlsa(2, 0, 1, &Sha256::digest(&other.anchor)), &chain, &forged, "mx.test"));
    }

    #[test]
    fn records_that_smtp_does_not_use_are_left_out() {
        let good = [7; 32];
        for record in [
            tlsa(0, 1, 1, &good),
            tlsa(1, 1, 1, &good),
            tlsa(255, 1, 1, &good),
            tlsa(3, 2, 1, &good),
            tlsa(3, 1, 3, &good),
            tlsa(3, 1, 1, &good[1..]),
            tlsa(3, 1, 2, &good),
            tlsa(3, 1, 0, b""),
            Data::Txt(good.to_vec()),
        ] {
            assert_eq!(Association::usable(&record), None, "{record:?}");
        }
        assert!(Association::usable(&tlsa(3, 1, 1, &good)).is_some());
        assert!(Dane::new(Vec::new(), &[], provider()).is_err());
    }
}
