//! STARTTLS (RFC 3207).

use anser_wire::smtp::Reply;

use crate::answer::{Answer, Stop};
use crate::session::Session;

/// Begins TLS. All that the peer said before is forgotten, greeting included; what it sent behind the command is thrown away unread
/// (RFC 3207 §4.2, §6).
pub async fn starttls(session: &mut Session) -> Result<Answer, Stop> {
    if session.stream.is_secure() {
        return Err(Stop::refused(503, (5, 5, 1), "TLS is active already"));
    }
    let Some(acceptor) = session.deps.tls.clone() else {
        return Err(Stop::refused(502, (5, 5, 1), "TLS is not available"));
    };
    session.prompt(&Reply::new(220, Some((2, 0, 0)), "Go ahead")).await?;
    session.stream.start_tls(&acceptor).await.map_err(Stop::gone)?;
    session.hello = None;
    session.login = None;
    session.reset();
    Ok(Answer::Said)
}
