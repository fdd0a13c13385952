//! The accounts that one connection follows.

use std::collections::BTreeMap;

use anser_base::{AccountId, Result};
use anser_directory::Directory;
use anser_store::{Change, LogPoint, RecordKind, Store, Watch};
use futures_util::FutureExt;
use futures_util::future::select_all;
use serde_json::{Map, Value, json};
use tokio::sync::watch;

use crate::auth::User;
use crate::law::state;
use crate::rules::Rules;
use crate::{Deps, ids, quota, sieve};

/// Accounts that one connection follows at most: the own one, and those of others that come first.
const ACCOUNTS: usize = 32;

/// The types that a change can be told of (RFC 8620 §7.1, RFC 8621 §1.5).
pub(super) const TYPES: [&str; 16] = [
    "Mailbox",
    "Thread",
    "Email",
    "EmailDelivery",
    "Identity",
    "EmailSubmission",
    "AddressBook",
    "ContactCard",
    "Document",
    "Note",
    "Recall",
    "ShareNotification",
    "Quota",
    "SieveScript",
    "VacationResponse",
    "Rules",
];
/// Those that are told of the scripts of an account, which are its owner's alone.
const SCRIPTS: [&str; 3] = ["SieveScript", "VacationResponse", "Rules"];
/// What stands for the scripts in the name of a moment.
const OF_SCRIPTS: &str = "scripts";

/// Which of [`TYPES`] are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Kinds([bool; TYPES.len()]);

impl Kinds {
    pub const ALL: Self = Self([true; TYPES.len()]);

    /// Those of these names; `*` is all.
    pub fn named<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        names.fold(Self::default(), |known, name| match name.trim() {
            "*" => Self::ALL,
            name => Self(std::array::from_fn(|at| known.0[at] || TYPES[at] == name)),
        })
    }

    /// Whether a type is meant.
    pub fn has(self, name: &str) -> bool {
        TYPES.iter().zip(self.0).any(|(known, is)| is && *known == name)
    }

    fn of(changes: &[Change]) -> Self {
        let mut kinds = Self::default();
        for change in changes {
            let names: &[&str] = match change {
                Change::Added { is_moved: false, .. } => &["Mailbox", "Thread", "Email", "EmailDelivery", "Quota"],
                // What moves in was delivered long ago, and elsewhere (RFC 8621 §1.5).
                Change::Added { is_moved: true, .. } => &["Mailbox", "Thread", "Email", "Quota"],
                Change::Expunged { .. } | Change::MailboxRemoved(_) => &["Mailbox", "Thread", "Email", "Quota"],
                Change::Flagged { .. } => &["Mailbox", "Email"],
                Change::MailboxCreated(_)
                | Change::MailboxUpdated(_)
                | Change::AccessChanged(_)
                | Change::Annotated { .. } => &["Mailbox"],
                Change::Recorded(kind) => recorded(*kind),
                Change::SubscribedTo { .. } | Change::Renumbered(_) => &[],
            };
            kinds = kinds.or(Self::named(names.iter().copied()));
        }
        kinds
    }

    fn or(self, other: Self) -> Self {
        Self(std::array::from_fn(|at| self.0[at] || other.0[at]))
    }

    fn and(self, other: Self) -> Self {
        Self(std::array::from_fn(|at| self.0[at] && other.0[at]))
    }
}

/// The type whose objects are records of a kind, where it is told of.
fn recorded(kind: RecordKind) -> &'static [&'static str] {
    match kind {
        RecordKind::Identity => &["Identity"],
        RecordKind::Submission => &["EmailSubmission"],
        RecordKind::AddressBook => &["AddressBook"],
        RecordKind::ContactCard => &["ContactCard"],
        RecordKind::Document => &["Document"],
        RecordKind::Note => &["Note"],
        RecordKind::Recall => &["Recall"],
        RecordKind::ShareNotice => &["ShareNotification"],
    }
}

/// Follows accounts. What happened since it was made is told; what happened before is not.
pub(super) struct Follower {
    store: Store,
    directory: Directory,
    wanted: Kinds,
    accounts: Vec<(AccountId, Watch)>,
    /// Up to where each account was told.
    told: BTreeMap<AccountId, u64>,
    /// How many bytes of mail each account may take, where that is limited.
    limits: BTreeMap<AccountId, u64>,
    own: AccountId,
    scripts: watch::Receiver<()>,
    /// Whether the scripts may be others than those that were told.
    is_news: bool,
    /// What changed and is not told yet.
    changed: BTreeMap<AccountId, Kinds>,
    states: States,
}

/// The states that scripts are in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct States {
    all: String,
    active: String,
}

impl States {
    /// Nothing is read where nobody wants to hear of them.
    async fn of(directory: &Directory, account: AccountId, wanted: Kinds) -> Result<Self> {
        if !SCRIPTS.iter().any(|name| wanted.has(name)) {
            return Ok(Self::default());
        }
        let all = sieve::of(directory, account).await?.0;
        Ok(Self { all, active: Rules::in_force(directory, account).await?.state })
    }

    /// The types whose state is another one.
    fn other_than(&self, before: &Self) -> Kinds {
        let names: &[&str] = match (self.all != before.all, self.active != before.active) {
            (_, true) => &SCRIPTS,
            (true, false) => &["SieveScript"],
            (false, false) => &[],
        };
        Kinds::named(names.iter().copied())
    }
}

fn limits_of(user: &User) -> BTreeMap<AccountId, u64> {
    let all = std::iter::once(&user.account).chain(user.others.iter());
    all.filter(|account| account.quota_bytes > 0).map(|account| (account.id, account.quota_bytes)).collect()
}

/// A StateChange (RFC 8620 §7.1), and the name of the moment after it.
pub(super) struct Told {
    pub change: Value,
    pub id: String,
}

impl Follower {
    /// Follows what the user sees, beginning now.
    pub async fn of(deps: &Deps, user: &User, wanted: Kinds) -> Result<Self> {
        let (store, directory, own) = (&deps.store, deps.directory.clone(), user.account.id);
        let scripts = directory.watch_scripts(own);
        let states = States::of(&directory, own, wanted).await?;
        let others = user.others.iter().map(|other| other.id);
        let ids: Vec<AccountId> = std::iter::once(user.account.id).chain(others).take(ACCOUNTS).collect();
        let accounts: Vec<_> = ids.iter().map(|id| (*id, store.watch(*id))).collect();
        let mut told = BTreeMap::new();
        for id in ids {
            told.insert(id, store.read(id, |tx| Ok(tx.state())).await?);
        }
        let limits = limits_of(user);
        let store = store.clone();
        Ok(Self {
            store,
            directory,
            wanted,
            accounts,
            told,
            limits,
            own,
            scripts,
            is_news: false,
            changed: BTreeMap::new(),
            states,
        })
    }

    /// Follows no account any more that is not open to the user.
    pub fn keep(&mut self, user: &User) {
        let is_open = |id: &AccountId| *id == user.account.id || user.others.iter().any(|other| other.id == *id);
        self.accounts.retain(|(id, _)| is_open(id));
        self.told.retain(|id, _| is_open(id));
        self.limits = limits_of(user);
    }

    /// What happened since a moment that an earlier connection was told of, if something did.
    pub fn since(&mut self, id: &str) -> Option<Told> {
        let mut changed = Vec::new();
        let mut all = BTreeMap::new();
        for (account, modseq) in id.split(' ').filter_map(|part| part.split_once('=')) {
            if account == OF_SCRIPTS {
                if modseq != self.states.all {
                    all.insert(self.own, Kinds::named(SCRIPTS.into_iter()));
                }
                continue;
            }
            let (account, modseq) = (ids::parse_account(account)?, ids::number(modseq)?);
            if self.told.get(&account).is_some_and(|now| *now > modseq) {
                changed.push(account);
            }
        }
        all.extend(changed.into_iter().map(|account| (account, Kinds::ALL)));
        self.told(all)
    }

    /// The name of the moment up to which everything was told.
    pub fn moment(&self) -> String {
        let moments = self.told.iter().map(|(account, modseq)| format!("{}={modseq}", ids::account_id(*account)));
        let scripts = (!self.states.all.is_empty()).then(|| format!("{OF_SCRIPTS}={}", self.states.all));
        moments.chain(scripts).collect::<Vec<_>>().join(" ")
    }

    /// What happens next. Cancel-safe.
    pub async fn next(&mut self) -> Result<Told> {
        loop {
            if self.is_news {
                // A look that is cut short is taken again.
                let now = States::of(&self.directory, self.own, self.wanted).await?;
                let known = self.changed.entry(self.own).or_default();
                *known = known.or(now.other_than(&self.states));
                (self.is_news, self.states) = (false, now);
            } else if self.changed.is_empty() {
                let next =
                    self.accounts.iter_mut().map(|(id, watch)| watch.next().map(|changes| (*id, changes)).boxed());
                let (account, changes) = tokio::select! {
                    ((account, changes), ..) = select_all(next) => (account, changes),
                    Ok(()) = self.scripts.changed() => {
                        self.is_news = true;
                        continue;
                    }
                };
                self.note(account, changes).await?;
            }
            // What waits already is told with it.
            while let Some((account, changes)) = self.waiting() {
                self.note(account, changes).await?;
            }
            let changed = std::mem::take(&mut self.changed);
            if let Some(told) = self.told(changed) {
                return Ok(told);
            }
        }
    }

    fn waiting(&mut self) -> Option<(AccountId, Option<std::sync::Arc<anser_store::Changes>>)> {
        self.accounts.iter_mut().find_map(|(id, watch)| watch.try_next().map(|changes| (*id, changes)))
    }

    /// Adds the changes of one transaction; `None` when some were missed, so that everything may have changed.
    async fn note(&mut self, account: AccountId, changes: Option<std::sync::Arc<anser_store::Changes>>) -> Result<()> {
        let (modseq, kinds) = match changes {
            Some(changes) => (changes.modseq, Kinds::of(&changes.list)),
            None => {
                // Should this be cut short, the next call goes on with all of it.
                self.changed.insert(account, Kinds::ALL);
                (self.store.read(account, |tx| Ok(tx.state())).await?, Kinds::ALL)
            }
        };
        let told = self.told.entry(account).or_default();
        if modseq > *told {
            *told = modseq;
            let known = self.changed.entry(account).or_default();
            *known = known.or(kinds);
        }
        Ok(())
    }

    fn told(&self, changed: BTreeMap<AccountId, Kinds>) -> Option<Told> {
        let mut all = Map::new();
        for (account, kinds) in changed {
            let place = state::shown(LogPoint::after(self.told.get(&account).copied().unwrap_or_default()));
            let types = TYPES.iter().zip(kinds.and(self.wanted).0).filter(|(_, is)| *is);
            let types: Map<String, Value> = types
                .filter_map(|(name, _)| Some(((*name).to_owned(), self.state(account, name, &place)?.into())))
                .collect();
            if !types.is_empty() {
                all.insert(ids::account_id(account), Value::Object(types));
            }
        }
        if all.is_empty() {
            return None;
        }
        Some(Told { change: json!({ "@type": "StateChange", "changed": all }), id: self.moment() })
    }

    /// The state of a type as its `/get` tells it; `None` where the account has none of it.
    fn state(&self, account: AccountId, name: &str, place: &str) -> Option<String> {
        match name {
            "Quota" => self.limits.get(&account).map(|most| quota::shown(place, *most)),
            _ if !SCRIPTS.contains(&name) => Some(place.to_owned()),
            _ if account != self.own => None,
            "SieveScript" => Some(self.states.all.clone()),
            _ => Some(self.states.active.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_named() {
        assert_eq!(Kinds::named("*".split(',')), Kinds::ALL);
        let some = Kinds::named("Email, Lunch,Mailbox".split(','));
        let named: Vec<&str> = TYPES.iter().zip(some.0).filter(|(_, is)| *is).map(|(name, _)| *name).collect();
        assert_eq!(named, ["Mailbox", "Email"]);
        assert_eq!(Kinds::named("".split(',')), Kinds::default());
    }
}
