//! What a server said to EHLO.

use super::Reply;

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
    /// MT-PRIORITY
    pub mt_priority: bool,
    /// AUTH mechanisms in upper case.
    pub auth: Vec<String>,
    /// Every other line as sent.
    pub other: Vec<String>,
}

impl Capabilities {
    /// Reads a positive reply to EHLO.
    pub fn from_reply(reply: &Reply) -> Self {
        let mut lines = reply.lines.iter();
        let greeting = lines.next().map(String::as_str).unwrap_or_default();
        let domain = greeting.split(' ').next().unwrap_or_default().to_owned();
        let mut capabilities = Self { domain, ..Self::default() };
        lines.for_each(|line| capabilities.take(line));
        capabilities
    }

    fn take(&mut self, line: &str) {
        // Old servers write AUTH=LOGIN.
        let (keyword, rest) = line.split_once([' ', '=']).unwrap_or((line, ""));
        let flag = match keyword.to_ascii_uppercase().as_str() {
            "SIZE" => return self.size = Some(rest.trim().parse().unwrap_or(0)),
            "AUTH" => return self.add_mechanisms(rest),
            "8BITMIME" => &mut self.eight_bit_mime,
            "PIPELINING" => &mut self.pipelining,
            "CHUNKING" => &mut self.chunking,
            "BINARYMIME" => &mut self.binary_mime,
            "SMTPUTF8" => &mut self.smtputf8,
            "STARTTLS" => &mut self.starttls,
            "DSN" => &mut self.dsn,
            "ENHANCEDSTATUSCODES" => &mut self.enhanced_status_codes,
            "REQUIRETLS" => &mut self.requiretls,
            "MT-PRIORITY" => &mut self.mt_priority,
            _ => return self.other.push(line.to_owned()),
        };
        *flag = true;
    }

    fn add_mechanisms(&mut self, words: &str) {
        for word in words.split_ascii_whitespace().map(str::to_ascii_uppercase) {
            if !self.auth.contains(&word) {
                self.auth.push(word);
            }
        }
    }
}
