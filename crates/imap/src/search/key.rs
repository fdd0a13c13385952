//! From the keys of the command to keys that can be judged.

use std::ops::Range;

use anser_mime::charset;
use anser_store::Flags;
use anser_wire::imap::{Date, Flag, NumberSet, SearchKey, SequenceSet};

use super::text::fold;
use crate::name::{self, Scope};
use crate::reply::Reply;

/// A key that can be judged. Texts are folded.
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
    Envelope(Field, String),
    Header(String, String),
    Body(String),
    Text(String),
}

/// A field of the envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Subject,
    From,
    To,
    Cc,
    Bcc,
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
            false => Err(Reply::no("BADCHARSET (UTF-8 US-ASCII GB18030 GBK GB2312 BIG5)", "Unknown charset")),
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
            SearchKey::Subject(text) => Key::Envelope(Field::Subject, self.text(text)),
            SearchKey::From(text) => Key::Envelope(Field::From, self.text(text)),
            SearchKey::To(text) => Key::Envelope(Field::To, self.text(text)),
            SearchKey::Cc(text) => Key::Envelope(Field::Cc, self.text(text)),
            SearchKey::Bcc(text) => Key::Envelope(Field::Bcc, self.text(text)),
            SearchKey::Header(name, text) => Key::Header(name.clone(), self.text(text)),
            SearchKey::Body(text) => Key::Body(self.text(text)),
            SearchKey::Text(text) => Key::Text(self.text(text)),
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
        fold(&charset::decode(self.charset, octets))
    }
}

impl Key {
    /// What judging takes: 0 the list, 1 the row, 2 the header, 3 all of the message.
    fn cost(&self) -> u8 {
        match self {
            Key::And(keys) | Key::Or(keys) => keys.iter().map(Key::cost).max().unwrap_or(0),
            Key::Not(key) => key.cost(),
            Key::Envelope(..) | Key::Sent(_) | Key::ThreadId(_) => 1,
            Key::Header(..) => 2,
            Key::Body(_) | Key::Text(_) => 3,
            _ => 0,
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
