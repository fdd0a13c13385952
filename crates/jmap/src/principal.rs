//! Principal (RFC 9670 §2): the people, groups and shared accounts of an organisation. `Principal/query` completes what somebody types:
//! a beginning of a name or an address, how a Chinese name sounds, a department.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use anser_base::{AccountId, Error, TenantId};
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
/// Moments of one organisation that are remembered, and people of all of them.
const MOMENTS: usize = 100;
const REMEMBERED: usize = 500_000;

/// Who there was when, so that clients are told what changed since.
#[derive(Default)]
pub(crate) struct Moments(Mutex<HashMap<TenantId, VecDeque<Arc<Moment>>>>);

/// The people of an organisation at a moment.
pub(crate) struct Moment {
    name: String,
    /// Whom it is of, as long as they are the same.
    people: Weak<People>,
    /// By number, what stands for all that is told of each.
    each: BTreeMap<PersonId, [u8; 8]>,
}

impl Moment {
    fn of(people: &Arc<People>) -> Self {
        let short = |hash: blake3::Hash| std::array::from_fn(|at| hash.as_bytes()[at]);
        let digest = |person: &Person| {
            let told = (person.address.to_string(), &person.name, &person.department, person.shared);
            (person.id, short(blake3::hash(format!("{told:?}").as_bytes())))
        };
        let each: BTreeMap<PersonId, [u8; 8]> = people.all().map(digest).collect();
        let mut whole = blake3::Hasher::new();
        for (id, one) in &each {
            whole.update(self::id(*id).as_bytes()).update(one);
        }
        Self { name: whole.finalize().to_hex()[..16].to_owned(), people: Arc::downgrade(people), each }
    }
}

impl Moments {
    /// The moment that it is, which is remembered.
    async fn now(&self, tenant: TenantId, people: &Arc<People>) -> Result<Arc<Moment>, Error> {
        if let Some(known) = self.last(tenant).filter(|last| std::ptr::eq(last.people.as_ptr(), Arc::as_ptr(people))) {
            return Ok(known);
        }
        // An organisation may be large.
        let whom = people.clone();
        let new = tokio::task::spawn_blocking(move || Moment::of(&whom)).await.map_err(Error::unavailable)?;
        Ok(self.put(tenant, Arc::new(new)))
    }

    fn put(&self, tenant: TenantId, new: Arc<Moment>) -> Arc<Moment> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = all.entry(tenant).or_default();
        own.retain(|known| known.name != new.name);
        own.truncate(MOMENTS - 1);
        own.push_front(new.clone());
        let remembered = |all: &HashMap<TenantId, VecDeque<Arc<Moment>>>| {
            all.values().flatten().map(|moment| moment.each.len()).sum::<usize>()
        };
        if remembered(&all) > REMEMBERED {
            all.retain(|other, _| *other == tenant);
            all.entry(tenant).or_default().truncate(1);
        }
        new
    }

    fn last(&self, tenant: TenantId) -> Option<Arc<Moment>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&tenant)?.front().cloned()
    }

    fn named(&self, tenant: TenantId, name: &str) -> Option<Arc<Moment>> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&tenant)?.iter().find(|moment| moment.name == name).cloned()
    }
}

/// The state that somebody sees: who there is, and which accounts are open to them.
fn state(call: &Call, now: &Moment) -> String {
    format!("{}-{}", now.name, accounts(call))
}

fn accounts(call: &Call) -> String {
    let mut open: Vec<AccountId> = call.user.others.iter().map(|other| other.id).collect();
    open.sort_unstable();
    blake3::hash(format!("{open:?}").as_bytes()).to_hex()[..8].to_owned()
}

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

/// Who there is now.
async fn people(call: &Call) -> Result<(Arc<People>, Arc<Moment>), MethodError> {
    let tenant = call.user.account.tenant;
    let people = call.door.deps.directory.people(tenant).await?;
    let now = call.door.moments.now(tenant, &people).await?;
    Ok((people, now))
}

/// RFC 9670 §2.2. An organisation may be too large for all to be told at once.
pub(crate) async fn get(call: &mut Call) -> Outcome {
    let get = Get::read(call, |name| PROPERTIES.contains(&name))?;
    call.args.done()?;
    let (people, now) = people(call).await?;
    let found: Vec<&Person> = match &get.ids {
        Some(wanted) => wanted.iter().filter_map(|id| people.get(parse(id)?)).collect(),
        None if people.all().len() > call.door.deps.limits.objects_in_get => {
            return Err(MethodError::new("requestTooLarge", "there are too many; ask for some of them"));
        }
        None => people.all().collect(),
    };
    get.answer(get.among(state(call, &now), found.into_iter().map(|person| (id(person.id), object(call, person)))))
}

/// RFC 9670 §2.3, as far back as is remembered; what is shared may have become another principal's accounts, which is not.
pub(crate) async fn changes(call: &mut Call) -> Outcome {
    let asked = Changes::read(call)?;
    let (_, now) = people(call).await?;
    let (name, open) = asked.since.split_once('-').ok_or_else(cannot)?;
    let before = call.door.moments.named(call.user.account.tenant, name).filter(|_| open == accounts(call));
    let before = before.ok_or_else(cannot)?;
    let other = |(id, digest): &(&PersonId, &[u8; 8])| before.each.get(*id).is_some_and(|known| known != *digest);
    let created: Vec<PersonId> = now.each.keys().filter(|id| !before.each.contains_key(id)).copied().collect();
    let updated: Vec<PersonId> = now.each.iter().filter(other).map(|(id, _)| *id).collect();
    let destroyed: Vec<PersonId> = before.each.keys().filter(|id| !now.each.contains_key(id)).copied().collect();
    // There is no moment between two.
    if created.len() + updated.len() + destroyed.len() > asked.most {
        return Err(cannot());
    }
    let told = |all: Vec<PersonId>| all.into_iter().map(id).collect::<Vec<_>>();
    Ok(json!({
        "accountId": ids::account_id(asked.access.owner.id),
        "oldState": asked.since,
        "newState": state(call, &now),
        "hasMoreChanges": false,
        "created": told(created),
        "updated": told(updated),
        "destroyed": told(destroyed),
    }))
}

/// RFC 9670 §2.4. People are changed by their administrators.
pub(crate) async fn set(call: &mut Call) -> Outcome {
    let set = Set::read(call)?;
    call.args.done()?;
    let mut done = Done::from(state(call, &people(call).await?.1));
    if set.if_in_state.as_ref().is_some_and(|wanted| *wanted != done.old) {
        return Err(MethodError::new("stateMismatch", ""));
    }
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
    /// Nobody's is known.
    TimeZone,
}

fn condition(map: Map<String, Value>) -> Result<Vec<Key>, MethodError> {
    let one = |(name, value): (String, Value)| {
        let wrong = || MethodError::invalid(format!("{name} is of another type"));
        let text = || value.as_str().map(str::to_owned).ok_or_else(wrong);
        Ok(match name.as_str() {
            "text" | "name" => Key::Text(text()?),
            "email" => Key::Email(text()?.to_lowercase()),
            "type" => Key::Type(text()?),
            "timeZone" => text().map(|_| Key::TimeZone)?,
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
    let (people, now) = people(call).await?;
    let holds = |person: &Person| {
        keys.iter().all(|key| match key {
            Key::Text(_) => true,
            Key::TimeZone => false,
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
    query.found(&state(call, &now), &found, false)
}

/// RFC 9670 §2.6.
pub(crate) async fn query_changes(call: &mut Call) -> Outcome {
    QueryChanges::read(call)?;
    call.args.done()?;
    Err(cannot())
}
