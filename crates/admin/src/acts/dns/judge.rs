//! Whether what the DNS says of a name is what a domain needs, and if not, what is wrong and how to mend it.

use std::net::IpAddr;

use anser_net::dns::{Data, RecordType, Resolver, Status};
use anser_senderauth::dns::{Answer, Asking, Dns, Kind, Record};
use anser_senderauth::{dmarc, spf};
use futures_util::future::join_all;

use super::Wanted;

/// A name that nobody gives to anything: where it has records, a wildcard made them.
const NOWHERE: &str = "anser-looks-for-wildcards";
/// Names of MX records that are looked at.
const EXCHANGES: usize = 10;

/// In English and in Chinese.
pub(super) type Words = (String, String);

/// Whom the records are for, and whom to ask for what they refer to.
#[derive(Clone, Copy)]
pub(super) struct Judge<'a> {
    pub resolver: &'a Resolver,
    /// This server.
    pub hostname: &'a str,
    pub domain: &'a str,
    /// Whether mail may go to this server alone.
    pub alone: bool,
}

impl Judge<'_> {
    /// `ok`, `missing`, `absent` (and not needed), `wrong` or `unknown`, and what is wrong and how to mend it.
    pub async fn verdict(&self, wanted: &Wanted, said: &Status) -> (&'static str, Option<Words>) {
        match said {
            Status::Found(found) => match self.problem(wanted, found).await {
                Some(problem) => ("wrong", Some(problem)),
                None => ("ok", None),
            },
            Status::NoData | Status::NxDomain if !wanted.needed => ("absent", None),
            Status::NoData | Status::NxDomain => {
                ("missing", Some(("there is no such record: add it".into(), "没有该记录，请添加".into())))
            }
            Status::Failed(why) => {
                ("unknown", Some((format!("the DNS gave no answer: {why}"), format!("DNS 查询失败：{why}"))))
            }
        }
    }

    async fn problem(&self, wanted: &Wanted, found: &[Data]) -> Option<Words> {
        let hostname = self.hostname;
        let texts: Vec<String> = found
            .iter()
            .filter_map(|data| {
                if let Data::Txt(text) = data { Some(String::from_utf8_lossy(text).into_owned()) } else { None }
            })
            .collect();
        match wanted.kind {
            RecordType::A | RecordType::Aaaa => None,
            RecordType::Mx => {
                let looked_at = exchanges(found).into_iter().take(EXCHANGES);
                // All at once: a name server that is silent costs its time once.
                let of_exchanges = join_all(looked_at.map(|exchange| self.exchange_problem(exchange)));
                let (of_exchanges, of_wildcard) = tokio::join!(of_exchanges, self.wildcard_problem(found));
                let first = mx_problem(found, hostname, self.alone);
                joined(first.into_iter().chain(of_exchanges.into_iter().flatten()).chain(of_wildcard).collect())
            }
            RecordType::Srv => {
                let right = found
                    .iter()
                    .any(|data| matches!(data, Data::Srv { target, .. } if target.eq_ignore_ascii_case(hostname)));
                (!right).then(|| (format!("it names another server than {hostname}"), format!("指向的不是 {hostname}")))
            }
            RecordType::Cname => {
                let right =
                    found.iter().any(|data| matches!(data, Data::Cname(to) if to.eq_ignore_ascii_case(hostname)));
                (!right).then(|| (format!("it leads elsewhere than to {hostname}"), format!("指向的不是 {hostname}")))
            }
            RecordType::Tlsa => tlsa_problem(found, &wanted.value),
            _ if wanted.value.starts_with("v=STSv1") => sts_problem(&texts, &wanted.value),
            _ if wanted.value.starts_with("v=spf1") => self.spf_problem(&texts).await,
            _ if wanted.value.starts_with("v=DMARC1") => dmarc_problem(&texts),
            _ if wanted.value.starts_with("v=DKIM1") => dkim_problem(&texts, &wanted.value),
            _ => None,
        }
    }

    /// What is wrong with a name that an MX gives: an alias, which it must not name (RFC 2181 §10.3), nothing, or what a wildcard makes
    /// of any name.
    async fn exchange_problem(&self, exchange: &str) -> Option<Words> {
        // What is no name at all was told already; the root is no server.
        if exchange.is_empty() || exchange.trim_matches(['[', ']']).parse::<IpAddr>().is_ok() {
            return None;
        }
        let resolver = self.resolver;
        let (four, six) =
            tokio::join!(resolver.lookup(exchange, RecordType::A), resolver.lookup(exchange, RecordType::Aaaa));
        if !four.is_failure() && !four.canonical.eq_ignore_ascii_case(exchange) {
            return Some((
                format!(
                    "{exchange} is an alias (CNAME), which an MX must not name and some servers send nothing to: \
                     give it an address record"
                ),
                format!("{exchange} 是别名（CNAME），MX 不能指向别名，部分服务器不会投递：请改为地址记录"),
            ));
        }
        let found: Vec<IpAddr> = four.addresses().chain(six.addresses()).collect();
        if found.is_empty() && (four.is_failure() || six.is_failure()) {
            // Nobody knows at present.
            return None;
        }
        if found.is_empty() {
            return Some((
                format!("{exchange} has no address: remove that MX, or give the name one; mail waits for it in vain"),
                format!("{exchange} 没有地址：请删除该 MX 或补上地址，否则邮件会徒劳等待"),
            ));
        }
        let (_, above) = exchange.split_once('.')?;
        let is_any = !exchange.eq_ignore_ascii_case(self.hostname)
            && same(found, addresses(resolver, &format!("{NOWHERE}.{above}")).await);
        is_any.then(|| {
            (
                format!(
                    "{exchange} is answered by the wildcard *.{above}, which makes every name seem right, misspelt ones too: \
                     name {} if that is meant",
                    self.hostname
                ),
                format!(
                    "{exchange} 由通配记录 *.{above} 应答，拼错的名称也会显得正确：如本意是 {}，请改正",
                    self.hostname
                ),
            )
        })
    }

    /// An MX that a wildcard makes ends with the first record that the name gets of its own (RFC 4592 §2.2.1).
    async fn wildcard_problem(&self, found: &[Data]) -> Option<Words> {
        let (_, above) = self.domain.split_once('.')?;
        // At the top of a zone no wildcard answers.
        if !self.resolver.lookup(self.domain, RecordType::Soa).await.records().is_empty() {
            return None;
        }
        let any = self.resolver.lookup(&format!("{NOWHERE}.{above}"), RecordType::Mx).await;
        same(found.to_vec(), any.records().to_vec()).then(|| {
            let domain = self.domain;
            (
                format!(
                    "{domain} has no MX of its own, it comes from the wildcard *.{above}, and ends with whatever other record is \
                     added at {domain}: add the MX there"
                ),
                format!("{domain} 没有自己的 MX，结果来自通配记录 *.{above}；一旦为 {domain} 添加其他记录便会失效：请单独添加 MX"),
            )
        })
    }

    /// The policy may be another than ours, as long as it lets this server send.
    async fn spf_problem(&self, texts: &[String]) -> Option<Words> {
        let Judge { resolver, hostname, domain, .. } = *self;
        let published = Published { resolver, name: domain, texts };
        match texts
            .iter()
            .filter(|text| text.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("v=spf1")))
            .count()
        {
            0 => {
                return Some((
                    "none of the texts is an SPF policy: add it".into(),
                    "文本记录中没有 SPF 策略，请添加".into(),
                ));
            }
            1 => {}
            _ => {
                return Some((
                    "there are two SPF policies, which counts as an error: keep one".into(),
                    "存在多条 SPF 策略（视为错误），请只保留一条".into(),
                ));
            }
        }
        for ip in addresses(resolver, hostname).await {
            let dns = Dns::new(&published);
            let question =
                spf::Question { ip, helo: hostname, local: "postmaster", domain, receiver: hostname, now: 0 };
            let result = spf::check(&dns, question).await.result;
            if result != spf::Result::Pass {
                let word = result.word();
                return Some((
                    format!("for {ip} of this server it says {word}: add ip4:, ip6: or mx"),
                    format!("对本服务器地址 {ip} 的结果为 {word}：请加入 ip4:、ip6: 或 mx"),
                ));
            }
        }
        None
    }
}

/// Whether both have the same, and something; in whatever order.
fn same<T: PartialEq>(one: Vec<T>, other: Vec<T>) -> bool {
    !one.is_empty() && one.len() == other.len() && one.iter().all(|item| other.contains(item))
}

/// The names that MX records give.
fn exchanges(found: &[Data]) -> Vec<&str> {
    let names =
        found.iter().filter_map(|data| if let Data::Mx { exchange, .. } = data { Some(&**exchange) } else { None });
    names.collect()
}

/// All problems as one.
fn joined(all: Vec<Words>) -> Option<Words> {
    let (en, zh): (Vec<String>, Vec<String>) = all.into_iter().unzip();
    (!en.is_empty()).then(|| (en.join("; "), zh.join("；")))
}

fn mx_problem(found: &[Data], hostname: &str, alone: bool) -> Option<Words> {
    let mut all: Vec<(u16, &str)> = found
        .iter()
        .filter_map(|data| {
            if let Data::Mx { preference, exchange } = data { Some((*preference, exchange.as_str())) } else { None }
        })
        .collect();
    all.sort_unstable();
    let is_here = |exchange: &str| exchange.eq_ignore_ascii_case(hostname);
    for (_, exchange) in &all {
        if exchange.trim_matches(['[', ']']).parse::<IpAddr>().is_ok() {
            return Some((
                format!("an MX names a host, never an address such as {exchange}: name {hostname}"),
                format!("MX 必须是主机名，不能是地址 {exchange}：请改为 {hostname}"),
            ));
        }
        let behind = exchange.get(hostname.len()..).filter(|rest| rest.starts_with('.') && rest.len() > 1);
        if behind.is_some() && exchange.get(..hostname.len()).is_some_and(is_here) {
            return Some((
                format!("it names {exchange}: in the zone, {hostname} lacks the dot at its end"),
                format!("指向了 {exchange}：区文件中 {hostname} 末尾缺少一个点"),
            ));
        }
    }
    match all.iter().position(|(_, exchange)| is_here(exchange)) {
        Some(_) if alone && all.iter().any(|(_, exchange)| !is_here(exchange)) => {
            let others: Vec<&str> = all.iter().map(|(_, exchange)| *exchange).filter(|one| !is_here(one)).collect();
            let others = others.join(", ");
            Some((
                format!("mail still goes to {others} too: remove that, or mail will come late there"),
                format!("邮件仍可能投递到 {others}：请删除，否则会有邮件滞留"),
            ))
        }
        None => {
            // The root is no server: mail goes nowhere (RFC 7505).
            let all = all.iter().map(|(_, exchange)| if exchange.is_empty() { "." } else { exchange });
            let all = all.collect::<Vec<_>>().join(", ");
            Some((
                format!("no MX names {hostname}: mail goes elsewhere, to {all}"),
                format!("MX 中没有 {hostname}，邮件会投递到别处：{all}"),
            ))
        }
        Some(0) => None,
        Some(_) => Some((
            format!("another MX is preferred to {hostname}: give it a smaller number, or remove the other"),
            format!("有优先级高于 {hostname} 的 MX：请调小其数值或删除另一条"),
        )),
    }
}

/// The DNS with these texts at one name, whatever others remember of it.
struct Published<'a> {
    resolver: &'a Resolver,
    name: &'a str,
    texts: &'a [String],
}

impl anser_senderauth::Resolver for Published<'_> {
    fn ask<'a>(&'a self, name: &'a str, kind: Kind) -> Asking<'a> {
        if kind != Kind::Txt || !name.eq_ignore_ascii_case(self.name) {
            return self.resolver.ask(name, kind);
        }
        let records = self.texts.iter().map(|text| Record::Txt(text.clone().into_bytes())).collect();
        Box::pin(async move { Ok(Answer { records, exists: true }) })
    }
}

async fn addresses(resolver: &Resolver, hostname: &str) -> Vec<IpAddr> {
    let (four, six) =
        tokio::join!(resolver.lookup(hostname, RecordType::A), resolver.lookup(hostname, RecordType::Aaaa));
    four.addresses().chain(six.addresses()).collect()
}

fn dmarc_problem(texts: &[String]) -> Option<Words> {
    match texts.iter().filter(|text| dmarc::Record::parse(text.as_bytes()).is_some()).count() {
        1 => None,
        0 => Some((
            "it is no valid policy: put the wanted one in its place".into(),
            "不是有效的策略，请替换为所列内容".into(),
        )),
        _ => Some((
            "there are several policies, which count as none: keep one".into(),
            "存在多条策略（视为没有），请只保留一条".into(),
        )),
    }
}

/// Records of other certificates may stand beside ours (RFC 7671 §8.1).
fn tlsa_problem(found: &[Data], wanted: &str) -> Option<Words> {
    let ours = |data: &Data| match data {
        Data::Tlsa { usage: 3, selector: 1, matching: 1, data } => {
            let hex: String = data.iter().map(|byte| format!("{byte:02x}")).collect();
            wanted.ends_with(&hex)
        }
        // What names an authority or a whole certificate is the operator's own choice.
        _ => true,
    };
    (!found.iter().any(ours)).then(|| {
        (
            "no record fits our certificate: servers that go by DANE send nothing; publish this one, or remove them all".into(),
            "没有与当前证书匹配的记录：遵循 DANE 的服务器将不会投递；请发布此记录或全部删除".into(),
        )
    })
}

fn sts_problem(texts: &[String], wanted: &str) -> Option<Words> {
    let id = |text: &str| text.split(';').find_map(|field| field.trim().strip_prefix("id=").map(str::to_owned));
    let all: Vec<&String> = texts.iter().filter(|text| text.starts_with("v=STSv1")).collect();
    match all[..] {
        [one] if id(one) == id(wanted) => None,
        [_] => Some((
            "the policy has changed since: publish this id, so that others fetch it anew".into(),
            "策略已变更：请发布此 id，以便他人重新获取".into(),
        )),
        _ => Some((
            "there is not exactly one such text, which counts as none: keep this one".into(),
            "该类文本记录必须恰好一条（否则视为没有），请只保留此条".into(),
        )),
    }
}

fn dkim_problem(texts: &[String], wanted: &str) -> Option<Words> {
    let key = |text: &str| {
        let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        text.split(';').find_map(|tag| tag.strip_prefix("p=").map(str::to_owned))
    };
    let right = texts.iter().any(|text| key(text) == key(wanted));
    (!right).then(|| {
        (
            "another key is published: what we sign does not verify".into(),
            "已发布的是另一密钥，签名将无法通过验证".into(),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(preference: u16, exchange: &str) -> Data {
        Data::Mx { preference, exchange: exchange.into() }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let problem = |all: &[Data], alone| mx_problem(all, "mail.example.org", alone);
        let said = |all: &[Data], alone, words: &str| problem(all, alone).is_some_and(|(en, _)| en.contains(words));
        assert!(problem(&[data(10, "mail.example.org")], true).is_none());
        let second = [data(10, "mail.example.org"), data(20, "old.example.net")];
        assert!(problem(&second, false).is_none() && said(&second, true, "still goes to old.example.net"));
        assert!(said(&[data(5, "old.example.net"), data(10, "mail.example.org")], false, "preferred"));
        assert!(said(&[data(5, "old.example.net")], true, "mail goes elsewhere, to old.example.net"));
        assert!(said(&[data(5, "mail.example.org.example.org")], true, "lacks the dot"));
        assert!(said(&[data(5, "192.0.2.1")], true, "never an address"));
        assert!(dkim_problem(&["v=DKIM1; p=AA BB".into()], "v=DKIM1; k=rsa; p=AABB").is_none());
        assert!(dkim_problem(&["v=DKIM1; p=AAB".into()], "v=DKIM1; k=rsa; p=AABB").is_some());
        assert!(dmarc_problem(&["v=DMARC1; p=reject".into(), "other".into()]).is_none());
        assert!(sts_problem(&["v=STSv1; id=1;".into(), "other".into()], "v=STSv1; id=1;").is_none());
        assert!(sts_problem(&["v=STSv1; id=2;".into()], "v=STSv1; id=1;").is_some());
        assert!(sts_problem(&["v=STSv1; id=1;".into(), "v=STSv1; id=1;".into()], "v=STSv1; id=1;").is_some());
        let tlsa = |usage, data: &[u8]| Data::Tlsa { usage, selector: 1, matching: 1, data: data.to_vec() };
        assert!(tlsa_problem(&[tlsa(3, &[1]), tlsa(3, &[0xab])], "3 1 1 ab").is_none());
        assert!(
            tlsa_problem(&[tlsa(3, &[1])], "3 1 1 ab").is_some()
                && tlsa_problem(&[tlsa(2, &[1])], "3 1 1 ab").is_none()
        );
        assert!(dmarc_problem(&["v=DMARC1; p=reject".into(), "v=DMARC1; p=none".into()]).is_some());
    }

    #[tokio::test]
    async fn what_an_mx_names_is_looked_at() {
        let zone = anser_net::dns::Zone::new();
        let address = |last: u8| Data::A([192, 0, 2, last].into());
        zone.add("mail.example.org", address(1));
        zone.add("alias.example.org", Data::Cname("mail.example.org".into()));
        for any in ["mial.example.org", "anser-looks-for-wildcards.example.org"] {
            zone.add(any, address(9));
        }
        zone.add("anser-looks-for-wildcards.example.net", data(10, "mail.example.org"));
        let resolver = Resolver::zone(zone.clone());
        let wanted = |domain: &str| Wanted {
            name: domain.to_owned(),
            kind: RecordType::Mx,
            value: String::new(),
            needed: true,
            why: ("", ""),
        };
        let said = async |domain: &str, found: &[Data]| {
            let judge = Judge { resolver: &resolver, hostname: "mail.example.org", domain, alone: true };
            let problem = judge.problem(&wanted(domain), found).await.unwrap_or_default();
            assert_eq!(problem.0.is_empty(), problem.1.is_empty(), "in both languages");
            problem.0
        };
        let right = data(10, "mail.example.org");
        assert_eq!(said("example.org", std::slice::from_ref(&right)).await, "");
        assert!(said("example.org", &[data(10, "alias.example.org")]).await.contains("is an alias"));
        let dead = said("example.org", &[right.clone(), data(20, "gone.example.org")]).await;
        assert!(dead.contains("still goes to gone.example.org") && dead.contains("has no address"), "{dead}");
        let misspelt = said("example.org", &[data(10, "mial.example.org")]).await;
        assert!(misspelt.contains("answered by the wildcard *.example.org"), "{misspelt}");
        for kind in [RecordType::A, RecordType::Aaaa] {
            zone.fail("silent.example.org", kind);
        }
        let silent = said("example.org", &[right.clone(), data(20, "silent.example.org")]).await;
        assert!(!silent.contains("has no address"), "nobody knows at present: {silent}");
        let any = said("dept.example.net", std::slice::from_ref(&right)).await;
        assert!(any.contains("from the wildcard *.example.net"), "{any}");
        zone.add("dept.example.net", Data::Soa { mname: "ns".into(), rname: "x".into(), serial: 1, minimum: 1 });
        assert_eq!(said("dept.example.net", std::slice::from_ref(&right)).await, "", "the top of a zone");
    }

    #[tokio::test]
    async fn a_policy_of_ones_own_is_fine_while_it_lets_this_server_send() {
        let zone = anser_net::dns::Zone::new();
        zone.add("mail.example.org", Data::A("192.0.2.1".parse().unwrap()));
        zone.add("example.org", Data::Txt(b"v=spf1 -all".to_vec()));
        let resolver = Resolver::zone(zone);
        let judge = Judge { resolver: &resolver, hostname: "mail.example.org", domain: "example.org", alone: false };
        let texts = |text: &str| vec!["unrelated".to_owned(), text.to_owned()];
        let good = texts("v=spf1 ip4:192.0.2.0/24 include:other.example -all");
        assert!(judge.spf_problem(&good).await.is_none());
        assert!(judge.spf_problem(&texts("v=spf1 -all")).await.is_some());
        assert!(judge.spf_problem(&["x".into()]).await.is_some());
    }
}
