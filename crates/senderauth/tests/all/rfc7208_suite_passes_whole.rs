//! The test suite of the SPF community for RFC 7208, every case of it, results and explanations.

use anser_senderauth::dns::{Dns, Kind};
use anser_senderauth::spf::{self, Question};
use serde_json::Value;

use crate::peers;
use crate::zone::Zone;

#[test]
fn rfc7208_suite_passes_whole() {
    let Some(lines) = peers::run("spf_suite.py", &[&peers::file("pyspf-2.0.14.tar.gz")], b"") else { return };
    let (mut seen, mut wrong) = (0, Vec::new());
    for line in String::from_utf8(lines).unwrap().lines() {
        let scenario: Value = serde_json::from_str(line).unwrap();
        let zone = zone(&scenario["zone"]);
        for test in scenario["tests"].as_array().unwrap() {
            seen += 1;
            wrong.extend(mistake(&zone, test));
        }
    }
    assert!(wrong.is_empty(), "{} of {seen} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(seen >= 200, "only {seen} cases");
}

fn mistake(zone: &Zone, test: &Value) -> Option<String> {
    let text = |name: &str| test[name].as_str().unwrap_or_default();
    let (helo, sender) = (text("helo"), text("mailfrom"));
    let (local, domain) = if sender.is_empty() { ("", helo) } else { sender.rsplit_once('@').unwrap_or(("", sender)) };
    let question = Question {
        ip: text("host").parse().unwrap(),
        helo,
        local,
        domain,
        receiver: "receiver.example",
        now: 1_700_000_000,
    };
    let dns = Dns::new(zone);
    let outcome = futures_util::FutureExt::now_or_never(spf::check(&dns, question)).expect("a zone answers at once");
    let wanted: Vec<&str> = match &test["result"] {
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    };
    let explanation = outcome.explanation.as_deref().unwrap_or("DEFAULT");
    let right = wanted.contains(&outcome.result.word())
        && test["explanation"].as_str().is_none_or(|wanted| wanted == explanation);
    let name = text("name");
    (!right)
        .then(|| format!("{name}: {} {explanation:?}, not {wanted:?} {}", outcome.result.word(), test["explanation"]))
}

fn zone(names: &Value) -> Zone {
    let mut zone = Zone::new();
    for (name, records) in names.as_object().unwrap() {
        for record in records.as_array().unwrap() {
            zone = add(zone, name, record[0].as_str().unwrap(), &record[1]);
        }
    }
    zone
}

fn add(zone: Zone, name: &str, kind: &str, value: &Value) -> Zone {
    let text = value.as_str().unwrap_or_default();
    let of = match kind {
        "A" => Some(Kind::A),
        "AAAA" => Some(Kind::Aaaa),
        "MX" => Some(Kind::Mx),
        "PTR" => Some(Kind::Ptr),
        "TXT" => Some(Kind::Txt),
        _ => None,
    };
    match kind {
        _ if text == "TIMEOUT" => zone.silence(name, of),
        "TIMEOUT" => zone.silence(name, None),
        "A" | "AAAA" => zone.address(name, text),
        "TXT" => zone.text(name, text),
        "PTR" => zone.pointer(name, text),
        "CNAME" => zone.alias(name, text),
        "MX" => zone.exchanger(name, value[0].as_u64().unwrap() as u16, value[1].as_str().unwrap()),
        other => panic!("{other}"),
    }
}
