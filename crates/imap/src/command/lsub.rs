//! LSUB (RFC 3501 §6.3.9).

use std::collections::BTreeSet;

use super::list::{patterns, write_line};
use crate::name::SEPARATOR;
use crate::reply::{Outcome, Reply};
use crate::session::Session;
use crate::tree::Tree;

/// Lists what is subscribed. Where `%` keeps a subscribed mailbox out of sight, the level above it is shown, not to be selected.
pub(super) async fn run(session: &mut Session, reference: &str, pattern: &str) -> Outcome {
    if pattern.is_empty() {
        session.untagged("LSUB (\\Noselect) \"/\" \"\"");
        return Ok(Reply::ok("Done"));
    }
    let patterns = patterns(reference, &[pattern.to_owned()]);
    // Below a level that the pattern names there may be subscribed mailboxes that it does not.
    let tree = Tree::load(session, |_| true).await?;
    let matches = |name: &str| patterns.iter().any(|pattern| pattern.matches(name));
    let mut shown: BTreeSet<&str> = BTreeSet::new();
    let subscribed = || tree.named.iter().chain(&tree.gone).filter(|listed| listed.subscribed);
    for listed in subscribed().filter(|listed| matches(&listed.path)) {
        shown.insert(&listed.path);
        let missing = if listed.mailbox.is_none() { "\\Noselect" } else { "" };
        write_line(session, "LSUB", missing, &listed.path);
        session.out.extend_from_slice(b"\r\n");
        session.relieve().await?;
    }
    for path in subscribed().map(|listed| listed.path.as_str()).filter(|path| !matches(path)) {
        let above = path.match_indices(SEPARATOR).map(|(at, _)| &path[..at]).rev().find(|above| matches(above));
        if let Some(above) = above.filter(|above| shown.insert(above)) {
            write_line(session, "LSUB", "\\Noselect", above);
            session.out.extend_from_slice(b"\r\n");
        }
    }
    Ok(Reply::ok("Done"))
}
