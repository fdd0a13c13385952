//! Who works on what: mailboxes that are due are taken under a lease, a few of each old server at a time. A process that dies lets its
//! leases run out; whoever looks next goes on.

mod following;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anser_base::{AccountId, Class, Error, Result, Timestamp};
use anser_db::{Durability, Place, Tx};
use anser_net::Shutdown;
use tokio::task::JoinSet;

use crate::model::{Mailbox, Priority, Source, Task};
use crate::own;
use crate::rows;
use crate::throttle::{self, is_same_host};
use crate::work::unless_it_panics;
use crate::{Inner, Migrate, halt, hours, kept};

pub(crate) use following::{CRAWLS, Following};

/// How long a lease lasts, in milliseconds.
const LEASE: i64 = 45_000;
/// How often it is renewed.
const RENEW: Duration = Duration::from_secs(15);
/// How often due mailboxes are looked for when nothing is heard.
const LOOK: Duration = Duration::from_secs(30);
/// Persons' own moves that are worked on at once: while no organisation's is, and while one is.
const OF_PERSONS: (usize, usize) = (4, 1);
/// Octets that come in so many milliseconds at least where others wait, a message that is looked at counted as well.
const FLOOR: (u64, i64) = (256 * 1024, 10 * 60_000);
/// How soon it is looked again at the least: where somebody waits for a place, whoever ends a pass is heard anyway.
const SOON: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(1));
/// Mailboxes that are looked at beyond those which an old server has room for: of those whose owners wait only one may have its turn.
const AWAITED: usize = 50;

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
        let (mut busy, mut looked) = (Busy::default(), None);
        loop {
            let now = self.inner.deps.clock.now();
            if looked.is_none_or(|at| now.since(at) >= kept::LOOK) {
                looked = Some(now);
                if let Err(error) = self.inner.forget_old_secrets().await {
                    tracing::error!(error = error.chain(), "secrets whose time is over could not be looked for");
                }
            }
            if let Err(error) = self.take_due(holder, &mut passes, &mut busy).await {
                tracing::error!(error = error.chain(), "mailboxes that are due could not be looked for");
            }
            let next = async {
                tokio::select! {
                    () = self.inner.stirred.notified() => None,
                    Some(ended) = passes.join_next() => ended.ok(),
                    () = self.until_due(busy.is_full) => None,
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

    async fn until_due(&self, is_full: bool) {
        let next = self.inner.deps.db.read(Place::Moves, rows::next_due).await.ok().flatten();
        let now = self.inner.deps.clock.now();
        let pause = next.map_or(LOOK, |due| due.since(now)).clamp(if is_full { SOON.1 } else { SOON.0 }, LOOK);
        tokio::time::sleep(pause).await;
    }

    async fn take_due(&self, holder: i64, passes: &mut JoinSet<(u64, u64)>, busy: &mut Busy) -> Result<()> {
        let inner = &self.inner;
        let now = inner.deps.clock.now();
        let closed = self.keep_hours(now).await?;
        busy.is_full = false;
        inner.end_crawling(now, &busy.persons);
        for source in inner.deps.db.read(Place::Moves, move |tx| rows::due_sources(tx, now)).await? {
            let id = source.id;
            let count = |is_meant: &dyn Fn(&Source) -> bool| busy.passes.values().filter(|of| is_meant(of)).count();
            let (at_host, here) = (count(&|of| is_same_host(of, &source)), count(&|of| of.id == id));
            let cap = throttle::cap(&source) as usize;
            let live = inner.progress_at(&source);
            let most = inner.throttle.most(&source, now, at_host as u32, live) as usize;
            // Outside of its hours an old server is asked for one mailbox at a time, and the others for which somebody waits keep no act.
            let is_closed = closed.iter().any(|closed| closed.source == Some(id));
            let mut slow = is_closed && inner.is_any(|one| one.source == id && one.yields);
            busy.is_full |= slow;
            // Of these some may be under way here, under a lease that a slow disk let run out.
            let due = move |tx: &mut Tx<'_>| rows::due(tx, id, now, slow, cap + AWAITED);
            let due = inner.deps.db.read(Place::Moves, due).await?;
            // Others became due since it was looked what is closed: they are held back the next time.
            let is_kept = |mailbox: &Mailbox| closed.iter().any(|closed| closed.keeps(mailbox));
            let free = due.into_iter().filter(|mailbox| !busy.passes.contains_key(&mailbox.id) && !is_kept(mailbox));
            // No source of a host waits for the others of it.
            let spare = inner.throttle.spare(&source) as usize;
            let mut left =
                most.saturating_sub(at_host + spare).min(cap.saturating_sub(here)).max(usize::from(here == 0));
            let mut beyond = cap.saturating_sub(here + spare + left);
            for mailbox in free.collect::<Vec<_>>() {
                let is_awaited = mailbox.priority == Priority::Awaited && is_brought(&mailbox);
                if is_closed && is_awaited && std::mem::replace(&mut slow, true) {
                    busy.is_full = true;
                    continue;
                }
                match (left, beyond) {
                    (1.., _) => left -= 1,
                    // Nobody has to wait for what is only learned.
                    (0, 1..) if is_awaited => beyond -= 1,
                    _ => {
                        if is_awaited {
                            inner.give_way(id);
                        }
                        inner.throttle.waits(&source, now);
                        busy.is_full = true;
                        break;
                    }
                }
                self.take(mailbox, source.clone(), holder, passes, busy).await?;
            }
        }
        self.take_persons(holder, passes, busy).await
    }

    /// Persons' own moves, behind those of the organisation: a few, and one of each account.
    async fn take_persons(&self, holder: i64, passes: &mut JoinSet<(u64, u64)>, busy: &mut Busy) -> Result<()> {
        let now = self.inner.deps.clock.now();
        let most = if busy.passes.len() > busy.persons.len() { OF_PERSONS.1 } else { OF_PERSONS.0 };
        // Some of these may be of accounts that one is under way of already.
        let limit = OF_PERSONS.0 * (1 + own::MOVES);
        let due = self.inner.deps.db.read(Place::Moves, move |tx| rows::due_of_persons(tx, now, limit)).await?;
        let mut waiting = HashSet::new();
        for (mailbox, source) in due {
            let (id, account) = (mailbox.id, mailbox.account);
            if busy.persons.values().any(|one| one.account == account) || busy.passes.contains_key(&id) {
                continue;
            }
            let at_host = |of: &u64| busy.passes.get(of).is_some_and(|other| is_same_host(other, &source));
            let is_first = !busy.persons.keys().any(at_host);
            let has_room = is_first
                || self.inner.throttle.has_room(&source, now, busy.passes.keys().filter(|id| at_host(id)).count());
            busy.is_full |= !has_room;
            if busy.persons.len() >= most || !has_room {
                waiting.insert(account);
            } else if self.take(mailbox, source, holder, passes, busy).await? {
                let looked = (now, 0);
                busy.persons.insert(id, Person { account, began: now, looked });
            }
        }
        self.inner.end_turns(busy, now, waiting.len());
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
        busy.passes.insert(mailbox.id, source.clone());
        let (inner, of) = (self.inner.clone(), (source.id, mailbox.id));
        // At once: whoever is looked for next has to find it.
        let following = Arc::new(Following::new(&mailbox, &source, &inner));
        inner.follow(mailbox.id, Some(following.clone()));
        passes.spawn(async move {
            inner.work(mailbox, source, holder, following).await;
            of
        });
        Ok(true)
    }
}

/// Passes under way of this process.
#[derive(Default)]
struct Busy {
    /// The source of each mailbox.
    passes: HashMap<u64, Source>,
    /// Mailboxes are due for which there is no place.
    is_full: bool,
    /// Of these, mailboxes of persons' own moves.
    persons: HashMap<u64, Person>,
}

/// A pass of a person's own move.
struct Person {
    account: AccountId,
    began: Timestamp,
    /// When it was last looked how far it is, and how far it was.
    looked: (Timestamp, u64),
}

impl Busy {
    fn ended(&mut self, source: u64, mailbox: u64) {
        self.passes.retain(|known, of| *known != mailbox || of.id != source);
        self.persons.remove(&mailbox);
    }
}

impl Inner {
    async fn hold(&self, id: u64, holder: i64) -> Result<bool> {
        let now = self.deps.clock.now();
        let until = Timestamp(now.0 + LEASE);
        self.deps.db.write(Place::Moves, Durability::Sync, move |tx| rows::hold(tx, id, holder, now, until)).await
    }

    /// Ends passes of persons' own moves that had their turn, or come forward too slowly, for as many as wait.
    fn end_turns(&self, busy: &mut Busy, now: Timestamp, waiting: usize) {
        let (mut ended, mut over) = (0, Vec::new());
        for (id, person) in &mut busy.persons {
            let Some(pass) = self.followed(*id) else { continue };
            let (since, before) = person.looked;
            let progress = pass.progress();
            let is_slow = now.0 - since.0 >= FLOOR.1 && progress - before < FLOOR.0;
            if now.0 - since.0 >= FLOOR.1 && !is_slow {
                person.looked = (now, progress);
            }
            if pass.had_its_turn.load(Ordering::Relaxed) {
                ended += 1;
            } else if is_slow || pass.is_over(now.0 - person.began.0) {
                over.push((person.began, pass));
            }
        }
        over.sort_by_key(|(began, _)| *began);
        for (_, pass) in over.into_iter().take(waiting.saturating_sub(ended)) {
            pass.had_its_turn.store(true, Ordering::Relaxed);
            pass.stop();
        }
    }

    /// One mailbox, from its lease to what came of it.
    async fn work(self: &Arc<Self>, mailbox: Mailbox, source: Source, holder: i64, following: Arc<Following>) {
        // Only now does whoever takes it out of the move find it under way: it may have been before.
        if !self.hold(mailbox.id, holder).await.unwrap_or(false) {
            return self.unfollow(mailbox.id, &following);
        }
        self.count_day(&mailbox, &following).await;
        let ended = {
            // Boxed, since each layer around it would hold room for it twice.
            let working = Box::pin(self.pass_as_allowed(&mailbox, &source, &following));
            let working = async {
                match mailbox.task {
                    // What is given to the old server is not left in the middle.
                    Task::Return | Task::ReturnAfterLoss => working.await,
                    _ => halt::until(following.stopped.subscribe(), working).await,
                }
            };
            let working = unless_it_panics(working);
            tokio::pin!(working);
            loop {
                tokio::select! {
                    ended = &mut working => break ended,
                    () = tokio::time::sleep(RENEW) => {
                        if !self.hold(mailbox.id, holder).await.unwrap_or(true) {
                            following.stop();
                        }
                        self.count_day(&mailbox, &following).await;
                    }
                }
            }
        };
        self.count_day(&mailbox, &following).await;
        if let Err(error) = self.write_down(&mailbox, holder, &following, ended).await {
            tracing::error!(error = error.chain(), login = mailbox.login, "the end of a pass could not be noted");
        }
        self.unfollow(mailbox.id, &following);
    }

    /// Counts what came for the day, and stops the pass where that was enough of the mailbox or of its source.
    async fn count_day(&self, mailbox: &Mailbox, following: &Following) {
        let Some(host) = &following.host else { return };
        let now = self.deps.clock.now();
        let came = following.came.load(Ordering::Relaxed);
        let more = came.saturating_sub(following.counted.swap(came, Ordering::Relaxed));
        let (id, source) = (mailbox.id, host.source.clone());
        let count = move |tx: &mut Tx<'_>| hours::count(tx, id, &source, more, now);
        match self.deps.db.write(Place::Moves, Durability::Sync, count).await {
            Ok(Some((why, until))) if following.yields => following.put_off(why, until.since(now)),
            Ok(_) => {}
            Err(error) => tracing::warn!(error = error.chain(), "what came today could not be counted"),
        }
    }
}

/// Whether the next pass over a mailbox is one of those by which it is brought: a whole one before the cut-over.
pub(crate) fn is_brought(mailbox: &Mailbox) -> bool {
    matches!(mailbox.task, Task::Copy | Task::CopyAfterLoss) && mailbox.cut.0 == 0
}

/// A move, or a mailbox of it, that is not there.
pub(crate) fn unknown(what: &str) -> Error {
    Error::new(Class::NotFound, format!("there is no {what}"), format!("没有 {what}"))
}
