//! Email/set (RFC 8621 §4.6).

mod create;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anser_base::{Class, Durability, MailboxId, MessageId, Result};
use anser_store::{FlagAct, Flags, Keywords, Logged, MailTx, NewMessage, Rights};
use serde_json::{Map, Value};

use super::load::{self, Loaded};
use crate::access::Allowed;
use crate::error::{MethodError, SetError};
use crate::ids;
use crate::law::patch::{self, Patch};
use crate::law::set::{Done, Set};
use crate::law::state;
use crate::method::{Call, Outcome};

/// A message that is about to be stored: where, and with which marks.
#[derive(Clone)]
pub(crate) struct Draft {
    pub message: NewMessage,
    /// The answer's properties besides id and threadId.
    pub blob_size: u64,
}

/// RFC 8621 §4.6.
pub(crate) async fn set(call: &mut Call) -> Outcome {
    let set = Set::read(call)?;
    call.args.done()?;
    let mut drafts: BTreeMap<String, std::result::Result<Draft, SetError>> = BTreeMap::new();
    for (creation, object) in &set.create {
        drafts.insert(creation.clone(), create::draft(call, &set.access, object).await?);
    }
    let (owner, asked, created) = (set.access.owner.id, set.clone(), call.created.clone());
    let write = call.door.deps.store.write(owner, Durability::Sync, move |tx| {
        if let Err(error) = state::check(tx, Logged::Messages, asked.if_in_state.as_deref())? {
            return Ok(Err(error));
        }
        let mut done = Done::from(state::now(tx));
        let allowed = asked.access.allowed(tx)?;
        let mut work = Work { tx, set: &asked, allowed, created: &created };
        for (creation, draft) in &drafts {
            let result = match draft {
                Ok(draft) => work.create(draft)?,
                Err(error) => Err(error.clone()),
            };
            done.create(creation, result);
        }
        work.update_all(&mut done)?;
        work.destroy_all(&mut done)?;
        done.new = state::now(work.tx);
        Ok(Ok::<_, MethodError>(done))
    });
    let done = write.await??;
    set.answer(call, done)
}

/// What a message is to be; `None` leaves it.
#[derive(Default)]
struct Wish {
    marks: Option<(Flags, Keywords)>,
    mailboxes: Option<BTreeSet<MailboxId>>,
}

struct Work<'a, 't, 'c> {
    tx: &'a mut MailTx<'t, 'c>,
    set: &'a Set,
    allowed: Allowed,
    created: &'a BTreeMap<String, String>,
}

impl Work<'_, '_, '_> {
    fn create(&mut self, draft: &Draft) -> Result<std::result::Result<Map<String, Value>, SetError>> {
        for mailbox in &draft.message.mailboxes {
            if !self.is_there(*mailbox)? {
                return Ok(Err(SetError::properties(&["mailboxIds"], "there is no such mailbox")));
            }
            if !self.allowed.on(*mailbox).has(Rights::INSERT) {
                return Ok(Err(SetError::forbidden("")));
            }
        }
        stored(self.tx, self.set.access.scope(), draft)
    }

    fn is_there(&mut self, mailbox: MailboxId) -> Result<bool> {
        match self.tx.mailbox(mailbox) {
            Ok(_) => Ok(self.allowed.sees(mailbox)),
            Err(error) if error.class == Class::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn update_all(&mut self, done: &mut Done) -> Result<()> {
        let scope = self.set.access.scope();
        let numbers: Vec<MessageId> =
            self.set.update.iter().filter_map(|(id, _)| ids::parse_email(scope, id)).collect();
        let found = load::messages(self.tx, &self.allowed, &numbers)?;
        let mut found: HashMap<MessageId, Loaded> =
            found.into_iter().flatten().map(|loaded| (loaded.message.id, loaded)).collect();
        for (id, patch) in &self.set.update {
            let loaded = ids::parse_email(scope, id).and_then(|number| found.remove(&number));
            let result = match loaded {
                None => Err(SetError::not_found()),
                Some(loaded) => match self.wish(patch, &loaded) {
                    Err(error) => Err(error),
                    Ok(wish) => self.change(&loaded, wish)?,
                },
            };
            done.update(id, result.map(|()| Value::Null));
        }
        Ok(())
    }

    fn wish(&self, update: &Map<String, Value>, loaded: &Loaded) -> std::result::Result<Wish, SetError> {
        let mut wish = Wish::default();
        for (property, patch) in patch::read(update.clone())? {
            match property.as_str() {
                "keywords" => {
                    let names =
                        members(&property, patch, load::keywords(&loaded.entry).into_iter().map(|(name, _)| name))?;
                    let wrong = || SetError::properties(&["keywords"], "one of them is no keyword");
                    wish.marks = Some(load::flags_of(names.iter().map(String::as_str)).ok_or_else(wrong)?);
                }
                "mailboxIds" => {
                    let scope = self.set.access.scope();
                    let now = loaded.places.iter().map(|(mailbox, _)| ids::mailbox_id(scope, *mailbox));
                    wish.mailboxes = Some(mailboxes(scope, self.created, members(&property, patch, now)?)?);
                }
                known if super::get::is_property(known) => {
                    return Err(SetError::properties(&[known], "this cannot be changed"));
                }
                _ => return Err(SetError::properties(&[&property], "there is no such property")),
            }
        }
        Ok(wish)
    }

    /// What can be refused comes first, so that a refused update changes nothing.
    fn change(&mut self, loaded: &Loaded, wish: Wish) -> Result<std::result::Result<(), SetError>> {
        let message = &loaded.message;
        let now: BTreeSet<MailboxId> = loaded.places.iter().map(|(mailbox, _)| *mailbox).collect();
        let target = wish.mailboxes.unwrap_or_else(|| now.clone());
        for mailbox in target.difference(&now) {
            if !self.is_there(*mailbox)? {
                return Ok(Err(SetError::properties(&["mailboxIds"], "there is no such mailbox")));
            }
        }
        let marks =
            wish.marks.filter(|(flags, words)| *flags != loaded.entry.flags || !same(words, &loaded.entry.keywords));
        if !self.may(loaded, &now, &target, marks.as_ref()) {
            return Ok(Err(SetError::forbidden("")));
        }
        if let Some((flags, words)) = marks {
            let (mailbox, uid) = loaded.places[0];
            let words = loaded.entry.keywords.replaced_by(&words);
            self.tx.store_flags(mailbox, &[uid], FlagAct::Set, flags, &words, None)?;
        }
        for mailbox in target.difference(&now) {
            let uid = self.tx.add_place(message.id, *mailbox)?;
            // It may have been there all the time, marked as deleted by IMAP.
            self.tx.store_flags(*mailbox, &[uid], FlagAct::Remove, Flags::DELETED, &Keywords::default(), None)?;
        }
        for (mailbox, uid) in loaded.places.iter().filter(|(mailbox, _)| !target.contains(mailbox)) {
            self.tx.expunge(*mailbox, &[*uid], false)?;
        }
        Ok(Ok(()))
    }

    fn may(
        &self,
        loaded: &Loaded,
        now: &BTreeSet<MailboxId>,
        target: &BTreeSet<MailboxId>,
        marks: Option<&(Flags, Keywords)>,
    ) -> bool {
        let removes = Rights::DELETE_MESSAGES.with(Rights::EXPUNGE);
        let marking = marks.map_or(Rights::NONE, |(flags, words)| {
            let changed = Flags(flags.0 ^ loaded.entry.flags.0);
            let seen = if changed.has(Flags::SEEN) { Rights::SEEN } else { Rights::NONE };
            let others = changed.without(Flags::SEEN) != Flags::default() || !same(words, &loaded.entry.keywords);
            if others { seen.with(Rights::WRITE) } else { seen }
        });
        now.iter().all(|mailbox| self.allowed.on(*mailbox).has(marking))
            && now.difference(target).all(|mailbox| self.allowed.on(*mailbox).has(removes))
            && target.difference(now).all(|mailbox| self.allowed.on(*mailbox).has(Rights::INSERT))
    }

    fn destroy_all(&mut self, done: &mut Done) -> Result<()> {
        let scope = self.set.access.scope();
        let removes = Rights::DELETE_MESSAGES.with(Rights::EXPUNGE);
        for id in &self.set.destroy {
            let number = ids::parse_email(scope, id);
            let found = match number {
                Some(number) => load::messages(self.tx, &self.allowed, &[number])?.pop().flatten(),
                None => None,
            };
            let Some(loaded) = found else {
                done.destroy(id, Err(SetError::not_found()));
                continue;
            };
            let places = &loaded.message.places;
            if !places.iter().all(|(mailbox, _)| self.allowed.on(*mailbox).has(removes)) {
                done.destroy(id, Err(SetError::forbidden("")));
                continue;
            }
            for (mailbox, uid) in places {
                self.tx.expunge(*mailbox, &[*uid], false)?;
            }
            done.destroy(id, Ok(()));
        }
        Ok(())
    }
}

fn same(a: &Keywords, b: &Keywords) -> bool {
    a.iter().count() == b.iter().count() && a.iter().all(|word| b.has(word))
}

/// Stores a message; what the server set of it (RFC 8621 §4.6, §4.8).
pub(crate) fn stored(
    tx: &mut MailTx<'_, '_>,
    scope: ids::Scope,
    draft: &Draft,
) -> Result<std::result::Result<Map<String, Value>, SetError>> {
    let appended = match tx.append(&draft.message) {
        Ok(Some(appended)) => appended,
        Ok(None) => return Ok(Err(SetError::not_found())),
        Err(error) => return SetError::of(error).map(Err),
    };
    let thread = tx.message(appended.message)?.map(|message| message.thread);
    let mut object = Map::new();
    object.insert("id".into(), ids::email_id(scope, appended.message).into());
    object.insert("blobId".into(), format!("B{}", appended.message).into());
    object.insert("threadId".into(), thread.map(|thread| ids::thread_id(scope, thread)).into());
    object.insert("size".into(), draft.blob_size.into());
    Ok(Ok(object))
}

/// The members of a set (RFC 8620 §1, `String[Boolean]`) after a patch.
fn members(
    property: &str,
    patch: Patch,
    now: impl Iterator<Item = String>,
) -> std::result::Result<BTreeSet<String>, SetError> {
    let wrong = || SetError::properties(&[property], "a set has members that are true");
    match patch {
        Patch::Whole(Value::Object(all)) => {
            all.into_iter().map(|(name, value)| if value == true { Ok(name) } else { Err(wrong()) }).collect()
        }
        Patch::Whole(_) => Err(wrong()),
        Patch::Members(changes) => {
            let mut all: BTreeSet<String> = now.collect();
            for (name, value) in changes {
                match value {
                    Value::Null => {
                        all.retain(|known| !known.eq_ignore_ascii_case(&name));
                    }
                    Value::Bool(true) => {
                        all.insert(name);
                    }
                    _ => return Err(wrong()),
                }
            }
            Ok(all)
        }
    }
}

/// The mailboxes of a set of ids, of which there is at least one.
pub(crate) fn mailboxes(
    scope: ids::Scope,
    created: &BTreeMap<String, String>,
    all: BTreeSet<String>,
) -> std::result::Result<BTreeSet<MailboxId>, SetError> {
    let wrong = |text: &str| SetError::properties(&["mailboxIds"], text);
    if all.is_empty() {
        return Err(wrong("a message is in one mailbox at least"));
    }
    let one = |id: String| {
        let id = match id.strip_prefix('#') {
            Some(creation) => created.get(creation).cloned(),
            None => Some(id),
        };
        id.and_then(|id| ids::parse_mailbox(scope, &id)).ok_or_else(|| wrong("there is no such mailbox"))
    };
    all.into_iter().map(one).collect()
}

/// The set that a whole property is.
pub(crate) fn whole_set(property: &str, value: Option<&Value>) -> std::result::Result<BTreeSet<String>, SetError> {
    members(property, Patch::Whole(value.cloned().unwrap_or_else(|| Value::Object(Map::new()))), std::iter::empty())
}
