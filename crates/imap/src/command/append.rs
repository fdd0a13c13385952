//! APPEND (RFC 9051 §6.3.12), with MULTIAPPEND (RFC 3502): the only command whose argument passes through in pieces.

use anser_base::{AccountId, Durability, Error, Result, TenantId, limits};
use anser_store::{BodyWriter, Content, Flags, Keywords, MailTx, NewMessage, Rights, Store};
use anser_wire::imap::AppendMessage;
use anser_wire::imap::write::{write_continuation, write_number_set};

use super::finish;
use super::store::split_flags;
use crate::access::{self, Place};
use crate::reply::{Outcome, Reply, Trouble};
use crate::session::{Input, Session};

/// Messages of one MULTIAPPEND at most.
const MESSAGES: usize = 1000;

/// Takes the messages of one APPEND and answers it.
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
    let target = access::find_target(session, &first.mailbox).await?;
    let mut messages = Vec::new();
    let mut next = Some(first);
    while let Some(message) = next.take() {
        if messages.len() >= MESSAGES {
            return Ok(Reply::no("LIMIT", "Too many messages in one command"));
        }
        let new = take_one(session, &target, &message).await?;
        messages.push(new);
        match session.next().await? {
            Input::Append(message) => next = Some(message),
            Input::AppendEnd => {}
            Input::Error(_, text) => return Ok(Reply::bad(text)),
            _ => return Ok(Reply::bad("Bad arguments of APPEND")),
        }
    }
    store(session, &target, messages).await
}

async fn take_one(session: &mut Session, target: &Place, message: &AppendMessage) -> Result<NewMessage, Trouble> {
    let (flags, keywords) = split_flags(&message.flags)?;
    // What the user may not set there is not kept (RFC 4314 §4).
    let flags = Flags(flags.0 & target.rights.flags().0);
    let keywords = if target.rights.has(Rights::WRITE) { keywords } else { Keywords::default() };
    let quota = session.quota(target.owner.id).await?;
    admit(session, target.owner.id, message, quota).await?;
    let tenant = target.owner.tenant;
    let content = receive(session, tenant, message).await?;
    let (received, zone) = match message.internal_date {
        Some(date) => (anser_base::Timestamp::from_secs(date.unix_seconds), date.offset_minutes),
        None => (session.deps.clock.now(), 0),
    };
    Ok(NewMessage { flags, keywords, zone, quota, ..NewMessage::new(content, target.mailbox.id, received) })
}

/// Refuses before the client sends the message, where it waits to be told.
async fn admit(
    session: &Session,
    owner: AccountId,
    message: &AppendMessage,
    quota: Option<u64>,
) -> Result<(), Trouble> {
    if message.size == 0 {
        return Err(Reply::no("", "The message is empty, nothing was appended").into());
    }
    if message.size > session.deps.limits.message_size {
        return Err(Reply::no("TOOBIG", "The message is too large").into());
    }
    let used = session.deps.store.read(owner, |tx| Ok(tx.used())).await?;
    match quota.is_some_and(|quota| used.saturating_add(message.size) > quota) {
        true => Err(Reply::no("OVERQUOTA", "The mailbox is full").into()),
        false => Ok(()),
    }
}

/// Where a message gathers: in memory while it is small, else on its way to the disk.
enum Gathered {
    Small(Vec<u8>),
    Large { writer: Box<BodyWriter>, waiting: Vec<u8> },
}

async fn receive(session: &mut Session, tenant: TenantId, message: &AppendMessage) -> Result<Content, Trouble> {
    let store = session.deps.store.clone();
    let mut gathered = match message.size <= limits::INLINE_BODY as u64 {
        true => Gathered::Small(Vec::with_capacity(message.size as usize)),
        false => {
            let store = store.clone();
            let writer = blocking(move || store.body_writer(tenant)).await?;
            Gathered::Large { writer: Box::new(writer), waiting: Vec::with_capacity(limits::INLINE_BODY) }
        }
    };
    let mut left = message.size;
    while left > 0 {
        match session.next().await? {
            Input::NeedContinuation => write_continuation(&mut session.out, "OK"),
            Input::AppendData(piece) => {
                if !message.binary && memchr::memchr(0, &piece).is_some() {
                    return Err(Reply::no("UNKNOWN-CTE", "A NUL octet needs a literal8").into());
                }
                left -= piece.len() as u64;
                gathered = gathered.add(piece).await?;
            }
            _ => return Err(Reply::bad("Bad arguments of APPEND").into()),
        }
    }
    Ok(gathered.finish(store, tenant).await?)
}

impl Gathered {
    async fn add(self, piece: Vec<u8>) -> Result<Self> {
        match self {
            Self::Small(mut bytes) => {
                bytes.extend_from_slice(&piece);
                Ok(Self::Small(bytes))
            }
            Self::Large { writer, mut waiting } => {
                waiting.extend_from_slice(&piece);
                if waiting.len() < limits::INLINE_BODY {
                    return Ok(Self::Large { writer, waiting });
                }
                blocking(move || write(writer, waiting)).await
            }
        }
    }

    async fn finish(self, store: Store, tenant: TenantId) -> Result<Content> {
        blocking(move || match self {
            Self::Small(bytes) => store.put_body(tenant, &bytes, Durability::Sync),
            Self::Large { mut writer, waiting } => {
                writer.write(&waiting)?;
                writer.finish(Durability::Sync)
            }
        })
        .await
    }
}

fn write(mut writer: Box<BodyWriter>, mut waiting: Vec<u8>) -> Result<Gathered> {
    writer.write(&waiting)?;
    waiting.clear();
    Ok(Gathered::Large { writer, waiting })
}

/// Runs what blocks on the disk away from the reactor.
pub(crate) async fn blocking<R: Send + 'static>(work: impl FnOnce() -> Result<R> + Send + 'static) -> Result<R> {
    tokio::task::spawn_blocking(work).await.map_err(Error::unavailable)?
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
    super::quota::warn(session, &target.owner).await?;
    let mut code = format!("APPENDUID {uidvalidity} ").into_bytes();
    write_number_set(&mut code, uids);
    Ok(Reply::ok_with(String::from_utf8_lossy(&code).into_owned(), "Appended"))
}
