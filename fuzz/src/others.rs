//! What POP3 and SMTP clients send.

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
