//! The mailboxes that a client was told of by NOTIFY, and how they differ from those that there are.

use std::collections::HashMap;
use std::sync::Arc;

use anser_base::{AccountId, MailboxId};
use anser_directory::Account;
use anser_store::Rights;
use anser_wire::imap::Events;
use anser_wire::imap::write::write_mailbox;

use crate::command::list::{attributes, write_line};
use crate::name::SEPARATOR;
use crate::reply::{Reply, Trouble};
use crate::session::Session;
use crate::tree::{Listed, Tree};

/// Mailboxes that one session is told of at most; each takes some 200 bytes.
const MAILBOXES: usize = 20_000;

/// Next UID, messages, modification sequence.
type Counts = (u32, u64, u64);

/// A mailbox as the client knows it.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub key: (AccountId, MailboxId),
    pub owner: Arc<Account>,
    pub path: String,
    pub is_subscribed: bool,
    pub is_readable: bool,
    pub counts: Counts,
    /// What LIST says of it, with and without `\Subscribed`.
    attributes: String,
}

/// The mailboxes of a tree, in the order of their names.
#[derive(Default)]
pub(crate) struct KnownTree {
    all: Vec<Known>,
    by_key: HashMap<(AccountId, MailboxId), usize>,
}

/// A LIST response.
pub(crate) struct Line {
    attributes: String,
    path: String,
    old_name: Option<String>,
}

impl Line {
    /// A mailbox as LIST shows it; `named` is how the client called it, told when that is another name (RFC 9051 §6.3.9.7).
    pub fn new(listed: &Listed, named: &str) -> Self {
        let old_name = (named != listed.path).then(|| named.to_owned());
        Self { attributes: attributes(listed, false, true), path: listed.path.clone(), old_name }
    }

    /// A mailbox that the user may use and not see in a list.
    pub fn unlisted(path: &str) -> Self {
        Self { attributes: String::new(), path: path.to_owned(), old_name: None }
    }

    pub fn write(self, session: &mut Session) {
        write_line(session, "LIST", &self.attributes, &self.path);
        if let Some(old) = &self.old_name {
            session.out.extend_from_slice(b" (\"OLDNAME\" (");
            write_mailbox(&mut session.out, old, session.enabled.utf8);
            session.out.extend_from_slice(b"))");
        }
        session.out.extend_from_slice(b"\r\n");
    }
}

impl KnownTree {
    /// All that the user can see, of others with `others`. NO with NOTIFICATIONOVERFLOW when that is too much.
    pub async fn load(session: &Session, others: bool) -> Result<Self, Trouble> {
        let tree = Tree::load(session, |_| others).await?;
        let all: Vec<Known> = tree.named.iter().filter_map(known).collect();
        if all.len() > MAILBOXES {
            return Err(Reply::no("NOTIFICATIONOVERFLOW", "There are too many mailboxes").into());
        }
        let by_key = all.iter().enumerate().map(|(at, known)| (known.key, at)).collect();
        Ok(Self { all, by_key })
    }

    pub fn iter(&self) -> impl Iterator<Item = &Known> {
        self.all.iter()
    }

    pub fn get(&self, key: (AccountId, MailboxId)) -> Option<&Known> {
        self.by_key.get(&key).map(|at| &self.all[*at])
    }

    /// Notes a mailbox's counters; returns what they were.
    pub fn count(&mut self, key: (AccountId, MailboxId), counts: Counts) -> Option<Counts> {
        let at = *self.by_key.get(&key)?;
        Some(std::mem::replace(&mut self.all[at].counts, counts))
    }

    /// Keeps the counters that the client knows: what happened to messages is told by itself.
    pub fn keep_counts(&mut self, old: &KnownTree) {
        for known in &mut self.all {
            if let Some(before) = old.get(known.key) {
                known.counts = before.counts;
            }
        }
    }

    /// What a client that knows `old` must be told to know `self`, as far as it wants to.
    pub fn differences(&self, old: &KnownTree, wanted: impl Fn(&Known) -> Events) -> Vec<Line> {
        let mut lines = Vec::new();
        for gone in old.iter().filter(|known| self.get(known.key).is_none() && wanted(known).mailbox_name) {
            let attributes = "\\NonExistent".to_owned();
            lines.push(Line { attributes, path: gone.path.clone(), old_name: None });
        }
        let renamed = self.renamed(old);
        for known in &self.all {
            let events = wanted(known);
            let before = old.get(known.key);
            let old_name = before.filter(|before| before.path != known.path).map(|before| before.path.clone());
            let by_parent = old_name.as_deref().is_some_and(|old| is_explained(old, &known.path, &renamed));
            let is_new = before.is_none() || (old_name.is_some() && !by_parent);
            let other_subscription = before.is_some_and(|before| before.is_subscribed != known.is_subscribed);
            let other_children =
                before.is_some_and(|before| before.attributes != known.attributes) && !other_subscription;
            let tell = ((is_new || other_children) && events.mailbox_name)
                || (other_subscription && events.subscription_change);
            if tell {
                let old_name = old_name.filter(|_| !by_parent);
                lines.push(Line { attributes: known.attributes.clone(), path: known.path.clone(), old_name });
            }
        }
        lines
    }

    /// Old names and the new ones that they have.
    fn renamed<'a>(&'a self, old: &'a KnownTree) -> HashMap<&'a str, &'a str> {
        let pairs = self.all.iter().filter_map(|known| Some((old.get(known.key)?.path.as_str(), known.path.as_str())));
        pairs.filter(|(before, after)| before != after).collect()
    }
}

/// Whether a new name follows from that of a mailbox above.
fn is_explained(old: &str, new: &str, renamed: &HashMap<&str, &str>) -> bool {
    old.match_indices(SEPARATOR).any(|(at, _)| {
        let above = renamed.get(&old[..at]);
        above.is_some_and(|above| new.strip_prefix(above) == Some(&old[at..]))
    })
}

fn known(listed: &Listed) -> Option<Known> {
    let mailbox = listed.mailbox.as_ref()?;
    Some(Known {
        key: (listed.owner.id, mailbox.id),
        owner: listed.owner.clone(),
        path: listed.path.clone(),
        is_subscribed: listed.subscribed,
        is_readable: listed.rights.has(Rights::READ) && !mailbox.is_filling(),
        counts: (mailbox.uidnext, mailbox.total, mailbox.modseq),
        attributes: attributes(listed, true, true),
    })
}
