//! Strict base64 (RFC 4648 §4): canonical padding, no line breaks, nothing else.

use super::SaslError;
use ::base64::Engine;
use ::base64::engine::general_purpose::STANDARD;

/// Decodes one base64 text, as SASL sends it in SMTP, IMAP and POP3.
///
/// Errors: any character outside the alphabet, missing or superfluous padding, stray bits.
pub fn decode_base64(text: &[u8]) -> Result<Vec<u8>, SaslError> {
    STANDARD.decode(text).map_err(|_| SaslError { text: "Not base64" })
}

/// Encodes octets as padded base64.
pub fn encode_base64(octets: &[u8]) -> String {
    STANDARD.encode(octets)
}
