use std::sync::Arc;

use anser_base::{AccountId, Class, Durability, MailboxId};
use anser_store::{
    ANNOTATIONS, Action, Change, FlagAct, Flags, Grant, Keywords, LogPoint, Logged, Object, Rights, RightsAct, Store,
    Subject, Who,
};

use crate::fixture::{ANN, append, inbox, mail, on_each_engine, read, write};

const BOB: AccountId = AccountId(8);
/// A group that bob is in.
const TEAM: Who = Who::Group(3);

fn bob() -> Subject {
    Subject { account: BOB, groups: Arc::from([3, 9]) }
}

fn rights(letters: &str) -> Rights {
    Rights::parse(letters).unwrap()
}

async fn set(store: &Store, mailbox: MailboxId, who: Who, negative: bool, letters: &str, act: RightsAct) {
    let line = Grant { who, negative, rights: rights(letters) };
    write(store, move |tx| tx.set_acl(mailbox, line, act)).await;
}

async fn of_bob(store: &Store, mailbox: MailboxId) -> String {
    read(store, move |tx| tx.rights(mailbox, &bob())).await.to_string()
}

#[test]
fn rights_add_up_and_negative_ones_win() {
    on_each_engine(|store| async move {
        let inbox = inbox(&store).await;
        assert_eq!(of_bob(&store, inbox).await, "");
        set(&store, inbox, Who::Anyone, false, "l", RightsAct::Set).await;
        set(&store, inbox, TEAM, false, "rs", RightsAct::Set).await;
        set(&store, inbox, Who::Group(4), false, "a", RightsAct::Set).await;
        set(&store, inbox, Who::Account(BOB), false, "wi", RightsAct::Add).await;
        assert_eq!(of_bob(&store, inbox).await, "lrswi");
        set(&store, inbox, Who::Account(BOB), true, "si", RightsAct::Set).await;
        assert_eq!(of_bob(&store, inbox).await, "lrw");
        let all = read(&store, |tx| tx.all_rights(&bob())).await;
        assert_eq!(all.into_iter().collect::<Vec<_>>(), [(inbox, rights("lrw"))]);
        set(&store, inbox, Who::Account(BOB), true, "si", RightsAct::Remove).await;
        set(&store, inbox, Who::Account(BOB), false, "", RightsAct::Set).await;
        assert_eq!(of_bob(&store, inbox).await, "lrs");
        assert!(!read(&store, |tx| tx.gives_to(Who::Account(BOB))).await);
        assert_eq!(read(&store, move |tx| tx.acl(inbox)).await.len(), 3);
        let ann = Subject { account: ANN, groups: Arc::from([]) };
        assert_eq!(read(&store, move |tx| tx.rights(inbox, &ann)).await, Rights::ALL);
    });
}

#[test]
fn lists_are_inherited_survive_a_rename_and_die_with_their_mailbox() {
    on_each_engine(|store| async move {
        store.ensure(ANN).await.unwrap();
        let top = write(&store, |tx| tx.create_mailbox(None, "Projects", None)).await.id;
        set(&store, top, TEAM, false, "lr", RightsAct::Set).await;
        let low = write(&store, move |tx| tx.create_mailbox(Some(top), "Alpha", None)).await.id;
        assert_eq!(of_bob(&store, low).await, "lr");
        write(&store, move |tx| tx.annotate(low, None, &[("/comment".into(), Some(b"ours".to_vec()))])).await;
        write(&store, move |tx| tx.rename_mailbox(low, None, "Beta")).await;
        assert_eq!(of_bob(&store, low).await, "lr");
        assert_eq!(read(&store, move |tx| tx.annotations(low, None)).await.len(), 1);
        write(&store, move |tx| tx.delete_mailbox(low)).await;
        assert!(read(&store, move |tx| tx.acl(low)).await.is_empty());
        assert!(read(&store, move |tx| tx.annotations(low, None)).await.is_empty());
    });
}

#[test]
fn who_may_not_change_a_flag_does_not() {
    on_each_engine(|store| async move {
        let inbox = inbox(&store).await;
        append(&store, inbox, &mail("1@x", "", "one")).await;
        let old = Keywords::new(["old"]);
        write(&store, move |tx| tx.store_flags(inbox, &[1], FlagAct::Set, Flags::DELETED, &old, None)).await;
        let by = |letters: &'static str, act| {
            let (flags, words) = (Flags::SEEN.with(Flags::FLAGGED), Keywords::new(["new"]));
            write(&store, move |tx| tx.store_flags_by(rights(letters), inbox, &[1], act, (flags, &words), None))
        };
        let stored = by("s", FlagAct::Set).await.entries.remove(0);
        assert_eq!((stored.flags, stored.keywords), (Flags::SEEN.with(Flags::DELETED), Keywords::new(["old"])));
        let stored = by("w", FlagAct::Set).await.entries.remove(0);
        assert_eq!(stored.flags, Flags::SEEN.with(Flags::DELETED).with(Flags::FLAGGED));
        assert_eq!(stored.keywords, Keywords::new(["new"]));
        let stored = by("t", FlagAct::Remove).await.entries.remove(0);
        assert_eq!(stored.flags, Flags::SEEN.with(Flags::DELETED).with(Flags::FLAGGED));
        write(&store, move |tx| tx.limit_flags(inbox, &[1], rights("s"))).await;
        let entry = read(&store, move |tx| tx.entry(inbox, 1)).await.unwrap();
        assert_eq!((entry.flags, entry.keywords), (Flags::SEEN, Keywords::default()));
    });
}

#[test]
fn annotations_are_shared_or_private_and_bounded() {
    on_each_engine(|store| async move {
        let inbox = inbox(&store).await;
        let set = |owner, name: &str, value: &str| {
            let entries = [(name.to_owned(), (!value.is_empty()).then(|| value.as_bytes().to_vec()))];
            store.write(ANN, Durability::Sync, move |tx| tx.annotate(inbox, owner, &entries))
        };
        set(None, "/comment", "ours").await.unwrap();
        set(Some(BOB), "/comment", "bob's").await.unwrap();
        let of = |owner| read(&store, move |tx| tx.annotations(inbox, owner));
        assert_eq!(of(None).await, [("/comment".to_owned(), b"ours".to_vec())]);
        assert_eq!(of(Some(BOB)).await, [("/comment".to_owned(), b"bob's".to_vec())]);
        assert!(of(Some(ANN)).await.is_empty());
        set(None, "/comment", "").await.unwrap();
        assert!(of(None).await.is_empty());
        for n in 0..ANNOTATIONS {
            set(None, &format!("/{n}"), "x").await.unwrap();
        }
        assert_eq!(set(None, "/more", "x").await.unwrap_err().class, Class::Limit);
        assert_eq!(set(None, "/0", &"x".repeat(40_000)).await.unwrap_err().class, Class::Invalid);
    });
}

#[test]
fn who_watches_is_told_and_the_log_knows() {
    on_each_engine(|store| async move {
        let inbox = inbox(&store).await;
        let before = read(&store, |tx| Ok(tx.state())).await;
        let mut watch = store.watch(ANN);
        set(&store, inbox, TEAM, false, "l", RightsAct::Set).await;
        assert_eq!(watch.next().await.unwrap().list, [Change::AccessChanged(inbox)]);
        set(&store, inbox, TEAM, false, "l", RightsAct::Set).await;
        assert!(watch.try_next().is_none());
        let since = LogPoint::after(before);
        let log = read(&store, move |tx| tx.logged_after(since, Logged::Mailboxes, 10)).await.unwrap();
        let told: Vec<_> = log.iter().map(|line| (line.at.modseq, line.object, line.action)).collect();
        assert_eq!(told, [(before + 1, Object::Mailbox(inbox), Action::Updated)]);
    });
}

#[test]
fn subscriptions_to_others_are_ones_own() {
    on_each_engine(|store| async move {
        store.ensure(ANN).await.unwrap();
        let there = MailboxId(5);
        write(&store, move |tx| tx.subscribe_to(BOB, there, true)).await;
        write(&store, move |tx| tx.subscribe_to(BOB, there, true)).await;
        assert_eq!(read(&store, |tx| tx.subscriptions()).await.into_iter().collect::<Vec<_>>(), [(BOB, there)]);
        write(&store, move |tx| tx.subscribe_to(BOB, there, false)).await;
        assert!(read(&store, |tx| tx.subscriptions()).await.is_empty());
    });
}
