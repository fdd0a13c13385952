use super::*;

fn echo_server(tls: Option<TlsAcceptor>, starttls: Option<TlsAcceptor>) -> Server {
    Server::start(ServeOptions { tls, ..ServeOptions::new("echo") }, move |stream, _| {
        let acceptor = starttls.clone();
        async move { drop(echo(stream, acceptor).await) }
    })
}

#[tokio::test]
async fn plain() {
    let server = echo_server(None, None);
    let mut client = server.connect().await;
    assert_eq!(hear(&mut client).await, "hello");
    say(&mut client, "one\r\ntwo\nthree\r\n").await;
    for word in ["one", "two", "three"] {
        assert_eq!(hear(&mut client).await, word);
    }
    assert!(!client.is_secure() && client.tls_info().is_none());
    assert_eq!(client.peer_addr(), server.address);
}

#[tokio::test]
async fn starttls() {
    let (acceptor, connector) = tls_pair();
    let server = echo_server(None, Some(acceptor));
    let mut client = server.connect().await;
    assert_eq!(hear(&mut client).await, "hello");
    say(&mut client, "STARTTLS\r\n").await;
    assert_eq!(hear(&mut client).await, "go ahead");
    client.start_tls_as_client(&connector, "mail.example.org").await.unwrap();
    say(&mut client, "secret\r\n").await;
    assert_eq!(hear(&mut client).await, "secret");
    assert!(client.is_secure());
    let info = client.tls_info().unwrap();
    assert_eq!((info.version, info.sni.as_deref()), ("TLSv1.3", Some("mail.example.org")));
    assert!(info.cipher.starts_with("TLS_AES_"), "{}", info.cipher);
}

#[tokio::test]
async fn implicit_tls() {
    let (acceptor, connector) = tls_pair();
    let server = echo_server(Some(acceptor), None);
    let mut client = server.connect().await;
    client.start_tls_as_client(&connector, "mail.example.org").await.unwrap();
    assert_eq!(hear(&mut client).await, "hello");
    say(&mut client, "secret\r\n").await;
    assert_eq!(hear(&mut client).await, "secret");
}

#[tokio::test]
async fn megabytes_pass_both_ways_and_the_end_is_seen() {
    let (acceptor, connector) = tls_pair();
    let body: Vec<u8> = (0..3_000_000u32).map(|n| n as u8).collect();
    let answer = body.clone();
    let options = ServeOptions { tls: Some(acceptor), ..ServeOptions::new("bulk") };
    let server = Server::start(options, move |mut stream, _| {
        let answer = answer.clone();
        async move {
            assert_eq!(read_to_end(&mut stream).await, answer);
            stream.write_all(&answer).await.unwrap();
            stream.close().await.unwrap();
        }
    });
    let mut client = server.connect().await;
    client.start_tls_as_client(&connector, "mail.example.org").await.unwrap();
    client.write_all(&body).await.unwrap();
    client.half_close().await.unwrap();
    assert_eq!(read_to_end(&mut client).await, body);
}

async fn read_to_end(stream: &mut Stream) -> Vec<u8> {
    let mut all = Vec::new();
    while let anser_net::Fill::Data(_) = stream.fill().await.unwrap() {
        all.extend_from_slice(stream.buffer());
        stream.consume(stream.buffered_input_len());
    }
    all
}

#[tokio::test]
async fn dual_stack_listeners_show_ipv4_peers_as_ipv4() {
    let listeners = bind(&["[::]:0".parse().unwrap()]).unwrap();
    let port = listeners[0].address().port();
    tokio::spawn(serve(listeners, ServeOptions::new("who"), Shutdown::new(), |mut stream, _| async move {
        let who = format!("{}\r\n", stream.peer_addr().ip());
        stream.write_all(who.as_bytes()).await.unwrap();
        stream.close().await.unwrap();
    }));
    let mut client = connect("127.0.0.1", port, &ConnectOptions::default()).await.unwrap();
    assert_eq!(hear(&mut client).await, "127.0.0.1");
}

#[tokio::test]
async fn a_certificate_is_believed_only_for_its_name_and_by_its_authority() {
    let (acceptor, connector) = tls_pair();
    let (_, stranger) = tls_pair();
    let server = echo_server(Some(acceptor), None);
    assert!(server.connect().await.start_tls_as_client(&connector, "other.example.org").await.is_err());
    assert!(server.connect().await.start_tls_as_client(&stranger, "mail.example.org").await.is_err());
    let anyone = TlsConnector::opportunistic().unwrap();
    assert!(server.connect().await.start_tls_as_client(&anyone, "other.example.org").await.is_ok());
}
