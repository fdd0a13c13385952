use std::time::Duration;

use super::*;

#[tokio::test]
async fn sessions_are_told_finish_and_nobody_new_is_taken() {
    let server = Server::start(ServeOptions::new("polite"), |mut stream, shutdown| async move {
        say(&mut stream, "hello\r\n").await;
        while let Some(Ok(Line::Full(line))) = shutdown.or(stream.read_line(100)).await {
            stream.write_all(&line).await.unwrap();
            stream.flush().await.unwrap();
        }
        assert!(shutdown.is_shutting_down());
        stream.write_all(b"bye\r\n").await.unwrap();
        stream.close().await.unwrap();
    });
    let mut client = server.connect().await;
    assert_eq!(hear(&mut client).await, "hello");
    server.shutdown.begin(Duration::from_secs(3600));
    assert_eq!(hear(&mut client).await, "bye");
    drop(client);
    server.task.await.unwrap().unwrap();
    assert_eq!((server.counters.live(), server.counters.panicked()), (0, 0));
    assert!(connect("127.0.0.1", server.address.port(), &ConnectOptions::default()).await.is_err());
}

#[tokio::test]
async fn who_does_not_listen_is_aborted_when_the_grace_is_over() {
    let server = Server::start(ServeOptions::new("deaf"), |mut stream, _| async move {
        say(&mut stream, "hello\r\n").await;
        std::future::pending().await
    });
    let mut client = server.connect().await;
    assert_eq!(hear(&mut client).await, "hello");
    server.shutdown.begin(Duration::from_secs(3600));
    server.shutdown.begin(Duration::ZERO);
    server.task.await.unwrap().unwrap();
    assert_eq!(hear(&mut client).await, "");
    assert_eq!(server.counters.live(), 0);
}

#[tokio::test]
async fn a_command_that_has_arrived_is_still_read() {
    let (mut server, mut client) = Stream::pair();
    let shutdown = Shutdown::new();
    say(&mut client, "last words\r\n").await;
    shutdown.begin(Duration::from_secs(1));
    assert_eq!(shutdown.or(server.read_line(100)).await.unwrap().unwrap(), Line::Full(b"last words\r\n".to_vec()));
    assert!(shutdown.or(server.read_line(100)).await.is_none());
}
