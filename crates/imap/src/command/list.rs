//! LIST (RFC 9051 §6.3.9), with LIST-EXTENDED (RFC 5258), LIST-STATUS (RFC 5819), CHILDREN (RFC 3348) and SPECIAL-USE (RFC 6154).

use std::collections::{HashMap, HashSet};

use anser_base::MailboxId;
use anser_store::Mailbox;
use anser_wire::imap::write::write_mailbox;
use anser_wire::imap::{List, ListPattern};

use super::status;
use crate::name::{self, SEPARATOR};
use crate::reply::{Outcome, Reply, Trouble};
use crate::session::Session;

/// Every mailbox of an account, the inbox first, then in the order of their names.
pub(super) struct Tree {
    pub named: Vec<(String, Mailbox)>,
    parents: HashSet<MailboxId>,
}

pub(super) async fn run(session: &mut Session, list: List) -> Outcome {
    if !list.extended && list.patterns == [""] {
        session.untagged("LIST (\\Noselect) \"/\" \"\"");
        return Ok(Reply::ok("Done"));
    }
    let tree = Tree::load(session).await?;
    let patterns = patterns(&list.reference, &list.patterns);
    let below = if list.selection.recursive_match { tree.above_chosen(&list) } else { HashSet::new() };
    for (path, mailbox) in &tree.named {
        let (chosen, holds_chosen) = (is_chosen(&list, mailbox), below.contains(&mailbox.id));
        if !(chosen || holds_chosen) || !patterns.iter().any(|pattern| pattern.matches(path)) {
            continue;
        }
        let line = attributes(&tree, mailbox, list.selection.subscribed || list.returns.subscribed);
        write_line(session, "LIST", &line, path);
        if holds_chosen {
            session.out.extend_from_slice(b" (\"CHILDINFO\" (\"SUBSCRIBED\"))");
        }
        session.out.extend_from_slice(b"\r\n");
        if !list.returns.status.is_empty() {
            status::write(session, path, mailbox, &list.returns.status).await?;
        }
        session.relieve().await?;
    }
    Ok(Reply::ok("Done"))
}

/// The patterns behind their reference name. An empty pattern among others names nothing.
pub(super) fn patterns(reference: &str, patterns: &[String]) -> Vec<ListPattern> {
    let wanted = patterns.iter().filter(|pattern| !pattern.is_empty());
    wanted.map(|pattern| ListPattern::new(&name::text(reference), &name::text(pattern), SEPARATOR)).collect()
}

fn is_chosen(list: &List, mailbox: &Mailbox) -> bool {
    let special = mailbox.role.is_some_and(|role| role.attribute().is_some());
    (!list.selection.subscribed || mailbox.subscribed) && (!list.selection.special_use || special)
}

fn attributes(tree: &Tree, mailbox: &Mailbox, subscribed: bool) -> String {
    let children = if tree.parents.contains(&mailbox.id) { "\\HasChildren" } else { "\\HasNoChildren" };
    let role = mailbox.role.and_then(|role| role.attribute());
    let subscribed = (subscribed && mailbox.subscribed).then_some("\\Subscribed");
    [Some(children), subscribed, role].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// Writes `* LIST (attributes) "/" name` without its end.
pub(super) fn write_line(session: &mut Session, word: &str, attributes: &str, path: &str) {
    session.out.extend_from_slice(format!("* {word} ({attributes}) \"/\" ").as_bytes());
    write_mailbox(&mut session.out, path, session.enabled.utf8);
}

impl Tree {
    pub async fn load(session: &Session) -> Result<Tree, Trouble> {
        let all = session.deps.store.read(session.account_id()?, |tx| tx.mailboxes()).await?;
        let by_id: HashMap<MailboxId, &Mailbox> = all.iter().map(|mailbox| (mailbox.id, mailbox)).collect();
        let mut named: Vec<(String, Mailbox)> =
            all.iter().map(|mailbox| (path_of(mailbox, &by_id), mailbox.clone())).collect();
        let parents = all.iter().filter_map(|mailbox| mailbox.parent).collect();
        named.sort_by_cached_key(|(path, _)| {
            let inbox = path == "INBOX" || path.starts_with("INBOX/");
            (!inbox, path.split(SEPARATOR).map(str::to_owned).collect::<Vec<_>>())
        });
        Ok(Tree { named, parents })
    }

    /// Mailboxes with a chosen one somewhere below them.
    fn above_chosen(&self, list: &List) -> HashSet<MailboxId> {
        let by_id: HashMap<MailboxId, &Mailbox> = self.named.iter().map(|(_, mailbox)| (mailbox.id, mailbox)).collect();
        let mut above = HashSet::new();
        for (_, mailbox) in self.named.iter().filter(|(_, mailbox)| is_chosen(list, mailbox)) {
            let mut next = mailbox.parent;
            while let Some(id) = next.filter(|id| above.insert(*id)) {
                next = by_id.get(&id).and_then(|mailbox| mailbox.parent);
            }
        }
        above
    }
}

fn path_of(mailbox: &Mailbox, by_id: &HashMap<MailboxId, &Mailbox>) -> String {
    let mut levels = vec![mailbox.name.as_str()];
    let mut next = mailbox.parent;
    while let Some(parent) =
        next.and_then(|id| by_id.get(&id)).filter(|_| levels.len() < anser_base::limits::MAILBOX_DEPTH)
    {
        levels.push(&parent.name);
        next = parent.parent;
    }
    levels.reverse();
    levels.join("/")
}
