//! What POP3 and SMTP clients send, and what old systems export.

use anser_roster::{Format, Options};
use anser_wire::{pop3, smtp};

/// A line of a POP3 client.
pub fn pop3_command(data: &[u8]) {
    let _ = pop3::Command::parse(data);
}

/// Lines of an SMTP client: a command, an answer of AUTH, a message.
pub fn smtp_command(data: &[u8]) {
    for smtputf8 in [false, true] {
        let _ = smtp::Command::parse(data, smtputf8);
    }
    let _ = smtp::parse_auth_response(data);
    let _ = smtp::ReplyReader::new().push(data);
}

/// A file with the people of an organisation, guessed and as every format.
pub fn roster(data: &[u8]) {
    let formats = ["csv", "ldif", "passwd", "shadow", "dovecot", "sql"].map(Format::named);
    for format in formats.into_iter().chain([None]) {
        let roster = anser_roster::read(data, &Options { format, domain: Some("example.org".to_owned()) });
        assert!(roster.rows.iter().all(|row| row.line > 0));
    }
}
