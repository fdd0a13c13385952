//! PERF-1: a large folder comes over as many connections as there is room for, the same as over one; one that breaks beside the first costs
//! nothing.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use anser_base::Clock;
use anser_db::{Place, Tx};
use anser_migrate::Source;
use anser_migrate::pass::Pass;
use anser_migrate::source::Origin;
use anser_wire::Secret;

use crate::fake::{Fake, Habits, folder, mail};
use crate::house::{Quiet, held, one_house};
use crate::office::{MOVE, Office, each_office};

const ALL: u32 = 3_000;

fn start(cuts: Vec<usize>) -> Fake {
    let mails = (1..=ALL).map(|uid| mail(uid * 2, "", &format!("message {uid}"))).collect();
    Fake::start(vec![folder("INBOX", mails)], Habits { cuts, ..Habits::default() })
}

/// Moves the mailbox in one pass, with so many connections at most, and looks whether it is as it was; logins that it took.
async fn comes(office: &Office, fake: &Fake, connections: u32) -> usize {
    let ann = office.plan(&[(Source { connections, ..fake.source() }, &["ann"])]).await[0];
    office.migrate.start(MOVE, Vec::new()).await.unwrap();
    let (_shutdown, running) = office.run();
    let view = office.until("ann@anser.test", |view| view.state == "settled").await;
    assert_eq!((view.passes, &*view.ledger), (1, &[("copied".to_owned(), u64::from(ALL))][..]));
    let tenant = office.account(ann).await.tenant;
    let here = held(&office.store, ann, tenant).await.remove("INBOX").unwrap();
    let there = fake.state.lock().unwrap().folders[0].mails.clone();
    assert!(here.into_iter().map(|one| (one.0, one.4)).eq(there.into_iter().map(|mail| (mail.uid, mail.body))));
    running.abort();
    fake.logins()
}

#[test]
fn it_is_the_same_over_several_as_over_one() {
    each_office(&[], &Clock::System, async |office| assert_eq!(comes(office, &start(Vec::new()), 1).await, 1));
    each_office(&[], &Clock::System, async |office| assert!(comes(office, &start(Vec::new()), 2).await > 1));
}

#[test]
fn a_second_login_that_is_refused_is_one_too_many_and_no_wrong_password() {
    each_office(&[], &Clock::System, async |office| {
        let fake = start(Vec::new());
        fake.change(|state| state.habits.admits = Some(1));
        assert_eq!(comes(office, &fake, 4).await, 2, "it was tried once");
        let marks = |tx: &mut Tx<'_>| tx.query_one("SELECT COUNT(*) FROM mov_refused", &[], |row| row.int(0));
        assert_eq!(office.db.read(Place::Moves, marks).await.unwrap(), Some(0));
        let view = office.view("ann@anser.test").await;
        assert_eq!((&*view.state, view.note), ("settled", None));
    });
}

#[test]
fn a_pass_that_asks_for_one_message_at_a_time_asks_over_one_connection() {
    one_house(async |house| {
        let asked = AtomicUsize::new(0);
        let room = || {
            asked.fetch_add(1, Ordering::Relaxed);
            None
        };
        for (careful, gaps) in [(true, 60), (false, 600)] {
            let mails = (1..=gaps).map(|uid| mail(uid * 2, "", &format!("message {uid}"))).collect();
            let name = if careful { "Careful" } else { "Usual" };
            let fake = Fake::start(vec![folder(name, mails)], Habits::default());
            let mut origin = Origin::open(&fake.source(), "ann", Some(&Secret::new("secret"))).await.unwrap();
            let watch = Quiet::default();
            let id = if careful { 1 } else { 2 };
            let pass = Pass { id, careful, beside: Some(&room), ..house.to_pass("generic", &watch) };
            pass.run(&mut origin).await.map_err(|trouble| trouble.words()).unwrap();
            assert_eq!(house.uids(name).await.len(), gaps as usize);
            assert_eq!(asked.load(Ordering::Relaxed) > 0, !careful, "{name}");
        }
    });
}

#[test]
fn what_a_connection_that_broke_had_asked_for_comes_over_another() {
    // The last of these is the first connection's.
    let cuts = || vec![30_000, usize::MAX];
    each_office(&[], &Clock::System, async |office| {
        let fake = start(cuts());
        assert_eq!(comes(office, &fake, 4).await, 2);
        let heard = fake.heard();
        let asked = || {
            heard.iter().filter(|line| line.contains("BODY.PEEK[]")).filter_map(|line| line.split_once(" UID FETCH "))
        };
        let once: HashSet<&str> = asked().map(|(_, what)| what).collect();
        assert!(once.len() < asked().count(), "what it had asked for was asked for again");
    });
}
