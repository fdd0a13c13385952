//! Cases 36 and 38 of the list: a real old server knows the passwords, and every door learns them.

use super::dovecot::Dovecot;
use crate::peers::tools::wanted;
use crate::world::{Dev, Place, done, python, run};

/// What `dovecot.rs` gives carl, dora and erik.
const NASTY: &str = "a()*%\"\\ {}]~ 密";

/// Prints what each door says to a name and a password: `imap pop3 submission`.
const DOORS: &str = r#"
import base64, imaplib, poplib, smtplib, sys
offset, name, password = int(sys.argv[1]), sys.argv[2], sys.argv[3]
plain = b"\0" + name.encode() + b"\0" + password.encode()
def imap():
    with imaplib.IMAP4("127.0.0.1", 143 + offset) as it:
        try:
            it.authenticate("PLAIN", lambda _: plain)
            return "ok"
        except imaplib.IMAP4.error as error:
            return str(error)
def pop3():
    it = poplib.POP3("127.0.0.1", 110 + offset)
    try:
        it.user(name)
        it.pass_(password)
        return "ok"
    except poplib.error_proto as error:
        return str(error)
    finally:
        it.close()
def submission():
    with smtplib.SMTP("127.0.0.1", 587 + offset) as it:
        it.ehlo()
        code, text = it.docmd("AUTH", "PLAIN " + base64.b64encode(plain).decode())
        return "ok" if code == 235 else str(code) + text.decode()
doors = {"imap": imap, "pop3": pop3, "submission": submission}
for door in sys.argv[4:]:
    print(door, doors[door]())
"#;

fn say(dev: &Dev, name: &str, password: &str, doors: &[&str]) -> Vec<String> {
    let arguments: Vec<&str> = [name, password].into_iter().chain(doors.iter().copied()).collect();
    python(dev, DOORS, &arguments).lines().map(str::to_owned).collect()
}

const ALL: [&str; 3] = ["imap", "pop3", "submission"];

#[test]
fn dovecots_users_come_in_by_every_door_and_stay_when_it_is_gone() {
    if !wanted() {
        return;
    }
    let old = Dovecot::start();
    let place = Place::new();
    let dev = place.start();
    let table = place.file("people.csv");
    std::fs::write(&table, "邮箱,姓名\ncarl,卡尔\ndora,朵拉\nerik,艾瑞克\nfred,弗雷德\n").unwrap();
    let table = table.display().to_string();
    dev.ask(&["account", "import", &table, "--domain", "anser.test", "--passwords", "none"]);
    let open = |protocol: &str, port: u16| {
        let port = port.to_string();
        let host = ["--host", "127.0.0.1", "--port", &port, "--tls", "none", "--bare-user", "--protocol", protocol];
        let command = ["domain", "front-door", "open", "anser.test"];
        dev.ask(&[&command[..], &host[..]].concat());
    };
    open("imap", old.imap);
    for door in ALL {
        let name = match door {
            "imap" => "carl@anser.test",
            "pop3" => "dora",
            _ => "erik@anser.test",
        };
        assert!(!say(&dev, name, "wrong", &[door])[0].ends_with(" ok"));
        assert_eq!(say(&dev, name, NASTY, &[door]), [format!("{door} ok")], "the first login");
    }
    open("pop3", old.pop3);
    assert!(!say(&dev, "fred", "wrong", &["pop3"])[0].ends_with(" ok"));
    assert_eq!(say(&dev, "fred", NASTY, &["pop3"]), ["pop3 ok"], "learnt by POP3");
    let listed = dev.ask(&["domain", "front-door", "list"]);
    assert!(listed.contains("anser.test  pop3  127.0.0.1"), "{listed}");

    drop(old);
    for name in ["carl", "dora", "erik", "fred"] {
        assert_eq!(say(&dev, name, NASTY, &ALL), ALL.map(|door| format!("{door} ok")), "{name} is ours");
    }
    done(run(&dev.folder, &["account", "add", "gina@anser.test", "--no-password"], b""));
    let down = say(&dev, "gina", NASTY, &ALL);
    for (said, code) in down.iter().zip(["UNAVAILABLE", "SYS/TEMP", "454"]) {
        assert!(said.contains(code), "down is not wrong: {said}");
    }
    dev.ask(&["domain", "front-door", "close", "anser.test"]);
    assert!(say(&dev, "gina", NASTY, &["submission"])[0].contains("535"), "closed: ours alone");
}
