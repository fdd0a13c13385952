use std::time::Duration;

use anser_net::{ConnectOptions, Line, ServeOptions, Stream, TlsConnector, connect};
use anser_smtp::Service;
use anser_testkit::engines::World;

use crate::house::{House, Mail, PASSWORD, SCHEMAS};

/// A client that can speak TLS.
pub struct Client {
    pub stream: Stream,
}

impl Client {
    pub async fn connect(address: std::net::SocketAddr) -> Self {
        Self { stream: connect(&address.ip().to_string(), address.port(), &ConnectOptions::default()).await.unwrap() }
    }

    pub async fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    pub async fn reply(&mut self) -> String {
        self.stream.set_read_timeout(Duration::from_secs(30));
        let mut reply = String::new();
        while let Line::Full(line) = self.stream.read_line(4096).await.unwrap() {
            let text = String::from_utf8(line).unwrap();
            reply.push_str(&text);
            if text.as_bytes()[3] != b'-' {
                break;
            }
        }
        reply
    }

    pub async fn ask(&mut self, line: &str) -> String {
        self.send(&format!("{line}\r\n")).await;
        self.reply().await
    }

    pub async fn tls(&mut self) {
        let connector = TlsConnector::opportunistic().unwrap();
        self.stream.start_tls_as_client(&connector, "mx.example.org").await.unwrap();
    }
}

fn plain_auth() -> String {
    anser_wire::sasl::encode_base64(format!("\0ann@example.org\0{PASSWORD}").as_bytes())
}

#[test]
fn what_was_said_and_injected_before_is_forgotten() {
    let world = World::embedded(SCHEMAS);
    let house = House::with(&world, |deps| deps.allow_plaintext_auth = false);
    let address = house.open(Service::Submission);
    house.runtime.block_on(async {
        let mut client = Client::connect(address).await;
        assert!(client.reply().await.starts_with("220"));
        let hello = client.ask("EHLO client").await;
        assert!(hello.contains("STARTTLS") && !hello.contains("AUTH") && !hello.contains("REQUIRETLS"), "{hello}");
        assert!(client.ask("AUTH PLAIN AGEAYg==").await.starts_with("538 5.7.11"));
        assert!(client.ask("MAIL FROM:<ann@example.org>").await.starts_with("530 5.7.0 Say STARTTLS"));
        client.send("STARTTLS\r\nEHLO injected\r\nNOOP\r\n").await;
        assert!(client.reply().await.starts_with("220 2.0.0"));
        client.tls().await;
        // Were the injected greeting still there, MAIL would be a matter of logging in.
        assert!(client.ask("MAIL FROM:<ann@example.org>").await.starts_with("503 5.5.1 Say hello first"));
        let hello = client.ask("EHLO client").await;
        assert!(!hello.contains("STARTTLS") && hello.contains("REQUIRETLS"), "{hello}");
        assert!(hello.contains("AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-256 OAUTHBEARER XOAUTH2 PLAIN LOGIN"), "{hello}");
        assert!(client.ask("STARTTLS").await.starts_with("503 5.5.1"));
        assert!(client.ask(&format!("AUTH PLAIN {}", plain_auth())).await.starts_with("235"));
        assert!(!client.ask("EHLO client").await.contains("AUTH"));
        assert!(client.ask("MAIL FROM:<ann@example.org> REQUIRETLS").await.starts_with("250"));
        assert!(client.ask("RCPT TO:<eve@elsewhere.net>").await.starts_with("250"));
        assert!(client.ask("DATA").await.starts_with("354"));
        assert!(client.ask("Subject: x\r\n\r\n.").await.starts_with("250"));
        assert!(client.ask("QUIT").await.starts_with("221"));
    });
    let mail = house.mail();
    let Mail { entry, .. } = &mail[0];
    let trace = String::from_utf8(entry.envelope.trace.clone()).unwrap();
    assert!(entry.envelope.requiretls);
    assert!(trace.contains(" with ESMTPSA id ") && trace.contains("\r\n\t(TLSv1.3 TLS_"), "{trace}");
}

#[test]
fn implicit_tls_comes_before_the_greeting() {
    let world = World::embedded(SCHEMAS);
    let house = House::with(&world, |deps| deps.allow_plaintext_auth = false);
    let mut options = ServeOptions::new("submissions");
    options.tls = house.deps.tls.clone();
    let address = house.open_with(Service::Submission, options);
    house.runtime.block_on(async {
        let mut client = Client::connect(address).await;
        client.tls().await;
        assert!(client.reply().await.starts_with("220 mx.example.org ESMTP"));
        assert!(client.ask("EHLO client").await.contains("AUTH SCRAM-SHA-256-PLUS"));
        assert!(client.ask(&format!("AUTH PLAIN {}", plain_auth())).await.starts_with("235"));
    });
}

#[test]
fn requiretls_is_not_promised_in_plain() {
    let world = World::embedded(SCHEMAS);
    let house = House::with(&world, |deps| deps.tls = None);
    let address = house.open(Service::Mx);
    house.runtime.block_on(async {
        let mut client = Client::connect(address).await;
        client.reply().await;
        assert!(!client.ask("EHLO client").await.contains("TLS"));
        assert!(client.ask("MAIL FROM:<a@elsewhere.net> REQUIRETLS").await.starts_with("530 5.7.10"));
        assert!(client.ask("STARTTLS").await.starts_with("502 5.5.1"));
    });
}
