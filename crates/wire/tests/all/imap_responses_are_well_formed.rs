//! The writers of IMAP responses.

use anser_wire::imap::write::*;
use anser_wire::imap::{Command, CommandReader, DateTime, Event, Flag, NumberSet, SequenceSet};
use proptest::prelude::*;

fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn strings_take_the_form_they_need() {
    let table: [(&[u8], bool, &str); 8] = [
        (b"", false, "\"\""),
        (b"a b", false, "\"a b\""),
        (b"a\"\\", false, "\"a\\\"\\\\\""),
        (b"a\r\nb", false, "{4}\r\na\r\nb"),
        (b"a\0b", true, "~{3}\r\na\0b"),
        ("信".as_bytes(), false, "{3}\r\n信"),
        ("信".as_bytes(), true, "\"信\""),
        (b"NIL", false, "\"NIL\""),
    ];
    for (octets, utf8, expected) in table {
        assert_eq!(written(|out| write_string(out, octets, utf8)), expected);
    }
    assert_eq!(written(|out| write_nstring(out, None, false)), "NIL");
    assert_eq!(written(|out| write_string(out, &[b'a'; QUOTED_MAX + 1], false))[..8], *"{1025}\r\n");
    assert_eq!(written(|out| write_astring(out, b"atom]", false)), "atom]");
    assert_eq!(written(|out| write_astring(out, b"nil", false)), "\"nil\"");
    assert_eq!(written(|out| write_astring(out, b"a*", false)), "\"a*\"");
}

#[test]
fn names_flags_dates_and_numbers() {
    assert_eq!(written(|out| write_mailbox(out, "台北", false)), "\"&U,BTFw-\"");
    assert_eq!(written(|out| write_mailbox(out, "台北", true)), "\"台北\"");
    assert_eq!(written(|out| write_mailbox(out, "INBOX", false)), "INBOX");
    assert_eq!(written(|out| write_flags(out, &[Flag::Seen, Flag::Keyword("$x".into())])), "(\\Seen $x)");
    assert_eq!(written(|out| write_flags(out, &[])), "()");
    let date = DateTime { unix_seconds: 0, offset_minutes: 0 };
    assert_eq!(written(|out| write_date_time(out, date)), "\" 1-Jan-1970 00:00:00 +0000\"");
    assert_eq!(written(|out| write_number_set(out, [1, 2, 3, 7, 9, 10, 4])), "1:3,7,9:10,4");
    assert_eq!(written(|out| write_number_set(out, [])), "");
    assert_eq!(written(|out| write_literal_header(out, 7)), "{7}\r\n");
}

#[test]
fn status_responses_stay_on_one_line() {
    let line = written(|out| write_status(out, "a1", Status::No, "TRYCREATE", "No\r\n* OK such"));
    assert_eq!(line, "a1 NO [TRYCREATE] No??* OK such\r\n");
    assert_eq!(written(|out| write_status(out, "*", Status::Bye, "", "")), "* BYE .\r\n");
    assert_eq!(written(|out| write_continuation(out, "")), "+ \r\n");
}

#[test]
fn fetch_items_are_named_as_they_were_asked_for() {
    let asked = "BODY[] BODY[1.HEADER.FIELDS (FROM \"X(\")]<5.7> BODY.PEEK[2.MIME] BODY[TEXT] BINARY.PEEK[1.2]<0.9> BINARY.SIZE[1] \
                 BODY[HEADER.FIELDS.NOT (a)] RFC822.SIZE PREVIEW (LAZY) BODYSTRUCTURE";
    let named = "BODY[] BODY[1.HEADER.FIELDS (FROM \"X(\")]<5> BODY[2.MIME] BODY[TEXT] BINARY[1.2]<0> BINARY.SIZE[1] \
                 BODY[HEADER.FIELDS.NOT (a)] RFC822.SIZE PREVIEW BODYSTRUCTURE";
    let line = format!("a FETCH 1 ({asked})\r\n");
    let Some(Event::Command { command: Command::Fetch(fetch), .. }) = CommandReader::new().read(&mut line.as_bytes())
    else {
        panic!()
    };
    let names: Vec<_> = fetch.items.iter().map(|item| written(|out| write_fetch_name(out, item))).collect();
    assert_eq!(names.join(" "), named);
}

proptest! {
    /// What the writer quotes or makes a literal, our own reader takes back (literals made non-synchronising).
    #[test]
    fn strings_read_back(octets: Vec<u8>) {
        let mut line = b"a LOGIN u ".to_vec();
        write_string(&mut line, &octets, false);
        line.extend_from_slice(b"\r\n");
        let (mut reader, mut input) = (CommandReader::new(), line.as_slice());
        let mut event = reader.read(&mut input);
        if matches!(event, Some(Event::NeedContinuation { .. })) {
            event = reader.read(&mut input);
        }
        let Some(Event::Command { command: Command::Login { password, .. }, .. }) = event else { panic!("{event:?}") };
        prop_assert_eq!(password.as_bytes(), octets);
    }

    #[test]
    fn number_sets_read_back(numbers in prop::collection::btree_set(1u32..200, 1..60)) {
        let text = written(|out| write_number_set(out, numbers.iter().copied()));
        let set = SequenceSet::parse(&text).unwrap().resolve(u32::MAX, &NumberSet::default());
        prop_assert_eq!(set.iter().collect::<Vec<_>>(), numbers.into_iter().collect::<Vec<_>>());
        prop_assert_eq!(set.to_string(), text);
    }
}
