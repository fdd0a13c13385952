//! Files of contacts from other programs.

use anser_jmap::{card_writer, cards_in};

/// A file of vCards or a table; its cards are written in every format, and what is written is read.
pub fn file(data: &[u8]) {
    let cards = cards_in(data);
    for format in ["vcard", "vcard3", "csv"] {
        let (_, write) = card_writer(format).expect("a format");
        let written = write(cards.clone());
        let again = cards_in(written.as_bytes());
        assert!(again.len() <= cards.len(), "{} cards became {}", cards.len(), again.len());
    }
}
