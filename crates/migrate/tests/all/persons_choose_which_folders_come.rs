//! Before a move of his own begins its owner sees the folders there, leaves some out, and says what others are for; and may think otherwise.

use anser_base::Clock;
use anser_directory::Account;
use anser_migrate::own::{Change, Choice, FolderView};
use anser_migrate::pass::Pass;
use anser_migrate::source::Origin;
use anser_migrate::{OwnState, Wish};
use anser_net::Network;
use anser_store::Role;
use anser_wire::Secret;
use serde_json::{Value, json};

use crate::fake::{Fake, Folder, Habits, folder, mail};
use crate::house::{Quiet, each_house};
use crate::office::{Office, each_office, wish};

fn old() -> Fake {
    let many = |count: u32| (1..=count).map(|uid| mail(uid, "", &format!("m{uid}"))).collect();
    let sent = Folder { attributes: "\\Sent", ..folder("Sent", vec![mail(1, "", "s")]) };
    let folders = vec![
        folder("INBOX", many(2)),
        sent,
        folder("Old letters", many(3)),
        folder("News", vec![mail(7, "", "n1"), mail(8, "", "n2"), mail(9, "", "n3"), mail(10, "", "n4")]),
    ];
    let capabilities = "LIST-EXTENDED LIST-STATUS SPECIAL-USE";
    Fake::start(folders, Habits { capabilities, ..Habits::default() })
}

fn choice(said: Value) -> Choice {
    Choice::read(&said).unwrap()
}

async fn folders(office: &Office, ann: &Account, id: u64) -> Vec<FolderView> {
    let (all, problem) = office.migrate.own_folders(ann, id).await.unwrap();
    assert_eq!(problem, None);
    all
}

fn named<'a>(all: &'a [FolderView], name: &str) -> &'a FolderView {
    all.iter().find(|one| one.name == name).unwrap()
}

/// Changes it, starts it, and waits until it rests.
async fn run(office: &Office, ann: &Account, id: u64, choice: Option<Choice>) -> anser_migrate::OwnMove {
    let change = Change { paused: Some(false), choice, ..Change::default() };
    office.migrate.change_own(ann, id, change).await.unwrap();
    office.rests(ann).await
}

#[test]
fn what_is_left_out_stays_there_until_it_is_let_in() {
    each_office(&Network::loopback(), &Clock::System, async |office| {
        let fake = old();
        let ann = office.account(office.person("ann", 0).await).await;
        let (_shutdown, running) = office.run();
        let begun = office.migrate.begin_own(&ann, Wish { is_paused: true, ..wish(&fake.source()) }).await.unwrap();
        assert_eq!((begun.state, begun.started), (OwnState::Paused, None), "nothing comes before it is started");
        let all = folders(office, &ann, begun.id).await;
        let told: Vec<_> = all.iter().map(|one| (&*one.name, one.messages, one.role)).collect();
        let wanted = [
            ("INBOX", Some(2), Some(Role::Inbox)),
            ("Sent", Some(1), Some(Role::Sent)),
            ("News", Some(4), None),
            ("Old letters", Some(3), None),
        ];
        assert_eq!(told, wanted);
        assert!(all.iter().all(|one| !one.skip && !one.is_here));

        let said = json!({ "News": { "skip": true }, "Old letters": { "role": "archive" } });
        let one = run(office, &ann, begun.id, Some(choice(said.clone()))).await;
        let result = one.result.unwrap();
        assert_eq!(one.choice.shown(), said);
        assert_eq!((result.total, result.copied, result.skipped, result.left_out), (10, 6, 4, 4));
        assert!(result.reasons.iter().any(|(why, count)| why.en.contains("your choice") && *count == 4));
        let here = |tx: &mut anser_store::MailTx<'_, '_>| {
            let archive = tx.mailbox_with_role(Role::Archive)?.map_or(0, |archive| archive.total);
            Ok((tx.messages(), archive, tx.mailbox_at(&["News"])?.is_some()))
        };
        assert_eq!(office.store.read(ann.id, here).await.unwrap(), (6, 3, false));
        assert!(fake.heard().iter().all(|line| !line.contains("EXAMINE \"News\"") && !line.contains("EXAMINE News")));
        let all = folders(office, &ann, begun.id).await;
        assert!(named(&all, "News").skip && !named(&all, "News").is_here);
        assert_eq!((named(&all, "Old letters").role, named(&all, "Old letters").is_here), (Some(Role::Archive), true));

        // One that came and is left out from then on is no loss; what came of it stays and may be undone.
        let said = json!({ "Old letters": { "skip": true } });
        fake.change(|state| state.folders[2].mails.push(mail(4, "", "late")));
        fake.change(|state| state.folders[2].uidnext = 5);
        let one = run(office, &ann, begun.id, Some(choice(said))).await;
        let result = one.result.unwrap();
        assert_eq!((one.state, result.copied, result.left_out), (OwnState::Done, 10, 1));
        assert_eq!(office.migrate.undo_own(&ann, begun.id, true).await.unwrap().removed, 10);
        let one = run(office, &ann, begun.id, Some(Choice::default())).await;
        assert_eq!((one.result.as_ref().unwrap().copied, one.result.unwrap().left_out), (11, 0));
        running.abort();
    });
}

#[test]
fn a_role_is_what_its_owner_says_and_nobody_elses() {
    each_office(&Network::loopback(), &Clock::System, async |office| {
        let fake = old();
        let ann = office.account(office.person("ann", 0).await).await;
        let (_shutdown, running) = office.run();
        // What calls itself Sent is an ordinary folder, and News are the letters sent; the inbox stays the inbox.
        let said = json!({ "Sent": { "role": null }, "News": { "role": "sent" }, "INBOX": { "role": "trash" } });
        let wish = Wish { choice: choice(said), ..wish(&fake.source()) };
        let id = office.migrate.begin_own(&ann, wish).await.unwrap().id;
        assert_eq!(office.rests(&ann).await.state, OwnState::Done);
        let here = |tx: &mut anser_store::MailTx<'_, '_>| {
            let mut held = Vec::new();
            for role in [Role::Inbox, Role::Sent, Role::Trash] {
                held.push(tx.mailbox_with_role(role)?.map_or(0, |mailbox| mailbox.total));
            }
            Ok(held)
        };
        assert_eq!(office.store.read(ann.id, here).await.unwrap(), [2, 4, 0]);
        let all = folders(office, &ann, id).await;
        assert_eq!((named(&all, "Sent").role, named(&all, "News").role), (None, Some(Role::Sent)));
        running.abort();
    });
}

#[test]
fn what_is_left_out_has_no_role_that_another_could_have() {
    each_office(&Network::loopback(), &Clock::System, async |office| {
        let fake = old();
        fake.change(|state| state.folders.push(folder("Sent Items", vec![mail(1, "", "a"), mail(2, "", "b")])));
        let ann = office.account(office.person("ann", 0).await).await;
        let (_shutdown, running) = office.run();
        let choice = choice(json!({ "Sent": { "skip": true } }));
        let wish = Wish { choice, is_paused: true, ..wish(&fake.source()) };
        let id = office.migrate.begin_own(&ann, wish).await.unwrap().id;
        let before = folders(office, &ann, id).await;
        assert_eq!((named(&before, "Sent").role, named(&before, "Sent Items").role), (None, Some(Role::Sent)));
        run(office, &ann, id, None).await;
        let sent =
            |tx: &mut anser_store::MailTx<'_, '_>| Ok(tx.mailbox_with_role(Role::Sent)?.map(|mailbox| mailbox.total));
        assert_eq!(office.store.read(ann.id, sent).await.unwrap(), Some(2), "it came as it was foreseen");
        running.abort();
    });
}

#[test]
fn a_folder_that_is_left_out_is_not_taken_for_one_that_got_another_name() {
    each_house(async |house| {
        let one = |name: &str| Folder { id: "b7", ..folder(name, vec![mail(1, "", "w")]) };
        let fake = Fake::start(
            vec![folder("INBOX", Vec::new()), one("Work")],
            Habits { capabilities: "OBJECTID", ..Habits::default() },
        );
        house.pass(&fake).await.map_err(|trouble| trouble.words()).unwrap();
        // The same folder by another way in.
        fake.change(|state| state.folders.push(one("Mail/Work")));
        let origin = Origin::open(&fake.source(), "ann", Some(&Secret::new(b"secret".to_vec()))).await;
        let watch = Quiet::default();
        let pass = Pass { choice: choice(json!({ "Work": { "skip": true } })), ..house.to_pass("generic", &watch) };
        pass.run(&mut origin.map_err(|trouble| trouble.words()).unwrap())
            .await
            .map_err(|trouble| trouble.words())
            .unwrap();
        assert_eq!(house.uids("Work").await, [1], "it is there still, and keeps its mailbox");
        assert_eq!(house.uids("Mail/Work").await, [1]);
    });
}

#[test]
fn who_is_not_let_in_is_told_why_before_anything_is_tried_by_itself() {
    each_office(&Network::loopback(), &Clock::System, async |office| {
        let fake = old();
        let ann = office.account(office.person("ann", 0).await).await;
        let (_shutdown, running) = office.run();
        let password = anser_migrate::Password(b"other".to_vec());
        let wish = Wish { password: Some(password), is_paused: true, ..wish(&fake.source()) };
        let id = office.migrate.begin_own(&ann, wish).await.unwrap().id;
        let (all, problem) = office.migrate.own_folders(&ann, id).await.unwrap();
        assert!(all.is_empty() && problem.unwrap().zh.contains("授权码"));
        // However often somebody looks, it is said there once.
        let said = fake.heard().len();
        let (_, problem) = office.migrate.own_folders(&ann, id).await.unwrap();
        assert!(problem.unwrap().zh.contains("授权码"));
        assert_eq!(fake.heard().len(), said);
        let right = Some(anser_migrate::Password(b"secret".to_vec()));
        let changed = Change { password: right, ..Change::default() };
        assert_eq!(office.migrate.change_own(&ann, id, changed).await.unwrap().state, OwnState::Paused);
        assert_eq!(folders(office, &ann, id).await.len(), 4);
        running.abort();
    });
    each_office(&[], &Clock::System, async |office| {
        let fake = old();
        let ann = office.account(office.person("ann", 0).await).await;
        let wish = Wish { is_paused: true, ..wish(&fake.source()) };
        let id = office.migrate.begin_own(&ann, wish).await.unwrap().id;
        let (_, problem) = office.migrate.own_folders(&ann, id).await.unwrap();
        assert!(problem.unwrap().en.contains("may not connect") && fake.heard().is_empty());
    });
}
