//! OAUTHBEARER (RFC 7628) and XOAUTH2.

use super::plain::name;
use super::scram::gs2_header;
use super::{ChannelBinding, SaslError, TOKEN_MAX};
use crate::Secret;

/// The initial response of OAUTHBEARER.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuthBearer {
    /// The user named in the GS2 header, empty if none.
    pub authzid: String,
    /// host=
    pub host: Option<String>,
    /// port=
    pub port: Option<u16>,
    /// The bearer token.
    pub token: Secret,
}

/// The initial response of XOAUTH2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XOAuth2 {
    /// user=
    pub user: String,
    /// The bearer token.
    pub token: Secret,
}

impl OAuthBearer {
    /// Reads `n,a=user,^Ahost=..^Aport=..^Aauth=Bearer ..^A^A`.
    ///
    /// Errors: a wrong frame, channel binding demanded, no bearer token, anything over its limit.
    pub fn parse(message: &[u8]) -> Result<Self, SaslError> {
        let (binding, authzid, rest) = gs2_header(message)?;
        if matches!(binding, ChannelBinding::Required(_)) {
            return Err(SaslError { text: "OAUTHBEARER has no channel binding" });
        }
        let pairs = key_values(rest.strip_prefix(b"\x01").ok_or(FRAME)?)?;
        let port = match value(&pairs, b"port") {
            Some(port) => Some(name(port)?.parse().map_err(|_| FRAME)?),
            None => None,
        };
        let host = value(&pairs, b"host").map(name).transpose()?;
        Ok(Self { authzid, host, port, token: bearer(&pairs)? })
    }
}

impl XOAuth2 {
    /// Reads `user=..^Aauth=Bearer ..^A^A`.
    ///
    /// Errors: a wrong frame, no user, no bearer token, anything over its limit.
    pub fn parse(message: &[u8]) -> Result<Self, SaslError> {
        let pairs = key_values(message)?;
        let user = name(value(&pairs, b"user").ok_or(FRAME)?)?;
        if user.is_empty() {
            return Err(SaslError { text: "Empty user name" });
        }
        Ok(Self { user, token: bearer(&pairs)? })
    }
}

/// The challenge that tells why a token was refused (RFC 7628 §3.2.2); the client answers it with one ^A and the
/// server then fails the exchange. `status` is `invalid_token`, `insufficient_scope` or an HTTP status number.
pub fn oauth_error(status: &str, scope: Option<&str>) -> String {
    let scope = scope.map(|scope| format!(",\"scope\":\"{}\"", json_escaped(scope))).unwrap_or_default();
    format!("{{\"status\":\"{}\"{scope}}}", json_escaped(status))
}

const FRAME: SaslError = SaslError { text: "Malformed OAuth message" };

fn json_escaped(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() && !matches!(c, '"' | '\\')).collect()
}

type Pair<'a> = (&'a [u8], &'a [u8]);

/// `key=value^A` any number of times, then `^A`.
fn key_values(text: &[u8]) -> Result<Vec<Pair<'_>>, SaslError> {
    if text.len() > TOKEN_MAX * 2 {
        return Err(SaslError { text: "OAuth message too long" });
    }
    let text = text.strip_suffix(b"\x01\x01").ok_or(FRAME)?;
    text.split(|&b| b == 1).map(key_value).collect()
}

fn key_value(pair: &[u8]) -> Result<Pair<'_>, SaslError> {
    let at = pair.iter().position(|&b| b == b'=').ok_or(FRAME)?;
    Ok((&pair[..at], &pair[at + 1..]))
}

fn value<'a>(pairs: &[Pair<'a>], key: &[u8]) -> Option<&'a [u8]> {
    pairs.iter().find(|(name, _)| *name == key).map(|(_, value)| *value)
}

fn bearer(pairs: &[Pair<'_>]) -> Result<Secret, SaslError> {
    let auth = value(pairs, b"auth").ok_or(FRAME)?;
    let token = match auth.split_at_checked(7) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case(b"Bearer ") => token.trim_ascii(),
        _ => return Err(FRAME),
    };
    if token.len() > TOKEN_MAX {
        return Err(SaslError { text: "Token too long" });
    }
    if token.is_empty() || !token.iter().all(u8::is_ascii_graphic) {
        return Err(FRAME);
    }
    Ok(Secret::new(token))
}
