//! What guests hear of changes. The log tells of a whole account, and not where a message was that is gone: what is not seen now is either
//! somebody else's business, of which they hear nothing, or was seen before. Where it may have been, they look at everything anew.

use anser_base::{MailboxId, MessageId, Result};
use anser_store::{Action, LogLine, Logged, MailTx, Object};

use crate::access::{Access, Allowed};
use crate::law::changes::Changed;
use crate::law::state;

/// Lines of the log that are looked at; of more, something may be lost.
const LINES: usize = 10_000;

/// Whether messages or conversations may have gone since a state that a guest saw: one left a mailbox of those that they read, or what
/// they may read is another.
pub(crate) fn may_have_lost(tx: &mut MailTx<'_, '_>, allowed: &Allowed, since: &str) -> Result<bool> {
    let Some(point) = state::parse(since) else { return Ok(true) };
    if mailbox_lines(tx, since)?.is_none_or(|lines| lines.iter().any(|line| line.action != Action::Created)) {
        return Ok(true);
    }
    let before = point.modseq - u64::from(point.within.is_some() && point.modseq > 0);
    let mailboxes: Vec<MailboxId> = tx.mailboxes()?.iter().map(|mailbox| mailbox.id).collect();
    for mailbox in mailboxes.into_iter().filter(|id| allowed.reads(*id)) {
        if !tx.vanished_since(mailbox, before)?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a mailbox may have gone since a state that a guest saw.
pub(crate) fn may_have_lost_mailbox(tx: &mut MailTx<'_, '_>, allowed: &Allowed, since: &str) -> Result<bool> {
    let is_lost = |line: &LogLine| match line.object {
        Object::Mailbox(id) => line.action != Action::Created && !allowed.sees(id),
        _ => false,
    };
    Ok(mailbox_lines(tx, since)?.is_none_or(|lines| lines.iter().any(is_lost)))
}

/// What was logged of mailboxes but for their counters.
fn mailbox_lines(tx: &mut MailTx<'_, '_>, since: &str) -> Result<Option<Vec<LogLine>>> {
    let lines = state::since(tx, since, Logged::Mailboxes, LINES + 1)?.filter(|lines| lines.len() <= LINES);
    Ok(lines.map(|lines| lines.into_iter().filter(|line| matches!(line.object, Object::Mailbox(_))).collect()))
}

/// Leaves of changed mailboxes what a user hears of; `false` when a guest has to look at everything anew.
pub(crate) fn mailboxes(
    tx: &mut MailTx<'_, '_>,
    access: &Access,
    allowed: &Allowed,
    since: &str,
    changed: &mut Changed,
) -> Result<bool> {
    if access.is_own() {
        return Ok(true);
    }
    let sees = |id: &u64| allowed.sees(MailboxId(*id));
    changed.created.retain(sees);
    changed.updated.retain(sees);
    changed.destroyed.clear();
    Ok(!may_have_lost_mailbox(tx, allowed, since)?)
}

/// Which of these messages are in mailboxes that the user reads, whether or not they are marked `\Deleted`.
pub(crate) fn placed(tx: &mut MailTx<'_, '_>, allowed: &Allowed, ids: &[u64]) -> Result<Vec<u64>> {
    let mut found = Vec::new();
    for ids in ids.chunks(256) {
        let ids: Vec<MessageId> = ids.iter().map(|id| MessageId(*id)).collect();
        let all = tx.messages_of(&ids)?.into_iter().flatten();
        let is_in = |message: &anser_store::Message| message.places.iter().any(|(mailbox, _)| allowed.reads(*mailbox));
        found.extend(all.filter(is_in).map(|message| message.id.0));
    }
    Ok(found)
}
