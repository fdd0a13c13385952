//! What there is to be moved: every old server as it answers, every login that is known as it stands. Nothing is changed anywhere.

use std::collections::BTreeSet;
use std::time::Duration;

use anser_base::Result;
use anser_net::Fill;
use serde::{Deserialize, Serialize};

use crate::gates::Forecast;
use crate::imap::Imap;
use crate::imap::connection::secure;
use crate::model::{Kind, Mailbox, Source, Tls};
use crate::rules::Rules;
use crate::sample::{self, Sample};
use crate::source::{Folder, Origin, Space};
use crate::trouble::Trouble;
use crate::which::{Which, is_meant};
use crate::{Migrate, name, reach, rows, turn};

/// Mailboxes of one source that are looked into.
const MAILBOXES: usize = 5_000;
/// Messages a second that one connection is taken to bring where nothing was measured.
const SPEED: u64 = 500;
/// Mailboxes of one source of which a sample is read.
const SAMPLED: u64 = 20;
/// Folders with odd names, and full mailboxes, that are told of one source.
const TOLD: usize = 50;
/// A mailbox that is so full, in parts of a hundred, is told.
const FULL: u64 = 90;
/// For a greeting.
const GREETING: Duration = Duration::from_secs(20);

/// One old server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceSurvey {
    /// Its name in the move.
    pub source: String,
    /// What it speaks, where it is, how it is protected.
    pub place: String,
    /// Why it does not answer.
    pub trouble: Option<String>,
    /// What it says it can do, before a login.
    pub capabilities: String,
    /// What it lacks, and what follows of that, in English.
    pub en: Vec<String>,
    /// In Chinese.
    pub zh: Vec<String>,
    /// Logins that are known.
    pub mailboxes: u64,
    /// Of them those that no password is known of.
    pub without_password: u64,
    /// Logins that it refused or that could not be opened, with its words; the first of them.
    pub refused: Vec<(String, String)>,
    /// Those that were looked into. Of the others nothing is known; the forecast takes each for as large as these are on average.
    #[serde(default)]
    pub looked: u64,
    /// Folders of those that were looked into.
    pub folders: u64,
    /// Messages, where it tells their number with the list of folders.
    pub messages: u64,
    /// The most messages of one login.
    pub largest: u64,
    /// What it greets with.
    #[serde(default)]
    pub banner: String,
    /// Octets of all messages.
    #[serde(default)]
    pub bytes: u64,
    /// Whether it did not tell these: they follow from the messages that were listed.
    #[serde(default)]
    pub is_estimate: bool,
    /// The biggest message that was listed, in octets.
    #[serde(default)]
    pub biggest: u64,
    /// Messages that were read as a sample.
    #[serde(default)]
    pub sampled: u64,
    /// Of these, in one second, the octets that one connection brought.
    #[serde(default)]
    pub speed: u64,
    /// Of these, with octets above 127 in their headers; without a Message-ID; with a NUL.
    #[serde(default)]
    pub odd: [u64; 3],
    /// Seconds that all of it may take, by what came of the sample; by what one connection usually brings where there was none.
    pub forecast: u64,
}

/// Refusals that are named.
const NAMED: usize = 50;

/// What an IMAP server should be able to do: its name, and what follows when it is missing.
const WANTED: [(&str, &str, &str); 4] = [
    ("CONDSTORE", "every pass lists all flags again", "每一轮都要重新列出全部标志"),
    ("UIDPLUS", "the way back finds by their bytes what it appended", "回退时需按内容查找已追加的邮件"),
    ("SPECIAL-USE", "folders are told by their names", "文件夹用途只能按名称判断"),
    ("LIST-STATUS", "every folder is opened to be counted", "每个文件夹都要打开才能计数"),
];

impl Migrate {
    /// Looks at every source of a move, and into every mailbox that a password is known of, one after the other.
    pub async fn survey(&self, name: &str, which: Which) -> Result<Vec<SourceSurvey>> {
        let of = self.named(name).await?;
        let id = of.id;
        let sources = self.read(move |tx| rows::sources(tx, id)).await?;
        let all: Vec<Mailbox> = self.all(id).await?.into_iter().filter(|mailbox| is_meant(mailbox, &which)).collect();
        let mut surveys = Vec::new();
        for source in sources {
            let own: Vec<&Mailbox> = all.iter().filter(|mailbox| mailbox.source == source.id).collect();
            surveys.push(self.survey_one(&source, &own).await);
        }
        if let (Some(relay), Some(first)) = (&of.relay, surveys.first_mut()) {
            let (host, port) = turn::split(relay)?;
            let said = banner(&host, port, None).await;
            first.en.push(format!("SMTP {relay}: {}", said.as_deref().unwrap_or("no answer")));
            first.zh.push(format!("SMTP {relay}：{}", said.as_deref().unwrap_or("无应答")));
        }
        if which.is_empty() {
            let sum = |number: fn(&SourceSurvey) -> u64| surveys.iter().map(number).sum();
            let forecast = Forecast {
                at: self.inner.deps.clock.now().0,
                messages: sum(|one| one.of_all(one.messages)),
                bytes: sum(|one| one.of_all(one.bytes)),
                // Sources are worked on beside each other.
                seconds: surveys.iter().map(|survey| survey.forecast).max().unwrap_or(0),
                supposed: sum(|one| if one.looked > 0 { one.mailboxes - one.looked } else { 0 }),
                unknown: sum(|one| if one.looked > 0 { 0 } else { one.mailboxes }),
            };
            self.write(move |tx| rows::change_gates(tx, id, |gates| gates.forecast = Some(forecast)).map(drop)).await?;
        }
        Ok(surveys)
    }

    /// The same for a program with a token. Where mail goes meanwhile may be any host that somebody named: it is looked at where it is an
    /// old server of a move, or on the Internet, so that no token looks into inner networks.
    pub async fn survey_from_afar(&self, name: &str, which: Which) -> Result<Vec<SourceSurvey>> {
        reach::from_afar(self.old_hosts().await?.into(), Box::pin(self.survey(name, which))).await
    }

    async fn survey_one(&self, source: &Source, mailboxes: &[&Mailbox]) -> SourceSurvey {
        let place = match source.kind.is_files() {
            true => format!("{} {}", source.kind.word(), source.host),
            false => format!("{} {}:{} {}", source.kind.word(), source.host, source.port, source.tls.word()),
        };
        let (source_name, mailboxes_count) = (source.name.clone(), mailboxes.len() as u64);
        let mut survey = SourceSurvey { source: source_name, place, mailboxes: mailboxes_count, ..Default::default() };
        if !source.kind.is_files() && source.kind != Kind::Jmap {
            survey.banner = banner(&source.host, source.port, Some(source)).await.unwrap_or_default();
        }
        if source.kind == Kind::Imap {
            match Imap::connect(source).await {
                Ok(imap) => survey.capabilities = imap.into_stream().1,
                Err(trouble) => {
                    survey.trouble = Some(trouble.words());
                    return survey;
                }
            }
        }
        let mut measured = Measured::default();
        for mailbox in mailboxes.iter().take(MAILBOXES) {
            if mailbox.secret.is_none() && source.admin.is_none() && !source.kind.is_files() {
                survey.without_password += 1;
                continue;
            }
            if let Err(trouble) = self.look_into(mailbox, source, (&mut survey, &mut measured)).await
                && survey.refused.len() < NAMED
            {
                survey.refused.push((mailbox.login.clone(), trouble.words()));
            }
        }
        if source.kind == Kind::Imap {
            let lacks = WANTED.iter().filter(|(word, ..)| !survey.capabilities.split(' ').any(|known| known == *word));
            let (en, zh) = lacks.map(|(word, en, zh)| (format!("{word}: {en}"), format!("{word}：{zh}"))).unzip();
            let (en, zh): (Vec<String>, Vec<String>) = (en, zh);
            survey.en.extend(en);
            survey.zh.extend(zh);
            let limit = survey.capabilities.split(' ').find_map(|word| word.strip_prefix("APPENDLIMIT="));
            if let Some(limit) = limit {
                survey.en.push(format!(
                    "it takes messages of {limit} octets at most (APPENDLIMIT): larger ones cannot go back"
                ));
                survey.zh.push(format!("单封邮件上限 {limit} 字节（APPENDLIMIT）：更大的邮件无法回退"));
            }
        }
        if source.kind == Kind::Pop3 {
            survey.en.push("POP3: counted by STAT and LIST; nothing is read as a sample, since some servers remove or mark what was read".into());
            survey.zh.push("POP3：按 STAT 和 LIST 统计；不抽读邮件，因为有的服务器会删除或标记读过的邮件".into());
        }
        survey.tell_unseen();
        measured.tell_left_out(&mut survey, &source.rules);
        measured.conclude(&mut survey, u64::from(source.connections.max(1)));
        survey
    }

    async fn look_into(
        &self,
        mailbox: &Mailbox,
        source: &Source,
        (survey, measured): (&mut SourceSurvey, &mut Measured),
    ) -> Result<(), Trouble> {
        let mut origin = self.inner.open(mailbox, source).await?;
        if let Origin::Imap(imap) = &origin {
            // Many tell most of it after a login only.
            survey.capabilities = imap.capabilities();
        }
        let rule = self.inner.rule_for(mailbox, source).await?;
        let (folders, out): (Vec<_>, Vec<_>) =
            origin.folders().await?.into_iter().partition(|folder| rule.lets_in(folder.space, false));
        measured.leave_out(&folders, &out);
        let sizes = sample::sizes(&mut origin, &folders).await?;
        survey.looked += 1;
        survey.folders += folders.len() as u64;
        survey.messages += sizes.messages;
        survey.largest = survey.largest.max(sizes.messages);
        match sizes.bytes {
            Some(bytes) => survey.bytes += bytes,
            None => measured.untold += sizes.messages,
        }
        if sizes.left_out > 0 && survey.en.len() < TOLD {
            let (login, count) = (&mailbox.login, sizes.left_out);
            survey.en.push(format!("{login}: {count} folders more than are counted in a survey"));
            survey.zh.push(format!("{login}：另有 {count} 个文件夹超出调查上限，未统计"));
        }
        for folder in &folders {
            let Some((en, zh)) = sample::odd(folder).filter(|_| survey.en.len() < TOLD) else { continue };
            let name = name::path_of(&folder.name, folder.delimiter, b"").join("/");
            survey.en.push(format!("{}: {name}: {en}", mailbox.login));
            survey.zh.push(format!("{}：{name}：{zh}", mailbox.login));
        }
        if let Origin::Imap(imap) = &mut origin
            && let Some((used, limit)) = sample::quota(imap).await?
            && used.saturating_mul(100) >= limit.saturating_mul(FULL)
            && survey.en.len() < TOLD
        {
            let (used, limit) = (used / 1_000_000, limit / 1_000_000);
            survey
                .en
                .push(format!("{}: {used} of {limit} MB are full: nothing may fit in on the way back", mailbox.login));
            survey.zh.push(format!("{}：已用 {used} / {limit} MB：回退时可能放不下", mailbox.login));
        }
        if measured.mailboxes < SAMPLED
            && let Some(account) = self.inner.deps.directory.account(mailbox.account).await?
        {
            let found = sample::sample(&mut origin, &folders, (&self.inner.deps.store, account.tenant)).await?;
            measured.add(&found, survey);
        }
        origin.leave().await;
        Ok(())
    }
}

impl SourceSurvey {
    /// A number of the mailboxes that were looked into, for all of them.
    fn of_all(&self, number: u64) -> u64 {
        let all = u128::from(number) * u128::from(self.mailboxes) / u128::from(self.looked.max(1));
        u64::try_from(all).unwrap_or(u64::MAX)
    }

    fn tell_unseen(&mut self) {
        let (all, unseen) = (self.mailboxes, self.mailboxes - self.looked);
        if unseen == 0 {
            return;
        }
        let (en, zh) = match self.looked {
            0 => (
                format!("none of {all} mailboxes was looked into: how much there is nobody knows"),
                format!("{all} 个邮箱均未能查看：数据量未知"),
            ),
            _ => (
                format!(
                    "{unseen} of {all} mailboxes were not looked into: the forecast takes each for as large as the others are"
                ),
                format!("{all} 个邮箱中有 {unseen} 个未能查看：预测按其余邮箱的平均大小计算"),
            ),
        };
        self.en.insert(0, en);
        self.zh.insert(0, zh);
    }
}

/// What the samples of a source came to.
#[derive(Default)]
struct Measured {
    mailboxes: u64,
    /// Messages whose octets nobody told.
    untold: u64,
    listed: u64,
    listed_bytes: u64,
    read_bytes: u64,
    took: Duration,
    /// Names of folders that are other users', the first of them.
    others: BTreeSet<String>,
    /// Of those that many share.
    shared: BTreeSet<String>,
    /// Whether the mailbox was looked into that takes these.
    is_taken: bool,
}

impl Measured {
    fn add(&mut self, found: &Sample, survey: &mut SourceSurvey) {
        self.mailboxes += 1;
        self.listed += found.listed;
        self.listed_bytes += found.listed_bytes;
        self.read_bytes += found.read_bytes;
        self.took += found.took;
        survey.biggest = survey.biggest.max(found.biggest);
        survey.sampled += found.read;
        let odd = [found.eight_bit, found.no_id, found.nul];
        survey.odd.iter_mut().zip(odd).for_each(|(all, one)| *all += one);
    }

    /// Remembers folders that are not the user's own: those that come, and those that do not.
    fn leave_out(&mut self, come: &[Folder], out: &[Folder]) {
        self.is_taken |= come.iter().any(|folder| folder.space == Space::Shared);
        for folder in come.iter().chain(out).filter(|folder| folder.is_selectable()) {
            let names = match folder.space {
                Space::Own => continue,
                Space::Others => &mut self.others,
                Space::Shared => &mut self.shared,
            };
            if names.len() < TOLD {
                names.insert(name::path_of(&folder.name, folder.delimiter, b"").join("/"));
            }
        }
    }

    fn tell_left_out(&self, survey: &mut SourceSurvey, rules: &Rules) {
        let names = |all: &BTreeSet<String>| all.iter().cloned().collect::<Vec<_>>().join(", ");
        if !self.others.is_empty() {
            let all = names(&self.others);
            survey.en.push(format!("folders of other users are left out, each comes with its owner: {all}"));
            survey.zh.push(format!("其他用户的文件夹不迁入，随其所有者迁移：{all}"));
        }
        if self.shared.is_empty() {
            return;
        }
        let all = names(&self.shared);
        let (en, zh) = match &rules.shared {
            Some(taker) if self.is_taken => {
                (format!("shared folders come into {taker} alone: {all}"), format!("共享文件夹只迁入 {taker}：{all}"))
            }
            Some(taker) => (
                format!("shared folders were to come into {taker}, which is not listed or does not see them: {all}"),
                format!("共享文件夹应迁入 {taker}，但该邮箱未登记或看不到这些文件夹：{all}"),
            ),
            None => (
                format!("shared folders are left out until a mailbox is named for them (--shared ADDRESS): {all}"),
                format!("共享文件夹不迁入，除非指定接收的邮箱（--shared 地址）：{all}"),
            ),
        };
        survey.en.push(en);
        survey.zh.push(zh);
    }

    /// Sizes that nobody told, and how long all of it may take.
    fn conclude(&self, survey: &mut SourceSurvey, at_once: u64) {
        if self.untold > 0 && self.listed > 0 {
            survey.is_estimate = true;
            survey.bytes +=
                u64::try_from(u128::from(self.untold) * u128::from(self.listed_bytes) / u128::from(self.listed))
                    .unwrap_or(u64::MAX);
        }
        let millis = self.took.as_millis().max(1);
        let (messages, bytes) = (survey.of_all(survey.messages), survey.of_all(survey.bytes));
        survey.forecast = match survey.sampled {
            0 => messages.div_ceil(SPEED * at_once),
            read => {
                survey.speed = per_second(self.read_bytes, millis);
                // Small messages cost their number, large ones their octets.
                let by_count = u128::from(messages) * millis / (u128::from(read) * 1000);
                let by_bytes = u128::from(bytes) * millis / (u128::from(self.read_bytes.max(1)) * 1000);
                u64::try_from(by_count.max(by_bytes)).unwrap_or(u64::MAX).div_ceil(at_once)
            }
        };
    }
}

fn per_second(count: u64, millis: u128) -> u64 {
    u64::try_from(u128::from(count) * 1000 / millis).unwrap_or(u64::MAX)
}

/// The first line that a server says; within TLS, where its source has that from the first byte.
async fn banner(host: &str, port: u16, source: Option<&Source>) -> Option<String> {
    let mut stream = reach::connect(host, port, GREETING).await.ok()?;
    stream.set_read_timeout(GREETING);
    if let Some(source) = source.filter(|source| matches!(source.tls, Tls::Implicit | Tls::ImplicitAny)) {
        secure(&mut stream, source).await.ok()?;
    }
    // What is longer than one packet is no greeting.
    match stream.fill().await.ok()? {
        Fill::Data(_) => Some(sample::greeting(stream.buffer().split(|&b| b == b'\n').next()?)),
        Fill::Closed | Fill::TimedOut => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forecast_goes_by_what_was_measured() {
        let mut measured = Measured { untold: 1_000_000, ..Measured::default() };
        let took = Duration::from_secs(2);
        let found =
            Sample { listed: 1000, listed_bytes: 20_000_000, read: 10, read_bytes: 200_000, took, ..Sample::default() };
        let mut survey = SourceSurvey { messages: 1_000_000, mailboxes: 1, looked: 1, ..SourceSurvey::default() };
        measured.add(&found, &mut survey);
        measured.conclude(&mut survey, 4);
        assert_eq!((survey.bytes, survey.is_estimate, survey.speed), (20_000_000_000, true, 100_000));
        assert_eq!(survey.forecast, 50_000, "a million at five a second, four at once");
        let mut survey = SourceSurvey { messages: 2_500, mailboxes: 4, looked: 1, ..SourceSurvey::default() };
        Measured::default().conclude(&mut survey, 2);
        assert_eq!((survey.forecast, survey.speed), (10, 0), "three mailboxes more, each as large");
    }
}
