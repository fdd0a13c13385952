//! One pass over one mailbox: what is not here is brought, what changed is merged. Every step is safe to be killed in: the ledger has
//! what was done, and the next pass does the rest.
//!
//! ```text
//! list folders ─▶ plan ─▶ each folder that was whole before: list, merge flags, note what is gone ─▶ each folder: bring what is new
//! ```
//!
//! A folder that comes for the first time and keeps its UIDs comes newest first: see `anser_store`'s `reserve` for what that asks of the doors.
//! Folders that stand as they stood at the end of the last whole pass are not opened; of others only what changed is listed, where the
//! source can tell.

mod beside;
mod bring;
mod delta;
mod folders;
mod known;
mod list;
mod rule;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use anser_base::{AccountId, Durability, MailboxId, Result, TenantId, Timestamp};
use futures_util::future::BoxFuture;

use anser_store::{LedgerFolder, LedgerRow, MailTx, Store};

use crate::adopt::{self, Adoptable};
use crate::merge;
use crate::name::{self, chosen_by};
use crate::own::Choice;
use crate::plan::Planned;
use crate::profile::Profile;
use crate::source::{Allowance, Folder, Listed, Origin, Seen, Standing, Window, mark_of};
use crate::trouble::Trouble;

pub use beside::Beside;
pub use bring::{BATCH, BATCH_BYTES};
use bring::{How, Order};
pub use known::Names;
use list::Changes;
pub(crate) use rule::DELETED;
pub use rule::Rule;
pub(crate) use rule::whole;

/// Rows of the ledger that are read at once.
const ROWS: usize = 5_000;
/// How often a message that the old server does not hand out is asked for.
pub const TRIES: u32 = 3;
/// A folder that lost more than one in so many messages since the last pass, and more than [`FEW`], is a question.
pub(crate) const LOSS: u64 = 20;
/// New messages of a folder that was whole once, beyond which they are not held together.
const MUCH: usize = 50_000;
/// Where it cannot be told which folders are another user's.
pub(crate) const HIDDEN: &str = "the old server does not tell whose folders are (NAMESPACE)";
/// What stands before folders that could not be opened.
pub(crate) const SHUT: &str = "folders that cannot be opened there: ";
/// Folders that are left out, and named.
const TOLD: usize = 5;
/// Messages that are brought before the old server is asked again whether it still has them.
const FIRST: usize = 3;
/// Messages that a folder may always lose: people clean up small ones by hand, nothing of it goes here, and it is counted as gone.
pub(crate) const FEW: u64 = 20;

/// What a pass needs of its surroundings.
pub struct Pass<'a> {
    /// Mailboxes and messages.
    pub store: Store,
    /// Whose bodies.
    pub tenant: TenantId,
    /// Where everything goes.
    pub account: AccountId,
    /// The number by which the ledger knows the login.
    pub id: u64,
    /// What is known of the source.
    pub profile: &'static Profile,
    /// The number of this pass.
    pub number: u32,
    /// Messages of each folder at most; `None` for all.
    pub limit: Option<u64>,
    /// What may come.
    pub allowance: Allowance,
    /// Which mailboxes take the folders.
    pub places: Places,
    /// Messages here that were held against others of their bytes.
    pub read: Arc<adopt::Read>,
    /// What the ledger knows by the names that the source gives: nothing at the beginning of a pass.
    pub names: Names,
    /// Since when mail may have come to the old server and here; `None` while all of it comes there.
    pub overlap: Option<Timestamp>,
    /// Whether losses at the source were said to be meant.
    pub losses_are_meant: bool,
    /// What is left out.
    pub rule: Rule,
    /// Whether to ask for one message at a time, and count each attempt before it is made: after connections that broke again and
    /// again, so that one message which breaks them cannot keep the others.
    pub careful: bool,
    /// Whether a server that asks for patience has it: what it was asked for then is no attempt.
    pub patient: bool,
    /// Opens the source once more, where a large body may go on over another connection.
    pub reopen: Option<&'a Reopen<'a>>,
    /// Gives room for one more connection, where a large folder may come over several.
    pub beside: Option<&'a Beside<'a>>,
    /// What its owner chose of the folders.
    pub choice: Choice,
    /// Told of what was done; says whether to go on.
    pub watch: &'a (dyn Watcher + Sync),
}

/// Opens a source.
pub type Reopen<'a> = dyn Fn() -> BoxFuture<'a, Result<Origin, Trouble>> + Sync + 'a;

/// Which mailboxes take the folders of a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Places {
    /// Each has its own, with the UIDs that it had there.
    #[default]
    Theirs,
    /// Each has its own; UIDs are new, since the mailboxes are in use.
    InUse,
    /// One takes all of them.
    One(MailboxId),
}

/// Who follows a pass, and may stop it.
pub trait Watcher {
    /// So many messages are at the source.
    fn total(&self, messages: u64);
    /// Some more messages were looked at or brought.
    fn done(&self, messages: u64, bytes: u64);
    /// Some more messages were looked at before any is brought: those of a mailbox that is in use, and what could be the same there.
    fn alive(&self, _messages: u64) {}
    /// Whether to stop before the next batch.
    fn is_stopped(&self) -> bool;
    /// A small command was answered within this time.
    fn answered(&self, _took: Duration) {}
    /// How long to wait before the next batch: others work on that server too.
    fn pause(&self) -> Duration {
        Duration::ZERO
    }
}

/// What a pass came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Messages brought.
    pub copied: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Messages that were not handed out.
    pub failed: u64,
    /// Folders that the old server does not open, or ends the connection at.
    pub shut: Vec<String>,
    /// Folders that came by their files alone, since what their program noted of them cannot be read.
    pub bare: Vec<String>,
    /// What the account holds and what it may hold, where that is less.
    pub over: Option<(u64, u64)>,
    /// Folders that their owner leaves out, and how many messages each holds, where the old server tells that.
    pub left: BTreeMap<String, u64>,
    /// Folders of other users, and of many, that were left out.
    pub left_out: Vec<String>,
}

impl Outcome {
    /// What somebody should know of it, in words.
    pub fn note(&self) -> Option<String> {
        let failed = (self.failed > 0).then(|| format!("{} not handed out by the old server", self.failed));
        let shut = (!self.shut.is_empty()).then(|| format!("{SHUT}{}", self.shut.join(", ")));
        let over = self.over.map(|(used, quota)| format!("above its quota: {used} bytes of {quota}"));
        let bare = (!self.bare.is_empty()).then(|| {
            format!(
                "by their files alone, without flags and UIDs, since their index cannot be read: {}",
                self.bare.join(", ")
            )
        });
        let left_out = (!self.left_out.is_empty()).then(|| {
            let (count, some) = (self.left_out.len(), self.left_out.iter().take(TOLD).map(String::as_str));
            let more = if count > TOLD { ", …" } else { "" };
            format!(
                "left out, of other users or shared: {count} folders ({}{more})",
                some.collect::<Vec<_>>().join(", ")
            )
        });
        let all: Vec<String> = [failed, shut, bare, left_out, over].into_iter().flatten().collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}

impl Pass<'_> {
    /// Goes over all folders once.
    pub async fn run(&self, origin: &mut Origin) -> Result<Outcome, Trouble> {
        let prefix = origin.personal_prefix().await?;
        // One that never does may as well have none.
        if !self.careful && origin.hides_spaces().await? {
            return Err(Trouble::lost(HIDDEN));
        }
        let mut outcome = Outcome::default();
        let folders = self.leave_folders(origin.folders().await?, &mut outcome).await?;
        let left: Vec<Folder> = folders.iter().filter(|folder| self.choice.leaves_out(&folder.name)).cloned().collect();
        outcome.left = count_left(origin, &left).await?;
        let planned = self.plan(origin, prefix, folders).await?;
        self.check_missing(&planned, &left).await?;
        self.watch.total(planned.iter().filter_map(|one| one.folder.standing).map(|standing| standing.messages).sum());
        let to_be_listed = self.to_be_listed(TRIES).await?;
        let mut news: BTreeMap<usize, Option<News>> = BTreeMap::new();
        for (at, one) in planned.iter().enumerate().filter(|(_, one)| one.ledger.uidnext > 0 && self.limit.is_none()) {
            match self.look_again(origin, one, to_be_listed.contains(&one.ledger.key), &mut outcome).await? {
                Looked::Same => drop(news.insert(at, None)),
                Looked::News(found) => drop(news.insert(at, Some(found))),
                // Brought as what was never whole is: a window at a time.
                Looked::Much => {}
            }
        }
        for (at, one) in planned.iter().enumerate() {
            match news.remove(&at) {
                Some(None) => {}
                Some(Some(news)) => self.bring_news(origin, one, news, &mut outcome).await?,
                None => self.bring_all(origin, one, &mut outcome).await?,
            }
        }
        Ok(outcome)
    }

    /// A folder that was whole once: merges what changed, notes what is gone; returns what is new.
    async fn look_again(
        &self,
        origin: &mut Origin,
        one: &Planned,
        lists_all: bool,
        outcome: &mut Outcome,
    ) -> Result<Looked, Trouble> {
        let last = &one.ledger;
        let as_before = |standing: &Standing| {
            standing.uidvalidity == last.uidvalidity
                && standing.uidnext == last.uidnext
                && standing.messages == last.messages
                && standing.modseq == last.modseq
                && last.modseq > 0
        };
        // Files are not read again that nobody has written to.
        let is_untouched = one.folder.stamp != 0 && one.folder.stamp == last.modseq;
        let stands = is_untouched || one.folder.standing.is_some_and(|standing| as_before(&standing));
        // One that could not be opened is tried again, however it stands.
        if stands && !lists_all && last.state == 0 {
            self.watch.done(last.messages, 0);
            return Ok(Looked::Same);
        }
        origin.go_on_from(Some(last).filter(|_| !lists_all));
        let Some((mut standing, mut ledger)) = self.open_or_name(origin, last, outcome).await? else {
            return Ok(Looked::Same);
        };
        if origin.went_on() && self.knows_any(origin, &ledger).await? {
            // What an earlier pass brought cannot be told from a twin of what was there before.
            origin.go_on_from(None);
            (standing, ledger) = self.open(origin, &ledger).await?;
        }
        if as_before(&standing) && ledger.key == last.key && !lists_all {
            self.watch.done(last.messages, 0);
            return Ok(Looked::Same);
        }
        let told = match lists_all || ledger.key != last.key {
            true => None,
            false if origin.went_on() => Some(self.behind(origin, &ledger).await?),
            false => self.changes_since(origin, &ledger, &standing).await?,
        };
        let changes = match told {
            Some(changes) => changes,
            None => {
                let mut changes = Changes::default();
                let mut windows: VecDeque<Window> = origin.windows(&standing).collect();
                while let Some(window) = windows.pop_front() {
                    let parts = self.list(origin, &ledger, window, &mut changes).await?;
                    parts.into_iter().rev().for_each(|part| windows.push_front(part));
                    // Whose ids are others in each session is told apart by the whole of the list.
                    if changes.new.len() > MUCH && standing.uidvalidity != 0 {
                        return Ok(Looked::Much);
                    }
                }
                self.sweep(&ledger, &mut changes).await?;
                changes
            }
        };
        if standing.uidvalidity == 0 && changes.kept == 0 && (1..=changes.new.len()).contains(&changes.gone.len()) {
            // Each session of such a server has other ids: what is here is found by its bytes.
            let ledger = self.renumber(&ledger, 0).await?;
            return Ok(Looked::News(News { ledger, standing, new: changes.new }));
        }
        self.check_losses(&ledger, &changes)?;
        self.note_gone(&ledger, changes.gone).await?;
        if changes.new.is_empty() {
            self.finish(&ledger, &standing).await?;
            return Ok(Looked::Same);
        }
        Ok(Looked::News(News { ledger, standing, new: changes.new }))
    }

    /// Whether the ledger knows a message of the open folder's list.
    async fn knows_any(&self, origin: &mut Origin, ledger: &LedgerFolder) -> Result<bool, Trouble> {
        let (key, new) = (ledger.key, self.behind(origin, ledger).await?.new);
        for some in new.chunks(ROWS) {
            let keys: Vec<Vec<u8>> = some.iter().map(|one| one.key.clone()).collect();
            let find = move |tx: &mut MailTx<'_, '_>| {
                for row in &keys {
                    if tx.ledger_row(key, row)?.is_some() {
                        return Ok(true);
                    }
                }
                Ok(false)
            };
            if self.store.read(self.account, find).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What stands in a file behind what was gone over before.
    async fn behind(&self, origin: &mut Origin, ledger: &LedgerFolder) -> Result<Changes, Trouble> {
        let new = match origin.list(Window::WHOLE).await? {
            Listed::All(seen) => seen,
            Listed::Parts(_) => Vec::new(),
        };
        Ok(Changes { new, kept: ledger.messages, ..Changes::default() })
    }

    fn check_losses(&self, ledger: &LedgerFolder, changes: &Changes) -> Result<(), Trouble> {
        let lost = changes.gone.len() as u64;
        if self.losses_are_meant || !is_question(lost, changes.kept) {
            return Ok(());
        }
        let name = name::shown(&ledger.name);
        Err(Trouble::Question(format!("the folder {name} lost {lost} of {} messages", lost + changes.kept)))
    }

    async fn note_gone(&self, ledger: &LedgerFolder, gone: Vec<LedgerRow>) -> Result<()> {
        let (key, pass) = (ledger.key, self.number);
        for some in gone.chunks(BATCH) {
            let some = some.to_vec();
            let work = move |tx: &mut MailTx<'_, '_>| some.iter().try_for_each(|row| merge::gone(tx, key, row, pass));
            self.store.write(self.account, Durability::Sync, work).await?;
        }
        Ok(())
    }

    async fn bring_news(
        &self,
        origin: &mut Origin,
        one: &Planned,
        news: News,
        outcome: &mut Outcome,
    ) -> Result<(), Trouble> {
        let News { ledger, standing, new } = news;
        let (_, again) = self.open(origin, &ledger).await?;
        if again.key != ledger.key {
            // It was numbered anew meanwhile: the next pass sees to it.
            return Ok(());
        }
        let ledger = self.mailbox_of(&ledger, one).await?;
        let new = origin.find_again(new);
        self.bring(origin, &ledger, new, &How::default(), outcome).await?;
        self.finish(&ledger, &standing).await.map_err(Trouble::from)
    }

    /// A folder that was never whole, window by window.
    async fn bring_all(&self, origin: &mut Origin, one: &Planned, outcome: &mut Outcome) -> Result<(), Trouble> {
        origin.go_on_from(None);
        let Some((standing, mut ledger)) = self.open_or_name(origin, &one.ledger, outcome).await? else {
            return Ok(());
        };
        let (whole, mut left) = (self.limit.is_none(), self.limit);
        let (mut windows, mut how) = (VecDeque::new(), How::default());
        let is_first = one.ledger.uidnext == 0;
        if standing.messages > 0 {
            ledger = self.mailbox_of(&ledger, one).await?;
            windows.extend(origin.windows(&standing));
            // A mailbox that is in use is not closed to its owner.
            if whole && is_first && ledger.keeps_uids && self.reserve(&ledger, &standing).await? {
                windows.make_contiguous().reverse();
                how.order = Order::NewestFirst { below: standing.uidnext };
            }
            if is_first && !ledger.keeps_uids && !matches!(self.places, Places::One(_)) {
                // Somebody used the mailbox before.
                let alive = |messages| self.watch.alive(messages);
                let (store, mailbox) = (&self.store, ledger.mailbox);
                how.adoptable = Adoptable::of(store, self.tenant, self.account, mailbox, &self.read, &alive).await?;
                if let Some(adoptable) = how.adoptable.as_ref().filter(|all| all.has_identities()) {
                    adoptable.identities_there(&origin.identities(&standing, &alive).await?.unwrap_or_default());
                }
            }
        }
        let (mut all, mut was_tried) = (Changes::default(), false);
        while let Some(window) = windows.pop_front().filter(|_| left != Some(0)) {
            let mut changes = Changes::default();
            let mut parts = self.list(origin, &ledger, window, &mut changes).await?;
            if !parts.is_empty() {
                if how.order == Order::Ascending {
                    parts.reverse();
                }
                parts.into_iter().for_each(|part| windows.push_front(part));
                continue;
            }
            if changes.kept == 0
                && origin.may_remove()
                && !self.losses_are_meant
                && !std::mem::replace(&mut was_tried, true)
            {
                let there = (window, standing.messages, changes);
                (ledger, changes) = self.try_reading(origin, ledger, there, outcome).await?;
            }
            let Changes { mut new, kept, gone, met } = changes;
            all.met.extend(met);
            all.kept += kept;
            all.gone.extend(gone);
            if let Some(left) = &mut left {
                new.truncate(usize::try_from(left.saturating_sub(kept)).unwrap_or(usize::MAX));
                *left = left.saturating_sub(kept + new.len() as u64);
            }
            self.bring(origin, &ledger, new, &how, outcome).await?;
        }
        if whole {
            // An earlier pass that came to no end may have brought what is no longer there.
            self.sweep(&ledger, &mut all).await?;
            self.check_losses(&ledger, &all)?;
            self.note_gone(&ledger, all.gone).await?;
            self.finish(&ledger, &standing).await?;
        }
        Ok(())
    }

    /// Some POP3 servers remove what was read. So at the first meeting a few messages are brought, the session is ended, and the next one
    /// has to show them still: under the same ids, or as many under others. Of one window alone that says nothing: those of the next
    /// move up into it.
    async fn try_reading(
        &self,
        origin: &mut Origin,
        ledger: LedgerFolder,
        (window, messages, mut changes): (Window, u64, Changes),
        outcome: &mut Outcome,
    ) -> Result<(LedgerFolder, Changes), Trouble> {
        let (few, before) = (changes.new.iter().take(FIRST).cloned().collect::<Vec<_>>(), changes.new.len());
        let (mut has_all, brought) = (true, few.iter().map(|one| mark_of(&one.key)).collect::<Vec<u64>>());
        if changes.gone.is_empty() && !few.is_empty() {
            self.bring(origin, &ledger, few, &How::default(), outcome).await?;
            origin.come_again().await?;
            let has_as_many = origin.examine(&ledger.name).await?.messages >= messages;
            changes = Changes::default();
            self.list(origin, &ledger, window, &mut changes).await?;
            has_all = origin.is_keyed(window) || brought.iter().all(|mark| changes.met.contains(mark));
            if changes.kept == 0 && changes.new.len() >= before && has_as_many {
                changes.gone.clear();
                return Ok((self.renumber(&ledger, 0).await?, changes));
            }
        }
        if changes.gone.is_empty() && has_all {
            return Ok((ledger, changes));
        }
        let why = "the old server removes messages that were read; those are here, and no other was touched";
        Err(Trouble::Question(why.to_owned()))
    }
}

/// How many messages folders hold that are left out.
async fn count_left(origin: &mut Origin, left: &[Folder]) -> Result<BTreeMap<String, u64>, Trouble> {
    let mut counts = BTreeMap::new();
    for folder in left.iter().filter(|folder| folder.is_selectable()) {
        let told = folder.standing.map(|standing| standing.messages);
        let count = if told.is_some() { told } else { origin.count(&folder.name).await? };
        counts.insert(chosen_by(&folder.name).into_owned(), count.unwrap_or(0));
    }
    Ok(counts)
}

/// What a look at a folder that was whole once came to.
enum Looked {
    /// Nothing is new.
    Same,
    /// This is.
    News(News),
    /// More than is held at once.
    Much,
}

/// What is new in a folder that was whole once.
struct News {
    ledger: LedgerFolder,
    /// How it stood before it was listed: what came since is not among `new`.
    standing: Standing,
    new: Vec<Seen>,
}

/// Whether it is a question that the source lost so many messages of a folder: all of them, or many.
pub(crate) fn is_question(lost: u64, kept: u64) -> bool {
    let (all, many) = (lost > 0 && kept == 0, lost > FEW && lost * LOSS > lost + kept);
    all || many
}
