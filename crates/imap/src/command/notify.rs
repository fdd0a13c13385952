//! NOTIFY (RFC 5465 §3).

use anser_wire::imap::{EventGroup, Events, MailboxFilter, Notify, StatusItem};

use super::{list, status};
use crate::known::Known;
use crate::notify::{Notifier, Selected};
use crate::reply::{Outcome, Reply, Trouble};
use crate::session::Session;
use crate::view::Telling;

pub(super) async fn run(session: &mut Session, notify: Notify) -> Outcome {
    let Notify::Set { status, groups } = notify else {
        session.notifier = Some(Notifier::silent());
        return Ok(Reply::ok("Done"));
    };
    if groups.iter().any(|group| group.events.other) {
        return Ok(Reply::no(format!("BADEVENT ({})", Events::NAMES.join(" ")), "There is no such event"));
    }
    let (selected, others) = divide(groups);
    let notifier = Notifier::start(session, selected, others).await?;
    // What has happened so far is told as ever (RFC 5465 §3.1).
    session.notifier = None;
    session.sync(&Telling::ALL).await?;
    let wanted = wanted(session, &notifier)?;
    session.notifier = Some(notifier);
    for (known, events) in wanted {
        if !known.is_readable {
            list::write_line(session, "LIST", "\\NoAccess", &known.path);
            session.out.extend_from_slice(b"\r\n");
        } else if status && events.has_messages() {
            tell_status(session, &known, &events).await?;
        }
    }
    Ok(Reply::ok("Done"))
}

/// What is wanted of the selected mailbox, nothing if it is not named (RFC 5465 §3.1), and of others.
fn divide(groups: Vec<EventGroup>) -> (Selected, Vec<EventGroup>) {
    let (mut selected, mut others) = (Selected::Events { delayed: false, events: Events::default() }, Vec::new());
    for group in groups {
        match group.mailboxes {
            MailboxFilter::Selected => selected = Selected::Events { delayed: false, events: group.events },
            MailboxFilter::SelectedDelayed => selected = Selected::Events { delayed: true, events: group.events },
            _ => others.push(group),
        }
    }
    (selected, others)
}

/// The mailboxes that the command names, but for the selected one, with what is wanted of them.
fn wanted(session: &Session, notifier: &Notifier) -> Result<Vec<(Known, Events)>, Trouble> {
    let (user, selected) = (session.account_id()?, session.view.as_ref().map(|view| (view.owner.id, view.mailbox)));
    let named = notifier.known().filter(|known| Some(known.key) != selected && notifier.names(user, known));
    Ok(named.map(|known| (known.clone(), notifier.wanted(user, known))).collect())
}

async fn tell_status(session: &mut Session, known: &Known, events: &Events) -> Result<(), Trouble> {
    let id = known.key.1;
    let found = session.deps.store.read(known.key.0, move |tx| Ok(tx.mailbox(id).cloned().ok())).await?;
    let Some(mailbox) = found else { return Ok(()) };
    let mut items = vec![StatusItem::UidValidity, StatusItem::UidNext, StatusItem::Messages];
    if events.flag_change {
        items.push(StatusItem::HighestModSeq);
    }
    let condstore = session.enabled.condstore;
    status::write(session, &known.path, &known.owner, &mailbox, &items).await?;
    // That the server tells it does not mean that the client asked for it (RFC 7162 §3.1).
    session.enabled.condstore = condstore;
    session.relieve().await
}

/// ENABLE METADATA: annotations of the user's own mailboxes are told when they change (RFC 5464 §4.1).
pub(super) async fn announce_metadata(session: &mut Session) -> Result<(), Trouble> {
    if session.notifier.is_none() {
        let events = Events { mailbox_metadata: true, server_metadata: true, ..Events::default() };
        let groups = vec![EventGroup { mailboxes: MailboxFilter::Personal, events }];
        session.notifier = Some(Notifier::start(session, Selected::Usual, groups).await?);
    }
    Ok(())
}
