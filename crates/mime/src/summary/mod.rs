//! What the store keeps of a message to list, sort, thread and search it without opening it.

use crate::envelope::Envelope;

/// The listing data of one message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// For IMAP ENVELOPE.
    pub envelope: Envelope,
    /// `Date` in Unix seconds; `None` when absent or not a date.
    pub sent: Option<i64>,
    /// Decoded subject, at most 1,000 characters.
    pub subject: String,
    /// Subject without reply and forward marks (RFC 5256 §2.1, Chinese marks too), at most 1,000 characters.
    pub base_subject: String,
    /// For threads: own id first (empty string when the message has none), then `References` (oldest first), then
    /// `In-Reply-To`; without angle brackets, no duplicates, at most 50.
    pub message_ids: Vec<String>,
    /// The first 200 characters of readable text, white space collapsed.
    pub preview: String,
    /// Whether a part would be shown as an attachment.
    pub has_attachment: bool,
}
