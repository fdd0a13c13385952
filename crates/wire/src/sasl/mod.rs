//! The texts of SASL mechanisms (RFC 4422). No cryptography: what to hash and compare is the caller's.
//!
//! Every function takes and gives messages after base64 decoding; [`decode_base64`] and [`encode_base64`] are strict.

mod base64;
mod oauth;
mod plain;
mod scram;

pub use base64::{decode_base64, encode_base64};
pub use oauth::{OAuthBearer, XOAuth2, oauth_error};
pub use plain::{LOGIN_PASSWORD_PROMPT, LOGIN_USER_PROMPT, Plain};
pub use scram::{ChannelBinding, ClientFinal, ClientFirst, ServerFirst, server_error, server_final};

/// Longest user name, authorization identity or token part accepted, in octets.
pub const NAME_MAX: usize = 1_024;
/// Longest OAuth bearer token accepted, in octets.
pub const TOKEN_MAX: usize = 8_192;

/// A message that does not follow its mechanism's grammar, or is over a limit. The exchange fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SaslError {
    /// What is wrong with it.
    pub text: &'static str,
}
