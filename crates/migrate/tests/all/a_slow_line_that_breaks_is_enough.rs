//! Case 47: a line of 8 KB/s with half a second to and fro, which breaks in the middle of bodies. All comes, little of it twice, and the
//! commands that wait for one another are few.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{sleep, spawn};
use std::time::Duration;

use anser_migrate::Source;
use anser_migrate::source::Origin;
use anser_wire::Secret;

use crate::fake::{Fake, Habits, folder, mail};
use crate::house::each_house;

const MAILS: u32 = 60;
/// Octets that pass at once, and how long they take at 8 KB/s.
const PIECE: usize = 512;
const PACE: Duration = Duration::from_millis(62);
/// Half of the way to and fro.
const LATENCY: Duration = Duration::from_millis(250);
/// Octets after which the first connection breaks: within the bodies.
const BREAKS: usize = 24_000;

/// A line to a port: the port of its near end, and the octets that came through.
fn line(far: u16) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let (near, passed) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
    let count = passed.clone();
    spawn(move || {
        for (at, client) in listener.incoming().flatten().enumerate() {
            let server = TcpStream::connect(("127.0.0.1", far)).unwrap();
            let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            spawn(move || carry(from, to, &AtomicUsize::new(0), usize::MAX));
            let (count, breaks) = (count.clone(), if at == 0 { BREAKS } else { usize::MAX });
            spawn(move || carry(server, client, &count, breaks));
        }
    });
    (near, passed)
}

fn carry(mut from: TcpStream, mut to: TcpStream, count: &AtomicUsize, breaks: usize) {
    let mut piece = [0; PIECE];
    while let Ok(read @ 1..) = from.read(&mut piece) {
        // What comes right behind another piece has been on its way meanwhile.
        sleep(if read < PIECE { LATENCY } else { PACE });
        if count.fetch_add(read, Ordering::Relaxed) + read > breaks || to.write_all(&piece[..read]).is_err() {
            break;
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

#[test]
fn all_comes_over_a_slow_line_that_breaks() {
    each_house(async |house| {
        let text = "words on the way ".repeat(12);
        let mails: Vec<_> = (1..=MAILS).map(|uid| mail(uid, "", &format!("{uid} {text}"))).collect();
        let octets: usize = mails.iter().map(|mail| mail.body.len()).sum();
        let fake = Fake::start(vec![folder("INBOX", mails)], Habits::default());
        let (port, passed) = line(fake.port);
        let source = Source { port, ..fake.source() };
        let pass = async || {
            let origin = Origin::open(&source, "ann", Some(&Secret::new(b"secret".to_vec()))).await?;
            house.pass_over(origin, false, false).await
        };
        assert!(pass().await.is_err(), "the line broke");
        let came = house.uids("INBOX").await.len();
        assert!((1..MAILS as usize).contains(&came), "what was whole when the line broke is kept: {came}");
        pass().await.unwrap_or_else(|trouble| panic!("{}", trouble.words()));
        assert_eq!(house.uids("INBOX").await, (1..=MAILS).collect::<Vec<_>>());
        let passed = passed.load(Ordering::Relaxed);
        assert!(passed < octets * 7 / 4, "{passed} octets for {octets} of bodies");
        let heard = fake.heard();
        assert!(heard.len() < 40, "each command costs half a second: {heard:#?}");
    });
}
