//! Cases 13 and 47: a large message over a line that breaks in the middle of it, again and again, goes on where it was, over the next
//! connection. What does not fit together is not put together.

use anser_migrate::pass::{Outcome, Pass};
use anser_migrate::source::Origin;
use anser_migrate::trouble::Trouble;
use anser_wire::Secret;
use futures_util::future::BoxFuture;

use crate::fake::{Fake, Habits, Mail, folder, mail};
use crate::house::{House, Quiet, each_house};

/// What comes over one connection before it breaks.
const BREAKS: usize = 2 * 1024 * 1024;

/// Five megabytes of which no two pieces are the same.
fn large(uid: u32) -> Mail {
    let lines: String = (0..160_000).map(|line| format!("{line:030}\r\n")).collect();
    Mail { body: format!("Subject: large\r\n\r\n{lines}").into_bytes(), ..mail(uid, "", "large") }
}

async fn pass(house: &House, fake: &Fake) -> Result<Outcome, Trouble> {
    let (source, password) = (fake.source(), Secret::new(b"secret".to_vec()));
    let mut origin = Origin::open(&source, "ann", Some(&password)).await?;
    let reopen =
        || -> BoxFuture<'_, Result<Origin, Trouble>> { Box::pin(Origin::open(&source, "ann", Some(&password))) };
    let watch = Quiet::default();
    Pass { reopen: Some(&reopen), ..house.to_pass("generic", &watch) }.run(&mut origin).await
}

/// From which octet on the body was asked for, each time.
fn begins(fake: &Fake) -> Vec<usize> {
    let heard = fake.heard();
    let asked = heard.iter().filter_map(|line| line.split_once("BODY.PEEK[]")).map(|(_, rest)| rest.to_owned());
    asked
        .map(|rest| rest.trim_start_matches('<').split('.').next().and_then(|from| from.parse().ok()).unwrap_or(0))
        .collect()
}

#[test]
fn it_comes_whole_over_as_many_connections_as_it_takes() {
    each_house(async |house| {
        let mails = vec![mail(1, "", "small"), large(2), mail(3, "", "behind")];
        let bodies: Vec<Vec<u8>> = mails.iter().map(|mail| mail.body.clone()).collect();
        let habits = Habits { cuts: vec![BREAKS, BREAKS, BREAKS], ..Habits::default() };
        let fake = Fake::start(vec![folder("INBOX", mails)], habits);
        assert!(matches!(pass(house, &fake).await, Err(Trouble::Later { .. })), "others are left to the next pass");
        pass(house, &fake).await.unwrap();
        let held: Vec<Vec<u8>> = house.held().await["INBOX"].iter().map(|one| one.4.clone()).collect();
        assert_eq!(held, bodies);
        let begins = begins(&fake);
        let later: Vec<usize> = begins.iter().copied().filter(|from| *from > 0).collect();
        assert!(later.len() >= 2 && later.is_sorted(), "{begins:?}");
    });
}

#[test]
fn what_changed_between_two_connections_begins_anew() {
    each_house(async |house| {
        let mails = vec![large(1)];
        let mut other = large(1);
        other.body.rotate_left(1);
        let fake = Fake::start(vec![folder("INBOX", mails)], Habits { cuts: vec![BREAKS], ..Habits::default() });
        let watch = Quiet::default();
        let (source, password) = (fake.source(), Secret::new(b"secret".to_vec()));
        let mut origin =
            Origin::open(&source, "ann", Some(&password)).await.map_err(|trouble| trouble.words()).unwrap();
        let reopen = || -> BoxFuture<'_, Result<Origin, Trouble>> {
            // A server that hands out another body under the same UID.
            fake.change(|state| state.folders[0].mails[0].body = other.body.clone());
            Box::pin(Origin::open(&source, "ann", Some(&password)))
        };
        let broken = Pass { reopen: Some(&reopen), ..house.to_pass("generic", &watch) }.run(&mut origin).await;
        assert!(matches!(broken, Err(Trouble::Later { .. })));
        let held = house.held().await;
        assert!(held.values().all(Vec::is_empty), "nothing is put together of two");
        pass(house, &fake).await.unwrap();
        assert_eq!(house.held().await["INBOX"][0].4, other.body);
    });
}
