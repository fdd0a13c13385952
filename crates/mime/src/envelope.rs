//! The IMAP envelope of a message: the header fields that lists of messages show (RFC 9051 §7.5.2).

use anser_base::pack::put_number;

use crate::address::{self, Address, MAX_ADDRESSES};
use crate::codec::Reader;
use crate::envelope_view::EnvelopeView;
use crate::{header, text};

/// Version of the byte form; other versions are refused, and the caller parses the message again.
pub(crate) const VERSION: u8 = 1;

/// Header fields as `FETCH ENVELOPE` tells them (RFC 9051 §7.5.2): bytes as in the header, unfolded and trimmed, with
/// encoded words and 8-bit text untouched. `None` is IMAP's NIL (field absent); a present but empty field is
/// `Some(empty)`. `sender` and `reply_to` already hold `from` when their own field is absent or empty. Each list holds
/// at most [`MAX_ADDRESSES`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Envelope {
    /// `Date`.
    pub date: Option<Vec<u8>>,
    /// `Subject`.
    pub subject: Option<Vec<u8>>,
    /// `From`.
    pub from: Vec<Address>,
    /// `Sender`, or `from`.
    pub sender: Vec<Address>,
    /// `Reply-To`, or `from`.
    pub reply_to: Vec<Address>,
    /// `To`; the lists of repeated fields are joined.
    pub to: Vec<Address>,
    /// `Cc`; the lists of repeated fields are joined.
    pub cc: Vec<Address>,
    /// `Bcc`; the lists of repeated fields are joined.
    pub bcc: Vec<Address>,
    /// `In-Reply-To`, whole value.
    pub in_reply_to: Option<Vec<u8>>,
    /// `Message-ID`, whole value with its angle brackets.
    pub message_id: Option<Vec<u8>>,
}

impl Envelope {
    /// Reads the envelope of a raw header block. Of a repeated field the first counts, except for the recipients.
    pub fn parse(block: &[u8]) -> Envelope {
        let mut envelope = Envelope::default();
        for field in header::fields(block) {
            envelope.take(&field);
        }
        envelope.fill_defaults();
        envelope
    }

    /// The subject for people; empty when there is none.
    pub fn subject_text(&self) -> String {
        self.subject.as_deref().map(text::decode_header).unwrap_or_default()
    }

    /// The compact stored form, versioned.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        self.write(&mut out);
        out
    }

    /// Reads [`Envelope::to_bytes`]; `None` for another version or for bytes it did not write.
    pub fn from_bytes(bytes: &[u8]) -> Option<Envelope> {
        EnvelopeView::from_bytes(bytes).map(EnvelopeView::to_envelope)
    }

    fn take(&mut self, field: &header::Field<'_>) {
        let text = || header::unfold(field.value).into_owned();
        let first = |list: &mut Vec<Address>| {
            if list.is_empty() {
                *list = address::parse_list(field.value);
            }
        };
        match field.name.to_ascii_lowercase().as_slice() {
            b"date" if self.date.is_none() => self.date = Some(text()),
            b"subject" if self.subject.is_none() => self.subject = Some(text()),
            b"in-reply-to" if self.in_reply_to.is_none() => self.in_reply_to = Some(text()),
            b"message-id" if self.message_id.is_none() => self.message_id = Some(text()),
            b"from" => first(&mut self.from),
            b"sender" => first(&mut self.sender),
            b"reply-to" => first(&mut self.reply_to),
            b"to" => append(&mut self.to, field.value),
            b"cc" => append(&mut self.cc, field.value),
            b"bcc" => append(&mut self.bcc, field.value),
            _ => {}
        }
    }

    fn fill_defaults(&mut self) {
        if self.sender.is_empty() {
            self.sender.clone_from(&self.from);
        }
        if self.reply_to.is_empty() {
            self.reply_to.clone_from(&self.from);
        }
    }

    /// Appends the stored form without its version: one flag for each list that repeats `from`, then the fields.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let same = |list: &Vec<Address>| u8::from(*list == self.from);
        let same = [same(&self.sender), same(&self.reply_to)];
        out.push(same[0] | same[1] << 1);
        for text in [&self.date, &self.subject, &self.in_reply_to, &self.message_id] {
            write_option(text, out);
        }
        for list in [&self.from, &self.to, &self.cc, &self.bcc] {
            write_list(list, out);
        }
        for (list, same) in [&self.sender, &self.reply_to].into_iter().zip(same) {
            if same == 0 {
                write_list(list, out);
            }
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Envelope> {
        EnvelopeView::read(reader).map(EnvelopeView::to_envelope)
    }
}

fn append(list: &mut Vec<Address>, value: &[u8]) {
    if list.len() < MAX_ADDRESSES {
        list.extend(address::parse_list(value));
        list.truncate(MAX_ADDRESSES);
    }
}

/// Writes an optional string: its length plus one through the dictionary form, or zero.
fn write_option(text: &Option<Vec<u8>>, out: &mut Vec<u8>) {
    match text {
        None => out.push(0),
        Some(text) => {
            put_number(out, text.len() as u64 + 1);
            out.extend_from_slice(text);
        }
    }
}

fn write_list(list: &[Address], out: &mut Vec<u8>) {
    put_number(out, list.len() as u64);
    for address in list {
        for part in [&address.name, &address.route, &address.mailbox, &address.host] {
            write_option(part, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_and_absent_fields() {
        let envelope =
            Envelope::parse(b"From: a@b\r\nSubject:\r\nTo: c@d\r\nTo: e@f\r\nReply-To: r@s\r\n\r\nDate: x\r\n");
        assert_eq!(envelope.subject.as_deref(), Some(&b""[..]));
        assert_eq!(envelope.date, None);
        assert_eq!(envelope.sender, envelope.from);
        assert_eq!(envelope.reply_to[0].email().as_deref(), Some("r@s"));
        assert_eq!(envelope.to.len(), 2);
        assert_eq!(Envelope::from_bytes(&envelope.to_bytes()), Some(envelope));
    }

    #[test]
    fn folded_raw_text_is_kept() {
        let envelope = Envelope::parse(b"Subject: =?gbk?B?saix?=\r\n =?gbk?B?uA==?=\r\n");
        assert_eq!(envelope.subject.as_deref(), Some(&b"=?gbk?B?saix?= =?gbk?B?uA==?="[..]));
    }
}
