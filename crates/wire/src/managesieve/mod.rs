//! ManageSieve (RFC 5804), server side: commands with their strings and literals, answers.
//!
//! A command is read line by line: [`CommandReader::line`] says what comes next, [`CommandReader::literal`] takes the octets of a
//! literal.

mod reader;
mod write;

pub use reader::{Command, CommandReader, Need, Wrong};
pub use write::{Code, answer, string};

/// Longest line of a command, in octets with CRLF: an initial response of SASL fits.
pub const LINE_MAX: usize = 16 * 1024;
/// Arguments of one command.
pub const ARGUMENTS_MAX: usize = 4;
/// Longest quoted string that is written, in octets (RFC 5804 §4: `quoted` has at most 1,024).
pub const QUOTED_MAX: usize = 1024;
