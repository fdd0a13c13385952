//! Case 16: UIDVALIDITY changed and UIDs were dealt anew; identical messages keep their number.

use anser_base::{Clock, Timestamp};
use anser_migrate::Said;
use anser_store::Flags;

use crate::fake::{Fake, Habits, folder, mail};
use crate::house::each_house;
use crate::office::{MOVE, each_office};

#[test]
fn the_same_messages_stay_and_new_ones_come() {
    each_house(async |house| {
        let mut mails: Vec<_> = (1..=6).map(|uid| mail(uid, "", &format!("message {uid}"))).collect();
        mails[2].body = mails[1].body.clone();
        let fake = Fake::start(vec![folder("INBOX", mails)], Habits::default());
        house.pass(&fake).await.map_err(|trouble| trouble.words()).unwrap();
        let before = house.held().await;
        for validity in [77, 5] {
            fake.change(|state| {
                let inbox = &mut state.folders[0];
                inbox.uidvalidity = validity;
                inbox.mails.reverse();
                (1..).zip(&mut inbox.mails).for_each(|(at, mail)| mail.uid = 100 * validity + at);
                inbox.uidnext = 100 * validity + 7;
            });
            house.pass(&fake).await.map_err(|trouble| trouble.words()).unwrap();
            assert_eq!(house.held().await, before);
        }
        fake.change(|state| {
            state.folders[0].mails[0].flags = "\\Flagged".into();
            state.folders[0].mails.push(mail(600, "", "new"));
            state.folders[0].uidnext = 601;
        });
        house.pass(&fake).await.map_err(|trouble| trouble.words()).unwrap();
        let held = house.held().await;
        assert_eq!(held["INBOX"].len(), 7);
        assert_eq!(held["INBOX"].iter().filter(|one| Flags(one.1).has(Flags::FLAGGED)).count(), 1);
    });
}

#[test]
fn what_failed_by_its_old_number_keeps_no_gate_once_it_came() {
    let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
    each_office(&[], &clock, async |office| {
        let mails = vec![mail(1, "", "one"), mail(2, "", "two")];
        let habits = Habits { refuses: Some(2), refuses_any_way: true, ..Habits::default() };
        let fake = Fake::start(vec![folder("INBOX", mails)], habits);
        office.person("ann", 0).await;
        office.plan_for(&fake.source(), "ann").await;
        let accounts = async || {
            let gates = office.migrate.look_at_gates(MOVE, &[], Said::default()).await.unwrap().gates;
            gates.into_iter().find(|gate| gate.gate == "accounts").map(|gate| (gate.state, gate.en)).unwrap()
        };
        office.migrate.start(MOVE, Vec::new()).await.unwrap();
        let (_shutdown, running) = office.run();
        office.migrate.wait(MOVE).await.unwrap();
        let (state, why) = accounts().await;
        assert!(state == "open" && why.contains("ann (1 failed, 0 folders shut)"), "{why}");
        fake.change(|state| {
            state.habits.refuses = None;
            let inbox = &mut state.folders[0];
            (inbox.uidvalidity, inbox.uidnext) = (77, 13);
            (11..).zip(&mut inbox.mails).for_each(|(uid, mail)| mail.uid = uid);
        });
        office.migrate.delta(MOVE, Vec::new()).await.unwrap();
        office.migrate.wait(MOVE).await.unwrap();
        assert_eq!(accounts().await.0, "passed");
        running.abort();
    });
}
