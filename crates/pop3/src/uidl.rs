//! Unique ids (RFC 1939 §7): the one that a message was imported with; else `<UIDVALIDITY>.<UID>`, or in the form of the server that the
//! mailbox came from.

use std::collections::{HashMap, HashSet};

use anser_base::{AccountId, Durability, Result};
use anser_store::{Snapshot, Store, UidlForm};

/// Longest unique id, in octets (RFC 1939 §7).
const LONGEST: usize = 70;

/// The unique ids of a mailbox; the same in every session.
#[derive(Debug, Default)]
pub(crate) struct UniqueIds {
    own: Own,
    imported: HashMap<u32, String>,
}

/// The ids of messages that were imported with none.
#[derive(Clone, Copy, Debug)]
struct Own {
    uidvalidity: u32,
    form: UidlForm,
    /// The first UID that the form is for.
    from: u32,
}

impl Default for Own {
    fn default() -> Self {
        Self { uidvalidity: 0, form: UidlForm::Dotted, from: 1 }
    }
}

impl Own {
    fn of(&self, uid: u32) -> String {
        let form = if uid < self.from { UidlForm::Dotted } else { self.form };
        form.id(self.uidvalidity, uid)
    }

    /// Whether this is, or may become, the id of another message of the mailbox.
    fn is_of_another(&self, uid: u32, id: &str) -> bool {
        let dotted = id.split_once('.').is_some_and(|(first, _)| first == self.uidvalidity.to_string());
        let others = || self.form.uid(self.uidvalidity, id).is_some_and(|other| other >= self.from);
        (dotted || others()) && id != self.of(uid)
    }
}

impl UniqueIds {
    /// Reads them. Of several messages that were imported with one id, the first keeps it for good: the others are made to forget it
    /// now, so that no id passes from one message to another when the first is removed.
    pub async fn load(store: &Store, account: AccountId, list: &Snapshot) -> Result<Self> {
        let mailbox = list.mailbox;
        let read =
            move |tx: &mut anser_store::MailTx<'_, '_>| Ok((tx.imported_uidls(mailbox)?, tx.uidl_form(mailbox)?));
        let (known, (form, from)) = store.read(account, read).await?;
        let own = Own { uidvalidity: list.uidvalidity, form, from };
        let (imported, repeated) = sorted_out(&own, known);
        if !repeated.is_empty() {
            let forget = move |tx: &mut anser_store::MailTx<'_, '_>| tx.forget_uidls(mailbox, &repeated);
            store.write(account, Durability::Sync, forget).await?;
        }
        Ok(Self { own, imported })
    }

    /// The id of a message.
    pub fn of(&self, uid: u32) -> String {
        self.imported.get(&uid).cloned().unwrap_or_else(|| self.own.of(uid))
    }
}

/// Splits imported ids, in UID order, into those that count and the UIDs of those that repeat one.
fn sorted_out(own: &Own, known: Vec<(u32, String)>) -> (HashMap<u32, String>, Vec<u32>) {
    let (mut imported, mut taken, mut repeated) = (HashMap::new(), HashSet::new(), Vec::new());
    for (uid, id) in known {
        if !is_valid(&id) || own.is_of_another(uid, &id) {
            continue;
        }
        match taken.insert(id.clone()) {
            true => drop(imported.insert(uid, id)),
            false => repeated.push(uid),
        }
    }
    (imported, repeated)
}

fn is_valid(id: &str) -> bool {
    (1..=LONGEST).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn imported_ids_count_when_they_can() {
        let long = "x".repeat(70);
        let known = [(1, "abc"), (2, "7.2"), (3, "7.9"), (4, "a b"), (5, ""), (6, &long), (7, "abc"), (8, "é")];
        let own = Own { uidvalidity: 7, ..Own::default() };
        let (imported, repeated) = sorted_out(&own, known.map(|(uid, id)| (uid, id.to_owned())).into());
        let ids = UniqueIds { own, imported };
        let shown: Vec<String> = (1..=8).map(|uid| ids.of(uid)).collect();
        assert_eq!(shown, ["abc", "7.2", "7.3", "7.4", "7.5", &long, "7.7", "7.8"]);
        assert_eq!(repeated, [7]);
    }

    proptest! {
        #[test]
        fn ids_are_unique_and_valid(
            words in proptest::collection::vec("[a.b7 1-5]{0,4}|0000000[1-9]00000007|UID[1-9]-7", 0..20),
            form in 0..UidlForm::ALL.len(),
            from in 1u32..12,
        ) {
            let known = (1..).zip(words).collect::<Vec<(u32, String)>>();
            let own = Own { uidvalidity: 7, form: UidlForm::ALL[form], from };
            let (imported, _) = sorted_out(&own, known.clone());
            let ids = UniqueIds { own, imported };
            let shown: HashSet<String> = (1..=30).map(|uid| ids.of(uid)).collect();
            prop_assert_eq!(shown.len(), 30);
            prop_assert!(shown.iter().all(|id| is_valid(id)));
        }
    }
}
