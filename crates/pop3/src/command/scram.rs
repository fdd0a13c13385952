//! SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677).

use std::time::Duration;

use anser_base::Error;
use anser_directory::{Mechanism, Service};
use anser_wire::sasl::{self, ChannelBinding, ClientFinal, ClientFirst, ServerFirst};

use super::auth::{challenge, is_own, refusal, refuse_other};
use super::login::{conclude, refuse};
use crate::reply::{Code, Outcome};
use crate::session::Session;

/// Characters of the server's part of a nonce, 5 random bits each.
const NONCE: usize = 26;

pub(super) async fn run(session: &mut Session, message: &[u8], mechanism: &str) -> Outcome {
    let first = ClientFirst::parse(message).map_err(refusal)?;
    if !is_own(&first.authzid, &first.user) {
        return refuse_other(session).await;
    }
    let Some(channel) = channel_data(session, &first.binding, mechanism.ends_with("-PLUS")) else {
        let error = Error::invalid("the channel binding does not fit", "信道绑定不匹配");
        return refuse(session, Code::Auth, error, Duration::ZERO).await;
    };
    let (directory, source) = (session.deps.directory.clone(), session.peer());
    let lookup = match directory.scram_lookup(first.user.as_bytes(), Mechanism::Sha256, source).await {
        Ok(lookup) => lookup,
        Err(failure) => return conclude(session, &first.user, mechanism, Err(failure)).await,
    };
    let server = ServerFirst {
        nonce: format!("{}{}", first.nonce, session.deps.entropy.token(NONCE)),
        salt: lookup.keys.salt.to_vec(),
        iterations: lookup.keys.iterations,
    };
    let response = challenge(session, server.to_message().as_bytes()).await?;
    let last = ClientFinal::parse(&response).map_err(refusal)?;
    let spoken = format!("{},{},{}", first.bare, server.to_message(), last.without_proof);
    let bound = last.nonce == server.nonce && last.binds(&first, &channel);
    let signature = lookup.keys.verify(spoken.as_bytes(), &last.proof).filter(|_| bound);
    let (good, secure) = (signature.is_some(), session.stream.is_secure());
    let result = directory.scram_finish(lookup, good, Service::Pop3, source, secure).await;
    if let (Ok(_), Some(signature)) = (&result, signature) {
        // POP3 has no room for data beside +OK, so it is one more challenge, answered by an empty line (RFC 5034 §4).
        challenge(session, sasl::server_final(&signature).as_bytes()).await?;
    }
    conclude(session, &first.user, mechanism, result).await
}

/// What the client's proof is bound to; `None` for a binding that does not fit the mechanism (RFC 5802 §6).
fn channel_data(session: &Session, binding: &ChannelBinding, plus: bool) -> Option<Vec<u8>> {
    let tls = session.stream.tls_info();
    match (binding, plus) {
        (ChannelBinding::Unsupported, false) => Some(Vec::new()),
        // The client could have bound the channel and thinks that we cannot: on a plain connection it is right.
        (ChannelBinding::NotOffered, false) if tls.is_none() => Some(Vec::new()),
        (ChannelBinding::Required(name), true) => tls.and_then(|tls| match name.as_str() {
            "tls-exporter" => tls.binding.exporter.map(Vec::from),
            "tls-server-end-point" => tls.binding.server_end_point.clone(),
            _ => None,
        }),
        _ => None,
    }
}
