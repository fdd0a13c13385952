//! MAIL FROM and RCPT TO with their parameters.

use super::path::{self, ForwardPath, Mailbox};
use super::{CommandError, ENVID_MAX, ORCPT_MAX, PARAMETERS_MAX};

/// A parameter that this codec does not know, kept as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// The keyword in upper case.
    pub name: String,
    /// The value after `=`, if any.
    pub value: Option<String>,
}

/// The argument of BODY= (RFC 6152, RFC 3030).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyType {
    /// BODY=7BIT
    SevenBit,
    /// BODY=8BITMIME
    EightBitMime,
    /// BODY=BINARYMIME, which allows only BDAT.
    BinaryMime,
}

/// What a delivery status notification returns of the message (RFC 3461 §4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ret {
    /// RET=FULL
    Full,
    /// RET=HDRS
    Hdrs,
}

/// For what a recipient wants notifications (RFC 3461 §4.1). All false means NOTIFY=NEVER.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Notify {
    /// NOTIFY=SUCCESS
    pub success: bool,
    /// NOTIFY=FAILURE
    pub failure: bool,
    /// NOTIFY=DELAY
    pub delay: bool,
}

/// MAIL FROM (RFC 5321 §4.1.1.2).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MailFrom {
    /// The sender; `None` is the null path `<>` of bounces.
    pub path: Option<Mailbox>,
    /// SIZE= in octets (RFC 1870).
    pub size: Option<u64>,
    /// BODY=
    pub body: Option<BodyType>,
    /// SMTPUTF8 (RFC 6531).
    pub smtputf8: bool,
    /// RET=
    pub ret: Option<Ret>,
    /// ENVID= after xtext decoding.
    pub envid: Option<String>,
    /// AUTH= after xtext decoding (RFC 4954 §5); `<>` stands for "not known".
    pub auth: Option<String>,
    /// REQUIRETLS (RFC 8689).
    pub requiretls: bool,
    /// Everything else, in order. A server refuses what it does not know with 555 5.5.4.
    pub other: Vec<Parameter>,
}

/// RCPT TO (RFC 5321 §4.1.1.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RcptTo {
    /// The recipient.
    pub path: ForwardPath,
    /// NOTIFY=
    pub notify: Option<Notify>,
    /// ORCPT= : the address type and the decoded address.
    pub orcpt: Option<(String, String)>,
    /// Everything else, in order.
    pub other: Vec<Parameter>,
}
