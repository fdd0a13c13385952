//! Taking back what was not sent yet: the only change that a submission knows (RFC 8621 §7.5).

use anser_base::{Class, EntryId, Result};
use anser_queue::Act;
use serde_json::{Map, Value};

use super::set::find;
use super::status::is_pending;
use super::{Submission, Undo};
use crate::access::Access;
use crate::error::SetError;
use crate::law::set::Refused;
use crate::method::Call;

/// Takes a message back. Once that is answered with the submission, nobody gets the message.
pub(super) async fn take_back(
    call: &Call,
    access: &Access,
    id: &str,
    patch: &Map<String, Value>,
) -> Refused<(u64, Submission)> {
    try_back(call, access, id, patch).await.unwrap_or_else(|error| Err(SetError::failed(&error)))
}

async fn try_back(
    call: &Call,
    access: &Access,
    id: &str,
    patch: &Map<String, Value>,
) -> Result<Refused<(u64, Submission)>> {
    let wanted = id.to_owned();
    let found = call.door.deps.store.read(access.owner.id, move |tx| find(tx, &wanted)).await?;
    let Some((number, mut one)) = found else { return Ok(Err(SetError::not_found())) };
    for (name, value) in patch {
        if name != "undoStatus" || value != "canceled" {
            return Ok(Err(SetError::property(name, "a submission can be canceled, nothing else")));
        }
    }
    let cannot = || SetError::new("cannotUnsend", "it is sent already");
    let queue = &call.door.deps.queue;
    if patch.is_empty() || one.undo == Undo::Canceled {
        return Ok(Ok((number, one)));
    }
    let Some(entry) = one.entry.map(EntryId) else { return Ok(Err(cannot())) };
    // Once it is held nobody else takes it.
    let held = match queue.show(entry).await {
        Ok(listed) if is_pending(&listed, call.door.deps.clock.now()) => queue.act(entry, &Act::Hold).await,
        Ok(_) => return Ok(Err(cannot())),
        Err(error) => Err(error),
    };
    let listed = match held {
        Ok(()) => queue.show(entry).await?,
        Err(error) if matches!(error.class, Class::NotFound | Class::Conflict) => return Ok(Err(cannot())),
        Err(error) => return Err(error),
    };
    if !is_pending(&listed, call.door.deps.clock.now()) {
        queue.act(entry, &Act::Release).await?;
        return Ok(Err(cannot()));
    }
    queue.act(entry, &Act::Remove).await?;
    call.note("submission.cancel", &entry.to_string()).await;
    one.cancel("250 2.0.0 Canceled");
    Ok(Ok((number, one)))
}
