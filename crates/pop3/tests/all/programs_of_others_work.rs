use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use crate::site::{PASSWORD, Site, each_site, mail};

fn run(command: &mut Command) -> Option<Output> {
    match command.output() {
        Ok(output) => Some(output),
        Err(error) => {
            eprintln!("{command:?}: {error}; this program was not tried");
            None
        }
    }
}

fn succeed(command: &mut Command) -> Option<String> {
    let output = run(command)?;
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {said}{errors}");
    Some(said.into_owned())
}

fn furnish(site: &Site) {
    let there: Vec<u32> = site.inbox_now("ann").into_iter().map(|(uid, _)| uid).collect();
    site.expunge("ann", &there);
    site.deliver("ann", &[mail(1), mail(2), format!("{}.dots\r\n..\r\n", mail(3))]);
}

/// A file that only its owner may read, as these programs want it.
fn private(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn pythons_poplib() {
    each_site(|site| {
        furnish(site);
        let script = r#"
import poplib, ssl, sys
plain, tls, authority, password = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
box = poplib.POP3('127.0.0.1', plain)
assert 'UIDL' in box.capa() and box.capa()['EXPIRE'] == ['NEVER'], box.capa()
box.utf8()
box.user('ann'); box.pass_(password)
assert box.stat()[0] == 3
assert [len(x) for x in (box.list()[1], box.uidl()[1])] == [3, 3]
assert box.retr(3)[1][-2:] == [b'.dots', b'..'], box.retr(3)
assert box.top(1, 0)[1][-1] == b''
box.dele(1); box.rset(); box.dele(2); box.noop(); box.quit()
context = ssl.create_default_context(cafile=authority)
box = poplib.POP3_SSL('localhost', tls, context=context)
box.user('ann'); box.pass_(password)
assert box.stat()[0] == 2
box.quit()
box = poplib.POP3('localhost', int(sys.argv[5]))
box.stls(context)
box.user('ann'); box.pass_(password)
box.quit()
"#;
        let folder = tempfile::tempdir().unwrap();
        let authority = folder.path().join("authority.pem");
        fs::write(&authority, crate::site::certificate().0).unwrap();
        let ports = [site.plain.port(), site.tls.port(), site.strict.port()].map(|port| port.to_string());
        let mut python = Command::new("python3");
        python.args(["-c", script, &ports[0], &ports[1]]).arg(&authority).args([PASSWORD, &ports[2]]);
        succeed(&mut python);
    });
}

#[test]
fn curl() {
    each_site(|site| {
        furnish(site);
        let fetch = |path: &str, more: &[&str]| {
            let url = format!("pop3://127.0.0.1:{}/{path}", site.plain.port());
            succeed(Command::new("curl").args(["-sS", "-u", &format!("ann:{PASSWORD}"), &url]).args(more))
        };
        for mechanism in ["PLAIN", "LOGIN"] {
            let login = format!("AUTH={mechanism}");
            let Some(listed) = fetch("", &["--login-options", &login]) else { return };
            assert_eq!(listed.lines().count(), 3, "{mechanism}: {listed}");
        }
        assert_eq!(fetch("3", &[]).unwrap(), format!("{}.dots\r\n..\r\n", mail(3)));
        assert_eq!(fetch("", &["-X", "UIDL"]).unwrap().lines().count(), 3);
        let url = format!("pop3s://127.0.0.1:{}/1", site.tls.port());
        let mut over_tls = Command::new("curl");
        assert_eq!(succeed(over_tls.args(["-sSk", "-u", &format!("ann:{PASSWORD}"), &url])).unwrap(), mail(1));
        fetch("2", &["-X", "DELE", "-l"]);
        assert_eq!(site.inbox_now("ann").len(), 2);
    });
}

/// Keeps the mail on the server and knows it again by its unique ids.
#[test]
fn getmail() {
    each_site(|site| {
        furnish(site);
        let folder = tempfile::tempdir().unwrap();
        let mbox = folder.path().join("mbox");
        let settings = format!(
            "[retriever]\ntype = SimplePOP3Retriever\nserver = 127.0.0.1\nport = {}\nusername = ann\npassword = {PASSWORD}\n\
             [destination]\ntype = MDA_external\npath = /bin/sh\narguments = ('-c', 'cat >> {}')\nallow_root_commands = true\n\
             [options]\nread_all = false\ndelete = false\n",
            site.plain.port(),
            mbox.display()
        );
        private(&folder.path().join("getmailrc"), &settings);
        for _ in 0..2 {
            let mut getmail = Command::new("getmail");
            let Some(said) = succeed(getmail.arg(format!("--getmaildir={}", folder.path().display()))) else { return };
            let got = fs::read_to_string(&mbox).unwrap_or_default();
            assert!((1..=3).all(|n| got.matches(&format!("body of {n}")).count() == 1), "{said}{got}");
        }
        assert_eq!(site.inbox_now("ann").len(), 3);
    });
}

#[test]
fn fetchmail() {
    each_site(|site| {
        furnish(site);
        let folder = tempfile::tempdir().unwrap();
        let settings = format!(
            "poll 127.0.0.1 service {} protocol pop3 uidl user ann password {PASSWORD} sslproto '' no keep mda 'cat >> {}'\n",
            site.plain.port(),
            folder.path().join("mbox").display()
        );
        private(&folder.path().join("rc"), &settings);
        let mut fetchmail = Command::new("fetchmail");
        fetchmail
            .env("FETCHMAILHOME", folder.path())
            .env("HOME", folder.path())
            .arg("-f")
            .arg(folder.path().join("rc"));
        if succeed(&mut fetchmail).is_none() {
            return;
        }
        let mbox = fs::read_to_string(folder.path().join("mbox")).unwrap();
        assert!((1..=3).all(|n| mbox.contains(&format!("body of {n}"))), "{mbox}");
        assert_eq!(site.inbox_now("ann"), []);
    });
}

/// Pipelines, and speaks SCRAM through GNU SASL.
#[test]
fn mpop() {
    each_site(|site| {
        for auth in ["user", "plain", "login", "scram-sha-256"] {
            for (port, starttls) in [(site.strict.port(), "on"), (site.tls.port(), "off")] {
                furnish(site);
                let folder = tempfile::tempdir().unwrap();
                let authority = folder.path().join("authority.pem");
                fs::write(&authority, crate::site::certificate().0).unwrap();
                let settings = format!(
                    "account default\nhost localhost\nport {port}\nuser ann\npassword {PASSWORD}\nauth {auth}\ntls on\n\
                     tls_starttls {starttls}\ntls_trust_file {}\npipelining on\nkeep off\ndelivery mbox {}\nuidls_file {}\n",
                    authority.display(),
                    folder.path().join("mbox").display(),
                    folder.path().join("uidls").display()
                );
                private(&folder.path().join("rc"), &settings);
                let mut mpop = Command::new("mpop");
                if succeed(mpop.arg("-C").arg(folder.path().join("rc")).env("HOME", folder.path())).is_none() {
                    return;
                }
                let mbox = fs::read_to_string(folder.path().join("mbox")).unwrap();
                assert!((1..=3).all(|n| mbox.contains(&format!("body of {n}"))), "{mbox}");
                assert_eq!(site.inbox_now("ann"), []);
            }
        }
    });
}
