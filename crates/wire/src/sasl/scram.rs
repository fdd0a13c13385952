//! SCRAM (RFC 5802, RFC 7677), server side.

use super::plain::name;
use super::{NAME_MAX, SaslError, decode_base64, encode_base64};

/// What the client says of channel binding in its GS2 header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChannelBinding {
    /// `n`: the client does not support it.
    Unsupported,
    /// `y`: the client does, and believes that the server does not. A server that offered a -PLUS mechanism must fail
    /// the exchange, since someone removed it from the list.
    NotOffered,
    /// `p=name`: the client binds to this type of channel.
    Required(String),
}

/// client-first-message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientFirst {
    /// Channel binding.
    pub binding: ChannelBinding,
    /// As whom to act, empty for the user's own identity.
    pub authzid: String,
    /// Who logs in, with `=2C` and `=3D` undone.
    pub user: String,
    /// The client's nonce.
    pub nonce: String,
    /// The GS2 header as sent, which client-final repeats.
    pub gs2_header: String,
    /// client-first-message-bare, the first part of AuthMessage.
    pub bare: String,
}

/// server-first-message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerFirst {
    /// The client's nonce followed by the server's own.
    pub nonce: String,
    /// The salt, not yet in base64.
    pub salt: Vec<u8>,
    /// Iterations of the key derivation.
    pub iterations: u32,
}

/// client-final-message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientFinal {
    /// `c=` decoded: the GS2 header and, with `p`, the channel's data.
    pub channel_binding: Vec<u8>,
    /// The combined nonce, to be compared with the one sent.
    pub nonce: String,
    /// ClientProof.
    pub proof: Vec<u8>,
    /// client-final-message-without-proof, the last part of AuthMessage.
    pub without_proof: String,
}

impl ClientFirst {
    /// Reads `gs2-header [m=..,]n=user,r=nonce[,extensions]`.
    ///
    /// Errors: a wrong frame, mandatory extensions (`m=`), an empty name or nonce, anything over [`NAME_MAX`].
    pub fn parse(message: &[u8]) -> Result<Self, SaslError> {
        let (binding, authzid, rest) = gs2_header(message)?;
        let header_length = message.len() - rest.len();
        let bare = text(rest)?;
        let mut attributes = bare.split(',');
        let user = attribute(attributes.next(), "n=")?;
        let nonce = attribute(attributes.next(), "r=")?;
        if user.is_empty() || !is_nonce(nonce) {
            return Err(FRAME);
        }
        Ok(Self {
            binding,
            authzid,
            user: sasl_name(user)?,
            nonce: nonce.to_owned(),
            gs2_header: text(&message[..header_length])?.to_owned(),
            bare: bare.to_owned(),
        })
    }
}

impl ServerFirst {
    /// The message: `r=..,s=..,i=..`, the middle part of AuthMessage.
    pub fn to_message(&self) -> String {
        format!("r={},s={},i={}", self.nonce, encode_base64(&self.salt), self.iterations)
    }
}

impl ClientFinal {
    /// Reads `c=..,r=..[,extensions],p=..`.
    ///
    /// Errors: a wrong frame, base64 that is none, anything over its limit.
    pub fn parse(message: &[u8]) -> Result<Self, SaslError> {
        let message = text(message)?;
        let (without_proof, proof) = message.rsplit_once(",p=").ok_or(FRAME)?;
        let mut attributes = without_proof.split(',');
        let channel_binding = decode_base64(attribute(attributes.next(), "c=")?.as_bytes())?;
        let nonce = attribute(attributes.next(), "r=")?;
        if !is_nonce(nonce) {
            return Err(FRAME);
        }
        Ok(Self {
            channel_binding,
            nonce: nonce.to_owned(),
            proof: decode_base64(proof.as_bytes())?,
            without_proof: without_proof.to_owned(),
        })
    }

    /// Whether `c=` is what the first message promised: its GS2 header followed by `channel_data`, which is the data
    /// of the TLS channel with [`ChannelBinding::Required`] and empty otherwise.
    pub fn binds(&self, first: &ClientFirst, channel_data: &[u8]) -> bool {
        let header = first.gs2_header.as_bytes();
        let data = if matches!(first.binding, ChannelBinding::Required(_)) { channel_data } else { b"" };
        self.channel_binding.strip_prefix(header) == Some(data)
    }
}

/// server-final-message with the server's signature.
pub fn server_final(signature: &[u8]) -> String {
    format!("v={}", encode_base64(signature))
}

/// server-final-message of a failure; `error` is a `server-error-value` such as `invalid-proof` (RFC 5802 §7).
pub fn server_error(error: &str) -> String {
    format!("e={error}")
}

/// Reads the GS2 header (RFC 5801 §4): channel binding, authzid and what follows.
pub(super) fn gs2_header(message: &[u8]) -> Result<(ChannelBinding, String, &[u8]), SaslError> {
    let (flag, rest) = until_comma(message)?;
    let binding = match flag {
        b"n" => ChannelBinding::Unsupported,
        b"y" => ChannelBinding::NotOffered,
        _ => ChannelBinding::Required(binding_name(flag.strip_prefix(b"p=").ok_or(FRAME)?)?),
    };
    let (authzid, rest) = until_comma(rest)?;
    let authzid = match authzid {
        b"" => String::new(),
        _ => sasl_name(&name(authzid.strip_prefix(b"a=").ok_or(FRAME)?)?)?,
    };
    Ok((binding, authzid, rest))
}

const FRAME: SaslError = SaslError { text: "Malformed SCRAM message" };

fn until_comma(text: &[u8]) -> Result<(&[u8], &[u8]), SaslError> {
    let at = text.iter().take(NAME_MAX * 2).position(|&b| b == b',').ok_or(FRAME)?;
    Ok((&text[..at], &text[at + 1..]))
}

fn binding_name(octets: &[u8]) -> Result<String, SaslError> {
    let good = !octets.is_empty() && octets.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
    if good { name(octets) } else { Err(FRAME) }
}

fn text(octets: &[u8]) -> Result<&str, SaslError> {
    if octets.len() > NAME_MAX * 4 {
        return Err(SaslError { text: "SCRAM message too long" });
    }
    std::str::from_utf8(octets).map_err(|_| FRAME)
}

fn attribute<'a>(attribute: Option<&'a str>, name: &str) -> Result<&'a str, SaslError> {
    attribute.and_then(|text| text.strip_prefix(name)).ok_or(FRAME)
}

fn is_nonce(nonce: &str) -> bool {
    !nonce.is_empty() && nonce.len() <= NAME_MAX && nonce.bytes().all(|b| b.is_ascii_graphic() && b != b',')
}

/// Undoes `=2C` and `=3D` of saslname; any other use of `=` is an error.
fn sasl_name(text: &str) -> Result<String, SaslError> {
    let mut parts = text.split('=');
    let mut decoded = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (c, rest) = match part.get(..2) {
            Some("2C") => (',', &part[2..]),
            Some("3D") => ('=', &part[2..]),
            _ => return Err(FRAME),
        };
        decoded.push(c);
        decoded.push_str(rest);
    }
    name(decoded.as_bytes())
}
