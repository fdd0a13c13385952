//! ID-6, ID-8: where the old server names messages and folders beside UIDs, not one body is fetched twice: after UIDVALIDITY changed, after
//! another server took its place, when mail is moved or a folder is renamed there, and when a message has several labels.

use anser_migrate::source::Origin;
use anser_store::Flags;
use anser_wire::Secret;

use crate::fake::{Fake, Folder, Habits, Mail, folder, mail};
use crate::house::{ANN, House, each_house};

/// Servers that name messages, as they tell it.
const KINDS: [(&str, Option<&str>); 4] =
    [("DIGEST=SHA1 OBJECTID", None), ("OBJECTID", None), ("X-GM-EXT-1", None), ("", Some("Dovecot"))];

fn kind((capabilities, calls_itself): (&'static str, Option<&'static str>)) -> Habits {
    Habits { capabilities, calls_itself, ..Habits::default() }
}

async fn pass(house: &House, fake: &Fake) -> u64 {
    house.pass(fake).await.map_err(|trouble| trouble.words()).unwrap().copied
}

/// Gives every message another number, and the folder another UIDVALIDITY.
fn number_anew(folder: &mut Folder, validity: u32) {
    folder.uidvalidity = validity;
    folder.mails.reverse();
    (1..).zip(&mut folder.mails).for_each(|(at, mail)| mail.uid = 100 * validity + at);
    folder.uidnext = 100 * validity + 99;
}

fn several() -> Vec<Mail> {
    several_of("message")
}

fn several_of(what: &str) -> Vec<Mail> {
    let mut mails: Vec<_> = (1..=8).map(|uid| mail(uid, "", &format!("{what} {uid}"))).collect();
    // Byte for byte the same: hashes name both alike.
    mails[3].body = mails[2].body.clone();
    mails
}

#[test]
fn a_folder_that_was_numbered_anew() {
    each_house(async |house| {
        for (at, habits) in KINDS.map(kind).into_iter().enumerate() {
            let name = format!("Folder {at}");
            let fake = Fake::start(vec![folder(&name, several_of(&name))], habits);
            // The login of before has lost its folder: that is meant.
            house.pass_with(&fake, false, true).await.map_err(|trouble| trouble.words()).unwrap();
            let before = house.held().await;
            fake.handed();
            for validity in [77, 5] {
                fake.change(|state| number_anew(&mut state.folders[0], validity));
                assert_eq!(pass(house, &fake).await, 0);
                assert_eq!(house.held().await, before);
                assert_eq!(fake.handed(), [0; 0], "{name}");
            }
            fake.change(|state| {
                number_anew(&mut state.folders[0], 9);
                state.folders[0].mails[0].flags = "\\Flagged".into();
                state.folders[0].mails.push(mail(990, "", &format!("new of {at}")));
                state.folders[0].uidnext = 1_000;
            });
            assert_eq!(pass(house, &fake).await, 1);
            assert_eq!(fake.handed(), [990]);
            pass(house, &fake).await;
            let held = house.held().await;
            assert_eq!(held[&name].len(), 9);
            assert_eq!(held[&name].iter().filter(|one| Flags(one.1).has(Flags::FLAGGED)).count(), 1);
        }
    });
}

#[test]
fn a_server_that_took_the_place_of_another() {
    each_house(async |house| {
        let old = Fake::start(vec![folder("INBOX", several()), folder("Work", Vec::new())], kind(KINDS[0]));
        pass(house, &old).await;
        let before = house.held().await;
        let mut mails = several();
        // The same moment in another zone.
        mails.iter_mut().for_each(|mail| mail.date = "21-Nov-2020 00:00:00 +0000");
        let mut inbox = folder("INBOX", mails);
        number_anew(&mut inbox, 3);
        let new = Fake::start(vec![inbox, folder("Work", Vec::new())], kind(KINDS[0]));
        assert_eq!(pass(house, &new).await, 0);
        assert_eq!((house.held().await, new.handed()), (before, Vec::new()));
    });
}

#[test]
fn a_name_is_believed_where_size_and_date_are_the_same() {
    each_house(async |house| {
        let named = |uid, text: &str, date| Mail { name: Some("one"), date, ..mail(uid, "", text) };
        let date = "21-Nov-2020 08:00:00 +0800";
        let fake = Fake::start(vec![folder("INBOX", vec![named(1, "a", date)])], kind(KINDS[1]));
        pass(house, &fake).await;
        fake.handed();
        // A server that names three messages alike: not one of them is lost.
        fake.change(|state| {
            let (larger, later) = (named(11, "larger", date), named(12, "b", "21-Nov-2020 08:00:01 +0800"));
            state.folders[0] = Folder { uidvalidity: 7, ..folder("INBOX", vec![named(10, "a", date), larger, later]) };
        });
        assert_eq!(pass(house, &fake).await, 2);
        assert_eq!((fake.handed(), house.uids("INBOX").await.len()), (vec![11, 12], 3));
    });
}

#[test]
fn what_its_owner_removed_here_stays_away() {
    each_house(async |house| {
        let fake = Fake::start(vec![folder("INBOX", several())], kind(KINDS[0]));
        pass(house, &fake).await;
        let inbox = house.mailbox("INBOX").await;
        house.change(move |tx| drop(tx.expunge(inbox, &[1, 2], false).unwrap())).await;
        // Of one the ledger gets to know it.
        fake.change(|state| state.folders[0].mails[0].flags = "\\Seen".into());
        pass(house, &fake).await;
        fake.handed();
        for validity in [77, 5] {
            fake.change(|state| number_anew(&mut state.folders[0], validity));
            assert_eq!(pass(house, &fake).await, 0);
            assert_eq!((house.uids("INBOX").await, fake.handed()), (vec![3, 4, 5, 6, 7, 8], Vec::new()));
        }
    });
}

#[test]
fn mail_that_is_moved_or_copied_there() {
    each_house(async |house| {
        let fake = Fake::start(vec![folder("INBOX", several()), folder("Work", Vec::new())], kind(KINDS[1]));
        pass(house, &fake).await;
        fake.handed();
        fake.change(|state| {
            let moved = Mail { uid: 1, ..state.folders[0].mails.remove(1) };
            let copied = Mail { uid: 3, ..state.folders[0].mails[0].clone() };
            // What is new comes between them, with the UID that it has there.
            state.folders[1].mails = vec![moved, mail(2, "", "new"), copied];
            state.folders[1].uidnext = 4;
        });
        assert_eq!(pass(house, &fake).await, 2);
        assert_eq!(fake.handed(), [2]);
        assert_eq!((house.uids("INBOX").await, house.uids("Work").await), (vec![1, 3, 4, 5, 6, 7, 8], vec![1, 2, 3]));
        let held = house.held().await;
        let bodies: Vec<_> = held["Work"].iter().map(|one| one.4.clone()).collect();
        assert_eq!(
            bodies,
            fake.state.lock().unwrap().folders[1].mails.iter().map(|mail| mail.body.clone()).collect::<Vec<_>>()
        );
    });
}

#[test]
fn a_folder_that_is_renamed() {
    each_house(async |house| {
        let kinds = [
            ("OBJECTID", None, ["a1", "a2", "a3", "a4"]),
            ("OBJECTID LIST-EXTENDED LIST-STATUS", None, ["b1", "b2", "b3", "b4"]),
            ("LIST-EXTENDED LIST-STATUS", Some("Dovecot"), ["c1", "c2", "c3", "c4"]),
        ];
        for (at, (capabilities, calls_itself, ids)) in kinds.into_iter().enumerate() {
            let of = |what: &str| several_of(&format!("{at}{what}"));
            let named = |name: &str, id, mails| Folder { id, ..folder(&format!("{at}{name}"), mails) };
            let folders = vec![
                named("Old", ids[0], of("a")),
                named("Old/Below", ids[1], of("b")),
                named("Other", ids[2], of("c")),
            ];
            let fake = Fake::start(folders, kind((capabilities, calls_itself)));
            house.pass_with(&fake, false, true).await.map_err(|trouble| trouble.words()).unwrap();
            let (old, below) =
                (house.mailbox(&format!("{at}Old")).await, house.mailbox(&format!("{at}Old/Below")).await);
            let other = house.mailbox(&format!("{at}Other")).await;
            // Its owner gave this one another name here.
            house.change(move |tx| tx.rename_mailbox(other, None, &format!("{at}Mine")).unwrap()).await;
            fake.handed();
            fake.change(|state| {
                let names = ["New", "New/Below", "Another"].map(|name| format!("\"{at}{name}\"").into_bytes());
                state.folders.iter_mut().zip(names).for_each(|(folder, name)| folder.name = name);
                // The name of before is that of another folder now.
                state.folders.push(named("Old", ids[3], vec![mail(1, "", &format!("{at} not the same"))]));
            });
            for copied in [1, 0] {
                assert_eq!(pass(house, &fake).await, copied, "{capabilities}");
                let held = house.held().await;
                let count = |name: &str| held.get(&format!("{at}{name}")).map(Vec::len);
                assert_eq!(
                    (count("New"), count("New/Below"), count("Mine"), count("Old"), count("Another")),
                    (Some(8), Some(8), Some(8), Some(1), None)
                );
                assert_eq!(house.mailbox(&format!("{at}New")).await, old);
                assert_eq!(house.mailbox(&format!("{at}New/Below")).await, below);
            }
            assert_eq!(fake.handed(), [1], "{capabilities}");
        }
    });
}

#[test]
fn ids_of_another_server_say_nothing() {
    each_house(async |house| {
        let named = |name, id, mails| Folder { id, ..folder(name, mails) };
        let kept = || several_of("kept");
        let old = Fake::start(vec![named("Old", "1", kept())], kind(KINDS[1]));
        pass(house, &old).await;
        let mailbox = house.mailbox("Old").await;
        let folders = vec![named("Old", "2", kept()), named("New", "1", vec![mail(1, "", "of another")])];
        let new = Fake::start(folders, kind(KINDS[1]));
        assert_eq!(pass(house, &new).await, 1);
        assert_eq!((new.handed(), house.mailbox("Old").await), (vec![1], mailbox));
        assert_eq!((house.uids("Old").await.len(), house.uids("New").await), (8, vec![1]));
    });
}

#[test]
fn a_server_that_refuses_what_it_offers() {
    each_house(async |house| {
        let habits = Habits { boasts: true, capabilities: "LIST-EXTENDED LIST-STATUS", ..kind(KINDS[3]) };
        let fake = Fake::start(vec![folder("INBOX", several())], habits);
        assert_eq!(pass(house, &fake).await, 8);
        fake.change(|state| number_anew(&mut state.folders[0], 5));
        assert_eq!((pass(house, &fake).await, house.uids("INBOX").await.len()), (0, 8));
        assert_eq!(fake.handed().len(), 16);
    });
}

/// One mail with several labels is in several folders under one name.
#[test]
fn a_message_with_several_labels() {
    each_house(async |house| {
        let named = |uid, name, text: &str| Mail { name: Some(name), ..mail(uid, "\\Seen", text) };
        let folders = vec![
            folder("INBOX", vec![named(3, "11", "labelled"), named(4, "12", "twin"), named(5, "13", "plain")]),
            folder("Work", vec![named(9, "11", "labelled"), named(10, "14", "twin")]),
            folder(
                "[Gmail]/All Mail",
                (0..4)
                    .map(|at| {
                        named(
                            30 + at,
                            ["11", "12", "13", "14"][at as usize],
                            ["labelled", "twin", "plain", "twin"][at as usize],
                        )
                    })
                    .collect(),
            ),
        ];
        let fake = Fake::start(folders, kind(KINDS[2]));
        for copied in [9, 0] {
            let origin = Origin::open(&fake.source(), "ann", Some(&Secret::new(b"secret".to_vec()))).await;
            let origin = origin.map_err(|trouble| trouble.words()).unwrap();
            let outcome =
                house.pass_as("gmail", origin, false, false).await.map_err(|trouble| trouble.words()).unwrap();
            assert_eq!(outcome.copied, copied);
            // The twins are two, for all that their bytes are the same.
            assert_eq!(house.store.read(ANN, |tx| Ok(tx.messages())).await.unwrap(), 4);
            assert_eq!((house.uids("INBOX").await, house.uids("Work").await), (vec![3, 4, 5], vec![9, 10]));
            assert_eq!(house.uids("[Gmail]/All Mail").await, [30, 31, 32, 33]);
        }
        assert_eq!(fake.handed(), [3, 4, 5, 10]);
        let asked = |fake: &Fake| fake.heard().iter().any(|line| line.contains("X-GM-MSGID"));
        assert!(asked(&fake));
        let other = Fake::start(vec![folder("INBOX", Vec::new())], Habits::default());
        let origin = Origin::open(&other.source(), "ann", Some(&Secret::new(b"secret".to_vec()))).await;
        assert!(house.pass_as("gmail", origin.map_err(|trouble| trouble.words()).unwrap(), false, true).await.is_ok());
        assert!(!asked(&other));
    });
}
