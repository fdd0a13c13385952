//! Why an attempt ended early. The words begin with an enhanced status code (RFC 3463): the peer's own, or one that fits.

use std::time::Duration;

use anser_base::Error;
use anser_queue::Outcome;
use anser_wire::smtp::{Enhanced, Reply};

use crate::dispatcher::outcome_text;
use crate::route::retry_after_error;

/// Pause after a server said that it takes no more recipients at once: it does in the next transaction.
const NEXT_TRANSACTION: Duration = Duration::from_secs(5);

/// The end of a transaction, or of one recipient's part in it.
#[derive(Clone, Debug)]
pub(super) struct Stop {
    outcome: Outcome,
    /// TLS is why, in a word of RFC 8460 §4.3.
    pub tls: Option<&'static str>,
}

impl Stop {
    pub fn later(why: impl Into<String>) -> Self {
        Self::of(Outcome::Retry { after: None, why: why.into() })
    }

    /// Nothing was tried, and nothing is before this pause is over.
    pub fn after(pause: Duration, why: impl Into<String>) -> Self {
        Self::of(Outcome::Wait { after: pause, why: why.into() })
    }

    /// The same, with a pause of at least this long if nothing was tried.
    pub fn at_least(mut self, pause: Duration) -> Self {
        if let Outcome::Wait { after, .. } = &mut self.outcome {
            *after = (*after).max(pause);
        }
        self
    }

    pub fn never(why: impl Into<String>) -> Self {
        Self::of(Outcome::Fail { why: why.into() })
    }

    /// Trouble of our own.
    pub fn own(error: &Error) -> Self {
        Self::of(retry_after_error(error))
    }

    /// The connection broke.
    pub fn lost(host: &str, what: &str) -> Self {
        Self::later(format!("4.4.2 the connection to {host} broke: {what}"))
    }

    /// What a negative reply means for the message.
    pub fn said(host: &str, reply: &Reply) -> Self {
        let why = format!("{} {host} said: {reply}", status(reply));
        if reply.is_permanent() { Self::never(why) } else { Self::later(why) }
    }

    /// What a negative reply to RCPT means. Too many recipients are too many only in this transaction (RFC 5321 §4.5.3.1.10).
    pub fn said_of_recipient(host: &str, reply: &Reply) -> Self {
        let too_many = matches!((reply.code, reply.enhanced), (552, None | Some((5, 5, 3))) | (452, Some((4, 5, 3))));
        if !too_many {
            return Self::said(host, reply);
        }
        Self::of(Outcome::Retry { after: Some(NEXT_TRANSACTION), why: format!("4.5.3 {host} said: {reply}") })
    }

    /// A refusal that concerns us and not the message: it waits until somebody has looked into it.
    pub fn said_to_us(host: &str, code: &str, reply: &Reply) -> Self {
        Self::later(format!("{code} {host} said: {reply}"))
    }

    fn of(outcome: Outcome) -> Self {
        Self { outcome, tls: None }
    }

    pub fn in_tls(self, word: &'static str) -> Self {
        Self { tls: Some(word), ..self }
    }

    /// Whether it may go better another time, or with another server.
    pub fn is_temporary(&self) -> bool {
        !matches!(self.outcome, Outcome::Fail { .. })
    }

    pub fn why(&self) -> &str {
        outcome_text(&self.outcome).unwrap_or_default()
    }

    pub fn outcome(&self) -> Outcome {
        self.outcome.clone()
    }
}

/// The server is about to close (RFC 5321 §3.8).
pub(super) const CLOSING: u16 = 421;

/// The status of a reply: its own, or one that fits its code.
fn status(reply: &Reply) -> String {
    let (class, subject, detail) = reply.enhanced.unwrap_or_else(|| fitting(reply.code));
    format!("{class}.{subject}.{detail}")
}

fn fitting(code: u16) -> Enhanced {
    match code {
        CLOSING => (4, 3, 2),
        450 => (4, 2, 0),
        451 => (4, 3, 0),
        452 => (4, 3, 1),
        500 => (5, 5, 2),
        501 | 504 => (5, 5, 4),
        502 | 503 => (5, 5, 1),
        521 => (5, 3, 2),
        530 | 554 => (5, 7, 0),
        551 => (5, 1, 6),
        552 => (5, 3, 4),
        553 => (5, 1, 3),
        556 => (5, 1, 10),
        _ if code / 100 == 5 => (5, 0, 0),
        _ => (4, 0, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_begin_with_the_peers_status_or_a_fitting_one() {
        let said = Stop::said("relay", &Reply::new(550, Some((5, 1, 1)), "nobody"));
        assert_eq!(said.why(), "5.1.1 relay said: 550 5.1.1 nobody");
        assert!(matches!(said.outcome, Outcome::Fail { .. }));
        let said = Stop::said("relay", &Reply::new(421, None, "bye\u{7}"));
        assert_eq!(said.why(), "4.3.2 relay said: 421 bye?");
        assert!(matches!(said.outcome, Outcome::Retry { .. }));
    }

    #[test]
    fn too_many_recipients_are_tried_again_soon() {
        for (code, enhanced, soon) in [(552, None, true), (552, Some((5, 2, 2)), false), (452, Some((4, 5, 3)), true)] {
            let stop = Stop::said_of_recipient("relay", &Reply::new(code, enhanced, "no"));
            assert_eq!(matches!(stop.outcome, Outcome::Retry { after: Some(_), .. }), soon, "{code}");
        }
    }
}
