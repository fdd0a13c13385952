//! What the journal tells an account of itself: who came in and who tried to, and what became of its mail.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anser_base::{AccountId, EntryId, Error, Result};
use anser_directory::{Account, AppPasswordKind};
use anser_journal::{Event, Leaf, Mark, What};
use anser_net::http::{Request, Response, either};
use serde_json::{Map, Value, json};

use crate::Door;
use crate::answer::{failed, fresh};
use crate::login::session;
use crate::own::time;

/// Lines of a page where none are asked for.
const PAGE: usize = 50;

/// `GET /auth/logins`: the newest first.
pub async fn logins(door: Arc<Door>, request: Request) -> Response {
    either(told(&door, &request, Kind::Logins).await)
}

/// `GET /auth/deliveries`: the newest first.
pub async fn deliveries(door: Arc<Door>, request: Request) -> Response {
    either(told(&door, &request, Kind::Deliveries).await)
}

#[derive(Clone, Copy)]
enum Kind {
    Logins,
    Deliveries,
}

async fn told(door: &Door, request: &Request, kind: Kind) -> Result<Response, Response> {
    let own = session(door, request).await?;
    let said = page(door, request, &own.account, kind).await;
    said.map(|said| fresh(200, &said)).map_err(|error| failed(request, &error))
}

async fn page(door: &Door, request: &Request, account: &Account, kind: Kind) -> Result<Value> {
    let limit = match request.query("limit") {
        Some(limit) => limit.parse::<usize>().map_err(|_| unreadable("limit"))?,
        None => PAGE,
    };
    let before = match request.query("before") {
        Some(mark) => Some(mark.parse::<Mark>().map_err(|()| unreadable("before"))?),
        None => None,
    };
    let names = door.deps.directory.names_of(account).await?;
    // What lies before it was made was about another of its name.
    let (id, made) = (account.id, account.created);
    let leaf = match kind {
        Kind::Logins => {
            let is = move |event: &Event| event.at >= made && is_login(event, id);
            door.deps.journal.leaf(id, &names, is, before, limit).await?
        }
        Kind::Deliveries => {
            let mine: BTreeSet<String> = names.iter().cloned().collect();
            let is = move |event: &Event| event.at >= made && is_delivery(event, id, &mine);
            door.deps.journal.leaf(id, &names, is, before, limit).await?
        }
    };
    let list = match kind {
        Kind::Logins => login_lines(door, id, &leaf).await?,
        Kind::Deliveries => delivery_lines(door, id, &names, &leaf).await?,
    };
    let mut said = json!({ "list": list });
    if let Some(next) = leaf.next {
        said["next"] = next.to_string().into();
    }
    Ok(said)
}

fn unreadable(name: &str) -> Error {
    Error::invalid(format!("{name} cannot be understood"), format!("无法理解 {name}"))
}

/// A name may have been another's before: of a good login the account counts.
fn is_login(event: &Event, own: AccountId) -> bool {
    match &event.what {
        What::Login { account, .. } => *account == own,
        What::LoginFailed { reason, .. } => reason.as_deref() != Some("unavailable"),
        _ => false,
    }
}

async fn login_lines(door: &Door, own: AccountId, leaf: &Leaf) -> Result<Vec<Value>> {
    let mut keys = BTreeMap::new();
    for kind in [AppPasswordKind::Typed, AppPasswordKind::Bearer] {
        let all = door.deps.directory.app_passwords(own, kind).await?;
        keys.extend(all.into_iter().map(|one| (one.id.0, one.name)));
    }
    let line = |event: &Event| {
        let mut line = begun(event);
        match &event.what {
            What::Login { user, mechanism, by, .. } => {
                let name = by.key.and_then(|key| keys.get(&key));
                line.insert("good".into(), true.into());
                line.insert("user".into(), user.as_str().into());
                line.insert("mechanism".into(), mechanism.as_str().into());
                put(&mut line, "by", by.by.as_deref());
                put(&mut line, "name", name.map(String::as_str));
                put(&mut line, "device", by.device.as_deref());
            }
            What::LoginFailed { user, why, reason } => {
                line.insert("good".into(), false.into());
                line.insert("user".into(), user.as_str().into());
                line.insert("why".into(), why.as_str().into());
                put(&mut line, "reason", reason.as_deref());
            }
            _ => {}
        }
        line.into()
    };
    Ok(leaf.events.iter().map(line).collect())
}

/// What every line has: when, and where it came from.
fn begun(event: &Event) -> Map<String, Value> {
    let mut line = Map::new();
    line.insert("at".into(), time(event.at).into());
    put(&mut line, "protocol", event.origin.protocol.as_deref());
    put(&mut line, "source", event.origin.client.map(|client| client.to_string()).as_deref());
    line
}

fn put(line: &mut Map<String, Value>, name: &str, value: Option<&str>) {
    line.extend(value.map(|value| (name.to_owned(), value.into())));
}

/// Of what was refused, and of what rules did, only the address tells whose it was.
fn is_delivery(event: &Event, own: AccountId, names: &BTreeSet<String>) -> bool {
    let mine = |address: &String| names.contains(&address.to_lowercase());
    match &event.what {
        What::Accepted { account, .. } => *account == Some(own),
        What::Delivered { account, .. } => *account == own,
        What::Refused { recipients, .. } => recipients.iter().any(mine),
        What::Filtered { recipient, .. } => mine(recipient),
        _ => false,
    }
}

async fn delivery_lines(door: &Door, own: AccountId, names: &[String], leaf: &Leaf) -> Result<Vec<Value>> {
    let entries = leaf.events.iter().filter_map(|event| entry_of(&event.what)).collect();
    let mut lives: BTreeMap<EntryId, Vec<Event>> = BTreeMap::new();
    for event in door.deps.journal.of_entries(entries).await? {
        if let Some(entry) = entry_of(&event.what) {
            lives.entry(entry).or_default().push(event);
        }
    }
    lives.values_mut().for_each(|life| life.sort_by_key(|event| (event.at, event.seq)));
    let line = |event: &Event| {
        let life = entry_of(&event.what).and_then(|entry| lives.get(&entry)).map_or(&[][..], Vec::as_slice);
        delivery(event, own, names, life).into()
    };
    Ok(leaf.events.iter().map(line).collect())
}

fn entry_of(what: &What) -> Option<EntryId> {
    match what {
        What::Accepted { entry, .. }
        | What::Delivered { entry, .. }
        | What::Relayed { entry, .. }
        | What::Deferred { entry, .. }
        | What::Failed { entry, .. } => Some(*entry),
        What::Filtered { entry, .. } => *entry,
        _ => None,
    }
}

/// One line. To whom else mail came is not told: they may be blind copies.
fn delivery(event: &Event, own: AccountId, names: &[String], life: &[Event]) -> Map<String, Value> {
    let mut line = begun(event);
    let mut say = |name: &str, value: Value| drop(line.insert(name.to_owned(), value));
    if let What::Accepted { sender, recipients, message_id, .. } = &event.what {
        say("way", "out".into());
        say("what", "sent".into());
        say("sender", sender.as_str().into());
        say("recipients", recipients.iter().map(|recipient| fate(recipient, life)).collect());
        put(&mut line, "messageId", message_id.as_deref());
        return line;
    }
    say("way", "in".into());
    let (mut from, mut id) = (None, None);
    for one in life {
        if let What::Accepted { sender, message_id, .. } = &one.what {
            (from, id) = (Some(sender.as_str()), message_id.as_deref());
        }
    }
    match &event.what {
        What::Delivered { recipient, mailbox, message, account, .. } if *account == own => {
            say("what", "delivered".into());
            say("recipient", recipient.as_str().into());
            say("mailboxId", format!("F{mailbox}").into());
            say("emailId", format!("M{message}").into());
        }
        What::Refused { sender, recipients, message_id, why, .. } => {
            say("what", "refused".into());
            let mine = recipients.iter().find(|address| names.contains(&address.to_lowercase()));
            (from, id) = (Some(sender.as_str()), message_id.as_deref());
            say("why", why.as_str().into());
            put(&mut line, "recipient", mine.map(String::as_str));
        }
        What::Filtered { recipient, act, script, .. } => {
            say("what", "filtered".into());
            say("recipient", recipient.as_str().into());
            say("act", act.as_str().into());
            say("script", script.as_str().into());
        }
        _ => {}
    }
    put(&mut line, "sender", from);
    put(&mut line, "messageId", id);
    line
}

/// What became of one recipient of what was sent: the last that is known.
fn fate(address: &str, life: &[Event]) -> Value {
    let is = |recipient: &str| recipient.eq_ignore_ascii_case(address);
    let last = life.iter().rev().find_map(|event| {
        let mut line = Map::new();
        let (what, host, why) = match &event.what {
            What::Delivered { recipient, .. } if is(recipient) => ("delivered", None, None),
            What::Relayed { recipient, host, reply, .. } if is(recipient) => {
                ("relayed", Some(host.as_str()), Some(reply.as_str()))
            }
            What::Deferred { recipient, host, why, next, .. } if is(recipient) => {
                line.insert("nextTry".into(), time(anser_base::Timestamp(*next)).into());
                ("deferred", host.as_deref(), Some(why.as_str()))
            }
            What::Failed { recipient, host, why, .. } if is(recipient) => {
                ("failed", host.as_deref(), Some(why.as_str()))
            }
            _ => return None,
        };
        line.insert("recipient".into(), address.into());
        line.insert("what".into(), what.into());
        line.insert("at".into(), time(event.at).into());
        put(&mut line, "host", host);
        put(&mut line, "why", why);
        Some(Value::Object(line))
    });
    last.unwrap_or_else(|| json!({ "recipient": address, "what": "waiting" }))
}
