//! dkimpy and opendkim verify what we sign, and we what dkimpy signs; what was changed on the way passes nowhere.

use anser_senderauth::dkim::Result;
use serde_json::json;

use crate::lab::{self, Others, PLAIN, base64, ed25519, mail, message_of, rsa, signed};
use crate::zone::Zone;

fn changed(raw: &[u8]) -> Vec<u8> {
    String::from_utf8(raw.to_vec()).unwrap().replace("this is", "this was").into_bytes()
}

#[test]
fn dkimpy_and_opendkim_verify_ours() {
    let Some(mut others) = Others::start() else { return };
    let records = json!({
        "r._domainkey.example.org": rsa().record().unwrap(),
        "e._domainkey.example.org": ed25519().record().unwrap(),
    });
    let mut mails = vec![mail(PLAIN), mail("From: a@example.org\nDate: Sun, 22 Nov 2026 04:00:00 +0000\n\n")];
    mails.extend(lab::corpus(400));
    for (index, raw) in mails.iter().enumerate() {
        let signed = signed(raw, "example.org");
        let answer = others.ask(json!({"do": "verify", "count": 2, "message": base64(&signed), "zone": records}));
        assert_eq!(answer["ok"], true, "message {index}: {answer}");
    }
    let ours = signed(&mails[0], "example.org");
    let answer = others.ask(json!({"do": "verify", "message": base64(&changed(&ours)), "zone": records}));
    assert_eq!(answer["ok"], false);
    let told = others.ask(json!({"do": "opendkim", "message": base64(&ours), "zone": records}));
    assert!(told["text"].as_str().unwrap().contains("dkim=pass"), "{told}");
    let told = others.ask(json!({"do": "opendkim", "message": base64(&changed(&ours)), "zone": records}));
    assert!(told["text"].as_str().unwrap().contains("dkim=fail"), "{told}");
}

#[test]
fn we_verify_those_of_dkimpy_and_take_no_sha1_of_opendkim() {
    let Some(mut others) = Others::start() else { return };
    for kind in ["ed25519", "1024", "2048", "4096"] {
        let key = others.ask(json!({"do": "key", "kind": kind}));
        let zone = Zone::new().text("s._domainkey.example.org", key["record"].as_str().unwrap());
        let algorithm = if kind == "ed25519" { "ed25519-sha256" } else { "rsa-sha256" };
        for canon in [["simple", "simple"], ["simple", "relaxed"], ["relaxed", "simple"], ["relaxed", "relaxed"]] {
            let question = json!({"do": "sign", "message": base64(&mail(PLAIN)), "domain": "example.org", "selector": "s",
                "key": key["key"], "algorithm": algorithm, "canon": canon});
            let theirs = message_of(&others.ask(question));
            assert_eq!(lab::results(&zone, &theirs), [Result::Pass], "{kind} {canon:?}");
            assert_eq!(lab::results(&zone, &changed(&theirs)), [Result::Fail], "{kind} {canon:?}");
        }
        if kind != "ed25519" {
            let question = json!({"do": "opendkim-sign", "message": base64(&mail(PLAIN)), "domain": "example.org",
                "selector": "s", "key": key["key"]});
            let theirs = message_of(&others.ask(question));
            assert!(String::from_utf8_lossy(&theirs).contains("a=rsa-sha1;"));
            assert_eq!(lab::results(&zone, &theirs), [Result::Policy], "opendkim {kind}");
        }
    }
}

#[test]
fn a_signature_of_a_part_of_the_body_passes_only_while_the_part_is_all() {
    let Some(mut others) = Others::start() else { return };
    let key = others.ask(json!({"do": "key", "kind": "1024"}));
    let zone = Zone::new().text("s._domainkey.example.org", key["record"].as_str().unwrap());
    let question = json!({"do": "sign", "message": base64(&mail(PLAIN)), "domain": "example.org", "selector": "s",
        "key": key["key"], "algorithm": "rsa-sha256", "canon": ["relaxed", "simple"], "length": true});
    let mut theirs = message_of(&others.ask(question));
    assert_eq!(lab::results(&zone, &theirs), [Result::Pass]);
    theirs.extend_from_slice(b"More from somebody else.\r\n");
    assert_eq!(lab::results(&zone, &theirs), [Result::Policy]);
}
