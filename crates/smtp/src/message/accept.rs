//! Last stage: envelope, one durable commit, journal, reply.

use anser_base::EntryId;
use anser_directory::DEFAULT_TENANT;
use anser_queue::{Envelope, Origin};
use anser_senderauth::dmarc::Policy;
use anser_wire::smtp::{BodyType, Reply};

use super::header::Head;
use super::intake::Intake;
use super::trace;
use crate::answer::{Answer, Stop};
use crate::deps::Service;
use crate::journal::NotedEnvelope;
use crate::policy::Party;
use crate::senders;
use crate::session::{Session, Tally};

/// Length of the random id in the Received field and the reply, in characters.
pub const TRACE_ID: usize = 12;

/// Ends the transaction: with 250 once the message is durable, with its refusal otherwise.
pub async fn conclude(session: &mut Session, intake: Intake) -> Result<Answer, Stop> {
    let outcome = put(session, intake).await;
    if let Err(Stop::Refused(reply)) = &outcome {
        session.note_refused("data", reply, None).await;
    }
    let replies = match session.service {
        Service::Lmtp => session.transaction.as_ref().map_or(0, |transaction| transaction.accepted),
        _ => 1,
    };
    session.reset();
    match outcome {
        Ok(text) => {
            session.tally =
                Tally { messages: session.tally.messages + 1, unknown: session.tally.unknown, ..Tally::default() };
            let reply = Reply::new(250, Some((2, 0, 0)), text);
            Ok(if replies == 1 { Answer::One(reply) } else { Answer::Each(vec![reply; replies]) })
        }
        Err(Stop::Refused(reply)) if session.service == Service::Lmtp => Err(Stop::EachRefused(reply, replies)),
        Err(stop) => Err(stop),
    }
}

/// Puts the message into the queue; returns what the peer may read of it.
async fn put(session: &Session, intake: Intake) -> Result<String, Stop> {
    let taken = intake.finish().await?;
    let verdict = senders::judge(session, taken.passed.as_ref()).await;
    let passed = taken.passed.as_ref();
    if let Some(verdict) = verdict.as_ref().filter(|verdict| verdict.applied == Policy::Reject) {
        senders::count(session, passed, verdict).await;
        return Err(senders::refusal(verdict));
    }
    let id = session.deps.entropy.token(TRACE_ID);
    let mut front = verdict.as_ref().map(|verdict| senders::field(session, verdict)).unwrap_or_default();
    front.push_str(&senders::signatures(&Party::of(session), passed).await?);
    let envelope = envelope(session, &id, front, &taken.head)?;
    let (noted, size) = (NotedEnvelope::of(&envelope), taken.body.size);
    let entry: EntryId = session.deps.queue.put(envelope, taken.body).await?;
    session.note_accepted(entry, noted, taken.head.message_id, size).await;
    if let Some(verdict) = &verdict {
        session.note_verdict(entry, verdict).await;
        senders::count(session, passed, verdict).await;
    }
    Ok(format!("Queued as {entry} ({id})"))
}

/// `front` are fields that go before everything else but the trace of the last hop.
fn envelope(session: &Session, id: &str, front: String, head: &Head) -> Result<Envelope, Stop> {
    let Some(transaction) = &session.transaction else { return Err(Stop::Gone) };
    let (mail, recipients) = (&transaction.mail, transaction.recipients.clone());
    let now = session.deps.clock.now();
    let only = match recipients.as_slice() {
        [one] => Some(&one.address),
        _ => None,
    };
    let mut trace = front.into_bytes();
    trace.extend(trace::received(session, id, now, only));
    let origin = Origin {
        protocol: session.service.protocol(),
        client: Some(session.source()),
        helo: session.hello.as_ref().map(|hello| hello.name.clone()),
        account: session.login.as_ref().map(|account| account.id),
        listener: Some(session.service.name().to_owned()),
    };
    let envelope = Envelope {
        ret: mail.ret,
        envid: mail.envid.clone(),
        smtputf8: mail.smtputf8,
        body_type: mail.body.unwrap_or(BodyType::SevenBit),
        requiretls: mail.requiretls,
        tenant: Some(transaction.tenant.unwrap_or(DEFAULT_TENANT)),
        trace,
        priority: transaction.priority.unwrap_or_else(|| head.priority(recipients.len())),
        ..Envelope::new(transaction.sender.clone(), recipients, origin, now)
    };
    Ok(envelope.released_at(transaction.not_before.unwrap_or(now)))
}
