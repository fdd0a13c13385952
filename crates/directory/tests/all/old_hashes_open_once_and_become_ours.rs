//! Hashes of other servers.

use std::rc::Rc;

use anser_base::{AccountId, Class};
use anser_db::{Place, params};
use anser_directory::password::stored::{is_known, verify};
use anser_directory::{NewAccount, Password};
use proptest::prelude::*;

use crate::site::{HOME, Site, address, each_site};

/// The password behind every line of the data file, which python's crypt, hashlib and passlib wrote.
const OLD: &str = "Gänse-flug 1";
const HASHES: &str = include_str!("old_hashes.txt");

#[test]
fn every_scheme_opens_with_its_password_and_with_no_other() {
    for hash in HASHES.lines() {
        assert!(is_known(hash) && verify(OLD.as_bytes(), hash), "{hash}");
        for wrong in ["", "Gänse-flug", "gänse-flug 1", "wrong", "\0", "Gänse-flug 1\0"] {
            // Traditional crypt looks at eight bytes only.
            if !hash.ends_with("abXJcRQErlJs6") || !wrong.starts_with("Gänse-f") {
                assert!(!verify(wrong.as_bytes(), hash), "{hash} opened with {wrong:?}");
            }
        }
    }
}

#[test]
fn locked_cut_and_unknown_hashes_open_nothing() {
    let crypt = HASHES.lines().filter(|hash| hash.starts_with('$')).collect::<Vec<_>>();
    for hash in &crypt {
        for locked in [format!("!{hash}"), format!("*{hash}"), format!("{{CRYPT}}!{hash}"), format!("{{crypt}}*{hash}")]
        {
            assert!(is_known(&locked) && !verify(OLD.as_bytes(), &locked), "{locked}");
        }
    }
    // The last field of SCRAM is the server's half, which no password is checked against.
    for hash in HASHES.lines().filter(|hash| !hash.contains("SCRAM")) {
        let characters = hash.chars().count();
        for left in [characters / 2, characters - 8] {
            let cut: String = hash.chars().take(left).collect();
            assert!(!verify(OLD.as_bytes(), &cut), "{cut}");
        }
    }
    for hash in [
        "",
        "x",
        "!",
        "*",
        "!!",
        "{SSHA}",
        "{SSHA}AAAA",
        "{MD5}AAAA",
        "{NT}",
        "{NT}00",
        "{FOO}bar",
        "{",
        "{}",
        "{PBKDF2}",
        "{PBKDF2}1$$",
        "{PBKDF2}1000$AA$",
        "{SCRAM-SHA-256}",
        "$y$j9T$$",
        "$y$$$",
        "$6$",
        "$2b$99$x",
        "$2b$31$abcdefghijklmnopqrstuuDfJSJPQ5FlWqSpH5hMLoQGC33mDrbn6",
        "$1$",
        "$5$rounds=999999999$a$b",
        "$sha1$4294967295$a$b",
        "$argon2id$v=19$m=4294967295,t=1,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$$$$",
        "_J9..",
        "abXJcRQErlJs6\0",
    ] {
        assert!(!verify(OLD.as_bytes(), hash) && !verify(b"", hash), "{hash}");
    }
    for unknown in ["{FOO}bar", "x", "$md5$abc", "plain text", "{SSHA.OCT}77"] {
        assert!(!is_known(unknown), "{unknown}");
    }
}

#[test]
fn the_first_login_makes_the_hash_ours() {
    each_site(|site: Rc<Site>| async move {
        let hash = "{SSHA}KWKSPvIFnXLyBILlJE9m8UgWF5kBAnNhbHT/AA==";
        let new = NewAccount::new(address("old@anser.test"), Password::Hashed(hash.into()));
        let id = site.directory.add_account(new).await.unwrap();
        let scram = async || {
            let lookup = site.directory.scram_lookup(b"old", HOME.parse().unwrap()).await.unwrap();
            lookup.keys.stored_key
        };
        assert_ne!(scram().await, scram().await, "no keys yet");
        assert!(site.login("old", b"wrong", HOME).await.is_err());
        site.login("old", OLD.as_bytes(), HOME).await.unwrap();
        assert_eq!(scram().await, scram().await, "keys were made");
        assert!(stored_hash(&site, id).await.starts_with("$argon2id$"));
        site.another_node().login("old", OLD.as_bytes(), HOME).await.unwrap();

        let locked = Password::Hashed(format!("{{CRYPT}}!{hash}"));
        site.directory.add_account(NewAccount::new(address("locked@anser.test"), locked)).await.unwrap();
        assert!(site.login("locked", OLD.as_bytes(), HOME).await.is_err());
        let unknown = NewAccount::new(address("odd@anser.test"), Password::Hashed("{ROT13}abc".into()));
        assert_eq!(site.directory.add_account(unknown).await.unwrap_err().class, Class::Invalid);
    });
}

#[test]
fn a_password_in_the_clear_is_not_kept_so() {
    each_site(|site: Rc<Site>| async move {
        let password = Password::Hashed(format!("{{CLEARTEXT}}{OLD}"));
        let id = site.directory.add_account(NewAccount::new(address("old@anser.test"), password)).await.unwrap();
        assert!(stored_hash(&site, id).await.starts_with("{SSHA512}"));
        site.login("old", OLD.as_bytes(), HOME).await.unwrap();
        assert!(stored_hash(&site, id).await.starts_with("$argon2id$"));
    });
}

async fn stored_hash(site: &Site, id: AccountId) -> String {
    let sql = "SELECT hash FROM dir_accounts WHERE id = ?1";
    let read = site.db.read(Place::Server, move |tx| tx.query_one(sql, params![id.to_sql()], |row| row.text(0)));
    read.await.unwrap().unwrap()
}

proptest! {
    #[test]
    fn no_stored_text_panics(
        scheme in prop::sample::select(vec!["", "{CRYPT}", "{SSHA}", "{NT}", "{PBKDF2}", "{SCRAM-SHA-256}", "{PBKDF2_SHA256}",
            "{SSHA512.HEX}", "$1$", "$5$", "$6$", "$argon2id$", "pbkdf2_sha256$1$", "$1$AbCd$10$", "_"]),
        rest in "[!-~é]{0,60}",
        password in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        let _ = verify(&password, &format!("{scheme}{rest}"));
    }
}
