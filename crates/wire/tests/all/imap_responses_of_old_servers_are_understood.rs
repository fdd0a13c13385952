//! Responses of old servers by transcript, and what holds for any of them.

use anser_wire::imap::client::{
    Argument, Event, HELD_LITERAL_MAX, LITERALS_MAX, NoImap, RESPONSE_MAX, Response, ResponseReader, WORDS_MAX, quoted,
    sets,
};
use anser_wire::imap::{self, Command, CommandReader};
use proptest::prelude::*;

/// What is read of responses that arrive in pieces of some size: responses, and the bodies that went past.
fn read(input: &[u8], piece: usize) -> Result<Vec<String>, NoImap> {
    let (mut reader, mut found, mut body) = (ResponseReader::default(), Vec::new(), Vec::new());
    for piece in input.chunks(piece) {
        let mut rest = piece;
        loop {
            let (taken, event) = reader.read(rest)?;
            let is_more = event == Event::More;
            match event {
                Event::Octets(count) => body.extend_from_slice(&rest[..count]),
                Event::Body(size) => found.push(format!("body of {size}")),
                Event::Response(response) => {
                    if !body.is_empty() {
                        found.push(format!("body \"{}\"", std::mem::take(&mut body).escape_ascii()));
                    }
                    found.push(shown(&response));
                }
                Event::More => {}
            }
            rest = &rest[taken..];
            if is_more && rest.is_empty() {
                break;
            }
        }
    }
    Ok(found)
}

/// Octets as text.
fn shown(response: &Response) -> String {
    match response {
        Response::Continue(text) => format!("Continue \"{}\"", text.escape_ascii()),
        Response::Condition(condition) => {
            let tag = condition.tag.as_ref().map(|tag| format!("{tag} ")).unwrap_or_default();
            let code = condition.code.as_ref().map_or_else(|| "None".to_owned(), |code| format!("{code:?}"));
            format!("{tag}{:?} {code} \"{}\"", condition.status, condition.text.escape_ascii())
        }
        Response::List(listed) => {
            let delimiter = listed.delimiter.map(char::from);
            format!("{} {:?} {delimiter:?} \"{}\"", listed.verb, listed.attributes, listed.name.escape_ascii())
        }
        Response::Status { name, items, id } => format!("Status \"{}\" {items:?} {id:?}", name.escape_ascii()),
        Response::Namespace(all) => {
            let one = |(prefix, delimiter): &(Vec<u8>, Option<u8>)| {
                format!("\"{}\" {:?}", prefix.escape_ascii(), delimiter.map(char::from))
            };
            let of = |some: &Vec<_>| some.iter().map(one).collect::<Vec<_>>().join(", ");
            format!("Namespace [{}] [{}] [{}]", of(&all[0]), of(&all[1]), of(&all[2]))
        }
        Response::Fetch(found) => {
            let mut said = format!("Fetch {}", found.number);
            let mut add = |name: &str, value: Option<String>| {
                if let Some(value) = value {
                    said.push_str(&format!(" {name} {value}"));
                }
            };
            add("uid", found.uid.map(|uid| uid.to_string()));
            add("flags", found.flags.as_ref().map(|flags| format!("{flags:?}")));
            add("date", found.internal_date.as_ref().map(|date| format!("\"{}\"", date.escape_ascii())));
            add("size", found.size.map(|size| size.to_string()));
            add("modseq", found.modseq.map(|modseq| modseq.to_string()));
            add("identity", found.identity.clone());
            add("body", found.body.as_ref().map(|body| format!("\"{}\"", body.escape_ascii())));
            add("streamed", found.streamed.then(String::new));
            said.trim_end().to_owned()
        }
        other => format!("{other:?}"),
    }
}

/// `\r`, `\n`, `\xNN` as octets; any other backslash is one.
fn octets(text: &str) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, tail @ ..] = rest {
        let hex = |digits: &[u8]| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
        let (octet, tail) = match (first, tail) {
            (b'\\', [b'r', tail @ ..]) => (b'\r', tail),
            (b'\\', [b'n', tail @ ..]) => (b'\n', tail),
            (b'\\', [b'x', a, b, tail @ ..]) => (hex(&[*a, *b]).expect("two digits"), tail),
            _ => (*first, tail),
        };
        out.push(octet);
        rest = tail;
    }
    out
}

/// What the server sends in one case, and what is expected to be understood.
fn cases() -> Vec<(Vec<u8>, Vec<String>)> {
    let mut cases: Vec<(Vec<u8>, Vec<String>)> = Vec::new();
    for line in include_str!("imap_responses.txt").lines() {
        if let Some(sent) = line.strip_prefix("S:") {
            cases.push(([octets(sent.strip_prefix(' ').unwrap_or(sent)), b"\r\n".to_vec()].concat(), Vec::new()));
        } else if let (Some(expected), Some((_, all))) = (line.strip_prefix("R: "), cases.last_mut()) {
            all.push(expected.to_owned());
        }
    }
    cases
}

#[test]
fn every_response_is_understood_in_whatever_pieces_it_comes() {
    let cases = cases();
    assert!(cases.len() > 70);
    for (input, expected) in cases {
        for piece in [usize::MAX, 1, 3, 7] {
            assert_eq!(read(&input, piece).as_ref(), Ok(&expected), "{}", input.escape_ascii());
        }
    }
}

/// What the reader makes of the first line of these octets.
fn first(input: &[u8]) -> Result<String, &'static str> {
    read(input, usize::MAX).map(|all| all.first().cloned().unwrap_or_default()).map_err(|NoImap(why)| why)
}

#[test]
fn what_is_too_long_or_too_much_ends_the_connection() {
    let line = |octets: usize| [b"* X ", &vec![b'a'; octets - 6][..], b"\r\n"].concat();
    assert_eq!(first(&line(RESPONSE_MAX)), Ok("Other".to_owned()));
    assert_eq!(first(&line(RESPONSE_MAX + 1)), Err("a response is too long"));
    assert_eq!(first(&vec![b'*'; RESPONSE_MAX + 1]), Err("a response is too long"), "no line end ever");

    let literal = |octets: u64| format!("* LIST () \"/\" {{{octets}}}\r\n").into_bytes();
    assert_eq!(first(&literal(HELD_LITERAL_MAX)), Ok(String::new()), "its octets are awaited");
    assert_eq!(first(&literal(HELD_LITERAL_MAX + 1)), Err("a literal is too long"));
    let many = |count: usize| [&b"* X "[..], &b"{0}\r\n ".repeat(count), b"\r\n"].concat();
    assert_eq!(first(&many(LITERALS_MAX)), Ok("Other".to_owned()));
    assert_eq!(first(&many(LITERALS_MAX + 1)), Err("a response has too many literals"));
    let longest = i64::MAX as u64;
    assert_eq!(first(format!("* 1 FETCH (BODY[] {{{longest}}}\r\n").as_bytes()), Ok(format!("body of {longest}")));
}

#[test]
fn words_are_counted_and_nesting_ends() {
    let flags = format!("* 1 FETCH (FLAGS ({}) UID 7)\r\n", "a ".repeat(WORDS_MAX + 1));
    let mut reader = ResponseReader::default();
    match reader.read(flags.as_bytes()) {
        Ok((_, Event::Response(Response::Fetch(fetched)))) => {
            assert_eq!((fetched.flags.map(|flags| flags.len()), fetched.uid), (Some(WORDS_MAX), Some(7)));
        }
        other => panic!("{other:?}"),
    }
    let nested = |depth: usize| format!("* 1 FETCH (X {}{} UID 7)\r\n", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(first(nested(20).as_bytes()), Ok("Fetch 1 uid 7".to_owned()));
    assert_eq!(first(nested(200_000).as_bytes()), Ok("Other".to_owned()));
}

/// Pieces of responses, which random bytes alone hardly ever are.
fn scraps() -> impl Strategy<Value = Vec<u8>> {
    let words: Vec<&'static [u8]> = vec![
        b"* ",
        b"+ ",
        b"a1 ",
        b"OK ",
        b"NO [",
        b"] ",
        b"1 ",
        b"42 ",
        b"FETCH ",
        b"LIST ",
        b"STATUS ",
        b"NAMESPACE ",
        b"ID ",
        b"QUOTA ",
        b"VANISHED ",
        b"(",
        b")",
        b" ",
        b"\"",
        b"\\",
        b"NIL ",
        b"BODY[] ",
        b"BODY[",
        b"UID ",
        b"FLAGS ",
        b"EMAILID ",
        b"MODSEQ ",
        b"{3}\r\n",
        b"{0}\r\n",
        b"~{2}\r\n",
        b"{99999999999999999999}\r\n",
        b"\r\n",
        b"\n",
        b"\r",
        b"\0",
        b"\xff",
    ];
    let scrap = prop_oneof![6 => proptest::sample::select(words).prop_map(<[u8]>::to_vec), 1 => any::<[u8; 2]>().prop_map(|two| two.to_vec())];
    proptest::collection::vec(scrap, 0..40).prop_map(|scraps| scraps.concat())
}

proptest! {
    #[test]
    fn the_same_is_understood_in_whatever_pieces(input in scraps(), piece in 1..9_usize) {
        prop_assert_eq!(read(&input, piece), read(&input, usize::MAX));
    }

    #[test]
    fn a_body_passes_as_it_is(body in proptest::collection::vec(any::<u8>(), 1..600), uid: u32, after: bool, piece in 1..90_usize) {
        let (before, behind) = if after { (String::new(), format!(" UID {uid}")) } else { (format!("UID {uid} "), String::new()) };
        let head = format!("* 3 FETCH ({before}BODY[] {{{}}}\r\n", body.len());
        let input = [head.as_bytes(), &body, behind.as_bytes(), b")\r\n"].concat();
        let expected = [
            format!("body of {}", body.len()),
            format!("body \"{}\"", body.escape_ascii()),
            format!("Fetch 3 uid {uid} streamed"),
        ];
        prop_assert_eq!(read(&input, piece), Ok(expected.to_vec()));
    }

    #[test]
    fn a_name_comes_as_it_was_sent(name in proptest::collection::vec(any::<u8>(), 0..60)) {
        // A server may write any name as a literal, and one of octets that quotes hold in quotes.
        let literal = [format!("* LIST (\\Marked) \"/\" {{{}}}\r\n", name.len()).as_bytes(), &name, b"\r\n"].concat();
        let expected = format!("LIST [\"\\\\Marked\"] Some('/') \"{}\"", name.escape_ascii());
        prop_assert_eq!(first(&literal), Ok(expected.clone()));
        if let Argument::Inline(quoted) = quoted(&name) {
            prop_assert_eq!(first(&[b"* LIST (\\Marked) \"/\" ", &quoted[..], b"\r\n"].concat()), Ok(expected));
        }
    }

    #[test]
    fn a_string_that_is_sent_is_what_a_server_reads(password in proptest::collection::vec(1..=255_u8, 1..60)) {
        let sent = match quoted(&password) {
            Argument::Inline(quoted) => quoted,
            Argument::Literal(octets) => [format!("{{{}}}\r\n", octets.len()).as_bytes(), &octets].concat(),
        };
        let line = [b"a LOGIN u ", &sent[..], b"\r\n"].concat();
        let (mut reader, mut rest, mut read) = (CommandReader::new(), &line[..], None);
        while let Some(event) = reader.read(&mut rest) {
            if let imap::Event::Command { command: Command::Login { password, .. }, .. } = event {
                read = Some(password.as_bytes().to_vec());
            }
        }
        prop_assert_eq!(read, Some(password));
    }

    #[test]
    fn sets_name_every_uid_once(uids in proptest::collection::btree_set(1..3_000_u32, 0..900)) {
        let uids: Vec<u32> = uids.into_iter().collect();
        let mut named = Vec::new();
        for set in sets(&uids) {
            prop_assert!(set.split(',').count() <= 200);
            for range in set.split(',') {
                let (first, last) = range.split_once(':').unwrap_or((range, range));
                named.extend(first.parse::<u32>().unwrap()..=last.parse().unwrap());
            }
        }
        prop_assert_eq!(named, uids, "ascending, each once");
    }
}
