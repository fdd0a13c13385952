use anser_net::{Shutdown, Stream};
use anser_smtp::{Service, session};
use anser_testkit::engines::World;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::house::{House, SCHEMAS};

/// Pieces of which a hostile conversation is made.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let words = prop::sample::select(vec![
        &b"EHLO a\r\n"[..],
        b"LHLO a\r\n",
        b"MAIL FROM:<>\r\n",
        b"RCPT TO:<ann@example.org>\r\n",
        b"DATA\r\n",
        b"\r\n.\r\n",
        b"BDAT 5\r\n",
        b"BDAT 3 LAST\r\n",
        b"RSET\r\n",
        b"AUTH LOGIN\r\n",
        b"AUTH PLAIN\r\n",
        b"AUTH SCRAM-SHA-256 biwsbj1hLHI9Yg==\r\n",
        b"STARTTLS\r\n",
        b"\r",
        b"\n",
        b".",
        b"\0",
        b"\xff",
        b"Received: x\r\n",
        b"From: a\r\n",
        b"=\r\n",
        b"*\r\n",
        b"YQ==\r\n",
        b"NOOP\r\n",
    ]);
    let noise = prop::collection::vec(any::<u8>(), 0..20);
    let piece = prop_oneof![4 => words.prop_map(<[u8]>::to_vec), 1 => noise];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

#[test]
fn in_well_formed_lines_and_without_a_panic() {
    let world = World::embedded(SCHEMAS);
    let house = House::new(&world);
    let services = prop::sample::select(vec![Service::Mx, Service::Submission, Service::Lmtp]);
    let mut runner = TestRunner::new(ProptestConfig::with_cases(300));
    let outcome = runner.run(&(services, pieces()), |(service, bytes)| {
        let said = house.runtime.block_on(async {
            let (server, mut client) = Stream::pair();
            let served = tokio::spawn(session(server, service, house.deps.clone(), Shutdown::new()));
            client.write_all(&bytes).await.unwrap();
            let _ = client.half_close().await;
            while let Ok(anser_net::Fill::Data(_)) = client.fill().await {}
            served.await.expect("no panic");
            client.buffer().to_vec()
        });
        // Behind a STARTTLS that is accepted TLS follows, which is no text.
        let text = said.windows(9).position(|part| part == b"220 2.0.0").map_or(&said[..], |at| &said[..at]);
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let good = line.len() >= 6 && line.ends_with(b"\r\n") && line[..3].iter().all(u8::is_ascii_digit);
            prop_assert!(good && matches!(line[3], b' ' | b'-'), "{:?}", String::from_utf8_lossy(line));
        }
        Ok(())
    });
    outcome.unwrap();
}
