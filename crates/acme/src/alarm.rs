//! What the administrator is told.

use std::time::Duration;

use anser_base::{Address, Result, Timestamp};
use anser_blob::Prepared;
use anser_mime::build::{Entity, Headers, Mailbox, TextEncoding, message};
use anser_mime::date::DateTime;
use anser_queue::{Body, Envelope, Origin, Recipient};

use crate::Deps;

/// Characters of a Message-ID's left side, 5 random bits each.
const TOKEN: usize = 32;

/// The administrator is told about a name once in this time, by whichever server of the house.
const EVERY: Duration = Duration::from_secs(24 * 3600);

/// Who has to do something.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Then {
    /// The server does by itself.
    TriesAgain,
    /// The administrator.
    IsYours,
}

/// Mails the postmaster of the default domain that a name gets no certificate, and until when the old one is good. Nobody is told as
/// long as there is no domain. A failure goes to the log.
pub(crate) async fn tell(deps: &Deps, name: &str, ends: Option<Timestamp>, why: &str, then: Then) {
    if let Err(error) = try_to_tell(deps, name, ends, why, then).await {
        tracing::error!(error = error.chain(), "the administrator could not be told about a certificate");
    }
}

async fn try_to_tell(deps: &Deps, name: &str, ends: Option<Timestamp>, why: &str, then: Then) -> Result<()> {
    if !deps.directory.is_time_to_tell(&format!("certificate {name}"), EVERY).await? {
        return Ok(());
    }
    let Some(domain) = deps.directory.default_domain().await? else { return Ok(()) };
    let Some(to) = Address::parse(&format!("postmaster@{}", domain.name)) else { return Ok(()) };
    let now = deps.clock.now();
    let raw = letter(deps, &to, now, &text(name, ends, why, then, now), name);
    let recipient = Recipient::new(to);
    let envelope = Envelope::new(None, vec![recipient], Origin::internal(), now);
    let prepared = Prepared::new(&raw);
    let body = Body::inline(prepared.id, raw.len() as u64, prepared.stored.clone()).with_raw(raw);
    deps.queue.put(envelope, body).await.map(|_| ())
}

fn text(name: &str, ends: Option<Timestamp>, why: &str, then: Then, now: Timestamp) -> String {
    let days = ends.map(|ends| ends.0.saturating_sub(now.0) / 86_400_000);
    let (left, left_zh) = match days {
        None => ("It has none that others trust.".to_owned(), "目前没有受信任的证书。".to_owned()),
        Some(days) if days < 0 => ("The old one has expired.".to_owned(), "旧证书已过期。".to_owned()),
        Some(days) => (format!("The old one is good for {days} more days."), format!("旧证书还有 {days} 天到期。")),
    };
    let (then, then_zh) = match then {
        Then::TriesAgain => ("The server goes on trying.", "服务器会继续尝试。"),
        Then::IsYours => (
            "Put a new one into its file, or let the server get one: [acme].",
            "请更换证书文件，或启用 [acme] 自动获取。",
        ),
    };
    format!(
        "{name} 没有新证书。{left_zh}\n原因：{why}\n{then_zh}\n\n\
         There is no new certificate for {name}. {left}\nThe reason: {why}\n{then}\n"
    )
}

fn letter(deps: &Deps, to: &Address, now: Timestamp, text: &str, name: &str) -> Vec<u8> {
    let from = format!("postmaster@{}", deps.hostname);
    let headers = Headers::new()
        .date("Date", DateTime { unix: now.secs(), offset_minutes: 0 })
        .addresses("From", &[Mailbox { name: "Anser", email: &from }])
        .structured("To", &to.to_string())
        .text("Subject", &format!("没有新证书 / no new certificate: {name}"))
        .structured("Message-ID", &format!("<{}@{}>", deps.entropy.token(TOKEN), deps.hostname))
        .structured("Auto-Submitted", "auto-generated");
    message(headers, Entity::text("plain", text, TextEncoding::Base64))
}
