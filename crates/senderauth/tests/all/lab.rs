//! What several tests share: keys, messages, a peer that is asked in JSON.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use anser_senderauth::dkim::{self, SecretKey, Signer};
use anser_senderauth::dns::Dns;
use anser_senderauth::{Message, Peer, Verdict, tags};
use base64::Engine;
use futures_util::FutureExt;
use serde_json::Value;

use crate::zone::Zone;

/// The time by this machine's clock: other people's programs go by no other.
pub fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    since.as_secs() as i64
}

/// An RSA key, made once.
pub fn rsa() -> &'static SecretKey {
    static KEY: OnceLock<SecretKey> = OnceLock::new();
    KEY.get_or_init(|| SecretKey::new_rsa().unwrap())
}

/// An Ed25519 key, made once.
pub fn ed25519() -> &'static SecretKey {
    static KEY: OnceLock<SecretKey> = OnceLock::new();
    KEY.get_or_init(|| SecretKey::new_ed25519().unwrap())
}

/// The keys of a domain at the selectors `r` and `e`.
pub fn with_keys(zone: Zone, domain: &str) -> Zone {
    zone.text(&format!("r._domainkey.{domain}"), rsa().record().unwrap())
        .text(&format!("e._domainkey.{domain}"), ed25519().record().unwrap())
}

pub fn signer<'a>(key: &'a SecretKey, domain: &'a str) -> Signer<'a> {
    let selector = if key.algorithm() == dkim::Algorithm::RsaSha256 { "r" } else { "e" };
    Signer { key, domain, selector, now: now() }
}

/// The message with signatures of both keys before it.
pub fn signed(raw: &[u8], domain: &str) -> Vec<u8> {
    let passed = Message::whole_to_sign(raw);
    let mut out = Vec::new();
    for key in [rsa(), ed25519()] {
        out.extend_from_slice(dkim::sign(&passed, signer(key, domain)).unwrap().as_bytes());
    }
    out.extend_from_slice(raw);
    out
}

pub fn verify(zone: &Zone, raw: &[u8]) -> Vec<dkim::Outcome> {
    let dns = Dns::new(zone);
    let passed = Message::whole(raw);
    dkim::verify(&dns, &passed, now()).now_or_never().unwrap()
}

pub fn results(zone: &Zone, raw: &[u8]) -> Vec<dkim::Result> {
    verify(zone, raw).into_iter().map(|outcome| outcome.result).collect()
}

/// The verdict on a message from this peer; `sender` as in MAIL FROM, empty for the null sender.
pub fn judge(zone: &Zone, raw: &[u8], ip: &str, helo: &str, sender: &str) -> Verdict {
    let passed = Message::whole(raw);
    let sender = (!sender.is_empty()).then(|| {
        let (local, domain) = sender.rsplit_once('@').unwrap();
        anser_base::Address::new(local, domain).unwrap()
    });
    let peer = Peer { ip: ip.parse().unwrap(), helo, sender: sender.as_ref(), receiver: "mx.example.net", now: now() };
    anser_senderauth::check(zone, &passed, peer).now_or_never().unwrap()
}

/// A message with line breaks as SMTP has them.
pub fn mail(text: &str) -> Vec<u8> {
    text.replace("\r\n", "\n").replace('\n', "\r\n").into_bytes()
}

pub const PLAIN: &str = "From: Ann <ann@example.org>\nTo: bob@example.net\nSubject: A  folded\n  subject\nDate: Sun, 22 Nov 2026 04:00:00 +0000\n\
     Message-ID: <1@example.org>\nMIME-Version: 1.0\nContent-Type: text/plain\n\nHello  Bob, \n\n\nthis is \tit. \n\n\n";

/// A running peer.
pub struct Others {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Others {
    /// `None` when the peers are not installed.
    pub fn start() -> Option<Self> {
        let home = std::env::var_os("ANSER_TEST_SENDERAUTH").map(PathBuf::from)?;
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/peers/dkim_peer.py");
        let mut child = Command::new(home.join("bin/python3"))
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Some(Self { child, lines })
    }

    pub fn ask(&mut self, question: Value) -> Value {
        let stdin = self.child.stdin.as_mut().unwrap();
        stdin.write_all(format!("{question}\n").as_bytes()).unwrap();
        stdin.flush().unwrap();
        let line = self.lines.next().expect("the peer answers").unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

impl Drop for Others {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
    }
}

/// The message in an answer.
pub fn message_of(answer: &Value) -> Vec<u8> {
    base64::engine::general_purpose::STANDARD.decode(answer["message"].as_str().unwrap()).unwrap()
}

pub fn base64(octets: &[u8]) -> String {
    tags::base64(octets)
}

/// Messages that people really sent, with line breaks as SMTP has them: every `step`th of the corpus.
pub fn corpus(step: usize) -> Vec<Vec<u8>> {
    let Some(root) = std::env::var_os("ANSER_TEST_CORPUS") else { return Vec::new() };
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::from(root)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path)
            } else if path.extension().is_some_and(|e| e == "txt") {
                files.push(path)
            }
        }
    }
    files.sort();
    assert!(!files.is_empty(), "the corpus is there");
    let text = |path: PathBuf| {
        let raw = std::fs::read(path).unwrap();
        let mut out = Vec::with_capacity(raw.len() + raw.len() / 30);
        for &byte in raw.iter().filter(|byte| !matches!(byte, b'\r')) {
            if byte == b'\n' {
                out.push(b'\r');
            }
            out.push(byte);
        }
        out
    };
    files.into_iter().step_by(step).map(text).collect()
}
