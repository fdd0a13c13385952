//! What can happen, as it is written down.

use std::net::IpAddr;

use anser_base::{AccountId, EntryId, Error, MailboxId, MessageId, Result, Timestamp};
use serde::{Deserialize, Serialize};

/// Version of the JSON form. A field may be added without a new version; a reader ignores fields that it does not know.
pub const VERSION: u8 = 1;
/// Longest text in an event that a peer gave, in bytes; longer ones are cut.
pub const TEXT: usize = 1000;

/// Through which door and from where.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// `smtp`, `submission`, `lmtp`, `imap`, `pop3`, `http`, `cli`; `None` for what the house does by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// The peer's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<IpAddr>,
}

impl Origin {
    /// For what the house does by itself.
    pub fn internal() -> Self {
        Self::default()
    }

    /// A peer at a door.
    pub fn peer(protocol: impl Into<String>, client: IpAddr) -> Self {
        Self { protocol: Some(protocol.into()), client: Some(client) }
    }
}

/// What somebody showed to come in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct By {
    /// `password`, `app-password`, `token`, `passkey`, `code`, `grant`, `portal`, `provider`; events of older programs do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The number of the app password or token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<u64>,
    /// The device, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

impl By {
    /// One of its kind, and where there are several, which.
    pub fn of(by: &str, key: Option<u64>) -> Self {
        Self { by: Some(by.to_owned()), key, device: None }
    }

    /// The same from a device.
    pub fn from_device(self, device: &str) -> Self {
        Self { device: Some(device.to_owned()), ..self }
    }
}

/// What somebody hands to the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Door and peer.
    pub origin: Origin,
    /// What happened.
    pub what: What,
}

/// An event as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When, by the node's clock.
    pub at: Timestamp,
    /// On which node.
    pub node: u32,
    /// Its number in the node's chain, from 1.
    pub seq: u64,
    /// Door and peer.
    pub origin: Origin,
    /// What happened.
    pub what: What,
}

/// What happened. Addresses are without angle brackets; the empty sender is the null sender. Message ids are without angle brackets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum What {
    /// A message was taken into the queue.
    Accepted {
        /// Its entry.
        entry: EntryId,
        /// Its Message-ID.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message_id: Option<String>,
        /// Its sender.
        sender: String,
        /// Its recipients.
        recipients: Vec<String>,
        /// Its size in bytes.
        size: u64,
        /// The account that submitted it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        account: Option<AccountId>,
        /// The entry that it follows from: a report on it, a redirected copy.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parent: Option<EntryId>,
    },
    /// It was found out who sent a message.
    Judged {
        /// Its entry.
        entry: EntryId,
        /// The results as `Authentication-Results` has them (RFC 8601 §2.2), on one line.
        results: String,
    },
    /// A message or a recipient was refused.
    Refused {
        /// At which stage: `connect`, `mail`, `rcpt`, `data`.
        stage: String,
        /// The sender, as far as it was told.
        sender: String,
        /// The recipients in question.
        recipients: Vec<String>,
        /// Its Message-ID.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message_id: Option<String>,
        /// The reply.
        why: String,
    },
    /// A message was put into a mailbox.
    Delivered {
        /// Its entry.
        entry: EntryId,
        /// For whom.
        recipient: String,
        /// Whose mailbox.
        account: AccountId,
        /// Which mailbox.
        mailbox: MailboxId,
        /// As which message.
        message: MessageId,
    },
    /// A rule did something with a message.
    Filtered {
        /// Its entry; none for a message that was stored before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        entry: Option<EntryId>,
        /// For whom, or whose.
        recipient: String,
        /// What it did: `fileinto "Ads"`, `discard`.
        act: String,
        /// The script, as its owner calls it; `house:` or `domain:` before it for those.
        script: String,
        /// Its line, from 1; 0 for the end of the script.
        line: u32,
        /// The rule of the form that the line belongs to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rule: Option<String>,
    },
    /// Another server took a message.
    Relayed {
        /// Its entry.
        entry: EntryId,
        /// For whom.
        recipient: String,
        /// The server.
        host: String,
        /// Its reply.
        reply: String,
    },
    /// A delivery did not succeed and is tried again.
    Deferred {
        /// Its entry.
        entry: EntryId,
        /// For whom.
        recipient: String,
        /// The server, if one was reached.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        host: Option<String>,
        /// Why.
        why: String,
        /// When it is tried again, in milliseconds since 1970.
        next: i64,
    },
    /// A delivery was given up.
    Failed {
        /// Its entry.
        entry: EntryId,
        /// For whom.
        recipient: String,
        /// The server, if one was reached.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        host: Option<String>,
        /// Why.
        why: String,
        /// The entry of the report to the sender, if one is due.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        report: Option<EntryId>,
    },
    /// Somebody logged in.
    Login {
        /// The account.
        account: AccountId,
        /// The name that was given.
        user: String,
        /// The SASL mechanism or command.
        mechanism: String,
        /// What was shown.
        #[serde(flatten)]
        by: By,
    },
    /// Somebody could not log in.
    LoginFailed {
        /// The name that was given.
        user: String,
        /// Why, as the house knows it.
        why: String,
        /// The same as one word: `wrong`, `locked`, …
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// An administrator did something. Never holds secrets.
    Administered {
        /// Who.
        actor: String,
        /// What was done: `account.create`, `queue.remove`.
        act: String,
        /// To what.
        object: String,
        /// How it was before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<String>,
        /// How it is now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// Somebody opened a mailbox that belongs to another, or an administrator did.
    Accessed {
        /// Who.
        actor: String,
        /// Whose mailbox.
        account: AccountId,
        /// Which one, by name.
        mailbox: String,
        /// How: `select`, `fetch`, `export`.
        act: String,
    },
    /// Messages were expunged.
    Deleted {
        /// Who.
        actor: String,
        /// Whose mailbox.
        account: AccountId,
        /// Which one, by name.
        mailbox: String,
        /// The UIDs, as a sequence set (RFC 9051 §4.1.1).
        uids: String,
        /// Their Message-IDs.
        message_ids: Vec<String>,
    },
    /// The server started.
    Started {
        /// Its version.
        version: String,
    },
    /// The server stopped in good order.
    Stopped {
        /// Why.
        reason: String,
    },
}

#[derive(Serialize)]
struct Written<'a> {
    v: u8,
    at: i64,
    #[serde(flatten)]
    origin: &'a Origin,
    #[serde(flatten)]
    what: &'a What,
}

#[derive(Deserialize)]
struct Read {
    v: u8,
    at: i64,
    #[serde(flatten)]
    origin: Origin,
    #[serde(flatten)]
    what: What,
}

/// The bytes that are stored and hashed.
pub fn to_bytes(at: Timestamp, entry: &Entry) -> Result<Vec<u8>> {
    let written = Written { v: VERSION, at: at.0, origin: &entry.origin, what: &entry.what };
    serde_json::to_vec(&written).map_err(Error::unavailable)
}

/// The event of stored bytes. `Class::Damaged` when they are none, or of a newer version.
pub fn from_bytes(node: u32, seq: u64, bytes: &[u8]) -> Result<Event> {
    let read: Read = serde_json::from_slice(bytes).map_err(Error::damaged)?;
    if read.v > VERSION {
        return Err(Error::damaged(format!("journal event of version {}", read.v)));
    }
    Ok(Event { at: Timestamp(read.at), node, seq, origin: read.origin, what: read.what })
}

/// The kinds of events, as they are written.
pub const KINDS: [&str; 13] = [
    "accepted",
    "refused",
    "delivered",
    "relayed",
    "deferred",
    "failed",
    "login",
    "login-failed",
    "administered",
    "accessed",
    "deleted",
    "other",
    "filtered",
];

impl What {
    /// Its place in [`KINDS`].
    pub(crate) fn kind(&self) -> usize {
        match self {
            Self::Accepted { .. } => 0,
            Self::Refused { .. } => 1,
            Self::Delivered { .. } => 2,
            Self::Relayed { .. } => 3,
            Self::Deferred { .. } => 4,
            Self::Failed { .. } => 5,
            Self::Login { .. } => 6,
            Self::LoginFailed { .. } => 7,
            Self::Administered { .. } => 8,
            Self::Accessed { .. } => 9,
            Self::Deleted { .. } => 10,
            Self::Judged { .. } | Self::Started { .. } | Self::Stopped { .. } => 11,
            Self::Filtered { .. } => 12,
        }
    }

    /// Cuts what a peer said to [`TEXT`] bytes.
    pub(crate) fn shorten(&mut self) {
        match self {
            Self::Accepted { message_id, .. } => message_id.iter_mut().for_each(cut),
            Self::Refused { sender, recipients, message_id, why, .. } => {
                recipients.truncate(anser_base::limits::RECIPIENTS);
                recipients.iter_mut().chain(message_id).chain([sender, why]).for_each(cut);
            }
            Self::Relayed { reply: text, .. } | Self::Deferred { why: text, .. } | Self::Failed { why: text, .. } => {
                cut(text)
            }
            Self::Filtered { act, script, rule, .. } => [act, script].into_iter().chain(rule).for_each(cut),
            Self::Judged { results, .. } => results.truncate(results.floor_char_boundary(RESULTS)),
            Self::Login { user, by, .. } => [user].into_iter().chain(&mut by.device).for_each(cut),
            Self::LoginFailed { user, why, .. } => [user, why].into_iter().for_each(cut),
            Self::Deleted { uids, message_ids, .. } => {
                message_ids.truncate(IDS);
                message_ids.iter_mut().chain([uids]).for_each(cut);
            }
            _ => {}
        }
    }
}

/// Longest results of checking who sent a message, in bytes: ten signatures fit.
pub const RESULTS: usize = 4000;

/// Message-IDs that one deletion names at most; the UIDs name the others.
pub const IDS: usize = 1000;

fn cut(text: &mut String) {
    text.truncate(text.floor_char_boundary(TEXT));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_back_as_written_and_stay_readable() {
        let what = What::Accepted {
            entry: EntryId(7),
            message_id: Some("a@b".into()),
            sender: String::new(),
            recipients: vec!["陈@例子.中国".into()],
            size: 20,
            account: None,
            parent: Some(EntryId(6)),
        };
        let entry = Entry { origin: Origin::peer("smtp", "192.0.2.1".parse().unwrap()), what };
        let bytes = to_bytes(Timestamp(5), &entry).unwrap();
        assert_eq!(
            String::from_utf8(bytes.clone()).unwrap(),
            r#"{"v":1,"at":5,"protocol":"smtp","client":"192.0.2.1","what":"accepted","entry":7,"message_id":"a@b","sender":"","recipients":["陈@例子.中国"],"size":20,"parent":6}"#
        );
        let back = from_bytes(1, 9, &bytes).unwrap();
        assert_eq!((back.at, back.node, back.seq), (Timestamp(5), 1, 9));
        assert_eq!((back.origin, back.what), (entry.origin, entry.what));
    }

    #[test]
    fn a_login_says_what_was_shown_and_older_ones_are_read_too() {
        let login = |by| What::Login { account: AccountId(7), user: "ann".into(), mechanism: "PLAIN".into(), by };
        let what = login(By::of("app-password", Some(1 << 60)).from_device("curl"));
        let entry = Entry { origin: Origin::internal(), what };
        let bytes = to_bytes(Timestamp(5), &entry).unwrap();
        assert_eq!(from_bytes(0, 1, &bytes).unwrap().what, entry.what);
        let older = br#"{"v":1,"at":5,"what":"login","account":7,"user":"ann","mechanism":"PLAIN"}"#;
        assert_eq!(from_bytes(0, 1, older).unwrap().what, login(By::default()));
    }

    #[test]
    fn events_of_a_newer_program_are_not_misread() {
        let newer = br#"{"v":2,"at":5,"what":"started","version":"9"}"#;
        assert!(from_bytes(0, 1, newer).is_err());
        let longer = br#"{"v":1,"at":5,"what":"started","version":"9","colour":"red"}"#;
        assert!(from_bytes(0, 1, longer).is_ok());
    }
}
