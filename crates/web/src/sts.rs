//! The MTA-STS policy of our domains (RFC 8461): other servers are asked to verify ours.

use std::sync::Arc;

use anser_net::http::{Request, Response};
use sha2::{Digest, Sha256};

use crate::{Deps, domain};

/// How long other servers keep a policy, in seconds: a week when it binds (RFC 8461 §3.2), a day while it is tried.
const BINDING: u32 = 604_800;
const TRIED: u32 = 86_400;
/// Bytes of the hash that an id is made of, so that it has 32 digits (RFC 8461 §3.1).
const ID: usize = 16;

/// How much is asked (RFC 8461 §5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// No mail for us without a verified certificate.
    Enforce,
    /// To be told of failures, no more: as long as the certificate is new.
    #[default]
    Testing,
    /// Nothing; also the way back from the others (RFC 8461 §8.3).
    None,
}

impl Mode {
    /// `enforce`, `testing`, `none`.
    pub fn of_word(word: &str) -> Option<Self> {
        [Self::Enforce, Self::Testing, Self::None].into_iter().find(|mode| mode.word() == word)
    }

    fn word(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Testing => "testing",
            Self::None => "none",
        }
    }
}

/// The policy (RFC 8461 §3.2). All our domains have the same: mail comes to this server.
pub fn policy(hostname: &str, mode: Mode) -> String {
    let age = if mode == Mode::Enforce { BINDING } else { TRIED };
    format!("version: STSv1\r\nmode: {}\r\nmx: {hostname}\r\nmax_age: {age}\r\n", mode.word())
}

/// The text of the record at `_mta-sts.<domain>` (RFC 8461 §3.1): another one for every other policy.
pub fn record(hostname: &str, mode: Mode) -> String {
    let hash = Sha256::digest(policy(hostname, mode));
    let id: String = hash[..ID].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("v=STSv1; id={id};")
}

/// `/.well-known/mta-sts.txt` of `mta-sts.<domain>` (RFC 8461 §3.3).
pub async fn serve(deps: Arc<Deps>, request: Request) -> Response {
    let Some(name) = request.host().strip_prefix("mta-sts.") else { return crate::nothing(&request) };
    match domain::ours(&deps.directory, name).await {
        Ok(Some(_)) => Response::new(200, "text/plain", policy(&deps.hostname, deps.mta_sts)),
        Ok(None) => crate::nothing(&request),
        Err(error) => crate::failed(&request, &error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_says_what_the_rfc_wants_and_its_record_changes_with_it() {
        let policy = policy("mail.example.org", Mode::Enforce);
        assert_eq!(policy, "version: STSv1\r\nmode: enforce\r\nmx: mail.example.org\r\nmax_age: 604800\r\n");
        let records = [Mode::Enforce, Mode::Testing, Mode::None].map(|mode| record("mail.example.org", mode));
        assert!(records.iter().all(|record| record.len() == "v=STSv1; id=;".len() + 32), "{records:?}");
        assert!(records[0] != records[1] && records[1] != records[2]);
        assert_ne!(records[0], record("mx.example.org", Mode::Enforce));
    }
}
