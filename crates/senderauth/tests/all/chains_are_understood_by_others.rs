//! dkimpy validates the chains that we seal, seals onward, and we validate that (RFC 8617).

use anser_senderauth::arc::{self, Sealing, Status};
use anser_senderauth::dns::Dns;
use anser_senderauth::{Message, Verdict};
use futures_util::FutureExt;
use serde_json::json;

use crate::lab::{self, Others, PLAIN, base64, mail, message_of, rsa, signed, signer};
use crate::zone::Zone;

fn chain(zone: &Zone, raw: &[u8]) -> arc::Chain {
    let dns = Dns::new(zone);
    let passed = Message::whole(raw);
    arc::validate(&dns, &passed).now_or_never().unwrap()
}

/// The message with one more set.
fn sealed(zone: &Zone, raw: &[u8], domain: &str) -> Vec<u8> {
    let chain = chain(zone, raw);
    let sealing = Sealing {
        signer: signer(rsa(), domain),
        authserv_id: domain,
        results: "spf=pass smtp.mailfrom=example.org;\r\n\tdmarc=pass header.from=example.org",
    };
    let fields = arc::seal(&Message::whole_to_sign(raw), &chain, sealing).unwrap();
    [fields.unwrap_or_default().as_bytes(), raw].concat()
}

fn world() -> Zone {
    ["example.org", "list.example", "hop.example"].iter().fold(Zone::new(), |zone, domain| lab::with_keys(zone, domain))
}

#[test]
fn our_chains_hold_and_break_where_they_should() {
    let zone = world();
    let original = signed(&mail(PLAIN), "example.org");
    assert_eq!(chain(&zone, &original).status, Status::None);
    let mut raw = original.clone();
    for hop in 1..=3 {
        raw = sealed(&zone, &raw, if hop == 2 { "list.example" } else { "hop.example" });
        let chain = chain(&zone, &raw);
        assert_eq!((chain.status, chain.sets.len(), chain.reason), (Status::Pass, hop, None));
    }
    assert_eq!(chain(&zone, &raw).sets[1].domain, "list.example");
    let text = String::from_utf8(raw.clone()).unwrap();
    let breaks = [
        ("Hello", "Hallo"),
        ("ARC-Authentication-Results: i=1; hop.example", "ARC-Authentication-Results: i=1; hip.example"),
        ("cv=none", "cv=pass"),
        ("ARC-Seal: i=2;", "ARC-Seal: i=4;"),
        ("ARC-Seal: i=1;", "X-Seal: i=1;"),
    ];
    for (from, to) in breaks {
        assert!(text.contains(from), "{from}");
        let broken = text.replacen(from, to, 1).into_bytes();
        assert_eq!(chain(&zone, &broken).status, Status::Fail, "{from}");
        // A broken chain is sealed once more as broken, and then no more.
        let told = sealed(&zone, &broken, "hop.example");
        assert_eq!(chain(&zone, &told).status, Status::Fail);
        assert_eq!(sealed(&zone, &told, "hop.example"), told);
    }
    let twice = text.replacen("ARC-Seal: i=3;", "ARC-Seal: i=3; a=x\r\nARC-Seal: i=3;", 1);
    assert_eq!(chain(&zone, twice.as_bytes()).status, Status::Fail);
}

#[test]
fn dkimpy_validates_our_chains_and_seals_onward() {
    let Some(mut others) = Others::start() else { return };
    let key = others.ask(json!({"do": "key", "kind": "2048"}));
    let record = key["record"].as_str().unwrap();
    let zone = world().text("s._domainkey.other.example", record);
    let mut records = json!({"s._domainkey.other.example": record});
    for domain in ["example.org", "list.example", "hop.example"] {
        records[format!("r._domainkey.{domain}")] = rsa().record().unwrap().into();
    }
    let mut raw = sealed(&zone, &signed(&mail(PLAIN), "example.org"), "list.example");
    let answer = others.ask(json!({"do": "arc-verify", "message": base64(&raw), "zone": records}));
    assert_eq!(answer["cv"], "pass", "{answer}");
    // dkimpy seals what the newest results field of the server says.
    raw = [&b"Authentication-Results: other.example; arc=pass; dmarc=pass header.from=example.org\r\n"[..], &raw]
        .concat();
    let question = json!({"do": "arc-sign", "message": base64(&raw), "domain": "other.example", "selector": "s",
        "key": key["key"], "authserv": "other.example"});
    let theirs = message_of(&others.ask(question));
    let found = chain(&zone, &theirs);
    assert_eq!((found.status, found.sets.len(), found.reason), (Status::Pass, 2, None));
    let onward = sealed(&zone, &theirs, "hop.example");
    assert_eq!(chain(&zone, &onward).sets.len(), 3);
    let answer = others.ask(json!({"do": "arc-verify", "message": base64(&onward), "zone": records}));
    assert_eq!(answer["cv"], "pass", "{answer}");
}

#[test]
fn only_a_trusted_sealer_that_saw_a_pass_for_this_author_vouches() {
    let zone = world().text("_dmarc.example.org", "v=DMARC1; p=reject");
    let raw = sealed(&zone, &mail(PLAIN), "list.example");
    let verdict: Verdict = lab::judge(&zone, &raw, "192.0.2.9", "list.example", "bounce@list.example");
    assert_eq!(verdict.asks().word(), "reject");
    assert_eq!(verdict.vouched_by(&["list.example".into()]), Some("list.example"));
    assert_eq!(verdict.vouched_by(&["other.example".into()]), None);
    let other = String::from_utf8(raw).unwrap().replace("header.from=example.org", "header.from=example.com");
    let verdict = lab::judge(&zone, other.as_bytes(), "192.0.2.9", "list.example", "bounce@list.example");
    assert_eq!(verdict.vouched_by(&["list.example".into()]), None);
}
