//! Threads of THREAD (RFC 5256 §3): what they are made of, and how they are written.

mod references;
mod subject;

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use anser_mime::summary::{base_subject_and_reply, message_id, subject_text};
use anser_store::{Entry, Listing, Snapshot};
use anser_wire::imap::write::write_number;

use crate::command::gather::blocking;
use crate::reply::Trouble;
use crate::session::Session;
use crate::sort::{casemap, fold_rows, sent};

/// References of all messages together that are looked at; of the messages behind only the nearest one each is.
const REFERENCES: usize = 1_000_000;

/// A way to make threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    OrderedSubject,
    References,
}

impl Algorithm {
    /// The algorithm of this name, in upper case.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "ORDEREDSUBJECT" => Some(Self::OrderedSubject),
            "REFERENCES" => Some(Self::References),
            _ => None,
        }
    }
}

/// A message on its way into a thread.
#[derive(Debug, Default)]
struct Item {
    /// The sent date in seconds.
    sent: i64,
    /// Hash of its base subject in the form in which subjects are compared; `None` for an empty one.
    subject: Option<u64>,
    /// Whether its subject says that it is a reply or a forward.
    reply: bool,
    /// Hash of its Message-ID.
    id: Option<i64>,
    /// Hashes of those that it refers to, oldest first.
    references: Vec<i64>,
}

/// A place in the tree; the messages below it stand in order.
#[derive(Debug, Default)]
pub(crate) struct Node {
    /// The place of its message among those that were threaded; `None` stands for one that is not here.
    message: Option<u32>,
    children: Vec<u32>,
}

/// Threads: nodes, and which of them start one, in order.
#[derive(Debug, Default)]
pub(crate) struct Forest {
    nodes: Vec<Node>,
    roots: Vec<u32>,
}

/// Threads of messages whose numbers ascend; the forest's messages are places in `numbers`.
pub(crate) async fn threads(
    session: &mut Session,
    tag: &str,
    list: &Arc<Snapshot>,
    numbers: &[u32],
    algorithm: Algorithm,
) -> Result<Forest, Trouble> {
    let start = Gathered { items: Vec::with_capacity(numbers.len()), references: 0, hasher: RandomState::new() };
    let gathered = fold_rows(session, tag, list, numbers, start, Gathered::add).await?;
    let make = move || match algorithm {
        Algorithm::OrderedSubject => subject::threads(&gathered.items),
        Algorithm::References => references::threads(&gathered.items),
    };
    Ok(blocking(move || Ok(make())).await?)
}

struct Gathered {
    items: Vec<Item>,
    references: usize,
    /// Keyed anew each time, so that nobody can write subjects that collide.
    hasher: RandomState,
}

impl Gathered {
    fn add(&mut self, entry: &Entry, listing: &Listing, ids: &[i64]) {
        let subject = subject_text(listing.envelope.subject.as_deref().unwrap_or_default());
        let (base, reply) = base_subject_and_reply(&subject);
        let subject = (!base.is_empty()).then(|| self.hasher.hash_one(casemap(&base)));
        let own = listing.envelope.message_id.as_deref().and_then(message_id).and(ids.first().copied());
        let others = &ids[usize::from(own.is_some()).min(ids.len())..];
        let mut references = referred(others, usize::from(listing.replied));
        if self.references > REFERENCES {
            references.drain(..references.len().saturating_sub(1));
        }
        self.references += references.len();
        self.items.push(Item { sent: sent(entry, listing), subject, reply, id: own, references });
    }
}

/// The ids of References; without them the first one of In-Reply-To (RFC 5256 §3). The last `replied` stand in In-Reply-To only.
fn referred(others: &[i64], replied: usize) -> Vec<i64> {
    match others.len().saturating_sub(replied) {
        0 => others.iter().take(1).copied().collect(),
        references => others[..references].to_vec(),
    }
}

impl Forest {
    /// Writes one thread (RFC 5256 §4 `thread-list`), counted from 0; `told` is the number that stands for a place.
    pub fn write(&self, root: usize, out: &mut Vec<u8>, told: impl Fn(u32) -> u32) {
        /// What is still to be written.
        enum Step {
            Open(u32),
            Text(u8),
        }
        let Some(root) = self.roots.get(root) else { return };
        let mut steps = vec![Step::Open(*root)];
        while let Some(step) = steps.pop() {
            let mut node = match step {
                Step::Text(octet) => {
                    out.push(octet);
                    continue;
                }
                Step::Open(node) => node,
            };
            out.push(b'(');
            steps.push(Step::Text(b')'));
            // Down a line of only children, which needs no parentheses.
            let mut first = true;
            loop {
                let Node { message, children } = &self.nodes[node as usize];
                if let Some(message) = message {
                    if !first {
                        out.push(b' ');
                    }
                    first = false;
                    write_number(out, u64::from(told(*message)));
                }
                match children.as_slice() {
                    [only] => node = *only,
                    [] => break,
                    children => {
                        if !first {
                            out.push(b' ');
                        }
                        steps.extend(children.iter().rev().map(|child| Step::Open(*child)));
                        break;
                    }
                }
            }
        }
    }

    /// How many threads there are.
    pub fn len(&self) -> usize {
        self.roots.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(message: Option<u32>, children: &[u32]) -> Node {
        Node { message, children: children.to_vec() }
    }

    fn written(nodes: Vec<Node>) -> String {
        let mut out = Vec::new();
        Forest { nodes, roots: vec![0] }.write(0, &mut out, |place| place);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn threads_are_written_as_the_rfc_shows() {
        // RFC 5256 §4: 3 has the child 6, which has the children 4 (with 23) and 44 (with 7 and 96).
        let nodes = vec![
            node(Some(3), &[1]),
            node(Some(6), &[2, 4]),
            node(Some(4), &[3]),
            node(Some(23), &[]),
            node(Some(44), &[5]),
            node(Some(7), &[6]),
            node(Some(96), &[]),
        ];
        assert_eq!(written(nodes), "(3 6 (4 23)(44 7 96))");
        // Messages 3 and 5 whose parent is not in the mailbox.
        assert_eq!(written(vec![node(None, &[1, 2]), node(Some(3), &[]), node(Some(5), &[])]), "((3)(5))");
        assert_eq!(written(vec![node(Some(2), &[])]), "(2)");
    }

    #[test]
    fn deep_trees_are_written_without_recursion() {
        // Each line holds a message without children and a next line.
        let mut nodes = Vec::new();
        for at in (0..200_000).step_by(2) {
            nodes.extend([node(Some(1), &[at + 1, at + 2]), node(Some(2), &[])]);
        }
        nodes.push(node(Some(3), &[]));
        assert!(written(nodes).ends_with(&")".repeat(100)));
    }

    #[test]
    fn in_reply_to_counts_only_without_references() {
        assert_eq!(referred(&[1, 2, 3], 1), [1, 2]);
        assert_eq!(referred(&[2, 3], 2), [2]);
        assert!(referred(&[], 0).is_empty());
    }
}
