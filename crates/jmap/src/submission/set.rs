//! EmailSubmission/set (RFC 8621 §7.5).
//!
//! What is sent cannot be unsent, so that the record comes first: it is written before the message is handed over, and gets the queue's
//! number afterwards. If it is not written nothing is sent; if the number is not, the client is told all the same what became of the
//! message, and `status` finds the number again.

use std::collections::{BTreeMap, BTreeSet};

use anser_base::{Durability, Result, Timestamp};
use anser_store::{MailTx, RecordKind};
use serde_json::{Map, Value, json};

use super::send::Ready;
use super::{Submission, WHAT, cancel, send};
use crate::access::Access;
use crate::email;
use crate::error::{MethodError, SetError};
use crate::identity::own;
use crate::ids;
use crate::law::set::{Done, Refused, Set};
use crate::law::state;
use crate::method::{Call, Outcome};

/// How long ended submissions are kept, in milliseconds.
const KEPT: i64 = 90 * 24 * 3_600_000;

/// RFC 8621 §7.5.
pub(crate) async fn set(call: &mut Call) -> Outcome {
    let set = Set::read(call)?;
    let on_update = call.args.map("onSuccessUpdateEmail")?;
    let on_destroy = call.args.strings("onSuccessDestroyEmail")?.unwrap_or_default();
    call.args.done()?;
    own(&set.access)?;
    let access = set.access.clone();
    let mut ready = Vec::with_capacity(set.create.len());
    for (creation, object) in &set.create {
        ready.push((creation.clone(), send::prepare(call, &access, object).await?));
    }
    let emails = emails_of(call, &access, &set).await?;
    let (mut done, announced) = announce(call, &set, ready).await?;
    let (mut sent, mut records) = (Vec::with_capacity(announced.len()), Vec::new());
    for (creation, announced) in announced {
        let outcome = match announced {
            Ok((id, ready)) => {
                let mut record = ready.record.clone();
                let handed = send::hand_over(call, &access, ready).await;
                record.entry = handed.as_ref().ok().map(|entry| entry.0);
                records.push((id, handed.is_ok().then(|| record.clone())));
                handed.map(|_| (id, record))
            }
            Err(error) => Err(error),
        };
        done.create(&creation, outcome.as_ref().map(|(id, one)| server_set(one, *id)).map_err(Clone::clone));
        sent.push((creation, outcome.map(|(_, one)| one)));
    }
    for (id, patch) in &set.update {
        let taken = cancel::take_back(call, &access, id, patch).await;
        records.extend(taken.as_ref().ok().map(|(number, one)| (*number, Some(one.clone()))));
        done.update(id, taken.map(|_| Value::Null));
    }
    conclude(call, &set, records, &mut done).await;
    let mut answer = set.answer(call, done)?;
    let after = After { access, sent, emails, on_update, on_destroy };
    after.run(call, &mut answer).await;
    Ok(answer)
}

/// What is about to be sent, with the numbers of its records.
type Announced = Vec<(String, Refused<(u64, Ready)>)>;

/// Writes down what is about to be sent, in the state that the client wants to be in.
async fn announce(
    call: &Call,
    set: &Set,
    ready: Vec<(String, Refused<Ready>)>,
) -> std::result::Result<(Done, Announced), MethodError> {
    let (if_in_state, now) = (set.if_in_state.clone(), call.door.deps.clock.now());
    let write = call.door.deps.store.write(set.access.owner.id, Durability::Sync, move |tx| {
        if let Err(error) = state::check(tx, WHAT, if_in_state.as_deref())? {
            return Ok(Err(error));
        }
        let mut done = Done::from(state::now(tx));
        forget_old(tx, now)?;
        let mut announced = Vec::with_capacity(ready.len());
        for (creation, ready) in &ready {
            let one = match ready {
                Ok(ready) => match tx.add_record(RecordKind::Submission, &ready.record.bytes()) {
                    Ok(id) => Ok((id, ready.clone())),
                    Err(error) => Err(SetError::of(error)?),
                },
                Err(error) => Err(error.clone()),
            };
            announced.push((creation.clone(), one));
        }
        done.new = state::now(tx);
        Ok(Ok((done, announced)))
    });
    write.await?
}

/// Writes what became of it all; nothing is left of what was not taken. What was done is done, so that a failure here is no failure of
/// the method.
async fn conclude(call: &Call, set: &Set, records: Vec<(u64, Option<Submission>)>, done: &mut Done) {
    let destroy = set.destroy.clone();
    let write = call.door.deps.store.write(set.access.owner.id, Durability::Sync, move |tx| {
        for (id, record) in &records {
            match record {
                Some(record) if tx.record_of(RecordKind::Submission, *id)?.is_some() => {
                    tx.put_record(RecordKind::Submission, *id, &record.bytes())?;
                }
                Some(_) => {}
                None => drop(tx.remove_record(RecordKind::Submission, *id)?),
            }
        }
        let mut gone = BTreeSet::new();
        for id in &destroy {
            if let Some(number) = ids::parse_submission(id)
                && tx.remove_record(RecordKind::Submission, number)?
            {
                gone.insert(id.clone());
            }
        }
        Ok((gone, state::now(tx)))
    });
    let written = write.await;
    for id in &set.destroy {
        done.destroy(
            id,
            match &written {
                Ok((gone, _)) if gone.contains(id) => Ok(()),
                Ok(_) => Err(SetError::not_found()),
                Err(error) => Err(SetError::failed(error)),
            },
        );
    }
    match written {
        Ok((_, state)) => done.new = state,
        Err(error) => tracing::error!(error = error.chain(), "what became of a submission was not written"),
    }
}

/// What the server says of a new one: all but what the client gave.
fn server_set(one: &Submission, id: u64) -> Map<String, Value> {
    let mut object = one.object(id);
    object.retain(|name, _| !matches!(name.as_str(), "identityId" | "emailId"));
    object
}

fn forget_old(tx: &mut MailTx<'_, '_>, now: Timestamp) -> Result<()> {
    let (_, all) = super::read(tx)?;
    for (id, _) in all.into_iter().filter(|(_, one)| one.done && one.send_at < now.0 - KEPT) {
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

/// A submission by its id on the wire, and its number.
pub(super) fn find(tx: &mut MailTx<'_, '_>, id: &str) -> Result<Option<(u64, Submission)>> {
    let Some(number) = ids::parse_submission(id) else { return Ok(None) };
    let bytes = tx.record_of(RecordKind::Submission, number)?;
    Ok(bytes.and_then(|bytes| Some((number, serde_json::from_slice(&bytes).ok()?))))
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
        email::set_behind(call, json!({ "accountId": account, "update": update, "destroy": destroy })).await;
    }
}
