//! IMAP commands by transcript: what the client sends, and the events that come of it.

use anser_wire::imap::{CommandReader, Event};

/// What the client sends in one case, and what is expected of it.
fn cases() -> Vec<(String, Vec<String>)> {
    let mut cases = vec![(String::new(), Vec::new())];
    for line in include_str!("imap_commands.txt").lines() {
        if line.is_empty() {
            cases.push((String::new(), Vec::new()));
        }
        let Some((input, events)) = cases.last_mut() else { continue };
        if let Some(sent) = line.strip_prefix("C: ") {
            input.push_str(sent);
            input.push_str("\r\n");
        } else if let Some(event) = line.strip_prefix("S: ") {
            events.push(event.to_owned());
        }
    }
    cases.retain(|(input, _)| !input.is_empty());
    cases
}

fn events(input: &str) -> Vec<String> {
    let (mut reader, mut input, mut events) = (CommandReader::new(), input.as_bytes(), Vec::new());
    while let Some(event) = reader.read(&mut input) {
        events.push(match event {
            Event::AppendData(octets) => format!("AppendData({:?})", octets.escape_ascii().to_string()),
            event => format!("{event:?}"),
        });
    }
    assert!(input.is_empty());
    events
}

#[test]
fn every_transcript_gives_its_events() {
    let cases = cases();
    assert!(cases.len() > 100);
    for (input, expected) in cases {
        assert_eq!(events(&input), expected, "{input}");
    }
}
