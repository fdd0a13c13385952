use anser_net::certificate::server_end_point;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::TLS12;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::AsyncReadExt;

use super::*;

#[tokio::test]
async fn both_sides_of_a_connection_have_the_same_and_no_other_connection_has_it() {
    let (acceptor, connector) = tls_pair();
    let mut exporters = Vec::new();
    for _ in 0..2 {
        let (mut server, mut client) = Stream::pair();
        shake_hands(&mut server, &acceptor, &mut client, &connector).await;
        let (ours, theirs) = (&server.tls_info().unwrap().binding, &client.tls_info().unwrap().binding);
        assert_eq!(ours, theirs);
        assert_eq!(ours.server_end_point.as_ref().unwrap().len(), 32);
        exporters.push(ours.exporter.unwrap());
    }
    assert_ne!(exporters[0], exporters[1]);
}

/// The answer of `openssl x509 -outform DER -in rsa-sha512.pem | openssl dgst -sha512`.
const RSA_SHA512: &str = "c2f1dd55715dfcb3a13c247993c5c5566068389d0937307c1882135ba7875291\
                          e1913709c3c6460ce2fa8db0e1c4a794657a86394846c30d591f3c29809c9e80";

/// RFC 5929 §4.1: a certificate signed with SHA-512 binds by SHA-512; one signed by Ed25519 has no such binding.
#[test]
fn the_end_point_is_hashed_as_its_certificate_is_signed() {
    let rsa = der(include_str!("data/rsa-sha512.pem"));
    let hash = server_end_point(&rsa).unwrap();
    assert_eq!(hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>(), RSA_SHA512);
    assert_eq!(server_end_point(&der(include_str!("data/ed25519.pem"))), None);
    for cut in 0..rsa.len() {
        assert_eq!(server_end_point(&rsa[..cut]), None);
    }
}

fn der(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

/// Without TLS 1.3 nobody can tell whether the exporter is bound to the handshake (RFC 9266 §3).
#[tokio::test]
async fn tls_1_2_is_served_and_binds_by_the_certificate_only() {
    let (certificate, key) = self_signed(&["mail.example.org".to_owned()]).unwrap();
    let client = Arc::new(old_client(&certificate));
    let acceptor = TlsAcceptor::new(vec![CertificateSource::Pem(certificate, key)]).unwrap();
    let options = ServeOptions { tls: Some(acceptor), ..ServeOptions::new("old") };
    let server = Server::start(options, |mut stream, _| async move {
        let info = stream.tls_info().unwrap().clone();
        let binding = (info.binding.server_end_point.is_some(), info.binding.exporter.is_some());
        say(&mut stream, &format!("{} {binding:?}\r\n", info.version)).await;
    });
    let name = ServerName::try_from("mail.example.org").unwrap();
    let tcp = tokio::net::TcpStream::connect(server.address).await.unwrap();
    let mut client = tokio_rustls::TlsConnector::from(client).connect(name, tcp).await.unwrap();
    let mut heard = [0; 23];
    client.read_exact(&mut heard).await.unwrap();
    assert_eq!(heard.as_slice(), b"TLSv1.2 (true, false)\r\n");
}

fn old_client(authority: &str) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(der(authority)).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    builder.with_protocol_versions(&[&TLS12]).unwrap().with_root_certificates(roots).with_no_client_auth()
}
