//! POP3 (RFC 1939) with CAPA (RFC 2449), STLS (RFC 2595), AUTH (RFC 5034), UTF8 and LANG (RFC 6856).
//!
//! Cut the input at CRLF, give each line to [`Command::parse`]; answer messages through [`MultilineEncoder`].

mod command;

pub use crate::smtp::DataDecoder as MultilineDecoder;
pub use crate::smtp::DataEncoder as MultilineEncoder;
pub use crate::smtp::has_whole_line_ends;
pub use command::{Command, CommandError};

/// Longest command line, in octets with its CRLF (RFC 2449 §4).
pub const COMMAND_LINE_MAX: usize = 255;
/// Longest AUTH command or AUTH response line, in octets with its CRLF (RFC 5034 §4).
pub const AUTH_LINE_MAX: usize = 12_288;
