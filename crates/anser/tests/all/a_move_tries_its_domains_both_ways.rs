//! `anser move cutover --probe`: a letter comes in by the MX that the world finds, another goes out, and what is wrong is told.

use anser_testkit::dns::{NameServer, Signing};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::elsewhere::serve_smtp;
use crate::world::{Dev, Place, SMTP, done, python, run, run_in};

/// The letters in a mailbox whose Message-ID is that of a probe.
const COUNT: &str = r#"
import imaplib, sys
with imaplib.IMAP4('127.0.0.1', 143 + int(sys.argv[1])) as imap:
    imap.login('ann@anser.test', 'wild-goose')
    imap.select('INBOX')
    print(len(imap.search(None, 'HEADER', 'Message-ID', 'probe.')[1][0].split()))
"#;

struct World {
    runtime: Runtime,
    names: NameServer,
}

/// Our zone, by where its MX leads: to us, or to a server that is not there.
fn zones(mx: &str) -> [(&'static str, Signing, String); 2] {
    let ours =
        format!("@ 0 IN MX 10 {mx}\nmail 0 IN A 127.0.0.1\ngone 0 IN A 127.0.0.3\n@ IN TXT \"v=spf1 mx -all\"\n");
    let far = "@ 0 IN MX 10 mx\nmx 0 IN A 127.0.0.2\n".to_owned();
    [("anser.test", Signing::Unsigned, ours), ("far.test", Signing::Unsigned, far)]
}

impl World {
    fn new(mx: &str) -> Self {
        let (runtime, zones) = (Runtime::new().unwrap(), zones(mx));
        let names =
            runtime.block_on(NameServer::start(&zones.each_ref().map(|(name, how, text)| (*name, *how, &**text))));
        Self { runtime, names }
    }

    fn lead_to(&self, mx: &str) {
        let (_inside, zones) = (self.runtime.enter(), zones(mx));
        self.names.replace(&zones.each_ref().map(|(name, how, text)| (*name, *how, &**text)));
    }
}

/// `right`, `wrong` or `waiting` of the way in and of the way out, and the gate.
fn states(dev: &Dev) -> [String; 3] {
    let said: Value = serde_json::from_str(&dev.ask(&["--json", "move", "cutover", "m", "--probe"])).unwrap();
    let rows = said.as_array().unwrap();
    let of = |key: &str, value: &str| {
        let row = rows.iter().find(|row| row[key] == value).unwrap_or_else(|| panic!("{value}: {said}"));
        row["state"].as_str().unwrap().to_owned()
    };
    [of("way", "in"), of("way", "out"), of("gate", "probe")]
}

#[test]
fn what_a_probe_finds_is_told_and_opens_the_gate_only_when_both_ways_are_right() {
    let (world, place) = (World::new("gone"), Place::new());
    let dev = place.start_with(&["--dns", &world.names.address.to_string(), "--outward-port", SMTP]);
    serve_smtp(("127.0.0.2", dev.port("smtp")), |_, _| ());
    let imap = dev.port("imap").to_string();
    dev.ask(&["move", "plan", "m", "--host", "127.0.0.1", "--port", &imap, "--tls", "starttls-any"]);
    done(run(&dev.folder, &["move", "accounts", "m", "--stdin"], b"ann\tann@anser.test\n"));
    let told = dev.ask(&["move", "cutover", "m", "--check"]);
    assert!(told.contains("! probe  open  anser.test: not tried"), "{told}");

    // Nobody is behind the MX, and nobody said where a letter may go.
    let told = done(run_in("zh_CN.UTF-8", &dev.folder, &["move", "cutover", "m", "--probe"], b""));
    assert!(told.contains("25 端口无应答") && told.contains("未填写外部测试地址"), "{told}");
    for (address, out) in [("ann@anser.test", "wrong"), ("nobody@far.test", "wrong"), ("x@far.test", "right")] {
        dev.ask(&["move", "survey", "m", "--answer", &format!("probe-address={address}")]);
        assert_eq!(states(&dev), ["wrong", out, "open"], "{address}");
    }
    let refused = run(&dev.folder, &["move", "cutover", "m", "--close", "--accept", "mx", "--accept", "late"], b"");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("25"), "{refused:?}");

    world.lead_to("mail");
    assert_eq!(states(&dev), ["right", "right", "passed"]);
    assert_eq!(
        python(&dev, COUNT, &[]).trim(),
        "2",
        "one that was named as elsewhere, and the one that came by the MX"
    );
    let told = dev.ask(&["move", "cutover", "m", "--check"]);
    assert!(told.contains("+ probe  passed"), "{told}");
}
