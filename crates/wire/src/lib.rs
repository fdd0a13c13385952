//! The mail protocols as pure codecs: bytes in, typed commands out, and back. No sockets, no clock, no runtime: the
//! same input gives the same output, in whatever pieces it arrives.
//!
//! | module | what it speaks | begin at |
//! |---|---|---|
//! | [`smtp`] | SMTP, submission, LMTP: commands, paths, the DATA stream, replies; both sides | [`smtp::Command::parse`], [`smtp::DataDecoder`], [`smtp::Reply`] |
//! | [`pop3`] | POP3: commands and multi-line responses | [`pop3::Command::parse`], [`pop3::MultilineEncoder`] |
//! | [`imap`] | IMAP4rev1 and IMAP4rev2, server side: commands, mailbox names, sets, dates, response writers | [`imap::CommandReader`], [`imap::write`] |
//! | [`managesieve`] | ManageSieve, server side: commands, strings, answers | [`managesieve::CommandReader`] |
//! | [`sasl`] | the texts of PLAIN, LOGIN, SCRAM, OAUTHBEARER, XOAUTH2; no cryptography | [`sasl::Plain::parse`], [`sasl::ClientFirst::parse`] |
//!
//! What a peer sent and must not reach a log is a [`Secret`].
//!
//! # Limits
//!
//! Every buffer that a peer can fill and every recursion that it can drive ends at one of these. Over a limit the peer
//! gets an error reply and the session goes on, except where the table says otherwise.
//!
//! | limit | value | what is over it |
//! |---|---|---|
//! | [`smtp::COMMAND_LINE_MAX`] | 2,048 octets with CRLF | 500 5.5.2 |
//! | [`smtp::AUTH_LINE_MAX`], [`pop3::AUTH_LINE_MAX`] | 12,288 octets with CRLF | 500 5.5.6, `-ERR` |
//! | [`smtp::PATH_MAX`] | 256 octets with brackets | 501 5.1.7, 501 5.1.3 |
//! | [`smtp::LOCAL_PART_MAX`] | 64 octets | 501 5.1.7, 501 5.1.3 |
//! | [`smtp::DOMAIN_MAX`] | 255 octets | 501 5.1.7, 501 5.1.3 |
//! | [`smtp::PARAMETERS_MAX`] | 32 in one command | 501 5.5.4 |
//! | [`smtp::ENVID_MAX`], [`smtp::ORCPT_MAX`] | 100 characters, 500 octets | 501 5.5.4 |
//! | [`smtp::REPLY_LINE_MAX`] | 512 octets with CRLF, written | goes on in the next line |
//! | [`smtp::REPLY_LINE_ACCEPTED_MAX`], [`smtp::REPLY_LINES_MAX`] | 4,096 octets, 256 lines, read | the client closes |
//! | [`pop3::COMMAND_LINE_MAX`] | 255 octets with CRLF | `-ERR` |
//! | [`imap::LINE_MAX`] | 65,536 octets, literals apart | BAD, the line is skipped |
//! | [`imap::LITERAL_MAX`] | 65,536 octets, APPEND's messages apart | BAD, the literal is skipped |
//! | [`imap::COMMAND_MAX`] | 524,288 octets with literals | BAD, the literal is skipped |
//! | [`imap::NESTING_MAX`] | 50 levels of search keys | BAD |
//! | [`imap::SEQUENCE_SET_MAX`] | 10,000 members | BAD |
//! | [`imap::LIST_MAX`] | 1,000 elements | BAD |
//! | [`imap::SECTION_DEPTH_MAX`] | 100 part numbers | BAD |
//! | [`imap::MAILBOX_MAX`] | 1,024 octets as sent | BAD |
//! | [`imap::TAG_MAX`] | 128 octets | BAD without a tag |
//! | [`imap::write::QUOTED_MAX`] | 1,024 octets, written | becomes a literal |
//! | [`managesieve::LINE_MAX`], [`managesieve::ARGUMENTS_MAX`] | 16,384 octets, 4 | BYE, NO |
//! | [`sasl::NAME_MAX`], [`sasl::TOKEN_MAX`] | 1,024, 8,192 octets | the exchange fails |
//!
//! How long a message may be (DATA, BDAT, APPEND) is the door's to say: messages pass through and are not held here.

pub mod imap;
pub mod managesieve;
pub mod pop3;
pub mod sasl;
mod secret;
pub mod smtp;

pub use secret::Secret;
