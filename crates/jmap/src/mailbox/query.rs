//! Mailbox/query and Mailbox/queryChanges (RFC 8621 §2.3, §2.4).

use std::cmp::Ordering;
use std::collections::HashMap;

use anser_base::{MailboxId, Result};
use anser_store::{Logged, Role};
use serde_json::{Map, Value};

use super::{Known, Reader, Seen};
use crate::access::Access;
use crate::error::MethodError;
use crate::ids::{self, Scope};
use crate::law::changes;
use crate::law::filter::Filter;
use crate::law::guest;
use crate::law::query::{Comparator, Query, QueryChanges};
use crate::method::{Call, Outcome};

/// One property of a filter condition (RFC 8621 §2.3).
#[derive(Clone, Debug)]
enum Asked {
    Parent(Option<MailboxId>),
    /// A mailbox that there is not.
    Nowhere,
    Name(String),
    Role(Option<Role>),
    HasAnyRole(bool),
    IsSubscribed(bool),
}

type Condition = Vec<Asked>;

fn condition(scope: Scope, map: Map<String, Value>) -> Result<Condition, MethodError> {
    map.into_iter().map(|(name, value)| asked(scope, &name, value)).collect()
}

fn asked(scope: Scope, name: &str, value: Value) -> Result<Asked, MethodError> {
    Ok(match (name, value) {
        ("parentId", Value::Null) => Asked::Parent(None),
        ("parentId", Value::String(id)) => {
            ids::parse_mailbox(scope, &id).map_or(Asked::Nowhere, |id| Asked::Parent(Some(id)))
        }
        ("name", Value::String(text)) => Asked::Name(text.to_lowercase()),
        ("role", Value::Null) => Asked::Role(None),
        ("role", Value::String(word)) => Role::from_word(&word).map_or(Asked::Nowhere, |role| Asked::Role(Some(role))),
        ("hasAnyRole", Value::Bool(has)) => Asked::HasAnyRole(has),
        ("isSubscribed", Value::Bool(is)) => Asked::IsSubscribed(is),
        ("parentId" | "name" | "role" | "hasAnyRole" | "isSubscribed", _) => {
            return Err(MethodError::invalid(format!("{name} is of another type")));
        }
        _ => return Err(MethodError::new("unsupportedFilter", format!("{name} is no condition"))),
    })
}

fn holds(condition: &Condition, known: &Known) -> bool {
    let mailbox = &known.mailbox;
    condition.iter().all(|asked| match asked {
        Asked::Parent(parent) => mailbox.parent == *parent,
        Asked::Nowhere => false,
        Asked::Name(text) => mailbox.name.to_lowercase().contains(text),
        Asked::Role(role) => mailbox.role == *role,
        Asked::HasAnyRole(has) => mailbox.role.is_some() == *has,
        Asked::IsSubscribed(is) => known.subscribed == *is,
    })
}

/// How results are put together.
struct Wish {
    filter: Filter<Condition>,
    sort: Vec<Comparator>,
    as_tree: bool,
    filter_as_tree: bool,
}

impl Wish {
    fn read(
        call: &mut Call,
        access: &Access,
        filter: Option<Value>,
        sort: Vec<Comparator>,
    ) -> Result<Self, MethodError> {
        let (as_tree, filter_as_tree) = (call.args.bool("sortAsTree")?, call.args.bool("filterAsTree")?);
        call.args.done()?;
        if let Some(other) = sort.iter().find(|by| !matches!(by.property.as_str(), "sortOrder" | "name" | "parentId")) {
            return Err(MethodError::new("unsupportedSort", format!("{} is nothing to sort by", other.property)));
        }
        let scope = access.scope();
        let filter = Filter::read(filter, &mut |map| condition(scope, map))?;
        Ok(Self { filter, sort, as_tree, filter_as_tree })
    }

    /// The results, in order.
    fn ids(&self, seen: &Seen) -> Vec<MailboxId> {
        let by_id: HashMap<MailboxId, &Known> = seen.list.iter().map(|known| (known.mailbox.id, known)).collect();
        let mut all: Vec<&Known> = seen.list.iter().collect();
        all.sort_by(|a, b| self.compare(a, b));
        if self.as_tree {
            all = tree(&all, &by_id);
        }
        let passes = |known: &Known| self.filter.holds(&mut |condition| holds(condition, known));
        let passes_all = |known: &&Known| {
            let mut next = Some(*known);
            let mut levels = 0;
            while let Some(known) = next {
                if !passes(known) || levels > anser_base::limits::MAILBOX_DEPTH {
                    return false;
                }
                levels += 1;
                next = known.mailbox.parent.filter(|_| self.filter_as_tree).and_then(|id| by_id.get(&id).copied());
            }
            true
        };
        all.into_iter().filter(passes_all).map(|known| known.mailbox.id).collect()
    }

    fn compare(&self, a: &Known, b: &Known) -> Ordering {
        let by = |by: &Comparator| {
            let order = match by.property.as_str() {
                "sortOrder" => a.sort_order.cmp(&b.sort_order),
                "name" => a.mailbox.name.to_lowercase().cmp(&b.mailbox.name.to_lowercase()),
                _ => a.mailbox.parent.cmp(&b.mailbox.parent),
            };
            if by.ascending { order } else { order.reverse() }
        };
        self.sort.iter().map(by).fold(Ordering::Equal, Ordering::then).then(a.mailbox.id.cmp(&b.mailbox.id))
    }
}

/// Each mailbox before those below it, and these before its next sibling (RFC 8621 §2.3, `sortAsTree`).
fn tree<'a>(sorted: &[&'a Known], by_id: &HashMap<MailboxId, &Known>) -> Vec<&'a Known> {
    let mut below: HashMap<Option<MailboxId>, Vec<&'a Known>> = HashMap::new();
    for known in sorted.iter().rev() {
        let parent = known.mailbox.parent.filter(|parent| by_id.contains_key(parent));
        below.entry(parent).or_default().push(known);
    }
    let mut open = below.remove(&None).unwrap_or_default();
    let mut all = Vec::with_capacity(sorted.len());
    while let Some(known) = open.pop() {
        all.push(known);
        open.extend(below.remove(&Some(known.mailbox.id)).unwrap_or_default());
    }
    all
}

async fn seen(call: &Call, access: &Access) -> Result<Seen> {
    let reader = Reader::of(&call.door, call, access).await?;
    let (owner, access) = (access.owner.id, access.clone());
    call.door.deps.store.read(owner, move |tx| Seen::read(tx, &access, &reader, true, false)).await
}

/// RFC 8621 §2.3.
pub(crate) async fn query(call: &mut Call) -> Outcome {
    let mut query = Query::read(call)?;
    let wish = Wish::read(call, &query.access, query.filter.take(), query.sort.clone())?;
    let seen = seen(call, &query.access).await?;
    let found = wish.ids(&seen);
    let scope = query.access.scope();
    let window = query.window(found.len(), |anchor| {
        let anchor = ids::parse_mailbox(scope, anchor)?;
        found.iter().position(|id| *id == anchor)
    })?;
    let shown = found[window.clone()].iter().map(|id| ids::mailbox_id(scope, *id)).collect();
    query.answer(&seen.state, window, shown, found.len())
}

/// RFC 8621 §2.4. Everything that is sorted and filtered by is mutable, so that whatever changed may have moved; in a tree, what is
/// below it too.
pub(crate) async fn query_changes(call: &mut Call) -> Outcome {
    let mut asked = QueryChanges::read(call)?;
    let wish = Wish::read(call, &asked.access, asked.filter.take(), asked.sort.clone())?;
    let seen = seen(call, &asked.access).await?;
    let (since, access) = (asked.since.clone(), asked.access.clone());
    let read = call.door.deps.store.read(asked.access.owner.id, move |tx| {
        let mut changed = match changes::since(tx, &since, Logged::Mailboxes, usize::from(u16::MAX))? {
            Ok(changed) => changed,
            Err(error) => return Ok(Err(error)),
        };
        let allowed = access.allowed(tx)?;
        let is_all = guest::mailboxes(tx, &access, &allowed, &since, &mut changed)?;
        Ok(if is_all { Ok(changed) } else { Err(changes::cannot()) })
    });
    let changed = read.await??;
    let now = wish.ids(&seen);
    let ids = |ids: &[u64]| ids.iter().map(|id| MailboxId(*id)).collect::<Vec<_>>();
    let fresh = ids(&changed.created);
    let gone: Vec<MailboxId> = match wish.as_tree || wish.filter_as_tree {
        false => ids(&[changed.updated, changed.destroyed].concat()),
        true if changed.created.is_empty() && changed.updated.is_empty() && changed.destroyed.is_empty() => Vec::new(),
        true => {
            let all = seen.list.iter().map(|known| known.mailbox.id).filter(|id| !fresh.contains(id));
            all.chain(ids(&changed.destroyed)).collect()
        }
    };
    let scope = asked.access.scope();
    asked.answer(&seen.state, now.into_iter(), &gone, &fresh, |id| ids::mailbox_id(scope, id))
}
