use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::*;

/// Writes both files with a time of their own, since the file system's clock may be coarser than the test is quick.
fn put(folder: &Path, certificate: &str, key: &str, minute: u64) {
    for (name, text) in [("cert.pem", certificate), ("key.pem", key)] {
        fs::write(folder.join(name), text).unwrap();
        let file = File::options().write(true).open(folder.join(name)).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(60 * minute)).unwrap();
    }
}

fn made(name: &str) -> (String, String) {
    self_signed(&[name.to_owned()]).unwrap()
}

/// Which certificate a new handshake is given.
async fn served(acceptor: &TlsAcceptor, name: &str) -> Vec<u8> {
    let (mut server, mut client) = Stream::pair();
    let anyone = TlsConnector::opportunistic().unwrap();
    let (served, started) = tokio::join!(server.start_tls(acceptor), client.start_tls_as_client(&anyone, name));
    served.and(started).unwrap();
    let info = client.tls_info().unwrap();
    assert_eq!(info.binding, server.tls_info().unwrap().binding);
    info.binding.server_end_point.clone().unwrap()
}

#[tokio::test]
async fn new_files_serve_new_handshakes_and_bad_ones_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (made("mail.example.org"), made("mail.example.org"));
    put(folder.path(), &first.0, &first.1, 1);
    let files = CertificateSource::Files(folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let acceptor = TlsAcceptor::checking_every(vec![files], Duration::ZERO).unwrap();
    let old = served(&acceptor, "mail.example.org").await;

    put(folder.path(), "-----BEGIN CERTIFICATE-----\nnonsense\n", &first.1, 2);
    assert_eq!(served(&acceptor, "mail.example.org").await, old);
    put(folder.path(), &second.0, &first.1, 3);
    assert_eq!(served(&acceptor, "mail.example.org").await, old, "a key of another certificate");
    fs::remove_file(folder.path().join("key.pem")).unwrap();
    assert_eq!(served(&acceptor, "mail.example.org").await, old);
    assert!(acceptor.reload().is_err());

    put(folder.path(), &second.0.replace("BEGIN", "BEGUN"), &second.1, 4);
    assert_eq!(served(&acceptor, "mail.example.org").await, old);
    put(folder.path(), &second.0, &second.1, 4);
    assert_ne!(served(&acceptor, "mail.example.org").await, old, "mended without a new time or size");
}

#[tokio::test]
async fn a_reload_does_not_wait_for_the_next_look() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (made("mail.example.org"), made("mail.example.org"));
    put(folder.path(), &first.0, &first.1, 1);
    let files = CertificateSource::Files(folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let acceptor = TlsAcceptor::checking_every(vec![files], Duration::from_secs(3600)).unwrap();
    let old = served(&acceptor, "mail.example.org").await;
    put(folder.path(), &second.0, &second.1, 2);
    assert_eq!(served(&acceptor, "mail.example.org").await, old);
    acceptor.reload().unwrap();
    assert_ne!(served(&acceptor, "mail.example.org").await, old);
}

#[tokio::test]
async fn the_name_that_a_client_asks_for_chooses_the_certificate() {
    let pem = |(certificate, key)| CertificateSource::Pem(certificate, key);
    let sources = vec![pem(made("mail.example.org")), pem(made("*.example.net")), pem(made("mx.example.com"))];
    let acceptor = TlsAcceptor::new(sources).unwrap();
    let default = served(&acceptor, "mail.example.org").await;
    let wildcard = served(&acceptor, "imap.example.net").await;
    assert_eq!(served(&acceptor, "SMTP.example.net").await, wildcard);
    assert_eq!(served(&acceptor, "unknown.example").await, default);
    assert_eq!(served(&acceptor, "192.0.2.1").await, default);
    let third = served(&acceptor, "mx.example.com").await;
    assert!(default != wildcard && wildcard != third && default != third);
}

#[test]
fn what_cannot_serve_is_said_at_the_start() {
    let ((first, _), (_, second)) = (made("a.example.org"), made("a.example.org"));
    let missing = CertificateSource::Files("/nonexistent/cert.pem".into(), "/nonexistent/key.pem".into());
    let error = TlsAcceptor::new(vec![missing]).unwrap_err();
    assert!(error.chain().contains("/nonexistent/cert.pem"), "{}", error.chain());
    assert!(TlsAcceptor::new(vec![CertificateSource::Pem(first, second)]).is_err());
    assert!(TlsAcceptor::new(vec![CertificateSource::Pem(String::new(), String::new())]).is_err());
    assert!(TlsAcceptor::new(vec![]).is_err());
}
