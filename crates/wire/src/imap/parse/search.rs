//! SEARCH, SORT and THREAD.

use super::{Bad, Cursor, second};
use crate::imap::{Flag, LIST_MAX, PartialRange, ReturnOptions, Search, SearchKey, Sort, SortKey, Thread};

pub(super) fn search(c: &mut Cursor<'_>, uid: bool) -> Result<Search, Bad> {
    c.space()?;
    let return_options = return_options(c)?;
    let charset = if c.eat_word("CHARSET") { Some(c.astring()?) } else { None };
    if charset.is_some() {
        c.space()?;
    }
    Ok(Search { uid, return_options, charset, key: program(c)? })
}

pub(super) fn sort(c: &mut Cursor<'_>, uid: bool) -> Result<Sort, Bad> {
    c.space()?;
    let return_options = return_options(c)?;
    let criteria = c.list1(criterion)?;
    let charset = second(c, Cursor::astring)?;
    c.space()?;
    Ok(Sort { uid, return_options, criteria, charset, key: program(c)? })
}

pub(super) fn thread(c: &mut Cursor<'_>, uid: bool) -> Result<Thread, Bad> {
    c.space()?;
    let algorithm = c.keyword()?;
    let charset = second(c, Cursor::astring)?;
    c.space()?;
    Ok(Thread { uid, algorithm, charset, key: program(c)? })
}

/// `RETURN (...)` and its space, if it is there.
fn return_options(c: &mut Cursor<'_>) -> Result<Option<ReturnOptions>, Bad> {
    if !c.eat_word("RETURN") {
        return Ok(None);
    }
    let mut options = ReturnOptions::default();
    for (option, range) in c.list(return_option)? {
        match option.as_str() {
            "MIN" => options.min = true,
            "MAX" => options.max = true,
            "ALL" => options.all = true,
            "COUNT" => options.count = true,
            "SAVE" => options.save = true,
            _ if options.partial.is_some() => return Err(Bad("PARTIAL may stand only once")),
            _ => options.partial = range,
        }
    }
    options.all |= options == ReturnOptions::default();
    if options.all && options.partial.is_some() {
        return Err(Bad("PARTIAL and ALL exclude each other"));
    }
    c.space()?;
    Ok(Some(options))
}

fn return_option(c: &mut Cursor<'_>) -> Result<(String, Option<PartialRange>), Bad> {
    let option = c.keyword()?;
    let range = match option.as_str() {
        "MIN" | "MAX" | "ALL" | "COUNT" | "SAVE" => None,
        "PARTIAL" => Some(second(c, partial_range)?),
        _ => return Err(Bad("Unknown RETURN option")),
    };
    Ok((option, range))
}

/// `1:500` or `-1:-100` (RFC 9394 §4).
pub(super) fn partial_range(c: &mut Cursor<'_>) -> Result<PartialRange, Bad> {
    let from_end = c.eat(b'-');
    let first = c.nz_number()?;
    c.expect(b':', "Bad range of PARTIAL")?;
    if c.eat(b'-') != from_end {
        return Err(Bad("Bad range of PARTIAL"));
    }
    Ok(PartialRange { first, last: c.nz_number()?, from_end })
}

fn criterion(c: &mut Cursor<'_>) -> Result<(SortKey, bool), Bad> {
    let reverse = c.eat_word("REVERSE");
    let key = match c.keyword()?.as_str() {
        "ARRIVAL" => SortKey::Arrival,
        "CC" => SortKey::Cc,
        "DATE" => SortKey::Date,
        "FROM" => SortKey::From,
        "SIZE" => SortKey::Size,
        "SUBJECT" => SortKey::Subject,
        "TO" => SortKey::To,
        "DISPLAYFROM" => SortKey::DisplayFrom,
        "DISPLAYTO" => SortKey::DisplayTo,
        _ => return Err(Bad("Unknown SORT criterion")),
    };
    Ok((key, reverse))
}

/// Search keys up to the end of the command.
fn program(c: &mut Cursor<'_>) -> Result<SearchKey, Bad> {
    let mut keys = vec![key(c)?];
    while c.more() {
        if keys.len() == LIST_MAX {
            return Err(Bad("Too many search keys"));
        }
        keys.push(key(c)?);
    }
    Ok(all_of(keys))
}

fn all_of(mut keys: Vec<SearchKey>) -> SearchKey {
    match keys.len() {
        1 => keys.remove(0),
        _ => SearchKey::And(keys),
    }
}

fn key(c: &mut Cursor<'_>) -> Result<SearchKey, Bad> {
    match c.peek() {
        Some(b'(') => c.nested(|c| c.list1(key)).map(all_of),
        Some(b'0'..=b'9' | b'*' | b'$') => c.sequence_set().map(SearchKey::Sequence),
        _ => {
            let word = c.keyword()?;
            match flag_key(&word) {
                Some(key) => Ok(key),
                None => argument_key(c, &word),
            }
        }
    }
}

/// Keys without an argument.
fn flag_key(word: &str) -> Option<SearchKey> {
    use SearchKey::Flag as Is;
    Some(match word {
        "ALL" => SearchKey::All,
        "ANSWERED" => Is(Flag::Answered),
        "DELETED" => Is(Flag::Deleted),
        "DRAFT" => Is(Flag::Draft),
        "FLAGGED" => Is(Flag::Flagged),
        "SEEN" => Is(Flag::Seen),
        "RECENT" => Is(Flag::Recent),
        "UNANSWERED" => not(Is(Flag::Answered)),
        "UNDELETED" => not(Is(Flag::Deleted)),
        "UNDRAFT" => not(Is(Flag::Draft)),
        "UNFLAGGED" => not(Is(Flag::Flagged)),
        "UNSEEN" => not(Is(Flag::Seen)),
        "OLD" => not(Is(Flag::Recent)),
        "NEW" => SearchKey::And(vec![Is(Flag::Recent), not(Is(Flag::Seen))]),
        "SAVEDATESUPPORTED" => SearchKey::SaveDateSupported,
        _ => return None,
    })
}

fn not(key: SearchKey) -> SearchKey {
    SearchKey::Not(Box::new(key))
}

fn argument_key(c: &mut Cursor<'_>, word: &str) -> Result<SearchKey, Bad> {
    if !ARGUMENT_KEYS.contains(&word) {
        return Err(Bad("Unknown search key"));
    }
    c.space()?;
    Ok(match word {
        "NOT" => not(c.nested(key)?),
        "OR" => SearchKey::Or(Box::new(c.nested(key)?), Box::new(c.nested(|c| second(c, key))?)),
        "BCC" => SearchKey::Bcc(c.astring_octets()?),
        "BODY" => SearchKey::Body(c.astring_octets()?),
        "CC" => SearchKey::Cc(c.astring_octets()?),
        "FROM" => SearchKey::From(c.astring_octets()?),
        "SUBJECT" => SearchKey::Subject(c.astring_octets()?),
        "TEXT" => SearchKey::Text(c.astring_octets()?),
        "TO" => SearchKey::To(c.astring_octets()?),
        "HEADER" => SearchKey::Header(c.astring()?, second(c, Cursor::astring_octets)?),
        "KEYWORD" => SearchKey::Flag(Flag::Keyword(c.atom()?.to_owned())),
        "UNKEYWORD" => not(SearchKey::Flag(Flag::Keyword(c.atom()?.to_owned()))),
        "UID" => SearchKey::Uid(c.sequence_set()?),
        "LARGER" => SearchKey::Larger(c.number64()?),
        "SMALLER" => SearchKey::Smaller(c.number64()?),
        "OLDER" => SearchKey::Older(c.nz_number()?),
        "YOUNGER" => SearchKey::Younger(c.nz_number()?),
        "MODSEQ" => mod_seq(c)?,
        "EMAILID" => SearchKey::EmailId(c.atom()?.to_owned()),
        "THREADID" => SearchKey::ThreadId(c.atom()?.to_owned()),
        _ => date_key(word, c.date()?),
    })
}

const ARGUMENT_KEYS: [&str; 29] = [
    "NOT",
    "OR",
    "BCC",
    "BODY",
    "CC",
    "FROM",
    "SUBJECT",
    "TEXT",
    "TO",
    "HEADER",
    "KEYWORD",
    "UNKEYWORD",
    "UID",
    "LARGER",
    "SMALLER",
    "OLDER",
    "YOUNGER",
    "MODSEQ",
    "EMAILID",
    "THREADID",
    "BEFORE",
    "ON",
    "SINCE",
    "SENTBEFORE",
    "SENTON",
    "SENTSINCE",
    "SAVEDBEFORE",
    "SAVEDON",
    "SAVEDSINCE",
];

fn date_key(word: &str, date: crate::imap::Date) -> SearchKey {
    match word {
        "BEFORE" => SearchKey::Before(date),
        "ON" => SearchKey::On(date),
        "SENTBEFORE" => SearchKey::SentBefore(date),
        "SENTON" => SearchKey::SentOn(date),
        "SENTSINCE" => SearchKey::SentSince(date),
        "SAVEDBEFORE" => SearchKey::SavedBefore(date),
        "SAVEDON" => SearchKey::SavedOn(date),
        "SAVEDSINCE" => SearchKey::SavedSince(date),
        _ => SearchKey::Since(date),
    }
}

/// `["/flags/\\Seen" all] 620162338`
fn mod_seq(c: &mut Cursor<'_>) -> Result<SearchKey, Bad> {
    if c.peek() == Some(b'"') {
        c.string()?;
        let kind = second(c, Cursor::keyword)?;
        if !matches!(kind.as_str(), "ALL" | "PRIV" | "SHARED") {
            return Err(Bad("Bad MODSEQ search"));
        }
        c.space()?;
    }
    c.number64().map(SearchKey::ModSeq)
}
