//! Links of an office system where somebody is signed in already. `openssl` signs them.

use std::io::Write;
use std::process::{Command, Stdio};

use anser_directory::Portal;
use anser_journal::What;
use anser_testkit::door::NOW;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::site::{Answer, Site, each_site};

fn openssl(args: &[&str], input: &[u8]) -> Vec<u8> {
    let mut run = Command::new("openssl").args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    run.stdin.take().unwrap().write_all(input).unwrap();
    let output = run.wait_with_output().unwrap();
    assert!(output.status.success());
    output.stdout
}

fn add(site: &Site, id: &str, scope: &str, key: Option<String>) -> Option<String> {
    let portal = Portal { id: id.into(), scope: scope.into(), key };
    site.door.runtime.block_on(site.door.directory.add_portal(portal)).unwrap()
}

fn hmac(secret: &str, user: &str, time: i64, nonce: &str) -> String {
    let args = ["dgst", "-sha256", "-mac", "HMAC", "-macopt", &format!("key:{secret}"), "-binary"];
    URL_SAFE_NO_PAD.encode(openssl(&args, format!("{user}\n{time}\n{nonce}").as_bytes()))
}

fn arrive(site: &Site, portal: &str, user: &str, time: i64, nonce: &str, signature: &str) -> Answer {
    let path = format!("/auth/portal/{portal}?user={user}&time={time}&nonce={nonce}&signature={signature}");
    site.curl("ann", &path, &["-H", "Sec-Fetch-Site: cross-site"])
}

#[test]
fn a_signed_link_opens_a_session_once() {
    each_site(|site| {
        let secret = add(site, "oa", "anser.test", None).unwrap();
        let now = NOW.secs();
        let ticket = hmac(&secret, "ann@anser.test", now, "n1");
        let good = arrive(site, "oa", "ann@anser.test", now, "n1", &ticket);
        assert_eq!(good.status, 200, "{}", good.body);
        assert!(good.body.contains("url=/mail/"));
        assert_eq!(site.page("ann", "GET", "/auth/sessions", None).status, 200);
        let told = site.door.journal("ann@anser.test");
        assert!(told.iter().any(|what| matches!(what, What::Login { mechanism, .. } if mechanism == "PORTAL oa")));
        let again = arrive(site, "oa", "ann@anser.test", now, "n1", &ticket);
        assert_eq!((again.status, again.field("set-cookie")), (401, None), "a ticket is good once");
    });
}

#[test]
fn what_the_portal_did_not_sign_just_now_is_refused() {
    each_site(|site| {
        let secret = add(site, "oa", "anser.test", None).unwrap();
        add(site, "other", "example.org", None).unwrap();
        let now = NOW.secs();
        let sign = |user: &str, time, nonce: &str| hmac(&secret, user, time, nonce);
        for (portal, user, time, nonce, signature) in [
            ("oa", "bob@anser.test", now, "n", sign("ann@anser.test", now, "n")),
            ("oa", "ann@anser.test", now, "m", sign("ann@anser.test", now, "n")),
            ("oa", "ann@anser.test", now - 61, "n", sign("ann@anser.test", now - 61, "n")),
            ("oa", "ann@anser.test", now + 61, "n", sign("ann@anser.test", now + 61, "n")),
            ("oa", "ann@example.org", now, "n", sign("ann@example.org", now, "n")),
            ("other", "ann@anser.test", now, "n", sign("ann@anser.test", now, "n")),
            ("nobody", "ann@anser.test", now, "n", sign("ann@anser.test", now, "n")),
            ("oa", "ann@anser.test", now, "n", String::new()),
        ] {
            let answer = arrive(site, portal, user, time, nonce, &signature);
            let refused = answer.status == 401 && answer.field("set-cookie").is_none();
            assert!(refused, "{portal} {user} {time}: {}", answer.status);
        }
        for n in 0..40 {
            assert_eq!(arrive(site, "oa", "ann@anser.test", now, &format!("{n}"), "AAAA").status, 401);
        }
        let good = arrive(site, "oa", "ann@anser.test", now, "y", &sign("ann@anser.test", now, "y"));
        assert_eq!(good.status, 200, "what strangers send locks nobody out");
        let gone = arrive(site, "oa", "nobody@anser.test", now, "x", &sign("nobody@anser.test", now, "x"));
        assert_eq!(gone.status, 403, "vouched for, but without a mailbox");
    });
}

#[test]
fn a_portal_may_have_a_key_of_its_own() {
    each_site(|site| {
        let folder = tempfile::tempdir().unwrap();
        let (key, message) = (folder.path().join("key.pem"), folder.path().join("message"));
        std::fs::write(&key, openssl(&["genpkey", "-algorithm", "ed25519"], b"")).unwrap();
        let key = key.to_str().unwrap();
        let public = openssl(&["pkey", "-in", key, "-pubout"], b"");
        let body: String = String::from_utf8(public).unwrap().lines().filter(|line| !line.starts_with('-')).collect();
        let der = STANDARD.decode(body).unwrap();
        assert_eq!(add(site, "oa", "*", Some(URL_SAFE_NO_PAD.encode(&der[der.len() - 32..]))), None);
        let now = NOW.secs();
        std::fs::write(&message, format!("ann@anser.test\n{now}\nn1")).unwrap();
        let args = ["pkeyutl", "-sign", "-rawin", "-inkey", key, "-in", message.to_str().unwrap()];
        let signature = URL_SAFE_NO_PAD.encode(openssl(&args, b""));
        assert_eq!(arrive(site, "oa", "ann@anser.test", now, "n2", &signature).status, 401, "signed for another nonce");
        assert_eq!(arrive(site, "oa", "ann@anser.test", now, "n1", &signature).status, 200);
    });
}
