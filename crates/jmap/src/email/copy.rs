//! Email/copy (RFC 8621 §4.7).

use anser_base::{Durability, Error, Result};
use anser_store::{Logged, MailTx, NewMessage};
use serde_json::{Map, Value, json};

use super::import::put_all;
use super::load::{self, Loaded};
use super::place::{Draft, Place};
use super::set::set_behind;
use crate::access::Access;
use crate::error::{MethodError, SetError};
use crate::ids;
use crate::law::set::Refused;
use crate::law::state;
use crate::method::{Call, Outcome};

/// RFC 8621 §4.7.
pub(crate) async fn copy(call: &mut Call) -> Outcome {
    let from = call.source()?;
    let access = call.access()?;
    if from.owner.id == access.owner.id {
        return Err(MethodError::invalid("the accounts are the same"));
    }
    let (if_from, if_in) = (call.args.string("ifFromInState")?, call.args.string("ifInState")?);
    let (destroys, if_destroy) =
        (call.args.bool("onSuccessDestroyOriginal")?, call.args.string("destroyFromIfInState")?);
    let create = call.args.map("create")?;
    call.args.done()?;
    if create.len() > call.door.deps.limits.objects_in_set {
        return Err(MethodError::new("requestTooLarge", "too many objects"));
    }
    let reader = from.clone();
    let check = move |tx: &mut MailTx<'_, '_>| state::check(tx, Logged::Messages, if_from.as_deref());
    call.door.deps.store.read(reader.owner.id, check).await??;
    let (mut drafts, mut originals) = (Vec::with_capacity(create.len()), Vec::new());
    for (creation, object) in create {
        let Value::Object(object) = object else { return Err(MethodError::invalid("an object is missing")) };
        originals.push((creation.clone(), object.get("id").and_then(|id| call.resolve(id.as_str()?))));
        drafts.push((creation, draft(call, &from, &access, object).await?));
    }
    let mut answer = put_all(call, access, if_in, drafts).await?;
    answer["fromAccountId"] = ids::account_id(from.owner.id).into();
    if destroys && let Some(created) = answer["created"].as_object() {
        let copied = originals.into_iter().filter(|(creation, _)| created.contains_key(creation));
        let gone: Vec<String> = copied.filter_map(|(_, id)| id).collect();
        let account = ids::account_id(from.owner.id);
        set_behind(call, json!({ "accountId": account, "destroy": gone, "ifInState": if_destroy })).await;
    }
    Ok(answer)
}

async fn draft(call: &Call, from: &Access, to: &Access, mut object: Map<String, Value>) -> Result<Refused<Draft>> {
    let id = object.remove("id").and_then(|id| call.resolve(id.as_str()?));
    let place = match Place::read(call, to, &mut object) {
        Ok(place) => place,
        Err(error) => return Ok(Err(error)),
    };
    if let Some(other) = object.keys().next() {
        return Ok(Err(SetError::property(other, "only its place, its keywords and its time can be other ones")));
    }
    let number = id.and_then(|id| ids::parse_email(from.scope(), &id));
    let reader = from.clone();
    let read = call.door.deps.store.read(from.owner.id, move |tx| {
        let allowed = reader.allowed(tx)?;
        let found = number.map_or(Ok(Vec::new()), |number| load::messages(tx, &allowed, &[number]))?;
        Ok(found.into_iter().next().flatten())
    });
    let Some(Loaded { message, entry, .. }) = read.await? else { return Ok(Err(SetError::not_found())) };
    let (store, source, target, blob) =
        (call.door.deps.store.clone(), from.owner.tenant, to.owner.tenant, message.blob);
    let adopt = move || store.adopt_body(source, blob, target, Durability::Sync);
    let content = tokio::task::spawn_blocking(adopt).await.map_err(Error::unavailable)??;
    let mut new = NewMessage::new(content, anser_base::MailboxId(0), message.received);
    (new.prefix, new.zone, new.flags, new.keywords) = (message.prefix, message.zone, entry.flags, entry.keywords);
    Ok(Ok(Draft { message: place.message(to, new) }))
}
