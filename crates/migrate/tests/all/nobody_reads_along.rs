//! Case 49: TLS that cannot be trusted, and TLS that somebody took away, end in words before a password is said.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use anser_migrate::imap::Imap;
use anser_migrate::trouble::Trouble;
use anser_migrate::{Source, Tls};
use anser_wire::Secret;

use crate::fake::{Fake, Habits};

/// `openssl s_server`; it ends with this.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

/// A server whose certificate nobody vouches for, and that has run out besides when it is `old`.
fn untrusted(folder: &std::path::Path, old: bool) -> (Server, u16) {
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let mut make = Command::new("openssl");
    make.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1"]);
    make.args(["-addext", "subjectAltName=IP:127.0.0.1", "-days", if old { "-1" } else { "9" }]);
    make.args(["-keyout", &path("key.pem"), "-out", &path("cert.pem")]).stderr(Stdio::null());
    // Some versions make no certificate that has run out; then this one is young.
    if !make.status().unwrap().success() {
        assert!(old);
        return untrusted(folder, false);
    }
    let mut serve = Command::new("openssl");
    serve.args(["s_server", "-accept", "127.0.0.1:0"]);
    serve.args(["-key", &path("key.pem"), "-cert", &path("cert.pem")]);
    let mut child = serve.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
    // It says where it listens; it ends when it cannot.
    let port = said.find_map(|line| line.ok()?.strip_prefix("ACCEPT 127.0.0.1:")?.parse().ok());
    // What it says of each connection is read by nobody, and must not keep it waiting.
    std::thread::spawn(move || said.for_each(drop));
    (Server(child), port.expect("a server"))
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_refused() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        for old in [false, true] {
            let (_server, port) = untrusted(folder.path(), old);
            let fake = Fake::start(Vec::new(), Habits::default());
            let source = Source { port, tls: Tls::Implicit, ..fake.source() };
            match Imap::open(&source, "ann", &Secret::new("secret")).await {
                Err(Trouble::Later { why, .. }) => assert!(why.contains("no trusted encrypted connection"), "{why}"),
                Err(other) => panic!("{other:?}"),
                Ok(_) => panic!("it was trusted"),
            }
        }
    });
}

#[test]
fn a_server_that_offers_no_tls_any_more_hears_no_password() {
    run(async {
        let fake = Fake::start(Vec::new(), Habits { capabilities: "AUTH=PLAIN", ..Habits::default() });
        for tls in [Tls::Starttls, Tls::StarttlsAny] {
            match Imap::open(&Source { tls, ..fake.source() }, "ann", &Secret::new("secret")).await {
                Err(Trouble::Later { why, .. }) => assert!(why.contains("STARTTLS"), "{why}"),
                Err(other) => panic!("{other:?}"),
                Ok(_) => panic!("it went on without"),
            }
        }
        assert!(fake.heard().iter().all(|line| line.contains("CAPABILITY")), "{:?}", fake.heard());
    });
}
