//! Sieve scripts of accounts, domains and the house; the form under them; rules tried on stored mail.

use std::time::Duration;

use anser_base::{Error, Result};
use anser_delivery::{Applying, Findings, Review, Reviewed};
use anser_directory::scripts::{FORM_SCRIPT, Place, ScriptOwner};
use anser_sieve::form::Form;
use anser_store::JobState;

use crate::answer::{ActView, Item, JobView, Out, Report, ScriptView, TouchedView};
use crate::request::{Applied, SieveAct, Trial};
use crate::{Actor, Admin};

/// How long rules are tried on stored mail.
const TIME: Duration = Duration::from_secs(60);
/// How often somebody who waits for a job is told how far it is.
const LOOK: Duration = Duration::from_millis(200);

impl Admin {
    /// One act on the scripts of an account (its address), a domain (its name) or the house (`house`).
    pub async fn sieve(&self, actor: &Actor, whose: &str, act: SieveAct, out: &Out) -> Result<Report> {
        let directory = &self.deps.directory;
        if let SieveAct::Check { text } = &act {
            anser_sieve::compile(text.as_bytes()).map_err(Error::from)?;
            return Ok(Report::Done);
        }
        let owner = self.script_owner(whose).await?;
        match act {
            SieveAct::Check { .. } => {}
            SieveAct::List => return self.list_scripts(owner, out).await,
            SieveAct::Show { name } => return Ok(Report::Script { text: self.script_text(owner, name).await? }),
            SieveAct::Put { name, text, place } => {
                let place = place.map(|place| placed(&place)).transpose()?;
                directory.put_script(owner, &name, text.as_bytes()).await?;
                self.note(actor, "sieve.put", whose, None, Some(name.clone())).await?;
                if let Some(place) = place {
                    directory.place_script(owner, &name, place).await?;
                    self.note(actor, "sieve.place", whose, None, Some(format!("{name} {}", place.as_str()))).await?;
                }
            }
            SieveAct::Place { name, place } => {
                directory.place_script(owner, &name, placed(&place)?).await?;
                self.note(actor, "sieve.place", whose, None, Some(format!("{name} {place}"))).await?;
            }
            SieveAct::Remove { name } => {
                directory.remove_script(owner, &name).await?;
                self.note(actor, "sieve.remove", whose, Some(name), None).await?;
            }
            SieveAct::Form => {
                let text = self.active_text(owner).await?.map(|(_, text)| text).unwrap_or_default();
                return Ok(Report::Form { form: Form::read(&text) });
            }
            SieveAct::PutForm { form } => self.put_form(actor, whose, owner, &form).await?,
            SieveAct::Try(trial) => return self.review(whose, trial, out).await,
            SieveAct::Apply(wanted) => return self.apply(actor, whose, wanted, out).await,
            SieveAct::Job => return self.show_job(whose, out).await,
            SieveAct::Cancel => return self.cancel_job(actor, whose, out).await,
        }
        Ok(Report::Done)
    }

    async fn script_owner(&self, whose: &str) -> Result<ScriptOwner> {
        if whose == "house" {
            return Ok(ScriptOwner::House);
        }
        if whose.contains('@') {
            return Ok(ScriptOwner::Account(self.account(whose).await?.id));
        }
        let domain = self.deps.directory.domain(whose).await?;
        let missing = || Error::not_found(format!("there is no domain {whose}"), format!("没有域名 {whose}"));
        Ok(ScriptOwner::Domain(domain.ok_or_else(missing)?.id))
    }

    async fn list_scripts(&self, owner: ScriptOwner, out: &Out) -> Result<Report> {
        for script in self.deps.directory.scripts(owner).await? {
            let view = ScriptView {
                name: script.name,
                place: script.place.as_str().to_owned(),
                size: script.size,
                changed: script.changed.to_string(),
            };
            out.item(Item::Script(view)).await?;
        }
        Ok(Report::Done)
    }

    /// A script by its name, or the active one.
    async fn script_text(&self, owner: ScriptOwner, name: Option<String>) -> Result<String> {
        let found = match name {
            Some(name) => self.deps.directory.script(owner, &name).await?.map(|script| text_of(&script.text)),
            None => self.active_text(owner).await?.map(|(_, text)| text),
        };
        found.ok_or_else(|| Error::not_found("there is no such script", "没有这个脚本"))
    }

    async fn active_text(&self, owner: ScriptOwner) -> Result<Option<(String, String)>> {
        let running = self.deps.directory.running_scripts(owner).await?;
        let active = running.scripts.iter().find(|script| script.place == Place::Active);
        Ok(active.map(|script| (script.name.clone(), text_of(&script.text))))
    }

    /// The form becomes the active script, in the place of the one that it was read from.
    async fn put_form(&self, actor: &Actor, whose: &str, owner: ScriptOwner, form: &Form) -> Result<()> {
        form.check()?;
        let name = self.active_text(owner).await?.map_or_else(|| FORM_SCRIPT.to_owned(), |(name, _)| name);
        self.deps.directory.put_script(owner, &name, form.to_script().as_bytes()).await?;
        self.deps.directory.place_script(owner, &name, Place::Active).await?;
        self.note(actor, "sieve.form", whose, None, Some(name)).await
    }

    /// What rules would do to the newest messages of a mailbox.
    async fn review(&self, address: &str, trial: Trial, out: &Out) -> Result<Report> {
        let account = self.account(address).await?;
        let Trial { folder, last, script } = trial;
        compiled(script.as_deref())?;
        let trial = script.map(String::into_bytes);
        let review = Review { folder: path_of(&folder), last, trial, time: TIME };
        let Findings { looked, touched, partial } = self.deps.delivery.jobs().rules().review(&account, &review).await?;
        let count = touched.len() as u64;
        for one in touched {
            out.item(Item::Touched(view(one))).await?;
        }
        Ok(Report::Tried { looked, touched: count, partial })
    }

    /// Starts a job; where no server runs that would work on it, it is done when this returns.
    async fn apply(&self, actor: &Actor, address: &str, wanted: Applied, out: &Out) -> Result<Report> {
        let account = self.account(address).await?;
        let Applied { folder, last, script, wait } = wanted;
        compiled(script.as_deref())?;
        let shown = last.map_or_else(|| folder.clone(), |last| format!("{folder} {last}"));
        self.note(actor, "sieve.apply", address, None, Some(shown)).await?;
        let jobs = self.deps.delivery.jobs();
        let applying = Applying { folder: path_of(&folder), last, script: script.map(String::into_bytes) };
        let started = jobs.start(&account, &applying).await?.started;
        if self.deps.running.is_none() {
            jobs.finish(account.id, |job| out.progress(job.tally.looked, job.total)).await?;
        }
        while wait && let Some(job) = jobs.job(account.id).await? {
            out.progress(job.tally.looked, job.total);
            if job.started != started || job.state != JobState::Running {
                break;
            }
            tokio::time::sleep(LOOK).await;
        }
        self.show_job(address, out).await
    }

    async fn show_job(&self, address: &str, out: &Out) -> Result<Report> {
        let account = self.account(address).await?;
        let Some(job) = self.deps.delivery.jobs().job(account.id).await? else {
            return Err(Error::not_found("no job was started for this account", "此账号没有任务"));
        };
        let mailbox = job.mailbox;
        let path = self.deps.store.read(account.id, move |tx| tx.path(mailbox)).await;
        let view = JobView {
            address: account.address.to_string(),
            folder: path.ok().map(|path| path.join("/")),
            state: job.state.as_str().to_owned(),
            total: job.total,
            looked: job.tally.looked,
            touched: job.tally.touched,
            skipped: job.tally.skipped,
            started: job.started.to_string(),
            ended: job.ended.map(|ended| ended.to_string()),
        };
        out.item(Item::Job(view)).await?;
        Ok(Report::Done)
    }

    async fn cancel_job(&self, actor: &Actor, address: &str, out: &Out) -> Result<Report> {
        let account = self.account(address).await?;
        if !self.deps.delivery.jobs().cancel(account.id).await? {
            return Err(Error::not_found("no job of this account runs", "此账号没有正在运行的任务"));
        }
        self.note(actor, "sieve.cancel", address, None, None).await?;
        self.show_job(address, out).await
    }
}

fn compiled(script: Option<&str>) -> Result<()> {
    script.map_or(Ok(()), |text| anser_sieve::compile(text.as_bytes()).map(drop).map_err(Error::from))
}

fn path_of(folder: &str) -> Vec<String> {
    folder.split('/').map(str::to_owned).collect()
}

fn view(one: Reviewed) -> TouchedView {
    let envelope = &one.listing.envelope;
    let subject = envelope.subject.as_deref().map(anser_mime::text::decode_header).unwrap_or_default();
    TouchedView {
        uid: one.uid,
        received: one.received.to_string(),
        subject,
        acts: one
            .acts
            .into_iter()
            .map(|(what, by)| ActView { what, script: by.script, line: by.line, rule: by.rule })
            .collect(),
    }
}

fn placed(place: &str) -> Result<Place> {
    Place::from_text(place).ok_or_else(|| {
        let en = format!("{place} is no place of a script; write active, before, after or off");
        Error::invalid(en, format!("{place} 不是脚本的位置；请写 active、before、after 或 off"))
    })
}

fn text_of(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}
