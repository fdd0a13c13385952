//! Routes, the list of addresses elsewhere, limits and held accounts, by the command line against a running server.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};

use crate::world::{Place, python};

const SEND: &str = r#"
import smtplib, sys
with smtplib.SMTP('127.0.0.1', 587 + int(sys.argv[1])) as smtp:
    smtp.login('ann@anser.test', 'wild-goose')
    smtp.sendmail('ann@anser.test', ['x@far.test'], 'From: ann@anser.test\r\nSubject: hi\r\n\r\nx\r\n')
"#;

/// Says what a mail server says to one transaction, and returns what it heard.
fn hub(listener: &TcpListener) -> Vec<String> {
    let (stream, _) = listener.accept().unwrap();
    let mut link = BufReader::new(stream);
    let mut heard = Vec::new();
    let say = |link: &mut BufReader<TcpStream>, text: &str| write!(link.get_mut(), "{text}\r\n").unwrap();
    say(&mut link, "220 hub");
    loop {
        let mut line = String::new();
        if link.read_line(&mut line).unwrap() == 0 {
            return heard;
        }
        let line = line.trim_end().to_owned();
        say(&mut link, if line == "DATA" { "354 go" } else { "250 ok" });
        if line == "DATA" {
            let mut text = String::new();
            while link.read_line(&mut text).unwrap() > 0 && !text.ends_with("\r\n.\r\n") {}
            say(&mut link, "250 taken");
            heard.push("DATA".into());
            return heard;
        }
        heard.push(line);
    }
}

#[test]
fn mail_is_held_released_and_led_to_a_server() {
    let place = Place::new();
    let dev = place.start_with(&[]);
    dev.ask(&["route", "add", "far.test", "hold"]);
    python(&dev, SEND, &[]);
    while !dev.ask(&["queue", "list", "--held"]).contains("x@far.test") {
        std::thread::yield_now();
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let way = format!("127.0.0.1:{}", listener.local_addr().unwrap().port());
    dev.ask(&["route", "add", "*.Far.test", &way, "--tls", "never", "--hours", "00:00-23:59", "--expires", "30"]);
    dev.ask(&["route", "add", "far.test", &way]);
    let listed = dev.ask(&["route", "list"]);
    assert!(listed.contains(&format!("*.far.test  {way}  never  00:00-23:59")), "{listed}");
    assert_eq!(dev.ask(&["queue", "release", "--domain", "far.test", "--newer", "1h", "--why", "held"]), "1 done\n");
    let heard = hub(&listener);
    assert!(heard.contains(&"RCPT TO:<x@far.test>".to_owned()) && heard.contains(&"DATA".to_owned()), "{heard:?}");
    dev.ask(&["route", "remove", "far.test"]);
    assert!(!dev.ask(&["route", "list"]).contains("\nfar.test"));

    dev.ask(&["route", "add", "inner.test", &way, "--accept", "list"]);
    dev.ask(&["route", "address", "add", "A@inner.test", "b@inner.test"]);
    assert_eq!(dev.ask(&["route", "address", "list", "inner.test"]), "a@inner.test\nb@inner.test\n");
    assert_eq!(dev.ask(&["route", "address", "remove", "b@inner.test"]), "1 done\n");

    dev.ask(&["sending", "limit", "anser.test", "--per-hour", "7"]);
    assert_eq!(dev.ask(&["sending", "limits"]), "anser.test  7  5000  1000\n");
    dev.ask(&["sending", "forget", "anser.test"]);
    dev.ask(&["sending", "hold", "ann@anser.test"]);
    assert!(dev.ask(&["sending", "held"]).starts_with("ann@anser.test  "));
    dev.ask(&["sending", "release", "ann@anser.test"]);
    assert_eq!(dev.ask(&["sending", "held"]), "nothing\n");
}
