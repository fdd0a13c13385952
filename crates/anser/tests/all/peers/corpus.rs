//! The corpus: 6,046 raw messages that people and programs really sent, and how two sets of messages are compared.

use std::fs;
use std::path::Path;

use super::tools;

/// The variable with the folder of the npm package's data. `./x test` sets it and installs the package.
const CORPUS: &str = "ANSER_TEST_CORPUS";

/// The raw messages as they lie in the package: most have line ends of LF, a few have CR where nobody expects it.
pub fn raw() -> Vec<Vec<u8>> {
    let folder = std::env::var(CORPUS).unwrap_or_else(|_| panic!("{CORPUS} names the folder with the corpus"));
    let all: Vec<Vec<u8>> = tools::files(Path::new(&folder))
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .map(|path| fs::read(path).expect("a message of the corpus"))
        .collect();
    assert_eq!(all.len(), 6046, "messages in {folder}");
    all
}

/// `count` messages spread evenly over all.
pub fn some(all: &[Vec<u8>], count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|n| all[n * all.len() / count].clone()).collect()
}

/// The message as it travels: CRLF ends every line, the last one too, and stands nowhere else.
pub fn for_the_wire(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len() + raw.len() / 20);
    let mut before = 0;
    for &byte in raw {
        match byte {
            b'\n' if before == b'\r' => {}
            b'\r' | b'\n' => out.extend_from_slice(b"\r\n"),
            _ => out.push(byte),
        }
        before = byte;
    }
    if !out.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// Each LF without a CR before it becomes CRLF, as the servers of a Maildir give its files to clients.
pub fn with_crlf(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len() + raw.len() / 20);
    for &byte in raw {
        if byte == b'\n' && out.last() != Some(&b'\r') {
            out.push(b'\r');
        }
        out.push(byte);
    }
    out
}

/// Without any CR, for clients that write files of this machine's kind.
pub fn without_cr(message: &[u8]) -> Vec<u8> {
    message.iter().copied().filter(|byte| *byte != b'\r').collect()
}

/// Without the separator of an mbox that many messages of the corpus begin with: clients that keep an mbox or speak to a local
/// agent take it for their own.
pub fn without_separator(message: &[u8]) -> Vec<u8> {
    match message.starts_with(b"From ") || message.starts_with(b">From ") {
        true => message[line_end(message, 0)..].to_vec(),
        false => message.to_vec(),
    }
}

/// Without the trace fields that `hops` servers put in front: up to the `hops`th Received field and what follows it of ours.
pub fn without_trace(message: &[u8], hops: usize) -> Vec<u8> {
    let (mut at, mut received) = (0, 0);
    while received < hops {
        let end = field_end(message, at);
        let field = &message[at..end];
        received += usize::from(named(field, "Received"));
        let ours = ["Received", "Return-Path", "Delivered-To"].iter().any(|name| named(field, name));
        assert!(ours, "no trace field: {}", String::from_utf8_lossy(field));
        at = end;
    }
    message[at..].to_vec()
}

/// Without the header fields of a name.
pub fn without_field(message: &[u8], name: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len());
    let mut at = 0;
    while at < message.len() && !message[at..].starts_with(b"\n") && !message[at..].starts_with(b"\r\n") {
        let end = field_end(message, at);
        if !named(&message[at..end], name) {
            out.extend_from_slice(&message[at..end]);
        }
        at = end;
    }
    out.extend_from_slice(&message[at..]);
    out
}

fn named(field: &[u8], name: &str) -> bool {
    field.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()))
        && field.get(name.len()) == Some(&b':')
}

/// The end of the field that begins at `at`, with its folded lines.
fn field_end(message: &[u8], at: usize) -> usize {
    let mut end = line_end(message, at);
    while matches!(message.get(end), Some(b' ' | b'\t')) {
        end = line_end(message, end);
    }
    end
}

fn line_end(message: &[u8], at: usize) -> usize {
    message[at..].iter().position(|byte| *byte == b'\n').map_or(message.len(), |length| at + length + 1)
}

/// Both hold the same messages the same number of times, in any order. Panics with the first difference.
pub fn assert_same(what: &str, expected: &[Vec<u8>], found: &[Vec<u8>]) {
    let missing = unmatched(expected, found);
    let strange = unmatched(found, expected);
    if missing.is_empty() && strange.is_empty() {
        return;
    }
    let mut text =
        format!("{what}: {} of {} are missing, {} are strange", missing.len(), expected.len(), strange.len());
    if let Some(wanted) = missing.first() {
        let nearest = strange.iter().max_by_key(|other| common(wanted, other));
        let at = nearest.map_or(0, |other| common_start(wanted, other));
        text.push_str(&format!("\nexpected at {at}: {}", excerpt(wanted, at)));
        if let Some(other) = nearest {
            text.push_str(&format!("\nfound:    {}\nall found: {}", excerpt(other, at), excerpt(other, 0)));
        }
    } else if let Some(other) = strange.first() {
        text.push_str(&format!("\nfound: {}", excerpt(other, 0)));
    }
    panic!("{text}");
}

/// What of `these` has no partner in `those`.
fn unmatched<'a>(these: &'a [Vec<u8>], those: &[Vec<u8>]) -> Vec<&'a Vec<u8>> {
    let mut counts = std::collections::HashMap::new();
    those.iter().for_each(|message| *counts.entry(message).or_insert(0) += 1);
    let mut alone = Vec::new();
    for message in these {
        match counts.get_mut(message) {
            Some(count) if *count > 0 => *count -= 1,
            _ => alone.push(message),
        }
    }
    alone
}

/// How much two messages have in common at both ends, to find the pair that belongs together.
fn common(a: &[u8], b: &[u8]) -> usize {
    common_start(a, b) + a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count()
}

fn common_start(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(x, y)| x == y).count()
}

fn excerpt(message: &[u8], at: usize) -> String {
    let from = at.saturating_sub(40);
    message[from..message.len().min(at + 120)].escape_ascii().to_string()
}
