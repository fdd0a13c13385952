//! What clients say again (RFC 8620 §5.3): a whole object is a patch too, so that an update may name properties which cannot be changed, as
//! long as they say what is so.

use serde_json::{Map, Value, json};

use crate::method::{Args, Call, METHODS};

/// What of each type can be changed. Types that are kept as they are given look after this themselves.
const CHANGEABLE: [(&str, &[&str]); 8] = [
    ("PushSubscription", &["verificationCode", "expires", "types"]),
    ("Mailbox", &["name", "parentId", "role", "sortOrder", "isSubscribed", "shareWith"]),
    ("Email", &["mailboxIds", "keywords"]),
    ("Identity", &["name", "replyTo", "bcc", "textSignature", "htmlSignature"]),
    // That it is still held is what is so; that it is not to be is what may be asked for.
    ("EmailSubmission", &[]),
    ("VacationResponse", &["isEnabled", "fromDate", "toDate", "subject", "textBody", "htmlBody"]),
    ("SieveScript", &["name", "blobId"]),
    ("Rules", &["items", "script"]),
];

/// Takes out of the updates of a `/set` what says again what is so, of properties that cannot be changed. What is left of them is for the
/// method to refuse.
pub(crate) async fn forget(call: &mut Call, method: &str) {
    let Some((kind, "set")) = method.split_once('/') else { return };
    let Some((_, changeable)) = CHANGEABLE.iter().find(|(known, _)| *known == kind) else { return };
    let Some(Value::Object(updates)) = call.args.0.get("update") else { return };
    let fixed = |path: &String| !path.contains('/') && !changeable.contains(&path.as_str());
    let asked: Vec<(String, Vec<String>)> = updates
        .iter()
        .filter_map(|(id, patch)| {
            Some((id.clone(), patch.as_object()?.keys().filter(|name| fixed(name)).cloned().collect()))
        })
        .filter(|(_, names): &(String, Vec<String>)| !names.is_empty())
        .take(call.door.deps.limits.objects_in_set)
        .collect();
    for (id, names) in asked {
        let now = now(call, kind, &id, &names).await;
        let patch =
            call.args.0.get_mut("update").and_then(|updates| updates.get_mut(&id)).and_then(Value::as_object_mut);
        if let (Some(now), Some(patch)) = (now, patch) {
            patch.retain(|name, value| now.get(name) != Some(value));
        }
    }
}

/// What is so of one object, as its `/get` tells it.
async fn now(call: &Call, kind: &str, id: &str, names: &[String]) -> Option<Map<String, Value>> {
    let get = METHODS.iter().find(|method| method.name.strip_suffix("/get") == Some(kind))?;
    let mut reader = call.apart();
    reader.left = call.left;
    let mut arguments = json!({ "ids": [call.resolve(id)?], "properties": names });
    if let Some(account) = call.args.0.get("accountId") {
        arguments["accountId"] = account.clone();
    }
    let Value::Object(arguments) = arguments else { return None };
    reader.args = Args(arguments);
    let told = (get.run)(&mut reader).await.ok()?;
    let mut now = told["list"].get(0)?.as_object()?.clone();
    // The names asked for are those of the patch; the id is always told.
    now.retain(|name, _| names.contains(name));
    Some(now)
}
