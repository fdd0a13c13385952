//! Mailbox (RFC 8621 §2).

mod count;
mod query;
mod set;
mod share;

use std::collections::{HashMap, HashSet};

use anser_base::{MailboxId, Result};
use anser_store::{Logged, MailTx, Mailbox, Rights, Role};
use serde_json::{Map, Value, json};

use crate::access::{Access, Allowed};
use crate::door::Door;
use crate::ids::{self, Scope};
use crate::law::changes::{self, Changes};
use crate::law::get::{Get, Got};
use crate::law::guest;
use crate::law::state;
use crate::method::{Call, Outcome};

pub(crate) use count::{Counts, counts};
pub(crate) use query::{query, query_changes};
pub(crate) use set::set;

pub(crate) const PROPERTIES: [&str; 12] = [
    "id",
    "name",
    "parentId",
    "role",
    "sortOrder",
    "totalEmails",
    "unreadEmails",
    "totalThreads",
    "unreadThreads",
    "myRights",
    "isSubscribed",
    "shareWith",
];
/// The properties that count.
const COUNTS: [&str; 4] = ["totalEmails", "unreadEmails", "totalThreads", "unreadThreads"];
/// Where the place in the order is kept (RFC 5464 §5): an annotation of the user's own.
const SORT_ORDER: &str = "/vendor/anser/sort-order";

/// What a mailbox is, but for its counts.
#[derive(Clone)]
struct Known {
    mailbox: Mailbox,
    rights: Rights,
    sort_order: u32,
    subscribed: bool,
    /// To whom it is open; `None` for who may not know.
    share_with: Option<Value>,
}

/// Mailboxes that are seen, and the state in which they are.
struct Seen {
    list: Vec<Known>,
    state: String,
}

impl Seen {
    fn read(tx: &mut MailTx<'_, '_>, access: &Access, call_user: &Reader, ordered: bool, shared: bool) -> Result<Self> {
        let allowed = access.allowed(tx)?;
        let lists = if shared { tx.all_acls()? } else { Default::default() };
        let mut list = Vec::new();
        for mailbox in tx.mailboxes()? {
            if allowed.sees(mailbox.id) {
                let mut known = Known::of(tx, mailbox, &allowed, call_user, ordered)?;
                if known.rights.has(Rights::ADMINISTER) {
                    known.share_with = lists.get(&known.mailbox.id).and_then(|list| share::with(list));
                }
                list.push(known);
            }
        }
        Ok(Self { list, state: state::now(tx) })
    }
}

/// For whom mailboxes are read.
struct Reader {
    user: anser_base::AccountId,
    /// Mailboxes of others that the user subscribed to; `None` in the own account.
    subscriptions: Option<HashSet<MailboxId>>,
}

impl Reader {
    async fn of(door: &Door, call: &Call, access: &Access) -> Result<Self> {
        let (user, owner) = (call.user.account.id, access.owner.id);
        let subscriptions = match access.is_own() {
            true => None,
            false => {
                let all = door.deps.store.read(user, |tx| tx.subscriptions()).await?;
                Some(all.into_iter().filter(|(of, _)| *of == owner).map(|(_, mailbox)| mailbox).collect())
            }
        };
        Ok(Self { user, subscriptions })
    }
}

impl Known {
    fn of(
        tx: &mut MailTx<'_, '_>,
        mailbox: Mailbox,
        allowed: &Allowed,
        reader: &Reader,
        ordered: bool,
    ) -> Result<Self> {
        let sort_order = if ordered { sort_order(tx, &mailbox, reader)? } else { 0 };
        let subscribed = match &reader.subscriptions {
            None => mailbox.subscribed,
            Some(all) => all.contains(&mailbox.id),
        };
        Ok(Self { rights: allowed.on(mailbox.id), sort_order, subscribed, share_with: None, mailbox })
    }

    fn object(&self, scope: Scope, seen: &HashSet<MailboxId>, counts: Option<&Counts>) -> Map<String, Value> {
        let mailbox = &self.mailbox;
        let parent = mailbox.parent.filter(|parent| seen.contains(parent));
        let Value::Object(mut object) = json!({
            "id": ids::mailbox_id(scope, mailbox.id),
            "name": mailbox.name,
            "parentId": parent.map(|parent| ids::mailbox_id(scope, parent)),
            "role": mailbox.role.map(Role::as_str),
            "sortOrder": self.sort_order,
            "myRights": rights(self.rights, mailbox.role),
            "isSubscribed": self.subscribed,
            "shareWith": self.share_with,
        }) else {
            return Map::new();
        };
        if let Some(counts) = counts {
            let all = [counts.emails, counts.unread_emails, counts.threads, counts.unread_threads];
            object.extend(COUNTS.iter().zip(all).map(|(name, count)| ((*name).to_owned(), count.into())));
        }
        object
    }
}

/// RFC 8621 §2, `myRights`.
pub(crate) fn rights(rights: Rights, role: Option<Role>) -> Value {
    // Nobody renames or removes the inbox.
    let barred = if role == Some(Role::Inbox) { Rights::DELETE_MAILBOX } else { Rights::NONE };
    Value::Object(share::told(rights.without(barred)))
}

/// The place in the order that the user gave it, else that of its role.
fn sort_order(tx: &mut MailTx<'_, '_>, mailbox: &Mailbox, reader: &Reader) -> Result<u32> {
    let all = tx.annotations(mailbox.id, Some(reader.user))?;
    let given = all.into_iter().find(|(name, _)| name == SORT_ORDER);
    let given = given.and_then(|(_, value)| String::from_utf8(value).ok()?.parse().ok());
    let by_role = mailbox.role.and_then(|role| Role::ALL.iter().position(|known| *known == role));
    Ok(given.unwrap_or(by_role.map_or(100, |at| at as u32 + 1)))
}

/// RFC 8621 §2.1.
pub(crate) async fn get(call: &mut Call) -> Outcome {
    let get = Get::read(call, |name| PROPERTIES.contains(&name))?;
    call.args.done()?;
    let (door, access) = (call.door.clone(), get.access.clone());
    let (reader, ordered, shared) =
        (Reader::of(&door, call, &access).await?, get.wants("sortOrder"), get.wants("shareWith"));
    let read = move |tx: &mut MailTx<'_, '_>| Seen::read(tx, &access, &reader, ordered, shared);
    let seen = door.deps.store.read(get.access.owner.id, read).await?;
    let scope = get.access.scope();
    let mut by_id: HashMap<String, &Known> =
        seen.list.iter().map(|known| (ids::mailbox_id(scope, known.mailbox.id), known)).collect();
    let mut got = Got { state: seen.state.clone(), ..Got::default() };
    let wanted: Vec<&Known> = match &get.ids {
        None => seen.list.iter().collect(),
        Some(ids) => {
            let mut found = Vec::new();
            for id in ids {
                match by_id.remove(id) {
                    Some(known) => found.push(known),
                    None => got.not_found.push(id.clone()),
                }
            }
            found
        }
    };
    if wanted.len() > door.deps.limits.objects_in_get {
        return Err(crate::error::MethodError::new("requestTooLarge", "too many mailboxes; ask for some of them"));
    }
    let visible: HashSet<MailboxId> = seen.list.iter().map(|known| known.mailbox.id).collect();
    let counted = COUNTS.iter().any(|name| get.wants(name));
    for known in wanted {
        let counts = match counted {
            true => Some(counts(&door, get.access.owner.id, known.mailbox.id, known.rights).await?),
            false => None,
        };
        got.list.push(get.shown(known.object(scope, &visible, counts.as_ref())));
    }
    get.answer(got)
}

/// RFC 8621 §2.2.
pub(crate) async fn changes(call: &mut Call) -> Outcome {
    let asked = Changes::read(call)?;
    let (since, most, access) = (asked.since.clone(), asked.most, asked.access.clone());
    let read = call.door.deps.store.read(asked.access.owner.id, move |tx| {
        let mut changed = match changes::since(tx, &since, Logged::Mailboxes, most)? {
            Ok(changed) => changed,
            Err(error) => return Ok(Err(error)),
        };
        let allowed = access.allowed(tx)?;
        let is_all = guest::mailboxes(tx, &access, &allowed, &since, &mut changed)?;
        Ok(if is_all { Ok(changed) } else { Err(changes::cannot()) })
    });
    let changed = read.await??;
    let scope = asked.access.scope();
    let mut answer = asked.answer(&changed, |id| ids::mailbox_id(scope, MailboxId(id)));
    let only_counts = changed.counts_only && !changed.updated.is_empty();
    answer["updatedProperties"] = if only_counts { json!(COUNTS) } else { Value::Null };
    Ok(answer)
}
