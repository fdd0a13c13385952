use std::future::Future;

use anser_net::{ConnectOptions, Line, Stream, TlsConnector, connect};
use anser_wire::sasl::{decode_base64, encode_base64};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::site::{PASSWORD, Site, certificate, each_site, mail};

async fn say(stream: &mut Stream, line: &str) {
    stream.write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
}

async fn hear(stream: &mut Stream) -> String {
    match stream.read_line(9999).await.unwrap() {
        Line::Full(line) => String::from_utf8(line).unwrap().trim_end_matches("\r\n").to_owned(),
        other => panic!("{other:?}"),
    }
}

async fn ask(stream: &mut Stream, line: &str) -> String {
    say(stream, line).await;
    hear(stream).await
}

async fn capabilities(stream: &mut Stream) -> Vec<String> {
    let mut lines = vec![ask(stream, "CAPA").await];
    while lines.last().is_none_or(|line| line != ".") {
        lines.push(hear(stream).await);
    }
    lines
}

fn connector() -> TlsConnector {
    TlsConnector::verified_by_pem(certificate().0.as_bytes()).unwrap()
}

/// A client of the strict service, inside TLS after STLS.
async fn after_stls(port: u16) -> Stream {
    let mut stream = connect("127.0.0.1", port, &ConnectOptions::default()).await.unwrap();
    hear(&mut stream).await;
    assert_eq!(ask(&mut stream, "STLS").await, "+OK begin TLS");
    stream.start_tls_as_client(&connector(), "mail.anser.test").await.unwrap();
    stream
}

fn on_each_site<'s, F: Future<Output = ()>>(test: impl Fn(u16, u16) -> F + 's) {
    each_site(|site: &Site| {
        site.deliver("ann", &[mail(1)]);
        site.runtime.block_on(test(site.strict.port(), site.tls.port()));
    });
}

/// RFC 2595 §4: nothing that came before, or was put behind the command by a man in the middle, counts inside TLS.
#[test]
fn plaintext_behind_stls_is_thrown_away() {
    on_each_site(|strict, _| async move {
        let mut stream = connect("127.0.0.1", strict, &ConnectOptions::default()).await.unwrap();
        hear(&mut stream).await;
        assert_eq!(ask(&mut stream, "LANG zh").await, "+OK zh 语言已切换");
        say(&mut stream, "STLS\r\nUSER ann\r\nCAPA").await;
        assert_eq!(hear(&mut stream).await, "+OK 开始 TLS");
        stream.start_tls_as_client(&connector(), "mail.anser.test").await.unwrap();
        assert_eq!(ask(&mut stream, &format!("PASS {PASSWORD}")).await, "-ERR send USER first");
        assert_eq!(ask(&mut stream, "STLS").await, "-ERR TLS is active already");
        assert_eq!(ask(&mut stream, "QUIT").await, "+OK bye");
    });
}

#[test]
fn logins_are_offered_inside_tls() {
    on_each_site(|strict, tls| async move {
        let mut upgraded = after_stls(strict).await;
        let mut implicit = connect("127.0.0.1", tls, &ConnectOptions::default()).await.unwrap();
        implicit.start_tls_as_client(&connector(), "mail.anser.test").await.unwrap();
        hear(&mut implicit).await;
        for stream in [&mut upgraded, &mut implicit] {
            let listed = capabilities(stream).await;
            assert!(
                listed.contains(&"SASL SCRAM-SHA-256-PLUS SCRAM-SHA-256 OAUTHBEARER XOAUTH2 PLAIN LOGIN".to_owned()),
                "{listed:?}"
            );
            assert!(listed.contains(&"USER".to_owned()) && !listed.contains(&"STLS".to_owned()), "{listed:?}");
            assert_eq!(ask(stream, "USER ann").await, "+OK send the password");
            assert!(ask(stream, &format!("PASS {PASSWORD}")).await.starts_with("+OK 1 messages"));
            assert_eq!(ask(stream, "QUIT").await, "+OK bye");
        }
    });
}

/// One exchange of SCRAM; the answer to it.
async fn scram(stream: &mut Stream, mechanism: &str, header: &str, channel: &[u8], password: &str) -> String {
    let bare = "n=ann,r=fyko+d2lbbFgONRv9qkxdawL";
    let first = ask(stream, &format!("AUTH {mechanism} {}", encode_base64(format!("{header}{bare}").as_bytes()))).await;
    let Some(challenge) = first.strip_prefix("+ ") else { return first };
    let server = String::from_utf8(decode_base64(challenge.as_bytes()).unwrap()).unwrap();
    let field = |name| server.split(',').find_map(|part| part.strip_prefix(name)).unwrap();
    let mut salted = [0; 32];
    let salt = decode_base64(field("s=").as_bytes()).unwrap();
    pbkdf2::pbkdf2_hmac::<Sha256>(password.as_bytes(), &salt, field("i=").parse().unwrap(), &mut salted);
    let binding = encode_base64(&[header.as_bytes(), channel].concat());
    let last = format!("c={binding},r={}", field("r="));
    let spoken = format!("{bare},{server},{last}");
    let key = mac(&salted, b"Client Key");
    let signature = mac(&Sha256::digest(key), spoken.as_bytes());
    let proof: Vec<u8> = key.iter().zip(signature).map(|(a, b)| a ^ b).collect();
    let answer = ask(stream, &encode_base64(format!("{last},p={}", encode_base64(&proof)).as_bytes())).await;
    let Some(verifier) = answer.strip_prefix("+ ") else { return answer };
    let expected = mac(&mac(&salted, b"Server Key"), spoken.as_bytes());
    let verifier = String::from_utf8(decode_base64(verifier.as_bytes()).unwrap()).unwrap();
    assert_eq!(verifier, format!("v={}", encode_base64(&expected)));
    ask(stream, "").await
}

fn mac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().into()
}

#[test]
fn scram_binds_the_login_to_the_channel() {
    on_each_site(|strict, _| async move {
        let mut stream = after_stls(strict).await;
        let binding = stream.tls_info().unwrap().binding.clone();
        let (exporter, end_point) = (binding.exporter.unwrap(), binding.server_end_point.unwrap());
        let good: [(&str, &str, &[u8]); 3] = [
            ("SCRAM-SHA-256-PLUS", "p=tls-exporter,,", &exporter),
            ("SCRAM-SHA-256-PLUS", "p=tls-server-end-point,,", &end_point),
            ("SCRAM-SHA-256", "n,,", b""),
        ];
        for (mechanism, header, channel) in good {
            let answer = scram(&mut stream, mechanism, header, channel, PASSWORD).await;
            assert!(answer.starts_with("+OK 1 messages"), "{mechanism} {header}: {answer}");
            assert_eq!(ask(&mut stream, "QUIT").await, "+OK bye");
            stream = after_stls(strict).await;
        }
        let bad: [(&str, &str, &[u8], &str); 6] = [
            ("SCRAM-SHA-256-PLUS", "p=tls-exporter,,", &[0; 32], PASSWORD),
            ("SCRAM-SHA-256-PLUS", "p=tls-unique,,", &exporter, PASSWORD),
            ("SCRAM-SHA-256-PLUS", "n,,", b"", PASSWORD),
            // Somebody took -PLUS out of the list that this client saw.
            ("SCRAM-SHA-256", "y,,", b"", PASSWORD),
            ("SCRAM-SHA-256", "p=tls-exporter,,", &exporter, PASSWORD),
            ("SCRAM-SHA-256", "n,,", b"", "wrong"),
        ];
        for (mechanism, header, channel, password) in bad {
            let answer = scram(&mut stream, mechanism, header, channel, password).await;
            assert!(answer.starts_with("-ERR [AUTH] "), "{mechanism} {header}: {answer}");
            assert_eq!(ask(&mut stream, "QUIT").await, "+OK bye");
            stream = after_stls(strict).await;
        }
    });
}
