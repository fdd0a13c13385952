//! Name servers that send rubbish, nothing, floods or far too much: a look-up ends, with little in memory.

use std::net::SocketAddr;

use anser_net::dns::{Answer, RECORD_BYTES, RECORDS, RecordType, Resolver, Settings};
use anser_testkit::dns::{NameServer, Signing};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};

/// A server that answers every question over UDP with what `reply` makes of it, and over TCP with a length and a flood.
async fn server(reply: fn(&[u8]) -> Vec<Vec<u8>>) -> SocketAddr {
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = tcp.local_addr().unwrap();
    let udp = UdpSocket::bind(address).await.unwrap();
    tokio::spawn(async move {
        let mut question = [0; 1500];
        while let Ok((len, peer)) = udp.recv_from(&mut question).await {
            for packet in reply(&question[..len]) {
                let _ = udp.send_to(&packet, peer).await;
            }
        }
    });
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = tcp.accept().await {
            tokio::spawn(async move {
                let _ = socket.read(&mut [0; 512]).await;
                let _ = socket.write_all(&[0xff; 2]).await;
                while socket.write_all(&[0xc0; 65_535]).await.is_ok() {}
            });
        }
    });
    address
}

async fn ask(address: SocketAddr) -> Answer {
    let settings = Settings { servers: vec![address], trust_anchor: None };
    Resolver::network(&settings).unwrap().lookup("victim.test", RecordType::Mx).await
}

/// The question turned into an answer: the flags of a response with these counts, the question, then this.
fn answer(question: &[u8], flags: [u8; 2], answers: u16, tail: &[u8]) -> Vec<u8> {
    let end = 12 + question[12..].iter().position(|byte| *byte == 0).unwrap() + 5;
    let mut packet = question[..end].to_vec();
    packet[2..4].copy_from_slice(&flags);
    packet[4..12].copy_from_slice(&[0, 1, (answers >> 8) as u8, answers as u8, 0, 0, 0, 0]);
    packet.extend_from_slice(tail);
    packet
}

#[tokio::test]
async fn rubbish_is_a_failure() {
    let rubbish = server(|_| vec![Vec::new(), vec![0xff; 3], vec![0; 12], vec![0xc0; 1400]]).await;
    assert!(ask(rubbish).await.is_failure());
}

#[tokio::test]
async fn truncated_answers_and_a_flood_over_tcp_are_a_failure() {
    let flood = server(|question| vec![answer(question, [0x83, 0x80], 0, b"")]).await;
    assert!(ask(flood).await.is_failure());
}

#[tokio::test]
async fn names_that_point_at_themselves_are_a_failure() {
    let looping = server(|question| {
        let at = 0xc000 | question.len().min(12) as u16;
        let pointer = at.to_be_bytes();
        vec![answer(
            question,
            [0x81, 0x80],
            1,
            &[&pointer[..], &[0, 15, 0, 1, 0, 0, 0, 60, 0, 4, 0, 10, 0xc0, 0x29]].concat(),
        )]
    })
    .await;
    let found = ask(looping).await;
    assert!(found.records().len() <= 1, "{found:?}");
}

#[tokio::test]
async fn an_answer_without_anything_is_an_absence_and_no_record() {
    let empty = server(|question| vec![answer(question, [0x81, 0x80], 0, b"")]).await;
    let found = ask(empty).await;
    assert!(found.records().is_empty(), "{found:?}");
}

/// A chain of aliases, given in one answer; the last link leads to `end`.
fn chain(question: &[u8], links: u8, end: &[u8]) -> Vec<u8> {
    let mut tail = Vec::new();
    let label = |n: u8| vec![2, b'a' + n / 10, b'0' + n % 10, 0];
    for n in 0..links {
        let owner = if n == 0 { vec![0xc0, 12] } else { label(n) };
        let target = if n + 1 == links { end.to_vec() } else { label(n + 1) };
        tail.extend([&owner[..], &[0, 5, 0, 1, 0, 0, 0, 60, 0, target.len() as u8], &target].concat());
    }
    answer(question, [0x85, 0x80], links.into(), &tail)
}

#[tokio::test]
async fn aliases_without_end_are_a_failure() {
    // Back to the question; and far, far away.
    let round = server(|question| vec![chain(question, 3, &[0xc0, 12])]).await;
    let found = ask(round).await;
    assert!(found.is_failure(), "{found:?}");
    let far = server(|question| vec![chain(question, 60, &[1, b'x', 0])]).await;
    let found = ask(far).await;
    assert!(found.is_failure(), "{found:?}");
}

#[tokio::test]
async fn servers_that_refuse_or_fail_are_a_failure() {
    for code in [1, 2, 4, 5] {
        let address = match code {
            1 => server(|question| vec![answer(question, [0x81, 0x81], 0, b"")]).await,
            2 => server(|question| vec![answer(question, [0x81, 0x82], 0, b"")]).await,
            4 => server(|question| vec![answer(question, [0x81, 0x84], 0, b"")]).await,
            _ => server(|question| vec![answer(question, [0x81, 0x85], 0, b"")]).await,
        };
        assert!(ask(address).await.is_failure(), "{code}");
    }
}

#[tokio::test]
async fn an_answer_with_far_too_much_is_none() {
    let many: String = (0..2000).map(|n| format!("many IN A 10.0.{}.{}\n", n / 250, n % 250)).collect();
    let long: String = (0..90).map(|n| format!("long IN TXT \"{n:0>250}\" \"{n:0>250}\"\n")).collect();
    let server = NameServer::start(&[("big.test", Signing::Unsigned, &(many + &long))]).await;
    let settings = Settings { servers: vec![server.address], trust_anchor: Some(server.trust_anchor.clone()) };
    let resolver = Resolver::network(&settings).unwrap();
    let found = resolver.lookup("many.big.test", RecordType::A).await;
    assert!(found.is_failure() && found.records().is_empty(), "more than {RECORDS}");
    let found = resolver.lookup("long.big.test", RecordType::Txt).await;
    assert!(found.is_failure() && found.texts().next().is_none(), "more than {RECORD_BYTES}");
}
