//! Note: what the owner of a message noted on it, and until when it is to be kept in sight. One message has one note at most.

use anser_base::Result;
use anser_store::{MailTx, RecordKind};
use anser_text::fold;
use serde_json::{Map, Value};

use crate::access::Allowed;
use crate::email::{messages, moment};
use crate::error::{MethodError, SetError};
use crate::identity::own;
use crate::ids;
use crate::law::filter::Filter;
use crate::law::query::Query;
use crate::law::record::{Kept, Numbered};
use crate::law::set::Refused;
use crate::method::{Call, Outcome};

/// Bytes of a text.
const TEXT: usize = 16 * 1024;

/// The type.
pub(crate) static NOTE: Kept = Kept {
    kind: RecordKind::Note,
    letter: 'N',
    is_property: |name| matches!(name, "id" | "emailId" | "text" | "due"),
    refers_by: None,
    unique: Some("emailId"),
    check,
};

fn check(tx: &mut MailTx<'_, '_>, _: Option<u64>, object: &mut Map<String, Value>) -> Result<Refused<()>> {
    let email = object.get("emailId").and_then(Value::as_str).map(str::to_owned).unwrap_or_default();
    let is_there = match ids::parse_email(None, &email) {
        Some(id) => messages(tx, &Allowed::ALL, &[id])?.pop().flatten().is_some(),
        None => false,
    };
    if !is_there {
        return Ok(Err(SetError::property("emailId", "there is no such message")));
    }
    match object.entry("text").or_insert_with(|| "".into()) {
        Value::String(text) if text.len() <= TEXT => {}
        _ => return Ok(Err(SetError::property("text", "a text of at most 16 KiB is expected"))),
    }
    match object.entry("due").or_insert(Value::Null) {
        Value::Null => {}
        Value::String(due) if moment(due).is_some() => {}
        _ => return Ok(Err(SetError::property("due", "a UTCDate is expected"))),
    }
    Ok(Ok(()))
}

/// A condition.
enum Key {
    Text(String),
    Emails(Vec<String>),
    DueBefore(i64),
    HasDue(bool),
}

fn condition(map: Map<String, Value>) -> std::result::Result<Vec<Key>, MethodError> {
    let one = |(name, value): (String, Value)| {
        let wrong = || MethodError::invalid(format!("{name} is of another type"));
        let text = || value.as_str().ok_or_else(wrong);
        Ok(match name.as_str() {
            "text" => Key::Text(fold(text()?)),
            "emailIds" => {
                let all: Option<Vec<String>> =
                    value.as_array().and_then(|all| all.iter().map(|id| id.as_str().map(str::to_owned)).collect());
                Key::Emails(all.ok_or_else(wrong)?)
            }
            "dueBefore" => Key::DueBefore(moment(text()?).ok_or_else(wrong)?),
            "hasDue" => Key::HasDue(value.as_bool().ok_or_else(wrong)?),
            _ => return Err(MethodError::new("unsupportedFilter", format!("{name} is no condition"))),
        })
    };
    map.into_iter().map(one).collect()
}

impl Key {
    fn is_true(&self, note: &Map<String, Value>) -> bool {
        let text = |name: &str| note.get(name).and_then(Value::as_str);
        match self {
            Self::Text(looked_for) => text("text").is_some_and(|text| fold(text).contains(looked_for.as_str())),
            Self::Emails(all) => text("emailId").is_some_and(|id| all.iter().any(|one| one == id)),
            Self::DueBefore(at) => text("due").and_then(moment).is_some_and(|due| due < *at),
            Self::HasDue(has) => text("due").is_some() == *has,
        }
    }
}

/// `Note/query`: those that are due first come first, then the newest. It is small enough to be asked anew.
pub(crate) async fn query(call: &mut Call) -> Outcome {
    let mut query = Query::read(call)?;
    call.args.done()?;
    own(&query.access)?;
    if !query.sort.is_empty() {
        return Err(MethodError::new("unsupportedSort", "notes have one order"));
    }
    let filter = Filter::read(query.filter.take(), &mut condition)?;
    let (state, all) = NOTE.listed(call, &query.access).await?;
    let mut found: Vec<Numbered> = all
        .into_iter()
        .filter(|(_, note)| filter.holds(&mut |keys| keys.iter().all(|key| key.is_true(note))))
        .collect();
    let due = |note: &Map<String, Value>| note.get("due").and_then(Value::as_str).and_then(moment).unwrap_or(i64::MAX);
    found.sort_by_key(|(number, note)| (due(note), std::cmp::Reverse(*number)));
    let ids: Vec<String> = found.into_iter().map(|(number, _)| NOTE.id(number)).collect();
    query.found(&state, &ids, false)
}
