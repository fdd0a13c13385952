//! STORE and UID STORE (RFC 9051 §6.4.6), with UNCHANGEDSINCE (RFC 7162 §3.1.3).

use std::collections::HashMap;

use anser_base::Durability;
use anser_store::{FlagAct, Flags, Keywords, MailTx, Rights};
use anser_wire::imap::write::write_number_set;
use anser_wire::imap::{Flag, Store, StoreAction};

use crate::access;
use crate::reply::{Outcome, Reply};
use crate::session::Session;
use crate::view::Telling;

pub(super) async fn run(session: &mut Session, store: Store) -> Outcome {
    if store.unchanged_since.is_some() {
        session.enable_condstore();
    }
    let view = session.writable_view()?;
    let (account, rights) = (view.owner.id, view.rights);
    let numbers = view.numbers(&store.set, store.uid, &session.saved)?;
    let (flags, keywords) = split_flags(&store.flags)?;
    let act = act_of(store.action);
    if !may_change(rights, flags, &keywords) {
        return Err(access::not_permitted().into());
    }
    let (uids, mailbox, list, since) = (view.uids(&numbers), view.mailbox, view.list.clone(), store.unchanged_since);
    let chosen = (flags, keywords.clone());
    let work =
        move |tx: &mut MailTx<'_, '_>| tx.store_flags_by(rights, mailbox, &uids, act, (chosen.0, &chosen.1), since);
    let stored = session.deps.store.write(account, Durability::Sync, work).await?;
    let touched: Vec<u32> = stored.entries.iter().map(|entry| entry.uid).collect();
    // What the client expects of each message: with .SILENT that is not told again, anything else is.
    let expected: HashMap<u32, (Flags, Keywords)> = match store.silent {
        true => touched
            .iter()
            .filter_map(|uid| list.by_uid(*uid))
            .map(|e| (e.uid, act.apply(e, flags, &keywords, rights)))
            .collect(),
        false => HashMap::new(),
    };
    let also: &[u32] = if store.silent { &[] } else { &touched };
    let telling = Telling { expunge: store.uid, uid: store.uid, silent: Some(&expected), also, elsewhere: None };
    session.sync(&telling).await?;
    if stored.modified.is_empty() {
        return Ok(Reply::ok("Done"));
    }
    let mut code = b"MODIFIED ".to_vec();
    let view = session.view()?;
    let modified = stored.modified.iter().filter_map(|uid| if store.uid { Some(*uid) } else { view.list.seq_of(*uid) });
    write_number_set(&mut code, modified);
    Ok(Reply::ok_with(String::from_utf8_lossy(&code).into_owned(), "Some messages were changed by others"))
}

fn act_of(action: StoreAction) -> FlagAct {
    match action {
        StoreAction::Replace => FlagAct::Set,
        StoreAction::Add => FlagAct::Add,
        StoreAction::Remove => FlagAct::Remove,
    }
}

/// Whether somebody with these rights may change one of the flags at least; the others are passed over (RFC 4314 §4).
fn may_change(rights: Rights, flags: Flags, keywords: &Keywords) -> bool {
    let may = rights.flags();
    match flags == Flags::default() && keywords.is_empty() {
        true => may != Flags::default(),
        false => flags.0 & may.0 != 0 || (rights.has(Rights::WRITE) && !keywords.is_empty()),
    }
}

/// System flags and keywords of a client's list. `\Recent` cannot be set and is passed over; system flags that nobody defined are
/// refused.
pub(super) fn split_flags(list: &[Flag]) -> Result<(Flags, Keywords), Reply> {
    let (mut flags, mut words) = (Flags::default(), Vec::new());
    for flag in list {
        let system = match flag {
            Flag::Seen => Flags::SEEN,
            Flag::Answered => Flags::ANSWERED,
            Flag::Flagged => Flags::FLAGGED,
            Flag::Deleted => Flags::DELETED,
            Flag::Draft => Flags::DRAFT,
            Flag::Recent => Flags::default(),
            Flag::Keyword(word) => {
                words.push(word.as_str());
                Flags::default()
            }
            Flag::Extension(_) => return Err(Reply::no("CANNOT", "There is no such system flag")),
        };
        flags = flags.with(system);
    }
    Ok((flags, Keywords::new(words)))
}
