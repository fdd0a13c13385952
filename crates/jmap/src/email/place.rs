//! Where messages go that are created, imported or copied (RFC 8621 §4.6 to §4.8).

use std::collections::{BTreeMap, BTreeSet};

use anser_base::{Class, MailboxId, Result, Timestamp};
use anser_store::{Flags, KEYWORDS, Keywords, MailTx, NewMessage, Rights};
use serde_json::{Map, Value};

use super::find::moment;
use super::load::flags_of;
use crate::access::{Access, Allowed};
use crate::blob::message_blob;
use crate::error::SetError;
use crate::ids;
use crate::law::patch::Patch;
use crate::law::set::Refused;
use crate::method::Call;

/// Where a message goes, when it came and how it is marked: what creating, importing and copying one have in common.
pub(crate) struct Place {
    pub mailboxes: Vec<MailboxId>,
    pub marks: Option<(Flags, Keywords)>,
    pub received: Option<Timestamp>,
}

impl Place {
    /// Takes these properties out of an object.
    pub fn read(call: &Call, access: &Access, object: &mut Map<String, Value>) -> Refused<Self> {
        let named = whole_set("mailboxIds", object.remove("mailboxIds").as_ref())?;
        let mailboxes = mailboxes(access.scope(), &call.created, named)?;
        let marks = match object.remove("keywords") {
            None | Some(Value::Null) => None,
            Some(keywords) => Some(marks(&whole_set("keywords", Some(&keywords))?)?),
        };
        let received = match object.remove("receivedAt") {
            None | Some(Value::Null) => None,
            Some(value) => {
                let at = value.as_str().and_then(moment);
                Some(Timestamp::from_secs(at.ok_or_else(|| SetError::property("receivedAt", "this is no UTCDate"))?))
            }
        };
        Ok(Self { mailboxes: mailboxes.into_iter().collect(), marks, received })
    }

    /// The message, placed.
    pub fn message(self, access: &Access, mut message: NewMessage) -> NewMessage {
        message.mailboxes = self.mailboxes;
        if let Some((flags, keywords)) = self.marks {
            (message.flags, message.keywords) = (flags, keywords);
        }
        message.received = self.received.unwrap_or(message.received);
        message.quota = Some(access.owner.quota_bytes).filter(|quota| *quota > 0);
        message
    }
}

/// A message that is about to be stored: where, and with which marks.
#[derive(Clone)]
pub(crate) struct Draft {
    pub message: NewMessage,
}

impl Draft {
    /// Stores it, if the user may put messages where it goes; what the server set of it (RFC 8621 §4.6, §4.8).
    pub fn put(
        &self,
        tx: &mut MailTx<'_, '_>,
        access: &Access,
        allowed: &Allowed,
    ) -> Result<Refused<Map<String, Value>>> {
        for mailbox in &self.message.mailboxes {
            if !is_there(tx, allowed, *mailbox)? {
                return Ok(Err(SetError::property("mailboxIds", "there is no such mailbox")));
            }
            if !allowed.on(*mailbox).has(Rights::INSERT) {
                return Ok(Err(SetError::forbidden("")));
            }
        }
        let appended = match tx.append(&self.message) {
            Ok(Some(appended)) => appended,
            Ok(None) => return Ok(Err(SetError::not_found())),
            Err(error) => return SetError::of(error).map(Err),
        };
        let (scope, thread) = (access.scope(), tx.message(appended.message)?.map(|message| message.thread));
        let mut object = Map::new();
        object.insert("id".into(), ids::email_id(scope, appended.message).into());
        object.insert("blobId".into(), message_blob(appended.message).into());
        object.insert("threadId".into(), thread.map(|thread| ids::thread_id(scope, thread)).into());
        object.insert("size".into(), (self.message.content.size + self.message.prefix.len() as u64).into());
        Ok(Ok(object))
    }
}

/// Whether there is such a mailbox, for this user.
pub(super) fn is_there(tx: &mut MailTx<'_, '_>, allowed: &Allowed, mailbox: MailboxId) -> Result<bool> {
    match tx.mailbox(mailbox) {
        Ok(_) => Ok(allowed.sees(mailbox)),
        Err(error) if error.class == Class::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// The members of a set (RFC 8620 §1, `String[Boolean]`) after a patch.
pub(super) fn members(property: &str, patch: Patch, now: impl Iterator<Item = String>) -> Refused<BTreeSet<String>> {
    let wrong = || SetError::properties(&[property], "a set has members that are true");
    match patch {
        Patch::Whole(Value::Object(all)) => {
            all.into_iter().map(|(name, value)| if value == true { Ok(name) } else { Err(wrong()) }).collect()
        }
        Patch::Whole(_) => Err(wrong()),
        Patch::Members(changes) => {
            let mut all: BTreeSet<String> = now.collect();
            for (name, value) in changes {
                // Keywords are told in lower case (RFC 8621 §4.1.1).
                let name = if property == "keywords" { name.to_ascii_lowercase() } else { name };
                match value {
                    Value::Null => drop(all.remove(&name)),
                    Value::Bool(true) => drop(all.insert(name)),
                    _ => return Err(wrong()),
                }
            }
            Ok(all)
        }
    }
}

/// The mailboxes of a set of ids, of which there is at least one.
pub(super) fn mailboxes(
    scope: ids::Scope,
    created: &BTreeMap<String, String>,
    all: BTreeSet<String>,
) -> Refused<BTreeSet<MailboxId>> {
    let wrong = |text: &str| SetError::properties(&["mailboxIds"], text);
    if all.is_empty() {
        return Err(wrong("a message is in one mailbox at least"));
    }
    let one = |id: String| {
        let id = match id.strip_prefix('#') {
            Some(creation) => created.get(creation).cloned(),
            None => Some(id),
        };
        id.and_then(|id| ids::parse_mailbox(scope, &id)).ok_or_else(|| wrong("there is no such mailbox"))
    };
    all.into_iter().map(one).collect()
}

/// What a set of keywords marks a message as; `tooManyKeywords` beyond what the store holds (RFC 8621 §4.6).
pub(super) fn marks(names: &BTreeSet<String>) -> Refused<(Flags, Keywords)> {
    if names.len() > KEYWORDS {
        return Err(SetError::new("tooManyKeywords", ""));
    }
    let marks = flags_of(names.iter().map(String::as_str));
    marks.ok_or_else(|| SetError::property("keywords", "one of them is no keyword"))
}

/// The set that a whole property is.
pub(super) fn whole_set(property: &str, value: Option<&Value>) -> Refused<BTreeSet<String>> {
    members(property, Patch::Whole(value.cloned().unwrap_or_else(|| Value::Object(Map::new()))), std::iter::empty())
}
