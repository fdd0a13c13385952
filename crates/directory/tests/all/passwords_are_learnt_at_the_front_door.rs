//! Logins that an old server knows (case 38 of the list of nasty cases).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use anser_base::{AccountId, Class, Result, Timestamp};
use anser_directory::front_door::{BEAT, Later};
use anser_directory::{
    Answer, FrontDoor, Lesson, NewAccount, OldProtocol, OldServers, Password, Question, Refusal, Service, Via,
};
use tokio::sync::{Notify, mpsc};

use crate::site::{HOME, PASSWORD, Site, address, each_site};

/// A password with every character that old servers stumble over.
pub const NASTY: &str = "a()*%\"\\ {}]~ 密";

/// An old server where everybody has the same password, and what was asked of it.
pub struct Old {
    asked: Arc<AtomicUsize>,
    /// The logins that it is asked about.
    pub questions: mpsc::UnboundedReceiver<String>,
    /// Whether it no longer takes the passwords that it took.
    stale: Arc<AtomicBool>,
    /// Whether nobody knows the password there any more.
    pub lacks: Arc<AtomicBool>,
    pub lessons: mpsc::UnboundedReceiver<Lesson>,
}

pub async fn old_server(site: &Site, gate: Option<Arc<Notify>>) -> Old {
    let (asked, (sender, lessons)) = (Arc::new(AtomicUsize::new(0)), mpsc::unbounded_channel());
    let (asks, questions) = mpsc::unbounded_channel();
    let (count, stale, lacks) = (asked.clone(), Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let flag = |flag: &Arc<AtomicBool>| -> Box<dyn Fn(AccountId) -> Later<Result<bool>> + Send + Sync> {
        let flag = flag.clone();
        Box::new(move |_| {
            let is_so = flag.load(Ordering::SeqCst);
            Box::pin(async move { Ok(is_so) })
        })
    };
    let used = site.directory.use_old_servers(OldServers {
        ask: Box::new(move |question: Question| {
            count.fetch_add(1, Ordering::SeqCst);
            let _ = asks.send(question.login.clone());
            let gate = gate.clone();
            Box::pin(async move {
                if let Some(gate) = gate {
                    gate.notified().await;
                }
                match (question.login.as_str(), question.password.as_bytes()) {
                    ("shut", _) => Answer::Refused("the account is abnormal".into()),
                    (login, _) if login.starts_with("slow") => std::future::pending().await,
                    ("down", _) => Answer::Down("no route".into()),
                    (_, password) if password == NASTY.as_bytes() => Answer::Good,
                    _ => Answer::Wrong,
                }
            })
        }),
        pass: Box::new(|_, _| Box::pin(async { Ok(None) })),
        stale: flag(&stale),
        lacks: flag(&lacks),
        elsewhere: Box::new(|_| Box::pin(async { Ok(Vec::new()) })),
        learned: Box::new(move |lesson| {
            let _ = sender.send(lesson);
            Box::pin(async {})
        }),
    });
    used.await.unwrap();
    Old { asked, questions, stale, lacks, lessons }
}

pub fn door(site: &Site) -> FrontDoor {
    FrontDoor {
        domain: "anser.test".into(),
        protocol: OldProtocol::Imap,
        host: "old.anser.test".into(),
        port: 993,
        tls: "implicit".into(),
        target: None,
        whole_address: false,
        until: site.clock.now().after(Duration::from_secs(30 * 86_400)),
        tries: 6,
        pattern: None,
        most: 0,
        made: 0,
    }
}

pub async fn listed(site: &Site, text: &str) {
    site.directory.add_account(NewAccount::new(address(text), Password::None)).await.unwrap();
}

#[test]
fn one_that_the_moves_forgot_is_given_to_them_again_where_they_need_it() {
    each_site(|site| async move {
        let mut old = old_server(&site, None).await;
        listed(&site, "carl@anser.test").await;
        site.directory.open_front_door(door(&site)).await.unwrap();
        let asked = || old.asked.load(Ordering::SeqCst);
        site.login("carl", NASTY.as_bytes(), HOME).await.unwrap();
        old.lessons.recv().await.unwrap();
        site.login("carl", NASTY.as_bytes(), HOME).await.unwrap();
        assert!(old.lessons.try_recv().is_err() && asked() == 1, "they know it");
        old.lacks.store(true, Ordering::SeqCst);
        site.login("carl", NASTY.as_bytes(), HOME).await.unwrap();
        let lesson = old.lessons.recv().await.unwrap();
        assert_eq!((lesson.login.as_str(), lesson.password.as_bytes(), asked()), ("carl", NASTY.as_bytes(), 2));
        // Of another password than the one there they learn nothing, and it opens what is here.
        for _ in 0..2 {
            site.login("ann", PASSWORD, HOME).await.unwrap();
        }
        site.login("carl", b"wrong", HOME).await.unwrap_err();
        while old.questions.recv().await.unwrap() != "ann" {}
        assert!(old.lessons.try_recv().is_err() && asked() == 3, "asked once, and of right ones alone");
        site.directory.close_front_door("anser.test").await.unwrap();
        site.login("carl", NASTY.as_bytes(), HOME).await.unwrap();
        assert!(old.lessons.try_recv().is_err() && asked() == 3, "the house learns no more");
    });
}

#[test]
fn a_right_password_is_ours_from_then_on() {
    each_site(|site| async move {
        let mut old = old_server(&site, None).await;
        assert!(!site.directory.learns_passwords());
        site.directory.open_front_door(door(&site)).await.unwrap();
        assert!(site.directory.learns_passwords(), "proofs of passwords are not asked for meanwhile");
        listed(&site, "carl@anser.test").await;
        let stale = Password::Hashed("{SSHA}KWKSPvIFnXLyBILlJE9m8UgWF5kBAnNhbHT/AA==".into());
        site.directory.add_account(NewAccount::new(address("dora@anser.test"), stale)).await.unwrap();
        for (at, name) in ["carl", "dora@anser.test"].into_iter().enumerate() {
            for service in [Service::Imap, Service::Pop3, Service::Submission] {
                let login = site.login_at(service, name, NASTY.as_bytes(), HOME).await.unwrap();
                assert_eq!(login.via, Via::Password);
            }
            assert_eq!(old.asked.load(Ordering::SeqCst), at + 1, "asked once");
            let lesson = old.lessons.recv().await.unwrap();
            assert_eq!((lesson.login.as_str(), lesson.password.as_bytes()), (&name[..4], NASTY.as_bytes()));
        }
        // Ours is the truth now, whatever the old server thinks.
        site.login("carl", b"wrong", HOME).await.unwrap_err();
        site.login("ann", b"wrong", HOME).await.unwrap_err();
        assert_eq!(old.asked.load(Ordering::SeqCst), 2);
        site.login("ann", PASSWORD, HOME).await.unwrap();
    });
}

#[test]
fn wrong_ones_are_wrong_and_few_go_to_the_old_side() {
    each_site(|site| async move {
        let old = old_server(&site, None).await;
        site.directory.open_front_door(door(&site)).await.unwrap();
        listed(&site, "carl@anser.test").await;
        for network in 0..5 {
            for guess in 0..5 {
                let source = format!("198.51.100.{network}");
                let failure =
                    site.login("carl", format!("guess {network} {guess}").as_bytes(), &source).await.unwrap_err();
                assert!(matches!(failure.reason, Refusal::Wrong | Refusal::Locked), "{:?}", failure.reason);
                if failure.reason == Refusal::Wrong {
                    assert!(failure.delay >= BEAT);
                    assert_eq!(failure.error.class, Class::Unauthenticated);
                }
            }
        }
        assert_eq!(old.asked.load(Ordering::SeqCst), 6, "25 guesses, 6 of them at the old server, 3 from each network");
        // Somebody who is nobody waits as long and reads the same.
        let nobody = site.login("nobody", b"x", "203.0.113.9").await.unwrap_err();
        assert_eq!((nobody.reason, nobody.delay >= BEAT), (Refusal::Wrong, true));
        site.clock.advance(Duration::from_secs(86_400));
        site.login("carl", NASTY.as_bytes(), HOME).await.unwrap();
    });
}

#[test]
fn the_same_wrong_password_is_asked_about_once() {
    each_site(|site| async move {
        let old = old_server(&site, None).await;
        site.directory.open_front_door(door(&site)).await.unwrap();
        listed(&site, "carl@anser.test").await;
        for _ in 0..5 {
            site.login("carl", b"of last year", HOME).await.unwrap_err();
        }
        assert_eq!(old.asked.load(Ordering::SeqCst), 1);
        site.login("carl", NASTY.as_bytes(), HOME).await.unwrap();
    });
}

#[test]
fn an_old_server_that_is_down_makes_nobody_wrong() {
    each_site(|site| async move {
        let old = old_server(&site, None).await;
        site.directory.open_front_door(door(&site)).await.unwrap();
        listed(&site, "down@anser.test").await;
        for _ in 0..12 {
            let failure = site.login("down", b"anything", HOME).await.unwrap_err();
            assert_eq!((failure.reason, failure.error.class), (Refusal::Unavailable, Class::Unavailable));
        }
        assert_eq!(old.asked.load(Ordering::SeqCst), 12, "and none of it counts as a guess");
    });
}

#[test]
fn a_login_that_an_old_server_refuses_for_another_reason_counts_as_a_guess() {
    each_site(|site| async move {
        let old = old_server(&site, None).await;
        site.directory.open_front_door(door(&site)).await.unwrap();
        listed(&site, "shut@anser.test").await;
        let first = site.login("shut", b"0", HOME).await.unwrap_err();
        assert_eq!((first.reason, first.error.class), (Refusal::Unavailable, Class::Unavailable));
        for guess in 1..20 {
            site.login("shut", format!("{guess}").as_bytes(), HOME).await.unwrap_err();
        }
        let asked = old.asked.load(Ordering::SeqCst);
        assert!(asked < 20, "{asked}");
    });
}

#[test]
fn two_logins_at_once_are_one_question() {
    each_site(|site| async move {
        let gate = Arc::new(Notify::new());
        let old = old_server(&site, Some(gate.clone())).await;
        site.directory.open_front_door(door(&site)).await.unwrap();
        listed(&site, "carl@anser.test").await;
        let (first, second, _) = tokio::join!(
            site.login("carl", NASTY.as_bytes(), HOME),
            site.login_at(Service::Submission, "carl@anser.test", NASTY.as_bytes(), HOME),
            async { gate.notify_one() },
        );
        assert_eq!(first.unwrap().account, second.unwrap().account);
        assert_eq!(old.asked.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn accounts_are_made_only_where_that_was_said_and_up_to_a_number() {
    each_site(|site| async move {
        let old = old_server(&site, None).await;
        site.directory.open_front_door(door(&site)).await.unwrap();
        assert_eq!(site.login("stu1", NASTY.as_bytes(), HOME).await.unwrap_err().reason, Refusal::Wrong);
        assert_eq!(old.asked.load(Ordering::SeqCst), 0);
        let made = FrontDoor { pattern: Some("stu*".into()), most: 2, ..door(&site) };
        site.directory.open_front_door(made).await.unwrap();
        for (name, good) in [("stu1", true), ("stu2", true), ("stu3", false), ("other", false)] {
            assert_eq!(site.login(name, NASTY.as_bytes(), HOME).await.is_ok(), good, "{name}");
        }
        site.login("stu1", NASTY.as_bytes(), HOME).await.unwrap();
        assert_eq!(site.directory.front_doors().await.unwrap()[0].made, 2);
    });
}

#[test]
fn a_door_that_is_over_or_closed_asks_nobody_and_the_suspended_stay_out() {
    each_site(|site| async move {
        let old = old_server(&site, None).await;
        listed(&site, "carl@anser.test").await;
        let over = FrontDoor { until: Timestamp(site.clock.now().0), ..door(&site) };
        site.directory.open_front_door(over).await.unwrap();
        site.login("carl", NASTY.as_bytes(), HOME).await.unwrap_err();
        site.directory.open_front_door(door(&site)).await.unwrap();
        site.directory.suspend(site.account("carl@anser.test").await.id).await.unwrap();
        site.login("carl", NASTY.as_bytes(), HOME).await.unwrap_err();
        site.directory.restore(site.account("carl@anser.test").await.id).await.unwrap();
        site.directory.close_front_door("anser.test").await.unwrap();
        site.login("carl", NASTY.as_bytes(), HOME).await.unwrap_err();
        assert_eq!(old.asked.load(Ordering::SeqCst), 0);
        assert_eq!(site.directory.close_front_door("anser.test").await.unwrap_err().class, Class::NotFound);
        let of =
            |protocol, target: Option<&str>| FrontDoor { protocol, target: target.map(str::to_owned), ..door(&site) };
        for bad in [
            FrontDoor { host: " ".into(), ..door(&site) },
            FrontDoor { tls: "perhaps".into(), ..door(&site) },
            FrontDoor { tries: 0, ..door(&site) },
            FrontDoor { pattern: Some("*".into()), ..door(&site) },
            of(OldProtocol::Imap, Some("/check")),
            of(OldProtocol::Ldap, None),
            of(OldProtocol::Ldap, Some("uid=ann,dc=old")),
            of(OldProtocol::Ldap, Some("uid={login},cn={login}")),
            of(OldProtocol::Http, None),
            of(OldProtocol::Http, Some("check")),
            of(OldProtocol::Http, Some("/a b")),
            FrontDoor { tls: "starttls".into(), ..of(OldProtocol::Http, Some("/check")) },
        ] {
            let refused = site.directory.open_front_door(bad.clone()).await;
            assert_eq!(refused.unwrap_err().class, Class::Invalid, "{bad:?}");
        }
        for good in [of(OldProtocol::Ldap, Some("uid={login},dc=old")), of(OldProtocol::Http, Some("/check?a=b"))] {
            site.directory.open_front_door(good.clone()).await.unwrap();
            assert_eq!(site.directory.front_doors().await.unwrap(), [good]);
        }
    });
}

#[test]
fn a_password_that_was_changed_at_the_old_server_is_learnt_anew() {
    each_site(|site| async move {
        let mut old = old_server(&site, None).await;
        site.directory.open_front_door(door(&site)).await.unwrap();
        // Ann has a password of ours, and the old server took it once.
        site.login("ann", PASSWORD, HOME).await.unwrap();
        site.login("ann", NASTY.as_bytes(), HOME).await.unwrap_err();
        assert_eq!(old.asked.load(Ordering::SeqCst), 0);
        old.stale.store(true, Ordering::SeqCst);
        site.login("ann", PASSWORD, HOME).await.unwrap();
        assert_eq!(old.asked.load(Ordering::SeqCst), 0, "ours is good for what is here");
        site.login("ann", b"wrong", HOME).await.unwrap_err();
        site.login("ann", NASTY.as_bytes(), HOME).await.unwrap();
        assert_eq!(old.asked.load(Ordering::SeqCst), 2);
        assert_eq!(old.lessons.recv().await.unwrap().password.as_bytes(), NASTY.as_bytes());
        old.stale.store(false, Ordering::SeqCst);
        site.login("ann", PASSWORD, HOME).await.unwrap_err();
        site.login("ann", NASTY.as_bytes(), HOME).await.unwrap();
        assert_eq!(old.asked.load(Ordering::SeqCst), 2);
        // Of many guesses few go there, as ever.
        old.stale.store(true, Ordering::SeqCst);
        for guess in 0..10 {
            site.login("ann", format!("guess {guess}").as_bytes(), "198.51.100.7").await.unwrap_err();
        }
        assert_eq!(old.asked.load(Ordering::SeqCst), 5);
    });
}
