//! The session resource (RFC 8620 §2).

use std::sync::Arc;

use anser_base::BlobId;
use anser_directory::{Account, PersonId};
use anser_net::http::{Request, Response, either};
use serde_json::{Map, Value, json};

use crate::auth::{self, User};
use crate::blob::{BLOB_SET, DATA_SOURCES, DIGESTS, TYPES};
use crate::door::Door;
use crate::email::ATTACHMENTS;
use crate::submission::DELAY;
use crate::{Deps, contact, ids, principal, sieve};

/// RFC 8620 §2.
pub(crate) const CORE: &str = "urn:ietf:params:jmap:core";
/// RFC 8621 §1.3.1.
pub(crate) const MAIL: &str = "urn:ietf:params:jmap:mail";
/// RFC 8621 §1.3.2.
pub(crate) const SUBMISSION: &str = "urn:ietf:params:jmap:submission";
/// RFC 8621 §1.3.3.
pub(crate) const VACATION: &str = "urn:ietf:params:jmap:vacationresponse";
/// RFC 9404 §3.1.
pub(crate) const BLOB: &str = "urn:ietf:params:jmap:blob";

/// RFC 9670 §1.5.1.
pub(crate) const PRINCIPALS: &str = "urn:ietf:params:jmap:principals";
/// RFC 9670 §1.5.2: of accounts only.
pub(crate) const PRINCIPALS_OWNER: &str = "urn:ietf:params:jmap:principals:owner";
/// RFC 8887 §3.
const WEBSOCKET: &str = "urn:ietf:params:jmap:websocket";
/// RFC 9749 §3.
const VAPID: &str = "urn:ietf:params:jmap:webpush-vapid";
/// RFC 9425 §3.1.
pub(crate) const QUOTA: &str = "urn:ietf:params:jmap:quota";
/// RFC 9610 §1.4.1.
pub(crate) const CONTACTS: &str = "urn:ietf:params:jmap:contacts";
/// RFC 9007 §1.3.
pub(crate) const MDN: &str = "urn:ietf:params:jmap:mdn";
/// RFC 9661 §1.3.
pub(crate) const SIEVE: &str = "urn:ietf:params:jmap:sieve";
/// What docs/api/mail.md says.
pub(crate) const ANSER: &str = "urn:anser:mail";

/// The collations that `/query` sorts by (RFC 4790, RFC 5051).
pub(crate) const COLLATIONS: [&str; 2] = ["i;ascii-casemap", "i;unicode-casemap"];

/// The capabilities that a request may use.
pub(crate) const CAPABILITIES: [&str; 11] =
    [CORE, MAIL, SUBMISSION, VACATION, BLOB, QUOTA, PRINCIPALS, CONTACTS, SIEVE, MDN, ANSER];

/// Whether a request may say that it uses this: capabilities without methods are told, too.
pub(crate) fn is_known(name: &str) -> bool {
    CAPABILITIES.contains(&name) || [WEBSOCKET, VAPID].contains(&name)
}

/// `/.well-known/jmap`
pub(crate) async fn get(door: Arc<Door>, request: Request) -> Response {
    either(auth::user(&door, &request).await.map(|user| {
        let session = resource(&door, &user);
        Response::json(200, session.to_string())
    }))
}

/// The `state` of the session (RFC 8620 §2, `sessionState`).
pub(crate) fn state(door: &Door, user: &User) -> String {
    state_of(&without_state(door, user))
}

fn state_of(session: &Map<String, Value>) -> String {
    let text = serde_json::to_vec(session).unwrap_or_default();
    BlobId::of(&text).to_hex()[..16].to_owned()
}

fn resource(door: &Door, user: &User) -> Value {
    let mut session = without_state(door, user);
    session.insert("state".into(), state_of(&session).into());
    Value::Object(session)
}

fn without_state(door: &Door, user: &User) -> Map<String, Value> {
    let deps = &door.deps;
    let own = ids::account_id(user.account.id);
    let mut accounts = Map::new();
    accounts.insert(own.clone(), account(user, &user.account));
    for other in user.others.iter() {
        accounts.insert(ids::account_id(other.id), account(user, other));
    }
    let url = &deps.url;
    let mut session = Map::new();
    let others = CAPABILITIES.iter().filter(|name| **name != CORE).map(|name| ((*name).to_owned(), json!({})));
    let mut capabilities: Map<String, Value> = std::iter::once((CORE.to_owned(), core(deps))).chain(others).collect();
    capabilities.insert(SIEVE.to_owned(), json!({ "implementation": "Anser" }));
    // `https` becomes `wss`, `http` becomes `ws`.
    if let Some(rest) = url.strip_prefix("http") {
        capabilities.insert(WEBSOCKET.to_owned(), json!({ "url": format!("ws{rest}/jmap/ws"), "supportsPush": true }));
    }
    if let Some(key) = door.vapid.public() {
        capabilities.insert(VAPID.to_owned(), json!({ "applicationServerKey": key }));
    }
    session.insert("capabilities".into(), Value::Object(capabilities));
    session.insert("accounts".into(), Value::Object(accounts));
    let primary = CAPABILITIES.iter().map(|name| ((*name).to_owned(), own.clone().into()));
    session.insert("primaryAccounts".into(), Value::Object(primary.collect()));
    session.insert("username".into(), user.account.address.to_string().into());
    session.insert("apiUrl".into(), format!("{url}/jmap/api").into());
    session.insert(
        "downloadUrl".into(),
        format!("{url}/jmap/download/{{accountId}}/{{blobId}}/{{name}}?accept={{type}}").into(),
    );
    session.insert("uploadUrl".into(), format!("{url}/jmap/upload/{{accountId}}").into());
    session.insert(
        "eventSourceUrl".into(),
        format!("{url}/jmap/events?types={{types}}&closeafter={{closeafter}}&ping={{ping}}").into(),
    );
    session
}

fn core(deps: &Deps) -> Value {
    let limits = &deps.limits;
    json!({
        "maxSizeUpload": limits.size_upload,
        "maxConcurrentUpload": limits.concurrent_upload,
        "maxSizeRequest": limits.size_request,
        "maxConcurrentRequests": limits.concurrent_requests,
        "maxCallsInRequest": limits.calls_in_request,
        "maxObjectsInGet": limits.objects_in_get,
        "maxObjectsInSet": limits.objects_in_set,
        "collationAlgorithms": COLLATIONS,
    })
}

fn account(user: &User, of: &Account) -> Value {
    let own = of.id == user.account.id;
    let principal = principal::id(PersonId::Account(of.id));
    let mut account = json!({
        "name": of.address.to_string(),
        "isPersonal": own,
        "isReadOnly": user.elsewhere.contains(&of.id),
        "accountCapabilities": {
            CORE: {},
            MAIL: {
                "maxMailboxesPerEmail": null,
                "maxMailboxDepth": anser_base::limits::MAILBOX_DEPTH,
                "maxSizeMailboxName": anser_base::limits::MAILBOX_NAME,
                "maxSizeAttachmentsPerEmail": ATTACHMENTS,
                "emailQuerySortOptions": EMAIL_SORTS,
                "mayCreateTopLevelMailbox": own,
            },
            BLOB: {
                "maxSizeBlobSet": BLOB_SET,
                "maxDataSources": DATA_SOURCES,
                "supportedTypeNames": TYPES,
                "supportedDigestAlgorithms": DIGESTS,
            },
            QUOTA: {},
            PRINCIPALS_OWNER: { "accountIdForPrincipal": ids::account_id(user.account.id), "principalId": principal },
        },
    });
    if own {
        account["accountCapabilities"][VACATION] = json!({});
        let home = if user.elsewhere.contains(&of.id) { "there" } else { "here" };
        account["accountCapabilities"][ANSER] = json!({ "home": home });
        account["accountCapabilities"][SIEVE] = sieve::capability();
        account["accountCapabilities"][MDN] = json!({});
        account["accountCapabilities"][CONTACTS] =
            json!({ "maxAddressBooksPerCard": contact::BOOKS, "mayCreateAddressBook": true });
        account["accountCapabilities"][PRINCIPALS] = json!({ "currentUserPrincipalId": principal });
        account["accountCapabilities"][SUBMISSION] = json!({
            "maxDelayedSend": DELAY,
            "submissionExtensions": { "FUTURERELEASE": [], "DSN": [], "SIZE": [], "8BITMIME": [], "SMTPUTF8": [] },
        });
    }
    account
}

/// What Email/query sorts by.
const EMAIL_SORTS: [&str; 9] = [
    "receivedAt",
    "sentAt",
    "size",
    "from",
    "to",
    "subject",
    "hasKeyword",
    "allInThreadHaveKeyword",
    "someInThreadHaveKeyword",
];
