//! Results that are remembered, and brought forward by what changed since: a list that is looked at while mail comes in costs what came
//! in, not what is there. Only for orders that are a number of each message, and filters that no other message decides.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use anser_base::{AccountId, MessageId, Result, ThreadId};
use anser_store::{Logged, MailTx, Object};

use super::key::Want;
use super::{Finder, Lists, Matching, Sorted, Wish, ascending, order};
use crate::access::Access;
use crate::door::Door;
use crate::email::load::{self, Loaded};
use crate::law::query::among;
use crate::law::state;

/// Results that are remembered, and messages of all of them; 16 bytes each.
const RESULTS: usize = 2_000;
const MESSAGES: usize = 5_000_000;
/// Messages that a result is brought forward by; beyond that it is made anew.
const TOUCHED: usize = 200;
/// Messages of the conversations that something happened to.
const MEMBERS: usize = 2_000;
/// Bytes of the order and the filter of a result that is remembered.
const QUERY: usize = 2_000;

/// Whose account, and what for.
type Asked = (AccountId, String);

/// A result.
#[derive(Clone)]
pub(super) struct Known {
    /// The state that it is of.
    pub state: String,
    pub all: Sorted,
    /// The first of each conversation, where they were asked for.
    pub collapsed: Option<Sorted>,
}

impl Known {
    fn len(&self) -> usize {
        self.all.len() + self.collapsed.as_ref().map_or(0, |list| list.len())
    }
}

/// All that are remembered.
#[derive(Default)]
pub(crate) struct Results(Mutex<HashMap<Asked, Known>>);

impl Results {
    fn get(&self, asked: &Asked) -> Option<Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(asked).cloned()
    }

    pub(super) fn put(&self, asked: &Asked, known: &Known) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let held: usize = all.values().map(Known::len).sum();
        if all.len() >= RESULTS || held + known.len() > MESSAGES {
            all.clear();
        }
        all.insert(asked.clone(), known.clone());
    }
}

/// By what a result is known, if it is one of those that are remembered: none of a guest's, who may lose a right without a change here.
pub(super) fn name(access: &Access, wish: &Wish) -> Option<Asked> {
    let number = order::number(&wish.sort)?;
    let text = format!("{number:?} {}", wish.text);
    let fits = text.len() <= QUERY && !wish.wants.iter().any(|want| matches!(want, Want::Thread { .. }));
    (fits && access.is_own()).then_some((access.owner.id, text))
}

/// What is remembered, as it is now; `None` when nothing is, or too much changed since.
pub(super) async fn recall(door: &Door, access: &Access, wish: &Wish, asked: &Asked) -> Result<Option<Known>> {
    let Some(old) = door.results.get(asked) else { return Ok(None) };
    let (reader, since) = (access.clone(), old.state.clone());
    let read = door.deps.store.read(access.owner.id, move |tx| changed(tx, &reader, &since));
    let Some((state, touched, loaded)) = read.await? else { return Ok(None) };
    if touched.is_empty() {
        return Ok(Some(Known { state, ..old }));
    }
    let Some(number) = order::number(&wish.sort) else { return Ok(None) };
    let passing = judge(door, access, wish, &loaded).await?;
    let new = passing.iter().map(|entry| (number.of(entry), entry.message));
    let all = Arc::new(moved(&old.all, &touched, new));
    let collapsed = match &old.collapsed {
        Some(collapsed) => collapse(door, access, &touched, &all, collapsed).await?,
        None => None,
    };
    let known = Known { state, all, collapsed };
    door.results.put(asked, &known);
    Ok(Some(known))
}

/// Where some messages, ascending, stand in a list.
fn places_of<'a>(list: &'a [(i64, MessageId)], messages: &'a [MessageId]) -> impl Iterator<Item = usize> + 'a {
    let is_one = among(messages);
    list.iter().enumerate().filter(move |(_, (_, id))| is_one(id)).map(|(at, _)| at)
}

/// A list without some messages, ascending, and with others, or the same, at their places.
fn moved(
    old: &[(i64, MessageId)],
    without: &[MessageId],
    with: impl Iterator<Item = (i64, MessageId)>,
) -> Vec<(i64, MessageId)> {
    let mut now = Vec::with_capacity(old.len() + without.len());
    let mut from = 0;
    for at in places_of(old, without) {
        now.extend_from_slice(&old[from..at]);
        from = at + 1;
    }
    now.extend_from_slice(&old[from..]);
    let place = |one: &(i64, MessageId)| (one.0, -one.1.to_sql());
    for one in with {
        let at = now.partition_point(|other| place(other) < place(&one));
        now.insert(at, one);
    }
    now
}

/// Brings the first of each conversation forward: those of the conversations that something happened to are looked for anew. `None` when
/// that is too much.
async fn collapse(
    door: &Door,
    access: &Access,
    touched: &[MessageId],
    all: &Sorted,
    old: &Sorted,
) -> Result<Option<Sorted>> {
    let threads = door.threads_of(access.owner.id).await?;
    let of: BTreeSet<ThreadId> = touched.iter().filter_map(|id| threads.of(*id)).collect();
    let read = door.deps.store.read(access.owner.id, move |tx| {
        let mut members = Vec::new();
        for thread in &of {
            members.extend(tx.thread(*thread)?);
            if members.len() > MEMBERS {
                return Ok(None);
            }
        }
        Ok(Some(members))
    });
    let Some(members) = read.await? else { return Ok(None) };
    let members = ascending(members.into_iter().chain(touched.iter().copied()).collect());
    let mut seen = BTreeSet::new();
    let first = |(_, id): &(i64, MessageId)| seen.insert(threads.of(*id).unwrap_or(ThreadId(id.0)));
    let firsts = places_of(all, &members).map(|at| all[at]).filter(first);
    Ok(Some(Arc::new(moved(old, &members, firsts))))
}

/// The state, the messages of which something was logged since another one, and those of them that are seen.
fn changed(
    tx: &mut MailTx<'_, '_>,
    access: &Access,
    since: &str,
) -> Result<Option<(String, Vec<MessageId>, Vec<Loaded>)>> {
    let now = state::now(tx);
    // Who may see what is no line of messages.
    if !state::since(tx, since, Logged::Mailboxes, TOUCHED + 1)?.is_some_and(|lines| {
        lines.len() <= TOUCHED && lines.iter().all(|line| matches!(line.object, Object::Counts(_)))
    }) {
        return Ok(None);
    }
    let Some(lines) = state::since(tx, since, Logged::Messages, TOUCHED + 1)? else { return Ok(None) };
    if lines.len() > TOUCHED {
        return Ok(None);
    }
    let message = |object| if let Object::Message(id) = object { Some(id) } else { None };
    let touched = ascending(lines.iter().filter_map(|line| message(line.object)).collect());
    let allowed = access.allowed(tx)?;
    let loaded = load::messages(tx, &allowed, &touched)?.into_iter().flatten().collect();
    Ok(Some((now, touched, loaded)))
}

/// Those of some messages that the filter is true of.
async fn judge<'a>(
    door: &Door,
    access: &Access,
    wish: &Wish,
    loaded: &'a [Loaded],
) -> Result<Vec<&'a anser_store::Entry>> {
    let only = wish.mailbox();
    let is_in = |loaded: &Loaded, mailbox| loaded.places.iter().any(|(place, _)| *place == mailbox);
    let candidates: Vec<&Loaded> = loaded.iter().filter(|one| only.is_none_or(|only| is_in(one, only))).collect();
    let entries: Vec<&anser_store::Entry> = candidates.iter().map(|one| &one.entry).collect();
    let those = |is: &dyn Fn(&Loaded) -> bool| {
        ascending(candidates.iter().filter(|one| is(one)).map(|one| one.message.id).collect())
    };
    let (lists, threads) = (Lists { all: Vec::new(), only }, Default::default());
    let finder = Finder { door, access, wish, lists: &lists, threads: &threads };
    let mut known: Vec<Matching> = Vec::with_capacity(wish.wants.len());
    for want in &wish.wants {
        known.push(match want {
            Want::In(mailbox) => Some(those(&|one| is_in(one, *mailbox))),
            Want::OtherThan(all) => Some(those(&|one| one.places.iter().any(|(place, _)| !all.contains(place)))),
            other => finder.resolve(other, &entries).await?,
        });
    }
    let holds =
        |entry: &&anser_store::Entry| wish.filter.holds(&mut |keys| keys.iter().all(|key| key.is_true(entry, &known)));
    Ok(entries.into_iter().filter(holds).collect())
}
