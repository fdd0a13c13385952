//! Names of folders: from the wire of an old server to a path here.

use std::borrow::Cow;

use anser_base::limits::{MAILBOX_DEPTH, MAILBOX_NAME};
use anser_mime::charset::decode_exactly;
use anser_wire::imap::mailbox_from_wire;

/// Stands for `/` within a level, which no level here may hold.
const SLASH: &str = "\u{2215}";
/// Stands for a level without a name.
const NAMELESS: &str = "_";

/// The levels of a folder here, from the top down. `prefix` is the personal namespace there, such as `INBOX.`. Nothing of a name is
/// lost that tells it from another one: the ledger keeps the name itself.
pub fn path_of(name: &[u8], delimiter: Option<u8>, prefix: &[u8]) -> Vec<String> {
    let own = name.strip_prefix(prefix).filter(|rest| !rest.is_empty() && !prefix.is_empty()).unwrap_or(name);
    let levels: Vec<&[u8]> = match delimiter {
        Some(delimiter) => own.split(|&b| b == delimiter).collect(),
        None => vec![own],
    };
    let mut path: Vec<String> = levels.into_iter().map(level_of).collect();
    if path.len() > MAILBOX_DEPTH {
        let rest = path.split_off(MAILBOX_DEPTH - 1).join(SLASH);
        path.push(cut(rest));
    }
    if let Some(first) = path.first_mut().filter(|first| first.eq_ignore_ascii_case("INBOX")) {
        *first = "INBOX".to_owned();
    }
    path
}

/// The name of a folder there, with its levels as they are there, for people to read.
pub fn shown(name: &[u8]) -> String {
    // Octets that are no UTF-8 are most likely Chinese ones.
    let is_utf8 = std::str::from_utf8(name).is_ok();
    let chinese = if is_utf8 { None } else { decode_exactly("gb18030", name) };
    let text = chinese.unwrap_or_else(|| mailbox_from_wire(name, false));
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// The name of a folder there by which its owner chooses about it: octets that are no UTF-8 stand as U+FFFD.
pub fn chosen_by(name: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(name)
}

fn level_of(octets: &[u8]) -> String {
    let text = shown(octets);
    match text.is_empty() {
        true => NAMELESS.to_owned(),
        false => cut(text.replace('/', SLASH)),
    }
}

/// At most [`MAILBOX_NAME`] bytes, at a whole character; what is cut keeps names apart by a hash of all of it.
fn cut(text: String) -> String {
    if text.len() <= MAILBOX_NAME {
        return text;
    }
    let hash = &anser_base::BlobId::of(text.as_bytes()).to_hex()[..8];
    let mut end = MAILBOX_NAME - hash.len() - 1;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}~{hash}", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(name: &str, delimiter: u8, prefix: &str) -> String {
        path_of(name.as_bytes(), Some(delimiter), prefix.as_bytes()).join(" > ")
    }

    #[test]
    fn names_that_other_servers_allow_have_a_place_here() {
        assert_eq!(path("a/b", b'.', ""), "a\u{2215}b");
        assert_eq!(path("a.b", b'/', ""), "a.b");
        assert_eq!(path("inbox", b'/', ""), "INBOX");
        assert_eq!(path("inbox/Sub", b'/', ""), "INBOX > Sub");
        assert_eq!(path("INBOX.Sent", b'.', "INBOX."), "Sent");
        assert_eq!(path("INBOX", b'.', "INBOX."), "INBOX");
        assert_eq!(path("INBOX.", b'.', "INBOX."), "INBOX > _");
        assert_eq!(path("&XfJT0ZAB-", b'/', ""), "已发送");
        assert_eq!(path("&broken", b'/', ""), "&broken");
        assert_eq!(path("trail ", b'/', ""), "trail ");
        assert_eq!(path("../../etc", b'/', ""), ".. > .. > etc");
        assert!(path(&"长".repeat(200), b'/', "").len() <= MAILBOX_NAME);
        assert_ne!(path(&"x".repeat(300), b'/', ""), path(&"x".repeat(301), b'/', ""));
        assert_eq!(path_of(b"\xb9\xa4\xd7\xf7.a", Some(b'.'), b""), ["工作", "a"]);
        assert_eq!(path_of("d/".repeat(40).as_bytes(), Some(b'/'), b"").len(), MAILBOX_DEPTH);
    }
}
