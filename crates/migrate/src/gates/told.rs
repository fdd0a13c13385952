//! How each gate stands, and what to do about it, in words.

use anser_base::{Text, Timestamp};
use serde::{Deserialize, Serialize};

use super::{DELTA, Forecast, Gates, InSum, LATE, LOGINS, LOSS, LOW, MxSeen, Remembered, Standing, Ttl};
use crate::form::Field;
use crate::probes;

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

impl Gates {
    /// Every gate.
    pub fn views(&self, standing: &Standing, seen: &[MxSeen], now: Timestamp) -> Vec<GateView> {
        let notice = || {
            let words =
                ("tell the users when it will be, then say --noticed", "请通知用户切换时间，然后使用 --noticed 确认");
            Text::new(words.0, words.1)
        };
        let all = [
            ("form", true, standing.form_problem()),
            ("forecast", true, Some(self.forecast_words())),
            ("users", true, standing.users_problem()),
            ("logins", true, standing.logins_problem()),
            ("accounts", true, standing.accounts_problem()),
            ("delta", true, standing.delta_problem()),
            ("proof", true, standing.proof_problem()),
            ("ttl", true, self.ttl_problem(seen, now)),
            ("notice", true, self.notice.is_none().then(notice)),
            ("mx", false, mx_problem(seen)),
            ("probe", false, probes::problem(&self.probes, seen)),
            ("tickets", false, standing.tickets_problem()),
            ("late", false, self.late_problem(standing, now)),
            (LOSS, false, standing.loss_problem()),
        ];
        let view = |(gate, before, problem)| {
            let accepted = match gate {
                LOSS => self.taken_on_by(&standing.lost, |_| true),
                _ => self.accepted.get(gate).cloned(),
            };
            view(gate, before, problem, accepted)
        };
        all.into_iter().map(view).collect()
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
        let names = &standing.unswept;
        if names.count > 0 {
            return Some(Text::new(
                format!("late mail could not be looked for, see `anser move list` and run `anser move retry`: {names}"),
                format!("未能检查迟到邮件，请查看 anser move list 并运行 anser move retry：{names}"),
            ));
        }
        let since = Timestamp(self.late.unwrap_or(over).max(over));
        (now.since(since) < LATE).then(|| {
            let until = since.after(LATE);
            Text::new(
                format!("mail may still come late at the old server; until {until} if none comes"),
                format!("旧服务器可能仍有迟到邮件；若无新邮件，将于 {until} 通过"),
            )
        })
    }
}

impl Standing {
    fn form_problem(&self) -> Option<Text> {
        let all = |word: fn(&Field) -> &'static str| self.unanswered.iter().map(move |field| word(field));
        let (en, zh) = (all(|field| field.en).collect::<Vec<_>>(), all(|field| field.zh).collect::<Vec<_>>());
        (!self.unanswered.is_empty()).then(|| {
            Text::new(
                format!("not answered, see `anser move survey`: {}", en.join(", ")),
                format!("尚未填写，参见 anser move survey：{}", zh.join("、")),
            )
        })
    }

    fn users_problem(&self) -> Option<Text> {
        let (said, listed) = (self.users?, self.accounts);
        (said != listed).then(|| {
            Text::new(
                format!("the survey form says {said} users, {listed} accounts are listed"),
                format!("调查表填写的用户数为 {said}，已列出 {listed} 个账号"),
            )
        })
    }

    fn logins_problem(&self) -> Option<Text> {
        let (all, names) = (self.mailboxes, &self.shut_out);
        let work = all - names.count;
        (work * 100 < all * LOGINS).then(|| {
            Text::new(
                format!("{work} of {all} logins work, see `anser move check`; not these: {names}"),
                format!("{all} 个登录名中 {work} 个可用，参见 anser move check；不可用：{names}"),
            )
        })
    }

    fn accounts_problem(&self) -> Option<Text> {
        let names = &self.unready;
        let words = || Text::new(format!("not brought as a whole: {names}"), format!("尚未完整迁入：{names}"));
        (names.count > 0).then(words)
    }

    fn delta_problem(&self) -> Option<Text> {
        let (minutes, names) = (DELTA.as_secs() / 60, &self.slow);
        (names.count > 0).then(|| {
            Text::new(
                format!("the last pass took {minutes} minutes or longer, run `anser move delta`: {names}"),
                format!("最近一次迁移用时 {minutes} 分钟以上，请运行 anser move delta：{names}"),
            )
        })
    }

    fn proof_problem(&self) -> Option<Text> {
        let names = &self.unproven;
        (names.count > 0).then(|| {
            Text::new(
                format!("not proven as they are now, run `anser move verify`: {names}"),
                format!("现状尚未通过核对，请运行 anser move verify：{names}"),
            )
        })
    }

    fn tickets_problem(&self) -> Option<Text> {
        let names = &self.tickets;
        (names.count > 0).then(|| {
            Text::new(
                format!("open, see `anser move ticket`: {names}"),
                format!("未结，参见 anser move ticket：{names}"),
            )
        })
    }

    fn loss_problem(&self) -> Option<Text> {
        let (names, unproven) = (&self.losing, self.lost.values().filter(|lost| lost.unproven).count());
        let InSum { unexplained, failed, unbrought, .. } = InSum::of(&self.lost);
        (names.count > 0).then(|| {
            Text::new(
                format!(
                    "the newest proofs name {unexplained} unexplained, {failed} failed, {unbrought} not brought; {unproven} mailboxes have \
                     no proof as they are now; see `anser move verify`; --accept loss=WHY takes it on: {names}"
                ),
                format!(
                    "最近核对的结果：无法解释 {unexplained}，未能取得 {failed}，未迁入 {unbrought}；{unproven} 个邮箱的现状尚未核对；\
                     参见 anser move verify；可用 --accept loss=原因 接受：{names}"
                ),
            )
        })
    }
}

/// How a gate stands that has this problem, or none.
fn view(gate: &str, before: bool, problem: Option<Text>, accepted: Option<String>) -> GateView {
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
    use std::collections::BTreeMap;

    use super::super::tests::state;
    use super::super::{GATES, Lost, Named};
    use super::*;

    fn named(count: u64) -> Named {
        let mut named = Named::default();
        (0..count).for_each(|number| named.add(&format!("zoe{number}")));
        named
    }

    #[test]
    fn what_is_lost_is_taken_on_mailbox_by_mailbox_with_a_reason_and_no_more_than_it_was() {
        let mut gates = Gates::default();
        let lost = |all: &[(u64, u64, u64)]| -> BTreeMap<u64, Lost> {
            let lost = |(id, unexplained, failed): &(u64, u64, u64)| {
                (*id, Lost { unexplained: *unexplained, failed: *failed, ..Lost::default() })
            };
            all.iter().map(lost).collect()
        };
        let loss = |gates: &Gates, lost: BTreeMap<u64, Lost>| {
            state(gates, &Standing { losing: named(lost.len() as u64), lost, ..Standing::default() }, "loss")
        };
        assert_eq!(loss(&gates, lost(&[])), "passed");
        let taken = lost(&[(1, 7, 0), (2, 0, 1)]);
        assert_eq!(loss(&gates, taken.clone()), "open");
        assert!(gates.accept(&["loss".into()], "root", &taken).is_err(), "nobody says why");
        assert!(gates.accept(&["lost=x".into()], "root", &taken).is_err(), "no such gate");
        gates.accept(&["loss = they are in the old backup".into(), "ttl".into()], "root", &taken).unwrap();
        let by = gates.taken_on_by(&taken, |_| true);
        assert_eq!(by.as_deref(), Some("root: they are in the old backup"));
        assert_eq!(gates.taken_on_by(&taken, |id| *id == 3), None, "that one has lost nothing");
        for less in [&[(1, 7, 0), (2, 0, 1)][..], &[(1, 6, 0), (2, 0, 1)], &[(2, 0, 1)]] {
            assert_eq!(loss(&gates, lost(less)), "accepted");
        }
        // No more in all, and other mailboxes.
        for more in [&[(1, 8, 0)][..], &[(1, 7, 1)], &[(1, 0, 0), (2, 7, 1)], &[(3, 1, 0)]] {
            assert_eq!(loss(&gates, lost(more)), "open", "{more:?}");
            assert_eq!(gates.taken_on_by(&lost(more), |_| true), None, "nobody signs for it");
        }
        let more = lost(&[(1, 8, 0), (2, 0, 1)]);
        assert!(gates.taken_on_by(&more, |id| *id == 2).is_some(), "of this one it was all");
        assert_eq!(gates.taken_on_by(&more, |id| *id == 1), None);
        let unknown = BTreeMap::from([(1, Lost { unproven: true, ..Lost::default() })]);
        assert_eq!(loss(&gates, unknown), "open");
        let views = gates.views(&Standing::default(), &[], Timestamp(0));
        assert_eq!(views.iter().map(|view| &*view.gate).collect::<Vec<_>>(), GATES);
    }

    #[test]
    fn what_was_taken_on_in_sum_stays_taken_on_and_is_told_as_that() {
        // As it was kept before it was counted by mailbox.
        let kept =
            r#"{"accepted": {"loss": "root: spam"}, "taken_on": {"mailboxes": 2, "unexplained": 3, "failed": 1}}"#;
        let mut gates: Gates = serde_json::from_str(kept).unwrap();
        gates = serde_json::from_str(&serde_json::to_string(&gates).unwrap()).unwrap();
        let of = |unexplained| Lost { unexplained, ..Lost::default() };
        let (less, more) = (BTreeMap::from([(4, of(3))]), BTreeMap::from([(4, of(4))]));
        let words = "root: spam (in sum 按总数: 2 mailboxes 邮箱, 3 unexplained 无法解释, 1 failed 未能取得, 0 not brought 未迁入)";
        assert_eq!(gates.taken_on_by(&less, |_| true).as_deref(), Some(words));
        assert_eq!(gates.taken_on_by(&more, |_| true), None);
        let unknown = BTreeMap::from([(4, Lost { unproven: true, ..of(3) })]);
        assert_eq!(gates.taken_on_by(&unknown, |_| true), None, "nobody knows what it lost");
        gates.closed = Some(1);
        assert_eq!(gates.taken_on_by(&more, |_| true).as_deref(), Some(words), "as it was when it was closed");
        gates.closed = None;
        gates.accept(&["loss=all of it".into()], "ann", &more).unwrap();
        assert_eq!(gates.taken_on_by(&more, |_| true).as_deref(), Some("ann: all of it"));
        let none: Gates = serde_json::from_str(r#"{"accepted": {"loss": "x"}, "taken_on": {"mailboxes": 0}}"#).unwrap();
        assert_eq!(none.taken_on_by(&less, |_| true), None, "nothing was lost then");
    }

    #[test]
    fn nearly_all_logins_have_to_work_and_the_others_are_named() {
        for (mailboxes, shut_out, wanted) in
            [(0, 0, "passed"), (100, 0, "passed"), (100, 2, "passed"), (100, 3, "open"), (10, 1, "open")]
        {
            let standing = Standing { mailboxes, shut_out: named(shut_out), ..Standing::default() };
            assert_eq!(state(&Gates::default(), &standing, "logins"), wanted, "{shut_out} of {mailboxes}");
        }
        let standing = Standing { mailboxes: 100, shut_out: named(11), ..Standing::default() };
        let views = Gates::default().views(&standing, &[], Timestamp(0));
        let logins = views.iter().find(|view| view.gate == "logins").unwrap();
        assert!(logins.en.contains("89 of 100") && logins.en.ends_with("zoe9… (11)"), "{}", logins.en);
        assert!(logins.zh.contains("zoe0"), "{}", logins.zh);
    }
}
