//! CRED-1: one login of an administrator of the old server opens every mailbox there, in whatever form that server knows; a wrong one is not
//! tried for each of them.

use anser_base::{AccountId, Class, Clock, Timestamp};
use anser_directory::Service;
use anser_migrate::entry::{DOUBT, DOUBTS};
use anser_migrate::{Admin, NewMailbox, Passing, Password, Source, front_door};

use crate::fake::{Fake, Habits, folder, mail};
use crate::office::{MOVE, Office, each_office};

/// A move whose mailboxes have no passwords.
async fn plan(office: &Office, fake: &Fake, names: &[&str]) -> Vec<AccountId> {
    office.migrate.plan(MOVE, fake.source()).await.unwrap();
    office.migrate.pass_through(MOVE, Some(Passing::UntilCutover), None).await.unwrap();
    let mut all = Vec::new();
    for name in names {
        all.push(office.person(name, 0).await);
        let (login, address) = ((*name).to_owned(), format!("{name}@anser.test"));
        office.migrate.add_mailboxes(MOVE, None, vec![NewMailbox { login, password: None, address }]).await.unwrap();
    }
    all
}

fn admin(form: &str) -> Option<Admin> {
    Some(Admin { name: "root".into(), form: form.into() })
}

fn password(text: &str) -> Option<Password> {
    Some(Password(text.into()))
}

#[test]
fn by_an_authorization_identity_or_by_a_name_of_both() {
    for (form, user) in [("authzid", "root"), ("login*admin", "ann*root"), ("admin\\login", "root\\ann")] {
        each_office(&[], &Clock::System, async |office| {
            let habits = Habits { capabilities: "AUTH=PLAIN", ..Habits::default() };
            let fake = Fake::start(vec![folder("INBOX", vec![mail(1, "", "x")])], habits);
            fake.change(|state| user.clone_into(&mut state.user));
            let ann = plan(office, &fake, &["ann"]).await[0];
            let view = office.migrate.set_administrator(MOVE, "old", admin(form), password("secret")).await.unwrap();
            assert_eq!(view.sources[0].admin, admin(form));
            let (_shutdown, running) = office.run();
            for verb in ["check", "start"] {
                match verb {
                    "check" => office.migrate.check(MOVE, Vec::new()).await.unwrap(),
                    _ => office.migrate.start(MOVE, Vec::new()).await.unwrap(),
                };
                office.migrate.wait(MOVE).await.unwrap();
            }
            let view = office.migrate.mailbox_views(MOVE, Vec::new()).await.unwrap().remove(0);
            assert_eq!(view.state, "settled", "{form}: {:?}", view.note);
            assert_eq!(office.store.read(ann, |tx| Ok(tx.messages())).await.unwrap(), 1);
            let doors = front_door::old_servers(&office.migrate);
            assert!((doors.pass)(office.account(ann).await, Service::Imap).await.unwrap().is_some());
            let whose = if form == "authzid" { "ann" } else { "" };
            fake.change(|state| assert!(state.acted_for.iter().all(|one| one == whose), "{:?}", state.acted_for));
            running.abort();
        });
    }
}

#[test]
fn a_wrong_one_is_tried_for_a_few_mailboxes_and_then_for_one_at_a_time() {
    let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
    each_office(&[], &clock, async |office| {
        let fake = Fake::start(vec![folder("INBOX", vec![mail(1, "", "x")])], Habits::default());
        plan(office, &fake, &["a", "b", "c", "d", "e", "f"]).await;
        office.migrate.set_administrator(MOVE, "old", admin("login*admin"), password("wrong")).await.unwrap();
        let (_shutdown, running) = office.run();
        office.migrate.check(MOVE, Vec::new()).await.unwrap();
        office.migrate.wait(MOVE).await.unwrap();
        assert!(
            (DOUBT as usize..=DOUBT as usize + 1).contains(&fake.logins()),
            "two are tried at once: {}",
            fake.logins()
        );
        let views = office.migrate.mailbox_views(MOVE, Vec::new()).await.unwrap();
        let count = |state: &str| views.iter().filter(|view| view.state == state).count();
        assert_eq!(count("refused"), fake.logins(), "{views:?}");
        assert_eq!(count("waiting"), 6 - fake.logins(), "{views:?}");
        assert!(views.iter().any(|view| view.note.as_ref().is_some_and(|note| note.contains("in doubt"))), "{views:?}");
        // These three were nobody any more.
        fake.change(|state| (state.user, state.password) = ("f*root".into(), b"wrong".to_vec()));
        let left: Vec<_> = views.iter().filter(|view| view.state == "waiting").map(|view| view.login.clone()).collect();
        for login in left {
            let before = fake.logins();
            fake.change(|state| state.user = format!("{login}*root"));
            office.clock.advance(8 * DOUBTS);
            let address = format!("{login}@anser.test");
            office.migrate.survey(MOVE, vec![address]).await.unwrap();
            assert!(fake.logins() > before, "{login}");
        }
        running.abort();
    });
}

#[test]
fn a_password_goes_to_no_other_server() {
    each_office(&[], &Clock::System, async |office| {
        let folders = || vec![folder("INBOX", vec![mail(1, "", "x")])];
        let (fake, other) = (Fake::start(folders(), Habits::default()), Fake::start(folders(), Habits::default()));
        plan(office, &fake, &["ann"]).await;
        let set = async |secret| office.migrate.set_administrator(MOVE, "old", admin("login*admin"), secret).await;
        set(password("secret")).await.unwrap();
        office.migrate.plan(MOVE, Source { connections: 1, ..fake.source() }).await.unwrap();
        let view = set(None).await.unwrap();
        assert_eq!(view.sources[0].admin, admin("login*admin"), "it is the same server");
        office.migrate.plan(MOVE, other.source()).await.unwrap();
        assert_eq!(set(None).await.unwrap_err().class, Class::Invalid, "the password is forgotten");
        let (_shutdown, running) = office.run();
        office.migrate.check(MOVE, Vec::new()).await.unwrap();
        office.migrate.wait(MOVE).await.unwrap();
        assert_eq!(other.logins(), 0);
        running.abort();
    });
}

#[test]
fn one_that_names_nobody_or_has_no_password_is_refused() {
    each_office(&[], &Clock::System, async |office| {
        let fake = Fake::start(Vec::new(), Habits::default());
        plan(office, &fake, &["ann"]).await;
        let set = async |form: &str, secret| office.migrate.set_administrator(MOVE, "old", admin(form), secret).await;
        assert_eq!(set("login", password("x")).await.unwrap_err().class, Class::Invalid);
        assert_eq!(set("authzid", None).await.unwrap_err().class, Class::Invalid);
        set("authzid", password("x")).await.unwrap();
        set("login*admin", None).await.unwrap();
        let view = office.migrate.set_administrator(MOVE, "old", None, None).await.unwrap();
        assert_eq!(view.sources[0].admin, None);
        assert_eq!(set("authzid", None).await.unwrap_err().class, Class::Invalid, "it was forgotten");
    });
}
