//! ID-9, case 45: while the world is told of the new server, mail comes to the old one and here, or to both. What is swept from there and
//! was delivered here is here once; in doubt it is here twice.

use anser_base::{Durability, TenantId, Timestamp};
use anser_migrate::pass::{Outcome, Pass};
use anser_migrate::source::Origin;
use anser_store::{Flags, LedgerState, NewMessage};
use anser_wire::Secret;

use crate::fake::{Fake, Habits, Mail, folder, mail};
use crate::house::{ANN, House, Quiet, each_house};

/// When names began to point here, and a time behind it.
const SINCE: Timestamp = Timestamp(1_799_900_000_000);
const THEN: Timestamp = Timestamp(1_799_990_000_000);
const THEN_THERE: &str = "15-Jan-2027 05:20:00 +0000";

/// What a sender wrote, behind what servers put before it.
fn sent(by: &str, id: &str, subject: &str) -> Vec<u8> {
    let id = if id.is_empty() { String::new() } else { format!("Message-ID: <{id}@x.test>\r\n") };
    format!(
        "Received: from x.test by {by}; Fri, 15 Jan 2027 05:20:00 +0000\r\nX-Spam-Status: No ({by})\r\n{id}\
         Date: Fri, 15 Jan 2027 05:10:00 +0000\r\nFrom: x@x.test\r\nSubject: {subject}\r\n\r\n{subject} body\r\n"
    )
    .into_bytes()
}

/// Delivers a message here, to a mailbox of this path.
async fn deliver(house: &House, path: &'static str, id: &str, subject: &str) {
    let raw = sent("here", id, subject);
    let store = house.store.clone();
    let put = move || store.put_body(TenantId(1), &raw, Durability::Sync);
    let content = tokio::task::spawn_blocking(put).await.unwrap().unwrap();
    let mailbox = house.mailbox(path).await;
    let append = move |tx: &mut anser_store::MailTx<'_, '_>| {
        let message = NewMessage::new(content.clone(), mailbox, THEN);
        tx.append(&NewMessage { flags: Flags::SEEN, ..message }).unwrap();
    };
    house.change(append).await;
}

async fn sweep(house: &House, fake: &Fake) -> Outcome {
    let mut origin = Origin::open(&fake.source(), "ann", Some(&Secret::new(b"secret".to_vec()))).await.unwrap();
    let watch = Quiet::default();
    Pass { overlap: Some(SINCE), ..house.to_pass("generic", &watch) }.run(&mut origin).await.unwrap()
}

#[test]
fn what_was_delivered_to_both_is_here_once_and_in_doubt_twice() {
    each_house(async |house| {
        let fake =
            Fake::start(vec![folder("INBOX", vec![mail(1, "", "old")]), folder("Filed", vec![])], Habits::default());
        house.settle(&fake, 1).await;
        for (path, id, subject) in [
            ("INBOX", "both", "both"),
            ("Filed", "ruled", "ruled"),
            ("INBOX", "tagged", "tagged"),
            ("INBOX", "older", "older"),
            ("INBOX", "", "nameless"),
        ] {
            deliver(house, path, id, subject).await;
        }
        let there = |uid: u32, id: &str, subject: &str| {
            let body = sent("there", id, subject);
            Mail { body, date: THEN_THERE, ..mail(uid, "\\Flagged", subject) }
        };
        fake.change(|state| {
            let inbox = &mut state.folders[0];
            inbox.mails.extend([
                there(2, "both", "both"),
                there(3, "ruled", "ruled"),
                there(4, "tagged", "[SPAM] tagged"),
                Mail { date: "21-Nov-2020 08:00:00 +0800", ..there(5, "older", "older") },
                there(6, "", "nameless"),
                there(7, "both", "both"),
            ]);
            inbox.uidnext = 8;
        });
        for _ in 0..2 {
            sweep(house, &fake).await;
            let held = house.held().await;
            let said = |path: &str| -> Vec<String> {
                let by = |raw: &[u8]| String::from_utf8_lossy(raw).into_owned();
                let who = |text: &str| if text.contains("by there") { "there" } else { "here" };
                let subject =
                    |text: &str| text.split("Subject: ").nth(1).and_then(|rest| rest.lines().next()).map(str::to_owned);
                let mut all: Vec<String> = held[path]
                    .iter()
                    .map(|one| by(&one.4))
                    .map(|text| format!("{} {}", who(&text), subject(&text).unwrap_or_default()))
                    .filter(|line| line != "here old")
                    .collect();
                all.sort();
                all
            };
            let inbox = [
                "here both",
                "here nameless",
                "here older",
                "here tagged",
                "there [SPAM] tagged",
                "there both",
                "there nameless",
                "there older",
            ];
            assert_eq!(said("INBOX"), inbox, "the second that came there is brought, as is what cannot be told");
            assert_eq!(said("Filed"), ["here ruled"], "a rule had filed it here");
        }
        let tally = house.store.read(ANN, |tx| tx.ledger_tally(1, None)).await.unwrap();
        let of = |state: LedgerState| tally.rows[state as usize];
        assert_eq!((of(LedgerState::Adopted), of(LedgerState::Copied)), (2, 5));
    });
}

#[test]
fn before_the_cut_over_nothing_is_taken_for_what_was_delivered() {
    each_house(async |house| {
        let fake = Fake::start(vec![folder("INBOX", vec![mail(1, "", "old")])], Habits::default());
        house.settle(&fake, 1).await;
        deliver(house, "INBOX", "both", "both").await;
        fake.change(|state| {
            let body = sent("there", "both", "both");
            state.folders[0].mails.push(Mail { body, date: THEN_THERE, ..mail(2, "", "both") });
            state.folders[0].uidnext = 3;
        });
        house.settle(&fake, 1).await;
        assert_eq!(house.held().await["INBOX"].len(), 3);
    });
}
