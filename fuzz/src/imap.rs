//! What IMAP clients send, and what old servers answer to ours.

use anser_wire::imap::client::{self, ResponseReader};
use anser_wire::imap::{
    CommandReader, Event, NumberSet, SequenceSet, decode_mutf7, encode_mutf7, mailbox_from_wire, raw_octets,
};

/// Commands as they arrive, whole and byte by byte: both readers must see the same.
pub fn command(data: &[u8]) {
    let utf8 = data.first().is_some_and(|first| first % 2 == 1);
    let whole = events(&mut reader(utf8), data);
    let mut slow = reader(utf8);
    let pieces: Vec<String> = data.chunks(1).flat_map(|piece| events(&mut slow, piece)).collect();
    assert_eq!(joined(whole), joined(pieces));
}

fn reader(utf8: bool) -> CommandReader {
    let mut reader = CommandReader::new();
    reader.set_utf8(utf8);
    reader
}

/// Every event but the pieces of messages, of which only the bytes count.
fn events(reader: &mut CommandReader, mut data: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    while let Some(event) = reader.read(&mut data) {
        found.push(match event {
            Event::AppendData(piece) => format!("data {piece:?}"),
            other => format!("{other:?}"),
        });
    }
    found
}

fn joined(events: Vec<String>) -> String {
    events.join("\n").replace("]\ndata [", ", ")
}

/// Responses of an old server, whole and byte by byte: both readers must see the same, and the same octets of bodies.
pub fn response(data: &[u8]) {
    assert_eq!(responses(data, data.len().max(1)), responses(data, 1));
}

/// Everything that is read of responses which arrive in pieces, octets of bodies joined; `None` at the end for what is no IMAP.
fn responses(data: &[u8], piece: usize) -> (Vec<Option<client::Event>>, Vec<u8>) {
    let (mut reader, mut found, mut octets) = (ResponseReader::default(), Vec::new(), Vec::new());
    for piece in data.chunks(piece) {
        let mut rest = piece;
        loop {
            match reader.read(rest) {
                Err(_) => {
                    found.push(None);
                    return (found, octets);
                }
                Ok((taken, client::Event::Octets(count))) => {
                    assert!(count <= taken && taken <= rest.len());
                    octets.extend_from_slice(&rest[..count]);
                    rest = &rest[taken..];
                }
                Ok((taken, event)) => {
                    let is_more = event == client::Event::More;
                    found.extend((!is_more).then_some(Some(event)));
                    rest = &rest[taken..];
                    if is_more && rest.is_empty() {
                        break;
                    }
                }
            }
        }
    }
    (found, octets)
}

/// A sequence set reads back as it was written, and what it comes to keeps its promises.
pub fn sequence_set(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Some(set) = SequenceSet::parse(text) else { return };
    assert_eq!(SequenceSet::parse(&set.to_string()), Some(set.clone()));
    for max in [0, 1, 1000, u32::MAX] {
        let numbers = set.resolve(max, &NumberSet::default());
        let ranges = numbers.ranges();
        assert!(ranges.iter().all(|(first, last)| 1 <= *first && first <= last && *last <= max));
        assert!(ranges.windows(2).all(|pair| u64::from(pair[0].1) + 1 < u64::from(pair[1].0)));
        assert!(ranges.iter().all(|(first, last)| numbers.contains(*first) && numbers.contains(*last)));
    }
}

/// Items of FETCH, whose responses name the section again as it was asked for.
pub fn body_section(data: &[u8]) {
    if data.contains(&b'\n') {
        return;
    }
    let line = [b"a UID FETCH 1 ", data, b"\r\n"].concat();
    command(&line);
}

/// Mailbox names come back from both encodings.
pub fn mutf7(data: &[u8]) {
    for utf8 in [false, true] {
        let name = mailbox_from_wire(data, utf8);
        raw_octets(&name);
        assert_eq!(decode_mutf7(&encode_mutf7(&name)).as_deref(), Some(name.as_str()));
    }
}
