//! Every command as a type, APPEND apart (its message passes through the reader in pieces).

use super::{Fetch, Flag, Notify, Search, SearchKey, SequenceSet};
use crate::Secret;

/// A command of the client. Mailbox names are decoded; `INBOX` in any case comes as `INBOX`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// CAPABILITY
    Capability,
    /// NOOP
    Noop,
    /// LOGOUT
    Logout,
    /// STARTTLS. The caller drops whatever was read behind this line.
    StartTls,
    /// AUTHENTICATE. The caller reads the client's responses with [`super::CommandReader::expect_line`].
    Authenticate {
        /// The mechanism in upper case.
        mechanism: String,
        /// The initial response after base64 decoding (RFC 4959); `=` gives an empty one.
        initial: Option<Secret>,
    },
    /// LOGIN
    Login {
        /// The user's name.
        user: String,
        /// The password as sent.
        password: Secret,
    },
    /// ENABLE (RFC 5161), names in upper case.
    Enable(Vec<String>),
    /// SELECT and EXAMINE
    Select(Select),
    /// CREATE
    Create {
        /// The new mailbox. A trailing hierarchy separator is kept.
        mailbox: String,
        /// USE (RFC 6154 §3), attributes with their backslash as written.
        special_use: Vec<String>,
    },
    /// DELETE
    Delete(String),
    /// RENAME
    Rename {
        /// The old name.
        from: String,
        /// The new name.
        to: String,
    },
    /// SUBSCRIBE
    Subscribe(String),
    /// UNSUBSCRIBE
    Unsubscribe(String),
    /// LIST
    List(List),
    /// LSUB
    Lsub {
        /// The reference name.
        reference: String,
        /// The pattern.
        pattern: String,
    },
    /// NAMESPACE
    Namespace,
    /// STATUS
    Status {
        /// Which mailbox.
        mailbox: String,
        /// What of it.
        items: Vec<StatusItem>,
    },
    /// IDLE. The caller reads the DONE with [`super::CommandReader::expect_line`].
    Idle,
    /// CHECK
    Check,
    /// CLOSE
    Close,
    /// UNSELECT
    Unselect,
    /// EXPUNGE; with a set it is UID EXPUNGE.
    Expunge(Option<SequenceSet>),
    /// SEARCH and UID SEARCH
    Search(Search),
    /// SORT and UID SORT (RFC 5256)
    Sort(Sort),
    /// THREAD and UID THREAD (RFC 5256)
    Thread(Thread),
    /// FETCH and UID FETCH
    Fetch(Fetch),
    /// STORE and UID STORE
    Store(Store),
    /// COPY and UID COPY
    Copy(Transfer),
    /// MOVE and UID MOVE (RFC 6851)
    Move(Transfer),
    /// ID (RFC 2971): names and values, empty for NIL.
    Id(Vec<(String, Option<String>)>),
    /// GETQUOTA (RFC 9208) of a quota root.
    GetQuota(String),
    /// GETQUOTAROOT of a mailbox.
    GetQuotaRoot(String),
    /// SETQUOTA
    SetQuota {
        /// The quota root.
        root: String,
        /// The new limits.
        limits: Vec<QuotaLimit>,
    },
    /// SETACL, DELETEACL, GETACL, LISTRIGHTS, MYRIGHTS (RFC 4314)
    Acl(Acl),
    /// GETMETADATA and SETMETADATA (RFC 5464)
    Metadata(Metadata),
    /// XLIST, which old clients of Gmail know: like LSUB in form.
    Xlist {
        /// The reference name.
        reference: String,
        /// The pattern.
        pattern: String,
    },
    /// COMPRESS (RFC 4978) with the mechanism in upper case.
    Compress(String),
    /// UNAUTHENTICATE (RFC 8437)
    Unauthenticate,
    /// LANGUAGE (RFC 5255) with the ranges that are wanted, the best first; none asks for the list.
    Language(Vec<String>),
    /// GETJMAPACCESS (RFC 9698)
    GetJmapAccess,
    /// NOTIFY (RFC 5465)
    Notify(Notify),
    /// A command that is none of these, in upper case: answer BAD.
    Unknown(String),
}

impl Command {
    /// Whether it names messages by their numbers or asks for such: refused under UIDONLY (RFC 9586 §3).
    pub fn uses_numbers(&self) -> bool {
        match self {
            Command::Fetch(Fetch { uid, .. })
            | Command::Store(Store { uid, .. })
            | Command::Copy(Transfer { uid, .. })
            | Command::Move(Transfer { uid, .. }) => !uid,
            Command::Search(Search { uid, key, .. })
            | Command::Sort(Sort { uid, key, .. })
            | Command::Thread(Thread { uid, key, .. }) => !uid || key.uses_numbers(),
            Command::Select(select) => select.qresync.as_ref().is_some_and(|qresync| qresync.sequence_match.is_some()),
            _ => false,
        }
    }
}

/// SELECT and EXAMINE (RFC 9051 §6.3.2, RFC 7162).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Select {
    /// Which mailbox.
    pub mailbox: String,
    /// EXAMINE
    pub read_only: bool,
    /// CONDSTORE
    pub condstore: bool,
    /// QRESYNC
    pub qresync: Option<Qresync>,
}

/// The QRESYNC parameter (RFC 7162 §3.2.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Qresync {
    /// The last UIDVALIDITY that the client knows.
    pub uid_validity: u32,
    /// The last modification sequence that it knows.
    pub mod_seq: u64,
    /// The UIDs that it knows, if it says so.
    pub known_uids: Option<SequenceSet>,
    /// Matching message numbers and UIDs by which to find what was expunged.
    pub sequence_match: Option<(SequenceSet, SequenceSet)>,
}

/// LIST, basic (RFC 3501 §6.3.8) and extended (RFC 5258, RFC 9051 §6.3.9).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct List {
    /// Selection options.
    pub selection: ListSelection,
    /// The reference name.
    pub reference: String,
    /// One pattern or more. One empty pattern in the basic form asks for the hierarchy separator.
    pub patterns: Vec<String>,
    /// Whether it came in the extended form, which changes what the empty pattern means.
    pub extended: bool,
    /// Return options.
    pub returns: ListReturn,
}

/// Selection options of LIST.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ListSelection {
    /// SUBSCRIBED
    pub subscribed: bool,
    /// REMOTE
    pub remote: bool,
    /// RECURSIVEMATCH
    pub recursive_match: bool,
    /// SPECIAL-USE (RFC 6154)
    pub special_use: bool,
}

/// Return options of LIST.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListReturn {
    /// SUBSCRIBED
    pub subscribed: bool,
    /// CHILDREN
    pub children: bool,
    /// SPECIAL-USE
    pub special_use: bool,
    /// MYRIGHTS (RFC 8440)
    pub my_rights: bool,
    /// STATUS (RFC 5819), empty if not asked.
    pub status: Vec<StatusItem>,
    /// METADATA (RFC 9590), names of annotations; empty if not asked.
    pub metadata: Vec<String>,
}

/// What STATUS shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusItem {
    /// MESSAGES
    Messages,
    /// RECENT
    Recent,
    /// UIDNEXT
    UidNext,
    /// UIDVALIDITY
    UidValidity,
    /// UNSEEN
    Unseen,
    /// DELETED
    Deleted,
    /// SIZE (RFC 8438)
    Size,
    /// HIGHESTMODSEQ
    HighestModSeq,
    /// MAILBOXID (RFC 8474)
    MailboxId,
    /// APPENDLIMIT (RFC 7889)
    AppendLimit,
    /// DELETED-STORAGE (RFC 9208)
    DeletedStorage,
}

/// RETURN (...) of SEARCH and SORT (RFC 4731, RFC 5182, RFC 5267, RFC 9394). An empty list comes as ALL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReturnOptions {
    /// MIN
    pub min: bool,
    /// MAX
    pub max: bool,
    /// ALL
    pub all: bool,
    /// COUNT
    pub count: bool,
    /// SAVE
    pub save: bool,
    /// PARTIAL, never together with ALL.
    pub partial: Option<PartialRange>,
}

/// A page of a result (RFC 9394 §4 `partial-range`), as written: `1:500`, or `-1:-100`, which counts from the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartialRange {
    /// One end, from 1.
    pub first: u32,
    /// The other, which may be the smaller one.
    pub last: u32,
    /// Whether both count from the end, 1 being the last result.
    pub from_end: bool,
}

impl PartialRange {
    /// The places, from 0, that it names in a result of `len` members; empty behind the end.
    pub fn places(self, len: usize) -> std::ops::Range<usize> {
        let place = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let (low, high) = (place(self.first.min(self.last)) - 1, place(self.first.max(self.last)));
        let (low, high) = (low.min(len), high.min(len));
        if self.from_end { len - high..len - low } else { low..high }
    }
}

impl std::fmt::Display for PartialRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.from_end { "-" } else { "" };
        write!(f, "{sign}{}:{sign}{}", self.first, self.last)
    }
}

/// SORT (RFC 5256 §3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sort {
    /// UID SORT
    pub uid: bool,
    /// RETURN (RFC 5267)
    pub return_options: Option<ReturnOptions>,
    /// Sort criteria, each with whether it is reversed.
    pub criteria: Vec<(SortKey, bool)>,
    /// The charset of the texts in `key`.
    pub charset: String,
    /// Which messages.
    pub key: SearchKey,
}

/// A sort criterion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortKey {
    /// ARRIVAL
    Arrival,
    /// CC
    Cc,
    /// DATE
    Date,
    /// FROM
    From,
    /// SIZE
    Size,
    /// SUBJECT
    Subject,
    /// TO
    To,
    /// DISPLAYFROM (RFC 5957)
    DisplayFrom,
    /// DISPLAYTO
    DisplayTo,
}

/// THREAD (RFC 5256 §3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    /// UID THREAD
    pub uid: bool,
    /// The algorithm in upper case.
    pub algorithm: String,
    /// The charset of the texts in `key`.
    pub charset: String,
    /// Which messages.
    pub key: SearchKey,
}

/// STORE and UID STORE (RFC 9051 §6.4.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// UID STORE
    pub uid: bool,
    /// Which messages.
    pub set: SequenceSet,
    /// UNCHANGEDSINCE (RFC 7162 §3.1.3)
    pub unchanged_since: Option<u64>,
    /// What to do with the flags.
    pub action: StoreAction,
    /// .SILENT
    pub silent: bool,
    /// The flags.
    pub flags: Vec<Flag>,
}

/// How STORE combines the flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreAction {
    /// FLAGS
    Replace,
    /// +FLAGS
    Add,
    /// -FLAGS
    Remove,
}

/// COPY and MOVE, with and without UID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// UID COPY, UID MOVE
    pub uid: bool,
    /// Which messages.
    pub set: SequenceSet,
    /// Whereto.
    pub mailbox: String,
}

/// One limit of SETQUOTA (RFC 9208 §4.1.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotaLimit {
    /// The resource in upper case: STORAGE (units of 1,024 octets), MESSAGE, MAILBOX.
    pub resource: String,
    /// The limit in the resource's unit.
    pub limit: u64,
}

/// The commands of RFC 4314.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Acl {
    /// SETACL
    Set {
        /// Which mailbox.
        mailbox: String,
        /// Whose rights.
        identifier: String,
        /// The rights, with a leading `+` or `-` where they change and do not replace.
        rights: String,
    },
    /// DELETEACL
    Delete {
        /// Which mailbox.
        mailbox: String,
        /// Whose rights.
        identifier: String,
    },
    /// GETACL
    Get(String),
    /// LISTRIGHTS
    ListRights {
        /// Which mailbox.
        mailbox: String,
        /// Whose rights.
        identifier: String,
    },
    /// MYRIGHTS
    MyRights(String),
}

/// The commands of RFC 5464. The empty mailbox name stands for the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Metadata {
    /// GETMETADATA
    Get {
        /// Which mailbox.
        mailbox: String,
        /// MAXSIZE in octets.
        max_size: Option<u64>,
        /// DEPTH: 0, 1, or `None` for infinity.
        depth: Option<u8>,
        /// Entry names.
        entries: Vec<String>,
    },
    /// SETMETADATA
    Set {
        /// Which mailbox.
        mailbox: String,
        /// Entries with their new values; `None` removes.
        entries: Vec<(String, Option<Vec<u8>>)>,
    },
}

impl StatusItem {
    /// The item of this name (in upper case), if there is one.
    pub(super) fn parse(name: &str) -> Option<Self> {
        STATUS_ITEMS.iter().find(|(_, text)| *text == name).map(|(item, _)| *item)
    }

    /// The name as the STATUS response writes it.
    pub fn name(self) -> &'static str {
        STATUS_ITEMS.iter().find(|(item, _)| *item == self).map_or("", |(_, text)| text)
    }
}

const STATUS_ITEMS: [(StatusItem, &str); 11] = [
    (StatusItem::Messages, "MESSAGES"),
    (StatusItem::Recent, "RECENT"),
    (StatusItem::UidNext, "UIDNEXT"),
    (StatusItem::UidValidity, "UIDVALIDITY"),
    (StatusItem::Unseen, "UNSEEN"),
    (StatusItem::Deleted, "DELETED"),
    (StatusItem::Size, "SIZE"),
    (StatusItem::HighestModSeq, "HIGHESTMODSEQ"),
    (StatusItem::MailboxId, "MAILBOXID"),
    (StatusItem::AppendLimit, "APPENDLIMIT"),
    (StatusItem::DeletedStorage, "DELETED-STORAGE"),
];
