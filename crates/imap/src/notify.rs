//! What a client asked to be told of at any time (NOTIFY, RFC 5465; ENABLE METADATA, RFC 5464 §4.1), and how it is.
//!
//! ```text
//! store.watch of each account ──▶ News ──▶ the tree is read anew: LIST      names, subscriptions
//!                                     ├──▶ the mailbox's counters: STATUS   messages elsewhere
//!                                     ├──▶ METADATA                         annotations
//!                                     └──▶ the view: EXISTS, FETCH, EXPUNGE messages in the selected mailbox
//! ```
//!
//! It is told while the session waits for its client, and in IDLE. A client's own changes are told like those of others. When news were
//! missed, what they may have been about is looked at anew.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use anser_base::{AccountId, MailboxId};
use anser_store::{Change, Changes, Watch};
use anser_wire::imap::{Bound, EventGroup, Events, Fetch, MailboxFilter, SequenceSet, StatusItem};
use futures_util::future::select_all;
use tokio::time::{Instant, sleep_until};

use crate::access::{self, OTHERS, SHARED};
use crate::command::{fetch, status};
use crate::known::{Known, KnownTree};
use crate::reply::{Reply, Trouble};
use crate::session::Session;
use crate::view::Telling;

/// Accounts that one session follows at most.
const ACCOUNTS: usize = 100;

/// What is told of the selected mailbox.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Selected {
    /// What RFC 9051 has: everything, at the end of commands and in IDLE.
    Usual,
    /// These events; with `delayed` expunges wait for a command. None of them is NONE.
    Events { delayed: bool, events: Events },
}

/// What the client is told of.
pub(crate) struct Notifier {
    pub selected: Selected,
    /// Of other mailboxes.
    groups: Vec<EventGroup>,
    tree: KnownTree,
    watches: Vec<(AccountId, Watch)>,
    /// News that woke the session.
    woken: Vec<(AccountId, Option<Arc<Changes>>)>,
    /// The selected mailbox and its next UID up to which new messages were fetched.
    fetched: Option<((AccountId, MailboxId), u32)>,
}

/// What happened in an account since it was last looked at.
#[derive(Default)]
struct News {
    /// Something was missed.
    missed: bool,
    /// Names, subscriptions or rights changed.
    tree: bool,
    /// Mailboxes in which messages came, went, or got other flags.
    messages: BTreeSet<MailboxId>,
    /// Annotations: the mailbox, whose, and which.
    notes: Vec<(MailboxId, Option<AccountId>, Vec<String>)>,
}

impl Notifier {
    /// Tells nothing at all.
    pub fn silent() -> Self {
        let selected = Selected::Events { delayed: false, events: Events::default() };
        Self::of(selected, Vec::new(), KnownTree::default())
    }

    fn of(selected: Selected, groups: Vec<EventGroup>, tree: KnownTree) -> Self {
        Self { selected, groups, tree, watches: Vec::new(), woken: Vec::new(), fetched: None }
    }

    /// Begins to follow what the groups name. NO with NOTIFICATIONOVERFLOW when that is too much.
    pub async fn start(session: &Session, selected: Selected, groups: Vec<EventGroup>) -> Result<Self, Trouble> {
        let user = session.account_id()?;
        let mut notifier = Self::of(selected, groups, KnownTree::default());
        if notifier.groups.is_empty() {
            return Ok(notifier);
        }
        // The watches begin before the look, so that nothing falls in between.
        notifier.follow(session, user);
        notifier.follow_owners(session).await?;
        notifier.tree = KnownTree::load(session, notifier.reaches_others()).await?;
        Ok(notifier)
    }

    /// Follows everybody whose mailboxes may be seen. NO with NOTIFICATIONOVERFLOW when those are too many.
    async fn follow_owners(&mut self, session: &Session) -> Result<(), Trouble> {
        for owner in self.owners(session).await? {
            self.follow(session, owner);
            if self.watches.len() > ACCOUNTS {
                return Err(Reply::no("NOTIFICATIONOVERFLOW", "That is too much to follow").into());
            }
        }
        Ok(())
    }

    async fn owners(&self, session: &Session) -> Result<Vec<AccountId>, Trouble> {
        if !self.reaches_others() {
            return Ok(Vec::new());
        }
        let administers = access::administers(session).await?;
        let owners = session.deps.directory.owners_for(session.account()?, administers).await?;
        Ok(owners.iter().map(|owner| owner.id).collect())
    }

    fn reaches_others(&self) -> bool {
        let outside = |name: &String| name.starts_with(OTHERS) || name.starts_with(SHARED);
        self.groups.iter().any(|group| match &group.mailboxes {
            MailboxFilter::Subscribed => true,
            MailboxFilter::Subtree(names) | MailboxFilter::Mailboxes(names) => names.iter().any(outside),
            _ => false,
        })
    }

    /// Whether this account is followed for the first time.
    fn follow(&mut self, session: &Session, account: AccountId) -> bool {
        let new = !self.watches.iter().any(|(known, _)| *known == account);
        if new {
            self.watches.push((account, session.deps.store.watch(account)));
        }
        new
    }

    /// The events that are wanted of a mailbox that is not selected; of those about messages only when it may be read.
    pub fn wanted(&self, user: AccountId, known: &Known) -> Events {
        let mut all = Events::default();
        for group in self.groups.iter().filter(|group| covers(&group.mailboxes, user, known)) {
            let events = &group.events;
            all.message_new |= events.message_new && known.is_readable;
            all.message_expunge |= events.message_expunge && known.is_readable;
            all.flag_change |= events.flag_change && known.is_readable;
            all.mailbox_name |= events.mailbox_name;
            all.subscription_change |= events.subscription_change;
            all.mailbox_metadata |= events.mailbox_metadata;
        }
        all
    }

    /// Whether a group names this mailbox.
    pub fn names(&self, user: AccountId, known: &Known) -> bool {
        self.groups.iter().any(|group| covers(&group.mailboxes, user, known))
    }

    /// What is known of the mailboxes, in the order of their names.
    pub fn known(&self) -> impl Iterator<Item = &Known> {
        self.tree.iter()
    }

    /// Whether changes of flags in the selected mailbox are not told, and whether nothing of it is.
    pub fn mutes(&self) -> (bool, bool) {
        match &self.selected {
            Selected::Usual => (false, false),
            Selected::Events { events, .. } => (!events.flag_change, !events.has_messages()),
        }
    }

    /// Waits until there are news.
    async fn ready(&mut self) {
        if self.watches.is_empty() {
            return std::future::pending().await;
        }
        let next = self.watches.iter_mut().map(|(account, watch)| Box::pin(async { (*account, watch.next().await) }));
        let (woken, ..) = select_all(next).await;
        self.woken.push(woken);
    }

    /// Everything that has happened, by account.
    fn drain(&mut self) -> HashMap<AccountId, News> {
        let mut all: HashMap<AccountId, News> = HashMap::new();
        for (account, changes) in self.woken.drain(..) {
            all.entry(account).or_default().add(changes.as_deref());
        }
        for (account, watch) in &mut self.watches {
            while let Some(changes) = watch.try_next() {
                all.entry(*account).or_default().add(changes.as_deref());
            }
        }
        all
    }
}

impl News {
    fn add(&mut self, changes: Option<&Changes>) {
        let Some(changes) = changes else {
            self.missed = true;
            return;
        };
        for change in &changes.list {
            match change {
                Change::Added { mailbox, .. } | Change::Flagged { mailbox, .. } | Change::Expunged { mailbox, .. } => {
                    self.messages.insert(*mailbox);
                }
                Change::Annotated { mailbox, owner, entries } => self.notes.push((*mailbox, *owner, entries.clone())),
                Change::Renumbered(mailbox) => {
                    self.messages.insert(*mailbox);
                }
                Change::Recorded(_) => {}
                _ => self.tree = true,
            }
        }
    }

    fn touches(&self, mailbox: MailboxId) -> bool {
        self.missed || self.tree || self.messages.contains(&mailbox)
    }
}

fn covers(filter: &MailboxFilter, user: AccountId, known: &Known) -> bool {
    let below = |name: &String| known.path.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('/'));
    match filter {
        MailboxFilter::Selected | MailboxFilter::SelectedDelayed => false,
        MailboxFilter::Inboxes => known.key.0 == user && known.path == "INBOX",
        MailboxFilter::Personal => known.key.0 == user,
        MailboxFilter::Subscribed => known.is_subscribed,
        MailboxFilter::Subtree(names) => names.iter().any(|name| *name == known.path || below(name)),
        MailboxFilter::Mailboxes(names) => names.contains(&known.path),
    }
}

/// Waits for input of the client, and tells meanwhile what happens. `idle` says that it asked for that by IDLE.
pub(crate) async fn wait(session: &mut Session, idle: bool) -> Result<(), Trouble> {
    let deadline = Instant::now() + session.deps.limits.idle_time;
    loop {
        tell(session, idle).await?;
        session.flush().await?;
        let Session { stream, notifier, shutdown, .. } = session;
        let Some(notifier) = notifier else { return Ok(()) };
        tokio::select! {
            biased;
            readable = stream.readable() => return readable.map_err(Trouble::Gone),
            () = notifier.ready() => {}
            () = shutdown.notified() => return Err(Trouble::Bye("The server is shutting down")),
            () = sleep_until(deadline) => return Err(Trouble::Bye("Nothing was heard for too long")),
        }
    }
}

/// Tells what has happened so far.
async fn tell(session: &mut Session, idle: bool) -> Result<(), Trouble> {
    // Apart from the session, so that what is told here is not held back by it.
    let Some(mut notifier) = session.notifier.take() else { return Ok(()) };
    let told = notifier.tell(session, idle).await;
    session.notifier = Some(notifier);
    match told {
        Err(Trouble::Failed(error)) => {
            tracing::warn!(error = error.chain(), "a notification cannot be made");
            overflow(session)
        }
        // There is more to follow by now than one session may.
        Err(Trouble::Refused(_)) => overflow(session),
        other => other,
    }
}

/// Tells that nothing is told from now on (RFC 5465 §5.8).
fn overflow(session: &mut Session) -> Result<(), Trouble> {
    session.untagged("OK [NOTIFICATIONOVERFLOW] Ask for notifications again");
    session.notifier = Some(Notifier::silent());
    Ok(())
}

impl Notifier {
    async fn tell(&mut self, session: &mut Session, idle: bool) -> Result<(), Trouble> {
        let opened = match session.view.as_ref().map(|view| view.owner.id) {
            Some(owner) => self.follow(session, owner),
            None => false,
        };
        let mut all = self.drain();
        if !self.groups.is_empty() && all.values().any(|news| news.tree || news.missed) {
            self.tell_names(session).await?;
        }
        for (account, news) in &all {
            self.tell_messages(session, *account, news).await?;
            self.tell_notes(session, *account, news)?;
        }
        let selected = session.view.as_ref().map(|view| (view.owner.id, view.mailbox));
        let Some((owner, mailbox)) = selected else { return Ok(()) };
        let touched = all.remove(&owner).is_some_and(|news| news.touches(mailbox));
        if touched {
            access::refresh(session).await?;
        }
        if touched || opened { self.tell_selected(session, idle).await } else { self.fetch_new(session).await }
    }

    /// Names that came, went or changed, and subscriptions (RFC 5465 §5.4, §5.5).
    async fn tell_names(&mut self, session: &mut Session) -> Result<(), Trouble> {
        let user = session.account_id()?;
        self.follow_owners(session).await?;
        let fresh = KnownTree::load(session, self.reaches_others()).await?;
        let old = std::mem::replace(&mut self.tree, fresh);
        self.tree.keep_counts(&old);
        for line in self.tree.differences(&old, |known| self.wanted(user, known)) {
            line.write(session);
        }
        session.relieve().await
    }

    /// STATUS of mailboxes that are not selected (RFC 5465 §5.1 to §5.3).
    async fn tell_messages(&mut self, session: &mut Session, account: AccountId, news: &News) -> Result<(), Trouble> {
        let (user, selected) = (session.account_id()?, session.view.as_ref().map(|view| (view.owner.id, view.mailbox)));
        let touched: Vec<Known> = match news.missed {
            true => self.tree.iter().filter(|known| known.key.0 == account).cloned().collect(),
            false => news.messages.iter().filter_map(|id| self.tree.get((account, *id))).cloned().collect(),
        };
        for known in touched.into_iter().filter(|known| Some(known.key) != selected) {
            let events = self.wanted(user, &known);
            if !events.has_messages() {
                continue;
            }
            let id = known.key.1;
            let found = session.deps.store.read(account, move |tx| Ok(tx.mailbox(id).cloned().ok())).await?;
            let Some(mailbox) = found else { continue };
            let counts = (mailbox.uidnext, mailbox.total, mailbox.modseq);
            let Some(before) = self.tree.count(known.key, counts).filter(|before| *before != counts) else { continue };
            let moved = (before.0, before.1) != (counts.0, counts.1);
            let items = status_items(moved, events.flag_change, session.enabled.condstore);
            if !items.is_empty() {
                status::write(session, &known.path, &known.owner, &mailbox, &items).await?;
                session.relieve().await?;
            }
        }
        Ok(())
    }

    /// METADATA with the names of what changed (RFC 5464 §4.4.2).
    fn tell_notes(&self, session: &mut Session, account: AccountId, news: &News) -> Result<(), Trouble> {
        let user = session.account_id()?;
        for (mailbox, owner, entries) in news.notes.iter().filter(|(_, owner, _)| owner.is_none_or(|one| one == user)) {
            let path = match self.tree.get((account, *mailbox)) {
                Some(known) if self.wanted(user, known).mailbox_metadata => known.path.as_str(),
                None if account == user && mailbox.0 == 0 && self.wants_server_notes() => "",
                _ => continue,
            };
            let top = if owner.is_some() { "/private" } else { "/shared" };
            let names = entries.iter().map(|entry| format!("{top}{entry}"));
            crate::command::metadata::write_names(session, path, names);
        }
        Ok(())
    }

    fn wants_server_notes(&self) -> bool {
        self.groups.iter().any(|group| group.events.server_metadata)
    }

    async fn tell_selected(&mut self, session: &mut Session, idle: bool) -> Result<(), Trouble> {
        match &self.selected {
            Selected::Usual if idle => session.sync(&Telling::ALL).await?,
            Selected::Usual => return Ok(()),
            Selected::Events { events, .. } if !events.has_messages() => return Ok(()),
            Selected::Events { delayed, events } => {
                let expunge = idle || !delayed;
                let hidden = if events.flag_change { HashSet::new() } else { session.changed().await? };
                let elsewhere = Some(&hidden);
                session.sync(&Telling { expunge, uid: true, elsewhere, ..Telling::default() }).await?;
            }
        }
        self.fetch_new(session).await
    }

    /// FETCH of what came into the selected mailbox since it was last looked at.
    async fn fetch_new(&mut self, session: &mut Session) -> Result<(), Trouble> {
        let Selected::Events { events, .. } = &self.selected else { return Ok(()) };
        let Some(view) = session.view.as_ref().filter(|_| events.message_new) else { return Ok(()) };
        let (key, next) = ((view.owner.id, view.mailbox), view.list.uidnext);
        let from = self.fetched.replace((key, next)).filter(|(before, _)| *before == key).map_or(next, |(_, uid)| uid);
        if from >= next || events.items.is_empty() {
            return Ok(());
        }
        let set = SequenceSet::Ranges(vec![(Bound::Number(from), Bound::Number(next - 1))]);
        let items = events.items.clone();
        let fetch = Fetch { uid: true, set, items, changed_since: None, vanished: false, partial: None };
        fetch::run(session, fetch).await.map(drop)
    }
}

/// What STATUS tells after messages came or went, or only flags changed.
fn status_items(moved: bool, flags: bool, condstore: bool) -> Vec<StatusItem> {
    use StatusItem::{HighestModSeq, Messages, UidNext, UidValidity, Unseen};
    let mut items = match (moved, flags) {
        (true, _) => vec![UidValidity, UidNext, Messages],
        (false, true) => vec![UidValidity, Unseen],
        (false, false) => return Vec::new(),
    };
    if condstore {
        items.push(HighestModSeq);
    }
    items
}
