//! A batch that is on its way while its account is forgotten for good is not stored.

use anser_migrate::commit::{Arrived, Target, commit};
use anser_migrate::source::{Seen, Taken};
use anser_store::{Flags, Keywords};

use crate::fake::{Fake, Habits, folder, mail};
use crate::house::{ANN, TENANT, each_house};

fn arrived(uid: u32) -> Vec<Arrived> {
    let (key, flags, keywords) = (uid.to_be_bytes().to_vec(), Flags::default(), Keywords::default());
    let (received, uidl, written, size) = ("21-Nov-2020 08:00:00 +0800".to_owned(), None, None, 0);
    let seen = Seen { at: uid, key, uid, uidl, identity: None, flags, keywords, received, written, size };
    vec![Arrived { seen, taken: Taken::Memory(format!("Subject: {uid}\r\n\r\n").into_bytes()), ends: None }]
}

#[test]
fn neither_its_messages_nor_its_rows() {
    each_house(async |house| {
        let fake = Fake::start(vec![folder("INBOX", vec![mail(1, "", "one")])], Habits::default());
        house.pass(&fake).await.map_err(|trouble| trouble.words()).unwrap();
        let ledger = house.store.read(ANN, |tx| Ok(tx.ledger_folders(1)?.remove(0))).await.unwrap();
        let target = Target {
            tenant: TENANT,
            account: ANN,
            mailbox: ledger.mailbox,
            key: ledger.key,
            keeps_uids: false,
            pass: 2,
            quota: None,
            labels: false,
            may_have_moved: false,
            again: false,
            adoptable: None,
            overlap: None,
        };
        let stored = commit(house.store.clone(), target.clone(), arrived(2)).await.unwrap();
        assert_eq!((stored.messages, house.uids("INBOX").await.len()), (1, 2));
        // As whoever forgets an account does it, in one transaction.
        house
            .change(|tx| {
                let inbox = tx.inbox().unwrap().id;
                tx.forget_ledgers().unwrap();
                tx.expunge(inbox, &[1, 2, 3], false).unwrap();
            })
            .await;
        let error = commit(house.store.clone(), target, arrived(3)).await.unwrap_err();
        assert!(error.chain().contains("forgotten"), "{}", error.chain());
        assert!(house.held().await.is_empty());
        assert_eq!(house.store.read(ANN, |tx| tx.ledger_tally(1, None)).await.unwrap(), Default::default());
    });
}
