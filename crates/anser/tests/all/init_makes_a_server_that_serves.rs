//! `anser init`, then `anser serve` from what it wrote.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use crate::world::{Place, Served, anser, done, free_port};

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

    server.signal("HUP");
    server.log_until("read again");
    server.stop();
}

fn get(port: u16, path: &str) -> String {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
    socket.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer
}
