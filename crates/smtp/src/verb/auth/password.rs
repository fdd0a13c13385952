//! PLAIN (RFC 4616) and LOGIN: the password itself.

use anser_directory::{Attempt, Service};
use anser_wire::Secret;
use anser_wire::sasl::{LOGIN_PASSWORD_PROMPT, LOGIN_USER_PROMPT, NAME_MAX, Plain, SaslError};

use super::{Claim, challenge, first, malformed};
use crate::answer::Stop;
use crate::session::Session;

/// PLAIN: one message.
pub async fn plain(session: &mut Session, initial: Option<Secret>) -> Result<Claim, Stop> {
    let response = first(session, initial).await?;
    let Plain { authzid, authcid, password } = Plain::parse(response.as_bytes()).map_err(malformed)?;
    Ok(Claim { authzid, ..verify(session, authcid, &password).await })
}

/// LOGIN: the name, then the password. The name may come with the command.
pub async fn login(session: &mut Session, initial: Option<Secret>) -> Result<Claim, Stop> {
    let name = match initial {
        Some(name) => name,
        None => challenge(session, LOGIN_USER_PROMPT.as_bytes()).await?,
    };
    let user = name.as_str().filter(|name| is_name(name)).ok_or_else(bad_name)?.to_owned();
    let password = challenge(session, LOGIN_PASSWORD_PROMPT.as_bytes()).await?;
    if password.as_bytes().is_empty() || password.as_bytes().len() > NAME_MAX {
        return Err(malformed(SaslError { text: "Empty or over-long password" }));
    }
    Ok(verify(session, user, &password).await)
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= NAME_MAX && !name.chars().any(char::is_control)
}

fn bad_name() -> Stop {
    malformed(SaslError { text: "Bad user name" })
}

async fn verify(session: &Session, user: String, password: &Secret) -> Claim {
    let attempt = Attempt {
        name: user.as_bytes(),
        password: password.as_bytes(),
        service: Service::Submission,
        source: session.source(),
        tls: session.stream.is_secure(),
    };
    let verdict = session.deps.directory.authenticate(attempt).await;
    Claim { user, authzid: String::new(), verdict }
}
