//! Rules over the mail of a mailbox as a job: slice by slice, from the newest message down, until none is left or somebody cancels it.
//!
//! ```text
//! start ─▶ Directory::note_job ─▶ MailTx::start_job ─▶ run ─▶ slice: scripts over some messages, then one transaction with
//!                                                               │    what they change, where the job is, and what to tell
//!                                                               └─▶ the journal is told ─▶ next slice
//! ```
//!
//! A kill between two slices loses nothing; one within a slice undoes it as a whole. The journal is told after the transaction and again
//! after a restart if nobody knows that it was: an event may be there twice, none is missing.

use std::sync::Arc;
use std::time::Duration;

use anser_base::pack::{Packer, Unpacker};
use anser_base::{AccountId, Class, Durability, Error, Result, Timestamp};
use anser_directory::Account;
use anser_journal::{Entry as Note, Journal, Origin as From, What};
use anser_sieve::{Origin, Taken};
use anser_store::{Entry, Job, JobState, MailTx, NewJob, Snapshot, Tally};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::Rules;
use super::existing::{MESSAGE, apply_to};

/// Messages of one slice.
const SLICE: usize = 100;
/// How long scripts run over the messages of one slice; at least one is looked at.
const SLICE_TIME: Duration = Duration::from_secs(2);
/// How long a job waits that could not go on, and how often jobs are looked for that another node left.
const AGAIN: Duration = Duration::from_secs(60);
/// How long a note of a job that never started is kept.
const NOTED: Duration = Duration::from_secs(3600);
/// Acts that the journal is told of one message, and bytes of each.
const ACTS: usize = 10;
const ACT: usize = 500;

/// What to do.
#[derive(Clone, Debug)]
pub struct Applying {
    /// The mailbox, from the top down.
    pub folder: Vec<String>,
    /// The newest so many messages of it; all without.
    pub last: Option<usize>,
    /// A script that runs alone; the account's own ones, as they are at each slice, without.
    pub script: Option<Vec<u8>>,
}

/// The jobs of the house; cheap to clone.
#[derive(Clone)]
pub struct Jobs {
    rules: Rules,
    journal: Journal,
    wake: Arc<Notify>,
}

/// What a slice came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// There may be more.
    More,
    /// Nothing of this account runs.
    Over,
}

/// One message and what its scripts ask for.
#[derive(Clone)]
struct Asked {
    uid: u32,
    actions: Arc<[Taken]>,
    failures: Vec<(String, Origin)>,
    is_skipped: bool,
}

/// What was done to a message: its UID, what, by which line.
type Told = (u32, String, Origin);

impl Jobs {
    pub(crate) fn new(rules: Rules, journal: Journal) -> Self {
        Self { rules, journal, wake: Arc::default() }
    }

    /// What runs the scripts.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Starts a job over the messages that are there now; durable when this returns. `Class::Exists` while the account has one that
    /// runs, `Class::NotFound` without such a mailbox.
    pub async fn start(&self, account: &Account, wanted: &Applying) -> Result<Job> {
        let store = &self.rules.deps.store;
        store.ensure(account.id).await?;
        if let Some(before) = self.job(account.id).await? {
            self.tell(account, &before).await?;
        }
        let mailbox = self.rules.mailbox_at(account, wanted.folder.clone()).await?;
        let snapshot = store.snapshot(account.id, mailbox).await?;
        let total = wanted.last.map_or(snapshot.len(), |last| last.min(snapshot.len()));
        let next = snapshot.last_uid().map_or(1, |uid| uid + 1);
        let first = snapshot.by_seq((snapshot.len() - total) as u32 + 1).map_or(next, |entry| entry.uid);
        let new = NewJob { mailbox, first, next, total: total as u64, script: wanted.script.clone() };
        self.rules.deps.directory.note_job(account.id).await?;
        let begin = move |tx: &mut MailTx<'_, '_>| {
            tx.start_job(&new)?;
            tx.job()
        };
        let job = store.write(account.id, Durability::Sync, begin).await?;
        self.wake.notify_one();
        job.ok_or_else(|| Error::damaged("a job that was just started"))
    }

    /// The account's job that runs, else its last one.
    pub async fn job(&self, account: AccountId) -> Result<Option<Job>> {
        self.rules.deps.store.read(account, |tx| tx.job()).await
    }

    /// Ends the account's job after the slice that is under way; what was done stays. Whether one ran.
    pub async fn cancel(&self, account: AccountId) -> Result<bool> {
        let end = |tx: &mut MailTx<'_, '_>| match tx.job()? {
            Some(job) => tx.end_job(job.started, JobState::Cancelled),
            None => Ok(false),
        };
        self.rules.deps.store.write(account, Durability::Sync, end).await
    }

    /// Works on one account's job until it has ended, where no server runs that would.
    pub async fn finish(&self, account: AccountId, mut progress: impl FnMut(&Job)) -> Result<()> {
        while self.slice(account).await? == Step::More {
            self.job(account).await?.iter().for_each(&mut progress);
        }
        self.clear().await.map(drop)
    }

    /// Works on all jobs, a slice of each in turn; never returns. Cancel-safe: it goes on where it was.
    pub async fn run(&self) {
        loop {
            match self.turn().await {
                Ok(true) => {}
                Ok(false) => {
                    let _ = tokio::time::timeout(AGAIN, self.wake.notified()).await;
                }
                Err(error) => {
                    tracing::warn!(error = error.chain(), "jobs wait");
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    /// A slice of each job. Whether any moved.
    async fn turn(&self) -> Result<bool> {
        let mut moved = false;
        for (account, _) in self.clear().await? {
            match self.slice(account).await {
                Ok(step) => moved |= step == Step::More,
                Err(error) => tracing::warn!(%account, error = error.chain(), "a job waits"),
            }
        }
        Ok(moved)
    }

    /// Forgets what was noted of jobs that have ended; what is left may run.
    async fn clear(&self) -> Result<Vec<(AccountId, Timestamp)>> {
        let deps = &self.rules.deps;
        let mut open = Vec::new();
        for (account, since) in deps.directory.noted_jobs().await? {
            let job = match deps.directory.account(account).await? {
                Some(_) => self.job(account).await?,
                None => None,
            };
            let is_old = since.after(NOTED) < deps.clock.now();
            match job {
                Some(job) if job.state == JobState::Running || !job.untold.is_empty() => open.push((account, since)),
                Some(job) if job.started >= since || is_old => deps.directory.forget_job(account, since).await?,
                None if is_old => deps.directory.forget_job(account, since).await?,
                // It is about to start.
                _ => {}
            }
        }
        Ok(open)
    }

    /// The next messages of a job.
    async fn slice(&self, account: AccountId) -> Result<Step> {
        let deps = &self.rules.deps;
        let known = deps.directory.account(account).await?;
        let found = deps.store.read(account, |tx| Ok((tx.job()?, tx.job_script()?))).await?;
        let (Some(account), (Some(job), script)) = (known, found) else { return Ok(Step::Over) };
        self.tell(&account, &job).await?;
        if job.state != JobState::Running {
            return Ok(Step::Over);
        }
        let snapshot = match deps.store.snapshot(account.id, job.mailbox).await {
            Err(error) if error.class == Class::NotFound => return self.end(&account, &job, JobState::Failed).await,
            other => other?,
        };
        let entries = newest(&snapshot, &job);
        if entries.is_empty() {
            return self.end(&account, &job, JobState::Done).await;
        }
        let asked = self.ask(&account, entries, script.as_deref()).await?;
        match self.apply(&account, &job, asked.clone()).await {
            Ok(()) => Ok(Step::More),
            // Cancelled, or another node took this slice: whoever asks next sees it.
            Err(error) if error.class == Class::Conflict => Ok(Step::More),
            Err(error) if is_of_a_message(&error) => self.one_by_one(&account, asked).await,
            Err(error) => Err(error),
        }
    }

    async fn end(&self, account: &Account, job: &Job, state: JobState) -> Result<Step> {
        let started = job.started;
        let end = move |tx: &mut MailTx<'_, '_>| tx.end_job(started, state);
        self.rules.deps.store.write(account.id, Durability::Sync, end).await?;
        Ok(Step::Over)
    }

    /// Runs the scripts over messages, newest first, until the slice's time is over.
    async fn ask(&self, account: &Account, entries: Vec<Entry>, script: Option<&[u8]>) -> Result<Vec<Asked>> {
        let until = Instant::now() + SLICE_TIME;
        let mut asked: Vec<Asked> = Vec::new();
        for entry in entries {
            if !asked.is_empty() && Instant::now() >= until {
                break;
            }
            let id = entry.message;
            let message = self.rules.deps.store.read(account.id, move |tx| tx.message(id)).await?;
            let mut one = Asked { uid: entry.uid, actions: Arc::new([]), failures: Vec::new(), is_skipped: true };
            if let Some(message) = message.filter(|message| message.size() <= MESSAGE) {
                match self.rules.rehearse_stored(account, &message, script).await {
                    Ok(outcome) => {
                        one.is_skipped = !outcome.failures.is_empty();
                        let failed = outcome.failures.into_iter();
                        one.failures = failed.map(|one| (format!("failed: {}", one.text.en), one.origin)).collect();
                        one.actions = outcome.actions.into();
                    }
                    Err(error) if !is_of_a_message(&error) => return Err(error),
                    Err(error) => {
                        tracing::warn!(account = %account.id, uid = entry.uid, error = error.chain(), "a job skips a message");
                    }
                }
            }
            asked.push(one);
        }
        Ok(asked)
    }

    /// One transaction: what scripts asked for, and where the job is then.
    async fn apply(&self, account: &Account, job: &Job, asked: Vec<Asked>) -> Result<()> {
        let Some(next) = asked.last().map(|one| one.uid) else { return Ok(()) };
        let job = job.clone();
        let work = move |tx: &mut MailTx<'_, '_>| {
            let (mut tally, mut told) = (Tally::default(), Vec::new());
            for one in &asked {
                let done = apply_to(tx, job.mailbox, one.uid, &one.actions)?;
                tally.looked += 1;
                tally.touched += u64::from(!done.is_empty());
                tally.skipped += u64::from(one.is_skipped);
                for (what, by) in one.failures.iter().cloned().chain(done).take(ACTS) {
                    told.push((one.uid, what, by));
                }
            }
            tx.advance_job(&job, next, tally, &pack(&told))
        };
        self.rules.deps.store.write(account.id, Durability::Sync, work).await
    }

    /// A slice whose transaction failed for what is in it: each message alone, and what cannot be done is skipped.
    async fn one_by_one(&self, account: &Account, asked: Vec<Asked>) -> Result<Step> {
        for one in asked {
            let Some(job) = self.job(account.id).await? else { return Ok(Step::Over) };
            self.tell(account, &job).await?;
            let uid = one.uid;
            match self.apply(account, &job, vec![one]).await {
                Ok(()) => {}
                Err(error) if error.class == Class::Conflict => return Ok(Step::More),
                Err(error) if !is_of_a_message(&error) => return Err(error),
                Err(error) => {
                    tracing::warn!(account = %account.id, uid, error = error.chain(), "a job skips a message");
                    let none = Asked { uid, actions: Arc::new([]), failures: Vec::new(), is_skipped: true };
                    self.apply(account, &job, vec![none]).await?;
                }
            }
        }
        Ok(Step::More)
    }

    /// Writes down what the last slice did, and that it was written down.
    async fn tell(&self, account: &Account, job: &Job) -> Result<()> {
        let told = unpack(&job.untold)?;
        let Some(last) = told.len().checked_sub(1) else { return Ok(()) };
        for (at, (uid, what, by)) in told.into_iter().enumerate() {
            let act = format!("{what}, to the stored message with UID {uid}");
            let (recipient, Origin { script, line, rule }) = (account.address.to_string(), by);
            let note = Note {
                origin: From::internal(),
                what: What::Filtered { entry: None, recipient, act, script, line, rule },
            };
            match at == last {
                true => self.journal.append_durable(note).await?,
                false => self.journal.append(note).await?,
            }
        }
        let job = job.clone();
        let write = move |tx: &mut MailTx<'_, '_>| tx.job_told(&job);
        self.rules.deps.store.write(account.id, Durability::Deferred, write).await
    }
}

/// Whether trying again would end the same way: it is this message that cannot be read or changed, not the machine that is in trouble.
fn is_of_a_message(error: &Error) -> bool {
    use Class::{Damaged, Exists, Invalid, Limit, NotFound, OverQuota};
    matches!(error.class, NotFound | Damaged | Invalid | Limit | Exists | OverQuota)
}

/// The next messages of a job, the newest first.
fn newest(snapshot: &Snapshot, job: &Job) -> Vec<Entry> {
    let below = snapshot.count_below(job.next);
    let seqs = (1..=below as u32).rev().take(SLICE);
    seqs.filter_map(|seq| snapshot.by_seq(seq)).take_while(|entry| entry.uid >= job.first).cloned().collect()
}

fn pack(told: &[Told]) -> Vec<u8> {
    let mut out = Packer::with_capacity(64 * told.len());
    for (uid, what, by) in told {
        out.number(u64::from(*uid));
        out.text(&what[..what.floor_char_boundary(ACT)]);
        out.text(&by.script);
        out.number(u64::from(by.line));
        out.option(by.rule.as_deref(), Packer::text);
    }
    out.finish()
}

fn unpack(bytes: &[u8]) -> Result<Vec<Told>> {
    let mut from = Unpacker::new(bytes);
    let mut told = Vec::new();
    while !from.is_empty() {
        let (uid, what, script) = (from.number()? as u32, from.text()?.to_owned(), from.text()?.to_owned());
        let (line, rule) = (from.number()? as u32, from.option(|from| from.text().map(str::to_owned))?);
        told.push((uid, what, Origin { script, line, rule }));
    }
    Ok(told)
}
