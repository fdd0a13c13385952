//! What clients say again (RFC 8620 §5.3): a whole object is a patch too, so that an update may name properties which cannot be changed, as
//! long as they say what is so.

use std::collections::{BTreeMap, HashMap};

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

/// Looks that one call is worth, each at all objects of which the same properties are said again. Who says whole objects again needs one.
const LOOKS: usize = 8;

/// Takes out of the updates of a `/set` what says again what is so, of properties that cannot be changed. What is left of them is for the
/// method to refuse.
pub(crate) async fn forget(call: &mut Call, method: &str) {
    let Some((kind, "set")) = method.split_once('/') else { return };
    let Some((_, changeable)) = CHANGEABLE.iter().find(|(known, _)| *known == kind) else { return };
    let Some(Value::Object(updates)) = call.args.0.get("update") else { return };
    let fixed = |path: &String| !path.contains('/') && !changeable.contains(&path.as_str());
    let mut asked: BTreeMap<Vec<String>, Vec<String>> = BTreeMap::new();
    for (id, patch) in updates {
        let names = patch.as_object().into_iter().flat_map(Map::keys).filter(|name| fixed(name));
        let mut names: Vec<String> = names.cloned().collect();
        names.sort_unstable();
        if !names.is_empty() {
            asked.entry(names).or_default().push(id.clone());
        }
    }
    for (names, ids) in asked.iter().take(LOOKS) {
        let known = now(call, kind, ids, names).await.unwrap_or_default();
        for id in ids {
            let now = call.resolve(id).and_then(|id| known.get(&id));
            let patch =
                call.args.0.get_mut("update").and_then(|updates| updates.get_mut(id)).and_then(Value::as_object_mut);
            if let (Some(now), Some(patch)) = (now, patch) {
                patch.retain(|name, value| !names.contains(name) || now.get(name) != Some(value));
            }
        }
    }
}

/// What is so of objects, by their ids, as their `/get` tells it.
async fn now(
    call: &mut Call,
    kind: &str,
    ids: &[String],
    names: &[String],
) -> Option<HashMap<String, Map<String, Value>>> {
    let get = METHODS.iter().find(|method| method.name.strip_suffix("/get") == Some(kind))?;
    let most = call.door.deps.limits.objects_in_get;
    let ids: Vec<String> = ids.iter().filter_map(|id| call.resolve(id)).take(most).collect();
    let mut reader = call.apart();
    reader.left = call.left;
    let mut arguments = json!({ "ids": ids, "properties": names });
    if let Some(account) = call.args.0.get("accountId") {
        arguments["accountId"] = account.clone();
    }
    let Value::Object(arguments) = arguments else { return None };
    reader.args = Args(arguments);
    let told = (get.run)(&mut reader).await;
    // What was read for this is of what the answers may take, so that no more is read than by who asks for it.
    call.left = reader.left;
    let Value::Array(list) = told.ok()?["list"].take() else { return None };
    let by_id = list.into_iter().filter_map(|one| match one {
        Value::Object(one) => Some((one.get("id")?.as_str()?.to_owned(), one)),
        _ => None,
    });
    Some(by_id.collect())
}
