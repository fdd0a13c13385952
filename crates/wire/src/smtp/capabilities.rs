//! What a server said to EHLO.

/// The extensions that a server offers (RFC 5321 §4.1.1.1).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Capabilities {
    /// The server's name from the first line.
    pub domain: String,
    /// SIZE: `None` not offered, `Some(0)` offered without a limit, otherwise octets.
    pub size: Option<u64>,
    /// 8BITMIME
    pub eight_bit_mime: bool,
    /// PIPELINING
    pub pipelining: bool,
    /// CHUNKING
    pub chunking: bool,
    /// BINARYMIME
    pub binary_mime: bool,
    /// SMTPUTF8
    pub smtputf8: bool,
    /// STARTTLS
    pub starttls: bool,
    /// DSN
    pub dsn: bool,
    /// ENHANCEDSTATUSCODES
    pub enhanced_status_codes: bool,
    /// REQUIRETLS
    pub requiretls: bool,
    /// AUTH mechanisms in upper case.
    pub auth: Vec<String>,
    /// Every other line as sent.
    pub other: Vec<String>,
}
