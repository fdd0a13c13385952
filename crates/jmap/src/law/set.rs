//! `/set` (RFC 8620 §5.3): the arguments, and what was done.

use std::collections::{BTreeMap, HashSet};

use anser_base::Durability;
use anser_store::{Logged, MailTx};
use serde_json::{Map, Value, json};

use crate::access::{Access, Allowed};
use crate::door::Door;
use crate::error::{MethodError, SetError};
use crate::law::state;
use crate::method::{Call, Outcome};

/// What became of one object, or why it was left as it was.
pub(crate) type Refused<T> = Result<T, SetError>;

/// What is asked for.
#[derive(Clone)]
pub(crate) struct Set {
    pub access: Access,
    pub if_in_state: Option<String>,
    /// By creation id.
    pub create: Vec<(String, Map<String, Value>)>,
    pub update: Vec<(String, Map<String, Value>)>,
    pub destroy: Vec<String>,
}

/// What was done.
#[derive(Clone, Default)]
pub(crate) struct Done {
    pub old: String,
    pub new: String,
    /// By creation id: what the server set. `id` is among it.
    pub created: Map<String, Value>,
    pub updated: Map<String, Value>,
    pub destroyed: Vec<String>,
    not_created: BTreeMap<String, SetError>,
    not_updated: BTreeMap<String, SetError>,
    not_destroyed: BTreeMap<String, SetError>,
}

impl Set {
    /// The arguments that all types have.
    pub fn read(call: &mut Call) -> Result<Self, MethodError> {
        let access = call.access()?;
        let if_in_state = call.args.string("ifInState")?;
        let create = objects(call.args.map("create")?)?;
        let update = objects(call.args.map("update")?)?;
        let destroy = call.args.strings("destroy")?.unwrap_or_default();
        if create.len() + update.len() + destroy.len() > call.door.deps.limits.objects_in_set {
            return Err(MethodError::new("requestTooLarge", "too many objects"));
        }
        let resolve = |id: String| call.resolve(&id).unwrap_or(id);
        let mut seen = HashSet::new();
        Ok(Self {
            access,
            if_in_state,
            create,
            update: update.into_iter().map(|(id, patch)| (resolve(id), patch)).collect(),
            destroy: destroy.into_iter().map(resolve).filter(|id| seen.insert(id.clone())).collect(),
        })
    }

    /// Does it in one transaction, if nothing of the type happened since `ifInState`: `work` is given what the user may do, and notes
    /// how each object ended. It may run more than once.
    pub async fn run<W>(self, call: &mut Call, what: Logged, work: W) -> Outcome
    where
        W: FnMut(&mut MailTx<'_, '_>, &Self, Allowed, &mut Done) -> anser_base::Result<()> + Send + 'static,
    {
        let done = self.clone().perform(&call.door, what, work).await??;
        self.answer(call, done)
    }

    /// [`Self::run`] without an answer.
    pub async fn perform<W>(
        self,
        door: &Door,
        what: Logged,
        mut work: W,
    ) -> anser_base::Result<Result<Done, MethodError>>
    where
        W: FnMut(&mut MailTx<'_, '_>, &Self, Allowed, &mut Done) -> anser_base::Result<()> + Send + 'static,
    {
        let write = door.deps.store.write(self.access.owner.id, Durability::Sync, move |tx| {
            if let Err(error) = state::check(tx, what, self.if_in_state.as_deref())? {
                return Ok(Err(error));
            }
            let mut done = Done::from(state::now(tx));
            let allowed = self.access.allowed(tx)?;
            work(tx, &self, allowed, &mut done)?;
            done.new = state::now(tx);
            Ok(Ok(done))
        });
        write.await
    }

    /// The response; what was created is known to the calls that follow.
    pub fn answer(&self, call: &mut Call, done: Done) -> Outcome {
        for (creation, object) in &done.created {
            if let Some(id) = object.get("id").and_then(Value::as_str) {
                call.created.insert(creation.clone(), id.to_owned());
            }
        }
        Ok(json!({
            "accountId": crate::ids::account_id(self.access.owner.id),
            "oldState": done.old,
            "newState": done.new,
            "created": or_null(done.created),
            "updated": or_null(done.updated),
            "destroyed": if done.destroyed.is_empty() { Value::Null } else { json!(done.destroyed) },
            "notCreated": refusals(done.not_created),
            "notUpdated": refusals(done.not_updated),
            "notDestroyed": refusals(done.not_destroyed),
        }))
    }
}

/// Why objects were left as they were, in the language that is asked for: what is noted in a transaction is said afterwards.
fn refusals(all: BTreeMap<String, SetError>) -> Value {
    or_null(all.into_iter().map(|(id, error)| (id, error.into_value())).collect())
}

/// A map of an answer, which is null when nothing is in it.
pub(crate) fn or_null(map: Map<String, Value>) -> Value {
    if map.is_empty() { Value::Null } else { Value::Object(map) }
}

fn objects(map: Map<String, Value>) -> Result<Vec<(String, Map<String, Value>)>, MethodError> {
    let object = |(key, value)| match value {
        Value::Object(object) => Ok((key, object)),
        _ => Err(MethodError::invalid("an object is missing")),
    };
    map.into_iter().map(object).collect()
}

impl Done {
    /// Nothing yet, from this state on.
    pub fn from(old: String) -> Self {
        Self { new: old.clone(), old, ..Self::default() }
    }

    /// Notes how one creation ended.
    pub fn create(&mut self, creation: &str, result: Result<Map<String, Value>, SetError>) {
        match result {
            Ok(object) => drop(self.created.insert(creation.to_owned(), Value::Object(object))),
            Err(error) => drop(self.not_created.insert(creation.to_owned(), error)),
        }
    }

    /// Whether a creation was refused.
    pub fn refused(&self, creation: &str) -> bool {
        self.not_created.contains_key(creation)
    }

    /// Notes how one update ended; what the server changed beyond it, or null.
    pub fn update(&mut self, id: &str, result: Result<Value, SetError>) {
        match result {
            Ok(more) => drop(self.updated.insert(id.to_owned(), more)),
            Err(error) => drop(self.not_updated.insert(id.to_owned(), error)),
        }
    }

    /// Notes how one removal ended.
    pub fn destroy(&mut self, id: &str, result: Result<(), SetError>) {
        match result {
            Ok(()) => self.destroyed.push(id.to_owned()),
            Err(error) => {
                self.not_destroyed.insert(id.to_owned(), error);
            }
        }
    }
}
