//! LIST (RFC 9051 §6.3.9), with LIST-EXTENDED (RFC 5258), LIST-STATUS (RFC 5819), LIST-MYRIGHTS (RFC 8440),
//! LIST-METADATA (RFC 9590), CHILDREN (RFC 3348) and SPECIAL-USE (RFC 6154).

use std::collections::HashSet;

use anser_store::Rights;
use anser_wire::imap::write::write_mailbox;
use anser_wire::imap::{List, ListPattern};

use super::metadata::{self, Wanted};
use super::status;
use crate::name::{self, SEPARATOR};
use crate::reply::{Outcome, Reply, Trouble};
use crate::session::Session;
use crate::tree::{Listed, Tree};

pub(super) async fn run(session: &mut Session, list: List) -> Outcome {
    if !list.extended && list.patterns == [""] {
        session.untagged("LIST (\\Noselect) \"/\" \"\"");
        return Ok(Reply::ok("Done"));
    }
    let patterns = patterns(&list.reference, &list.patterns);
    let recursive = list.selection.recursive_match;
    let wanted = |prefix: &str| recursive || patterns.iter().any(|pattern| pattern.reaches(prefix));
    let tree = Tree::load(session, wanted).await?;
    let matches = |path: &str| patterns.iter().any(|pattern| pattern.matches(path));
    let (above, above_hidden) = match recursive {
        true => (above_chosen(&tree, &list, |_| true), above_chosen(&tree, &list, |path| !matches(path))),
        false => (HashSet::new(), HashSet::new()),
    };
    let gone = tree.gone.iter().filter(|_| list.selection.subscribed);
    for listed in tree.named.iter().chain(gone) {
        // A name that was not chosen itself is told when it is all that tells of what was (RFC 9051 §6.3.9.6).
        let wanted = is_chosen(&list, listed) || above_hidden.contains(listed.path.as_str());
        // Many patterns against many names take long, and others of this thread wait.
        tokio::task::consume_budget().await;
        if wanted && matches(&listed.path) {
            write_one(session, &list, listed, above.contains(listed.path.as_str())).await?;
        }
    }
    Ok(Reply::ok("Done"))
}

/// The patterns behind their reference name. An empty pattern among others names nothing.
pub(super) fn patterns(reference: &str, patterns: &[String]) -> Vec<ListPattern> {
    let wanted = patterns.iter().filter(|pattern| !pattern.is_empty());
    wanted.map(|pattern| ListPattern::new(&name::text(reference), &name::text(pattern), SEPARATOR)).collect()
}

fn is_chosen(list: &List, listed: &Listed) -> bool {
    (!list.selection.subscribed || listed.subscribed) && (!list.selection.special_use || listed.special_use().is_some())
}

/// Names with a chosen one somewhere below them that `counts`.
fn above_chosen<'a>(tree: &'a Tree, list: &List, counts: impl Fn(&str) -> bool) -> HashSet<&'a str> {
    let chosen = tree.named.iter().chain(&tree.gone).filter(|listed| is_chosen(list, listed) && counts(&listed.path));
    chosen.flat_map(|listed| listed.path.match_indices(SEPARATOR).map(|(at, _)| &listed.path[..at])).collect()
}

async fn write_one(session: &mut Session, list: &List, listed: &Listed, holds_chosen: bool) -> Result<(), Trouble> {
    let modern = list.extended || session.enabled.rev2;
    let subscribed = list.selection.subscribed || list.returns.subscribed;
    write_line(session, "LIST", &attributes(listed, subscribed, modern), &listed.path);
    if holds_chosen {
        session.out.extend_from_slice(b" (\"CHILDINFO\" (\"SUBSCRIBED\"))");
    }
    session.out.extend_from_slice(b"\r\n");
    // Of a name that only stands above a chosen one no more is told (RFC 5819 §2, RFC 8440 §4).
    if let Some(mailbox) = listed.mailbox.as_ref().filter(|_| is_chosen(list, listed)) {
        if list.returns.my_rights {
            session.out.extend_from_slice(b"* MYRIGHTS ");
            write_mailbox(&mut session.out, &listed.path, session.enabled.utf8);
            session.out.extend_from_slice(format!(" {}\r\n", listed.rights).as_bytes());
        }
        if !list.returns.metadata.is_empty() && listed.rights.has_any(metadata::SOME) {
            let wanted = Wanted { entries: &list.returns.metadata, depth: Some(0), max_size: None };
            let place = Some((listed.owner.id, mailbox.id));
            metadata::write(session, &listed.path, place, &wanted).await?;
        }
        if !list.returns.status.is_empty() && listed.rights.has(Rights::READ) {
            status::write(session, &listed.path, &listed.owner, mailbox, &list.returns.status).await?;
        }
    }
    session.relieve().await
}

/// The attributes of a name. `modern` clients know `\NonExistent`, others only that it cannot be selected.
pub(crate) fn attributes(listed: &Listed, subscribed: bool, modern: bool) -> String {
    let missing = match (&listed.mailbox, modern) {
        (None, true) => Some("\\NonExistent"),
        (None, false) => Some("\\Noselect"),
        (Some(_), _) => (!listed.rights.has(Rights::READ)).then_some("\\Noselect"),
    };
    let children = if listed.has_children { "\\HasChildren" } else { "\\HasNoChildren" };
    let subscribed = (subscribed && listed.subscribed).then_some("\\Subscribed");
    [missing, Some(children), subscribed, listed.special_use()].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// Writes `* LIST (attributes) "/" name` without its end.
pub(crate) fn write_line(session: &mut Session, word: &str, attributes: &str, path: &str) {
    session.out.extend_from_slice(format!("* {word} ({attributes}) \"/\" ").as_bytes());
    write_mailbox(&mut session.out, path, session.enabled.utf8);
}
