//! EHLO, HELO (RFC 5321 §4.1.1.1) and LHLO (RFC 2033 §4.1). A greeting ends the transaction under way.

use std::time::Duration;

use anser_base::Timestamp;
use anser_base::limits::DELAYED_SEND;
use anser_wire::smtp::Reply;

use super::auth;
use crate::answer::{Answer, Stop};
use crate::deps::Service;
use crate::session::{Hello, Session};

/// EHLO.
pub fn ehlo(session: &mut Session, name: String) -> Result<Answer, Stop> {
    only(session.service != Service::Lmtp, "Use LHLO")?;
    Ok(extended(session, name))
}

/// LHLO.
pub fn lhlo(session: &mut Session, name: String) -> Result<Answer, Stop> {
    only(session.service == Service::Lmtp, "Use EHLO")?;
    Ok(extended(session, name))
}

/// HELO.
pub fn helo(session: &mut Session, name: String) -> Result<Answer, Stop> {
    only(session.service != Service::Lmtp, "Use LHLO")?;
    begin(session, Hello { name, extended: false });
    Ok(Answer::One(Reply::new(250, None, session.deps.hostname.clone())))
}

fn only(right: bool, text: &'static str) -> Result<(), Stop> {
    if right { Ok(()) } else { Err(Stop::refused(500, (5, 5, 1), text)) }
}

fn begin(session: &mut Session, hello: Hello) {
    session.reset();
    session.tally.idle += 1;
    session.hello = Some(hello);
}

fn extended(session: &mut Session, name: String) -> Answer {
    begin(session, Hello { name, extended: true });
    Answer::One(Reply { code: 250, enhanced: None, lines: extensions(session) })
}

/// The lines of the reply: what can be used on this connection as it is now.
fn extensions(session: &Session) -> Vec<String> {
    let secure = session.stream.is_secure();
    let mechanisms = auth::offered(session).join(" ");
    let list = [
        (true, session.deps.hostname.clone()),
        (true, "PIPELINING".to_owned()),
        (true, format!("SIZE {}", session.deps.limits.message_size)),
        (true, "8BITMIME".to_owned()),
        (true, "SMTPUTF8".to_owned()),
        (true, "DSN".to_owned()),
        (true, "CHUNKING".to_owned()),
        (true, "BINARYMIME".to_owned()),
        (true, "ENHANCEDSTATUSCODES".to_owned()),
        (true, "MT-PRIORITY".to_owned()),
        (session.service == Service::Submission, future_release(session.deps.clock.now())),
        (session.may_start_tls(), "STARTTLS".to_owned()),
        (!mechanisms.is_empty(), format!("AUTH {mechanisms}")),
        (secure && session.service != Service::Lmtp, "REQUIRETLS".to_owned()),
    ];
    list.into_iter().filter(|(offered, _)| *offered).map(|(_, line)| line).collect()
}

/// How long, and until when, a message may be held back (RFC 4865 §3).
fn future_release(now: Timestamp) -> String {
    let until = now.after(Duration::from_secs(DELAYED_SEND));
    let until = jiff::Timestamp::from_second(until.secs()).unwrap_or(jiff::Timestamp::MAX);
    format!("FUTURERELEASE {DELAYED_SEND} {until}")
}
