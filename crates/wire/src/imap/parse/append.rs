//! APPEND (RFC 9051 §6.3.12) up to each of its messages.

use super::{Bad, Cursor};
use crate::imap::{DateTime, Flag};

/// What stands before a message of APPEND.
pub(in crate::imap) struct AppendHead {
    pub mailbox: String,
    pub flags: Vec<Flag>,
    pub internal_date: Option<DateTime>,
    pub utf8: bool,
}

/// Reads a command up to the header of a literal that ends its line; `line` is without that header.
/// `None`: it is not APPEND, or the literal is the mailbox name, so that the literal belongs to the command.
pub(in crate::imap) fn append_head(line: &[u8], utf8: bool) -> Option<Result<AppendHead, Bad>> {
    let mut c = Cursor::new(line, utf8);
    let is_append = super::tag(&mut c).is_ok() && c.eat_word("APPEND");
    if !is_append || c.rest().is_empty() {
        return None;
    }
    Some(c.mailbox().and_then(|mailbox| message_head(&mut c, mailbox)))
}

/// Reads what stands before the next message of the same command (RFC 3502).
pub(in crate::imap) fn next_append(line: &[u8], mailbox: String) -> Result<AppendHead, Bad> {
    message_head(&mut Cursor::new(line, false), mailbox)
}

fn message_head(c: &mut Cursor<'_>, mailbox: String) -> Result<AppendHead, Bad> {
    c.space()?;
    let mut head = AppendHead { mailbox, flags: Vec::new(), internal_date: None, utf8: false };
    if c.peek() == Some(b'(') {
        head.flags = c.list(Cursor::flag)?;
        c.space()?;
    }
    if c.peek() == Some(b'"') {
        head.internal_date = Some(c.date_time()?);
        c.space()?;
    }
    if c.eat_word("UTF8") {
        head.utf8 = c.eat(b'(');
    }
    if c.rest().is_empty() { Ok(head) } else { Err(Bad("Bad arguments of APPEND")) }
}
