//! What an IMAP session that is passed through is doing, as far as it tells when the session may be ended. Octets are looked at on
//! their way: lines, literals and tags, nothing more; none is held or changed.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use memchr::memchr;

/// Octets of a line that are looked at: a tag and a verb.
const HEAD: usize = 96;
/// Octets at the end of a line that are looked at: `{`, a number, `+}` and the end of the line.
const TAIL: usize = 28;
/// Commands under way that are followed; of a session with more nothing is known.
const UNDER_WAY: usize = 1_000;

/// One direction, as lines.
#[derive(Default)]
struct Lines {
    /// Octets of a literal that are still to come.
    literal: u64,
    /// Whether the other side was asked first whether it wants the literal, and no octet of it came yet.
    asked: bool,
    head: Vec<u8>,
    tail: Vec<u8>,
}

impl Lines {
    /// Takes octets; the beginning of every line that ends in them goes to `each`. A line goes on behind its literals.
    fn take(&mut self, mut octets: &[u8], mut each: impl FnMut(&[u8])) {
        while !octets.is_empty() {
            if self.literal > 0 {
                let skipped = self.literal.min(octets.len() as u64);
                (self.literal, self.asked) = (self.literal - skipped, false);
                octets = &octets[skipped as usize..];
                continue;
            }
            let end = memchr(b'\n', octets).map(|at| at + 1);
            let (piece, rest) = octets.split_at(end.unwrap_or(octets.len()));
            octets = rest;
            self.head.extend_from_slice(&piece[..piece.len().min(HEAD - self.head.len())]);
            self.tail.extend_from_slice(&piece[piece.len().saturating_sub(TAIL)..]);
            self.tail.drain(..self.tail.len().saturating_sub(TAIL));
            if end.is_none() {
                return;
            }
            match announced(&self.tail) {
                Some((size, asks)) => (self.literal, self.asked) = (size, asks),
                None => {
                    each(&self.head);
                    self.head.clear();
                }
            }
            self.tail.clear();
        }
    }

    /// The other side does not want the literal that it was asked about: it is not sent, and the line is over.
    fn refused(&mut self) {
        if self.asked {
            *self = Self::default();
        }
    }

    fn is_between(&self) -> bool {
        self.literal == 0 && self.head.is_empty()
    }
}

/// The literal that a line announces at its end (RFC 9051 §4.3), and whether its sender waits to be asked for it.
fn announced(tail: &[u8]) -> Option<(u64, bool)> {
    let line = tail.strip_suffix(b"\n")?;
    let line = line.strip_suffix(b"\r").unwrap_or(line).strip_suffix(b"}")?;
    let (line, asks) = match line.strip_suffix(b"+") {
        Some(line) => (line, false),
        None => (line, true),
    };
    let digits = line.iter().rev().take_while(|octet| octet.is_ascii_digit()).count();
    let (before, digits) = line.split_at(line.len() - digits);
    let size = std::str::from_utf8(digits).ok()?.parse().ok()?;
    before.ends_with(b"{").then_some((size, asks))
}

/// A session.
pub struct Tap {
    client: Lines,
    server: Lines,
    /// Tags that were not answered yet.
    under_way: HashSet<Vec<u8>>,
    /// The tag of IDLE, and whether the server agreed to it.
    idle: Option<(Vec<u8>, bool)>,
    /// It is compressed, or no tag can be told: nothing is known from here on.
    lost: bool,
    heard: Instant,
}

impl Tap {
    /// A session whose login was just answered.
    pub fn new() -> Self {
        let (client, server, under_way) = (Lines::default(), Lines::default(), HashSet::new());
        Self { client, server, under_way, idle: None, lost: false, heard: Instant::now() }
    }

    /// Octets of the client.
    pub fn client(&mut self, octets: &[u8]) {
        self.heard = Instant::now();
        let Self { client, under_way, idle, lost, .. } = self;
        client.take(octets, |head| {
            if idle.take().is_some() {
                return;
            }
            let mut words = head.split(|octet| octet.is_ascii_whitespace());
            let (tag, verb) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            if verb.eq_ignore_ascii_case(b"IDLE") {
                *idle = Some((tag.to_vec(), false));
            }
            under_way.insert(tag.to_vec());
            *lost |= verb.is_empty() || verb.eq_ignore_ascii_case(b"COMPRESS") || under_way.len() > UNDER_WAY;
        });
        if *lost {
            under_way.clear();
        }
    }

    /// Octets of the server.
    pub fn server(&mut self, octets: &[u8]) {
        self.heard = Instant::now();
        let Self { client, server, under_way, idle, .. } = self;
        server.take(octets, |head| {
            let tag = head.split(|octet| octet.is_ascii_whitespace()).next().unwrap_or_default();
            match (tag, &mut *idle) {
                (b"+", Some((_, agreed))) => *agreed = true,
                (b"*" | b"+", _) => {}
                (tag, known) => {
                    under_way.remove(tag);
                    client.refused();
                    if known.as_ref().is_some_and(|(idle, _)| idle == tag) {
                        *known = None;
                    }
                }
            }
        });
    }

    /// Whether nothing is under way: a BYE can stand here.
    pub fn is_idle(&self) -> bool {
        let waits = self.under_way.len() == 1 && matches!(self.idle, Some((_, true)));
        !self.lost && self.client.is_between() && self.server.is_between() && (self.under_way.is_empty() || waits)
    }

    /// Whether what the session does can be told at all.
    pub fn is_lost(&self) -> bool {
        self.lost
    }

    /// For how long neither side has said anything.
    pub fn silence(&self) -> Duration {
        self.heard.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A dialogue, cut into pieces of some size; whether it is idle after each turn.
    fn turns(lines: &[&str], size: usize) -> Vec<bool> {
        let mut tap = Tap::new();
        lines
            .iter()
            .map(|line| {
                let (side, text) = line.split_at(3);
                for piece in text.as_bytes().chunks(size) {
                    if side == "C: " { tap.client(piece) } else { tap.server(piece) }
                }
                tap.is_idle()
            })
            .collect()
    }

    #[test]
    fn a_session_is_idle_between_commands_and_in_idle_and_nowhere_else() {
        let dialogue = [
            ("C: a1 SELECT INBOX\r\n", false),
            ("S: * 3 EXISTS\r\na1 OK done\r\n", true),
            ("C: a2 FETCH 1 BODY[]\r\n", false),
            ("S: * 1 FETCH (BODY[] {9}\r\na2 OK it\n", false),
            ("S: )\r\n", false),
            ("S: a2 OK\r\n", true),
            ("C: a3 APPEND x {4}\r\n", false),
            ("S: + go\r\n", false),
            ("C: a9 X\r\n", false),
            ("S: a3 OK\r\n", true),
            ("C: a4 APPEND x {4}\r\n", false),
            ("S: a4 NO too much\r\n", true),
            ("C: a5 NOOP\r\na6 NOOP\r\n", false),
            ("S: a5 OK\r\n", false),
            ("S: a6 OK\r\n", true),
            ("C: a7 IDLE\r\n", false),
            ("S: + idling\r\n", true),
            ("S: * 4 EXISTS\r\n", true),
            ("C: DONE\r\n", false),
            ("S: a7 OK\r\n", true),
            ("C: a8 LOGIN {3+}\r\na b {2+}\r\nxy\r\n", false),
            ("S: a8 BAD\r\n", true),
            ("C: b1 COMPRESS DEFLATE\r\n", false),
            ("S: b1 OK\r\n", false),
        ];
        for size in [1, 2, 7, 1000] {
            let (lines, expected): (Vec<&str>, Vec<bool>) = dialogue.iter().copied().unzip();
            assert_eq!(turns(&lines, size), expected, "in pieces of {size}");
        }
    }

    proptest! {
        #[test]
        fn any_octets_are_passed_without_harm(pieces in proptest::collection::vec((any::<bool>(), proptest::collection::vec(any::<u8>(), 0..200)), 0..50)) {
            let mut tap = Tap::new();
            for (of_client, piece) in pieces {
                if of_client { tap.client(&piece) } else { tap.server(&piece) }
                prop_assert!(tap.client.head.len() <= HEAD && tap.server.tail.len() <= TAIL);
                prop_assert!(tap.under_way.len() <= UNDER_WAY + 1);
            }
        }
    }
}
