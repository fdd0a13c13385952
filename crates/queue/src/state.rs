//! How far a recipient is, what an attempt brought, and what follows from it. No I/O: the same entry, outcomes and time give
//! the same plan.

use std::time::Duration;

use anser_base::Timestamp;

use crate::envelope::Entry;
use crate::retry::{DELAY_REPORT, interval};

/// Longest explanation that is kept of a failed attempt, in bytes.
pub const WHY: usize = 512;

/// The due time of what is held.
pub const HELD: Timestamp = Timestamp(i64::MAX);

/// The state of one recipient. Leased and Held are states of the whole entry and not kept here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// To be attempted when due.
    Waiting,
    /// Delivered or relayed.
    Done,
    /// Refused for good.
    Failed,
    /// Not delivered in time.
    Expired,
}

impl State {
    /// Whether no move leads out of it.
    pub fn is_final(self) -> bool {
        self != Self::Waiting
    }
}

/// How far one recipient is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Its state.
    pub state: State,
    /// Attempts that did not deliver.
    pub attempts: u32,
    /// When it is attempted next; means nothing in a final state.
    pub due: Timestamp,
    /// What the last attempt brought, as the peer or the house said it.
    pub why: Option<String>,
    /// Whether the sender was told that it is late.
    pub delay_reported: bool,
}

impl Progress {
    /// Of a recipient that was never attempted.
    pub fn new(due: Timestamp) -> Self {
        Self { state: State::Waiting, attempts: 0, due, why: None, delay_reported: false }
    }

    /// Whether it waits for an operator.
    pub fn is_held(&self) -> bool {
        self.state == State::Waiting && self.due == HELD
    }
}

/// What an attempt brought for one recipient. Permanence is this type, not a guess.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It has the message.
    Done,
    /// Not now.
    Retry {
        /// When to try again; `None` leaves it to [`crate::INTERVALS`].
        after: Option<Duration>,
        /// Why, for the queue's list and the reports. Cut to 512 bytes.
        why: String,
    },
    /// It was not even tried: its turn had not come, the hour was wrong. No attempt is counted, but time goes on: it may expire.
    Wait {
        /// When to look again.
        after: Duration,
        /// Why. Cut to 512 bytes.
        why: String,
    },
    /// Not until an operator releases it; meanwhile it does not expire.
    Hold {
        /// Why. Cut to 512 bytes.
        why: String,
    },
    /// Never.
    Fail {
        /// Why, for the report. Cut to 512 bytes.
        why: String,
    },
}

/// What a settlement will do with one recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Becomes [`State::Done`]. Report it when NOTIFY=SUCCESS asks for it.
    Done,
    /// Becomes [`State::Failed`]: report it.
    Failed,
    /// Becomes [`State::Expired`]: report it.
    Expired,
    /// Stays [`State::Waiting`].
    Retry {
        /// When it is tried again.
        at: Timestamp,
        /// The sender should be told now, once, that it is late; the plan takes note that it was.
        late: bool,
    },
    /// Stays [`State::Waiting`] until it is released.
    Held,
}

/// What follows from the outcomes of one lease. The caller reads `changes` to write its reports and hands the plan, with those
/// reports, to [`crate::Queue::settle`], which does all of it in one transaction.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The changes by recipient index, in the order of the outcomes.
    pub changes: Vec<(usize, Change)>,
    pub(crate) progress: Vec<Progress>,
    pub(crate) uncertain: bool,
}

impl Plan {
    /// When the entry is due next; `None` when it is final.
    pub fn due(&self) -> Option<Timestamp> {
        self.progress.iter().filter(|progress| !progress.state.is_final()).map(|progress| progress.due).min()
    }
}

impl Entry {
    /// What follows from these outcomes, by recipient index. Name every recipient that was attempted; one that is not named
    /// was not attempted and keeps its state. An index that does not exist or is final already is passed over.
    pub fn plan(&self, outcomes: impl IntoIterator<Item = (usize, Outcome)>, now: Timestamp) -> Plan {
        let mut plan = Plan { changes: Vec::new(), progress: self.progress.clone(), uncertain: false };
        let mut named = vec![false; plan.progress.len()];
        for (index, outcome) in outcomes {
            if let Some(progress) = plan.progress.get_mut(index).filter(|progress| !progress.state.is_final()) {
                named[index] = true;
                plan.changes.push((index, self.apply(progress, outcome, now)));
            }
        }
        plan.uncertain = self.redelivery
            && plan.progress.iter().zip(&named).any(|(progress, named)| !progress.state.is_final() && !named);
        plan
    }

    /// The plan for recipients that all have the message: the usual one.
    pub fn all_done(&self) -> Plan {
        self.plan((0..self.progress.len()).map(|index| (index, Outcome::Done)), self.envelope.accepted)
    }

    /// The plan for a lease that nobody settled: everything that was due is tried again after the first interval, and nothing
    /// expires, because nobody would report it.
    pub(crate) fn interrupted(&self, now: Timestamp) -> Plan {
        let mut plan = Plan { changes: Vec::new(), progress: self.progress.clone(), uncertain: true };
        for progress in plan.progress.iter_mut().filter(|p| !p.state.is_final() && p.due <= now) {
            progress.attempts = progress.attempts.saturating_add(1);
            progress.due = now.after(interval(1));
            progress.why = Some("the attempt was interrupted".into());
        }
        plan
    }

    fn apply(&self, progress: &mut Progress, outcome: Outcome, now: Timestamp) -> Change {
        match outcome {
            Outcome::Done => {
                progress.state = State::Done;
                progress.why = None;
                Change::Done
            }
            Outcome::Fail { why } => {
                progress.state = State::Failed;
                progress.why = Some(cut(why));
                Change::Failed
            }
            Outcome::Retry { after, why } => {
                progress.attempts = progress.attempts.saturating_add(1);
                progress.why = Some(cut(why));
                let pause = after.unwrap_or_else(|| interval(progress.attempts));
                self.postpone(progress, pause, now)
            }
            Outcome::Wait { after, why } => {
                progress.why = Some(cut(why));
                self.postpone(progress, after, now)
            }
            Outcome::Hold { why } => {
                progress.why = Some(cut(why));
                progress.due = HELD;
                Change::Held
            }
        }
    }

    /// The last attempt is made when the entry expires.
    fn postpone(&self, progress: &mut Progress, pause: Duration, now: Timestamp) -> Change {
        if now >= self.envelope.expires {
            progress.state = State::Expired;
            return Change::Expired;
        }
        progress.due = now.after(pause.max(Duration::from_secs(1))).min(self.envelope.expires);
        let late = !progress.delay_reported && now >= self.envelope.accepted.after(DELAY_REPORT);
        progress.delay_reported |= late;
        Change::Retry { at: progress.due, late }
    }
}

fn cut(mut why: String) -> String {
    why.truncate(why.floor_char_boundary(WHY));
    why
}
