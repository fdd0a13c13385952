//! Quota (RFC 9425): how much room there is for mail, and how much of it is taken.

use anser_base::Result;
use anser_store::{Logged, MailTx};
use serde_json::{Map, Value, json};

use crate::access::Access;
use crate::error::MethodError;
use crate::ids::number;
use crate::law::changes::{self, Changes, cannot};
use crate::law::filter::Filter;
use crate::law::get::Get;
use crate::law::query::{Query, QueryChanges};
use crate::law::state;
use crate::method::{Call, Outcome};

pub(crate) const PROPERTIES: [&str; 10] =
    ["id", "resourceType", "used", "hardLimit", "scope", "name", "types", "warnLimit", "softLimit", "description"];
/// The only quota that there is: bytes of mail.
const ID: &str = "octets";

/// The state, as a place in the log and the limit that there was then: limits are the directory's, and in no log.
pub(crate) fn shown(place: &str, most: u64) -> String {
    format!("{place}~{most}")
}

/// The inverse of [`shown`].
fn parse(state: &str) -> Option<(&str, u64)> {
    let (place, most) = state.split_once('~')?;
    Some((place, number(most)?))
}

/// The quota, unless the account has no limit; and the state that it is of.
async fn of(call: &Call, access: &Access) -> Result<(String, Option<Map<String, Value>>)> {
    let read = |tx: &mut MailTx<'_, '_>| Ok((state::now(tx), tx.used()));
    let (state, used) = call.door.deps.store.read(access.owner.id, read).await?;
    let most = access.owner.quota_bytes;
    let quota = json!({
        "id": ID,
        "resourceType": "octets",
        "used": used,
        "hardLimit": most,
        "scope": "account",
        "name": access.owner.address.to_string(),
        "types": ["Email"],
        "warnLimit": most / 10 * 9,
        "softLimit": null,
        "description": null,
    });
    let state = shown(&state, most);
    let Value::Object(quota) = quota else { return Ok((state, None)) };
    Ok((state, Some(quota).filter(|_| most > 0)))
}

/// RFC 9425 §4.2.
pub(crate) async fn get(call: &mut Call) -> Outcome {
    let get = Get::read(call, |name| PROPERTIES.contains(&name))?;
    call.args.done()?;
    let (state, quota) = of(call, &get.access).await?;
    get.answer(get.among(state, quota.into_iter().map(|quota| (ID.to_owned(), quota))))
}

/// RFC 9425 §4.3. Mail that came or went changed what is taken; who has no limit has no quota.
pub(crate) async fn changes(call: &mut Call) -> Outcome {
    let asked = Changes::read(call)?;
    let (before, now) = (parse(&asked.since).ok_or_else(cannot)?, asked.access.owner.quota_bytes);
    let (since, limit, most) = (before.0.to_owned(), before.1, usize::from(u16::MAX));
    let read = move |tx: &mut MailTx<'_, '_>| changes::since(tx, &since, Logged::Messages, most);
    let mut changed = call.door.deps.store.read(asked.access.owner.id, read).await??;
    let touched = !changed.created.is_empty() || !changed.destroyed.is_empty();
    (changed.created, changed.updated, changed.destroyed) = Default::default();
    match (limit, now) {
        (0, 0) => {}
        (0, _) => changed.created.push(0),
        (_, 0) => changed.destroyed.push(0),
        _ if touched || limit != now => changed.updated.push(0),
        _ => {}
    }
    changed.new = shown(&changed.new, now);
    let mut answer = asked.answer(&changed, |_| ID.to_owned());
    let only_used = !changed.updated.is_empty() && limit == now;
    answer["updatedProperties"] = if only_used { json!(["used"]) } else { Value::Null };
    Ok(answer)
}

/// RFC 9425 §4.4.
pub(crate) async fn query(call: &mut Call) -> Outcome {
    let mut query = Query::read(call)?;
    call.args.done()?;
    let filter = Filter::read(query.filter.take(), &mut condition)?;
    if let Some(other) = query.sort.iter().find(|by| !matches!(by.property.as_str(), "name" | "used")) {
        return Err(MethodError::new("unsupportedSort", format!("{} is nothing to sort by", other.property)));
    }
    let (state, quota) = of(call, &query.access).await?;
    let holds = |quota: &Map<String, Value>| {
        filter.holds(&mut |all: &Vec<(String, String)>| all.iter().all(|one| is(quota, one)))
    };
    let found: Vec<String> = quota.filter(holds).map(|_| ID.to_owned()).into_iter().collect();
    query.found(&state, &found, false)
}

/// RFC 9425 §4.5. There is so little that it is asked for anew.
pub(crate) async fn query_changes(call: &mut Call) -> Outcome {
    QueryChanges::read(call)?;
    call.args.done()?;
    Err(cannot())
}

fn condition(map: Map<String, Value>) -> std::result::Result<Vec<(String, String)>, MethodError> {
    let one = |(name, value): (String, Value)| match (name.as_str(), value) {
        ("name" | "scope" | "resourceType" | "type", Value::String(text)) => Ok((name, text)),
        ("name" | "scope" | "resourceType" | "type", _) => Err(MethodError::invalid(format!("{name} is a text"))),
        _ => Err(MethodError::new("unsupportedFilter", format!("{name} is nothing to filter by"))),
    };
    map.into_iter().map(one).collect()
}

fn is(quota: &Map<String, Value>, (name, wanted): &(String, String)) -> bool {
    match name.as_str() {
        "type" => quota["types"].as_array().is_some_and(|types| types.iter().any(|one| one == wanted)),
        "name" => quota["name"].as_str().is_some_and(|name| name.contains(wanted.as_str())),
        other => quota[other] == *wanted,
    }
}
