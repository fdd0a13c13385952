//! `/parse` of blobs (RFC 8621 §4.9, RFC 9007 §3.2).

use std::sync::Arc;

use anser_base::{Error, Result};
use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::access::Access;
use crate::blob::{self, OPENED};
use crate::error::MethodError;
use crate::ids;
use crate::method::{Call, Outcome};

/// The response: what `read` makes of each blob that the user may read, and of its id; `None` is not parsable. Neither is what has more
/// than [`OPENED`] bytes.
pub(crate) async fn parsed(
    call: &mut Call,
    access: &Access,
    wanted: Vec<String>,
    read: impl Fn(Bytes, &str) -> Result<Option<Value>> + Send + Sync + 'static,
) -> Outcome {
    if wanted.len() > call.door.deps.limits.objects_in_get {
        return Err(MethodError::new("requestTooLarge", "too many blobs"));
    }
    let read = Arc::new(read);
    let asked: Vec<String> = wanted.iter().map(|id| call.resolve(id).unwrap_or_else(|| id.clone())).collect();
    let found = blob::find(&call.door, &call.user, access, &asked).await?;
    let (mut parsed, mut not_parsable, mut not_found) = (Map::new(), Vec::new(), Vec::new());
    for ((name, id), blob) in wanted.into_iter().zip(asked).zip(found) {
        let Some(blob) = blob else {
            not_found.push(name);
            continue;
        };
        let (bytes, read) =
            (blob::whole(&call.door.deps.store, access.owner.tenant, blob, OPENED).await?, read.clone());
        let work = move || bytes.map_or(Ok(None), |bytes| read(bytes, &id));
        match tokio::task::spawn_blocking(work).await.map_err(Error::unavailable)?? {
            Some(object) => {
                call.spend(&object)?;
                parsed.insert(name, object);
            }
            None => not_parsable.push(name),
        }
    }
    let or_null = |all: Vec<String>| if all.is_empty() { Value::Null } else { json!(all) };
    Ok(json!({
        "accountId": ids::account_id(access.owner.id),
        "parsed": if parsed.is_empty() { Value::Null } else { Value::Object(parsed) },
        "notParsable": or_null(not_parsable),
        "notFound": or_null(not_found),
    }))
}
