//! CRED-1: one login of an administrator of the old server opens every mailbox there, in whatever form that server knows; a wrong one is not
//! tried for each of them.

use anser_base::{AccountId, Class, Clock};
use anser_directory::Service;
use anser_migrate::entry::DOUBT;
use anser_migrate::{Admin, NewMailbox, Passing, Password, front_door};

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
fn a_wrong_one_is_tried_for_a_few_mailboxes_alone() {
    each_office(&[], &Clock::System, async |office| {
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
        assert!(views.iter().all(|view| view.state == "refused"), "{views:?}");
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
