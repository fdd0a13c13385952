//! Messages: parsed, described to IMAP clients, decoded.

use anser_mime::envelope::Envelope;
use anser_mime::structure::Structure;
use anser_mime::summary::{base_subject, parse_message};
use anser_mime::{address, charset, date, encoding, params, text};

use crate::{fetch, well_formed};

/// ENVELOPE of any header is well formed, and comes back from its stored form.
pub fn envelope(data: &[u8]) {
    let envelope = Envelope::parse(data);
    assert_eq!(Envelope::from_bytes(&envelope.to_bytes()).as_ref(), Some(&envelope));
    for utf8 in [false, true] {
        well_formed::check(&fetch::envelope_text(&envelope, utf8), 1);
    }
}

/// BODY and BODYSTRUCTURE of any message are well formed, and its parts lie within it.
pub fn bodystructure(data: &[u8]) {
    let structure = parse_message(data).structure;
    let stored = structure.to_bytes();
    let structure = Structure::from_bytes(&stored).expect("the stored form reads back");
    let size = data.len() as u64;
    for part in &structure.parts {
        assert!(part.header_range().end <= size && part.body_range().end <= size);
    }
    for (extended, utf8) in [(false, false), (true, false), (true, true)] {
        well_formed::check(&fetch::structure_text(&structure, extended, utf8), 1);
    }
}

/// Everything that reads a message, a field or a text.
pub fn mime(data: &[u8]) {
    let parsed = parse_message(data);
    for part in &parsed.structure.parts {
        let range = part.body_range();
        let body = &data[range.start as usize..range.end as usize];
        let decoded = encoding::decode(part.transfer_encoding(), body);
        charset::decode(part.charset(), &decoded);
        part.file_name();
    }
    base_subject(&text::decode_header(data));
    address::parse_list(data).iter().for_each(|address| drop((address.name_text(), address.email())));
    params::parse(data);
    date::parse(data);
    date::parse_internal_date(data);
}
