//! A small Internet on loopback: each server has an address of its own, all of them the same port.

use std::net::TcpListener;

use anser_delivery::Outward;
use anser_net::Resolver;
use anser_net::dns::{Data, Zone};
use anser_senderauth::{Message, Peer, Verdict, check};

use crate::house::House;
use crate::smarthost::Relay;

pub struct Internet {
    pub zone: Zone,
    pub port: u16,
    /// Keeps the port from other tests, at an address that no server has.
    _held: TcpListener,
}

impl Internet {
    pub fn new() -> Self {
        // A port that is free at one address is free at all of them.
        let held = TcpListener::bind("127.0.0.254:0").unwrap();
        Self { zone: Zone::new(), port: held.local_addr().unwrap().port(), _held: held }
    }

    /// A mail exchange of a domain, at `127.0.0.<last>`.
    pub fn exchange(&self, domain: &str, preference: u16, name: &str, last: u8) {
        self.zone.add(domain, Data::Mx { preference, exchange: name.into() });
        self.host(name, last);
    }

    pub fn host(&self, name: &str, last: u8) {
        self.zone.add(name, Data::A([127, 0, 0, last].into()));
    }

    pub fn text(&self, name: &str, text: &str) {
        self.zone.add(name, Data::Txt(text.as_bytes().to_vec()));
    }

    /// A server at `127.0.0.<last>` that plays these transcripts.
    pub async fn server(&self, name: &str, last: u8, scripts: &[&str]) -> Relay {
        Relay::play_at(&format!("127.0.0.{last}:{}", self.port), name, scripts).await
    }

    /// What a server at far.test finds of a message that came from mail.anser.test.
    pub async fn judged(&self, house: &House, raw: &str) -> Verdict {
        let peer = Peer {
            ip: "192.0.2.9".parse().unwrap(),
            helo: "mail.anser.test",
            sender: None,
            receiver: "mx.far.test",
            now: house.clock.now().secs(),
        };
        check(&self.outward().resolver, &Message::whole(raw.as_bytes()), peer).await
    }

    pub fn outward(&self) -> Outward {
        let outward = Outward::new(Resolver::zone(self.zone.clone()));
        Outward { port: self.port, private: true, ..outward }
    }
}

/// A delivery to one recipient, in lock step, without TLS.
pub fn delivery(recipient: &str) -> String {
    format!(
        "S: 220 hi\nC: EHLO mail.anser.test\nS: 250 there.test\nC: MAIL FROM:<ann@anser.test>\nS: 250 ok\n\
         C: RCPT TO:<{recipient}>\nS: 250 ok\nC: DATA\nS: 354 go on\nMESSAGE\nS: 250 taken"
    )
}
