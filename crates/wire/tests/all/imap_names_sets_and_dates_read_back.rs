//! Mailbox names, LIST patterns, sequence sets and dates.

use anser_wire::imap::{
    Bound, Date, DateTime, Flag, ListPattern, NumberSet, SequenceSet, decode_mutf7, encode_mutf7, mailbox_from_wire,
    raw_octets,
};
use proptest::prelude::*;

#[test]
fn modified_utf7() {
    let table = [
        ("INBOX", "INBOX"),
        ("台北", "&U,BTFw-"),
        ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
        ("R&D", "R&-D"),
        ("已发送", "&XfJT0ZAB-"),
        ("收件箱 2", "&ZTZO9nux- 2"),
        ("😀", "&2D3eAA-"),
        ("a\tb", "a&AAk-b"),
    ];
    for (name, wire) in table {
        assert_eq!(encode_mutf7(name), wire);
        assert_eq!(decode_mutf7(wire).as_deref(), Some(name));
    }
    for broken in ["a&", "&U", "&U,BTFw", "&!-", "&A-", "&2D0-", "&AGE=-"] {
        assert_eq!(decode_mutf7(broken), None, "{broken}");
        assert_eq!(mailbox_from_wire(broken.as_bytes(), false), broken);
    }
}

#[test]
fn raw_octets_stay_apart_and_come_back() {
    let gbk = b"\xd6\xd0\xce\xc4/x";
    let name = mailbox_from_wire(gbk, false);
    assert_eq!(raw_octets(&name), gbk);
    assert_eq!(mailbox_from_wire(encode_mutf7(&name).as_bytes(), false), name);
    assert_eq!(mailbox_from_wire(name.as_bytes(), true), name);
    assert_eq!(mailbox_from_wire("中文".as_bytes(), false), "中文");
}

#[test]
fn patterns_of_list() {
    let table = [
        ("", "*", "a/b", true),
        ("", "%", "a", true),
        ("", "%", "a/b", false),
        ("", "%/%", "a/b", true),
        ("", "a*", "abc/d", true),
        ("", "a%", "abc/d", false),
        ("", "*b", "a/ab", true),
        ("a/", "%", "a/b", true),
        ("a/", "%", "b", false),
        ("", "inbox", "INBOX", true),
        ("", "iNb%", "INBOX", true),
        ("", "inbox/sub", "INBOX/sub", true),
        ("", "inbox/SUB", "INBOX/sub", false),
        ("", "SENT", "Sent", false),
        ("", "", "a", false),
        ("", "%*%", "a/b/c", true),
        ("", "a%%%c", "abc", true),
        ("", "*/%", "a", false),
        ("", "收%", "收件箱", true),
    ];
    for (reference, pattern, name, expected) in table {
        assert_eq!(ListPattern::new(reference, pattern, '/').matches(name), expected, "{reference}{pattern} {name}");
    }
}

#[test]
fn patterns_made_to_backtrack_take_no_time() {
    let pattern = ListPattern::new("", &"*a%".repeat(300), '/');
    assert!(!pattern.matches(&("a".repeat(290) + &"b/".repeat(300))));
}

#[test]
fn sequence_sets() {
    let resolve = |text: &str, max| SequenceSet::parse(text).unwrap().resolve(max, &NumberSet::default()).to_string();
    assert_eq!(resolve("2,4:7,9,12:*", 15), "2,4:7,9,12:15");
    assert_eq!(resolve("*:4,5:7", 10), "4:10");
    assert_eq!(resolve("5:*", 3), "3");
    assert_eq!(resolve("*", 7), "7");
    assert_eq!(resolve("1:*", 0), "");
    assert_eq!(resolve("*", 0), "");
    assert_eq!(resolve("4:2,3,1:4294967295", 9), "1:9");
    assert_eq!(resolve("10:20", 9), "");
    let saved: NumberSet = [3, 1, 2, 9].into_iter().collect();
    assert_eq!(SequenceSet::parse("$").unwrap().resolve(1, &saved).to_string(), "1:3,9");
    assert!((saved.contains(2), saved.contains(9), saved.contains(4), saved.len()) == (true, true, false, 4));
    assert_eq!(saved.iter().collect::<Vec<_>>(), [1, 2, 3, 9]);
    assert!(SequenceSet::parse("1:5").unwrap().exceeds(4) && !SequenceSet::parse("1:*").unwrap().exceeds(4));
    for bad in ["", "0", "1:", ":1", "1,", "a", "+1", "1:2:3", "-1", "1 2", "4294967296", "$,1"] {
        assert_eq!(SequenceSet::parse(bad), None, "{bad}");
    }
}

#[test]
fn dates() {
    let date = DateTime::parse(" 1-Jan-2020 00:00:00 +0800").unwrap();
    assert_eq!((date.unix_seconds, date.offset_minutes), (1_577_808_000, 480));
    assert_eq!(date.to_string(), " 1-Jan-2020 00:00:00 +0800");
    assert_eq!(DateTime { unix_seconds: 0, offset_minutes: -90 }.to_string(), "31-Dec-1969 22:30:00 -0130");
    assert_eq!(Date::parse("29-Feb-2000").unwrap().unix_days(), 11_016);
    for bad in
        ["29-Feb-1900", "31-Apr-2020", "0-Jan-2020", "1-Foo-2020", "1-Jan-20", "1-Jan-2020-1", "001-Jan-2020", ""]
    {
        assert_eq!(Date::parse(bad), None, "{bad}");
    }
    for bad in [
        "1-Jan-2020 24:00:00 +0000",
        "1-Jan-2020 00:00:00 GMT",
        "1-Jan-2020 00:00:00",
        "1-Jan-2020 0:00:00 +0000",
        "1-Jan-2020 00:00:00 +0060",
        "1-Jan-2020 00:00:00 +00é",
    ] {
        assert_eq!(DateTime::parse(bad), None, "{bad}");
    }
}

#[test]
fn flags_keep_their_spelling_and_compare_without_case() {
    assert_eq!(Flag::parse("\\SEEN"), Flag::Seen);
    assert_eq!(Flag::parse("$Junk"), Flag::Keyword("$junk".into()));
    assert_ne!(Flag::parse("seen"), Flag::Seen);
    assert_ne!(Flag::parse("a"), Flag::parse("b"));
    assert_eq!(Flag::parse("\\Foo").to_string(), "\\Foo");
}

fn bounds() -> impl Strategy<Value = Bound> {
    prop_oneof![Just(Bound::Star), (1u32..).prop_map(Bound::Number)]
}

/// Matching by definition, for comparison.
fn naive(pattern: &[char], name: &[char]) -> bool {
    match pattern {
        [] => name.is_empty(),
        [wild @ ('*' | '%'), rest @ ..] => {
            let end = if *wild == '*' { name.len() } else { name.iter().position(|c| *c == '/').unwrap_or(name.len()) };
            (0..=end).any(|at| naive(rest, &name[at..]))
        }
        [c, rest @ ..] => name.first() == Some(c) && naive(rest, &name[1..]),
    }
}

proptest! {
    #[test]
    fn names_read_back(name in "\\PC{0,30}") {
        let wire = encode_mutf7(&name);
        prop_assert!(wire.is_ascii());
        prop_assert_eq!(mailbox_from_wire(wire.as_bytes(), false), name.clone());
        prop_assert_eq!(mailbox_from_wire(name.as_bytes(), true), name);
    }

    #[test]
    fn octets_of_names_read_back(octets: Vec<u8>) {
        // The characters of the escape stand for the octets, also when a client sends them itself.
        prop_assume!(!String::from_utf8_lossy(&octets).contains(|c| ('\u{f780}'..='\u{f7ff}').contains(&c)));
        prop_assert_eq!(raw_octets(&mailbox_from_wire(&octets, true)), octets);
    }

    #[test]
    fn no_name_panics(text in "[&A-Za-z0-9+,=/é-]{0,30}") {
        let _ = mailbox_from_wire(text.as_bytes(), false);
    }

    #[test]
    fn sets_read_back(ranges in prop::collection::vec((bounds(), bounds()), 1..20)) {
        let set = SequenceSet::Ranges(ranges);
        prop_assert_eq!(SequenceSet::parse(&set.to_string()), Some(set));
    }

    #[test]
    fn a_resolved_set_holds_what_was_named(ranges in prop::collection::vec((1u32..40, 1u32..40), 1..8), max in 0u32..45) {
        let bounds = ranges.iter().map(|&(a, b)| (Bound::Number(a), Bound::Number(b))).collect();
        let set = SequenceSet::Ranges(bounds).resolve(max, &NumberSet::default());
        for number in 1..50 {
            let named = number <= max && ranges.iter().any(|&(a, b)| (a.min(b)..=a.max(b)).contains(&number));
            prop_assert_eq!(set.contains(number), named);
        }
        prop_assert!(set.ranges().windows(2).all(|pair| pair[0].1 + 1 < pair[1].0));
        prop_assert_eq!(set.iter().collect::<NumberSet>(), set);
    }

    #[test]
    fn dates_read_back(unix_seconds in -62_000_000_000i64..253_000_000_000, offset_minutes in -1_439i16..1_440) {
        let date = DateTime { unix_seconds, offset_minutes };
        prop_assert_eq!(date.to_string().len(), 26);
        prop_assert_eq!(DateTime::parse(&date.to_string()), Some(date));
    }

    #[test]
    fn days_read_back(days in -719_528i64..2_932_896) {
        prop_assert_eq!(Date::from_unix_days(days).unix_days(), days);
        prop_assert_eq!(Date::parse(&Date::from_unix_days(days).to_string()), Some(Date::from_unix_days(days)));
    }

    #[test]
    fn patterns_match_as_defined(pattern in "[ab/%*]{0,8}", name in "[ab/]{0,8}") {
        let (p, n): (Vec<_>, Vec<_>) = (pattern.chars().collect(), name.chars().collect());
        prop_assert_eq!(ListPattern::new("", &pattern, '/').matches(&name), naive(&p, &n));
    }
}
