//! CRED-3: of clients that come at once with one password one says it at the old server, and the others go by what becomes of that; whoever
//! has another login waits for none of them.

use std::net::TcpListener;

use anser_base::{Clock, Timestamp};
use anser_directory::Service;
use anser_migrate::{Passing, Source, front_door};
use futures_util::future::join_all;

use crate::fake::{Fake, Habits, folder, mail};
use crate::office::{MOVE, each_office};

/// Connections of one client.
const MANY: usize = 5;

#[test]
fn a_wrong_password_is_said_once_and_a_right_one_lets_all_in() {
    let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
    each_office(&[], &clock, async |office| {
        let fake = Fake::start(vec![folder("INBOX", vec![mail(1, "", "x")])], Habits::default());
        let id = office.person("ann", 0).await;
        office.migrate.plan(MOVE, fake.source()).await.unwrap();
        office.migrate.pass_through(MOVE, Some(Passing::UntilCutover), None).await.unwrap();
        office.plan_for(&fake.source(), "ann").await;
        let (ann, doors) = (office.account(id).await, front_door::old_servers(&office.migrate));
        let come = async || join_all((0..MANY).map(|_| (doors.pass)(ann.clone(), Service::Imap))).await;
        assert!(come().await.iter().all(|one| one.as_ref().is_ok_and(Option::is_some)));
        assert_eq!(fake.logins(), MANY, "each has a session of its own");
        fake.change(|state| state.password = b"another".to_vec());
        assert!(come().await.iter().all(Result::is_err));
        assert_eq!(fake.logins(), MANY + 1);
    });
}

#[test]
fn who_waits_for_a_silent_server_keeps_no_other_login() {
    let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
    each_office(&[], &clock, async |office| {
        let fake = Fake::start(vec![folder("INBOX", vec![mail(1, "", "x")])], Habits::default());
        let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = silent.local_addr().unwrap().port();
        let (first, second) = (Source { name: "silent".into(), port, ..fake.source() }, fake.source());
        let (ann, bob) = (office.person("ann", 0).await, office.person("bob", 0).await);
        office.migrate.plan(MOVE, first.clone()).await.unwrap();
        office.migrate.pass_through(MOVE, Some(Passing::UntilCutover), None).await.unwrap();
        office.plan_for(&first, "ann").await;
        office.plan_for(&second, "bob").await;
        let (ann, bob) = (office.account(ann).await, office.account(bob).await);
        let doors = front_door::old_servers(&office.migrate);
        let come = || tokio::spawn((doors.pass)(ann.clone(), Service::Imap));
        let all: Vec<_> = (0..MANY).map(|_| come()).collect();
        let one = silent.accept().unwrap();
        assert!((doors.pass)(bob, Service::Imap).await.unwrap().is_some());
        silent.set_nonblocking(true).unwrap();
        assert!(silent.accept().is_err(), "one tries");
        // It broke, and says nothing of the password: the next one tries.
        silent.set_nonblocking(false).unwrap();
        drop(one);
        for _ in 1..MANY {
            drop(silent.accept().unwrap());
        }
        for one in all {
            assert!(one.await.unwrap().is_err());
        }
    });
}
