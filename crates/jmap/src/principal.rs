//! Principal (RFC 9670 §2): the people, groups and shared accounts of an organisation. `Principal/query` completes what somebody types:
//! a beginning of a name or an address, how a Chinese name sounds, a department.

use std::sync::Arc;

use anser_base::AccountId;
use anser_directory::model::GroupId;
use anser_directory::{People, Person, PersonId};
use serde_json::{Map, Value, json};

use crate::error::{MethodError, SetError};
use crate::ids::{self, number};
use crate::law::changes::{Changes, cannot};
use crate::law::filter::Filter;
use crate::law::get::Get;
use crate::law::query::{Query, QueryChanges};
use crate::law::set::{Done, Set};
use crate::method::{Call, Outcome};
use crate::session::{MAIL, PRINCIPALS_OWNER};

pub(crate) const PROPERTIES: [&str; 8] =
    ["id", "type", "name", "description", "email", "timeZone", "capabilities", "accounts"];
/// There are no states to tell changes by: clients ask anew.
const STATE: &str = "0";

/// The id of a principal.
pub(crate) fn id(of: PersonId) -> String {
    match of {
        PersonId::Account(id) => format!("P{id}"),
        PersonId::Group(id) => format!("G{}", id.0),
    }
}

/// The inverse of [`id`].
pub(crate) fn parse(id: &str) -> Option<PersonId> {
    match id.split_at_checked(1)? {
        ("P", rest) => Some(PersonId::Account(AccountId(number(rest)?))),
        ("G", rest) => Some(PersonId::Group(GroupId(number(rest)?))),
        _ => None,
    }
}

fn kind(person: &Person) -> &'static str {
    match person.id {
        PersonId::Group(_) => "group",
        PersonId::Account(_) if person.shared => "resource",
        PersonId::Account(_) => "individual",
    }
}

fn object(call: &Call, person: &Person) -> Map<String, Value> {
    let user = &call.user;
    let is_open = |id: AccountId| id == user.account.id || user.others.iter().any(|other| other.id == id);
    // Accounts that the user sees something of (RFC 9670 §2.1).
    let accounts = match person.id {
        PersonId::Account(account) if is_open(account) => {
            let told = json!({ MAIL: {}, PRINCIPALS_OWNER: {
                "accountIdForPrincipal": ids::account_id(user.account.id), "principalId": id(person.id) } });
            json!({ ids::account_id(account): { "name": person.address.to_string(), "isPersonal": account == user.account.id,
                "isReadOnly": false, "accountCapabilities": told } })
        }
        _ => Value::Null,
    };
    let name = if person.name.is_empty() { person.address.to_string() } else { person.name.clone() };
    let Value::Object(object) = json!({
        "id": id(person.id),
        "type": kind(person),
        "name": name,
        "description": Some(&person.department).filter(|department| !department.is_empty()),
        "email": person.address.to_string(),
        "timeZone": null,
        "capabilities": {},
        "accounts": accounts,
    }) else {
        return Map::new();
    };
    object
}

async fn people(call: &Call) -> Result<Arc<People>, MethodError> {
    Ok(call.door.deps.directory.people(call.user.account.tenant).await?)
}

/// RFC 9670 §2.2. All are not told at once: an organisation may be large.
pub(crate) async fn get(call: &mut Call) -> Outcome {
    let get = Get::read(call, |name| PROPERTIES.contains(&name))?;
    call.args.done()?;
    let people = people(call).await?;
    let wanted = get.ids.clone().ok_or_else(|| MethodError::new("requestTooLarge", "ids are needed"))?;
    let found = wanted.iter().filter_map(|id| people.get(parse(id)?));
    get.answer(get.among(STATE.to_owned(), found.map(|person| (id(person.id), object(call, person)))))
}

/// RFC 9670 §2.3.
pub(crate) async fn changes(call: &mut Call) -> Outcome {
    Changes::read(call)?;
    Err(cannot())
}

/// RFC 9670 §2.4. People are changed by their administrators.
pub(crate) async fn set(call: &mut Call) -> Outcome {
    let set = Set::read(call)?;
    call.args.done()?;
    let mut done = Done::from(STATE.to_owned());
    let no = || SetError::forbidden("people are changed by their administrators");
    set.create.iter().for_each(|(creation, _)| done.create(creation, Err(no())));
    set.update.iter().for_each(|(id, _)| done.update(id, Err(no())));
    set.destroy.iter().for_each(|id| done.destroy(id, Err(no())));
    set.answer(call, done)
}

/// A condition (RFC 9670 §2.5).
enum Key {
    Text(String),
    Email(String),
    Type(String),
    Accounts(Vec<String>),
}

fn condition(map: Map<String, Value>) -> Result<Vec<Key>, MethodError> {
    let one = |(name, value): (String, Value)| {
        let wrong = || MethodError::invalid(format!("{name} is of another type"));
        let text = || value.as_str().map(str::to_owned).ok_or_else(wrong);
        Ok(match name.as_str() {
            "text" | "name" => Key::Text(text()?),
            "email" => Key::Email(text()?.to_lowercase()),
            "type" => Key::Type(text()?),
            "accountIds" => {
                let all: Option<Vec<String>> =
                    value.as_array().and_then(|all| all.iter().map(|id| id.as_str().map(str::to_owned)).collect());
                Key::Accounts(all.ok_or_else(wrong)?)
            }
            _ => return Err(MethodError::new("unsupportedFilter", format!("{name} is no condition"))),
        })
    };
    map.into_iter().map(one).collect()
}

/// RFC 9670 §2.5: best first. One text at most is looked for, at the top of the filter, beside other conditions.
pub(crate) async fn query(call: &mut Call) -> Outcome {
    let mut query = Query::read(call)?;
    call.args.done()?;
    if query.sort.iter().any(|by| by.property != "name") {
        return Err(MethodError::new("unsupportedSort", "principals are sorted by name or by how well they are met"));
    }
    let keys = match Filter::read(query.filter.take(), &mut condition)? {
        Filter::Condition(keys) => keys,
        Filter::All(all) if all.is_empty() => Vec::new(),
        _ => return Err(MethodError::new("unsupportedFilter", "conditions are not joined here")),
    };
    let mut texts = keys.iter().filter_map(|key| if let Key::Text(text) = key { Some(text.as_str()) } else { None });
    let (text, more) = (texts.next().unwrap_or_default(), texts.next());
    if more.is_some() {
        return Err(MethodError::new("unsupportedFilter", "one text is looked for"));
    }
    let people = people(call).await?;
    let holds = |person: &Person| {
        keys.iter().all(|key| match key {
            Key::Text(_) => true,
            Key::Email(text) => person.address.to_string().to_lowercase().contains(text),
            Key::Type(word) => kind(person) == word,
            Key::Accounts(all) => match person.id {
                PersonId::Account(account) => all.contains(&ids::account_id(account)),
                PersonId::Group(_) => false,
            },
        })
    };
    let mut found = people.find(text, holds);
    if let Some(by) = query.sort.first() {
        found.sort_by_cached_key(|person| person.name.to_lowercase());
        if !by.ascending {
            found.reverse();
        }
    }
    let found: Vec<String> = found.into_iter().map(|person| id(person.id)).collect();
    query.found(STATE, &found, false)
}

/// RFC 9670 §2.6.
pub(crate) async fn query_changes(call: &mut Call) -> Outcome {
    QueryChanges::read(call)?;
    call.args.done()?;
    Err(cannot())
}
