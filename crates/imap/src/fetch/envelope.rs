//! ENVELOPE (RFC 9051 §7.5.2).

use anser_mime::address::Address;
use anser_mime::envelope::Envelope;
use anser_wire::imap::write::write_nstring;

/// Writes an envelope.
pub(super) fn write(out: &mut Vec<u8>, envelope: &Envelope, utf8: bool) {
    out.push(b'(');
    write_nstring(out, envelope.date.as_deref(), utf8);
    out.push(b' ');
    write_nstring(out, envelope.subject.as_deref(), utf8);
    let Envelope { from, sender, reply_to, to, cc, bcc, .. } = envelope;
    for list in [from, sender, reply_to, to, cc, bcc] {
        out.push(b' ');
        write_addresses(out, list, utf8);
    }
    out.push(b' ');
    write_nstring(out, envelope.in_reply_to.as_deref(), utf8);
    out.push(b' ');
    write_nstring(out, envelope.message_id.as_deref(), utf8);
    out.push(b')');
}

fn write_addresses(out: &mut Vec<u8>, list: &[Address], utf8: bool) {
    if list.is_empty() {
        return out.extend_from_slice(b"NIL");
    }
    out.push(b'(');
    for address in list {
        out.push(b'(');
        for (at, part) in [&address.name, &address.route, &address.mailbox, &address.host].into_iter().enumerate() {
            super::separate(out, at);
            write_nstring(out, part.as_deref(), utf8);
        }
        out.push(b')');
    }
    out.push(b')');
}
