//! Bulk: one act on everything that a filter finds, done by the server piece by piece, with how far it is, and an end at any time. What
//! is done when it ends early stays done; a restart of the server ends it. Asking again goes on with what is left.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anser_base::{AccountId, MessageId};
use serde_json::{Map, Value, json};

use crate::access::Access;
use crate::door::Door;
use crate::email;
use crate::error::{MethodError, SetError};
use crate::ids;
use crate::law::get::Get;
use crate::law::set::{Done, Refused, Set};
use crate::method::{Call, Outcome};

/// Acts of one user that run at once, and that are remembered.
const RUNNING: usize = 2;
const KNOWN: usize = 20;
/// Users whose acts are remembered.
const USERS: usize = 10_000;
/// Messages of one transaction: others who write to the account wait for no longer than that.
const PIECE: usize = 100;

pub(crate) const PROPERTIES: [&str; 6] = ["id", "state", "total", "done", "failed", "accountId"];

/// The acts of all users.
#[derive(Default)]
pub(crate) struct Bulks(Mutex<HashMap<AccountId, Vec<Arc<Bulk>>>>);

/// How an act stands.
const STATES: [&str; 4] = ["running", "done", "canceled", "failed"];

/// One act.
struct Bulk {
    id: String,
    account: AccountId,
    total: u64,
    done: AtomicU64,
    failed: AtomicU64,
    /// Its place among [`STATES`].
    state: AtomicU8,
    is_ended: AtomicBool,
}

impl Bulk {
    /// One that runs from now on.
    fn new(token: String, account: AccountId, total: usize) -> Arc<Self> {
        Arc::new(Self {
            id: format!("J{token}"),
            account,
            total: total as u64,
            done: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            state: AtomicU8::new(0),
            is_ended: AtomicBool::new(false),
        })
    }

    fn is_running(&self) -> bool {
        self.state.load(Ordering::Relaxed) == 0
    }

    fn object(&self) -> Map<String, Value> {
        let Value::Object(object) = json!({
            "id": self.id,
            "accountId": ids::account_id(self.account),
            "state": STATES[usize::from(self.state.load(Ordering::Relaxed))],
            "total": self.total,
            "done": self.done.load(Ordering::Relaxed),
            "failed": self.failed.load(Ordering::Relaxed),
        }) else {
            return Map::new();
        };
        object
    }
}

impl Bulks {
    fn of(&self, user: AccountId) -> Vec<Arc<Bulk>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&user).cloned().unwrap_or_default()
    }

    /// Remembers an act, unless too many of the user's run.
    fn add(&self, user: AccountId, bulk: Arc<Bulk>) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= USERS {
            all.retain(|_, own| own.iter().any(|bulk| bulk.is_running()));
        }
        let own = all.entry(user).or_default();
        if own.iter().filter(|bulk| bulk.is_running()).count() >= RUNNING {
            return false;
        }
        if own.len() >= KNOWN
            && let Some(at) = own.iter().position(|bulk| !bulk.is_running())
        {
            own.remove(at);
        }
        own.push(bulk);
        true
    }
}

/// `Bulk/get`: the user's own, in the account that they are about.
pub(crate) async fn get(call: &mut Call) -> Outcome {
    let get = Get::read(call, |name| PROPERTIES.contains(&name))?;
    call.args.done()?;
    let all = call.door.bulks.of(call.user.account.id);
    let here = all.iter().filter(|bulk| bulk.account == get.access.owner.id);
    get.answer(get.among(String::new(), here.map(|bulk| (bulk.id.clone(), bulk.object()))))
}

/// `Bulk/set`: creating one begins it, destroying one ends it.
pub(crate) async fn set(call: &mut Call) -> Outcome {
    let set = Set::read(call)?;
    call.args.done()?;
    let mut done = Done::from(String::new());
    for (creation, object) in &set.create {
        let begun = begin(call, &set.access, object).await?;
        done.create(creation, begun);
    }
    for (id, _) in &set.update {
        done.update(id, Err(SetError::forbidden("what is begun stays as it is, or is ended")));
    }
    let all = call.door.bulks.of(call.user.account.id);
    for id in &set.destroy {
        let found = all.iter().find(|bulk| bulk.id == *id && bulk.account == set.access.owner.id);
        done.destroy(
            id,
            found.map(|bulk| bulk.is_ended.store(true, Ordering::Relaxed)).ok_or_else(SetError::not_found),
        );
    }
    set.answer(call, done)
}

/// What is done to each message.
#[derive(Clone)]
enum Act {
    Update(Map<String, Value>),
    Destroy,
}

async fn begin(
    call: &Call,
    access: &Access,
    object: &Map<String, Value>,
) -> Result<Refused<Map<String, Value>>, MethodError> {
    let act = match act(object) {
        Ok(act) => act,
        Err(error) => return Ok(Err(error)),
    };
    let filter = object.get("filter").filter(|filter| !filter.is_null()).cloned();
    let Ok(wish) = email::Wish::read(access.scope(), filter, Vec::new(), false) else {
        return Ok(Err(SetError::property("filter", "it is not understood")));
    };
    let found = email::find(&call.door, access, &wish, usize::MAX).await?.list;
    let found: Vec<MessageId> = found.iter().map(|(_, id)| *id).collect();
    let bulk = Bulk::new(call.door.deps.entropy.token(12), access.owner.id, found.len());
    if !call.door.bulks.add(call.user.account.id, bulk.clone()) {
        return Ok(Err(SetError::new("overQuota", "too many of these run at once")));
    }
    call.note("email.bulk", &format!("{}: {} messages", access.owner.address, found.len())).await;
    let work = Work {
        door: call.door.clone(),
        access: access.clone(),
        act,
        created: call.created.clone(),
        bulk: bulk.clone(),
    };
    tokio::spawn(async move { work.run(&found).await });
    Ok(Ok(bulk.object()))
}

fn act(object: &Map<String, Value>) -> Refused<Act> {
    if let Some(other) = object.keys().find(|name| !matches!(name.as_str(), "filter" | "update" | "destroy")) {
        return Err(SetError::property(other, "there is no such property"));
    }
    match (object.get("update"), object.get("destroy")) {
        (Some(Value::Object(patch)), None) => Ok(Act::Update(patch.clone())),
        (None, Some(Value::Bool(true))) => Ok(Act::Destroy),
        _ => Err(SetError::properties(&["update", "destroy"], "one of both: a patch, or true")),
    }
}

struct Work {
    door: Arc<Door>,
    access: Access,
    act: Act,
    created: BTreeMap<String, String>,
    bulk: Arc<Bulk>,
}

impl Work {
    async fn run(self, found: &[MessageId]) {
        for piece in found.chunks(PIECE) {
            if self.bulk.is_ended.load(Ordering::Relaxed) {
                return self.bulk.state.store(2, Ordering::Relaxed);
            }
            match email::set_some(&self.door, self.set(piece), self.created.clone()).await {
                Ok(changed) => {
                    self.bulk.done.fetch_add(changed, Ordering::Relaxed);
                    self.bulk.failed.fetch_add(piece.len() as u64 - changed, Ordering::Relaxed);
                }
                Err(error) => {
                    tracing::error!(error = error.chain(), "an act on many messages ended");
                    return self.bulk.state.store(3, Ordering::Relaxed);
                }
            }
        }
        self.bulk.state.store(1, Ordering::Relaxed);
    }

    fn set(&self, piece: &[MessageId]) -> Set {
        let ids = piece.iter().map(|id| ids::email_id(self.access.scope(), *id));
        let (update, destroy) = match &self.act {
            Act::Update(patch) => (ids.map(|id| (id, patch.clone())).collect(), Vec::new()),
            Act::Destroy => (Vec::new(), ids.collect()),
        };
        Set { access: self.access.clone(), if_in_state: None, create: Vec::new(), update, destroy }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_run_at_once_and_no_more() {
        let (bulks, ann) = (Bulks::default(), AccountId(1));
        let all: Vec<Arc<Bulk>> = (0..=RUNNING).map(|at| Bulk::new(at.to_string(), ann, 1)).collect();
        assert!(all[..RUNNING].iter().all(|bulk| bulks.add(ann, bulk.clone())));
        assert!(!bulks.add(ann, all[RUNNING].clone()));
        assert!(bulks.add(AccountId(2), all[RUNNING].clone()), "another's are counted for themselves");
        all[0].state.store(1, Ordering::Relaxed);
        assert!(bulks.add(ann, all[RUNNING].clone()));
    }
}
