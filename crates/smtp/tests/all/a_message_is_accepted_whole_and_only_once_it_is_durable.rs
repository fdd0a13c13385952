use anser_smtp::Service;
use anser_testkit::engines::each_engine;

use crate::house::{House, Peer, SCHEMAS};

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
