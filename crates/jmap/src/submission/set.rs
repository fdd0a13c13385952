//! EmailSubmission/set (RFC 8621 §7.5).

use std::collections::BTreeMap;

use anser_base::{Class, EntryId, Error, Result, Timestamp};
use anser_queue::Act;
use anser_store::{MailTx, Message, RecordKind};
use futures_util::stream::{self, StreamExt};
use serde_json::{Map, Value, json};

use super::envelope::Envelope;
use super::status::is_pending;
use super::{Letter, NotSent, Submission, Undo, WHAT};
use crate::access::Access;
use crate::blob::{Blob, Reader, Source};
use crate::email::{self, messages};
use crate::error::{MethodError, SetError};
use crate::identity::{self, Identity, own};
use crate::ids;
use crate::law::set::Set;
use crate::law::state;
use crate::method::{Args, Call, Outcome};

type Refused<T> = std::result::Result<T, SetError>;

/// How long ended submissions are kept, in milliseconds.
const KEPT: i64 = 90 * 24 * 3_600_000;
/// Bytes of a header that are looked at.
const HEADER: usize = 256 * 1024;

/// RFC 8621 §7.5.
pub(crate) async fn set(call: &mut Call) -> Outcome {
    let set = Set::read(call)?;
    let on_update = call.args.map("onSuccessUpdateEmail")?;
    let on_destroy = call.args.strings("onSuccessDestroyEmail")?.unwrap_or_default();
    call.args.done()?;
    own(&set.access)?;
    let (access, if_in_state) = (set.access.clone(), set.if_in_state.clone());
    let check = move |tx: &mut MailTx<'_, '_>| state::check(tx, WHAT, if_in_state.as_deref());
    // Nothing is sent or taken back when the state is another one.
    call.door.deps.store.read(access.owner.id, check).await??;
    let mut sent = Vec::with_capacity(set.create.len());
    for (creation, object) in &set.create {
        sent.push((creation.clone(), send(call, &access, object).await?));
    }
    let mut taken_back = BTreeMap::new();
    for (id, patch) in &set.update {
        taken_back.insert(id.clone(), take_back(call, &access, id, patch).await?);
    }
    let emails = emails_of(call, &access, &set).await?;
    let now = call.door.deps.clock.now();
    let work = Set { if_in_state: None, ..set.clone() };
    let (told, back) = (sent.clone(), taken_back);
    let mut answer = work
        .run(call, WHAT, move |tx, set, _, done| {
            forget_old(tx, now)?;
            for (creation, one) in &told {
                let result = match one {
                    Ok(one) => match tx.add_record(RecordKind::Submission, &one.bytes()) {
                        Ok(id) => Ok(server_set(one, id)),
                        Err(error) => Err(SetError::of(error)?),
                    },
                    Err(error) => Err(error.clone()),
                };
                done.create(creation, result);
            }
            for (id, result) in &back {
                let result = match result {
                    Ok((number, one)) => {
                        tx.put_record(RecordKind::Submission, *number, &one.bytes())?;
                        Ok(Value::Null)
                    }
                    Err(error) => Err(error.clone()),
                };
                done.update(id, result);
            }
            for id in &set.destroy {
                let gone = match ids::parse_submission(id) {
                    Some(number) => tx.remove_record(RecordKind::Submission, number)?,
                    None => false,
                };
                done.destroy(id, if gone { Ok(()) } else { Err(SetError::not_found()) });
            }
            Ok(())
        })
        .await?;
    let after = After { access, sent, emails, on_update, on_destroy };
    after.run(call, &mut answer).await;
    Ok(answer)
}

/// What the server says of a new one: all but what the client gave.
fn server_set(one: &Submission, id: u64) -> Map<String, Value> {
    let mut object = one.object(id);
    object.retain(|name, _| !matches!(name.as_str(), "identityId" | "emailId"));
    object
}

fn forget_old(tx: &mut MailTx<'_, '_>, now: Timestamp) -> Result<()> {
    let (_, all) = super::read(tx)?;
    for (id, one) in all.into_iter().filter(|(_, one)| one.done && one.send_at < now.0 - KEPT) {
        tracing::debug!(entry = one.entry, "an old submission is forgotten");
        tx.remove_record(RecordKind::Submission, id)?;
    }
    Ok(())
}

/// The messages that the submissions named here are of.
async fn emails_of(call: &Call, access: &Access, set: &Set) -> Result<BTreeMap<String, u64>> {
    let named: Vec<String> = set.update.iter().map(|(id, _)| id).chain(&set.destroy).cloned().collect();
    let read = call.door.deps.store.read(access.owner.id, move |tx| {
        let mut all = BTreeMap::new();
        for id in &named {
            if let Some((_, one)) = find(tx, id)? {
                all.insert(id.clone(), one.email);
            }
        }
        Ok(all)
    });
    read.await
}

fn find(tx: &mut MailTx<'_, '_>, id: &str) -> Result<Option<(u64, Submission)>> {
    let Some(number) = ids::parse_submission(id) else { return Ok(None) };
    let bytes = tx.record_of(RecordKind::Submission, number)?;
    Ok(bytes.and_then(|bytes| Some((number, serde_json::from_slice(&bytes).ok()?))))
}

/// Hands one message over.
async fn send(call: &Call, access: &Access, object: &Map<String, Value>) -> Result<Refused<Submission>> {
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
        Ok((identity::find(tx, &wanted)?, message))
    });
    let (identity, message) = match read.await? {
        (None, _) => return Ok(Err(SetError::property("identityId", "there is no such identity"))),
        (_, None) => return Ok(Err(SetError::property("emailId", "there is no such message"))),
        (Some(identity), Some(message)) => (identity, message),
    };
    let envelope = match envelope(call, access, object.get("envelope"), &identity, &message).await? {
        Ok(envelope) => envelope,
        Err(error) => return Ok(Err(error)),
    };
    let (told, at) = (envelope.object(), envelope.not_before);
    let queued: Map<String, Value> = envelope
        .recipients
        .iter()
        .map(|one| {
            let status = json!({ "smtpReply": "250 2.0.0 Queued", "delivered": "queued", "displayed": "unknown" });
            (one.address.to_string(), status)
        })
        .collect();
    let (email, thread) = (message.id.0, message.thread.0);
    let entry = match hand_over(call, access, envelope, message).await {
        Ok(entry) => entry,
        Err(refused) => return of(refused).map(Err),
    };
    let now = call.door.deps.clock.now();
    let is_held = at.is_some_and(|at| at > now);
    Ok(Ok(Submission {
        identity: identity_id,
        email,
        thread,
        envelope: object.get("envelope").filter(|given| !given.is_null()).cloned().unwrap_or(told),
        send_at: at.filter(|at| *at > now).unwrap_or(now).0,
        entry: entry.0,
        undo: if is_held { Undo::Pending } else { Undo::Final },
        status: Value::Object(queued),
        done: false,
    }))
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
    let (store, tenant, message, identity) =
        (call.door.deps.store.clone(), access.owner.tenant, message.clone(), identity.clone());
    let read = move || {
        let mut body = store.body(tenant, &message)?;
        let (mut header, mut at) = (Vec::new(), 0);
        while header.len() < HEADER {
            let piece = body.read_at(at, HEADER - header.len())?;
            if piece.is_empty() {
                break;
            }
            at += piece.len() as u64;
            header.extend_from_slice(&piece);
        }
        Ok(Envelope::of_header(&header, &identity))
    };
    tokio::task::spawn_blocking(read).await.map_err(Error::unavailable)?.map(Ok)
}

async fn hand_over(
    call: &Call,
    access: &Access,
    envelope: Envelope,
    message: Message,
) -> std::result::Result<EntryId, NotSent> {
    let (store, tenant) = (call.door.deps.store.clone(), access.owner.tenant);
    let blob = Blob { source: Source::Message(Box::new(message)), parts: Vec::new() };
    let open = move || Reader::open(&store, tenant, &blob);
    let opened = tokio::task::spawn_blocking(open).await.map_err(|error| NotSent::Failed(Error::unavailable(error)))?;
    let reader = opened.map_err(NotSent::Failed)?;
    let message = stream::unfold(reader, |reader| async move {
        let mut reader = reader?;
        let step = move || reader.next().map(|piece| piece.map(|piece| (piece, reader)));
        match tokio::task::spawn_blocking(step).await.map_err(Error::unavailable) {
            Ok(Ok(Some((piece, reader)))) => Some((Ok(piece), Some(reader))),
            Ok(Ok(None)) => None,
            Ok(Err(error)) | Err(error) => Some((Err(error), None)),
        }
    });
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
    (call.door.deps.submit)(letter).await
}

/// The words of RFC 8621 §7.5.
fn of(refused: NotSent) -> Result<SetError> {
    Ok(match refused {
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
        NotSent::Failed(error) => return Err(error),
    })
}

/// Takes a message back that was not sent yet; the only change that a submission knows.
async fn take_back(
    call: &Call,
    access: &Access,
    id: &str,
    patch: &Map<String, Value>,
) -> Result<Refused<(u64, Submission)>> {
    let wanted = id.to_owned();
    let found = call.door.deps.store.read(access.owner.id, move |tx| find(tx, &wanted)).await?;
    let Some((number, mut one)) = found else { return Ok(Err(SetError::not_found())) };
    for (name, value) in patch {
        if name != "undoStatus" || value != "canceled" {
            return Ok(Err(SetError::property(name, "a submission can be canceled, nothing else")));
        }
    }
    let cannot = || SetError::new("cannotUnsend", "it is sent already");
    let queue = &call.door.deps.queue;
    if patch.is_empty() || one.undo == Undo::Canceled {
        return Ok(Ok((number, one)));
    }
    let entry = EntryId(one.entry);
    // Once it is held nobody else takes it.
    let held = match queue.show(entry).await {
        Ok(listed) if is_pending(&listed, call.door.deps.clock.now()) => queue.act(entry, &Act::Hold).await,
        Ok(_) => return Ok(Err(cannot())),
        Err(error) => Err(error),
    };
    let listed = match held {
        Ok(()) => queue.show(entry).await?,
        Err(error) if matches!(error.class, Class::NotFound | Class::Conflict) => return Ok(Err(cannot())),
        Err(error) => return Err(error),
    };
    if !is_pending(&listed, call.door.deps.clock.now()) {
        queue.act(entry, &Act::Release).await?;
        return Ok(Err(cannot()));
    }
    queue.act(entry, &Act::Remove).await?;
    call.note("submission.cancel", &entry.to_string()).await;
    (one.undo, one.done) = (Undo::Canceled, true);
    if let Value::Object(all) = &mut one.status {
        all.values_mut().for_each(|status| {
            *status = json!({ "smtpReply": "250 2.0.0 Canceled", "delivered": "no", "displayed": "unknown" })
        });
    }
    Ok(Ok((number, one)))
}

/// What happens to the messages once they are sent.
struct After {
    access: Access,
    sent: Vec<(String, Refused<Submission>)>,
    /// Of submissions that were there before.
    emails: BTreeMap<String, u64>,
    on_update: Map<String, Value>,
    on_destroy: Vec<String>,
}

impl After {
    /// The implicit Email/set, whose response follows.
    async fn run(self, call: &mut Call, answer: &mut Value) {
        let succeeded = |id: &str| -> Option<u64> {
            match id.strip_prefix('#') {
                Some(creation) => {
                    answer["created"].get(creation)?;
                    let (_, one) = self.sent.iter().find(|(known, _)| known == creation)?;
                    one.as_ref().ok().map(|one| one.email)
                }
                None => {
                    let is_gone = answer["destroyed"].as_array().is_some_and(|all| all.iter().any(|one| one == id));
                    let is_changed = answer["updated"].get(id).is_some();
                    self.emails.get(id).filter(|_| is_gone || is_changed).copied()
                }
            }
        };
        let email = |id: &str| succeeded(id).map(|number| ids::email_id(None, anser_base::MessageId(number)));
        let update: Map<String, Value> =
            self.on_update.iter().filter_map(|(id, patch)| Some((email(id)?, patch.clone()))).collect();
        let destroy: Vec<String> = self.on_destroy.iter().filter_map(|id| email(id)).collect();
        if update.is_empty() && destroy.is_empty() {
            return;
        }
        let account = ids::account_id(self.access.owner.id);
        let Value::Object(arguments) = json!({ "accountId": account, "update": update, "destroy": destroy }) else {
            return;
        };
        call.args = Args(arguments);
        let response = match email::set(call).await {
            Ok(response) => ("Email/set", response),
            Err(error) => ("error", MethodError::into_value(error)),
        };
        call.more.push(response);
    }
}
