//! `POST /admin/api`: what `anser move` does, done by programs.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use anser_admin::http::ACTS;
use serde_json::{Value, json};

use crate::world::{Dev, Place, done, each_engine, python, run};

/// Longest silence of an event source, several times over: what says nothing for so long says nothing any more.
const SILENCE: Duration = Duration::from_secs(60);
/// How often it is looked whether the place of one who left is free.
const LOOKS: usize = 5_000;

/// Mail for ann, to be moved to bob.
const APPEND: &str = r#"
import imaplib, sys
with imaplib.IMAP4('127.0.0.1', 143 + int(sys.argv[1])) as imap:
    imap.login('ann@anser.test', 'wild-goose')
    imap.create('Work')
    for n in range(40):
        imap.append('Work' if n % 2 else 'INBOX', '', None, f'Subject: {n}\r\n\r\n{n}\r\n'.encode())
"#;

fn token(dev: &Dev, name: &str, scope: &str) -> String {
    let made: Value =
        serde_json::from_str(&dev.ask(&["--json", "admin", "token", "add", name, "--scope", scope])).unwrap();
    made["secret"].as_str().unwrap().to_owned()
}

/// The status and the body of an act asked for with these header fields.
fn ask(dev: &Dev, fields: &[&str], act: &Value) -> (u16, Value) {
    let mut curl = Command::new("curl");
    curl.args(["-s", "-w", "\n%{http_code}", "-H", "Content-Type: application/json", "-d", &act.to_string()]);
    curl.args(fields.iter().flat_map(|field| ["-H", field]));
    curl.arg(format!("http://127.0.0.1:{}/admin/api", dev.port("http"))).env("no_proxy", "*");
    let said = done(curl.output().unwrap());
    let (body, status) = said.rsplit_once('\n').unwrap();
    (status.parse().unwrap(), serde_json::from_str(body).unwrap())
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}")
}

/// A move with ann's mailbox in it, on its way to bob.
fn plan(dev: &Dev) {
    let port = dev.port("imap").to_string();
    dev.ask(&["move", "plan", "m", "--host", "127.0.0.1", "--port", &port, "--tls", "starttls-any"]);
}

/// An event source that somebody reads.
struct Follower {
    lines: BufReader<TcpStream>,
}

impl Follower {
    fn new(dev: &Dev, token: &str, what: &Value) -> Self {
        let body = json!({ "act": "move", "name": "m", "what": what }).to_string();
        let mut stream = TcpStream::connect(("127.0.0.1", dev.port("http"))).unwrap();
        stream.set_read_timeout(Some(SILENCE)).unwrap();
        let (auth, length) = (bearer(token), body.len());
        let head = format!("POST /admin/api HTTP/1.1\r\nHost: localhost\r\n{auth}\r\nContent-Length: {length}");
        write!(stream, "{head}\r\nAccept: text/event-stream\r\n\r\n{body}").unwrap();
        Self { lines: BufReader::new(stream) }
    }

    /// Reads up to a line that begins with these words.
    fn until(&mut self, words: &str) -> String {
        loop {
            let mut line = String::new();
            assert!(self.lines.read_line(&mut line).unwrap() > 0, "it ended before {words}");
            if line.starts_with(words) {
                return line;
            }
        }
    }
}

#[test]
fn every_block_of_the_page_runs() {
    let page = include_str!("../../../../docs/api/moves.md");
    // The first piece is what comes before the first block.
    let blocks = page.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let script: String = std::iter::once("set -eu\n").chain(blocks).collect();
    assert!(script.matches("api").count() >= 8, "{script}");
    each_engine(|place| {
        let dev = place.start();
        python(&dev, APPEND, &[]);
        // Old servers of this machine are named at it first.
        plan(&dev);
        let folder = tempfile::tempdir().unwrap();
        let ran = Command::new("sh")
            .args(["-x", "-c", &script])
            .current_dir(folder.path())
            .envs([("OLD_HOST", "127.0.0.1"), ("OLD_TLS", "starttls-any"), ("no_proxy", "*")])
            .envs([("LOGIN", "ann@anser.test"), ("OLD_PASSWORD", "wild-goose"), ("WHO", "bob@anser.test")])
            .env("SERVER", format!("http://127.0.0.1:{}", dev.port("http")))
            .env("OLD_PORT", dev.port("imap").to_string())
            .env("TOKEN", token(&dev, "console", "moves:write"))
            .output()
            .unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        let proof: Value =
            serde_json::from_str(&std::fs::read_to_string(folder.path().join("proof.json")).unwrap()).unwrap();
        let folders = proof["items"][0]["move-proof"]["folders"].as_array().unwrap();
        assert_eq!(folders.iter().map(|one| one["messages"].as_u64().unwrap()).sum::<u64>(), 40, "{proof}");
        let told = dev.ask(&["trace", "token:console"]);
        let planned = told.lines().find(|line| line.contains("move.plan")).unwrap_or_else(|| panic!("{told}"));
        assert!(planned.contains("protocol=http") && planned.contains("client=127.0.0.1"), "{planned}");
    });
}

#[test]
fn a_mailbox_that_cannot_be_compared_keeps_nobody_from_the_proofs_of_the_others() {
    let place = Place::new();
    let dev = place.start();
    python(&dev, APPEND, &[]);
    plan(&dev);
    let list = |text: &str| done(run(&dev.folder, &["move", "accounts", "m", "--stdin"], text.as_bytes()));
    list("ann@anser.test\tbob@anser.test\twild-goose\nbob@anser.test\tchen@anser.test\twild-goose\n");
    dev.ask(&["move", "start", "m", "--wait"]);
    list("bob@anser.test\tchen@anser.test\twrong\n");
    let good = bearer(&token(&dev, "console", "moves:write"));
    let verify = json!({ "act": "move", "name": "m", "what": { "verify": { "level": "bodies" } } });
    let (status, told) = ask(&dev, &[&good], &verify);
    let [proof, other] = &told["items"].as_array().unwrap()[..] else { panic!("{told}") };
    assert_eq!((status, &proof["move-proof"]["login"]), (200, &"ann@anser.test".into()), "{told}");
    let other = &other["move-uncompared"];
    assert_eq!((&other["login"], &other["address"]), (&"bob@anser.test".into(), &"chen@anser.test".into()), "{told}");
    assert!(!other["en"].as_str().unwrap().is_empty() && !other["zh"].as_str().unwrap().is_empty(), "{told}");
    // By the command line it is shown beside the others, and is no success.
    let ran = run(&dev.folder, &["move", "verify", "m"], b"");
    let shown = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(!ran.status.success() && shown.contains("! bob@anser.test > chen@anser.test"), "{shown}");
}

#[test]
fn who_may_not_is_told_the_same_whatever_is_wrong() {
    let place = Place::new();
    let dev = place.start();
    plan(&dev);
    let list = json!({ "act": "move-list" });
    let good = bearer(&token(&dev, "console", "moves:read"));
    let (status, told) = ask(&dev, &[&good], &list);
    assert_eq!((status, &told["items"][0]["move"]["name"]), (200, &"m".into()), "{told}");
    // What looks like a token and is none, what opens mailboxes, and what was taken back.
    let over = bearer(&token(&dev, "over", "moves:write"));
    dev.ask(&["admin", "token", "revoke", "over"]);
    let own = dev.ask(&["--json", "account", "token", "add", "postmaster@anser.test", "--name", "x"]);
    let own: Value = serde_json::from_str(&own).unwrap();
    let own = bearer(own["password"].as_str().unwrap());
    let forged = bearer(&format!("anser_{}", "a".repeat(52)));
    let refusals: Vec<(u16, Value)> = [over, own, forged].iter().map(|field| ask(&dev, &[field], &list)).collect();
    assert_eq!(refusals[0].0, 401);
    assert!(refusals.iter().all(|refusal| *refusal == refusals[0]), "{refusals:?}");
    let page = ["Cookie: anser=x", "Sec-Fetch-Site: same-origin"];
    for fields in [&[][..], &page, &["Authorization: Basic cG9zdG1hc3RlckBhbnNlci50ZXN0OndpbGQtZ29vc2U="]] {
        assert_eq!(ask(&dev, fields, &list).0, 401, "{fields:?}");
    }
    let (_, zh) = ask(&dev, &["Accept-Language: zh-CN"], &list);
    assert!(zh["detail"].as_str().unwrap().contains("请出示令牌"), "{zh}");

    // It opens what it was made for.
    let act = |what: Value| ask(&dev, &[&good], &json!({ "act": "move", "name": "m", "what": what }));
    assert_eq!(act(json!("status")).0, 200);
    let (status, problem) = act(json!("start"));
    assert_eq!((status, &problem["type"]), (403, &"urn:anser:admin:insufficient-scope".into()), "{problem}");
    for other in [json!({ "act": "status" }), json!({ "act": "backup", "path": "/nowhere" })] {
        assert_eq!(ask(&dev, &[&good], &other).0, 403, "{other}");
    }
    assert_eq!(ask(&dev, &[&good], &json!({ "act": "no such" })).0, 400);
    let nobodys = json!({ "act": "move", "name": "another", "what": "status" });
    assert_eq!(ask(&dev, &[&good], &nobodys).0, 404);
}

#[test]
fn a_token_for_one_move_leads_that_and_knows_of_no_other() {
    let place = Place::new();
    let dev = place.start();
    plan(&dev);
    dev.ask(&["move", "plan", "other", "--host", "127.0.0.1", "--port", "1", "--tls", "none"]);
    dev.ask(&["domain", "add", "other.test"]);
    dev.ask(&["account", "add", "eve@other.test", "--no-password"]);
    let made = dev.ask(&["--json", "admin", "token", "add", "guest", "--scope", "moves:write", "--move", "m"]);
    let made: Value = serde_json::from_str(&made).unwrap();
    let guest = bearer(made["secret"].as_str().unwrap());
    let (_, all) = ask(&dev, &[&guest], &json!({ "act": "move-list" }));
    let names: Vec<&Value> = all["items"].as_array().unwrap().iter().map(|one| &one["move"]["name"]).collect();
    assert_eq!(names, ["m"], "{all}");
    assert_eq!(ask(&dev, &[&guest], &json!({ "act": "move-list", "name": "other" })).0, 403);
    for name in ["other", "M", "m2"] {
        for what in [json!("status"), json!("start"), json!("report-key")] {
            let (status, problem) = ask(&dev, &[&guest], &json!({ "act": "move", "name": name, "what": what }));
            assert_eq!(
                (status, &problem["type"]),
                (403, &"urn:anser:admin:insufficient-scope".into()),
                "{name} {what}"
            );
        }
    }
    let list = |address: &str| {
        let login = json!({ "login": "x", "password": "y", "address": address });
        let what = json!({ "accounts": { "source": "old", "logins": [login] } });
        ask(&dev, &[&guest], &json!({ "act": "move", "name": "m", "what": what })).0
    };
    assert_eq!(list("bob@anser.test"), 403, "nobody of the domain is in it yet");
    let first = json!({ "accounts": { "source": "old", "logins": [{ "login": "ann", "address": "ann@anser.test" }] } });
    let house = bearer(&token(&dev, "house", "moves:write"));
    assert_eq!(ask(&dev, &[&house], &json!({ "act": "move", "name": "m", "what": first })).0, 200);
    assert_eq!((list("bob@anser.test"), list("eve@other.test")), (200, 403));
    let old = json!({ "old-addresses": { "domain": "other.test", "dry_run": true } });
    let old = json!({ "act": "move", "name": "m", "what": old });
    assert_eq!((ask(&dev, &[&guest], &old).0, ask(&dev, &[&house], &old).0), (403, 200), "whose addresses are there");
    let passing = json!({ "pass-through": { "passing": "off", "relay": null } });
    let passing = json!({ "act": "move", "name": "m", "what": passing });
    assert_eq!((ask(&dev, &[&guest], &passing).0, ask(&dev, &[&house], &passing).0), (403, 200), "where mail goes");
    let host = |host: &str| {
        let source = json!({ "name": "old", "kind": "imap", "host": host, "port": 1, "tls": "none", "profile": "generic",
            "connections": 1 });
        json!({ "act": "move", "name": "m", "what": { "plan": source } })
    };
    let (known, within) = (host("127.0.0.1"), host("127.0.0.2"));
    assert_eq!((ask(&dev, &[&guest], &known).0, ask(&dev, &[&house], &known).0), (403, 200), "who is told passwords");
    let relay = json!({ "pass-through": { "passing": "until-cutover", "relay": "127.0.0.2:25" } });
    let tokens =
        json!({ "client": "a", "secret": "b", "tenant": null, "refresh": null, "endpoint": "https://127.0.0.2/" });
    let tokens = json!({ "consent": { "grant": tokens, "asks": false } });
    for what in [within["what"].clone(), relay, tokens] {
        let (status, said) = ask(&dev, &[&house], &json!({ "act": "move", "name": "m", "what": what }));
        assert_eq!(status, 403, "no token leads into inner networks: {said}");
    }
    assert_eq!(ask(&dev, &[&guest], &json!({ "act": "move", "name": "m", "what": "status" })).0, 200);
    assert!(dev.ask(&["admin", "token", "list"]).contains("guest  moves:write  m  "));
}

#[test]
fn followers_are_told_until_their_token_is_taken_back_and_cost_nothing_once_they_left() {
    let place = Place::new();
    let dev = place.start();
    plan(&dev);
    let (read, stay) = (token(&dev, "reader", "moves:read"), json!({ "follow": { "stay": true } }));
    let mut followers: Vec<Follower> = (0..ACTS).map(|_| Follower::new(&dev, &read, &stay)).collect();
    for follower in &mut followers {
        assert!(follower.until("HTTP/1.1").contains(" 200 "));
        assert!(follower.until("data: ").contains("\"move-progress\""));
    }
    let field = bearer(&read);
    let status = || ask(&dev, &[&field], &json!({ "act": "move-list" })).0;
    assert_eq!(status(), 429, "so many at once");
    // One that reads nothing any more, and others that left.
    let mut last = followers.pop().unwrap();
    drop(followers);
    assert!((0..LOOKS).any(|_| status() == 200), "who left still counts");
    let other = bearer(&token(&dev, "other", "moves:read"));
    dev.ask(&["admin", "token", "revoke", "reader"]);
    assert!(last.until("event: failed").contains("failed"));
    let problem = last.until("data: ");
    assert!(problem.contains("401"), "{problem}");
    assert_eq!((status(), ask(&dev, &[&other], &json!({ "act": "move-list" })).0), (401, 200));
}

#[test]
fn a_survey_is_noted_before_anybody_hears_of_it() {
    let place = Place::new();
    let dev = place.start();
    plan(&dev);
    let mut asking = Follower::new(&dev, &token(&dev, "surveyor", "moves:write"), &json!("survey"));
    asking.until("data: ");
    drop(asking);
    let told = dev.ask(&["trace", "token:surveyor"]);
    assert!(told.contains("move.survey"), "{told}");
}
