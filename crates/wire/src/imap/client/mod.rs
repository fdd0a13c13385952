//! The client's side of IMAP (RFC 3501, RFC 9051), as far as reading somebody's mail needs it: responses in, a few commands out.
//! Old servers write much that no grammar allows; what can be understood is.
//!
//! Feed a [`ResponseReader`] with what arrives. The bodies that FETCH announces as literals pass through it piece by piece and are
//! never held; everything else of a response is, within [`RESPONSE_MAX`].

mod parse;
mod reader;
mod write;

pub use reader::{Event, ResponseReader};
pub use write::{Argument, quoted, sets};

use super::write::Status;

/// Longest response without the bodies in it, in octets.
pub const RESPONSE_MAX: usize = 1024 * 1024;
/// Longest literal that is held with its response, in octets: a mailbox name, an unusual string. Longer ones that are no body are refused.
pub const HELD_LITERAL_MAX: u64 = 256 * 1024;
/// Literals of one response at most.
pub const LITERALS_MAX: usize = 1_000;
/// Flags of one message, attributes of one mailbox, capabilities at most; the rest is left out.
pub const WORDS_MAX: usize = 2_000;

/// The server does not speak IMAP: close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoImap(pub &'static str);

/// One response (RFC 9051 §7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response {
    /// `+`: the server waits for more; its text.
    Continue(Vec<u8>),
    /// OK, NO, BAD, BYE, PREAUTH.
    Condition(Condition),
    /// CAPABILITY, in upper case.
    Capability(Vec<String>),
    /// ENABLED, in upper case.
    Enabled(Vec<String>),
    /// LIST, LSUB, XLIST.
    List(Listed),
    /// STATUS.
    Status {
        /// The mailbox, as its name stands on the wire.
        name: Vec<u8>,
        /// Items in upper case with their numbers; those without a number are left out.
        items: Vec<(String, u64)>,
        /// MAILBOXID (RFC 8474 §4.3) or X-GUID: what names the mailbox whatever it is called.
        id: Option<String>,
    },
    /// ID (RFC 2971 §3.2).
    Id {
        /// What the server calls itself.
        name: Option<String>,
    },
    /// QUOTA (RFC 9208 §4.2.2).
    Quota {
        /// STORAGE: used and allowed, in units of 1024 octets.
        storage: Option<(u64, u64)>,
    },
    /// NAMESPACE: personal, other users', shared; each with prefix and delimiter.
    Namespace([Vec<(Vec<u8>, Option<u8>)>; 3]),
    /// EXISTS.
    Exists(u32),
    /// EXPUNGE: a message number, not a UID.
    Expunge(u32),
    /// VANISHED (RFC 7162 §3.2.10): UIDs, and whether they went earlier.
    Vanished {
        /// Whether the client had not yet been told.
        earlier: bool,
        /// Ranges, both ends included.
        uids: Vec<(u32, u32)>,
    },
    /// FETCH.
    Fetch(Fetched),
    /// Anything else, understood or not.
    Other,
}

/// A status response (RFC 9051 §7.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Whose command it ends; `None` when it is untagged.
    pub tag: Option<String>,
    /// What it says.
    pub status: Status,
    /// What stands in brackets.
    pub code: Option<Code>,
    /// The text, in whatever charset: who shows it to people decodes it.
    pub text: Vec<u8>,
}

/// A response code (RFC 9051 §7.1, RFC 7162 §3.1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Code {
    /// UIDVALIDITY
    UidValidity(u32),
    /// UIDNEXT
    UidNext(u32),
    /// HIGHESTMODSEQ
    HighestModSeq(u64),
    /// CAPABILITY, in upper case.
    Capability(Vec<String>),
    /// APPENDUID (RFC 4315 §3): UIDVALIDITY of the mailbox, and the message's UID
    AppendUid(u32, u32),
    /// MAILBOXID (RFC 8474 §4.2)
    MailboxId(String),
    /// Any other: its name in upper case.
    Other(String),
}

/// One line of LIST and its kin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// LIST, LSUB or XLIST.
    pub verb: String,
    /// `\Noselect` and the like, as written.
    pub attributes: Vec<String>,
    /// What stands between the levels; `None` when names have no levels.
    pub delimiter: Option<u8>,
    /// The name as it stands on the wire.
    pub name: Vec<u8>,
}

/// What FETCH told of a message (RFC 9051 §7.5.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fetched {
    /// The message number.
    pub number: u32,
    /// UID
    pub uid: Option<u32>,
    /// FLAGS, as written.
    pub flags: Option<Vec<String>>,
    /// INTERNALDATE, as written between its quotes.
    pub internal_date: Option<Vec<u8>>,
    /// RFC822.SIZE
    pub size: Option<u64>,
    /// MODSEQ
    pub modseq: Option<u64>,
    /// EMAILID (RFC 8474 §5.1), X-GM-MSGID, X-GUID or DIGEST.SHA1: whichever names the message over folders and servers.
    pub identity: Option<String>,
    /// The body, when it came as a string in the line or as NIL; a literal went past before.
    pub body: Option<Vec<u8>>,
    /// Whether a body went past as a literal.
    pub streamed: bool,
}
