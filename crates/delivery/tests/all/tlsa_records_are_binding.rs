//! DANE (RFC 7672) over a real name server with a signed root.

use anser_delivery::Outward;
use anser_net::Resolver;
use anser_net::certificate::der_of_pem;
use anser_net::dns::Settings;
use anser_testkit::dns::{NameServer, Signing};
use sha2::{Digest, Sha256};

use crate::house::{House, Site, envelope, message, runtime};
use crate::internet::Internet;
use crate::smarthost::Relay;

/// A delivery over TLS.
pub const OVER_TLS: &str = "S: 220 hi\nC: EHLO mail.anser.test\nS: 250-there.test\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\nTLS\n\
    C: EHLO mail.anser.test\nS: 250 there.test\nC: MAIL FROM:<ann@anser.test>\nS: 250 ok\nC: RCPT TO:<x@far.test>\nS: 250 ok\n\
    C: DATA\nS: 354 go on\nMESSAGE\nS: 250 taken";
/// A handshake that the client breaks off.
pub const BROKEN_OFF: &str =
    "S: 220 hi\nC: EHLO mail.anser.test\nS: 250-there.test\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\nREFUSED";
/// A server that knows no TLS.
pub const PLAIN: &str = "S: 220 hi\nC: EHLO mail.anser.test\nS: 250 there.test";

/// One attempt to deliver to a server with this script; `tlsa` makes the record out of its certificate.
async fn attempt(signing: Signing, script: &str, tlsa: impl Fn(&[u8]) -> String) -> (House, Relay) {
    let internet = Internet::new();
    let server = internet.server("mx.far.test", 2, &[script]).await;
    let record = tlsa(&der_of_pem(server.certificate.as_bytes()).unwrap());
    let records = format!("@ IN MX 10 mx\nmx IN A 127.0.0.2\n_{}._tcp.mx IN TLSA {record}\n", internet.port);
    let dns = NameServer::start(&[("far.test", signing, &records)]).await;
    let settings = Settings { servers: vec![dns.address], trust_anchor: Some(dns.trust_anchor.clone()) };
    let resolver = Resolver::network(&settings).unwrap();
    let house = Site::embedded().furnished(Outward { resolver, ..internet.outward() }).await;
    house.put(envelope("ann@anser.test", &["x@far.test"]), &message("hi")).await;
    house.run().await;
    (house, server)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn fitting(certificate: &[u8]) -> String {
    format!("3 0 1 {}", hex(&Sha256::digest(certificate)))
}

fn another(_: &[u8]) -> String {
    format!("3 1 1 {}", "ab".repeat(32))
}

fn unusable(_: &[u8]) -> String {
    format!("1 1 1 {}", "ab".repeat(32))
}

/// Why the only recipient waits.
async fn why(house: &House) -> String {
    house.waiting().await[0].progress[0].why.clone().unwrap()
}

#[test]
fn a_certificate_that_fits_gets_the_mail() {
    runtime().block_on(async {
        let (house, server) = attempt(Signing::Signed, OVER_TLS, fitting).await;
        assert!(house.waiting().await.is_empty());
        assert_eq!(server.messages().len(), 1);
    });
}

#[test]
fn another_certificate_gets_nothing() {
    runtime().block_on(async {
        let (house, server) = attempt(Signing::Signed, BROKEN_OFF, another).await;
        assert!(why(&house).await.starts_with("4.7.5 "), "{}", why(&house).await);
        assert!(server.messages().is_empty());
    });
}

#[test]
fn a_server_without_tls_gets_nothing() {
    runtime().block_on(async {
        for record in [fitting, unusable] {
            let (house, server) = attempt(Signing::Signed, PLAIN, record).await;
            assert!(why(&house).await.starts_with("4.7.10 "), "{}", why(&house).await);
            assert!(server.messages().is_empty());
        }
    });
}

#[test]
fn records_that_cannot_be_used_ask_for_encryption_only() {
    runtime().block_on(async {
        let (house, server) = attempt(Signing::Signed, OVER_TLS, unusable).await;
        assert!(house.waiting().await.is_empty());
        assert_eq!(server.messages().len(), 1);
    });
}

#[test]
fn records_that_nobody_vouches_for_bind_nobody() {
    runtime().block_on(async {
        let (house, server) = attempt(Signing::Unsigned, OVER_TLS, another).await;
        assert!(house.waiting().await.is_empty());
        assert_eq!(server.messages().len(), 1);
    });
}

#[test]
fn forged_records_put_the_mail_off() {
    runtime().block_on(async {
        let internet = Internet::new();
        let dns = NameServer::start(&[("far.test", Signing::Bogus, "@ IN MX 10 mx\nmx IN A 127.0.0.2\n")]).await;
        let settings = Settings { servers: vec![dns.address], trust_anchor: Some(dns.trust_anchor.clone()) };
        let outward = Outward { resolver: Resolver::network(&settings).unwrap(), ..internet.outward() };
        let house = Site::embedded().furnished(outward).await;
        house.put(envelope("ann@anser.test", &["x@far.test"]), &message("hi")).await;
        house.run().await;
        assert!(why(&house).await.starts_with("4.4.3 "), "{}", why(&house).await);
    });
}
