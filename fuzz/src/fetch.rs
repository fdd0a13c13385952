//! The builders of the IMAP door, which keeps them to itself.

#[path = "../../crates/imap/src/fetch/envelope.rs"]
#[expect(dead_code, reason = "rows of messages are the door's own way in")]
mod envelope;
#[path = "../../crates/imap/src/fetch/structure.rs"]
mod structure;

fn separate(out: &mut Vec<u8>, at: usize) {
    if at > 0 {
        out.push(b' ');
    }
}

pub fn envelope_text(envelope: &anser_mime::envelope::Envelope, utf8: bool) -> Vec<u8> {
    let mut out = Vec::new();
    envelope::write_own(&mut out, envelope, utf8);
    out
}

pub fn structure_text(structure: &anser_mime::structure::Structure, extended: bool, utf8: bool) -> Vec<u8> {
    let mut out = Vec::new();
    structure::write(&mut out, structure, extended, utf8);
    out
}
