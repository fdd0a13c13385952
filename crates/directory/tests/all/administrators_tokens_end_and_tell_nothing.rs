//! Tokens that administrative acts are done by from afar.

use std::rc::Rc;
use std::time::Duration;

use anser_base::Class;
use anser_directory::admin_tokens::{LONGEST_LIFE, TOKENS};
use anser_directory::guard::SOURCE_FAILURES;
use anser_directory::{AdminScope, AdminToken, AppPasswordKind, Refusal, Services};

use crate::site::{HOME, Site, each_site};

const DAY: Duration = Duration::from_secs(24 * 3600);
const READ: [AdminScope; 1] = [AdminScope::MovesRead];

async fn shown(site: &Site, token: &str) -> Result<AdminToken, Refusal> {
    let shown = site.directory.authenticate_admin(token.as_bytes(), HOME.parse().unwrap()).await;
    shown.map_err(|failure| failure.reason)
}

#[test]
fn a_token_opens_its_scopes_until_it_ends_or_is_taken_back() {
    each_site(|site: Rc<Site>| async move {
        let directory = &site.directory;
        let read = directory.add_admin_token("console", &READ, None, DAY).await.unwrap();
        let write = directory.add_admin_token("robot", &[AdminScope::MovesWrite], None, DAY * 2).await.unwrap();
        let (console, robot) = (shown(&site, &read).await.unwrap(), shown(&site, &write).await.unwrap());
        assert!(console.opens(AdminScope::MovesRead) && !console.opens(AdminScope::MovesWrite));
        assert!(robot.opens(AdminScope::MovesRead) && robot.opens(AdminScope::MovesWrite));
        let listed = directory.admin_tokens().await.unwrap();
        let names: Vec<&str> = listed.iter().map(|one| &*one.name).collect();
        assert_eq!((names, listed[0].last_used), (vec!["console", "robot"], Some(site.clock.now())));
        assert_eq!(directory.add_admin_token("robot", &READ, None, DAY).await.unwrap_err().class, Class::Exists);

        assert!(robot.opens_move("a") && robot.opens_move("b"));
        let one = directory.add_admin_token("guest", &READ, Some("a"), DAY).await.unwrap();
        let guest = shown(&site, &one).await.unwrap();
        assert!(guest.opens_move("a") && !guest.opens_move("b") && !guest.opens_move("A") && !guest.opens_move(""));
        let nameless = directory.add_admin_token("x", &READ, Some(" "), DAY).await;
        assert_eq!(nameless.unwrap_err().class, Class::Invalid);
        directory.revoke_admin_token("guest").await.unwrap();

        site.clock.advance(DAY);
        assert_eq!(shown(&site, &read).await, Err(Refusal::Wrong), "its day is over");
        assert!(!directory.is_good_admin_token(&console).await.unwrap());
        let mut told = directory.watch();
        told.mark_unchanged();
        assert!(directory.is_good_admin_token(&robot).await.unwrap());
        directory.revoke_admin_token("robot").await.unwrap();
        assert!(told.has_changed().unwrap(), "who follows is told");
        assert!(!directory.is_good_admin_token(&robot).await.unwrap());
        assert_eq!(shown(&site, &write).await, Err(Refusal::Wrong));
        assert_eq!(directory.revoke_admin_token("robot").await.unwrap_err().class, Class::NotFound);
    });
}

#[test]
fn nothing_but_a_token_of_the_house_opens_anything_and_guesses_are_counted() {
    each_site(|site: Rc<Site>| async move {
        let (directory, ann) = (&site.directory, site.account("ann@anser.test").await.id);
        let own = directory.add_app_password(ann, AppPasswordKind::Bearer, "x", Services::ALL, None).await.unwrap();
        let token = directory.add_admin_token("console", &READ, None, DAY).await.unwrap();
        for wrong in ["", "anser_guess", &own.password, &token.to_uppercase(), &token[1..], &format!("{token}a")] {
            assert_eq!(shown(&site, wrong).await, Err(Refusal::Wrong), "{wrong}");
        }
        for (name, scopes, life) in
            [("", &READ[..], DAY), ("x", &[], DAY), ("x", &READ, Duration::ZERO), ("x", &READ, LONGEST_LIFE + DAY)]
        {
            assert_eq!(directory.add_admin_token(name, scopes, None, life).await.unwrap_err().class, Class::Invalid);
        }
        for n in 1..TOKENS {
            directory.add_admin_token(&n.to_string(), &READ, None, DAY).await.unwrap();
        }
        assert_eq!(directory.add_admin_token("one more", &READ, None, DAY).await.unwrap_err().class, Class::Limit);
        for n in 0..SOURCE_FAILURES {
            let _ = shown(&site, &format!("guess {n}")).await;
        }
        assert_eq!(shown(&site, "another").await, Err(Refusal::Locked), "one network guesses so often, and no more");
    });
}
