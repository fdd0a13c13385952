//! PASS-1: where the passwords of an organisation are not with its mail server, its LDAP directory or a program of its own is asked.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anser_base::{Clock, Timestamp};
use anser_directory::login::Attempt;
use anser_directory::{Answer, FrontDoor, OldProtocol, Question, Service};
use anser_migrate::{Kind, NewMailbox, Source, front_door};
use anser_net::certificate::self_signed;
use anser_wire::Secret;

use crate::fake::{Fake, Habits, folder, mail};
use crate::office::{MOVE, each_office};
use anser_testkit::fake_web::FakeWeb;

/// With every character that is easily spoilt.
const NASTY: &str = "a()*%\"\\ {}]~ 密";
const TEMPLATE: &str = "uid={login},ou=people,dc=old,dc=test";

fn door(protocol: OldProtocol, port: u16, target: &str) -> FrontDoor {
    FrontDoor {
        domain: "anser.test".into(),
        protocol,
        host: "127.0.0.1".into(),
        port,
        tls: "none".into(),
        target: Some(target.into()),
        whole_address: false,
        until: Timestamp(i64::MAX),
        tries: 6,
        pattern: None,
        most: 0,
        made: 0,
    }
}

async fn ask(door: &FrontDoor, login: &str, password: &[u8]) -> Answer {
    front_door::ask(Question { door: Arc::new(door.clone()), login: login.into(), password: Secret::new(password) })
        .await
}

/// Debian's slapd, in a folder of its own. It ends with this value.
struct Slapd {
    child: Child,
    ldap: u16,
    ldaps: u16,
    _folder: tempfile::TempDir,
}

impl Slapd {
    /// One where whoever says no password is let in, as RFC 4513 §5.1.2 allows it.
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let (certificate, key) = self_signed(&["old.anser.test".to_owned()]).unwrap();
        std::fs::write(at("cert.pem"), certificate).unwrap();
        std::fs::write(at("key.pem"), key).unwrap();
        std::fs::create_dir(at("data")).unwrap();
        let config = format!(
            "include /etc/ldap/schema/core.schema\ninclude /etc/ldap/schema/cosine.schema\nallow bind_anon_cred bind_anon_dn\n\
             modulepath /usr/lib/ldap\nmoduleload back_mdb\npidfile {}\nTLSCertificateFile {}\nTLSCertificateKeyFile {}\n\
             database mdb\nsuffix dc=old,dc=test\ndirectory {}\n",
            at("pid"),
            at("cert.pem"),
            at("key.pem"),
            at("data")
        );
        std::fs::write(at("slapd.conf"), config).unwrap();
        let mut people = "dn: dc=old,dc=test\nobjectClass: dcObject\nobjectClass: organization\no: old\ndc: old\n\n\
                          dn: ou=people,dc=old,dc=test\nobjectClass: organizationalUnit\nou: people\n\n"
            .to_owned();
        for (escaped, uid) in
            [("ann", "ann"), ("a\\,b\\+c\\=\\\"d\\\"", "a,b+c=\"d\""), ("ann@old.test", "ann@old.test")]
        {
            people += &format!(
                "dn: uid={escaped},ou=people,dc=old,dc=test\nobjectClass: account\nobjectClass: simpleSecurityObject\nuid: {uid}\n\
                 userPassword: {NASTY}\n\n"
            );
        }
        std::fs::write(at("people.ldif"), people).unwrap();
        let add =
            Command::new("/usr/sbin/slapadd").args(["-q", "-f", &at("slapd.conf"), "-l", &at("people.ldif")]).output();
        let add = add.expect("slapd is installed: ./x test does it");
        assert!(add.status.success(), "{}", String::from_utf8_lossy(&add.stderr));
        // Both at a time, so that they are two.
        let free = [(); 2].map(|()| TcpListener::bind(("127.0.0.1", 0)).unwrap());
        let [ldap, ldaps] = free.map(|one| one.local_addr().unwrap().port());
        let listen = format!("ldap://127.0.0.1:{ldap} ldaps://127.0.0.1:{ldaps}");
        let mut command = Command::new("/usr/sbin/slapd");
        command.args(["-d", "0", "-f", &at("slapd.conf"), "-h", &listen]).stdin(Stdio::null());
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while std::net::TcpStream::connect(("127.0.0.1", ldaps)).is_err() {
            assert_eq!(child.try_wait().unwrap(), None, "slapd has ended");
            std::thread::yield_now();
        }
        Self { child, ldap, ldaps, _folder: folder }
    }
}

impl Drop for Slapd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn a_real_directory_is_asked_by_every_way_and_never_without_a_password() {
    if std::env::var_os("ANSER_TEST_CLIENTS").is_none() {
        return;
    }
    let old = Slapd::start();
    for (tls, port) in [("none", old.ldap), ("starttls-any", old.ldap), ("implicit-any", old.ldaps)] {
        let door = FrontDoor { tls: tls.into(), ..door(OldProtocol::Ldap, port, TEMPLATE) };
        for login in ["ann", "a,b+c=\"d\"", "ann@old.test"] {
            assert_eq!(ask(&door, login, NASTY.as_bytes()).await, Answer::Good, "{login} {tls}");
        }
        for (login, password) in
            [("ann", "wrong"), ("nobody", NASTY), ("ann,ou=people", NASTY), ("", NASTY), ("ann", "")]
        {
            assert_eq!(ask(&door, login, password.as_bytes()).await, Answer::Wrong, "{login} {password} {tls}");
        }
    }
    for (tls, port) in [("starttls", old.ldap), ("implicit", old.ldaps)] {
        let door = FrontDoor { tls: tls.into(), ..door(OldProtocol::Ldap, port, TEMPLATE) };
        assert!(matches!(ask(&door, "ann", NASTY.as_bytes()).await, Answer::Down(_)), "nobody vouches for it: {tls}");
    }
    let port = old.ldap;
    let astray = door(OldProtocol::Ldap, port, "{login}");
    assert!(matches!(ask(&astray, "ann", NASTY.as_bytes()).await, Answer::Down(_)), "no name of this directory");
    drop(old);
    let gone = door(OldProtocol::Ldap, port, TEMPLATE);
    assert!(matches!(ask(&gone, "ann", NASTY.as_bytes()).await, Answer::Down(_)));
}

#[tokio::test]
async fn a_hook_says_by_its_status_who_is_right() {
    let hook = FakeWeb::start(|asked| {
        let said: serde_json::Value = serde_json::from_str(&asked.body).unwrap();
        let right = said == serde_json::json!({ "login": "ann", "password": NASTY });
        match said["login"].as_str().unwrap() {
            _ if right => (200, "", b"whatever".to_vec()),
            "moved" => (307, "Location: /elsewhere\r\n", Vec::new()),
            "busy" => (503, "", Vec::new()),
            "empty" => (204, "", Vec::new()),
            "shut" => (403, "", Vec::new()),
            _ => (401, "", Vec::new()),
        }
    });
    let door = door(OldProtocol::Http, hook.port, "/check?from=anser");
    assert_eq!(ask(&door, "ann", NASTY.as_bytes()).await, Answer::Good);
    let asked = hook.asked();
    assert_eq!([&*asked[0].method, &*asked[0].path], ["POST", "/check?from=anser"]);
    for (login, password) in [("ann", &b"wrong"[..]), ("shut", NASTY.as_bytes())] {
        assert_eq!(ask(&door, login, password).await, Answer::Wrong, "{login}");
    }
    let before = hook.asked().len();
    assert_eq!(ask(&door, "ann", b"\xc3\xdc").await, Answer::Wrong, "no text");
    assert_eq!(hook.asked().len(), before);
    for login in ["moved", "busy", "empty"] {
        assert!(matches!(ask(&door, login, b"x").await, Answer::Down(_)), "{login}");
    }
    assert!(hook.asked().iter().all(|asked| asked.path != "/elsewhere"));
    let unsure = FrontDoor { tls: "implicit".into(), ..door };
    assert!(matches!(ask(&unsure, "ann", NASTY.as_bytes()).await, Answer::Down(_)), "it has no TLS");
}

#[test]
fn what_it_teaches_goes_to_the_mail_server_of_the_move() {
    let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
    each_office(&[], &clock, async |office| {
        let habits = Habits { admits_anybody: true, ..Habits::default() };
        let fake = Fake::start(vec![folder("INBOX", vec![mail(1, "", "x")])], habits);
        let hook = FakeWeb::start(|_| (200, "", Vec::new()));
        for name in ["bob", "eve"] {
            office.person(name, 0).await;
        }
        office.migrate.plan(MOVE, fake.source()).await.unwrap();
        let listed = NewMailbox { login: "bob@old.test".into(), password: None, address: "bob@anser.test".into() };
        office.migrate.add_mailboxes(MOVE, Some(fake.source().name), vec![listed]).await.unwrap();
        office.migrate.plan("other", Source { kind: Kind::Pop3, ..fake.source() }).await.unwrap();
        office.directory.use_old_servers(front_door::old_servers(&office.migrate)).await.unwrap();
        let until = office.clock.now().after(Duration::from_secs(86_400));
        let open = FrontDoor { until, ..door(OldProtocol::Http, hook.port, "/") };
        office.directory.open_front_door(open).await.unwrap();
        for name in ["bob", "eve"] {
            let name = format!("{name}@anser.test");
            let attempt = Attempt {
                name: name.as_bytes(),
                password: b"secret",
                service: Service::Imap,
                source: "198.51.100.7".parse().unwrap(),
                tls: true,
            };
            office.directory.authenticate(attempt).await.unwrap();
        }
        let all = office.migrate.mailbox_views(MOVE, Vec::new()).await.unwrap();
        let all: Vec<_> = all.iter().map(|one| (&*one.login, &*one.address)).collect();
        let wanted = [("bob@old.test", "bob@anser.test"), ("eve", "eve@anser.test")];
        assert_eq!(all, wanted, "under the login that is listed, and who was not is now");
        assert!(office.migrate.mailbox_views("other", Vec::new()).await.unwrap().is_empty(), "a move of others");
        office.migrate.start(MOVE, Vec::new()).await.unwrap();
        let (_shutdown, running) = office.run();
        for name in ["bob", "eve"] {
            office.until(&format!("{name}@anser.test"), |one| one.state == "settled").await;
        }
        running.abort();
    });
}
