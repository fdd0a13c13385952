//! From bytes as they arrive to commands.

use super::{Command, DateTime, Flag};

/// Which non-synchronising literals a client may send (RFC 7888).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LiteralMode {
    /// LITERAL+: any size within the limits.
    #[default]
    Plus,
    /// LITERAL-: up to [`super::LITERAL_MINUS_MAX`] octets.
    Minus,
}

/// What the reader found.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// The client waits before a literal: send a continuation request (`+ OK`).
    NeedContinuation {
        /// Octets announced.
        size: u64,
    },
    /// A whole command other than APPEND.
    Command {
        /// The tag to answer with.
        tag: String,
        /// The command.
        command: Command,
    },
    /// APPEND reached a message. If it is refused, call [`CommandReader::refuse_append`] and answer NO; otherwise
    /// send a continuation request if `synchronizing`, and go on reading.
    Append(AppendMessage),
    /// The next octets of that message. All pieces together are as long as announced.
    AppendData(&'a [u8]),
    /// The APPEND command is complete: store its messages (RFC 3502: all or none) and answer.
    AppendEnd {
        /// The tag to answer with.
        tag: String,
    },
    /// The line asked for with [`CommandReader::expect_line`], without its CRLF.
    Line(Vec<u8>),
    /// The command cannot be understood: answer BAD, with `*` if no tag is known. The reader has found its way to the
    /// next command, or will. An APPEND under way is void.
    Error {
        /// The tag, if one was read.
        tag: Option<String>,
        /// What to tell the peer.
        text: &'static str,
    },
}

/// One message of an APPEND command (RFC 9051 §6.3.12).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppendMessage {
    /// The tag to answer with.
    pub tag: String,
    /// The target.
    pub mailbox: String,
    /// 0 for the first message of the command, 1 for the next under MULTIAPPEND.
    pub index: usize,
    /// The flags, empty if none were given.
    pub flags: Vec<Flag>,
    /// The date, if one was given.
    pub internal_date: Option<DateTime>,
    /// Octets of the message. 0 cancels a MULTIAPPEND (RFC 3502 §6.3.11).
    pub size: u64,
    /// Sent as literal8, so that it may hold NUL (RFC 3516).
    pub binary: bool,
    /// Sent inside UTF8 (...): its header may hold UTF-8 (RFC 6855 §4).
    pub utf8: bool,
    /// Whether the client waits for a continuation request.
    pub synchronizing: bool,
}

/// Turns the client's bytes into events. Holds at most one command, within the limits of [`super`].
#[derive(Debug, Default)]
pub struct CommandReader {
    buffer: Vec<u8>,
}
