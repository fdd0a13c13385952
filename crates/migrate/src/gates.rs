//! What must be so before an organisation is cut over, and after it. What is seen of the DNS is told by whoever asks it; what was seen
//! before, and who said what, is remembered with the move.
//!
//! | gate | is open until | belongs before |
//! |---|---|---|
//! | form | every question of the survey form that needs an answer has one | the cut-over |
//! | forecast | somebody says that he knows how much there is, and how long it may take | the cut-over |
//! | ttl | the MX and the names that programs use may be remembered for [`LOW`] seconds at most, and have been for as long as before, and for [`FLOOR`] | the cut-over |
//! | accounts | every mailbox was brought as a whole, or is cut over: no message failed, and no folder is shut | the cut-over |
//! | proof | every mailbox has a proof, with nothing unexplained and nothing failed | the cut-over |
//! | notice | somebody said that the users know | the cut-over |
//! | mx | all name servers send mail here | the end |
//! | probe | of each domain a letter came in by its MX, and one went out: see [`crate::probes`] | the end |
//! | tickets | nobody waits for an answer: see [`crate::tickets`] | the end |
//! | late | nothing came late at the old server for [`LATE`] | the end |
//! | loss | every mailbox has such a proof from after its cut-over, or somebody takes on what is lost, and says why | the end |
//!
//! What somebody took on is what was lost then: when more is, the gate is open again.

use std::collections::BTreeMap;
use std::time::Duration;

use anser_base::{Error, Result, Text, Timestamp};
use serde::{Deserialize, Serialize};

use crate::figures::Figures;
use crate::form::Field;
use crate::probes::{self, Probe};

/// Every gate, in its order.
const GATES: [&str; 11] =
    ["form", "forecast", "accounts", "proof", "ttl", "notice", "mx", "probe", "tickets", "late", LOSS];
/// The gate that somebody passes by taking on what is lost.
const LOSS: &str = "loss";
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
    /// What was lost when somebody took that on.
    pub taken_on: Lost,
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

/// What a move does not bring, as far as its proofs tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// Mailboxes that are not proven as a whole since their cut-over.
    pub mailboxes: u64,
    /// Messages and folders of their proofs that are unexplained.
    pub unexplained: u64,
    /// Those that the source does not hand out.
    pub failed: u64,
    /// Messages that came to the source since, and were not brought.
    #[serde(default)]
    pub unbrought: u64,
}

impl Lost {
    /// Whether it is no more than this.
    fn is_within(self, other: Self) -> bool {
        self.mailboxes <= other.mailboxes
            && self.unexplained <= other.unexplained
            && self.failed <= other.failed
            && self.unbrought <= other.unbrought
    }
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

/// How a gate stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateView {
    /// Its name.
    pub gate: String,
    /// `passed`, `open`, `accepted`.
    pub state: String,
    /// Whether the cut-over waits for it; else the end of the move does.
    pub before: bool,
    /// Why, or what to do, in English.
    pub en: String,
    /// In Chinese.
    pub zh: String,
}

/// What a move says of itself.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// Questions of the survey form that need an answer and have none.
    pub unanswered: Vec<&'static Field>,
    /// Logins that were not brought as a whole, and are not cut over, some of them named.
    pub unready: (u64, Vec<String>),
    /// Logins without a proof, or with something unexplained or failed, likewise.
    pub unproven: (u64, Vec<String>),
    /// Tickets that are open, some of them named.
    pub tickets: (u64, Vec<String>),
    /// What is lost, and some of the logins.
    pub lost: (Lost, Vec<String>),
    /// When the last one was cut over, in milliseconds since 1970, once all are.
    pub over: Option<i64>,
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

    /// Every gate.
    pub fn views(&self, standing: &Standing, seen: &[MxSeen], now: Timestamp) -> Vec<GateView> {
        let named = |(count, names): &(u64, Vec<String>)| match names.len() as u64 {
            all if all == *count => names.join(", "),
            _ => format!("{}… ({count})", names.join(", ")),
        };
        let unanswered = (!standing.unanswered.is_empty()).then(|| {
            let all = |word: fn(&Field) -> &'static str| standing.unanswered.iter().map(move |field| word(field));
            let (en, zh) = (all(|field| field.en).collect::<Vec<_>>(), all(|field| field.zh).collect::<Vec<_>>());
            Text::new(
                format!("not answered, see `anser move survey`: {}", en.join(", ")),
                format!("尚未填写，参见 anser move survey：{}", zh.join("、")),
            )
        });
        let unready = (standing.unready.0 > 0).then(|| {
            let names = named(&standing.unready);
            Text::new(format!("not brought as a whole: {names}"), format!("尚未完整迁入：{names}"))
        });
        let unproven = (standing.unproven.0 > 0).then(|| {
            let names = named(&standing.unproven);
            Text::new(
                format!("not proven, run `anser move verify`: {names}"),
                format!("尚未核对，请运行 anser move verify：{names}"),
            )
        });
        let tickets = (standing.tickets.0 > 0).then(|| {
            let names = named(&standing.tickets);
            Text::new(
                format!("open, see `anser move ticket`: {names}"),
                format!("未结，参见 anser move ticket：{names}"),
            )
        });
        let notice = self.notice.is_none().then(|| {
            Text::new(
                "tell the users when it will be, then say --noticed",
                "请通知用户切换时间，然后使用 --noticed 确认",
            )
        });
        let lost = (standing.lost.0.mailboxes > 0).then(|| {
            let (lost, names) = (&standing.lost.0, named(&(standing.lost.0.mailboxes, standing.lost.1.clone())));
            let (unexplained, failed, unbrought) = (lost.unexplained, lost.failed, lost.unbrought);
            Text::new(
                format!(
                    "not proven as a whole since the cut-over ({unexplained} unexplained, {failed} failed, {unbrought} not brought), see `anser move verify`; \
                     --accept loss=WHY takes it on: {names}"
                ),
                format!(
                    "切换后未完整通过核对（无法解释 {unexplained}，未能取得 {failed}，未迁入 {unbrought}），参见 anser move verify；\
                     可用 --accept loss=原因 接受：{names}"
                ),
            )
        });
        let all = [
            ("form", true, unanswered),
            ("forecast", true, Some(self.forecast_words())),
            ("accounts", true, unready),
            ("proof", true, unproven),
            ("ttl", true, self.ttl_problem(seen, now)),
            ("notice", true, notice),
            ("mx", false, mx_problem(seen)),
            ("probe", false, probes::problem(&self.probes, seen)),
            ("tickets", false, tickets),
            ("late", false, self.late_problem(standing, now)),
            (LOSS, false, lost),
        ];
        let is_more = !standing.lost.0.is_within(self.taken_on);
        let view = |(gate, before, problem)| {
            let accepted = self.accepted.get(gate).filter(|_| gate != LOSS || !is_more);
            view(gate, before, problem, accepted)
        };
        all.into_iter().map(view).collect()
    }

    /// Takes gates for passed: each by its name, or `NAME=WHY`. `lost` is what is lost now. `Class::Invalid` for a gate that there is none
    /// of, and for a loss without a reason.
    pub fn accept(&mut self, said: &[String], who: &str, lost: Lost) -> Result<()> {
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
                self.taken_on = lost;
            }
            let words = if why.is_empty() { who.to_owned() } else { format!("{who}: {why}") };
            self.accepted.insert(gate.to_owned(), words);
        }
        Ok(())
    }

    /// Who took on what is lost, and why.
    pub fn taken_on_by(&self) -> Option<&str> {
        self.accepted.get(LOSS).map(String::as_str)
    }

    /// What somebody is to know and to accept.
    fn forecast_words(&self) -> Text {
        let Some(Forecast { at, messages, bytes, seconds, supposed, unknown }) = self.forecast else {
            return Text::new(
                "nobody knows how much there is: run `anser move survey`",
                "尚未调查数据量：请运行 anser move survey",
            );
        };
        let (day, size) = (Timestamp(at), format!("{:.1} GB", bytes as f64 / 1e9));
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        let (mut en, mut zh) = (String::new(), String::new());
        if supposed > 0 {
            en += &format!("; {supposed} mailboxes were not looked into, and are taken for as large as the others");
            zh += &format!("；{supposed} 个邮箱未能查看，按其余邮箱的平均大小计入");
        }
        if unknown > 0 {
            en += &format!("; nothing is known of {unknown} mailboxes, which are not counted");
            zh += &format!("；{unknown} 个邮箱的情况未知，未计入");
        }
        Text::new(
            format!(
                "{messages} messages, {size}, about {hours} h {minutes} min, as it was at {day}{en}: --accept forecast"
            ),
            format!(
                "截至 {day} 共 {messages} 封、{size}，预计 {hours} 小时 {minutes} 分钟{zh}：请用 --accept forecast 确认"
            ),
        )
    }

    fn ttl_problem(&self, seen: &[MxSeen], now: Timestamp) -> Option<Text> {
        let (mut en, mut zh) = (Vec::new(), Vec::new());
        for one in seen {
            let domain = &one.domain;
            if one.ttl.is_none() {
                en.push(format!("{domain}: the DNS does not say for how long its MX is remembered"));
                zh.push(format!("{domain}：无法查询其 MX 的缓存时间"));
            }
            let mx = one.ttl.map(|ttl| (domain, format!("MX {domain}"), ttl));
            let names = one.names.iter().map(|one| (&one.name, one.name.clone(), one.ttl));
            for (key, name, ttl) in mx.into_iter().chain(names) {
                match self.ttl.get(key).and_then(Ttl::drained) {
                    None => {
                        en.push(format!("{name}: others remember it for {ttl} s: lower the TTL to {LOW} or less"));
                        zh.push(format!("{name}：TTL 为 {ttl} 秒，请降低到 {LOW} 秒以内"));
                    }
                    Some(drained) if now < drained => {
                        en.push(format!("{name}: its TTL is low; the old one is forgotten everywhere at {drained}"));
                        zh.push(format!("{name}：TTL 已降低，旧缓存将于 {drained} 全部失效"));
                    }
                    Some(_) => {}
                }
            }
            for Remembered { name, ttl } in one.held.iter().filter(|held| held.ttl > LOW) {
                en.push(format!("MX {domain}: {name} remembers it for {ttl} s more"));
                zh.push(format!("MX {domain}：{name} 的缓存还将保留 {ttl} 秒"));
            }
        }
        (!en.is_empty()).then(|| Text::new(en.join("; "), zh.join("；")))
    }

    fn late_problem(&self, standing: &Standing, now: Timestamp) -> Option<Text> {
        let Some(over) = standing.over else {
            return Some(Text::new("not everybody is cut over", "尚未全部切换"));
        };
        let since = Timestamp(self.late.unwrap_or(over).max(over));
        (now.since(since) < LATE).then(|| {
            let until = since.after(LATE);
            Text::new(
                format!("mail may still come late at the old server; until {until} if none comes"),
                format!("旧服务器可能仍有迟到邮件；若无新邮件，将于 {until} 通过"),
            )
        })
    }

    /// The follow-up visits, in milliseconds since 1970; none before the mail comes here.
    pub fn visits(&self) -> Vec<i64> {
        let Some(begun) = self.mx.or(self.begun) else { return Vec::new() };
        let months = (2..2 + MONTHS).map(|month| month * 30);
        let days = VISITS.into_iter().chain(months);
        days.map(|days| Timestamp(begun).after(Duration::from_secs(days * 24 * 3600)).0).collect()
    }
}

/// How a gate stands that has this problem, or none.
fn view(gate: &str, before: bool, problem: Option<Text>, accepted: Option<&String>) -> GateView {
    let (state, text) = match (problem, accepted) {
        (None, _) => ("passed", Text::new("", "")),
        (Some(text), Some(who)) => {
            let text = Text::new(format!("{} (accepted by {who})", text.en), format!("{}（{who} 已接受）", text.zh));
            ("accepted", text)
        }
        (Some(text), None) => ("open", text),
    };
    let (en, zh) = (text.en.into_owned(), text.zh.into_owned());
    GateView { gate: gate.to_owned(), state: state.to_owned(), before, en, zh }
}

fn mx_problem(seen: &[MxSeen]) -> Option<Text> {
    let wrong: Vec<&MxSeen> = seen.iter().filter(|one| !one.is_right()).collect();
    let say = |words: fn(&MxSeen) -> &str, between: &str, colon: &str| {
        let all: Vec<String> = wrong.iter().map(|one| format!("{}{colon}{}", one.domain, words(one))).collect();
        all.join(between)
    };
    (!wrong.is_empty()).then(|| Text::new(say(|one| &one.en, "; ", ": "), say(|one| &one.zh, "；", "：")))
}

#[cfg(test)]
mod tests {
    use super::*;

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

    fn state(gates: &Gates, standing: &Standing, seen: &MxSeen, now: Timestamp, gate: &str) -> String {
        let views = gates.views(standing, std::slice::from_ref(seen), now);
        views.into_iter().find(|view| view.gate == gate).unwrap().state
    }

    #[test]
    fn a_ttl_must_be_low_for_as_long_as_it_was_high_and_two_days() {
        let (mut gates, standing) = (Gates::default(), Standing::default());
        let at = |secs: u64| Timestamp::from_secs(1_800_000_000 + secs as i64);
        let ttl = |gates: &Gates, seen: &MxSeen, now| state(gates, &standing, seen, now, "ttl");
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
        assert_eq!(state(&gates, &standing, &low, at(FLOOR + 100), "ttl"), "passed");
        assert_eq!(state(&gates, &standing, &held, at(FLOOR + 100), "ttl"), "open");
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
    fn what_is_lost_is_taken_on_once_with_a_reason_and_no_more_than_it_was() {
        let now = Timestamp::from_secs(1_800_000_000);
        let mut gates = Gates::default();
        let standing = |mailboxes, unexplained, failed| Standing {
            lost: (Lost { mailboxes, unexplained, failed, unbrought: 0 }, vec!["ann".into()]),
            ..Standing::default()
        };
        let loss = |gates: &Gates, standing: &Standing| state(gates, standing, &seen("ok", 60), now, "loss");
        assert_eq!(loss(&gates, &standing(0, 0, 0)), "passed");
        assert_eq!(loss(&gates, &standing(1, 7, 0)), "open");
        let lost = standing(1, 7, 0).lost.0;
        assert!(gates.accept(&["loss".into()], "root", lost).is_err(), "nobody says why");
        assert!(gates.accept(&["lost=x".into()], "root", lost).is_err(), "no such gate");
        gates.accept(&["loss = they are in the old backup".into(), "ttl".into()], "root", lost).unwrap();
        assert_eq!(gates.taken_on_by(), Some("root: they are in the old backup"));
        assert_eq!(loss(&gates, &standing(1, 7, 0)), "accepted");
        assert_eq!(loss(&gates, &standing(1, 6, 0)), "accepted");
        for more in [standing(1, 8, 0), standing(2, 7, 0), standing(1, 7, 1)] {
            assert_eq!(loss(&gates, &more), "open");
        }
        let views = gates.views(&standing(1, 7, 0), &[], now);
        assert_eq!(views.iter().map(|view| &*view.gate).collect::<Vec<_>>(), GATES);
    }

    #[test]
    fn a_move_ends_when_nothing_came_late_for_a_week() {
        let now = Timestamp::from_secs(1_800_000_000);
        let standing = Standing { over: Some(now.0), ..Standing::default() };
        let mut gates = Gates { begun: Some(now.0), ..Gates::default() };
        assert_eq!(state(&gates, &standing, &seen("ok", 60), now.after(LATE / 2), "late"), "open");
        gates.late = Some(now.after(LATE / 2).0);
        assert_eq!(state(&gates, &standing, &seen("ok", 60), now.after(LATE), "late"), "open");
        assert_eq!(state(&gates, &standing, &seen("ok", 60), now.after(LATE * 2), "late"), "passed");
        assert_eq!(state(&gates, &Standing::default(), &seen("ok", 60), now.after(LATE * 2), "late"), "open");
        assert_eq!(gates.visits().len(), 7);
    }
}
