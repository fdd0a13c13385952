//! The commands that carry no mail: RSET, NOOP, VRFY, EXPN, HELP, QUIT (RFC 5321 §4.1.1.5 to §4.1.1.10).

use anser_wire::smtp::Reply;

use crate::answer::{Answer, Stop};
use crate::deps::Service;
use crate::session::Session;

/// RSET.
pub fn rset(session: &mut Session) -> Result<Answer, Stop> {
    session.tally.idle += 1;
    session.reset();
    Ok(Answer::ok((2, 0, 0), "Ok"))
}

/// NOOP.
pub fn noop(session: &mut Session) -> Result<Answer, Stop> {
    session.tally.idle += 1;
    Ok(Answer::ok((2, 0, 0), "Ok"))
}

/// VRFY tells nothing about who exists (RFC 5321 §7.3).
pub fn vrfy(session: &mut Session) -> Result<Answer, Stop> {
    session.tally.idle += 1;
    Ok(Answer::One(Reply::new(252, Some((2, 5, 0)), "Send some mail, and I shall try to deliver it")))
}

/// EXPN is refused.
pub fn expn() -> Result<Answer, Stop> {
    Err(Stop::refused(502, (5, 5, 1), "Lists are not expanded"))
}

/// HELP.
pub fn help(session: &mut Session) -> Result<Answer, Stop> {
    session.tally.idle += 1;
    let hello = if session.service == Service::Lmtp { "LHLO" } else { "EHLO HELO" };
    let auth = if session.service == Service::Submission { " AUTH" } else { "" };
    let lines = vec![
        "The commands are".to_owned(),
        format!("{hello} MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT STARTTLS{auth}"),
    ];
    Ok(Answer::One(Reply { code: 214, enhanced: Some((2, 0, 0)), lines }))
}

/// QUIT.
pub fn quit(session: &mut Session) -> Result<Answer, Stop> {
    Err(Stop::close(221, (2, 0, 0), format!("{} says goodbye", session.deps.hostname)))
}
