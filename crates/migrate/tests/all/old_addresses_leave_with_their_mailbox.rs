//! ORG-6: what a move made of old addresses is known by the mailbox that it was made for, goes on to another that has the same, and is in
//! use once the mailbox is here.

use anser_base::{Address, Clock};
use anser_migrate::{Made, NewMailbox, OldAddress, Wish};

use crate::fake::{Fake, Habits, folder, mail};
use crate::office::{MOVE, Office, each_office, wish};

const BOTH: Made = Made { alias: true, identity: true };

async fn noted(office: &Office) -> Vec<OldAddress> {
    office.migrate.leaving(MOVE, &Vec::new()).await.unwrap().old
}

async fn note(office: &Office, made: Made) {
    let old = Address::parse("ann@old.test").unwrap();
    let source = office.migrate.move_view(MOVE).await.unwrap().sources[0].name.clone();
    office.migrate.note_old_address(MOVE, (&source, "ann"), &old, made).await.unwrap();
}

#[test]
fn what_was_made_is_noted_once_and_is_in_use_where_the_mailbox_is_here() {
    each_office(&[], &Clock::System, async |office| {
        let fake = Fake::start(vec![folder("INBOX", vec![mail(1, "", "x")])], Habits::default());
        let ann = office.plan(&[(fake.source(), &["ann"])]).await[0];
        assert!(noted(office).await.is_empty());
        note(office, Made { alias: true, identity: false }).await;
        note(office, Made { alias: false, identity: true }).await;
        let [one] = &noted(office).await[..] else { panic!("noted once") };
        assert_eq!((one.account, &*one.old, one.made), (ann, "ann@old.test", BOTH));
        assert!(!office.migrate.is_here(one).await.unwrap());
        office.migrate.start(MOVE, Vec::new()).await.unwrap();
        let (_shutdown, running) = office.run();
        office.migrate.wait(MOVE).await.unwrap();
        office.migrate.cutover(MOVE, Vec::new()).await.unwrap();
        office.migrate.wait(MOVE).await.unwrap();
        let [here] = &noted(office).await[..] else { panic!("it stays noted") };
        assert!(office.migrate.is_here(here).await.unwrap());
        office.migrate.forget_old_address(here).await.unwrap();
        assert!(noted(office).await.is_empty());
        running.abort();
    });
}

#[test]
fn another_login_that_has_the_same_gets_it() {
    each_office(&[], &Clock::System, async |office| {
        let fake = Fake::start(vec![folder("INBOX", Vec::new())], Habits::default());
        office.plan(&[(fake.source(), &["ann"])]).await;
        note(office, BOTH).await;
        let leaving = async |which: &[&str]| {
            let which = which.iter().map(|one| (*one).to_owned()).collect();
            office.migrate.leaving(MOVE, &which).await.unwrap()
        };
        let alone = leaving(&["ann"]).await;
        assert!(!office.migrate.hand_on(&alone.old[0], &alone, false).await.unwrap(), "nobody else has it");
        let person = office.account(alone.old[0].account).await;
        let own = Wish { login: "ann@old.test".into(), is_paused: true, ..wish(&fake.source()) };
        office.migrate.begin_own(&person, own).await.unwrap();
        assert!(
            !office.migrate.hand_on(&alone.old[0], &alone, false).await.unwrap(),
            "a move of her own leads nothing here"
        );
        let more = NewMailbox { login: "Ann@old.test".into(), password: None, address: "ann@anser.test".into() };
        office.migrate.add_mailboxes(MOVE, None, vec![more]).await.unwrap();
        let all = leaving(&[]).await;
        assert!(!office.migrate.hand_on(&all.old[0], &all, false).await.unwrap(), "both leave");
        let first = leaving(&["ann"]).await;
        assert!(office.migrate.hand_on(&first.old[0], &first, true).await.unwrap());
        assert_eq!(leaving(&["ann"]).await.old.len(), 1, "that was rehearsed");
        assert!(office.migrate.hand_on(&first.old[0], &first, false).await.unwrap());
        assert!(leaving(&["ann"]).await.old.is_empty());
        assert_eq!(leaving(&["Ann@old.test"]).await.old[0].made, BOTH);
    });
}
