//! Deliberate damage of every kind is found, named, and mended; afterwards the account is clean and works.

use std::collections::BTreeSet;

use anser_base::{Durability, MailboxId};
use anser_db::{Place, Schemas};
use anser_store::{
    Appended, Finding, Flags, Level, LogPoint, Logged, NewMessage, Report, SCHEMA, SEARCH_SCHEMA, Store,
};
use anser_testkit::engines::{NO_SCHEMAS, World};

use crate::fixture::{ANN, TENANT, content, inbox, mail, on_each_engine, read, runtime, store, write};

/// An account with a conversation, a copy, a message in two mailboxes, a deleted and an expunged message.
async fn furnished(store: &Store) -> MailboxId {
    let inbox = inbox(store).await;
    let work = write(store, |tx| tx.create_mailbox(None, "Work", None)).await.id;
    let mut last: Option<Appended> = None;
    for n in 0..6 {
        let references = if n > 2 { format!("<m{}@x>", n - 1) } else { String::new() };
        let raw = mail(&format!("m{n}@x"), &references, &format!("subject {}", n / 3));
        let mut new = NewMessage::new(content(store, &raw), inbox, anser_base::Timestamp::from_secs(1_700_000_000 + n));
        new.prefix = format!("Received: {n}\r\n").into();
        new.flags = if n == 1 { Flags::SEEN } else { Flags::default() };
        last = write(store, move |tx| tx.append(&new)).await;
    }
    let id = last.unwrap().message;
    write(store, move |tx| {
        tx.add_place(id, work)?;
        tx.copy(inbox, &[1], work, None)?;
        tx.store_flags(inbox, &[2], anser_store::FlagAct::Add, Flags::DELETED, &Default::default(), None)?;
        tx.expunge(inbox, &[3], false)
    })
    .await;
    inbox
}

async fn spoil(store: &Store, sql: &'static str) {
    let all = move |tx: &mut anser_db::Tx<'_>| {
        sql.split(';').filter(|sql| !sql.trim().is_empty()).try_for_each(|sql| tx.execute(sql, &[]).map(drop))
    };
    store.db().write(Place::Account(ANN), Durability::Sync, all).await.unwrap();
}

/// Runs beside the test's reactor, as a server would.
fn check(store: &Store, level: Level, repair: bool) -> Report {
    let store = store.clone();
    std::thread::spawn(move || store.check(ANN, TENANT, level, repair, &mut |_| ()).unwrap()).join().unwrap()
}

/// The word before the first brace: which kind a finding is.
fn kind(finding: &Finding) -> String {
    let text = format!("{finding:?}");
    let name = text.split([' ', '(']).next().unwrap_or_default().to_owned();
    match finding {
        Finding::Counter { name, .. } => (*name).to_owned(),
        _ => name,
    }
}

const DAMAGE: &[(&str, &str)] = &[
    ("UPDATE mailbox SET total = total + 5", "total"),
    ("UPDATE mailbox SET unseen = 77 WHERE name = 'INBOX'", "unseen"),
    ("UPDATE mailbox SET deleted = 77 WHERE name = 'INBOX'", "deleted"),
    ("UPDATE mailbox SET size = size - 1 WHERE name = 'INBOX'", "size"),
    ("UPDATE mailbox SET uidnext = 2 WHERE name = 'INBOX'", "uidnext"),
    ("UPDATE mailbox SET recent_from = 900 WHERE name = 'INBOX'", "recent_from"),
    ("UPDATE mailbox SET modseq = 0", "modseq"),
    ("UPDATE mailbox SET uidvalidity = 0 WHERE name = 'Work'", "uidvalidity"),
    ("UPDATE mailbox SET parent = 99 WHERE name = 'Work'", "Parent"),
    ("UPDATE mailbox SET parent = id WHERE name = 'Work'", "Parent"),
    ("UPDATE mailbox SET name = '' WHERE name = 'Work'", "Name"),
    ("UPDATE mailbox SET name = 'inbox' WHERE name = 'Work'", "Name"),
    ("UPDATE mailbox SET parent = 99, name = 'Sent' WHERE name = 'Work'", "Parent"),
    ("UPDATE mailbox SET role = 'sent' WHERE name = 'Work'", "Role"),
    ("UPDATE mailbox SET role = 'inbox' WHERE name = 'Work'", "Role"),
    ("UPDATE mailbox SET role = 'nonsense' WHERE name = 'Work'", "Role"),
    ("UPDATE mailbox SET role = NULL WHERE name = 'INBOX'", "NoInbox"),
    ("UPDATE mailbox SET role = NULL, name = 'Other' WHERE name = 'INBOX'", "NoInbox"),
    ("DELETE FROM mailbox WHERE name = 'Work'", "MailboxLost"),
    ("DELETE FROM mailbox WHERE name = 'INBOX'", "MailboxLost"),
    ("DELETE FROM mailbox", "MailboxLost"),
    ("UPDATE entry SET size = 1 WHERE uid = 1", "Entry"),
    ("UPDATE entry SET flags = flags + 1024 WHERE uid = 2", "Entry"),
    ("UPDATE entry SET modseq = 5000 WHERE uid = 2", "modseq"),
    ("DELETE FROM entry WHERE uid = 2", "Homeless"),
    ("DELETE FROM entry", "Homeless"),
    ("UPDATE entry SET uid = uid + 500", "Places"),
    ("UPDATE message SET places = substr(places, 1, 0)", "Places"),
    ("DELETE FROM message WHERE id = (SELECT MIN(id) FROM message)", "EntryWithoutMessage"),
    ("DELETE FROM message", "EntryWithoutMessage"),
    ("UPDATE message SET blob_size = blob_size + 1", "Entry"),
    (
        "INSERT INTO block (account, mailbox, number, entries) SELECT message.account, mailbox.id, 0, keys FROM message, mailbox WHERE mailbox.name = 'INBOX' AND message.id = (SELECT MIN(id) FROM message)",
        "List",
    ),
    ("DELETE FROM thread", "Thread"),
    ("UPDATE thread SET id = id + 1000", "ThreadStray"),
    ("DELETE FROM reference", "Reference"),
    ("UPDATE message SET summary = substr(summary, 1, 0)", "Derived"),
    ("UPDATE message SET structure = substr(structure, 1, 0)", "Derived"),
    ("UPDATE message SET keys = substr(keys, 1, 0)", "Derived"),
    ("UPDATE header SET fields = substr(fields, 1, 0)", "Derived"),
    ("UPDATE account SET used = 5", "used"),
    ("UPDATE account SET messages = 500", "messages"),
    ("UPDATE account SET next_id = 3", "next_id"),
    ("UPDATE account SET modseq = 2", "modseq"),
    ("UPDATE account SET forgotten = 90000", "forgotten"),
    ("UPDATE account SET uidvalidity = 7", "uidvalidity"),
    ("DELETE FROM account", "AccountRow"),
    ("DELETE FROM account; DELETE FROM mailbox; DELETE FROM thread; DELETE FROM reference", "AccountRow"),
];

#[test]
fn of_every_kind() {
    for (sql, expected) in DAMAGE {
        on_each_engine(async |store: Store| {
            furnished(&store).await;
            assert_eq!(check(&store, Level::Full, false), Report { messages: 6, ..Report::default() }, "{sql}");
            spoil(&store, sql).await;
            let before = LogPoint::after(read(&store, |tx| Ok(tx.state())).await);
            let found = check(&store, Level::Quick, false);
            let kinds: BTreeSet<String> = found.findings.iter().map(kind).collect();
            assert!(kinds.contains(*expected), "{sql}: {kinds:?}");
            assert!(check(&store, Level::Quick, true).repaired, "{sql}");
            // What was mended stands in no log: who follows it has to look at everything anew.
            let log = |point| read(&store, move |tx| tx.logged_after(point, Logged::Mailboxes, 10));
            let now = LogPoint::after(read(&store, |tx| Ok(tx.state())).await);
            assert_eq!((log(before).await, log(now).await), (None, Some(Vec::new())), "{sql}");
            let after = check(&store, Level::Full, true);
            assert!(after.total == 0 || sql.contains("blob_size"), "{sql}: {:?}", after.findings);
            assert_eq!(check(&store, Level::Full, false).findings, [], "{sql}");
            still_works(&store, sql).await;
        });
    }
}

/// Mail comes in, is listed as it is stored, and leaves.
async fn still_works(store: &Store, sql: &str) {
    let inbox = read(store, |tx| tx.inbox()).await.id;
    let before = store.snapshot(ANN, inbox).await.unwrap().len();
    let new = NewMessage::new(content(store, &mail("new@x", "<m5@x>", "subject 1")), inbox, Default::default());
    let uid = write(store, move |tx| tx.append(&new)).await.unwrap().places[0].2;
    assert_eq!(store.snapshot(ANN, inbox).await.unwrap().len(), before + 1, "{sql}");
    let all = read(store, move |tx| tx.entries(inbox, 1, u32::MAX)).await;
    assert_eq!(all.len(), before + 1, "{sql}");
    assert!(all.iter().all(|entry| entry.uid <= uid), "{sql}");
    write(store, move |tx| tx.expunge(inbox, &[uid], false)).await;
    assert_eq!(check(store, Level::Full, false).findings, [], "{sql}");
}

#[test]
fn a_lost_or_damaged_body_is_named_and_its_message_stays() {
    on_each_engine(async |store: Store| {
        let inbox = furnished(&store).await;
        let blobs = read(&store, |tx| tx.bodies()).await;
        store.blobs().delete(TENANT, blobs[0]).unwrap();
        for _ in 0..2 {
            let report = check(&store, Level::Quick, true);
            assert!(
                !report.repaired && report.findings.iter().all(|finding| kind(finding) == "BodyLost"),
                "{report:?}"
            );
            assert_eq!(report.total, blobs.iter().filter(|blob| **blob == blobs[0]).count() as u64);
        }
        assert_eq!(read(&store, move |tx| tx.entries(inbox, 1, u32::MAX)).await.len(), 5);
    });
}

#[test]
fn every_body_is_told_to_the_caller() {
    on_each_engine(async |store: Store| {
        furnished(&store).await;
        let mut bodies = read(&store, |tx| tx.bodies()).await;
        let other = store.clone();
        let mut told = std::thread::spawn(move || {
            let mut told = Vec::new();
            other.check(ANN, TENANT, Level::Quick, false, &mut |blob| told.push(blob)).unwrap();
            told
        })
        .join()
        .unwrap();
        bodies.sort();
        told.sort();
        assert_eq!(told, bodies);
    });
}

#[test]
fn an_account_that_was_never_used_is_clean() {
    on_each_engine(async |store: Store| assert_eq!(check(&store, Level::Full, true), Report::default()));
}

#[test]
fn every_finding_has_a_text_in_both_languages() {
    on_each_engine(async |store: Store| {
        furnished(&store).await;
        spoil(&store, "DELETE FROM account; DELETE FROM mailbox; DELETE FROM thread; UPDATE entry SET size = 1").await;
        for finding in check(&store, Level::Full, false).findings {
            let text = finding.text();
            assert!(text.en.is_ascii() && !text.zh.is_ascii(), "{text:?}");
        }
    });
}

/// Spoils every page of the account's file in turn: salvage and repair always lead to a clean account.
#[test]
fn a_file_with_a_spoiled_page_is_salvaged_and_mended() {
    let schemas = Schemas { account: SCHEMA, search: SEARCH_SCHEMA, ..NO_SCHEMAS };
    let world = World::embedded(schemas);
    let messages = 200;
    {
        let store = store(&world);
        runtime().block_on(async {
            let inbox = inbox(&store).await;
            for n in 0..messages {
                let raw = mail(&format!("n{n}@x"), "", &format!("number {n}"));
                let new = NewMessage::new(content(&store, &raw), inbox, Default::default());
                write(&store, move |tx| tx.append(&new)).await;
            }
        });
    }
    let file = Place::Account(ANN).file(&world.dir.path().join("data"));
    let good = std::fs::read(&file).unwrap();
    let pages = good.len() / 4096;
    assert!(pages > 20, "{pages} pages");
    let mut most = 0;
    for page in 0..pages {
        let mut bytes = good.clone();
        bytes[page * 4096..][..4096].iter_mut().for_each(|byte| *byte ^= 0x5a);
        std::fs::write(&file, bytes).unwrap();
        let store = store(&world);
        store.db().salvage(Place::Account(ANN)).unwrap();
        check(&store, Level::Full, true);
        let report = check(&store, Level::Full, false);
        assert!(report.is_clean(), "page {page}: {:?}", report.findings);
        most = most.max(report.messages);
        runtime().block_on(still_works(&store, "a spoiled page"));
    }
    assert_eq!(most, messages);
}
