use std::time::Duration;

use anser_base::{Clock, Timestamp};
use anser_net::{Network, Rate, Refusal};

use super::*;

fn limited(options: ServeOptions) -> Server {
    let refusal = Arc::new(|why| match why {
        Refusal::TooMany => "421 too many\r\n".to_owned(),
        Refusal::TooManyFromSource => "421 too many of yours\r\n".to_owned(),
        Refusal::TooFast => "421 too fast\r\n".to_owned(),
    });
    Server::start(ServeOptions { refusal, ..options }, |stream, _| async move { drop(echo(stream, None).await) })
}

async fn greeting(server: &Server) -> (Stream, String) {
    let mut client = server.connect().await;
    let line = hear(&mut client).await;
    (client, line)
}

/// Connects until there is room again: the server sees a client leave in its own time.
async fn greeted_at_last(server: &Server) -> Stream {
    loop {
        let (client, line) = greeting(server).await;
        if line == "hello" {
            return client;
        }
    }
}

#[tokio::test]
async fn a_full_service() {
    let server = limited(ServeOptions { connections: 2, ..ServeOptions::new("full") });
    let (first, second) = (greeting(&server).await, greeting(&server).await);
    assert_eq!((first.1.as_str(), second.1.as_str()), ("hello", "hello"));
    let (mut third, line) = greeting(&server).await;
    assert_eq!(line, "421 too many");
    assert_eq!(hear(&mut third).await, "");
    assert_eq!((server.counters.live(), server.counters.accepted(), server.counters.refused()), (2, 2, 1));
    drop(first);
    greeted_at_last(&server).await;
}

#[tokio::test]
async fn a_greedy_source() {
    let server = limited(ServeOptions { connections_per_source: 1, ..ServeOptions::new("greedy") });
    let (first, line) = greeting(&server).await;
    assert_eq!(line, "hello");
    assert_eq!(greeting(&server).await.1, "421 too many of yours");
    drop(first);
    greeted_at_last(&server).await;
}

#[tokio::test]
async fn a_hasty_source() {
    let clock = Clock::manual(Timestamp(0));
    let rate = Some(Rate { count: 2, per: Duration::from_secs(60) });
    let options = ServeOptions { rate_per_source: rate, clock: clock.clone(), ..ServeOptions::new("hasty") };
    let server = limited(options);
    let mut greetings = Vec::new();
    for _ in 0..3 {
        greetings.push(greeting(&server).await.1);
    }
    assert_eq!(greetings, ["hello", "hello", "421 too fast"]);
    clock.advance(Duration::from_secs(30));
    assert_eq!(greeting(&server).await.1, "hello");
}

#[tokio::test]
async fn exempt_sources_only_share_the_limit_of_all() {
    let options = ServeOptions {
        connections_per_source: 0,
        rate_per_source: Some(Rate { count: 1, per: Duration::from_secs(3600) }),
        exempt: Network::loopback(),
        ..ServeOptions::new("exempt")
    };
    let server = limited(options);
    for _ in 0..3 {
        assert_eq!(greeting(&server).await.1, "hello");
    }
}
