//! Reports that go to other domains once a day: DMARC (RFC 9990, RFC 7489 §7.2), TLS (RFC 8460).

use std::io::Write;
use std::time::Duration;

use anser_delivery::Outward;
use anser_directory::DkimState;
use anser_mime::encoding::{Encoding, decode};
use anser_net::dns::RecordType;
use anser_peers::aggregate::{self, Row};
use anser_peers::tls::{self, Session};
use anser_peers::{Kind, pack};
use anser_senderauth::dkim::SecretKey;
use anser_senderauth::{dkim, dmarc};

use crate::house::{House, Site, envelope, message, runtime};
use crate::internet::{Internet, delivery};
use crate::tlsa_records_are_binding::{BROKEN_OFF, OVER_TLS};

/// Beyond the end of the day that was counted, and of the hours in which domains are told.
const NEXT_DAY: Duration = Duration::from_secs(36 * 3600);

/// A report that the server of its domain takes.
fn report_to(recipient: &str) -> String {
    delivery(recipient).replace("<ann@anser.test>", "<>")
}

/// The attachment of a message.
fn attached(raw: &str) -> Vec<u8> {
    let (_, rest) = raw.split_once("Content-Disposition: attachment").expect("an attachment");
    let (_, rest) = rest.split_once("\r\n\r\n").unwrap();
    let base64 = rest.split("\r\n--").next().unwrap();
    pack::unpack(&decode(Encoding::Base64, base64.as_bytes())).expect("something packed")
}

fn row(source: &str, disposition: &str) -> Row {
    let author = "far.test".to_owned();
    Row { source: source.parse().ok(), disposition: disposition.into(), author, ..Row::default() }
}

async fn due(house: &House) -> usize {
    house.peers.due().await.unwrap().len()
}

#[test]
fn a_domain_hears_once_a_day_what_was_sent_in_its_name_at_addresses_that_want_it() {
    runtime().block_on(async {
        let internet = Internet::new();
        internet.exchange("far.test", 10, "mx.far.test", 2);
        let wants = "v=DMARC1; p=reject; rua=mailto:dmarc@far.test,mailto:victim@other.test,mailto:r@reports.test!10m";
        internet.text("_dmarc.far.test", wants);
        internet.text("far.test._report._dmarc.reports.test", "v=DMARC1");
        let server = internet.server("mx.far.test", 2, &[&report_to("dmarc@far.test")]).await;
        let house = Site::embedded().furnished(internet.outward()).await;
        let key = SecretKey::new_ed25519().unwrap();
        house.directory.add_dkim_key("anser.test", "s1", &key, DkimState::Active).await.unwrap();
        internet.text("s1._domainkey.anser.test", &key.record().unwrap());
        internet.text("_dmarc.anser.test", "v=DMARC1; p=reject");
        for row in [row("192.0.2.1", "reject"), row("192.0.2.2", "pass"), row("192.0.2.1", "reject")] {
            house.peers.count(Kind::Dmarc, "far.test", &row).await.unwrap();
        }

        assert_eq!(house.delivery.send_feedback().await.unwrap(), 0, "the day is not over");
        house.clock.advance(NEXT_DAY);
        assert_eq!(house.delivery.send_feedback().await.unwrap(), 1);
        assert_eq!(house.delivery.send_feedback().await.unwrap(), 0, "once is enough");
        let waiting = house.waiting().await;
        let to: Vec<String> =
            waiting[0].envelope.recipients.iter().map(|recipient| recipient.address.to_string()).collect();
        assert_eq!(to, ["dmarc@far.test", "r@reports.test"], "nobody else's address");
        house.run().await;

        let mail = server.messages().remove(0);
        assert!(mail.contains("Subject: Report Domain: far.test Submitter: anser.test"), "{mail}");
        assert!(mail.contains("mail.anser.test!far.test!1799971200!1800057599.xml.gz"), "{mail}");
        let report = aggregate::Report::read(&attached(&mail)).unwrap();
        assert_eq!((report.meta.begin, report.meta.end), (1_799_971_200, 1_800_057_599));
        assert_eq!((&*report.policy.domain, &*report.policy.policy), ("far.test", "reject"));
        assert_eq!(report.rows, [(row("192.0.2.1", "reject"), 2), (row("192.0.2.2", "pass"), 1)]);

        let verdict = internet.judged(&house, &mail).await;
        assert_eq!(verdict.dkim[0].result, dkim::Result::Pass, "{mail}");
        assert_eq!(verdict.dmarc.result, dmarc::Result::Pass);
    });
}

#[test]
fn what_the_dns_cannot_say_waits_and_who_wants_nothing_gets_nothing() {
    runtime().block_on(async {
        let internet = Internet::new();
        internet.text("_dmarc.down.test", "v=DMARC1; p=none; rua=mailto:a@down.test");
        internet.text("_dmarc.spoof.test", "v=DMARC1; p=none; rua=mailto:victim@other.test");
        internet.zone.fail("_dmarc.down.test", RecordType::Txt);
        let house = Site::embedded().furnished(internet.outward()).await;
        for domain in ["down.test", "gone.test", "spoof.test"] {
            house.peers.count(Kind::Dmarc, domain, &row("192.0.2.1", "none")).await.unwrap();
        }
        house.clock.advance(NEXT_DAY);
        assert_eq!(house.delivery.send_feedback().await.unwrap(), 0);
        assert!(house.waiting().await.is_empty());
        assert_eq!(due(&house).await, 1, "one waits for its DNS");
        internet.zone.mend();
        assert_eq!(house.delivery.send_feedback().await.unwrap(), 1);
        assert_eq!(due(&house).await, 0);
    });
}

/// What was counted of far.test: policy, failure, times.
async fn sessions(house: &House) -> Vec<(String, Option<String>, u64)> {
    house.clock.advance(NEXT_DAY);
    let due = house.peers.due().await.unwrap();
    let mut found = Vec::new();
    for due in due {
        assert_eq!((due.kind, &*due.domain), (Kind::Tls, "far.test"));
        for (session, count) in house.peers.counted::<Session>(&due, 100).await.unwrap() {
            found.push((session.policy.policy_type, session.failure.map(|failure| failure.result_type), count));
        }
    }
    found.sort();
    found
}

#[test]
fn sessions_without_tls_and_with_it_are_told_and_the_report_itself_is_not() {
    runtime().block_on(async {
        let internet = Internet::new();
        internet.exchange("far.test", 10, "mx.far.test", 2);
        internet.text("_smtp._tls.far.test", "v=TLSRPTv1; rua=mailto:tls@far.test");
        let plain = delivery("x@far.test") + "\nCLOSE";
        let scripts = [&*plain, &(OVER_TLS.to_owned() + "\nCLOSE"), &report_to("tls@far.test")];
        let server = internet.server("mx.far.test", 2, &scripts).await;
        let house = Site::embedded().furnished(internet.outward()).await;
        for _ in 0..2 {
            house.put(envelope("ann@anser.test", &["x@far.test"]), &message("hi")).await;
            house.run().await;
        }
        let failure = Some("starttls-not-supported".to_owned());
        let none = || "no-policy-found".to_owned();
        assert_eq!(sessions(&house).await, [(none(), None, 1), (none(), failure, 1)]);
        assert_eq!(house.delivery.send_feedback().await.unwrap(), 1);
        house.run().await;
        let mail = server.messages().pop().unwrap();
        for line in ["TLS-Report-Domain: far.test\r\n", "TLS-Report-Submitter: anser.test\r\n", "report-type=tlsrpt"] {
            assert!(mail.contains(line), "{mail}");
        }
        let report = tls::Report::read(&attached(&mail)).unwrap();
        let counts: Vec<u64> = report.sessions.iter().map(|(_, count)| *count).collect();
        assert_eq!((counts, &*report.sessions[0].0.policy.policy_domain), (vec![1, 1], "far.test"));
        let failed = report.sessions[0].0.failure.clone().unwrap();
        assert_eq!((&*failed.receiving_mx_hostname, &*failed.receiving_ip), ("mx.far.test", "127.0.0.2"));
        house.clock.advance(NEXT_DAY);
        assert_eq!(due(&house).await, 0, "the report's own session is not told");
    });
}

#[test]
fn domains_that_do_not_ask_are_not_counted() {
    runtime().block_on(async {
        let internet = Internet::new();
        internet.exchange("far.test", 10, "mx.far.test", 2);
        internet.server("mx.far.test", 2, &[&delivery("x@far.test")]).await;
        let house = Site::embedded().furnished(internet.outward()).await;
        house.put(envelope("ann@anser.test", &["x@far.test"]), &message("hi")).await;
        house.run().await;
        assert!(house.waiting().await.is_empty());
        assert_eq!(sessions(&house).await, []);
    });
}

#[test]
fn a_policy_that_is_not_kept_to_is_told() {
    runtime().block_on(async {
        let testing = "version: STSv1\nmode: testing\nmx: mx.far.test\nmax_age: 86400\n";
        let enforce = testing.replace("testing", "enforce");
        let other = testing.replace("mx.far.test", "other.test");
        // Tried, its certificate is not trusted, and the mail goes all the same.
        let again: &[&str] = &[BROKEN_OFF, OVER_TLS];
        for (policy, scripts, word) in [
            (testing, again, "certificate-not-trusted"),
            (&enforce, &[BROKEN_OFF], "certificate-not-trusted"),
            (&other, &[OVER_TLS], "validation-failure"),
        ] {
            let internet = Internet::new();
            internet.exchange("far.test", 10, "mx.far.test", 2);
            internet.host("mta-sts.far.test", 8);
            internet.text("_mta-sts.far.test", "v=STSv1; id=1;");
            internet.text("_smtp._tls.far.test", "v=TLSRPTv1; rua=mailto:tls@far.test");
            let _server = internet.server("mx.far.test", 2, scripts).await;
            let web = crate::mta_sts_policies_are_obeyed::web("200 OK", policy);
            let web = internet.server("mta-sts.far.test", 8, &[&web]).await;
            let mut file = tempfile::NamedTempFile::new().unwrap();
            file.write_all(web.certificate.as_bytes()).unwrap();
            let authorities = Some(file.path().to_owned());
            let outward = Outward { authorities, web_port: internet.port, ..internet.outward() };
            let house = Site::embedded().furnished(outward).await;
            house.put(envelope("ann@anser.test", &["x@far.test"]), &message("hi")).await;
            house.run().await;
            assert_eq!(house.waiting().await.is_empty(), policy != enforce, "{policy}");
            let told = sessions(&house).await;
            assert!(told.contains(&("sts".into(), Some(word.into()), 1)), "{policy}: {told:?}");
        }
    });
}

#[test]
fn a_web_server_takes_reports_unless_its_address_is_not_public() {
    runtime().block_on(async {
        for private in [true, false] {
            let internet = Internet::new();
            internet.host("reports.far.test", 8);
            internet.text("_smtp._tls.far.test", "v=TLSRPTv1; rua=https://reports.far.test/v1");
            let taken = "TLS\nC: POST /v1 HTTP/1.1\nC: content-type: application/tlsrpt+gzip\nC: …\nC: …\nC: …\nC:\n\
                         S: HTTP/1.1 201 Created\nS: Content-Length: 0\nS:\nWAIT";
            let web = internet.server("reports.far.test", 8, &[taken]).await;
            let mut file = tempfile::NamedTempFile::new().unwrap();
            file.write_all(web.certificate.as_bytes()).unwrap();
            let authorities = Some(file.path().to_owned());
            let outward = Outward { authorities, private, web_port: internet.port, ..internet.outward() };
            let house = Site::embedded().furnished(outward).await;
            house.peers.count(Kind::Tls, "far.test", &Session::default()).await.unwrap();
            house.clock.advance(NEXT_DAY);
            assert_eq!(house.delivery.send_feedback().await.unwrap(), usize::from(private));
            assert_eq!((web.clients().len(), due(&house).await), (usize::from(private), usize::from(!private)));
        }
    });
}
