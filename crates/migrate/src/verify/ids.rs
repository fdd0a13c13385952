//! Unique ids of POP3 (RFC 1939 §7): programs that leave mail on the server know it by these.

use std::collections::{HashMap, HashSet};

use anser_base::{AccountId, Result, Text};
use anser_store::{MailTx, Store};
use anser_wire::Secret;
use serde::{Deserialize, Serialize};

use super::Proof;
use crate::Inner;
use crate::model::{Mailbox, Source};
use crate::pop3::Pop3;
use crate::source::Origin;
use crate::trouble::Trouble;
use crate::uidl;

/// The one folder that POP3 knows.
const INBOX: &str = "INBOX";

/// How unique ids compare.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ids {
    /// Messages of the maildrop there.
    pub there: u64,
    /// Of the maildrop here.
    pub here: u64,
    /// Those that have the same id on both sides.
    pub same: u64,
    /// Whether these stand in the same order.
    pub in_order: bool,
}

impl Ids {
    /// Holds two lists against each other.
    fn of(there: &[String], here: &[String]) -> Self {
        let mut left: HashMap<&str, u64> = HashMap::new();
        here.iter().for_each(|id| *left.entry(id).or_default() += 1);
        let mut take = |id: &String| match left.get_mut(id.as_str()) {
            Some(count) if *count > 0 => {
                *count -= 1;
                true
            }
            _ => false,
        };
        let met: Vec<&String> = there.iter().filter(|id| take(id)).collect();
        let known: HashSet<&String> = met.iter().copied().collect();
        let in_order = here.iter().filter(|id| known.contains(id)).take(met.len()).eq(met.iter().copied());
        Self { there: there.len() as u64, here: here.len() as u64, same: met.len() as u64, in_order }
    }
}

/// Compares the maildrop there with the one that this server shows, and puts what differs into a proof: where the source is one, or the
/// move brought the ids of its POP3.
pub(crate) async fn hold(
    inner: &Inner,
    (mailbox, source): (&Mailbox, &Source),
    there: &mut Origin,
    (face, own): (&Source, &Secret),
    proof: &mut Proof,
) -> Result<(), Trouble> {
    let listed = match there {
        Origin::Pop3(pop3) => pop3.listed().await.map(ids_of),
        Origin::Imap(_) if has_ids(&inner.deps.store, mailbox.account, mailbox.id).await? => {
            match uidl::maildrop(inner, mailbox, source).await {
                Ok(mut pop3) => {
                    let listed = pop3.list().await.map(|listed| ids_of(&listed));
                    pop3.leave().await;
                    listed
                }
                Err(trouble) => Err(trouble),
            }
        }
        _ => return Ok(()),
    };
    let listed = match listed {
        Err(Trouble::Own(error)) => return Err(Trouble::Own(error)),
        Err(trouble) => {
            let why = trouble.words();
            let why = Text::new(
                format!("unique ids of POP3 could not be compared: {why}"),
                format!("无法核对 POP3 唯一标识：{why}"),
            );
            proof.note_beside(INBOX, 1, "failed", &why);
            return Ok(());
        }
        Ok(listed) => listed,
    };
    if listed.is_empty() {
        return Ok(());
    }
    let mut here = Pop3::open(face, &mailbox.address, own).await?;
    let shown = here.list().await.map(|listed| ids_of(&listed));
    here.leave().await;
    put(proof, Ids::of(&listed, &shown?));
    Ok(())
}

fn ids_of(listed: &[crate::source::Seen]) -> Vec<String> {
    listed.iter().filter_map(|one| one.uidl.clone()).collect()
}

/// Whether the inbox has ids that came from elsewhere.
async fn has_ids(store: &Store, account: AccountId, id: u64) -> Result<bool> {
    let find = move |tx: &mut MailTx<'_, '_>| {
        let folders = tx.ledger_folders(id)?;
        let Some(inbox) = folders.iter().rev().find(|folder| folder.name.eq_ignore_ascii_case(INBOX.as_bytes())) else {
            return Ok(false);
        };
        Ok(!tx.imported_uidls(inbox.mailbox)?.is_empty())
    };
    store.read(account, find).await
}

/// Ids that are missing are explained by as many messages that are not in the inbox here, for the reasons that are told of them.
fn put(proof: &mut Proof, ids: Ids) {
    proof.ids = Some(ids);
    let inbox = proof.folders.iter().find(|folder| folder.folder.eq_ignore_ascii_case(INBOX));
    let is_away = |class: &str| !matches!(class, "equal" | "equal-eol" | "changed" | "unexplained");
    let away: u64 =
        inbox.map_or(0, |inbox| inbox.classes.iter().filter(|(class, _)| is_away(class)).map(|(_, count)| count).sum());
    let missing = (ids.there - ids.same).saturating_sub(away);
    if missing > 0 {
        let why = Text::new(
            format!("{missing} messages have no unique id of POP3 here that they have there"),
            format!("{missing} 封邮件的 POP3 唯一标识与旧服务器不同"),
        );
        proof.note_beside(INBOX, missing, "unexplained", &why);
    }
    if !ids.in_order {
        let why = Text::new("unique ids of POP3 stand in another order", "POP3 唯一标识的顺序不同");
        proof.note_beside(INBOX, 1, "changed", &why);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(there: &str, here: &str) -> (u64, bool) {
        let list = |text: &str| text.chars().map(String::from).collect::<Vec<_>>();
        let ids = Ids::of(&list(there), &list(here));
        (ids.same, ids.in_order)
    }

    #[test]
    fn order_is_that_of_what_is_on_both_sides() {
        assert_eq!(of("abc", "abc"), (3, true));
        assert_eq!(of("abc", "xaxbcx"), (3, true));
        assert_eq!(of("abc", "bac"), (3, false));
        assert_eq!(of("abc", "ac"), (2, true));
        assert_eq!(of("aab", "ab"), (2, true));
        assert_eq!(of("", "a"), (0, true));
        assert_eq!(of("a", ""), (0, true));
    }

    #[test]
    fn ids_that_messages_explain_are_no_difference() {
        let inbox = |classes: &[(&str, u64)]| super::super::FolderProof {
            folder: "INBOX".into(),
            classes: classes.iter().map(|(class, count)| ((*class).to_owned(), *count)).collect(),
            ..Default::default()
        };
        for (classes, unexplained) in [(&[("equal", 3)][..], 1), (&[("equal", 2), ("removed", 1)], 0)] {
            let mut proof = Proof { folders: vec![inbox(classes)], ..Proof::default() };
            put(&mut proof, Ids { there: 3, here: 2, same: 2, in_order: true });
            assert_eq!(proof.unexplained, unexplained, "{classes:?}");
        }
    }
}
