//! The typed list of changes that a transaction yields. Published after the commit, in commit order, to everyone who watches the
//! account; the same list moves the cached snapshots forward.

use anser_base::{AccountId, MailboxId, MessageId, ThreadId};

use crate::model::Entry;
use crate::record::RecordKind;

/// Everything that one transaction changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// Whose.
    pub account: Option<AccountId>,
    /// The account's modification sequence after it.
    pub modseq: u64,
    /// In the order in which they were made.
    pub list: Vec<Change>,
}

/// One change.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A mailbox came to be.
    MailboxCreated(MailboxId),
    /// Name, parent, role or subscription of a mailbox changed.
    MailboxUpdated(MailboxId),
    /// Who may do what with a mailbox changed (RFC 4314).
    AccessChanged(MailboxId),
    /// The account subscribes to a mailbox of another account, or no longer.
    SubscribedTo {
        /// Whose mailbox.
        owner: AccountId,
        /// Its number there.
        mailbox: MailboxId,
    },
    /// Annotations of a mailbox changed (RFC 5464).
    Annotated {
        /// Which; 0 is the account itself.
        mailbox: MailboxId,
        /// Whose private annotations; `None` for shared ones.
        owner: Option<AccountId>,
        /// Names of the entries, without `/private` or `/shared`.
        entries: Vec<String>,
    },
    /// Records of a kind came, changed or went.
    Recorded(RecordKind),
    /// UIDVALIDITY or the next UID of a mailbox is another one: after a move into it, or a power cut.
    Renumbered(MailboxId),
    /// A mailbox is gone, with all in it.
    MailboxRemoved(MailboxId),
    /// A message came into a mailbox.
    Added {
        /// Where.
        mailbox: MailboxId,
        /// The message there.
        entry: Entry,
        /// Whether it was brought from an old server: it is no new mail to anybody.
        is_moved: bool,
    },
    /// Flags or keywords of a message changed.
    Flagged {
        /// Where.
        mailbox: MailboxId,
        /// The message there, as it is now.
        entry: Entry,
    },
    /// A message left a mailbox.
    Expunged {
        /// From where.
        mailbox: MailboxId,
        /// Its UID there.
        uid: u32,
        /// The message, which may still be in other mailboxes.
        message: MessageId,
    },
}

impl Change {
    /// Whether a message came or went, so that what is searched is another.
    pub(crate) fn is_of_content(&self) -> bool {
        matches!(self, Self::Added { .. } | Self::Expunged { .. })
    }

    /// The mailbox of the account that it is about; number 0 when it is about none.
    pub fn mailbox(&self) -> MailboxId {
        match self {
            Self::MailboxCreated(id)
            | Self::MailboxUpdated(id)
            | Self::AccessChanged(id)
            | Self::Renumbered(id)
            | Self::MailboxRemoved(id) => *id,
            Self::SubscribedTo { .. } | Self::Recorded(_) => MailboxId(0),
            Self::Annotated { mailbox, .. }
            | Self::Added { mailbox, .. }
            | Self::Flagged { mailbox, .. }
            | Self::Expunged { mailbox, .. } => *mailbox,
        }
    }
}

/// What kind of object a line of the change log is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object {
    /// A mailbox's own properties.
    Mailbox(MailboxId),
    /// A mailbox's counters only.
    Counts(MailboxId),
    /// A message.
    Message(MessageId),
    /// A conversation.
    Thread(ThreadId),
    /// A record.
    Record(RecordKind, u64),
}

/// What happened to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// It came to be.
    Created,
    /// It changed.
    Updated,
    /// It is gone.
    Destroyed,
}

impl Object {
    pub(crate) fn to_sql(self) -> (i64, i64) {
        match self {
            Self::Mailbox(id) => (1, id.to_sql()),
            Self::Counts(id) => (2, id.to_sql()),
            Self::Message(id) => (3, id.to_sql()),
            Self::Thread(id) => (4, id.to_sql()),
            Self::Record(kind, id) => (kind.to_sql(), id as i64),
        }
    }

    pub(crate) fn from_sql(kind: i64, id: i64) -> Option<Self> {
        Some(match kind {
            1 => Self::Mailbox(MailboxId::from_sql(id)),
            2 => Self::Counts(MailboxId::from_sql(id)),
            3 => Self::Message(MessageId::from_sql(id)),
            4 => Self::Thread(ThreadId::from_sql(id)),
            _ => Self::Record(RecordKind::ALL.into_iter().find(|known| known.to_sql() == kind)?, id as u64),
        })
    }
}

impl Action {
    pub(crate) fn to_sql(self) -> i64 {
        self as i64
    }

    pub(crate) fn from_sql(value: i64) -> Self {
        match value {
            0 => Self::Created,
            1 => Self::Updated,
            _ => Self::Destroyed,
        }
    }
}
