//! The Received field (RFC 5321 §4.4).

use anser_base::{Address, Timestamp};
use anser_mime::date::{DateTime, format_rfc5322};
use std::net::IpAddr;

use crate::deps::Service;
use crate::session::Session;

/// The field with its line break, for the front of the message. Nothing that the peer said gets into it but a name of letters,
/// digits, dots, hyphens, colons and brackets, and a recipient that went through the parser.
pub fn received(session: &Session, id: &str, now: Timestamp, only: Option<&Address>) -> Vec<u8> {
    let from = from_part(session);
    let hostname = &session.deps.hostname;
    let with = protocol(session);
    let tls = tls_part(session);
    let recipient = only.map(|address| format!("\r\n\tfor <{address}>")).unwrap_or_default();
    let priority = session.transaction.as_ref().and_then(|transaction| transaction.priority);
    // RFC 6710 §3.
    let priority = priority.map(|priority| format!("\r\n\tpriority {priority}")).unwrap_or_default();
    let date = format_rfc5322(DateTime { unix: now.secs(), offset_minutes: 0 });
    let more = format!("{tls}{recipient}{priority}");
    format!("Received: from {from}\r\n\tby {hostname} (Anser) with {with} id {id}{more};\r\n\t{date}\r\n").into_bytes()
}

/// The field for a message that came through another door, which speaks HTTP.
pub fn received_by_http(hostname: &str, client: IpAddr, id: &str, now: Timestamp) -> Vec<u8> {
    let (from, date) = (literal(client), format_rfc5322(DateTime { unix: now.secs(), offset_minutes: 0 }));
    format!("Received: from {from}\r\n\tby {hostname} (Anser) with HTTP id {id};\r\n\t{date}\r\n").into_bytes()
}

fn from_part(session: &Session) -> String {
    let literal = literal(session.source());
    match session.hello.as_ref().map(|hello| hello.name.as_str()).filter(|name| is_name(name)) {
        Some(name) => format!("{name} ({literal})"),
        None => format!("{literal} ({literal})"),
    }
}

/// An address literal (RFC 5321 §4.1.3).
fn literal(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => format!("[{v4}]"),
        IpAddr::V6(v6) => format!("[IPv6:{v6}]"),
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_:[]".contains(&b))
}

/// The protocol's name with what was used (RFC 3848, RFC 6531 §4.3).
fn protocol(session: &Session) -> String {
    let extended = session.hello.as_ref().is_some_and(|hello| hello.extended);
    let utf8 = session.transaction.as_ref().is_some_and(|transaction| transaction.mail.smtputf8);
    let base = match (session.service, utf8, extended) {
        (Service::Lmtp, true, _) => "UTF8LMTP",
        (Service::Lmtp, false, _) => "LMTP",
        (_, true, _) => "UTF8SMTP",
        (_, false, true) => "ESMTP",
        (_, false, false) => return "SMTP".to_owned(),
    };
    let secure = if session.stream.is_secure() { "S" } else { "" };
    let logged_in = if session.login.is_some() { "A" } else { "" };
    format!("{base}{secure}{logged_in}")
}

fn tls_part(session: &Session) -> String {
    session.stream.tls_info().map(|tls| format!("\r\n\t({} {})", tls.version, tls.cipher)).unwrap_or_default()
}
