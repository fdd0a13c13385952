//! What a client's commands are made of.

use super::super::SequenceSet;

/// Ranges that one command names at most, so that its line stays below what old servers take.
const RANGES: usize = 200;

/// One string of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument {
    /// It stands in the line.
    Inline(Vec<u8>),
    /// It follows once the server asked for it: the line ends with `{octets}`.
    Literal(Vec<u8>),
}

/// A string in quotes where RFC 9051 §4.3 lets it, else as a literal. Never an atom: many servers refuse `*`, `(`, `%` there.
pub fn quoted(octets: &[u8]) -> Argument {
    let plain = |b: &u8| (0x20..0x7f).contains(b);
    if !octets.iter().all(plain) || octets.len() > 1_000 {
        return Argument::Literal(octets.to_vec());
    }
    let mut out = vec![b'"'];
    for octet in octets {
        if matches!(octet, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(*octet);
    }
    out.push(b'"');
    Argument::Inline(out)
}

/// Ascending UIDs as sets of at most 200 ranges each, ascending too: QQ refuses descending ones.
pub fn sets(uids: &[u32]) -> Vec<String> {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for uid in uids {
        match ranges.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(*uid) => *last = *uid,
            _ => ranges.push((*uid, *uid)),
        }
    }
    let one = |(first, last): &(u32, u32)| if first == last { first.to_string() } else { format!("{first}:{last}") };
    let sets = ranges.chunks(RANGES).map(|some| some.iter().map(one).collect::<Vec<_>>().join(","));
    let sets: Vec<String> = sets.collect();
    debug_assert!(sets.iter().all(|set| SequenceSet::parse(set).is_some()));
    sets
}
