use anser_smtp::Service;
use anser_testkit::engines::each_engine;
use anser_testkit::memory::Peak;

use crate::house::{House, Peer, SCHEMAS};

/// Octets of the message.
const LARGE: usize = 50 * 1024 * 1024;
/// What the process may grow by while it takes it, in bytes.
const GROWTH: u64 = 16 * 1024 * 1024;

#[test]
fn fifty_megabytes_by_data_and_by_chunks() {
    each_engine(SCHEMAS, |world| {
        let house = House::new(world);
        let mx = house.open(Service::Mx);
        let mut peer = Peer::greeted(mx, "EHLO");
        assert!(peer.mail("", "ann@example.org", b"warm: up\r\n").starts_with("250"));
        let peak = Peak::begin();
        let line = [&[b'x'; 98][..], b"\r\n"].concat().repeat(1000);
        peer.send("MAIL FROM:<>\r\nRCPT TO:<ann@example.org>\r\nDATA\r\n");
        (0..3).for_each(|_| drop(peer.reply()));
        peer.send("Subject: large\r\n\r\n");
        (0..LARGE / line.len()).for_each(|_| peer.send(&line));
        peer.send(".\r\n");
        assert!(peer.reply().starts_with("250 2.0.0"));
        peer.send("MAIL FROM:<>\r\nRCPT TO:<ann@example.org>\r\nBDAT 19\r\nSubject: large\r\n\r\n\n");
        peer.send("RSET\r\nMAIL FROM:<>\r\nRCPT TO:<ann@example.org>\r\nBDAT 18\r\nSubject: large\r\n\r\n");
        (0..7).for_each(|_| drop(peer.reply()));
        for _ in 0..LARGE / line.len() {
            peer.send(format!("BDAT {}\r\n", line.len()));
            peer.send(&line);
            assert!(peer.reply().starts_with("250"));
        }
        assert!(peer.ask("BDAT 0 LAST").starts_with("250 2.0.0 Queued"));
        let grown = peak.grown();
        assert!(grown < GROWTH, "{}: {grown} bytes", world.name);
        let mail = house.mail();
        assert_eq!(mail[1].entry.body.id, mail[2].entry.body.id);
        assert_eq!(mail[2].body.len(), LARGE / line.len() * line.len() + 18);
    });
}
