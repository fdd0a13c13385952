//! Files of strangers hold anything.

use anser_admin::mail::Form;
use proptest::prelude::*;

use crate::read_all;

fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(b"From a@b Sat Nov 21 08:00:00 2026\n".to_vec()),
        Just(b"From nobody\r\n".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"\r\n".to_vec()),
        (0u64..80).prop_map(|length| format!("Content-Length: {length}\n").into_bytes()),
        any::<u64>().prop_map(|length| format!("Content-Length: {length}\n").into_bytes()),
        Just(b"Status: RO\nX-Status: AF\nX-Keywords: a\n".to_vec()),
        any::<u16>().prop_map(|length| format!("X-Anser: length={length} received=1 zone=99999\n").into_bytes()),
        prop::collection::vec(any::<u8>(), 0..40),
    ]
}

proptest! {
    #[test]
    fn as_mbox(pieces in prop::collection::vec(piece(), 0..20)) {
        let file = tempfile::NamedTempFile::new().unwrap();
        let raw = [&b"From a@b Sat Nov 21 08:00:00 2026\n"[..], &pieces.concat()].concat();
        std::fs::write(file.path(), &raw).unwrap();
        let (mails, skipped, ended) = read_all(Form::Mbox, file.path());
        ended.unwrap();
        prop_assert_eq!(skipped, 0);
        prop_assert!(!mails.is_empty());
        // CRLF at each line end may double it; nothing else grows.
        let bytes: usize = mails.iter().map(|mail| mail.body.len()).sum();
        prop_assert!(bytes <= 2 * raw.len());
    }

    #[test]
    fn as_one_message(raw in prop::collection::vec(any::<u8>(), 0..200)) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &raw).unwrap();
        let (mails, skipped, ended) = read_all(Form::Single, file.path());
        ended.unwrap();
        prop_assert_eq!((mails.len(), skipped), (1, 0));
    }
}

#[test]
fn what_is_no_mail_at_all_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("letter.doc");
    std::fs::write(&file, "not an mbox").unwrap();
    assert!(read_all(Form::Mbox, &file).2.is_err());
    assert!(read_all(Form::Maildir, dir.path()).2.is_err());
    assert!(read_all(Form::Single, &dir.path().join("missing")).2.is_err());
}
