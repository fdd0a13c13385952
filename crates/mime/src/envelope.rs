//! The IMAP envelope of a message: the header fields that lists of messages show (RFC 9051 §7.5.2).

use crate::address::Address;

/// Header fields as `FETCH ENVELOPE` tells them (RFC 9051 §7.5.2): bytes as in the header, unfolded and trimmed, with
/// encoded words and 8-bit text untouched. `None` is IMAP's NIL (field absent); a present but empty field is
/// `Some(empty)`. `sender` and `reply_to` already hold `from` when their own field is absent or empty.
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
    /// `To`.
    pub to: Vec<Address>,
    /// `Cc`.
    pub cc: Vec<Address>,
    /// `Bcc`.
    pub bcc: Vec<Address>,
    /// `In-Reply-To`, whole value.
    pub in_reply_to: Option<Vec<u8>>,
    /// `Message-ID`, whole value with its angle brackets.
    pub message_id: Option<Vec<u8>>,
}
