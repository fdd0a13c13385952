//! How far a submission is. While it is in the queue the queue knows; afterwards the journal does.

use anser_base::{Class, Durability, EntryId, Result, Timestamp};
use anser_journal::{Query, What};
use anser_queue::{Listed, State};
use anser_store::{MailTx, RecordKind};
use serde_json::{Map, Value, json};

use super::{Submission, Undo, read, reports};
use crate::access::Access;
use crate::method::Call;

/// Events of one entry that are looked at.
const EVENTS: usize = 4_096;
/// How long handing over may take, in milliseconds: longer than any request.
const HANDING_OVER: i64 = 10 * 60_000;
/// Submissions that are looked after at once; the others wait for the next time.
const AT_ONCE: usize = 200;

/// All submissions, after those that were under way have been looked after. What became of them is in the change log then.
pub(super) async fn refreshed(call: &Call, access: &Access) -> Result<(String, Vec<(u64, Submission)>)> {
    let owner = access.owner.id;
    let (state, known) = call.door.deps.store.read(owner, read).await?;
    let found = reports::since_last_look(call, access, &known).await?;
    let (mut changed, mut left) = (Vec::new(), AT_ONCE);
    for (id, one) in known.iter().filter(|(_, one)| !one.done || !found.reports.is_empty()) {
        let mut now = match one.done || left == 0 {
            true => one.clone(),
            false => {
                left -= 1;
                current(call, access, one).await?
            }
        };
        found.reports.iter().for_each(|report| report.note(&mut now));
        if now != *one {
            changed.push((*id, one.clone(), now));
        }
    }
    if changed.is_empty() {
        found.done(call, access);
        return Ok((state, known));
    }
    let write = call.door.deps.store.write(owner, Durability::Deferred, move |tx| {
        let mut all = true;
        for (id, before, now) in &changed {
            all &= put_if(tx, *id, before, now)?;
        }
        Ok((read(tx)?, all))
    });
    let (now, all) = write.await?;
    // A report on one that was changed meanwhile is found again.
    if all {
        found.done(call, access);
    }
    Ok(now)
}

/// Writes a submission, unless it was changed meanwhile; whether it was written.
fn put_if(tx: &mut MailTx<'_, '_>, id: u64, before: &Submission, now: &Submission) -> Result<bool> {
    let bytes = tx.record_of(RecordKind::Submission, id)?;
    let kept = bytes.and_then(|bytes| serde_json::from_slice::<Submission>(&bytes).ok());
    // Not their bytes: an older program wrote fewer fields.
    let is_same = kept.as_ref() == Some(before);
    if is_same {
        tx.put_record(RecordKind::Submission, id, &now.bytes())?;
    }
    Ok(is_same)
}

/// A submission as it is now.
async fn current(call: &Call, access: &Access, one: &Submission) -> Result<Submission> {
    let (deps, now) = (&call.door.deps, call.door.deps.clock.now());
    let mut next = one.clone();
    let entry = match one.entry {
        Some(entry) => EntryId(entry),
        None if now.0 - one.asked < HANDING_OVER => return Ok(next),
        None => match entry_of(call, access, one).await? {
            Some(entry) => entry,
            None => {
                next.cancel("554 5.0.0 Not sent");
                return Ok(next);
            }
        },
    };
    next.entry = Some(entry.0);
    match deps.queue.show(entry).await {
        Ok(listed) => {
            if one.undo == Undo::Pending && !is_pending(&listed, now) {
                next.undo = Undo::Final;
            }
            next.status = of_queue(&listed);
        }
        Err(error) if error.class == Class::NotFound => {
            next.undo = Undo::Final;
            next.done = true;
            deps.journal.flush().await?;
            next.status = of_journal(call, entry, one).await?;
        }
        Err(error) => return Err(error),
    }
    Ok(next)
}

/// The number of a message that was handed over and not noted, as the journal tells it: the account's first of that Message-ID since.
async fn entry_of(call: &Call, access: &Access, one: &Submission) -> Result<Option<EntryId>> {
    let Some(id) = &one.message_id else { return Ok(None) };
    let journal = &call.door.deps.journal;
    journal.flush().await?;
    let events = journal.trace(Query::Message(id.clone()), EVENTS).await?;
    Ok(events.into_iter().filter(|event| event.at.0 >= one.asked).find_map(|event| match event.what {
        What::Accepted { entry, account, .. } if account == Some(access.owner.id) => Some(entry),
        _ => None,
    }))
}

/// Whether nothing was tried yet, so that it can be taken back.
pub(super) fn is_pending(listed: &Listed, now: Timestamp) -> bool {
    let untouched = listed.progress.iter().all(|one| one.state == State::Waiting && one.attempts == 0);
    untouched && !listed.leased && (listed.held || listed.due.is_none_or(|due| due > now))
}

/// A DeliveryStatus (RFC 8621 §7).
pub(super) fn told(reply: &str, delivered: &str) -> Value {
    json!({ "smtpReply": reply, "delivered": delivered, "displayed": "unknown" })
}

fn of_queue(listed: &Listed) -> Value {
    let recipients = listed.envelope.recipients.iter().zip(&listed.progress);
    let all: Map<String, Value> = recipients
        .map(|(recipient, progress)| {
            let why = progress.why.as_deref();
            let status = match progress.state {
                State::Waiting => told(why.unwrap_or("250 2.0.0 Queued"), "queued"),
                State::Done => told(why.unwrap_or("250 2.1.5 Sent"), "unknown"),
                State::Failed | State::Expired => told(why.unwrap_or("554 5.0.0 Not delivered"), "no"),
            };
            (recipient.address.to_string(), status)
        })
        .collect();
    Value::Object(all)
}

async fn of_journal(call: &Call, number: EntryId, one: &Submission) -> Result<Value> {
    let events = call.door.deps.journal.trace(Query::Entry(number), EVENTS).await?;
    let mut all = one.status.as_object().cloned().unwrap_or_default();
    for status in all.values_mut().filter(|status| status["delivered"] == "queued") {
        *status = told("250 2.0.0 Sent", "unknown");
    }
    for event in events {
        let (entry, recipient, status) = match event.what {
            What::Delivered { entry, recipient, .. } => (entry, recipient, told("250 2.1.5 Delivered", "yes")),
            What::Relayed { entry, recipient, reply, .. } => (entry, recipient, told(&reply, "unknown")),
            What::Failed { entry, recipient, why, .. } => (entry, recipient, told(&why, "no")),
            _ => continue,
        };
        if entry == number && all.contains_key(&recipient) {
            all.insert(recipient, status);
        }
    }
    Ok(Value::Object(all))
}
