//! A login that is listed again for another account goes there while nothing has come; then not: its ledger and its proof are of the first.

use anser_base::{Class, Clock};
use anser_migrate::{NewMailbox, Password};

use crate::fake::{Fake, Habits, folder, mail};
use crate::office::{MOVE, each_office};

fn list(address: &str) -> Vec<NewMailbox> {
    let password = Some(Password(b"secret".to_vec()));
    vec![NewMailbox { login: "ann".into(), password, address: address.into() }]
}

#[test]
fn what_came_is_not_taken_for_another_accounts() {
    each_office(&[], &Clock::System, async |office| {
        let fake = Fake::start(vec![folder("INBOX", vec![mail(1, "", "one")])], Habits::default());
        office.plan(&[(fake.source(), &["ann"])]).await;
        office.person("bob", 0).await;
        for address in ["bob@anser.test", "ann@anser.test"] {
            office.migrate.add_mailboxes(MOVE, None, list(address)).await.unwrap();
        }
        office.migrate.start(MOVE, Vec::new()).await.unwrap();
        let (_shutdown, running) = office.run();
        office.until("ann@anser.test", |view| view.state == "settled").await;
        let refused = office.migrate.add_mailboxes(MOVE, None, list("bob@anser.test")).await.unwrap_err();
        assert_eq!(refused.class, Class::Conflict);
        assert!(refused.text.en.contains("ann@anser.test"), "{}", refused.text.en);
        office.migrate.add_mailboxes(MOVE, None, list("ann@anser.test")).await.unwrap();
        assert_eq!(office.view("ann@anser.test").await.state, "settled");
        running.abort();
    });
}
