use anser_base::Clock;
use anser_blob::Prepared;
use anser_net::{Shutdown, Stream};
use anser_queue::Queue;
use anser_smtp::{Service, session};
use anser_testkit::engines::{World, each_engine};
use anser_testkit::sim::SimDisk;
use anser_wire::smtp::{BodyType, Notify, Ret};

use crate::house::{House, Peer, SCHEMAS, sim_blobs, sim_db};

const MESSAGE: &[u8] =
    b"From: eve@elsewhere.net\r\nSubject: hello\r\nMessage-ID: <one@elsewhere.net>\r\n\r\n..dot\r\nbody";

#[test]
fn the_queue_has_the_bytes_the_envelope_and_the_trace() {
    each_engine(SCHEMAS, |world| {
        let house = House::new(world);
        let mut peer = Peer::greeted(house.open(Service::Mx), "EHLO");
        let reply = peer.mail("eve@elsewhere.net", "Ann+news@Example.ORG", MESSAGE);
        assert!(reply.starts_with("250 2.0.0 Queued as "), "{reply}");
        let mail = house.mail();
        let [mail] = mail.as_slice() else { panic!("{} messages", mail.len()) };
        assert_eq!(
            mail.body,
            b"From: eve@elsewhere.net\r\nSubject: hello\r\nMessage-ID: <one@elsewhere.net>\r\n\r\n.dot\r\nbody\r\n"
        );
        let envelope = &mail.entry.envelope;
        assert_eq!(envelope.sender.as_ref().unwrap().to_string(), "eve@elsewhere.net");
        assert_eq!(envelope.recipients[0].address.to_string(), "Ann+news@example.org");
        let trace = String::from_utf8(envelope.trace.clone()).unwrap();
        assert!(trace.starts_with(
            "Received: from client.example.net ([127.0.0.1])\r\n\tby mx.example.org (Anser) with ESMTP id "
        ));
        assert!(trace.contains("\r\n\tfor <Ann+news@example.org>;\r\n\t") && trace.ends_with(" +0000\r\n"), "{trace}");
        assert_eq!(house.events("one@elsewhere.net").len(), 1);
    });
}

#[test]
fn what_dsn_and_utf8_ask_for_is_in_the_envelope() {
    each_engine(SCHEMAS, |world| {
        let house = House::new(world);
        let mut peer = Peer::greeted(house.open(Service::Mx), "EHLO");
        let from = "MAIL FROM:<李@例子.中国> SMTPUTF8 BODY=8BITMIME SIZE=10 RET=HDRS ENVID=a+2Bb AUTH=<>";
        assert!(peer.ask(from).starts_with("250"));
        assert!(
            peer.ask("RCPT TO:<ann@example.org> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;old+2Bann@x.y").starts_with("250")
        );
        assert!(peer.ask("RCPT TO:<陈雁@example.org> NOTIFY=NEVER").starts_with("250"));
        assert!(peer.ask("RCPT TO:<bob@example.org>").starts_with("250"));
        assert!(peer.ask("DATA").starts_with("354"));
        assert!(peer.ask(".").starts_with("250"));
        let mail = house.mail();
        let envelope = &mail[0].entry.envelope;
        assert_eq!((envelope.ret, envelope.envid.as_deref()), (Some(Ret::Hdrs), Some("a+b")));
        assert_eq!((envelope.smtputf8, envelope.body_type), (true, BodyType::EightBitMime));
        let [ann, chen, bob] = envelope.recipients.as_slice() else { panic!("{envelope:?}") };
        assert_eq!(ann.orcpt.as_deref(), Some("rfc822;old+ann@x.y"));
        assert_eq!(ann.notify, Notify { success: true, failure: false, delay: true });
        assert_eq!(chen.notify, Notify::default());
        assert_eq!(bob.notify, Notify { success: false, failure: true, delay: true });
        let trace = String::from_utf8(envelope.trace.clone()).unwrap();
        assert!(trace.contains(" with UTF8SMTP id ") && !trace.contains(" for "), "{trace}");
    });
}

#[test]
fn nothing_a_peer_says_breaks_out_of_the_trace() {
    let world = World::embedded(SCHEMAS);
    let house = House::new(&world);
    let mx = house.open(Service::Mx);
    for (hello, shown) in [
        ("EHLO a)(b;c", "from [127.0.0.1] ([127.0.0.1])"),
        ("EHLO 我的电脑", "from [127.0.0.1] ([127.0.0.1])"),
        ("EHLO [IPv6:2001:db8::1]", "from [IPv6:2001:db8::1] ([127.0.0.1])"),
        ("HELO a", "from a ([127.0.0.1])"),
    ] {
        let mut peer = Peer::connect(mx);
        assert!(peer.reply().starts_with("220"));
        assert!(peer.ask(hello).starts_with("250"));
        assert!(peer.mail("", "\"ann\"@example.org", b"").starts_with("250"));
        let trace = String::from_utf8(house.mail()[0].entry.envelope.trace.clone()).unwrap();
        assert!(trace.contains(shown), "{trace}");
        assert!(trace.contains("with SMTP id") == hello.starts_with("HELO"), "{trace}");
        assert_eq!(trace.matches("\r\n").count(), trace.matches("\r\n\t").count() + 1, "{trace}");
    }
}

#[test]
fn a_recipient_named_twice_gets_one_copy() {
    let world = World::embedded(SCHEMAS);
    let house = House::new(&world);
    let mut peer = Peer::greeted(house.open(Service::Mx), "EHLO");
    peer.send("MAIL FROM:<>\r\nRCPT TO:<ann@example.org>\r\nRCPT TO:<ann@EXAMPLE.org>\r\nDATA\r\n");
    (0..4).for_each(|_| drop(peer.reply()));
    assert!(peer.ask(".").starts_with("250"));
    assert_eq!(house.mail()[0].entry.envelope.recipients.len(), 1);
}

#[test]
fn what_was_acknowledged_survives_a_power_cut() {
    let disk = SimDisk::new(1);
    let house = House::over(sim_db(&disk), sim_blobs(&disk), |_| {});
    let mut peer = Peer::greeted(house.open(Service::Mx), "EHLO");
    for size in [1_000, 1_000_000] {
        let message = format!("a: b\r\n\r\n{}", "x".repeat(size));
        assert!(peer.mail("eve@elsewhere.net", "ann@example.org", message.as_bytes()).starts_with("250"));
    }
    disk.power_cut();
    drop((peer, house));
    disk.power_on();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (db, blobs) = (sim_db(&disk), sim_blobs(&disk));
        let queue = Queue::open(anser_queue::Deps { db, clock: Clock::System, name: None }).await.unwrap();
        let small = queue.try_next_due().await.unwrap().unwrap();
        assert_eq!(Prepared::from_stored(small.body.stored.clone().unwrap()).unwrap().size, 1_010);
        let large = queue.try_next_due().await.unwrap().unwrap();
        assert_eq!(blobs.read(large.envelope.tenant.unwrap(), large.body.id).unwrap().len(), 1_000_010);
        assert!(queue.try_next_due().await.unwrap().is_none());
    });
}

#[test]
fn a_pipelined_group_is_answered_in_one_piece() {
    let world = World::embedded(SCHEMAS);
    let house = House::new(&world);
    let deps = house.deps.clone();
    house.runtime.block_on(async move {
        let (server, mut client) = Stream::pair();
        tokio::spawn(session(server, Service::Lmtp, deps, Shutdown::new()));
        client.fill().await.unwrap();
        client.consume(usize::MAX);
        let group = "LHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<ann@example.org>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n";
        client.write_all(group.as_bytes()).await.unwrap();
        client.flush().await.unwrap();
        client.fill().await.unwrap();
        let replies = String::from_utf8(client.buffer().to_vec()).unwrap();
        assert!(replies.starts_with("250-") && replies.contains("\r\n354 "), "{replies}");
    });
}
