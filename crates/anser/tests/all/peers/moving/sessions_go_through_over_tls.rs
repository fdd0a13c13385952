//! Sessions that are passed through are encrypted on both legs: from the program to here, and from here to the old server, whether TLS
//! begins with the first byte or by STARTTLS.

use std::fs;
use std::process::Command;

use super::dovecot::Dovecot;
use crate::peers::node::PASSWORD;
use crate::peers::tools::{Home, free_port, run as run_program, wanted};
use crate::world::{Dev, Place, done, run};

const ANN: &str = "ann@anser.test";

/// A dovecot that lets nobody in without TLS, with its ports of IMAP and POP3 over TLS.
fn encrypted(home: &Home) -> (Dovecot, u16, u16) {
    let (certificate, key) = anser_testkit::door::certificate();
    let (certificate, key) = (home.write("cert.pem", certificate), home.write("key.pem", key));
    let (imaps, pop3s) = (free_port(), free_port());
    let more = format!(
        "\nssl = required\nssl_cert = <{}\nssl_key = <{}\ndisable_plaintext_auth = yes\n\
         service imap-login {{\n  inet_listener imaps {{\n    port = {imaps}\n    ssl = yes\n  }}\n}}\n\
         service pop3-login {{\n  inet_listener pop3s {{\n    port = {pop3s}\n    ssl = yes\n  }}\n}}\n",
        certificate.display(),
        key.display()
    );
    (Dovecot::start_with("maildir:~/Maildir:LAYOUT=fs", "/", &more), imaps, pop3s)
}

/// The first message, by curl at our door; the certificate of `dev` is vouched for by nobody.
fn first(scheme: &str, port: u16, item: &str) -> String {
    let url = format!("{scheme}://127.0.0.1:{port}/{item}");
    let user = format!("{ANN}:{PASSWORD}");
    let got = run_program(Command::new("curl").args(["-sSk", "--ssl-reqd", "-u", &user, &url]));
    String::from_utf8_lossy(&got).into_owned()
}

fn read_everywhere(dev: &Dev) {
    for scheme in ["imap", "imaps"] {
        let text = first(scheme, dev.port(scheme), "INBOX;MAILINDEX=1");
        assert!(text.contains("Subject: encrypted"), "{scheme}: {text}");
    }
    for scheme in ["pop3", "pop3s"] {
        let text = first(scheme, dev.port(scheme), "1");
        assert!(text.contains("Subject: encrypted"), "{scheme}: {text}");
    }
}

#[test]
fn both_legs_are_encrypted() {
    if !wanted() {
        return;
    }
    let home = Home::new();
    let (old, imaps, pop3s) = encrypted(&home);
    let cur = old.path("mail/ann/Maildir/cur");
    for part in ["cur", "new", "tmp"] {
        fs::create_dir_all(std::path::Path::new(&cur).with_file_name(part)).expect("a Maildir");
    }
    fs::write(format!("{cur}/1700000000.1.old:2,"), "Subject: encrypted\r\n\r\nx\r\n").expect("a message");
    crate::peers::tools::shell(&format!("chown -R nobody:nogroup {}", old.path("mail")));
    for (tls, imap, pop3) in [("implicit-any", imaps, pop3s), ("starttls-any", old.imap, old.pop3)] {
        let place = Place::new();
        let dev = place.start();
        let (imap, pop3) = (imap.to_string(), pop3.to_string());
        let plan = ["move", "plan", "house", "--host", "127.0.0.1", "--tls", tls];
        dev.ask(&[&plan[..], &["--port", &imap, "--pass-through", "until-cutover"]].concat());
        dev.ask(&[&plan[..], &["--port", &pop3, "--kind", "pop3", "--source", "old-pop3"]].concat());
        let line = format!("ann\t{ANN}\t{PASSWORD}\n");
        done(run(&dev.folder, &["move", "accounts", "house", "--source", "old", "--stdin"], line.as_bytes()));
        read_everywhere(&dev);
        dev.ask(&["move", "start", "house", "--wait"]);
        dev.ask(&["move", "cutover", "house", ANN, "--wait"]);
        read_everywhere(&dev);
    }
    // Whoever wants the certificate checked is not let down: nothing goes to a server that nobody vouches for.
    let place = Place::new();
    let dev = place.start();
    dev.ask(&["move", "plan", "house", "--host", "127.0.0.1", "--tls", "implicit", "--port", &imaps.to_string()]);
    let line = format!("ann\t{ANN}\t{PASSWORD}\n");
    done(run(&dev.folder, &["move", "accounts", "house", "--stdin"], line.as_bytes()));
    dev.ask(&["move", "check", "house", "--wait"]);
    let status = dev.ask(&["move", "status", "house"]);
    assert!(status.contains("no trusted encrypted connection"), "{status}");
}
