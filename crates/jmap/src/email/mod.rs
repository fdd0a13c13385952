//! Email (RFC 8621 §4).

mod body;
mod copy;
mod find;
mod get;
mod header;
mod import;
mod load;
mod octets;
mod parse;
mod place;
mod query;
mod set;
mod snippet;
mod value;

use anser_base::MessageId;
use anser_store::Logged;

use crate::ids;
use crate::law::changes::{self, Changes};
use crate::law::guest;
use crate::method::{Call, Outcome};

pub(crate) use body::Shape;
pub(crate) use copy::copy;
pub(crate) use find::{Results, Wish, find, moment};
#[cfg(test)]
pub(crate) use get::PLAIN;
pub(crate) use get::get;
#[cfg(test)]
pub(crate) use header::CONVENIENT;
pub(crate) use header::written_utc;
pub(crate) use import::{import, is_message};
pub(crate) use load::{Loaded, messages};
pub(crate) use octets::{Octets, beginning_of};
pub(crate) use parse::parse;
pub(crate) use query::{query, query_changes};
pub(crate) use set::{set, set_behind, set_some};
pub(crate) use snippet::get as snippets;
pub(crate) use value::text_of;

/// Bytes of the attachments of one message at most: in base64 they fit into a message.
pub(crate) const ATTACHMENTS: u64 = anser_base::limits::MESSAGE_SIZE / 100 * 70;

/// RFC 8621 §4.3. What the user sees no longer, though it is there, is gone for them: it was marked `\Deleted` by IMAP (§10.1), or is in
/// mailboxes only that are not shared.
pub(crate) async fn changes(call: &mut Call) -> Outcome {
    let asked = Changes::read(call)?;
    let (since, most, access) = (asked.since.clone(), asked.most, asked.access.clone());
    let read = call.door.deps.store.read(asked.access.owner.id, move |tx| {
        let mut changed = match changes::since(tx, &since, Logged::Messages, most)? {
            Ok(changed) => changed,
            Err(error) => return Ok(Err(error)),
        };
        let allowed = access.allowed(tx)?;
        let there: Vec<MessageId> = changed.created.iter().chain(&changed.updated).map(|id| MessageId(*id)).collect();
        let seen = load::visible(tx, &allowed, &there)?;
        changed.created.retain(|id| seen.contains(&MessageId(*id)));
        let (kept, gone): (Vec<u64>, Vec<u64>) = changed.updated.iter().partition(|id| seen.contains(&MessageId(**id)));
        changed.updated = kept;
        if access.is_own() {
            changed.destroyed.extend(gone);
        } else if guest::may_have_lost(tx, &allowed, &since)? {
            return Ok(Err(changes::cannot()));
        } else {
            changed.destroyed = guest::placed(tx, &allowed, &gone)?;
        }
        Ok(Ok(changed))
    });
    let changed = read.await??;
    let scope = asked.access.scope();
    Ok(asked.answer(&changed, |id| ids::email_id(scope, MessageId(id))))
}
