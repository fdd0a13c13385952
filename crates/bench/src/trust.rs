//! `./x bench trust`: the processor time of checking who sent a message, with the DNS cached: SPF through an include, two DKIM signatures
//! (RSA of 2048 bits and Ed25519), DMARC by a tree walk, over a message of 20 KB.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::Ipv4Addr;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use anser_senderauth::dkim::{self, SecretKey, Signer};
use anser_senderauth::dns::{Answer, Asking, Kind, Record, Resolver};
use anser_senderauth::{Message, Peer, dmarc};

use crate::process::Usage;

/// Messages that are checked.
const MESSAGES: u32 = 20_000;
/// Bytes of the body.
const BODY: usize = 20_000;

/// Answers that are there.
struct Cached(HashMap<(String, Kind), Answer>);

impl Resolver for Cached {
    fn ask<'a>(&'a self, name: &'a str, kind: Kind) -> Asking<'a> {
        let answer = self.0.get(&(name.to_owned(), kind)).cloned().unwrap_or_default();
        Box::pin(std::future::ready(Ok(answer)))
    }
}

/// Runs the benchmark.
pub fn run() -> io::Result<()> {
    let failed = |error: anser_base::Error| io::Error::other(error.chain());
    let keys = [("r", SecretKey::new_rsa().map_err(failed)?), ("e", SecretKey::new_ed25519().map_err(failed)?)];
    let mut dns = Cached(HashMap::new());
    let mut text = |name: &str, text: &str| {
        let records = vec![Record::Txt(text.as_bytes().to_vec())];
        dns.0.insert((name.to_owned(), Kind::Txt), Answer { records, exists: true });
    };
    text("example.org", "v=spf1 mx include:spf.example.org -all");
    text("spf.example.org", "v=spf1 ip4:198.51.100.0/24 ip4:192.0.2.0/24 -all");
    text("_dmarc.example.org", "v=DMARC1; p=reject");
    for (selector, key) in &keys {
        text(&format!("{selector}._domainkey.example.org"), &key.record().map_err(failed)?);
    }
    let mx = vec![Record::Mx(10, "mail.example.org".into())];
    dns.0.insert(("example.org".into(), Kind::Mx), Answer { records: mx, exists: true });
    let address = vec![Record::from(Ipv4Addr::new(203, 0, 113, 1))];
    dns.0.insert(("mail.example.org".into(), Kind::A), Answer { records: address, exists: true });

    let raw = message();
    let passed = Message::whole_to_sign(&raw);
    let mut signed = Vec::new();
    for (selector, key) in &keys {
        let signer = Signer { key, domain: "example.org", selector, now: 1_790_000_000 };
        signed.extend_from_slice(dkim::sign(&passed, signer).map_err(failed)?.as_bytes());
    }
    signed.extend_from_slice(&raw);

    let sender = anser_base::Address::parse("ann@example.org");
    let peer = Peer {
        ip: Ipv4Addr::new(192, 0, 2, 7).into(),
        helo: "out.example.org",
        sender: sender.as_ref(),
        receiver: "mx.example.net",
        now: 1_790_000_000,
    };
    let own = [std::process::id()];
    let before = Usage::now(&own);
    for _ in 0..MESSAGES {
        let passed = Message::whole(&signed);
        let verdict = at_once(anser_senderauth::check(&dns, &passed, peer))?;
        if verdict.dmarc.result != dmarc::Result::Pass || verdict.dkim.len() != 2 {
            return Err(io::Error::other(verdict.results()));
        }
    }
    let cpu = Usage::now(&own).since(&before).cpu;
    println!(
        "{:<40} {:>8.3} ms of CPU a message",
        "SPF, 2 x DKIM, DMARC, 20 KB, DNS cached",
        cpu * 1000.0 / f64::from(MESSAGES)
    );
    let before = Usage::now(&own);
    for _ in 0..MESSAGES / 10 {
        let passed = Message::whole_to_sign(&raw);
        for (selector, key) in &keys {
            let signer = Signer { key, domain: "example.org", selector, now: 1_790_000_000 };
            dkim::sign(&passed, signer).map_err(failed)?;
        }
    }
    let cpu = Usage::now(&own).since(&before).cpu;
    println!(
        "{:<40} {:>8.3} ms of CPU a message",
        "signing with both keys, 20 KB",
        cpu * 10_000.0 / f64::from(MESSAGES)
    );
    Ok(())
}

fn message() -> Vec<u8> {
    let line = "All work and no play makes  a dull message, said the goose that flew on. \r\n";
    let body = line.repeat(BODY / line.len());
    let header = "From: Ann <ann@example.org>\r\nTo: bob@example.net\r\nSubject: A message\r\nDate: Sun, 22 Nov 2026 04:00:00 +0000\r\n\
         Message-ID: <1@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n";
    [header.as_bytes(), body.as_bytes()].concat()
}

/// The outcome of what never has to wait.
fn at_once<T>(future: impl Future<Output = T>) -> io::Result<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => Ok(outcome),
        Poll::Pending => Err(io::Error::other("cached answers were waited for")),
    }
}
