//! An act as an event source (the HTML standard §9.2): what it tells comes as it happens, and its end is the last event.
//!
//! | event | data |
//! |---|---|
//! | `progress` | `{"done":…,"total":…}` |
//! | `item` | one thing of a list, as whole answers have it |
//! | `done` | the report |
//! | `failed` | the problem (RFC 9457) |
//!
//! A comment comes at once, and then at least every [`BEAT`], so that whoever has left is noticed. A token that is good no more ends it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use anser_auth::answer::{problem_value, status_of, unkept};
use anser_base::{Class, Error, Language, Result};
use anser_directory::AdminToken;
use anser_net::http::{Bytes, Response};
use futures_util::stream;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::{Door, Underway};
use crate::{Event, Report};

/// How often something is written at least.
const BEAT: Duration = Duration::from_secs(15);

/// The events of an act, until it ends or nobody listens.
pub(super) fn answer(door: Arc<Door>, token: AdminToken, underway: Underway, language: Language) -> Response {
    let changes = door.admin.deps.directory.watch();
    let source = Source { door, token, underway, language, changes, beat: Instant::now(), is_over: false };
    let pieces = stream::unfold(source, |mut source| async move {
        let piece = source.next().await?;
        Some((Ok::<_, io::Error>(Bytes::from(piece)), source))
    });
    unkept(Response::events(pieces))
}

struct Source {
    door: Arc<Door>,
    token: AdminToken,
    underway: Underway,
    language: Language,
    /// Counts changes of the directory: the token may be among them.
    changes: watch::Receiver<u64>,
    beat: Instant,
    is_over: bool,
}

/// What comes next.
enum Next {
    Told(Option<Event>),
    Beat,
    Changed,
}

impl Source {
    /// The next event, as it is written; `None` at the end.
    async fn next(&mut self) -> Option<String> {
        while !self.is_over {
            let next = tokio::select! {
                biased;
                Ok(()) = self.changes.changed() => Next::Changed,
                () = sleep_until(self.beat) => Next::Beat,
                event = self.underway.events.recv() => Next::Told(event),
            };
            match next {
                Next::Told(Some(Event::Progress { done, total })) => {
                    return Some(written("progress", &json!({ "done": done, "total": total })));
                }
                Next::Told(Some(Event::Item(item))) => match serde_json::to_value(&item) {
                    Ok(item) => return Some(written("item", &item)),
                    Err(error) => return Some(self.failed(&Error::unavailable(error))),
                },
                // Messages are no answer of acts that are done from afar.
                Next::Told(Some(Event::Mail(_) | Event::Part(_))) => {}
                Next::Told(None) => return Some(self.end().await),
                Next::Beat | Next::Changed => {
                    if let Err(error) = self.is_good().await {
                        return Some(self.failed(&error));
                    }
                    if matches!(next, Next::Beat) {
                        self.beat = Instant::now() + BEAT;
                        return Some(":\n\n".to_owned());
                    }
                }
            }
        }
        None
    }

    async fn is_good(&self) -> Result<()> {
        match self.door.admin.deps.directory.is_good_admin_token(&self.token).await? {
            true => Ok(()),
            false => Err(Error::new(Class::Unauthenticated, "this token opens nothing here any more", "该令牌已失效")),
        }
    }

    async fn end(&mut self) -> String {
        let ended = self
            .underway
            .end()
            .await
            .and_then(|report: Report| serde_json::to_value(&report).map_err(Error::unavailable));
        match ended {
            Ok(report) => {
                self.is_over = true;
                written("done", &report)
            }
            Err(error) => self.failed(&error),
        }
    }

    fn failed(&mut self, error: &Error) -> String {
        self.is_over = true;
        written("failed", &problem_value(self.language, status_of(error), "about:blank", &error.text))
    }
}

/// JSON has no ends of lines of its own, so that its data is one line.
fn written(name: &str, data: &Value) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}
