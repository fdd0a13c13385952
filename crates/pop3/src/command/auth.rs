//! AUTH (RFC 1734, RFC 5034). The mechanisms are [`anser_directory::sasl`]'s.

use anser_directory::{Exchange, Mechanism, Peer, Service, Step};
use anser_wire::Secret;
use anser_wire::sasl;

use super::login::{conclude, require_privacy};
use crate::capability;
use crate::reply::{Outcome, Reply, Trouble};
use crate::session::Session;

/// AUTH alone: some clients ask so for the mechanisms.
pub(super) async fn list(session: &mut Session) -> Outcome {
    require_privacy(session)?;
    let mechanisms = capability::mechanisms(session).join("\r\n");
    session.reply(&Reply::ok("mechanisms follow", "认证机制列表")).await?;
    session.write(format!("{mechanisms}\r\n.\r\n").as_bytes()).await?;
    Ok(Reply::Written)
}

pub(super) async fn run(session: &mut Session, mechanism: &str, initial: Option<Secret>) -> Outcome {
    require_privacy(session)?;
    let peer = Peer::of(&session.deps.directory, &session.stream, Service::Pop3);
    let Some(mechanism) = Mechanism::named(mechanism, &peer) else {
        return Err(Trouble::Bad(Reply::err("this mechanism is not offered", "不支持该认证机制")));
    };
    let mut exchange = Exchange::new(&session.deps.directory, mechanism, peer);
    let mut step = exchange.begin(initial.as_ref().map(Secret::as_bytes)).await;
    loop {
        step = match step {
            Step::Challenge(octets) => {
                let response = challenge(session, &octets).await?;
                exchange.respond(response.as_deref()).await
            }
            Step::Done(verdict) => {
                return conclude(session, exchange.user(), exchange.mechanism().name(), verdict).await;
            }
            Step::Malformed(text) => return Err(Trouble::Bad(Reply::err(text.en, text.zh))),
            Step::Cancelled => return Err(Trouble::Bad(Reply::err("given up", "已取消认证"))),
        }
    }
}

/// Sends a challenge and reads the response to it; `None` for `*`.
async fn challenge(session: &mut Session, octets: &[u8]) -> Result<Option<Vec<u8>>, Trouble> {
    session.write(format!("+ {}\r\n", sasl::encode_base64(octets)).as_bytes()).await?;
    let line = session.read_line().await?;
    if line == b"*" {
        return Ok(None);
    }
    let decoded = sasl::decode_base64(&line);
    decoded.map(Some).map_err(|error| Trouble::Bad(Reply::err(error.text, "认证数据格式错误")))
}
