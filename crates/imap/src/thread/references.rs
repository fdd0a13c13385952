//! REFERENCES (RFC 5256 §3), in the steps of the RFC. Work is linear in messages and references but for the sorting, whatever they say:
//! whether a link would close a loop is answered by a forest of shortened paths and not by walking up.

use std::collections::HashMap;

use super::{Forest, Item, Node};

/// No container.
const NONE: u32 = u32::MAX;

/// A message, or the place of one that others refer to.
struct Containers {
    /// The message of each, as its place among the items.
    message: Vec<u32>,
    parent: Vec<u32>,
    /// Somewhere above each, at last its root.
    above: Vec<u32>,
}

pub(super) fn threads(items: &[Item]) -> Forest {
    let (containers, own) = link(items);
    let mut forest = prune(&containers, &own);
    let mut subjects = Subjects { items, forest: &mut forest };
    subjects.sort_roots();
    subjects.merge();
    sort_children(items, &mut forest);
    forest
}

/// Step 1: a parent for every message that has one. Returns the container of each item too.
fn link(items: &[Item]) -> (Containers, Vec<u32>) {
    let mut containers = Containers { message: Vec::new(), parent: Vec::new(), above: Vec::new() };
    let mut by_id: HashMap<i64, u32> = HashMap::new();
    let mut own = Vec::with_capacity(items.len());
    for (place, item) in items.iter().enumerate() {
        // Of several messages with one Message-ID only the first has it.
        let known = item.id.map(|id| *by_id.entry(id).or_insert_with(|| containers.add()));
        let container = known.filter(|at| containers.message[*at as usize] == NONE).unwrap_or_else(|| containers.add());
        containers.message[container as usize] = place as u32;
        own.push(container);
    }
    // (B) A message's parent is the last one that it refers to, whatever others say of it.
    for (item, container) in items.iter().zip(&own) {
        if let Some(last) = item.references.last() {
            let parent = *by_id.entry(*last).or_insert_with(|| containers.add());
            containers.set_parent(*container, parent);
        }
    }
    // (A) The references of a message are a line of parents and children, where nothing better is known. A message that refers to
    // nothing takes a parent only from messages behind it: with itself it undid what those before had said.
    for (place, item) in items.iter().enumerate() {
        for pair in item.references.windows(2) {
            let parent = *by_id.entry(pair[0]).or_insert_with(|| containers.add());
            let child = *by_id.entry(pair[1]).or_insert_with(|| containers.add());
            let message = containers.message[child as usize];
            if containers.parent[child as usize] == NONE && (message == NONE || (message as usize) < place) {
                containers.set_parent(child, parent);
            }
        }
    }
    (containers, own)
}

impl Containers {
    fn add(&mut self) -> u32 {
        let at = self.parent.len() as u32;
        self.message.push(NONE);
        self.parent.push(NONE);
        self.above.push(at);
        at
    }

    /// Puts a container without a parent below another, unless that is below it.
    fn set_parent(&mut self, child: u32, parent: u32) {
        let root = self.root(parent);
        if root != child {
            self.parent[child as usize] = parent;
            self.above[child as usize] = root;
        }
    }

    fn root(&mut self, mut at: u32) -> u32 {
        while self.above[at as usize] != at {
            let next = self.above[at as usize];
            self.above[at as usize] = self.above[next as usize];
            at = next;
        }
        at
    }
}

/// Steps 2 and 3: the tree, without containers that hold no message; only one that starts a thread of several lines stays. Nodes have
/// the numbers of containers.
fn prune(containers: &Containers, own: &[u32]) -> Forest {
    let mut nodes: Vec<Node> = Vec::with_capacity(containers.parent.len());
    nodes.extend(containers.message.iter().map(|at| Node { message: (*at != NONE).then_some(*at), ..Node::default() }));
    // The nearest container above with a message, or the topmost one: found from each message upwards, each way only once.
    let mut nearest: Vec<u32> = vec![NONE; nodes.len()];
    let mut roots: Vec<u32> = Vec::new();
    let mut way = Vec::new();
    for container in own {
        let mut at = containers.parent[*container as usize];
        if at == NONE {
            roots.push(*container);
            continue;
        }
        while nearest[at as usize] == NONE && containers.message[at as usize] == NONE {
            way.push(at);
            match containers.parent[at as usize] {
                NONE => break,
                parent => at = parent,
            }
        }
        let found = if nearest[at as usize] == NONE { at } else { nearest[at as usize] };
        way.drain(..).for_each(|passed| nearest[passed as usize] = found);
        let node = &mut nodes[found as usize];
        if node.message.is_none() && node.children.is_empty() {
            roots.push(found);
        }
        node.children.push(*container);
    }
    for root in &mut roots {
        // A container without a message and with one child only gives way to it.
        if let Node { message: None, children } = &nodes[*root as usize]
            && let [only] = children.as_slice()
        {
            *root = *only;
        }
    }
    Forest { nodes, roots }
}

/// The date by which a node stands among others, and its place to tell equal ones apart; of one without a message that of its first
/// child.
fn date(items: &[Item], forest: &Forest, node: u32) -> (i64, u32) {
    let node = &forest.nodes[node as usize];
    let first = node.children.first().and_then(|child| forest.nodes[*child as usize].message);
    let place = node.message.or(first).unwrap_or(0);
    (items[place as usize].sent, place)
}

/// Steps 4 and 5.
struct Subjects<'a> {
    items: &'a [Item],
    forest: &'a mut Forest,
}

impl Subjects<'_> {
    /// Step 4: threads by their date. The children of one that starts with no message are sorted before.
    fn sort_roots(&mut self) {
        for root in self.forest.roots.clone() {
            if self.forest.nodes[root as usize].message.is_none() {
                sort_one(self.items, self.forest, root);
            }
        }
        let mut roots = std::mem::take(&mut self.forest.roots);
        roots.sort_by_cached_key(|root| date(self.items, self.forest, *root));
        self.forest.roots = roots;
    }

    /// The base subject of a thread, and whether it says that it is a reply.
    fn subject(&self, root: u32) -> Option<(u64, bool)> {
        let node = &self.forest.nodes[root as usize];
        let first = node.children.first().and_then(|child| self.forest.nodes[*child as usize].message);
        let item = &self.items[node.message.or(first)? as usize];
        item.subject.map(|subject| (subject, item.reply))
    }

    fn is_dummy(&self, node: u32) -> bool {
        self.forest.nodes[node as usize].message.is_none()
    }

    /// Step 5: threads of one base subject become one.
    fn merge(&mut self) {
        let roots = std::mem::take(&mut self.forest.roots);
        let mut table: HashMap<u64, (u32, bool)> = HashMap::new();
        for root in &roots {
            let Some((subject, reply)) = self.subject(*root) else { continue };
            let better = table.get(&subject).is_none_or(|(known, known_reply)| {
                !self.is_dummy(*known) && (self.is_dummy(*root) || (*known_reply && !reply))
            });
            if better {
                table.insert(subject, (*root, reply));
            }
        }
        // What stays a thread, each in the place where it was met first; a thread that takes others in keeps its own place.
        let mut replaced: HashMap<u32, u32> = HashMap::new();
        let mut kept = Vec::with_capacity(roots.len());
        for root in roots {
            let Some((subject, reply)) = self.subject(root) else {
                kept.push(root);
                continue;
            };
            match table.get_mut(&subject) {
                Some((known, known_reply)) if *known != root => {
                    let taker = *known;
                    if self.is_dummy(taker) && self.is_dummy(root) {
                        let children = std::mem::take(&mut self.forest.nodes[root as usize].children);
                        self.forest.nodes[taker as usize].children.extend(children);
                    } else if self.is_dummy(taker) || (reply && !*known_reply) {
                        self.forest.nodes[taker as usize].children.push(root);
                    } else {
                        let dummy = self.forest.nodes.len() as u32;
                        self.forest.nodes.push(Node { message: None, children: vec![taker, root] });
                        replaced.insert(taker, dummy);
                        (*known, *known_reply) = (dummy, false);
                    }
                }
                _ => kept.push(root),
            }
        }
        for root in &mut kept {
            *root = replaced.get(root).copied().unwrap_or(*root);
        }
        self.forest.roots = kept;
    }
}

/// Step 6: siblings by their date, and threads by theirs.
fn sort_children(items: &[Item], forest: &mut Forest) {
    for node in 0..forest.nodes.len() as u32 {
        sort_one(items, forest, node);
    }
    let mut roots = std::mem::take(&mut forest.roots);
    roots.sort_by_cached_key(|root| date(items, forest, *root));
    forest.roots = roots;
}

fn sort_one(items: &[Item], forest: &mut Forest, node: u32) {
    let mut children = std::mem::take(&mut forest.nodes[node as usize].children);
    if children.len() > 1 {
        children.sort_by_cached_key(|child| date(items, forest, *child));
    }
    forest.nodes[node as usize].children = children;
}
