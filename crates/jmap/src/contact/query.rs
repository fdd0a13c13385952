//! ContactCard/query and ContactCard/queryChanges (RFC 9610 §3.3, §3.4). Chinese names are sorted by how they sound.

use std::cmp::Ordering;

use anser_store::{Logged, RecordKind};
use anser_text::fold;
use anser_text::pinyin::sort_key;
use serde_json::{Map, Value};

use super::CARD;
use crate::email::moment;
use crate::error::MethodError;
use crate::identity::own;
use crate::law::changes;
use crate::law::filter::Filter;
use crate::law::query::{Comparator, Query, QueryChanges};
use crate::law::record::Numbered;
use crate::method::{Call, Outcome};

/// A condition.
enum Key {
    Book(String),
    Uid(String),
    Kind(String),
    Member(String),
    /// Before or after a time that a property names.
    Time {
        name: &'static str,
        before: bool,
        at: i64,
    },
    /// A folded text in what such a condition looks at.
    Text {
        of: &'static [&'static str],
        kind: Option<&'static str>,
        text: String,
    },
}

/// The conditions on texts: their name, the properties whose texts they look at, and the kind of a name's components.
const TEXTS: [(&str, &[&str], Option<&str>); 13] = [
    ("text", &[], None),
    ("name", &["name"], None),
    ("name/given", &["name"], Some("given")),
    ("name/surname", &["name"], Some("surname")),
    ("name/surname2", &["name"], Some("surname2")),
    ("nickname", &["nicknames"], None),
    ("organization", &["organizations"], None),
    ("email", &["emails"], None),
    ("phone", &["phones"], None),
    ("onlineService", &["onlineServices"], None),
    ("address", &["addresses"], None),
    ("note", &["notes"], None),
    ("title", &["titles"], None),
];
/// The conditions on times.
const TIMES: [(&str, &str, bool); 4] = [
    ("createdBefore", "created", true),
    ("createdAfter", "created", false),
    ("updatedBefore", "updated", true),
    ("updatedAfter", "updated", false),
];

fn condition(map: Map<String, Value>) -> Result<Vec<Key>, MethodError> {
    let one = |(name, value): (String, Value)| {
        let text = value.as_str().ok_or_else(|| MethodError::invalid(format!("{name} is of another type")))?;
        if let Some((_, of, kind)) = TEXTS.iter().find(|(known, ..)| *known == name) {
            return Ok(Key::Text { of, kind: *kind, text: fold(text) });
        }
        if let Some((_, property, before)) = TIMES.iter().find(|(known, ..)| *known == name) {
            let at = moment(text).ok_or_else(|| MethodError::invalid(format!("{name} is a UTCDate")))?;
            return Ok(Key::Time { name: property, before: *before, at });
        }
        Ok(match name.as_str() {
            "inAddressBook" => Key::Book(text.to_owned()),
            "uid" => Key::Uid(text.to_owned()),
            "kind" => Key::Kind(text.to_owned()),
            "hasMember" => Key::Member(text.to_owned()),
            _ => return Err(MethodError::new("unsupportedFilter", format!("{name} is no condition"))),
        })
    };
    map.into_iter().map(one).collect()
}

impl Key {
    fn is_true(&self, card: &Map<String, Value>) -> bool {
        let has = |name: &str, member: &str| card.get(name).and_then(|all| all.get(member)).is_some();
        let text = |name: &str| card.get(name).and_then(Value::as_str);
        match self {
            Self::Book(id) => has("addressBookIds", id),
            Self::Uid(uid) => text("uid") == Some(uid),
            Self::Kind(kind) => text("kind").unwrap_or("individual") == kind,
            Self::Member(uid) => has("members", uid),
            Self::Time { name, before, at } => {
                text(name).and_then(moment).is_some_and(|time| if *before { time < *at } else { time >= *at })
            }
            Self::Text { of, kind, text } => {
                let all = card.iter().filter(|(name, _)| of.is_empty() || of.contains(&name.as_str()));
                all.into_iter().any(|(_, value)| says(value, *kind, text))
            }
        }
    }
}

/// Whether a text stands somewhere in a value; in components of one kind, where that is asked for.
fn says(value: &Value, kind: Option<&str>, text: &str) -> bool {
    match value {
        Value::String(one) => kind.is_none() && fold(one).contains(text),
        Value::Array(all) => all.iter().any(|one| says(one, kind, text)),
        Value::Object(all) => match kind {
            Some(kind) if all.get("kind").is_some_and(|one| one == kind) => {
                all.get("value").and_then(Value::as_str).is_some_and(|one| fold(one).contains(text))
            }
            _ => all.iter().any(|(name, one)| name != "@type" && says(one, kind, text)),
        },
        _ => false,
    }
}

/// What is looked for, and in which order it is told.
struct Wish {
    filter: Filter<Vec<Key>>,
    sort: Vec<Comparator>,
}

impl Wish {
    fn read(filter: Option<Value>, sort: Vec<Comparator>) -> Result<Self, MethodError> {
        let known = ["created", "updated", "name/given", "name/surname", "name/surname2"];
        if let Some(other) = sort.iter().find(|by| !known.contains(&by.property.as_str())) {
            return Err(MethodError::new("unsupportedSort", format!("{} is nothing to sort by", other.property)));
        }
        Ok(Self { filter: Filter::read(filter, &mut condition)?, sort })
    }

    fn ids(&self, all: &[Numbered]) -> Vec<u64> {
        let holds = |card: &Map<String, Value>| self.filter.holds(&mut |keys| keys.iter().all(|key| key.is_true(card)));
        let mut found: Vec<(Vec<String>, u64)> = all
            .iter()
            .filter(|(_, card)| holds(card))
            .map(|(number, card)| (self.sort.iter().map(|by| key(card, &by.property)).collect(), *number))
            .collect();
        found.sort_by(|a, b| {
            let columns = self.sort.iter().enumerate().map(|(at, by)| {
                let order = a.0[at].cmp(&b.0[at]);
                if by.ascending { order } else { order.reverse() }
            });
            columns.fold(Ordering::Equal, Ordering::then).then(a.1.cmp(&b.1))
        });
        found.into_iter().map(|(_, number)| number).collect()
    }
}

/// What a card is sorted by.
fn key(card: &Map<String, Value>, property: &str) -> String {
    let Some(kind) = property.strip_prefix("name/") else {
        return card.get(property).and_then(Value::as_str).unwrap_or_default().to_owned();
    };
    let name = card.get("name");
    let components = name.and_then(|name| name.get("components")).and_then(Value::as_array);
    let component = components.into_iter().flatten().find(|one| one.get("kind").is_some_and(|of| of == kind));
    let value = component.and_then(|one| one.get("value")).or_else(|| name?.get("full"));
    sort_key(value.and_then(Value::as_str).unwrap_or_default())
}

/// RFC 9610 §3.3.
pub(crate) async fn query(call: &mut Call) -> Outcome {
    let mut query = Query::read(call)?;
    call.args.done()?;
    own(&query.access)?;
    let wish = Wish::read(query.filter.take(), query.sort.clone())?;
    let (state, all) = CARD.listed(call, &query.access).await?;
    let found: Vec<String> = wish.ids(&all).into_iter().map(|number| CARD.id(number)).collect();
    query.found(&state, &found, true)
}

/// RFC 9610 §3.4.
pub(crate) async fn query_changes(call: &mut Call) -> Outcome {
    let mut asked = QueryChanges::read(call)?;
    call.args.done()?;
    own(&asked.access)?;
    let wish = Wish::read(asked.filter.take(), asked.sort.clone())?;
    let since = asked.since.clone();
    let read = call.door.deps.store.read(asked.access.owner.id, move |tx| {
        let what = Logged::Records(RecordKind::ContactCard);
        let changed = changes::since(tx, &since, what, usize::from(u16::MAX))?;
        Ok((changed, crate::law::state::now(tx), CARD.all(tx)?))
    });
    let (changed, state, all) = read.await?;
    let changed = changed?;
    let gone = [changed.updated, changed.destroyed].concat();
    asked.answer(&state, wish.ids(&all).into_iter(), &gone, &changed.created, |number| CARD.id(number))
}
