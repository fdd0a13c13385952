//! From the keys of the command to keys that can be judged.

use std::ops::Range;

use anser_mime::charset;
use anser_store::Flags;
use anser_text::Query;
use anser_wire::imap::{Date, Flag, NumberSet, SearchKey, SequenceSet};

use crate::name::{self, Scope};
use crate::reply::Reply;

/// A key that can be judged.
#[derive(Debug)]
pub(crate) enum Key {
    All,
    And(Vec<Key>),
    Or(Vec<Key>),
    Not(Box<Key>),
    Numbers(NumberSet),
    Uids(NumberSet),
    Flags(Flags),
    Keyword(String),
    Recent,
    /// Days since 1970, in the zone of INTERNALDATE.
    Received(Range<i64>),
    Saved(Range<i64>),
    Larger(u64),
    Smaller(u64),
    /// Seconds.
    Older(u32),
    Younger(u32),
    ModSeq(u64),
    EmailId(String),
    ThreadId(String),
    /// Days since 1970, in the zone of the Date field.
    Sent(Range<i64>),
    /// A text; the store knows which messages have it.
    Text(Query),
}

/// What keys are compiled with.
pub(crate) struct Compiler<'a> {
    /// The charset of the texts.
    pub charset: Option<&'a str>,
    /// Messages in the mailbox.
    pub count: u32,
    /// Its highest UID.
    pub last_uid: u32,
    /// UIDs of the saved result.
    pub saved: &'a NumberSet,
    /// Whose account the mailbox is in, when it is not the user's own.
    pub scope: Scope,
}

impl Compiler<'_> {
    /// Refuses a charset that nobody knows (RFC 9051 §6.4.4).
    pub fn check(&self) -> Result<(), Reply> {
        let Some(label) = self.charset else { return Ok(()) };
        let ascii = ["us-ascii", "ascii"].iter().any(|name| name.eq_ignore_ascii_case(label));
        match ascii || charset::for_label(Some(label)).is_some() {
            true => Ok(()),
            false => Err(Reply::no(
                "BADCHARSET (UTF-8 US-ASCII GB18030 GBK GB2312 BIG5 SHIFT_JIS EUC-KR ISO-8859-1)",
                "Unknown charset",
            )),
        }
    }

    /// Compiles a key; cheap ones come first among those of a list.
    pub fn compile(&self, key: &SearchKey) -> Key {
        match key {
            SearchKey::All => Key::All,
            SearchKey::And(keys) => Key::And(self.sorted(keys.iter())),
            SearchKey::Or(a, b) => Key::Or(self.sorted([a.as_ref(), b.as_ref()].into_iter())),
            SearchKey::Not(key) => Key::Not(Box::new(self.compile(key))),
            SearchKey::Sequence(SequenceSet::Saved) | SearchKey::Uid(SequenceSet::Saved) => {
                Key::Uids(self.saved.clone())
            }
            SearchKey::Sequence(set) => Key::Numbers(set.resolve(self.count, self.saved)),
            SearchKey::Uid(set) => Key::Uids(set.resolve(self.last_uid, self.saved)),
            SearchKey::Flag(flag) => flag_key(flag),
            SearchKey::Subject(text) => Key::Text(Query::header("subject", &self.text(text))),
            SearchKey::From(text) => Key::Text(Query::header("from", &self.text(text))),
            SearchKey::To(text) => Key::Text(Query::header("to", &self.text(text))),
            SearchKey::Cc(text) => Key::Text(Query::header("cc", &self.text(text))),
            SearchKey::Bcc(text) => Key::Text(Query::header("bcc", &self.text(text))),
            SearchKey::Header(name, text) => Key::Text(Query::header(name, &self.text(text))),
            SearchKey::Body(text) => Key::Text(Query::body(&self.text(text))),
            SearchKey::Text(text) => Key::Text(Query::text(&self.text(text))),
            SearchKey::Before(date) => Key::Received(before(*date)),
            SearchKey::On(date) => Key::Received(on(*date)),
            SearchKey::Since(date) => Key::Received(since(*date)),
            SearchKey::SentBefore(date) => Key::Sent(before(*date)),
            SearchKey::SentOn(date) => Key::Sent(on(*date)),
            SearchKey::SentSince(date) => Key::Sent(since(*date)),
            SearchKey::SavedBefore(date) => Key::Saved(before(*date)),
            SearchKey::SavedOn(date) => Key::Saved(on(*date)),
            SearchKey::SavedSince(date) => Key::Saved(since(*date)),
            SearchKey::SaveDateSupported => Key::All,
            SearchKey::Larger(size) => Key::Larger(*size),
            SearchKey::Smaller(size) => Key::Smaller(*size),
            SearchKey::Older(age) => Key::Older(*age),
            SearchKey::Younger(age) => Key::Younger(*age),
            SearchKey::ModSeq(modseq) => Key::ModSeq(*modseq),
            SearchKey::EmailId(id) => Key::EmailId(name::within(self.scope, id)),
            SearchKey::ThreadId(id) => Key::ThreadId(name::within(self.scope, id)),
        }
    }

    fn sorted<'k>(&self, keys: impl Iterator<Item = &'k SearchKey>) -> Vec<Key> {
        let mut keys: Vec<Key> = keys.map(|key| self.compile(key)).collect();
        keys.sort_by_key(Key::cost);
        keys
    }

    fn text(&self, octets: &[u8]) -> String {
        // What does not fit its label was sent by a client that means another one.
        let exact = self.charset.and_then(|label| charset::decode_exactly(label, octets));
        exact.unwrap_or_else(|| charset::decode(self.charset, octets))
    }
}

impl Key {
    /// What judging takes: 0 the list, 1 the text, 2 the row.
    fn cost(&self) -> u8 {
        match self {
            Key::And(keys) | Key::Or(keys) => keys.iter().map(Key::cost).max().unwrap_or(0),
            Key::Not(key) => key.cost(),
            Key::Text(_) => 1,
            Key::Sent(_) | Key::ThreadId(_) => 2,
            _ => 0,
        }
    }

    /// Collects the texts that the key looks for, each once.
    pub fn queries(&self, all: &mut Vec<Query>) {
        match self {
            Key::And(keys) | Key::Or(keys) => keys.iter().for_each(|key| key.queries(all)),
            Key::Not(key) => key.queries(all),
            Key::Text(query) if !all.contains(query) => all.push(query.clone()),
            _ => {}
        }
    }

    /// Whether the key asks for a modification sequence, so that the answer tells one (RFC 7162 §3.1.5).
    pub fn asks_modseq(&self) -> bool {
        match self {
            Key::And(keys) | Key::Or(keys) => keys.iter().any(Key::asks_modseq),
            Key::Not(key) => key.asks_modseq(),
            Key::ModSeq(_) => true,
            _ => false,
        }
    }
}

fn flag_key(flag: &Flag) -> Key {
    match flag {
        Flag::Seen => Key::Flags(Flags::SEEN),
        Flag::Answered => Key::Flags(Flags::ANSWERED),
        Flag::Flagged => Key::Flags(Flags::FLAGGED),
        Flag::Deleted => Key::Flags(Flags::DELETED),
        Flag::Draft => Key::Flags(Flags::DRAFT),
        Flag::Recent => Key::Recent,
        Flag::Keyword(word) => Key::Keyword(word.clone()),
        // Nobody defined it, so no message carries it.
        Flag::Extension(_) => Key::Not(Box::new(Key::All)),
    }
}

fn before(date: Date) -> Range<i64> {
    i64::MIN..date.unix_days()
}

fn on(date: Date) -> Range<i64> {
    date.unix_days()..date.unix_days() + 1
}

fn since(date: Date) -> Range<i64> {
    date.unix_days()..i64::MAX
}
