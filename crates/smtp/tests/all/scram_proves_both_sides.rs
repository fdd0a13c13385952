use anser_smtp::Service;
use anser_testkit::engines::each_engine;
use anser_wire::sasl::{decode_base64, encode_base64};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::house::{House, PASSWORD, SCHEMAS};
use crate::tls_starts_the_session_anew::Client;

/// How a client goes through the exchange.
struct Try {
    mechanism: &'static str,
    /// The GS2 header.
    header: &'static str,
    password: &'static str,
    /// Binds to another channel than its own.
    strange_channel: bool,
}

#[test]
fn with_and_without_channel_binding() {
    each_engine(SCHEMAS, |world| {
        let house = House::new(world);
        let address = house.open(Service::Submission);
        let with = |mechanism, header| Try { mechanism, header, password: PASSWORD, strange_channel: false };
        let cases = [
            (with("SCRAM-SHA-256", "n,,"), "235 2.7.0"),
            (with("SCRAM-SHA-256-PLUS", "p=tls-exporter,,"), "235 2.7.0"),
            (with("SCRAM-SHA-256-PLUS", "p=tls-server-end-point,,"), "235 2.7.0"),
            (with("SCRAM-SHA-256", "n,a=ann@example.org,"), "235 2.7.0"),
            (with("SCRAM-SHA-256", "n,a=bob@example.org,"), "535 5.7.8"),
            (with("SCRAM-SHA-256", "y,,"), "535 5.7.8"),
            (with("SCRAM-SHA-256", "p=tls-exporter,,"), "535 5.7.8"),
            (with("SCRAM-SHA-256-PLUS", "n,,"), "535 5.7.8"),
            (with("SCRAM-SHA-256-PLUS", "p=tls-unique,,"), "535 5.7.8"),
            (Try { password: "wrong", ..with("SCRAM-SHA-256", "n,,") }, "535 5.7.8"),
            (Try { strange_channel: true, ..with("SCRAM-SHA-256-PLUS", "p=tls-exporter,,") }, "535 5.7.8"),
        ];
        for (case, expected) in cases {
            let reply = house.runtime.block_on(log_in(address, &case));
            assert!(reply.starts_with(expected), "{} {} {}: {reply}", world.name, case.mechanism, case.header);
        }
    });
}

async fn log_in(address: std::net::SocketAddr, case: &Try) -> String {
    let mut client = Client::connect(address).await;
    client.reply().await;
    client.ask("EHLO client").await;
    client.ask("STARTTLS").await;
    client.tls().await;
    client.ask("EHLO client").await;
    let bare = "n=ann@example.org,r=clientnonce";
    let first = encode_base64(format!("{}{bare}", case.header).as_bytes());
    let reply = client.ask(&format!("AUTH {} {first}", case.mechanism)).await;
    let Some(challenge) = reply.strip_prefix("334 ") else { return reply };
    let challenge = String::from_utf8(decode_base64(challenge.trim().as_bytes()).unwrap()).unwrap();
    let field = |at: usize| challenge.split(',').nth(at).unwrap()[2..].to_owned();
    let (salt, rounds) = (decode_base64(field(1).as_bytes()).unwrap(), field(2).parse().unwrap());
    let without_proof = format!("c={},r={}", encode_base64(&channel(&client, case)), field(0));
    let transcript = format!("{bare},{challenge},{without_proof}");
    let (proof, signature) = proof(case.password, &salt, rounds, &transcript);
    let last = format!("{without_proof},p={}", encode_base64(&proof));
    let reply = client.ask(&encode_base64(last.as_bytes())).await;
    let Some(verifier) = reply.strip_prefix("334 ") else { return reply };
    let verifier = decode_base64(verifier.trim().as_bytes()).unwrap();
    assert_eq!(verifier, format!("v={}", encode_base64(&signature)).as_bytes());
    client.ask("").await
}

fn channel(client: &Client, case: &Try) -> Vec<u8> {
    let binding = &client.stream.tls_info().unwrap().binding;
    let mut data = match case.header {
        "p=tls-exporter,," => binding.exporter.unwrap().to_vec(),
        "p=tls-server-end-point,," => binding.server_end_point.clone().unwrap(),
        _ => Vec::new(),
    };
    if case.strange_channel {
        data[0] ^= 1;
    }
    [case.header.as_bytes(), &data].concat()
}

fn proof(password: &str, salt: &[u8], rounds: u32, transcript: &str) -> (Vec<u8>, [u8; 32]) {
    let mut salted = [0; 32];
    pbkdf2::pbkdf2_hmac::<Sha256>(password.as_bytes(), salt, rounds, &mut salted);
    let client_key = hmac(&salted, b"Client Key");
    let stored_key: [u8; 32] = Sha256::digest(client_key).into();
    let signature = hmac(&stored_key, transcript.as_bytes());
    let proof = client_key.iter().zip(signature).map(|(a, b)| a ^ b).collect();
    (proof, hmac(&hmac(&salted, b"Server Key"), transcript.as_bytes()))
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().into()
}
