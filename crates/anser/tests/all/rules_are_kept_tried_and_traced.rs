use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use crate::world::{Dev, done, each_engine, run};

const ANN: &str = "ann@anser.test";
const RULES: &[u8] = b"require [\"fileinto\", \"mailbox\"];\nif header :contains \"subject\" \"report\" {\n    fileinto :create \"Work\";\n}\n";

/// A message by the MX door.
fn send(dev: &Dev, subject: &str) {
    let mut link = BufReader::new(TcpStream::connect(("127.0.0.1", dev.port("smtp"))).unwrap());
    let lines = [
        "EHLO far.test".to_owned(),
        "MAIL FROM:<x@far.test>".to_owned(),
        format!("RCPT TO:<{ANN}>"),
        "DATA".to_owned(),
        format!(
            "From: x@far.test\r\nTo: {ANN}\r\nSubject: {subject}\r\nMessage-ID: <{subject}@far.test>\r\n\r\nhello\r\n."
        ),
        "QUIT".to_owned(),
    ];
    answer(&mut link);
    for line in lines {
        link.get_mut().write_all(format!("{line}\r\n").as_bytes()).unwrap();
        let said = answer(&mut link);
        assert!(said.starts_with(['2', '3']), "{line}: {said}");
    }
}

/// The last line of a reply.
fn answer(link: &mut BufReader<TcpStream>) -> String {
    loop {
        let mut line = String::new();
        link.read_line(&mut line).unwrap();
        if line.as_bytes().get(3) != Some(&b'-') {
            return line;
        }
    }
}

/// Waits until the trace of an address has this text.
fn traced(dev: &Dev, about: &str, text: &str) -> String {
    loop {
        let trace = dev.ask(&["trace", about]);
        if trace.contains(text) {
            return trace;
        }
        std::thread::yield_now();
    }
}

#[test]
fn from_the_command_line_to_the_mailbox() {
    each_engine(|place| {
        let dev = place.start();
        send(&dev, "report-one");
        traced(&dev, "report-one@far.test", "delivered");

        let tried = done(run(&dev.folder, &["sieve", "put", ANN, "main"], RULES));
        assert_eq!(tried, "");
        let listed = dev.ask(&["sieve", "list", ANN]);
        assert!(listed.starts_with("off  main"), "{listed}");
        let script = place.file("rules.sieve");
        std::fs::write(&script, RULES).unwrap();
        let tried = dev.ask(&["sieve", "try", ANN, "--script", script.to_str().unwrap()]);
        assert!(tried.contains("fileinto \"Work\"  trial:3") && tried.contains("report-one"), "{tried}");
        let json = dev.ask(&["sieve", "try", ANN, "--json"]);
        assert_eq!(json.split_whitespace().collect::<String>(), "[]", "the script is not active");

        dev.ask(&["sieve", "activate", ANN, "main"]);
        assert_eq!(dev.ask(&["sieve", "show", ANN]).trim_end().as_bytes(), RULES.trim_ascii_end());
        send(&dev, "report-two");
        let trace = traced(&dev, "report-two@far.test", "delivered");
        assert!(trace.contains("fileinto \"Work\"") && trace.contains("script=main"), "{trace}");

        let applied = dev.ask(&["sieve", "apply", ANN, "--wait"]);
        assert!(applied.contains("INBOX  done: 1 of 1 messages looked at, 1 changed, 0 skipped"), "{applied}");
        let trace = dev.ask(&["trace", ANN]);
        assert!(trace.contains("fileinto \"Work\", to the stored message with UID 1"), "{trace}");
        dev.ask(&["sieve", "apply", ANN, "--wait"]);
        let again = dev.ask(&["sieve", "job", ANN]);
        assert!(again.contains("done: 0 of 0"), "{again}");
        let none = run(&dev.folder, &["sieve", "cancel", ANN], b"");
        assert!(none.status.code() == Some(1), "nothing runs any more");
        let inside = dev.ask(&["sieve", "try", ANN, "--folder", "Work", "--script", script.to_str().unwrap()]);
        assert!(inside.contains("report-one") && inside.contains("report-two"), "{inside}");

        let form = dev.ask(&["sieve", "form", ANN]);
        let path = place.file("form.json");
        std::fs::write(&path, &form).unwrap();
        dev.ask(&["sieve", "form", ANN, "--put", path.to_str().unwrap()]);
        assert_eq!(dev.ask(&["sieve", "form", ANN]), form);

        let bad = run(&dev.folder, &["sieve", "check"], b"keep\n");
        let said = String::from_utf8_lossy(&bad.stderr).into_owned();
        assert!(bad.status.code() == Some(1) && said.contains("line 1, column 5"), "{said}");
        done(run(&dev.folder, &["sieve", "put", "house", "flags", "--place", "before"], b"keep;"));
        assert!(dev.ask(&["sieve", "list", "house"]).starts_with("before  flags"));
        dev.ask(&["sieve", "remove", "house", "flags"]);
        done(run(&dev.folder, &["sieve", "put", "anser.test", "x", "--place", "after"], b"keep;"));
        assert!(dev.ask(&["sieve", "list", "anser.test"]).starts_with("after  x"));
    });
}
