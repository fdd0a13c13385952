//! What there is to be moved: every old server as it answers, every login that is known as it stands. Nothing is changed anywhere.

use anser_base::Result;
use serde::{Deserialize, Serialize};

use crate::Migrate;
use crate::imap::Imap;
use crate::model::{Kind, Mailbox, Source};
use crate::rows;
use crate::source::Origin;
use crate::trouble::Trouble;
use crate::which::{Which, is_meant};

/// Mailboxes of one source that are looked into.
const MAILBOXES: usize = 5_000;
/// Messages a second that one connection is taken to bring, for a forecast.
const SPEED: u64 = 500;

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
    /// Folders of those that it let in.
    pub folders: u64,
    /// Messages, where it tells their number with the list of folders.
    pub messages: u64,
    /// The most messages of one login.
    pub largest: u64,
    /// Seconds that all of it may take, by what one connection usually brings.
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
        Ok(surveys)
    }

    async fn survey_one(&self, source: &Source, mailboxes: &[&Mailbox]) -> SourceSurvey {
        let place = match source.kind.is_files() {
            true => format!("{} {}", source.kind.word(), source.host),
            false => format!("{} {}:{} {}", source.kind.word(), source.host, source.port, source.tls.word()),
        };
        let (source_name, mailboxes_count) = (source.name.clone(), mailboxes.len() as u64);
        let mut survey = SourceSurvey { source: source_name, place, mailboxes: mailboxes_count, ..Default::default() };
        if source.kind == Kind::Imap {
            match Imap::connect(source).await {
                Ok(imap) => survey.capabilities = imap.into_stream().1,
                Err(trouble) => {
                    survey.trouble = Some(trouble.words());
                    return survey;
                }
            }
        }
        for mailbox in mailboxes.iter().take(MAILBOXES) {
            if mailbox.secret.is_none() && source.admin.is_none() && !source.kind.is_files() {
                survey.without_password += 1;
                continue;
            }
            if let Err(trouble) = self.look_into(mailbox, source, &mut survey).await
                && survey.refused.len() < NAMED
            {
                survey.refused.push((mailbox.login.clone(), trouble.words()));
            }
        }
        if source.kind == Kind::Imap {
            let lacks = WANTED.iter().filter(|(word, ..)| !survey.capabilities.split(' ').any(|known| known == *word));
            let (en, zh) = lacks.map(|(word, en, zh)| (format!("{word}: {en}"), format!("{word}：{zh}"))).unzip();
            (survey.en, survey.zh) = (en, zh);
        }
        let at_once = u64::from(source.connections.max(1));
        survey.forecast = survey.messages.div_ceil(SPEED * at_once);
        survey
    }

    async fn look_into(&self, mailbox: &Mailbox, source: &Source, survey: &mut SourceSurvey) -> Result<(), Trouble> {
        let mut origin = self.inner.open(mailbox, source).await?;
        if let Origin::Imap(imap) = &origin {
            // Many tell most of it after a login only.
            survey.capabilities = imap.capabilities();
        }
        let folders = origin.folders().await?;
        let messages: u64 = folders.iter().filter_map(|folder| folder.standing).map(|standing| standing.messages).sum();
        origin.leave().await;
        survey.folders += folders.len() as u64;
        survey.messages += messages;
        survey.largest = survey.largest.max(messages);
        Ok(())
    }
}
