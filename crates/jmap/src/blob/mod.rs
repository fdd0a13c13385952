//! Blobs (RFC 8620 §6): whole messages, their parts, and what was uploaded. An id names a blob by what it is of, so that who may not
//! read the message cannot read the blob; an upload is its uploader's alone.
//!
//! | id | blob |
//! |---|---|
//! | `B12` | message 12, as it was received |
//! | `U1f…` | an upload, by the address of its content |
//! | `V12-1f…` | the text that script 12 has, by the address of its content |
//! | `B12-3`, `U1f…-3` | part 3 of it, decoded |
//! | `B12-3-2` | part 2 of that part, which is a message itself |
//!
//! | file | holds |
//! |---|---|
//! | `read` | the bytes of a blob |
//! | `download`, `upload` | the resources of RFC 8620 §6.1, §6.2 |
//! | `copy` | Blob/copy |
//! | `manage` | Blob/upload, Blob/get, Blob/lookup (RFC 9404) |

mod copy;
mod download;
mod manage;
mod read;
mod upload;

use std::collections::BTreeMap;
use std::sync::Arc;

use anser_base::{BlobId, MessageId, Result};
use anser_directory::scripts::SCRIPTS;
use anser_store::{MailTx, Message};

use crate::access::{Access, Allowed};
use crate::auth::User;
use crate::door::Door;
use crate::email::messages;
use crate::ids;
use crate::sieve;

pub(crate) use copy::copy;
pub(crate) use download::download;
pub(crate) use manage::{BLOB_SET, DATA_SOURCES, DIGESTS, TYPES, get, lookup, make};
pub(crate) use read::{OPENED, Reader, whole};
pub(crate) use upload::{put, upload};

/// Parts that lie in each other in one id at most.
const LEVELS: usize = 8;

/// What an id names.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Named {
    of: Of,
    parts: Vec<usize>,
}

impl Named {
    fn script(&self) -> Option<(u64, BlobId)> {
        if let Of::Script(number, text) = self.of { Some((number, text)) } else { None }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    Message(MessageId),
    Upload(BlobId),
    Script(u64, BlobId),
}

/// A blob that the user may read.
#[derive(Clone)]
pub(crate) struct Blob {
    pub source: Source,
    /// The way to the part that it is: each one's place in what is before it.
    pub parts: Vec<usize>,
}

/// What a blob is, or is a part of.
#[derive(Clone)]
pub(crate) enum Source {
    Message(Box<Message>),
    Upload(BlobId),
    Script(Arc<[u8]>),
}

fn parsed(id: &str) -> Option<Named> {
    if let Some((script, hex)) = id.strip_prefix('V').and_then(|rest| rest.split_once('-')) {
        let blob = BlobId::from_hex(hex).filter(|blob| blob.to_hex() == hex)?;
        return Some(Named { of: Of::Script(ids::number(script)?, blob), parts: Vec::new() });
    }
    let mut steps = id.split('-');
    let base = steps.next()?;
    let of = match base.split_at_checked(1)? {
        ("B", number) => Of::Message(MessageId(ids::number(number)?)),
        // One form for one blob.
        ("U", hex) => Of::Upload(BlobId::from_hex(hex).filter(|blob| blob.to_hex() == hex)?),
        _ => return None,
    };
    let parts = steps.map(|step| usize::try_from(ids::number(step)?).ok()).collect::<Option<Vec<_>>>()?;
    (parts.len() <= LEVELS).then_some(Named { of, parts })
}

/// The id of a message's blob.
pub(crate) fn message_blob(id: MessageId) -> String {
    format!("B{id}")
}

/// The id of an upload.
pub(crate) fn upload_blob(blob: BlobId) -> String {
    format!("U{}", blob.to_hex())
}

/// The id of a script's text.
pub(crate) fn script_blob(script: u64, text: BlobId) -> String {
    format!("V{script}-{}", text.to_hex())
}

/// The blobs of these ids that the user may read. That a part is there shows when it is opened.
pub(crate) async fn find(door: &Door, user: &User, access: &Access, ids: &[String]) -> Result<Vec<Option<Blob>>> {
    let named: Vec<Option<Named>> = ids.iter().map(|id| parsed(id)).collect();
    let mut scripts = BTreeMap::new();
    if access.is_own() {
        for (number, hash) in named.iter().flatten().filter_map(Named::script).take(SCRIPTS) {
            let text = sieve::text_of(door, access, number).await?;
            scripts.extend(text.filter(|text| BlobId::of(text) == hash).map(|text| (number, text)));
        }
    }
    let (user, access, owner) = (user.account.id, access.clone(), access.owner.id);
    let read = door.deps.store.read(owner, move |tx| {
        let allowed = access.allowed(tx)?;
        let known = |named: &Named| scripts.get(&named.script()?.0).cloned().map(Source::Script);
        let mut one = |named: &Named| match known(named) {
            Some(source) => Ok(Some(Blob { source, parts: Vec::new() })),
            None => source(tx, &allowed, user, named),
        };
        named.iter().map(|named| named.as_ref().map_or(Ok(None), &mut one)).collect()
    });
    read.await
}

fn source(
    tx: &mut MailTx<'_, '_>,
    allowed: &Allowed,
    user: anser_base::AccountId,
    named: &Named,
) -> Result<Option<Blob>> {
    let source = match named.of {
        Of::Upload(blob) => tx.upload(user, blob)?.map(|_| Source::Upload(blob)),
        Of::Message(id) => {
            let found = messages(tx, allowed, &[id])?.pop().flatten();
            found.map(|loaded| Source::Message(Box::new(loaded.message)))
        }
        Of::Script(..) => None,
    };
    Ok(source.map(|source| Blob { source, parts: named.parts.clone() }))
}

/// The message that an id is of, whichever of its blobs it names.
fn message_of(id: &str) -> Option<MessageId> {
    match parsed(id)?.of {
        Of::Message(message) => Some(message),
        Of::Upload(_) | Of::Script(..) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_name_a_message_an_upload_or_a_part() {
        let message = |parts: &[usize]| Some(Named { of: Of::Message(MessageId(12)), parts: parts.to_vec() });
        assert_eq!(parsed("B12"), message(&[]));
        assert_eq!(parsed("B12-3"), message(&[3]));
        assert_eq!(parsed("B12-3-0"), message(&[3, 0]));
        let blob = BlobId::of(b"x");
        assert_eq!(parsed(&upload_blob(blob)), Some(Named { of: Of::Upload(blob), parts: vec![] }));
        let deep = format!("B12{}", "-1".repeat(9));
        for wrong in
            ["12", "B", "B12-", "B12-x", "B012", "B-3", "U12", "", "é", &upload_blob(blob).to_uppercase(), &deep]
        {
            assert_eq!(parsed(wrong), None, "{wrong}");
        }
    }
}
