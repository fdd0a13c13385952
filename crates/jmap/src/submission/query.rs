//! EmailSubmission/query (RFC 8621 §7.3).

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::{Submission, WHAT, status};
use crate::email::moment;
use crate::error::MethodError;
use crate::identity::own;
use crate::ids;
use crate::law::changes;
use crate::law::filter::Filter;
use crate::law::query::{Comparator, Query, QueryChanges};
use crate::method::{Call, Outcome};

/// A condition (RFC 8621 §7.3).
enum Key {
    Identities(Vec<String>),
    Emails(Vec<String>),
    Threads(Vec<String>),
    Undo(String),
    Before(i64),
    After(i64),
}

struct Wish {
    filter: Filter<Vec<Key>>,
    sort: Vec<Comparator>,
}

impl Wish {
    fn read(filter: Option<Value>, sort: Vec<Comparator>) -> Result<Self, MethodError> {
        let known =
            |by: &Comparator| by.keyword.is_none() && matches!(&*by.property, "emailId" | "threadId" | "sentAt");
        if let Some(other) = sort.iter().find(|by| !known(by)) {
            return Err(MethodError::new("unsupportedSort", format!("{} is nothing to sort by", other.property)));
        }
        Ok(Self { filter: Filter::read(filter, &mut condition)?, sort })
    }

    fn ids(&self, all: &[(u64, Submission)]) -> Vec<u64> {
        let holds =
            |one: &&(u64, Submission)| self.filter.holds(&mut |keys| keys.iter().all(|key| key.is_true(&one.1)));
        let mut found: Vec<&(u64, Submission)> = all.iter().filter(holds).collect();
        found.sort_by(|a, b| {
            let compare = |by: &Comparator| {
                let order = match by.property.as_str() {
                    "emailId" => a.1.email.cmp(&b.1.email),
                    "threadId" => a.1.thread.cmp(&b.1.thread),
                    _ => a.1.send_at.cmp(&b.1.send_at),
                };
                if by.ascending { order } else { order.reverse() }
            };
            self.sort.iter().map(compare).fold(Ordering::Equal, Ordering::then).then(a.0.cmp(&b.0))
        });
        found.into_iter().map(|(id, _)| *id).collect()
    }
}

impl Key {
    fn is_true(&self, one: &Submission) -> bool {
        let object = |name: &str| one.object(0).remove(name).unwrap_or_default();
        let among =
            |all: &[String], name: &str| object(name).as_str().is_some_and(|id| all.iter().any(|one| one == id));
        match self {
            Self::Identities(all) => all.contains(&one.identity),
            Self::Emails(all) => among(all, "emailId"),
            Self::Threads(all) => among(all, "threadId"),
            Self::Undo(wanted) => object("undoStatus") == **wanted,
            Self::Before(at) => one.send_at < *at,
            Self::After(at) => one.send_at >= *at,
        }
    }
}

fn condition(map: Map<String, Value>) -> Result<Vec<Key>, MethodError> {
    let one = |(name, value): (String, Value)| {
        let wrong = || MethodError::invalid(format!("{name} is of another type"));
        let list = || {
            let all: Option<Vec<String>> =
                value.as_array().and_then(|all| all.iter().map(|id| id.as_str().map(str::to_owned)).collect());
            all.ok_or_else(wrong)
        };
        let time = || value.as_str().and_then(moment).map(|secs| secs * 1000).ok_or_else(wrong);
        Ok(match name.as_str() {
            "identityIds" => Key::Identities(list()?),
            "emailIds" => Key::Emails(list()?),
            "threadIds" => Key::Threads(list()?),
            "undoStatus" => Key::Undo(value.as_str().ok_or_else(wrong)?.to_owned()),
            "before" => Key::Before(time()?),
            "after" => Key::After(time()?),
            _ => return Err(MethodError::new("unsupportedFilter", format!("{name} is nothing to filter by"))),
        })
    };
    map.into_iter().map(one).collect()
}

/// RFC 8621 §7.3.
pub(crate) async fn query(call: &mut Call) -> Outcome {
    let mut query = Query::read(call)?;
    call.args.done()?;
    own(&query.access)?;
    let wish = Wish::read(query.filter.take(), query.sort.clone())?;
    let (state, all) = status::refreshed(call, &query.access).await?;
    let found = wish.ids(&all);
    let window = query.window(found.len(), |anchor| {
        let anchor = ids::parse_submission(anchor)?;
        found.iter().position(|id| *id == anchor)
    })?;
    let shown = found[window.clone()].iter().map(|id| ids::submission_id(*id)).collect();
    query.answer(&state, window, shown, found.len())
}

/// RFC 8621 §7.4.
pub(crate) async fn query_changes(call: &mut Call) -> Outcome {
    let mut asked = QueryChanges::read(call)?;
    call.args.done()?;
    own(&asked.access)?;
    let wish = Wish::read(asked.filter.take(), asked.sort.clone())?;
    let (state, all) = status::refreshed(call, &asked.access).await?;
    let since = asked.since.clone();
    let read = call
        .door
        .deps
        .store
        .read(asked.access.owner.id, move |tx| changes::since(tx, &since, WHAT, usize::from(u16::MAX)));
    let changed = read.await??;
    let gone = [changed.updated, changed.destroyed].concat();
    asked.answer(&state, wish.ids(&all).into_iter(), &gone, &changed.created, ids::submission_id)
}
