//! Message ids for threads (RFC 5322 §3.6.4).

use crate::header;

/// Ids kept of a message: its own, the first it refers to, and the last ones.
pub const MAX_MESSAGE_IDS: usize = 50;

/// Bytes of an id; longer ones are left out.
const MAX_ID: usize = 500;

/// Own id (empty when there is none), then `References`, then `In-Reply-To`; and how many at the end only the last field gave.
pub(super) fn message_ids(block: &[u8]) -> (Vec<String>, usize) {
    let mut own = Vec::new();
    let mut others = Vec::new();
    let mut replied = Vec::new();
    for field in header::fields(block) {
        if field.name.eq_ignore_ascii_case(b"message-id") && own.is_empty() {
            collect(field.value, &mut own);
        } else if field.name.eq_ignore_ascii_case(b"references") {
            collect(field.value, &mut others);
        } else if field.name.eq_ignore_ascii_case(b"in-reply-to") {
            collect(field.value, &mut replied);
        }
    }
    let references = others.len();
    others.append(&mut replied);
    let mut ids = vec![own.into_iter().next().unwrap_or_default()];
    let skipped = 1..others.len().saturating_sub(MAX_MESSAGE_IDS - 2).max(1);
    let mut replied = 0;
    for (at, id) in others.into_iter().enumerate().filter(|(at, _)| !skipped.contains(at)) {
        if !ids.contains(&id) {
            ids.push(id);
            replied += usize::from(at >= references);
        }
    }
    (ids, replied)
}

/// The id that the value of a Message-ID field gives; `None` when it gives none.
pub fn message_id(value: &[u8]) -> Option<String> {
    let mut ids = Vec::new();
    collect(value, &mut ids);
    ids.into_iter().next()
}

/// Adds the ids between angle brackets; a value without brackets and spaces is an id itself.
fn collect(value: &[u8], ids: &mut Vec<String>) {
    let mut rest = value;
    while let Some(start) = memchr::memchr(b'<', rest) {
        rest = &rest[start + 1..];
        let Some(end) = memchr::memchr2(b'>', b'<', rest) else { return };
        add(&rest[..end], ids);
        rest = &rest[end..];
    }
    let value = value.trim_ascii();
    if memchr::memchr2(b'<', b'>', value).is_none() && !value.iter().any(u8::is_ascii_whitespace) {
        add(value, ids);
    }
}

fn add(id: &[u8], ids: &mut Vec<String>) {
    let id: Vec<u8> = id.iter().copied().take(MAX_ID + 1).filter(|byte| *byte > b' ' && *byte != 0x7f).collect();
    if !id.is_empty() && id.len() <= MAX_ID {
        ids.push(String::from_utf8_lossy(&id).into_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_duplicates() {
        let block =
            b"In-Reply-To: Your mail <c@x>\r\nReferences: <a@x>\r\n <b@\r\n x> <a@x>\r\nMessage-ID: <m@x>\r\n\r\n";
        let ids = |ids: &[&str]| ids.iter().map(|id| id.to_string()).collect::<Vec<_>>();
        assert_eq!(message_ids(block), (ids(&["m@x", "a@x", "b@x", "c@x"]), 1));
        assert_eq!(message_ids(b"Message-ID: m@x\r\n"), (ids(&["m@x"]), 0));
        assert_eq!(message_ids(b"Subject: x\r\nIn-Reply-To: no id here\r\n"), (ids(&[""]), 0));
        assert_eq!(message_ids(b"References: <a>\r\nIn-Reply-To: <a>\r\n"), (ids(&["", "a"]), 0));
    }

    #[test]
    fn the_first_and_the_last_are_kept() {
        let many: String = (0..200).map(|n| format!(" <{n}@x>")).collect();
        let (ids, _) = message_ids(format!("Message-ID: <m@x>\r\nReferences:{many}\r\n").as_bytes());
        assert_eq!(ids.len(), MAX_MESSAGE_IDS);
        assert_eq!((ids[1].as_str(), ids[49].as_str()), ("0@x", "199@x"));
    }
}
