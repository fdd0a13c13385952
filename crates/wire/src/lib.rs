//! The mail protocols as pure codecs: bytes in, typed commands out, and back. No sockets, no clock, no runtime.
//!
//! | module | what it speaks |
//! |---|---|
//! | [`smtp`] | SMTP, submission and LMTP: commands, paths, the DATA stream, replies (both sides) |
//! | [`pop3`] | POP3: commands and multi-line responses |
//! | [`imap`] | IMAP4rev1 and IMAP4rev2, server side: command reader, typed commands, response writers |
//! | [`sasl`] | the texts of PLAIN, LOGIN, SCRAM, OAUTHBEARER and XOAUTH2 (no cryptography) |

pub mod imap;
pub mod pop3;
pub mod sasl;
mod secret;
pub mod smtp;

pub use secret::Secret;
