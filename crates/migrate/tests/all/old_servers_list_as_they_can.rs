//! Cases 27, 29 and 35: lists of every age, ghosts, folders that cannot be opened, servers that ask for patience.

use std::time::Duration;

use anser_migrate::trouble::Trouble;
use anser_store::{MailTx, Role};

use crate::fake::{Fake, Folder, Habits, folder, mail};
use crate::house::{ANN, each_house};

#[test]
fn uses_and_subscriptions_are_learnt_by_whatever_a_server_offers() {
    each_house(async |house| {
        for (at, (capabilities, sent)) in [
            ("", ""),
            ("XLIST", "\\Sent"),
            ("LIST-EXTENDED", "\\Subscribed"),
            ("LIST-EXTENDED SPECIAL-USE", "\\Sent \\Subscribed"),
            ("SPECIAL-USE NAMESPACE", "\\Sent"),
        ]
        .into_iter()
        .enumerate()
        {
            let name = format!("Ausgang {at}");
            let folders = vec![
                folder("INBOX", vec![mail(1, "", &format!("in {at}"))]),
                Folder { attributes: sent, ..folder(&name, vec![mail(1, "\\Seen", &format!("sent {at}"))]) },
            ];
            let fake = Fake::start(folders, Habits { capabilities, ..Habits::default() });
            // Each server is another one; what the one before had is not missed.
            let passed = house.pass_with(&fake, false, true).await;
            passed.map_err(|trouble| format!("{capabilities}: {}", trouble.words())).unwrap();
            let held = house.held().await;
            let found = held.values().flatten().any(|one| one.4.ends_with(format!("sent {at} body\r\n").as_bytes()));
            assert!(found, "{capabilities}: {:?}", held.keys());
            assert!(fake.heard().iter().any(|line| line.contains("LSUB")) != capabilities.contains("EXTENDED"));
        }
    });
}

#[test]
fn a_use_told_by_xlist_is_the_folders_use_here() {
    each_house(async |house| {
        let sent = Folder { attributes: "\\HasNoChildren \\Sent", ..folder("Ausgang", vec![mail(1, "", "x")]) };
        let folders = vec![folder("INBOX", Vec::new()), sent];
        let fake = Fake::start(folders, Habits { capabilities: "XLIST", ..Habits::default() });
        house.pass(&fake).await.unwrap();
        let role = |tx: &mut MailTx<'_, '_>| tx.mailbox_with_role(Role::Sent);
        let found = house.store.read(ANN, role).await.unwrap().unwrap();
        assert_eq!((found.name.as_str(), found.total), ("Ausgang", 1));
    });
}

#[test]
fn ghosts_and_locked_folders_keep_nobody_from_the_rest() {
    each_house(async |house| {
        let folders = vec![
            folder("INBOX", vec![mail(1, "", "one")]),
            folder("Locked", vec![mail(1, "", "secret")]),
            folder("Work", vec![mail(1, "", "two")]),
        ];
        let (ghost, locked) = (Some("Gone long ago"), Some("Locked"));
        let fake = Fake::start(folders, Habits { ghost, locked, ..Habits::default() });
        house.pass(&fake).await.map_err(|trouble| trouble.words()).unwrap();
        let held = house.held().await;
        assert_eq!(held.keys().collect::<Vec<_>>(), ["INBOX", "Work"], "what can be opened is here, and no ghost");
        fake.change(|state| state.habits.locked = None);
        house.pass(&fake).await.map_err(|trouble| trouble.words()).unwrap();
        assert_eq!(house.held().await["Locked"].len(), 1, "and the other once it can be");
    });
}

#[test]
fn a_server_that_asks_for_patience_is_left_alone_for_so_long_and_nothing_is_lost() {
    each_house(async |house| {
        let mails = (1..=20).map(|uid| mail(uid, "", &format!("letter {uid}"))).collect();
        let throttles = Some("Request is throttled. Suggested Backoff Time: 2000 milliseconds");
        let fake = Fake::start(vec![folder("INBOX", mails)], Habits { throttles, ..Habits::default() });
        match house.pass(&fake).await {
            Err(Trouble::Later { pause, why }) => {
                assert_eq!(pause, Some(Duration::from_secs(2)), "{why}");
                assert!(why.contains("throttled"), "{why}");
            }
            other => panic!("{other:?}"),
        }
        house.pass(&fake).await.unwrap();
        assert_eq!(house.held().await["INBOX"].len(), 20);
    });
}

#[test]
fn a_server_that_has_no_time_is_come_back_to_and_no_folder_or_message_is_given_up() {
    each_house(async |house| {
        let one = |name: &str| folder(name, vec![mail(1, "", name)]);
        let fake = Fake::start(vec![one("INBOX"), one("Work")], Habits::default());
        for (verb, words) in [
            ("EXAMINE", "[UNAVAILABLE] the backend is down"),
            ("EXAMINE", "System busy!"),
            ("UID", "[THROTTLED] slow down"),
            ("UID", "Too many requests, try again later"),
            ("LIST", "[LIMIT] not now"),
        ] {
            fake.change(|state| state.habits.busy = Some((verb, words)));
            // However often it says so, and where attempts are counted too.
            for careful in [false, true, true, true, true] {
                match house.pass_with(&fake, careful, false).await {
                    Err(Trouble::Later { pause, why }) => {
                        assert!(pause.is_some_and(|pause| pause >= Duration::from_secs(60)), "{why}: {pause:?}");
                    }
                    other => panic!("{verb} {words}: {other:?}"),
                }
            }
        }
        fake.change(|state| state.habits.busy = None);
        let outcome = house.pass(&fake).await.map_err(|trouble| trouble.words()).unwrap();
        assert_eq!((outcome.copied, outcome.failed, outcome.note()), (2, 0, None));
        // One that says so for ever.
        fake.change(|state| state.habits.busy = Some(("EXAMINE", "[UNAVAILABLE] the backend is down")));
        let mut asked = 0;
        let outcome = loop {
            asked += 1;
            assert!(asked < 20, "it is never given up");
            match house.pass_impatiently(&fake).await {
                Err(Trouble::Later { .. }) => {}
                ended => break ended.unwrap(),
            }
        };
        assert!(asked > 2 && outcome.note().is_some_and(|note| note.contains("INBOX")), "{asked} {:?}", outcome.note());
    });
}

#[test]
fn of_several_folders_for_one_use_the_fuller_one_has_it_where_the_list_tells_no_numbers() {
    each_house(async |house| {
        let of = |name: &str, count: u32| folder(name, (1..=count).map(|uid| mail(uid, "", name)).collect());
        let folders = vec![of("INBOX", 1), of("Sent", 1), of("Sent Items", 3), of("&XfJT0ZAB-", 2), of("Trash", 1)];
        let fake = Fake::start(folders, Habits::default());
        house.pass(&fake).await.map_err(|trouble| trouble.words()).unwrap();
        let sent = house.store.read(ANN, |tx| tx.mailbox_with_role(Role::Sent)).await.unwrap().unwrap();
        assert_eq!((&*sent.name, sent.total), ("Sent Items", 3));
        let held = house.held().await;
        assert_eq!(held.values().map(Vec::len).sum::<usize>(), 8, "{:?}", held.keys());
        let asked = |fake: &Fake| fake.heard().iter().filter(|line| line.contains(" STATUS ")).count();
        assert_eq!(asked(&fake), 3, "those of one use alone");
        house.pass(&fake).await.map_err(|trouble| trouble.words()).unwrap();
        assert_eq!(asked(&fake), 3, "once");
    });
}
