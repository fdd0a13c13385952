//! Mailbox/set (RFC 8621 §2.5).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anser_base::{MailboxId, Result};
use anser_store::{ACL_ENTRIES, Logged, MailTx, Rights, Role, ShareChange, Who};
use serde_json::{Map, Value, json};

use super::share::{self, Named, Plan};
use super::{Reader, SORT_ORDER, rights};
use crate::access::Allowed;
use crate::error::SetError;
use crate::ids;
use crate::law::set::{Done, Refused, Set};
use crate::method::{Call, Outcome};

/// RFC 8621 §2.5.
pub(crate) async fn set(call: &mut Call) -> Outcome {
    let set = Set::read(call)?;
    let with_emails = call.args.bool("onDestroyRemoveEmails")?;
    call.args.done()?;
    let reader = Reader { user: call.user.account.id, subscriptions: None };
    let (created, named) = (call.created.clone(), share::named(call, &set).await?);
    let (whom, shared) = (named.clone(), Arc::new(Mutex::new(Vec::new())));
    let noted = shared.clone();
    let perform = set.clone().perform(&call.door, Logged::Mailboxes, move |tx, set, allowed, done| {
        let (created, shared) = (created.clone(), Vec::new());
        let mut work = Work { tx, set, reader: &reader, allowed, created, with_emails, named: &whom, shared };
        work.create_all(done)?;
        work.update_all(done)?;
        work.destroy_all(done)?;
        *noted.lock().unwrap_or_else(PoisonError::into_inner) = work.shared;
        Ok(())
    });
    let done = perform.await;
    let shared = match &done {
        Ok(Ok(_)) => std::mem::take(&mut *shared.lock().unwrap_or_else(PoisonError::into_inner)),
        // An attempt that was not kept gave nobody anything.
        _ => Vec::new(),
    };
    if let Err(error) = share::conclude(call, &set, &named, shared).await {
        // What was done is done: of a note too many nothing comes but a look.
        tracing::error!(error = error.chain(), "what was shared is not concluded");
    }
    set.answer(call, done??)
}

/// What one object is to have; `None` leaves it.
#[derive(Default)]
struct Wish {
    name: Option<String>,
    parent: Option<Option<MailboxId>>,
    role: Option<Option<Role>>,
    sort_order: Option<u32>,
    subscribed: Option<bool>,
    /// What is said of `shareWith`, as it stands.
    share: Map<String, Value>,
}

struct Work<'a, 't, 'c> {
    tx: &'a mut MailTx<'t, 'c>,
    set: &'a Set,
    reader: &'a Reader,
    allowed: Allowed,
    created: BTreeMap<String, String>,
    with_emails: bool,
    named: &'a Named,
    shared: Vec<ShareChange>,
}

impl Work<'_, '_, '_> {
    /// Creations may refer to each other as parents, in any order (RFC 8620 §5.3): those whose parent is there go first.
    fn create_all(&mut self, done: &mut Done) -> Result<()> {
        let mut waiting: Vec<&(String, Map<String, Value>)> = self.set.create.iter().collect();
        while !waiting.is_empty() {
            let before = waiting.len();
            let mut later = Vec::new();
            for one in waiting {
                match one.1.get("parentId").and_then(Value::as_str).and_then(|id| id.strip_prefix('#')) {
                    Some(parent) if !self.created.contains_key(parent) && self.is_asked_for(parent, done) => {
                        later.push(one)
                    }
                    _ => self.create(&one.0, &one.1, done)?,
                }
            }
            if later.len() == before {
                let circle = || SetError::properties(&["parentId"], "the parent is not created");
                later.iter().for_each(|(creation, _)| done.create(creation, Err(circle())));
                return Ok(());
            }
            waiting = later;
        }
        Ok(())
    }

    fn is_asked_for(&self, creation: &str, done: &Done) -> bool {
        self.set.create.iter().any(|(known, _)| known == creation) && !done.refused(creation)
    }

    fn create(&mut self, creation: &str, object: &Map<String, Value>, done: &mut Done) -> Result<()> {
        let result = match self.wish(object, true) {
            Ok(wish) => self.make(wish)?,
            Err(error) => Err(error),
        };
        if let Some(Value::String(id)) = result.as_ref().ok().and_then(|made| made.get("id")) {
            self.created.insert(creation.to_owned(), id.clone());
        }
        done.create(creation, result);
        Ok(())
    }

    fn make(&mut self, wish: Wish) -> Result<Result<Map<String, Value>, SetError>> {
        let Some(name) = wish.name else { return Ok(Err(SetError::properties(&["name"], "a mailbox has a name"))) };
        let parent = wish.parent.flatten();
        if !self.may_create(parent) {
            return Ok(Err(SetError::forbidden("")));
        }
        let plan = match self.plan(parent, &wish.share)? {
            Ok(plan) => plan,
            Err(error) => return Ok(Err(error)),
        };
        let made = match self.tx.create_mailbox(parent, &name, wish.role.flatten()) {
            Ok(made) => made,
            Err(error) => return refused(error, &["name", "parentId", "role"]),
        };
        self.share(made.id, &plan)?;
        self.allowed = self.set.access.allowed(self.tx)?;
        let subscribed = wish.subscribed.unwrap_or(false);
        self.tx.subscribe(made.id, subscribed)?;
        if let Some(order) = wish.sort_order {
            self.order(made.id, order)?;
        }
        let known = super::Known::of(self.tx, made.clone(), &self.allowed, self.reader, true)?;
        // It may have taken over with whom its parent is shared.
        let share_with = match known.rights.has(Rights::ADMINISTER) {
            true => share::with(&self.tx.acl(made.id)?),
            false => None,
        };
        let Value::Object(object) = json!({
            "id": ids::mailbox_id(self.set.access.scope(), made.id),
            "role": made.role.map(Role::as_str),
            "sortOrder": known.sort_order,
            "isSubscribed": subscribed,
            "totalEmails": 0,
            "unreadEmails": 0,
            "totalThreads": 0,
            "unreadThreads": 0,
            "myRights": rights(self.allowed.on(made.id), made.role),
            "shareWith": share_with,
        }) else {
            return Ok(Err(SetError::not_found()));
        };
        Ok(Ok(object))
    }

    fn may_create(&self, parent: Option<MailboxId>) -> bool {
        match parent {
            None => self.set.access.is_own(),
            Some(parent) => self.allowed.on(parent).has(Rights::CREATE),
        }
    }

    /// What becomes of the list of a mailbox, or of the one that a new mailbox takes over from its parent.
    fn plan(&mut self, of: Option<MailboxId>, asked: &Map<String, Value>) -> Result<Refused<Plan>> {
        if asked.is_empty() {
            return Ok(Ok(Plan::new()));
        }
        let rights = of.map_or(Rights::ALL, |of| self.allowed.on(of));
        if !rights.has(Rights::ADMINISTER) {
            return Ok(Err(SetError::forbidden("")));
        }
        let list = match of {
            Some(of) => self.tx.acl(of)?,
            None => Vec::new(),
        };
        let plan = share::plan(asked, &list, self.named);
        let is_new = |who: Who| list.iter().all(|grant| grant.negative || grant.who != who);
        let new = |plan: &Plan| plan.iter().filter(|(who, _)| is_new(*who)).count();
        Ok(plan.and_then(|plan| match list.len() + new(&plan) > ACL_ENTRIES {
            true => Err(SetError::new("tooLarge", "the access list is full")),
            false => Ok(plan),
        }))
    }

    fn share(&mut self, id: MailboxId, plan: &Plan) -> Result<()> {
        let mut shared = share::write(self.tx, id, plan, self.named)?;
        self.shared.append(&mut shared);
        Ok(())
    }

    fn order(&mut self, id: MailboxId, order: u32) -> Result<()> {
        let value = Some(order.to_string().into_bytes());
        self.tx.annotate(id, Some(self.reader.user), &[(SORT_ORDER.to_owned(), value)])
    }

    fn update_all(&mut self, done: &mut Done) -> Result<()> {
        for (id, patch) in &self.set.update {
            let result = match (self.seen(id)?, self.wish(patch, false)) {
                (None, _) => Err(SetError::not_found()),
                (_, Err(error)) => Err(error),
                (Some(mailbox), Ok(wish)) => self.change(mailbox, wish)?,
            };
            done.update(id, result.map(|()| Value::Null));
        }
        Ok(())
    }

    /// The mailbox of this id, if the user sees it.
    fn seen(&mut self, id: &str) -> Result<Option<MailboxId>> {
        let Some(id) = ids::parse_mailbox(self.set.access.scope(), id) else { return Ok(None) };
        match self.tx.mailbox(id) {
            Ok(_) => Ok(Some(id).filter(|id| self.allowed.sees(*id))),
            Err(error) if error.class == anser_base::Class::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What can be refused comes first, so that a refused update changes nothing.
    fn change(&mut self, id: MailboxId, wish: Wish) -> Result<Result<(), SetError>> {
        let known = self.tx.mailbox(id)?.clone();
        let name = wish.name.unwrap_or_else(|| known.name.clone());
        let parent = wish.parent.unwrap_or(known.parent);
        let moves = name != known.name || parent != known.parent;
        let rights = self.allowed.on(id);
        let role = wish.role.filter(|role| *role != known.role);
        if (moves || role.is_some()) && !rights.has(Rights::DELETE_MAILBOX)
            || parent != known.parent && !self.may_create(parent)
            || !self.set.access.is_own() && wish.subscribed.is_some()
        {
            return Ok(Err(SetError::forbidden("")));
        }
        if let Some(role) = role {
            let taken = match role {
                Some(role) => self.tx.mailbox_with_role(role)?.is_some(),
                None => false,
            };
            if taken || known.role == Some(Role::Inbox) {
                return Ok(Err(SetError::properties(
                    &["role"],
                    "another mailbox has this role, or this one keeps its own",
                )));
            }
        }
        let plan = match self.plan(Some(id), &wish.share)? {
            Ok(plan) => plan,
            Err(error) => return Ok(Err(error)),
        };
        if moves && let Err(error) = self.tx.rename_mailbox(id, parent, &name) {
            return refused(error, &["name", "parentId"]);
        }
        if let Some(role) = role {
            self.tx.set_role(id, role)?;
        }
        if let Some(subscribed) = wish.subscribed {
            self.tx.subscribe(id, subscribed)?;
        }
        if let Some(order) = wish.sort_order {
            self.order(id, order)?;
        }
        if !plan.is_empty() {
            self.share(id, &plan)?;
            // A guest may have taken a right from themselves.
            self.allowed = self.set.access.allowed(self.tx)?;
        }
        Ok(Ok(()))
    }

    fn destroy_all(&mut self, done: &mut Done) -> Result<()> {
        // Those below go before those above them, whatever order they are named in.
        let mut found = Vec::new();
        for id in &self.set.destroy {
            match self.seen(id)? {
                Some(mailbox) => found.push((self.tx.path(mailbox)?.len(), id, mailbox)),
                None => done.destroy(id, Err(SetError::not_found())),
            }
        }
        found.sort_by_key(|(depth, ..)| std::cmp::Reverse(*depth));
        for (_, id, mailbox) in found {
            let result = self.remove(mailbox)?;
            done.destroy(id, result);
        }
        Ok(())
    }

    fn remove(&mut self, id: MailboxId) -> Result<Result<(), SetError>> {
        let mailbox = self.tx.mailbox(id)?.clone();
        if !self.allowed.on(id).has(Rights::DELETE_MAILBOX) || mailbox.role == Some(Role::Inbox) {
            return Ok(Err(SetError::forbidden("")));
        }
        if self.tx.mailboxes()?.iter().any(|other| other.parent == Some(id)) {
            return Ok(Err(SetError::new("mailboxHasChild", "")));
        }
        if mailbox.total > 0 && !self.with_emails {
            return Ok(Err(SetError::new("mailboxHasEmail", "")));
        }
        match self.tx.delete_mailbox(id) {
            Ok(()) => Ok(Ok(())),
            Err(error) => SetError::of(error).map(Err),
        }
    }

    /// What an object or a patch says.
    fn wish(&self, object: &Map<String, Value>, is_new: bool) -> Result<Wish, SetError> {
        let mut wish = Wish::default();
        for (name, value) in object {
            let wrong = || SetError::properties(&[name], "this value cannot be taken");
            match (name.as_str(), value) {
                ("name", Value::String(text)) => wish.name = Some(text.clone()),
                ("parentId", Value::Null) => wish.parent = Some(None),
                ("parentId", Value::String(id)) => {
                    let id = match id.strip_prefix('#') {
                        Some(creation) => self.created.get(creation).ok_or_else(wrong)?,
                        None => id,
                    };
                    let parent = ids::parse_mailbox(self.set.access.scope(), id).ok_or_else(wrong)?;
                    wish.parent = Some(Some(parent).filter(|parent| self.allowed.sees(*parent)));
                    wish.parent.flatten().ok_or_else(wrong)?;
                }
                ("role", Value::Null) => wish.role = Some(None),
                ("role", Value::String(word)) => wish.role = Some(Some(Role::from_word(word).ok_or_else(wrong)?)),
                ("sortOrder", Value::Number(number)) => {
                    let order =
                        number.as_u64().and_then(|order| u32::try_from(order).ok()).filter(|order| *order < 1 << 31);
                    wish.sort_order = Some(order.ok_or_else(wrong)?);
                }
                (share::PROPERTY, Value::Object(_) | Value::Null) => {
                    wish.share.insert(name.clone(), value.clone());
                }
                (path, _) if !is_new && path.starts_with("shareWith/") => {
                    wish.share.insert(name.clone(), value.clone());
                }
                ("isSubscribed", Value::Bool(is)) => wish.subscribed = Some(*is),
                (known, _) if super::PROPERTIES.contains(&known) => return Err(wrong()),
                _ if is_new => return Err(SetError::properties(&[name], "there is no such property")),
                _ => return Err(SetError::new("invalidPatch", format!("{name} cannot be changed"))),
            }
        }
        Ok(wish)
    }
}

/// A refusal of the store, with the properties that it may be about.
fn refused<T>(error: anser_base::Error, properties: &[&str]) -> Result<Result<T, SetError>> {
    use anser_base::Class;
    match error.class {
        Class::Invalid | Class::Exists | Class::NotFound => Ok(Err(SetError::properties(properties, error.text))),
        _ => SetError::of(error).map(Err),
    }
}
