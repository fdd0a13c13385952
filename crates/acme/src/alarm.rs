//! What the administrator is told.

use anser_base::{Address, Result, Timestamp};
use anser_blob::Prepared;
use anser_mime::build::{Entity, Headers, Mailbox, TextEncoding, message};
use anser_mime::date::DateTime;
use anser_queue::{Body, Envelope, Origin, Recipient};

use crate::Deps;

/// Characters of a Message-ID's left side, 5 random bits each.
const TOKEN: usize = 32;

/// Mails the postmaster of the default domain that a name gets no certificate, and until when the old one is good. Nobody is told as
/// long as there is no domain.
pub(crate) async fn tell(deps: &Deps, name: &str, ends: Option<Timestamp>, why: &str) -> Result<()> {
    let Some(domain) = deps.directory.default_domain().await? else { return Ok(()) };
    let Some(to) = Address::parse(&format!("postmaster@{}", domain.name)) else { return Ok(()) };
    let now = deps.clock.now();
    let raw = letter(deps, name, ends, why, &to, now);
    let recipient = Recipient::new(to);
    let envelope = Envelope::new(None, vec![recipient], Origin::internal(), now);
    let prepared = Prepared::new(&raw);
    let body = Body::inline(prepared.id, raw.len() as u64, prepared.stored.clone()).with_raw(raw);
    deps.queue.put(envelope, body).await.map(|_| ())
}

fn letter(deps: &Deps, name: &str, ends: Option<Timestamp>, why: &str, to: &Address, now: Timestamp) -> Vec<u8> {
    let days = ends.map(|ends| ends.0.saturating_sub(now.0) / 86_400_000);
    let (left, left_zh) = match days {
        None => ("It has none that others trust.".to_owned(), "目前没有受信任的证书。".to_owned()),
        Some(days) if days < 0 => ("The old one has expired.".to_owned(), "旧证书已过期。".to_owned()),
        Some(days) => (format!("The old one is good for {days} more days."), format!("旧证书还有 {days} 天到期。")),
    };
    let text = format!(
        "{name} 的证书未能签发。{left_zh}\n原因：{why}\n服务器会继续尝试。\n\n\
         No certificate was issued for {name}. {left}\nThe reason: {why}\nThe server goes on trying.\n"
    );
    let from = format!("postmaster@{}", deps.hostname);
    let headers = Headers::new()
        .date("Date", DateTime { unix: now.secs(), offset_minutes: 0 })
        .addresses("From", &[Mailbox { name: "Anser", email: &from }])
        .structured("To", &to.to_string())
        .text("Subject", &format!("证书未能签发 / no certificate: {name}"))
        .structured("Message-ID", &format!("<{}@{}>", deps.entropy.token(TOKEN), deps.hostname))
        .structured("Auto-Submitted", "auto-generated");
    message(headers, Entity::text("plain", &text, TextEncoding::Base64))
}
