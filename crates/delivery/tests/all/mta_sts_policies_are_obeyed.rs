//! MTA-STS (RFC 8461): policies are fetched, kept, and obeyed.

use std::io::Write;
use std::time::Duration;

use anser_delivery::Outward;
use anser_net::dns::{Data, RecordType};

use crate::house::{House, Site, envelope, message, runtime};
use crate::internet::Internet;
use crate::smarthost::Relay;
use crate::tlsa_records_are_binding::{BROKEN_OFF, OVER_TLS, PLAIN};

const GOOD: &str = "version: STSv1\nmode: enforce\nmx: *.far.test\nmax_age: 86400\n";

/// The web server's part: one policy to one who asks.
pub fn web(status: &str, policy: &str) -> String {
    let length: usize = policy.lines().map(|line| line.len() + 2).sum();
    let says: String = policy.lines().map(|line| format!("S: {line}\n")).collect();
    format!(
        "TLS\nC: GET /.well-known/mta-sts.txt HTTP/1.1\nC: accept: text/plain\nC: host: mta-sts.far.test\nC: user-agent: anser\nC:\n\
         S: HTTP/1.1 {status}\nS: Content-Type: text/plain\nS: Content-Length: {length}\nS:\n{says}WAIT"
    )
}

/// One attempt at `x@far.test`, whose web server and mail exchange play these. `trusted` puts the exchange's certificate among the
/// authorities.
async fn attempt(web: &str, mx: &[&str], trusted: bool) -> (House, Relay) {
    let internet = Internet::new();
    internet.exchange("far.test", 10, "mx.far.test", 2);
    internet.host("mta-sts.far.test", 8);
    internet.zone.add("_mta-sts.far.test", Data::Txt(b"v=STSv1; id=1;".to_vec()));
    let server = internet.server("mx.far.test", 2, mx).await;
    let policy = internet.server("mta-sts.far.test", 8, &[web]).await;
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(policy.certificate.as_bytes()).unwrap();
    if trusted {
        file.write_all(server.certificate.as_bytes()).unwrap();
    }
    let authorities = Some(file.path().to_owned());
    let outward = Outward { authorities, web_port: internet.port, ..internet.outward() };
    let house = Site::embedded().furnished(outward).await;
    house.put(envelope("ann@anser.test", &["x@far.test"]), &message("hi")).await;
    house.run().await;
    (house, server)
}

async fn why(house: &House) -> String {
    house.waiting().await[0].progress[0].why.clone().unwrap()
}

#[test]
fn a_server_that_is_named_and_verified_gets_the_mail() {
    runtime().block_on(async {
        let (house, server) = attempt(&web("200 OK", GOOD), &[OVER_TLS], true).await;
        assert!(house.waiting().await.is_empty(), "{}", why(&house).await);
        assert_eq!(server.messages().len(), 1);
    });
}

#[test]
fn a_server_with_a_strange_certificate_or_none_gets_nothing() {
    runtime().block_on(async {
        for (script, code) in [(BROKEN_OFF, "4.7.5 "), (PLAIN, "4.7.10 ")] {
            let (house, server) = attempt(&web("200 OK", GOOD), &[script], false).await;
            assert!(why(&house).await.starts_with(code), "{}", why(&house).await);
            assert!(server.messages().is_empty());
        }
    });
}

#[test]
fn a_server_that_is_not_named_is_not_spoken_to() {
    runtime().block_on(async {
        let policy = GOOD.replace("*.far.test", "other.test");
        let (house, server) = attempt(&web("200 OK", &policy), &[], true).await;
        assert!(why(&house).await.starts_with("4.7.5 "), "{}", why(&house).await);
        assert!(server.messages().is_empty());
    });
}

#[test]
fn testing_and_broken_policies_bind_nobody() {
    runtime().block_on(async {
        let testing = GOOD.replace("enforce", "testing").replace("*.far.test", "other.test");
        for web in [
            web("200 OK", &testing),
            web("404 Not Found", GOOD),
            web("301 Moved", GOOD),
            web("200 OK", "no policy"),
            web("200 OK", GOOD).replace("text/plain\nS: Content-L", "text/html\nS: Content-L"),
            "CLOSE".to_owned(),
        ] {
            let (house, server) = attempt(&web, &[OVER_TLS], false).await;
            assert!(house.waiting().await.is_empty(), "{web}: {}", why(&house).await);
            assert_eq!(server.messages().len(), 1);
        }
    });
}

#[test]
fn a_policy_that_holds_outlives_a_restart_its_record_and_its_web_server() {
    let elsewhere = tokio::runtime::Runtime::new().unwrap();
    let internet = Internet::new();
    internet.exchange("far.test", 10, "mx.far.test", 2);
    internet.host("mta-sts.far.test", 8);
    internet.zone.add("_mta-sts.far.test", Data::Txt(b"v=STSv1; id=1;".to_vec()));
    let scripts = [OVER_TLS, BROKEN_OFF, BROKEN_OFF, OVER_TLS].map(|script| format!("{script}\nCLOSE"));
    let scripts: Vec<&str> = scripts.iter().map(String::as_str).collect();
    let server = elsewhere.block_on(internet.server("mx.far.test", 2, &scripts));
    let once = web("200 OK", GOOD);
    let policy = elsewhere.block_on(internet.server("mta-sts.far.test", 8, &[&once, "CLOSE", "CLOSE"]));
    let authorities = |certificates: &[&str]| {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(certificates.concat().as_bytes()).unwrap();
        file
    };
    let outward = |file: &tempfile::NamedTempFile| {
        let authorities = Some(file.path().to_owned());
        Outward { authorities, web_port: internet.port, ..internet.outward() }
    };
    let both = authorities(&[&policy.certificate, &server.certificate]);
    let site = Site::embedded();
    let clock = runtime().block_on(async {
        let house = site.furnished(outward(&both)).await;
        house.put(envelope("ann@anser.test", &["x@far.test"]), &message("first")).await;
        house.run().await;
        assert!(house.waiting().await.is_empty());
        house.clock.clone()
    });

    let web_only = authorities(&[&policy.certificate]);
    runtime().block_on(async {
        let house = site.open(&clock, outward(&web_only)).await.unwrap();
        house.put(envelope("ann@anser.test", &["x@far.test"]), &message("second")).await;
        house.run().await;
        assert!(why(&house).await.starts_with("4.7.5 "), "the policy still binds: {}", why(&house).await);
        internet.zone.fail("_mta-sts.far.test", RecordType::Txt);
        house.run_after(Duration::from_secs(3600)).await;
        assert!(why(&house).await.starts_with("4.7.5 "), "and without its record: {}", why(&house).await);
        internet.zone.mend();
        // After a day it has ended, and nobody says what comes next.
        house.run_after(Duration::from_secs(24 * 3600)).await;
        assert!(house.waiting().await.is_empty(), "{}", why(&house).await);
        assert_eq!(server.messages().len(), 2);
    });
}

#[test]
fn a_policy_that_ends_soon_is_fetched_anew_though_no_mail_goes_there() {
    runtime().block_on(async {
        let internet = Internet::new();
        internet.exchange("far.test", 10, "mx.far.test", 2);
        internet.host("mta-sts.far.test", 8);
        internet.zone.add("_mta-sts.far.test", Data::Txt(b"v=STSv1; id=1;".to_vec()));
        let _server = internet.server("mx.far.test", 2, &[BROKEN_OFF, BROKEN_OFF]).await;
        let good = web("200 OK", GOOD);
        let policy = internet.server("mta-sts.far.test", 8, &[&good, &good, "CLOSE"]).await;
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(policy.certificate.as_bytes()).unwrap();
        let authorities = Some(file.path().to_owned());
        let outward = Outward { authorities, web_port: internet.port, ..internet.outward() };
        let house = Site::embedded().furnished(outward).await;
        house.put(envelope("ann@anser.test", &["x@far.test"]), &message("hi")).await;
        house.run().await;
        assert!(why(&house).await.starts_with("4.7.5 "), "{}", why(&house).await);
        house.clock.advance(Duration::from_secs(13 * 3600));
        house.delivery.refresh_policies().await;
        house.run_after(Duration::from_secs(17 * 3600)).await;
        assert!(why(&house).await.starts_with("4.7.5 "), "it would have ended: {}", why(&house).await);
        assert_eq!(policy.clients().len(), 3);
    });
}
