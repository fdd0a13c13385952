//! Email/set (RFC 8621 §4.6).

mod create;
mod parts;
mod write;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anser_base::{MailboxId, MessageId, Result};
use anser_store::{FlagAct, Flags, Keywords, Logged, MailTx, Rights};
use serde_json::{Map, Value};

use super::load::{self, Loaded};
use super::place::{self, Draft, mailboxes, members};
use crate::access::Allowed;
use crate::api::refuse_copies;
use crate::door::Door;
use crate::error::SetError;
use crate::ids;
use crate::law::patch;
use crate::law::set::{Done, Set};
use crate::method::{Args, Call, Outcome};

/// RFC 8621 §4.6.
pub(crate) async fn set(call: &mut Call) -> Outcome {
    let set = Set::read(call)?;
    call.args.done()?;
    let mut drafts: BTreeMap<String, std::result::Result<Draft, SetError>> = BTreeMap::new();
    for (creation, object) in &set.create {
        drafts.insert(creation.clone(), create::draft(call, &set.access, object).await?);
    }
    let created = call.created.clone();
    set.run(call, Logged::Messages, move |tx, set, allowed, done| {
        let mut work = Work { tx, set, allowed, created: &created };
        for (creation, draft) in &drafts {
            let result = match draft {
                Ok(draft) => draft.put(work.tx, &work.set.access, &work.allowed)?,
                Err(error) => Err(error.clone()),
            };
            done.create(creation, result);
        }
        work.update_all(done)?;
        work.destroy_all(done)
    })
    .await
}

/// The implicit Email/set of another method (RFC 8621 §4.7, §7.5, RFC 9007 §3.1), whose response follows that one's; refused like one that
/// is asked for.
pub(crate) async fn set_behind(call: &mut Call, arguments: Value) {
    let Value::Object(arguments) = arguments else { return };
    call.args = Args(arguments);
    let answer = match refuse_copies(call).await {
        Ok(()) => set(call).await,
        Err(error) => Err(error),
    };
    let response = match answer {
        Ok(response) => ("Email/set", response),
        Err(error) => ("error", error.into_value()),
    };
    call.more.push(response);
}

/// Email/set of messages that are there, for no call; how many it changed.
pub(crate) async fn set_some(door: &Door, set: Set, created: BTreeMap<String, String>) -> Result<u64> {
    let done = set.perform(door, Logged::Messages, move |tx, set, allowed, done| {
        let mut work = Work { tx, set, allowed, created: &created };
        work.update_all(done)?;
        work.destroy_all(done)
    });
    Ok(done.await?.map_or(0, |done| (done.updated.len() + done.destroyed.len()) as u64))
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
                    wish.marks = Some(place::marks(&names)?);
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
            if !place::is_there(self.tx, &self.allowed, *mailbox)? {
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
