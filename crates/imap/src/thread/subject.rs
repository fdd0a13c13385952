//! ORDEREDSUBJECT (RFC 5256 §3): messages of one base subject are one thread; its oldest is the parent of all others.

use std::collections::HashMap;

use super::{Forest, Item, Node};

pub(super) fn threads(items: &[Item]) -> Forest {
    let mut order: Vec<u32> = (0..items.len() as u32).collect();
    order.sort_by_key(|place| items[*place as usize].sent);
    let mut first_of: HashMap<Option<u64>, u32> = HashMap::new();
    let mut forest = Forest::default();
    for place in order {
        let node = forest.nodes.len() as u32;
        forest.nodes.push(Node { message: Some(place), children: Vec::new() });
        match first_of.get(&items[place as usize].subject) {
            Some(first) => forest.nodes[*first as usize].children.push(node),
            None => {
                first_of.insert(items[place as usize].subject, node);
                forest.roots.push(node);
            }
        }
    }
    forest
}
