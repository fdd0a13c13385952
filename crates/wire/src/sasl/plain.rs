//! PLAIN (RFC 4616) and LOGIN.

use super::{NAME_MAX, SaslError};
use crate::Secret;

/// The first prompt of LOGIN, before base64.
pub const LOGIN_USER_PROMPT: &str = "Username:";
/// The second prompt of LOGIN, before base64.
pub const LOGIN_PASSWORD_PROMPT: &str = "Password:";

/// The one message of PLAIN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plain {
    /// As whom to act; empty for the user's own identity.
    pub authzid: String,
    /// Who logs in.
    pub authcid: String,
    /// The password.
    pub password: Secret,
}

impl Plain {
    /// Reads `authzid NUL authcid NUL passwd`.
    ///
    /// Errors: not three parts, an empty authcid or password, names that are not UTF-8, a part over [`NAME_MAX`].
    pub fn parse(message: &[u8]) -> Result<Self, SaslError> {
        let mut parts = message.split(|&b| b == 0);
        let (Some(authzid), Some(authcid), Some(password), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(SaslError { text: "PLAIN wants three parts" });
        };
        if authcid.is_empty() || password.is_empty() {
            return Err(SaslError { text: "Empty user name or password" });
        }
        if password.len() > NAME_MAX {
            return Err(SaslError { text: "Password too long" });
        }
        Ok(Self { authzid: name(authzid)?, authcid: name(authcid)?, password: Secret::new(password) })
    }
}

/// A name of a SASL message: UTF-8 of at most [`NAME_MAX`] octets without control characters.
pub fn name(octets: &[u8]) -> Result<String, SaslError> {
    if octets.len() > NAME_MAX {
        return Err(SaslError { text: "Name too long" });
    }
    let text = std::str::from_utf8(octets).map_err(|_| SaslError { text: "Name is not UTF-8" })?;
    if text.chars().any(char::is_control) {
        return Err(SaslError { text: "Control character in name" });
    }
    Ok(text.to_owned())
}
