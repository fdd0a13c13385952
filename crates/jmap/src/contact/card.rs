//! ContactCard (RFC 9610 §3): JSContact cards (RFC 9553) in address books.

use anser_base::Result;
use anser_store::{MailTx, RecordKind};
use serde_json::{Map, Value};

use super::BOOK;
use super::book::furnish;
use crate::email::{moment, written_utc};
use crate::error::{MethodError, SetError};
use crate::identity::own;
use crate::law::record::Kept;
use crate::law::set::{Refused, Set};
use crate::method::{Call, Outcome};

/// Address books that one card is in at most.
pub(crate) const BOOKS: usize = 20;
/// Letters of a uid.
const UID: usize = 255;
/// Properties that a card has at most.
const MEMBERS: usize = 200;

/// What a card may be (RFC 9553 §2.1.4).
const KINDS: [&str; 6] = ["individual", "group", "org", "location", "device", "application"];
/// Properties that are maps of objects (RFC 9553 §2.2 to §2.8).
const MAPS: [&str; 20] = [
    "relatedTo",
    "nicknames",
    "organizations",
    "titles",
    "emails",
    "onlineServices",
    "phones",
    "preferredLanguages",
    "calendars",
    "schedulingAddresses",
    "addresses",
    "cryptoKeys",
    "directories",
    "links",
    "media",
    "anniversaries",
    "notes",
    "personalInfo",
    "localizations",
    "members",
];

/// The type. Properties that RFC 9553 does not know are kept (§1.8).
pub(crate) static CARD: Kept = Kept {
    kind: RecordKind::ContactCard,
    letter: 'C',
    is_property: |name| !name.is_empty() && name.len() <= 100,
    refers_by: Some("addressBookIds"),
    unique: Some("uid"),
    check,
};

fn check(tx: &mut MailTx<'_, '_>, number: Option<u64>, card: &mut Map<String, Value>) -> Result<Refused<()>> {
    if let Err(error) = shape(card) {
        return Ok(Err(error));
    }
    let wrong = || Ok(Err(SetError::property("addressBookIds", "a card is in an address book")));
    let Some(Value::Object(books)) = card.get("addressBookIds") else { return wrong() };
    if books.is_empty() || books.len() > BOOKS || books.values().any(|is| *is != true) {
        return wrong();
    }
    for id in books.keys() {
        let found = BOOK.parse(id).map_or(Ok(None), |number| BOOK.one(tx, number))?;
        if found.is_none() {
            return Ok(Err(SetError::property("addressBookIds", "there is no such address book")));
        }
    }
    let uid = card.get("uid").cloned();
    if let Some(number) = number {
        // The uid of a card never changes (RFC 9553 §2.1.9).
        let before = CARD.one(tx, number)?.and_then(|before| before.get("uid").cloned());
        return Ok(if before == uid { Ok(()) } else { Err(SetError::property("uid", "it stays as it is")) });
    }
    Ok(Ok(()))
}

/// What a card has to be, whatever book it is in.
fn shape(card: &mut Map<String, Value>) -> Refused<()> {
    let wrong = |name: &str| Err(SetError::property(name, "this value cannot be taken"));
    if card.len() > MEMBERS {
        return Err(SetError::new("tooLarge", "too many properties"));
    }
    if *card.entry("@type").or_insert("Card".into()) != "Card" {
        return wrong("@type");
    }
    if *card.entry("version").or_insert("1.0".into()) != "1.0" {
        return wrong("version");
    }
    if card.get("kind").is_some_and(|kind| !KINDS.iter().any(|known| kind == known)) {
        return wrong("kind");
    }
    if !card.get("uid").and_then(Value::as_str).is_some_and(|uid| (1..=UID).contains(&uid.len())) {
        return wrong("uid");
    }
    if let Some(name) = MAPS.iter().find(|name| card.get(**name).is_some_and(|value| !value.is_object())) {
        return wrong(name);
    }
    if card.get("name").is_some_and(|name| !name.is_object()) {
        return wrong("name");
    }
    let is_time = |value: &Value| value.as_str().is_some_and(|text| moment(text).is_some());
    match ["created", "updated"].iter().find(|name| card.get(**name).is_some_and(|value| !is_time(value))) {
        Some(name) => wrong(name),
        None => Ok(()),
    }
}

/// RFC 9610 §3.5. What the client does not say of a card is said here, and told it: its uid, when it was made and changed.
pub(crate) async fn set(call: &mut Call) -> Outcome {
    let mut set = Set::read(call)?;
    call.args.done()?;
    own(&set.access)?;
    furnish(call, &set.access).await?;
    let now = written_utc(call.door.deps.clock.now());
    let mut added = Vec::new();
    for (creation, card) in &mut set.create {
        let usual = [("uid", uuid(call)), ("created", now.clone()), ("updated", now.clone())];
        added.push(("created", creation.clone(), complete(card, &usual)));
    }
    for (id, patch) in &mut set.update {
        added.push(("updated", id.clone(), complete(patch, &[("updated", now.clone())])));
    }
    let mut answer = CARD.run(call, set).await?;
    for (list, id, more) in added {
        // What was refused is in no list.
        match answer.get_mut(list).and_then(|told| told.get_mut(&id)) {
            Some(Value::Object(told)) => told.extend(more),
            Some(nothing) if !more.is_empty() => *nothing = Value::Object(more),
            _ => {}
        }
    }
    Ok(answer)
}

/// RFC 9610 §3.6. Contacts are their owner's alone: no other account has cards to be copied, and none takes any.
pub(crate) async fn copy(call: &mut Call) -> Outcome {
    let (from, to) = (call.source()?, call.access()?);
    for state in ["ifFromInState", "ifInState", "destroyFromIfInState"] {
        call.args.string(state)?;
    }
    call.args.bool("onSuccessDestroyOriginal")?;
    call.args.map("create")?;
    call.args.done()?;
    if from.owner.id == to.owner.id {
        return Err(MethodError::invalid("the accounts are the same"));
    }
    own(&to)?;
    Err(MethodError::new("fromAccountNotSupportedByMethod", ""))
}

/// Adds what is missing; returns that.
fn complete(card: &mut Map<String, Value>, usual: &[(&str, String)]) -> Map<String, Value> {
    let missing = usual.iter().filter(|(name, _)| !card.contains_key(*name));
    let added: Map<String, Value> = missing.map(|(name, value)| ((*name).to_owned(), value.clone().into())).collect();
    card.extend(added.clone());
    added
}

/// A random UUID as a URN (RFC 9562 §5.4).
fn uuid(call: &Call) -> String {
    let mut bytes = [0; 16];
    call.door.deps.entropy.fill(&mut bytes);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("urn:uuid:{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}
