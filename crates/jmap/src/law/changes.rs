//! `/changes` (RFC 8620 §5.2), out of the change log.

use std::collections::BTreeMap;

use anser_base::Result;
use anser_store::{Action, LogPoint, Logged, MailTx, Object, RecordKind};
use serde_json::{Value, json};

use crate::access::Access;
use crate::error::MethodError;
use crate::law::state;
use crate::method::{Call, Outcome};

/// Lines of the log that one answer tells at most, whatever the client wants.
const LINES: usize = 10_000;

/// What is asked for.
pub(crate) struct Changes {
    pub access: Access,
    pub since: String,
    pub most: usize,
}

/// What happened to the objects of a type, by their numbers, ascending.
#[derive(Debug, Default)]
pub(crate) struct Changed {
    pub created: Vec<u64>,
    pub updated: Vec<u64>,
    pub destroyed: Vec<u64>,
    /// Whether nothing but counters of mailboxes changed.
    pub counts_only: bool,
    pub new: String,
    pub more: bool,
}

impl Changes {
    pub fn read(call: &mut Call) -> std::result::Result<Self, MethodError> {
        let access = call.access()?;
        let since = call.args.string("sinceState")?.ok_or_else(|| MethodError::invalid("sinceState is missing"))?;
        let most = match call.args.uint("maxChanges")? {
            Some(0) => return Err(MethodError::invalid("maxChanges must be above 0")),
            Some(most) => usize::try_from(most).unwrap_or(LINES).min(LINES),
            None => LINES,
        };
        call.args.done()?;
        Ok(Self { access, since, most })
    }

    /// The response of a type whose objects are records.
    pub async fn of_records(&self, call: &Call, kind: RecordKind, show: impl Fn(u64) -> String) -> Outcome {
        let (old, most) = (self.since.clone(), self.most);
        let read = move |tx: &mut MailTx<'_, '_>| since(tx, &old, Logged::Records(kind), most);
        let changed = call.door.deps.store.read(self.access.owner.id, read).await??;
        Ok(self.answer(&changed, show))
    }

    /// The response.
    pub fn answer(&self, changed: &Changed, show: impl Fn(u64) -> String) -> Value {
        let shown = |ids: &[u64]| ids.iter().map(|id| show(*id)).collect::<Vec<_>>();
        json!({
            "accountId": crate::ids::account_id(self.access.owner.id),
            "oldState": self.since,
            "newState": changed.new,
            "hasMoreChanges": changed.more,
            "created": shown(&changed.created),
            "updated": shown(&changed.updated),
            "destroyed": shown(&changed.destroyed),
        })
    }
}

/// `cannotCalculateChanges`
pub(crate) fn cannot() -> MethodError {
    MethodError::new("cannotCalculateChanges", "")
}

/// What happened to one kind of objects since a state, told in at most so many ids.
pub(crate) fn since(
    tx: &mut MailTx<'_, '_>,
    old: &str,
    what: Logged,
    most: usize,
) -> Result<std::result::Result<Changed, MethodError>> {
    let Some(lines) = state::since(tx, old, what, most + 1)? else { return Ok(Err(cannot())) };
    let more = lines.len() > most;
    let mut objects: BTreeMap<u64, (Action, Action)> = BTreeMap::new();
    let mut changed = Changed { counts_only: true, more, ..Changed::default() };
    let mut new = LogPoint::after(tx.state());
    for line in lines.iter().take(most) {
        let id = number(line.object);
        changed.counts_only &= matches!(line.object, Object::Counts(_));
        objects.entry(id).or_insert((line.action, line.action)).1 = line.action;
        if more {
            new = line.at;
        }
    }
    for (id, actions) in objects {
        match actions {
            // It came and went in between: the client never heard of it.
            (Action::Created, Action::Destroyed) => {}
            (_, Action::Destroyed) => changed.destroyed.push(id),
            (Action::Created, _) => changed.created.push(id),
            _ => changed.updated.push(id),
        }
    }
    changed.new = state::shown(new);
    Ok(Ok(changed))
}

fn number(object: Object) -> u64 {
    match object {
        Object::Mailbox(id) | Object::Counts(id) => id.0,
        Object::Message(id) => id.0,
        Object::Thread(id) => id.0,
        Object::Record(_, id) => id,
    }
}
