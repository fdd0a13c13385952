//! The exchange of SASL messages that all doors use.

use std::rc::Rc;

use anser_directory::{
    AppPasswordKind, AuthFailure, Exchange, Login, Mechanism, Peer, Refusal, Service, Services, Step, Via,
};
use anser_net::ChannelBinding;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::site::{HOME, PASSWORD, Site, each_site};

fn peer(channel: Option<ChannelBinding>) -> Peer {
    Peer { service: Service::Imap, source: HOME.parse().unwrap(), channel, scram: true }
}

fn tls() -> Option<ChannelBinding> {
    Some(ChannelBinding { server_end_point: Some(b"certificate".to_vec()), exporter: Some([7; 32]) })
}

fn exchange(site: &Site, name: &str, channel: Option<ChannelBinding>) -> Exchange {
    let peer = peer(channel);
    let mechanism = Mechanism::named(name, &peer).unwrap();
    Exchange::new(&site.directory, mechanism, peer)
}

fn challenge(step: Step) -> String {
    match step {
        Step::Challenge(octets) => String::from_utf8(octets).unwrap(),
        other => panic!("no challenge: {other:?}"),
    }
}

fn done(step: Step) -> Result<Login, AuthFailure> {
    match step {
        Step::Done(verdict) => verdict,
        other => panic!("not the end: {other:?}"),
    }
}

#[test]
fn what_is_offered_depends_on_the_connection() {
    let names = |channel| Mechanism::offered(&peer(channel)).collect::<Vec<_>>();
    let plain = ["SCRAM-SHA-256", "OAUTHBEARER", "XOAUTH2", "PLAIN", "LOGIN"];
    assert_eq!(names(None), plain);
    assert_eq!(names(tls()), [&["SCRAM-SHA-256-PLUS"], &plain[..]].concat());
    assert_eq!(names(Some(ChannelBinding::default())), plain, "TLS that cannot be bound to");
    assert_eq!(Mechanism::named("SCRAM-SHA-256-PLUS", &peer(None)), None);
    assert_eq!(Mechanism::named("CRAM-MD5", &peer(tls())), None);
}

#[test]
fn passwords_go_in_one_message_or_in_two() {
    each_site(|site: Rc<Site>| async move {
        let mut plain = exchange(&site, "PLAIN", None);
        assert_eq!(challenge(plain.begin(None).await), "");
        let login = done(plain.respond(Some(b"\0ann\0wild-goose")).await).unwrap();
        assert_eq!((login.via, plain.user()), (Via::Password, "ann"));
        for (authzid, reason) in [
            ("ANN@anser.TEST", None),
            ("Ann@anser.test", None),
            ("bob", Some(Refusal::NotYourself)),
            ("ann@elsewhere.test", Some(Refusal::NotYourself)),
        ] {
            let message = [authzid.as_bytes(), b"\0ann@anser.test\0", PASSWORD].concat();
            let verdict = done(exchange(&site, "PLAIN", None).begin(Some(&message)).await);
            assert_eq!(verdict.err().map(|failure| failure.reason), reason, "{authzid}");
        }
        let other = done(exchange(&site, "PLAIN", None).begin(Some(b"bob\0ann\0wrong")).await).unwrap_err();
        assert_eq!(other.reason, Refusal::Wrong, "what is wrong first is told first");

        let mut login = exchange(&site, "LOGIN", None);
        assert_eq!(challenge(login.begin(None).await), "Username:");
        assert_eq!(challenge(login.respond(Some(b"ann")).await), "Password:");
        done(login.respond(Some(PASSWORD)).await).unwrap();
        let mut login = exchange(&site, "LOGIN", None);
        assert_eq!(challenge(login.begin(Some(b"ann")).await), "Password:");
        assert_eq!(done(login.respond(Some(b"wrong")).await).unwrap_err().reason, Refusal::Wrong);
    });
}

#[test]
fn messages_that_make_no_sense_and_clients_that_give_up_end_it() {
    each_site(|site: Rc<Site>| async move {
        for (name, message) in [
            ("PLAIN", &b"ann"[..]),
            ("PLAIN", b"\0ann\0"),
            ("LOGIN", b"\xff"),
            ("LOGIN", b""),
            ("SCRAM-SHA-256", b"n,,n=ann"),
            ("OAUTHBEARER", b"n,,\x01\x01"),
            ("XOAUTH2", b"user=ann\x01"),
        ] {
            let step = exchange(&site, name, tls()).begin(Some(message)).await;
            assert!(matches!(step, Step::Malformed(_)), "{name} {message:?}: {step:?}");
        }
        for name in Mechanism::offered(&peer(tls())) {
            let mut given_up = exchange(&site, name, tls());
            challenge(given_up.begin(None).await);
            assert!(matches!(given_up.respond(None).await, Step::Cancelled));
            assert!(matches!(given_up.respond(Some(b"\0ann\0wild-goose")).await, Step::Cancelled), "it is over");
        }
    });
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// A client's whole exchange; gives the verdict, and whether the server proved itself.
async fn scram(
    exchange: &mut Exchange,
    header: &str,
    bound: &[u8],
    password: &[u8],
) -> (Result<Login, AuthFailure>, bool) {
    let bare = "n=ann,r=client";
    let first = challenge(exchange.begin(Some(format!("{header}{bare}").as_bytes())).await);
    let mut parts = first.split(',').map(|part| &part[2..]);
    let (nonce, salt, rounds) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
    assert!(nonce.len() > "client".len() + 20 && nonce.starts_with("client"));
    let mut salted = [0; 32];
    pbkdf2::pbkdf2_hmac::<Sha256>(password, &STANDARD.decode(salt).unwrap(), rounds.parse().unwrap(), &mut salted);
    let bare_final = format!("c={},r={nonce}", STANDARD.encode([header.as_bytes(), bound].concat()));
    let spoken = format!("{bare},{first},{bare_final}");
    let key = hmac(&salted, b"Client Key");
    let signature = hmac(&Sha256::digest(key), spoken.as_bytes());
    let proof: Vec<u8> = key.iter().zip(signature).map(|(a, b)| a ^ b).collect();
    match exchange.respond(Some(format!("{bare_final},p={}", STANDARD.encode(proof)).as_bytes())).await {
        Step::Challenge(last) => {
            let expected = format!("v={}", STANDARD.encode(hmac(&hmac(&salted, b"Server Key"), spoken.as_bytes())));
            (done(exchange.respond(Some(b"")).await), last == expected.as_bytes())
        }
        step => (done(step), false),
    }
}

#[test]
fn a_proof_is_bound_to_the_channel_that_both_see() {
    each_site(|site: Rc<Site>| async move {
        for (name, header, bound, channel, good) in [
            ("SCRAM-SHA-256", "n,,", &b""[..], None, true),
            ("SCRAM-SHA-256", "y,,", b"", None, true),
            ("SCRAM-SHA-256", "n,a=ann,", b"", tls(), true),
            ("SCRAM-SHA-256-PLUS", "p=tls-exporter,,", &[7; 32], tls(), true),
            ("SCRAM-SHA-256-PLUS", "p=tls-server-end-point,,", b"certificate", tls(), true),
            // Somebody in between ends TLS and speaks it anew with the client.
            ("SCRAM-SHA-256-PLUS", "p=tls-exporter,,", &[8; 32], tls(), false),
            ("SCRAM-SHA-256-PLUS", "p=tls-server-end-point,,", b"another", tls(), false),
        ] {
            let (verdict, proven) = scram(&mut exchange(&site, name, channel), header, bound, PASSWORD).await;
            assert_eq!((verdict.is_ok(), proven), (good, good), "{name} {header}");
        }
        for (name, header) in [
            ("SCRAM-SHA-256", "p=tls-exporter,,"),
            ("SCRAM-SHA-256", "y,,"),
            ("SCRAM-SHA-256-PLUS", "n,,"),
            ("SCRAM-SHA-256-PLUS", "p=tls-unique,,"),
        ] {
            let first = format!("{header}n=ann,r=client");
            let unfit = done(exchange(&site, name, tls()).begin(Some(first.as_bytes())).await).unwrap_err();
            assert_eq!(unfit.error.text.en, "the channel binding does not fit", "{name} {header}");
        }
        let (other, proven) = scram(&mut exchange(&site, "SCRAM-SHA-256", None), "n,a=bob,", b"", PASSWORD).await;
        assert_eq!((other.unwrap_err().reason, proven), (Refusal::NotYourself, false));
        let (wrong, _) = scram(&mut exchange(&site, "SCRAM-SHA-256", None), "n,,", b"", b"wrong").await;
        assert_eq!(wrong.unwrap_err().reason, Refusal::Wrong);
    });
}

#[test]
fn tokens_are_refused_with_a_reason_before_the_end() {
    each_site(|site: Rc<Site>| async move {
        let (directory, ann) = (&site.directory, site.account("ann@anser.test").await.id);
        let add = |name, services| directory.add_app_password(ann, AppPasswordKind::Bearer, name, services, None);
        let good = add("good", Services::ALL).await.unwrap().password;
        let narrow = add("narrow", Services::POP3).await.unwrap().password;
        let bearer =
            |user: &str, token: &str| format!("n,a={user},\x01host=h\x01port=143\x01auth=Bearer {token}\x01\x01");
        let xoauth2 = |user: &str, token: &str| format!("user={user}\x01auth=Bearer {token}\x01\x01");

        let mut exchanged = exchange(&site, "OAUTHBEARER", tls());
        let nameless = format!("n,,\x01auth=bearer {good}\x01\x01");
        let login = done(exchanged.begin(Some(nameless.as_bytes())).await).unwrap();
        assert!(matches!(login.via, Via::Token(_)));
        assert_eq!(exchanged.user(), "ann@anser.test");
        for (name, message, said, reason) in [
            ("OAUTHBEARER", bearer("ann", "old"), r#"{"status":"invalid_token"}"#, Refusal::Wrong),
            ("OAUTHBEARER", bearer("nobody", "old"), r#"{"status":"invalid_token"}"#, Refusal::Wrong),
            ("OAUTHBEARER", bearer("bob", &good), r#"{"status":"invalid_token"}"#, Refusal::Wrong),
            ("OAUTHBEARER", bearer("ann", &narrow), r#"{"status":"insufficient_scope"}"#, Refusal::NotAllowed),
            ("XOAUTH2", xoauth2("ann", "old"), r#"{"status":"401"}"#, Refusal::Wrong),
        ] {
            for last in [Some(&b"\x01"[..]), Some(b""), None] {
                let mut exchanged = exchange(&site, name, tls());
                assert_eq!(challenge(exchanged.begin(Some(message.as_bytes())).await), said);
                assert_eq!(done(exchanged.respond(last).await).unwrap_err().reason, reason);
            }
        }
        let mut exchanged = exchange(&site, "XOAUTH2", tls());
        done(exchanged.begin(Some(xoauth2("ann@anser.test", &good).as_bytes())).await).unwrap();
    });
}
