//! PASS-4: a password that is learnt at the front door goes to the mailbox that is listed for its account, whatever the login there, and no
//! second one comes beside it.

use anser_base::{Clock, Timestamp};
use anser_directory::Service;
use anser_migrate::{NewMailbox, Passing, Password, front_door};

use super::a_password_that_was_changed_there_is_asked_for::{door, login};
use crate::fake::{Fake, Habits, folder, mail};
use crate::office::{MOVE, Office, each_office};

/// The login that is listed, where the front door asks for `ann`.
const LISTED: &str = "ann@old.test";

async fn open(office: &Office, fake: &Fake, password: Option<&[u8]>) {
    office.person("ann", 0).await;
    office.migrate.plan(MOVE, fake.source()).await.unwrap();
    office.migrate.pass_through(MOVE, Some(Passing::UntilCutover), None).await.unwrap();
    let password = password.map(|password| Password(password.to_vec()));
    let listed = NewMailbox { login: LISTED.into(), password, address: "ann@anser.test".into() };
    office.migrate.add_mailboxes(MOVE, None, vec![listed]).await.unwrap();
    office.directory.use_old_servers(front_door::old_servers(&office.migrate)).await.unwrap();
    office.directory.open_front_door(door(office, "anser.test", fake)).await.unwrap();
}

async fn logins_listed(office: &Office) -> Vec<String> {
    let all = office.migrate.mailbox_views(MOVE, Vec::new()).await.unwrap();
    all.into_iter().map(|one| one.login).collect()
}

fn old_server() -> Fake {
    let habits = Habits { admits_anybody: true, ..Habits::default() };
    Fake::start(vec![folder("INBOX", vec![mail(1, "", "x")])], habits)
}

#[test]
fn the_first_one_and_the_one_that_is_learnt_again() {
    let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
    each_office(&[], &clock, async |office| {
        let fake = old_server();
        open(office, &fake, None).await;
        let through = async || {
            let login = login(office, "secret").await.unwrap();
            office.directory.passage(&login.account, Service::Imap).await.unwrap().is_some()
        };
        assert!(through().await, "the lesson opens it");
        assert_eq!(logins_listed(office).await, [LISTED]);
        office.migrate.keep_secrets(MOVE, Some(0)).await.unwrap();
        assert!(through().await, "and the next one");
        assert_eq!(logins_listed(office).await, [LISTED]);
        office.migrate.start(MOVE, Vec::new()).await.unwrap();
        let (_shutdown, running) = office.run();
        assert_eq!(office.until("ann@anser.test", |view| view.state == "settled").await.login, LISTED);
        running.abort();
    });
}

#[test]
fn a_password_that_another_login_has_is_left_until_it_is_refused() {
    let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
    each_office(&[], &clock, async |office| {
        let fake = old_server();
        open(office, &fake, Some(b"of another login")).await;
        login(office, "secret").await.unwrap();
        assert_eq!(logins_listed(office).await, [LISTED]);
        assert_eq!(fake.logins(), 1);
        office.migrate.check(MOVE, Vec::new()).await.unwrap();
        fake.change(|state| (state.user, state.habits.admits_anybody) = (LISTED.to_owned(), false));
        let (_shutdown, running) = office.run();
        office.until("ann@anser.test", |view| view.state == "refused").await;
        fake.change(|state| state.habits.admits_anybody = true);
        login(office, "newer").await.unwrap();
        assert_eq!(office.until("ann@anser.test", |view| view.state == "settled").await.login, LISTED);
        assert_eq!(logins_listed(office).await, [LISTED]);
        running.abort();
    });
}
