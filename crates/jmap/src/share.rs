//! ShareNotification (RFC 9670 §3): what of others was shared with the user, and what is so no more.

use anser_base::Timestamp;
use anser_directory::PersonId;
use anser_store::{Logged, MailTx, RecordKind, Rights, ShareNotice};
use serde_json::{Map, Value, json};

use crate::email::{moment, written_utc};
use crate::error::{MethodError, SetError};
use crate::identity::own;
use crate::ids::{self, number};
use crate::law::changes::{self, Changes};
use crate::law::filter::Filter;
use crate::law::get::Get;
use crate::law::query::{Comparator, Query, QueryChanges};
use crate::law::set::Set;
use crate::law::state;
use crate::mailbox;
use crate::method::{Call, Outcome};
use crate::principal;

pub(crate) const PROPERTIES: [&str; 9] =
    ["id", "created", "changedBy", "objectType", "objectAccountId", "objectId", "oldRights", "newRights", "name"];
/// What is shared.
const TYPE: &str = "Mailbox";
const WHAT: Logged = Logged::Records(RecordKind::ShareNotice);

fn id(number: u64) -> String {
    format!("N{number}")
}

fn parse(id: &str) -> Option<u64> {
    number(id.strip_prefix('N')?)
}

fn object(number: u64, notice: &ShareNotice) -> Map<String, Value> {
    let rights = |of: Rights| if of == Rights::NONE { Value::Null } else { mailbox::rights(of, None) };
    let Value::Object(object) = json!({
        "id": id(number),
        "created": written_utc(notice.at),
        "changedBy": {
            "name": if notice.by_name.is_empty() { &notice.by_email } else { &notice.by_name },
            "email": notice.by_email,
            "principalId": principal::id(PersonId::Account(notice.by)),
        },
        "objectType": TYPE,
        "objectAccountId": ids::account_id(notice.owner),
        "objectId": ids::mailbox_id(Some(notice.owner), notice.mailbox),
        "oldRights": rights(notice.old),
        "newRights": rights(notice.new),
        "name": notice.name,
    }) else {
        return Map::new();
    };
    object
}

fn read(tx: &mut MailTx<'_, '_>) -> anser_base::Result<(String, Vec<(u64, ShareNotice)>)> {
    Ok((state::now(tx), tx.share_notices()?))
}

/// RFC 9670 §3.3.
pub(crate) async fn get(call: &mut Call) -> Outcome {
    let get = Get::read(call, |name| PROPERTIES.contains(&name))?;
    call.args.done()?;
    own(&get.access)?;
    let (state, all) = call.door.deps.store.read(get.access.owner.id, read).await?;
    get.answer(get.among(state, all.iter().map(|(number, notice)| (id(*number), object(*number, notice)))))
}

/// RFC 9670 §3.4.
pub(crate) async fn changes(call: &mut Call) -> Outcome {
    let asked = Changes::read(call)?;
    own(&asked.access)?;
    asked.of_records(call, RecordKind::ShareNotice, id).await
}

/// RFC 9670 §3.5: they are made by the server, and dismissed by the user.
pub(crate) async fn set(call: &mut Call) -> Outcome {
    let set = Set::read(call)?;
    call.args.done()?;
    own(&set.access)?;
    set.run(call, WHAT, |tx, set, _, done| {
        let no = || SetError::forbidden("these are made by the server");
        set.create.iter().for_each(|(creation, _)| done.create(creation, Err(no())));
        set.update.iter().for_each(|(id, _)| done.update(id, Err(no())));
        for id in &set.destroy {
            let gone = parse(id).map_or(Ok(false), |number| tx.remove_record(RecordKind::ShareNotice, number))?;
            done.destroy(id, if gone { Ok(()) } else { Err(SetError::not_found()) });
        }
        Ok(())
    })
    .await
}

/// A condition (RFC 9670 §3.6.1).
enum Key {
    After(i64),
    Before(i64),
    Type(String),
    Account(String),
}

fn condition(map: Map<String, Value>) -> Result<Vec<Key>, MethodError> {
    let one = |(name, value): (String, Value)| {
        let wrong = || MethodError::invalid(format!("{name} is of another type"));
        let text = || value.as_str().map(str::to_owned).ok_or_else(wrong);
        let time = || value.as_str().and_then(moment).ok_or_else(wrong);
        Ok(match name.as_str() {
            "after" => Key::After(time()?),
            "before" => Key::Before(time()?),
            "objectType" => Key::Type(text()?),
            "objectAccountId" => Key::Account(text()?),
            _ => return Err(MethodError::new("unsupportedFilter", format!("{name} is no condition"))),
        })
    };
    // No time is no condition.
    let is_set = |(name, value): &(String, Value)| !value.is_null() || !matches!(name.as_str(), "after" | "before");
    map.into_iter().filter(is_set).map(one).collect()
}

impl Key {
    fn is_true(&self, notice: &ShareNotice) -> bool {
        match self {
            Self::After(at) => notice.at >= Timestamp::from_secs(*at),
            Self::Before(at) => notice.at < Timestamp::from_secs(*at),
            Self::Type(name) => name == TYPE,
            Self::Account(id) => *id == ids::account_id(notice.owner),
        }
    }
}

/// What is looked for, and in which order.
struct Wish {
    filter: Filter<Vec<Key>>,
    ascending: bool,
}

impl Wish {
    fn read(filter: Option<Value>, sort: &[Comparator]) -> Result<Self, MethodError> {
        if let Some(other) = sort.iter().find(|by| by.property != "created") {
            return Err(MethodError::new("unsupportedSort", format!("{} is nothing to sort by", other.property)));
        }
        let ascending = sort.first().is_none_or(|by| by.ascending);
        Ok(Self { filter: Filter::read(filter, &mut condition)?, ascending })
    }

    fn found(&self, all: Vec<(u64, ShareNotice)>) -> Vec<u64> {
        let holds = |notice: &ShareNotice| self.filter.holds(&mut |keys| keys.iter().all(|key| key.is_true(notice)));
        let mut found: Vec<(Timestamp, u64)> =
            all.into_iter().filter(|(_, notice)| holds(notice)).map(|(number, notice)| (notice.at, number)).collect();
        found.sort_unstable();
        if !self.ascending {
            found.reverse();
        }
        found.into_iter().map(|(_, number)| number).collect()
    }
}

/// RFC 9670 §3.6.
pub(crate) async fn query(call: &mut Call) -> Outcome {
    let mut query = Query::read(call)?;
    call.args.done()?;
    own(&query.access)?;
    let wish = Wish::read(query.filter.take(), &query.sort)?;
    let (state, all) = call.door.deps.store.read(query.access.owner.id, read).await?;
    let found: Vec<String> = wish.found(all).into_iter().map(id).collect();
    query.found(&state, &found, true)
}

/// RFC 9670 §3.7.
pub(crate) async fn query_changes(call: &mut Call) -> Outcome {
    let mut asked = QueryChanges::read(call)?;
    call.args.done()?;
    own(&asked.access)?;
    let wish = Wish::read(asked.filter.take(), &asked.sort)?;
    let since = asked.since.clone();
    let read = move |tx: &mut MailTx<'_, '_>| {
        let changed = changes::since(tx, &since, WHAT, usize::from(u16::MAX))?;
        Ok((read(tx)?, changed))
    };
    let ((state, all), changed) = call.door.deps.store.read(asked.access.owner.id, read).await?;
    let changed = changed?;
    let gone = [changed.updated, changed.destroyed].concat();
    asked.answer(&state, wish.found(all).into_iter(), &gone, &changed.created, id)
}
