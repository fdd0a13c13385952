//! PASS-4: somebody whose mailbox is at the old server, and who changes the password there, hears so with the old one and comes in with the
//! new one.

use std::time::Duration;

use anser_base::{Class, Clock, Timestamp};
use anser_directory::login::{Attempt, Login};
use anser_directory::refusal::AuthFailure;
use anser_directory::{FrontDoor, NewDomain, OldProtocol, Service};
use anser_migrate::{Passing, front_door};

use crate::fake::{Fake, Habits, folder, mail};
use crate::office::{MOVE, Office, each_office};

pub async fn login(office: &Office, password: &str) -> Result<Login, AuthFailure> {
    let attempt = Attempt {
        name: b"ann@anser.test",
        password: password.as_bytes(),
        service: Service::Imap,
        source: "198.51.100.7".parse().unwrap(),
        tls: true,
    };
    office.directory.authenticate(attempt).await
}

pub fn door(office: &Office, domain: &str, fake: &Fake) -> FrontDoor {
    FrontDoor {
        domain: domain.into(),
        protocol: OldProtocol::Imap,
        host: "127.0.0.1".into(),
        port: fake.port,
        tls: "none".into(),
        target: None,
        whole_address: false,
        until: office.clock.now().after(Duration::from_secs(30 * 86_400)),
        tries: 6,
        pattern: None,
        most: 0,
        made: 0,
    }
}

#[test]
fn the_old_one_is_told_of_and_the_new_one_is_learnt() {
    let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
    each_office(&[], &clock, async |office| {
        let fake = Fake::start(vec![folder("INBOX", vec![mail(1, "", "x")])], Habits::default());
        office.person("ann", 0).await;
        office.migrate.plan(MOVE, fake.source()).await.unwrap();
        office.migrate.pass_through(MOVE, Some(Passing::UntilCutover), None).await.unwrap();
        office.directory.use_old_servers(front_door::old_servers(&office.migrate)).await.unwrap();
        office.directory.open_front_door(door(office, "anser.test", &fake)).await.unwrap();
        let through = async |login: Login| office.directory.passage(&login.account, Service::Imap).await;
        assert!(through(login(office, "secret").await.unwrap()).await.unwrap().is_some());

        fake.change(|state| state.password = b"newer".to_vec());
        let before = fake.logins();
        for _ in 0..3 {
            let error = through(login(office, "secret").await.unwrap()).await.unwrap_err();
            assert_eq!(error.class, Class::Unauthenticated);
            assert!(error.text.en.contains("password at the old server has changed"), "{}", error.text.en);
        }
        assert_eq!(fake.logins() - before, 1, "however often a client comes");
        login(office, "neither").await.unwrap_err();
        assert!(through(login(office, "newer").await.unwrap()).await.unwrap().is_some());
        login(office, "secret").await.unwrap_err();
        assert!(through(login(office, "newer").await.unwrap()).await.unwrap().is_some());
    });
}

#[test]
fn whose_domain_learns_nothing_is_sent_to_the_administrator() {
    let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
    each_office(&[], &clock, async |office| {
        let fake = Fake::start(vec![folder("INBOX", vec![mail(1, "", "x")])], Habits::default());
        fake.change(|state| state.password = b"newer".to_vec());
        let id = office.person("ann", 0).await;
        office.migrate.plan(MOVE, fake.source()).await.unwrap();
        office.migrate.pass_through(MOVE, Some(Passing::UntilCutover), None).await.unwrap();
        office.plan_for(&fake.source(), "ann").await;
        office.directory.use_old_servers(front_door::old_servers(&office.migrate)).await.unwrap();
        office.directory.add_domain(NewDomain::new("other.test")).await.unwrap();
        office.directory.open_front_door(door(office, "other.test", &fake)).await.unwrap();
        let error = office.directory.passage(&office.account(id).await, Service::Imap).await.unwrap_err();
        assert_eq!(error.class, Class::Unavailable, "the same password again leads nowhere");
        assert!(error.text.en.contains("tell your administrator"), "{}", error.text.en);
    });
}
