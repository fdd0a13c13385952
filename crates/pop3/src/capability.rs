//! What CAPA lists (RFC 2449 §6).

use anser_directory::{Mechanism, Peer, Service};

use crate::session::Session;

/// The capabilities of the session in its present state.
pub(crate) fn lines(session: &Session) -> Vec<String> {
    let mut lines: Vec<String> =
        ["TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", "EXPIRE NEVER", "UTF8 USER", "LANG"]
            .map(str::to_owned)
            .into();
    if session.takes_logins() {
        lines.push("USER".to_owned());
        lines.push(format!("SASL {}", mechanisms(session).join(" ")));
    }
    if session.maildrop.is_none() && session.offers_tls() {
        lines.push("STLS".to_owned());
    }
    lines.push("IMPLEMENTATION Anser".to_owned());
    lines
}

/// SASL mechanisms (RFC 5034), the strongest first.
pub(crate) fn mechanisms(session: &Session) -> Vec<&'static str> {
    Mechanism::offered(&Peer::of(&session.deps.directory, &session.stream, Service::Pop3)).collect()
}
