use anser_net::Network;

use super::*;

/// Tells each client who it seems to be, and where it seems to have connected to.
fn who(proxies: Vec<Network>, tls: Option<TlsAcceptor>) -> Server {
    let options = ServeOptions { proxies, tls, ..ServeOptions::new("who") };
    Server::start(options, |mut stream, _| async move {
        let text = format!("{} {}\r\n", stream.peer_addr(), stream.local_addr());
        stream.write_all(text.as_bytes()).await.unwrap();
        stream.close().await.unwrap();
    })
}

async fn answer_to(server: &Server, header: &[u8]) -> String {
    let mut client = server.connect().await;
    client.write_all(header).await.unwrap();
    client.half_close().await.unwrap();
    hear(&mut client).await
}

fn v2(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    [b"\r\n\r\n\0\r\nQUIT\n".as_slice(), &[command, family], &length, body].concat()
}

const INET: &[u8] = &[192, 0, 2, 7, 198, 51, 100, 1, 0x12, 0x34, 0, 25];

#[tokio::test]
async fn by_both_versions_of_the_header() {
    let server = who(Network::loopback(), None);
    let told = "192.0.2.7:4660 198.51.100.1:25";
    assert_eq!(answer_to(&server, b"PROXY TCP4 192.0.2.7 198.51.100.1 4660 25\r\n").await, told);
    assert_eq!(answer_to(&server, &v2(0x21, 0x11, INET)).await, told);
    let with_tlvs = [INET, &[0x04, 0, 3, 1, 2, 3, 0x20, 0xff]].concat();
    assert_eq!(answer_to(&server, &v2(0x21, 0x11, &with_tlvs)).await, told);
    let told = "[2001:db8::7]:4660 [2001:db8::1]:25";
    assert_eq!(answer_to(&server, b"PROXY TCP6 2001:db8::7 2001:db8::1 4660 25\r\n").await, told);
}

#[tokio::test]
async fn a_proxy_may_speak_for_itself() {
    let server = who(Network::loopback(), None);
    for header in [b"PROXY UNKNOWN\r\n".to_vec(), v2(0x20, 0x00, b""), v2(0x20, 0x11, INET), v2(0x21, 0x00, b"")] {
        assert!(answer_to(&server, &header).await.starts_with("127.0.0.1:"));
    }
}

#[tokio::test]
async fn hostile_headers_get_no_session() {
    let server = who(Network::loopback(), None);
    let endless = [b"PROXY TCP4 ".as_slice(), &[b'1'; 500]].concat();
    let headers: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b"EHLO example.org\r\nQUIT\r\n".to_vec(),
        b"PROXY TCP4 192.0.2.7 198.51.100.1 4660\r\n".to_vec(),
        b"PROXY TCP4 192.0.2.7 198.51.100.1 4660 65536\r\n".to_vec(),
        b"PROXY TCP4 192.0.2.7 198.51.100.1 +660 25\r\n".to_vec(),
        b"PROXY TCP4 2001:db8::7 2001:db8::1 4660 25\r\n".to_vec(),
        b"PROXY TCP4  192.0.2.7 198.51.100.1 4660 25\r\n".to_vec(),
        b"PROXY TCP4 192.0.2.7 198.51.100.1 4660 25\n".to_vec(),
        b"PROXY TCP9 \xff\xff\xff\xff\r\n".to_vec(),
        endless,
        v2(0x21, 0x11, &INET[..11]),
        v2(0x11, 0x11, INET),
        v2(0x22, 0x11, INET),
        v2(0x21, 0x7f, INET),
        v2(0x21, 0x21, INET),
        v2(0x21, 0x11, &[0; 5000]),
        v2(0x21, 0x11, INET)[..20].to_vec(),
    ];
    for header in headers {
        assert_eq!(answer_to(&server, &header).await, "", "{}", header.escape_ascii());
    }
    assert!(!answer_to(&server, b"PROXY UNKNOWN\r\n").await.is_empty());
}

#[tokio::test]
async fn nobody_else_is_believed() {
    let server = who(vec![Network::parse("192.0.2.0/24").unwrap()], None);
    assert!(answer_to(&server, b"PROXY TCP4 192.0.2.7 198.51.100.1 4660 25\r\n").await.starts_with("127.0.0.1:"));
}

#[tokio::test]
async fn tls_begins_right_behind_the_header() {
    let (acceptor, connector) = tls_pair();
    let server = who(Network::loopback(), Some(acceptor));
    let mut client = server.connect().await;
    client.write_all(&v2(0x21, 0x11, INET)).await.unwrap();
    client.start_tls_as_client(&connector, "mail.example.org").await.unwrap();
    assert_eq!(hear(&mut client).await, "192.0.2.7:4660 198.51.100.1:25");
}

#[tokio::test]
async fn limits_count_the_client_and_not_the_proxy() {
    let options = ServeOptions {
        proxies: Network::loopback(),
        connections_per_source: 1,
        refusal: Arc::new(|_| "no\r\n".to_owned()),
        ..ServeOptions::new("echo")
    };
    let server = Server::start(options, |stream, _| async move { drop(echo(stream, None).await) });
    let mut held = Vec::new();
    for (client, expected) in [("192.0.2.1", "hello"), ("192.0.2.2", "hello"), ("192.0.2.1", "no")] {
        let mut stream = server.connect().await;
        say(&mut stream, &format!("PROXY TCP4 {client} 198.51.100.1 4660 25\r\n")).await;
        assert_eq!(hear(&mut stream).await, expected);
        held.push(stream);
    }
}
