//! An event as one line for a person.

use anser_base::Text;

use crate::event::{Event, What};

impl Event {
    /// One plain line in both languages: time, door and peer, what happened. What peers said has its control characters
    /// replaced, so that it is one line whatever they said.
    pub fn line(&self) -> Text {
        let what = self.what.text();
        Text::new(self.with_origin(&what.en), self.with_origin(&what.zh))
    }

    fn with_origin(&self, what: &str) -> String {
        let protocol = self.origin.protocol.as_deref().unwrap_or("-");
        let client = self.origin.client.map_or_else(|| "-".into(), |client| client.to_string());
        plain(&format!("{} {protocol} {client} {what}", self.at))
    }
}

fn plain(text: &str) -> String {
    // U+202A to U+202E and U+2066 to U+2069 turn the direction of what follows.
    let unsafe_char = |c: char| c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if unsafe_char(c) { '\u{fffd}' } else { c }).collect()
}

impl What {
    /// What happened, in both languages. May hold control characters that a peer sent; [`Event::line`] replaces them.
    pub fn text(&self) -> Text {
        match self {
            Self::Accepted { entry, message_id, sender, recipients, size, parent, .. } => {
                let id = message_id.as_deref().unwrap_or("-");
                let to = recipients.join(", ");
                let (en, zh) =
                    parent.map_or_else(Default::default, |p| (format!(" (from {p})"), format!("（来自 {p}）")));
                Text::new(
                    format!("accepted as {entry}{en}: <{id}>, {size} bytes, from <{sender}> to {to}"),
                    format!("已接收，编号 {entry}{zh}：<{id}>，{size} 字节，发件人 <{sender}>，收件人 {to}"),
                )
            }
            Self::Refused { stage, sender, recipients, why, .. } => {
                let to = recipients.join(", ");
                Text::new(
                    format!("refused at {stage}: from <{sender}> to {to}: {why}"),
                    format!("在 {stage} 阶段拒收：发件人 <{sender}>，收件人 {to}：{why}"),
                )
            }
            Self::Judged { entry, results } => {
                Text::new(format!("{entry} checked: {results}"), format!("{entry} 发件人验证：{results}"))
            }
            Self::Delivered { .. } | Self::Relayed { .. } | Self::Deferred { .. } | Self::Failed { .. } => {
                self.delivery()
            }
            Self::Filtered { entry, recipient, act, script, line, rule } => {
                let entry = entry.map_or_else(|| "-".to_owned(), |entry| entry.to_string());
                let (en, zh) = rule
                    .as_ref()
                    .map_or_else(Default::default, |rule| (format!(" (rule \"{rule}\")"), format!("（规则“{rule}”）")));
                Text::new(
                    format!("{entry} filtered for {recipient}: {act}, by line {line} of script \"{script}\"{en}"),
                    format!("{entry} 已为 {recipient} 执行规则：{act}，脚本“{script}”第 {line} 行{zh}"),
                )
            }
            Self::Login { account, user, mechanism, .. } => Text::new(
                format!("login of {user} (account {account}) by {mechanism}"),
                format!("{user}（账户 {account}）以 {mechanism} 登录"),
            ),
            Self::LoginFailed { user, why, .. } => {
                Text::new(format!("login of {user} failed: {why}"), format!("{user} 登录失败：{why}"))
            }
            Self::Administered { .. } | Self::Accessed { .. } | Self::Deleted { .. } => self.act(),
            Self::Started { version } => {
                Text::new(format!("started, version {version}"), format!("启动，版本 {version}"))
            }
            Self::Stopped { reason } => Text::new(format!("stopped: {reason}"), format!("停止：{reason}")),
        }
    }

    fn delivery(&self) -> Text {
        match self {
            Self::Delivered { entry, recipient, account, mailbox, message } => Text::new(
                format!("{entry} delivered to {recipient}: account {account}, mailbox {mailbox}, message {message}"),
                format!("{entry} 已投递给 {recipient}：账户 {account}，邮箱 {mailbox}，邮件 {message}"),
            ),
            Self::Relayed { entry, recipient, host, reply } => Text::new(
                format!("{entry} relayed to {host} for {recipient}: {reply}"),
                format!("{entry} 已转交 {host}，收件人 {recipient}：{reply}"),
            ),
            Self::Deferred { entry, recipient, host, why, next } => {
                let (host, next) = (host.as_deref().unwrap_or("-"), anser_base::Timestamp(*next));
                Text::new(
                    format!("{entry} deferred for {recipient} until {next}: {host}: {why}"),
                    format!("{entry} 延迟投递给 {recipient}，下次 {next}：{host}：{why}"),
                )
            }
            Self::Failed { entry, recipient, host, why, report } => {
                let host = host.as_deref().unwrap_or("-");
                let (en, zh) =
                    report.map_or_else(Default::default, |r| (format!("; report {r}"), format!("；退信通知 {r}")));
                Text::new(
                    format!("{entry} failed for {recipient}: {host}: {why}{en}"),
                    format!("{entry} 无法投递给 {recipient}：{host}：{why}{zh}"),
                )
            }
            _ => Text::new("", ""),
        }
    }

    fn act(&self) -> Text {
        match self {
            Self::Administered { actor, act, object, before, after } => {
                let (before, after) = (before.as_deref().unwrap_or("-"), after.as_deref().unwrap_or("-"));
                Text::new(
                    format!("{actor} did {act} on {object}: {before} -> {after}"),
                    format!("{actor} 对 {object} 执行 {act}：{before} -> {after}"),
                )
            }
            Self::Accessed { actor, account, mailbox, act } => Text::new(
                format!("{actor} opened mailbox {mailbox} of account {account} ({act})"),
                format!("{actor} 打开账户 {account} 的邮箱 {mailbox}（{act}）"),
            ),
            Self::Deleted { actor, account, mailbox, uids, message_ids } => {
                let ids = message_ids.join(", ");
                Text::new(
                    format!("{actor} expunged {uids} from mailbox {mailbox} of account {account}: {ids}"),
                    format!("{actor} 从账户 {account} 的邮箱 {mailbox} 中清除 {uids}：{ids}"),
                )
            }
            _ => Text::new("", ""),
        }
    }
}
