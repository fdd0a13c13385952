//! Who works on what: mailboxes that are due are taken under a lease, a few of each old server at a time, and what their passes come to
//! is written down. A process that dies lets its leases run out; whoever looks next goes on.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use anser_base::{Class, Error, Result, Timestamp};
use anser_db::{Durability, Place};
use anser_directory::Account;
use anser_net::Shutdown;
use tokio::task::JoinSet;

use crate::model::{Home, Mailbox, Move, Passing, Source, State, Task};
use crate::oauth::bearer;
use crate::pass::{Outcome, Pass, Watcher};
use crate::profile;
use crate::rows::{self, Standing};
use crate::source::Origin;
use crate::trouble::Trouble;
use crate::{Inner, Migrate, turn};

/// How long a lease lasts, in milliseconds.
const LEASE: i64 = 45_000;
/// How often it is renewed.
const RENEW: Duration = Duration::from_secs(15);
/// How often due mailboxes are looked for when nothing is heard.
const LOOK: Duration = Duration::from_secs(30);
/// The first pause after a failure, and the longest, in milliseconds.
const PAUSES: (i64, i64) = (2_000, 3_600_000);
/// The pause after trouble of our own, which somebody has to mend, in milliseconds.
const OWN: i64 = 60_000;
/// Failures in a row after which a pass asks for one message at a time.
const CAREFUL: u32 = 2;
/// Messages of each folder in a trial.
const TRIAL: u64 = 10;

/// A pass under way.
#[derive(Default)]
pub(crate) struct Following {
    /// The move that it belongs to.
    pub of: u64,
    pub stopped: AtomicBool,
    pub total: AtomicU64,
    pub done: AtomicU64,
    pub bytes: AtomicU64,
}

impl Watcher for Following {
    fn total(&self, messages: u64) {
        self.total.store(messages, Ordering::Relaxed);
    }

    fn done(&self, messages: u64, bytes: u64) {
        self.done.fetch_add(messages, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

impl Migrate {
    /// Works on whatever is due, until the server stops.
    pub async fn run(&self, shutdown: Shutdown) {
        let holder = (self.inner.deps.entropy.u64() >> 1) as i64 | 1;
        // A folder of data has one owner: what it left under lease, a process that died left. Nodes of PostgreSQL wait for the end.
        let db = &self.inner.deps.db;
        if !db.is_postgres()
            && let Err(error) = db.write(Place::Moves, Durability::Sync, rows::release_all).await
        {
            tracing::error!(error = error.chain(), "leases of the last run stay until they end");
        }
        let mut passes: JoinSet<(u64, u64)> = JoinSet::new();
        let mut busy: HashMap<u64, u64> = HashMap::new();
        loop {
            if let Err(error) = self.take_due(holder, &mut passes, &mut busy).await {
                tracing::error!(error = error.chain(), "mailboxes that are due could not be looked for");
            }
            let next = async {
                tokio::select! {
                    () = self.inner.stirred.notified() => None,
                    Some(ended) = passes.join_next() => ended.ok(),
                    () = self.until_due() => None,
                }
            };
            match shutdown.or(next).await {
                Some(Some((source, mailbox))) => {
                    busy.retain(|known, of| *known != mailbox || *of != source);
                }
                Some(None) => {}
                None => break,
            }
        }
        self.inner.stop_all(None);
        while passes.join_next().await.is_some() {}
    }

    async fn until_due(&self) {
        let next = self.inner.deps.db.read(Place::Moves, rows::next_due).await.ok().flatten();
        let now = self.inner.deps.clock.now();
        let pause = next.map_or(LOOK, |due| due.since(now)).clamp(Duration::from_millis(100), LOOK);
        tokio::time::sleep(pause).await;
    }

    async fn take_due(
        &self,
        holder: i64,
        passes: &mut JoinSet<(u64, u64)>,
        busy: &mut HashMap<u64, u64>,
    ) -> Result<()> {
        let inner = &self.inner;
        let now = inner.deps.clock.now();
        for source in inner.deps.db.read(Place::Moves, move |tx| rows::due_sources(tx, now)).await? {
            let (id, most) = (source.id, source.connections as usize);
            let at_once = busy.values().filter(|of| **of == id).count();
            if at_once >= most {
                continue;
            }
            // Of these some may be under way here, under a lease that a slow disk let run out.
            let due = inner.deps.db.read(Place::Moves, move |tx| rows::due(tx, id, now, most)).await?;
            let free = due.into_iter().filter(|mailbox| !busy.contains_key(&mailbox.id));
            for mailbox in free.take(most - at_once).collect::<Vec<_>>() {
                if !inner.hold(mailbox.id, holder).await? {
                    continue;
                }
                busy.insert(mailbox.id, id);
                let (inner, source, of) = (inner.clone(), source.clone(), (id, mailbox.id));
                passes.spawn(async move {
                    inner.work(mailbox, source, holder).await;
                    of
                });
            }
        }
        Ok(())
    }
}

impl Inner {
    async fn hold(&self, id: u64, holder: i64) -> Result<bool> {
        let now = self.deps.clock.now();
        let until = Timestamp(now.0 + LEASE);
        self.deps.db.write(Place::Moves, Durability::Sync, move |tx| rows::hold(tx, id, holder, now, until)).await
    }

    /// Tells passes to stop at their next batch; those of one move, or all.
    pub(crate) fn stop_all(&self, of: Option<u64>) {
        let following = self.following.lock().unwrap_or_else(PoisonError::into_inner);
        let meant = following.values().filter(|one| of.is_none_or(|of| one.of == of));
        meant.for_each(|one| one.stopped.store(true, Ordering::Relaxed));
    }

    /// Stops the pass over a mailbox, and waits until it has ended.
    pub(crate) async fn stop_one(&self, id: u64) {
        let mut changed = self.changed.subscribe();
        loop {
            let one = self.following.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned();
            let Some(one) = one else { return };
            one.stopped.store(true, Ordering::Relaxed);
            if changed.changed().await.is_err() {
                return;
            }
        }
    }

    /// One mailbox, from its lease to what came of it.
    async fn work(self: &Arc<Self>, mailbox: Mailbox, source: Source, holder: i64) {
        let following = Arc::new(Following { of: mailbox.of, ..Following::default() });
        self.follow(mailbox.id, Some(following.clone()));
        let ended = {
            let working = self.pass(&mailbox, &source, &following);
            tokio::pin!(working);
            loop {
                tokio::select! {
                    ended = &mut working => break ended,
                    () = tokio::time::sleep(RENEW) => {
                        if !self.hold(mailbox.id, holder).await.unwrap_or(true) {
                            following.stopped.store(true, Ordering::Relaxed);
                        }
                    }
                }
            }
        };
        if let Err(error) = self.write_down(&mailbox, &following, ended).await {
            tracing::error!(error = error.chain(), login = mailbox.login, "the end of a pass could not be noted");
        }
        self.follow(mailbox.id, None);
        self.changed.send_modify(|count| *count += 1);
    }

    fn follow(&self, id: u64, one: Option<Arc<Following>>) {
        let mut following = self.following.lock().unwrap_or_else(PoisonError::into_inner);
        match one {
            Some(one) => following.insert(id, one),
            None => following.remove(&id),
        };
    }

    /// Opens a mailbox at its source.
    pub(crate) async fn open(&self, mailbox: &Mailbox, source: &Source) -> Result<Origin, Trouble> {
        let key = self.key_of(mailbox, source, false).await?;
        match Origin::open(source, &mailbox.login, key.as_ref()).await {
            // Tokens end before their time when passwords change.
            Err(Trouble::Login { kind: "wrong", .. }) if key.as_ref().is_some_and(|key| bearer(key).is_some()) => {
                let key = self.key_of(mailbox, source, true).await?;
                Origin::open(source, &mailbox.login, key.as_ref()).await
            }
            opened => opened,
        }
    }

    async fn pass(&self, mailbox: &Mailbox, source: &Source, following: &Following) -> Result<Outcome, Trouble> {
        let found = self.deps.directory.account(mailbox.account).await?;
        let account = found.ok_or_else(|| Trouble::Question("the account here is gone".into()))?;
        let work = Work { inner: self, mailbox, source, account, following };
        let mut origin = self.open(mailbox, source).await?;
        let outcome = match mailbox.task {
            Task::Check => {
                self.begin_pass(mailbox).await?;
                // Exchange lets logins in that may open nothing.
                origin.examine(b"INBOX").await?;
                Outcome::default()
            }
            Task::Last => turn::turn(&work, &mut origin).await?,
            Task::Return | Task::ReturnAfterLoss => turn::turn_back(&work, &mut origin).await?,
            Task::Trial | Task::Copy | Task::CopyAfterLoss => work.one_pass(&mut origin).await?,
        };
        origin.leave().await;
        Ok(outcome)
    }

    /// Counts a pass that begins; its number.
    pub(crate) async fn begin_pass(&self, mailbox: &Mailbox) -> Result<u32> {
        let id = mailbox.id;
        self.deps.db.write(Place::Moves, Durability::Sync, move |tx| rows::begin_pass(tx, id)).await
    }

    async fn write_down(
        &self,
        mailbox: &Mailbox,
        following: &Following,
        ended: Result<Outcome, Trouble>,
    ) -> Result<()> {
        let now = self.deps.clock.now();
        let [done, total, bytes] =
            [&following.done, &following.total, &following.bytes].map(|n| n.load(Ordering::Relaxed));
        let tries = if bytes > 0 { 0 } else { mailbox.tries };
        let (mut state, mut task, mut due, mut after, mut note) = (State::Settled, Task::Copy, Timestamp(0), 0, None);
        let is_well = ended.is_ok();
        let home = match mailbox.task {
            Task::Last if is_well => Some((Home::Here, if mailbox.cut.0 > 0 { mailbox.cut } else { now })),
            Task::Return | Task::ReturnAfterLoss if is_well => {
                Some((self.home_after_return(mailbox).await?, Timestamp(0)))
            }
            // Nobody is kept out until it works.
            Task::Last if mailbox.home != Home::Here => Some((Home::There, mailbox.cut)),
            _ => None,
        };
        let cut = home.map_or(mailbox.cut, |(_, cut)| cut);
        if is_well && matches!(mailbox.task, Task::Copy | Task::CopyAfterLoss) && self.turns_when_ready(mailbox).await?
        {
            (state, task, due) = (State::Waiting, Task::Last, now);
        } else if is_well && cut.0 > 0 {
            due = turn::next_sweep(cut, now);
        }
        match ended {
            Ok(_) if matches!(mailbox.task, Task::Check | Task::Trial) => state = State::Ready,
            Ok(outcome) if outcome.failed > 0 => {
                note = Some(format!("{} not handed out by the old server", outcome.failed))
            }
            Ok(_) => {}
            Err(Trouble::Stopped) => (state, task) = (State::Waiting, mailbox.task),
            Err(Trouble::Login { kind, why }) => (state, note) = (State::Refused, Some(format!("{kind}: {why}"))),
            Err(Trouble::Question(why)) => (state, task, note) = (State::Asking, mailbox.task, Some(why)),
            // A full disk or mailbox here says nothing of the old server: however often, it is no reason to doubt a message.
            Err(Trouble::Own(error)) => {
                (state, task, after) = (State::Waiting, mailbox.task, tries.max(1));
                due = Timestamp(now.0 + OWN);
                note = Some(error.chain());
                tracing::warn!(login = mailbox.login, error = error.chain(), "a pass ended early; it goes on later");
            }
            Err(trouble) => {
                let pause =
                    if let Trouble::Later { pause: Some(pause), .. } = &trouble { pause.as_millis() as i64 } else { 0 };
                (state, task, after) = (State::Waiting, mailbox.task, tries + 1);
                due = Timestamp(now.0 + pause.max(self.backoff(tries)));
                note = Some(trouble.words());
                tracing::info!(login = mailbox.login, why = trouble.words(), "a pass ended early; it goes on later");
            }
        }
        let (id, of, all) = (mailbox.id, mailbox.of, mailbox.bytes + bytes);
        let is_late = mailbox.cut.0 > 0 && mailbox.task == Task::Copy && bytes > 0;
        let work = move |tx: &mut anser_db::Tx<'_>| {
            if rows::state(tx, id)? == Some(State::Abandoned) {
                return Ok(());
            }
            rows::progress(tx, id, done, total, all)?;
            if is_late {
                rows::change_gates(tx, of, |gates| gates.late = Some(now.0))?;
            }
            home.map_or(Ok(()), |(home, cut)| rows::set_home(tx, id, home, cut))?;
            rows::set_state(tx, id, &Standing { state, task, note: note.as_deref(), due, tries: after })
        };
        let written = self.deps.db.write(Place::Moves, Durability::Sync, work).await;
        self.everybody.changed();
        written
    }

    /// Whether a mailbox that was brought as a whole turns by itself.
    async fn turns_when_ready(&self, mailbox: &Mailbox) -> Result<bool> {
        Ok(self.home(mailbox.id).await? == Some(Home::There) && self.passing_of(mailbox).await? == Passing::UntilReady)
    }

    async fn home_after_return(&self, mailbox: &Mailbox) -> Result<Home> {
        let is_off = self.move_of(mailbox).await?.is_none_or(|of| of.passing == Passing::Off);
        Ok(if is_off { Home::Here } else { Home::There })
    }

    async fn passing_of(&self, mailbox: &Mailbox) -> Result<Passing> {
        Ok(self.move_of(mailbox).await?.map_or(Passing::Off, |of| of.passing))
    }

    pub(crate) async fn move_of(&self, mailbox: &Mailbox) -> Result<Option<Move>> {
        let of = mailbox.of;
        self.deps.db.read(Place::Moves, move |tx| rows::move_by_id(tx, of)).await
    }

    /// Twice as long after each failure, give or take a fifth, so that a thousand mailboxes do not come back at once.
    fn backoff(&self, tries: u32) -> i64 {
        let (first, longest) = PAUSES;
        let pause = first.saturating_mul(1 << tries.min(20)).min(longest);
        pause - pause / 5 + self.deps.entropy.below(pause as u64 * 2 / 5 + 1) as i64
    }
}

/// One mailbox under work: what a pass over it needs, beside the connection.
pub(crate) struct Work<'a> {
    pub inner: &'a Inner,
    pub mailbox: &'a Mailbox,
    pub source: &'a Source,
    /// The account here.
    pub account: Arc<Account>,
    pub following: &'a Following,
}

impl Work<'_> {
    /// Goes over everything once.
    pub async fn one_pass(&self, origin: &mut Origin) -> Result<Outcome, Trouble> {
        let (inner, mailbox, account) = (self.inner, self.mailbox, &self.account);
        let number = inner.begin_pass(mailbox).await?;
        if mailbox.home != Home::Here {
            turn::stay_ahead(inner, account.id, origin).await?;
        }
        let pass = Pass {
            store: inner.deps.store.clone(),
            tenant: account.tenant,
            account: account.id,
            id: mailbox.id,
            profile: profile::of_source(self.source),
            number,
            limit: (mailbox.task == Task::Trial).then_some(TRIAL),
            quota: (self.account.quota_bytes > 0).then_some(self.account.quota_bytes),
            losses_are_meant: mailbox.task == Task::CopyAfterLoss,
            careful: mailbox.tries >= CAREFUL,
            watch: self.following,
        };
        inner.deps.store.ensure(account.id).await?;
        pass.run(origin).await
    }
}

/// A move, or a mailbox of it, that is not there.
pub(crate) fn unknown(what: &str) -> Error {
    Error::new(Class::NotFound, format!("there is no {what}"), format!("没有 {what}"))
}
