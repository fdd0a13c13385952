//! Submission through another door, which hands over the message of somebody who logged in there. The rules are those of the submission
//! service, kept by the same code: whose address it is, who may be written to, how much, what is mended and signed.

use std::net::IpAddr;
use std::sync::Arc;

use anser_base::{Address, EntryId, Error, Timestamp};
use anser_directory::Account;
use anser_journal::{Entry, Origin as Noted, What};
use anser_queue::{Envelope, Origin, Protocol, Recipient};
use anser_wire::smtp::{BodyType, ForwardPath, Mailbox, Reply, Ret};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;

use crate::answer::Stop;
use crate::deps::{Deps, Service};
use crate::journal::NotedEnvelope;
use crate::message::accept::TRACE_ID;
use crate::message::intake::{Intake, Taken, Terms};
use crate::message::trace;
use crate::policy::{self, NOT_YOURS, Party};
use crate::senders;
use crate::transaction::sender_text;

/// A message that is submitted.
pub struct Submission {
    /// Who submits it.
    pub account: Arc<Account>,
    /// From where.
    pub client: IpAddr,
    /// The name of the door, for the journal.
    pub door: &'static str,
    /// The reverse path; `None` is the null sender.
    pub sender: Option<Address>,
    /// The recipients, of which each counts once.
    pub recipients: Vec<Recipient>,
    /// ENVID (RFC 3461 §4.4).
    pub envid: Option<String>,
    /// RET (RFC 3461 §4.3).
    pub ret: Option<Ret>,
    /// Not to be sent earlier (RFC 4865).
    pub not_before: Option<Timestamp>,
    /// The message, piece by piece.
    pub message: BoxStream<'static, anser_base::Result<Bytes>>,
}

/// Why a submission was not taken. Nothing of it was.
#[derive(Debug)]
pub enum Refused {
    /// The reverse path is not the account's.
    Sender(Reply),
    /// The author is not the account.
    Author(Reply),
    /// There is none.
    NoRecipients,
    /// More than this.
    TooManyRecipients(usize),
    /// These may not be written to.
    Recipients(Vec<(Address, Reply)>),
    /// It is larger than this, in bytes.
    TooLarge(u64),
    /// Something else about it, or too much was sent lately.
    Message(Reply),
    /// Trouble in the house: try again.
    Failed(Error),
}

impl From<Stop> for Refused {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Refused(reply) | Stop::Close(reply) | Stop::EachRefused(reply, _) => Self::Message(reply),
            Stop::Gone => Self::Failed(Error::unavailable("the message is gone")),
        }
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Takes a message; when this returns its number, it is durable.
pub async fn submit(deps: &Arc<Deps>, submission: Submission) -> Result<EntryId, Refused> {
    let noted = Noted::peer(submission.door, submission.client);
    let (sender, account) = (submission.sender.clone(), submission.account.clone());
    let named: Vec<String> = submission.recipients.iter().map(|recipient| recipient.address.to_string()).collect();
    let what = match take(deps, submission).await {
        Ok((entry, envelope, message_id, size)) => {
            let NotedEnvelope { sender, recipients } = envelope;
            let account = Some(account.id);
            note(deps, noted, What::Accepted { entry, message_id, sender, recipients, size, account, parent: None })
                .await;
            return Ok(entry);
        }
        Err(refused) => refused,
    };
    if let Some((stage, why)) = what.words() {
        let sender = sender_text(sender.as_ref());
        let refused = What::Refused { stage: stage.into(), sender, recipients: named, message_id: None, why };
        note(deps, noted, refused).await;
    }
    Err(what)
}

impl Refused {
    /// At which stage, and why; `None` for trouble that the log tells of.
    fn words(&self) -> Option<(&'static str, String)> {
        Some(match self {
            Self::Sender(reply) => ("mail", reply.to_string()),
            Self::Author(reply) | Self::Message(reply) => ("data", reply.to_string()),
            Self::NoRecipients => ("rcpt", "no recipients".into()),
            Self::TooManyRecipients(most) => ("rcpt", format!("more than {most} recipients")),
            Self::Recipients(all) => ("rcpt", all.first()?.1.to_string()),
            Self::TooLarge(most) => ("data", format!("larger than {most} bytes")),
            Self::Failed(_) => return None,
        })
    }
}

async fn note(deps: &Deps, origin: Noted, what: What) {
    if let Err(error) = deps.journal.append(Entry { origin, what }).await {
        tracing::error!(error = error.chain(), "the journal did not take an event");
    }
}

type Put = (EntryId, NotedEnvelope, Option<String>, u64);

async fn take(deps: &Arc<Deps>, submission: Submission) -> Result<Put, Refused> {
    let Submission { account, client, door, sender, recipients, envid, ret, not_before, mut message } = submission;
    let recipients = admitted(deps, &account, sender.as_ref(), recipients).await?;
    let mut intake = Intake::new(Terms::submitted(deps.clone(), account.clone()));
    while let Some(piece) = message.next().await {
        let piece = piece?;
        intake.append(&piece);
        intake.settle(piece.len()).await.map_err(|stop| of_message(stop, deps))?;
    }
    let Taken { body, head, passed } = intake.finish().await.map_err(|stop| of_message(stop, deps))?;
    let party = Party { deps, service: Service::Submission, account: Some(&account), sender: sender.as_ref() };
    let mut trace = senders::signatures(&party, passed.as_ref()).await?.into_bytes();
    let (id, now) = (deps.entropy.token(TRACE_ID), deps.clock.now());
    trace.extend(trace::received_by_http(&deps.hostname, client, &id, now));
    let smtputf8 =
        sender.iter().chain(recipients.iter().map(|one| &one.address)).any(|one| !one.to_string().is_ascii());
    let origin = Origin {
        protocol: Protocol::Submission,
        client: Some(client),
        helo: None,
        account: Some(account.id),
        listener: Some(door.to_owned()),
    };
    let envelope = Envelope {
        ret,
        envid,
        smtputf8,
        body_type: BodyType::EightBitMime,
        tenant: Some(account.tenant),
        trace,
        priority: head.priority(recipients.len()),
        ..Envelope::new(sender, recipients, origin, now)
    };
    let envelope = envelope.released_at(not_before.unwrap_or(now));
    let (noted, size) = (NotedEnvelope::of(&envelope), body.size);
    let entry = deps.queue.put(envelope, body).await?;
    Ok((entry, noted, head.message_id, size))
}

fn of_message(stop: Stop, deps: &Deps) -> Refused {
    match Refused::from(stop) {
        Refused::Message(reply) if reply.enhanced == Some(NOT_YOURS.enhanced) => Refused::Author(reply),
        Refused::Message(reply) if reply.code == 552 => Refused::TooLarge(deps.limits.message_size),
        other => other,
    }
}

/// The recipients, each once, if the sender is the account's and all of them may be written to.
async fn admitted(
    deps: &Deps,
    account: &Arc<Account>,
    sender: Option<&Address>,
    recipients: Vec<Recipient>,
) -> Result<Vec<Recipient>, Refused> {
    let party = Party { deps, service: Service::Submission, account: Some(account), sender };
    let path = sender.map(mailbox);
    match policy::sender(&party, path.as_ref()).await.map_err(Refused::from) {
        Err(Refused::Message(reply)) => return Err(Refused::Sender(reply)),
        Err(other) => return Err(other),
        Ok(_) => {}
    }
    let mut all: Vec<Recipient> = Vec::new();
    for recipient in recipients {
        if !all.iter().any(|known| known.address == recipient.address) {
            all.push(recipient);
        }
        if all.len() > deps.limits.recipients {
            return Err(Refused::TooManyRecipients(deps.limits.recipients));
        }
    }
    if all.is_empty() {
        return Err(Refused::NoRecipients);
    }
    let mut refused = Vec::new();
    for recipient in &all {
        let path = ForwardPath::Mailbox(mailbox(&recipient.address));
        match policy::recipient(&party, &path).await.map_err(Refused::from) {
            Ok(_) => {}
            Err(Refused::Message(reply)) => refused.push((recipient.address.clone(), reply)),
            Err(other) => return Err(other),
        }
    }
    if !refused.is_empty() {
        return Err(Refused::Recipients(refused));
    }
    for _ in &all {
        deps.rates.recipient(account.id).map_err(crate::verb::too_often)?;
    }
    Ok(all)
}

fn mailbox(address: &Address) -> Mailbox {
    Mailbox { local: address.local().to_owned(), domain: address.domain().to_owned() }
}
