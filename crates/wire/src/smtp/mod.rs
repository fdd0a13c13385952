//! SMTP (RFC 5321), message submission (RFC 6409) and LMTP (RFC 2033).
//!
//! Server: cut the input at CRLF, give each line to [`Command::parse`]; a [`CommandError`] is the reply to give.
//! After DATA feed the input to a [`DataDecoder`]; after BDAT count the octets yourself.
//! Client: write [`MailFrom::to_line`], [`RcptTo::to_line`], encode the message with [`DataEncoder`], read replies
//! with [`ReplyReader`] and the answer to EHLO with [`Capabilities::from_reply`].

mod capabilities;
mod command;
mod data;
mod error;
mod parameters;
mod path;
mod reply;
mod xtext;

pub use capabilities::Capabilities;
pub use command::{Command, parse_auth_response};
pub use data::{DataDecoder, DataEncoder, Progress, has_whole_line_ends};
pub use error::CommandError;
pub use parameters::{BodyType, Hold, MailFrom, Notify, Parameter, RcptTo, Ret};
pub use path::{ForwardPath, Mailbox};
pub use reply::{Enhanced, Reply, ReplyError, ReplyReader};
pub use xtext::{xtext_decode, xtext_encode};

/// Longest command line, in octets with its CRLF (RFC 5321 §4.5.3.1.4 asks for 512; extensions add to it).
pub const COMMAND_LINE_MAX: usize = 2_048;
/// Longest AUTH command or AUTH response line, in octets with its CRLF (RFC 4954 §4).
pub const AUTH_LINE_MAX: usize = 12_288;
/// Longest path, in octets with its angle brackets (RFC 5321 §4.5.3.1.3).
pub const PATH_MAX: usize = 256;
/// Longest local part, in octets (RFC 5321 §4.5.3.1.1).
pub const LOCAL_PART_MAX: usize = 64;
/// Longest domain, in octets (RFC 5321 §4.5.3.1.2).
pub const DOMAIN_MAX: usize = 255;
/// Most parameters in one MAIL or RCPT command.
pub const PARAMETERS_MAX: usize = 32;
/// Longest ENVID, in characters after decoding (RFC 3461 §4.4).
pub const ENVID_MAX: usize = 100;
/// Longest ORCPT, in octets of its encoded form (RFC 3461 §4.2).
pub const ORCPT_MAX: usize = 500;
/// Longest reply line written, in octets with its CRLF (RFC 5321 §4.5.3.1.5).
pub const REPLY_LINE_MAX: usize = 512;
/// Longest reply line accepted from a server, in octets.
pub const REPLY_LINE_ACCEPTED_MAX: usize = 4_096;
/// Most lines accepted in one reply from a server.
pub const REPLY_LINES_MAX: usize = 256;
