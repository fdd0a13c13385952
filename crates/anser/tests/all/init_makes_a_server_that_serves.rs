//! `anser init`, then `anser serve` from what it wrote.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use rcgen::{CertificateParams, DnType, Issuer, KeyPair, date_time_ymd};

use crate::world::{Place, Served, anser, done, free_port, run};

#[test]
fn a_new_server_is_written_serves_and_is_watched() {
    let place = Place::new();
    let folder = place.file("server");
    let init = || {
        let mut command = anser();
        command.args(["init", "--hostname", "mail.example.org", "--domain", "example.org", "--dir"]).arg(&folder);
        command.stdin(Stdio::null()).output().unwrap()
    };
    let said = done(init());
    for words in ["postmaster@example.org", "password: ", "MX", "v=spf1", "DKIM"] {
        assert!(said.contains(words), "{words} is missing:\n{said}");
    }
    assert_eq!(fs::metadata(folder.join("key.pem")).unwrap().permissions().mode() & 0o777, 0o600);
    let again = init();
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8(again.stderr).unwrap().contains("not overwritten"));

    let ports: [u16; 3] = std::array::from_fn(|_| free_port());
    let [smtp, imaps, admin] = ports;
    Served::listen(&folder, &[("smtp", smtp), ("imaps", imaps), ("admin", admin)], "");

    let mut server = Served::start(&folder);
    let mut greeting = [0; 4];
    TcpStream::connect(("127.0.0.1", smtp)).unwrap().read_exact(&mut greeting).unwrap();
    assert_eq!(&greeting, b"220 ");
    let metrics = get(admin, "/metrics");
    assert!(metrics.contains("anser_connections_accepted_total{service=\"smtp\"} 1"), "{metrics}");
    assert!(metrics.contains("anser_accounts 1"), "{metrics}");
    assert!(metrics.contains("anser_events_total{kind=\"other\"} 1"), "{metrics}");
    assert!(get(admin, "/healthz").ends_with("ok\n"));
    assert!(get(admin, "/elsewhere").starts_with("HTTP/1.1 404 "));

    let status = || done(run(&folder, &["status"], b""));
    assert!(status().contains("vouches for itself"), "{}", status());
    let (certificate, key) = ends_in_five_days("mail.example.org");
    fs::write(folder.join("cert.pem"), certificate).unwrap();
    fs::write(folder.join("key.pem"), key).unwrap();
    server.signal("HUP");
    server.log_until("read again");
    let said = status();
    assert!(said.contains("given by The Authority") && said.contains("ends soon"), "{said}");
    server.stop();
}

/// A certificate of an authority and its key, as PEM.
fn ends_in_five_days(name: &str) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::<String>::new()).unwrap();
    authority.distinguished_name.push(DnType::CommonName, "The Authority");
    let mut leaf = CertificateParams::new([name.to_owned()]).unwrap();
    leaf.not_before = date_time_ymd(1970, 1, 1);
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    leaf.not_after = leaf.not_before + since + Duration::from_secs(5 * 24 * 3600);
    let leaf = leaf.signed_by(&key, &Issuer::new(authority, &key)).unwrap();
    (leaf.pem(), key.serialize_pem())
}

fn get(port: u16, path: &str) -> String {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
    socket.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer
}
