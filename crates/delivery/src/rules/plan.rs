//! From what scripts asked for to what is done: what is stored, what is sent, what is remembered. Guards against loops and against
//! answering whom nobody should answer are here.

use std::time::Duration;

use anser_base::{Address, Durability, Error, Result, TenantId, Timestamp, limits};
use anser_directory::Account;
use anser_mime::header;
use anser_queue::{Body, Entry, Envelope, Recipient, Submission};
use anser_sieve::{Action, Failure, FileInto, Notify, Origin, Outcome, RedirectTo, Taken, Vacation};
use anser_store::{Content, Flags, Key, Keywords};
use anser_wire::smtp::Notify as Wanted;
use bytes::Bytes;

use crate::forward::LOOP_FIELD;

use super::Rules;
use super::existing::flags_of;
use super::mail::Writer;
use super::world::{duplicate_key, group, key};

/// How long it is remembered that an owner was told of a script's failure.
const TOLD: Duration = Duration::from_secs(366 * 24 * 3600);
/// Characters of a reason for a refusal.
const REASON: usize = 2_000;
/// Fields of mailing lists (RFC 2369, RFC 2919).
const LIST_FIELDS: [&str; 4] = ["List-Id", "List-Unsubscribe", "List-Post", "List-Help"];

/// What is to be done with one message for one account.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    /// What is stored.
    pub copies: Vec<Filing>,
    /// What is sent.
    pub mails: Vec<Mail>,
    /// The recipient is refused, and why.
    pub reject: Option<String>,
    /// What is remembered, until when.
    pub remember: Vec<Remembering>,
    /// Notices to the owner, each once by its key.
    pub notices: Vec<(Key, Timestamp, Filing)>,
    /// Failures of scripts that are not the owner's.
    pub alarms: Vec<Failure>,
    /// What the journal is told.
    pub acts: Vec<Act>,
}

/// A copy to be stored.
#[derive(Clone, Debug)]
pub(crate) struct Filing {
    pub content: Content,
    pub prefix: Bytes,
    /// `None` is the inbox; it is also where what finds no mailbox goes.
    pub target: Option<FileInto>,
    pub flags: Flags,
    pub keywords: Keywords,
    pub origin: Origin,
}

/// A message to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    pub submission: Submission,
    /// Sent only when this key is not remembered yet, and remembered then.
    pub once: Option<(Key, Timestamp)>,
    /// A copy for the owner.
    pub fcc: Option<Filing>,
    pub act: Act,
}

/// Something that `duplicate` saw.
#[derive(Clone, Debug)]
pub(crate) struct Remembering {
    pub key: Key,
    pub until: Timestamp,
    /// It was known already.
    pub known: bool,
    /// Its time starts anew.
    pub again: bool,
}

/// What a rule did, for the journal.
#[derive(Clone, Debug)]
pub(crate) struct Act {
    pub what: String,
    pub origin: Origin,
}

impl Plan {
    /// For an account without rules; `target` is where it is kept.
    pub fn keeping(content: &Content, prefix: &Bytes, target: Option<FileInto>) -> Self {
        let copy = Filing {
            content: content.clone(),
            prefix: prefix.clone(),
            target,
            flags: Flags::default(),
            keywords: Keywords::default(),
            origin: Origin::default(),
        };
        Self { copies: vec![copy], ..Self::default() }
    }
}

/// What a plan is made from.
pub(crate) struct Planning<'a> {
    pub rules: &'a Rules,
    pub account: &'a Account,
    pub entry: &'a Entry,
    pub index: usize,
    /// The body as it came, and the fields before it.
    pub content: &'a Content,
    pub prefix: &'a Bytes,
    /// Of those, the bytes that this delivery made: return path and for whom.
    pub own: usize,
    /// The whole message as scripts saw it.
    pub message: &'a Bytes,
    /// The recipient stands for several people.
    pub is_group: bool,
    pub tenant: TenantId,
    /// Where it goes when no rule says otherwise, if that is not the inbox.
    pub junk: Option<FileInto>,
}

impl Planning<'_> {
    /// The plan for what scripts asked for. Fails when the directory or the blob store does.
    pub async fn plan(&self, outcome: &Outcome) -> Result<Plan> {
        let mut plan = Plan::default();
        let bodies = self.bodies(outcome).await?;
        for taken in &outcome.actions {
            self.add(&mut plan, taken, outcome, &bodies).await?;
        }
        let now = self.rules.deps.clock.now();
        for seen in &outcome.remember {
            plan.remember.push(Remembering {
                key: duplicate_key(&seen.handle, &seen.id),
                until: now.after(Duration::from_secs(seen.seconds)),
                known: seen.is_duplicate,
                again: seen.from_last,
            });
        }
        for failure in &outcome.failures {
            plan.acts.push(act(format!("failed, kept: {}", failure.text.en), &failure.origin));
            let script = &failure.origin.script;
            if script.starts_with("house:") || script.starts_with("domain:") {
                tracing::error!(script, why = %failure.text.en, "a script of the house fails; mail is kept");
                plan.alarms.push(failure.clone());
                continue;
            }
            let raw = self.writer().notice(failure);
            let filing = self.filing(self.put(raw).await?, None, &[], &failure.origin);
            plan.notices.push((key(&["failed", script, &failure.text.en]), now.after(TOLD), filing));
        }
        Ok(plan)
    }

    async fn add(&self, plan: &mut Plan, taken: &Taken, outcome: &Outcome, bodies: &[Content]) -> Result<()> {
        let origin = &taken.origin;
        let keep = |plan: &mut Plan| plan.copies.push(self.copy(taken, bodies, None, &[]));
        match &taken.action {
            Action::Keep { flags, is_implicit } => {
                // Whoever says keep wants it in the inbox.
                let target = self.junk.clone().filter(|_| *is_implicit);
                plan.copies.push(self.copy(taken, bodies, target, flags));
                if !is_implicit {
                    plan.acts.push(act("keep", origin));
                }
            }
            Action::FileInto(file) => plan.copies.push(self.copy(taken, bodies, Some(file.clone()), &file.flags)),
            Action::Discard => plan.acts.push(act("discard", origin)),
            Action::Redirect { to } => match self.redirect(to).await? {
                Ok(people) => plan.mails.push(self.redirected(taken, outcome, people, to).await?),
                Err(why) => {
                    plan.acts.push(act(format!("redirect to {} not done, kept: {why}", shown(to)), origin));
                    keep(plan);
                }
            },
            Action::Reject { reason, .. } => match self.why_not_to_answer().await? {
                None => {
                    let reason: String = reason.chars().take(REASON).collect();
                    plan.acts.push(act(format!("reject: {reason}"), origin));
                    plan.reject = Some(reason);
                }
                Some(why) => {
                    plan.acts.push(act(format!("reject not done, kept: {why}"), origin));
                    keep(plan);
                }
            },
            Action::Vacation(answer) => self.vacation(plan, answer, origin).await?,
            Action::Notify(notify) => self.notify(plan, notify, origin).await?,
        }
        Ok(())
    }

    /// Every version of the message that is stored, put into the blob store.
    async fn bodies(&self, outcome: &Outcome) -> Result<Vec<Content>> {
        let mut bodies = Vec::with_capacity(outcome.versions.len());
        for version in &outcome.versions {
            bodies.push(self.put(version.clone()).await?);
        }
        Ok(bodies)
    }

    /// Durable before the account's rows are: a delivery that is repeated after a power cut puts the body that came once more, but may
    /// not make this one again, since scripts change and notices carry a date.
    async fn put(&self, raw: Vec<u8>) -> Result<Content> {
        let (store, tenant) = (self.rules.deps.store.clone(), self.tenant);
        let work = move || store.put_body(tenant, &raw, Durability::Sync);
        tokio::task::spawn_blocking(work).await.map_err(Error::unavailable)?
    }

    fn copy(&self, taken: &Taken, bodies: &[Content], target: Option<FileInto>, flags: &[String]) -> Filing {
        match taken.version.checked_sub(1).and_then(|at| bodies.get(at)) {
            Some(content) => self.filing(content.clone(), target, flags, &taken.origin),
            None => Filing {
                prefix: self.prefix.clone(),
                ..self.filing(self.content.clone(), target, flags, &taken.origin)
            },
        }
    }

    fn filing(&self, content: Content, target: Option<FileInto>, flags: &[String], origin: &Origin) -> Filing {
        let (system, keywords) = flags_of(flags);
        Filing { content, prefix: Bytes::new(), target, flags: system, keywords, origin: origin.clone() }
    }

    /// Who gets a redirected message, or why nobody does.
    async fn redirect(&self, to: &RedirectTo) -> Result<Result<Vec<Address>, &'static str>> {
        let head = self.head();
        let here = self.account.address.key();
        let was_here = header::find_all(head, LOOP_FIELD)
            .any(|field| Address::parse(&String::from_utf8_lossy(field.value)).is_some_and(|seen| seen.key() == here));
        if was_here || header::find_all(head, "Received").count() >= limits::HOPS {
            return Ok(Err("the message has been here before"));
        }
        let directory = &self.rules.deps.directory;
        let people = match to {
            RedirectTo::Address(address) => vec![address.clone()],
            RedirectTo::List(list) => group(directory, self.account, list).await.unwrap_or_default(),
        };
        let mut others = Vec::new();
        for address in people {
            let is_own = matches!(directory.resolve(&address).await?, anser_directory::Resolution::Account(account) if account.id == self.account.id);
            if !is_own {
                others.push(address);
            }
        }
        others.truncate(limits::RECIPIENTS);
        Ok(if others.is_empty() { Err("it leads back here or to nobody") } else { Ok(others) })
    }

    /// The message goes on with its sender (RFC 5228 §4.2). Success is reported from here.
    async fn redirected(
        &self,
        taken: &Taken,
        outcome: &Outcome,
        to: Vec<Address>,
        shown_as: &RedirectTo,
    ) -> Result<Mail> {
        let original = &self.entry.envelope;
        let recipient = &original.recipients[self.index];
        let notify = Wanted { success: false, ..recipient.notify };
        let orcpt = recipient.orcpt.clone();
        let recipients = to.into_iter().map(|address| Recipient { address, orcpt: orcpt.clone(), notify }).collect();
        let mut trace = format!("{LOOP_FIELD}: {}\r\n", self.account.address).into_bytes();
        let body = match taken.version.checked_sub(1).and_then(|at| outcome.versions.get(at)) {
            Some(version) => {
                let content = self.put(self.without_own(version)).await?;
                Body::in_blob(content.blob, content.size)
            }
            None => {
                trace.extend_from_slice(&original.trace);
                self.entry.body.clone()
            }
        };
        let now = self.rules.deps.clock.now();
        let envelope = Envelope {
            ret: original.ret,
            envid: original.envid.clone(),
            smtputf8: original.smtputf8,
            body_type: original.body_type,
            requiretls: original.requiretls,
            tenant: Some(self.tenant),
            trace,
            ..Envelope::new(original.sender.clone(), recipients, original.origin.clone(), now)
        };
        let act = act(format!("redirect to {}", shown(shown_as)), &taken.origin);
        Ok(Mail { submission: Submission { envelope, body }, once: None, fcc: None, act })
    }

    /// A version of the message without the fields that this delivery put before it.
    fn without_own(&self, version: &[u8]) -> Vec<u8> {
        let own = &self.prefix[..self.own];
        match version.windows(own.len().max(1)).take(64 * 1024).position(|window| window == own) {
            Some(at) => [&version[..at], &version[at + own.len()..]].concat(),
            None => version.to_vec(),
        }
    }

    async fn vacation(&self, plan: &mut Plan, answer: &Vacation, origin: &Origin) -> Result<()> {
        let withheld = match answer.withheld {
            Some(why) => Some(format!("{why:?}")),
            None => self.why_not_to_answer().await?.map(str::to_owned),
        };
        let sender = self.entry.envelope.sender.as_ref();
        let (Some(to), None) = (sender, &withheld) else {
            plan.acts.push(act(format!("vacation withheld: {}", withheld.unwrap_or_default()), origin));
            return Ok(());
        };
        let writer = self.writer();
        let from = self.own_from(answer.from.as_deref()).await?;
        let raw = writer.vacation(answer, from.as_deref(), to);
        let until = self.rules.deps.clock.now().after(Duration::from_secs(answer.seconds));
        let once = (answer.seconds > 0).then(|| (key(&["vacation", &answer.tracking, &to.key()]), until));
        let fcc = self.fcc(answer.fcc.as_ref(), &raw, origin).await?;
        let submission = writer.submission(&raw, std::slice::from_ref(to));
        plan.mails.push(Mail { submission, once, fcc, act: act(format!("vacation to {to}"), origin) });
        Ok(())
    }

    async fn notify(&self, plan: &mut Plan, notify: &Notify, origin: &Origin) -> Result<()> {
        let to: Vec<Address> = notify.to.iter().filter_map(|address| Address::parse(address)).collect();
        let shown = notify.to.join(", ");
        if notify.is_withheld || to.is_empty() {
            plan.acts.push(act(format!("notify {shown} withheld"), origin));
            return Ok(());
        }
        let writer = self.writer();
        let from = self.own_from(notify.from.as_deref()).await?;
        let raw = writer.notification(notify, from.as_deref(), &to, self.head());
        let fcc = self.fcc(notify.fcc.as_ref(), &raw, origin).await?;
        let submission = writer.submission(&raw, &to);
        plan.mails.push(Mail { submission, once: None, fcc, act: act(format!("notify {shown}"), origin) });
        Ok(())
    }

    /// The owner's copy of what was sent (RFC 8580).
    async fn fcc(&self, fcc: Option<&FileInto>, raw: &[u8], origin: &Origin) -> Result<Option<Filing>> {
        let Some(file) = fcc else { return Ok(None) };
        let content = self.put(raw.to_vec()).await?;
        Ok(Some(self.filing(content, Some(file.clone()), &file.flags, origin)))
    }

    /// What a script put into `:from`, when the owner may write as it (RFC 5230 §4.4, RFC 5436 §2.3).
    async fn own_from(&self, from: Option<&str>) -> Result<Option<String>> {
        let Some(from) = from else { return Ok(None) };
        let listed = anser_mime::address::parse_list(from.as_bytes());
        let email = listed.iter().find_map(|one| one.email()).and_then(|email| Address::parse(&email));
        let Some(email) = email else { return Ok(None) };
        let may = self.rules.deps.directory.may_send_as(self.account.id, &email).await?;
        Ok(may.then(|| from.to_owned()))
    }

    /// Why the sender gets no answer of any kind: nobody there, no person, not who it says, or the owner.
    async fn why_not_to_answer(&self) -> Result<Option<&'static str>> {
        let Some(sender) = &self.entry.envelope.sender else { return Ok(Some("it is a bounce")) };
        let head = self.head();
        let value = |name: &str| header::value(head, name).map(|v| String::from_utf8_lossy(&v).to_lowercase());
        let precedence = value("Precedence").unwrap_or_default();
        let is_list = LIST_FIELDS.iter().any(|name| header::find(head, name).is_some())
            || ["bulk", "list", "junk"].contains(&precedence.trim());
        let submitted = value("Auto-Submitted").unwrap_or_else(|| "no".to_owned());
        Ok(if self.is_group {
            Some("it came for a group")
        } else if is_list {
            Some("it came through a mailing list")
        } else if submitted.split(';').next().unwrap_or_default().trim() != "no" {
            Some("it was sent automatically")
        } else if is_forged(&self.entry.envelope.trace) {
            Some("its sender is forged")
        } else if self.rules.deps.directory.may_send_as(self.account.id, sender).await? {
            Some("its sender is the owner")
        } else {
            None
        })
    }

    /// The message's header without the fields that this delivery put before it.
    fn head(&self) -> &[u8] {
        &self.message[self.own.min(self.message.len())..]
    }

    fn writer(&self) -> Writer<'_> {
        Writer { deps: &self.rules.deps, account: self.account, entry: self.entry }
    }
}

/// Whether the house found that the sender is not who he says by Authentication-Results; `trace` holds what doors wrote, nothing of the sender's.
fn is_forged(trace: &[u8]) -> bool {
    header::find_all(trace, "Authentication-Results").any(|field| {
        let value = String::from_utf8_lossy(field.value).to_lowercase();
        let spf_failed = value.contains("spf=fail") && !value.contains("dkim=pass") && !value.contains("dmarc=pass");
        value.contains("dmarc=fail") || spf_failed
    })
}

pub(super) fn act(what: impl Into<String>, origin: &Origin) -> Act {
    Act { what: what.into(), origin: origin.clone() }
}

fn shown(to: &RedirectTo) -> String {
    match to {
        RedirectTo::Address(address) => address.to_string(),
        RedirectTo::List(list) => format!("list {list}"),
    }
}
