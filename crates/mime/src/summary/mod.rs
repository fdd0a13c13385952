//! What the store keeps of a message to list, sort, thread and search it without opening it.

mod attachment;
mod ids;
mod preview;
mod subject;

use crate::date;
use crate::envelope::Envelope;
use crate::structure::parser::{Finished, Sampler};
use crate::structure::{Limits, Structure, StructureParser};

pub use ids::{MAX_MESSAGE_IDS, message_id};
pub use preview::MAX_PREVIEW;
pub use subject::{MAX_SUBJECT, base_subject, base_subject_and_reply, subject_text};

/// Bytes kept of a text body, still encoded, for the preview.
pub const MAX_SAMPLE: usize = 64 * 1024;

/// The listing data of one message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// For IMAP ENVELOPE.
    pub envelope: Envelope,
    /// `Date` in Unix seconds; `None` when absent or not a date.
    pub sent: Option<i64>,
    /// Decoded subject, at most [`MAX_SUBJECT`] characters, white space collapsed.
    pub subject: String,
    /// Subject without reply and forward marks (RFC 5256 §2.1, Chinese marks too).
    pub base_subject: String,
    /// For threads: own id first (empty string when the message has none), then `References` (oldest first), then
    /// `In-Reply-To`; without angle brackets, no duplicates, at most [`MAX_MESSAGE_IDS`].
    pub message_ids: Vec<String>,
    /// How many of `message_ids`, at its end, stand in `In-Reply-To` only.
    pub replied: usize,
    /// The first [`MAX_PREVIEW`] characters of readable text, white space collapsed.
    pub preview: String,
    /// Whether a part would be shown as an attachment.
    pub has_attachment: bool,
}

/// Everything that one pass over a message tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// The tree of parts.
    pub structure: Structure,
    /// The listing data.
    pub summary: Summary,
    /// Raw header block of the message with its blank line, cut at [`Limits::header_bytes`].
    pub header: Vec<u8>,
}

/// Parses a message that is in memory, with the default [`Limits`].
pub fn parse_message(message: &[u8]) -> Parsed {
    let mut parser = MessageParser::new(Limits::default());
    parser.feed(message);
    parser.finish()
}

/// Parses a message that comes in pieces: a [`StructureParser`] that also keeps what the summary needs, at most two
/// samples of [`MAX_SAMPLE`].
pub struct MessageParser {
    structure: StructureParser,
}

impl MessageParser {
    /// A parser before the first byte.
    pub fn new(limits: Limits) -> MessageParser {
        let mut structure = StructureParser::new(limits);
        structure.sampler = Sampler::new(MAX_SAMPLE);
        MessageParser { structure }
    }

    /// Takes the next bytes of the message.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.structure.feed(bytes);
    }

    /// Structure and summary, after the last byte was fed.
    pub fn finish(self) -> Parsed {
        let Finished { structure, root_block, samples } = self.structure.finish_with_header();
        let envelope = Envelope::parse(&root_block);
        let subject = subject_text(envelope.subject.as_deref().unwrap_or_default());
        let (message_ids, replied) = ids::message_ids(&root_block);
        let summary = Summary {
            sent: envelope.date.as_deref().and_then(date::parse).map(|date| date.unix),
            base_subject: base_subject(&subject),
            subject,
            message_ids,
            replied,
            preview: preview::preview(&structure, &samples),
            has_attachment: attachment::has_attachment(&structure),
            envelope,
        };
        Parsed { structure, summary, header: root_block }
    }
}
