//! VER: while the old server lists for longer than a session may be silent, the session here is told now and then that somebody is there.

use std::future::poll_fn;
use std::task::Poll;

use anser_migrate::imap::Imap;
use anser_migrate::verify::{AWAKE, beside};
use anser_wire::Secret;
use tokio::sync::watch;

use crate::fake::{Fake, Habits, folder};

#[tokio::test(start_paused = true)]
async fn it_hears_noop_as_often_as_its_time_has_passed() {
    // Time goes on by hand only, while work of this kind is under way.
    let (end, held) = std::sync::mpsc::channel::<()>();
    let held = tokio::task::spawn_blocking(move || held.recv().is_err());
    let fake = Fake::start(vec![folder("INBOX", Vec::new())], Habits::default());
    let mut here = Imap::open(&fake.source(), "ann", &Secret::new("secret")).await.map_err(|e| e.words()).unwrap();
    let server = fake.clone();
    let told = move || server.heard().iter().filter(|line| line.ends_with(" NOOP")).count();
    assert_eq!(told(), 0);
    let (looked, mut seen) = watch::channel(None);
    // It is looked at when nothing is under way in the session here.
    let work = poll_fn(move |_| {
        let told = told();
        looked.send_replace(Some(told));
        if told < 3 { Poll::Pending } else { Poll::Ready(Ok("listed")) }
    });
    let proof = tokio::spawn(async move { beside(&mut here, work).await });
    for times in 0..3 {
        seen.wait_for(|seen| *seen == Some(times)).await.unwrap();
        tokio::time::advance(AWAKE).await;
    }
    assert_eq!(proof.await.unwrap().map_err(|trouble| trouble.words()).unwrap(), "listed");
    drop(end);
    assert!(held.await.unwrap());
}
