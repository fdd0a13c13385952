use anser_smtp::Service;
use anser_testkit::engines::World;

use crate::house::{House, Peer, SCHEMAS};

/// Ways to write an end of data that some server or other takes for one (SMTP smuggling).
const SPELLINGS: [&str; 14] = [
    "\n.\n",
    "\n.\r\n",
    "\r.\r",
    "\r.\r\n",
    "\r\n.\n",
    "\r\n.\r",
    "\n.\r",
    "\r.\n",
    "\r\n\0.\r\n",
    "\r\n.\0\r\n",
    "\r\r\n.\r\n",
    "\r\n.\r\r\n",
    "\n\n.\r\n",
    "\r\n\r.\r\n",
];

const SMUGGLED: &str =
    "MAIL FROM:<boss@example.org>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\nFrom: boss@example.org\r\n\r\nsmuggled";

#[test]
fn by_data_a_false_end_never_makes_two_messages() {
    let world = World::embedded(SCHEMAS);
    let house = House::new(&world);
    let mx = house.open(Service::Mx);
    for spelling in SPELLINGS {
        let mut peer = Peer::greeted(mx, "EHLO");
        let message = format!("a: b\r\n\r\nfirst{spelling}{SMUGGLED}");
        let reply = peer.mail("eve@elsewhere.net", "ann@example.org", message.as_bytes());
        let mail = house.mail();
        match reply.get(..9) {
            Some("554 5.6.0") => assert!(mail.is_empty() && peer.reply().is_empty(), "{spelling:?}"),
            Some("250 2.0.0") => {
                assert_eq!(mail.len(), 1, "{spelling:?}");
                assert!(mail[0].body.ends_with(b"smuggled\r\n"), "{spelling:?}");
                assert!(peer.ask("NOOP").starts_with("250 2.0.0 Ok"), "{spelling:?}");
            }
            _ => panic!("{spelling:?}: {reply}"),
        }
    }
}

#[test]
fn by_chunks_nothing_ends_a_message_but_its_last_chunk() {
    let world = World::embedded(SCHEMAS);
    let house = House::new(&world);
    let mx = house.open(Service::Mx);
    for spelling in SPELLINGS.iter().chain(&["\r\n.\r\n"]) {
        let mut peer = Peer::greeted(mx, "EHLO");
        let message = format!("a: b\r\n\r\nfirst{spelling}{SMUGGLED}\r\n");
        peer.send("MAIL FROM:<eve@elsewhere.net>\r\nRCPT TO:<ann@example.org>\r\n");
        peer.send(format!("BDAT {} LAST\r\n{message}", message.len()));
        assert!(peer.reply().starts_with("250 2.1.0") && peer.reply().starts_with("250 2.1.5"));
        let reply = peer.reply();
        let mail = house.mail();
        assert_eq!(mail.len(), usize::from(reply.starts_with("250 2.0.0")), "{spelling:?} {reply}");
        assert!(mail.iter().all(|mail| mail.body == message.as_bytes()), "{spelling:?}");
        assert!(peer.ask("NOOP").starts_with("250 2.0.0 Ok"), "{spelling:?}");
    }
}

#[test]
fn a_message_that_is_cut_off_leaves_nothing_behind() {
    let world = World::embedded(SCHEMAS);
    let house = House::new(&world);
    let mx = house.open(Service::Mx);
    for size in [100, 1_000_000] {
        let mut peer = Peer::greeted(mx, "EHLO");
        peer.send("MAIL FROM:<eve@elsewhere.net>\r\nRCPT TO:<ann@example.org>\r\nDATA\r\n");
        assert!(peer.reply().starts_with("250 2.1.0") && peer.reply().starts_with("250 2.1.5"));
        assert!(peer.reply().starts_with("354"));
        peer.send("a: b\r\n\r\n");
        peer.send("x".repeat(78).repeat(size / 78) + "\r\n.\r");
        drop(peer);
    }
    let mut peer = Peer::greeted(mx, "EHLO");
    assert!(peer.mail("eve@elsewhere.net", "ann@example.org", b"a: b\r\n").starts_with("250"));
    assert_eq!(house.mail().len(), 1);
}
