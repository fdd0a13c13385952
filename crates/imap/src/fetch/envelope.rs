//! ENVELOPE (RFC 9051 §7.5.2).

use anser_mime::envelope::Envelope;
use anser_mime::envelope_view::{AddressesView, EnvelopeView};
use anser_wire::imap::write::write_field;

/// Writes the envelope of a message whose row could be read; else an empty one.
pub(super) fn write(out: &mut Vec<u8>, envelope: Option<EnvelopeView<'_>>, utf8: bool) {
    match envelope {
        Some(envelope) => write_view(out, &envelope, utf8),
        None => write_own(out, &Envelope::default(), utf8),
    }
}

/// Writes the envelope of an embedded message.
pub(super) fn write_own(out: &mut Vec<u8>, envelope: &Envelope, utf8: bool) {
    if let Some(view) = EnvelopeView::from_bytes(&envelope.to_bytes()) {
        write_view(out, &view, utf8);
    }
}

fn write_view(out: &mut Vec<u8>, envelope: &EnvelopeView<'_>, utf8: bool) {
    out.push(b'(');
    write_field(out, envelope.date, utf8);
    out.push(b' ');
    write_field(out, envelope.subject, utf8);
    let EnvelopeView { from, sender, reply_to, to, cc, bcc, .. } = envelope;
    for list in [from, sender, reply_to, to, cc, bcc] {
        out.push(b' ');
        write_addresses(out, list, utf8);
    }
    out.push(b' ');
    write_field(out, envelope.in_reply_to, utf8);
    out.push(b' ');
    write_field(out, envelope.message_id, utf8);
    out.push(b')');
}

fn write_addresses(out: &mut Vec<u8>, list: &AddressesView<'_>, utf8: bool) {
    if list.is_empty() {
        return out.extend_from_slice(b"NIL");
    }
    out.push(b'(');
    for address in list.iter() {
        out.push(b'(');
        for (at, part) in address.into_iter().enumerate() {
            super::separate(out, at);
            write_field(out, part, utf8);
        }
        out.push(b')');
    }
    out.push(b')');
}
