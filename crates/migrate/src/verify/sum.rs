//! What a proof adds up to.

use std::collections::BTreeMap;

use anser_base::{Error, Result};
use serde::{Deserialize, Serialize};

/// What a proof adds up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    /// What nobody can explain, of messages, folders and unique ids.
    pub unexplained: u64,
    /// What the source does not hand out: messages, and folders that it does not open.
    pub failed: u64,
    /// Messages that came to the source and were not brought.
    pub unbrought: u64,
}

/// A proof without what it names one by one.
#[derive(Deserialize)]
struct Counted {
    folders: Vec<Classes>,
    unexplained: u64,
    #[serde(default)]
    beside: BTreeMap<String, u64>,
}

#[derive(Deserialize)]
struct Classes {
    classes: BTreeMap<String, u64>,
}

impl Sum {
    /// Reads it of the JSON of a [`super::Proof`]; what that names one by one is passed over. `Class::Damaged` for another text.
    pub fn read(proof: &str) -> Result<Self> {
        let counted: Counted = serde_json::from_str(proof).map_err(Error::damaged)?;
        Ok(Self::of(counted.unexplained, counted.folders.iter().map(|one| &one.classes), &counted.beside))
    }

    pub(super) fn of<'a>(
        unexplained: u64,
        folders: impl Iterator<Item = &'a BTreeMap<String, u64>>,
        beside: &BTreeMap<String, u64>,
    ) -> Self {
        let count = |classes: &BTreeMap<String, u64>, class: &str| classes.get(class).copied().unwrap_or(0);
        let none = Self { unexplained, failed: count(beside, "failed"), unbrought: 0 };
        folders.fold(none, |sum, classes| Self {
            failed: sum.failed + count(classes, "failed"),
            unbrought: sum.unbrought + count(classes, "new"),
            ..sum
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{FolderProof, Proof};
    use super::*;

    #[test]
    fn what_a_proof_names_is_passed_over() {
        let folder = |classes: &[(&str, u64)]| FolderProof {
            classes: classes.iter().map(|(class, count)| ((*class).to_owned(), *count)).collect(),
            ..FolderProof::default()
        };
        let folders = vec![folder(&[("equal", 9), ("failed", 2), ("new", 4)]), folder(&[("failed", 1)])];
        let beside = BTreeMap::from([("failed".to_owned(), 3), ("new".to_owned(), 1)]);
        let proof = Proof { folders, beside, unexplained: 5, ..Proof::default() };
        let sum = Sum { unexplained: 5, failed: 6, unbrought: 4 };
        let mut text = serde_json::to_value(&proof).unwrap();
        text["differences"] = "nobody reads this".into();
        assert_eq!((proof.sum(), Sum::read(&text.to_string()).unwrap()), (sum, sum));
        assert_eq!(proof.different(), 11);
        assert!(Sum::read("{}").is_err());
    }
}
