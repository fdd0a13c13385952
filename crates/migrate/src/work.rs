//! One mailbox under work: its source is opened, a pass goes over it, and what that came to is written down.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use anser_base::{AccountId, Class, Error, Result, Timestamp};
use anser_db::{Durability, Place};
use anser_directory::{Account, AccountState};
use anser_net::serve::words_of;
use anser_store::{LedgerState, MailTx};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::history::{self, Run};
use crate::model::{Home, Mailbox, Move, Passing, Priority, Source, State, Task};
use crate::overlap;
use crate::own::{self, rows::Own};
use crate::pass::{Names, Outcome, Pass, Places};
use crate::profile;
use crate::reach;
use crate::rows::{self, Standing};
use crate::run::Following;
use crate::source::{Allowance, Origin, Spaces, UNCOMMITTED};
use crate::throttle;
use crate::trouble::Trouble;
use crate::{Inner, turn};

/// The first pause after a failure, and the longest, in milliseconds.
const PAUSES: (i64, i64) = (2_000, 3_600_000);
/// The longest pause that an old server may ask for, in milliseconds.
const ASKED: i64 = 24 * 3_600_000;
/// The first pause after trouble of our own, which somebody has to mend, and the longest, in milliseconds.
const OWN_PAUSES: (i64, i64) = (60_000, 3_600_000);
/// How long a person's own move waits whose account is suspended or removed.
const UNUSED: Duration = Duration::from_secs(3_600);
/// How long it waits while the organisation's mail for the account comes first.
const BEHIND: Duration = Duration::from_secs(600);
/// After how long folders are tried again that the old server does not open.
const SHUT: Duration = Duration::from_secs(6 * 3_600);
/// Failures in a row after which a pass asks for one message at a time.
pub(crate) const CAREFUL: u32 = 2;
/// Failures in a row after which a server that asks for patience at one folder or message does so for ever.
const PATIENT: u32 = 24;
/// Between two logins at a server that are only tried.
const CHECK: Duration = Duration::from_millis(250);
/// How long a mailbox is left alone that was open before and can no longer be.
const CARRIED: Duration = Duration::from_secs(900);
/// Messages of each folder in a trial.
const TRIAL: u64 = 10;

impl Inner {
    /// Opens a mailbox at its source.
    pub(crate) async fn open(&self, mailbox: &Mailbox, source: &Source) -> Result<Origin, Trouble> {
        let mut entry = self.entry(mailbox, source).await?;
        loop {
            let opened = Origin::open(source, entry.login.clone(), entry.secret.as_ref()).await;
            if let Some(opened) = self.entered(mailbox, source, &mut entry, opened).await? {
                return Ok(opened);
            }
        }
    }

    /// Opens a mailbox once more while it is open: a login that is refused then is one too many, and says nothing of the secret.
    pub(crate) async fn open_once_more(&self, mailbox: &Mailbox, source: &Source) -> Result<Origin, Trouble> {
        let (id, login) = (source.id, mailbox.login.clone());
        // The first login may have found out in which octets its password is said.
        let now = self.deps.db.read(Place::Moves, move |tx| rows::mailbox_of_login(tx, id, &login)).await?;
        let mailbox = now.as_ref().unwrap_or(mailbox);
        let mut entry = self.entry(mailbox, source).await?;
        match Origin::open(source, entry.login.clone(), entry.secret.as_ref()).await {
            Err(Trouble::Login { why, .. }) => Err(Trouble::lost(why)),
            opened => {
                let opened = self.entered(mailbox, source, &mut entry, opened).await?;
                opened.ok_or_else(|| Trouble::lost("not let in once more"))
            }
        }
    }

    /// What a mailbox gave up is tried as if it never was: a person says that it may go well now.
    pub(crate) async fn try_anew(&self, mailbox: &Mailbox) -> Result<()> {
        let (id, whose) = (mailbox.id, mailbox.clone());
        let forget = move |tx: &mut anser_db::Tx<'_>| Self::forget_refusal(tx, &whose);
        self.deps.db.write(Place::Moves, Durability::Sync, forget).await?;
        if mailbox.pass == 0 {
            return Ok(());
        }
        self.deps.store.write(mailbox.account, Durability::Sync, move |tx| tx.try_ledger_anew(id)).await.map(drop)
    }

    /// A pass that reaches what it may: of a person's own move less than everything.
    pub(crate) async fn pass_as_allowed(
        &self,
        mailbox: &Mailbox,
        source: &Source,
        following: &Following,
    ) -> Result<Outcome, Trouble> {
        let (of, now) = (mailbox.of, self.deps.clock.now());
        let own = self.deps.db.read(Place::Moves, move |tx| own::rows::of_move(tx, of)).await?;
        if own.is_none() {
            return Box::pin(self.pass(mailbox, source, None, following)).await;
        }
        let begin = move |tx: &mut anser_db::Tx<'_>| own::rows::set_started(tx, of, now);
        self.deps.db.write(Place::Moves, Durability::Sync, begin).await?;
        reach::within(self.deps.allowed.clone(), Box::pin(self.pass(mailbox, source, own, following))).await
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
        if own.is_some() {
            // Nobody logs in elsewhere for whom nobody may log in here.
            if account.state != AccountState::Active {
                return Err(Trouble::NotYet { why: "the account here is not in use".into(), pause: UNUSED });
            }
            self.come_behind(account.id).await?;
        }
        let work = Work { inner: self, mailbox, source, account, own, following };
        if mailbox.task == Task::Check {
            self.wait_to_check(source).await;
        }
        let mut origin = self.open(mailbox, source).await?;
        let outcome = match mailbox.task {
            Task::Check => {
                self.begin_pass(mailbox).await?;
                // Exchange lets logins in that may open nothing.
                origin.examine(b"INBOX").await.map_err(|trouble| match trouble {
                    Trouble::Refused(why) => Trouble::Login { kind: "not-connected", why },
                    other => other,
                })?;
                Outcome::default()
            }
            Task::Last => turn::turn(&work, &mut origin).await?,
            Task::Return | Task::ReturnAfterLoss => turn::turn_back(&work, &mut origin).await?,
            Task::Trial | Task::Copy | Task::CopyAfterLoss => work.one_pass(&mut origin).await?,
        };
        origin.leave().await;
        Ok(outcome)
    }

    /// Logins that are only tried come to a server one after the other, with a pause between: many servers lock out whoever is quicker.
    async fn wait_to_check(&self, source: &Source) {
        let until = {
            let mut all = self.checks.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            all.retain(|_, next| *next > now);
            let next = all.entry((source.host.clone(), source.port)).or_insert(now);
            std::mem::replace(next, *next + CHECK)
        };
        tokio::time::sleep_until(until.into()).await;
    }

    /// A person's own mail comes behind the organisation's, which brings its UIDs: nobody else may have used the mailboxes before.
    async fn come_behind(&self, account: AccountId) -> Result<(), Trouble> {
        for mailbox in self.deps.db.read(Place::Moves, move |tx| rows::unfinished(tx, account)).await? {
            let id = mailbox.id;
            let folders = match mailbox.pass {
                0 => Vec::new(),
                _ => self.deps.store.read(account, move |tx| tx.ledger_folders(id)).await?,
            };
            // Where sessions still go to the old server, it goes on giving UIDs.
            if mailbox.home != Home::Here || folders.is_empty() || folders.iter().any(|folder| folder.uidnext == 0) {
                let why = format!("{}: the organisation's move into this account is not finished", own::BEHIND);
                return Err(Trouble::NotYet { why, pause: BEHIND });
            }
        }
        Ok(())
    }

    /// Keeps what an old server told of whose folders are: who rehearses the way back does not ask it.
    async fn note_spaces(&self, id: u64, spaces: Spaces) -> Result<()> {
        if self.deps.db.read(Place::Moves, move |tx| rows::spaces(tx, id)).await?.as_ref() == Some(&spaces) {
            return Ok(());
        }
        self.deps.db.write(Place::Moves, Durability::Sync, move |tx| rows::set_spaces(tx, id, &spaces)).await
    }

    /// Counts a pass that begins; its number.
    pub(crate) async fn begin_pass(&self, mailbox: &Mailbox) -> Result<u32> {
        let id = mailbox.id;
        self.deps.db.write(Place::Moves, Durability::Sync, move |tx| rows::begin_pass(tx, id)).await
    }

    /// What a pass came to, and what comes next; nothing when its lease was lost meanwhile: what is with the mailbox is then for others to
    /// say.
    pub(crate) async fn write_down(
        &self,
        mailbox: &Mailbox,
        holder: i64,
        following: &Following,
        ended: Result<Outcome, Trouble>,
    ) -> Result<()> {
        let now = self.deps.clock.now();
        let put_off = following.put_off.lock().unwrap_or_else(PoisonError::into_inner).take();
        let ended = match (ended, put_off) {
            (Err(Trouble::Stopped), Some((why, pause))) => Err(Trouble::NotYet { why, pause }),
            (ended, _) => ended,
        };
        if let (Err(trouble @ Trouble::Later { .. }), Some(host)) = (&ended, &following.host)
            && throttle::is_too_much(&trouble.words())
        {
            self.throttle.refused(&host.source, now);
        }
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
        // What the old server did not open may be open later.
        if let Ok(outcome) = &ended
            && own.is_none()
            && state == State::Settled
            && !outcome.shut.is_empty()
            && !matches!(mailbox.task, Task::Return | Task::ReturnAfterLoss)
        {
            let again = now.after(SHUT);
            due = if due.0 > 0 { due.min(again) } else { again };
        }
        let ended = match ended {
            // Of a mailbox that could be opened before it passes: Exchange says so while it carries one to another of its servers.
            Err(Trouble::Login { kind: "not-connected", why })
                if mailbox.bytes + bytes > 0 && mailbox.tries < PATIENT && mailbox.task != Task::Check =>
            {
                Err(Trouble::Later { why, pause: Some(CARRIED) })
            }
            ended => ended,
        };
        let had_its_turn = following.had_its_turn.load(Ordering::Relaxed);
        // A login that is refused went over nothing: whether the first pass is behind a move is told by this.
        let is_over = own.is_some() && is_well;
        let lets_own_come = own.is_none() && is_well;
        match ended {
            Ok(_) if matches!(mailbox.task, Task::Check | Task::Trial) => state = State::Ready,
            Ok(outcome) => note = outcome.note(),
            // Whoever waits since before comes first.
            Err(Trouble::Stopped) => {
                (state, task, due) = (State::Waiting, mailbox.task, now);
                note = had_its_turn.then(|| format!("{}: others wait", own::TURN));
            }
            // Nothing failed: it is no reason to doubt a message.
            Err(Trouble::NotYet { why, pause }) => {
                (state, task, after, due) = (State::Waiting, mailbox.task, mailbox.tries, now.after(pause));
                note = Some(why);
            }
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
        let (id, account, all) = (mailbox.id, mailbox.account, mailbox.bytes + bytes);
        // The account may be gone by now.
        let tally = self.deps.store.read(account, move |tx| tx.ledger_tally(id, None)).await.ok();
        let tally = tally.map(|tally| tally.rows);
        // Looks for late mail that find none would push everything else out.
        let is_told = own.is_none() && !(is_well && mailbox.cut.0 > 0 && mailbox.task == Task::Copy && bytes == 0);
        let (began, ran) = (following.began, mailbox.task);
        let was_brought = is_well && !matches!(ran, Task::Check | Task::Trial);
        let is_whole = is_well && matches!(ran, Task::Copy | Task::CopyAfterLoss | Task::Last);
        let whole = is_whole.then(|| now.since(began));
        // A pass that was killed before told nobody what it brought.
        // What was not handed out for the first time is as new to a proof as what came.
        let (before, failed) = (mailbox.tally.unwrap_or_default(), LedgerState::Failed as usize);
        let is_more = |rows: [u64; 6]| brought(rows) > brought(before) || rows[failed] > before[failed];
        let has_brought = bytes > 0 || tally.is_some_and(is_more);
        let added = tally.and_then(|rows| serde_json::to_string(&rows).ok());
        let is_late = mailbox.cut.0 > 0 && mailbox.task == Task::Copy && bytes > 0;
        let work = move |tx: &mut anser_db::Tx<'_>| {
            if !rows::is_held(tx, id, holder)? {
                return Ok(());
            }
            rows::progress(tx, id, done, total, all)?;
            rows::set_tally(tx, id, added.as_deref())?;
            history::remember(tx, id, now, whole, has_brought)?;
            if was_brought {
                rows::set_usual(tx, id)?;
            }
            if is_told {
                let (messages, note) = (done, note.as_deref());
                history::put(tx, &Run { mailbox: id, task: ran, began, ended: now, messages, bytes, state, note })?;
            }
            if is_over {
                own::rows::set_ended(tx, of, now)?;
            }
            if is_late {
                rows::change_gates(tx, of, |gates| gates.late = Some(now.0))?;
            }
            home.map_or(Ok(()), |(home, cut)| rows::set_home(tx, id, home, cut))?;
            if lets_own_come {
                rows::set_due_behind(tx, account, now)?;
            }
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
        inner.deps.store.ensure(account.id).await?;
        let allowance = match self.own {
            // An organisation that moves in brings everything, and is told of who is above their quota then.
            None => Allowance::within(None, 0, u64::MAX, self.following.came.clone()),
            Some(_) => {
                let quota = Some(account.quota_bytes).filter(|quota| *quota > 0);
                let used = inner.deps.store.read(account.id, used).await?;
                Allowance::within(quota, used, UNCOMMITTED, self.following.came.clone())
            }
        };
        let reopen =
            || -> BoxFuture<'_, Result<Origin, Trouble>> { Box::pin(inner.open_once_more(mailbox, self.source)) };
        // Its owner's sessions come from here too, and who waits for it outside of hours is brought by one.
        let is_alone = self.following.yields && self.following.priority == Priority::Awaited;
        let beside = || {
            let is_alone = is_alone || inner.passing.has_any(mailbox.id);
            if is_alone { None } else { inner.spare(self.source) }
        };
        let pass = Pass {
            store: inner.deps.store.clone(),
            tenant: account.tenant,
            account: account.id,
            id: mailbox.id,
            profile: profile::of_source(self.source),
            number,
            limit: (mailbox.task == Task::Trial).then_some(TRIAL),
            allowance,
            places: self.places().await?,
            read: inner.read.clone(),
            names: Names::default(),
            overlap: (mailbox.home == Home::Here && mailbox.cut.0 > 0)
                .then(|| Timestamp(mailbox.cut.0 - overlap::BEFORE)),
            losses_are_meant: mailbox.task == Task::CopyAfterLoss,
            rule: inner.rule_for(mailbox, self.source).await?,
            careful: mailbox.tries >= CAREFUL,
            patient: mailbox.tries < PATIENT,
            reopen: Some(&reopen),
            // Persons' own moves take what the organisation leaves them.
            beside: self.own.is_none().then_some(&beside as _),
            choice: self.own.as_ref().map(|own| own.choice.clone()).unwrap_or_default(),
            watch: self.following,
        };
        let outcome = pass.run(origin).await?;
        if let Origin::Imap(imap) = origin
            && let Some(spaces) = imap.told_spaces()
        {
            inner.note_spaces(mailbox.id, spaces.clone()).await?;
        }
        if self.own.is_some() {
            let (of, left) = (mailbox.of, outcome.left.clone());
            let note = move |tx: &mut anser_db::Tx<'_>| own::rows::set_left(tx, of, &left);
            inner.deps.db.write(Place::Moves, Durability::Sync, note).await?;
        }
        inner.read.forget(account.id);
        let used = inner.deps.store.read(account.id, used).await?;
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

/// Messages that were ever brought, or found here, of what a ledger adds up to.
fn brought(rows: [u64; 6]) -> u64 {
    let states = [LedgerState::Copied, LedgerState::Adopted, LedgerState::Gone, LedgerState::Removed];
    states.iter().map(|state| rows[*state as usize]).sum()
}

fn used(tx: &mut MailTx<'_, '_>) -> Result<u64> {
    Ok(tx.used())
}

/// What work comes to; when it panics, trouble of our own: its mailbox must not stay under a lease that nobody gives back.
pub(crate) async fn unless_it_panics<T>(work: impl Future<Output = Result<T, Trouble>>) -> Result<T, Trouble> {
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(ended) => ended,
        Err(panic) => {
            let words = words_of(&*panic);
            tracing::error!(panic = words, "a pass panicked");
            Err(Trouble::Own(Error::new(
                Class::Unavailable,
                format!("a pass ended by a mistake of this program: {words}"),
                format!("本程序出错，本次迁移中断：{words}"),
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_trouble_of_our_own_in_words() {
        let work = async { if Timestamp(0).0 == 0 { panic!("of {}", "a test") } else { Ok(()) } };
        match unless_it_panics(work).await {
            Err(Trouble::Own(error)) => assert!(error.chain().contains("mistake of this program: of a test")),
            other => panic!("{other:?}"),
        }
        unless_it_panics(async { Ok(()) }).await.unwrap();
    }
}
