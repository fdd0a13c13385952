//! FID-5: folders of other users come with these, and folders that many share into the one mailbox that is named for them; a mailbox that
//! does not take them says so.

use anser_base::Clock;
use anser_migrate::pass::{Outcome, Pass, Rule};
use anser_migrate::source::Origin;
use anser_migrate::{MailboxView, RulesChange, Source, Which};
use anser_store::{MailTx, Role};
use anser_wire::Secret;

use crate::fake::{Fake, Folder, Habits, folder, mail};
use crate::house::{ANN, House, Quiet, each_house};
use crate::office::{MOVE, each_office};

fn old_server() -> Fake {
    let top = Folder { attributes: "\\Noselect", ..folder("Public", Vec::new()) };
    let folders = vec![
        folder("INBOX", vec![mail(1, "", "own")]),
        folder("Users/bob/INBOX", vec![mail(1, "", "of bob")]),
        top,
        folder("Public/News", vec![mail(1, "", "news"), mail(2, "", "more")]),
        folder("Sent Messages", Vec::new()),
    ];
    let namespace = Some("((\"\" \"/\")) ((\"Users/\" \"/\")) ((\"Public/\" \"/\")(\"Sent\" \"/\"))");
    Fake::start(folders, Habits { capabilities: "NAMESPACE", namespace, admits_anybody: true, ..Habits::default() })
}

async fn try_pass(house: &House, fake: &Fake, takes_shared: bool, careful: bool) -> Result<Outcome, String> {
    let origin = Origin::open(&fake.source(), "ann", Some(&Secret::new(b"secret".to_vec()))).await;
    let (watch, rule) = (Quiet::default(), Rule { takes_shared, ..Rule::default() });
    let pass = Pass { rule, careful, ..house.to_pass("generic", &watch) };
    pass.run(&mut origin.map_err(|trouble| trouble.words()).unwrap()).await.map_err(|trouble| trouble.words())
}

async fn pass(house: &House, fake: &Fake, takes_shared: bool) -> Outcome {
    try_pass(house, fake, takes_shared, false).await.unwrap()
}

/// A pass that ends where bodies are asked for.
async fn ends_early(house: &House, fake: &Fake, takes_shared: bool) {
    fake.change(|state| state.habits.throttles = Some("[UNAVAILABLE] later"));
    try_pass(house, fake, takes_shared, false).await.unwrap_err();
    fake.change(|state| state.habits.throttles = None);
}

/// Whether the UIDs of the news are held for those to come.
async fn holds_uids(house: &House) -> bool {
    let known = house.store.read(ANN, |tx| tx.ledger_folders(1)).await.unwrap();
    known.into_iter().rfind(|folder| folder.name.ends_with(b"News")).unwrap().keeps_uids
}

#[test]
fn a_mailbox_takes_its_own_and_says_what_it_leaves() {
    each_house(async |house| {
        let fake = old_server();
        let outcome = pass(house, &fake, false).await;
        assert_eq!((outcome.copied, outcome.left_out.len()), (1, 3));
        let note = outcome.note().unwrap_or_default();
        assert!(note.contains("3 folders") && note.contains("Public/News"), "{note}");

        // It is named for them: what is another user's stays his.
        let outcome = pass(house, &fake, true).await;
        assert_eq!((outcome.copied, outcome.left_out), (2, vec!["Users/bob/INBOX".to_owned()]));
        assert_eq!(house.uids("Public/News").await, [1, 2]);
        let sent = |tx: &mut MailTx<'_, '_>| Ok(tx.mailbox_with_role(Role::Sent)?.map(|mailbox| mailbox.name));
        let sent = house.store.read(ANN, sent).await.unwrap();
        assert_ne!(sent.as_deref(), Some("Sent Messages"), "what many share is nobody's sent mail");

        // What came as a whole goes on to come, whoever is named then.
        fake.change(|state| {
            state.folders[3].mails.push(mail(3, "", "late"));
            state.folders[3].uidnext = 4;
        });
        assert_eq!(pass(house, &fake, false).await.copied, 1);
    });
}

#[test]
fn what_came_as_a_whole_goes_on_to_come_under_another_number() {
    each_house(async |house| {
        let fake = old_server();
        pass(house, &fake, true).await;
        fake.change(|state| {
            let news = &mut state.folders[3];
            (news.uidvalidity, news.uidnext) = (77, 14);
            (11..).zip(&mut news.mails).for_each(|(uid, mail)| mail.uid = uid);
            news.mails.push(mail(13, "", "late"));
        });
        ends_early(house, &fake, false).await;
        assert_eq!(pass(house, &fake, false).await.left_out, ["Users/bob/INBOX"]);
        assert_eq!(house.uids("Public/News").await.len(), 3, "and nothing of it is here twice");
    });
}

#[test]
fn what_only_began_to_come_is_left_for_good() {
    each_house(async |house| {
        let fake = old_server();
        pass(house, &fake, false).await;
        ends_early(house, &fake, true).await;
        assert!(holds_uids(house).await);
        for _ in 0..2 {
            assert_eq!(pass(house, &fake, false).await.left_out.len(), 2);
            assert!(!holds_uids(house).await, "everybody may use its mailbox here");
        }
    });
}

#[test]
fn while_a_server_does_not_tell_whose_they_are_nothing_comes() {
    each_house(async |house| {
        let fake = old_server();
        fake.change(|state| state.habits.busy = Some(("NAMESPACE", "not now")));
        let why = try_pass(house, &fake, false, false).await.unwrap_err();
        assert!(why.contains("whose folders"), "{why}");
        fake.change(|state| state.habits.busy = None);
        assert_eq!(pass(house, &fake, false).await.copied, 1, "what is another user's stays his");
    });
    each_house(async |house| {
        let fake = old_server();
        fake.change(|state| state.habits.busy = Some(("NAMESPACE", "never")));
        assert_eq!(try_pass(house, &fake, false, true).await.unwrap().copied, 4, "one that never does has none");
    });
}

#[test]
fn of_all_who_see_them_one_takes_them() {
    each_office(&[], &Clock::System, async |office| {
        let fake = old_server();
        let names = ["ann", "bob", "carl"];
        let made = office.plan(&[(fake.source(), &names)]).await;
        let migrate = &office.migrate;
        let change = RulesChange { shared: Some("BOB@anser.test".into()), ..RulesChange::default() };
        let view = migrate.rule_source(MOVE, None, &change).await.unwrap();
        assert_eq!(view.sources[0].rules.shared.as_deref(), Some("BOB@anser.test"));
        // To plan the same source again takes nothing back.
        migrate.plan(MOVE, Source { connections: 3, ..fake.source() }).await.unwrap();
        let (_shutdown, running) = office.run();
        migrate.start(MOVE, Vec::new()).await.unwrap();
        for (name, (id, has)) in names.into_iter().zip(made.into_iter().zip([false, true, false])) {
            let view = office.until(&format!("{name}@anser.test"), |view| view.state == "settled").await;
            let news = |tx: &mut MailTx<'_, '_>| Ok(tx.mailbox_at(&["Public", "News"])?.map(|mailbox| mailbox.total));
            assert_eq!(office.store.read(id, news).await.unwrap(), has.then_some(2), "{name}");
            assert_eq!(view.note.unwrap_or_default().contains("Public/News"), !has, "{name}");
        }
        let told = migrate.survey(MOVE, Vec::new()).await.unwrap().remove(0);
        assert!(told.en.iter().any(|line| line.contains("come into BOB@anser.test alone")), "{:?}", told.en);
        assert!(told.en.iter().any(|line| line.contains("of other users") && line.contains("Users/bob")));
        assert_eq!(told.messages, 3 + 2, "what three see is counted once");
        let nobody = RulesChange { shared: Some(String::new()), ..RulesChange::default() };
        assert_eq!(migrate.rule_source(MOVE, None, &nobody).await.unwrap().sources[0].rules.shared, None);
        running.abort();
    });
}

#[test]
fn nothing_goes_back_while_a_server_does_not_tell_whose_folders_are() {
    each_office(&[], &Clock::System, async |office| {
        let fake = old_server();
        office.plan(&[(fake.source(), &["ann"])]).await;
        let (_shutdown, running) = office.run();
        office.migrate.start(MOVE, Vec::new()).await.unwrap();
        office.until("ann@anser.test", |view| view.state == "settled").await;
        fake.change(|state| state.habits.busy = Some(("NAMESPACE", "not now")));
        assert_eq!(office.migrate.rollback(MOVE, Which::default()).await.unwrap(), 1);
        let is_told = |view: &MailboxView| view.note.as_deref().is_some_and(|note| note.contains("whose folders"));
        office.until("ann@anser.test", is_told).await;
        assert!(!fake.heard().iter().any(|line| line.contains("CREATE")), "nor is a folder made");
        running.abort();
    });
}
