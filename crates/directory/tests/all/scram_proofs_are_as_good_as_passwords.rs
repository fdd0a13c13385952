//! SCRAM-SHA-256.

use std::net::IpAddr;
use std::rc::Rc;

use anser_directory::scram::ScramKeys;
use anser_directory::{Login, Password, Refusal, Service, Via};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::site::{HOME, PASSWORD, Site, each_site};

const MESSAGE: &[u8] = b"n=user,r=rOprNGfwEbeRWgbNEkqO,r=...";

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// What a client that knows the password sends (RFC 5802 §3).
fn proof(password: &[u8], salt: &[u8], iterations: u32, message: &[u8]) -> [u8; 32] {
    let mut salted = [0; 32];
    pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, iterations, &mut salted);
    let client_key = hmac(&salted, b"Client Key");
    let signature = hmac(&Sha256::digest(client_key), message);
    std::array::from_fn(|at| client_key[at] ^ signature[at])
}

#[test]
fn the_example_of_rfc_7677_verifies() {
    let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
    let mut salted = [0; 32];
    pbkdf2::pbkdf2_hmac::<Sha256>(b"pencil", &salt, 4096, &mut salted);
    let keys = ScramKeys {
        salt: salt.try_into().unwrap(),
        iterations: 4096,
        stored_key: Sha256::digest(hmac(&salted, b"Client Key")).into(),
        server_key: hmac(&salted, b"Server Key"),
    };
    let message = "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                   s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    let proof = STANDARD.decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=").unwrap();
    let signature = keys.verify(message.as_bytes(), &proof).unwrap();
    assert_eq!(STANDARD.encode(signature), "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    assert_eq!(keys.verify(message.as_bytes(), &proof[1..]), None);
    assert_eq!(keys.verify(b"other", &proof), None);
}

async fn exchange(site: &Site, name: &str, password: &[u8]) -> Result<Login, Refusal> {
    let source: IpAddr = HOME.parse().unwrap();
    let lookup = site.directory.scram_lookup(name.as_bytes(), source).await;
    let lookup = lookup.map_err(|failure| failure.reason)?;
    let proof = proof(password, &lookup.keys.salt, lookup.keys.iterations, MESSAGE);
    let good = lookup.keys.verify(MESSAGE, &proof).is_some();
    let finished = site.directory.scram_finish(lookup, good, Service::Imap, source, true).await;
    finished.map_err(|failure| failure.reason)
}

#[test]
fn a_proof_opens_what_the_password_opens() {
    each_site(|site: Rc<Site>| async move {
        let login = exchange(&site, "Ann@anser.test", PASSWORD).await.unwrap();
        assert_eq!(login.via, Via::Scram);
        assert_eq!(exchange(&site, "ann", b"wrong").await, Err(Refusal::Wrong));
        assert_eq!(exchange(&site, "nobody", PASSWORD).await, Err(Refusal::Wrong));
        site.directory.suspend(login.account.id).await.unwrap();
        assert_eq!(exchange(&site, "ann", PASSWORD).await, Err(Refusal::NotAllowed));
    });
}

#[test]
fn names_that_are_nobodys_get_a_salt_that_stays() {
    each_site(|site: Rc<Site>| async move {
        let salt = async |site: &Site, name: &[u8]| {
            let lookup = site.directory.scram_lookup(name, HOME.parse().unwrap()).await.unwrap();
            (lookup.keys.salt, lookup.keys.iterations)
        };
        let here = salt(&site, b"nobody@anser.test").await;
        assert_eq!(salt(&site, b"Nobody@Anser.test").await, here);
        assert_eq!(salt(&site.another_node(), b"nobody@anser.test").await, here);
        assert_ne!(salt(&site, b"nobody2@anser.test").await.0, here.0);
        assert_eq!(salt(&site, b"ann").await.1, here.1);
        salt(&site, b"\xff\0").await;
    });
}

#[test]
fn guesses_by_proof_are_counted_and_a_password_changed_meanwhile_ends_the_exchange() {
    each_site(|site: Rc<Site>| async move {
        let source: IpAddr = HOME.parse().unwrap();
        let lookup = site.directory.scram_lookup(b"ann", source).await.unwrap();
        let ann = site.account("ann@anser.test").await.id;
        site.directory.set_password(ann, &Password::None, false).await.unwrap();
        let late = site.directory.scram_finish(lookup, true, Service::Imap, source, true).await.unwrap_err();
        assert_eq!(late.reason, Refusal::Wrong);
        for _ in 1..anser_directory::guard::PAIR_FAILURES {
            assert_eq!(exchange(&site, "ann", b"wrong").await, Err(Refusal::Wrong));
        }
        assert_eq!(exchange(&site, "ann", b"wrong").await, Err(Refusal::Locked));
    });
}
