//! Replies, written and read.

use super::{REPLY_LINE_ACCEPTED_MAX, REPLY_LINE_MAX, REPLY_LINES_MAX};

/// An enhanced status code `class.subject.detail` (RFC 3463).
pub type Enhanced = (u8, u16, u16);

/// A reply of the server (RFC 5321 §4.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// 200 to 599.
    pub code: u16,
    /// The enhanced status code, repeated on every line when written (RFC 2034).
    pub enhanced: Option<Enhanced>,
    /// The texts of the lines, at least one, without codes.
    pub lines: Vec<String>,
}

/// What a server sent instead of a reply. The client closes the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplyError {
    /// A line does not begin with a three-digit code, or codes differ within a reply.
    Malformed,
    /// A line is over [`super::REPLY_LINE_ACCEPTED_MAX`] or a reply over [`super::REPLY_LINES_MAX`].
    TooLong,
}

/// Collects one reply after another from a server's bytes.
#[derive(Debug, Default)]
pub struct ReplyReader {
    line: Vec<u8>,
    partial: Option<Reply>,
}

impl Reply {
    /// A reply of one line.
    pub fn new(code: u16, enhanced: Option<Enhanced>, text: impl Into<String>) -> Self {
        Self { code, enhanced, lines: vec![text.into()] }
    }
}
