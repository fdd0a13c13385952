//! MAIL FROM and RCPT TO with their parameters.

use super::path::{self, ForwardPath, Mailbox};
use super::xtext::{xtext_decode, xtext_encode};
use super::{COMMAND_LINE_MAX, CommandError, ENVID_MAX, ORCPT_MAX, PARAMETERS_MAX};

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

/// When a message is to be sent that is submitted now (RFC 4865 §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// HOLDFOR=, in seconds.
    For(u64),
    /// HOLDUNTIL=, in seconds since 1970.
    Until(i64),
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
    /// MT-PRIORITY=, −9 to 9 (RFC 6710).
    pub priority: Option<i8>,
    /// HOLDFOR= or HOLDUNTIL= (RFC 4865).
    pub hold: Option<Hold>,
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

impl MailFrom {
    /// Parses what follows MAIL.
    pub(super) fn parse(argument: &str) -> Result<Self, CommandError> {
        let (inner, rest) = path::bracketed(after_keyword(argument, "FROM:")?)?;
        let mut mail = Self { path: path::reverse_path(inner)?, ..Self::default() };
        for parameter in parameters(rest)? {
            mail.take(parameter)?;
        }
        match &mail.path {
            Some(path) if path.needs_smtputf8() && !mail.smtputf8 => Err(NEEDS_SMTPUTF8),
            _ => Ok(mail),
        }
    }

    fn take(&mut self, parameter: Parameter) -> Result<(), CommandError> {
        let Parameter { name, value } = &parameter;
        match (name.as_str(), value.as_deref()) {
            ("SIZE", Some(value)) => set(&mut self.size, number(value)),
            ("BODY", Some(value)) => set(&mut self.body, body_type(value)),
            ("RET", Some(value)) => set(&mut self.ret, ret(value)),
            ("ENVID", Some(value)) => set(&mut self.envid, envid(value)),
            ("AUTH", Some(value)) => set(&mut self.auth, xtext(value)),
            ("MT-PRIORITY", Some(value)) => set(&mut self.priority, priority(value)),
            ("HOLDFOR", Some(value)) => set(&mut self.hold, hold_for(value)),
            ("HOLDUNTIL", Some(value)) => set(&mut self.hold, hold_until(value)),
            ("SMTPUTF8", None) => set_true(&mut self.smtputf8),
            ("REQUIRETLS", None) => set_true(&mut self.requiretls),
            ("SIZE" | "BODY" | "RET" | "ENVID" | "AUTH" | "SMTPUTF8" | "REQUIRETLS", _) => Err(BAD_VALUE),
            ("MT-PRIORITY" | "HOLDFOR" | "HOLDUNTIL", _) => Err(BAD_VALUE),
            _ => {
                self.other.push(parameter);
                Ok(())
            }
        }
    }

    /// The command line without CRLF, for the client; only the parameters that are set.
    ///
    /// Errors: a control character or `>` out of place somewhere, so that no second command can be smuggled in.
    pub fn to_line(&self) -> Result<String, CommandError> {
        let path = self.path.as_ref().map(Mailbox::to_string).unwrap_or_default();
        let mut line = format!("MAIL FROM:<{path}>");
        if let Some(size) = self.size {
            line.push_str(&format!(" SIZE={size}"));
        }
        if let Some(body) = self.body {
            line.push_str(body_name(body));
        }
        for (set, text) in [(self.smtputf8, " SMTPUTF8"), (self.requiretls, " REQUIRETLS")] {
            line.push_str(if set { text } else { "" });
        }
        if let Some(priority) = self.priority {
            line.push_str(&format!(" MT-PRIORITY={priority}"));
        }
        match self.hold {
            Some(Hold::For(seconds)) => line.push_str(&format!(" HOLDFOR={seconds}")),
            Some(Hold::Until(at)) => {
                let at = jiff::Timestamp::from_second(at).map_err(|_| BAD_VALUE)?;
                line.push_str(&format!(" HOLDUNTIL={at}"));
            }
            None => {}
        }
        if let Some(ret) = self.ret {
            line.push_str(if ret == Ret::Full { " RET=FULL" } else { " RET=HDRS" });
        }
        for (name, value) in [("ENVID", &self.envid), ("AUTH", &self.auth)] {
            if let Some(value) = value {
                line.push_str(&format!(" {name}={}", xtext_encode(value.as_bytes())));
            }
        }
        finished(line, &self.other, |line| Self::parse(line.strip_prefix("MAIL ")?).ok())
    }
}

impl RcptTo {
    /// Parses what follows RCPT.
    pub(super) fn parse(argument: &str, smtputf8: bool) -> Result<Self, CommandError> {
        let (inner, rest) = path::bracketed(after_keyword(argument, "TO:")?)?;
        let mut rcpt = Self {
            path: path::forward_path(inner).map_err(bad_recipient)?,
            notify: None,
            orcpt: None,
            other: Vec::new(),
        };
        for parameter in parameters(rest)? {
            rcpt.take(parameter)?;
        }
        match &rcpt.path {
            ForwardPath::Mailbox(path) if path.needs_smtputf8() && !smtputf8 => Err(NEEDS_SMTPUTF8),
            _ => Ok(rcpt),
        }
    }

    fn take(&mut self, parameter: Parameter) -> Result<(), CommandError> {
        let Parameter { name, value } = &parameter;
        match (name.as_str(), value.as_deref()) {
            ("NOTIFY", Some(value)) => set(&mut self.notify, notify(value)),
            ("ORCPT", Some(value)) => set(&mut self.orcpt, orcpt(value)),
            ("NOTIFY" | "ORCPT", None) => Err(BAD_VALUE),
            _ => {
                self.other.push(parameter);
                Ok(())
            }
        }
    }

    /// The command line without CRLF, for the client; only the parameters that are set.
    ///
    /// Errors: a control character or `>` out of place somewhere, so that no second command can be smuggled in.
    pub fn to_line(&self) -> Result<String, CommandError> {
        let mut line = match &self.path {
            ForwardPath::Mailbox(path) => format!("RCPT TO:<{path}>"),
            ForwardPath::Postmaster => "RCPT TO:<postmaster>".to_owned(),
        };
        if let Some(notify) = self.notify {
            line.push_str(&format!(" NOTIFY={}", notify_value(notify)));
        }
        if let Some((kind, address)) = &self.orcpt {
            line.push_str(&format!(" ORCPT={kind};{}", xtext_encode(address.as_bytes())));
        }
        finished(line, &self.other, |line| Self::parse(line.strip_prefix("RCPT ")?, true).ok())
    }
}

const BAD_VALUE: CommandError = CommandError::arguments("Bad value of a parameter");
const REPEATED: CommandError = CommandError::arguments("A parameter is given twice");
const NEEDS_SMTPUTF8: CommandError = CommandError::new(553, (5, 6, 7), "That address needs SMTPUTF8");

/// The same error about a recipient: X.1.3 in place of X.1.7.
fn bad_recipient(error: CommandError) -> CommandError {
    CommandError { enhanced: (5, 1, 3), ..error }
}

/// Adds the other parameters and has the server's own parser read the line back: what it refuses is not sent.
fn finished<T>(
    mut line: String,
    other: &[Parameter],
    parse: impl Fn(&str) -> Option<T>,
) -> Result<String, CommandError> {
    for Parameter { name, value } in other {
        line.push_str(&format!(" {name}"));
        if let Some(value) = value {
            line.push_str(&format!("={value}"));
        }
    }
    let clean = !line.chars().any(char::is_control) && line.len() + 2 <= COMMAND_LINE_MAX && parse(&line).is_some();
    if clean { Ok(line) } else { Err(CommandError::arguments("That cannot be written as a command")) }
}

/// What follows `FROM:` or `TO:`. A space behind the colon is common and forgiven.
fn after_keyword<'a>(argument: &'a str, keyword: &str) -> Result<&'a str, CommandError> {
    match argument.split_at_checked(keyword.len()) {
        Some((head, tail)) if head.eq_ignore_ascii_case(keyword) => Ok(tail.trim_start_matches(' ')),
        _ => Err(CommandError::arguments("FROM:<address> or TO:<address> is wanted")),
    }
}

fn parameters(text: &str) -> Result<Vec<Parameter>, CommandError> {
    if !text.is_empty() && !text.starts_with(' ') {
        return Err(CommandError::arguments("A space is wanted behind the address"));
    }
    let list: Vec<_> = text.split(' ').filter(|word| !word.is_empty()).take(PARAMETERS_MAX + 1).collect();
    if list.len() > PARAMETERS_MAX {
        return Err(CommandError::arguments("Too many parameters"));
    }
    list.into_iter().map(parameter).collect()
}

fn parameter(word: &str) -> Result<Parameter, CommandError> {
    let (name, value) = match word.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (word, None),
    };
    let good_name = name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let good_value = value.is_none_or(|value| !value.is_empty() && !value.chars().any(|c| c.is_control() || c == '='));
    if !good_name || !good_value {
        return Err(CommandError::arguments("Bad parameter"));
    }
    Ok(Parameter { name: name.to_ascii_uppercase(), value: value.map(str::to_owned) })
}

fn set<T>(slot: &mut Option<T>, value: Option<T>) -> Result<(), CommandError> {
    if slot.is_some() {
        return Err(REPEATED);
    }
    *slot = Some(value.ok_or(BAD_VALUE)?);
    Ok(())
}

fn set_true(slot: &mut bool) -> Result<(), CommandError> {
    if std::mem::replace(slot, true) { Err(REPEATED) } else { Ok(()) }
}

/// Digits and nothing else; `None` also where they overflow.
pub(super) fn number(text: &str) -> Option<u64> {
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// RFC 6710 §3: a digit, with a sign that says something.
fn priority(value: &str) -> Option<i8> {
    let digits = value.strip_prefix('-').unwrap_or(value);
    let is_plain = digits.len() == 1 && digits.bytes().all(|b| b.is_ascii_digit()) && value != "-0";
    if is_plain { value.parse().ok() } else { None }
}

/// RFC 4865 §4: up to nine digits, no zero before them.
fn hold_for(value: &str) -> Option<Hold> {
    let fits = value.len() <= 9 && !value.starts_with('0');
    number(value).filter(|_| fits).map(Hold::For)
}

/// RFC 4865 §4: a date-time of RFC 3339 with its zone.
fn hold_until(value: &str) -> Option<Hold> {
    let at: jiff::Timestamp = value.parse().ok()?;
    Some(Hold::Until(at.as_second()))
}

fn body_type(value: &str) -> Option<BodyType> {
    let all = [BodyType::SevenBit, BodyType::EightBitMime, BodyType::BinaryMime];
    all.into_iter().find(|&body| body_name(body)[" BODY=".len()..].eq_ignore_ascii_case(value))
}

fn body_name(body: BodyType) -> &'static str {
    match body {
        BodyType::SevenBit => " BODY=7BIT",
        BodyType::EightBitMime => " BODY=8BITMIME",
        BodyType::BinaryMime => " BODY=BINARYMIME",
    }
}

fn ret(value: &str) -> Option<Ret> {
    match value.to_ascii_uppercase().as_str() {
        "FULL" => Some(Ret::Full),
        "HDRS" => Some(Ret::Hdrs),
        _ => None,
    }
}

fn envid(value: &str) -> Option<String> {
    xtext(value).filter(|envid| envid.len() <= ENVID_MAX)
}

/// Decoded xtext that is safe to log and to write into a notification.
fn xtext(value: &str) -> Option<String> {
    let text = String::from_utf8(xtext_decode(value)?).ok()?;
    if text.chars().any(char::is_control) { None } else { Some(text) }
}

/// `type;address`. Under SMTPUTF8 the address may stand in plain UTF-8 (RFC 6533 §3), which is taken as it is.
fn orcpt(value: &str) -> Option<(String, String)> {
    let (kind, address) = value.split_once(';')?;
    let atom = !kind.is_empty() && kind.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if !atom || value.len() > ORCPT_MAX {
        return None;
    }
    let address = if address.is_ascii() { xtext(address)? } else { address.to_owned() };
    Some((kind.to_ascii_lowercase(), address))
}

fn notify(value: &str) -> Option<Notify> {
    if value.eq_ignore_ascii_case("NEVER") {
        return Some(Notify::default());
    }
    let mut notify = Notify::default();
    for word in value.split(',') {
        match word.to_ascii_uppercase().as_str() {
            "SUCCESS" => notify.success = true,
            "FAILURE" => notify.failure = true,
            "DELAY" => notify.delay = true,
            _ => return None,
        }
    }
    Some(notify)
}

fn notify_value(notify: Notify) -> String {
    let all = [(notify.success, "SUCCESS"), (notify.failure, "FAILURE"), (notify.delay, "DELAY")];
    let words: Vec<_> = all.into_iter().filter(|(wanted, _)| *wanted).map(|(_, word)| word).collect();
    if words.is_empty() { "NEVER".to_owned() } else { words.join(",") }
}
