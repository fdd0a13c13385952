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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// What is above a message.
    #[derive(Clone, Debug, PartialEq, Eq)]
    enum Above {
        Nothing,
        Message(u32),
        /// Nothing that is here, but these messages have it in common.
        Lost(Vec<u32>),
    }

    /// The steps of the RFC one after the other, as they are written.
    fn by_the_book(items: &[Item]) -> BTreeMap<u32, Above> {
        let (mut parent, mut message) = (BTreeMap::<i64, i64>::new(), BTreeMap::<i64, u32>::new());
        let is_above = |parent: &BTreeMap<i64, i64>, above: i64, mut at: i64| loop {
            match (at == above, parent.get(&at)) {
                (true, _) => return true,
                (_, Some(next)) => at = *next,
                _ => return false,
            }
        };
        for (place, item) in items.iter().enumerate() {
            let unique = -1 - place as i64;
            let own = item.id.filter(|id| !message.contains_key(id)).unwrap_or(unique);
            for pair in item.references.windows(2) {
                if !parent.contains_key(&pair[1]) && !is_above(&parent, pair[1], pair[0]) {
                    parent.insert(pair[1], pair[0]);
                }
            }
            parent.remove(&own);
            if let Some(last) = item.references.last().filter(|last| !is_above(&parent, own, **last)) {
                parent.insert(own, *last);
            }
            message.insert(own, place as u32);
        }
        let up = |id: i64| {
            let mut at = id;
            while let Some(next) = parent.get(&at) {
                at = *next;
                if let Some(found) = message.get(&at) {
                    return Ok(*found);
                }
            }
            Err(at)
        };
        let ups: Vec<(u32, Result<u32, i64>)> = message.iter().map(|(id, place)| (*place, up(*id))).collect();
        let above = ups.iter().map(|(place, up)| {
            let mut same: Vec<u32> = ups.iter().filter(|(_, other)| other == up).map(|(place, _)| *place).collect();
            same.sort_unstable();
            (
                *place,
                match up {
                    Ok(found) => Above::Message(*found),
                    Err(_) if same.len() == 1 => Above::Nothing,
                    Err(_) => Above::Lost(same),
                },
            )
        });
        above.collect()
    }

    fn ours(forest: &Forest) -> BTreeMap<u32, Above> {
        let mut above = BTreeMap::new();
        let places = |children: &[u32]| -> Vec<u32> {
            children.iter().filter_map(|child| forest.nodes[*child as usize].message).collect()
        };
        for root in &forest.roots {
            let Node { message, children } = &forest.nodes[*root as usize];
            let mut lost = places(children);
            lost.sort_unstable();
            match message {
                Some(place) => drop(above.insert(*place, Above::Nothing)),
                None => above.extend(lost.iter().map(|place| (*place, Above::Lost(lost.clone())))),
            }
        }
        for Node { message, children } in &forest.nodes {
            if let Some(parent) = message {
                above.extend(places(children).into_iter().map(|place| (place, Above::Message(*parent))));
            }
        }
        above
    }

    /// Messages that refer to older ids only, so that no loop can be.
    fn honest() -> impl Strategy<Value = Vec<Item>> {
        let item = (prop::option::weighted(0.9, 0..30_i64), prop::collection::btree_set(0..30_i64, 0..5), 0..5_i64);
        prop::collection::vec(item, 0..25).prop_map(|all| {
            let item = |(id, references, sent): (Option<i64>, std::collections::BTreeSet<i64>, i64)| Item {
                references: references.into_iter().filter(|one| id.is_none_or(|id| *one < id)).collect(),
                id,
                sent,
                ..Item::default()
            };
            all.into_iter().map(item).collect()
        })
    }

    /// Anything.
    fn hostile() -> impl Strategy<Value = Vec<Item>> {
        let item = (
            prop::option::weighted(0.9, 0..8_i64),
            prop::collection::vec(0..8_i64, 0..6),
            0..3_i64,
            prop::option::of(0..3_u64),
            any::<bool>(),
        );
        let item =
            item.prop_map(|(id, references, sent, subject, reply)| Item { id, references, sent, subject, reply });
        prop::collection::vec(item, 0..25)
    }

    proptest! {
        #[test]
        fn threads_are_those_of_the_rfc(items in honest()) {
            let (containers, own) = link(&items);
            prop_assert_eq!(ours(&prune(&containers, &own)), by_the_book(&items));
        }

        #[test]
        fn every_message_stands_in_one_thread_once(items in hostile()) {
            let forest = threads(&items);
            let mut seen = Vec::new();
            let mut open = forest.roots.clone();
            while let Some(node) = open.pop() {
                let node = &forest.nodes[node as usize];
                seen.extend(node.message);
                open.extend(&node.children);
                prop_assert!(seen.len() <= items.len());
                prop_assert!(node.message.is_some() || node.children.len() > 1);
            }
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..items.len() as u32).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_line_of_any_length_is_one_thread() {
        let item = |at: i64| Item {
            id: Some(at),
            references: (at > 0).then_some(at - 1).into_iter().collect(),
            ..Item::default()
        };
        // Backwards, so that every parent comes after its children.
        let items: Vec<Item> = (0..100_000).rev().map(item).collect();
        assert_eq!(threads(&items).roots.len(), 1);
    }
}
