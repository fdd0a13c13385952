//! The conditions of a filter (RFC 8621 §4.4.1), ready to be judged.

use anser_base::{MailboxId, MessageId};
use anser_store::Entry;
use anser_text::Query;
use serde_json::{Map, Value};

use super::super::load::has_keyword;
use super::Matching;
use crate::error::MethodError;
use crate::ids::{self, Scope};

/// Words of one text at most.
const WORDS: usize = 20;

/// What a list tells of a message, or what was found out before about all of them.
#[derive(Clone, Debug)]
pub(super) enum Key {
    Before(i64),
    After(i64),
    MinSize(u64),
    MaxSize(u64),
    Has(String),
    HasNot(String),
    Known(usize),
    NotKnown(usize),
    Never,
}

/// What is found out about all messages at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Want {
    In(MailboxId),
    OtherThan(Vec<MailboxId>),
    Thread { keyword: String, all: bool },
    Attachment,
    Text(Query),
}

impl Key {
    pub fn is_true(&self, entry: &Entry, known: &[Matching]) -> bool {
        let is_known = |at: &usize| {
            known[*at].as_ref().is_none_or(|ids: &Vec<MessageId>| ids.binary_search(&entry.message).is_ok())
        };
        match self {
            Key::Before(at) => entry.received.secs() < *at,
            Key::After(at) => entry.received.secs() >= *at,
            Key::MinSize(size) => entry.size >= *size,
            Key::MaxSize(size) => entry.size < *size,
            Key::Has(keyword) => has_keyword(entry, keyword),
            Key::HasNot(keyword) => !has_keyword(entry, keyword),
            Key::Known(at) => is_known(at),
            Key::NotKnown(at) => !is_known(at),
            Key::Never => false,
        }
    }
}

pub(super) struct Compiler {
    pub scope: Scope,
    pub wants: Vec<Want>,
}

impl Compiler {
    /// A FilterCondition: all of its properties must hold.
    pub fn condition(&mut self, map: Map<String, Value>) -> Result<Vec<Key>, MethodError> {
        let mut keys = Vec::new();
        for (name, value) in map {
            self.property(&name, &value, &mut keys)?;
        }
        Ok(keys)
    }

    fn property(&mut self, name: &str, value: &Value, keys: &mut Vec<Key>) -> Result<(), MethodError> {
        let wrong = || MethodError::invalid(format!("{name} is of another type"));
        let text = || value.as_str().ok_or_else(wrong);
        let key = match name {
            "inMailbox" => match ids::parse_mailbox(self.scope, text()?) {
                Some(mailbox) => self.known(Want::In(mailbox)),
                None => Key::Never,
            },
            "inMailboxOtherThan" => {
                let all = value.as_array().ok_or_else(wrong)?;
                let id = |id: &Value| id.as_str().map(|id| ids::parse_mailbox(self.scope, id)).ok_or_else(wrong);
                let all = all.iter().map(id).collect::<Result<Vec<_>, _>>()?;
                self.known(Want::OtherThan(all.into_iter().flatten().collect()))
            }
            "before" => Key::Before(moment(text()?).ok_or_else(wrong)?),
            "after" => Key::After(moment(text()?).ok_or_else(wrong)?),
            "minSize" => Key::MinSize(value.as_u64().ok_or_else(wrong)?),
            "maxSize" => Key::MaxSize(value.as_u64().ok_or_else(wrong)?),
            "allInThreadHaveKeyword" => self.known(Want::Thread { keyword: text()?.to_owned(), all: true }),
            "someInThreadHaveKeyword" => self.known(Want::Thread { keyword: text()?.to_owned(), all: false }),
            "noneInThreadHaveKeyword" => match self.known(Want::Thread { keyword: text()?.to_owned(), all: false }) {
                Key::Known(at) => Key::NotKnown(at),
                other => other,
            },
            "hasKeyword" => Key::Has(text()?.to_owned()),
            "notKeyword" => Key::HasNot(text()?.to_owned()),
            "hasAttachment" => match (value.as_bool().ok_or_else(wrong)?, self.known(Want::Attachment)) {
                (false, Key::Known(at)) => Key::NotKnown(at),
                (_, key) => key,
            },
            "text" => return self.words(text()?, Query::text, keys),
            "body" => return self.words(text()?, Query::body, keys),
            "from" | "to" | "cc" | "bcc" | "subject" => {
                return self.words(text()?, |word| Query::header(name, word), keys);
            }
            "header" => {
                let all = value.as_array().filter(|all| (1..=2).contains(&all.len())).ok_or_else(wrong)?;
                let field = all[0].as_str().ok_or_else(wrong)?;
                let looked_for = all.get(1).map_or(Some(""), Value::as_str).ok_or_else(wrong)?;
                self.known(Want::Text(Query::header(field, looked_for)))
            }
            _ => return Err(MethodError::new("unsupportedFilter", format!("{name} is no condition"))),
        };
        keys.push(key);
        Ok(())
    }

    /// Every word must be there; what stands in quotes is one (RFC 8621 §4.4.1).
    fn words(&mut self, text: &str, query: impl Fn(&str) -> Query, keys: &mut Vec<Key>) -> Result<(), MethodError> {
        for (at, piece) in text.split('"').enumerate() {
            let words: Vec<&str> = if at % 2 == 1 { vec![piece] } else { piece.split_whitespace().collect() };
            for word in words.into_iter().filter(|word| !word.trim().is_empty()) {
                if keys.len() >= WORDS {
                    return Err(MethodError::new("unsupportedFilter", "too many words"));
                }
                keys.push(self.known(Want::Text(query(word))));
            }
        }
        Ok(())
    }

    fn known(&mut self, want: Want) -> Key {
        let at = self.wants.iter().position(|known| *known == want).unwrap_or_else(|| {
            self.wants.push(want);
            self.wants.len() - 1
        });
        Key::Known(at)
    }
}

/// A `UTCDate` (RFC 8620 §1.4), in seconds since 1970.
pub(crate) fn moment(text: &str) -> Option<i64> {
    let (day, time) = text.strip_suffix('Z')?.split_once('T')?;
    let time = time.split_once('.').map_or(time, |(time, _)| time);
    let mut day = day.splitn(3, '-').map(ids::number_with_zeros);
    let mut time = time.splitn(3, ':').map(ids::number_with_zeros);
    let (year, month, date_) = (day.next()??, day.next()??, day.next()??);
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    let fits = year <= 9999
        && (1..=12).contains(&month)
        && (1..=31).contains(&date_)
        && hour < 24
        && minute < 60
        && second <= 60;
    let civil = anser_base::time::Civil {
        year: year as i64,
        month: month as u32,
        day: date_ as u32,
        hour: hour as u32,
        minute: minute as u32,
        second: second as u32,
        weekday: 0,
    };
    fits.then(|| civil.to_secs())
}
