//! PASS-4: a password that the moves forgot is learnt again at the next login with it, while the mailbox is at the old server, and no longer.

use anser_base::{Class, Clock, Timestamp};
use anser_directory::Service;
use anser_migrate::{Passing, front_door};

use super::a_password_that_was_changed_there_is_asked_for::{door, login};
use crate::fake::{Fake, Habits, folder, mail};
use crate::office::{MOVE, Office, each_office};

/// Forgets the passwords of the move at once; those of the house stay.
async fn forget(office: &Office) {
    assert_eq!(office.migrate.keep_secrets(MOVE, Some(0)).await.unwrap().secrets_until, None);
}

#[test]
fn sessions_go_through_again_and_what_is_here_needs_none() {
    let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
    each_office(&[], &clock, async |office| {
        let fake = Fake::start(vec![folder("INBOX", vec![mail(1, "", "x")])], Habits::default());
        let ann = office.person("ann", 0).await;
        office.migrate.plan(MOVE, fake.source()).await.unwrap();
        office.migrate.pass_through(MOVE, Some(Passing::UntilCutover), None).await.unwrap();
        office.directory.use_old_servers(front_door::old_servers(&office.migrate)).await.unwrap();
        office.directory.open_front_door(door(office, "anser.test", &fake)).await.unwrap();
        let account = office.account(ann).await;
        let through = async || office.directory.passage(&account, Service::Imap).await;
        login(office, "secret").await.unwrap();
        assert!(through().await.unwrap().is_some());

        forget(office).await;
        assert_eq!(through().await.unwrap_err().class, Class::Unavailable, "nobody logged in since");
        login(office, "secret").await.unwrap();
        assert!(through().await.unwrap().is_some(), "the login gave it");
        let logins = fake.logins();
        login(office, "secret").await.unwrap();
        assert_eq!(fake.logins(), logins, "it is known");

        office.migrate.start(MOVE, Vec::new()).await.unwrap();
        let (_shutdown, running) = office.run();
        office.migrate.wait(MOVE).await.unwrap();
        office.migrate.cutover(MOVE, Vec::new()).await.unwrap();
        office.migrate.wait(MOVE).await.unwrap();
        forget(office).await;
        let logins = fake.logins();
        login(office, "secret").await.unwrap();
        assert_eq!(fake.logins(), logins, "nobody asks the old server");
        assert_eq!(office.migrate.move_view(MOVE).await.unwrap().secrets_until, None);
        running.abort();
    });
}
