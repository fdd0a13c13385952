//! APPEND (RFC 9051 §6.3.12), with MULTIAPPEND (RFC 3502), CATENATE (RFC 4469) and REPLACE (RFC 8508): the only commands whose arguments
//! pass through in pieces.

use anser_base::{AccountId, Durability, Timestamp};
use anser_store::{Flags, Keywords, MailTx, NewMessage, Rights};
use anser_wire::imap::AppendMessage;
use anser_wire::imap::write::{write_continuation, write_number_set};

use super::gather::Gathered;
use super::store::split_flags;
use super::{catenate, finish, quota, replace};
use crate::access::{self, Place};
use crate::reply::{Outcome, Reply, Trouble};
use crate::session::{Input, Session};

/// Messages of one MULTIAPPEND at most.
const MESSAGES: usize = 1000;

/// Takes the messages of one APPEND, or that of one REPLACE, and answers it.
pub(crate) async fn run(session: &mut Session, first: AppendMessage) -> Result<(), Trouble> {
    let tag = first.tag.clone();
    let outcome = take(session, first).await;
    // Whatever of the command is still to come is skipped.
    session.reader.refuse_append();
    finish(session, &tag, outcome, true).await
}

async fn take(session: &mut Session, first: AppendMessage) -> Outcome {
    if session.user.is_none() {
        return Ok(Reply::bad("Log in first"));
    }
    access::refresh(session).await?;
    let replaced = match first.replaces {
        Some(replaced) => Some(replace::find_replaced(session, replaced)?),
        None => None,
    };
    let target = access::find_target(session, &first.mailbox).await?;
    let freed = replaced.as_ref().map_or(0, |entry| replace::freed(session, entry, &target));
    let mut messages = Vec::new();
    let mut next = Some(first);
    while let Some(message) = next.take() {
        if messages.len() >= MESSAGES {
            return Ok(Reply::no("LIMIT", "Too many messages in one command"));
        }
        messages.push(take_one(session, &target, &message, freed).await?);
        match session.next_of_append().await? {
            Input::Append(message) => next = Some(message),
            Input::AppendEnd => {}
            Input::Error(_, text) => return Ok(Reply::bad(text)),
            _ => return Ok(Reply::bad("Bad arguments of APPEND")),
        }
    }
    match (replaced, messages.pop()) {
        (Some(entry), Some(message)) => replace::store(session, &target, message, entry).await,
        (_, last) => {
            messages.extend(last);
            store(session, &target, messages).await
        }
    }
}

/// Takes one message; `freed` bytes will be free when it is stored.
async fn take_one(
    session: &mut Session,
    target: &Place,
    message: &AppendMessage,
    freed: u64,
) -> Result<NewMessage, Trouble> {
    let (flags, keywords) = split_flags(&message.flags)?;
    // What the user may not set there is not kept (RFC 4314 §4).
    let flags = Flags(flags.0 & target.rights.flags().0);
    let keywords = if target.rights.has(Rights::WRITE) { keywords } else { Keywords::default() };
    let owner = target.owner.id;
    let quota = session.quota(owner).await?;
    let mut gathered = Gathered::new(session, target.owner.tenant, message.size);
    match message.catenate {
        true => catenate::gather(session, &mut gathered).await?,
        false => {
            gathered.admit(message.size)?;
            admit(session, owner, message.size, quota, freed).await?;
            receive(session, &mut gathered, message.size, message.binary).await?;
        }
    }
    admit(session, owner, gathered.size(), quota, freed).await?;
    let (received, zone) = match message.internal_date {
        Some(date) => (Timestamp::from_secs(date.unix_seconds), date.offset_minutes),
        None => (session.deps.clock.now(), 0),
    };
    let content = gathered.finish().await?;
    Ok(NewMessage { flags, keywords, zone, quota, ..NewMessage::new(content, target.mailbox.id, received) })
}

/// Refuses before the client sends the message, where it waits to be told.
async fn admit(session: &Session, owner: AccountId, size: u64, quota: Option<u64>, freed: u64) -> Result<(), Trouble> {
    if size == 0 {
        return Err(Reply::no("", "The message is empty, nothing was appended").into());
    }
    let used = session.deps.store.read(owner, |tx| Ok(tx.used())).await?;
    match quota.is_some_and(|quota| used.saturating_add(size).saturating_sub(freed) > quota) {
        true => Err(Reply::no("OVERQUOTA", "The mailbox is full").into()),
        false => Ok(()),
    }
}

/// Takes the octets of a literal.
pub(super) async fn receive(
    session: &mut Session,
    gathered: &mut Gathered,
    size: u64,
    binary: bool,
) -> Result<(), Trouble> {
    let mut left = size;
    while left > 0 {
        match session.next_of_append().await? {
            Input::AppendData(piece) => {
                if !binary && memchr::memchr(0, &piece).is_some() {
                    return Err(Reply::no("UNKNOWN-CTE", "A NUL octet needs a literal8").into());
                }
                left -= piece.len() as u64;
                gathered.add(&piece).await?;
            }
            _ => return Err(Reply::bad("Bad arguments of APPEND").into()),
        }
    }
    Ok(())
}

impl Session {
    /// The next event of an APPEND, when whoever waits to be asked has been asked.
    pub(super) async fn next_of_append(&mut self) -> Result<Input, Trouble> {
        loop {
            match self.next().await? {
                Input::NeedContinuation => write_continuation(&mut self.out, "OK"),
                input => return Ok(input),
            }
        }
    }
}

/// All messages or none.
async fn store(session: &mut Session, target: &Place, messages: Vec<NewMessage>) -> Outcome {
    let id = target.mailbox.id;
    let work = move |tx: &mut MailTx<'_, '_>| {
        let uidvalidity = tx.mailbox(id)?.uidvalidity;
        let mut uids = Vec::with_capacity(messages.len());
        for message in &messages {
            let appended = tx.append(message)?;
            uids.extend(appended.iter().flat_map(|appended| &appended.places).map(|(_, _, uid)| *uid));
        }
        Ok((uidvalidity, uids))
    };
    let (uidvalidity, uids) = match session.deps.store.write(target.owner.id, Durability::Sync, work).await {
        Err(error) if error.class == anser_base::Class::NotFound => {
            return Ok(Reply::no("TRYCREATE", "There is no such mailbox"));
        }
        other => other?,
    };
    quota::warn(session, &target.owner).await?;
    let mut code = format!("APPENDUID {uidvalidity} ").into_bytes();
    write_number_set(&mut code, uids);
    Ok(Reply::ok_with(String::from_utf8_lossy(&code).into_owned(), "Appended"))
}
