//! The verbs of an organisation as a whole: sessions that are passed through, gates, the cut-over, the way back, the end.

use anser_base::{Class, Error, Result, Timestamp};
use anser_db::Tx;
use tokio::task::JoinSet;

use crate::Migrate;
use crate::acts::{each, list, paused, those};
use crate::back::{self, Returned};
use crate::form::Form;
use crate::gates::{self, GateView, Gates, MxSeen};
use crate::model::{Home, Kind, Mailbox, MoveState, Passing, State, Task};
use crate::profile::GENERIC;
use crate::rows::{self, Standing};
use crate::run::unknown;
use crate::turn;
use crate::views::MoveView;
use crate::which::Which;

/// Bytes of a megabyte, as the form counts room.
const MEGABYTE: u64 = 1_000_000;

/// What somebody says with a look at the gates.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// The users know when it will be.
    pub noticed: bool,
    /// Gates that he takes for passed: `GATE`, or `GATE=WHY`.
    pub accepted: Vec<String>,
    /// Who he is.
    pub who: String,
    /// He ends the move with it: while a gate is open that the end waits for, nothing of it is remembered.
    pub closes: bool,
}

/// How the gates stand, and what follows.
#[derive(Clone, Debug)]
pub struct Look {
    /// Every gate.
    pub gates: Vec<GateView>,
    /// When somebody asks how the users do, in milliseconds since 1970.
    pub visits: Vec<i64>,
    /// Whether the cut-over of everybody was begun.
    pub begun: bool,
    /// Whether the move was closed.
    pub closed: bool,
    /// Whether something was said that is not remembered, as the move cannot be ended with it. The gates stand as they would with it.
    pub is_unsaid: bool,
}

impl Look {
    /// Why the move cannot end as it was looked at: `Class::Conflict`.
    pub fn refusal(&self) -> Option<Error> {
        keeps_open(&self.gates).map(refusal)
    }
}

/// The first gate that keeps a move from its end.
fn keeps_open(gates: &[GateView]) -> Option<&GateView> {
    gates.iter().find(|gate| gate.state == "open" && !gate.before)
}

fn refusal(open: &GateView) -> Error {
    Error::new(Class::Conflict, open.en.clone(), open.zh.clone())
}

impl Migrate {
    /// Says whether sessions of mailboxes that were not cut over are passed through to the old server, and until when; `relay` is where
    /// mail for these goes meanwhile, the old server's SMTP, and empty for none. What is not named stays.
    pub async fn pass_through(&self, name: &str, passing: Option<Passing>, relay: Option<String>) -> Result<MoveView> {
        let of = self.named(name).await?;
        let passing = passing.unwrap_or(of.passing);
        let relay = relay.or(of.relay.clone()).filter(|relay| !relay.is_empty());
        relay.as_deref().map(turn::split).transpose()?;
        if (passing, &relay) == (of.passing, &of.relay) {
            self.route_domains(&of).await?;
            return self.view_of(of).await;
        }
        let to = relay.clone();
        let changed = self.write(move |tx| {
            rows::set_passing(tx, of.id, passing, to.as_deref())?;
            let home = if passing == Passing::Off { Home::Here } else { Home::There };
            let may_turn = |mailbox: &Mailbox| mailbox.cut.0 == 0 && mailbox.state != State::Abandoned;
            let all: Vec<Mailbox> = list(tx, of.id)?.into_iter().filter(may_turn).collect();
            all.iter().try_for_each(|mailbox| rows::set_home(tx, mailbox.id, home, mailbox.cut))?;
            Ok(all)
        });
        for mailbox in changed.await? {
            self.route(&mailbox.address, passing, relay.as_deref()).await?;
        }
        self.route_domains(&self.named(name).await?).await?;
        self.move_view(name).await
    }

    /// Sends an address's mail to the old server while its mailbox lives there.
    pub(crate) async fn route(&self, address: &str, passing: Passing, relay: Option<&str>) -> Result<()> {
        match relay {
            Some(relay) if passing != Passing::Off => turn::route_there(&self.inner, address, relay).await,
            _ => turn::route_here(&self.inner, address).await,
        }
    }

    /// The domains of a move's addresses.
    pub async fn domains(&self, name: &str) -> Result<Vec<String>> {
        let of = self.named(name).await?.id;
        self.read(move |tx| rows::domains(tx, of)).await
    }

    /// Remembers what the DNS says and what somebody says, and how the gates stand then. `Class::Invalid` for a gate that there is none of.
    pub async fn look_at_gates(&self, name: &str, seen: &[MxSeen], said: Said) -> Result<Look> {
        let of = self.named(name).await?;
        let now = self.inner.deps.clock.now();
        let (remembered, standing) = (seen.to_vec(), self.standing(of.id).await?);
        let lost = standing.lost.clone();
        // Before anything is remembered.
        Gates::default().accept(&said.accepted, &said.who, &lost)?;
        let change = move |tx: &mut Tx<'_>| {
            let hear = |gates: &mut Gates| {
                gates.see_all(&remembered, now);
                let mut heard = gates.clone();
                if said.noticed {
                    heard.notice = heard.notice.or(Some(now.0));
                }
                heard.accept(&said.accepted, &said.who, &lost)?;
                let views = heard.views(&standing, &remembered, now);
                let is_unsaid = said.closes && keeps_open(&views).is_some() && heard != *gates;
                if !is_unsaid {
                    *gates = heard;
                }
                Ok((views, is_unsaid))
            };
            let (gates, heard): (_, Result<_>) = rows::change_gates(tx, of.id, hear)?;
            let (views, is_unsaid) = heard?;
            let (begun, closed) = (gates.begun.is_some(), gates.closed.is_some());
            Ok(Look { gates: views, visits: gates.visits(), begun, closed, is_unsaid })
        };
        self.write(change).await
    }

    /// The survey form of a move.
    pub async fn form(&self, name: &str) -> Result<Form> {
        let of = self.named(name).await?;
        self.read(move |tx| rows::form(tx, of.id)).await
    }

    /// Puts what somebody says into the survey form: questions by their names, see [`crate::form::read`].
    pub async fn fill_form(&self, name: &str, said: Vec<(String, String)>) -> Result<Form> {
        let of = self.named(name).await?;
        self.write(move |tx| rows::change_form(tx, of.id, |form| form.say(&said))).await
    }

    /// Completes the survey form by what the move knows, and by what was `seen` besides; what somebody said stays.
    pub async fn complete_form(&self, name: &str, mut seen: Vec<(&'static str, String)>) -> Result<Form> {
        let of = self.named(name).await?;
        let (id, domains, all) = (of.id, self.domains(name).await?, self.all(of.id).await?);
        let sources = self.read(move |tx| rows::sources(tx, id)).await?;
        let place = |kind: Kind| sources.iter().find(|source| source.kind == kind);
        let place = |kind: Kind| place(kind).map(|one| format!("{}:{} {}", one.host, one.port, one.tls.word()));
        let mut kinds: Vec<&str> =
            sources.iter().map(|one| one.profile.as_str()).filter(|one| *one != GENERIC).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let surveyed = self.read(move |tx| rows::gates(tx, id)).await?.forecast.map_or(0, |forecast| forecast.bytes);
        let bytes = all.iter().map(|mailbox| mailbox.bytes).sum::<u64>().max(surveyed);
        seen.extend([
            ("domain-count", domains.len().to_string()),
            ("domains", domains.join("\n")),
            ("pop3", place(Kind::Pop3).unwrap_or_default()),
            ("smtp", of.relay.unwrap_or_default()),
            ("users", all.len().to_string()),
            ("system", kinds.join(", ")),
            ("capacity", if bytes == 0 { String::new() } else { bytes.div_ceil(MEGABYTE).to_string() }),
        ]);
        self.write(move |tx| rows::change_form(tx, id, |form| form.see(&seen))).await
    }

    /// Cuts mailboxes over that were brought: a last pass, then they live here. How many are cut over from now on.
    pub async fn cutover(&self, name: &str, which: Which) -> Result<u64> {
        let of = self.named(name).await?;
        if of.state == MoveState::Paused {
            return Err(paused());
        }
        let now = self.inner.deps.clock.now();
        let begun = self.write(move |tx| {
            let standing = Standing { state: State::Waiting, task: Task::Last, note: None, due: now, tries: 0 };
            let is_ready = |mailbox: &Mailbox| mailbox.state == State::Settled && mailbox.cut.0 == 0;
            let begun = each(tx, of.id, &which, |mailbox| is_ready(mailbox).then_some(standing))?;
            rows::set_move(tx, of.id, MoveState::Running)?;
            if which.is_empty() {
                rows::change_gates(tx, of.id, |gates| gates.begun = gates.begun.or(Some(now.0)))?;
            }
            Ok(begun)
        });
        let begun = begun.await?;
        self.inner.stirred.notify_one();
        self.route_domains(&self.named(name).await?).await?;
        Ok(begun)
    }

    /// Takes mailboxes out of a move: passes stop, sessions that are passed through end, mail is delivered here. What was brought stays, and
    /// is open to every door; what was not brought has no UID here, and comes with new ones if somebody takes the mailbox up again. How
    /// many there were.
    pub async fn abandon(&self, name: &str, which: Which) -> Result<u64> {
        let of = self.named(name).await?;
        let abandon = move |tx: &mut Tx<'_>| {
            let (state, task, due) = (State::Abandoned, Task::Copy, Timestamp(0));
            let mut left = Vec::new();
            for mailbox in those(tx, of.id, &which)? {
                rows::set_state(tx, mailbox.id, &Standing { state, task, note: None, due, tries: 0 })?;
                rows::set_home(tx, mailbox.id, Home::Here, mailbox.cut)?;
                left.push(mailbox);
            }
            Ok(left)
        };
        let left = self.write(abandon).await?;
        // All at once: each waits for its sessions, and for what other nodes do.
        let mut ending = JoinSet::new();
        for mailbox in left.iter().filter(|mailbox| mailbox.home != Home::Here) {
            let (inner, id) = (self.inner.clone(), mailbox.id);
            ending.spawn(async move { inner.end_passages(id).await });
        }
        while ending.join_next().await.is_some() {}
        for mailbox in &left {
            self.inner.stop_one(mailbox.id).await;
            turn::route_here(&self.inner, &mailbox.address).await?;
            turn::open_to_all(&self.inner, mailbox).await?;
        }
        self.route_domains(&self.named(name).await?).await?;
        Ok(left.len() as u64)
    }

    /// What the way back of each mailbox would bring, by its address.
    pub async fn rehearse_rollback(&self, name: &str, which: Which) -> Result<Vec<(String, Returned)>> {
        let of = self.named(name).await?;
        let mut all = Vec::new();
        for mailbox in self.those(of.id, &which).await?.into_iter().filter(|one| one.pass > 0) {
            let (id, source) = (mailbox.id, mailbox.source);
            let find =
                move |tx: &mut Tx<'_>| Ok((rows::spaces(tx, id)?.unwrap_or_default(), rows::source(tx, source)?));
            let (spaces, source) = self.read(find).await?;
            let source = source.ok_or_else(|| unknown("source"))?;
            let rule = self.inner.rule_for(&mailbox, &source).await?;
            let returned = back::rehearse(&self.inner.deps.store, &mailbox, rule, spaces).await?;
            all.push((mailbox.address, returned));
        }
        Ok(all)
    }

    /// Gives the old server what is new here; mailboxes whose sessions are passed through live there again. How many are on their way.
    pub async fn rollback(&self, name: &str, which: Which) -> Result<u64> {
        let (of, whole) = (self.named(name).await?, which.is_empty());
        let begun = self.begin(name, which, Task::Return, |one| one.state == State::Settled).await?;
        if whole {
            self.write(move |tx| rows::change_gates(tx, of.id, |gates| gates.begun = None).map(drop)).await?;
        }
        Ok(begun)
    }

    /// Ends a move: nothing is looked for at the old server any more, and its passwords are forgotten. `seen` is what the DNS says.
    /// `Class::Conflict` while a gate is open that the end waits for, by how it stands in this moment: what was seen before may be over.
    ///
    /// The rows of the move's old servers and mailboxes, and then its own, are written to first and stay locked to the end. A pass that ends
    /// meanwhile, mail that comes late, a cut-over or an undo was there before and is counted, or comes behind the end. A pass that is
    /// under way goes on to its own end: what it brings is not lost.
    pub async fn close_move(&self, name: &str, seen: &[MxSeen]) -> Result<()> {
        let (of, now, seen) = (self.named(name).await?, self.inner.deps.clock.now(), seen.to_vec());
        // What is long is read before anybody has to wait for it.
        self.sum_up(of.id).await?;
        let work = move |tx: &mut Tx<'_>| {
            rows::forget_secrets(tx, of.id)?;
            rows::set_move(tx, of.id, MoveState::Paused)?;
            let standing = gates::Standing::of(tx, of.id)?;
            let close = |gates: &mut Gates| {
                let views = gates.views(&standing, &seen, now);
                if let Some(open) = keeps_open(&views) {
                    // Nothing of this transaction stays.
                    return Err(refusal(open));
                }
                gates.closed = gates.closed.or(Some(now.0));
                Ok(())
            };
            rows::change_gates(tx, of.id, close)?.1
        };
        self.write(work).await?;
        self.route_domains(&self.named(name).await?).await
    }
}
