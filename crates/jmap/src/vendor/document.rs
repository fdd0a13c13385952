//! Document: what a program keeps for its user, by a key: settings, open tabs, searches that were saved.

use anser_base::Result;
use anser_store::{MailTx, RecordKind};
use serde_json::{Map, Value};

use crate::error::SetError;
use crate::law::record::Kept;
use crate::law::set::Refused;

/// Documents of one account.
const DOCUMENTS: usize = 200;
/// Bytes of one value, as JSON.
const VALUE: usize = 256 * 1024;
/// Characters of a key.
const KEY: usize = 100;

/// The type.
pub(crate) static DOCUMENT: Kept = Kept {
    kind: RecordKind::Document,
    letter: 'D',
    is_property: |name| matches!(name, "id" | "key" | "value"),
    refers_by: None,
    unique: Some("key"),
    check,
};

fn check(tx: &mut MailTx<'_, '_>, number: Option<u64>, object: &mut Map<String, Value>) -> Result<Refused<()>> {
    let is_key = |key: &&str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_/".contains(&byte);
        (1..=KEY).contains(&key.len()) && key.bytes().all(plain)
    };
    if object.get("key").and_then(Value::as_str).filter(is_key).is_none() {
        return Ok(Err(SetError::property("key", "a key is 1 to 100 letters, digits, and . - _ /")));
    }
    let value = object.get("value").unwrap_or(&Value::Null);
    if serde_json::to_vec(value).is_ok_and(|bytes| bytes.len() > VALUE) {
        return Ok(Err(SetError::new("tooLarge", "").with("maxSize", VALUE)));
    }
    if number.is_none() && tx.count_records(RecordKind::Document)? >= DOCUMENTS {
        return Ok(Err(SetError::new("overQuota", "there are too many documents")));
    }
    Ok(Ok(()))
}
