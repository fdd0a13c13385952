//! SEARCH (RFC 9051 §6.4.4, RFC 3501 §6.4.4, RFC 4731, 5032, 7162, 8474, 8514).

use super::{Date, Flag, ReturnOptions, SequenceSet};

/// SEARCH and UID SEARCH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// UID SEARCH: the result holds UIDs.
    pub uid: bool,
    /// RETURN (...); `None` asks for the plain SEARCH response of IMAP4rev1.
    pub return_options: Option<ReturnOptions>,
    /// CHARSET as written; texts in `key` are in this charset, otherwise in UTF-8.
    pub charset: Option<String>,
    /// What to find.
    pub key: SearchKey,
}

/// A search key. Texts are octets in the charset of the command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SearchKey {
    /// ALL
    All,
    /// Every one of these.
    And(Vec<SearchKey>),
    /// OR
    Or(Box<SearchKey>, Box<SearchKey>),
    /// NOT
    Not(Box<SearchKey>),
    /// Message numbers.
    Sequence(SequenceSet),
    /// UID
    Uid(SequenceSet),
    /// Messages with the flag: ANSWERED, DELETED, DRAFT, FLAGGED, SEEN, RECENT, KEYWORD. Their UN- forms and OLD
    /// come as `Not`, NEW as `And` of RECENT and not SEEN.
    Flag(Flag),
    /// BCC
    Bcc(Vec<u8>),
    /// CC
    Cc(Vec<u8>),
    /// FROM
    From(Vec<u8>),
    /// SUBJECT
    Subject(Vec<u8>),
    /// TO
    To(Vec<u8>),
    /// BODY
    Body(Vec<u8>),
    /// TEXT
    Text(Vec<u8>),
    /// HEADER name value; an empty value asks only that the field is there.
    Header(String, Vec<u8>),
    /// BEFORE, by internal date.
    Before(Date),
    /// ON
    On(Date),
    /// SINCE
    Since(Date),
    /// SENTBEFORE, by the Date field.
    SentBefore(Date),
    /// SENTON
    SentOn(Date),
    /// SENTSINCE
    SentSince(Date),
    /// SAVEDBEFORE (RFC 8514 §4.3), by the date of arrival in this mailbox.
    SavedBefore(Date),
    /// SAVEDON
    SavedOn(Date),
    /// SAVEDSINCE
    SavedSince(Date),
    /// SAVEDATESUPPORTED
    SaveDateSupported,
    /// LARGER, in octets.
    Larger(u64),
    /// SMALLER, in octets.
    Smaller(u64),
    /// OLDER (RFC 5032), in seconds before now.
    Older(u32),
    /// YOUNGER, in seconds before now.
    Younger(u32),
    /// MODSEQ (RFC 7162 §3.1.5): this or higher. The entry name and type are read and ignored, as the RFC allows.
    ModSeq(u64),
    /// EMAILID (RFC 8474).
    EmailId(String),
    /// THREADID
    ThreadId(String),
}

impl SearchKey {
    /// Whether it names messages by their numbers; `$` does not.
    pub fn uses_numbers(&self) -> bool {
        match self {
            SearchKey::Sequence(set) => *set != SequenceSet::Saved,
            SearchKey::And(keys) => keys.iter().any(SearchKey::uses_numbers),
            SearchKey::Or(a, b) => a.uses_numbers() || b.uses_numbers(),
            SearchKey::Not(key) => key.uses_numbers(),
            _ => false,
        }
    }
}
