//! XLIST: what LIST says with attributes of its own, as Gmail had it before RFC 6154. Old versions of Apple Mail, Outlook and many phones
//! find their folders by it.

use super::list::{attributes, patterns, write_line};
use crate::reply::{Outcome, Reply};
use crate::session::Session;
use crate::tree::Tree;

pub(super) async fn run(session: &mut Session, reference: &str, pattern: &str) -> Outcome {
    if pattern.is_empty() {
        session.untagged("XLIST (\\Noselect) \"/\" \"\"");
        return Ok(Reply::ok("Done"));
    }
    let patterns = patterns(reference, &[pattern.to_owned()]);
    let tree = Tree::load(session, |prefix| patterns.iter().any(|pattern| pattern.reaches(prefix))).await?;
    for listed in tree.named.iter().filter(|listed| patterns.iter().any(|pattern| pattern.matches(&listed.path))) {
        let mut line = attributes(listed, false, false).replace("\\Junk", "\\Spam");
        if listed.path == "INBOX" {
            line.push_str(" \\Inbox");
        }
        write_line(session, "XLIST", &line, &listed.path);
        session.out.extend_from_slice(b"\r\n");
        session.relieve().await?;
    }
    Ok(Reply::ok("Done"))
}
