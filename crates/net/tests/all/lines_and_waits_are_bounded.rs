use std::time::Duration;

use anser_base::Class;
use anser_net::Fill;
use anser_net::stream::{INPUT_BUFFER, READ_SIZE, SKIPPED_LINE};

use super::*;

#[tokio::test]
async fn an_over_long_line_is_skipped_without_being_held() {
    let (mut server, mut client) = Stream::pair();
    let sender = tokio::spawn(async move {
        client.write_all(&vec![b'x'; 2 * INPUT_BUFFER]).await.unwrap();
        say(&mut client, "\r\nshort\r\n").await;
    });
    assert_eq!(server.read_line(100).await.unwrap(), Line::TooLong);
    assert!(server.buffered_input_len() <= READ_SIZE);
    assert_eq!(hear(&mut server).await, "short");
    assert_eq!(server.read_line(100).await.unwrap(), Line::Closed);
    sender.await.unwrap();
}

#[tokio::test]
async fn an_endless_line_ends_the_patience() {
    let (mut server, mut client) = Stream::pair();
    let sender = tokio::spawn(async move { client.write_all(&vec![b'x'; 2 * SKIPPED_LINE]).await });
    assert_eq!(server.read_line(100).await.unwrap_err().class, Class::Limit);
    drop(server);
    assert!(sender.await.unwrap().is_err());
}

#[tokio::test]
async fn the_buffer_takes_no_more_than_its_limit() {
    let (mut server, mut client) = Stream::pair();
    tokio::spawn(async move { client.write_all(&vec![b'x'; 2 * INPUT_BUFFER]).await });
    let error = loop {
        match server.fill().await {
            Ok(filled) => assert!(matches!(filled, Fill::Data(_))),
            Err(error) => break error,
        }
    };
    assert_eq!((error.class, server.buffered_input_len()), (Class::Limit, INPUT_BUFFER));
    server.consume(INPUT_BUFFER / 2);
    assert!(matches!(server.fill().await.unwrap(), Fill::Data(_)));
}

#[tokio::test(start_paused = true)]
async fn a_line_in_drops_must_be_whole_in_time() {
    let (mut server, mut client) = Stream::pair();
    server.set_read_timeout(Duration::from_secs(10));
    tokio::spawn(async move {
        for letter in ["s", "l", "o", "w", "\n", ""] {
            say(&mut client, letter).await;
            tokio::time::advance(Duration::from_secs(4)).await;
        }
    });
    assert_eq!(server.read_line(100).await.unwrap(), Line::TimedOut);
    assert_eq!(server.read_line(100).await.unwrap(), Line::Full(b"slow\n".to_vec()));
}

#[tokio::test(start_paused = true)]
async fn silence_times_out_in_both_directions() {
    let (mut server, _client) = Stream::pair();
    server.set_read_timeout(Duration::from_secs(10));
    server.set_write_timeout(Duration::from_secs(10));
    assert_eq!(server.fill().await.unwrap(), Fill::TimedOut);
    let error = server.write_all(&vec![b'x'; 4 * READ_SIZE]).await.unwrap_err();
    assert_eq!(error.class, Class::Unavailable);
}

#[tokio::test]
async fn waiting_for_input_beside_something_else_loses_nothing() {
    let (mut server, mut client) = Stream::pair();
    for word in ["one", "two"] {
        tokio::select! {
            biased;
            ready = server.readable() => panic!("{ready:?}"),
            () = std::future::ready(()) => {}
        }
        say(&mut client, word).await;
        server.readable().await.unwrap();
        assert_eq!(server.buffer(), word.as_bytes());
        server.consume(3);
    }
    drop(client);
    server.readable().await.unwrap();
    assert_eq!(server.fill().await.unwrap(), Fill::Closed);
}

#[tokio::test]
async fn a_line_that_was_not_awaited_to_its_end_is_not_lost() {
    let (mut server, mut client) = Stream::pair();
    say(&mut client, "begun ").await;
    tokio::select! {
        biased;
        line = server.read_line(100) => panic!("{line:?}"),
        () = std::future::ready(()) => {}
    }
    say(&mut client, "and done\n").await;
    assert_eq!(hear(&mut server).await, "begun and done");
}

#[tokio::test]
async fn an_interrupted_flush_goes_on_where_it_stopped() {
    let (mut server, mut client) = Stream::pair();
    let text: Vec<u8> = (0..READ_SIZE as u32).map(|n| n as u8).collect();
    say(&mut server, "first").await;
    server.write_all(&text).await.unwrap();
    tokio::select! {
        biased;
        flushed = server.flush() => panic!("{flushed:?}"),
        () = std::future::ready(()) => {}
    }
    let reader = tokio::spawn(async move {
        while client.buffered_input_len() < READ_SIZE + 5 {
            client.fill().await.unwrap();
        }
        client.buffer().to_vec()
    });
    server.flush().await.unwrap();
    assert_eq!(reader.await.unwrap(), [b"first".as_slice(), &text].concat());
}
