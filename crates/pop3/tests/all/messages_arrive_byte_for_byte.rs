use bytes::Bytes;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::site::{Site, each_site, mail};

fn fetched(site: &Site, raw: &[u8]) -> Vec<u8> {
    site.deliver("ann", &[raw]);
    let mut client = site.login("ann");
    let body = client.retr(1);
    client.ask("DELE 1");
    assert_eq!(client.ask("QUIT"), "+OK bye");
    body
}

#[test]
fn whatever_their_bytes() {
    each_site(|site| {
        let every_byte: Vec<u8> = (0..=255).filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
        let lines: [&[u8]; 9] =
            [b"Subject: \xe4\xb8\xad\xff raw", b"", b".", b"..", b".\x00.", &every_byte, b"", b" ", b"."];
        let whole = [lines.join(&b"\r\n"[..]), b"\r\n".to_vec()].concat();
        assert_eq!(fetched(site, &whole), whole);
        // A missing last line end is added, a bare LF or CR becomes CR LF: without that POP3 cannot carry the message.
        assert_eq!(fetched(site, b"A: b\r\n\r\nend"), b"A: b\r\n\r\nend\r\n");
        assert_eq!(fetched(site, b"A: b\n\n.\nend\n"), b"A: b\r\n\r\n.\r\nend\r\n");
        assert_eq!(fetched(site, b"A: b\r\n\r\n.\r.\n"), b"A: b\r\n\r\n.\r\n.\r\n");
        assert_eq!(fetched(site, b"A: b\r\n\r\n.\r\n.\r"), b"A: b\r\n\r\n.\r\n.\r\n");
        assert_eq!(fetched(site, b"."), b".\r\n");
    });
}

/// Large ones go another way out than small ones.
#[test]
fn whatever_their_size() {
    each_site(|site| {
        for size in [0, 1, 127 * 1024, 128 * 1024, 128 * 1024 + 1, 256 * 1024, 1024 * 1024 + 77, 3 * 1024 * 1024] {
            let line = b".dots and \xff bytes, here and there\r\n";
            let raw: Vec<u8> = line.iter().copied().cycle().take(size / line.len() * line.len()).collect();
            assert_eq!(fetched(site, &raw), raw, "{size}");
        }
    });
}

#[test]
fn with_the_header_fields_that_are_their_own() {
    each_site(|site| {
        for padding in [0, 300 * 1024] {
            let raw = format!("{}{}\r\n", mail(1), "x".repeat(padding));
            let prefix = "Return-Path: <bob@anser.test>\r\nReceived: by mail.anser.test\r\n";
            let mut new = site.message("ann", raw.as_bytes());
            new.prefix = Bytes::from_static(prefix.as_bytes());
            site.append("ann", vec![new]);
            let mut client = site.login("ann");
            assert_eq!(client.ask("LIST 1"), format!("+OK 1 {}", prefix.len() + raw.len()));
            assert_eq!(client.retr(1), format!("{prefix}{raw}").as_bytes());
            assert_eq!(client.ask("TOP 1 1"), "+OK the top of the message follows");
            let top = format!("{prefix}Message-ID: <1@anser.test>\r\nSubject: message 1\r\n\r\nbody of 1\r\n");
            assert_eq!(client.hear_body(), top.as_bytes());
            client.ask("DELE 1");
            client.ask("QUIT");
        }
    });
}

#[test]
fn whatever_a_generator_thinks_of() {
    each_site(|site| {
        let strategy = proptest::collection::vec(prop_oneof![Just("\r\n"), Just("."), Just("\r\n."), Just("a")], 0..60);
        let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(30) });
        let outcome = runner.run(&strategy, |parts| {
            let mut raw = parts.concat();
            if !raw.is_empty() && !raw.ends_with("\r\n") {
                raw.push_str("\r\n");
            }
            prop_assert_eq!(fetched(site, raw.as_bytes()), raw.as_bytes());
            Ok(())
        });
        outcome.unwrap();
    });
}
