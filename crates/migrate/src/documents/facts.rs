//! What a move knows, for its documents.

use anser_base::{Result, Timestamp};

use super::{Appointment, Facts, Language, Table};
use crate::Migrate;
use crate::form::FIELDS;
use crate::gates::{LOW, MxSeen, VISITS};
use crate::paper::{Paper, html, pdf};
use crate::rows;
use crate::signature::Signer;

/// Mailboxes that a document lists.
const LISTED: usize = 2_000;
/// The day after, in milliseconds.
const DAY: i64 = 24 * 3600 * 1000;

impl Migrate {
    /// What a move knows. `seen` is what the DNS says.
    pub async fn facts(&self, name: &str, seen: &[MxSeen], language: Language) -> Result<Facts> {
        let of = self.named(name).await?;
        let id = of.id;
        let (form, gates) = self.read(move |tx| Ok((rows::form(tx, id)?, rows::gates(tx, id)?))).await?;
        let sources = self.read(move |tx| rows::sources(tx, id)).await?;
        let (all, now) = (self.all(id).await?, self.inner.deps.clock.now());
        let in_words = |en: &str, zh: &str| if language == Language::Zh { zh.to_owned() } else { en.to_owned() };
        let mut facts = Facts::default();

        let mut asked = Table::new(&[("Question", "项目"), ("Answer", "内容")]);
        for field in &FIELDS {
            facts.texts.insert(field.name, form.get(field.name).to_owned());
            asked.rows.push(vec![in_words(field.en, field.zh), form.get(field.name).to_owned()]);
        }
        let bytes: u64 = all.iter().map(|mailbox| mailbox.bytes).sum();
        let texts = [
            ("move", of.name.clone()),
            ("date", day(now)),
            ("mailboxes", all.len().to_string()),
            ("messages", all.iter().map(|mailbox| mailbox.total).sum::<u64>().to_string()),
            ("size", format!("{:.1} GB", bytes as f64 / 1e9)),
            ("ttl", LOW.to_string()),
        ];
        facts.texts.extend(texts);

        let mut places =
            Table::new(&[("Source", "来源"), ("Protocol", "协议"), ("Server", "服务器"), ("Protection", "加密")]);
        for one in sources {
            let place = if one.kind.is_files() { one.host.clone() } else { format!("{}:{}", one.host, one.port) };
            places.rows.push(vec![one.name, one.kind.word().to_owned(), place, one.tls.word().to_owned()]);
        }
        let mut accounts =
            Table::new(&[("Address", "地址"), ("Login at the old system", "旧系统登录名"), ("State", "状态")]);
        for one in all.iter().take(LISTED) {
            accounts.rows.push(vec![one.address.clone(), one.login.clone(), one.state.word().to_owned()]);
        }
        if all.len() > LISTED {
            accounts.rows.push(vec![format!("… ({})", all.len()), String::new(), String::new()]);
        }
        let mut passed = Table::new(&[("Gate", "关卡"), ("State", "状态"), ("What to do", "说明")]);
        for gate in gates.views(&self.standing(id).await?, seen, now) {
            let words = in_words(&gate.en, &gate.zh);
            passed.rows.push(vec![gate.gate, gate.state, words]);
        }
        let mut mx = Table::new(&[("Domain", "域名"), ("State", "状态"), ("What is wrong", "问题"), ("TTL", "TTL")]);
        for one in seen {
            let ttl = one.ttl.map(|ttl| ttl.to_string()).unwrap_or_default();
            mx.rows.push(vec![one.domain.clone(), one.state.clone(), in_words(&one.en, &one.zh), ttl]);
        }
        let columns = [
            ("Name", "名称"),
            ("TTL", "TTL"),
            ("Highest", "最高值"),
            ("Low since", "降低时间"),
            ("Looked at first", "首次查询"),
            ("Looked at last", "最近查询"),
        ];
        let mut ttl = Table::new(&columns);
        for (name, known) in &gates.ttl {
            let [low, first, last] = [known.low, Some(known.first), Some(known.last)]
                .map(|at| at.filter(|at| *at > 0).map(|at| Timestamp(at).to_string()).unwrap_or_default());
            ttl.rows.push(vec![name.clone(), known.now.to_string(), known.highest.to_string(), low, first, last]);
        }
        let columns = [
            ("Days after", "切换后天数"),
            ("Date", "日期"),
            ("In use within a week", "一周内使用"),
            ("Never logged in", "从未登录"),
            ("Doors", "使用方式"),
            ("Room", "占用空间"),
            ("Spoken to", "受访人"),
            ("What was said", "回访内容"),
        ];
        let (mut visits, dates) = (Table::new(&columns), gates.visits());
        let mut days: Vec<u64> = VISITS.to_vec();
        days.extend((2..=4).map(|month| month * 30));
        for (at, days) in days.into_iter().enumerate() {
            let date = dates.get(at).map(|at| day(Timestamp(*at))).unwrap_or_default();
            let mut row = vec![format!("+{days}"), date];
            row.extend(match dates.get(at).and_then(|at| gates.figures.get(at)) {
                Some(one) => {
                    [format!("{}/{}", one.lately, one.accounts), one.never.to_string(), one.doors(), one.size()]
                }
                None => Default::default(),
            });
            row.extend([String::new(), String::new()]);
            visits.rows.push(row);
        }
        let figures = self.figures(name).await?;
        let mut usage = Table::new(&[("Figure", "指标"), ("Today", "今天")]);
        let mut figure = |en: &str, zh: &str, value: String| usage.rows.push(vec![in_words(en, zh), value]);
        figure("Accounts", "账号", figures.accounts.to_string());
        figure("Logged in to within a week", "一周内登录过", figures.lately.to_string());
        figure("Never logged in to", "从未登录", figures.never.to_string());
        for (door, count) in &figures.doors {
            figure(door, door, count.to_string());
        }
        figure("Messages", "邮件", figures.messages.to_string());
        figure("Room", "占用空间", figures.size());
        let columns = [
            ("No.", "编号"),
            ("Opened", "提出"),
            ("By", "提出人"),
            ("About", "内容"),
            ("Closed", "结案"),
            ("What was done", "处理"),
        ];
        let mut tickets = Table::new(&columns);
        for one in self.tickets(name).await? {
            let (opened, closed) = one.days();
            let (closed, answer) = (closed.unwrap_or_default(), one.answer.unwrap_or_default());
            tickets.rows.push(vec![one.id.to_string(), opened, one.by, one.text, closed, answer]);
        }
        let tables = [
            ("usage", usage),
            ("tickets", tickets),
            ("form", asked),
            ("sources", places),
            ("accounts", accounts),
            ("gates", passed),
            ("mx", mx),
            ("ttl", ttl),
            ("visits", visits),
        ];
        facts.tables.extend(tables);
        Ok(facts)
    }

    /// What is to be done on which day, once the cut-over was begun.
    pub async fn appointments(&self, name: &str, language: Language) -> Result<Vec<Appointment>> {
        let of = self.named(name).await?;
        let gates = self.read(move |tx| rows::gates(tx, of.id)).await?;
        let in_words = |en: &str, zh: &str| if language == Language::Zh { zh.to_owned() } else { en.to_owned() };
        let visit = in_words("ask how the users do", "回访用户");
        let mut all: Vec<Appointment> = Vec::new();
        for (number, at) in gates.visits().into_iter().enumerate() {
            all.push(Appointment { name: format!("visit {number}"), at: Timestamp(at), text: visit.clone() });
        }
        if let Some(begun) = gates.mx.or(gates.begun) {
            let text = in_words("put the TTL of the MX record back", "将 MX 记录的 TTL 改回原值");
            all.push(Appointment { name: "ttl".into(), at: Timestamp(begun + DAY), text });
        }
        Ok(all)
    }

    /// A document as HTML and as PDF, both signed.
    pub fn sign_document(&self, paper: &Paper) -> Result<[String; 2]> {
        let signer = Signer::new(&self.inner.deps.key)?;
        let page = html(paper);
        let printed = pdf(paper, &signer.foot(&page));
        Ok([signer.sign("html", page), signer.sign("pdf", printed)])
    }
}

fn day(at: Timestamp) -> String {
    at.to_string().chars().take(10).collect()
}
