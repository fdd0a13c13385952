//! Into the mailboxes of this server.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anser_base::{Address, BlobId, Class, Durability, Error, Result, TenantId};
use anser_blob::Prepared;
use anser_directory::{Account, DEFAULT_TENANT, Resolution};
use anser_journal::What;
use anser_queue::{Entry, Outcome, Submission};
use anser_senderauth::results;
use anser_sieve::{Failure, FileInto, Origin};
use anser_store::{Content, MailTx, Store};
use bytes::{Bytes, BytesMut};

use crate::Delivery;
use crate::content::Content as Whole;
use crate::route::{Local, retry_after_error};
use crate::rules::{self, Act, Filed, Given, Kept, Line, Plan, Planning, unpack_kept};

/// Times that scripts are asked again because a duplicate of the message came meanwhile.
const ASKED_AGAIN: usize = 3;
/// How long a postmaster is left alone who was told that a script fails.
const ALARM: Duration = Duration::from_secs(24 * 3600);

/// What local delivery brought.
#[derive(Default)]
pub(crate) struct Delivered {
    /// By recipient.
    pub outcomes: Vec<(usize, Outcome)>,
    /// Mail that rules sent, by the recipient for whom they ran: to be put once that recipient is settled.
    pub mails: Vec<(usize, Submission)>,
}

/// One account's part of a recipient.
struct Part<'a> {
    entry: &'a Entry,
    index: usize,
    account: &'a Arc<Account>,
    content: Content,
    /// The recipient stands for several people.
    is_group: bool,
}

impl Delivery {
    /// Delivers to every account of every recipient. A recipient is done when all its accounts have the message; an account that
    /// was served by an earlier attempt, or through another recipient, is not served twice.
    pub(crate) async fn deliver_local(&self, entry: &Entry, recipients: Vec<(usize, Local)>) -> Delivered {
        let mut contents: HashMap<TenantId, Content> = HashMap::new();
        let mut delivered = Delivered::default();
        for (index, Local { accounts, is_group }) in recipients {
            let mut worst = Outcome::Done;
            for account in accounts {
                let served = match self.content_for(entry, account.tenant, &mut contents).await {
                    Ok(content) => self.deliver_to(Part { entry, index, account: &account, content, is_group }).await,
                    Err(error) => Err(error),
                };
                let outcome = match served {
                    Ok(kept) => {
                        delivered.mails.extend(kept.mails.into_iter().map(|mail| (index, mail)));
                        kept.reject.map_or(Outcome::Done, |why| Outcome::Fail { why: format!("5.7.1 {why}") })
                    }
                    Err(error) => outcome_of(&error),
                };
                worst = worse(worst, outcome);
            }
            delivered.outcomes.push((index, worst));
        }
        delivered
    }

    async fn content_for(
        &self,
        entry: &Entry,
        tenant: TenantId,
        contents: &mut HashMap<TenantId, Content>,
    ) -> Result<Content> {
        if let Some(content) = contents.get(&tenant) {
            return Ok(content.clone());
        }
        let content = self.put_body(entry, tenant).await?;
        contents.insert(tenant, content.clone());
        Ok(content)
    }

    /// Delivers to one account by its rules.
    async fn deliver_to(&self, part: Part<'_>) -> Result<Kept> {
        let Part { entry, account, .. } = part;
        let line = self.rules.line(account).await?;
        let prefix = prefix(entry, &account.address.to_string());
        let mut asked = 0;
        let (filed, alarms) = loop {
            let mut plan = match line.is_empty() {
                true => Plan::keeping(&part.content, &prefix.bytes, self.junk(entry)),
                false => self.ask_rules(&part, &line, &prefix).await?,
            };
            let alarms = std::mem::take(&mut plan.alarms);
            match self.apply(&part, plan).await {
                Err(error) if error.class == Class::Conflict && asked < ASKED_AGAIN => asked += 1,
                other => break (other?, alarms),
            }
        };
        self.tell(&part, &filed).await;
        for failure in &alarms {
            if let Err(error) = self.alarm(&part, failure).await {
                tracing::error!(error = error.chain(), "nobody could be told of a script that fails");
            }
        }
        filed.kept.map_or(Ok(Kept::default()), |kept| unpack_kept(&kept, &entry.body))
    }

    async fn apply(&self, part: &Part<'_>, plan: Plan) -> Result<Filed> {
        let Part { entry, index, account, .. } = part;
        let (id, index, body, now) = (entry.id, *index as u32, entry.body.clone(), self.deps.clock.now());
        let quota = (account.quota_bytes > 0).then_some(account.quota_bytes);
        let work = move |tx: &mut MailTx<'_, '_>| {
            rules::apply(tx, &plan, &rules::At { entry: id, index, body: &body, quota, now })
        };
        self.deps.store.write(account.id, Durability::Deferred, work).await
    }

    /// Runs the account's scripts over the message and makes a plan of what they ask for.
    async fn ask_rules(&self, part: &Part<'_>, line: &Line, prefix: &Prefix) -> Result<Plan> {
        let Part { entry, index, account, content, is_group } = part;
        let (envelope, origin) = (&entry.envelope, &entry.envelope.origin);
        let message = self.whole(entry, &prefix.bytes).await?;
        let given = Given {
            sender: envelope.sender.as_ref().map(ToString::to_string).unwrap_or_default(),
            recipient: envelope.recipients[*index].address.to_string(),
            client: origin.client,
            helo: origin.helo.clone(),
        };
        let outcome = self.rules.run(account, line, message.clone(), &given).await;
        let planning = Planning {
            rules: &self.rules,
            account,
            entry,
            index: *index,
            content,
            prefix: &prefix.bytes,
            own: prefix.own,
            message: &message,
            is_group: *is_group,
            tenant: account.tenant,
            junk: self.junk(entry),
        };
        planning.plan(&outcome).await
    }

    /// The junk mailbox for what the author's domain wants set apart (DMARC p=quarantine): so it was decided when the message came.
    fn junk(&self, entry: &Entry) -> Option<FileInto> {
        let results = results::written_by(&entry.envelope.trace, &self.deps.hostname)?;
        let (mailbox, special_use) = ("Junk".to_owned(), Some("\\Junk".to_owned()));
        let junk = FileInto { mailbox, special_use, create: true, mailbox_id: None, flags: Vec::new() };
        results::is_quarantined(&results).then_some(junk)
    }

    /// The message as its reader will have it.
    async fn whole(&self, entry: &Entry, prefix: &Bytes) -> Result<Bytes> {
        let mut body = Whole::open(&self.deps.store, entry).await?;
        let trace = entry.envelope.trace.len() as u64;
        let mut whole = BytesMut::with_capacity(prefix.len() + entry.body.size as usize);
        whole.extend_from_slice(prefix);
        let mut at = trace;
        loop {
            let piece = body.read_at(at).await?;
            if piece.is_empty() {
                return Ok(whole.freeze());
            }
            at += piece.len() as u64;
            whole.extend_from_slice(&piece);
        }
    }

    /// Writes down where the message went and what rules did.
    async fn tell(&self, part: &Part<'_>, filed: &Filed) {
        let recipient = part.entry.envelope.recipients[part.index].address.to_string();
        let (entry, account) = (part.entry.id, part.account.id);
        for act in &filed.acts {
            let (recipient, act, origin) = (recipient.clone(), act.what.clone(), act.origin.clone());
            let Origin { script, line, rule } = origin;
            self.journal(What::Filtered { entry: Some(entry), recipient, act, script, line, rule }).await;
        }
        for (mailbox, message) in &filed.stored {
            let (recipient, mailbox, message) = (recipient.clone(), *mailbox, *message);
            self.journal(What::Delivered { entry, recipient, account, mailbox, message }).await;
        }
    }

    /// Tells the postmaster that a script of the house or of the domain failed, once in [`ALARM`].
    async fn alarm(&self, part: &Part<'_>, failure: &Failure) -> Result<()> {
        let (directory, script) = (&self.deps.directory, &failure.origin.script);
        let (about, domain) = match script.strip_prefix("domain:") {
            Some(name) => (format!("script {} {name}", part.account.domain), part.account.address.domain().to_owned()),
            None => {
                let domain = directory.default_domain().await?;
                (format!("script {script}"), domain.map_or_else(|| self.deps.hostname.clone(), |domain| domain.name))
            }
        };
        let Some(to) = Address::new("postmaster", &domain) else { return Ok(()) };
        if !directory.is_time_to_tell(&about, ALARM).await? {
            return Ok(());
        }
        let locale = match directory.resolve(&to).await? {
            Resolution::Account(reader) => reader.locale,
            _ => part.account.locale,
        };
        let mail = self.rules.alarm(part.account, part.entry, failure, &to, locale);
        self.deps.queue.put(mail.envelope, mail.body).await?;
        let acts = vec![Act { what: format!("failure told to {to}"), origin: failure.origin.clone() }];
        self.tell(part, &Filed { acts, ..Filed::default() }).await;
        Ok(())
    }

    /// Puts the body into the tenant's blobs, not yet durable, and parses it.
    async fn put_body(&self, entry: &Entry, tenant: TenantId) -> Result<Content> {
        let (store, body) = (self.deps.store.clone(), entry.body.clone());
        let from = entry.envelope.tenant.unwrap_or(DEFAULT_TENANT);
        let work = move || match body.stored {
            Some(stored) => put_inline(&store, tenant, (body.id, body.size, stored), body.raw),
            None => store.adopt_body(from, body.id, tenant, Durability::Deferred),
        };
        tokio::task::spawn_blocking(work).await.map_err(Error::unavailable)?
    }
}

/// Raw bytes that ride along were never out of this process's memory, and neither was the stored form beside them.
fn put_inline(
    store: &Store,
    tenant: TenantId,
    (id, size, stored): (BlobId, u64, Bytes),
    raw: Option<Bytes>,
) -> Result<Content> {
    let (prepared, raw) = match raw {
        Some(raw) => (Prepared::kept(id, size, stored), raw),
        None => {
            let prepared = Prepared::from_stored(stored)?;
            let raw = prepared.raw()?;
            (prepared, raw)
        }
    };
    store.blobs().put(tenant, &prepared, Durability::Deferred)?;
    Ok(Content::parse(prepared.id, &raw))
}

/// The header fields that only this recipient's copy has: the return path (RFC 5321 §4.4), for whom it was delivered, the trace.
struct Prefix {
    bytes: Bytes,
    /// How many of them are this delivery's own, before the trace.
    own: usize,
}

fn prefix(entry: &Entry, delivered_to: &str) -> Prefix {
    let sender = entry.envelope.sender.as_ref().map(ToString::to_string).unwrap_or_default();
    let mut bytes = format!("Return-Path: <{sender}>\r\nDelivered-To: {delivered_to}\r\n").into_bytes();
    let own = bytes.len();
    bytes.extend_from_slice(&entry.envelope.trace);
    Prefix { bytes: bytes.into(), own }
}

fn outcome_of(error: &Error) -> Outcome {
    match error.class {
        Class::OverQuota => Outcome::Fail { why: "5.2.2 the mailbox is full".into() },
        _ => retry_after_error(error),
    }
}

/// Of the outcomes for several accounts behind one recipient: trying again serves those that can still be served.
fn worse(one: Outcome, other: Outcome) -> Outcome {
    match (&one, &other) {
        (Outcome::Retry { .. }, _) | (_, Outcome::Done) => one,
        _ => other,
    }
}
