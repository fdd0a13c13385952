//! The same commands, over the socket and over the data itself.

use std::path::Path;

use crate::world::{done, each_engine, python, run};

fn ask(folder: &Path, arguments: &[&str]) -> String {
    done(run(folder, arguments, b""))
}

/// Rules of signing in, and providers.
fn sign_in(folder: &Path, tag: &str, domain: &str, ann: &str) {
    ask(folder, &["sign-in", "rules", "set", domain, "--idle", "30", "--doors", "imap,pop3,web"]);
    ask(folder, &["sign-in", "rules", "set", domain, "--password-length", "14"]);
    let rules = ask(folder, &["sign-in", "rules", "list"]);
    assert!(["idle=30", "password-length=14", "doors=", "pop3"].iter().all(|one| rules.contains(one)), "{rules}");
    assert_eq!(run(folder, &["sign-in", "rules", "set", domain, "--idle", "1"], b"").status.code(), Some(1));
    ask(folder, &["sign-in", "rules", "remove", domain]);
    let add =
        ["sign-in", "provider", "add", tag, "--for", domain, "--url", "https://id.example.org", "--client", "anser"];
    done(run(folder, &[&add[..], &["--secret-stdin", "--names", "linked", "--no-password"]].concat(), b"secret\n"));
    let listed = ask(folder, &["sign-in", "provider", "list"]);
    assert!(listed.contains(&format!("{tag}  {domain}  openid")) && listed.contains("no-password"), "{listed}");
    assert!(!listed.contains("secret"), "{listed}");
    ask(folder, &["sign-in", "provider", "link", tag, "10023", ann]);
    ask(folder, &["sign-in", "provider", "unlink", tag, "10023"]);
    assert_eq!(run(folder, &["sign-in", "provider", "unlink", tag, "10023"], b"").status.code(), Some(1));
    ask(folder, &["sign-in", "provider", "remove", tag]);
}

/// Every administrative verb once; `tag` keeps two rounds over one folder apart.
fn round(folder: &Path, tag: &str) {
    let domain = format!("{tag}.example");
    let (ann, bob, team) = (format!("ann@{domain}"), format!("bob@{domain}"), format!("team@{domain}"));
    ask(folder, &["domain", "add", &domain]);
    assert!(ask(folder, &["domain", "list"]).contains(&domain));
    assert!(ask(folder, &["domain", "show", &domain]).contains(&domain));
    done(run(
        folder,
        &["account", "add", &ann, "--password-stdin", "--name", "安 \"A\"", "--quota", "5GiB"],
        "p w'\"\\ 密码\n".as_bytes(),
    ));
    done(run(folder, &["account", "add", &bob, "--no-password"], b""));
    let shown = ask(folder, &["account", "show", &ann, "--json"]);
    assert!(shown.contains("\"quota\":5368709120") && shown.contains("安 \\\"A\\\""), "{shown}");
    done(run(folder, &["account", "password", &ann, "--password-stdin"], b"new"));
    ask(folder, &["account", "set", &ann, "--quota", "0", "--services", "imap,pop3", "--locale", "en"]);
    ask(folder, &["domain", "set", &domain, "--catch-all", &bob, "--postmaster", &ann, "--default"]);
    let shown = ask(folder, &["domain", "show", &domain]);
    assert!(shown.contains(&format!("* {bob}")) && shown.contains(&format!("postmaster {ann}")), "{shown}");
    assert!(shown.ends_with("  default\n"), "{shown}");
    ask(folder, &["domain", "set", &domain, "--catch-all", "none", "--disabled", "true"]);
    let shown = ask(folder, &["domain", "show", &domain]);
    assert!(!shown.contains(&bob) && shown.contains("switched off"), "{shown}");
    ask(folder, &["domain", "set", &domain, "--disabled", "false"]);
    let elsewhere = ["domain", "set", &domain, "--catch-all", "nobody@elsewhere.example"];
    assert_eq!(run(folder, &elsewhere, b"").status.code(), Some(1));
    let other = format!("office@{domain}");
    ask(folder, &["account", "send-as", "add", &ann, &other]);
    assert!(ask(folder, &["account", "send-as", "list", &ann]).contains(&other));
    ask(folder, &["account", "send-as", "remove", &ann, &other]);
    assert!(!ask(folder, &["account", "send-as", "list", &ann]).contains(&other));
    ask(folder, &["account", "suspend", &ann]);
    assert!(ask(folder, &["account", "list", "--state", "suspended"]).contains(&ann));
    ask(folder, &["account", "restore", &ann]);
    let made = ask(folder, &["account", "app-password", "add", &ann, "--name", "phone", "--services", "imap"]);
    assert!(made.contains("app password"), "{made}");
    assert!(ask(folder, &["account", "app-password", "list", &ann]).contains("phone"));
    let days = ["--services", "imap,submission", "--expires", "30"];
    let made = ask(folder, &[&["account", "token", "add", &ann, "--name", "sync"], &days[..]].concat());
    assert!(made.contains("anser_"), "{made}");
    let tokens = ask(folder, &["account", "token", "list", &ann]);
    assert!(tokens.contains("sync") && !tokens.contains("phone") && !tokens.contains("anser_"), "{tokens}");
    let id = tokens.split_whitespace().next().unwrap();
    assert_eq!(run(folder, &["account", "app-password", "revoke", &ann, id], b"").status.code(), Some(1));
    ask(folder, &["account", "token", "remove", &ann, id]);
    sign_in(folder, tag, &domain, &ann);
    ask(folder, &["account", "set", &ann, "--pop3-days", "30", "--must-change", "true"]);
    let shown = ask(folder, &["account", "show", &ann, "--json"]);
    assert!(shown.contains("\"pop3_days\":30") && shown.contains("\"must_change\":true"), "{shown}");
    let shown = ask(folder, &["account", "show", &ann]);
    assert!(shown.contains("POP3 shows the last 30 days") && shown.contains("must choose a new password"), "{shown}");
    ask(folder, &["account", "set", &ann, "--pop3-days", "0", "--must-change", "false"]);
    let shown = ask(folder, &["account", "show", &ann]);
    assert!(!shown.contains("POP3 shows") && !shown.contains("new password"), "{shown}");
    assert!(ask(folder, &["account", "show", &ann, "--json"]).contains("\"pop3_days\":null"));
    assert_eq!(run(folder, &["account", "set", &ann, "--pop3-days", "99999"], b"").status.code(), Some(1));
    let alias = format!("a@{domain}");
    ask(folder, &["alias", "add", &alias, &ann]);
    assert!(ask(folder, &["alias", "list", "--domain", &domain]).contains(&ann));
    ask(folder, &["group", "add", &team, "--name", "Team"]);
    ask(folder, &["group", "join", &team, &ann, &bob]);
    ask(folder, &["group", "leave", &team, &bob]);
    let group = ask(folder, &["group", "show", &team]);
    assert!(group.contains(&ann) && !group.contains(&bob), "{group}");
    ask(folder, &["group", "remove", &team]);
    ask(folder, &["alias", "remove", &alias]);
    for account in [&ann, &bob] {
        ask(folder, &["account", "remove", account]);
        ask(folder, &["account", "purge", account]);
    }
    ask(folder, &["domain", "remove", &domain]);
    assert!(!ask(folder, &["domain", "list"]).contains(&domain));
    let check = ask(folder, &["check"]);
    assert!(check.contains("0 findings"), "{check}");
    ask(folder, &["sweep"]);
}

#[test]
fn every_verb_does_the_same_over_the_socket_and_without_a_server() {
    each_engine(|place| {
        let dev = place.start();
        round(&place.path(), "running");
        assert!(dev.ask(&["status"]).contains("running since"));
        dev.ask(&["reload"]);
        assert!(dev.stop().status.success());
        round(&place.path(), "stopped");
        assert!(ask(&place.path(), &["status"]).contains("not running"));
        assert_eq!(run(&place.path(), &["reload"], b"").status.code(), Some(1));
    });
}

const LOGIN: &str = r#"
import imaplib, sys
with imaplib.IMAP4('127.0.0.1', 143 + int(sys.argv[1])) as imap:
    imap._encoding = 'utf-8'
    user, password = sys.argv[2], sys.argv[3]
    imap.authenticate('PLAIN', lambda _: b'\0' + user.encode() + b'\0' + password.encode())
    print('in')
"#;

#[test]
fn a_password_may_hold_any_character_and_works_at_once() {
    let place = crate::world::Place::new();
    let dev = place.start();
    let password = "  \"two\nlines\" '\\ $(x) 鹅 ";
    done(run(
        &place.path(),
        &["account", "password", "bob@anser.test", "--password-stdin"],
        format!("{password}\n").as_bytes(),
    ));
    assert_eq!(python(&dev, LOGIN, &["bob@anser.test", password]), "in\n");
}

const COUNT: &str = "import json, sys; print(type(json.loads(sys.argv[2])).__name__)";

#[test]
fn every_list_is_one_json_document() {
    let place = crate::world::Place::new();
    let dev = place.start();
    let lists: [&[&str]; 7] = [
        &["domain", "list"],
        &["account", "list"],
        &["alias", "list"],
        &["group", "list"],
        &["queue", "list"],
        &["trace", "dev"],
        &["account", "app-password", "list", "ann@anser.test"],
    ];
    for list in lists {
        let text = dev.ask(&[list, &["--json"]].concat());
        assert_eq!(python(&dev, COUNT, &[&text]), "list\n", "{list:?} gives {text}");
    }
    for one in [&["status"][..], &["account", "show", "ann@anser.test"], &["domain", "show", "anser.test"]] {
        let text = dev.ask(&[one, &["--json"]].concat());
        assert_eq!(python(&dev, COUNT, &[&text]), "dict\n", "{one:?} gives {text}");
    }
}

/// `anser account list | head`: nobody reads the second line, and nobody is told so.
#[test]
fn a_list_that_nobody_reads_ends_quietly() {
    let place = crate::world::Place::new();
    let dev = place.start();
    for command in [&["account", "list"][..], &["status"], &["account", "list", "--json"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut anser = crate::world::anser();
        anser.args(command).arg("--dir").arg(place.path());
        let ended = anser.stdout(writer).stderr(std::process::Stdio::piped()).output().unwrap();
        assert!(ended.status.success() && ended.stderr.is_empty(), "{command:?}: {ended:?}");
    }
    drop(dev);
}
