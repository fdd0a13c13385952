//! MDN/send (RFC 9007 §3.1).

use anser_base::{Address, Durability, MessageId, Result};
use anser_directory::Account;
use anser_directory::model::Locale;
use anser_mime::address::parse_list;
use anser_mime::build::{Entity, Headers, Mailbox, TextEncoding, message};
use anser_mime::date::DateTime;
use anser_mime::{header, text};
use anser_queue::Recipient;
use anser_store::{FlagAct, Flags, Keywords};
use futures_util::{StreamExt, stream};
use serde_json::{Map, Value, json};

use super::{ACTION_MODES, KNOWN, SENDING_MODES, TYPES};
use crate::access::Access;
use crate::blob::{self, Blob, Source};
use crate::email::{self, Loaded, beginning_of, messages};
use crate::error::{MethodError, SetError};
use crate::identity::{self, Identity, own};
use crate::ids;
use crate::law::set::{Refused, or_null};
use crate::method::{Call, Outcome};
use crate::submission::{self, Letter};

/// What a message is marked with that was told of (RFC 8098 §3.1, RFC 3503 §3).
const SENT: &str = "$mdnsent";
/// Who is told at most.
const RECIPIENTS: usize = 10;
/// Bytes of a text, of another value, and of an original that goes along whole.
const TEXT: usize = 64 * 1024;
const VALUE: usize = 1_000;
const ORIGINAL: usize = 10 * 1024 * 1024;
/// Extension fields of one notification.
const EXTENSIONS: usize = 20;
/// Letters of what nobody can foretell.
const TOKEN: usize = 24;

const PROPERTIES: [&str; 8] = [
    "forEmailId",
    "subject",
    "textBody",
    "includeOriginalMessage",
    "reportingUA",
    "disposition",
    "finalRecipient",
    "extensionFields",
];

/// RFC 9007 §3.1. Each goes to whom the message asked it for, with the null reverse path (RFC 8098 §3).
pub(crate) async fn send(call: &mut Call) -> Outcome {
    let access = call.access()?;
    let identity = call.args.string("identityId")?.ok_or_else(|| MethodError::invalid("identityId is missing"))?;
    let send = call.args.map("send")?;
    let on_success = call.args.map("onSuccessUpdateEmail")?;
    call.args.done()?;
    own(&access)?;
    if send.len() > call.door.deps.limits.objects_in_set {
        return Err(MethodError::new("requestTooLarge", "too many objects"));
    }
    let wanted = call.resolve(&identity).unwrap_or(identity);
    let found = call.door.deps.store.read(access.owner.id, move |tx| identity::find(tx, &wanted)).await?;
    let identity = found.ok_or_else(|| MethodError::invalid("there is no such identity"))?;
    let (mut sent, mut not_sent, mut updates) = (Map::new(), Map::new(), Map::new());
    for (creation, object) in send {
        let Value::Object(object) = object else { return Err(MethodError::invalid("an object is missing")) };
        match one(call, &access, &identity, &object).await? {
            Ok((email, told)) => {
                if let Some(patch) = on_success.get(&format!("#{creation}")) {
                    updates.insert(email, patch.clone());
                }
                sent.insert(creation, told);
            }
            Err(error) => drop(not_sent.insert(creation, error.into_value())),
        }
    }
    if !updates.is_empty() {
        let account = ids::account_id(access.owner.id);
        email::set_behind(call, json!({ "accountId": account, "update": updates })).await;
    }
    Ok(json!({
        "accountId": ids::account_id(access.owner.id),
        "sent": or_null(sent),
        "notSent": or_null(not_sent),
    }))
}

/// Sends one: the message that it is for, and what the server made of it beyond what was given. Whoever marks the message first sends, so
/// that of two who ask at once one is told that it was sent already.
async fn one(
    call: &Call,
    access: &Access,
    identity: &Identity,
    object: &Map<String, Value>,
) -> Result<Refused<(String, Value)>> {
    let receipt = match Receipt::read(object) {
        Ok(receipt) => receipt,
        Err(error) => return Ok(Err(error)),
    };
    let missing = || Ok(Err(SetError::new("notFound", "there is no such message")));
    let id = receipt.email.and_then(|id| call.resolve(id)).unwrap_or_default();
    let Some(number) = ids::parse_email(None, &id) else { return missing() };
    let reader = access.clone();
    let read = call.door.deps.store.read(access.owner.id, move |tx| {
        let allowed = reader.allowed(tx)?;
        Ok(messages(tx, &allowed, &[number])?.pop().flatten())
    });
    let Some(loaded) = read.await? else { return missing() };
    let already = || Ok(Err(SetError::new("mdnAlreadySent", "")));
    if loaded.entry.keywords.has(SENT) {
        return already();
    }
    let head = beginning_of(&call.door.deps.store, access.owner.tenant, &loaded.message).await?;
    let to: Vec<Recipient> = asked_for(&head).into_iter().map(Recipient::new).collect();
    if to.is_empty() {
        return Ok(Err(SetError::property("forEmailId", "the message asks for no notification")));
    }
    let original = match receipt.includes_original {
        true => whole(call, access, &loaded).await?,
        false => None,
    };
    let (letter, told) = receipt.letter(call, &access.owner, identity, &head, original.as_deref());
    if !mark(call, access, number, true).await? {
        return already();
    }
    let letter = Letter {
        account: access.owner.clone(),
        client: call.client,
        sender: None,
        recipients: to,
        envid: None,
        ret: None,
        not_before: None,
        message: stream::once(async move { Ok(letter.into()) }).boxed(),
    };
    match (call.door.deps.submit)(letter).await {
        Ok(_) => Ok(Ok((id, told))),
        Err(error) => {
            mark(call, access, number, false).await?;
            Ok(Err(submission::refused(error)))
        }
    }
}

/// Marks a message as one that was told of, before that is sent: it is sent never rather than twice. Or takes the mark back, when it was not
/// taken. Whether that changed anything.
async fn mark(call: &Call, access: &Access, number: MessageId, is_told: bool) -> Result<bool> {
    let reader = access.clone();
    let write = call.door.deps.store.write(access.owner.id, Durability::Sync, move |tx| {
        let allowed = reader.allowed(tx)?;
        let Some(loaded) = messages(tx, &allowed, &[number])?.pop().flatten() else { return Ok(false) };
        if loaded.entry.keywords.has(SENT) == is_told {
            return Ok(false);
        }
        let (act, (mailbox, uid)) = (if is_told { FlagAct::Add } else { FlagAct::Remove }, loaded.places[0]);
        tx.store_flags(mailbox, &[uid], act, Flags::default(), &Keywords::new([SENT]), None)?;
        Ok(true)
    });
    write.await
}

/// Who wants to know (RFC 8098 §2.1).
fn asked_for(head: &[u8]) -> Vec<Address> {
    let Some(field) = header::find(head, "Disposition-Notification-To") else { return Vec::new() };
    let all = parse_list(field.value).into_iter().filter_map(|one| Address::parse(&one.email()?));
    all.take(RECIPIENTS).collect()
}

async fn whole(call: &Call, access: &Access, loaded: &Loaded) -> Result<Option<Vec<u8>>> {
    let blob = Blob { source: Source::Message(Box::new(loaded.message.clone())), parts: Vec::new() };
    let bytes = blob::whole(&call.door.deps.store, access.owner.tenant, blob, ORIGINAL).await?;
    Ok(bytes.map(|bytes| bytes.to_vec()))
}

/// What a client wants to be told.
struct Receipt<'a> {
    email: Option<&'a str>,
    subject: Option<&'a str>,
    text: Option<&'a str>,
    includes_original: bool,
    program: Option<&'a str>,
    recipient: Option<&'a str>,
    modes: [&'static str; 2],
    kind: &'static str,
    extensions: Vec<(&'a str, &'a str)>,
}

impl<'a> Receipt<'a> {
    fn read(object: &'a Map<String, Value>) -> std::result::Result<Self, SetError> {
        let wrong = |name: &str| SetError::property(name, "this value cannot be taken");
        if let Some(other) = object.keys().find(|name| !PROPERTIES.contains(&name.as_str())) {
            return Err(wrong(other));
        }
        let text = |name: &str, most: usize| match object.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.len() <= most => Ok(Some(text.as_str())),
            Some(_) => Err(wrong(name)),
        };
        let disposition = object.get("disposition").and_then(Value::as_object).ok_or_else(|| wrong("disposition"))?;
        let word = |name: &str| disposition.get(name).and_then(Value::as_str).unwrap_or_default();
        let mode = |all: [(&'static str, &'static str); 2], name: &str| {
            all.into_iter()
                .find(|(known, _)| *known == word(name))
                .map(|(_, shown)| shown)
                .ok_or_else(|| wrong("disposition"))
        };
        let kind = TYPES.into_iter().find(|known| *known == word("type")).ok_or_else(|| wrong("disposition"))?;
        let extensions = match object.get("extensionFields") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Object(all)) if all.len() <= EXTENSIONS => {
                let is_name = |name: &str| {
                    let is_plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
                    (1..100).contains(&name.len()) && is_plain && !KNOWN.contains(&name.to_ascii_lowercase().as_str())
                };
                let pair = |(name, value): (&'a String, &'a Value)| {
                    Some((name.as_str(), value.as_str()?)).filter(|(name, value)| is_name(name) && value.len() <= VALUE)
                };
                all.iter().map(pair).collect::<Option<_>>().ok_or_else(|| wrong("extensionFields"))?
            }
            Some(_) => return Err(wrong("extensionFields")),
        };
        Ok(Self {
            email: text("forEmailId", VALUE)?,
            subject: text("subject", VALUE)?,
            text: text("textBody", TEXT)?,
            includes_original: matches!(object.get("includeOriginalMessage"), Some(Value::Bool(true))),
            program: text("reportingUA", VALUE)?,
            recipient: text("finalRecipient", VALUE)?,
            modes: [mode(ACTION_MODES, "actionMode")?, mode(SENDING_MODES, "sendingMode")?],
            kind,
            extensions,
        })
    }

    /// The notification, and what the server set.
    fn letter(
        &self,
        call: &Call,
        account: &Account,
        identity: &Identity,
        head: &[u8],
        original: Option<&[u8]>,
    ) -> (Vec<u8>, Value) {
        let deps = &call.door.deps;
        let value =
            |name: &str| header::value(head, name).map(|value| String::from_utf8_lossy(&value).trim().to_owned());
        let about = header::value(head, "Subject").map(|raw| text::decode_header(&raw)).unwrap_or_default();
        let message_id = value("Message-ID").filter(|id| !id.is_empty());
        let recipient = match self.recipient {
            Some(given) if given.contains(';') => given.to_owned(),
            Some(given) => format!("rfc822; {given}"),
            None => format!("rfc822; {}", identity.email),
        };
        let original_recipient = value("Original-Recipient").filter(|text| !text.is_empty());
        let (subject, body) = words(account.locale, self.kind, &about);
        let subject = self.subject.unwrap_or(&subject);
        let host = identity.email.rsplit('@').next().unwrap_or_default();
        let mut headers = Headers::new()
            .date("Date", DateTime { unix: deps.clock.now().secs(), offset_minutes: 0 })
            .addresses("From", &[Mailbox { name: &identity.name, email: &identity.email }])
            .structured("To", &asked_for(head).iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
            .text("Subject", subject)
            .structured("Message-ID", &format!("<{}@{host}>", deps.entropy.token(TOKEN)));
        if let Some(id) = &message_id {
            headers = headers.structured("In-Reply-To", id).structured("References", id);
        }
        if self.modes[0] == "automatic-action" {
            headers = headers.structured("Auto-Submitted", "auto-replied");
        }
        let disposition = format!("{}/{}; {}", self.modes[0], self.modes[1], self.kind);
        let mut fields: Vec<(&str, String)> = Vec::new();
        fields.extend(self.program.map(|program| ("Reporting-UA", program.to_owned())));
        fields.extend(original_recipient.clone().map(|one| ("Original-Recipient", one)));
        fields.push(("Final-Recipient", recipient.clone()));
        fields.extend(message_id.clone().map(|id| ("Original-Message-ID", id)));
        fields.push(("Disposition", disposition));
        fields.extend(self.extensions.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let text = Entity::text("plain", self.text.unwrap_or(&body), TextEncoding::Base64);
        let mut parts = vec![text, Entity::disposition_notification(&fields)];
        parts.push(original.map_or_else(|| Entity::rfc822_headers(head), Entity::rfc822));
        let report = Entity::report("disposition-notification", &deps.entropy.token(TOKEN), &parts);
        let mut told = json!({ "finalRecipient": recipient, "originalRecipient": original_recipient, "originalMessageId": message_id });
        if self.subject.is_none() {
            told["subject"] = subject.into();
        }
        (message(headers, report), told)
    }
}

/// Subject and text of one whose client gave none.
fn words(locale: Locale, kind: &str, about: &str) -> (String, String) {
    let about = about.trim();
    match (locale, kind) {
        (Locale::Zh, "deleted") => (format!("已删除：{about}"), format!("您的邮件“{about}”未读即被删除。\n")),
        (Locale::Zh, _) => {
            (format!("已读：{about}"), format!("您的邮件“{about}”已显示给收件人。这不保证对方已阅读或理解。\n"))
        }
        (_, "deleted") => {
            (format!("Deleted: {about}"), format!("Your message \"{about}\" was deleted without being shown.\n"))
        }
        _ => (
            format!("Read: {about}"),
            format!(
                "Your message \"{about}\" was shown to its recipient. That is no proof that it was read or understood.\n"
            ),
        ),
    }
}
