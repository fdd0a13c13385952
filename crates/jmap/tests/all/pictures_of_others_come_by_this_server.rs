//! `images: "fetched"`: pictures that stand at other servers are brought by this one, and nothing else is.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anser_jmap::{Limits, Web};
use anser_net::Resolver;
use anser_net::dns::{Data, Zone};
use anser_net::http::client::Options;
use serde_json::json;

use super::node::{Answer, Node};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and so on";

/// A web server of a stranger's at `x.example`: its port, and the headers of what it was asked.
struct Stranger {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Stranger {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, asked) = (listener.local_addr().unwrap().port(), Arc::new(Mutex::new(Vec::new())));
        let heard = asked.clone();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map(Result::unwrap) {
                let mut head = String::new();
                let mut lines = BufReader::new(stream.try_clone().unwrap());
                while !head.ends_with("\r\n\r\n") && lines.read_line(&mut head).unwrap_or(0) > 0 {}
                let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                heard.lock().unwrap().push(head);
                let (status, field, body): (&str, String, Vec<u8>) = match path.as_str() {
                    "/a.png" => ("200 OK", "Set-Cookie: track=1".into(), PNG.to_vec()),
                    "/svg.png" => ("200 OK", "Content-Type: image/png".into(), b"<svg onload='x()'/>".to_vec()),
                    "/big.png" => ("200 OK", "X: x".into(), [PNG, &vec![0; 11 * 1024 * 1024]].concat()),
                    "/moved" => ("302 Found", "Location: /a.png".into(), Vec::new()),
                    "/loop" => ("302 Found", "Location: /loop".into(), Vec::new()),
                    "/away" => ("302 Found", "Location: ftp://x.example/a.png".into(), Vec::new()),
                    _ => ("404 Not Found", "X: x".into(), PNG.to_vec()),
                };
                let length = body.len();
                let head =
                    format!("HTTP/1.1 {status}\r\n{field}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
                let _ = stream.write_all(&[head.as_bytes(), &body].concat());
            }
        });
        Self { port, asked }
    }

    /// A node that may reach it, or only what is public.
    fn seen_by(&self, private: bool) -> Node {
        let zone = Zone::new();
        zone.add("x.example", Data::A([127, 0, 0, 1].into()));
        let options = Options::new("/no/authorities".into(), Duration::from_secs(60));
        let options = Options { plain: true, private, ..options };
        Node::reaching(Limits::default(), Some(Web { resolver: Resolver::zone(zone), options }))
    }

    fn times(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

/// The addresses that ann's view gives pictures of these paths.
fn addresses(node: &Node, base: &str, paths: &[&str]) -> Vec<String> {
    let pictures: String = paths.iter().map(|path| format!("<img src=\"{base}{path}\">")).collect();
    let raw = format!("Subject: x\nMIME-Version: 1.0\nContent-Type: text/html\n\n<p>{pictures}</p>\n");
    let id = format!("M{}", node.deliver("ann", &raw, 0).message);
    let view = node.call("ann", "EmailView/get", json!({ "ids": [id], "images": "fetched" }))["list"][0].clone();
    assert_eq!(view["remoteImages"], paths.len(), "{view}");
    let html = view["html"].as_str().unwrap();
    // Before the first address stands none.
    html.split("src=\"").skip(1).map(|rest| rest.split('"').next().unwrap().replace("&amp;", "&")).collect()
}

/// Without any login, as a page that shows a stranger's message asks.
fn get(node: &Node, address: &str) -> Answer {
    node.http("GET", address, &[("Cookie", "anser=secret"), ("Referer", "https://mail.anser.test/mail")], b"")
}

#[test]
fn a_picture_is_fetched_checked_and_remembered() {
    let stranger = Stranger::start();
    let node = stranger.seen_by(true);
    let base = format!("http://x.example:{}", stranger.port);
    let paths = ["/a.png", "/moved", "/svg.png", "/big.png", "/loop", "/away", "/none.png"];
    let all = addresses(&node, &base, &paths);
    let shown = get(&node, &all[0]);
    assert_eq!((shown.status, &shown.body[..]), (200, PNG));
    let head = shown.head.to_lowercase();
    assert!(head.contains("content-type: image/png") && head.contains("nosniff") && head.contains("sandbox"), "{head}");
    assert!(!head.contains("set-cookie"), "{head}");
    let asked = stranger.asked.lock().unwrap()[0].to_lowercase();
    assert!(!asked.contains("cookie") && !asked.contains("referer") && !asked.contains("anser.test"), "{asked}");
    assert_eq!(get(&node, &all[0]).status, 200);
    assert_eq!(stranger.times(), 1, "it is remembered");
    assert_eq!((get(&node, &all[1]).status, stranger.times()), (200, 3));
    for (address, status) in all[2..].iter().zip([404, 502, 404, 404, 404]) {
        assert_eq!(get(&node, address).status, status, "{address}");
    }
}

#[test]
fn an_address_that_was_not_made_here_brings_nothing() {
    let stranger = Stranger::start();
    let node = stranger.seen_by(true);
    let address = addresses(&node, &format!("http://x.example:{}", stranger.port), &["/a.png"]).remove(0);
    let bob = address.replace(&node.id("ann"), &node.id("bob"));
    let seal = address.rsplit('/').next().unwrap().split('?').next().unwrap().to_owned();
    let forged = [
        bob,
        address.replace("a.png", "b.png"),
        address.replace(&seal, &"0".repeat(64)),
        address.replace(&seal, "x"),
        address.replace(&format!("/{seal}"), &format!("9/{seal}")),
        format!("/jmap/image/{}?url=http%3A%2F%2Fx.example%2Fa.png", node.id("ann")),
    ];
    for wrong in forged {
        assert_eq!(get(&node, &wrong).status, 404, "{wrong}");
    }
    assert_eq!(stranger.times(), 0);
    node.store.clock().advance(Duration::from_secs(3 * 86_400));
    assert_eq!(get(&node, &address).status, 404, "it was good for its time");
    let fresh = addresses(&node, &format!("http://x.example:{}", stranger.port), &["/a.png"]).remove(0);
    node.door.runtime.block_on(node.door.directory.suspend(node.account("ann"))).unwrap();
    assert_eq!((get(&node, &fresh).status, stranger.times()), (404, 0));
}

/// What a stranger names is what the public Internet has, at the ports of the Web.
#[test]
fn what_only_this_server_reaches_is_not_fetched() {
    let stranger = Stranger::start();
    let node = stranger.seen_by(false);
    let port = stranger.port;
    let bases = [
        format!("http://x.example:{port}"),
        format!("http://127.0.0.1:{port}"),
        "http://x.example".into(),
        "http://127.0.0.1".into(),
        "http://2130706433".into(),
        "http://[::1]".into(),
        "http://[::ffff:127.0.0.1]".into(),
        "http://169.254.169.254".into(),
        "http://a:b@x.example".into(),
    ];
    for base in bases {
        let address = addresses(&node, &base, &["/a.png"]).remove(0);
        let answer = get(&node, &address);
        assert!(matches!(answer.status, 404 | 502), "{base}: {}", answer.status);
    }
    assert_eq!(stranger.times(), 0);
}
