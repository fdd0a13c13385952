//! One text that is looked for in one field.

use crate::fold::fold;
use crate::searchable::{Searchable, Zone};

/// Where a text is looked for (RFC 9051 §6.4.4).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// TEXT: header and body, the header fields of parts among them.
    Text,
    /// BODY: everything but header fields of the message and its parts; names of attachments belong to it.
    Body,
    /// HEADER: the values of one field of the message, in lower case.
    Header(String),
}

/// A text and a field. An empty text is found in every message, or in every one that has the field.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Query {
    /// Where it is looked for.
    pub field: Field,
    /// What is looked for, folded.
    pub needle: String,
}

impl Query {
    /// TEXT.
    pub fn text(text: &str) -> Query {
        Query { field: Field::Text, needle: fold(text) }
    }

    /// BODY.
    pub fn body(text: &str) -> Query {
        Query { field: Field::Body, needle: fold(text) }
    }

    /// HEADER; FROM, TO, CC, BCC and SUBJECT are headers of these names.
    pub fn header(name: &str, text: &str) -> Query {
        Query { field: Field::Header(fold(name)), needle: fold(text) }
    }

    /// Whether a message's text holds it. Linear.
    pub fn is_in(&self, head: &str, body: &str) -> bool {
        match &self.field {
            Field::Text => self.is_part_of(head) || self.is_part_of(body),
            Field::Body => self.is_part_of(body),
            Field::Header(name) => {
                Searchable::fields(head).any(|(field, value)| field == name && self.is_part_of(value))
            }
        }
    }

    /// Whether the head has to be looked at.
    pub fn needs_head(&self) -> bool {
        self.field != Field::Body
    }

    /// Whether the body has to be looked at.
    pub fn needs_body(&self) -> bool {
        !matches!(self.field, Field::Header(_))
    }

    fn is_part_of(&self, text: &str) -> bool {
        self.needle.is_empty() || memchr::memmem::find(text.as_bytes(), self.needle.as_bytes()).is_some()
    }

    /// The zones in which the text may stand, as a bit set.
    pub(crate) fn zones(&self) -> u8 {
        match &self.field {
            Field::Text => u8::MAX,
            Field::Body => 1 << Zone::Body as u8,
            Field::Header(name) => 1 << Zone::of_field(name) as u8,
        }
    }
}
