//! What other servers hold against a sender that they do not know: addresses whose names do not fit (iprev, RFC 8601 §3), and what is
//! left of the old system in SPF and DKIM.

use std::net::IpAddr;

use anser_base::Result;
use anser_net::dns::{Data, RecordType, Resolver};
use anser_net::network::is_public;

use super::judge::Words;
use crate::Admin;
use crate::answer::{FindingView, Item, Out, RecordView};

/// Names of one address that are looked at.
const NAMES: usize = 5;
/// Selectors that signing programs and providers are set to, as nobody can list those of a domain.
const SELECTORS: [&str; 14] = [
    "default",
    "dkim",
    "mail",
    "selector1",
    "selector2",
    "s1",
    "s2",
    "k1",
    "google",
    "qq",
    "qcloud",
    "x",
    "key1",
    "smtp",
];

impl Admin {
    /// A PTR row for each address that mail leaves from, and what to keep of the old system while it still sends.
    pub(in crate::acts) async fn tell_reputation(&self, domain: &str, out: &Out) -> Result<()> {
        let (resolver, hostname) = (&self.deps.resolver, &self.deps.hostname);
        let own = match self.deps.outbound.is_empty() {
            true => addresses(resolver, hostname).await,
            false => self.deps.outbound.clone(),
        };
        for ip in own {
            out.item(Item::Record(reverse(resolver, hostname, ip).await)).await?;
        }
        for (en, zh) in self.left_of_the_old(domain).await {
            out.item(Item::Finding(FindingView { place: domain.to_owned(), en, zh, mended: false })).await?;
        }
        Ok(())
    }

    async fn left_of_the_old(&self, domain: &str) -> Vec<Words> {
        let mut all = Vec::new();
        let spf = self.deps.resolver.lookup(domain, RecordType::Txt).await;
        let texts = spf.records().iter().filter_map(|data| match data {
            Data::Txt(text) => Some(String::from_utf8_lossy(text).into_owned()),
            _ => None,
        });
        for policy in texts.filter(|text| text.to_lowercase().starts_with("v=spf1")) {
            let others = others(&policy).join(" ");
            if !others.is_empty() {
                all.push((
                    format!("SPF lets others send too ({others}): keep what the old server sends by until the move is closed, then remove it"),
                    format!("SPF 还允许其他来源发信（{others}）：旧服务器仍在发信期间请保留，迁移结束后删除"),
                ));
            }
        }
        let own = self.deps.directory.dkim_keys(domain).await.unwrap_or_default();
        let old = SELECTORS.iter().filter(|selector| own.iter().all(|key| key.selector != **selector));
        let asked = old.map(|selector| async move {
            let name = format!("{selector}._domainkey.{domain}");
            let answer = self.deps.resolver.lookup(&name, RecordType::Txt).await;
            (!answer.records().is_empty()).then_some(*selector)
        });
        let found: Vec<&str> = futures_util::future::join_all(asked).await.into_iter().flatten().collect();
        if !found.is_empty() {
            let found = found.join(", ");
            all.push((
                format!("keys of the old system are published ({found}): keep them until a week after the cut-over, mail that they signed is still on its way"),
                format!("旧系统的 DKIM 密钥仍在发布（{found}）：请保留到切换一周之后，其签名的邮件可能仍在途中"),
            ));
        }
        all
    }
}

/// Mechanisms of a policy that let somebody send who need not be this server (RFC 7208 §5).
fn others(policy: &str) -> Vec<&str> {
    let words = policy.split_ascii_whitespace().skip_while(|word| word.eq_ignore_ascii_case("v=spf1"));
    let is_other = |word: &&str| {
        let bare = word.trim_start_matches('+').to_lowercase();
        ["include:", "ip4:", "ip6:", "a:", "mx:", "exists:", "redirect="].iter().any(|start| bare.starts_with(start))
    };
    words.filter(is_other).collect()
}

async fn addresses(resolver: &Resolver, name: &str) -> Vec<IpAddr> {
    let (four, six) = tokio::join!(resolver.lookup(name, RecordType::A), resolver.lookup(name, RecordType::Aaaa));
    four.addresses().chain(six.addresses()).collect()
}

/// The PTR record of an address, and whether its name leads back to it.
async fn reverse(resolver: &Resolver, hostname: &str, ip: IpAddr) -> RecordView {
    let name = anser_net::dns::reverse_name(ip);
    let answer = resolver.lookup(&name, RecordType::Ptr).await;
    let names: Vec<String> = answer.names().take(NAMES).map(str::to_owned).collect();
    let mut leads_back = Vec::new();
    for one in &names {
        if addresses(resolver, one).await.contains(&ip) {
            leads_back.push(one.clone());
        }
    }
    let is_ours = |one: &String| one.eq_ignore_ascii_case(hostname);
    let (state, problem) = if answer.is_failure() {
        ("unknown", Some(("the DNS gave no answer".to_owned(), "DNS 查询失败".to_owned())))
    } else if names.is_empty() {
        (
            "missing",
            Some((
                format!(
                    "{ip} has no name, and many servers take no mail from such addresses: have your provider set it to {hostname}"
                ),
                format!("{ip} 没有反向解析，许多服务器会拒收：请让接入商将其设置为 {hostname}"),
            )),
        )
    } else if leads_back.is_empty() {
        (
            "wrong",
            Some((
                format!(
                    "its name ({}) does not lead back to {ip}: give that name an address record, or have the PTR changed to {hostname}",
                    names.join(", ")
                ),
                format!(
                    "反向名称（{}）不能解析回 {ip}：请为其添加地址记录，或将 PTR 改为 {hostname}",
                    names.join(", ")
                ),
            )),
        )
    } else if !leads_back.iter().any(is_ours) {
        (
            "ok",
            Some((
                format!("it leads back, but this server calls itself {hostname}: the same name is better"),
                format!("可正反解析，但本服务器自称 {hostname}：最好一致"),
            )),
        )
    } else {
        ("ok", None)
    };
    let (problem_en, problem_zh) = problem.unzip();
    RecordView {
        name,
        kind: "PTR".to_owned(),
        value: format!("{hostname}."),
        needed: is_public(ip),
        en: "others look up who sends (iprev); set by whoever gave you the address".to_owned(),
        zh: "他人据此核对发信方（反向解析），由 IP 提供方设置".to_owned(),
        state: state.to_owned(),
        problem_en,
        problem_zh,
        now: names.join(", "),
        ttl: None,
        old: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_else_may_send_is_read_of_a_policy() {
        assert_eq!(
            others("v=spf1 mx include:spf.old.test ip4:192.0.2.1 ~all"),
            ["include:spf.old.test", "ip4:192.0.2.1"]
        );
        assert!(others("v=spf1 mx a -all").is_empty());
    }

    #[tokio::test]
    async fn an_address_needs_a_name_that_leads_back() {
        let zone = anser_net::dns::Zone::new();
        let resolver = Resolver::zone(zone.clone());
        let ip: IpAddr = "192.0.2.7".parse().unwrap();
        let state = async || reverse(&resolver, "mail.a.test", ip).await;
        assert_eq!(state().await.state, "missing");
        zone.add("7.2.0.192.in-addr.arpa", Data::Ptr("host.isp.test".into()));
        let wrong = state().await;
        assert!(wrong.state == "wrong" && wrong.problem_en.unwrap().contains("host.isp.test"));
        zone.add("host.isp.test", Data::A([192, 0, 2, 7].into()));
        let other = state().await;
        assert!(other.state == "ok" && other.problem_en.unwrap().contains("the same name is better"));
        zone.add("7.2.0.192.in-addr.arpa", Data::Ptr("mail.a.test".into()));
        zone.add("mail.a.test", Data::A([192, 0, 2, 7].into()));
        assert_eq!((state().await.state.as_str(), state().await.problem_en), ("ok", None));
    }
}
