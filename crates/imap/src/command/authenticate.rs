//! AUTHENTICATE (RFC 9051 §6.2.2) with PLAIN, LOGIN, SCRAM-SHA-256 and SCRAM-SHA-256-PLUS.

use anser_directory::{Mechanism, Service};
use anser_wire::Secret;
use anser_wire::imap::write::write_continuation;
use anser_wire::sasl::{
    self, ChannelBinding, ClientFinal, ClientFirst, LOGIN_PASSWORD_PROMPT, LOGIN_USER_PROMPT, Plain, SaslError,
    ServerFirst,
};

use super::login::{conclude, require_privacy, with_password};
use crate::reply::{Outcome, Reply, Trouble};
use crate::session::{Input, Session};

/// Length of the server's part of a SCRAM nonce, in characters of 5 bits.
const NONCE: usize = 32;

pub(super) async fn run(session: &mut Session, mechanism: &str, initial: Option<Secret>) -> Outcome {
    let plus = mechanism == "SCRAM-SHA-256-PLUS";
    match mechanism {
        "PLAIN" | "LOGIN" | "SCRAM-SHA-256" => require_privacy(session)?,
        "SCRAM-SHA-256-PLUS" if session.is_secure() => {}
        _ => return Ok(Reply::no("CANNOT", "This mechanism is not offered")),
    }
    let first = match initial {
        Some(first) => first.as_bytes().to_vec(),
        None => challenge(session, if mechanism == "LOGIN" { LOGIN_USER_PROMPT.as_bytes() } else { b"" }).await?,
    };
    match mechanism {
        "PLAIN" => plain(session, &first).await,
        "LOGIN" => login(session, first).await,
        _ => scram(session, &first, plus).await,
    }
}

/// Sends a challenge and reads the response to it.
async fn challenge(session: &mut Session, octets: &[u8]) -> Result<Vec<u8>, Trouble> {
    session.reader.expect_line();
    write_continuation(&mut session.out, &sasl::encode_base64(octets));
    let line = loop {
        match session.next().await? {
            Input::Line(line) => break line,
            Input::Error(_, text) => return Err(Reply::bad(text).into()),
            _ => {}
        }
    };
    if line == b"*" {
        return Err(Reply::bad("Given up").into());
    }
    sasl::decode_base64(&line).map_err(refusal)
}

fn refusal(error: SaslError) -> Trouble {
    Reply::bad(error.text).into()
}

async fn plain(session: &mut Session, message: &[u8]) -> Outcome {
    let plain = Plain::parse(message).map_err(refusal)?;
    require_own(&plain.authzid, &plain.authcid)?;
    let result = with_password(session, &plain.authcid, &plain.password).await;
    conclude(session, &plain.authcid, "PLAIN", result).await
}

async fn login(session: &mut Session, user: Vec<u8>) -> Outcome {
    let user = String::from_utf8(user).map_err(|_| Reply::bad("The user name is not UTF-8"))?;
    let password = Secret::new(challenge(session, LOGIN_PASSWORD_PROMPT.as_bytes()).await?);
    let result = with_password(session, &user, &password).await;
    conclude(session, &user, "LOGIN", result).await
}

/// Nobody acts for somebody else.
fn require_own(authzid: &str, user: &str) -> Result<(), Trouble> {
    match authzid.is_empty() || authzid.eq_ignore_ascii_case(user) {
        true => Ok(()),
        false => Err(Reply::no("AUTHORIZATIONFAILED", "You may act for yourself only").into()),
    }
}

async fn scram(session: &mut Session, message: &[u8], plus: bool) -> Outcome {
    let first = ClientFirst::parse(message).map_err(refusal)?;
    require_own(&first.authzid, &first.user)?;
    let channel = channel_data(session, &first.binding, plus)?;
    let (directory, source) = (session.deps.directory.clone(), session.peer());
    let lookup = match directory.scram_lookup(first.user.as_bytes(), Mechanism::Sha256, source).await {
        Ok(lookup) => lookup,
        Err(failure) => return conclude(session, &first.user, "SCRAM-SHA-256", Err(failure)).await,
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
    let (good, secure) = (signature.is_some(), session.is_secure());
    let result = directory.scram_finish(lookup, good, Service::Imap, source, secure).await;
    if let (Ok(_), Some(signature)) = (&result, signature) {
        challenge(session, sasl::server_final(&signature).as_bytes()).await?;
    }
    conclude(session, &first.user, if plus { "SCRAM-SHA-256-PLUS" } else { "SCRAM-SHA-256" }, result).await
}

/// What the client's proof is bound to; refuses a binding that does not fit the mechanism (RFC 5802 §6).
fn channel_data(session: &Session, binding: &ChannelBinding, plus: bool) -> Result<Vec<u8>, Trouble> {
    let tls = session.stream.tls_info();
    let data = match (binding, plus) {
        (ChannelBinding::Unsupported, false) => Some(Vec::new()),
        // The client could have bound the channel and thinks that we cannot: on a plain connection it is right.
        (ChannelBinding::NotOffered, false) if tls.is_none() => Some(Vec::new()),
        (ChannelBinding::Required(name), true) => tls.and_then(|tls| match name.as_str() {
            "tls-exporter" => tls.binding.exporter.map(Vec::from),
            "tls-server-end-point" => tls.binding.server_end_point.clone(),
            _ => None,
        }),
        _ => None,
    };
    data.ok_or_else(|| Reply::no("AUTHENTICATIONFAILED", "The channel binding does not fit").into())
}
