//! CATENATE (RFC 4469): a message made of parts of others, which IMAP URLs name (RFC 5092), and of texts.

use anser_base::TenantId;
use anser_store::{MailTx, Message};
use anser_wire::imap::{ImapUrl, Partial};

use super::append::receive;
use super::gather::{Gathered, blocking};
use crate::access;
use crate::fetch::{Pump, open_section};
use crate::reply::{Reply, Trouble};
use crate::session::{Input, Session};

/// Parts of one message at most.
const PARTS: usize = 1000;

/// Takes the parts of one message.
pub(super) async fn gather(session: &mut Session, gathered: &mut Gathered) -> Result<(), Trouble> {
    for _ in 0..PARTS {
        match session.next_of_append().await? {
            Input::CatenateUrl(url) => copy(session, &url, gathered).await?,
            Input::CatenateText(text) => {
                gathered.admit(text.size)?;
                receive(session, gathered, text.size, text.binary).await?;
            }
            Input::CatenateEnd => return Ok(()),
            Input::Error(_, text) => return Err(Reply::bad(text).into()),
            _ => return Err(Reply::bad("Bad arguments of APPEND").into()),
        }
    }
    Err(Reply::no("LIMIT", "Too many parts in one message").into())
}

/// Adds what a URL names.
async fn copy(session: &mut Session, url: &str, gathered: &mut Gathered) -> Result<(), Trouble> {
    let Some(mut pump) = open(session, url).await? else { return Err(bad_url(url).into()) };
    gathered.admit(pump.left())?;
    loop {
        let (back, piece) = blocking(move || pump.next().map(|piece| (pump, piece))).await?;
        let Some(piece) = piece else { return Ok(()) };
        gathered.add(&piece).await?;
        pump = back;
    }
}

/// What a URL names; `None` where it names nothing that this user can read here.
async fn open(session: &Session, url: &str) -> Result<Option<Box<Pump>>, Trouble> {
    let Some(url) = ImapUrl::parse(url).filter(|url| is_ours(session, url)) else { return Ok(None) };
    let Some((tenant, message)) = message(session, &url).await? else { return Ok(None) };
    let store = session.deps.store.clone();
    let partial = url.partial.map(|(start, length)| Partial { start, length: length.unwrap_or(u64::MAX) });
    let opened = blocking(move || open_section(&store, tenant, &message, &url.section, partial)).await?;
    Ok(opened.map(Box::new))
}

/// An absolute URL must name this server and the user who asks.
fn is_ours(session: &Session, url: &ImapUrl) -> bool {
    let login = session.user.as_ref().map(|user| user.account.address.to_string());
    let host = url.host.as_ref().is_none_or(|host| host.eq_ignore_ascii_case(&session.deps.hostname));
    let user = url.user.as_ref().is_none_or(|user| login.is_some_and(|login| login.eq_ignore_ascii_case(user)));
    host && user
}

/// The message of a URL, and the tenant whose body it is.
async fn message(session: &Session, url: &ImapUrl) -> Result<Option<(TenantId, Message)>, Trouble> {
    let (owner, mailbox, uid_validity) = match &url.mailbox {
        None => match &session.view {
            Some(view) => (view.owner.clone(), view.mailbox, view.list.uidvalidity),
            None => return Ok(None),
        },
        Some(name) => match access::find_readable(session, name).await {
            Ok(place) => (place.owner, place.mailbox.id, place.mailbox.uidvalidity),
            Err(Trouble::Refused(_)) => return Ok(None),
            Err(trouble) => return Err(trouble),
        },
    };
    if url.uid_validity.is_some_and(|wanted| wanted != uid_validity) {
        return Ok(None);
    }
    let uid = url.uid;
    let read = move |tx: &mut MailTx<'_, '_>| match tx.entry(mailbox, uid)? {
        Some(entry) => tx.message(entry.message),
        None => Ok(None),
    };
    let found = session.deps.store.read(owner.id, read).await?;
    Ok(found.map(|message| (owner.tenant, message)))
}

/// The URL as the code may hold it (RFC 4469 §5).
fn bad_url(url: &str) -> Reply {
    let shown = url.replace('"', "%22").replace(']', "%5D").replace(char::is_control, "?");
    Reply::no(format!("BADURL \"{shown}\""), "This URL names nothing here")
}
