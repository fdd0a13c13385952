use std::time::Duration;

use anser_peers::aggregate::{self, Row};
use anser_peers::received::{Finding, KEPT, LINES, Received, Wanted};
use anser_peers::{Kind, Meta, announced, tls};

use crate::{START, on_each_engine};

/// As large providers write them: elements of RFC 7489 in their own order, a scope left out, two signatures.
const OF_A_PROVIDER: &str = r#"<?xml version="1.0" encoding="UTF-8" ?>
<feedback>
  <version>1.0</version>
  <report_metadata>
    <org_name>Far &amp; Away</org_name>
    <email>noreply@far.test</email>
    <extra_contact_info>https://far.test/help</extra_contact_info>
    <report_id>1234567890</report_id>
    <date_range><begin>1799884800</begin><end>1799971199</end></date_range>
  </report_metadata>
  <policy_published>
    <domain>Ours.test</domain><adkim>r</adkim><aspf>r</aspf><p>quarantine</p><sp>none</sp><pct>100</pct>
  </policy_published>
  <record>
    <row>
      <source_ip>192.0.2.1</source_ip><count>7</count>
      <policy_evaluated><disposition>none</disposition><dkim>pass</dkim><spf>fail</spf></policy_evaluated>
    </row>
    <identifiers><header_from>ours.test</header_from></identifiers>
    <auth_results>
      <dkim><domain>ours.test</domain><result>pass</result><selector>s1</selector></dkim>
      <dkim><domain>list.test</domain><result>fail</result></dkim>
      <spf><domain>list.test</domain><result>pass</result></spf>
    </auth_results>
  </record>
  <record>
    <row>
      <source_ip>2001:db8::bad</source_ip><count>3</count>
      <policy_evaluated>
        <disposition>quarantine</disposition><dkim>fail</dkim><spf>fail</spf>
        <reason><type>mailing_list</type><comment/></reason>
      </policy_evaluated>
    </row>
    <identifiers><header_from>ours.test</header_from><envelope_from>bad.test</envelope_from></identifiers>
    <auth_results><spf><domain>bad.test</domain><scope>mfrom</scope><result>softfail</result></spf></auth_results>
  </record>
</feedback>
"#;

const TLS_OF_THE_RFC: &str = r#"{
  "organization-name": "Company-X",
  "date-range": {"start-datetime": "2027-01-14T00:00:00Z", "end-datetime": "2027-01-14T23:59:59Z"},
  "contact-info": "sts-reporting@company-x.example",
  "report-id": "5065427c-23d3-47ca-b6e0-946ea0e8c4be",
  "policies": [{
    "policy": {
      "policy-type": "sts",
      "policy-string": ["version: STSv1", "mode: testing", "mx: *.mail.ours.test", "max_age: 86400"],
      "policy-domain": "ours.test",
      "mx-host": "*.mail.ours.test"
    },
    "summary": {"total-successful-session-count": 5326, "total-failure-session-count": 303},
    "failure-details": [{
      "result-type": "certificate-expired",
      "sending-mta-ip": "2001:db8:abcd:12::1",
      "receiving-mx-hostname": "mx1.mail.ours.test",
      "failed-session-count": 100
    }, {
      "result-type": "starttls-not-supported",
      "sending-mta-ip": "2001:db8:abcd:13::1",
      "receiving-mx-hostname": "mx2.mail.ours.test",
      "receiving-ip": "203.0.113.56",
      "failed-session-count": 200,
      "additional-information": "https://reports.company-x.example/report_info?id=5065427c"
    }]
  }]
}"#;

fn wanted(kind: Option<Kind>) -> Wanted {
    Wanted { domain: None, kind, days: 30 }
}

#[test]
fn a_report_on_mail_in_our_name_is_understood() {
    let report = aggregate::Report::read(OF_A_PROVIDER.as_bytes()).unwrap();
    let meta = &report.meta;
    assert_eq!((&*meta.organization, &*meta.id, meta.begin), ("Far & Away", "1234567890", 1_799_884_800));
    assert_eq!((&*report.policy.domain, &*report.policy.policy), ("ours.test", "quarantine"));
    let [(first, 7), (second, 3)] = report.rows.as_slice() else { panic!("{report:?}") };
    assert!(first.dkim && !first.spf && first.signatures.len() == 2 && first.signatures[0].selector == "s1");
    assert!(!second.dkim && !second.spf && second.reason == "mailing_list" && second.sender == "bad.test");
    assert_eq!(aggregate::Report::read(report.write().as_bytes()), Some(report), "what we write reads the same");
}

#[test]
fn a_report_on_encryption_is_understood() {
    let report = tls::Report::read(TLS_OF_THE_RFC.as_bytes()).unwrap();
    assert_eq!((report.meta.begin, report.meta.end), (1_799_884_800, 1_799_971_199));
    let counts: Vec<u64> = report.sessions.iter().map(|(_, count)| *count).collect();
    assert_eq!(counts, [100, 200, 3, 5326], "three failures are not told in detail");
    let again = tls::Report::read(&report.write()).unwrap();
    assert_eq!(again.meta, report.meta);
    let sorted = |report: &tls::Report| {
        let mut sessions = report.sessions.clone();
        sessions.sort();
        sessions
    };
    assert_eq!(sorted(&again), sorted(&report));
}

#[test]
fn headers_say_what_is_a_report() {
    for (header, kind) in [
        ("Subject: Report domain: ours.test Submitter: far.test\r\n Report-ID: 1\r\n", Some(Kind::Dmarc)),
        ("Subject: [Preview] Report Domain: ours.test\r\n", Some(Kind::Dmarc)),
        ("Subject: Report Domain: ours.test\r\nTLS-Report-Domain: ours.test\r\n", Some(Kind::Tls)),
        ("Content-Type: multipart/report; report-type=\"tlsrpt\"; boundary=x\r\n", Some(Kind::Tls)),
        ("Subject: weekly report\r\nContent-Type: multipart/report; report-type=delivery-status\r\n", None),
    ] {
        assert_eq!(announced(header.as_bytes()), kind, "{header}");
    }
}

#[test]
fn reports_are_kept_once_and_summed_up() {
    on_each_engine(|peers, clock| async move {
        let report = aggregate::Report::read(OF_A_PROVIDER.as_bytes()).unwrap();
        let received = Received::aggregate(report, "far.test", true);
        assert!(peers.keep_report(received.clone()).await.unwrap());
        assert!(!peers.keep_report(received.clone()).await.unwrap(), "the same report comes twice");
        let meta = Meta { id: "2".into(), ..received.meta.clone() };
        assert!(peers.keep_report(Received { meta, verified: false, ..received }).await.unwrap());
        let tls = tls::Report::read(TLS_OF_THE_RFC.as_bytes()).unwrap();
        for received in Received::tls(tls, "company-x.example", false) {
            assert!(peers.keep_report(received).await.unwrap());
        }

        let found = peers.findings(&wanted(Some(Kind::Dmarc))).await.unwrap();
        let told: Vec<_> = found
            .iter()
            .map(|one| (&*one.finding.source, one.finding.passed, one.finding.count, one.reports, one.verified))
            .collect();
        assert_eq!(told, [("2001:db8::bad", false, 6, 2, true), ("192.0.2.1", true, 14, 2, true)]);
        assert_eq!(found[0].finding.detail, "quarantine (mailing_list) spf=softfail bad.test");
        let found = peers.findings(&wanted(Some(Kind::Tls))).await.unwrap();
        let told: Vec<_> = found.iter().map(|one| (&*one.finding.detail, one.finding.count, one.verified)).collect();
        let expected = [
            ("sts starttls-not-supported", 200, false),
            ("sts certificate-expired", 100, false),
            ("sts failed", 3, false),
            ("sts", 5326, false),
        ];
        assert_eq!(told, expected);
        assert_eq!(peers.findings(&wanted(None)).await.unwrap().len(), 6);
        let other = Wanted { domain: Some("other.test".into()), ..wanted(None) };
        assert_eq!(peers.findings(&other).await.unwrap(), []);
        let reports = peers.reports(&wanted(None)).await.unwrap();
        assert_eq!(reports.len(), 3);

        clock.advance(Duration::from_secs(40 * 24 * 3600));
        assert_eq!(peers.findings(&wanted(None)).await.unwrap(), [], "older than was asked for");
        clock.advance(KEPT);
        let new = Meta { id: "3".into(), end: START.secs() + 440 * 24 * 3600, ..reports[0].meta.clone() };
        assert!(peers.keep_report(Received { meta: new, ..reports[0].clone() }).await.unwrap());
        let all = Wanted { days: 10_000, ..wanted(None) };
        assert_eq!(peers.reports(&all).await.unwrap().len(), 1, "the old ones are gone");
    });
}

#[test]
fn of_a_long_report_the_most_frequent_is_kept() {
    on_each_engine(|peers, _| async move {
        let row = |at: u64| (Row { author: format!("{at}.ours.test"), ..Row::default() }, at);
        let rows = (0..900).map(row).collect();
        let policy = aggregate::Published { domain: "ours.test".into(), ..Default::default() };
        let meta = Meta { end: START.secs(), ..Meta::default() };
        let received = Received::aggregate(aggregate::Report { meta, policy, rows }, "far.test", false);
        peers.keep_report(received).await.unwrap();
        let found = peers.findings(&wanted(None)).await.unwrap();
        assert_eq!(found.len(), LINES + 1);
        let total: u64 = found.iter().map(|one| one.finding.count).sum();
        assert_eq!(total, (0..900).sum::<u64>());
        assert!(
            found
                .iter()
                .any(|one| one.finding == Finding { detail: "…".into(), count: (0..700).sum(), ..Finding::default() })
        );
    });
}
