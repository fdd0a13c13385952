//! How moves and their mailboxes stand.

use std::sync::atomic::Ordering;

use anser_base::Result;
use anser_store::{LedgerState, MailTx};
use serde::{Deserialize, Serialize};

use crate::Migrate;
use crate::hours;
use crate::kept;
use crate::model::{Mailbox, Move, Source, State};
use crate::rows;
use crate::trouble::class_of;
use crate::wave;
use crate::which::{Which, is_meant};
use crate::words::in_chinese;

/// How a mailbox stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailboxView {
    /// The name of its old server within the move.
    pub source: String,
    /// The name at the old server.
    pub login: String,
    /// The address here.
    pub address: String,
    /// `new`, `ready`, `refused`, `waiting`, `copying`, `settled`, `asking`, `abandoned`.
    pub state: String,
    /// What the next pass does: a word of [`crate::model::Task`].
    pub task: String,
    /// Why, in words.
    pub note: Option<String>,
    /// The same in Chinese; what the old server said stays as it was said.
    pub zh: Option<String>,
    /// Passes that began.
    pub passes: u32,
    /// Messages that the last pass looked at or brought.
    pub done: u64,
    /// Messages at the old server, as far as they are known.
    pub total: u64,
    /// Bytes that were brought here.
    pub bytes: u64,
    /// Where it lives: `here`, `there`, `turning`.
    pub home: String,
    /// Since when it is cut over, in milliseconds since 1970.
    pub cut: Option<i64>,
    /// Messages by what the ledger says of them; between two passes as the last one left it.
    pub ledger: Vec<(String, u64)>,
    /// The wave that it belongs to.
    pub wave: Option<String>,
    /// Who comes first: `usual`, `first`, `awaited`.
    pub priority: String,
    /// Where it waits: until when, in milliseconds since 1970; `None` where its time has come.
    pub until: Option<i64>,
    /// What keeps it from moving on, as a word: a class that [`crate::which`] takes.
    pub trouble: Option<String>,
}

/// How a move stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoveView {
    /// Its name.
    pub name: String,
    /// `draft`, `running`, `paused`.
    pub state: String,
    /// Whether sessions are passed through: `off`, `until-cutover`, `until-ready`.
    pub passing: String,
    /// The old server's SMTP, where mail for mailboxes goes that live there.
    pub relay: Option<String>,
    /// Domains of which names that nobody here has go there too, when it knows them, and until when.
    #[serde(default)]
    pub relayed: Vec<(String, String)>,
    /// Its old servers.
    pub sources: Vec<Source>,
    /// Mailboxes by state.
    pub mailboxes: Vec<(String, u64)>,
    /// Its waves, by name.
    pub waves: Vec<WaveView>,
    /// How its old servers are taken, in their order.
    pub paces: Vec<PaceView>,
    /// Until when its secrets are kept (RFC 3339), as [`crate::kept`] has it; `None` where none are.
    #[serde(default)]
    pub secrets_until: Option<String>,
}

/// How a wave stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaveView {
    /// Its name.
    pub name: String,
    /// In which hours (UTC) its mailboxes are brought; all day without.
    pub hours: Option<String>,
    /// Mailboxes by state.
    pub mailboxes: Vec<(String, u64)>,
    /// Messages that the last passes looked at or brought.
    pub done: u64,
    /// Messages at the old servers, as far as they are known.
    pub total: u64,
    /// Bytes that were brought.
    pub bytes: u64,
}

/// How an old server is taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaceView {
    /// Its name within the move.
    pub source: String,
    /// In which hours (UTC) mailboxes are brought; all day without.
    pub hours: Option<String>,
    /// Bytes that are asked for in one day (UTC); 0 for any.
    pub bytes_a_day: u64,
    /// Bytes that came today.
    pub bytes_today: u64,
    /// Mailboxes that are worked on at once, as was learned so far.
    pub at_once: u32,
    /// It answers far later than usual, so that it is spared.
    pub spared: bool,
}

/// The note of a mailbox whose host is spared.
const SPARED: &str = "the old server answers late: one mailbox at a time, with pauses";

/// How many are in which state.
fn by_state<'m>(all: impl Iterator<Item = &'m Mailbox>) -> Vec<(String, u64)> {
    let mut counts = vec![0; State::ALL.len()];
    all.for_each(|mailbox| counts[mailbox.state as usize] += 1);
    let words = State::ALL.iter().map(|state| (state.word().to_owned(), counts[*state as usize]));
    words.filter(|(_, count)| *count > 0).collect()
}

impl Migrate {
    /// Every move.
    pub async fn moves(&self) -> Result<Vec<MoveView>> {
        let mut views = Vec::new();
        for one in self.read(rows::moves).await? {
            views.push(self.view_of(one).await?);
        }
        Ok(views)
    }

    /// How a move stands.
    pub async fn move_view(&self, name: &str) -> Result<MoveView> {
        let of = self.named(name).await?;
        self.view_of(of).await
    }

    pub(crate) async fn view_of(&self, of: Move) -> Result<MoveView> {
        let (id, now) = (of.id, self.inner.deps.clock.now());
        let (day, _) = hours::day_of(now);
        let (sources, known, paces, secrets_until) = self
            .read(move |tx| {
                let sources = rows::sources(tx, id)?;
                let paces = sources.iter().map(|source| wave::pace_of(tx, source, day)).collect::<Result<Vec<_>>>()?;
                Ok((sources, wave::rows_of(tx, id)?, paces, kept::until(tx, id, now)?))
            })
            .await?;
        let all = self.all(id).await?;
        let mut waves = Vec::with_capacity(known.len());
        for one in known {
            let within = || all.iter().filter(|mailbox| mailbox.wave.as_ref() == Some(&one.name));
            waves.push(WaveView {
                hours: one.hours.map(|hours| hours.to_string()),
                mailboxes: by_state(within()),
                done: within().map(|mailbox| mailbox.done).sum(),
                total: within().map(|mailbox| mailbox.total).sum(),
                bytes: within().map(|mailbox| mailbox.bytes).sum(),
                name: one.name,
            });
        }
        let (state, passing) = (of.state.word().to_owned(), of.passing.word().to_owned());
        let mailboxes = by_state(all.iter());
        let learned = sources.iter().map(|source| self.inner.throttle.learned(source, now));
        let paces =
            paces.into_iter().zip(learned).map(|(pace, (at_once, spared))| PaceView { at_once, spared, ..pace });
        let paces = paces.collect();
        let relayed = self.relayed_domains(&of).await?;
        let (name, relay, secrets_until) = (of.name, of.relay, secrets_until.map(|until| until.to_string()));
        Ok(MoveView { name, state, passing, relay, relayed, sources, mailboxes, waves, paces, secrets_until })
    }

    /// How each mailbox stands.
    pub async fn mailbox_views(&self, name: &str, which: Which) -> Result<Vec<MailboxView>> {
        let of = self.named(name).await?.id;
        let sources = self.read(move |tx| rows::sources(tx, of)).await?;
        let (mut views, now) = (Vec::new(), self.inner.deps.clock.now());
        for mailbox in self.all(of).await?.into_iter().filter(|mailbox| is_meant(mailbox, &which)) {
            let id = mailbox.id;
            let source = sources.iter().find(|one| one.id == mailbox.source).map(|one| one.name.clone());
            let tally = move |tx: &mut MailTx<'_, '_>| tx.ledger_tally(id, None);
            let live = self.inner.followed(id);
            let note = match sources.iter().find(|one| one.id == mailbox.source) {
                Some(source) if live.is_some() && self.inner.throttle.learned(source, now).1 => Some(SPARED.to_owned()),
                _ => mailbox.note.clone(),
            };
            let tally = match mailbox.tally {
                _ if mailbox.pass == 0 => Default::default(),
                Some(tally) if live.is_none() => tally,
                // Of a pass under way nobody knows yet what it comes to.
                _ => self.inner.deps.store.read(mailbox.account, tally).await?.rows,
            };
            let until = (mailbox.state == State::Waiting && mailbox.due > now).then_some(mailbox.due.0);
            let trouble = class_of(&mailbox);
            let (done, total, more) = match &live {
                Some(live) => {
                    let [done, total, bytes] =
                        [&live.done, &live.total, &live.bytes].map(|n| n.load(Ordering::Relaxed));
                    (done, total, bytes)
                }
                None => (mailbox.done, mailbox.total, 0),
            };
            let words = LedgerState::ALL.iter().map(|state| (state.word().to_owned(), tally[*state as usize]));
            views.push(MailboxView {
                source: source.unwrap_or_default(),
                login: mailbox.login,
                address: mailbox.address,
                state: mailbox.state.word().to_owned(),
                task: mailbox.task.word().to_owned(),
                zh: note.as_deref().map(in_chinese),
                note,
                passes: mailbox.pass,
                done,
                total,
                bytes: mailbox.bytes + more,
                home: mailbox.home.word().to_owned(),
                cut: Some(mailbox.cut.0).filter(|cut| *cut > 0),
                ledger: words.filter(|(_, count)| *count > 0).collect(),
                wave: mailbox.wave,
                priority: mailbox.priority.word().to_owned(),
                until,
                trouble,
            });
        }
        Ok(views)
    }
}
