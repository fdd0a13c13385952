//! `shareWith` (RFC 9670 §1.4) over the access lists that IMAP has (RFC 4314): people and groups by the ids of their principals, each with
//! rights as RFC 8621 §2 names them and `mayShare`. Lines for everybody, and lines that take rights away, are IMAP's alone: they are neither
//! told here nor changed.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anser_base::{AccountId, MailboxId};
use anser_directory::model::GroupId;
use anser_directory::{AccountState, PersonId};
use anser_store::{Grant, Rights, RightsAct, ShareChange, ShareNotice, Subject, Who};
use serde_json::{Map, Value, json};

use crate::error::{MethodError, SetError};
use crate::law::patch;
use crate::law::set::{Refused, Set};
use crate::method::Call;
use crate::{ids, principal};

/// The property.
pub(super) const PROPERTY: &str = "shareWith";

/// Principals that one request names, in all its mailboxes: each is looked up, and written into a list.
const PRINCIPALS: usize = 2_000;

/// What each right is called.
const WORDS: [(&str, Rights); 10] = [
    ("mayReadItems", Rights::READ),
    ("mayAddItems", Rights::INSERT),
    ("mayRemoveItems", Rights(Rights::DELETE_MESSAGES.0 | Rights::EXPUNGE.0)),
    ("maySetSeen", Rights::SEEN),
    ("maySetKeywords", Rights::WRITE),
    ("mayCreateChild", Rights::CREATE),
    ("mayRename", Rights::DELETE_MAILBOX),
    ("mayDelete", Rights::DELETE_MAILBOX),
    ("maySubmit", Rights::POST),
    ("mayShare", Rights::ADMINISTER),
];

/// Rights as they are told.
pub(super) fn told(rights: Rights) -> Map<String, Value> {
    WORDS.iter().map(|(word, right)| ((*word).to_owned(), rights.has(*right).into())).collect()
}

/// To whom a list opens a mailbox; `None` where to nobody.
pub(super) fn with(list: &[Grant]) -> Option<Value> {
    let all: Map<String, Value> =
        lines(list).map(|(who, rights)| (principal::id(who), Value::Object(told(rights)))).collect();
    (!all.is_empty()).then_some(Value::Object(all))
}

fn lines(list: &[Grant]) -> impl Iterator<Item = (PersonId, Rights)> {
    list.iter().filter(|grant| !grant.negative).filter_map(|grant| match grant.who {
        Who::Account(id) => Some((PersonId::Account(id), grant.rights)),
        Who::Group(id) => Some((PersonId::Group(GroupId(id)), grant.rights)),
        Who::Anyone | Who::Authenticated => None,
    })
}

fn who(of: PersonId) -> Who {
    match of {
        PersonId::Account(id) => Who::Account(id),
        PersonId::Group(id) => Who::Group(id.0),
    }
}

/// What somebody may do from now on. What JMAP has no word for stays as it was, but that who may do anything sees the mailbox.
fn given(asked: &Map<String, Value>, before: Rights) -> Option<Rights> {
    if asked.iter().any(|(name, value)| !value.is_boolean() || WORDS.iter().all(|(word, _)| word != name)) {
        return None;
    }
    let is = |word: &str| asked.get(word).and_then(Value::as_bool).unwrap_or(false);
    if is("mayRename") != is("mayDelete") {
        return None;
    }
    let now = WORDS.iter().fold(before, |now, (word, right)| match (is(word), before.has(*right)) {
        (true, false) => now.with(*right),
        (false, true) => now.without(*right),
        _ => now,
    });
    Some(match now.without(Rights::LOOKUP) {
        Rights::NONE if now == before => before,
        Rights::NONE => Rights::NONE,
        _ => now.with(Rights::LOOKUP),
    })
}

/// Whom a request names, and who hears of it.
#[derive(Clone, Default)]
pub(super) struct Named(HashMap<Who, Vec<Subject>>);

/// Which lines of a list change, to what.
pub(super) type Plan = Vec<(Who, Rights)>;

/// What lines become by what an object or a patch says of `shareWith`. Nothing is written yet.
pub(super) fn plan(asked: &Map<String, Value>, list: &[Grant], named: &Named) -> Refused<Plan> {
    let wrong = |why: &'static str| SetError::property(PROPERTY, why);
    let now = with(list).unwrap_or_else(|| json!({}));
    let mut object: Map<String, Value> = [(PROPERTY.to_owned(), now)].into_iter().collect();
    patch::apply(&mut object, asked)?;
    let wanted = match object.remove(PROPERTY) {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(wanted)) => wanted,
        Some(_) => return Err(wrong("a map of principals is expected")),
    };
    let before: BTreeMap<Who, Rights> = lines(list).map(|(of, rights)| (who(of), rights)).collect();
    let mut after = BTreeMap::new();
    for (id, rights) in &wanted {
        let of = principal::parse(id).map(who).ok_or_else(|| wrong("there is no such principal"))?;
        let was = before.get(&of).copied();
        if was.is_none() && !named.0.contains_key(&of) {
            return Err(wrong("there is no such principal"));
        }
        let rights = rights.as_object().and_then(|rights| given(rights, was.unwrap_or_default()));
        after.insert(of, rights.ok_or_else(|| wrong("these rights cannot be given"))?);
    }
    let all: BTreeSet<Who> = before.keys().chain(after.keys()).copied().collect();
    let line = |of: Who| (of, after.get(&of).copied().unwrap_or_default());
    let is_new = |(of, rights): &(Who, Rights)| before.get(of).copied().unwrap_or_default() != *rights;
    Ok(all.into_iter().map(line).filter(is_new).collect())
}

/// Writes what was planned.
pub(super) fn write(
    tx: &mut anser_store::MailTx<'_, '_>,
    mailbox: MailboxId,
    plan: &Plan,
    named: &Named,
) -> anser_base::Result<Vec<ShareChange>> {
    let nobody = Vec::new();
    let one = |(who, rights): &(Who, Rights)| {
        let line = Grant { who: *who, negative: false, rights: *rights };
        tx.share(mailbox, line, RightsAct::Set, named.0.get(who).unwrap_or(&nobody))
    };
    plan.iter().map(one).collect()
}

/// The objects that say something of lists which the user may change, as it is before anything is written. What they say of others is
/// refused when its turn comes, and nobody is asked after for it.
async fn open<'a>(call: &Call, set: &'a Set) -> Result<Vec<&'a Map<String, Value>>, MethodError> {
    let scope = set.access.scope();
    let of = |id: &str| call.resolve(id).and_then(|id| ids::parse_mailbox(scope, &id));
    let made: HashMap<&str, &Map<String, Value>> =
        set.create.iter().map(|(id, object)| (id.as_str(), object)).collect();
    let says = |object: &Map<String, Value>| object.keys().any(|name| name.starts_with(PROPERTY));
    let created = set.create.iter().filter(|(_, object)| says(object));
    let created = created.map(|(_, object)| (outermost(&made, object).and_then(of), object));
    let updated = set.update.iter().filter(|(_, patch)| says(patch)).map(|(id, patch)| (of(id), patch));
    let all: Vec<(Option<MailboxId>, &Map<String, Value>)> = created.chain(updated).collect();
    if set.access.is_own() || all.is_empty() {
        return Ok(all.into_iter().map(|(_, object)| object).collect());
    }
    let access = set.access.clone();
    let read = call.door.deps.store.read(set.access.owner.id, move |tx| access.allowed(tx));
    let allowed = read.await?;
    let may = |of: &Option<MailboxId>| of.is_some_and(|id| allowed.on(id).has(Rights::ADMINISTER));
    Ok(all.into_iter().filter(|(of, _)| may(of)).map(|(_, object)| object).collect())
}

/// The parent of a new mailbox; of one within others that the same request makes, the parent of the outermost.
fn outermost<'a>(made: &HashMap<&str, &'a Map<String, Value>>, object: &'a Map<String, Value>) -> Option<&'a str> {
    let mut parent = object.get("parentId")?.as_str()?;
    for _ in 0..made.len() {
        let Some(creation) = parent.strip_prefix('#') else { break };
        let Some(outer) = made.get(creation).copied() else { break };
        parent = outer.get("parentId")?.as_str()?;
    }
    Some(parent)
}

/// Whom a `/set` gives something or takes it from, as far as there are such people and the user may. They are noted in the directory before
/// anything is written: a note too many costs a look, one too few would hide a mailbox. `requestTooLarge` beyond [`PRINCIPALS`].
pub(super) async fn named(call: &Call, set: &Set) -> Result<Named, MethodError> {
    let owner = &set.access.owner;
    let all: Vec<Who> = open(call, set).await?.into_iter().flat_map(principals).collect();
    if all.len() > PRINCIPALS {
        return Err(MethodError::new("requestTooLarge", "too many principals"));
    }
    let mut asked: BTreeSet<Who> = all.into_iter().collect();
    asked.remove(&Who::Account(owner.id));
    let directory = &call.door.deps.directory;
    let mut named = Named::default();
    for who in &asked {
        let is_there = match who {
            Who::Account(id) => directory
                .account(*id)
                .await?
                .is_some_and(|account| account.tenant == owner.tenant && account.state != AccountState::Removed),
            Who::Group(id) => {
                directory.group_by_id(GroupId(*id)).await?.is_some_and(|group| group.tenant == owner.tenant)
            }
            Who::Anyone | Who::Authenticated => false,
        };
        if is_there {
            directory.note_share(owner.id, who.to_sql()).await?;
            named.0.insert(*who, Vec::new());
        }
    }
    // Who is in a list and not in a whole new one loses what they had.
    let touched = set.update.iter().filter(|(_, patch)| patch.contains_key(PROPERTY));
    let touched: Vec<MailboxId> = touched.filter_map(|(id, _)| ids::parse_mailbox(set.access.scope(), id)).collect();
    if !touched.is_empty() {
        let lists = call.door.deps.store.read(owner.id, |tx| tx.all_acls()).await?;
        let lines = touched.iter().filter_map(|id| lists.get(id)).flat_map(|list| lines(list));
        for (of, _) in lines {
            named.0.entry(who(of)).or_default();
        }
    }
    for (who, subjects) in &mut named.0 {
        let concerned = directory.concerned(owner.id, call.user.account.id, who.to_sql()).await?;
        subjects.extend(concerned.into_iter().map(|(account, groups)| Subject { account, groups }));
    }
    Ok(named)
}

/// The principals that an object or a patch names.
fn principals(object: &Map<String, Value>) -> Vec<Who> {
    let mut all = Vec::new();
    for (name, value) in object {
        match name.strip_prefix(PROPERTY) {
            Some("") => all.extend(value.as_object().into_iter().flat_map(Map::keys).map(String::as_str)),
            Some(path) => all.extend(path.strip_prefix('/').and_then(|path| path.split('/').next())),
            None => {}
        }
    }
    all.into_iter().filter_map(principal::parse).map(who).collect()
}

/// Notes in the directory who has something now, and tells those whom it concerns.
pub(super) async fn conclude(
    call: &Call,
    set: &Set,
    named: &Named,
    shared: Vec<ShareChange>,
) -> anser_base::Result<()> {
    let (deps, owner, user) = (&call.door.deps, set.access.owner.id, &call.user.account);
    let mut forgotten = Vec::new();
    for (who, gives) in still_given(call, owner, named.0.keys().copied().collect()).await? {
        match gives {
            true => deps.directory.note_share(owner, who.to_sql()).await?,
            false => {
                deps.directory.forget_share(owner, who.to_sql()).await?;
                forgotten.push(who);
            }
        }
    }
    // Somebody may have given them something before the note was gone.
    for (who, _) in still_given(call, owner, forgotten).await?.into_iter().filter(|(_, gives)| *gives) {
        deps.directory.note_share(owner, who.to_sql()).await?;
    }
    for one in shared {
        let by = (user.id, user.name.as_str(), user.address.to_string());
        let notice = ShareNotice::by(by, owner, one.mailbox, &one.name);
        deps.store.tell_of_share(notice, one.rights).await;
    }
    Ok(())
}

/// Whether some list of an account gives something to each of these.
async fn still_given(call: &Call, owner: AccountId, all: Vec<Who>) -> anser_base::Result<Vec<(Who, bool)>> {
    if all.is_empty() {
        return Ok(Vec::new());
    }
    let gives = move |tx: &mut anser_store::MailTx<'_, '_>| {
        all.iter().map(|who| Ok((*who, tx.gives_to(*who)?))).collect::<anser_base::Result<Vec<_>>>()
    };
    call.door.deps.store.read(owner, gives).await
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// What was told and comes back unchanged changes nothing, whatever letters IMAP had given.
        #[test]
        fn rights_that_come_back_change_nothing(bits in 0u16..=Rights::ALL.0) {
            let before = Rights(bits);
            let again = given(&told(before), before).unwrap();
            let seen = if before == Rights::NONE { before } else { before.with(Rights::LOOKUP) };
            prop_assert!(again == before || again == seen, "{before} {again}");
        }

        /// What is given is what is told afterwards.
        #[test]
        fn rights_that_are_given_are_told(asked in prop::collection::vec(any::<bool>(), WORDS.len()), bits in 0u16..=Rights::ALL.0) {
            let mut object: Map<String, Value> =
                WORDS.iter().zip(asked).map(|((word, _), is)| ((*word).to_owned(), is.into())).collect();
            object["mayDelete"] = object["mayRename"].clone();
            let now = given(&object, Rights(bits)).unwrap();
            prop_assert_eq!(told(now), object);
        }
    }

    #[test]
    fn what_is_no_right_is_not_given() {
        for wrong in [json!({ "mayFly": true }), json!({ "mayReadItems": 1 }), json!({ "mayDelete": true })] {
            assert_eq!(given(wrong.as_object().unwrap(), Rights::NONE), None, "{wrong}");
        }
        assert_eq!(given(&Map::new(), Rights::ALL), Some(Rights::NONE));
    }
}
