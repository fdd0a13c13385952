//! What strangers say in the DNS and in headers about who sent a message.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use anser_peers::{aggregate, pack, tls};
use anser_senderauth::dns::{Answer, Asking, Dns, Kind, Record, Resolver};
use anser_senderauth::{Message, Peer, dkim, dmarc, results, spf};

/// Every text record is these bytes, whatever the name is.
struct Everywhere<'d>(&'d [u8]);

impl Resolver for Everywhere<'_> {
    fn ask<'a>(&'a self, _: &'a str, kind: Kind) -> Asking<'a> {
        let record = match kind {
            Kind::Txt => Record::Txt(self.0.to_vec()),
            Kind::Mx => Record::Mx(1, String::from_utf8_lossy(self.0).into_owned()),
            Kind::Ptr => Record::Ptr(String::from_utf8_lossy(self.0).into_owned()),
            Kind::A | Kind::Aaaa => Record::from(std::net::Ipv4Addr::LOCALHOST),
        };
        Box::pin(std::future::ready(Ok(Answer { records: vec![record], exists: true })))
    }
}

fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => panic!("what is there was waited for"),
    }
}

/// Records of the DNS: an SPF policy that is run, a key, a DMARC policy.
pub fn records(data: &[u8]) {
    let _ = dkim::key::Key::parse(data);
    let _ = dmarc::Record::parse(data);
    let policy = [b"v=spf1 ", data].concat();
    let resolver = Everywhere(&policy);
    let dns = Dns::new(&resolver);
    let ip = std::net::Ipv6Addr::LOCALHOST.into();
    let question =
        spf::Question { ip, helo: "a.example", local: "a+b", domain: "x.example", receiver: "r.example", now: 0 };
    let outcome = at_once(spf::check(&dns, question));
    assert!(outcome.explanation.is_none_or(|text| text.is_ascii() && text.len() <= 1_000));
}

/// The header of a message: signatures, seals, authors, results. Ours are always one line of results after another.
pub fn headers(data: &[u8]) {
    let resolver = Everywhere(b"v=DKIM1; p=");
    let passed = Message::whole(data);
    let peer = Peer {
        ip: std::net::Ipv4Addr::LOCALHOST.into(),
        helo: "a.example",
        sender: None,
        receiver: "r.example",
        now: 0,
    };
    let verdict = at_once(anser_senderauth::check(&resolver, &passed, peer));
    let field = results::field("r.example", &verdict.results());
    assert!(field.is_ascii() && field.trim_end().split("\r\n").skip(1).all(|line| line.starts_with('\t')));
    assert_eq!(results::without_forged(field.as_bytes(), "r.example").as_deref(), Some(&b""[..]));
    if let Some(clean) = results::without_forged(data, "r.example") {
        assert!(clean.len() < data.len());
    }
}

/// A report on our domains, packed or not. What was understood reads the same when it is written again.
pub fn report(data: &[u8]) {
    let Some(plain) = pack::unpack(data) else { return };
    if let Some(report) = aggregate::Report::read(&plain) {
        assert!(report.rows.len() <= aggregate::ROWS);
        assert!(aggregate::Report::read(report.write().as_bytes()).is_some() || report.policy.domain.is_empty());
    }
    if let Some(report) = tls::Report::read(&plain) {
        assert!(tls::Report::read(&report.write()).is_some());
    }
}
