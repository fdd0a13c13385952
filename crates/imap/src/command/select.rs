//! SELECT and EXAMINE (RFC 9051 §6.3.2), with CONDSTORE and QRESYNC (RFC 7162).

use std::sync::Arc;

use anser_base::Durability;
use anser_store::{Flags, Rights, Snapshot};
use anser_wire::imap::write::Status;
use anser_wire::imap::{NumberSet, Qresync, Select};

use crate::access::{self, Place};
use crate::known::Line;
use crate::name::{self, SEPARATOR};
use crate::note;
use crate::reply::{Outcome, Reply, Trouble};
use crate::session::Session;
use crate::tree::Tree;
use crate::view::{View, write_count, write_entry_flags, write_fetch_start};

/// One of these makes a mailbox more than a thing to be read (RFC 4314 §5.2).
const CHANGING: Rights =
    Rights(Rights::INSERT.0 | Rights::EXPUNGE.0 | Rights::SEEN.0 | Rights::WRITE.0 | Rights::DELETE_MESSAGES.0);

pub(super) async fn run(session: &mut Session, select: Select) -> Outcome {
    if select.qresync.is_some() && !session.enabled.qresync {
        return Ok(Reply::bad("ENABLE QRESYNC first"));
    }
    if session.view.is_some() {
        leave_mailbox(session).await;
        session.tell("*", Status::Ok, "CLOSED", "The previous mailbox is closed");
    }
    if select.condstore {
        session.enable_condstore();
    }
    let place = access::find_readable(session, &select.mailbox).await?;
    let view = open(session, &place, &select).await?;
    let listed = if session.enabled.rev2 { Some(listed(session, &place, &view.name).await?) } else { None };
    write_facts(session, &view);
    if let Some(line) = listed {
        line.write(session);
    }
    let (name, read_only) = (view.name.clone(), view.read_only);
    session.view = Some(view);
    if let Some(qresync) = &select.qresync {
        resynchronize(session, qresync).await?;
    }
    note::accessed(session, place.owner.id, &name, if select.read_only { "examine" } else { "select" }).await;
    match read_only {
        true => Ok(Reply::ok_with("READ-ONLY", "Done")),
        false => Ok(Reply::ok_with("READ-WRITE", "Done")),
    }
}

async fn open(session: &Session, place: &Place, select: &Select) -> Result<View, Trouble> {
    let (account, mailbox, store) = (place.owner.id, &place.mailbox, &session.deps.store);
    let (id, user) = (mailbox.id, session.account_id()?);
    let mut recent_from = mailbox.recent_from;
    // \Recent is between the sessions of the owner.
    if account == user && !select.read_only && mailbox.recent_from < mailbox.uidnext {
        recent_from = store.write(account, Durability::Deferred, move |tx| tx.claim_recent(id)).await?;
    }
    let list = store.snapshot(account, id).await?;
    let read_only = select.read_only || !place.rights.has_any(CHANGING);
    let mut view = View::new(list, user, place, name::text(&select.mailbox), read_only);
    if view.scope.is_none() {
        view.recent_from = recent_from;
        view.recent_claimed = if select.read_only { recent_from } else { mailbox.uidnext };
    }
    Ok(view)
}

fn write_facts(session: &mut Session, view: &View) {
    let list: &Arc<Snapshot> = &view.list;
    let (rev2, out) = (session.enabled.rev2, &mut session.out);
    view.write_flags(out, false);
    view.write_flags(out, true);
    write_count(out, list.len() as u64, "EXISTS");
    if !rev2 {
        write_count(out, view.recent() as u64, "RECENT");
        let unseen = list.iter().position(|entry| !entry.flags.has(Flags::SEEN));
        if let Some(index) = unseen.filter(|_| !session.enabled.uid_only) {
            session.untagged(&format!("OK [UNSEEN {}] First unseen", index + 1));
        }
    }
    session.untagged(&format!("OK [UIDVALIDITY {}] UIDs are valid", list.uidvalidity));
    session.untagged(&format!("OK [UIDNEXT {}] The next UID", list.uidnext));
    view.write_highest(&mut session.out);
    session.untagged(&format!("OK [MAILBOXID ({})] Done", name::mailbox_id(view.scope, view.mailbox)));
}

/// What LIST says of the mailbox (RFC 9051 §6.3.2).
async fn listed(session: &Session, place: &Place, named: &str) -> Result<Line, Trouble> {
    let top = access::prefix(session.account()?, &place.owner);
    let wanted =
        |prefix: &str| top.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with(SEPARATOR));
    let tree = Tree::load(session, wanted).await?;
    let mut of_owner = tree.named.iter().filter(|listed| listed.owner.id == place.owner.id);
    let found = of_owner.find(|listed| listed.mailbox.as_ref().is_some_and(|mailbox| mailbox.id == place.mailbox.id));
    Ok(found.map_or_else(|| Line::unlisted(named), |listed| Line::new(listed, named)))
}

/// Tells what changed since the client last looked (RFC 7162 §3.2.5): what vanished, and new flags.
async fn resynchronize(session: &mut Session, qresync: &Qresync) -> Result<(), Trouble> {
    let view = session.view()?;
    let account = view.owner.id;
    let (id, list, since) = (view.mailbox, view.list.clone(), qresync.mod_seq);
    if qresync.uid_validity != list.uidvalidity {
        return Ok(());
    }
    let vanished = session.deps.store.read(account, move |tx| tx.vanished_since(id, since)).await?;
    let known = match &qresync.known_uids {
        Some(set) => set.resolve(list.uidnext.saturating_sub(1), &NumberSet::default()),
        None => NumberSet::from_ranges(vec![(1, list.uidnext.saturating_sub(1))]),
    };
    let gone = intersection(&vanished, known.ranges());
    if !gone.is_empty() {
        session.out.extend_from_slice(b"* VANISHED (EARLIER) ");
        write_ranges(&mut session.out, gone);
        session.out.extend_from_slice(b"\r\n");
    }
    for (at, entry) in list.iter().enumerate() {
        if entry.modseq > since && known.contains(entry.uid) {
            let uid_only = session.enabled.uid_only;
            write_fetch_start(&mut session.out, at as u32 + 1, entry, uid_only);
            let uid = if uid_only { String::new() } else { format!("UID {} ", entry.uid) };
            session.out.extend_from_slice(format!("{uid}MODSEQ ({}) FLAGS ", entry.modseq).as_bytes());
            write_entry_flags(&mut session.out, entry, false);
            session.out.extend_from_slice(b")\r\n");
            session.relieve().await?;
        }
    }
    Ok(())
}

/// What two ascending lists of disjoint ranges share.
pub(super) fn intersection(a: &[(u32, u32)], b: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let (mut shared, mut i, mut j) = (Vec::new(), 0, 0);
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        let both = (x.0.max(y.0), x.1.min(y.1));
        if both.0 <= both.1 {
            shared.push(both);
        }
        if x.1 < y.1 { i += 1 } else { j += 1 }
    }
    shared
}

pub(super) fn write_ranges(out: &mut Vec<u8>, ranges: Vec<(u32, u32)>) {
    out.extend_from_slice(NumberSet::from_ranges(ranges).to_string().as_bytes());
}

/// Leaves the selected mailbox; what was shown as `\Recent` is not shown so again.
pub(crate) async fn leave_mailbox(session: &mut Session) {
    session.saved = NumberSet::default();
    let Some(view) = session.view.take() else { return };
    if view.scope.is_some() || view.read_only || view.list.uidnext <= view.recent_claimed {
        return;
    }
    let claim = session.deps.store.write(view.owner.id, Durability::Deferred, move |tx| tx.claim_recent(view.mailbox));
    if let Err(error) = claim.await {
        tracing::debug!(error = error.chain(), "recent messages stay recent");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_intersect() {
        assert_eq!(intersection(&[(1, 5), (8, 9)], &[(4, 8), (9, 20)]), [(4, 5), (8, 8), (9, 9)]);
        assert_eq!(intersection(&[], &[(1, 2)]), []);
    }
}
