//! What the name servers of a domain's zones say, each asked itself, beside what others may still remember.
//!
//! A server that does not answer the first question is not asked again, so that a look takes seconds, whatever is broken. Where the
//! parent of a zone sends the world to other servers than this network is sent to, one of those is asked too.

use std::net::SocketAddr;

use anser_net::dns::{Answer, Authority, Data, NameServer, RecordType, Resolver, Status};
use futures_util::future::join_all;

use super::judge::{Judge, Words};
use super::{Wanted, kind_word};
use crate::answer::RecordView;

/// Values of a record that are told of each server, and characters of each.
const VALUES: usize = 3;
const VALUE: usize = 60;

/// What was found of a record.
#[derive(Debug, Default)]
pub(super) struct Looked {
    pub state: &'static str,
    pub problem: Option<Words>,
    /// What the DNS says.
    pub now: String,
    /// Seconds for which others may remember what the name servers say.
    pub ttl: Option<u64>,
    /// Seconds for which others may still remember something else.
    pub old: Option<u64>,
}

/// The zones that were asked about so far.
pub(super) struct World<'a> {
    resolver: &'a Resolver,
    port: u16,
    zones: Vec<Zone>,
}

struct Zone {
    authority: Authority,
    /// The servers that the world is sent to, where these are others than this network is.
    outside: Vec<NameServer>,
    /// What each server says of the zone itself: the number of its version, or why there is none.
    standing: Vec<Result<u32, String>>,
}

impl<'a> World<'a> {
    /// Nothing is asked yet; `port` is the one of name servers.
    pub fn new(resolver: &'a Resolver, port: u16) -> Self {
        Self { resolver, port, zones: Vec::new() }
    }

    /// What there is in place of a record.
    pub async fn look(&mut self, judge: Judge<'_>, wanted: &Wanted) -> Looked {
        let known = self.resolver.lookup(&wanted.name, wanted.kind).await;
        let now = shown(&known);
        Looked { now, ..self.look_around(judge, wanted, known).await }
    }

    async fn look_around(&mut self, judge: Judge<'_>, wanted: &Wanted, known: Answer) -> Looked {
        let resolver = self.resolver;
        let (answers, outside) = match self.zone(&wanted.name).await {
            Some(zone) => (zone.answers(resolver, &wanted.name, wanted.kind).await, zone.outside(wanted).await),
            None => (Vec::new(), None),
        };
        let inside = answers.first().map_or(&known, |(_, answer)| answer);
        if let Some((server, answer)) = &outside
            && !says_the_same(inside, answer)
        {
            let verdict = judge.verdict(wanted, &answer.status).await;
            return split(inside, (server, answer), verdict);
        }
        let ttl = longest(&answers);
        let mut groups: Vec<(Vec<&str>, Answer)> = Vec::new();
        for (server, answer) in answers {
            match groups.iter_mut().find(|(_, other)| says_the_same(other, &answer)) {
                Some((servers, _)) => servers.push(server),
                None => groups.push((vec![server], answer)),
            }
        }
        match &groups[..] {
            [] => {
                let (state, problem) = judge.verdict(wanted, &known.status).await;
                Looked { state, problem, ..Looked::default() }
            }
            [(_, answer)] => {
                let (state, problem) = judge.verdict(wanted, &answer.status).await;
                let is_old = !known.is_failure() && !says_the_same(&known, answer);
                let old = is_old.then_some(known.ttl.as_secs());
                match old {
                    Some(left) if state == "ok" => {
                        Looked { state: "waiting", problem: Some(waiting(left)), ttl, old, ..Looked::default() }
                    }
                    _ => Looked { state, problem, ttl, old, ..Looked::default() },
                }
            }
            several => {
                let mut said = Vec::new();
                for (servers, answer) in several {
                    said.push((servers, shown(answer), judge.verdict(wanted, &answer.status).await));
                }
                let problem =
                    difference(&said.iter().map(|(s, v, (state, _))| (&s[..], &v[..], *state)).collect::<Vec<_>>());
                Looked { state: "differs", problem: Some(problem), ttl, ..Looked::default() }
            }
        }
    }

    /// For how long others may remember a name, by those of its name servers that have it; `None` when none does.
    pub async fn ttl(&mut self, name: &str, kind: RecordType) -> Option<u64> {
        let resolver = self.resolver;
        let answers = self.zone(name).await?.answers(resolver, name, kind).await;
        let there = answers.into_iter().filter(|(_, answer)| !answer.records().is_empty());
        longest(&there.collect::<Vec<_>>())
    }

    /// A row for each zone: its name servers, and what is wrong with them.
    pub fn zones(&self) -> impl Iterator<Item = RecordView> + '_ {
        self.zones.iter().map(Zone::view)
    }

    async fn zone(&mut self, name: &str) -> Option<&Zone> {
        let authority = self.resolver.authority(name, self.port).await?;
        if let Some(at) = self.zones.iter().position(|zone| zone.authority.zone == authority.zone) {
            return self.zones.get(at);
        }
        let versions = authority.servers.iter().map(|server| version(server, &authority.zone));
        let delegation = self.resolver.delegation(&authority.zone, self.port);
        let (standing, delegation) = tokio::join!(join_all(versions), delegation);
        let known: Vec<SocketAddr> = authority.servers.iter().flat_map(|server| server.addresses.clone()).collect();
        let is_other = |server: &NameServer| {
            !server.addresses.is_empty() && !server.addresses.iter().any(|address| known.contains(address))
        };
        let outside = delegation.map(|found| found.servers).unwrap_or_default().into_iter().filter(is_other).collect();
        self.zones.push(Zone { authority, outside, standing });
        self.zones.last()
    }
}

/// The serial number of a zone at one server (RFC 1035 §3.3.13).
async fn version(server: &NameServer, zone: &str) -> Result<u32, String> {
    let answer = server.ask(zone, RecordType::Soa).await;
    match (&answer.status, answer.records()) {
        (_, [Data::Soa { serial, .. }, ..]) => Ok(*serial),
        (Status::Failed(why), _) => Err(why.clone()),
        _ => Err("it does not have the zone".to_owned()),
    }
}

impl Zone {
    /// What each server that speaks says of a record. Where a name leads out of the zone the rest is what the DNS says.
    async fn answers(&self, resolver: &Resolver, name: &str, kind: RecordType) -> Vec<(&str, Answer)> {
        let speaks = self.authority.servers.iter().zip(&self.standing).filter(|(_, standing)| standing.is_ok());
        let asked = speaks.map(|(server, _)| async {
            let answer = server.ask(name, kind).await;
            let leads_away = answer.canonical != name && answer.records().is_empty() && !answer.is_failure();
            let status = match leads_away {
                true => resolver.lookup(&answer.canonical, kind).await.status,
                false => answer.status.clone(),
            };
            (server.name.as_str(), Answer { status, ..answer })
        });
        join_all(asked).await.into_iter().filter(|(_, answer)| !answer.is_failure()).collect()
    }

    /// What the world is told of a record by servers that this network does not ask, the first that has the zone.
    async fn outside(&self, wanted: &Wanted) -> Option<(&str, Answer)> {
        let asked = self
            .outside
            .iter()
            .map(|server| async { (server.name.as_str(), server.ask(&wanted.name, wanted.kind).await) });
        join_all(asked).await.into_iter().find(|(_, answer)| !answer.is_failure())
    }

    fn view(&self) -> RecordView {
        let names: Vec<String> = self.authority.servers.iter().map(|server| format!("{}.", server.name)).collect();
        let problem = self.problem();
        let (problem_en, problem_zh) = problem.unzip();
        RecordView {
            name: self.authority.zone.clone(),
            kind: "NS".to_owned(),
            value: names.join(" "),
            needed: true,
            en: "the name servers of the zone, each of which was asked".to_owned(),
            zh: "该区的权威名称服务器（已逐一查询）".to_owned(),
            state: if problem_en.is_some() { "wrong" } else { "ok" }.to_owned(),
            problem_en,
            problem_zh,
            now: self.versions(),
            ttl: None,
            old: None,
        }
    }

    /// The serial number of the zone (RFC 1035 §3.3.13) at each server that has it.
    fn versions(&self) -> String {
        let named = self.authority.servers.iter().zip(&self.standing);
        let each = named.filter_map(|(server, standing)| Some(format!("{} {}", server.name, standing.as_ref().ok()?)));
        each.take(VALUES).collect::<Vec<_>>().join(", ")
    }

    fn problem(&self) -> Option<Words> {
        let named = || self.authority.servers.iter().zip(&self.standing);
        let mut problems: Vec<Words> = named()
            .filter_map(|(server, standing)| Some((server, standing.as_ref().err()?)))
            .map(|(server, why)| {
                let name = &server.name;
                (
                    format!("{name}: {why}; have it mended, or take it out of the zone"),
                    format!("{name}：{why}；请修复，或将其从该区中移除"),
                )
            })
            .collect();
        let versions: Vec<(&str, u32)> =
            named().filter_map(|(server, standing)| Some((server.name.as_str(), *standing.as_ref().ok()?))).collect();
        if versions.windows(2).any(|pair| pair[0].1 != pair[1].1) {
            let all: Vec<String> = versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
            let all = all.join(", ");
            problems.push((
                format!("they hold different versions of the zone ({all}): if that lasts, one of them gets no changes"),
                format!("各服务器的区版本不同（{all}）：若持续如此，说明有服务器未收到更新"),
            ));
        }
        let (en, zh): (Vec<String>, Vec<String>) = problems.into_iter().unzip();
        (!en.is_empty()).then(|| (en.join("; "), zh.join("；")))
    }
}

fn longest(answers: &[(&str, Answer)]) -> Option<u64> {
    answers.iter().map(|(_, answer)| answer.ttl.as_secs()).max()
}

fn says_the_same(one: &Answer, other: &Answer) -> bool {
    let absent = |answer: &Answer| answer.records().is_empty();
    let sorted = |answer: &Answer| {
        let mut all: Vec<String> = answer.records().iter().map(|data| format!("{data:?}")).collect();
        all.sort_unstable();
        all
    };
    (absent(one) && absent(other)) || (one.canonical == other.canonical && sorted(one) == sorted(other))
}

/// This network has a DNS of its own (split horizon). Mail comes by what the world is told.
fn split(inside: &Answer, (server, outside): (&str, &Answer), verdict: (&'static str, Option<Words>)) -> Looked {
    let value = |answer: &Answer| match shown(answer) {
        none if none.is_empty() => "-".to_owned(),
        some => some,
    };
    let (within, without) = (value(inside), value(outside));
    let (state, why) = verdict;
    let (en, zh) = why.map(|(en, zh)| (format!("; there {en}"), format!("；对外：{zh}"))).unwrap_or_default();
    let problem = (
        format!(
            "split horizon: in this network it is {within}, while the world is told {without} by {server}{en}; \
             mail comes by what the world is told: change both zones"
        ),
        format!(
            "内外 DNS 不一致：本网络内为 {within}，外界从 {server} 得到 {without}{zh}；外部来信以外界所得为准，请同时修改内外两份区数据"
        ),
    );
    // What is right for the world alone is not right for the house.
    let state = if state == "ok" { "differs" } else { state };
    Looked { state, problem: Some(problem), ttl: Some(outside.ttl.as_secs()), ..Looked::default() }
}

fn waiting(left: u64) -> Words {
    (
        format!("all name servers have it; others may remember what was there before for {left} s more"),
        format!("所有权威服务器均已更新；其他服务器的旧缓存最多还保留 {left} 秒"),
    )
}

fn difference(said: &[(&[&str], &str, &str)]) -> Words {
    let all: Vec<String> = said
        .iter()
        .map(|(servers, value, state)| {
            let value = if value.is_empty() { String::new() } else { format!(" ({value})") };
            format!("{}: {state}{value}", servers.join(", "))
        })
        .collect();
    let all = all.join("; ");
    (
        format!(
            "the name servers differ: {all}. After a change wait until all have it; if that lasts, ask who runs them"
        ),
        format!("各权威服务器的回答不一致：{all}。修改后请等待同步；若持续如此，请联系其运营者"),
    )
}

/// The first values of an answer.
fn shown(answer: &Answer) -> String {
    let value = |data: &Data| match data {
        Data::A(ip) => ip.to_string(),
        Data::Aaaa(ip) => ip.to_string(),
        Data::Mx { preference, exchange } => format!("{preference} {exchange}"),
        Data::Txt(text) => format!("{:?}", String::from_utf8_lossy(text)),
        Data::Srv { port, target, .. } => format!("{target}:{port}"),
        Data::Ptr(name) | Data::Ns(name) | Data::Cname(name) => name.clone(),
        Data::Tlsa { .. } | Data::Soa { .. } => kind_word(data.kind()).to_owned(),
    };
    let cut = |text: String| {
        if text.chars().count() > VALUE { text.chars().take(VALUE).chain(['…']).collect() } else { text }
    };
    let values: Vec<String> = answer.records().iter().take(VALUES).map(|data| cut(value(data))).collect();
    values.join(", ")
}
