//! What must be so before an organisation is cut over, and after it. What is seen of the DNS is told by whoever asks it; what was seen
//! before, and who said what, is remembered with the move.
//!
//! | gate | is open until | belongs before |
//! |---|---|---|
//! | form | every question of the survey form that needs an answer has one | the cut-over |
//! | forecast | somebody says that he knows how much there is, and how long it may take | the cut-over |
//! | users | as many accounts are listed as the survey form says that there are users | the cut-over |
//! | logins | [`LOGINS`] of a hundred logins worked at the old server; the others are named | the cut-over |
//! | ttl | the MX and the names that programs use may be remembered for [`LOW`] seconds at most, and have been for as long as before, and for [`FLOOR`] | the cut-over |
//! | accounts | every mailbox was brought as a whole, or is cut over: no message failed, and the last pass could open every folder | the cut-over |
//! | delta | the last pass over each mailbox took less than [`DELTA`] | the cut-over |
//! | proof | every mailbox has a proof that is no older than the last pass that brought something, with nothing unexplained and nothing failed | the cut-over |
//! | notice | somebody said that the users know | the cut-over |
//! | mx | all name servers send mail here | the end |
//! | probe | of each domain a letter came in by its MX, and one went out: see [`crate::probes`] | the end |
//! | tickets | nobody waits for an answer: see [`crate::tickets`] | the end |
//! | late | nothing came late at the old server for [`LATE`], and late mail can be looked for at every login | the end |
//! | loss | every mailbox has such a proof from after its cut-over, or somebody takes on what is lost, and says why | the end |
//!
//! What somebody took on is what each mailbox had lost then: when one has lost more, the gate is open again. What was taken on in sum, before
//! it was counted by mailbox, stays taken on as long as no more is lost in sum, and in a move that is closed.
//!
//! | module | holds |
//! |---|---|
//! | this one | what is remembered with the move |
//! | `standing` | what is measured anew at each look |
//! | `told` | how each gate stands by both, in words |

mod standing;
mod told;

use std::collections::BTreeMap;
use std::time::Duration;

use anser_base::{Error, Result, Timestamp};
use serde::{Deserialize, Serialize};

use crate::figures::Figures;
use crate::probes::Probe;

pub(crate) use standing::Counted;
pub use standing::{InSum, Lost, Named, Standing};
pub use told::GateView;

/// Every gate, in its order.
const GATES: [&str; 14] = [
    "form", "forecast", "users", "logins", "accounts", "delta", "proof", "ttl", "notice", "mx", "probe", "tickets",
    "late", LOSS,
];
/// The gate that somebody passes by taking on what is lost.
const LOSS: &str = "loss";
/// So many of a hundred logins have worked before everybody is cut over.
pub const LOGINS: u64 = 98;
/// The last pass over a mailbox was shorter: so long nobody waits at the cut-over.
pub const DELTA: Duration = Duration::from_secs(600);
/// An MX may be remembered for so many seconds at a cut-over.
pub const LOW: u64 = 300;
/// For so many seconds it was at least, as many resolvers remember longer than they are told, and nobody may have looked before.
pub const FLOOR: u64 = 48 * 3600;
/// Nothing may come late for so long, before a move is closed.
pub const LATE: Duration = Duration::from_secs(7 * 24 * 3600);
/// After so many days somebody asks how the users do; then every month.
pub const VISITS: [u64; 4] = [1, 7, 14, 30];
/// Months of visits that are listed.
const MONTHS: u64 = 3;

/// What is remembered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Gates {
    /// How long the MX of each domain, and each of the names that programs use (`A mail.example.org`), may be remembered, as it was seen.
    pub ttl: BTreeMap<String, Ttl>,
    /// When somebody said that the users know.
    pub notice: Option<i64>,
    /// Gates that somebody takes for passed: who, and why.
    pub accepted: BTreeMap<String, String>,
    /// What each mailbox, by its number, had lost when somebody took that on.
    pub losses: BTreeMap<u64, Lost>,
    /// What all mailboxes had lost, where somebody took that on in sum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken_on: Option<InSum>,
    /// When the cut-over of everybody was begun.
    pub begun: Option<i64>,
    /// Since when all name servers send mail here.
    pub mx: Option<i64>,
    /// How the house was used on the day of each visit.
    pub figures: BTreeMap<i64, Figures>,
    /// What the newest survey of everybody came to.
    pub forecast: Option<Forecast>,
    /// What became of the newest letters that each domain was tried with.
    pub probes: BTreeMap<String, Probe>,
    /// When a pass last found mail that came late.
    pub late: Option<i64>,
    /// When the move was closed.
    pub closed: Option<i64>,
    /// Domains whose routes the move set, and the relay that each leads to.
    pub routes: BTreeMap<String, String>,
}

/// What was seen of one MX's time to live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ttl {
    /// The highest that was seen, in seconds; 0 when none above [`LOW`] was.
    pub highest: u64,
    /// Since when it is low, in milliseconds since 1970.
    pub low: Option<i64>,
    /// What it was at the last look.
    #[serde(default)]
    pub now: u64,
    /// When it was first looked at, and last.
    #[serde(default)]
    pub first: i64,
    /// When it was last looked at.
    #[serde(default)]
    pub last: i64,
}

impl Ttl {
    /// Until when others may remember what was there before; `None` while it is not low.
    fn drained(&self) -> Option<Timestamp> {
        Some(Timestamp(self.low?).after(Duration::from_secs(self.highest.max(FLOOR))))
    }
}

/// How much there is, and how long it may take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forecast {
    /// When it was made, in milliseconds since 1970.
    pub at: i64,
    /// Messages at the old servers.
    pub messages: u64,
    /// Their octets.
    pub bytes: u64,
    /// Seconds that all of it may take.
    pub seconds: u64,
    /// Mailboxes that nobody looked into, and that are taken for as large as the others of their server.
    #[serde(default)]
    pub supposed: u64,
    /// Mailboxes of servers where nobody looked into any: they are not in these numbers.
    #[serde(default)]
    pub unknown: u64,
}

/// For how long others may remember something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// A record (`A mail.example.org`), or who remembers it.
    pub name: String,
    /// In seconds.
    pub ttl: u64,
}

/// What the name servers say of the MX of a domain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MxSeen {
    /// The domain.
    pub domain: String,
    /// `ok`, `missing`, `wrong`, `differs`, `waiting`, `unknown`.
    pub state: String,
    /// What is wrong and how to mend it, in English.
    pub en: String,
    /// In Chinese.
    pub zh: String,
    /// For how many seconds it may be remembered.
    pub ttl: Option<u64>,
    /// Other names of the domain that programs and servers remember.
    #[serde(default)]
    pub names: Vec<Remembered>,
    /// Resolvers that hold the MX, and for how much longer.
    #[serde(default)]
    pub held: Vec<Remembered>,
}

impl MxSeen {
    /// Whether all name servers send mail here; some that asked before may still remember another one.
    fn is_right(&self) -> bool {
        self.state == "ok" || self.state == "waiting"
    }
}

impl Gates {
    /// Remembers what was seen of an MX.
    pub fn see(&mut self, seen: &MxSeen, now: Timestamp) {
        let names = seen.names.iter().map(|one| (&one.name, one.ttl));
        for (name, ttl) in seen.ttl.map(|ttl| (&seen.domain, ttl)).into_iter().chain(names) {
            let known = self.ttl.entry(name.clone()).or_insert(Ttl { first: now.0, ..Ttl::default() });
            (known.now, known.last) = (ttl, now.0);
            match ttl <= LOW {
                true => known.low = known.low.or(Some(now.0)),
                false => (known.highest, known.low) = (known.highest.max(ttl), None),
            }
        }
    }

    /// Remembers what is so for all domains.
    pub fn see_all(&mut self, all: &[MxSeen], now: Timestamp) {
        all.iter().for_each(|seen| self.see(seen, now));
        match all.iter().find(|seen| !seen.is_right()) {
            None if all.is_empty() => self.mx = None,
            None => self.mx = self.mx.or(Some(now.0)),
            // That a look failed says nothing.
            Some(seen) if seen.state == "unknown" => {}
            Some(_) => self.mx = None,
        }
    }

    /// Takes gates for passed: each by its name, or `NAME=WHY`. `lost` is what is lost now, by the numbers of mailboxes.
    /// `Class::Invalid` for a gate that there is none of, and for a loss without a reason.
    pub fn accept(&mut self, said: &[String], who: &str, lost: &BTreeMap<u64, Lost>) -> Result<()> {
        for one in said {
            let (gate, why) = one.split_once('=').map_or((one.as_str(), ""), |(gate, why)| (gate.trim(), why.trim()));
            if !GATES.contains(&gate) {
                return Err(Error::invalid(format!("there is no gate {gate}"), format!("没有 {gate} 这一关")));
            }
            if gate == LOSS {
                if why.is_empty() {
                    return Err(Error::invalid(
                        "say why what is lost is taken on: --accept loss=WHY",
                        "请说明接受损失的原因：--accept loss=原因",
                    ));
                }
                self.losses = lost.clone();
                self.taken_on = None;
            }
            let words = if why.is_empty() { who.to_owned() } else { format!("{who}: {why}") };
            self.accepted.insert(gate.to_owned(), words);
        }
        Ok(())
    }

    /// Who took on what is lost of those mailboxes that are meant, and why, and what it was where that was in sum; nobody where none of
    /// them has lost anything, or one has lost more since. `lost` is what is lost now, of all mailboxes.
    pub fn taken_on_by(&self, lost: &BTreeMap<u64, Lost>, is_meant: impl Fn(&u64) -> bool) -> Option<String> {
        let who = self.accepted.get(LOSS)?;
        let mut losing = lost.iter().filter(|(id, _)| is_meant(id)).peekable();
        losing.peek()?;
        if losing.all(|(id, now)| self.losses.get(id).is_some_and(|taken| now.is_within(taken))) {
            return Some(who.clone());
        }
        // A proof that is missing from a move that is closed nobody makes any more.
        let is_within = |sum: &InSum| self.closed.is_some() || InSum::of(lost).is_within(sum);
        let sum = self.taken_on.filter(|sum| *sum != InSum::default() && is_within(sum))?;
        Some(format!("{who} ({sum})"))
    }

    /// The follow-up visits, in milliseconds since 1970; none before the mail comes here.
    pub fn visits(&self) -> Vec<i64> {
        let Some(begun) = self.mx.or(self.begun) else { return Vec::new() };
        let months = (2..2 + MONTHS).map(|month| month * 30);
        let days = VISITS.into_iter().chain(months);
        days.map(|days| Timestamp(begun).after(Duration::from_secs(days * 24 * 3600)).0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How a gate stands where nothing was seen of the DNS.
    pub(super) fn state(gates: &Gates, standing: &Standing, gate: &str) -> String {
        let views = gates.views(standing, &[], Timestamp::from_secs(1_800_000_000));
        views.into_iter().find(|view| view.gate == gate).unwrap().state
    }

    fn seen(state: &str, ttl: u64) -> MxSeen {
        MxSeen {
            domain: "a.test".into(),
            state: state.into(),
            en: "why".into(),
            zh: "原因".into(),
            ttl: Some(ttl),
            ..MxSeen::default()
        }
    }

    fn state_at(gates: &Gates, standing: &Standing, seen: &MxSeen, now: Timestamp, gate: &str) -> String {
        let views = gates.views(standing, std::slice::from_ref(seen), now);
        views.into_iter().find(|view| view.gate == gate).unwrap().state
    }

    #[test]
    fn a_ttl_must_be_low_for_as_long_as_it_was_high_and_two_days() {
        let (mut gates, standing) = (Gates::default(), Standing::default());
        let at = |secs: u64| Timestamp::from_secs(1_800_000_000 + secs as i64);
        let ttl = |gates: &Gates, seen: &MxSeen, now| state_at(gates, &standing, seen, now, "ttl");
        let week = 7 * 24 * 3600;
        gates.see_all(&[seen("wrong", week)], at(0));
        assert_eq!(ttl(&gates, &seen("wrong", week), at(0)), "open");
        gates.see_all(&[seen("wrong", 60)], at(10));
        gates.see_all(&[seen("wrong", 60)], at(5000));
        assert_eq!(ttl(&gates, &seen("wrong", 60), at(week + 9)), "open");
        assert_eq!(ttl(&gates, &seen("wrong", 60), at(week + 10)), "passed");
        // Raised again.
        gates.see_all(&[seen("wrong", 600)], at(week + 20));
        gates.see_all(&[seen("wrong", 60)], at(week + 21));
        assert_eq!(ttl(&gates, &seen("wrong", 60), at(week + 22)), "open");
        gates.accepted.insert("ttl".into(), "root".into());
        assert_eq!(ttl(&gates, &seen("wrong", 60), at(week + 22)), "accepted");
        // Low whenever anybody looked: it may have been high the day before.
        let mut gates = Gates::default();
        gates.see_all(&[seen("wrong", 60)], at(0));
        assert_eq!(ttl(&gates, &seen("wrong", 60), at(FLOOR - 1)), "open");
        assert_eq!(ttl(&gates, &seen("wrong", 60), at(FLOOR)), "passed");
    }

    #[test]
    fn names_that_programs_use_and_what_resolvers_hold_count_too() {
        let (mut gates, standing) = (Gates::default(), Standing::default());
        let at = |secs: u64| Timestamp::from_secs(1_800_000_000 + secs as i64);
        let one = |name: &str, ttl| vec![Remembered { name: name.into(), ttl }];
        let high = MxSeen { names: one("A mail.a.test", 86_400), ..seen("wrong", 60) };
        let low = MxSeen { names: one("A mail.a.test", 60), ..seen("wrong", 60) };
        gates.see_all(std::slice::from_ref(&high), at(0));
        let views = gates.views(&standing, std::slice::from_ref(&high), at(FLOOR * 2));
        let ttl = views.iter().find(|view| view.gate == "ttl").unwrap();
        assert!(ttl.en == "A mail.a.test: others remember it for 86400 s: lower the TTL to 300 or less", "{}", ttl.en);
        gates.see_all(std::slice::from_ref(&low), at(100));
        let held = MxSeen { held: one("192.0.2.53:53", 3000), ..low.clone() };
        assert_eq!(state_at(&gates, &standing, &low, at(FLOOR + 100), "ttl"), "passed");
        assert_eq!(state_at(&gates, &standing, &held, at(FLOOR + 100), "ttl"), "open");
        assert_eq!((gates.ttl["A mail.a.test"].highest, gates.ttl["A mail.a.test"].first), (86_400, at(0).0));
    }

    #[test]
    fn a_look_that_fails_takes_nothing_back() {
        let (mut gates, now) = (Gates::default(), Timestamp::from_secs(1_800_000_000));
        gates.see_all(&[seen("ok", 60)], now);
        gates.see_all(&[seen("unknown", 60)], now.after(LATE));
        assert_eq!(gates.mx, Some(now.0));
        gates.see_all(&[seen("wrong", 60)], now.after(LATE));
        assert_eq!(gates.mx, None);
    }

    #[test]
    fn a_move_ends_when_nothing_came_late_for_a_week() {
        let now = Timestamp::from_secs(1_800_000_000);
        let standing = Standing { over: Some(now.0), ..Standing::default() };
        let mut gates = Gates { begun: Some(now.0), ..Gates::default() };
        assert_eq!(state_at(&gates, &standing, &seen("ok", 60), now.after(LATE / 2), "late"), "open");
        gates.late = Some(now.after(LATE / 2).0);
        assert_eq!(state_at(&gates, &standing, &seen("ok", 60), now.after(LATE), "late"), "open");
        assert_eq!(state_at(&gates, &standing, &seen("ok", 60), now.after(LATE * 2), "late"), "passed");
        assert_eq!(state_at(&gates, &Standing::default(), &seen("ok", 60), now.after(LATE * 2), "late"), "open");
        assert_eq!(gates.visits().len(), 7);
    }
}
