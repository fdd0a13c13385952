//! The login guard.

use std::rc::Rc;
use std::time::Duration;

use anser_base::Class;
use anser_directory::guard::{LONGEST_DELAY, NAME_FAILURES, PAIR_FAILURES, SOURCE_FAILURES, WINDOW};
use anser_directory::{Attempt, NewAccount, Password, Refusal, Service};

use crate::site::{HOME, PASSWORD, Site, address, each_site};

/// One wrong login, quick to refuse: nobody has this name and the password is over-long.
async fn fail(site: &Site, name: &str, n: u32, source: &str) -> (Refusal, Duration) {
    let password = format!("{n}").repeat(2000);
    let failure = site.login(name, password.as_bytes(), source).await.unwrap_err();
    (failure.reason, failure.delay)
}

#[test]
fn delays_grow_and_end_in_a_lock_that_ends() {
    each_site(|site: Rc<Site>| async move {
        for name in ["ann@anser.test", "nobody@anser.test"] {
            let mut delays = Vec::new();
            for n in 0..PAIR_FAILURES {
                let (reason, delay) = fail(&site, name, n, "203.0.113.9").await;
                assert_eq!(reason, Refusal::Wrong);
                delays.push(delay);
            }
            assert!(delays.is_sorted() && delays[0].is_zero() && delays.last() == Some(&LONGEST_DELAY), "{delays:?}");
            let failure = site.login(name, PASSWORD, "203.0.113.9").await.unwrap_err();
            assert_eq!((failure.reason, failure.error.class), (Refusal::Locked, Class::Limit));
        }
        site.clock.advance(WINDOW);
        site.login("ann", PASSWORD, "203.0.113.9").await.unwrap();
        assert_eq!(fail(&site, "ann", 0, "203.0.113.9").await, (Refusal::Wrong, Duration::ZERO));
    });
}

#[test]
fn an_attacker_cannot_lock_the_owner_out_of_a_known_place() {
    each_site(|site: Rc<Site>| async move {
        site.login("ann", PASSWORD, HOME).await.unwrap();
        for n in 0..NAME_FAILURES {
            fail(&site, "ann@anser.test", n, &format!("198.51.100.{n}")).await;
        }
        let stranger = site.login("ann", PASSWORD, "203.0.113.200").await.unwrap_err();
        assert_eq!(stranger.reason, Refusal::Locked);
        site.login("ann", PASSWORD, HOME).await.unwrap();
        site.login("ann", PASSWORD, &format!("::ffff:{HOME}")).await.unwrap();
        assert_eq!(fail(&site, "ann", 0, HOME).await, (Refusal::Wrong, Duration::ZERO));
        site.login("ann", PASSWORD, HOME).await.unwrap();
    });
}

#[test]
fn one_network_cannot_try_every_name() {
    each_site(|site: Rc<Site>| async move {
        for n in 0..SOURCE_FAILURES {
            let (reason, delay) = fail(&site, &format!("user{n}"), n, &format!("2001:db8:0:7::{n:x}")).await;
            assert_eq!(reason, Refusal::Wrong);
            assert!(n < 20 || delay > Duration::ZERO);
        }
        let locked = site.login("bob", PASSWORD, "2001:db8:0:7::ffff").await.unwrap_err();
        assert_eq!(locked.reason, Refusal::Locked);
        site.login("bob", PASSWORD, "2001:db8:0:8::1").await.unwrap();
    });
}

#[test]
fn a_phone_with_an_old_password_counts_once() {
    each_site(|site: Rc<Site>| async move {
        for _ in 0..100 {
            assert_eq!(fail(&site, "ann", 1, HOME).await, (Refusal::Wrong, Duration::ZERO));
        }
        site.login("ann", PASSWORD, HOME).await.unwrap();
    });
}

#[test]
fn a_good_login_forgets_the_failures_before() {
    each_site(|site: Rc<Site>| async move {
        let password = Password::Hashed("{PLAIN}easy-peasy".into());
        site.directory.add_account(NewAccount::new(address("eve@anser.test"), password)).await.unwrap();
        for round in 0..4 {
            for n in 0..PAIR_FAILURES - 1 {
                fail(&site, "eve", round * 100 + n, HOME).await;
            }
            site.login("eve", b"easy-peasy", HOME).await.unwrap();
        }
    });
}

#[test]
fn guesses_sent_all_at_once_do_not_slip_past_the_lock() {
    each_site(|site: Rc<Site>| async move {
        let mut tasks = Vec::new();
        for n in 0..60 {
            let directory = site.directory.clone();
            tasks.push(tokio::spawn(async move {
                let source = "203.0.113.9".parse().unwrap();
                let password = format!("guess {n}");
                let (name, service) = (&b"ann"[..], Service::Imap);
                let attempt = Attempt { name, password: password.as_bytes(), service, source, tls: true };
                directory.authenticate(attempt).await.unwrap_err().reason
            }));
        }
        let mut looked_at = 0;
        for task in tasks {
            looked_at += u32::from(task.await.unwrap() == Refusal::Wrong);
        }
        assert!((PAIR_FAILURES..PAIR_FAILURES + 8).contains(&looked_at), "{looked_at}");
    });
}
