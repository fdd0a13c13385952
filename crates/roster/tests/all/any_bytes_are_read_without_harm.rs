//! Whatever a file holds.

use anser_roster::{Format, Options};
use proptest::prelude::*;

const FORMATS: [Option<Format>; 7] = [
    None,
    Some(Format::Csv),
    Some(Format::Ldif),
    Some(Format::Passwd),
    Some(Format::Shadow),
    Some(Format::Dovecot),
    Some(Format::Sql),
];

proptest! {
    #[test]
    fn bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        for format in FORMATS {
            anser_roster::read(&bytes, &Options { format, domain: None });
        }
    }

    /// What looks like one of the formats, cut and mixed.
    #[test]
    fn near_misses(words in proptest::collection::vec(prop_oneof![
        Just("email,quota,alias\n"), Just("\""), Just("'"), Just("\\"), Just("insert into mailbox"), Just("(username"), Just(")"), Just(" values "),
        Just("('ann@x.test'"), Just(","), Just(";"), Just("\n"), Just("dn: uid=a"), Just("mail: a@x.test"), Just("mail:: !"), Just(" "), Just(":"),
        Just("copy mailbox (a) from stdin;\n"), Just("create table mailbox ("), Just("密"), Just("ann"), Just("objectClass: groupOfNames\n"), Just("member: "),
    ], 0..40)) {
        let text = words.concat();
        for format in FORMATS {
            let roster = anser_roster::read(text.as_bytes(), &Options { format, domain: Some("x.test".into()) });
            prop_assert!(roster.rows.iter().all(|row| row.line >= 1 && row.line <= text.lines().count() as u64 + 1));
        }
    }
}
