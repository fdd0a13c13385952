//! The command reader: pieces do not matter, limits hold, and after an error the next command is understood.

use anser_wire::imap::{
    COMMAND_MAX, Command, CommandReader, Event, LIST_MAX, NESTING_MAX, SEQUENCE_SET_MAX, SearchKey,
};
use proptest::prelude::*;

/// The events of a stream that comes in pieces of the given lengths; message data joined.
fn read(reader: &mut CommandReader, input: &[u8], cuts: &[usize]) -> Vec<String> {
    let (mut events, mut data, mut rest) = (Vec::new(), Vec::new(), input);
    for &cut in cuts.iter().chain([&usize::MAX]) {
        let (mut piece, tail) = rest.split_at(cut.min(rest.len()));
        while let Some(event) = reader.read(&mut piece) {
            if let Event::AppendData(octets) = event {
                data.extend_from_slice(octets);
                continue;
            }
            if !data.is_empty() {
                events.push(format!("data {:?}", std::mem::take(&mut data).escape_ascii().to_string()));
            }
            events.push(format!("{event:?}"));
        }
        assert!(piece.is_empty());
        rest = tail;
    }
    events.push(format!("data {:?}", data.escape_ascii().to_string()));
    events
}

fn command(line: &str) -> Result<Command, &'static str> {
    let bytes = format!("a {line}\r\n");
    match CommandReader::new().read(&mut bytes.as_bytes()) {
        Some(Event::Command { command, .. }) => Ok(command),
        Some(Event::Error { text, .. }) => Err(text),
        other => panic!("{line}: {other:?}"),
    }
}

fn key(line: &str) -> SearchKey {
    match command(line) {
        Ok(Command::Search(search)) => search.key,
        other => panic!("{line}: {other:?}"),
    }
}

/// An event that a test does not look into, with the tag of an error or a command.
fn summary(event: Option<Event<'_>>) -> String {
    match event {
        Some(Event::Command { tag, .. }) => format!("command {tag}"),
        Some(Event::Error { tag, text }) => format!("error {} {text}", tag.unwrap_or_default()),
        other => format!("{other:?}"),
    }
}

#[test]
fn search_texts_are_octets() {
    assert_eq!(key("SEARCH SUBJECT {4+}\r\n\r\n\"\\"), SearchKey::Subject(b"\r\n\"\\".to_vec()));
    assert_eq!(key("SEARCH CHARSET GBK FROM \"a\""), SearchKey::From(b"a".to_vec()));
    assert_eq!(key("SEARCH HEADER Message-ID <a@b>"), SearchKey::Header("Message-ID".into(), b"<a@b>".to_vec()));
    let mut reader = CommandReader::new();
    let mut input: &[u8] = b"a SEARCH CHARSET GBK TEXT \"\xd6\xd0\"\r\n";
    let Some(Event::Command { command: Command::Search(search), .. }) = reader.read(&mut input) else { panic!() };
    assert_eq!((search.charset.as_deref(), search.key), (Some("GBK"), SearchKey::Text(b"\xd6\xd0".to_vec())));
    for line in ["TO a", "CC a", "BCC a", "BODY a", "TEXT a"] {
        key(&format!("SEARCH {line}"));
    }
}

#[test]
fn passwords_are_octets() {
    let mut input: &[u8] = b"a LOGIN u \"\xd6\xd0 x\"\r\n";
    let Some(Event::Command { command: Command::Login { password, .. }, .. }) = CommandReader::new().read(&mut input)
    else {
        panic!()
    };
    assert_eq!(password.as_bytes(), b"\xd6\xd0 x");
}

#[test]
fn a_refused_message_is_skipped_with_its_command() {
    let mut reader = CommandReader::new();
    let mut input: &[u8] = b"a APPEND x {3}\r\n";
    assert!(matches!(reader.read(&mut input), Some(Event::Append(_))));
    reader.refuse_append();
    let mut input: &[u8] = b"b NOOP\r\nc APPEND x {9+}\r\nd NOOP\r\n\n (\\Seen) {6+}\r\ne NOOP\r\nf NOOP\r\n";
    assert_eq!(summary(reader.read(&mut input)), "command b");
    assert!(matches!(reader.read(&mut input), Some(Event::Append(_))));
    reader.refuse_append();
    assert_eq!(summary(reader.read(&mut input)), "command f");
    assert_eq!(reader.read(&mut input), None);
    assert!(input.is_empty());
}

#[test]
fn a_message_may_be_refused_midway() {
    let mut reader = CommandReader::new();
    for end in ["1", "12345678\r\n"] {
        let mut input: &[u8] = b"a APPEND x {10}\r\n";
        assert!(matches!(reader.read(&mut input), Some(Event::Append(_))));
        assert_eq!(reader.read(&mut input), Some(Event::NeedContinuation { size: 10 }));
        let mut input = end.as_bytes();
        assert!(matches!(reader.read(&mut input), Some(Event::AppendData(_))));
        reader.refuse_append();
        let rest = format!("{}\r\nb NOOP\r\n", "y".repeat(10 - end.len()));
        assert_eq!(summary(reader.read(&mut rest.as_bytes())), "command b");
    }
    let mut input: &[u8] = b"a APPEND x {1+}\r\ny {";
    while reader.read(&mut input).is_some() {}
    reader.refuse_append();
    assert_eq!(summary(reader.read(&mut b"3+}\r\nz z\r\nb NOOP\r\n".as_slice())), "command b");
}

#[test]
fn a_line_that_is_no_command_comes_as_it_is() {
    let mut reader = CommandReader::new();
    let mut input: &[u8] = b"a IDLE\r\nDONE\r\nb NOOP\r\n";
    assert_eq!(summary(reader.read(&mut input)), "command a");
    reader.expect_line();
    assert_eq!(reader.read(&mut input), Some(Event::Line(b"DONE".to_vec())));
    assert_eq!(summary(reader.read(&mut input)), "command b");
    reader.expect_line();
    assert_eq!(reader.read(&mut b"{5}\r\n".as_slice()), Some(Event::Line(b"{5}".to_vec())));
}

#[test]
fn names_are_utf8_once_that_is_enabled() {
    let mut reader = CommandReader::new();
    reader.set_utf8(true);
    let mut input = "a DELETE \"R&D &U,BTFw-收\"\r\n".as_bytes();
    let Some(Event::Command { command, .. }) = reader.read(&mut input) else { panic!() };
    assert_eq!(command, Command::Delete("R&D &U,BTFw-收".into()));
}

#[test]
fn limits_hold_and_the_next_command_is_understood() {
    let long = "x".repeat(70_000);
    let literal = "y".repeat(60_000);
    let many_literals: String = (0..10).map(|_| format!(" {{60000+}}\r\n{literal}")).collect();
    let deep = format!("{}ALL{}", "(".repeat(NESTING_MAX + 1), ")".repeat(NESTING_MAX + 1));
    let table = [
        (format!("NOOP {long}"), "Line too long"),
        (format!("NOOP {long} {{6+}}\r\nb NOOP"), "Line too long"),
        (format!("LOGIN{many_literals}"), "Literal too long"),
        ("LOGIN {70000+}\r\n".to_owned() + &long, "Literal too long"),
        (format!("SEARCH {deep}"), "Nested too deeply"),
        (format!("SEARCH {}ALL", "NOT ".repeat(NESTING_MAX + 1)), "Nested too deeply"),
        (format!("SEARCH {}ALL", "OR ALL ".repeat(NESTING_MAX + 1)), "Nested too deeply"),
        (format!("FETCH {} FLAGS", vec!["1"; SEQUENCE_SET_MAX + 1].join(",")), "Bad sequence set"),
        (format!("FETCH 1 ({})", vec!["UID"; LIST_MAX + 1].join(" ")), "A list is too long"),
        (format!("SEARCH {}", vec!["ALL"; LIST_MAX + 1].join(" ")), "Too many search keys"),
        (format!("DELETE {}", "x".repeat(2_000)), "A mailbox name is too long"),
    ];
    assert!(many_literals.len() > COMMAND_MAX);
    for (line, text) in table {
        let mut reader = CommandReader::new();
        let bytes = format!("a {line}\r\nz NOOP\r\n");
        let mut input = bytes.as_bytes();
        assert_eq!(summary(reader.read(&mut input)), format!("error a {text}"));
        assert_eq!(summary(reader.read(&mut input)), "command z", "{text}");
    }
    assert!(command(&format!("FETCH {} FLAGS", vec!["1"; SEQUENCE_SET_MAX].join(","))).is_ok());
    assert!(command(&format!("SEARCH {}ALL", "NOT ".repeat(NESTING_MAX))).is_ok());
}

/// Streams in which commands, literals and damage alternate.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let pieces = [
        "a NOOP\r\n",
        "b APPEND x {5+}\r\n",
        "c APPEND x (\\Seen) ~{3}\r\n",
        "abc",
        "hello",
        "\r\n",
        "\n",
        " {2+}\r\n",
        "{3}\r\n",
        "d LOGIN {4+}\r\n",
        "user",
        " \"p\"",
        "e SEARCH (OR SEEN 1:*)",
        "{",
        "}",
        "\"",
        "\0",
        ")",
        " UTF8 (~{3+}\r\n",
        "é",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..25).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #[test]
    fn pieces_do_not_matter(input in stream(), cuts in prop::collection::vec(0usize..7, 0..40)) {
        let whole = read(&mut CommandReader::new(), &input, &[]);
        prop_assert_eq!(read(&mut CommandReader::new(), &input, &cuts), whole);
    }

    #[test]
    fn pieces_of_long_lines_do_not_matter(length in 65_400usize..65_700, cut in 1usize..66_000) {
        let input = [b"a NOOP ".as_slice(), &vec![b'x'; length], b" {4+}\r\nabcd\r\nb NOOP\r\n"].concat();
        let whole = read(&mut CommandReader::new(), &input, &[]);
        prop_assert_eq!(read(&mut CommandReader::new(), &input, &[cut, 100]), whole);
    }

    #[test]
    fn no_bytes_panic(input: Vec<u8>) {
        read(&mut CommandReader::new(), &input, &[]);
    }

    #[test]
    fn no_arguments_panic(
        name in prop::sample::select(vec!["FETCH 1 BODY[", "SEARCH ", "LIST ", "STORE 1 ", "SELECT x (QRESYNC (", "ID ", "SORT ", "GETMETADATA "]),
        rest in "[ -~é\r]{0,40}",
    ) {
        read(&mut CommandReader::new(), format!("a {name}{rest}\r\n").as_bytes(), &[]);
    }

    #[test]
    fn refusing_at_any_moment_panics_nowhere(input in stream(), at in 0usize..20) {
        let (mut reader, mut rest) = (CommandReader::new(), input.as_slice());
        for _ in 0..at {
            if reader.read(&mut rest).is_none() {
                break;
            }
        }
        reader.refuse_append();
        while reader.read(&mut rest).is_some() {}
    }
}
