//! A push connection is worth what it was opened with: that is over, it is over.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anser_directory::oauth::{ACCESS_TIME, Wanted};
use anser_directory::{AppPasswordKind, Client, Password, Services, Signed, Visitor, cookie_name};
use anser_testkit::door::PASSWORD;

use super::node::{Node, basic};

/// The field that opens a connection, and what ends it.
type Way = (&'static str, fn(&Node) -> ((String, String), Box<dyn FnOnce(&Node)>));

/// How long nothing may happen before the test gives up, and a read of what must stay open is over.
const PATIENCE: Duration = Duration::from_secs(60);

const WAYS: [Way; 7] = [
    ("logout", |node| {
        let visitor = Visitor { source: "127.0.0.1".parse().unwrap(), device: "", tls: false };
        let signed = node.door.directory.sign_in(b"ann@anser.test", PASSWORD.as_bytes(), visitor);
        let Signed::In(session) = node.door.runtime.block_on(signed).unwrap() else { panic!("not in") };
        let cookie = format!("{}={}\r\nSec-Fetch-Site: same-origin", cookie_name(false), session.token);
        let end = move |node: &Node| {
            node.door.runtime.block_on(node.door.directory.end_session(session.account.id, session.id)).unwrap();
        };
        (("Cookie".into(), cookie), Box::new(end))
    }),
    ("revocation of a token", |node| {
        let (ann, kind) = (node.account("ann"), AppPasswordKind::Bearer);
        let made = node.door.directory.add_app_password(ann, kind, "a", Services::ALL, None);
        let made = node.door.runtime.block_on(made).unwrap();
        let end = move |node: &Node| {
            node.door.runtime.block_on(node.door.directory.revoke_app_password(ann, kind, made.id)).unwrap();
        };
        (("Authorization".into(), format!("Bearer {}", made.password)), Box::new(end))
    }),
    ("revocation of a grant", |node| {
        let token = grant(node);
        let end = |node: &Node| {
            let (ann, directory) = (node.account("ann"), &node.door.directory);
            let grants = node.door.runtime.block_on(directory.grants(ann)).unwrap();
            node.door.runtime.block_on(directory.revoke_grant(ann, grants[0].id)).unwrap();
        };
        (("Authorization".into(), format!("Bearer {token}")), Box::new(end))
    }),
    ("expiry", |node| {
        let token = grant(node);
        let end = |node: &Node| {
            node.store.clock().advance(ACCESS_TIME);
            // Any change makes who is connected look at the clock.
            node.door.runtime.block_on(node.door.directory.suspend(node.account("chen"))).unwrap();
        };
        (("Authorization".into(), format!("Bearer {token}")), Box::new(end))
    }),
    ("suspension", |node| {
        let end = |node: &Node| node.door.runtime.block_on(node.door.directory.suspend(node.account("ann"))).unwrap();
        (by_password(node), Box::new(end))
    }),
    ("a new password", |node| {
        let end = |node: &Node| {
            let password = Password::Plain(b"another-goose-flies".to_vec());
            let set = node.door.directory.set_password(node.account("ann"), &password, false);
            node.door.runtime.block_on(set).unwrap();
        };
        (by_password(node), Box::new(end))
    }),
    ("a disabled domain", |node| {
        let end = |node: &Node| {
            node.door.runtime.block_on(node.door.directory.set_domain_disabled("anser.test", true)).unwrap();
        };
        (by_password(node), Box::new(end))
    }),
];

fn by_password(_: &Node) -> (String, String) {
    ("Authorization".into(), basic("ann@anser.test", PASSWORD))
}

/// An access token that ann gave a program.
fn grant(node: &Node) -> String {
    let (directory, ann) = (&node.door.directory, node.account("ann"));
    let redirect = "https://x.example/back".to_owned();
    node.door.runtime.block_on(async {
        let client = Client {
            id: "x".into(),
            name: "x".into(),
            redirects: vec![redirect.clone()],
            services: Services::ALL,
            confidential: false,
        };
        directory.add_client(client).await.unwrap();
        // RFC 7636, Appendix B.
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".to_owned();
        let wanted = Wanted { client: "x".into(), services: Services::ALL, challenge, redirect, ..Wanted::default() };
        let code = directory.approve(ann, wanted).await.unwrap();
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        directory.redeem_code(&code, "x", "https://x.example/back", verifier).await.unwrap().unwrap().access
    })
}

/// Opens a connection and reads up to the end of the answer's header.
fn open(node: &Node, path: &str, field: &(String, String)) -> TcpStream {
    let mut stream = TcpStream::connect(node.door.plain).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: jmap\r\n";
    let upgrade = if path == "/jmap/ws" { upgrade } else { "" };
    let request = format!("GET {path} HTTP/1.1\r\nHost: mail.anser.test\r\n{}: {}\r\n{upgrade}\r\n", field.0, field.1);
    stream.write_all(request.as_bytes()).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&head)));
        head.push(byte[0]);
    }
    let status = if path == "/jmap/ws" { "101" } else { "200" };
    assert_eq!(&head[9..12], status.as_bytes(), "{}", String::from_utf8_lossy(&head));
    stream
}

/// Whether a connection says that it is over: a WebSocket by a close (RFC 6455 §5.5.1), an event source by its last chunk.
fn ends(stream: &mut TcpStream, by: &[u8]) -> bool {
    let (mut said, mut piece) = (Vec::new(), [0; 1024]);
    loop {
        match stream.read(&mut piece) {
            Ok(0) => return true,
            Ok(count) => said.extend_from_slice(&piece[..count]),
            Err(_) => return false,
        }
        if said.ends_with(by) {
            return true;
        }
    }
}

#[test]
fn a_login_that_is_over_ends_what_it_opened() {
    for (name, way) in WAYS {
        let node = Node::start();
        let (field, end) = way(&node);
        let mut socket = open(&node, "/jmap/ws", &field);
        let mut events = open(&node, "/jmap/events?types=*", &field);
        end(&node);
        assert!(ends(&mut socket, &[0x88, 0]), "{name}: the WebSocket goes on");
        assert!(ends(&mut events, b"0\r\n\r\n"), "{name}: the event source goes on");
    }
}

/// What ends one login leaves the others of the account alone.
#[test]
fn other_logins_go_on() {
    let node = Node::start();
    let mut events = open(&node, "/jmap/events?types=Email", &by_password(&node));
    let (field, end) = WAYS[1].1(&node);
    let mut token = open(&node, "/jmap/events?types=Email", &field);
    end(&node);
    assert!(ends(&mut token, b"0\r\n\r\n"));
    node.deliver("ann", "Subject: x\n\nx\n", 0);
    assert!(ends(&mut events, b"}}\n\n\r\n"), "it tells of the message");
}

/// What somebody shares no more is not followed any more.
#[test]
fn an_account_that_is_shared_no_more_is_followed_no_more() {
    let node = Node::start();
    node.share("bob", "ann", "lr");
    let events = open(&node, "/jmap/events?types=Email", &by_password(&node));
    node.door.runtime.block_on(node.door.directory.suspend(node.account("bob"))).unwrap();
    // What happens to bob is told no later than what happens to ann after it: until it is told no more.
    let (began, mut lines) = (Instant::now(), BufReader::new(events).lines());
    let mut hears_bob = true;
    while hears_bob {
        assert!(began.elapsed() < PATIENCE, "bob is still followed");
        node.deliver("bob", "Subject: x\n\nx\n", 0);
        node.deliver("ann", "Subject: x\n\nx\n", 0);
        hears_bob = false;
        for line in lines.by_ref().map(Result::unwrap) {
            hears_bob |= line.contains(&format!("\"{}\"", node.id("bob")));
            if line.contains(&format!("\"{}\"", node.id("ann"))) {
                break;
            }
        }
    }
}
