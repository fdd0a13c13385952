use anser_queue::{Envelope, Filter};
use anser_smtp::Service;
use anser_testkit::engines::World;

use crate::house::{House, Peer, SCHEMAS};

/// The envelope of a message that was taken, and the message.
fn taken(service: Service, parameters: &str, message: &[u8]) -> (Envelope, String) {
    let world = World::embedded(SCHEMAS);
    let house = House::new(&world);
    let mut peer = Peer::greeted(house.open(service), "EHLO");
    let mut sender = "eve@elsewhere.net";
    if service == Service::Submission {
        sender = "ann@example.org";
        assert!(peer.ask("AUTH PLAIN AGFubkBleGFtcGxlLm9yZwB3aWxkIGdvb3Nl").starts_with("235"));
    }
    assert!(peer.ask(&format!("MAIL FROM:<{sender}> {parameters}")).starts_with("250"));
    assert!(peer.ask("RCPT TO:<bob@example.org>").starts_with("250"));
    assert!(peer.ask("DATA").starts_with("354"));
    peer.send([message, b"\r\n.\r\n"].concat());
    assert!(peer.reply().starts_with("250"));
    let all = house.runtime.block_on(house.deps.queue.list(Filter::default(), None, 2)).unwrap().entries;
    let [entry] = &all[..] else { panic!("{all:?}") };
    (entry.envelope.clone(), String::from_utf8(entry.envelope.trace.clone()).unwrap())
}

#[test]
fn a_message_that_is_held_back_expires_as_much_later() {
    let (plain, _) = taken(Service::Submission, "", b"");
    assert_eq!(plain.not_before, None);
    let (held, _) = taken(Service::Submission, "HOLDFOR=86400", b"");
    let at = held.not_before.unwrap();
    // It counts from MAIL, a moment before the message is accepted.
    assert!((85_000..=86_400).contains(&at.since(held.accepted).as_secs()), "{held:?}");
    assert_eq!(held.expires.since(at), plain.expires.since(plain.accepted));
    let (over, _) = taken(Service::Submission, "HOLDUNTIL=2001-01-01T00:00:00Z", b"");
    assert_eq!(over.not_before, None, "what is over is now");
}

#[test]
fn a_priority_is_kept_as_far_as_it_is_granted_and_told_onward() {
    let (urgent, trace) = taken(Service::Submission, "MT-PRIORITY=4", b"Precedence: bulk");
    assert_eq!(urgent.priority, 4, "what is asked for counts more than what it looks like");
    assert!(trace.contains("\r\n\tpriority 4;"), "{trace}");
    let (stranger, trace) = taken(Service::Mx, "MT-PRIORITY=4", b"");
    assert_eq!(stranger.priority, 0);
    assert!(trace.contains("priority 0"), "{trace}");
    let (modest, _) = taken(Service::Mx, "MT-PRIORITY=-5", b"");
    assert_eq!(modest.priority, -5);
}

#[test]
fn mail_for_many_goes_behind_peoples_letters() {
    for many in ["Precedence: bulk", "precedence:  LIST ", "List-Id: <a.b>", "List-Unsubscribe: <mailto:a@b>"] {
        let (envelope, trace) = taken(Service::Mx, "", many.as_bytes());
        assert_eq!(envelope.priority, -1, "{many}");
        assert!(!trace.contains("priority"), "nobody asked for it: {trace}");
    }
    let (letter, _) = taken(Service::Mx, "", b"Precedence: first-class\r\nSubject: List-Id: x");
    assert_eq!(letter.priority, 0);
}
