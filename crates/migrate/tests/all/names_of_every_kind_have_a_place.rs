//! Case 26 and 28: names that other servers allow, and several folders for one use.

use anser_store::{MailTx, Role};

use crate::fake::{Fake, Folder, Habits, folder, mail};
use crate::house::{ANN, each_house};

#[test]
fn each_folder_keeps_its_messages_apart() {
    each_house(async |house| {
        let listed: [&[u8]; 16] = [
            b"INBOX",
            b"\"a.b\"",
            b"\"x*y\"",
            b"\"x%y\"",
            b"\"trail \"",
            b"\" lead\"",
            b"\"a&-b\"",
            b"\"~t\"",
            b"\"#h\"",
            b"\"12345\"",
            b"\"NIL\"",
            b"\"inbox/Sub\"",
            b"\"&broken\"",
            b"{4}\r\n\xb0\xa1\xb0\xa1",
            b"{6}\r\nlit\"er",
            b"\"d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d\"",
        ];
        let of = |(at, name): (usize, &&[u8])| Folder {
            name: name.to_vec(),
            ..folder("", vec![mail(1, "", &format!("in folder {at}"))])
        };
        let fake = Fake::start(listed.iter().enumerate().map(of).collect(), Habits::default());
        house.pass(&fake).await.map_err(|trouble| trouble.words()).unwrap();
        let held = house.held().await;
        assert_eq!(held.len(), listed.len(), "{:?}", held.keys());
        assert!(held.values().all(|mails| mails.len() == 1));
        for name in ["INBOX", "INBOX/Sub", "a.b", "trail ", " lead", "a&b", "NIL", "lit\"er"] {
            assert!(held.contains_key(name), "{name}: {:?}", held.keys());
        }
    });
}

#[test]
fn of_two_folders_for_sent_mail_the_fuller_one_has_the_use_and_both_stay() {
    each_house(async |house| {
        let mails: Vec<_> = (1..=3).map(|uid| mail(uid, "", &format!("sent {uid}"))).collect();
        let special = Folder { attributes: "\\Sent", ..folder("&XfJT0ZAB-", mails.clone()) };
        let folders = vec![folder("INBOX", Vec::new()), folder("Sent Messages", mails[..1].to_vec()), special];
        let fake = Fake::start(folders, Habits { capabilities: "SPECIAL-USE", ..Habits::default() });
        house.pass(&fake).await.map_err(|trouble| trouble.words()).unwrap();
        assert_eq!(house.uids("已发送").await, [1, 2, 3]);
        assert_eq!(house.uids("Sent Messages").await, [1]);
        let sent = |tx: &mut MailTx<'_, '_>| Ok(tx.mailbox_with_role(Role::Sent)?.map(|mailbox| mailbox.name));
        assert_eq!(house.store.read(ANN, sent).await.unwrap().as_deref(), Some("已发送"));
    });
}

#[test]
fn folders_that_a_provider_puts_below_one_of_its_own_are_lifted() {
    each_house(async |house| {
        let parent = Folder { attributes: "\\Noselect", ..folder("&UXZO1mWHTvZZOQ-", Vec::new()) };
        let below = folder("&UXZO1mWHTvZZOQ-/Work", vec![mail(1, "", "x")]);
        let fake = Fake::start(vec![folder("INBOX", Vec::new()), parent, below], Habits::default());
        house.pass(&fake).await.map_err(|trouble| trouble.words()).unwrap();
        assert_eq!(house.held().await.into_keys().collect::<Vec<_>>(), ["Work"]);
    });
}
