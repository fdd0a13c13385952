//! Sieve scripts of accounts, domains and the house; the form under them; rules tried on stored mail.

use std::time::Duration;

use anser_base::{Error, Result};
use anser_delivery::{Findings, Review, Reviewed, Rules, RulesDeps};
use anser_directory::Account;
use anser_directory::scripts::{Place, ScriptOwner};
use anser_journal::{Entry, Origin, What};
use anser_sieve::form::Form;

use crate::answer::{ActView, Item, Out, Report, ScriptView, TouchedView};
use crate::request::{SieveAct, Trial};
use crate::{Actor, Admin};

/// How long rules are tried on stored mail.
const TIME: Duration = Duration::from_secs(60);
/// The script that the form writes when an account has no active one.
const FORM_SCRIPT: &str = "rules";

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
            SieveAct::Try(trial) => return self.review(actor, whose, trial, out).await,
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

    /// What rules would do to the newest messages of a mailbox; with `apply` it is done, and noted message by message.
    async fn review(&self, actor: &Actor, address: &str, trial: Trial, out: &Out) -> Result<Report> {
        let account = self.account(address).await?;
        let Trial { folder, last, script, apply } = trial;
        if let Some(text) = &script {
            anser_sieve::compile(text.as_bytes()).map_err(Error::from)?;
        }
        if apply {
            self.note(actor, "sieve.apply", address, None, Some(format!("{folder} {last}"))).await?;
        }
        let review = Review {
            folder: folder.split('/').map(str::to_owned).collect(),
            last,
            trial: script.map(String::into_bytes),
            apply,
            time: TIME,
        };
        let Findings { looked, touched, partial } = self.rules().review(&account, &review).await?;
        let count = touched.len() as u64;
        for one in touched {
            if apply {
                self.note_acts(&account, &one).await?;
            }
            out.item(Item::Touched(view(one))).await?;
        }
        Ok(Report::Tried { looked, touched: count, partial })
    }

    async fn note_acts(&self, account: &Account, one: &Reviewed) -> Result<()> {
        for (what, by) in &one.acts {
            let what = What::Filtered {
                entry: None,
                recipient: account.address.to_string(),
                act: format!("{what}, to the stored message with UID {}", one.uid),
                script: by.script.clone(),
                line: by.line,
                rule: by.rule.clone(),
            };
            self.deps.journal.append(Entry { origin: Origin::internal(), what }).await?;
        }
        Ok(())
    }

    fn rules(&self) -> Rules {
        let deps = &self.deps;
        Rules::new(RulesDeps {
            store: deps.store.clone(),
            directory: deps.directory.clone(),
            clock: deps.clock.clone(),
            entropy: anser_base::Entropy::system(),
            hostname: deps.hostname.clone(),
        })
    }
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
