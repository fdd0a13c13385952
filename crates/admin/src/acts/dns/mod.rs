//! The records that a domain needs in the DNS (this file), what each of its name servers answers instead (`world`), and whether that
//! will do (`judge`).

mod judge;
mod remembered;
mod reputation;
mod world;

use anser_base::{Error, Result};
use anser_directory::{DkimKey, DkimState};
use anser_migrate::MxSeen;
use anser_net::TlsAcceptor;
use anser_net::dns::RecordType;
use anser_web::sts;

use judge::Judge;
use world::{Looked, World};

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
    /// The records that `domain` needs, each an item. With `check` each says what all name servers of its zone answer
    /// ([`RecordView::state`]), and a last item for each zone what is wrong with these.
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
        let judge = self.judge(&domain);
        let mut world = World::new(judge.resolver, self.deps.name_server_port);
        for one in wanted {
            let looked = if check { world.look(judge, &one).await } else { Looked::default() };
            out.item(Item::Record(view(one, looked))).await?;
        }
        if check {
            self.tell_reputation(&domain, out).await?;
        }
        for zone in world.zones() {
            out.item(Item::Record(zone)).await?;
        }
        Ok(Report::Done)
    }
}

impl Admin {
    fn judge<'a>(&'a self, domain: &'a str) -> Judge<'a> {
        Judge { resolver: &self.deps.resolver, hostname: &self.deps.hostname, domain, alone: false }
    }

    /// What all name servers say of the MX of a domain that is cut over: it must lead here, and nowhere else.
    pub(super) async fn look_at_mx(&self, domain: &str) -> MxSeen {
        let judge = Judge { alone: true, ..self.judge(domain) };
        let mut world = World::new(judge.resolver, self.deps.name_server_port);
        let found = wanted(judge.hostname, domain, &[], None).into_iter().find(|one| one.kind == RecordType::Mx);
        let looked = match &found {
            Some(mx) => world.look(judge, mx).await,
            None => Looked::default(),
        };
        let (en, zh) = looked.problem.unwrap_or_default();
        let (names, held) = (self.names_remembered(domain, &mut world).await, self.held_elsewhere(domain).await);
        MxSeen { domain: domain.to_owned(), state: looked.state.to_owned(), en, zh, ttl: looked.ttl, names, held }
    }

    /// The name servers of domains, a line each.
    pub(super) async fn name_servers(&self, domains: &[String]) -> String {
        let mut lines = Vec::new();
        for domain in domains {
            if let Some(authority) = self.deps.resolver.authority(domain, self.deps.name_server_port).await {
                let names: Vec<&str> = authority.servers.iter().map(|server| server.name.as_str()).collect();
                lines.push(format!("{domain}: {}", names.join(", ")));
            }
        }
        lines.join("\n")
    }

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

fn view(wanted: Wanted, looked: Looked) -> RecordView {
    let kind = kind_word(wanted.kind);
    let value = if wanted.kind == RecordType::Txt { strings(&wanted.value) } else { wanted.value };
    let (problem_en, problem_zh) = looked.problem.unzip();
    RecordView {
        name: wanted.name,
        kind: kind.to_owned(),
        value,
        needed: wanted.needed,
        en: wanted.why.0.to_owned(),
        zh: wanted.why.1.to_owned(),
        state: looked.state.to_owned(),
        problem_en,
        problem_zh,
        now: looked.now,
        ttl: looked.ttl,
        old: looked.old,
    }
}

fn kind_word(kind: RecordType) -> &'static str {
    match kind {
        RecordType::A => "A",
        RecordType::Aaaa => "AAAA",
        RecordType::Mx => "MX",
        RecordType::Txt => "TXT",
        RecordType::Tlsa => "TLSA",
        RecordType::Ptr => "PTR",
        RecordType::Ns => "NS",
        RecordType::Soa => "SOA",
        RecordType::Cname => "CNAME",
        RecordType::Srv => "SRV",
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
        let key =
            all.into_iter().find(|one| one.name.starts_with("s._")).map(|one| view(one, Looked::default())).unwrap();
        assert!(key.value.starts_with("\"v=DKIM1; ") && key.value.contains("A\" \"A") && key.value.len() > 400);
        assert!(key.value.split('"').all(|piece| piece.len() <= STRING));
    }
}
