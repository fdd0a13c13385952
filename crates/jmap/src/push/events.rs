//! The event source (RFC 8620 §7.3): one connection, on which events come as they happen.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use anser_net::http::{Bytes, Request, Response, either};
use futures_util::stream;
use serde_json::json;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::follow::{Follower, Kinds, Told};
use super::standing::Standing;
use crate::auth;
use crate::door::{Door, Seat, Use};
use crate::error::{failed, limit_problem, plain_problem};
use crate::ids;

/// The shortest and the longest time between pings; who wants none is written to all the same, so that a peer that is gone is noticed.
const PINGS: (u64, u64) = (5, 900);
/// After this time the client has to come again.
const LIFE: Duration = Duration::from_secs(3600);

/// `GET /jmap/events`
pub(crate) async fn events(door: Arc<Door>, request: Request) -> Response {
    either(answer(door, &request).await)
}

async fn answer(door: Arc<Door>, request: &Request) -> Result<Response, Response> {
    let user = Arc::new(auth::user(&door, request).await?);
    let seat = door.seat(user.account.id, Use::Push).ok_or_else(|| limit_problem(429, "maxConcurrentEvents"))?;
    let wanted = Kinds::named(request.query("types").as_deref().unwrap_or("*").split(','));
    let ends = match request.query("closeafter").as_deref().unwrap_or("no") {
        "state" => true,
        "no" => false,
        _ => return Err(plain_problem(400, "closeafter is state or no")),
    };
    let ping = match request.query("ping").as_deref().unwrap_or("0") {
        "0" => None,
        text => {
            let seconds = ids::number(text).ok_or_else(|| plain_problem(400, "ping is a number of seconds"))?;
            Some(seconds.clamp(PINGS.0, PINGS.1))
        }
    };
    let mut follower = Follower::of(&door.deps, &user, wanted).await.map_err(|error| failed(&error))?;
    let missed = Some(request.header("last-event-id")).filter(|id| !id.is_empty()).and_then(|id| follower.since(id));
    let (now, standing) = (Instant::now(), Standing::of(door, user));
    let until = now + LIFE;
    let source = Source { standing, follower, missed, ping, next_ping: now, ends, until, is_over: false, _seat: seat };
    // What is written first says that the line is open.
    let pieces = stream::unfold(source, |mut source| async move {
        let piece = source.next().await?;
        Some((piece.map(Bytes::from), source))
    });
    Ok(Response::events(pieces))
}

struct Source {
    standing: Standing,
    follower: Follower,
    missed: Option<Told>,
    /// Seconds between pings.
    ping: Option<u64>,
    next_ping: Instant,
    /// Whether the first change is the last.
    ends: bool,
    until: Instant,
    is_over: bool,
    _seat: Seat,
}

impl Source {
    /// The next event, as it is written; `None` at the end.
    async fn next(&mut self) -> Option<io::Result<String>> {
        if self.is_over || Instant::now() >= self.until {
            return None;
        }
        let told = match self.missed.take() {
            Some(missed) => Ok(missed),
            None => loop {
                tokio::select! {
                    biased;
                    () = self.standing.is_due() => match self.standing.is_good().await {
                        true => self.follower.keep(&self.standing.user),
                        false => return None,
                    },
                    () = sleep_until(self.next_ping) => return Some(Ok(self.ping())),
                    told = timeout_at(self.until, self.follower.next()) => break told.ok()?,
                }
            },
        };
        self.is_over = self.ends;
        Some(match told {
            Ok(Told { change, id }) => Ok(format!("id: {id}\nevent: state\ndata: {change}\n\n")),
            Err(error) => {
                tracing::error!(error = error.chain(), "an event source failed");
                Err(io::Error::other(error.chain()))
            }
        })
    }

    /// A ping, or a line that means nothing (the HTML standard's event streams, §9.2.5).
    fn ping(&mut self) -> String {
        self.next_ping = Instant::now() + Duration::from_secs(self.ping.unwrap_or(PINGS.1));
        match self.ping {
            Some(interval) => format!("event: ping\ndata: {}\n\n", json!({ "interval": interval })),
            None => ":\n\n".to_owned(),
        }
    }
}
