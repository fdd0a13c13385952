//! Every mailbox that the user can see, by name: his own, then those of others, then those that are nobody's own.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use anser_base::{AccountId, MailboxId, limits};
use anser_directory::Account;
use anser_store::{Mailbox, Rights, Subject};

use crate::access::{self, OTHERS, SHARED};
use crate::name::SEPARATOR;
use crate::reply::{Reply, Trouble};
use crate::session::Session;

/// Mailboxes of other accounts in one tree at most.
const OF_OTHERS: usize = 100_000;

/// A name, and what is there.
pub(crate) struct Listed {
    pub path: String,
    /// `None` for a level that only has mailboxes below it.
    pub mailbox: Option<Mailbox>,
    pub owner: Arc<Account>,
    pub rights: Rights,
    pub subscribed: bool,
    pub has_children: bool,
    is_own: bool,
}

impl Listed {
    /// The attribute of RFC 6154; what others use their mailboxes for is not told.
    pub fn special_use(&self) -> Option<&'static str> {
        self.mailbox.as_ref().filter(|_| self.is_own)?.role?.attribute()
    }
}

/// The names, the inbox first, each before those below it.
pub(crate) struct Tree {
    pub named: Vec<Listed>,
    /// Own names that are subscribed, of mailboxes that are gone (RFC 9051 §6.3.7).
    pub gone: Vec<Listed>,
}

/// What the user subscribes to of others.
type Subscriptions = BTreeSet<(AccountId, MailboxId)>;

impl Tree {
    /// All that the user can see. Mailboxes of others are looked for only below prefixes that are `wanted`.
    pub async fn load(session: &Session, wanted: impl Fn(&str) -> bool) -> Result<Tree, Trouble> {
        let user = session.account()?.clone();
        let read =
            session.deps.store.read(user.id, |tx| Ok((tx.mailboxes()?, tx.subscriptions()?, tx.gone_subscriptions()?)));
        let (all, subscriptions, mut gone) = read.await?;
        let mut named = own(&user, all);
        for listed in &named {
            gone.remove(&listed.path);
        }
        if wanted(OTHERS) || wanted(SHARED) {
            named.extend(of_others(session, &user, &subscriptions, wanted).await?);
        }
        mark_parents(&mut named);
        let gone = gone.into_iter().map(|path| level(path, &user, true)).collect();
        Ok(Tree { named, gone })
    }
}

fn own(user: &Arc<Account>, all: Vec<Mailbox>) -> Vec<Listed> {
    let paths = paths(&all);
    let mut named: Vec<Listed> = all
        .into_iter()
        .zip(paths)
        .map(|(mailbox, path)| Listed {
            path,
            owner: user.clone(),
            rights: Rights::ALL,
            subscribed: mailbox.subscribed,
            has_children: false,
            is_own: true,
            mailbox: Some(mailbox),
        })
        .collect();
    sort(&mut named);
    named
}

/// The inbox first, then by level.
fn sort(named: &mut [Listed]) {
    named.sort_by_cached_key(|listed| {
        let inbox = listed.path == "INBOX" || listed.path.starts_with("INBOX/");
        (!inbox, listed.path.split(SEPARATOR).map(str::to_owned).collect::<Vec<_>>())
    });
}

async fn of_others(
    session: &Session,
    user: &Arc<Account>,
    subscriptions: &Subscriptions,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<Listed>, Trouble> {
    let subject = access::subject(session).await?;
    let owners = session.deps.directory.owners_for(user, access::administers(session).await?).await?;
    let mut found = Vec::new();
    for (shared, top) in [(false, OTHERS), (true, SHARED)] {
        let before = found.len();
        for owner in owners.iter().filter(|owner| owner.shared == shared) {
            let prefix = access::prefix(user, owner);
            // For the top level itself it is enough that there is something below.
            if wanted(&prefix) || (found.len() == before && wanted(top)) {
                found.extend(of_owner(session, owner, &prefix, &subject, subscriptions).await?);
            }
            if found.len() > OF_OTHERS {
                return Err(Reply::no("LIMIT", "Too many mailboxes are shared with you").into());
            }
        }
    }
    Ok(with_levels(found))
}

/// The mailboxes of one owner that the user can see.
async fn of_owner(
    session: &Session,
    owner: &Arc<Account>,
    prefix: &str,
    subject: &Subject,
    subscriptions: &Subscriptions,
) -> Result<Vec<Listed>, Trouble> {
    let (care, subject) = (access::care(session, owner).await?, subject.clone());
    if care != Rights::NONE {
        session.deps.store.ensure(owner.id).await?;
    }
    let read = session.deps.store.read(owner.id, move |tx| {
        let rights = tx.all_rights(&subject)?;
        let all = if rights.is_empty() && care == Rights::NONE { Vec::new() } else { tx.mailboxes()? };
        Ok((rights, all))
    });
    let (rights, all) = read.await?;
    let paths = paths(&all);
    let listed = |(mailbox, path): (Mailbox, String)| Listed {
        path: format!("{prefix}{SEPARATOR}{path}"),
        owner: owner.clone(),
        rights: rights.get(&mailbox.id).copied().unwrap_or_default().with(care),
        subscribed: subscriptions.contains(&(owner.id, mailbox.id)),
        has_children: false,
        is_own: false,
        mailbox: Some(mailbox),
    };
    let mut named: Vec<Listed> =
        all.into_iter().zip(paths).map(listed).filter(|listed| listed.rights.has(Rights::LOOKUP)).collect();
    sort(&mut named);
    Ok(named)
}

/// A name without a mailbox.
fn level(path: String, owner: &Arc<Account>, subscribed: bool) -> Listed {
    let (owner, rights) = (owner.clone(), Rights::NONE);
    Listed { path, mailbox: None, owner, rights, subscribed, has_children: false, is_own: false }
}

/// Puts in the levels above that are no mailboxes, or none that the user can see.
fn with_levels(named: Vec<Listed>) -> Vec<Listed> {
    let mut known: HashSet<String> = HashSet::new();
    let mut all = Vec::with_capacity(named.len());
    for listed in named {
        for (at, _) in listed.path.match_indices(SEPARATOR) {
            let path = &listed.path[..at];
            if known.insert(path.to_owned()) {
                all.push(Listed { has_children: true, ..level(path.to_owned(), &listed.owner, false) });
            }
        }
        known.insert(listed.path.clone());
        all.push(listed);
    }
    all
}

/// What stands right before a name that begins with it and a separator has children.
fn mark_parents(named: &mut [Listed]) {
    for at in 1..named.len() {
        let (before, after) = named.split_at_mut(at);
        let (Some(above), Some(below)) = (before.last_mut(), after.first()) else { continue };
        let rest = below.path.strip_prefix(above.path.as_str());
        above.has_children |= rest.is_some_and(|rest| rest.starts_with(SEPARATOR));
    }
}

/// The paths of an account's mailboxes inside it, in their order.
fn paths(all: &[Mailbox]) -> Vec<String> {
    let by_id: HashMap<MailboxId, &Mailbox> = all.iter().map(|mailbox| (mailbox.id, mailbox)).collect();
    all.iter().map(|mailbox| path_of(mailbox, &by_id)).collect()
}

fn path_of(mailbox: &Mailbox, by_id: &HashMap<MailboxId, &Mailbox>) -> String {
    let mut levels = vec![mailbox.name.as_str()];
    let mut next = mailbox.parent;
    while let Some(parent) = next.and_then(|id| by_id.get(&id)).filter(|_| levels.len() < limits::MAILBOX_DEPTH) {
        levels.push(&parent.name);
        next = parent.parent;
    }
    levels.reverse();
    levels.join("/")
}
