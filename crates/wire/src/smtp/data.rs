//! The DATA stream (RFC 5321 §4.5.2): dot-stuffing and the one true end of data.

/// What one [`DataDecoder::push`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Octets of the input that belong to the message. Behind a finished message the rest is the next command.
    pub consumed: usize,
    /// Whether `<CRLF>.<CRLF>` was found.
    pub done: bool,
    /// Whether a CR without LF or a LF without CR was met so far in this message: refuse it with 550 5.6.11
    /// after its true end, or it may be read as two messages by the next host (SMTP smuggling).
    pub bare_newline: bool,
}
