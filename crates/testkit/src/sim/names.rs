//! The tree of names: as every program sees it, as the platter holds it, and the changes in between.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use super::dice::Dice;
use super::fate::Fate;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// The content with this number.
    File(u64),
    /// A folder.
    Dir,
}

/// A change of the tree.
pub(super) enum Change {
    /// A new name.
    Add(PathBuf, Node),
    /// A name that is gone.
    Remove(PathBuf),
    /// A file that got another name, over whatever had it.
    Rename(PathBuf, PathBuf),
}

impl Change {
    fn names(&self) -> impl Iterator<Item = &PathBuf> {
        let (one, two) = match self {
            Self::Add(path, _) | Self::Remove(path) => (path, None),
            Self::Rename(from, to) => (from, Some(to)),
        };
        std::iter::once(one).chain(two)
    }

    fn apply(&self, tree: &mut BTreeMap<PathBuf, Node>) {
        match self {
            Self::Add(path, node) => {
                tree.insert(path.clone(), *node);
            }
            Self::Remove(path) => {
                tree.remove(path);
            }
            Self::Rename(from, to) => {
                if let Some(node) = tree.remove(from) {
                    tree.insert(to.clone(), node);
                }
            }
        }
    }
}

/// All names of the disk. `/` and the empty path always are folders.
#[derive(Default)]
pub(super) struct Names {
    cached: BTreeMap<PathBuf, Node>,
    durable: BTreeMap<PathBuf, Node>,
    pending: Vec<(u64, Change)>,
}

impl Names {
    /// What this name stands for now.
    pub(super) fn get(&self, path: &Path) -> Option<Node> {
        if is_root(path) { Some(Node::Dir) } else { self.cached.get(path).copied() }
    }

    /// Every name below this one, itself included.
    pub(super) fn below(&self, path: &Path) -> impl Iterator<Item = (&PathBuf, Node)> {
        self.cached.range(path.to_owned()..).take_while(move |(name, _)| name.starts_with(path)).map(|(n, k)| (n, *k))
    }

    /// Whether the folder that this name is in exists.
    pub(super) fn has_parent(&self, path: &Path) -> bool {
        path.parent().is_none_or(|parent| self.get(parent) == Some(Node::Dir))
    }

    /// Makes a change, not durable yet.
    pub(super) fn change(&mut self, step: u64, change: Change) {
        change.apply(&mut self.cached);
        self.pending.push((step, change));
    }

    /// Makes the changes durable that touch a chosen name, and those before them that they build on.
    pub(super) fn sync(&mut self, chosen: impl Fn(&Path) -> bool) {
        let mut touched: HashSet<PathBuf> = HashSet::new();
        let mut due = vec![false; self.pending.len()];
        for (due, (_, change)) in due.iter_mut().zip(&self.pending).rev() {
            if change.names().any(|name| chosen(name) || touched.contains(name)) {
                *due = true;
                touched.extend(change.names().cloned());
            }
        }
        let mut due = due.into_iter();
        self.pending.retain(|(_, change)| {
            let now = due.next().unwrap_or(false);
            if now {
                change.apply(&mut self.durable);
            }
            !now
        });
    }

    /// What is left after a power cut: per name, the changes up to the first one that was lost. What sits in a folder whose own
    /// name was lost is lost with it.
    pub(super) fn lose_power(&mut self, fate: &Fate, dice: &mut Dice) {
        let mut stuck: HashSet<PathBuf> = HashSet::new();
        for (step, change) in self.pending.drain(..) {
            if change.names().any(|name| stuck.contains(name)) || !fate.spares_name(step, dice) {
                stuck.extend(change.names().cloned());
            } else {
                change.apply(&mut self.durable);
            }
        }
        self.cached.clear();
        for (path, node) in std::mem::take(&mut self.durable) {
            if self.has_parent(&path) {
                self.cached.insert(path, node);
            }
        }
        self.durable.clone_from(&self.cached);
    }

    /// The numbers of the contents that have a name.
    pub(super) fn contents(&self) -> HashSet<u64> {
        self.cached
            .values()
            .filter_map(|node| if let Node::File(number) = node { Some(*number) } else { None })
            .collect()
    }
}

fn is_root(path: &Path) -> bool {
    path.parent().is_none()
}
