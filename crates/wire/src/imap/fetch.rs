//! FETCH (RFC 9051 §6.4.5).

use super::{PartialRange, SequenceSet};

/// FETCH and UID FETCH. ALL, FAST and FULL are already expanded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    /// UID FETCH: the set holds UIDs, and the response must show UID even when it is not among the items.
    pub uid: bool,
    /// Which messages.
    pub set: SequenceSet,
    /// What of them, in the order asked.
    pub items: Vec<FetchItem>,
    /// CHANGEDSINCE (RFC 7162 §3.1.4.1), which also makes MODSEQ part of the response.
    pub changed_since: Option<u64>,
    /// VANISHED (RFC 7162 §3.2.6).
    pub vanished: bool,
    /// PARTIAL (RFC 9394 §3.4): which of those that the set names.
    pub partial: Option<PartialRange>,
}

/// A data item of FETCH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchItem {
    /// BODY without a section: the structure without extension data.
    Body,
    /// BODYSTRUCTURE
    BodyStructure,
    /// ENVELOPE
    Envelope,
    /// FLAGS
    Flags,
    /// INTERNALDATE
    InternalDate,
    /// RFC822, which sets \Seen.
    Rfc822,
    /// RFC822.HEADER
    Rfc822Header,
    /// RFC822.SIZE
    Rfc822Size,
    /// RFC822.TEXT, which sets \Seen.
    Rfc822Text,
    /// UID
    Uid,
    /// `BODY[section]<partial>` and `BODY.PEEK[section]<partial>`
    BodySection {
        /// PEEK: leaves \Seen alone.
        peek: bool,
        /// What part.
        section: Section,
        /// What octets of it.
        partial: Option<Partial>,
    },
    /// `BINARY[part]<partial>` and `BINARY.PEEK` (RFC 3516)
    Binary {
        /// PEEK: leaves \Seen alone.
        peek: bool,
        /// Part numbers; empty for the whole message.
        part: Vec<u32>,
        /// What octets of the decoded part.
        partial: Option<Partial>,
    },
    /// `BINARY.SIZE[part]`
    BinarySize(Vec<u32>),
    /// MODSEQ (RFC 7162)
    ModSeq,
    /// EMAILID (RFC 8474)
    EmailId,
    /// THREADID
    ThreadId,
    /// SAVEDATE (RFC 8514)
    SaveDate,
    /// PREVIEW (RFC 8970)
    Preview {
        /// LAZY: only if it is at hand.
        lazy: bool,
    },
}

/// `[part.text]` of BODY.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Section {
    /// Part numbers; empty for the message itself.
    pub part: Vec<u32>,
    /// What of that part; `None` is the whole part.
    pub text: Option<SectionText>,
}

/// What of a part a section names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SectionText {
    /// HEADER
    Header,
    /// HEADER.FIELDS, names as written
    HeaderFields(Vec<String>),
    /// HEADER.FIELDS.NOT
    HeaderFieldsNot(Vec<String>),
    /// TEXT
    Text,
    /// MIME, only with a part number
    Mime,
}

/// `<start.length>`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partial {
    /// First octet wanted, from 0.
    pub start: u64,
    /// Octets wanted at most.
    pub length: u64,
}
