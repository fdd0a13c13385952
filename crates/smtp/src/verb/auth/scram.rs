//! SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677).

use anser_directory::{Mechanism, ScramLookup, Service};
use anser_net::TlsInfo;
use anser_wire::Secret;
use anser_wire::sasl::{ChannelBinding, ClientFinal, ClientFirst, SaslError, ServerFirst, server_final};

use super::{Claim, challenge, first, malformed};
use crate::answer::Stop;
use crate::session::Session;

/// Length of the server's part of the nonce, in characters of 5 bits.
const NONCE: usize = 26;

/// Whether the connection has anything to bind to.
pub fn has_binding(session: &Session) -> bool {
    session
        .stream
        .tls_info()
        .is_some_and(|tls| tls.binding.exporter.is_some() || tls.binding.server_end_point.is_some())
}

/// The exchange; `plus` is the form with channel binding.
pub async fn scram(session: &mut Session, initial: Option<Secret>, plus: bool) -> Result<Claim, Stop> {
    let response = first(session, initial).await?;
    let opening = ClientFirst::parse(response.as_bytes()).map_err(malformed)?;
    let bound = channel_data(session, &opening.binding, plus)?;
    let lookup = match lookup(session, &opening.user).await {
        Ok(lookup) => lookup,
        Err(failure) => {
            return Ok(Claim { user: opening.user, authzid: opening.authzid, verdict: Err(failure) });
        }
    };
    let offer = ServerFirst {
        nonce: format!("{}{}", opening.nonce, session.deps.entropy.token(NONCE)),
        salt: lookup.keys.salt.to_vec(),
        iterations: lookup.keys.iterations,
    };
    let offered = offer.to_message();
    let response = challenge(session, offered.as_bytes()).await?;
    let closing = ClientFinal::parse(response.as_bytes()).map_err(malformed)?;
    let sound = closing.nonce == offer.nonce && closing.binds(&opening, &bound);
    let transcript = format!("{},{offered},{}", opening.bare, closing.without_proof);
    let signature = lookup.keys.verify(transcript.as_bytes(), &closing.proof).filter(|_| sound);
    let verdict = finish(session, lookup, signature.is_some()).await;
    if let (Ok(_), Some(signature)) = (&verdict, signature) {
        challenge(session, server_final(&signature).as_bytes()).await?;
    }
    Ok(Claim { user: opening.user, authzid: opening.authzid, verdict })
}

async fn lookup(session: &Session, user: &str) -> Result<ScramLookup, anser_directory::AuthFailure> {
    session.deps.directory.scram_lookup(user.as_bytes(), Mechanism::Sha256, session.source()).await
}

async fn finish(
    session: &Session,
    lookup: ScramLookup,
    good: bool,
) -> Result<anser_directory::Login, anser_directory::AuthFailure> {
    let (source, tls) = (session.source(), session.stream.is_secure());
    session.deps.directory.scram_finish(lookup, good, Service::Submission, source, tls).await
}

/// The octets that the client must have bound to (RFC 5802 §6). A client that could bind and believes that we cannot was lied to
/// by somebody in between.
fn channel_data(session: &Session, binding: &ChannelBinding, plus: bool) -> Result<Vec<u8>, Stop> {
    match (binding, plus) {
        (ChannelBinding::Required(name), true) => {
            let data = session.stream.tls_info().and_then(|tls| named_binding(tls, name));
            data.ok_or_else(|| mismatch("That channel binding is not available"))
        }
        (ChannelBinding::Unsupported, false) => Ok(Vec::new()),
        (ChannelBinding::NotOffered, false) if !has_binding(session) => Ok(Vec::new()),
        (ChannelBinding::NotOffered, false) => Err(mismatch("Channel binding was offered")),
        _ => Err(mismatch("The mechanism and its channel binding do not fit")),
    }
}

fn named_binding(tls: &TlsInfo, name: &str) -> Option<Vec<u8>> {
    match name {
        "tls-exporter" => tls.binding.exporter.map(Vec::from),
        "tls-server-end-point" => tls.binding.server_end_point.clone(),
        _ => None,
    }
}

fn mismatch(text: &'static str) -> Stop {
    malformed(SaslError { text })
}
