//! VER: while sessions are passed through to the old server, the proof still compares what is here; unique ids of POP3 are part of it.

use serde_json::Value;

use super::world::{old_with, plan};
use crate::peers::tools::wanted;
use crate::world::{Dev, Place};

const ANN: &str = "ann@anser.test";

fn report(dev: &Dev) -> Value {
    dev.ask(&["move", "verify", "house"]);
    serde_json::from_str(&dev.ask(&["move", "report", "house", "--format", "json"])).expect("JSON")
}

#[test]
fn a_proof_before_the_cut_over_looks_at_what_is_here() {
    if !wanted() {
        return;
    }
    let (old, mut imap) = old_with(5);
    let place = Place::new();
    let dev = place.start();
    plan(&dev, &old, "ann", ANN);
    let maildrop = ["--port", &old.pop3.to_string(), "--kind", "pop3", "--source", "old-pop3"];
    dev.ask(&[&["move", "plan", "house", "--host", "127.0.0.1", "--tls", "none"][..], &maildrop].concat());
    dev.ask(&["move", "plan", "house", "--pass-through", "until-cutover"]);
    dev.ask(&["move", "start", "house", "--wait"]);
    imap.append("INBOX", "", b"Subject: late\r\n\r\nx\r\n").expect("APPEND");
    let before = &report(&dev)["proofs"][0];
    assert_eq!(before["differences"][0]["class"], "new", "{before}");
    assert_eq!(before["folders"][0]["classes"]["equal"], 5, "{before}");
    assert!(before["ids"].is_null(), "none came yet");
    dev.ask(&["move", "cutover", "house", ANN, "--wait"]);
    let whole = report(&dev);
    let after = &whole["proofs"][0];
    assert_eq!((whole["score"].as_str(), after["differences"].as_array().map(Vec::len)), (Some("perfect"), Some(0)));
    assert_eq!((after["ids"]["same"].as_u64(), after["ids"]["in_order"].as_bool()), (Some(6), Some(true)), "{after}");
    assert_eq!(after["ledger"].as_str().map(str::len), Some(64));
}
