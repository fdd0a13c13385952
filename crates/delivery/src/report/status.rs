//! The parts for programs.

use anser_base::Timestamp;
use anser_mime::build::Entity;
use anser_mime::date::{DateTime, format_rfc5322};

use super::{Action, Report, Told};

/// The words between a server's name and its reply in an explanation.
const SAID: &str = " said: ";

/// What an expired recipient has: delivery time expired (RFC 3463 §3.5).
const EXPIRED: &str = "4.4.7";

/// The part `message/delivery-status` (RFC 3464 §2). All US-ASCII, with the escapes of RFC 6533 §3 for other addresses, so
/// that every server on the way back takes it.
pub(super) fn entity(report: &Report<'_>, told: &[Told<'_>]) -> Entity {
    let (deps, envelope) = (&report.delivery.deps, &report.entry.envelope);
    let mut first = vec![("Reporting-MTA", format!("dns; {}", deps.hostname))];
    if let Some(envid) = &envelope.envid {
        first.push(("Original-Envelope-Id", escaped(envid)));
    }
    first.push(("Arrival-Date", date(envelope.accepted)));
    let mut groups = vec![first];
    groups.extend(told.iter().map(|told| recipient(told, deps.clock.now(), envelope.expires)));
    Entity::delivery_status(&groups)
}

/// RFC 3464 §2.3.
fn recipient(told: &Told<'_>, now: Timestamp, expires: Timestamp) -> Vec<(&'static str, String)> {
    let mut group = Vec::with_capacity(8);
    if let Some((kind, address)) = told.recipient.orcpt.as_deref().and_then(|orcpt| orcpt.split_once(';')) {
        group.push(("Original-Recipient", format!("{kind}; {}", escaped(address))));
    }
    let address = &told.recipient.address;
    let kind = if address.is_ascii() { "rfc822" } else { "utf-8" };
    group.push(("Final-Recipient", format!("{kind}; {}", escaped(&address.to_string()))));
    group.push(("Action", action(told.action).to_owned()));
    group.push(("Status", status(told)));
    if let Some((host, _)) = said(told.why) {
        group.push(("Remote-MTA", format!("dns; {}", escaped(host))));
    }
    if !told.why.is_empty() {
        group.push(("Diagnostic-Code", diagnostic(told.why)));
    }
    group.push(("Last-Attempt-Date", date(now)));
    if told.action == Action::Delayed {
        group.push(("Will-Retry-Until", date(expires)));
    }
    group
}

fn action(action: Action) -> &'static str {
    match action {
        Action::Failed { .. } => "failed",
        Action::Delayed => "delayed",
        Action::Delivered => "delivered",
        Action::Relayed => "relayed",
    }
}

/// The enhanced status code (RFC 3463).
pub(super) fn status(told: &Told<'_>) -> String {
    match told.action {
        Action::Failed { expired: true } => EXPIRED.to_owned(),
        Action::Failed { .. } => code(told.why).unwrap_or("5.0.0").to_owned(),
        Action::Delayed => code(told.why).unwrap_or("4.0.0").to_owned(),
        Action::Delivered | Action::Relayed => "2.0.0".to_owned(),
    }
}

/// The code that an explanation begins with.
pub(super) fn code(why: &str) -> Option<&str> {
    let word = why.split(' ').next()?;
    let mut parts = word.split('.');
    let is_number =
        |part: Option<&str>| part.is_some_and(|p| (1..=3).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_digit()));
    let is_code = matches!(parts.next(), Some("4" | "5")) && is_number(parts.next()) && is_number(parts.next());
    (is_code && parts.next().is_none()).then_some(word)
}

/// Which server said what, where the explanation quotes one.
pub(super) fn said(why: &str) -> Option<(&str, &str)> {
    let (host, reply) = why.get(code(why)?.len() + 1..)?.split_once(SAID)?;
    let is_host = !host.is_empty() && !host.contains(' ');
    is_host.then_some((host, reply))
}

/// RFC 3464 §2.3.6.
fn diagnostic(why: &str) -> String {
    match said(why) {
        Some((_, reply)) => format!("smtp; {}", escaped(reply)),
        None => format!("x-anser; {}", escaped(why)),
    }
}

/// Text in US-ASCII: `\x{5B57}` for what is none of it (RFC 6533 §3, `utf-8-addr-xtext`).
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            ' '..='~' => out.push(c),
            c if c.is_control() => out.push(' '),
            c => out.push_str(&format!("\\x{{{:X}}}", u32::from(c))),
        }
    }
    out
}

fn date(at: Timestamp) -> String {
    format_rfc5322(DateTime { unix: at.secs(), offset_minutes: 0 })
}

/// The header of the message. An internationalized one travels encoded, as RFC 6532 §3.7 allows for these types alone.
pub(super) fn header(block: &[u8]) -> Entity {
    match block.is_ascii() {
        true => Entity::rfc822_headers(block),
        false => Entity::attachment("message/global-headers", "headers.u8hdr", block),
    }
}

/// The whole message.
pub(super) fn whole(message: &[u8], has_ascii_header: bool) -> Entity {
    match has_ascii_header {
        true => Entity::rfc822(message),
        false => Entity::attachment("message/global", "message.u8msg", message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn explanations_are_taken_apart() {
        assert_eq!(code("5.1.1 no such mailbox here"), Some("5.1.1"));
        for none in ["", "no", "5.1 no", "5.1.1.1 no", "2.1.5 ok", "5.1234.1 no", "5.x.1"] {
            assert_eq!(code(none), None, "{none}");
        }
        assert_eq!(said("5.1.1 mx.test said: 550 he said: no"), Some(("mx.test", "550 he said: no")));
        assert_eq!(said("4.4.1 no answer from mx.test said: x"), None);
        assert_eq!(said("5.1.1"), None);
    }

    #[test]
    fn addresses_become_ascii() {
        assert_eq!(escaped("陈@例子.中国"), r"\x{9648}@\x{4F8B}\x{5B50}.\x{4E2D}\x{56FD}");
        assert_eq!(escaped("a\r\nB: c"), "a  B: c");
    }
}
