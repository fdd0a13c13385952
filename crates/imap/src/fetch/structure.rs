//! BODY and BODYSTRUCTURE (RFC 9051 §7.5.2).

use anser_mime::params::Params;
use anser_mime::structure::{Disposition, Part, Structure};
use anser_wire::imap::write::{write_field, write_number};

use super::envelope;

/// Writes the structure of a message; `extended` adds the extension data of BODYSTRUCTURE. The parser bounds the depth.
pub(super) fn write(out: &mut Vec<u8>, structure: &Structure, extended: bool, utf8: bool) {
    Writer { structure, extended, utf8 }.part(out, structure.root());
}

struct Writer<'a> {
    structure: &'a Structure,
    extended: bool,
    utf8: bool,
}

impl Writer<'_> {
    fn part(&self, out: &mut Vec<u8>, part: &Part) {
        out.push(b'(');
        match part.is_multipart() {
            true => self.multipart(out, part),
            false => self.leaf(out, part),
        }
        out.push(b')');
    }

    fn multipart(&self, out: &mut Vec<u8>, part: &Part) {
        for child in part.children.iter().filter_map(|index| self.structure.parts.get(*index as usize)) {
            self.part(out, child);
        }
        out.push(b' ');
        self.text(out, part.subtype.as_bytes());
        if self.extended {
            out.push(b' ');
            self.params(out, &part.params);
            self.tail(out, part);
        }
    }

    fn leaf(&self, out: &mut Vec<u8>, part: &Part) {
        self.text(out, part.media_type.as_bytes());
        out.push(b' ');
        self.text(out, part.subtype.as_bytes());
        out.push(b' ');
        match part.is_text() && part.params.0.is_empty() {
            // What RFC 2045 §5.2 says of a text without parameters.
            true => out.extend_from_slice(b"(\"charset\" \"us-ascii\")"),
            false => self.params(out, &part.params),
        }
        for field in [&part.id, &part.description] {
            out.push(b' ');
            write_field(out, field.as_deref(), self.utf8);
        }
        out.push(b' ');
        self.text(out, part.encoding.as_deref().unwrap_or("7bit").as_bytes());
        out.push(b' ');
        write_number(out, part.body_size());
        self.contents(out, part);
        if self.extended {
            out.push(b' ');
            write_field(out, part.md5.as_deref(), self.utf8);
            self.tail(out, part);
        }
    }

    /// What texts and embedded messages tell besides.
    fn contents(&self, out: &mut Vec<u8>, part: &Part) {
        if let Some(embedded) = &part.embedded
            && let Some(root) = self.structure.parts.get(embedded.root as usize)
        {
            out.push(b' ');
            envelope::write_own(out, &embedded.envelope, self.utf8);
            out.push(b' ');
            self.part(out, root);
        }
        if part.is_text() || part.embedded.is_some() {
            out.push(b' ');
            write_number(out, part.lines);
        }
    }

    fn tail(&self, out: &mut Vec<u8>, part: &Part) {
        out.push(b' ');
        self.disposition(out, part.disposition.as_ref());
        out.push(b' ');
        match part.language.as_slice() {
            [] => out.extend_from_slice(b"NIL"),
            [one] => self.text(out, one.as_bytes()),
            several => {
                out.push(b'(');
                for (at, tag) in several.iter().enumerate() {
                    super::separate(out, at);
                    self.text(out, tag.as_bytes());
                }
                out.push(b')');
            }
        }
        out.push(b' ');
        write_field(out, part.location.as_deref(), self.utf8);
    }

    fn disposition(&self, out: &mut Vec<u8>, disposition: Option<&Disposition>) {
        let Some(disposition) = disposition else { return out.extend_from_slice(b"NIL") };
        out.push(b'(');
        self.text(out, disposition.kind.as_bytes());
        out.push(b' ');
        self.params(out, &disposition.params);
        out.push(b')');
    }

    fn params(&self, out: &mut Vec<u8>, params: &Params) {
        if params.0.is_empty() {
            return out.extend_from_slice(b"NIL");
        }
        out.push(b'(');
        for (at, (name, value)) in params.0.iter().enumerate() {
            super::separate(out, at);
            self.text(out, name.as_bytes());
            out.push(b' ');
            self.text(out, value);
        }
        out.push(b')');
    }

    fn text(&self, out: &mut Vec<u8>, text: &[u8]) {
        write_field(out, Some(text), self.utf8);
    }
}
