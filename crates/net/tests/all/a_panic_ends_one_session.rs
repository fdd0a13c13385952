use super::*;

#[tokio::test]
async fn and_the_others_go_on() {
    let server = Server::start(ServeOptions::new("frail"), |mut stream, _| async move {
        while let Ok(Line::Full(line)) = stream.read_line(100).await {
            assert_ne!(line, b"panic\r\n", "as asked");
            say(&mut stream, "fine\r\n").await;
        }
    });
    let (well, mut frail) = (server.connect().await, server.connect().await);
    say(&mut frail, "panic\r\n").await;
    assert_eq!(hear(&mut frail).await, "");
    for mut client in [well, server.connect().await] {
        say(&mut client, "how are you\r\n").await;
        assert_eq!(hear(&mut client).await, "fine");
    }
    server.shutdown.begin(std::time::Duration::from_secs(3600));
    server.task.await.unwrap().unwrap();
    assert_eq!((server.counters.panicked(), server.counters.live()), (1, 0));
}
