//! APPEND (RFC 9051 §6.3.12) with MULTIAPPEND (RFC 3502), CATENATE (RFC 4469) and REPLACE (RFC 8508), fragment by fragment: what stands
//! between two messages, or two texts of one message, that pass through in pieces.

use super::{Bad, Cursor};
use crate::imap::{Bound, DateTime, Flag, LIST_MAX, Replaced};

/// Where a fragment begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::imap) enum Place {
    /// Behind a message: another one, or the end.
    Message,
    /// Behind the literal of a message in UTF8 (...).
    Utf8Message,
    /// Behind the parenthesis of CATENATE.
    FirstPart,
    /// Behind a part.
    Part,
    /// Behind the literal of a part in UTF8 (...).
    Utf8Part,
}

/// What the command is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::imap) struct Target {
    pub mailbox: String,
    pub replaces: Option<Replaced>,
}

/// What stands before a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::imap) struct MessageHead {
    pub flags: Vec<Flag>,
    pub internal_date: Option<DateTime>,
    pub utf8: bool,
    pub catenate: bool,
}

/// What a fragment holds, in its order.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::imap) enum Step {
    /// A message begins: the literal that ends the fragment, or the parts of CATENATE.
    Message(MessageHead),
    /// A part that is to be copied from elsewhere.
    Url(String),
    /// A part: the literal that ends the fragment.
    Text,
    /// The last part was there.
    CatenateEnd,
    /// The end of the command.
    End,
}

/// What a fragment turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::imap) enum Fragment {
    /// The literal behind it belongs to it: a URL.
    Incomplete,
    /// Its steps, and where the next fragment begins.
    Steps(Vec<Step>, Place),
}

/// Reads the start of a command; `None` where it is no APPEND or REPLACE, and `Some(None)` where the literal behind it is its mailbox.
pub(in crate::imap) fn target(c: &mut Cursor<'_>) -> Result<Option<Option<Target>>, Bad> {
    if super::tag(c).is_err() {
        return Ok(None);
    }
    let uid = c.eat_word("UID");
    let replaces = if !uid && c.eat_word("APPEND") {
        None
    } else if c.eat_word("REPLACE") {
        let message = if c.eat(b'*') { Bound::Star } else { Bound::Number(c.nz_number()?) };
        c.space()?;
        Some(Replaced { uid, message })
    } else {
        return Ok(None);
    };
    if c.rest().is_empty() {
        return Ok(Some(None));
    }
    Ok(Some(Some(Target { mailbox: c.mailbox()?, replaces })))
}

/// Reads a fragment from `place` on, `messages` of the command being behind it; `literal` says that a literal stands behind it, `single`
/// that the command takes one message only.
pub(in crate::imap) fn fragment(
    c: &mut Cursor<'_>,
    place: Place,
    mut messages: usize,
    literal: bool,
    single: bool,
) -> Result<Fragment, Bad> {
    let (mut steps, mut place) = (Vec::new(), place);
    loop {
        if steps.len() > LIST_MAX {
            return Err(Bad("Too many parts of a message"));
        }
        let at_literal = |c: &Cursor<'_>| literal && c.rest().is_empty();
        match place {
            Place::Utf8Message | Place::Utf8Part => {
                c.expect(b')', "UTF8 does not end")?;
                place = if place == Place::Utf8Part { Place::Part } else { Place::Message };
            }
            Place::Message if !literal && messages > 0 && c.end().is_ok() => {
                steps.push(Step::End);
                return Ok(Fragment::Steps(steps, place));
            }
            Place::Message if single && messages > 0 => return Err(Bad("REPLACE takes one message")),
            Place::Message => {
                let head = message_head(c)?;
                place = match (head.catenate, head.utf8) {
                    (true, _) => Place::FirstPart,
                    (false, true) => Place::Utf8Message,
                    (false, false) => Place::Message,
                };
                let catenate = head.catenate;
                steps.push(Step::Message(head));
                if !catenate && at_literal(c) {
                    return Ok(Fragment::Steps(steps, place));
                } else if !catenate {
                    return Err(Bad("Bad arguments of APPEND"));
                }
                messages += 1;
            }
            Place::Part if c.eat(b')') => {
                steps.push(Step::CatenateEnd);
                place = Place::Message;
            }
            Place::FirstPart | Place::Part => {
                if place == Place::Part {
                    c.space()?;
                }
                place = Place::Part;
                if c.eat_word("URL") {
                    if at_literal(c) {
                        return Ok(Fragment::Incomplete);
                    }
                    steps.push(Step::Url(c.astring()?));
                    continue;
                }
                if c.eat_word("UTF8") {
                    c.expect(b'(', "UTF8 wants a literal")?;
                    place = Place::Utf8Part;
                } else if !c.eat_word("TEXT") {
                    return Err(Bad("URL or TEXT is wanted"));
                }
                if !at_literal(c) {
                    return Err(Bad("TEXT wants a literal"));
                }
                steps.push(Step::Text);
                return Ok(Fragment::Steps(steps, place));
            }
        }
    }
}

fn message_head(c: &mut Cursor<'_>) -> Result<MessageHead, Bad> {
    c.space()?;
    let mut head = MessageHead::default();
    if c.peek() == Some(b'(') {
        head.flags = c.list(Cursor::flag)?;
        c.space()?;
    }
    if c.peek() == Some(b'"') {
        head.internal_date = Some(c.date_time()?);
        c.space()?;
    }
    if c.eat_word("UTF8") {
        c.expect(b'(', "UTF8 wants a literal")?;
        head.utf8 = true;
    } else if c.eat_word("CATENATE") {
        c.expect(b'(', "CATENATE wants a list")?;
        head.catenate = true;
    }
    Ok(head)
}
