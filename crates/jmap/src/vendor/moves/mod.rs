//! MailMove: "move my mail" and "fetch my other account" (docs/api/mail.md). The work is `anser-migrate`'s; nothing of it reaches the other
//! mailbox of a person but reading.

mod sign_in;
mod there;

use anser_base::{Class, Error, Text};
use anser_migrate::own::{Change, Choice, Found, discover};
use anser_migrate::{Kind, Migrate, OwnMove, Password, Tls, Wish};
use anser_net::dns::{Data, RecordType};
use serde_json::{Map, Value, json};

use crate::access::Access;
use crate::email::written_utc;
use crate::error::{MethodError, SetError};
use crate::identity::own;
use crate::ids;
use crate::law::get::Get;
use crate::law::set::{Done, Refused, Set};
use crate::method::{Call, Outcome};

pub(crate) use sign_in::ask as sign_in;
pub(crate) use there::{failed, folders, message};

pub(crate) const PROPERTIES: [&str; 17] = [
    "id",
    "email",
    "protocol",
    "host",
    "port",
    "tls",
    "username",
    "every",
    "intoMailboxId",
    "folders",
    "signIn",
    "state",
    "problem",
    "progress",
    "result",
    "startedAt",
    "endedAt",
];
/// Hosts of a domain's mail that are looked at.
const HOSTS: usize = 10;
/// Characters of an address.
const ADDRESS: usize = 320;

/// `MailMove/get`: the user's own.
pub(crate) async fn get(call: &mut Call) -> Outcome {
    let get = Get::read(call, |name| PROPERTIES.contains(&name))?;
    call.args.done()?;
    own(&get.access)?;
    let objects = objects(call).await?;
    get.answer(get.among(state(&objects), objects.into_iter()))
}

/// `MailMove/set`: creating one begins it; destroying one takes its secret away, and never mail.
pub(crate) async fn set(call: &mut Call) -> Outcome {
    let set = Set::read(call)?;
    call.args.done()?;
    own(&set.access)?;
    let before = state(&objects(call).await?);
    if set.if_in_state.as_ref().is_some_and(|wanted| *wanted != before) {
        return Err(MethodError::new("stateMismatch", ""));
    }
    let mut done = Done::from(before);
    for (creation, object) in &set.create {
        let made = create(call, object).await?;
        done.create(creation, made);
    }
    for (id, patch) in &set.update {
        let changed = update(call, id, patch).await?;
        done.update(id, changed);
    }
    for id in &set.destroy {
        let gone = destroy(call, id).await?;
        done.destroy(id, gone);
    }
    done.new = state(&objects(call).await?);
    set.answer(call, done)
}

/// `MailMove/discover`: the provider of an address, and what has to be done there first.
pub(crate) async fn find(call: &mut Call) -> Outcome {
    let email = call.args.string("email")?.filter(|email| email.len() <= ADDRESS);
    let email = email.ok_or_else(|| MethodError::invalid("an address is needed"))?;
    // It is of nobody's account, and may be named one.
    call.args.string("accountId")?;
    call.args.done()?;
    let found = match discover(&email, &[]) {
        Some(found) => Some(found),
        None => discover(&email, &mail_hosts(call, &email).await),
    };
    let hosts = moves(call)?.sign_in_hosts();
    let Some(found) = found else {
        let nothing =
            ["provider", "name", "protocol", "host", "port", "tls"].map(|name| (name.to_owned(), Value::Null));
        let rest = [("email", email.into()), ("steps", json!([])), ("signInHosts", json!(hosts))];
        let rest = rest.map(|(name, value): (&str, Value)| (name.to_owned(), value));
        return Ok(Value::Object(nothing.into_iter().chain(rest).collect()));
    };
    Ok(shown_found(email, found, &hosts))
}

/// `MailMove/undo`: takes away what a move brought and its owner has not touched since; with `dryRun` it is only counted.
pub(crate) async fn undo(call: &mut Call) -> Outcome {
    let dry_run = call.args.bool("dryRun")?;
    let (access, id, number) = named(call)?;
    let undone = found(moves(call)?.undo_own(&call.user.account, number, dry_run).await)?;
    if !dry_run {
        call.note("mail-move.undo", &format!("{id}: {} messages", undone.removed)).await;
    }
    Ok(json!({
        "accountId": ids::account_id(access.owner.id),
        "id": id,
        "dryRun": dry_run,
        "removed": undone.removed,
        "bytes": undone.bytes,
        "touched": undone.touched,
    }))
}

/// The account and the move that a call names, which has no other arguments.
fn named(call: &mut Call) -> Result<(Access, String, u64), MethodError> {
    let access = call.access()?;
    let id = call.args.string("id")?;
    call.args.done()?;
    own(&access)?;
    let id = id.ok_or_else(missing)?;
    let number = parsed_id(&id).ok_or_else(missing)?;
    Ok((access, id, number))
}

fn missing() -> MethodError {
    MethodError::invalid("there is no such move")
}

fn found<T>(found: anser_base::Result<T>) -> Result<T, MethodError> {
    match found {
        Err(error) if error.class == Class::NotFound => Err(missing()),
        found => Ok(found?),
    }
}

/// Where mail for the domain of an address goes, as the DNS says.
async fn mail_hosts(call: &Call, email: &str) -> Vec<String> {
    let (Some(web), Some((_, domain))) = (&call.door.deps.web, email.rsplit_once('@')) else { return Vec::new() };
    let answer = web.resolver.lookup(domain, RecordType::Mx).await;
    let hosts = answer.records().iter().filter_map(|data| match data {
        Data::Mx { exchange, .. } => Some(exchange.clone()),
        _ => None,
    });
    hosts.take(HOSTS).collect()
}

fn shown_found(email: String, found: Found, hosts: &[String]) -> Value {
    let steps = found.steps_with(hosts);
    json!({
        "email": email,
        "provider": found.provider,
        "name": text(&found.name),
        "protocol": found.kind.word(),
        "host": found.host,
        "port": found.port,
        "tls": found.tls.word(),
        "steps": steps.iter().map(text).collect::<Vec<_>>(),
        "signInHosts": hosts,
    })
}

fn text(text: &Text) -> Value {
    json!({ "en": text.en, "zh": text.zh })
}

fn moves(call: &Call) -> Result<Migrate, MethodError> {
    let moves = call.door.deps.moves.clone();
    moves.ok_or_else(|| MethodError::new("unknownMethod", "nothing moves in here"))
}

async fn objects(call: &Call) -> Result<Vec<(String, Map<String, Value>)>, MethodError> {
    let all = moves(call)?.own_moves(&call.user.account).await?;
    Ok(all.into_iter().map(|one| (shown_id(one.id), object(&one))).collect())
}

/// Another one whenever something is other than it was.
fn state(objects: &[(String, Map<String, Value>)]) -> String {
    let mut hash = blake3::Hasher::new();
    for (_, object) in objects {
        hash.update(Value::Object(object.clone()).to_string().as_bytes());
    }
    hash.finalize().to_hex()[..20].to_owned()
}

fn shown_id(id: u64) -> String {
    format!("X{id}")
}

fn parsed_id(id: &str) -> Option<u64> {
    ids::number(id.strip_prefix('X')?)
}

fn object(one: &OwnMove) -> Map<String, Value> {
    let result = one.result.as_ref().map(|result| {
        let reasons = result.reasons.iter().map(|(why, count)| json!({ "text": text(why), "count": count }));
        json!({
            "total": result.total,
            "copied": result.copied,
            "failed": result.failed,
            "skipped": result.skipped,
            "leftOut": result.left_out,
            "reasons": reasons.collect::<Vec<_>>(),
        })
    });
    let Value::Object(object) = json!({
        "id": shown_id(one.id),
        "email": one.email,
        "protocol": one.source.kind.word(),
        "host": one.source.host,
        "port": one.source.port,
        "tls": one.source.tls.word(),
        "username": one.login,
        "every": one.every,
        "intoMailboxId": one.target.map(|id| ids::mailbox_id(None, id)),
        "folders": one.choice.shown(),
        "signIn": one.sign_in.as_ref().map(sign_in::shown),
        "state": one.state.word(),
        "problem": one.problem.as_ref().map(text),
        "progress": {
            "folders": one.folders.0,
            "foldersTotal": one.folders.1,
            "messages": one.messages.0,
            "messagesTotal": one.messages.1,
            "bytes": one.bytes,
            // Servers tell of sizes message by message: before all came, nobody knows.
            "bytesTotal": if one.result.is_some() { json!(one.bytes) } else { Value::Null },
        },
        "result": result,
        "startedAt": one.started.map(written_utc),
        "endedAt": one.ended.map(written_utc),
    }) else {
        return Map::new();
    };
    object
}

async fn create(call: &Call, object: &Map<String, Value>) -> Result<Refused<Map<String, Value>>, MethodError> {
    let wish = match wish(object) {
        Ok(wish) => wish,
        Err(error) => return Ok(Err(error)),
    };
    if let Some(target) = wish.target {
        let there = call.door.deps.store.read(call.user.account.id, move |tx| tx.has_mailbox(target)).await?;
        if !there {
            return Ok(Err(SetError::property("intoMailboxId", "there is no such mailbox")));
        }
    }
    let what = format!("{} at {}:{} as {}", wish.email, wish.host, wish.port, wish.login);
    match moves(call)?.begin_own(&call.user.account, wish).await {
        Ok(one) => {
            call.note("mail-move.begin", &what).await;
            Ok(Ok(self::object(&one)))
        }
        Err(error) => refused(error),
    }
}

fn wish(object: &Map<String, Value>) -> Refused<Wish> {
    const KNOWN: [&str; 11] = [
        "email",
        "protocol",
        "host",
        "port",
        "tls",
        "username",
        "password",
        "every",
        "intoMailboxId",
        "folders",
        "state",
    ];
    if let Some(other) = object.keys().find(|name| !KNOWN.contains(&name.as_str())) {
        return Err(SetError::property(other, "there is no such property, or the server sets it"));
    }
    let text = |name: &str| {
        let text = object.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
        text.map(str::to_owned).ok_or_else(|| SetError::property(name, "this is needed"))
    };
    let wrong = |name: &str| SetError::property(name, "this is none of its values");
    let email = text("email")?;
    let kind = Kind::from_word(&text("protocol")?).filter(|kind| !kind.is_files()).ok_or_else(|| wrong("protocol"))?;
    let tls = Tls::from_word(&text("tls")?).ok_or_else(|| wrong("tls"))?;
    let port = object.get("port").and_then(Value::as_u64).and_then(|port| u16::try_from(port).ok());
    let login = match object.get("username") {
        None | Some(Value::Null) => email.clone(),
        Some(_) => text("username")?,
    };
    let target = match object.get("intoMailboxId") {
        None | Some(Value::Null) => None,
        Some(id) => {
            let id = id.as_str().and_then(|id| ids::parse_mailbox(None, id));
            Some(id.ok_or_else(|| SetError::property("intoMailboxId", "there is no such mailbox"))?)
        }
    };
    Ok(Wish {
        email,
        kind,
        host: text("host")?,
        port: port.filter(|port| *port > 0).ok_or_else(|| wrong("port"))?,
        tls,
        login,
        password: match object.get("password") {
            // Its owner signs in at the provider.
            Some(Value::Null) => None,
            said => Some(password(said)?),
        },
        every: every(object.get("every").unwrap_or(&Value::Null))?,
        target,
        choice: object.get("folders").map_or(Ok(Choice::default()), choice)?,
        is_paused: match object.get("state").map(Value::as_str) {
            None | Some(Some("running")) => false,
            Some(Some("paused")) => true,
            Some(_) => return Err(SetError::property("state", "paused, or running")),
        },
    })
}

/// A mistake is told in both languages: it is for whoever chose.
fn choice(value: &Value) -> Refused<Choice> {
    Choice::read(value).map_err(|error| {
        let texts = text(&error.text);
        SetError::property("folders", error.text).with("texts", texts)
    })
}

/// As it was written: blanks at its ends are part of it.
fn password(value: Option<&Value>) -> Refused<Password> {
    let text = value.and_then(Value::as_str).filter(|text| !text.is_empty());
    text.map(|text| Password(text.into())).ok_or_else(|| SetError::property("password", "this is needed"))
}

fn every(value: &Value) -> Refused<Option<u32>> {
    match value {
        Value::Null => Ok(None),
        value => {
            let every = value.as_u64().and_then(|every| u32::try_from(every).ok());
            every.map(Some).ok_or_else(|| SetError::property("every", "minutes, or null"))
        }
    }
}

async fn update(call: &Call, id: &str, patch: &Map<String, Value>) -> Result<Refused<Value>, MethodError> {
    let change = match change(patch) {
        Ok(change) => change,
        Err(error) => return Ok(Err(error)),
    };
    let Some(number) = parsed_id(id) else { return Ok(Err(SetError::not_found())) };
    match moves(call)?.change_own(&call.user.account, number, change).await {
        Ok(one) => {
            call.note("mail-move.change", &format!("{}: {}", one.email, names(patch))).await;
            let mut object = object(&one);
            object.retain(|name, _| !patch.contains_key(name) || name == "state");
            Ok(Ok(Value::Object(object)))
        }
        Err(error) => refused(error),
    }
}

/// What was changed, without what it was changed to.
fn names(patch: &Map<String, Value>) -> String {
    patch.keys().map(String::as_str).collect::<Vec<_>>().join(" ")
}

fn change(patch: &Map<String, Value>) -> Refused<Change> {
    let mut change = Change::default();
    for (name, value) in patch {
        match (name.as_str(), value.as_str()) {
            ("state", Some("paused")) => change.paused = Some(true),
            ("state", Some("running")) => change.paused = Some(false),
            ("state", _) => return Err(SetError::property("state", "paused, or running")),
            ("password", _) => change.password = Some(password(Some(value))?),
            ("every", _) => change.every = Some(every(value)?),
            ("folders", _) => change.choice = Some(choice(value)?),
            _ => return Err(SetError::property(name, "this stays as it is: make another move")),
        }
    }
    Ok(change)
}

async fn destroy(call: &Call, id: &str) -> Result<Refused<()>, MethodError> {
    let Some(number) = parsed_id(id) else { return Ok(Err(SetError::not_found())) };
    match moves(call)?.forget_own(&call.user.account, number).await {
        Ok(()) => {
            call.note("mail-move.end", id).await;
            Ok(Ok(()))
        }
        Err(error) => refused(error),
    }
}

/// A mistake is told in both languages: it is for whoever filled the form in.
fn refused<T>(error: Error) -> Result<Refused<T>, MethodError> {
    let texts = json!({ "en": error.text.en, "zh": error.text.zh });
    match error.class {
        Class::Limit => Ok(Err(SetError::new("rateLimit", error.text).with("texts", texts))),
        Class::NotFound => Ok(Err(SetError::not_found())),
        Class::Invalid => Ok(Err(SetError::of(error)?.with("texts", texts))),
        _ => Err(error.into()),
    }
}
