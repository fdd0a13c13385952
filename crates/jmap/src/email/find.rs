//! Which messages a query finds, in order: out of the lists of mailboxes, by the full-text index for texts, by rows for what only
//! they tell.

mod kept;
mod key;
mod order;

use std::collections::HashSet;
use std::sync::Arc;

use anser_base::{MailboxId, MessageId, Result, ThreadId};
use anser_store::{Entry, Flags, Searching, Snapshot, Threads};
use anser_text::Field;
use serde_json::Value;

pub(crate) use self::kept::Results;
pub(crate) use self::key::moment;
use self::key::{Compiler, Key, Want};
use super::load::has_keyword;
use super::snippet::Needles;
use crate::access::Access;
use crate::door::Door;
use crate::error::MethodError;
use crate::ids::Scope;
use crate::law::filter::Filter;
use crate::law::query::Comparator;
use crate::law::state;

/// Rows that are read in one transaction.
const ROWS: usize = 1_024;

/// What is looked for.
pub(crate) struct Wish {
    /// The filter as it was given.
    text: String,
    filter: Filter<Vec<Key>>,
    wants: Vec<Want>,
    sort: Vec<Comparator>,
    collapse: bool,
}

/// What was found.
pub(crate) struct Found {
    /// The state from which changes are asked for.
    pub state: String,
    /// In order; at least as many as were asked for, where there are so many.
    pub list: Sorted,
}

/// What was found, in order, with the number that each is sorted by, where that is one.
pub(crate) type Sorted = Arc<Vec<(i64, MessageId)>>;

/// Which messages a [`Want`] is true of, ascending; `None` for all.
type Matching = Option<Vec<MessageId>>;

impl Wish {
    pub fn read(
        scope: Scope,
        filter: Option<Value>,
        sort: Vec<Comparator>,
        collapse: bool,
    ) -> Result<Self, MethodError> {
        let text = filter.as_ref().map(Value::to_string).unwrap_or_default();
        let mut compiler = Compiler { scope, wants: Vec::new() };
        let filter = Filter::read(filter, &mut |map| compiler.condition(map))?;
        order::check(&sort)?;
        Ok(Self { text, filter, wants: compiler.wants, sort, collapse })
    }

    /// Whether a message is found or not by what others of its conversation are.
    pub fn is_by_thread(&self) -> bool {
        self.collapse
            || self.wants.iter().any(|want| matches!(want, Want::Thread { .. }))
            || self.sort.iter().any(|by| by.property.contains("Thread"))
    }

    /// The texts that are looked for, by where a snippet would show them.
    pub fn needles(&self) -> Needles {
        let mut needles = Needles::default();
        for want in &self.wants {
            let Want::Text(query) = want else { continue };
            let (in_subject, in_body) = match &query.field {
                Field::Text => (true, true),
                Field::Body => (false, true),
                Field::Header(name) => (name == "subject", false),
            };
            needles.subject.extend(in_subject.then(|| query.needle.clone()));
            needles.body.extend(in_body.then(|| query.needle.clone()));
        }
        needles
    }

    /// The one mailbox that everything found is in, if the filter says so at its top.
    fn mailbox(&self) -> Option<MailboxId> {
        let within = |filter: &Filter<Vec<Key>>| match filter {
            Filter::Condition(keys) => keys.iter().find_map(|key| match key {
                Key::Known(at) => match &self.wants[*at] {
                    Want::In(mailbox) => Some(*mailbox),
                    _ => None,
                },
                _ => None,
            }),
            _ => None,
        };
        match &self.filter {
            Filter::All(all) => all.iter().find_map(within),
            other => within(other),
        }
    }
}

/// The lists that a query looks through.
struct Lists {
    all: Vec<Arc<Snapshot>>,
    /// The only one whose messages can be found.
    only: Option<MailboxId>,
}

impl Lists {
    fn of(&self, is: impl Fn(MailboxId) -> bool) -> impl Iterator<Item = &Entry> {
        let lists = self.all.iter().filter(move |list| is(list.mailbox));
        lists.flat_map(|list| list.iter()).filter(|entry| !entry.flags.has(Flags::DELETED))
    }

    /// Every message that can be found, each once.
    fn candidates(&self) -> Vec<&Entry> {
        match self.only {
            Some(only) => self.of(|mailbox| mailbox == only).collect(),
            None => {
                let mut all: Vec<&Entry> = self.of(|_| true).collect();
                all.sort_by_key(|entry| entry.message);
                all.dedup_by_key(|entry| entry.message);
                all
            }
        }
    }

    fn members(&self, is: impl Fn(MailboxId) -> bool) -> Vec<MessageId> {
        ascending(self.of(is).map(|entry| entry.message).collect())
    }
}

fn ascending(mut ids: Vec<MessageId>) -> Vec<MessageId> {
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Finds, and tells at least the first so many of what is found.
pub(crate) async fn find(door: &Door, access: &Access, wish: &Wish, most: usize) -> Result<Found> {
    let asked = kept::name(access, wish);
    let known = match &asked {
        Some(asked) => kept::recall(door, access, wish, asked).await?,
        None => None,
    };
    let mut known = match known {
        Some(known) => known,
        None => {
            let (state, all) = anew(door, access, wish).await?;
            let known = kept::Known { state, all, collapsed: None };
            if let Some(asked) = &asked {
                door.results.put(asked, &known);
            }
            known
        }
    };
    if !wish.collapse {
        return Ok(Found { state: known.state, list: known.all });
    }
    let list = match known.collapsed.clone() {
        Some(collapsed) => collapsed,
        None => {
            let threads = door.threads_of(access.owner.id).await?;
            let list = Arc::new(collapsed(&known.all, &threads, most));
            known.collapsed = (list.len() < most).then(|| list.clone());
            if let (Some(asked), Some(_)) = (&asked, &known.collapsed) {
                door.results.put(asked, &known);
            }
            list
        }
    };
    Ok(Found { state: known.state, list })
}

/// The first of each conversation, at most so many.
fn collapsed(all: &[(i64, MessageId)], threads: &Threads, most: usize) -> Vec<(i64, MessageId)> {
    let (mut seen, mut hint) = (foldhash::HashSet::default(), 0);
    let is_first = |(_, id): &&(i64, MessageId)| seen.insert(threads.near(*id, &mut hint).unwrap_or(ThreadId(id.0)));
    all.iter().filter(is_first).take(most).copied().collect()
}

/// Finds without what is remembered.
async fn anew(door: &Door, access: &Access, wish: &Wish) -> Result<(String, Sorted)> {
    let account = access.owner.id;
    let only = wish.mailbox();
    let (reader, whole) = (
        access.clone(),
        only.is_none() || !wish.wants.iter().all(|want| matches!(want, Want::In(at) if Some(*at) == only)),
    );
    let (state, mailboxes) = door
        .deps
        .store
        .read(account, move |tx| {
            let allowed = reader.allowed(tx)?;
            let all: Vec<MailboxId> = match only.filter(|_| !whole) {
                Some(only) => vec![only],
                None => tx.mailboxes()?.iter().map(|mailbox| mailbox.id).collect(),
            };
            Ok((state::now(tx), all.into_iter().filter(|id| allowed.reads(*id)).collect::<Vec<_>>()))
        })
        .await?;
    let mut lists = Lists { all: Vec::with_capacity(mailboxes.len()), only };
    for mailbox in mailboxes {
        match door.deps.store.snapshot(account, mailbox).await {
            Ok(list) => lists.all.push(list),
            Err(error) if error.class == anser_base::Class::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    let threads = if wish.is_by_thread() { door.threads_of(account).await? } else { Threads::default() };
    let finder = Finder { door, access, wish, lists: &lists, threads: &threads };
    Ok((state, Arc::new(finder.run().await?)))
}

struct Finder<'a> {
    door: &'a Door,
    access: &'a Access,
    wish: &'a Wish,
    lists: &'a Lists,
    threads: &'a Threads,
}

impl Finder<'_> {
    async fn run(&self) -> Result<Vec<(i64, MessageId)>> {
        let mut entries = self.lists.candidates();
        let mut known: Vec<Matching> = Vec::with_capacity(self.wish.wants.len());
        for want in &self.wish.wants {
            known.push(self.resolve(want, &entries).await?);
        }
        entries.retain(|entry| self.wish.filter.holds(&mut |keys| keys.iter().all(|key| key.is_true(entry, &known))));
        match order::number(&self.wish.sort) {
            Some(number) => Ok(number.sorted(&entries)),
            None => Ok(order::order(self, &entries).await?.into_iter().map(|id| (0, id)).collect()),
        }
    }

    fn thread(&self, id: MessageId, hint: &mut usize) -> ThreadId {
        self.threads.near(id, hint).unwrap_or(ThreadId(id.0))
    }

    async fn resolve(&self, want: &Want, entries: &[&Entry]) -> Result<Matching> {
        Ok(Some(match want {
            Want::In(mailbox) if self.lists.only == Some(*mailbox) => return Ok(None),
            Want::In(mailbox) => self.lists.members(|at| at == *mailbox),
            Want::OtherThan(mailboxes) => self.lists.members(|at| !mailboxes.contains(&at)),
            Want::Thread { keyword, all } => self.in_threads(keyword, *all, entries),
            Want::Attachment => self.with_attachment(entries).await?,
            Want::Text(query) => {
                let among = ascending(entries.iter().map(|entry| entry.message).collect());
                let (owner, searching) = (&self.access.owner, Searching::default());
                let found = self.door.deps.store.search(owner.id, owner.tenant, vec![query.clone()], among, &searching);
                found.await?.messages.pop().unwrap_or_default()
            }
        }))
    }

    /// Those in whose conversation some message has a keyword, or all have.
    fn in_threads(&self, keyword: &str, all: bool, entries: &[&Entry]) -> Vec<MessageId> {
        let mut hint = 0;
        let telling = self.lists.of(|_| true).filter(|entry| has_keyword(entry, keyword) != all);
        let threads: HashSet<ThreadId> = telling.map(|entry| self.thread(entry.message, &mut hint)).collect();
        let mut hint = 0;
        let is_in = |entry: &&&Entry| threads.contains(&self.thread(entry.message, &mut hint)) != all;
        ascending(entries.iter().filter(is_in).map(|entry| entry.message).collect())
    }

    async fn with_attachment(&self, entries: &[&Entry]) -> Result<Vec<MessageId>> {
        let mut found = Vec::new();
        for piece in entries.chunks(ROWS) {
            let ids: Vec<MessageId> = piece.iter().map(|entry| entry.message).collect();
            let asked = ids.clone();
            let rows = self.door.deps.store.read(self.access.owner.id, move |tx| tx.listing_rows(&asked)).await?;
            let has =
                |(id, row): (MessageId, Option<anser_store::ListingRow>)| row?.listing().has_attachment.then_some(id);
            found.extend(ids.into_iter().zip(rows).filter_map(has));
        }
        Ok(ascending(found))
    }
}
