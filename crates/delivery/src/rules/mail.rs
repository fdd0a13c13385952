//! The mail that rules write: answers of those who are away (RFC 5230), notifications (RFC 5436), and notices that a script failed.

use anser_base::{Address, limits};
use anser_blob::Prepared;
use anser_directory::{Account, Locale};
use anser_mime::build::{Entity, Headers, Mailbox, TextEncoding, message};
use anser_mime::date::DateTime;
use anser_mime::{header, text};
use anser_queue::{Body, Entry, Envelope, Origin, Recipient, Submission};
use anser_sieve::{Failure, Notify, Vacation};
use anser_wire::smtp::BodyType;

use super::Deps;

/// Characters of a Message-ID's left side, 5 random bits each.
const TOKEN: usize = 32;
/// Longest text of an answer or a notification, in bytes.
const TEXT: usize = 128 * 1024;
/// Longest Message-ID that an answer refers to, in bytes.
const MESSAGE_ID: usize = 250;

/// Who writes, and about what.
pub(super) struct Writer<'a> {
    pub deps: &'a Deps,
    pub account: &'a Account,
    pub entry: &'a Entry,
}

impl Writer<'_> {
    /// The answer to the sender (RFC 5230 §5). `from` is the owner's own when the script's may not be used.
    pub fn vacation(&self, answer: &Vacation, from: Option<&str>, to: &Address) -> Vec<u8> {
        let mut headers = self
            .headers(from)
            .structured("To", &to.to_string())
            .text("Subject", &answer.subject)
            .structured("Auto-Submitted", "auto-replied");
        if let Some(id) = answer.in_reply_to.as_deref().filter(|id| is_message_id(id)) {
            headers = headers.structured("In-Reply-To", id).structured("References", id);
        }
        if answer.is_mime { with_entity(headers, &answer.reason) } else { plain(headers, &answer.reason) }
    }

    /// A notification (RFC 5436 §2.7).
    pub fn notification(&self, notify: &Notify, from: Option<&str>, to: &[Address], original: &[u8]) -> Vec<u8> {
        let all: Vec<String> = to.iter().map(ToString::to_string).collect();
        let (importance, priority) = match notify.importance {
            1 => ("high", "1"),
            3 => ("low", "5"),
            _ => ("normal", "3"),
        };
        let owner = self.account.address.to_string();
        let mut headers = self
            .headers(from)
            .structured("To", &all.join(", "))
            .text("Subject", &notify.subject)
            .structured("Auto-Submitted", &format!("auto-notified; owner-email=\"{owner}\""))
            .structured("Importance", importance)
            .structured("X-Priority", priority);
        for (name, value) in &notify.headers {
            headers = headers.text(name, value);
        }
        let value = |name: &str| header::value(original, name).map(|value| text::decode_header(&value));
        let body = match notify.body.is_empty() {
            false => notify.body.clone(),
            true => {
                let (from, subject) = (value("From").unwrap_or_default(), value("Subject").unwrap_or_default());
                match self.account.locale {
                    Locale::Zh => format!("您有新邮件。\n\n发件人：{from}\n主题：{subject}\n"),
                    Locale::En => format!("You have new mail.\n\nFrom: {from}\nSubject: {subject}\n"),
                }
            }
        };
        plain(headers, &body)
    }

    /// Tells the owner that a script of theirs failed.
    pub fn notice(&self, failure: &Failure) -> Vec<u8> {
        let name = &failure.origin.script;
        let (place_zh, place_en) = place(failure);
        let (sender, subject, body) = match self.account.locale {
            Locale::Zh => (
                "邮件系统",
                format!("您的邮件规则“{name}”出错了"),
                format!(
                    "您的邮件规则脚本“{name}”{place_zh}在处理一封邮件时出错：\n\n    {}\n\n\
                     该邮件已保留在收件箱中，没有丢失。在脚本改好之前，出错的邮件都会照此处理；\
                     对同一个脚本，本通知只发送一次。\n",
                    failure.text.zh
                ),
            ),
            Locale::En => (
                "Mail system",
                format!("Your mail rules \"{name}\" failed"),
                format!(
                    "Your script of mail rules \"{name}\"{place_en} failed on a message:\n\n    {}\n\n\
                     The message was kept in your inbox; nothing is lost. Until the script is mended, messages on which it fails are \
                     treated like this one. This notice comes once for a script.\n",
                    failure.text.en
                ),
            ),
        };
        self.of_the_house(sender, &self.account.address, &subject, &body)
    }

    /// Tells an administrator that a script of the house or of a domain failed.
    pub fn alarm(&self, failure: &Failure, to: &Address, locale: Locale) -> Vec<u8> {
        let (owner, name) = failure.origin.script.split_once(':').unwrap_or_default();
        let ((place_zh, place_en), domain) = (place(failure), self.account.address.domain());
        let (sender, subject, body) = match locale {
            Locale::Zh => {
                let owner = if owner == "house" { "全系统".to_owned() } else { format!("域 {domain} ") };
                (
                    "邮件系统",
                    format!("{owner}的邮件规则“{name}”出错了"),
                    format!(
                        "{owner}的邮件规则脚本“{name}”{place_zh}在处理一封发给 {} 的邮件时出错：\n\n    {}\n\n\
                         该邮件已保留，没有丢失。在脚本改好之前，出错的邮件都会照此处理；对同一个脚本，本通知每天最多发送一次。\n",
                        self.account.address, failure.text.zh
                    ),
                )
            }
            Locale::En => {
                let owner = if owner == "house" { "the house".to_owned() } else { format!("the domain {domain}") };
                (
                    "Mail system",
                    format!("The mail rules \"{name}\" of {owner} failed"),
                    format!(
                        "The script of mail rules \"{name}\" of {owner} failed{place_en} on a message for {}:\n\n    {}\n\n\
                         The message was kept; nothing is lost. Until the script is mended, messages on which it fails are treated \
                         like this one. This notice comes at most once a day for a script.\n",
                        self.account.address, failure.text.en
                    ),
                )
            }
        };
        self.of_the_house(sender, to, &subject, &body)
    }

    /// Mail of the mail system itself to one of its people.
    fn of_the_house(&self, sender: &str, to: &Address, subject: &str, body: &str) -> Vec<u8> {
        let deps = self.deps;
        let from = format!("postmaster@{}", to.domain());
        let headers = Headers::new()
            .date("Date", self.date())
            .addresses("From", &[Mailbox { name: sender, email: &from }])
            .structured("To", &to.to_string())
            .text("Subject", subject)
            .structured("Message-ID", &format!("<{}@{}>", deps.entropy.token(TOKEN), deps.hostname))
            .structured("Auto-Submitted", "auto-generated");
        plain(headers, body)
    }

    fn headers(&self, from: Option<&str>) -> Headers {
        let deps = self.deps;
        let headers = Headers::new().date("Date", self.date());
        let own = self.account.address.to_string();
        let headers = match from {
            Some(from) => {
                let parsed = anser_mime::address::parse_list(from.as_bytes());
                let found = parsed.iter().find_map(|one| one.email().map(|email| (one.name_text(), email)));
                let (name, email) = found.unwrap_or_else(|| (String::new(), own.clone()));
                headers.addresses("From", &[Mailbox { name: &name, email: &email }])
            }
            None => headers.addresses("From", &[Mailbox { name: &self.account.name, email: &own }]),
        };
        headers.structured("Message-ID", &format!("<{}@{}>", deps.entropy.token(TOKEN), deps.hostname))
    }

    fn date(&self) -> DateTime {
        DateTime { unix: self.deps.clock.now().secs(), offset_minutes: 0 }
    }

    /// A message of the house to these people. Nobody is told what becomes of it.
    pub fn submission(&self, raw: &[u8], to: &[Address]) -> Submission {
        let recipients = to
            .iter()
            .take(limits::RECIPIENTS)
            .map(|address| Recipient { notify: Default::default(), ..Recipient::new(address.clone()) })
            .collect();
        let prepared = Prepared::new(raw);
        let body = Body::inline(prepared.id, raw.len() as u64, prepared.stored.clone());
        let envelope = Envelope {
            tenant: self.entry.envelope.tenant,
            smtputf8: to.iter().any(|address| !address.is_ascii()) || !self.account.address.is_ascii(),
            body_type: if raw.is_ascii() { BodyType::SevenBit } else { BodyType::EightBitMime },
            ..Envelope::new(None, recipients, Origin::internal(), self.deps.clock.now())
        };
        Submission { envelope, body }
    }
}

/// The line of a failure, in Chinese and English, where there is one.
fn place(failure: &Failure) -> (String, String) {
    match failure.origin.line {
        0 => (String::new(), String::new()),
        line => (format!("（第 {line} 行）"), format!(" (line {line})")),
    }
}

fn plain(headers: Headers, text: &str) -> Vec<u8> {
    message(headers, Entity::text("plain", beginning(text), TextEncoding::Base64))
}

/// The entity that a script wrote (RFC 5230 §4.6): of its header only the fields that describe content.
fn with_entity(headers: Headers, entity: &str) -> Vec<u8> {
    let lines: String = beginning(entity).lines().flat_map(|line| [line, "\r\n"]).collect();
    let (head, body) = lines.split_once("\r\n\r\n").unwrap_or((&lines, ""));
    let head = format!("{head}\r\n");
    let mut out = headers.structured("MIME-Version", "1.0").into_bytes();
    for field in header::fields(head.as_bytes()) {
        if field.name.len() > 8 && field.name[..8].eq_ignore_ascii_case(b"content-") {
            out.extend_from_slice(&head.as_bytes()[field.range]);
        }
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body.as_bytes());
    out
}

fn beginning(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT)]
}

fn is_message_id(id: &str) -> bool {
    let inner = id.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
    id.len() <= MESSAGE_ID
        && inner.is_some_and(|inner| {
            inner.contains('@') && inner.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>".contains(&byte))
        })
}
