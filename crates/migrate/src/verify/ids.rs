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
use crate::words::in_chinese;

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
    let (store, account, id) = (&inner.deps.store, mailbox.account, mailbox.id);
    let mut brought = ids_brought(store, account, id).await?;
    let listed = match there {
        Origin::Pop3(pop3) => pop3.listed().await.map(ids_of),
        Origin::Imap(_) if !brought.is_empty() => match uidl::maildrop(inner, mailbox, source).await {
            Ok(mut pop3) => {
                let listed = pop3.list().await.map(|listed| ids_of(&listed));
                pop3.leave().await;
                listed
            }
            Err(trouble) => Err(trouble),
        },
        _ => return Ok(()),
    };
    let listed = match listed {
        Err(trouble) => return unlisted(proof, trouble),
        Ok(listed) => listed,
    };
    if listed.is_empty() {
        return Ok(());
    }
    let shown = match Pop3::open(face, &mailbox.address, own).await {
        Ok(mut here) => {
            let shown = here.list().await.map(|listed| ids_of(&listed));
            here.leave().await;
            shown
        }
        Err(trouble) => Err(trouble),
    };
    let shown = match shown {
        Err(trouble) => return unlisted(proof, trouble),
        Ok(shown) => shown,
    };
    // What came or went meanwhile is no difference.
    let still = ids_brought(store, account, id).await?;
    brought.retain(|id| still.contains(id));
    let missing = missing(&listed, &shown, &brought);
    put(proof, Ids::of(&listed, &shown), missing);
    Ok(())
}

/// Notes that a maildrop could not be listed, there or here: somebody else may hold it, or it may have no POP3.
fn unlisted(proof: &mut Proof, trouble: Trouble) -> Result<(), Trouble> {
    if let Trouble::Own(_) | Trouble::Stopped = trouble {
        return Err(trouble);
    }
    let why = trouble.words();
    let why = Text::new(
        format!("unique ids of POP3 could not be compared: {why}"),
        format!("无法核对 POP3 唯一标识：{}", in_chinese(&why)),
    );
    proof.note_beside(INBOX, 1, "failed", &why);
    Ok(())
}

/// Ids that the move brought and that are still there, but are not shown here.
fn missing(there: &[String], here: &[String], brought: &HashSet<String>) -> u64 {
    let here: HashSet<&String> = here.iter().collect();
    there.iter().filter(|id| brought.contains(*id) && !here.contains(id)).count() as u64
}

fn ids_of(listed: &[crate::source::Seen]) -> Vec<String> {
    listed.iter().filter_map(|one| one.uidl.clone()).collect()
}

/// Ids of messages in the inbox that came from elsewhere.
async fn ids_brought(store: &Store, account: AccountId, id: u64) -> Result<HashSet<String>> {
    let find = move |tx: &mut MailTx<'_, '_>| {
        let folders = tx.ledger_folders(id)?;
        let Some(inbox) = folders.iter().rev().find(|folder| folder.name.eq_ignore_ascii_case(INBOX.as_bytes())) else {
            return Ok(HashSet::new());
        };
        Ok(tx.imported_uidls(inbox.mailbox)?.into_iter().map(|(_, id)| id).collect())
    };
    store.read(account, find).await
}

/// Ids that were brought and are `missing` here nobody explains. Others that are only there belong to messages which are not in the inbox
/// here, for the reasons that are told of them; or to messages that did not come with an id, and have one of this server's own.
fn put(proof: &mut Proof, ids: Ids, missing: u64) {
    proof.ids = Some(ids);
    let inbox = proof.folders.iter().find(|folder| folder.folder.eq_ignore_ascii_case(INBOX));
    let is_away = |class: &str| !matches!(class, "equal" | "equal-eol" | "changed" | "unexplained");
    let away: u64 =
        inbox.map_or(0, |inbox| inbox.classes.iter().filter(|(class, _)| is_away(class)).map(|(_, count)| count).sum());
    let told = inbox.and_then(|inbox| inbox.classes.get("unexplained").copied()).unwrap_or(0);
    let others = (ids.there - ids.same).saturating_sub(missing).saturating_sub(away);
    if others > 0 {
        let why = Text::new(
            format!("{others} messages came without their unique id of POP3"),
            format!("{others} 封邮件迁入时没有 POP3 唯一标识"),
        );
        proof.note_beside(INBOX, others, "changed", &why);
    }
    // Of messages that nobody explains it is told already.
    let missing = missing.saturating_sub(told);
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
    fn only_ids_that_were_brought_and_are_not_shown_are_unexplained() {
        let list = |text: &str| text.chars().map(String::from).collect::<Vec<_>>();
        let inbox = |classes: &[(&str, u64)]| super::super::FolderProof {
            folder: "INBOX".into(),
            classes: classes.iter().map(|(class, count)| ((*class).to_owned(), *count)).collect(),
            ..Default::default()
        };
        for (classes, brought, unexplained, changed) in [
            (&[("equal", 3)][..], "abc", 1, None),
            (&[("equal", 3)], "ab", 0, Some(1)),
            (&[("equal", 2), ("removed", 1)], "ab", 0, None),
            (&[("equal", 2), ("new", 1)], "abx", 0, None),
            (&[("equal", 2), ("unexplained", 1)], "abc", 0, None),
        ] {
            let mut proof = Proof { folders: vec![inbox(classes)], ..Proof::default() };
            let (there, here) = (list("abc"), list("abz"));
            put(&mut proof, Ids::of(&there, &here), missing(&there, &here, &list(brought).into_iter().collect()));
            assert_eq!(proof.unexplained, unexplained, "{classes:?}");
            assert_eq!(proof.beside.get("changed").copied(), changed, "{classes:?}");
        }
    }

    #[test]
    fn a_maildrop_that_somebody_holds_is_no_end_of_a_proof() {
        let mut proof = Proof::default();
        unlisted(&mut proof, Trouble::Refused("[IN-USE] locked".to_owned())).unwrap();
        assert_eq!((proof.failed(), proof.unexplained), (1, 0));
    }
}
