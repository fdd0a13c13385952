//! Sending: what a submission asks for is looked at, and then handed over.

use anser_base::{EntryId, Result};
use anser_store::{Listing, Message};
use futures_util::StreamExt;
use serde_json::{Map, Value};

use super::envelope::Envelope;
use super::status::told;
use super::{Letter, NotSent, Submission, Undo};
use crate::access::Access;
use crate::blob::{Blob, Reader, Source};
use crate::email::{beginning_of, messages};
use crate::error::SetError;
use crate::identity::{self, Identity};
use crate::ids;
use crate::law::set::Refused;
use crate::method::Call;

/// A submission that may be handed over, as far as this door knows.
#[derive(Clone)]
pub(super) struct Ready {
    /// As it is kept until it is handed over.
    pub record: Submission,
    envelope: Envelope,
    message: Message,
}

/// Looks at what a client wants to be sent.
pub(super) async fn prepare(call: &Call, access: &Access, object: &Map<String, Value>) -> Result<Refused<Ready>> {
    let text = |name: &str| object.get(name).and_then(Value::as_str).and_then(|id| call.resolve(id));
    if let Some(other) = object.keys().find(|name| !matches!(name.as_str(), "identityId" | "emailId" | "envelope")) {
        return Ok(Err(SetError::property(other, "this cannot be set")));
    }
    let (Some(identity_id), Some(email_id)) = (text("identityId"), text("emailId")) else {
        return Ok(Err(SetError::properties(&["identityId", "emailId"], "both are needed")));
    };
    let (reader, wanted, number) = (access.clone(), identity_id.clone(), ids::parse_email(None, &email_id));
    let read = call.door.deps.store.read(access.owner.id, move |tx| {
        let allowed = reader.allowed(tx)?;
        let found = number.map_or(Ok(Vec::new()), |number| messages(tx, &allowed, &[number]))?;
        let message = found.into_iter().next().flatten().map(|loaded| loaded.message);
        Ok((identity::find(tx, &wanted)?, message, tx.state()))
    });
    let (identity, message, since) = match read.await? {
        (None, ..) => return Ok(Err(SetError::property("identityId", "there is no such identity"))),
        (_, None, _) => return Ok(Err(SetError::property("emailId", "there is no such message"))),
        (Some(identity), Some(message), since) => (identity, message, since),
    };
    let envelope = match envelope(call, access, object.get("envelope"), &identity, &message).await? {
        Ok(envelope) => envelope,
        Err(error) => return Ok(Err(error)),
    };
    let now = call.door.deps.clock.now();
    let sent = envelope.not_before.filter(|at| *at > now);
    let queued = told("250 2.0.0 Queued", "queued");
    let queued = envelope.recipients.iter().map(|one| (one.address.to_string(), queued.clone()));
    let record = Submission {
        identity: identity_id,
        email: message.id.0,
        thread: message.thread.0,
        envelope: object.get("envelope").filter(|given| !given.is_null()).cloned().unwrap_or(envelope.object()),
        send_at: sent.unwrap_or(now).0,
        entry: None,
        asked: now.0,
        message_id: Listing::of(&message).envelope.message_id.map(|id| String::from_utf8_lossy(&id).trim().to_owned()),
        undo: if sent.is_some() { Undo::Pending } else { Undo::Final },
        status: Value::Object(queued.collect()),
        done: false,
        since,
        dsn: Vec::new(),
        mdn: Vec::new(),
        displayed: Vec::new(),
    };
    Ok(Ok(Ready { record, envelope, message }))
}

async fn envelope(
    call: &Call,
    access: &Access,
    given: Option<&Value>,
    identity: &Identity,
    message: &Message,
) -> Result<Refused<Envelope>> {
    if let Some(given) = given.filter(|given| !given.is_null()) {
        return Ok(Envelope::read(given, call.door.deps.clock.now()));
    }
    let beginning = beginning_of(&call.door.deps.store, access.owner.tenant, message).await?;
    Ok(Ok(Envelope::of_header(&beginning, identity)))
}

/// Hands a message over: the queue's number for it, or why it was not taken. Once it has a number it goes, whatever else happens.
pub(super) async fn hand_over(call: &Call, access: &Access, ready: Ready) -> Refused<EntryId> {
    let (store, tenant, envelope) = (call.door.deps.store.clone(), access.owner.tenant, ready.envelope);
    let blob = Blob { source: Source::Message(Box::new(ready.message)), parts: Vec::new() };
    let message = match Reader::open_async(store, tenant, blob).await {
        Ok(Some(reader)) => reader.stream(),
        Ok(None) => return Err(SetError::property("emailId", "there is no such message")),
        Err(error) => return Err(SetError::failed(&error)),
    };
    let letter = Letter {
        account: access.owner.clone(),
        client: call.client,
        sender: envelope.sender,
        recipients: envelope.recipients,
        envid: envelope.envid,
        ret: envelope.ret,
        not_before: envelope.not_before,
        message: message.boxed(),
    };
    (call.door.deps.submit)(letter).await.map_err(self::refused)
}

/// The words of RFC 8621 §7.5.
pub(crate) fn refused(refused: NotSent) -> SetError {
    match refused {
        NotSent::Sender(why) => SetError::new("forbiddenMailFrom", why),
        NotSent::Author(why) => SetError::new("forbiddenFrom", why),
        NotSent::NoRecipients => SetError::new("noRecipients", ""),
        NotSent::TooManyRecipients(most) => SetError::new("tooManyRecipients", "").with("maxRecipients", most),
        NotSent::Recipients(all, why) => {
            let all: Vec<String> = all.iter().map(ToString::to_string).collect();
            SetError::new("invalidRecipients", why).with("invalidRecipients", all)
        }
        NotSent::TooLarge(most) => SetError::new("tooLarge", "").with("maxSize", most),
        NotSent::Message(why) => SetError::new("forbiddenToSend", why),
        NotSent::Failed(error) => SetError::failed(&error),
    }
}
