//! What strings of each syntax must look like: checked here when the script is compiled, and by the interpreter for strings
//! that variables made.

use anser_base::Text;

use crate::compare::{Comparator, Relation};
use crate::table::{Extension, Extensions, Syntax};
use crate::template::{Template, is_identifier};

/// Bytes of a script's name and of other names (RFC 5804 §1.6 asks for 512).
pub(crate) const MAX_NAME: usize = 512;

/// Bytes of a mailbox name, all levels.
pub(crate) const MAX_MAILBOX: usize = 4_096;

/// Fields that hold addresses; the address test takes no other (RFC 5228 §5.1).
pub(crate) const ADDRESS_FIELDS: &[&str] = &[
    "from",
    "to",
    "cc",
    "bcc",
    "sender",
    "reply-to",
    // The example of RFC 5703 §4.2 looks at it in parts.
    "content-from",
    "resent-from",
    "resent-to",
    "resent-cc",
    "resent-bcc",
    "resent-sender",
    "resent-reply-to",
    "return-path",
    "errors-to",
    "return-receipt-to",
    "disposition-notification-to",
    "delivered-to",
    "envelope-to",
    "x-original-to",
    "x-envelope-to",
    "x-envelope-from",
    "x-forwarded-to",
    "x-forwarded-for",
    "apparently-to",
    "approved",
    "abuse-reports-to",
    "mail-followup-to",
    "mail-reply-to",
    "for-comment",
    "for-handling",
    "original-from",
    "author",
];

/// Parts of a date (RFC 5260 §4.2).
pub(crate) const DATE_PARTS: &[&str] = &[
    "year", "month", "day", "date", "julian", "hour", "minute", "second", "time", "iso8601", "std11", "zone", "weekday",
];

/// Checks a string as far as it is known when the script is compiled.
pub(super) fn check_template(template: &Template, syntax: Syntax, known: Extensions) -> Result<(), Text> {
    let text = match template {
        Template::Fixed(text) => text,
        Template::Parts(_) if holds_no_variables(syntax) => {
            return Err(Text::new(
                format!("the string \"{template}\" must hold no variables"),
                format!("字符串 \"{template}\" 中不能有变量"),
            ));
        }
        Template::Parts(_) => return Ok(()),
    };
    if let Some(extension) = comparator_extension(syntax, text)
        && !known.has(extension)
    {
        return Err(Text::new(
            format!("the comparator \"{text}\" is used without require \"{extension}\""),
            format!("使用比较器 \"{text}\" 前需要 require \"{extension}\""),
        ));
    }
    check(text, syntax)
}

fn holds_no_variables(syntax: Syntax) -> bool {
    use Syntax::{Comparator, Constant, Global, Relation, Variable};
    matches!(syntax, Constant | Variable | Global | Relation | Comparator)
}

/// The capability of a comparator that is not always there (RFC 5228 §2.7.3).
fn comparator_extension(syntax: Syntax, name: &str) -> Option<Extension> {
    match (syntax, name) {
        (Syntax::Comparator, "i;unicode-casemap") => Some(Extension::UnicodeCasemap),
        (Syntax::Comparator, "i;ascii-numeric") => Some(Extension::AsciiNumeric),
        _ => None,
    }
}

/// Checks a string that is known; answers the sentence to tell.
pub(crate) fn check(text: &str, syntax: Syntax) -> Result<(), Text> {
    let (en, zh) = match syntax {
        Syntax::Any | Syntax::Key => return Ok(()),
        Syntax::Constant if text.len() > MAX_NAME || text.chars().any(char::is_control) => ("a name", "名称"),
        Syntax::Header | Syntax::Field if !is_field_name(text) => ("the name of a header field", "邮件头字段名"),
        Syntax::AddressHeader if !ADDRESS_FIELDS.iter().any(|field| field.eq_ignore_ascii_case(text)) => {
            ("a header field that holds addresses", "含有地址的邮件头字段")
        }
        Syntax::Address if anser_base::Address::parse(&bare_address(text)).is_none() => ("a mail address", "邮件地址"),
        Syntax::Mailbox if !is_mailbox(text) => ("the name of a mailbox", "邮箱文件夹名"),
        Syntax::Variable if !is_variable(text) => ("the name of a variable", "变量名"),
        Syntax::Global if !is_identifier(text) => ("the name of a variable", "变量名"),
        Syntax::Relation if Relation::named(text).is_none() => {
            ("one of gt, ge, lt, le, eq and ne", "gt、ge、lt、le、eq、ne 之一")
        }
        Syntax::Comparator if Comparator::named(text).is_none() => ("a comparator", "比较器"),
        Syntax::Zone if zone_minutes(text).is_none() => ("a time zone such as +0800", "时区，例如 +0800"),
        Syntax::DatePart if !DATE_PARTS.iter().any(|part| part.eq_ignore_ascii_case(text)) => {
            ("a part of a date", "日期的组成部分")
        }
        Syntax::EnvelopePart if !["from", "to"].iter().any(|part| part.eq_ignore_ascii_case(text)) => {
            ("\"from\" or \"to\"", "\"from\" 或 \"to\"")
        }
        Syntax::Importance if !matches!(text, "1" | "2" | "3") => ("\"1\", \"2\" or \"3\"", "\"1\"、\"2\" 或 \"3\""),
        Syntax::Method if crate::mailto::parse(text).is_none() && text.starts_with("mailto:") => {
            ("a valid mailto address", "有效的 mailto 地址")
        }
        Syntax::SpecialUse if !is_special_use(text) => ("a special use such as \\Junk", "特殊用途，例如 \\Junk"),
        _ => return Ok(()),
    };
    Err(Text::new(format!("expected {en}, found \"{text}\""), format!("此处应为{zh}，却是 \"{text}\"")))
}

/// `text` without a name and angle brackets around the address (RFC 5228 §2.4.2.3 allows both forms).
pub(crate) fn bare_address(text: &str) -> String {
    let list = anser_mime::address::parse_list(text.as_bytes());
    match list.as_slice() {
        [one] if one.host.as_ref().is_some_and(|host| !host.is_empty()) && one.route.is_none() => {
            match (one.mailbox.as_deref().map(std::str::from_utf8), one.host.as_deref().map(std::str::from_utf8)) {
                (Some(Ok(local)), Some(Ok(host))) => match anser_base::Address::new(local, host) {
                    Some(address) => address.to_string(),
                    None => String::new(),
                },
                _ => String::new(),
            }
        }
        _ => String::new(),
    }
}

/// RFC 5322 §2.2, at most 998 bytes with its colon.
pub(crate) fn is_field_name(name: &str) -> bool {
    !name.is_empty() && name.len() < 998 && name.bytes().all(|b| b.is_ascii_graphic() && b != b':')
}

pub(crate) fn is_mailbox(name: &str) -> bool {
    !name.is_empty() && name.len() <= MAX_MAILBOX && !name.chars().any(char::is_control)
}

/// A variable that `set` can write: an identifier, or one in the namespace `global`.
fn is_variable(name: &str) -> bool {
    is_identifier(name)
        || name.split_once('.').is_some_and(|(space, name)| space.eq_ignore_ascii_case("global") && is_identifier(name))
}

fn is_special_use(text: &str) -> bool {
    let name = text.strip_prefix('\\').unwrap_or_default();
    !name.is_empty() && name.len() < 64 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// `+hhmm` in minutes east of UTC.
pub(crate) fn zone_minutes(text: &str) -> Option<i32> {
    let (sign, digits) = match text.as_bytes().split_first()? {
        (b'+', digits) => (1, digits),
        (b'-', digits) => (-1, digits),
        _ => return None,
    };
    if digits.len() != 4 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = digits.iter().fold(0, |number, digit| number * 10 + i32::from(digit - b'0'));
    let (hours, minutes) = (number / 100, number % 100);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}
