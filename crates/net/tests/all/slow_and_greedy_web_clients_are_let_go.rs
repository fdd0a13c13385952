use std::time::Duration;

use anser_net::http::{Bytes, Limits, Request, Response, Route, Routes, Site};
use futures_util::stream;
use tokio::sync::Notify;

use super::requests_are_answered_over_both_versions_of_http::{serve_site, site};
use super::*;

/// Short enough for a test that waits for its end.
const SHORT: Duration = Duration::from_millis(200);

async fn first_line(stream: &mut Stream) -> String {
    hear(stream).await
}

/// Reads to the end.
async fn rest(stream: &mut Stream) -> String {
    let mut all = String::new();
    loop {
        match stream.read_line(65_536).await {
            Ok(Line::Full(line)) => all.push_str(&String::from_utf8_lossy(&line)),
            _ => return all,
        }
    }
}

fn limited(limits: Limits) -> Site {
    Site { limits, ..site() }
}

#[tokio::test]
async fn a_header_that_never_ends_is_not_waited_for() {
    let server = serve_site(None, limited(Limits { header_time: SHORT, ..Limits::default() }));
    let mut slow = server.connect().await;
    say(&mut slow, "GET /open HTTP/1.1\r\nHost: a\r\n").await;
    assert_eq!(rest(&mut slow).await, "");
    let mut silent = server.connect().await;
    assert_eq!(first_line(&mut silent).await, "");
}

#[tokio::test]
async fn a_quiet_connection_ends() {
    let server = serve_site(None, limited(Limits { idle_time: SHORT, ..Limits::default() }));
    let mut client = server.connect().await;
    say(&mut client, "GET /greet/ann HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(rest(&mut client).await.starts_with("HTTP/1.1 200 OK\r\n"));
}

#[tokio::test]
async fn headers_have_bounds_and_hosts() {
    let server = serve_site(None, site());
    for (request, status) in [
        (format!("GET /open HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(40_000)), "431"),
        (format!("GET /open HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(101)), "431"),
        (format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(40_000)), "4"),
        ("GET /open HTTP/1.1\r\n\r\n".to_owned(), "400"),
        ("GET /open HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".to_owned(), "400"),
        ("GET /open HTTP/1.1\r\nHost: a b\r\n\r\n".to_owned(), "400"),
        ("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx".to_owned(), "400"),
        ("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999\r\n\r\nx".to_owned(), "413"),
        ("\u{1}\u{2}\r\n\r\n".to_owned(), "400"),
    ] {
        let mut client = server.connect().await;
        say(&mut client, &request).await;
        let line = first_line(&mut client).await;
        assert!(line.starts_with(&format!("HTTP/1.1 {status}")), "{line:?} to {:.60}", request);
    }
}

#[tokio::test]
async fn a_length_and_chunks_together_are_no_second_request() {
    let server = serve_site(None, site());
    let mut client = server.connect().await;
    let inner = "GET /greet/smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    let request = format!(
        "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{inner}",
        inner.len() + 5
    );
    say(&mut client, &request).await;
    let all = rest(&mut client).await;
    assert!(!all.contains("smuggled"), "{all}");
}

#[tokio::test]
async fn who_asks_and_does_not_read_is_let_go() {
    async fn endless(_: Request) -> Response {
        let piece = Bytes::from(vec![b'x'; 64 * 1024]);
        Response::stream(200, "text/plain", stream::repeat_with(move || Ok(piece.clone())))
    }
    let site = Site {
        limits: Limits { stall_time: SHORT, header_time: SHORT, ..Limits::default() },
        ..Site::new(Routes::of([Route::get("/endless", endless)]))
    };
    let server = serve_site(None, site);
    let mut client = server.connect().await;
    say(&mut client, "GET /endless HTTP/1.1\r\nHost: a\r\n\r\n").await;
    while server.counters.live() > 0 || server.counters.accepted() == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_source_has_so_many_requests_at_once() {
    let (asked, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let wait = {
        let (asked, go) = (asked.clone(), go.clone());
        move |_| {
            let (asked, go) = (asked.clone(), go.clone());
            async move {
                asked.notify_one();
                go.notified().await;
                Response::empty(204)
            }
        }
    };
    async fn events(_: Request) -> Response {
        use futures_util::StreamExt;
        Response::events(stream::iter([Ok(Bytes::from("data: hello\n\n"))]).chain(stream::pending()))
    }
    let site = Site {
        limits: Limits { requests_per_source: 1, ..Limits::default() },
        ..Site::new(Routes::of([Route::get("/wait", wait), Route::get("/events", events)]))
    };
    let server = serve_site(None, site);
    let mut listener = server.connect().await;
    say(&mut listener, "GET /events HTTP/1.1\r\nHost: a\r\n\r\n").await;
    while !String::from_utf8_lossy(listener.buffer()).contains("hello") {
        listener.fill().await.unwrap();
    }
    let mut first = server.connect().await;
    say(&mut first, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n").await;
    asked.notified().await;
    let mut second = server.connect().await;
    say(&mut second, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(first_line(&mut second).await, "HTTP/1.1 429 Too Many Requests");
    go.notify_one();
    assert_eq!(first_line(&mut first).await, "HTTP/1.1 204 No Content");
}

#[tokio::test]
async fn a_handler_has_its_time() {
    async fn never(_: Request) -> Response {
        std::future::pending().await
    }
    let server = serve_site(None, Site::new(Routes::of([Route::get("/never", never).time(SHORT)])));
    let mut client = server.connect().await;
    say(&mut client, "GET /never HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(first_line(&mut client).await, "HTTP/1.1 503 Service Unavailable");
}

#[tokio::test]
async fn a_shutdown_ends_streams_and_keeps_what_was_asked() {
    async fn forever(_: Request) -> Response {
        use futures_util::StreamExt;
        let first = stream::iter([Ok(Bytes::from("data: hello\n\n"))]);
        Response::stream(200, "text/event-stream", first.chain(stream::pending()))
    }
    let server = serve_site(None, Site::new(Routes::of([Route::get("/events", forever)])));
    let mut client = server.connect().await;
    say(&mut client, "GET /events HTTP/1.1\r\nHost: a\r\n\r\n").await;
    while hear(&mut client).await != "data: hello" {}
    server.shutdown.begin(Duration::from_secs(60));
    let end = rest(&mut client).await;
    assert!(end.ends_with("0\r\n\r\n"), "the stream ends as a whole: {end:?}");
    server.task.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_connection_can_leave_http() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    async fn leave(mut request: Request) -> Response {
        let upgraded = request.upgrade();
        tokio::spawn(async move {
            let mut bytes = upgraded.await.unwrap();
            let mut word = [0; 4];
            bytes.read_exact(&mut word).await.unwrap();
            bytes.write_all(&word).await.unwrap();
            bytes.shutdown().await.unwrap();
        });
        Response::empty(101)
    }
    let server = serve_site(None, Site::new(Routes::of([Route::get("/leave", leave)])));
    let mut client = server.connect().await;
    say(&mut client, "GET /leave HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n").await;
    while !hear(&mut client).await.is_empty() {}
    say(&mut client, "bye\n").await;
    assert_eq!(hear(&mut client).await, "bye");
}
