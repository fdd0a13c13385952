//! Letters that try the domains of a move: one from outside in, by the MX that the world finds; one from here out, by the queue.

use std::time::Duration;

use anser_base::{Address, EntryId, Result, Text};
use anser_directory::Account;
use anser_journal::{Query, What};
use anser_migrate::{Probe, Tried, Which};
use anser_mime::build::{Entity, Headers, Mailbox, TextEncoding, message};
use anser_mime::date::DateTime;
use anser_queue::{Envelope, Origin, Recipient};
use futures_util::StreamExt;

use crate::answer::{Item, Out, ProbeView};
use crate::{Actor, Admin};

/// How often it is looked what became of a letter, and how often at most.
const EVERY: Duration = Duration::from_millis(500);
const LOOKS: usize = 120;
/// Events of one letter that are looked at.
const EVENTS: usize = 200;
/// Domains that are tried at once.
const AT_ONCE: usize = 8;

/// How what passes by itself begins.
const PATIENCE: &str = "4";
/// What is done about a refusal or a silence, by the beginning of its status (RFC 3463), the most particular first.
const MEANS: [(&str, &str, &str); 12] = [
    (
        "4.4.1",
        "nobody answers at port 25: open it in the firewall and at the router, for the address that the MX leads to",
        "25 端口无应答：请在防火墙和路由器上放行 MX 所指地址的 25 端口",
    ),
    ("4.4.3", "the DNS does not answer: see the gate mx", "DNS 无应答：参见 mx 关卡"),
    ("4.4.4", "the name of the MX has no address: see the gate mx", "MX 名称没有地址：参见 mx 关卡"),
    (
        "5.4.4",
        "the MX leads to an address inside of a network: give it a public one",
        "MX 指向内网地址：请改为公网地址",
    ),
    ("5.1.10", "the domain has a null MX: replace it", "该域名设置了空 MX：请替换"),
    ("5.1.2", "the domain or its MX is not in the DNS: see the gate mx", "DNS 中没有该域名或其 MX：参见 mx 关卡"),
    (
        "5.1",
        "the server behind the MX does not have that address: see whether the MX leads here",
        "MX 所指服务器没有该地址：请检查 MX 是否指向本服务器",
    ),
    (
        "5.7",
        "it is refused for who sends: look at SPF, DKIM, DMARC, PTR and block lists",
        "因发信方身份被拒：请检查 SPF、DKIM、DMARC、PTR 与黑名单",
    ),
    (
        "4.7",
        "it is put off for who sends: greylisting, or PTR and SPF are to be mended",
        "因发信方身份被推迟：可能是灰名单，或需修正 PTR、SPF",
    ),
    ("5.4.6", "the message goes in a circle: look at the routes and at the MX", "邮件形成循环：请检查路由与 MX"),
    (PATIENCE, "it is tried again by itself", "系统会自动重试"),
    ("", "mend what the server names, then try again", "请按对方提示修正后重试"),
];

impl Admin {
    /// Tries every domain of a move both ways; each way is an item. What was found is remembered with the gates.
    pub(super) async fn probe(&self, actor: &Actor, name: &str, which: &Which, out: &Out) -> Result<()> {
        let moves = &self.deps.moves;
        let mailboxes = moves.probe_mailboxes(name, which).await?;
        let elsewhere = moves.form(name).await?.get("probe-address").trim().to_owned();
        let said: Vec<String> = mailboxes.iter().map(|(_, address)| address.to_string()).collect();
        self.note(actor, "move.probe", name, None, Some(format!("{} {elsewhere}", said.join(" ")))).await?;
        let tried = futures_util::stream::iter(mailboxes).map(|(domain, address)| {
            let elsewhere = elsewhere.clone();
            async move {
                let (into, out) = tokio::join!(self.probe_into(&domain, &address), self.probe_out(&domain, &elsewhere));
                Ok::<_, anser_base::Error>((domain, Probe { into: into?, out: out? }))
            }
        });
        let mut tried = std::pin::pin!(tried.buffer_unordered(AT_ONCE));
        while let Some(one) = tried.next().await {
            let (domain, probe) = one?;
            moves.remember_probe(name, &domain, probe.clone()).await?;
            for (way, tried) in [("in", probe.into), ("out", probe.out)] {
                let Tried { state, en, zh, .. } = tried;
                let (domain, way) = (domain.clone(), way.to_owned());
                out.item(Item::MoveProbe(ProbeView { domain, way, state, en, zh })).await?;
            }
        }
        Ok(())
    }

    /// Looks again for letters that waited in the queue.
    pub(super) async fn follow_probes(&self, name: &str) -> Result<()> {
        for (domain, probe) in self.deps.moves.probes(name).await? {
            let Some(entry) = probe.out.entry else { continue };
            if let Some(out) = self.became(EntryId(entry)).await?.filter(|out| *out != probe.out) {
                self.deps.moves.remember_probe(name, &domain, Probe { out, ..probe }).await?;
            }
        }
        Ok(())
    }

    async fn probe_into(&self, domain: &str, to: &Address) -> Result<Tried> {
        let Some(account) = self.deps.directory.account_by_address(to).await? else {
            return Ok(Tried::wrong(Text::new(format!("there is no account {to}"), format!("没有账号 {to}"))));
        };
        let (id, raw) = self.letter(&format!("postmaster@{}", self.deps.hostname), to);
        let door = anser_delivery::Door::Exchanges(domain.to_owned());
        let handed = match self.deps.delivery.hand_over(&door, None, to, raw).await {
            Ok(handed) => handed,
            Err(error) => return Ok(Tried::wrong(with_means(&error.why, false))),
        };
        for look in 0..LOOKS {
            if look > 0 {
                tokio::time::sleep(EVERY).await;
            }
            if let Some(tried) = self.arrived(&id, &account, &handed.host).await? {
                return Ok(tried);
            }
        }
        let host = &handed.host;
        Ok(Tried::wrong(Text::new(
            format!(
                "{host} took the letter, and it did not come here: that MX is not this server, or passes nothing on"
            ),
            format!("{host} 收下了测试邮件，但没有到达本服务器：该 MX 不是本服务器，或没有转发过来"),
        )))
    }

    /// What became of a letter that was handed over, once it is known.
    async fn arrived(&self, id: &str, account: &Account, host: &str) -> Result<Option<Tried>> {
        self.deps.journal.flush().await?;
        for event in self.deps.journal.trace(Query::Message(id.to_owned()), EVENTS).await? {
            match event.what {
                What::Delivered { account: whose, mailbox, message, .. } if whose == account.id => {
                    let find = move |tx: &mut anser_store::MailTx<'_, '_>| match tx.message(message)? {
                        Some(_) => tx.path(mailbox).map(Some),
                        None => Ok(None),
                    };
                    let Some(path) = self.deps.store.read(account.id, find).await? else { continue };
                    let folder = path.join("/");
                    return Ok(Some(Tried::right(Text::new(
                        format!("by {host} into {folder} of {}", account.address),
                        format!("经 {host} 到达 {} 的 {folder}", account.address),
                    ))));
                }
                What::Relayed { host: old, .. } => {
                    return Ok(Some(Tried::right(Text::new(
                        format!("by {host}, and on to {old}, where the mailbox still lives"),
                        format!("经 {host} 转往该邮箱目前所在的 {old}"),
                    ))));
                }
                What::Failed { why, .. } => return Ok(Some(Tried::wrong(with_means(&why, false)))),
                What::Filtered { act, script, .. } if act.starts_with("discard") || act.starts_with("reject") => {
                    return Ok(Some(Tried::wrong(Text::new(
                        format!("it came, and the rules of {script} made away with it ({act}): name another mailbox"),
                        format!("已到达，但被规则 {script} 处理（{act}）：请换一个测试邮箱"),
                    ))));
                }
                _ => {}
            }
        }
        Ok(None)
    }

    async fn probe_out(&self, domain: &str, elsewhere: &str) -> Result<Tried> {
        let Some(to) = Address::parse(elsewhere) else {
            return Ok(Tried::wrong(Text::new(
                "no address elsewhere is known: say `anser move survey MOVE --answer probe-address=ADDRESS`, an address that you read",
                "未填写外部测试地址：请运行 anser move survey MOVE --answer probe-address=地址，填写您能收信的外部邮箱",
            )));
        };
        let from = format!("postmaster@{domain}");
        let (_, raw) = self.letter(&from, &to);
        let recipients = vec![Recipient::new(to)];
        let envelope = Envelope::new(Address::parse(&from), recipients, Origin::internal(), self.deps.clock.now());
        let entry = self.deps.delivery.send(envelope, &raw).await?;
        let mut last = None;
        for look in 0..LOOKS {
            if look > 0 {
                tokio::time::sleep(EVERY).await;
            }
            match self.became(entry).await? {
                Some(tried) if tried.entry.is_none() => return Ok(tried),
                tried => last = tried.or(last),
            }
        }
        Ok(last.unwrap_or_else(|| {
            Tried::waiting(
                Text::new(
                    format!("the queue still works on it: `anser queue show {entry}`, then look again with --check"),
                    format!("队列仍在投递：可用 anser queue show {entry} 查看，稍后用 --check 再看"),
                ),
                entry.0,
            )
        }))
    }

    /// What the queue and the journal say of a letter that goes out; `None` while nothing is known.
    async fn became(&self, entry: EntryId) -> Result<Option<Tried>> {
        self.deps.journal.flush().await?;
        let mut last = None;
        for event in self.deps.journal.trace(Query::Entry(entry), EVENTS).await? {
            match event.what {
                What::Relayed { entry: one, host, reply, .. } if one == entry => {
                    let text = format!("{host}: {reply}");
                    return Ok(Some(Tried::right(Text::new(format!("taken by {text}"), format!("已被接收，{text}")))));
                }
                What::Failed { entry: one, why, .. } if one == entry => {
                    return Ok(Some(Tried::wrong(with_means(&why, false))));
                }
                What::Delivered { entry: one, .. } if one == entry => {
                    return Ok(Some(Tried::wrong(Text::new(
                        "the address that was named is in this house: name one elsewhere as probe-address",
                        "填写的地址就在本服务器上：请将 probe-address 改为外部邮箱",
                    ))));
                }
                What::Deferred { entry: one, why, .. } if one == entry => {
                    last = Some(Tried::waiting(with_means(&why, true), entry.0));
                }
                _ => {}
            }
        }
        Ok(last)
    }

    /// A letter that tells what it is for, and its Message-ID.
    fn letter(&self, from: &str, to: &Address) -> (String, Vec<u8>) {
        let id = format!("<probe.{}@{}>", self.deps.entropy.token(32), self.deps.hostname);
        let headers = Headers::new()
            .date("Date", DateTime { unix: self.deps.clock.now().secs(), offset_minutes: 0 })
            .addresses("From", &[Mailbox { name: "Anser", email: from }])
            .structured("To", &to.to_string())
            .text("Subject", "测试邮件 / probe of a mail system that was moved")
            .structured("Message-ID", &id)
            .structured("Auto-Submitted", "auto-generated");
        let text = "这是邮件系统迁移后的收发测试，无需处理。\n\n\
                    This letter shows that mail finds its way after a move. Nothing has to be done.\n";
        (id, message(headers, Entity::text("plain", text, TextEncoding::Base64)))
    }
}

/// What a server or the queue said, and what to do about it; `repeats` while the queue tries again.
fn with_means(why: &str, repeats: bool) -> Text {
    let mut means = MEANS.iter().filter(|(status, ..)| repeats || *status != PATIENCE);
    let means = means.find(|(status, ..)| why.starts_with(status));
    let (en, zh) = means.map_or(("", ""), |(_, en, zh)| (*en, *zh));
    Text::new(format!("{why}: {en}"), format!("{why}：{zh}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_do_goes_by_the_most_particular_status() {
        for (why, means) in [
            ("4.4.1 no answer from mail.test port 25", "port 25"),
            ("5.1.10 a.test takes no mail (null MX)", "null MX"),
            ("5.1.1 x said: 550 nobody", "does not have that address"),
            ("4.2.0 later", "tried again"),
            ("5.3.4 too large", "mend what"),
        ] {
            assert!(with_means(why, true).en.contains(means), "{}", with_means(why, true).en);
        }
        assert!(with_means("4.2.0 later", false).en.contains("then try again"), "nothing waits in a queue");
        // A status that is the beginning of another comes behind it, or it would hide that.
        for (at, (status, ..)) in MEANS.iter().enumerate() {
            assert!(MEANS[..at].iter().all(|(earlier, ..)| !status.starts_with(earlier)), "{status}");
        }
    }
}
