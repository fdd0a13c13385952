//! The records that a domain needs in the DNS, and what the world answers instead.

use std::net::IpAddr;

use anser_base::{Error, Result};
use anser_directory::{DkimKey, DkimState};
use anser_net::TlsAcceptor;
use anser_net::dns::{Data, RecordType, Resolver, Status};
use anser_senderauth::dns::Dns;
use anser_senderauth::{dmarc, spf};
use anser_web::sts;

use crate::Admin;
use crate::answer::{Item, Out, RecordView, Report};

/// Longest string of a TXT record (RFC 1035 §3.3).
const STRING: usize = 255;
/// Services with their SRV names and ports (RFC 6186 §3, RFC 8314 §5.1), in the order of preference.
const SERVICES: [(&str, &str, u16); 6] = [
    ("submissions", "_submissions._tcp", 465),
    ("submission", "_submission._tcp", 587),
    ("imaps", "_imaps._tcp", 993),
    ("imap", "_imap._tcp", 143),
    ("pop3s", "_pop3s._tcp", 995),
    ("pop3", "_pop3._tcp", 110),
];

/// A record that is wanted.
struct Wanted {
    name: String,
    kind: RecordType,
    /// What the record holds, as a zone file has it.
    value: String,
    needed: bool,
    why: (&'static str, &'static str),
}

impl Admin {
    /// The records that `domain` needs, each an item. With `check` each says what the world answers: [`RecordView::state`]. What is
    /// answered is asked through the name servers of the house.
    pub async fn domain_dns(&self, domain: &str, check: bool, out: &Out) -> Result<Report> {
        let found = self.deps.directory.domain(domain).await?;
        let domain = found
            .ok_or_else(|| Error::not_found(format!("there is no domain {domain}"), format!("没有域名 {domain}")))?
            .name;
        let keys = self.deps.directory.dkim_keys(&domain).await?;
        let served: Option<Vec<&str>> =
            self.deps.running.as_ref().map(|running| running.services.iter().map(|(name, ..)| *name).collect());
        let mut wanted = wanted(&self.deps.hostname, &domain, &keys, served.as_deref());
        wanted.extend(self.web_records(&domain, served.as_deref()));
        let resolver = check.then_some(&self.deps.resolver);
        for one in wanted {
            let (state, problem) = match resolver {
                Some(resolver) => compare(resolver, &self.deps.hostname, &domain, &one).await,
                None => ("", None),
            };
            out.item(Item::Record(view(one, state, problem))).await?;
        }
        Ok(Report::Done)
    }
}

impl Admin {
    /// What programs and other servers look up over HTTP, and what vouches for the certificate.
    fn web_records(&self, domain: &str, served: Option<&[&str]>) -> Vec<Wanted> {
        let hostname = &self.deps.hostname;
        let mut all = Vec::new();
        let mut want = |name, kind, value, why| all.push(Wanted { name, kind, value, needed: false, why });
        if served.is_none_or(|served| served.contains(&"https")) {
            let here = format!("{hostname}.");
            let policy = sts::record(hostname, self.deps.mta_sts);
            let why = ("others verify our certificate (MTA-STS)", "他人投递时验证本服务器证书（MTA-STS）");
            want(format!("_mta-sts.{domain}"), RecordType::Txt, policy, why);
            want(
                format!("mta-sts.{domain}"),
                RecordType::Cname,
                here.clone(),
                ("where its policy is", "策略所在的主机"),
            );
            let why = ("Thunderbird finds its settings", "Thunderbird 自动配置");
            want(format!("autoconfig.{domain}"), RecordType::Cname, here.clone(), why);
            let why = ("Outlook finds its settings", "Outlook 自动配置");
            want(format!("autodiscover.{domain}"), RecordType::Cname, here, why);
            let srv = format!("0 1 443 {hostname}.");
            want(format!("_autodiscover._tcp.{domain}"), RecordType::Srv, srv, why);
        }
        let tls = self.deps.running.as_ref().and_then(|running| running.tls.as_ref());
        if let Some(hash) = tls.and_then(TlsAcceptor::public_key_hash) {
            let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
            let why = (
                "binds the certificate to the name, where its zone is signed (DANE)",
                "将证书绑定到域名，仅在启用 DNSSEC 时有效（DANE）",
            );
            want(format!("_25._tcp.{hostname}"), RecordType::Tlsa, format!("3 1 1 {hex}"), why);
        }
        all
    }
}

fn wanted(hostname: &str, domain: &str, keys: &[DkimKey], served: Option<&[&str]>) -> Vec<Wanted> {
    let mut all = Vec::new();
    let mut want = |name: String, kind, value: String, needed, why| all.push(Wanted { name, kind, value, needed, why });
    want(hostname.into(), RecordType::A, "<IPv4>".into(), true, ("the address of this server", "本服务器的 IPv4 地址"));
    want(
        hostname.into(),
        RecordType::Aaaa,
        "<IPv6>".into(),
        false,
        ("its IPv6 address, if it has one", "本服务器的 IPv6 地址（如有）"),
    );
    want(domain.into(), RecordType::Mx, format!("10 {hostname}."), true, ("mail comes here", "邮件投递到本服务器"));
    want(
        domain.into(),
        RecordType::Txt,
        "v=spf1 mx -all".into(),
        true,
        ("only this server sends for the domain (SPF)", "只有本服务器可代表该域名发信（SPF）"),
    );
    for key in keys {
        let why = match key.state {
            DkimState::Retiring => {
                ("an old signing key; keep it for a week (DKIM)", "旧签名密钥，请再保留一周（DKIM）")
            }
            _ => ("a signing key (DKIM)", "签名密钥（DKIM）"),
        };
        let needed = key.state != DkimState::Retiring;
        want(format!("{}._domainkey.{domain}", key.selector), RecordType::Txt, key.record.clone(), needed, why);
    }
    let policy = format!("v=DMARC1; p=none; rua=mailto:postmaster@{domain}");
    let why = (
        "what others do with forgeries; p=quarantine, then p=reject once all mail passes (DMARC)",
        "他人如何处理伪造邮件；确认全部通过后改为 quarantine，再改为 reject（DMARC）",
    );
    want(format!("_dmarc.{domain}"), RecordType::Txt, policy, true, why);
    let report = format!("v=TLSRPTv1; rua=mailto:postmaster@{domain}");
    want(
        format!("_smtp._tls.{domain}"),
        RecordType::Txt,
        report,
        false,
        ("reports on encryption (TLS-RPT)", "加密传输报告（TLS-RPT）"),
    );
    for (place, (service, name, port)) in SERVICES.into_iter().enumerate() {
        if served.is_none_or(|served| served.contains(&service)) {
            let why = ("programs find their settings", "客户端自动发现设置");
            want(
                format!("{name}.{domain}"),
                RecordType::Srv,
                format!("{} 1 {port} {hostname}.", place % 2),
                false,
                why,
            );
        }
    }
    all
}

/// What the world answers: `ok`, `missing`, `wrong` or `unknown`, and what is wrong and how to mend it.
async fn compare(
    resolver: &Resolver,
    hostname: &str,
    domain: &str,
    one: &Wanted,
) -> (&'static str, Option<(String, String)>) {
    let found = match resolver.lookup(&one.name, one.kind).await.status {
        Status::Found(found) => found,
        Status::NoData | Status::NxDomain if !one.needed => return ("absent", None),
        Status::NoData | Status::NxDomain => {
            return ("missing", Some(("there is no such record: add it".into(), "没有该记录，请添加".into())));
        }
        Status::Failed(why) => {
            return ("unknown", Some((format!("the DNS gave no answer: {why}"), format!("DNS 查询失败：{why}"))));
        }
    };
    let texts: Vec<String> = found
        .iter()
        .filter_map(
            |data| if let Data::Txt(text) = data { Some(String::from_utf8_lossy(text).into_owned()) } else { None },
        )
        .collect();
    let problem = match one.kind {
        RecordType::A | RecordType::Aaaa => None,
        RecordType::Mx => mx_problem(&found, hostname),
        RecordType::Srv => {
            let right = found
                .iter()
                .any(|data| matches!(data, Data::Srv { target, .. } if target.eq_ignore_ascii_case(hostname)));
            (!right).then(|| (format!("it names another server than {hostname}"), format!("指向的不是 {hostname}")))
        }
        RecordType::Cname => {
            let right = found.iter().any(|data| matches!(data, Data::Cname(to) if to.eq_ignore_ascii_case(hostname)));
            (!right).then(|| (format!("it leads elsewhere than to {hostname}"), format!("指向的不是 {hostname}")))
        }
        RecordType::Tlsa => tlsa_problem(&found, &one.value),
        _ if one.value.starts_with("v=STSv1") => sts_problem(&texts, &one.value),
        _ if one.value.starts_with("v=spf1") => spf_problem(resolver, hostname, domain, &texts).await,
        _ if one.value.starts_with("v=DMARC1") => dmarc_problem(&texts),
        _ if one.value.starts_with("v=DKIM1") => dkim_problem(&texts, &one.value),
        _ => None,
    };
    (if problem.is_some() { "wrong" } else { "ok" }, problem)
}

fn mx_problem(found: &[Data], hostname: &str) -> Option<(String, String)> {
    let mut all: Vec<(u16, &str)> = found
        .iter()
        .filter_map(|data| {
            if let Data::Mx { preference, exchange } = data { Some((*preference, exchange.as_str())) } else { None }
        })
        .collect();
    all.sort_unstable();
    match all.iter().position(|(_, exchange)| exchange.eq_ignore_ascii_case(hostname)) {
        None => Some((
            format!("no MX names {hostname}: mail goes elsewhere"),
            format!("MX 中没有 {hostname}，邮件会投递到别处"),
        )),
        Some(0) => None,
        Some(_) => Some((
            format!("another MX is preferred to {hostname}: give it a smaller number, or remove the other"),
            format!("有优先级高于 {hostname} 的 MX：请调小其数值或删除另一条"),
        )),
    }
}

/// The policy may be another than ours, as long as it lets this server send.
async fn spf_problem(resolver: &Resolver, hostname: &str, domain: &str, texts: &[String]) -> Option<(String, String)> {
    match texts.iter().filter(|text| text.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("v=spf1"))).count() {
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
        let dns = Dns::new(resolver);
        let question = spf::Question { ip, helo: hostname, local: "postmaster", domain, receiver: hostname, now: 0 };
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

async fn addresses(resolver: &Resolver, hostname: &str) -> Vec<IpAddr> {
    let mut all = Vec::new();
    for kind in [RecordType::A, RecordType::Aaaa] {
        if let Status::Found(found) = resolver.lookup(hostname, kind).await.status {
            all.extend(found.iter().filter_map(|data| match data {
                Data::A(ip) => Some(IpAddr::V4(*ip)),
                Data::Aaaa(ip) => Some(IpAddr::V6(*ip)),
                _ => None,
            }));
        }
    }
    all
}

fn dmarc_problem(texts: &[String]) -> Option<(String, String)> {
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
fn tlsa_problem(found: &[Data], wanted: &str) -> Option<(String, String)> {
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

fn sts_problem(texts: &[String], wanted: &str) -> Option<(String, String)> {
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

fn dkim_problem(texts: &[String], wanted: &str) -> Option<(String, String)> {
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

fn view(wanted: Wanted, state: &str, problem: Option<(String, String)>) -> RecordView {
    let kind = match wanted.kind {
        RecordType::A => "A",
        RecordType::Aaaa => "AAAA",
        RecordType::Mx => "MX",
        RecordType::Srv => "SRV",
        RecordType::Cname => "CNAME",
        RecordType::Tlsa => "TLSA",
        _ => "TXT",
    };
    let value = if kind == "TXT" { strings(&wanted.value) } else { wanted.value };
    let (problem_en, problem_zh) = problem.unzip();
    RecordView {
        name: wanted.name,
        kind: kind.to_owned(),
        value,
        needed: wanted.needed,
        en: wanted.why.0.to_owned(),
        zh: wanted.why.1.to_owned(),
        state: state.to_owned(),
        problem_en,
        problem_zh,
    }
}

/// A text as a zone file has it: in quotes, cut into strings of [`STRING`] bytes.
fn strings(text: &str) -> String {
    let pieces = text.as_bytes().chunks(STRING).map(|piece| format!("\"{}\"", String::from_utf8_lossy(piece)));
    pieces.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(preference: u16, exchange: &str) -> Data {
        Data::Mx { preference, exchange: exchange.into() }
    }

    #[test]
    fn records_name_what_is_served_and_are_fit_for_a_zone_file() {
        let key = DkimKey {
            selector: "s".into(),
            algorithm: anser_senderauth::dkim::Algorithm::RsaSha256,
            state: DkimState::Active,
            record: format!("v=DKIM1; k=rsa; p={}", "A".repeat(392)),
            created: anser_base::Timestamp(0),
        };
        let all = wanted("mail.example.org", "example.org", &[key], Some(&["imaps"]));
        let names: Vec<&str> = all.iter().map(|one| one.name.as_str()).collect();
        assert!(names.contains(&"s._domainkey.example.org") && names.contains(&"_imaps._tcp.example.org"), "{names:?}");
        assert!(!names.iter().any(|name| name.contains("pop3")));
        let key = all.into_iter().find(|one| one.name.starts_with("s._")).map(|one| view(one, "", None)).unwrap();
        assert!(key.value.starts_with("\"v=DKIM1; ") && key.value.contains("A\" \"A") && key.value.len() > 400);
        assert!(key.value.split('"').all(|piece| piece.len() <= STRING));
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert!(mx_problem(&[data(10, "mail.example.org")], "mail.example.org").is_none());
        assert!(mx_problem(&[data(5, "old.example.net"), data(10, "mail.example.org")], "mail.example.org").is_some());
        assert!(mx_problem(&[data(5, "old.example.net")], "mail.example.org").is_some());
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
    async fn a_policy_of_ones_own_is_fine_while_it_lets_this_server_send() {
        let zone = anser_net::dns::Zone::new();
        zone.add("mail.example.org", Data::A("192.0.2.1".parse().unwrap()));
        zone.add("example.org", Data::Txt(b"v=spf1 ip4:192.0.2.0/24 include:other.example -all".to_vec()));
        let resolver = Resolver::zone(zone.clone());
        let texts = |text: &str| vec!["unrelated".to_owned(), text.to_owned()];
        let good = texts("v=spf1 ip4:192.0.2.0/24 include:other.example -all");
        assert!(spf_problem(&resolver, "mail.example.org", "example.org", &good).await.is_none());
        zone.remove("example.org");
        zone.add("example.org", Data::Txt(b"v=spf1 -all".to_vec()));
        assert!(spf_problem(&resolver, "mail.example.org", "example.org", &texts("v=spf1 -all")).await.is_some());
        assert!(spf_problem(&resolver, "mail.example.org", "example.org", &["x".into()]).await.is_some());
    }
}
