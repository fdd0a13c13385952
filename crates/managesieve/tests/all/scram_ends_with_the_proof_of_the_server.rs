use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use anser_wire::sasl::{decode_base64, encode_base64};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::site::{PASSWORD, Site, each_site};

type Link = BufReader<TcpStream>;

#[test]
fn beside_ok() {
    each_site(|site| {
        let (mut link, transcript, signature) = exchange(site, PASSWORD);
        let expected = format!("OK (SASL \"{}\") \"logged in\"", encode_base64(format!("v={signature}").as_bytes()));
        assert_eq!(line(&mut link), expected, "after {transcript}");
        say(&mut link, "HAVESPACE \"a\" 10");
        assert_eq!(line(&mut link), "OK \"Done\"", "the login holds, and no response was waited for");
    });
}

#[test]
fn never_after_a_wrong_password() {
    each_site(|site| {
        let (mut link, transcript, _) = exchange(site, "wrong");
        let said = line(&mut link);
        assert!(said.starts_with("NO ") && !said.contains("SASL"), "{said} after {transcript}");
        say(&mut link, "HAVESPACE \"a\" 10");
        assert!(line(&mut link).starts_with("NO "));
    });
}

/// SCRAM-SHA-256 up to the client's proof, which is sent; and the signature that the server must give in return (RFC 5802 §3).
fn exchange(site: &Site, password: &str) -> (Link, String, String) {
    let mut link = BufReader::new(TcpStream::connect(site.plain).unwrap());
    while !line(&mut link).starts_with("OK") {}
    let bare = "n=ann,r=clientnonce";
    let first = encode_base64(format!("n,,{bare}").as_bytes());
    say(&mut link, &format!("AUTHENTICATE \"SCRAM-SHA-256\" \"{first}\""));
    let challenge = line(&mut link);
    let challenge = decode_base64(challenge.trim_matches('"').as_bytes()).unwrap();
    let challenge = String::from_utf8(challenge).unwrap();
    let field = |at: usize| challenge.split(',').nth(at).unwrap()[2..].to_owned();
    assert!(field(0).starts_with("clientnonce") && field(0).len() > "clientnonce".len(), "{challenge}");
    let without_proof = format!("c={},r={}", encode_base64(b"n,,"), field(0));
    let transcript = format!("{bare},{challenge},{without_proof}");
    let mut salted = [0; 32];
    let (salt, rounds) = (decode_base64(field(1).as_bytes()).unwrap(), field(2).parse().unwrap());
    pbkdf2::pbkdf2_hmac::<Sha256>(password.as_bytes(), &salt, rounds, &mut salted);
    let key = hmac(&salted, b"Client Key");
    let mask = hmac(&Sha256::digest(key), transcript.as_bytes());
    let proof: Vec<u8> = key.iter().zip(mask).map(|(a, b)| a ^ b).collect();
    let last = format!("{without_proof},p={}", encode_base64(&proof));
    say(&mut link, &format!("\"{}\"", encode_base64(last.as_bytes())));
    let signature = encode_base64(&hmac(&hmac(&salted, b"Server Key"), transcript.as_bytes()));
    (link, transcript, signature)
}

fn say(link: &mut Link, text: &str) {
    link.get_mut().write_all(format!("{text}\r\n").as_bytes()).unwrap();
}

fn line(link: &mut Link) -> String {
    let mut line = String::new();
    assert!(link.read_line(&mut line).unwrap() > 0, "the server closed");
    line.trim_end().to_owned()
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().into()
}
