//! The methods: one method, one function, one row.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use anser_journal::What;
use futures_util::future::BoxFuture;
use serde_json::{Map, Value};

use crate::access::Access;
use crate::auth::{self, User};
use crate::contact::{self, BOOK, CARD};
use crate::door::Door;
use crate::error::MethodError;
use crate::reference::weight;
use crate::session::{ANSER, BLOB, CONTACTS, CORE, MAIL, MDN, PRINCIPALS, QUOTA, SIEVE, SUBMISSION, VACATION};
use crate::submission::recall;
use crate::vendor::{self, DOCUMENT, NOTE};
use crate::{blob, email, identity, mailbox, mdn, principal, push, quota, share, sieve, submission, thread, vacation};

/// What a method comes to: the arguments of its response.
pub(crate) type Outcome = Result<Value, MethodError>;

/// One method.
pub(crate) struct Method {
    pub name: &'static str,
    /// What a request must use for it to be there.
    pub capability: &'static str,
    pub run: for<'a> fn(&'a mut Call) -> BoxFuture<'a, Outcome>,
}

/// What methods are called that change nothing; all others do, or may.
pub(crate) const READING: [&str; 11] =
    ["discover", "get", "changes", "query", "queryChanges", "parse", "lookup", "echo", "validate", "folders", "failed"];

impl Method {
    /// Whether somebody may call it with what they came in by.
    pub fn is_open_to(&self, user: &User) -> bool {
        let (kind, verb) = self.name.split_once('/').unwrap_or((self.name, ""));
        let reads = READING.contains(&verb);
        (reads || !user.is_read_only())
            && (reads || !["EmailSubmission", "MDN", "Recall"].contains(&kind) || user.may_send())
    }
}

/// Types whose changes are changes of mail.
const OF_MAIL: [&str; 5] = ["Mailbox", "Email", "Bulk", "MDN", "MailMove"];

impl Method {
    /// Whether these arguments change mail, or make some of it; to take back what was sent does not.
    pub fn changes_mail(&self, args: &Args) -> bool {
        let (kind, verb) = self.name.split_once('/').unwrap_or((self.name, ""));
        let sends = || args.0.get("create").and_then(Value::as_object).is_some_and(|made| !made.is_empty());
        !READING.contains(&verb) && (OF_MAIL.contains(&kind) || (kind == "EmailSubmission" && sends()))
    }
}

/// Every method, in the order of the RFCs.
pub(crate) const METHODS: &[Method] = &[
    Method { name: "Core/echo", capability: CORE, run: |call| Box::pin(echo(call)) },
    Method { name: "PushSubscription/get", capability: CORE, run: |call| Box::pin(push::get(call)) },
    Method { name: "PushSubscription/set", capability: CORE, run: |call| Box::pin(push::set(call)) },
    Method { name: "Blob/copy", capability: CORE, run: |call| Box::pin(blob::copy(call)) },
    Method { name: "Blob/upload", capability: BLOB, run: |call| Box::pin(blob::make(call)) },
    Method { name: "Blob/get", capability: BLOB, run: |call| Box::pin(blob::get(call)) },
    Method { name: "Blob/lookup", capability: BLOB, run: |call| Box::pin(blob::lookup(call)) },
    Method { name: "Mailbox/get", capability: MAIL, run: |call| Box::pin(mailbox::get(call)) },
    Method { name: "Mailbox/changes", capability: MAIL, run: |call| Box::pin(mailbox::changes(call)) },
    Method { name: "Mailbox/query", capability: MAIL, run: |call| Box::pin(mailbox::query(call)) },
    Method { name: "Mailbox/queryChanges", capability: MAIL, run: |call| Box::pin(mailbox::query_changes(call)) },
    Method { name: "Mailbox/set", capability: MAIL, run: |call| Box::pin(mailbox::set(call)) },
    Method { name: "Thread/get", capability: MAIL, run: |call| Box::pin(thread::get(call)) },
    Method { name: "Thread/changes", capability: MAIL, run: |call| Box::pin(thread::changes(call)) },
    Method { name: "Email/get", capability: MAIL, run: |call| Box::pin(email::get(call)) },
    Method { name: "Email/changes", capability: MAIL, run: |call| Box::pin(email::changes(call)) },
    Method { name: "Email/query", capability: MAIL, run: |call| Box::pin(email::query(call)) },
    Method { name: "Email/queryChanges", capability: MAIL, run: |call| Box::pin(email::query_changes(call)) },
    Method { name: "Email/set", capability: MAIL, run: |call| Box::pin(email::set(call)) },
    Method { name: "Email/copy", capability: MAIL, run: |call| Box::pin(email::copy(call)) },
    Method { name: "Email/import", capability: MAIL, run: |call| Box::pin(email::import(call)) },
    Method { name: "Email/parse", capability: MAIL, run: |call| Box::pin(email::parse(call)) },
    Method { name: "SearchSnippet/get", capability: MAIL, run: |call| Box::pin(email::snippets(call)) },
    Method { name: "Identity/get", capability: SUBMISSION, run: |call| Box::pin(identity::get(call)) },
    Method { name: "Identity/changes", capability: SUBMISSION, run: |call| Box::pin(identity::changes(call)) },
    Method { name: "Identity/set", capability: SUBMISSION, run: |call| Box::pin(identity::set(call)) },
    Method { name: "EmailSubmission/get", capability: SUBMISSION, run: |call| Box::pin(submission::get(call)) },
    Method { name: "EmailSubmission/changes", capability: SUBMISSION, run: |call| Box::pin(submission::changes(call)) },
    Method { name: "EmailSubmission/query", capability: SUBMISSION, run: |call| Box::pin(submission::query(call)) },
    Method {
        name: "EmailSubmission/queryChanges",
        capability: SUBMISSION,
        run: |call| Box::pin(submission::query_changes(call)),
    },
    Method { name: "EmailSubmission/set", capability: SUBMISSION, run: |call| Box::pin(submission::set(call)) },
    Method { name: "VacationResponse/get", capability: VACATION, run: |call| Box::pin(vacation::get(call)) },
    Method { name: "VacationResponse/set", capability: VACATION, run: |call| Box::pin(vacation::set(call)) },
    Method { name: "MDN/send", capability: MDN, run: |call| Box::pin(mdn::send(call)) },
    Method { name: "MDN/parse", capability: MDN, run: |call| Box::pin(mdn::parse(call)) },
    Method { name: "SieveScript/get", capability: SIEVE, run: |call| Box::pin(sieve::get(call)) },
    Method { name: "SieveScript/set", capability: SIEVE, run: |call| Box::pin(sieve::set(call)) },
    Method { name: "SieveScript/query", capability: SIEVE, run: |call| Box::pin(sieve::query(call)) },
    Method { name: "SieveScript/validate", capability: SIEVE, run: |call| Box::pin(sieve::validate(call)) },
    Method { name: "Quota/get", capability: QUOTA, run: |call| Box::pin(quota::get(call)) },
    Method { name: "Quota/changes", capability: QUOTA, run: |call| Box::pin(quota::changes(call)) },
    Method { name: "Quota/query", capability: QUOTA, run: |call| Box::pin(quota::query(call)) },
    Method { name: "Quota/queryChanges", capability: QUOTA, run: |call| Box::pin(quota::query_changes(call)) },
    Method { name: "Principal/get", capability: PRINCIPALS, run: |call| Box::pin(principal::get(call)) },
    Method { name: "Principal/changes", capability: PRINCIPALS, run: |call| Box::pin(principal::changes(call)) },
    Method { name: "Principal/set", capability: PRINCIPALS, run: |call| Box::pin(principal::set(call)) },
    Method { name: "Principal/query", capability: PRINCIPALS, run: |call| Box::pin(principal::query(call)) },
    Method {
        name: "Principal/queryChanges",
        capability: PRINCIPALS,
        run: |call| Box::pin(principal::query_changes(call)),
    },
    Method { name: "ShareNotification/get", capability: PRINCIPALS, run: |call| Box::pin(share::get(call)) },
    Method { name: "ShareNotification/changes", capability: PRINCIPALS, run: |call| Box::pin(share::changes(call)) },
    Method { name: "ShareNotification/set", capability: PRINCIPALS, run: |call| Box::pin(share::set(call)) },
    Method { name: "ShareNotification/query", capability: PRINCIPALS, run: |call| Box::pin(share::query(call)) },
    Method {
        name: "ShareNotification/queryChanges",
        capability: PRINCIPALS,
        run: |call| Box::pin(share::query_changes(call)),
    },
    Method { name: "AddressBook/get", capability: CONTACTS, run: |call| Box::pin(contact::book_get(call)) },
    Method { name: "AddressBook/changes", capability: CONTACTS, run: |call| Box::pin(BOOK.changes(call)) },
    Method { name: "AddressBook/set", capability: CONTACTS, run: |call| Box::pin(contact::book_set(call)) },
    Method { name: "ContactCard/get", capability: CONTACTS, run: |call| Box::pin(CARD.get(call)) },
    Method { name: "ContactCard/changes", capability: CONTACTS, run: |call| Box::pin(CARD.changes(call)) },
    Method { name: "ContactCard/query", capability: CONTACTS, run: |call| Box::pin(contact::query(call)) },
    Method {
        name: "ContactCard/queryChanges",
        capability: CONTACTS,
        run: |call| Box::pin(contact::query_changes(call)),
    },
    Method { name: "ContactCard/set", capability: CONTACTS, run: |call| Box::pin(contact::set(call)) },
    Method { name: "ContactCard/copy", capability: CONTACTS, run: |call| Box::pin(contact::copy(call)) },
    Method { name: "ContactCard/import", capability: ANSER, run: |call| Box::pin(contact::import(call)) },
    Method { name: "ContactCard/export", capability: ANSER, run: |call| Box::pin(contact::export(call)) },
    Method { name: "EmailView/get", capability: ANSER, run: |call| Box::pin(vendor::view_get(call)) },
    Method { name: "Bulk/get", capability: ANSER, run: |call| Box::pin(vendor::bulk_get(call)) },
    Method { name: "Bulk/set", capability: ANSER, run: |call| Box::pin(vendor::bulk_set(call)) },
    Method { name: "MailMove/get", capability: ANSER, run: |call| Box::pin(vendor::move_get(call)) },
    Method { name: "MailMove/set", capability: ANSER, run: |call| Box::pin(vendor::move_set(call)) },
    Method { name: "MailMove/undo", capability: ANSER, run: |call| Box::pin(vendor::move_undo(call)) },
    Method { name: "MailMove/folders", capability: ANSER, run: |call| Box::pin(vendor::move_folders(call)) },
    Method { name: "MailMove/failed", capability: ANSER, run: |call| Box::pin(vendor::move_failed(call)) },
    Method { name: "MailMove/signIn", capability: ANSER, run: |call| Box::pin(vendor::move_sign_in(call)) },
    Method { name: "MailMove/discover", capability: ANSER, run: |call| Box::pin(vendor::move_discover(call)) },
    Method { name: "Document/get", capability: ANSER, run: |call| Box::pin(DOCUMENT.get(call)) },
    Method { name: "Document/changes", capability: ANSER, run: |call| Box::pin(DOCUMENT.changes(call)) },
    Method { name: "Document/set", capability: ANSER, run: |call| Box::pin(DOCUMENT.set(call)) },
    Method { name: "Note/get", capability: ANSER, run: |call| Box::pin(NOTE.get(call)) },
    Method { name: "Note/changes", capability: ANSER, run: |call| Box::pin(NOTE.changes(call)) },
    Method { name: "Note/query", capability: ANSER, run: |call| Box::pin(vendor::note_query(call)) },
    Method { name: "Recall/get", capability: ANSER, run: |call| Box::pin(recall::get(call)) },
    Method { name: "Recall/changes", capability: ANSER, run: |call| Box::pin(recall::changes(call)) },
    Method { name: "Recall/set", capability: ANSER, run: |call| Box::pin(recall::set(call)) },
    Method { name: "Rules/get", capability: ANSER, run: |call| Box::pin(vendor::rules_get(call)) },
    Method { name: "Rules/set", capability: ANSER, run: |call| Box::pin(vendor::rules_set(call)) },
    Method { name: "Note/set", capability: ANSER, run: |call| Box::pin(NOTE.set(call)) },
];

/// What a method is given.
pub(crate) struct Call {
    pub door: Arc<Door>,
    pub user: Arc<User>,
    /// From where it comes.
    pub client: IpAddr,
    pub args: Args,
    /// Ids of what this request created, by creation id (RFC 8620 §3.3).
    pub created: BTreeMap<String, String>,
    /// Responses after the method's own (RFC 8621 §7.5).
    pub more: Vec<(&'static str, Value)>,
    /// Bytes that the whole answer may still take, about.
    pub left: usize,
}

impl Call {
    /// The same user's, without arguments: for work that goes on when nobody waits for its answer any more.
    pub fn apart(&self) -> Self {
        Self::of(self.door.clone(), self.user.clone(), self.client)
    }

    /// A user's, without arguments.
    pub fn of(door: Arc<Door>, user: Arc<User>, client: IpAddr) -> Self {
        Self { door, user, client, args: Args(Map::new()), created: BTreeMap::new(), more: Vec::new(), left: 0 }
    }

    /// The account that `accountId` names.
    pub fn access(&mut self) -> Result<Access, MethodError> {
        let id = self.args.string("accountId")?.ok_or_else(|| MethodError::invalid("accountId is missing"))?;
        Access::to(&self.user, &id)
    }

    /// The account that `fromAccountId` names (RFC 8620 §5.4).
    pub fn source(&mut self) -> Result<Access, MethodError> {
        let id = self.args.string("fromAccountId")?;
        let id = id.ok_or_else(|| MethodError::invalid("fromAccountId is missing"))?;
        Access::to(&self.user, &id).map_err(|_| MethodError::new("fromAccountNotFound", ""))
    }

    /// [`Self::access`], which may be asked for again.
    pub fn peek(&self) -> Result<Access, MethodError> {
        let id = self.args.0.get("accountId").and_then(Value::as_str);
        Access::to(&self.user, id.ok_or_else(|| MethodError::invalid("accountId is missing"))?)
    }

    /// Takes what this will add to the answer from what it may still take; `requestTooLarge` when that is less.
    pub fn spend(&mut self, shown: &Value) -> Result<(), MethodError> {
        let left = self.left.checked_sub(weight(shown));
        self.left = left.ok_or_else(|| MethodError::new("requestTooLarge", "the answer is too long"))?;
        Ok(())
    }

    /// Notes in the journal what the user did that leaves no other trace there.
    pub async fn note(&self, act: &str, object: &str) {
        let actor = self.user.account.address.to_string();
        let what =
            What::Administered { actor, act: act.to_owned(), object: object.to_owned(), before: None, after: None };
        auth::note(&self.door, self.client, what).await;
    }

    /// The id that `#creation` stands for; any other id as it is. `None` for one that nothing was created by.
    pub fn resolve(&self, id: &str) -> Option<String> {
        match id.strip_prefix('#') {
            Some(creation) => self.created.get(creation).cloned(),
            None => Some(id.to_owned()),
        }
    }
}

/// The arguments of a call: each is taken out, and what is left at the end is not known.
pub(crate) struct Args(pub Map<String, Value>);

impl Args {
    /// An argument; `null` is none.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    pub fn string(&mut self, name: &str) -> Result<Option<String>, MethodError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(wrong(name)),
        }
    }

    pub fn bool(&mut self, name: &str) -> Result<bool, MethodError> {
        match self.take(name) {
            None => Ok(false),
            Some(Value::Bool(value)) => Ok(value),
            Some(_) => Err(wrong(name)),
        }
    }

    /// An `UnsignedInt` (RFC 8620 §1.3).
    pub fn uint(&mut self, name: &str) -> Result<Option<u64>, MethodError> {
        match self.take(name) {
            None => Ok(None),
            Some(value) => value.as_u64().filter(|value| *value < 1 << 53).map(Some).ok_or_else(|| wrong(name)),
        }
    }

    /// An `Int` (RFC 8620 §1.3).
    pub fn int(&mut self, name: &str) -> Result<Option<i64>, MethodError> {
        match self.take(name) {
            None => Ok(None),
            Some(value) => {
                value.as_i64().filter(|value| value.unsigned_abs() < 1 << 53).map(Some).ok_or_else(|| wrong(name))
            }
        }
    }

    pub fn strings(&mut self, name: &str) -> Result<Option<Vec<String>>, MethodError> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let Value::Array(all) = value else { return Err(wrong(name)) };
        let text = |value| if let Value::String(text) = value { Ok(text) } else { Err(wrong(name)) };
        all.into_iter().map(text).collect::<Result<_, _>>().map(Some)
    }

    pub fn map(&mut self, name: &str) -> Result<Map<String, Value>, MethodError> {
        match self.take(name) {
            None => Ok(Map::new()),
            Some(Value::Object(map)) => Ok(map),
            Some(_) => Err(wrong(name)),
        }
    }

    /// Refuses arguments that nobody asked for.
    pub fn done(&self) -> Result<(), MethodError> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(name) => Err(MethodError::invalid(format!("{name} is no argument of this method"))),
        }
    }
}

fn wrong(name: &str) -> MethodError {
    MethodError::invalid(format!("{name} is of another type"))
}

/// RFC 8620 §4.
async fn echo(call: &mut Call) -> Outcome {
    Ok(Value::Object(std::mem::take(&mut call.args.0)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_method_has_one_row_and_a_capability_that_is_told() {
        let names: BTreeSet<&str> = METHODS.iter().map(|method| method.name).collect();
        assert_eq!(names.len(), METHODS.len());
        assert!(METHODS.iter().all(|method| crate::session::CAPABILITIES.contains(&method.capability)));
    }
}
