//! Recall (docs/api/mail.md): what was sent is taken back from those who have not read it. Who has, keeps it; what went to other servers
//! is out of reach. Nothing of that depends on the recipients' programs.
//!
//! | file | holds |
//! |---|---|
//! | `tally` | how it went with each recipient, in words |
//! | `take` | out of the queue, and out of the mailboxes |
//!
//! A recall that waits, because somebody is delivering the message just now or because it has many copies, goes on by itself for an hour, and
//! whenever it is asked for.

mod take;
mod tally;

use std::sync::Arc;
use std::time::Duration;

use anser_base::{AccountId, Durability, Error, Result, Timestamp};
use anser_directory::model::AccountState;
use anser_store::{Logged, MailTx, RecordKind, Store};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::time::sleep;

use super::set::find;
use super::{Submission, Undo};
use crate::access::Access;
use crate::email::written_utc;
use crate::error::{MethodError, SetError};
use crate::identity::own;
use crate::ids;
use crate::law::changes::Changes;
use crate::law::get::Get;
use crate::law::set::{Done, Refused, Set};
use crate::law::state;
use crate::method::{Call, Outcome};

use tally::Tally;

/// How old what is recalled may be, in milliseconds.
const AGE: i64 = 30 * 24 * 3_600_000;
/// How long recalls are kept, in milliseconds.
const KEPT: i64 = 90 * 24 * 3_600_000;
/// Recalls of one account: all are read whenever some are asked for.
const RECALLS: usize = 1_000;
/// Recalls that one request begins: each looks into many mailboxes.
const AT_ONCE: usize = 10;

/// How long a recall that waits rests before it goes on, twice as long each time, and how often it does: for somewhat over an hour.
const REST: Duration = Duration::from_secs(1);
const ROUNDS: u32 = 12;

pub(crate) const PROPERTIES: [&str; 4] = ["id", "emailSubmissionId", "createdAt", "results"];

const WHAT: Logged = Logged::Records(RecordKind::Recall);

/// A recall as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Recall {
    /// The number of the submission.
    submission: u64,
    /// The queue's number of the message.
    entry: u64,
    /// Its Message-ID, where it had one: a copy that has another is none.
    message_id: Option<String>,
    created: i64,
    results: Vec<Tally>,
}

impl Recall {
    fn of(number: u64, submission: &Submission, entry: u64, now: Timestamp) -> Self {
        let to = submission.status.as_object().into_iter().flat_map(Map::keys);
        Self {
            submission: number,
            entry,
            message_id: submission.message_id.clone(),
            created: now.0,
            results: to.map(|email| Tally::of(email)).collect(),
        }
    }

    fn object(&self, id: u64) -> Map<String, Value> {
        let Value::Object(object) = json!({
            "id": recall_id(id),
            "emailSubmissionId": ids::submission_id(self.submission),
            "createdAt": written_utc(Timestamp(self.created)),
            "results": self.results.iter().map(Tally::object).collect::<Vec<_>>(),
        }) else {
            return Map::new();
        };
        object
    }

    fn waits(&self) -> bool {
        self.results.iter().any(Tally::waits)
    }

    fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

fn recall_id(number: u64) -> String {
    format!("R{number}")
}

fn parse_id(id: &str) -> Option<u64> {
    ids::number(id.strip_prefix('R')?)
}

fn read(tx: &mut MailTx<'_, '_>) -> Result<(String, Vec<(u64, Recall)>)> {
    let all = tx.records(RecordKind::Recall)?;
    let known = all.into_iter().filter_map(|(id, bytes)| Some((id, serde_json::from_slice(&bytes).ok()?)));
    Ok((state::now(tx), known.collect()))
}

/// `Recall/get`
pub(crate) async fn get(call: &mut Call) -> Outcome {
    let get = Get::read(call, |name| PROPERTIES.contains(&name))?;
    call.args.done()?;
    own(&get.access)?;
    let owner = get.access.owner.id;
    let (mut state, mut all) = call.door.deps.store.read(owner, read).await?;
    let is_wanted = |id: u64| get.ids.as_ref().is_none_or(|ids| ids.contains(&recall_id(id)));
    // Who may only look changes nothing by it.
    let may = call.user.may_send() && !call.user.is_read_only();
    let waiting = all.iter().filter(|(id, one)| may && is_wanted(*id) && one.waits());
    let waiting: Vec<u64> = waiting.map(|(id, _)| *id).collect();
    for id in waiting.iter().take(AT_ONCE) {
        go_on(call, &get.access, *id).await?;
    }
    if !waiting.is_empty() {
        (state, all) = call.door.deps.store.read(owner, read).await?;
    }
    get.answer(get.among(state, all.iter().map(|(id, one)| (recall_id(*id), one.object(*id)))))
}

/// `Recall/changes`
pub(crate) async fn changes(call: &mut Call) -> Outcome {
    let asked = Changes::read(call)?;
    own(&asked.access)?;
    asked.of_records(call, RecordKind::Recall, recall_id).await
}

/// `Recall/set`: to create one takes the message back, to destroy one forgets it.
pub(crate) async fn set(call: &mut Call) -> Outcome {
    let set = Set::read(call)?;
    call.args.done()?;
    own(&set.access)?;
    if set.create.len() > AT_ONCE {
        return Err(MethodError::new("requestTooLarge", format!("at most {AT_ONCE} at once")));
    }
    let access = set.access.clone();
    let wanted: Vec<(String, Refused<String>)> =
        set.create.iter().map(|(creation, object)| (creation.clone(), named(call, object))).collect();
    let now = call.door.deps.clock.now();
    let work = move |tx: &mut MailTx<'_, '_>, set: &Set, _, done: &mut Done| {
        forget_old(tx, now)?;
        for (creation, id) in &wanted {
            let begun = match id {
                Ok(id) => begin(tx, id, now)?,
                Err(error) => Err(error.clone()),
            };
            done.create(creation, begun.map(|(id, one)| one.object(id)));
        }
        for (id, _) in &set.update {
            done.update(id, Err(SetError::forbidden("what was recalled stays so")));
        }
        for id in &set.destroy {
            let gone = parse_id(id).map_or(Ok(false), |number| tx.remove_record(RecordKind::Recall, number))?;
            done.destroy(id, if gone { Ok(()) } else { Err(SetError::not_found()) });
        }
        Ok(())
    };
    let mut done = set.clone().perform(&call.door, WHAT, work).await??;
    for made in done.created.values_mut() {
        let Some(id) = made["id"].as_str().and_then(parse_id) else { continue };
        // It is written down: what fails now is gone on with later.
        match go_on(call, &access, id).await {
            Ok(Some(one)) => {
                *made = Value::Object(one.object(id));
                if one.waits() {
                    keep_on(call, &access, id);
                }
            }
            Ok(None) => {}
            Err(error) => {
                tracing::error!(error = error.chain(), "a recall waits");
                keep_on(call, &access, id);
            }
        }
        made.as_object_mut().and_then(|made| made.remove("emailSubmissionId"));
    }
    done.new = call.door.deps.store.read(access.owner.id, |tx| Ok(state::now(tx))).await?;
    set.answer(call, done)
}

/// The submission that a creation names.
fn named(call: &Call, object: &Map<String, Value>) -> Refused<String> {
    if let Some(other) = object.keys().find(|name| *name != "emailSubmissionId") {
        return Err(SetError::property(other, "this cannot be set"));
    }
    let id = object.get("emailSubmissionId").and_then(Value::as_str);
    let id = id.ok_or_else(|| SetError::property("emailSubmissionId", "the id of a submission is expected"))?;
    call.resolve(id).ok_or_else(SetError::not_found)
}

fn begin(tx: &mut MailTx<'_, '_>, submission: &str, now: Timestamp) -> Result<Refused<(u64, Recall)>> {
    let Some((number, one)) = find(tx, submission)? else { return Ok(Err(SetError::not_found())) };
    if one.undo == Undo::Canceled {
        return Ok(Err(SetError::forbidden("it was never sent")));
    }
    if one.send_at < now.0 - AGE {
        return Ok(Err(SetError::forbidden("it was sent more than 30 days ago")));
    }
    let Some(entry) = one.entry else {
        return Ok(Err(SetError::new("serverUnavailable", "it is being handed over; try again")));
    };
    if let Some((id, _)) = read(tx)?.1.into_iter().find(|(_, known)| known.submission == number) {
        return Ok(Err(SetError::new("alreadyExists", "").with("existingId", recall_id(id))));
    }
    if tx.count_records(RecordKind::Recall)? >= RECALLS {
        return Ok(Err(SetError::new("overQuota", "there are too many recalls; destroy some")));
    }
    let recall = Recall::of(number, &one, entry, now);
    Ok(match tx.add_record(RecordKind::Recall, &recall.bytes()) {
        Ok(id) => Ok((id, recall)),
        Err(error) => Err(SetError::of(error)?),
    })
}

fn forget_old(tx: &mut MailTx<'_, '_>, now: Timestamp) -> Result<()> {
    for (id, _) in read(tx)?.1.into_iter().filter(|(_, one)| one.created < now.0 - KEPT) {
        tx.remove_record(RecordKind::Recall, id)?;
    }
    Ok(())
}

/// Goes on with a recall when nobody asks for it, as long as the server runs.
fn keep_on(call: &Call, access: &Access, id: u64) {
    let (door, user, client) = (Arc::downgrade(&call.door), call.user.clone(), call.client);
    let access = access.clone();
    tokio::spawn(async move {
        for round in 0..ROUNDS {
            sleep(REST * 2_u32.pow(round)).await;
            let Some(door) = door.upgrade() else { return };
            let call = Call::of(door, user.clone(), client);
            match call.door.deps.directory.account(access.owner.id).await {
                Ok(Some(owner)) if owner.state == AccountState::Active => {}
                // Whoever is shut out changes nothing with others any more.
                Ok(_) => return,
                Err(error) => {
                    tracing::error!(error = error.chain(), "a recall waits");
                    continue;
                }
            }
            match go_on_far(&call, &access, id).await {
                Ok(false) => return,
                Ok(true) => {}
                Err(error) => tracing::error!(error = error.chain(), "a recall waits"),
            }
        }
    });
}

/// Goes on until nothing more can be done now; whether it still waits.
async fn go_on_far(call: &Call, access: &Access, id: u64) -> Result<bool> {
    let mut before = None;
    while let Some(now) = go_on(call, access, id).await? {
        if !now.waits() {
            return Ok(false);
        }
        if before.as_ref() == Some(&now) {
            return Ok(true);
        }
        before = Some(now);
    }
    Ok(false)
}

/// Goes on with a recall as far as that is possible now; as it is then. One at a time of an account, so that nothing is counted twice. Whoever
/// asked may leave meanwhile: what was taken back is written down all the same.
async fn go_on(call: &Call, access: &Access, id: u64) -> Result<Option<Recall>> {
    let turn = call.door.recalling(access.owner.id).lock_owned().await;
    let (call, access) = (call.apart(), access.clone());
    let going = tokio::spawn(async move {
        let _turn = turn;
        proceed(&call, &access, id).await
    });
    going.await.map_err(Error::unavailable)?
}

async fn proceed(call: &Call, access: &Access, id: u64) -> Result<Option<Recall>> {
    let (owner, store) = (access.owner.id, &call.door.deps.store);
    let bytes = store.read(owner, move |tx| tx.record_of(RecordKind::Recall, id)).await?;
    let Some(mut now) = bytes.and_then(|bytes| serde_json::from_slice::<Recall>(&bytes).ok()) else { return Ok(None) };
    if let Some(unsent) = take::hold(call, &mut now).await? {
        put(store, owner, id, &now, unsent).await?;
        take::remove(call, &now).await?;
    }
    let held = now.clone();
    // What was done is written down even when the rest fails.
    let ended = take::out_of_mailboxes(call, access, &mut now).await;
    if now != held {
        put(store, owner, id, &now, Vec::new()).await?;
    }
    ended.map(|()| Some(now))
}

/// Writes a recall down, unless it was forgotten meanwhile, and with its submission who will not get it.
async fn put(store: &Store, owner: AccountId, id: u64, now: &Recall, unsent: Vec<String>) -> Result<()> {
    let (bytes, submission) = (now.bytes(), now.submission);
    let write = store.write(owner, Durability::Sync, move |tx| {
        if tx.record_of(RecordKind::Recall, id)?.is_some() {
            tx.put_record(RecordKind::Recall, id, &bytes)?;
        }
        note_unsent(tx, submission, &unsent)
    });
    write.await
}

/// The submission tells of those who will not get it, too.
fn note_unsent(tx: &mut MailTx<'_, '_>, number: u64, unsent: &[String]) -> Result<()> {
    if unsent.is_empty() {
        return Ok(());
    }
    let Some((_, mut one)) = find(tx, &ids::submission_id(number))? else { return Ok(()) };
    one.unsend(unsent, "250 2.0.0 Recalled");
    tx.put_record(RecordKind::Submission, number, &one.bytes())
}
