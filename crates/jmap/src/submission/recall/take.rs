//! Taking a message back: out of the queue, and out of the mailboxes that the journal tells of.

use std::collections::{HashMap, HashSet};

use anser_base::{AccountId, Class, Durability, EntryId, MessageId, Result};
use anser_journal::What;
use anser_queue::{Act, State};
use anser_store::{Entry, Flags, Listing, MailTx};

use super::Recall;
use super::tally::{Copy, Tally};
use crate::access::Access;
use crate::auth;
use crate::method::Call;

/// Pages of events of one message that are looked at, of 10,000 each: what is beyond them is not recalled.
const PAGES: usize = 100;
/// Copies that are looked at in one go; more of them wait for the next.
const COPIES: usize = 1_000;

/// Holds what is still in the queue for those who did not get it yet; who they are, of whom the recall says so; `None` where it holds
/// nothing. Whom somebody is delivering it to just now waits. [`remove`] comes after that was written down: a crash between leaves it held, and it is not sent.
pub(super) async fn hold(call: &Call, recall: &mut Recall) -> Result<Option<Vec<String>>> {
    let (queue, entry) = (&call.door.deps.queue, EntryId(recall.entry));
    // Once it is held nobody else takes it.
    match queue.act(entry, &Act::Hold).await {
        Ok(()) => {}
        Err(error) if matches!(error.class, Class::NotFound | Class::Conflict) => return Ok(None),
        Err(error) => return Err(error),
    }
    let listed = match queue.show(entry).await {
        Ok(listed) => listed,
        Err(error) if error.class == Class::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let all = listed.envelope.recipients.iter().zip(&listed.progress);
    let unsent: Vec<String> = all
        .filter(|(_, progress)| progress.state == State::Waiting)
        .map(|(recipient, _)| recipient.address.to_string())
        .collect();
    // It may stand for several people, of whom some have it already: their copies are looked at as well.
    for tally in recall.results.iter_mut().filter(|tally| unsent.contains(&tally.email)) {
        tally.unsent = true;
    }
    Ok(Some(unsent))
}

/// Removes what [`hold`] held.
pub(super) async fn remove(call: &Call, recall: &Recall) -> Result<()> {
    let entry = EntryId(recall.entry);
    match call.door.deps.queue.act(entry, &Act::Remove).await {
        Ok(()) => call.note("submission.recall", &entry.to_string()).await,
        Err(error) if error.class == Class::NotFound => {}
        Err(error) => return Err(error),
    }
    Ok(())
}

/// What is known of the copies of one recipient.
#[derive(Default)]
struct Delivered {
    /// In the order in which they came, each once, in however many mailboxes it was put.
    copies: Vec<(AccountId, MessageId)>,
    known: HashSet<(AccountId, MessageId)>,
    is_foreign: bool,
}

/// What the journal knows of a message.
#[derive(Default)]
struct Traced {
    /// Its Message-ID when it was accepted: one is given to what has none.
    message_id: Option<String>,
    /// Where it went, by recipient.
    delivered: HashMap<String, Delivered>,
}

/// Takes the copies back that nobody has read.
pub(super) async fn out_of_mailboxes(call: &Call, access: &Access, recall: &mut Recall) -> Result<()> {
    let entry = EntryId(recall.entry);
    // Asked for first: who is done with it by now has told the journal.
    let still = match call.door.deps.queue.show(entry).await {
        Ok(listed) => {
            let all = listed.envelope.recipients.iter().zip(listed.progress);
            all.filter(|(_, progress)| progress.state == State::Waiting).map(|(to, _)| to.address.to_string()).collect()
        }
        Err(error) if error.class == Class::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    let Traced { message_id, delivered } = traced(call, entry).await?;
    let (none, mut left) = (Delivered::default(), COPIES);
    let own = recall.message_id.as_deref().map(bare).filter(|id| !id.is_empty());
    let message_id = own.map(str::to_owned).or(message_id).unwrap_or_default();
    for tally in recall.results.iter_mut().filter(|tally| tally.waits()) {
        let known = delivered.get(&tally.email).unwrap_or(&none);
        // An earlier turn dealt with the first of them.
        for copy in known.copies.iter().skip(tally.looked_at) {
            if left == 0 {
                return Ok(());
            }
            left -= 1;
            let became = take(call, access, tally, *copy, message_id.clone()).await?;
            match became {
                Some(became) => tally.note(became),
                None => tally.looked_at += 1,
            }
        }
        if still.contains(&tally.email) {
            continue;
        }
        if known.is_foreign {
            tally.went_abroad();
        }
        tally.ended = true;
    }
    Ok(())
}

/// What the journal says of it.
async fn traced(call: &Call, wanted: EntryId) -> Result<Traced> {
    let journal = &call.door.deps.journal;
    journal.flush().await?;
    let (mut events, mut before) = (Vec::new(), None);
    for _ in 0..PAGES {
        let mut page = journal.entry_leaf(wanted, before).await?;
        events.append(&mut page.events);
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    let mut traced = Traced::default();
    // The oldest first, so that copies are counted in the order in which they came.
    for event in events.into_iter().rev() {
        match event.what {
            What::Accepted { entry, message_id, .. } if entry == wanted => {
                traced.message_id = message_id.as_deref().map(bare).map(str::to_owned);
            }
            What::Delivered { entry, recipient, account, message, .. } if entry == wanted => {
                let to = traced.delivered.entry(recipient).or_default();
                if to.known.insert((account, message)) {
                    to.copies.push((account, message));
                }
            }
            What::Relayed { entry, recipient, .. } if entry == wanted => {
                traced.delivered.entry(recipient).or_default().is_foreign = true;
            }
            _ => {}
        }
    }
    Ok(traced)
}

/// A Message-ID without its angle brackets.
fn bare(id: &str) -> &str {
    id.trim().trim_start_matches('<').trim_end_matches('>')
}

/// Takes one copy back, if it may be; `None` when it is none. Of what goes a line stays in the journal.
async fn take(
    call: &Call,
    access: &Access,
    tally: &Tally,
    (account, message): (AccountId, MessageId),
    message_id: String,
) -> Result<Option<Copy>> {
    let deps = &call.door.deps;
    let Some(reader) = deps.directory.account(account).await? else { return Ok(Some(Copy::Gone)) };
    if reader.tenant != access.owner.tenant {
        return Ok(Some(Copy::Foreign));
    }
    if !deps.directory.living_elsewhere(vec![account]).await?.is_empty() {
        return Ok(Some(Copy::Refused));
    }
    let wanted = message_id.clone();
    let work = move |tx: &mut MailTx<'_, '_>| unread_goes(tx, message, &wanted);
    let became = deps.store.write(account, Durability::Sync, work).await?;
    if became == Some(Copy::Recalled) {
        let what = What::Administered {
            actor: access.owner.address.to_string(),
            act: "message.recall".to_owned(),
            object: reader.address.to_string(),
            before: Some(message_id),
            after: Some(format!("{} for {}", Copy::Recalled.name(), tally.email)),
        };
        auth::note(&call.door, call.client, what).await;
    }
    Ok(became)
}

/// Removes a message from every mailbox that it is in, if its owner has not read it in any. `None` for another message, which was stored with
/// it: what the owner's rules answered, or noted.
fn unread_goes(tx: &mut MailTx<'_, '_>, id: MessageId, message_id: &str) -> Result<Option<Copy>> {
    let Some(message) = tx.messages_of(&[id])?.pop().flatten() else { return Ok(Some(Copy::Gone)) };
    let its = Listing::of(&message).envelope.message_id.map(|id| String::from_utf8_lossy(&id).into_owned());
    if message_id.is_empty() || its.as_deref().map(bare) != Some(message_id) {
        return Ok(None);
    }
    for (mailbox, uid) in &message.places {
        if tx.entry(*mailbox, *uid)?.is_some_and(|entry| was_read(&entry)) {
            return Ok(Some(Copy::Read));
        }
    }
    for (mailbox, uid) in &message.places {
        tx.expunge(*mailbox, &[*uid], false)?;
    }
    Ok(Some(Copy::Recalled))
}

/// Whether somebody has read it: what was answered, forwarded or told of was read, though it may be marked as unread since.
fn was_read(entry: &Entry) -> bool {
    [Flags::SEEN, Flags::ANSWERED].into_iter().any(|flag| entry.flags.has(flag))
        || ["$forwarded", "$mdnsent"].into_iter().any(|keyword| entry.keywords.has(keyword))
}
