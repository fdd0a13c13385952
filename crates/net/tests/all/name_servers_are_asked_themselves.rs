//! The name servers of a zone, each asked for what it says itself.

use std::net::SocketAddr;

use anser_net::dns::{Answer, Data, NameServer as Server, RecordType, Resolver, Settings, Status};
use anser_testkit::dns::{NameServer, Signing};
use tokio::net::UdpSocket;

const OWN: &str = "@ IN NS ns2\nns2 IN A 127.0.0.2\n";

fn zone(records: &str) -> String {
    format!("{OWN}{records}")
}

/// The address of the first, at another host.
fn beside(first: &NameServer, host: u8) -> SocketAddr {
    ([127, 0, 0, host], first.address.port()).into()
}

fn resolver(server: &NameServer) -> Resolver {
    let settings = Settings { servers: vec![server.address], trust_anchor: Some(server.trust_anchor.clone()) };
    Resolver::network(&settings).unwrap()
}

fn alone(address: SocketAddr) -> Server {
    Server { name: "ns.test".into(), addresses: vec![address] }
}

async fn ask(address: SocketAddr, name: &str, kind: RecordType) -> Answer {
    alone(address).ask(name, kind).await
}

#[tokio::test]
async fn each_server_of_a_zone_says_what_it_has() {
    let (new, old) = (zone("www IN A 192.0.2.1\n"), zone("www IN A 192.0.2.9\n"));
    let first = NameServer::start(&[("example.test", Signing::Unsigned, &new)]).await;
    let second = NameServer::start_at(beside(&first, 2), &[("example.test", Signing::Unsigned, &old)]).await;
    let resolver = resolver(&first);
    for name in ["example.test", "www.example.test", "a.b.example.test"] {
        let authority = resolver.authority(name, first.address.port()).await.unwrap();
        assert_eq!(authority.zone, "example.test");
        let found: Vec<_> = authority.servers.iter().map(|one| (one.name.as_str(), one.addresses.clone())).collect();
        assert_eq!(found, [("ns", vec![first.address]), ("ns2.example.test", vec![second.address])]);
    }
    let mut said = Vec::new();
    for server in &resolver.authority("www.example.test", first.address.port()).await.unwrap().servers {
        said.extend(server.ask("www.example.test", RecordType::A).await.addresses());
    }
    assert_eq!(said.iter().map(ToString::to_string).collect::<Vec<_>>(), ["192.0.2.1", "192.0.2.9"]);
}

#[tokio::test]
async fn absence_aliases_and_long_answers_are_told() {
    let long: String = (0..6).map(|n| format!("long IN TXT \"{n:0>250}\" \"{n:0>250}\"\n")).collect();
    let text = format!("here IN CNAME there\nthere IN A 192.0.2.1\naway IN CNAME www.elsewhere.test.\n{long}");
    let server = NameServer::start(&[("example.test", Signing::Signed, &zone(&text))]).await;
    let at = server.address;
    assert_eq!(ask(at, "nobody.example.test", RecordType::A).await.status, Status::NxDomain);
    assert_eq!(ask(at, "there.example.test", RecordType::Mx).await.status, Status::NoData);
    let here = ask(at, "here.example.test", RecordType::A).await;
    assert_eq!((here.canonical.as_str(), here.records().len()), ("there.example.test", 1));
    let away = ask(at, "away.example.test", RecordType::A).await;
    assert_eq!((away.canonical.as_str(), away.records().len()), ("www.elsewhere.test", 0), "{away:?}");
    let alias = ask(at, "away.example.test", RecordType::Cname).await;
    assert_eq!(alias.records(), [Data::Cname("www.elsewhere.test".into())]);
    let long = ask(at, "long.example.test", RecordType::Txt).await;
    assert_eq!(long.records().len(), 6, "too long for UDP: {long:?}");
}

#[tokio::test]
async fn servers_that_are_silent_or_have_not_the_zone_are_told_apart() {
    let server = NameServer::start(&[("example.test", Signing::Unsigned, "www IN A 192.0.2.1\n")]).await;
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let (silent, nobody) = (silent.local_addr().unwrap(), alone(silent.local_addr().unwrap()));
    let Status::Failed(why) = nobody.ask("www.example.test", RecordType::A).await.status else {
        panic!("it is silent")
    };
    assert!(why.contains("does not answer"), "{why}");
    let both = Server { addresses: vec![silent, server.address], ..alone(silent) };
    assert_eq!(both.ask("www.example.test", RecordType::A).await.records().len(), 1, "its other address answers");
    let none = Server { addresses: Vec::new(), ..alone(silent) };
    assert!(none.ask("www.example.test", RecordType::A).await.is_failure());
    // One that answers with the bit AA cleared has the zone from somebody else.
    let lame = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = lame.local_addr().unwrap();
    tokio::spawn(async move {
        let mut packet = [0; 1500];
        while let Ok((length, peer)) = lame.recv_from(&mut packet).await {
            packet[2] = 0x80;
            // Another's answer first: it has another number and is passed over.
            let mut other = packet;
            other[0] ^= 0xff;
            let _ = lame.send_to(&other[..length], peer).await;
            let _ = lame.send_to(&packet[..length], peer).await;
        }
    });
    let Status::Failed(why) = ask(address, "www.example.test", RecordType::A).await.status else {
        panic!("it is lame")
    };
    assert_eq!(why, "it does not have the zone");
}
