use anser_smtp::Service;
use anser_testkit::engines::World;

use crate::house::{House, Peer, SCHEMAS};

fn submitted(message: &[u8]) -> String {
    let world = World::embedded(SCHEMAS);
    let house = House::new(&world);
    let mut peer = Peer::greeted(house.open(Service::Submission), "EHLO");
    assert!(peer.ask("AUTH PLAIN AGFubkBleGFtcGxlLm9yZwB3aWxkIGdvb3Nl").starts_with("235"));
    assert!(peer.mail("ann@example.org", "bob@example.org", message).starts_with("250"));
    String::from_utf8(house.mail().remove(0).body).unwrap()
}

#[test]
fn date_and_message_id_are_added_before_everything_else() {
    let body = submitted(b"DKIM-Signature: v=1\r\nFrom: ann@example.org\r\n\r\nbody");
    let (added, rest) = body.split_once("DKIM-Signature").unwrap();
    assert_eq!(rest, ": v=1\r\nFrom: ann@example.org\r\n\r\nbody\r\n");
    let lines: Vec<&str> = added.lines().collect();
    assert!(lines.len() == 2 && lines[0].starts_with("Date: ") && lines[0].ends_with(" +0000"), "{added}");
    assert!(lines[1].starts_with("Message-ID: <") && lines[1].ends_with("@mx.example.org>"), "{added}");
}

#[test]
fn what_is_there_stays() {
    let whole = "date: yesterday\r\nmessage-id : <1@x>\r\nFrom: ann@example.org\r\n\r\nBcc: body\r\n";
    assert_eq!(submitted(whole.as_bytes()), format!("{whole}\r\n"));
}

#[test]
fn blind_copies_stay_blind() {
    let with =
        b"Date: x\r\nBcc: bob@example.org,\r\n eve@elsewhere.net\r\nMessage-ID: <1@x>\r\nBCC:\r\nTo: a\r\n\r\nBcc: x";
    assert_eq!(submitted(with), "Date: x\r\nMessage-ID: <1@x>\r\nTo: a\r\n\r\nBcc: x\r\n");
}

#[test]
fn also_in_a_large_message() {
    let large = format!("Bcc: bob@example.org\r\nFrom: ann@example.org\r\n\r\n{}", "x".repeat(600_000));
    let body = submitted(large.as_bytes());
    assert!(body.starts_with("Date: ") && !body.contains("Bcc"));
    assert!(body.contains("From: ann@example.org\r\n\r\nxxx") && body.len() > 600_000);
}

#[test]
fn a_body_at_the_edge_of_memory_is_taken() {
    for size in (261_050..261_150).step_by(33) {
        assert!(submitted(format!("\r\n{}", "x".repeat(size)).as_bytes()).len() > size);
    }
}
