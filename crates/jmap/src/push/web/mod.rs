//! Web Push (RFC 8620 §7.2, RFC 8030): changes are told to a push service of the client's, which wakes the client up.
//!
//! ```text
//! PushSubscription/set ──▶ directory ──▶ PushVerification ──▶ its code comes back by /set ──▶ StateChange, whenever something changed
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `seal`, `vapid` | what only the client can read, and nobody but us can have sent |
//! | `pusher` | who follows the accounts that have subscriptions, and sends |
//!
//! A subscription lasts no longer than what it was asked for with, and is seen by whoever comes with the same only.

mod pusher;
mod seal;
mod vapid;

use std::time::Duration;

use anser_base::{Class, Result, Timestamp};
use anser_directory::PushSubscription;
use anser_net::http::client::Options;
use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use url::Url;

use super::follow::Kinds;
use crate::email::{moment, written_utc};
use crate::error::{MethodError, SetError};
use crate::law::set::{Refused, or_null};
use crate::method::{Call, Outcome};

pub(crate) use pusher::{Pusher, begin};
pub(crate) use vapid::Vapid;

/// Subscriptions of one account.
const SUBSCRIPTIONS: usize = 20;
/// Subscriptions that one account may ask for in an hour: each has us send a message to where its owner says.
const AN_HOUR: u32 = 60;
/// How long a subscription lasts at most; its client asks for more in time (RFC 8620 §7.2, `expires`).
const LIFE: Duration = Duration::from_secs(30 * 86_400);
/// Characters of a URL, of a device's id; types that may be named.
const URL: usize = 2_048;
const DEVICE: usize = 255;
const NAMED: usize = 64;
/// Letters of a verification code.
const CODE: usize = 32;

pub(crate) const PROPERTIES: [&str; 7] =
    ["id", "deviceClientId", "url", "keys", "verificationCode", "expires", "types"];

/// What a subscription says.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Subscription {
    device: String,
    url: String,
    /// `p256dh` and `auth`, decoded.
    keys: Option<(Vec<u8>, Vec<u8>)>,
    code: String,
    verified: bool,
    types: Option<Vec<String>>,
}

impl Subscription {
    fn of(row: &PushSubscription) -> Option<Self> {
        serde_json::from_slice(&row.value).ok()
    }

    fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    fn keys(&self) -> Option<seal::Keys> {
        let (public, secret) = self.keys.as_ref()?;
        Some(seal::Keys { public: public.as_slice().try_into().ok()?, secret: secret.as_slice().try_into().ok()? })
    }

    fn kinds(&self) -> Kinds {
        self.types.as_ref().map_or(Kinds::ALL, |types| Kinds::named(types.iter().map(String::as_str)))
    }

    /// As its client sees it; where it is and how it is sealed is told to nobody (RFC 8620 §7.2.1).
    fn object(&self, id: u64, expires: Timestamp) -> Map<String, Value> {
        let Value::Object(object) = json!({
            "id": push_id(id),
            "deviceClientId": self.device,
            "verificationCode": if self.verified { Value::from(self.code.clone()) } else { Value::Null },
            "expires": written_utc(expires),
            "types": self.types,
        }) else {
            return Map::new();
        };
        object
    }
}

fn push_id(number: u64) -> String {
    format!("P{number}")
}

/// Those that the user asked for with what they came in by now.
async fn own(call: &Call) -> Result<Vec<(PushSubscription, Subscription)>> {
    let all = call.door.deps.directory.push_subscriptions(call.user.account.id).await?;
    let own = all.into_iter().filter(|row| row.pass.is_same(call.user.pass()));
    Ok(own.filter_map(|row| Subscription::of(&row).map(|one| (row, one))).collect())
}

/// RFC 8620 §7.2.1: without an account, and without a state.
pub(crate) async fn get(call: &mut Call) -> Outcome {
    let ids = call.args.strings("ids")?;
    let properties = call.args.strings("properties")?;
    call.args.done()?;
    if let Some(hidden) = properties.iter().flatten().find(|name| matches!(name.as_str(), "url" | "keys")) {
        return Err(MethodError::new("forbidden", format!("{hidden} is told to nobody")));
    }
    if let Some(unknown) = properties.iter().flatten().find(|name| !PROPERTIES.contains(&name.as_str())) {
        return Err(MethodError::invalid(format!("{unknown} is no property of this type")));
    }
    if ids.as_ref().is_some_and(|ids| ids.len() > call.door.deps.limits.objects_in_get) {
        return Err(MethodError::new("requestTooLarge", "too many ids"));
    }
    let ids = ids.map(|ids| ids.into_iter().map(|id| call.resolve(&id).unwrap_or(id)).collect::<Vec<String>>());
    let mut list = Vec::new();
    let mut known = Vec::new();
    for (row, one) in own(call).await? {
        let mut object = one.object(row.id, row.expires);
        known.push(push_id(row.id));
        let is_asked_for = ids.as_ref().is_none_or(|ids| ids.contains(&push_id(row.id)));
        if let Some(wanted) = &properties {
            object.retain(|name, _| name == "id" || wanted.contains(name));
        }
        if is_asked_for {
            list.push(Value::Object(object));
        }
    }
    let not_found: Vec<String> = ids.into_iter().flatten().filter(|id| !known.contains(id)).collect();
    Ok(json!({ "list": list, "notFound": not_found }))
}

/// RFC 8620 §7.2.2.
pub(crate) async fn set(call: &mut Call) -> Outcome {
    let (create, update) = (call.args.map("create")?, call.args.map("update")?);
    let destroy = call.args.strings("destroy")?.unwrap_or_default();
    call.args.done()?;
    if create.len() + update.len() + destroy.len() > call.door.deps.limits.objects_in_set {
        return Err(MethodError::new("requestTooLarge", "too many objects"));
    }
    let mut all: [Map<String, Value>; 5] = Default::default();
    let [created, not_created, updated, not_updated, not_destroyed] = &mut all;
    for (creation, object) in create {
        match add(call, &object).await? {
            Ok(object) => {
                let id = object["id"].as_str().unwrap_or_default().to_owned();
                call.created.insert(creation.clone(), id);
                created.insert(creation, Value::Object(object));
            }
            Err(error) => drop(not_created.insert(creation, error.into_value())),
        }
    }
    for (id, patch) in update {
        let id = call.resolve(&id).unwrap_or(id);
        match change(call, &id, &patch).await? {
            Ok(told) => drop(updated.insert(id, told)),
            Err(error) => drop(not_updated.insert(id, error.into_value())),
        }
    }
    let mut destroyed = Vec::new();
    for id in destroy {
        let id = call.resolve(&id).unwrap_or(id);
        let known = own(call).await?.into_iter().find(|(row, _)| push_id(row.id) == id);
        match known {
            Some((row, _)) if call.door.deps.directory.remove_push(row.account, row.id).await? => destroyed.push(id),
            _ => drop(not_destroyed.insert(id, SetError::not_found().into_value())),
        }
    }
    call.door.pusher.changed(call.user.account.id);
    let [created, not_created, updated, not_updated, not_destroyed] = all.map(or_null);
    let destroyed = if destroyed.is_empty() { Value::Null } else { json!(destroyed) };
    Ok(json!({ "created": created, "notCreated": not_created, "updated": updated, "notUpdated": not_updated,
        "destroyed": destroyed, "notDestroyed": not_destroyed }))
}

async fn add(call: &Call, object: &Value) -> Result<Refused<Map<String, Value>>> {
    let Some(web) = &call.door.deps.web else {
        return Ok(Err(SetError::forbidden("this server pushes nothing to others")));
    };
    let now = call.door.deps.clock.now();
    let (one, expires) = match read(object, &web.options, call.door.deps.entropy.token(CODE), now) {
        Ok(read) => read,
        Err(error) => return Ok(Err(error)),
    };
    let (account, directory) = (call.user.account.id, &call.door.deps.directory);
    if !call.door.pusher.may_add(account, now) {
        return Ok(Err(SetError::new("rateLimit", "too many subscriptions were asked for; try again later")));
    }
    let added = directory.add_push(account, call.user.pass(), expires, &one.bytes(), SUBSCRIPTIONS).await;
    let id = match added {
        Ok(id) => id,
        Err(error) if error.class == Class::Limit => return Ok(Err(SetError::new("overQuota", error.text))),
        Err(error) => return Err(error),
    };
    // Whoever knows the whole address may push there (RFC 8030 §8.5).
    let host = Url::parse(&one.url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    call.note("push.subscribe", &host).await;
    let mut told = one.object(id, expires);
    // What the server set: all but what the client gave.
    told.retain(|name, value| matches!(name.as_str(), "id" | "expires") && object.get(name) != Some(value));
    told.insert("id".into(), push_id(id).into());
    let defaults = ["keys", "types"].into_iter().filter(|name| object.get(name).is_none());
    told.extend(defaults.map(|name| (name.to_owned(), Value::Null)));
    Ok(Ok(told))
}

fn read(object: &Value, options: &Options, code: String, now: Timestamp) -> Refused<(Subscription, Timestamp)> {
    let Some(object) = object.as_object() else {
        return Err(SetError::new("invalidProperties", "an object is missing"));
    };
    if let Some(other) = object.keys().find(|name| !PROPERTIES.contains(&name.as_str()) || *name == "id") {
        return Err(SetError::property(other, "this cannot be set"));
    }
    let given = |name: &str| object.get(name).filter(|value| !value.is_null());
    if given("verificationCode").is_some() {
        return Err(SetError::property("verificationCode", "it is not known yet"));
    }
    let device = given("deviceClientId").and_then(Value::as_str).filter(|id| (1..=DEVICE).contains(&id.len()));
    let device = device.ok_or_else(|| SetError::property("deviceClientId", "a text is expected"))?;
    let url = given("url").and_then(Value::as_str).filter(|url| may_push(url, options));
    let url = url.ok_or_else(|| SetError::property("url", "an address of the Web over TLS is expected"))?;
    let keys = given("keys").map(read_keys).transpose()?;
    let expires = until(given("expires"), now)?;
    let types = types(given("types"))?;
    let one = Subscription { device: device.into(), url: url.into(), keys, code, verified: false, types };
    Ok((one, expires))
}

/// Whether something may be sent there: over TLS, at its usual port, with nobody's name in it. That its host has a public address is looked
/// at when it is connected to.
fn may_push(url: &str, options: &Options) -> bool {
    let Some(url) = Some(url).filter(|url| url.len() <= URL).and_then(|url| Url::parse(url).ok()) else { return false };
    url.scheme() == "https"
        && url.has_host()
        && (url.port().is_none() || options.private)
        && url.username().is_empty()
        && url.password().is_none()
}

fn read_keys(keys: &Value) -> Refused<(Vec<u8>, Vec<u8>)> {
    let bytes = |name: &str, length: usize| {
        let text = keys.get(name)?.as_str().filter(|text| text.len() <= 200)?;
        let bytes = URL_SAFE_NO_PAD.decode(text).or_else(|_| URL_SAFE.decode(text)).ok()?;
        Some(bytes).filter(|bytes| bytes.len() == length)
    };
    let keys = bytes("p256dh", seal::PUBLIC).zip(bytes("auth", seal::SECRET));
    keys.ok_or_else(|| SetError::property("keys", "p256dh and auth are expected, in base64url"))
}

fn until(given: Option<&Value>, now: Timestamp) -> Refused<Timestamp> {
    let longest = now.after(LIFE);
    let Some(given) = given else { return Ok(longest) };
    let at = given.as_str().and_then(moment).map(Timestamp::from_secs).filter(|at| *at > now);
    at.map(|at| at.min(longest)).ok_or_else(|| SetError::property("expires", "a UTCDate that is to come is expected"))
}

fn types(given: Option<&Value>) -> Refused<Option<Vec<String>>> {
    let Some(given) = given else { return Ok(None) };
    let all: Option<Vec<String>> = given.as_array().filter(|all| all.len() <= NAMED).and_then(|all| {
        all.iter().map(|one| one.as_str().filter(|name| name.len() <= NAMED).map(str::to_owned)).collect()
    });
    all.map(Some).ok_or_else(|| SetError::property("types", "a list of types is expected"))
}

async fn change(call: &Call, id: &str, patch: &Value) -> Result<Refused<Value>> {
    let Some((row, mut one)) = own(call).await?.into_iter().find(|(row, _)| push_id(row.id) == id) else {
        return Ok(Err(SetError::not_found()));
    };
    let (patch, mut expires, mut told) = (patch.as_object().cloned().unwrap_or_default(), row.expires, Value::Null);
    for (name, value) in &patch {
        let given = Some(value).filter(|value| !value.is_null());
        match name.as_str() {
            "verificationCode" if given.is_some_and(|code| is_code(code, &one.code)) => one.verified = true,
            "verificationCode" => return Ok(Err(SetError::property(name, "it is another"))),
            "expires" => match until(given, call.door.deps.clock.now()) {
                Ok(until) => {
                    expires = until;
                    if given.and_then(Value::as_str) != Some(&written_utc(until)) {
                        told = json!({ "expires": written_utc(until) });
                    }
                }
                Err(error) => return Ok(Err(error)),
            },
            "types" => match types(given) {
                Ok(types) => one.types = types,
                Err(error) => return Ok(Err(error)),
            },
            _ => return Ok(Err(SetError::property(name, "this cannot be changed"))),
        }
    }
    match call.door.deps.directory.put_push(row.account, row.id, expires, &one.bytes()).await {
        Ok(()) => Ok(Ok(told)),
        Err(error) => SetError::of(error).map(Err),
    }
}

/// Whether somebody knows the code, in constant time.
fn is_code(given: &Value, code: &str) -> bool {
    given.as_str().is_some_and(|given| blake3::hash(given.as_bytes()) == blake3::hash(code.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_web_over_tls_is_pushed_to() {
        let options = |private| Options { private, ..Options::new("/none".into(), LIFE) };
        for (url, may) in [
            ("https://push.example/abc?d=e", true),
            ("https://push.example:443/", true),
            ("https://push.example:8443/", false),
            ("http://push.example/", false),
            ("https://a:b@push.example/", false),
            ("https://a@push.example/", false),
            ("file:///etc/passwd", false),
            ("https:", false),
            ("", false),
        ] {
            assert_eq!(may_push(url, &options(false)), may, "{url}");
        }
        assert!(may_push("https://127.0.0.1:8443/", &options(true)));
        assert!(!may_push(&format!("https://x.example/{}", "a".repeat(URL)), &options(false)));
    }
}
