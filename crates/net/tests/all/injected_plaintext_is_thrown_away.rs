use super::*;

/// RFC 3207 §6: what a man in the middle put behind STARTTLS must not be taken for something said inside TLS.
#[tokio::test]
async fn behind_starttls() {
    let (acceptor, connector) = tls_pair();
    let server = Server::start(ServeOptions::new("echo"), move |stream, _| {
        let acceptor = acceptor.clone();
        async move { drop(echo(stream, Some(acceptor)).await) }
    });
    let mut client = server.connect().await;
    assert_eq!(hear(&mut client).await, "hello");
    say(&mut client, "STARTTLS\r\ninjected\r\n").await;
    assert_eq!(hear(&mut client).await, "go ahead");
    client.start_tls_as_client(&connector, "mail.example.org").await.unwrap();
    say(&mut client, "mine\r\n").await;
    assert_eq!(hear(&mut client).await, "mine");
}

#[tokio::test]
async fn behind_the_servers_reply_to_starttls() {
    let (acceptor, connector) = tls_pair();
    let (mut server, mut client) = Stream::pair();
    say(&mut server, "go ahead\r\n250 injected\r\n").await;
    assert_eq!(hear(&mut client).await, "go ahead");
    shake_hands(&mut server, &acceptor, &mut client, &connector).await;
    say(&mut server, "250 mine\r\n").await;
    assert_eq!(hear(&mut client).await, "250 mine");
}

#[tokio::test]
async fn tls_inside_tls_is_refused() {
    let (acceptor, connector) = tls_pair();
    let (mut server, mut client) = Stream::pair();
    shake_hands(&mut server, &acceptor, &mut client, &connector).await;
    assert_eq!(server.start_tls(&acceptor).await.unwrap_err().class, anser_base::Class::Invalid);
    say(&mut client, "still here\r\n").await;
    assert_eq!(hear(&mut server).await, "still here");
}
