//! What TLS needs to know of an X.509 certificate, and self-signed ones for a first start.

use anser_base::{Error, Result, Timestamp};
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};
use x509_parser::oid_registry::asn1_rs::oid;
use x509_parser::oid_registry::*;
use x509_parser::prelude::{AlgorithmIdentifier, FromDer, GeneralName, X509Certificate, X509Name};
use x509_parser::signature_algorithm::RsaSsaPssParams;

/// Names of a certificate that are told.
const NAMES: usize = 100;

/// A certificate for these names that vouches for itself, and its key, both as PEM. For trials: no client trusts it unasked.
/// [`anser_base::Class::Invalid`] when a name is neither a host name nor an address.
pub fn self_signed(names: &[String]) -> Result<(String, String)> {
    let made = rcgen::generate_simple_self_signed(names).map_err(|error| {
        Error::invalid("cannot make a certificate for these names", "无法为这些名称生成证书").caused_by(error)
    })?;
    Ok((made.cert.pem(), made.signing_key.serialize_pem()))
}

/// The first certificate of a PEM text, as DER.
pub fn der_of_pem(pem: &[u8]) -> Option<Vec<u8>> {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;
    CertificateDer::pem_slice_iter(pem).find_map(Result::ok).map(|certificate| certificate.to_vec())
}

/// ECDSA with SHA-1, and SHA-224: names that the registry of the parser lacks.
const ECDSA_WITH_SHA1: Oid<'static> = oid!(1.2.840.10045.4.1);
const HASH_SHA224: Oid<'static> = oid!(2.16.840.1.101.3.4.2.4);

/// The channel binding `tls-server-end-point` of a DER certificate: its hash under the hash of its own signature, where MD5
/// and SHA-1 count as SHA-256 (RFC 5929 §4.1). `None` where the RFC defines none, as for Ed25519.
pub fn server_end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    let AlgorithmIdentifier { algorithm: signature, parameters } = &parsed.signature_algorithm;
    let hash = match signature {
        _ if *signature == OID_PKCS1_RSASSAPSS => {
            RsaSsaPssParams::try_from(parameters.as_ref()?).ok()?.hash_algorithm_oid().to_owned()
        }
        _ => hash_of(signature)?,
    };
    Some(match hash {
        _ if hash == HASH_SHA224 => Sha224::digest(certificate).to_vec(),
        _ if hash == OID_NIST_HASH_SHA384 => Sha384::digest(certificate).to_vec(),
        _ if hash == OID_NIST_HASH_SHA512 => Sha512::digest(certificate).to_vec(),
        _ => Sha256::digest(certificate).to_vec(),
    })
}

/// The hash that the name of a signature's algorithm says.
fn hash_of(signature: &Oid<'_>) -> Option<Oid<'static>> {
    let named = [
        (OID_PKCS1_MD5WITHRSAENC, OID_NIST_HASH_SHA256),
        (OID_PKCS1_SHA1WITHRSA, OID_NIST_HASH_SHA256),
        (ECDSA_WITH_SHA1, OID_NIST_HASH_SHA256),
        (OID_PKCS1_SHA224WITHRSA, HASH_SHA224),
        (OID_SIG_ECDSA_WITH_SHA224, HASH_SHA224),
        (OID_PKCS1_SHA256WITHRSA, OID_NIST_HASH_SHA256),
        (OID_SIG_ECDSA_WITH_SHA256, OID_NIST_HASH_SHA256),
        (OID_PKCS1_SHA384WITHRSA, OID_NIST_HASH_SHA384),
        (OID_SIG_ECDSA_WITH_SHA384, OID_NIST_HASH_SHA384),
        (OID_PKCS1_SHA512WITHRSA, OID_NIST_HASH_SHA512),
        (OID_SIG_ECDSA_WITH_SHA512, OID_NIST_HASH_SHA512),
    ];
    named.into_iter().find(|(name, _)| name == signature).map(|(_, hash)| hash)
}

/// What people want to know of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The host names that it is for (RFC 5280 §4.2.1.6), at most 100; the subject's common name where it names none.
    pub names: Vec<String>,
    /// Who gave it: the common name, else the organisation.
    pub issuer: String,
    /// Whether it vouches for itself.
    pub self_signed: bool,
    /// From when on it is good.
    pub begins: Timestamp,
    /// Until when.
    pub ends: Timestamp,
}

/// What a DER certificate says of itself (RFC 5280 §4.1.2). `None` when it cannot be read.
pub fn summary(certificate: &[u8]) -> Option<Summary> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let (issuer, subject) = (certificate.issuer(), certificate.subject());
    let alternatives = certificate.subject_alternative_name().ok().flatten();
    let alternatives = alternatives.iter().flat_map(|extension| &extension.value.general_names);
    let host_names = alternatives.filter_map(|name| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        _ => None,
    });
    let mut names: Vec<_> = host_names.take(NAMES).collect();
    if names.is_empty() {
        names.extend(common_name(subject));
    }
    let organization = || Some(issuer.iter_organization().next()?.as_str().ok()?.to_owned());
    let time = |seconds: i64| Timestamp(seconds.saturating_mul(1000));
    let validity = certificate.validity();
    Some(Summary {
        names,
        issuer: common_name(issuer).or_else(organization).unwrap_or_default(),
        self_signed: issuer == subject,
        begins: time(validity.not_before.timestamp()),
        ends: time(validity.not_after.timestamp()),
    })
}

fn common_name(name: &X509Name<'_>) -> Option<String> {
    Some(name.iter_common_name().next()?.as_str().ok()?.to_owned())
}

/// From when to when a DER certificate is good (RFC 5280 §4.1.2.5). `None` when it cannot be read.
pub fn validity(certificate: &[u8]) -> Option<(Timestamp, Timestamp)> {
    summary(certificate).map(|summary| (summary.begins, summary.ends))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_life_of_a_certificate_is_read() {
        let (pem, _) = self_signed(&["mail.example.org".to_owned()]).unwrap();
        let (begins, ends) = validity(&der_of_pem(pem.as_bytes()).unwrap()).unwrap();
        assert!(begins < ends);
        assert_eq!(validity(b""), None);
    }

    #[test]
    fn names_and_issuer_of_a_certificate_are_read() {
        use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

        let key = KeyPair::generate().unwrap();
        let mut authority = CertificateParams::new(Vec::<String>::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.distinguished_name.push(DnType::OrganizationName, "The Authority");
        authority.distinguished_name.push(DnType::CommonName, "R 1");
        let issuer = Issuer::new(authority, &key);
        let names = ["mail.example.org".to_owned(), "mta-sts.example.org".to_owned()];
        let leaf = CertificateParams::new(names.to_vec()).unwrap().signed_by(&key, &issuer).unwrap();
        let found = summary(leaf.der()).unwrap();
        assert_eq!((&found.names[..], found.issuer.as_str(), found.self_signed), (&names[..], "R 1", false));
        for end in 0..leaf.der().len() {
            summary(&leaf.der()[..end]);
        }
        let (pem, _) = self_signed(&["a.example".to_owned()]).unwrap();
        let found = summary(&der_of_pem(pem.as_bytes()).unwrap()).unwrap();
        assert_eq!((found.names, found.self_signed), (vec!["a.example".to_owned()], true));
    }
}
