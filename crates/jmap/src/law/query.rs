//! `/query` (RFC 8620 §5.5) and `/queryChanges` (§5.6): the arguments, the window of the answer, and what changed of a result.

use std::ops::Range;

use serde_json::{Map, Value, json};

use crate::access::Access;
use crate::error::MethodError;
use crate::method::{Call, Outcome};
use crate::session::COLLATIONS;

/// Ids of one answer at most.
const IDS: usize = 5_000;
/// Properties of one sort at most.
const COMPARATORS: usize = 10;
/// Ids that `/queryChanges` tells at most.
const CHANGES: usize = 10_000;

/// Arguments of the query that a library of many clients (jmapc) says in each comparator too, where they mean nothing.
const STRAY: [&str; 5] = ["anchor", "anchorOffset", "limit", "calculateTotal", "position"];

/// How results are sorted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Comparator {
    pub property: String,
    pub ascending: bool,
    /// Of the keyword sorts (RFC 8621 §4.4.2).
    pub keyword: Option<String>,
}

/// What is asked for.
pub(crate) struct Query {
    pub access: Access,
    pub filter: Option<Value>,
    pub sort: Vec<Comparator>,
    position: i64,
    anchor: Option<String>,
    anchor_offset: i64,
    limit: Option<u64>,
    pub total: bool,
}

impl Query {
    /// The arguments that all types have.
    pub fn read(call: &mut Call) -> Result<Self, MethodError> {
        let anchor = call.args.string("anchor")?;
        Ok(Self {
            access: call.access()?,
            filter: call.args.take("filter"),
            sort: sort(call)?,
            position: call.args.int("position")?.unwrap_or(0),
            anchor: anchor.map(|id| call.resolve(&id).unwrap_or(id)),
            anchor_offset: call.args.int("anchorOffset")?.unwrap_or(0),
            limit: call.args.uint("limit")?,
            total: call.args.bool("calculateTotal")?,
        })
    }

    /// Which of so many results are to be told; `place` finds the anchor.
    pub fn window(&self, len: usize, place: impl FnOnce(&str) -> Option<usize>) -> Result<Range<usize>, MethodError> {
        let start = match &self.anchor {
            Some(anchor) => {
                let at = place(anchor).ok_or_else(|| MethodError::new("anchorNotFound", ""))?;
                (at as i64).saturating_add(self.anchor_offset).max(0)
            }
            None if self.position < 0 => (len as i64).saturating_add(self.position).max(0),
            None => self.position,
        };
        let start = usize::try_from(start).unwrap_or(usize::MAX).min(len);
        Ok(start..start.saturating_add(self.most()).min(len))
    }

    /// How many results have to be known for the answer.
    pub fn reach(&self) -> usize {
        match self.total || self.anchor.is_some() || self.position < 0 {
            true => usize::MAX,
            false => usize::try_from(self.position).unwrap_or(usize::MAX).saturating_add(self.most()),
        }
    }

    fn most(&self) -> usize {
        self.limit.map_or(IDS, |limit| usize::try_from(limit).unwrap_or(IDS).min(IDS))
    }

    /// The response, out of all that was found.
    pub fn found(&self, state: &str, all: &[String], can_change: bool) -> Outcome {
        let window = self.window(all.len(), |anchor| all.iter().position(|id| id == anchor))?;
        let mut answer = self.answer(state, window.clone(), all[window].to_vec(), all.len())?;
        answer["canCalculateChanges"] = can_change.into();
        Ok(answer)
    }

    /// The response.
    pub fn answer(&self, state: &str, window: Range<usize>, ids: Vec<String>, total: usize) -> Outcome {
        let mut answer = json!({
            "accountId": crate::ids::account_id(self.access.owner.id),
            "queryState": state,
            "canCalculateChanges": true,
            "position": window.start,
            "ids": ids,
        });
        if self.total {
            answer["total"] = total.into();
        }
        if self.limit.is_none_or(|limit| limit > IDS as u64) {
            answer["limit"] = IDS.into();
        }
        Ok(answer)
    }
}

/// What `/queryChanges` is asked.
pub(crate) struct QueryChanges {
    pub access: Access,
    pub filter: Option<Value>,
    pub sort: Vec<Comparator>,
    pub since: String,
    most: usize,
    pub total: bool,
}

impl QueryChanges {
    /// The arguments that all types have. `upToId` is taken and not used, as it only may be.
    pub fn read(call: &mut Call) -> Result<Self, MethodError> {
        call.args.string("upToId")?;
        Ok(Self {
            access: call.access()?,
            filter: call.args.take("filter"),
            sort: sort(call)?,
            since: call
                .args
                .string("sinceQueryState")?
                .ok_or_else(|| MethodError::invalid("sinceQueryState is missing"))?,
            most: call.args.uint("maxChanges")?.map_or(CHANGES, |most| (most as usize).min(CHANGES)),
            total: call.args.bool("calculateTotal")?,
        })
    }

    /// The response: `gone` may have been in the old result and may have moved, those of them that are in `now` are told with their
    /// places.
    pub fn answer<I: Copy + Ord>(
        &self,
        state: &str,
        now: impl ExactSizeIterator<Item = I>,
        gone: &[I],
        fresh: &[I],
        show: impl Fn(I) -> String,
    ) -> Outcome {
        let mut wanted: Vec<I> = gone.iter().chain(fresh).copied().collect();
        wanted.sort_unstable();
        let total = now.len();
        let is_wanted = among(&wanted);
        let added: Vec<Value> = now
            .enumerate()
            .filter(|(_, id)| is_wanted(id))
            .map(|(index, id)| json!({ "id": show(id), "index": index }))
            .collect();
        if gone.len() + added.len() > self.most {
            return Err(MethodError::new("tooManyChanges", ""));
        }
        let mut answer = json!({
            "accountId": crate::ids::account_id(self.access.owner.id),
            "oldQueryState": self.since,
            "newQueryState": state,
            "removed": gone.iter().map(|id| show(*id)).collect::<Vec<_>>(),
            "added": added,
        });
        if self.total {
            answer["total"] = total.into();
        }
        Ok(answer)
    }
}

/// Whether an id is one of these, which ascend. Most of a long list is outside of what changed, which one comparison tells.
pub(crate) fn among<I: Ord>(ids: &[I]) -> impl Fn(&I) -> bool + '_ {
    let bounds = ids.first().zip(ids.last());
    move |id| bounds.is_some_and(|(first, last)| first <= id && id <= last) && ids.binary_search(id).is_ok()
}

fn sort(call: &mut Call) -> Result<Vec<Comparator>, MethodError> {
    let all = match call.args.take("sort") {
        None => Vec::new(),
        Some(Value::Array(all)) => all,
        Some(_) => return Err(MethodError::invalid("sort is a list")),
    };
    if all.len() > COMPARATORS {
        return Err(MethodError::new("unsupportedSort", "too many properties"));
    }
    all.into_iter().map(comparator).collect()
}

fn comparator(value: Value) -> Result<Comparator, MethodError> {
    let wrong = || MethodError::invalid("a comparator is not understood");
    let Value::Object(mut map) = value else { return Err(wrong()) };
    let take = |map: &mut Map<String, Value>, name: &str| map.remove(name).filter(|value| !value.is_null());
    let Some(Value::String(property)) = take(&mut map, "property") else { return Err(wrong()) };
    let ascending = match take(&mut map, "isAscending") {
        None => true,
        Some(Value::Bool(value)) => value,
        Some(_) => return Err(wrong()),
    };
    match take(&mut map, "collation") {
        None => {}
        Some(Value::String(name)) if COLLATIONS.contains(&name.as_str()) => {}
        Some(_) => return Err(MethodError::new("unsupportedSort", "this collation is not known")),
    }
    let keyword = match take(&mut map, "keyword") {
        None => None,
        Some(Value::String(keyword)) => Some(keyword),
        Some(_) => return Err(wrong()),
    };
    map.retain(|name, _| !STRAY.contains(&name.as_str()));
    if map.is_empty() { Ok(Comparator { property, ascending, keyword }) } else { Err(wrong()) }
}
