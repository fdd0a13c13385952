//! CRED-2: a way to log in that a server does not know is followed by the next; a password that it does not take is said once. One in GBK is
//! tried where a profile says that there are such.

use anser_base::Clock;
use anser_migrate::trouble::Trouble;
use anser_migrate::{NewMailbox, Password, Source};

use crate::fake::{Fake, Habits, folder, mail};
use crate::house::each_house;
use crate::office::{MOVE, each_office};

#[test]
fn plain_then_a_literal_then_a_quoted_string() {
    each_house(async |house| {
        for capabilities in ["", "AUTH=PLAIN"] {
            let habits = Habits { capabilities, quoted_only: true, ..Habits::default() };
            let fake = Fake::start(vec![folder("INBOX", vec![mail(1, "", "x")])], habits);
            fake.change(|state| state.password = "a \"quoted\\\" 密".as_bytes().to_vec());
            house.pass(&fake).await.map_err(|trouble| trouble.words()).unwrap();
        }
    });
}

#[test]
fn a_wrong_password_is_said_in_one_way() {
    each_house(async |_| {
        for (capabilities, quoted_only, ways) in [("AUTH=PLAIN", false, 1), ("", false, 1), ("AUTH=PLAIN", true, 3)] {
            let fake = Fake::start(Vec::new(), Habits { capabilities, quoted_only, ..Habits::default() });
            let wrong = anser_migrate::imap::Imap::open(&fake.source(), "ann", &anser_wire::Secret::new("wrong")).await;
            assert!(matches!(wrong, Err(Trouble::Login { kind: "wrong", .. })));
            assert_eq!(fake.logins(), ways, "the ways that are not known come first");
        }
    });
}

#[test]
fn a_password_of_another_charset_is_found_and_kept() {
    each_office(&[], &Clock::System, async |office| {
        let fake = Fake::start(vec![folder("INBOX", vec![mail(1, "", "x")])], Habits::default());
        fake.change(|state| state.password = b"\xc3\xdc\xc2\xeb".to_vec());
        office.person("ann", 0).await;
        let (_shutdown, running) = office.run();
        for (profile, tries, state) in [("generic", 1, "refused"), ("coremail-gbk", 2, "ready")] {
            let before = fake.logins();
            office.migrate.plan(MOVE, Source { profile: profile.into(), ..fake.source() }).await.unwrap();
            let password = Some(Password("密码".into()));
            let mailbox = NewMailbox { login: "ann".into(), password, address: "ann@anser.test".into() };
            office.migrate.add_mailboxes(MOVE, None, vec![mailbox]).await.unwrap();
            office.migrate.check(MOVE, vec!["ann".into()]).await.unwrap();
            office.migrate.wait(MOVE).await.unwrap();
            let view = office.migrate.mailbox_views(MOVE, Vec::new()).await.unwrap().remove(0);
            assert_eq!((&*view.state, fake.logins() - before), (state, tries), "{:?}", view.note);
        }
        let before = fake.logins();
        office.migrate.start(MOVE, Vec::new()).await.unwrap();
        office.migrate.wait(MOVE).await.unwrap();
        assert_eq!(fake.logins() - before, 1, "the octets that were right are known");
        running.abort();
    });
}
