//! SIGTERM: sessions are told, the queue is kept, the exit status is 0.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use crate::world::{Place, done, run};

#[test]
fn sessions_are_told_and_the_process_ends_well() {
    let place = Place::new();
    let dev = place.start();
    let mut socket = BufReader::new(TcpStream::connect(("127.0.0.1", dev.port("smtp"))).unwrap());
    let mut line = String::new();
    socket.read_line(&mut line).unwrap();
    assert!(line.starts_with("220 "), "{line}");
    let output = dev.stop();
    assert!(output.status.success(), "{:?}", output.status);
    let rest: Vec<String> = socket.lines().map(|line| line.unwrap_or_default()).collect();
    assert!(rest.first().is_some_and(|line| line.starts_with("421 ")), "{rest:?}");
    let trace = done(run(&place.path(), &["status", "--json"], b""));
    assert!(trace.contains("\"running\":false"), "{trace}");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let place = Place::new();
    let dev = place.start();
    // A session that does not end by itself keeps the first signal waiting: it is inside of a message.
    let mut socket = BufReader::new(TcpStream::connect(("127.0.0.1", dev.port("lmtp"))).unwrap());
    let mut line = String::new();
    for (command, answer) in [
        ("", "220"),
        ("LHLO x\r\n", "250 "),
        ("MAIL FROM:<a@example.org>\r\n", "250"),
        ("RCPT TO:<ann@anser.test>\r\n", "250"),
        ("DATA\r\n", "354"),
        ("half a line", ""),
    ] {
        socket.get_mut().write_all(command.as_bytes()).unwrap();
        while !answer.is_empty() {
            line.clear();
            socket.read_line(&mut line).unwrap();
            if line.starts_with(answer) {
                break;
            }
        }
    }
    dev.signal("TERM");
    dev.signal("TERM");
    let output = dev.stop();
    assert!(matches!(output.status.code(), Some(0 | 1)), "{:?}", output.status);
}
