//! What an account holds, as doors see it.

use std::fmt;
use std::sync::Arc;

use anser_base::{BlobId, EntryId, MailboxId, MessageId, ThreadId, Timestamp};
use bytes::Bytes;

/// System flags of a message in a mailbox (RFC 9051 §2.3.2), as a bit set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags(pub u32);

impl Flags {
    /// `\Seen`
    pub const SEEN: Flags = Flags(1);
    /// `\Answered`
    pub const ANSWERED: Flags = Flags(2);
    /// `\Flagged`
    pub const FLAGGED: Flags = Flags(4);
    /// `\Draft`
    pub const DRAFT: Flags = Flags(8);
    /// `\Deleted`; of the place in one mailbox only, while the others belong to the message.
    pub const DELETED: Flags = Flags(16);
    /// Every flag that a client may set.
    pub const ALL: Flags = Flags(31);

    /// Names on the wire, in the order in which they are listed.
    pub const NAMES: [(&'static str, Flags); 5] = [
        ("\\Answered", Self::ANSWERED),
        ("\\Flagged", Self::FLAGGED),
        ("\\Deleted", Self::DELETED),
        ("\\Seen", Self::SEEN),
        ("\\Draft", Self::DRAFT),
    ];

    /// The flag of this name, in any case; `None` for `\Recent` and everything unknown.
    pub fn named(name: &str) -> Option<Flags> {
        Self::NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, flag)| *flag)
    }

    /// Whether all of these are set.
    pub fn has(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets together.
    pub fn with(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }

    /// This set without the other.
    pub fn without(self, other: Flags) -> Flags {
        Flags(self.0 & !other.0)
    }
}

/// Keywords of a message: sorted, each once without regard to case, in the case in which it was first set.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Keywords(Option<Arc<str>>);

/// Keywords of one message at most.
pub const KEYWORDS: usize = 400;
/// Longest keyword, in bytes.
pub const KEYWORD: usize = 255;

impl Keywords {
    /// From keywords in any order. Those that no client could name (empty, too long, white space or control characters) and those
    /// over the limit are left out.
    pub fn new<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        let mut list: Vec<&str> = words.into_iter().filter(|word| is_keyword(word)).take(KEYWORDS).collect();
        list.sort_by_key(|word| word.to_ascii_lowercase());
        list.dedup_by(|a, b| a.eq_ignore_ascii_case(b));
        if list.is_empty() { Self(None) } else { Self(Some(list.join(" ").into())) }
    }

    /// The keywords, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.as_deref().unwrap_or("").split(' ').filter(|word| !word.is_empty())
    }

    /// Whether this keyword is among them, in any case.
    pub fn has(&self, keyword: &str) -> bool {
        self.iter().any(|word| word.eq_ignore_ascii_case(keyword))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Both together; a keyword of both keeps this one's case.
    pub fn with(&self, other: &Keywords) -> Keywords {
        Self::new(self.iter().chain(other.iter()))
    }

    /// The other ones in this one's stead; a keyword of both keeps this one's case.
    pub fn replaced_by(&self, other: &Keywords) -> Keywords {
        Self::new(self.iter().filter(|word| other.has(word)).chain(other.iter()))
    }

    /// These without the others.
    pub fn without(&self, other: &Keywords) -> Keywords {
        Self::new(self.iter().filter(|word| !other.has(word)))
    }

    /// The form that a column holds: joined by spaces.
    pub(crate) fn as_text(&self) -> &str {
        self.0.as_deref().unwrap_or("")
    }

    pub(crate) fn from_text(text: &str) -> Self {
        if text.is_empty() { Self(None) } else { Self(Some(text.into())) }
    }
}

impl fmt::Debug for Keywords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

fn is_keyword(word: &str) -> bool {
    (1..=KEYWORD).contains(&word.len()) && !word.chars().any(|c| c.is_whitespace() || c.is_control())
}

/// What a mailbox is for (RFC 6154, RFC 8621 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Where mail arrives. Every account has exactly one.
    Inbox,
    /// `\Drafts`
    Drafts,
    /// `\Sent`
    Sent,
    /// `\Trash`
    Trash,
    /// `\Junk`
    Junk,
    /// `\Archive`
    Archive,
}

impl Role {
    /// Every role, in the order in which clients list them.
    pub const ALL: [Role; 6] = [Self::Inbox, Self::Drafts, Self::Sent, Self::Archive, Self::Junk, Self::Trash];

    /// The word of RFC 8621, also the form that a column holds.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::Drafts => "drafts",
            Self::Sent => "sent",
            Self::Trash => "trash",
            Self::Junk => "junk",
            Self::Archive => "archive",
        }
    }

    /// The inverse of [`Self::as_str`].
    pub fn from_word(word: &str) -> Option<Role> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }

    /// The attribute of RFC 6154, with its backslash; the inbox has none.
    pub fn attribute(self) -> Option<&'static str> {
        match self {
            Self::Inbox => None,
            Self::Drafts => Some("\\Drafts"),
            Self::Sent => Some("\\Sent"),
            Self::Trash => Some("\\Trash"),
            Self::Junk => Some("\\Junk"),
            Self::Archive => Some("\\Archive"),
        }
    }
}

/// A mailbox and its counters, as they stand in a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// Its number, never used twice.
    pub id: MailboxId,
    /// The mailbox above it; `None` at the top.
    pub parent: Option<MailboxId>,
    /// Its own name, one level; any text but an empty one, `/` and control characters.
    pub name: String,
    /// What it is for; a role belongs to one mailbox at most.
    pub role: Option<Role>,
    /// Whether the user subscribed to it.
    pub subscribed: bool,
    /// RFC 9051 §2.3.1.1; changes never, but by a move's import into an empty mailbox.
    pub uidvalidity: u32,
    /// The next UID, above every UID ever given.
    pub uidnext: u32,
    /// Highest modification sequence of its messages (RFC 7162), expunges included.
    pub modseq: u64,
    /// Messages in it.
    pub total: u64,
    /// Messages without `\Seen`.
    pub unseen: u64,
    /// Messages with `\Deleted`.
    pub deleted: u64,
    /// Sum of its messages' sizes, in bytes.
    pub size: u64,
    /// UIDs from here on were not yet announced as `\Recent` to any session.
    pub recent_from: u32,
    /// UIDs that messages of a move still take, the end excluded; `(0, 0)` for none.
    pub reserved: (u32, u32),
}

impl Mailbox {
    /// Whether a move brings messages in another order than that of their UIDs: doors where UIDs count refuse the mailbox until it is over.
    pub fn is_filling(&self) -> bool {
        self.reserved.1 > 0
    }
}

/// One message in one mailbox: what FETCH FLAGS, SEARCH and the list need, without its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// RFC 9051 §2.3.1.1.
    pub uid: u32,
    /// System flags.
    pub flags: Flags,
    /// Size in bytes, trace prefix included.
    pub size: u64,
    /// The message.
    pub message: MessageId,
    /// Last change (RFC 7162).
    pub modseq: u64,
    /// INTERNALDATE.
    pub received: Timestamp,
    /// The zone in which INTERNALDATE is shown, in minutes east of UTC.
    pub zone: i16,
    /// When it came into this mailbox (RFC 8514).
    pub saved: Timestamp,
    /// Keywords.
    pub keywords: Keywords,
}

/// A message with what was parsed out of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Its number.
    pub id: MessageId,
    /// Its conversation.
    pub thread: ThreadId,
    /// Its body, shared by everybody who got it.
    pub blob: BlobId,
    /// Size of that body in bytes.
    pub blob_size: u64,
    /// Header fields before the body that are this account's own (Return-Path, Received …).
    pub prefix: Bytes,
    /// INTERNALDATE.
    pub received: Timestamp,
    /// Its zone, in minutes east of UTC.
    pub zone: i16,
    /// The unique id that POP3 gives, when it was imported with one.
    pub uidl: Option<String>,
    /// Where it is, sorted by mailbox.
    pub places: Vec<(MailboxId, u32)>,
    /// `anser_mime::Summary` of the body, in its own byte form.
    pub summary: Vec<u8>,
    /// `anser_mime::Structure` of the body, in its own byte form; offsets count from the body, without the prefix.
    pub structure: Vec<u8>,
    /// How the lines of its file ended: see [`NewMessage::line_ends`].
    pub line_ends: Option<Vec<u8>>,
}

/// A body that `blob` holds already (put with at least the durability of the transaction), and what was parsed out of it.
/// Cheap to clone: one parse serves every recipient.
#[derive(Clone, Debug)]
pub struct Content {
    /// Its address.
    pub blob: BlobId,
    /// Its size in bytes.
    pub size: u64,
    /// Byte form of its `anser_mime::Summary`.
    pub summary: Bytes,
    /// Byte form of its `anser_mime::Structure`.
    pub structure: Bytes,
    /// The header fields that are kept beside the row; `None` when they are too long.
    pub fields: Option<Bytes>,
    /// What threads are found by.
    pub thread_keys: Arc<ThreadKeys>,
}

/// Hashes of what joins messages into a conversation (RFC 8621 §3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ThreadKeys {
    /// Of the base subject.
    pub subject: i64,
    /// Of Message-ID, In-Reply-To and References, own id first.
    pub ids: Vec<i64>,
}

/// A message to be stored.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// Body and summary.
    pub content: Content,
    /// Header fields that are this account's own.
    pub prefix: Bytes,
    /// Where it goes, each mailbox once, at least one.
    pub mailboxes: Vec<MailboxId>,
    /// System flags.
    pub flags: Flags,
    /// Keywords.
    pub keywords: Keywords,
    /// INTERNALDATE.
    pub received: Timestamp,
    /// Its zone, in minutes east of UTC.
    pub zone: i16,
    /// The queue's entry when this is a local delivery: the same entry is stored once, whatever crashes.
    pub delivery: Option<EntryId>,
    /// For a move: the UID that it had, honoured when it is at least the mailbox's next UID.
    pub uid: Option<u32>,
    /// For a move: the unique id that POP3 gave.
    pub uidl: Option<String>,
    /// Bytes that the account may hold; `None` for no limit.
    pub quota: Option<u64>,
    /// How the lines of the file ended that it came from, where they were given CRLF, in the form of whoever stores it; `None` where the
    /// body is as it came. It stays with the message and its copies.
    pub line_ends: Option<Vec<u8>>,
}

impl NewMessage {
    /// A plain new message for one mailbox; the other fields may be set afterwards.
    pub fn new(content: Content, mailbox: MailboxId, received: Timestamp) -> Self {
        Self {
            content,
            prefix: Bytes::new(),
            mailboxes: vec![mailbox],
            flags: Flags::default(),
            keywords: Keywords::default(),
            received,
            zone: 0,
            delivery: None,
            uid: None,
            uidl: None,
            quota: None,
            line_ends: None,
        }
    }
}

/// Where a message was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The message.
    pub message: MessageId,
    /// Mailbox, its UIDVALIDITY, and the UID there, in the order asked for.
    pub places: Vec<(MailboxId, u32, u32)>,
}
