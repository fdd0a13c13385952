//! A message of a folder that lies in files, as it is held: of one mbox there may be millions.

use anser_base::pack::{Packer, Unpacker};
use anser_store::{Flags, Keywords};

use super::Place;
use crate::source::Seen;

/// A message, and where its bytes lie. What is known of it is packed: some 70 bytes.
#[derive(Clone, Debug)]
pub struct Mail {
    packed: Box<[u8]>,
    /// Where it lies.
    pub place: Place,
}

impl Mail {
    /// One of which this is known; `labels` are what Google Takeout tells, as it stands in the file.
    pub fn new(seen: &Seen, place: Place, labels: &[u8]) -> Self {
        let mut to = Packer::default();
        to.bytes(&seen.key);
        to.number(seen.size);
        to.number(seen.uid.into());
        to.number(seen.flags.0.into());
        to.text(&seen.received);
        to.text(&seen.keywords.iter().collect::<Vec<_>>().join(" "));
        to.option(seen.written, Packer::signed);
        to.option(seen.uidl.as_deref(), Packer::text);
        to.bytes(labels);
        Self { packed: to.finish().into(), place }
    }

    /// What is known of it; it is at this place of its folder.
    pub fn seen(&self, at: u32) -> Seen {
        // What was packed here is whole.
        let mut from = Unpacker::new(&self.packed);
        Seen {
            at,
            key: from.bytes().unwrap_or_default().to_vec(),
            size: from.number().unwrap_or_default(),
            uid: from.number().unwrap_or_default() as u32,
            flags: Flags(from.number().unwrap_or_default() as u32),
            received: from.text().unwrap_or_default().to_owned(),
            keywords: Keywords::new(from.text().unwrap_or_default().split(' ')),
            written: from.option(Unpacker::signed).unwrap_or_default(),
            uidl: from.option(Unpacker::text).unwrap_or_default().map(str::to_owned),
            identity: None,
        }
    }

    /// What the ledger knows it by.
    pub fn key(&self) -> &[u8] {
        Unpacker::new(&self.packed).bytes().unwrap_or_default()
    }

    /// Its size in bytes, which may be wrong.
    pub fn size(&self) -> u64 {
        self.numbers().0
    }

    /// Its UID; 0 when it has none.
    pub fn uid(&self) -> u32 {
        self.numbers().1
    }

    /// What Google Takeout tells of its labels, as it stands in the file.
    pub fn labels(&self) -> &[u8] {
        let mut from = Unpacker::new(&self.packed);
        drop((from.bytes(), from.number(), from.number(), from.number(), from.text(), from.text()));
        drop((from.option(Unpacker::signed), from.option(Unpacker::text)));
        from.bytes().unwrap_or_default()
    }

    fn numbers(&self) -> (u64, u32) {
        let mut from = Unpacker::new(&self.packed);
        drop(from.bytes());
        (from.number().unwrap_or_default(), from.number().unwrap_or_default() as u32)
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_known_comes_back(
            key in proptest::collection::vec(any::<u8>(), 0..300),
            (size, uid, flags) in any::<(u64, u32, u32)>(),
            (received, uidl, written) in any::<(String, Option<String>, Option<i64>)>(),
            words in proptest::collection::vec("[!-~]{1,20}", 0..5),
        ) {
            let keywords = Keywords::new(words.iter().map(String::as_str));
            let seen = Seen { at: 7, key, uid, uidl, identity: None, flags: Flags(flags), keywords, received, written, size };
            let mail = Mail::new(&seen, Place::File(PathBuf::new()), b"labels");
            prop_assert_eq!((mail.key(), mail.size(), mail.uid()), (&seen.key[..], size, uid));
            prop_assert_eq!(mail.labels(), b"labels");
            prop_assert_eq!(mail.seen(7), seen);
        }
    }
}
