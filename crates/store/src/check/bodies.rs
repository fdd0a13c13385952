//! What the bodies of an account's messages are like.

use std::collections::HashMap;

use anser_base::{BlobId, Class, MessageId, Result, TenantId};

use super::Level;
use super::rows::{Rows, fields_of, hash_of};
use crate::Store;
use crate::model::Content;

/// Of each message that something is to be said of.
pub(super) type Facts = HashMap<MessageId, Fact>;

pub(super) enum Fact {
    Lost,
    Damaged,
    /// It is sound, but the row says something else about it.
    Other(Content),
}

/// What one body is like, for all messages that share it.
#[derive(Clone)]
enum Seen {
    Lost,
    Damaged,
    There,
    Parsed(Content),
}

/// Looks at every body once. Blocks on the disk.
pub(super) fn look(store: &Store, tenant: TenantId, rows: &Rows, level: Level) -> Result<Facts> {
    let mut facts = Facts::new();
    let mut by_blob: HashMap<BlobId, Vec<MessageId>> = HashMap::new();
    for (id, message) in &rows.messages {
        match message.blob {
            Some(blob) => by_blob.entry(blob).or_default().push(*id),
            None => drop(facts.insert(*id, Fact::Lost)),
        }
    }
    for (blob, ids) in by_blob {
        let is_readable =
            |id| rows.messages.get(id).is_some_and(|message| message.is_readable && message.keys.is_some());
        let must_parse = level == Level::Full || !ids.iter().all(is_readable);
        let seen = if must_parse { parse(store, tenant, blob)? } else { exists(store, tenant, blob)? };
        for id in ids {
            match &seen {
                Seen::Lost => drop(facts.insert(id, Fact::Lost)),
                Seen::Damaged => drop(facts.insert(id, Fact::Damaged)),
                Seen::Parsed(content) if differs(rows, id, content) => {
                    drop(facts.insert(id, Fact::Other(content.clone())))
                }
                Seen::There | Seen::Parsed(_) => {}
            }
        }
    }
    Ok(facts)
}

fn differs(rows: &Rows, id: MessageId, content: &Content) -> bool {
    rows.messages.get(&id).is_some_and(|message| {
        message.blob_size != content.size
            || message.derived != hash_of(&content.summary, &content.structure)
            || message.keys.as_ref() != Some(&*content.thread_keys)
            || (message.fields.is_some() && message.fields != fields_of(content))
    })
}

fn exists(store: &Store, tenant: TenantId, blob: BlobId) -> Result<Seen> {
    Ok(if store.blobs.exists(tenant, blob)? { Seen::There } else { Seen::Lost })
}

/// Reads all of a body, which verifies it.
fn parse(store: &Store, tenant: TenantId, blob: BlobId) -> Result<Seen> {
    match store.parse_body(tenant, blob) {
        Ok(content) => Ok(Seen::Parsed(content)),
        Err(error) if error.class == Class::NotFound => Ok(Seen::Lost),
        Err(error) if error.class == Class::Damaged => Ok(Seen::Damaged),
        Err(error) => Err(error),
    }
}
