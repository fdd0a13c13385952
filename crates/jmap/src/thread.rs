//! Thread (RFC 8621 §3).

use anser_base::{Result, ThreadId};
use anser_store::{Logged, MailTx};
use serde_json::{Map, Value, json};

use crate::access::Allowed;
use crate::email::messages;
use crate::error::MethodError;
use crate::ids::{self, Scope};
use crate::law::changes::{self, Changes};
use crate::law::get::{Get, Got};
use crate::law::guest;
use crate::law::state;
use crate::method::{Call, Outcome};

/// Messages of one conversation that are told at most, the oldest.
const MEMBERS: usize = 10_000;

/// RFC 8621 §3.1.
pub(crate) async fn get(call: &mut Call) -> Outcome {
    let get = Get::read(call, |name| matches!(name, "id" | "emailIds"))?;
    call.args.done()?;
    let Some(wanted) = get.ids.clone() else { return Err(MethodError::new("requestTooLarge", "ids are needed")) };
    let (scope, access) = (get.access.scope(), get.access.clone());
    let read = call.door.deps.store.read(get.access.owner.id, move |tx| {
        let allowed = access.allowed(tx)?;
        let mut got = Got { state: state::now(tx), ..Got::default() };
        for id in &wanted {
            let members = match ids::parse_thread(scope, id) {
                Some(thread) => members(tx, &allowed, scope, thread)?,
                None => Vec::new(),
            };
            match members.is_empty() {
                true => got.not_found.push(id.clone()),
                false => got.list.push(json!({ "id": id, "emailIds": members })),
            }
        }
        Ok(got)
    });
    let mut got = read.await?;
    let shown = |value| match value {
        Value::Object(object) => get.shown(object),
        _ => get.shown(Map::new()),
    };
    got.list = got.list.into_iter().map(shown).collect();
    get.answer(got)
}

/// Oldest first.
fn members(tx: &mut MailTx<'_, '_>, allowed: &Allowed, scope: Scope, thread: ThreadId) -> Result<Vec<String>> {
    let mut all = tx.thread(thread)?;
    all.truncate(MEMBERS);
    let mut seen = Vec::with_capacity(all.len());
    for ids in all.chunks(256) {
        let found = messages(tx, allowed, ids)?.into_iter().flatten();
        seen.extend(found.map(|loaded| (loaded.message.received, loaded.message.id)));
    }
    seen.sort_unstable();
    Ok(seen.into_iter().map(|(_, id)| ids::email_id(scope, id)).collect())
}

/// RFC 8621 §3.2.
pub(crate) async fn changes(call: &mut Call) -> Outcome {
    let asked = Changes::read(call)?;
    let (since, most, access) = (asked.since.clone(), asked.most, asked.access.clone());
    let read = move |tx: &mut MailTx<'_, '_>| {
        let mut changed = match changes::since(tx, &since, Logged::Threads, most)? {
            Ok(changed) if !access.is_own() => changed,
            known => return Ok(known),
        };
        let allowed = access.allowed(tx)?;
        if guest::may_have_lost(tx, &allowed, &since)? {
            return Ok(Err(changes::cannot()));
        }
        changed.destroyed.clear();
        for list in [&mut changed.created, &mut changed.updated] {
            let mut seen = Vec::with_capacity(list.len());
            for id in std::mem::take(list) {
                let members: Vec<u64> = tx.thread(ThreadId(id))?.iter().take(MEMBERS).map(|id| id.0).collect();
                seen.extend((!guest::placed(tx, &allowed, &members)?.is_empty()).then_some(id));
            }
            *list = seen;
        }
        Ok(Ok(changed))
    };
    let changed = call.door.deps.store.read(asked.access.owner.id, read).await??;
    let scope = asked.access.scope();
    Ok(asked.answer(&changed, |id| ids::thread_id(scope, ThreadId(id))))
}
