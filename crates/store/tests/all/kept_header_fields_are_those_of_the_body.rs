//! The header fields beside a message's row are the body's own, whatever happens to the message.

use anser_base::{AccountId, Durability, MailboxId, MessageId, Timestamp};
use anser_db::Place;
use anser_mime::header::{Select, select};
use anser_store::{Columns, Level, NewMessage, Store, are_kept, kept_of};
use proptest::prelude::*;

use crate::fixture::{ANN, TENANT, append, content, inbox, mail, on_each_engine, read, write};

const FIELDS: Columns = Columns { listing: false, structure: false, fields: true };

async fn fields(store: &Store, account: AccountId, id: MessageId) -> Option<(Vec<u8>, Vec<u8>)> {
    let found = store.read(account, move |tx| {
        let rows = tx.message_rows(&[id], FIELDS)?;
        Ok(rows.get(id).and_then(|row| row.fields()).map(|(own, kept)| (own.to_vec(), kept.to_vec())))
    });
    found.await.unwrap()
}

async fn kept(store: &Store, id: MessageId) -> Option<Vec<u8>> {
    fields(store, ANN, id).await.map(|(_, kept)| kept)
}

async fn message_at(store: &Store, account: AccountId, mailbox: MailboxId, uid: u32) -> MessageId {
    store.read(account, move |tx| tx.entry(mailbox, uid)).await.unwrap().unwrap().message
}

/// How many rows of fields the account has.
async fn rows(store: &Store) -> i64 {
    let count = |tx: &mut anser_db::Tx<'_>| tx.query_one("SELECT COUNT(*) FROM header", &[], |row| row.int(0));
    store.db().read(Place::Account(ANN), count).await.unwrap().unwrap()
}

#[test]
fn they_come_with_the_message_and_go_with_it() {
    on_each_engine(async |store: Store| {
        let inbox = inbox(&store).await;
        let raw = mail("a@x", "<b@x>\r\n <c@x>", "s").replace("From:", "Received: z\r\nFrom:");
        let expected = Some(raw.replace("Received: z\r\n", "").split_inclusive("\r\n\r\n").next().unwrap().into());
        let first = append(&store, inbox, &raw).await.message;
        assert_eq!(kept(&store, first).await, expected);
        let drafts = read(&store, |tx| tx.mailboxes()).await[1].id;
        let copied = write(&store, move |tx| tx.copy(inbox, &[1], drafts, None)).await[0].1;
        let second = message_at(&store, ANN, drafts, copied).await;
        assert_eq!(kept(&store, second).await, expected);
        let moved = write(&store, move |tx| tx.move_to(drafts, &[copied], inbox)).await[0].1;
        assert_eq!(kept(&store, second).await, expected);
        assert_eq!(rows(&store).await, 2);
        write(&store, move |tx| tx.expunge(inbox, &[1, moved], false)).await;
        assert_eq!(rows(&store).await, 0);
    });
}

#[test]
fn they_come_along_to_another_account() {
    on_each_engine(async |store: Store| {
        let (inbox, bob) = (inbox(&store).await, AccountId(8));
        store.ensure(bob).await.unwrap();
        let there = store.read(bob, |tx| tx.inbox()).await.unwrap().id;
        let mut new = NewMessage::new(content(&store, &mail("a@x", "", "s")), inbox, Timestamp::default());
        new.prefix = "Received: own\r\n".into();
        let first = write(&store, move |tx| tx.append(&new)).await.unwrap().message;
        let copies = read(&store, move |tx| tx.to_be_copied(inbox, &[1], there, None)).await;
        let work = move |tx: &mut anser_store::MailTx<'_, '_>| tx.append(&copies[0].1);
        let copy = store.write(bob, Durability::Sync, work).await.unwrap().unwrap().message;
        let found = fields(&store, bob, copy).await;
        assert!(found.is_some());
        assert_eq!(found, fields(&store, ANN, first).await);
    });
}

#[test]
fn what_older_programs_did_not_keep_is_kept_when_it_was_looked_at() {
    on_each_engine(async |store: Store| {
        let inbox = inbox(&store).await;
        let (raw, mut ids) = (mail("a@x", "", "s"), Vec::new());
        for _ in 0..70 {
            ids.push(append(&store, inbox, &raw).await.message);
        }
        let forget = |tx: &mut anser_db::Tx<'_>| tx.execute("DELETE FROM header", &[]).map(drop);
        store.db().write(Place::Account(ANN), Durability::Sync, forget).await.unwrap();
        assert_eq!(kept(&store, ids[0]).await, None);
        let modseq = read(&store, |tx| Ok(tx.state())).await;
        let block = raw.split_inclusive("\r\n\r\n").next().unwrap().as_bytes().to_vec();
        let fields = kept_of(&block).unwrap();
        let mut learned: Vec<_> = ids.iter().map(|id| (*id, fields.clone())).collect();
        learned.push((MessageId(9_999), fields.clone()));
        for _ in 0..2 {
            let learned = learned.clone();
            write(&store, move |tx| tx.keep_fields(&learned)).await;
            assert_eq!(rows(&store).await, 70, "those that are there, once");
        }
        assert_eq!(kept(&store, ids[69]).await, Some(block));
        assert_eq!(read(&store, |tx| Ok(tx.state())).await, modseq, "nothing that anybody is told");
        let other = store.clone();
        let check = move || other.check(ANN, TENANT, Level::Full, false, &mut |_| ()).unwrap();
        assert!(std::thread::spawn(check).join().unwrap().is_clean());
    });
}

/// Lines as mail has them, and as it should not have them.
fn line() -> impl Strategy<Value = String> {
    let name =
        prop::sample::select(vec!["From", "TO", "subject ", "X-Priority", "Received", "X-Odd", "", " ", "Date", "ä"]);
    let end = prop::sample::select(vec!["\r\n", "\r\n", "\r\n", "\n", "\r", "", "\r\n\t", "\n "]);
    (name, prop::sample::select(vec![":", ": ", "", " :", "::"]), "[ a-z:<>@\t\r\0é]{0,12}", end)
        .prop_map(|(name, colon, value, end)| format!("{name}{colon}{value}{end}"))
}

proptest! {
    #[test]
    fn any_choice_among_them_is_that_of_the_body(
        lines in prop::collection::vec(line(), 0..12),
        blank in prop::sample::select(vec!["\r\n", "\n", "", "\r\n\r\n"]),
        wanted in prop::collection::vec(prop::sample::select(vec!["FROM", "to", "Subject", "x-PRIORITY", "DATE", "Cc"]), 1..5),
    ) {
        let raw = format!("{}{blank}body: From: x\r\n", lines.concat());
        let content = anser_store::Content::parse(anser_base::BlobId::of(raw.as_bytes()), raw.as_bytes());
        let parsed = anser_mime::summary::parse_message(raw.as_bytes());
        let block = &raw.as_bytes()[..parsed.structure.root().body_start as usize];
        let names: Vec<&[u8]> = wanted.iter().map(|name| name.as_bytes()).collect();
        prop_assert!(are_kept(&wanted.iter().map(|name| name.to_string()).collect::<Vec<_>>()));
        let kept = content.fields.expect("a short header is kept");
        prop_assert_eq!(Some(kept.clone()), kept_of(block));
        prop_assert_eq!(select(&kept[1..], &names, Select::Only), select(block, &names, Select::Only));
    }
}
