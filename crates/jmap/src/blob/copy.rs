//! Blob/copy (RFC 8620 §6.3).

use anser_base::{BlobId, Durability, Error, Result};
use serde_json::{Map, json};

use super::{Blob, Reader, Source, find, upload, upload_blob};
use crate::access::Access;
use crate::error::{MethodError, SetError};
use crate::ids;
use crate::law::set::or_null;
use crate::method::{Call, Outcome};

/// RFC 8620 §6.3. What is copied becomes an upload of the other account.
pub(crate) async fn copy(call: &mut Call) -> Outcome {
    let from = call.source()?;
    let to = call.access()?;
    let blob_ids = call.args.strings("blobIds")?.ok_or_else(|| MethodError::invalid("blobIds are missing"))?;
    call.args.done()?;
    if blob_ids.len() > call.door.deps.limits.objects_in_set {
        return Err(MethodError::new("requestTooLarge", "too many blobs"));
    }
    let found = find(&call.door, &call.user, &from, &blob_ids).await?;
    let (mut copied, mut not_copied) = (Map::new(), Map::new());
    for (id, blob) in blob_ids.into_iter().zip(found) {
        let result = match blob {
            Some(blob) => one(call, &from, &to, blob).await?,
            None => Err(SetError::not_found()),
        };
        match result {
            Ok(blob) => copied.insert(id, upload_blob(blob).into()),
            Err(error) => not_copied.insert(id, error.into_value()),
        };
    }
    Ok(json!({
        "fromAccountId": ids::account_id(from.owner.id),
        "accountId": ids::account_id(to.owner.id),
        "copied": or_null(copied),
        "notCopied": or_null(not_copied),
    }))
}

async fn one(call: &Call, from: &Access, to: &Access, blob: Blob) -> Result<std::result::Result<BlobId, SetError>> {
    let (store, source, target) = (call.door.deps.store.clone(), from.owner.tenant, to.owner.tenant);
    let work = move || {
        if let (Source::Upload(id), true, true) = (&blob.source, blob.parts.is_empty(), source == target) {
            let size = store.open(source, *id)?.size();
            return store.blobs().refresh(source, *id).map(|()| Some((*id, size)));
        }
        let Some(mut reader) = Reader::open(&store, source, &blob)? else { return Ok(None) };
        let mut writer = store.blobs().writer(target)?;
        while let Some(piece) = reader.next()? {
            writer.write(&piece)?;
        }
        writer.finish(Durability::Sync).map(Some)
    };
    let copied = tokio::task::spawn_blocking(work).await.map_err(Error::unavailable)??;
    let Some((blob, size)) = copied else { return Ok(Err(SetError::not_found())) };
    match upload::keep(&call.door, &call.user, to, blob, size).await {
        Ok(()) => Ok(Ok(blob)),
        Err(error) => SetError::of(error).map(Err),
    }
}
