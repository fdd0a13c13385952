//! Who works on what: mailboxes that are due are taken under a lease, a few of each old server at a time, and what their passes come to
//! is written down. A process that dies lets its leases run out; whoever looks next goes on.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use anser_base::{AccountId, Class, Error, Result, Timestamp};
use anser_db::{Durability, Place};
use anser_directory::{Account, AccountState};
use anser_net::Shutdown;
use tokio::task::JoinSet;

use crate::model::{Home, Mailbox, Move, Passing, Source, State, Task};
use crate::oauth::bearer;
use crate::own::{self, rows::Own};
use crate::pass::{Outcome, Pass, Places, Watcher};
use crate::profile;
use crate::reach;
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
/// The longest pause that an old server may ask for, in milliseconds.
const ASKED: i64 = 24 * 3_600_000;
/// The first pause after trouble of our own, which somebody has to mend, and the longest, in milliseconds.
const OWN_PAUSES: (i64, i64) = (60_000, 3_600_000);
/// Persons' own moves that are worked on at once: while no organisation's is, and while one is.
const OF_PERSONS: (usize, usize) = (4, 1);
/// How long a person's own move waits whose account is suspended or removed.
const UNUSED: Duration = Duration::from_secs(3_600);
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
        let mut busy = Busy::default();
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
                Some(Some((source, mailbox))) => busy.ended(source, mailbox),
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

    async fn take_due(&self, holder: i64, passes: &mut JoinSet<(u64, u64)>, busy: &mut Busy) -> Result<()> {
        let inner = &self.inner;
        let now = inner.deps.clock.now();
        for source in inner.deps.db.read(Place::Moves, move |tx| rows::due_sources(tx, now)).await? {
            let (id, most) = (source.id, source.connections as usize);
            let at_once = busy.passes.values().filter(|of| **of == id).count();
            if at_once >= most {
                continue;
            }
            // Of these some may be under way here, under a lease that a slow disk let run out.
            let due = inner.deps.db.read(Place::Moves, move |tx| rows::due(tx, id, now, most)).await?;
            let free = due.into_iter().filter(|mailbox| !busy.passes.contains_key(&mailbox.id));
            for mailbox in free.take(most - at_once).collect::<Vec<_>>() {
                self.take(mailbox, source.clone(), holder, passes, busy).await?;
            }
        }
        self.take_persons(holder, passes, busy).await
    }

    /// Persons' own moves, behind those of the organisation: a few, and one of each account.
    async fn take_persons(&self, holder: i64, passes: &mut JoinSet<(u64, u64)>, busy: &mut Busy) -> Result<()> {
        let now = self.inner.deps.clock.now();
        let most = if busy.passes.len() > busy.persons.len() { OF_PERSONS.1 } else { OF_PERSONS.0 };
        if busy.persons.len() >= most {
            return Ok(());
        }
        // Some of these may be of accounts that one is under way of already.
        let limit = most * (1 + own::MOVES);
        let due = self.inner.deps.db.read(Place::Moves, move |tx| rows::due_of_persons(tx, now, limit)).await?;
        for (mailbox, source) in due {
            let accounts: HashSet<AccountId> = busy.persons.values().copied().collect();
            if accounts.len() >= most {
                break;
            }
            if accounts.contains(&mailbox.account) || busy.passes.contains_key(&mailbox.id) {
                continue;
            }
            let (id, account) = (mailbox.id, mailbox.account);
            if self.take(mailbox, source, holder, passes, busy).await? {
                busy.persons.insert(id, account);
            }
        }
        Ok(())
    }

    /// Takes a mailbox under a lease and begins to work on it, unless another holder has it.
    async fn take(
        &self,
        mailbox: Mailbox,
        source: Source,
        holder: i64,
        passes: &mut JoinSet<(u64, u64)>,
        busy: &mut Busy,
    ) -> Result<bool> {
        if !self.inner.hold(mailbox.id, holder).await? {
            return Ok(false);
        }
        busy.passes.insert(mailbox.id, source.id);
        let (inner, of) = (self.inner.clone(), (source.id, mailbox.id));
        passes.spawn(async move {
            inner.work(mailbox, source, holder).await;
            of
        });
        Ok(true)
    }
}

/// Passes under way of this process.
#[derive(Default)]
struct Busy {
    /// The source of each mailbox.
    passes: HashMap<u64, u64>,
    /// Of these, mailboxes of persons' own moves, and whose they are.
    persons: HashMap<u64, AccountId>,
}

impl Busy {
    fn ended(&mut self, source: u64, mailbox: u64) {
        self.passes.retain(|known, of| *known != mailbox || *of != source);
        self.persons.remove(&mailbox);
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
        // Only now does whoever takes it out of the move find it under way: it may have been before.
        if !self.hold(mailbox.id, holder).await.unwrap_or(false) {
            return self.unfollow(mailbox.id);
        }
        let ended = {
            let working = self.pass_as_allowed(&mailbox, &source, &following);
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
        self.unfollow(mailbox.id);
    }

    fn unfollow(&self, id: u64) {
        self.follow(id, None);
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

    /// A pass that reaches what it may: of a person's own move less than everything.
    async fn pass_as_allowed(
        &self,
        mailbox: &Mailbox,
        source: &Source,
        following: &Following,
    ) -> Result<Outcome, Trouble> {
        let (of, now) = (mailbox.of, self.deps.clock.now());
        let begin = move |tx: &mut anser_db::Tx<'_>| {
            let own = own::rows::of_move(tx, of)?;
            if own.is_some() {
                own::rows::set_started(tx, of, now)?;
            }
            Ok(own)
        };
        match self.deps.db.write(Place::Moves, Durability::Sync, begin).await? {
            None => self.pass(mailbox, source, None, following).await,
            own => reach::within(self.deps.allowed.clone(), self.pass(mailbox, source, own, following)).await,
        }
    }

    async fn pass(
        &self,
        mailbox: &Mailbox,
        source: &Source,
        own: Option<Own>,
        following: &Following,
    ) -> Result<Outcome, Trouble> {
        let found = self.deps.directory.account(mailbox.account).await?;
        let account = found.ok_or_else(|| Trouble::Question("the account here is gone".into()))?;
        if own.is_some() && account.state != AccountState::Active {
            // Nobody logs in elsewhere for whom nobody may log in here.
            return Err(Trouble::Later { why: "the account here is not in use".into(), pause: Some(UNUSED) });
        }
        let work = Work { inner: self, mailbox, source, account, own, following };
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
        let of = mailbox.of;
        let own = self.deps.db.read(Place::Moves, move |tx| own::rows::of_move(tx, of)).await?;
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
        if is_well && let Some(own) = &own {
            task = Task::CopyAfterLoss;
            if let Some(next) = own.next(now) {
                (state, due) = (State::Waiting, next);
            }
        }
        if !matches!(ended, Err(Trouble::Own(_))) {
            self.own_trouble.lock().unwrap_or_else(PoisonError::into_inner).remove(&mailbox.id);
        }
        // A login that is refused went over nothing: whether the first pass is behind a move is told by this.
        let is_over = own.is_some() && is_well;
        match ended {
            Ok(_) if matches!(mailbox.task, Task::Check | Task::Trial) => state = State::Ready,
            Ok(outcome) => note = outcome.note(),
            Err(Trouble::Stopped) => (state, task) = (State::Waiting, mailbox.task),
            Err(Trouble::Login { kind, why }) => (state, note) = (State::Refused, Some(format!("{kind}: {why}"))),
            Err(Trouble::Question(why)) => (state, task, note) = (State::Asking, mailbox.task, Some(why)),
            // A full disk or mailbox here says nothing of the old server: however often, it is no reason to doubt a message.
            Err(Trouble::Own(error)) => {
                (state, task, after) = (State::Waiting, mailbox.task, tries.max(1));
                due = Timestamp(now.0 + self.own_pause(mailbox.id));
                let kind = if error.class == Class::OverQuota { own::FULL } else { own::OWN };
                note = Some(format!("{kind}: {}", error.chain()));
                tracing::warn!(login = mailbox.login, error = error.chain(), "a pass ended early; it goes on later");
            }
            Err(trouble) => {
                let asked =
                    if let Trouble::Later { pause: Some(pause), .. } = &trouble { pause.as_millis() } else { 0 };
                let pause = i64::try_from(asked).unwrap_or(ASKED).min(ASKED);
                (state, task, after) = (State::Waiting, mailbox.task, tries + 1);
                due = Timestamp(now.0 + pause.max(self.backoff(tries)));
                note = Some(trouble.words());
                tracing::info!(login = mailbox.login, why = trouble.words(), "a pass ended early; it goes on later");
            }
        }
        let (id, all) = (mailbox.id, mailbox.bytes + bytes);
        let is_late = mailbox.cut.0 > 0 && mailbox.task == Task::Copy && bytes > 0;
        let work = move |tx: &mut anser_db::Tx<'_>| {
            if rows::state(tx, id)? == Some(State::Abandoned) {
                return Ok(());
            }
            rows::progress(tx, id, done, total, all)?;
            if is_over {
                own::rows::set_ended(tx, of, now)?;
            }
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

    /// Twice as long after each time that this server was in trouble with a mailbox, since it started.
    fn own_pause(&self, id: u64) -> i64 {
        let mut all = self.own_trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let times = all.entry(id).or_default();
        let (first, longest) = OWN_PAUSES;
        let pause = first.saturating_mul(1 << (*times).min(20)).min(longest);
        *times = times.saturating_add(1);
        pause
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
    /// What makes it a person's own move.
    pub own: Option<Own>,
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
            // An organisation that moves in brings everything, and is told of who is above their quota then.
            quota: (self.own.is_some() && account.quota_bytes > 0).then_some(account.quota_bytes),
            places: self.places().await?,
            losses_are_meant: mailbox.task == Task::CopyAfterLoss,
            careful: mailbox.tries >= CAREFUL,
            watch: self.following,
        };
        inner.deps.store.ensure(account.id).await?;
        let outcome = pass.run(origin).await?;
        let used = inner.deps.store.read(account.id, |tx| Ok(tx.used())).await?;
        let over = Some(account.quota_bytes).filter(|quota| *quota > 0 && used > *quota);
        Ok(Outcome { over: over.map(|quota| (used, quota)), ..outcome })
    }

    /// Which mailboxes take the folders.
    async fn places(&self) -> Result<Places, Trouble> {
        match self.own.as_ref().map(|own| own.target) {
            None => Ok(Places::Theirs),
            Some(None) => Ok(Places::InUse),
            Some(Some(id)) => {
                let store = &self.inner.deps.store;
                store.ensure(self.account.id).await?;
                match store.read(self.account.id, move |tx| tx.has_mailbox(id)).await? {
                    true => Ok(Places::One(id)),
                    false => Err(Trouble::Question(own::NO_TARGET.into())),
                }
            }
        }
    }
}

/// A move, or a mailbox of it, that is not there.
pub(crate) fn unknown(what: &str) -> Error {
    Error::new(Class::NotFound, format!("there is no {what}"), format!("没有 {what}"))
}
