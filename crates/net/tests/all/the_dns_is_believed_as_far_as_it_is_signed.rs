//! Look-ups over a real name server with a signed root: what is found, what is absent, and what DNSSEC says of it.

use std::net::IpAddr;

use anser_net::dns::{Answer, Data, RecordType, Resolver, Security, Settings, Status, Zone};
use anser_testkit::dns::{NameServer, Signing};

const RECORDS: &str = "
@      IN MX 10 mx1
@      IN MX 20 mx2.open.test.
@      IN TXT \"v=spf1 \" \"-all\"
mx1    IN A 192.0.2.1
mx1    IN AAAA 2001:db8::1
_25._tcp.mx1 IN TLSA 3 1 1 abababababababababababababababababababababababababababababababab
www    IN CNAME mx1
away   IN CNAME mx2.open.test.
loop   IN CNAME pool
pool   IN CNAME loop
_imaps._tcp IN SRV 0 1 993 mx1
";

async fn world() -> (NameServer, Resolver) {
    let server = NameServer::start(&[
        ("signed.test", Signing::Signed, RECORDS),
        ("open.test", Signing::Unsigned, "mx2 IN A 192.0.2.2\nback IN CNAME www.signed.test.\n"),
        ("bad.test", Signing::Bogus, "mx IN A 192.0.2.3\n"),
    ])
    .await;
    let settings = Settings { servers: vec![server.address], trust_anchor: Some(server.trust_anchor.clone()) };
    let resolver = Resolver::network(&settings).unwrap();
    (server, resolver)
}

fn addresses(answer: &Answer) -> Vec<IpAddr> {
    answer.addresses().collect()
}

#[tokio::test]
async fn records_of_every_type_are_found_and_secure() {
    let (_server, resolver) = world().await;
    let mx = resolver.lookup("Signed.test.", RecordType::Mx).await;
    assert_eq!(mx.security, Security::Secure, "{mx:?}");
    assert!(mx.records().contains(&Data::Mx { preference: 10, exchange: "mx1.signed.test".into() }));
    assert_eq!(mx.records().len(), 2);
    assert!(mx.ttl.as_secs() > 0 && mx.ttl.as_secs() <= 60);
    let txt = resolver.lookup("signed.test", RecordType::Txt).await;
    assert_eq!(txt.texts().collect::<Vec<_>>(), [b"v=spf1 -all"]);
    let tlsa = resolver.lookup("_25._tcp.mx1.signed.test", RecordType::Tlsa).await;
    assert_eq!(tlsa.records(), [Data::Tlsa { usage: 3, selector: 1, matching: 1, data: vec![0xab; 32] }]);
    assert!(tlsa.is_secure());
    let six = resolver.lookup("mx1.signed.test", RecordType::Aaaa).await;
    assert_eq!(addresses(&six), ["2001:db8::1".parse::<IpAddr>().unwrap()]);
    let srv = resolver.lookup("_imaps._tcp.signed.test", RecordType::Srv).await;
    assert_eq!(srv.records(), [Data::Srv { priority: 0, weight: 1, port: 993, target: "mx1.signed.test".into() }]);
    let ns = resolver.lookup("signed.test", RecordType::Ns).await;
    assert_eq!(ns.names().collect::<Vec<_>>(), ["ns"]);
    let soa = resolver.lookup("signed.test", RecordType::Soa).await;
    assert!(matches!(soa.records(), [Data::Soa { minimum: 60, .. }]), "{soa:?}");
}

#[tokio::test]
async fn a_chain_is_as_secure_as_its_weakest_link() {
    let (_server, resolver) = world().await;
    let inside = resolver.lookup("www.signed.test", RecordType::A).await;
    assert_eq!((inside.canonical.as_str(), inside.security), ("mx1.signed.test", Security::Secure));
    assert_eq!(addresses(&inside), ["192.0.2.1".parse::<IpAddr>().unwrap()]);
    for outside in ["away.signed.test", "mx2.open.test", "back.open.test"] {
        let answer = resolver.lookup(outside, RecordType::A).await;
        assert_eq!((answer.security, answer.records().len()), (Security::Insecure, 1), "{outside}: {answer:?}");
    }
    let alias = resolver.lookup("www.signed.test", RecordType::Cname).await;
    assert_eq!(alias.names().collect::<Vec<_>>(), ["mx1.signed.test"]);
    let endless = resolver.lookup("loop.signed.test", RecordType::A).await;
    assert!(endless.is_failure(), "{endless:?}");
}

#[tokio::test]
async fn absence_is_told_apart_from_failure() {
    let (_server, resolver) = world().await;
    let none = resolver.lookup("mx1.signed.test", RecordType::Mx).await;
    assert_eq!((&none.status, none.security), (&Status::NoData, Security::Secure));
    let nobody = resolver.lookup("nobody.signed.test", RecordType::A).await;
    assert_eq!((&nobody.status, nobody.security), (&Status::NxDomain, Security::Secure));
    let open = resolver.lookup("nobody.open.test", RecordType::Tlsa).await;
    assert_eq!((&open.status, open.security), (&Status::NxDomain, Security::Insecure));
    let bad = resolver.lookup("mx.bad.test", RecordType::A).await;
    assert!(bad.is_failure() && bad.security == Security::Bogus, "{bad:?}");
}

#[tokio::test]
async fn servers_without_signatures_still_answer() {
    let server = NameServer::start(&[("open.test", Signing::Unsigned, "mx IN A 192.0.2.2\n")]).await;
    // The world's root keys did not sign this root.
    let settings = Settings { servers: vec![server.address], trust_anchor: None };
    let answer = Resolver::network(&settings).unwrap().lookup("mx.open.test", RecordType::A).await;
    assert_eq!((answer.records().len(), answer.security), (1, Security::Indeterminate), "{answer:?}");
}

#[tokio::test]
async fn an_answer_is_remembered_for_its_time() {
    let (server, resolver) = world().await;
    assert_eq!(resolver.lookup("mx2.open.test", RecordType::A).await.records().len(), 1);
    server.replace(&[("open.test", Signing::Unsigned, "other IN A 192.0.2.9\n")]);
    assert_eq!(resolver.lookup("mx2.open.test", RecordType::A).await.records().len(), 1);
    assert_eq!(resolver.lookup("other.open.test", RecordType::A).await.records().len(), 1);
}

#[tokio::test]
async fn a_zone_in_memory_answers_alike() {
    let zone = Zone::new();
    zone.add("a.test", Data::A("192.0.2.1".parse().unwrap()));
    zone.add("b.test", Data::Cname("a.test".into()));
    zone.add("c.test", Data::Cname("c.test".into()));
    zone.secure("", Security::Secure);
    zone.secure("b.test", Security::Insecure);
    zone.secure("bad.test", Security::Bogus);
    zone.fail("a.test", RecordType::Tlsa);
    let resolver = Resolver::zone(zone);
    let found = resolver.lookup("B.test.", RecordType::A).await;
    assert_eq!((found.canonical.as_str(), found.security), ("a.test", Security::Insecure));
    assert!(resolver.lookup("a.test", RecordType::A).await.is_secure());
    assert!(resolver.lookup("a.test", RecordType::Tlsa).await.is_failure());
    assert!(resolver.lookup("c.test", RecordType::A).await.is_failure());
    assert_eq!(resolver.lookup("mx.bad.test", RecordType::A).await.security, Security::Bogus);
    assert_eq!(resolver.lookup("test", RecordType::A).await.status, Status::NoData);
    assert_eq!(resolver.lookup("x.test", RecordType::A).await.status, Status::NxDomain);
    assert_eq!(resolver.lookup("x..test", RecordType::A).await.status, Status::NxDomain);
}
