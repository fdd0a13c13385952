//! SieveScript (RFC 9661): the account's rules, as ManageSieve sees them.

use std::sync::Arc;

use anser_base::{AccountId, BlobId, Class, Error, Result};
use anser_directory::Directory;
use anser_directory::scripts::{Place, SCRIPT, SCRIPT_NAME, SCRIPTS, ScriptInfo, ScriptOwner};
use anser_sieve::{EXTENSIONS, NOTIFY_METHODS};
use serde_json::{Map, Value, json};

use crate::access::Access;
use crate::blob::{self, script_blob};
use crate::door::Door;
use crate::error::{MethodError, SetError};
use crate::identity::own;
use crate::ids::number;
use crate::law::filter::Filter;
use crate::law::get::Get;
use crate::law::query::Query;
use crate::law::set::{Done, Refused, Set};
use crate::method::{Call, Outcome};

pub(crate) const PROPERTIES: [&str; 4] = ["id", "name", "blobId", "isActive"];

fn id(script: &ScriptInfo) -> String {
    format!("V{}", script.id)
}

/// What the account capability tells (RFC 9661 §1.3.1).
pub(crate) fn capability() -> Value {
    json!({
        "maxSizeScriptName": SCRIPT_NAME,
        "maxSizeScript": SCRIPT,
        "maxNumberScripts": SCRIPTS,
        "maxNumberRedirects": null,
        "sieveExtensions": EXTENSIONS.iter().map(|(_, name)| *name).collect::<Vec<_>>(),
        "notificationMethods": NOTIFY_METHODS,
        "externalLists": null,
    })
}

async fn all(call: &Call, access: &Access) -> Result<(String, Vec<ScriptInfo>)> {
    of(&call.door.deps.directory, access.owner.id).await
}

/// The scripts of an account, and the state that they are in.
pub(crate) async fn of(directory: &Directory, account: AccountId) -> Result<(String, Vec<ScriptInfo>)> {
    let all = directory.scripts(ScriptOwner::Account(account)).await?;
    let told: Vec<_> =
        all.iter().map(|one| (one.id, one.name.as_str(), one.changed.0, one.size, one.place.as_str())).collect();
    let state = BlobId::of(format!("{told:?}").as_bytes()).to_hex()[..16].to_owned();
    Ok((state, all))
}

async fn object(call: &Call, access: &Access, script: &ScriptInfo) -> Result<Map<String, Value>> {
    let owner = ScriptOwner::Account(access.owner.id);
    let text = call.door.deps.directory.script(owner, &script.name).await?;
    let Value::Object(object) = json!({
        "id": id(script),
        "name": script.name,
        "blobId": text.map(|text| script_blob(script.id, text.hash)),
        "isActive": script.place == Place::Active,
    }) else {
        return Ok(Map::new());
    };
    Ok(object)
}

/// RFC 9661 §2.3.
pub(crate) async fn get(call: &mut Call) -> Outcome {
    let get = Get::read(call, |name| PROPERTIES.contains(&name))?;
    call.args.done()?;
    own(&get.access)?;
    let (state, scripts) = all(call, &get.access).await?;
    let mut told = Vec::with_capacity(scripts.len());
    for script in &scripts {
        told.push((id(script), object(call, &get.access, script).await?));
    }
    get.answer(get.among(state, told.into_iter()))
}

/// RFC 9661 §2.5.
pub(crate) async fn query(call: &mut Call) -> Outcome {
    let mut query = Query::read(call)?;
    call.args.done()?;
    own(&query.access)?;
    let mut condition = |map: Map<String, Value>| {
        let one = |(name, value): (String, Value)| match (name.as_str(), value) {
            ("name", Value::String(text)) => Ok((Some(text.to_lowercase()), None)),
            ("isActive", Value::Bool(is)) => Ok((None, Some(is))),
            ("name" | "isActive", _) => Err(MethodError::invalid(format!("{name} is of another type"))),
            _ => Err(MethodError::new("unsupportedFilter", format!("{name} is no condition"))),
        };
        map.into_iter().map(one).collect::<std::result::Result<Vec<(Option<String>, Option<bool>)>, _>>()
    };
    let filter = Filter::read(query.filter.take(), &mut condition)?;
    if let Some(other) = query.sort.iter().find(|by| !matches!(by.property.as_str(), "name" | "isActive")) {
        return Err(MethodError::new("unsupportedSort", format!("{} is nothing to sort by", other.property)));
    }
    let (state, mut scripts) = all(call, &query.access).await?;
    scripts.retain(|script| {
        filter.holds(&mut |all: &Vec<(Option<String>, Option<bool>)>| {
            all.iter().all(|(name, is_active)| {
                name.as_ref().is_none_or(|name| script.name.to_lowercase().contains(name))
                    && is_active.is_none_or(|is| is == (script.place == Place::Active))
            })
        })
    });
    for by in query.sort.iter().rev() {
        match by.property.as_str() {
            "name" => scripts.sort_by_key(|script| script.name.to_lowercase()),
            _ => scripts.sort_by_key(|script| script.place == Place::Active),
        }
        if !by.ascending {
            scripts.reverse();
        }
    }
    let found: Vec<String> = scripts.iter().map(id).collect();
    query.found(&state, &found, false)
}

/// RFC 9661 §2.4.
pub(crate) async fn set(call: &mut Call) -> Outcome {
    let set = Set::read(call)?;
    let activate = call.args.string("onSuccessActivateScript")?;
    let deactivate = call.args.bool("onSuccessDeactivateScript")?;
    call.args.done()?;
    own(&set.access)?;
    let (state, _) = all(call, &set.access).await?;
    if set.if_in_state.as_ref().is_some_and(|wanted| *wanted != state) {
        return Err(MethodError::new("stateMismatch", ""));
    }
    let mut done = Done::from(state);
    let mut is_whole = true;
    for (creation, object) in &set.create {
        let made = settled(create(call, &set.access, object).await)?;
        is_whole &= made.is_ok();
        done.create(creation, made);
    }
    for (id, patch) in &set.update {
        let changed = settled(update(call, &set.access, id, patch).await)?;
        is_whole &= changed.is_ok();
        done.update(id, changed);
    }
    for id in &set.destroy {
        let gone = settled(remove(call, &set.access, id).await)?;
        is_whole &= gone.is_ok();
        done.destroy(id, gone);
    }
    if is_whole && let Some(id) = &activate {
        let known = id.strip_prefix('#').and_then(|creation| done.created.get(creation)?.get("id")?.as_str());
        let id = known.map(str::to_owned).or_else(|| call.resolve(id)).unwrap_or_default();
        place(call, &set.access, Some(&id), &mut done).await?;
    } else if is_whole && deactivate {
        place(call, &set.access, None, &mut done).await?;
    }
    done.new = all(call, &set.access).await?.0;
    set.answer(call, done)
}

/// Trouble of one script is told with it, where it is the client's.
fn settled<T>(result: Result<Refused<T>>) -> Result<Refused<T>> {
    result.or_else(|error| match error.class {
        Class::Invalid => Ok(Err(SetError::new("invalidSieve", error.text))),
        Class::Exists => Ok(Err(SetError::new("alreadyExists", error.text))),
        Class::Conflict => Ok(Err(SetError::new("sieveIsActive", error.text))),
        Class::Limit => Ok(Err(SetError::new("overQuota", error.text))),
        _ => SetError::of(error).map(Err),
    })
}

/// The text that a property names a blob of.
async fn text(call: &Call, access: &Access, blob: Option<&Value>) -> Result<Refused<Vec<u8>>> {
    let missing = |id: &str| SetError::new("blobNotFound", "").with("notFound", vec![id.to_owned()]);
    let Some(id) = blob.and_then(Value::as_str) else {
        return Ok(Err(SetError::property("blobId", "a blob is expected")));
    };
    let Some(resolved) = call.resolve(id) else { return Ok(Err(missing(id))) };
    let found = blob::find(&call.door, &call.user, access, &[resolved]).await?.pop().flatten();
    let Some(found) = found else { return Ok(Err(missing(id))) };
    let whole = blob::whole(&call.door.deps.store, access.owner.tenant, found, SCRIPT).await?;
    Ok(whole.map(|bytes| bytes.to_vec()).ok_or_else(|| SetError::new("tooLarge", "").with("maxSize", SCRIPT)))
}

async fn create(call: &Call, access: &Access, object: &Map<String, Value>) -> Result<Refused<Map<String, Value>>> {
    if let Some(other) = object.keys().find(|name| !matches!(name.as_str(), "name" | "blobId")) {
        return Ok(Err(SetError::property(other, "this cannot be set")));
    }
    let owner = ScriptOwner::Account(access.owner.id);
    let text = match text(call, access, object.get("blobId")).await? {
        Ok(text) => text,
        Err(error) => return Ok(Err(error)),
    };
    let known = all(call, access).await?.1;
    let name = match object.get("name") {
        Some(Value::String(name)) => match twin(&known, name) {
            Some(twin) => return Ok(Err(twin)),
            None => name.clone(),
        },
        None | Some(Value::Null) => {
            let free = (1..=SCRIPTS + 1).map(|at| format!("script {at}")).find(|name| twin(&known, name).is_none());
            free.ok_or_else(|| Error::unavailable("no name is free"))?
        }
        Some(_) => return Ok(Err(SetError::property("name", "a text is expected"))),
    };
    if let Some(wrong) = bad_name(call, owner, &name).await? {
        return Ok(Err(wrong));
    }
    if let Err(error) = call.door.deps.directory.add_script(owner, &name, &text).await {
        let twin = match error.class {
            // Somebody was faster.
            Class::Exists => twin(&all(call, access).await?.1, &name),
            _ => None,
        };
        return twin.map_or(Err(error), |twin| Ok(Err(twin)));
    }
    let made = all(call, access).await?.1.into_iter().find(|script| script.name == name);
    let made = made.ok_or_else(|| Error::unavailable("the script went at once"))?;
    let mut told = self::object(call, access, &made).await?;
    if object.get("name").is_some_and(Value::is_string) {
        told.remove("name");
    }
    Ok(Ok(told))
}

/// `alreadyExists`, where another script is called so.
fn twin(known: &[ScriptInfo], name: &str) -> Option<SetError> {
    let other = known.iter().find(|script| script.name == name)?;
    Some(SetError::new("alreadyExists", "").with("existingId", id(other)))
}

/// Why a script cannot be called so.
async fn bad_name(call: &Call, owner: ScriptOwner, name: &str) -> Result<Option<SetError>> {
    match call.door.deps.directory.check_script_room(owner, name, 0).await {
        Err(error) if error.class == Class::Invalid => Ok(Some(SetError::property("name", error.text))),
        _ => Ok(None),
    }
}

/// The text of a script, by its number.
pub(crate) async fn text_of(door: &Door, access: &Access, number: u64) -> Result<Option<Arc<[u8]>>> {
    let (owner, directory) = (ScriptOwner::Account(access.owner.id), &door.deps.directory);
    let Some(script) = directory.scripts(owner).await?.into_iter().find(|script| script.id == number) else {
        return Ok(None);
    };
    Ok(directory.script(owner, &script.name).await?.map(|script| script.text))
}

async fn find(call: &Call, access: &Access, id: &str) -> Result<Option<ScriptInfo>> {
    let Some(wanted) = id.strip_prefix('V').and_then(number) else { return Ok(None) };
    Ok(all(call, access).await?.1.into_iter().find(|script| script.id == wanted))
}

async fn update(call: &Call, access: &Access, id: &str, patch: &Map<String, Value>) -> Result<Refused<Value>> {
    let Some(script) = find(call, access, id).await? else { return Ok(Err(SetError::not_found())) };
    if let Some(other) = patch.keys().find(|name| !matches!(name.as_str(), "name" | "blobId")) {
        return Ok(Err(SetError::property(other, "this cannot be set")));
    }
    let (owner, directory) = (ScriptOwner::Account(access.owner.id), &call.door.deps.directory);
    let name = match patch.get("name") {
        None => script.name.as_str(),
        Some(Value::String(name)) => name.as_str(),
        Some(_) => return Ok(Err(SetError::property("name", "a text is expected"))),
    };
    let is_renamed = name != script.name;
    if is_renamed {
        let known = all(call, access).await?.1;
        if let Some(wrong) = bad_name(call, owner, name).await?.or_else(|| twin(&known, name)) {
            return Ok(Err(wrong));
        }
    }
    let mut told = Value::Null;
    // What is refused changes nothing (RFC 8620 §5.3): the text comes first, of which it shows only now whether it is a script.
    if let Some(blob) = patch.get("blobId") {
        let text = match text(call, access, Some(blob)).await? {
            Ok(text) => text,
            Err(error) => return Ok(Err(error)),
        };
        directory.put_script(owner, &script.name, &text).await?;
        let text = directory.script(owner, &script.name).await?;
        told = json!({ "blobId": text.map(|text| script_blob(script.id, text.hash)) });
    }
    if is_renamed {
        directory.rename_script(owner, &script.name, name).await?;
    }
    Ok(Ok(told))
}

/// Makes a script the active one, or none; tells of both in the answer.
async fn place(call: &Call, access: &Access, id_: Option<&str>, done: &mut Done) -> Result<()> {
    let directory = &call.door.deps.directory;
    let before = all(call, access).await?.1;
    match id_ {
        Some(wanted) => {
            let Some(script) = before.iter().find(|script| id(script) == wanted) else { return Ok(()) };
            directory.place_script(ScriptOwner::Account(access.owner.id), &script.name, Place::Active).await?;
        }
        None => directory.deactivate_scripts(access.owner.id).await?,
    }
    for script in &before {
        let (was, is) = (script.place == Place::Active, id_ == Some(id(script).as_str()));
        let made = done.created.values_mut().find(|made| made["id"] == id(script));
        if let Some(made) = made {
            made["isActive"] = is.into();
        } else if was != is {
            let entry = done.updated.entry(id(script)).or_insert(Value::Null);
            if entry.is_null() {
                *entry = json!({});
            }
            entry["isActive"] = is.into();
        }
    }
    Ok(())
}

async fn remove(call: &Call, access: &Access, id: &str) -> Result<Refused<()>> {
    let Some(script) = find(call, access, id).await? else { return Ok(Err(SetError::not_found())) };
    call.door.deps.directory.remove_script(ScriptOwner::Account(access.owner.id), &script.name).await.map(Ok)
}

/// RFC 9661 §2.6.
pub(crate) async fn validate(call: &mut Call) -> Outcome {
    let access = call.access()?;
    let blob = call.args.take("blobId");
    call.args.done()?;
    own(&access)?;
    let text = match text(call, &access, blob.as_ref()).await? {
        Ok(text) => text,
        Err(_) => return Err(MethodError::new("blobNotFound", "")),
    };
    // Reading a script may take a while.
    let compiled = tokio::task::spawn_blocking(move || anser_sieve::compile(&text).map(drop).map_err(Error::from));
    let error = match compiled.await.map_err(Error::unavailable)? {
        Ok(()) => Value::Null,
        Err(error) => SetError::new("invalidSieve", error.text).into_value(),
    };
    Ok(json!({ "accountId": crate::ids::account_id(access.owner.id), "error": error }))
}
