//! One whole response, its literals included, but for bodies: of these only the announcement is there.

use super::super::parse::{Bad, Cursor};
use super::super::write::Status;
use super::{Code, Condition, Fetched, Listed, Response, WORDS_MAX};

/// Data items whose value is a message, or all that is asked for of one.
const BODIES: [&str; 4] = ["BODY[", "BINARY[", "RFC822", "RFC822.TEXT"];
/// Nesting of lists that is followed.
const DEPTH: usize = 32;

/// Whether the literal that the text ends by announcing is the body of a message.
pub(super) fn announces_body(text: &[u8]) -> bool {
    if !text.starts_with(b"* ") {
        return false;
    }
    let is_fetch = text.split(|&b| b == b' ').nth(2).is_some_and(|word| word.eq_ignore_ascii_case(b"FETCH"));
    let before = text.iter().rposition(|&b| b == b'{').map_or(text, |at| &text[..at]);
    let before = before.strip_suffix(b"~").unwrap_or(before).trim_ascii_end();
    // The name of the item: from the last blank or parenthesis outside brackets.
    let mut depth = 0;
    let begin = before.iter().rposition(|&b| {
        match b {
            b']' => depth += 1,
            b'[' => depth -= 1,
            _ => {}
        }
        depth == 0 && matches!(b, b' ' | b'(')
    });
    let item = begin.map_or(before, |at| &before[at + 1..]).to_ascii_uppercase();
    is_fetch
        && BODIES
            .iter()
            .any(|name| if name.ends_with('[') { item.starts_with(name.as_bytes()) } else { item == name.as_bytes() })
}

/// Whether a line is OK, NO, BAD, BYE or PREAUTH, tagged or not, or a `+`: what ends in text.
pub(super) fn is_condition(line: &[u8]) -> bool {
    let (tag, rest) = split(line);
    let word = split(rest).0.trim_ascii_end().to_ascii_uppercase();
    tag == b"+" || matches!(&*word, b"OK" | b"NO" | b"BAD" | b"BYE" | b"PREAUTH")
}

/// Reads a response; what nobody understands is [`Response::Other`].
pub(super) fn response(raw: &[u8]) -> Response {
    let raw = raw.strip_suffix(b"\n").unwrap_or(raw);
    let raw = raw.strip_suffix(b"\r").unwrap_or(raw);
    if let Some(rest) = raw.strip_prefix(b"+") {
        return Response::Continue(rest.strip_prefix(b" ").unwrap_or(rest).to_vec());
    }
    let (tag, rest) = split(raw);
    let c = &mut Cursor::new(rest, false);
    if tag != b"*" {
        let tag = Some(String::from_utf8_lossy(tag).into_owned());
        return condition(tag, rest).map_or(Response::Other, Response::Condition);
    }
    if let Some(condition) = condition(None, rest) {
        return Response::Condition(condition);
    }
    let parsed = match rest.first() {
        Some(b'0'..=b'9') => numbered(c),
        _ => named(c),
    };
    parsed.unwrap_or(Response::Other)
}

fn split(raw: &[u8]) -> (&[u8], &[u8]) {
    match raw.iter().position(|&b| b == b' ') {
        Some(at) => (&raw[..at], &raw[at + 1..]),
        None => (raw, &[]),
    }
}

fn condition(tag: Option<String>, rest: &[u8]) -> Option<Condition> {
    let (word, rest) = split(rest);
    let status = match &*word.to_ascii_uppercase() {
        b"OK" => Status::Ok,
        b"NO" => Status::No,
        b"BAD" => Status::Bad,
        b"BYE" => Status::Bye,
        b"PREAUTH" => Status::PreAuth,
        _ => return None,
    };
    let (code, text) =
        match rest.strip_prefix(b"[").and_then(|rest| rest.iter().position(|&b| b == b']').map(|at| rest.split_at(at)))
        {
            Some((code, text)) => (Some(code_of(code)), &text[1..]),
            None => (None, rest),
        };
    Some(Condition { tag, status, code, text: text.trim_ascii().to_vec() })
}

fn code_of(raw: &[u8]) -> Code {
    let (name, rest) = split(raw);
    let name = String::from_utf8_lossy(name).to_ascii_uppercase();
    let text = || String::from_utf8_lossy(rest).trim().to_owned();
    match name.as_str() {
        "UIDVALIDITY" => text().parse().map_or(Code::Other(name), Code::UidValidity),
        "UIDNEXT" => text().parse().map_or(Code::Other(name), Code::UidNext),
        "HIGHESTMODSEQ" => text().parse().map_or(Code::Other(name), Code::HighestModSeq),
        "CAPABILITY" => Code::Capability(words(rest)),
        "APPENDUID" => append_uid(&text()).map_or(Code::Other(name), |(validity, uid)| Code::AppendUid(validity, uid)),
        "MAILBOXID" => Code::MailboxId(text().trim_matches(['(', ')']).to_owned()),
        _ => Code::Other(name),
    }
}

fn append_uid(text: &str) -> Option<(u32, u32)> {
    let (validity, uid) = text.split_once(' ')?;
    Some((validity.parse().ok()?, uid.trim().parse().ok()?))
}

fn words(raw: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(raw).to_ascii_uppercase();
    text.split_ascii_whitespace().take(WORDS_MAX).map(str::to_owned).collect()
}

fn numbered(c: &mut Cursor<'_>) -> Result<Response, Bad> {
    let number = c.number()?;
    c.space()?;
    Ok(match c.keyword()?.as_str() {
        "EXISTS" => Response::Exists(number),
        "EXPUNGE" => Response::Expunge(number),
        "FETCH" => {
            c.space()?;
            Response::Fetch(fetched(c, number)?)
        }
        _ => Response::Other,
    })
}

fn named(c: &mut Cursor<'_>) -> Result<Response, Bad> {
    let verb = c.keyword()?;
    Ok(match verb.as_str() {
        "CAPABILITY" => Response::Capability(words(c.take_rest())),
        "ENABLED" => Response::Enabled(words(c.take_rest())),
        "LIST" | "LSUB" | "XLIST" => {
            c.space()?;
            Response::List(listed(c, verb)?)
        }
        "STATUS" => {
            c.space()?;
            let name = c.astring_octets()?;
            let (items, id) = status_items(c)?;
            Response::Status { name, items, id }
        }
        "ID" => {
            c.space()?;
            Response::Id { name: server_name(c)? }
        }
        "QUOTA" => {
            c.space()?;
            c.astring_octets()?;
            Response::Quota { storage: storage(&words(c.take_rest())) }
        }
        "NAMESPACE" => Response::Namespace([namespace(c)?, namespace(c)?, namespace(c)?]),
        "VANISHED" => {
            c.space()?;
            let earlier = c.eat_word("(EARLIER)");
            let set = String::from_utf8_lossy(c.take_rest()).into_owned();
            Response::Vanished { earlier, uids: ranges(&set) }
        }
        _ => Response::Other,
    })
}

/// What is used and allowed of `(STORAGE 10 512 MESSAGE 1 100)`.
fn storage(words: &[String]) -> Option<(u64, u64)> {
    let bare: Vec<&str> = words.iter().map(|word| word.trim_matches(['(', ')'])).collect();
    let at = bare.iter().position(|word| *word == "STORAGE")?;
    Some((bare.get(at + 1)?.parse().ok()?, bare.get(at + 2)?.parse().ok()?))
}

/// Ranges of UIDs; what is none is left out.
fn ranges(text: &str) -> Vec<(u32, u32)> {
    let one = |part: &str| {
        let (first, last) = part.split_once(':').unwrap_or((part, part));
        let (first, last): (u32, u32) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        Some((first.min(last), first.max(last)))
    };
    text.split(',').filter_map(one).collect()
}

/// Words of a list in parentheses, with backslashes kept.
fn flags(c: &mut Cursor<'_>) -> Result<Vec<String>, Bad> {
    c.expect(b'(', "A list is wanted")?;
    let inner = c.take_while(|b| b != b')');
    c.expect(b')', "A list does not end")?;
    let inner = String::from_utf8_lossy(inner);
    Ok(inner.split_ascii_whitespace().take(WORDS_MAX).map(str::to_owned).collect())
}

fn listed(c: &mut Cursor<'_>, verb: String) -> Result<Listed, Bad> {
    let attributes = flags(c)?;
    c.space()?;
    let delimiter = c.nstring()?.and_then(|text| text.first().copied());
    c.space()?;
    // Names hold what no atom may: take all that is there when it is neither quoted nor a literal.
    let name = match c.peek() {
        Some(b'"' | b'{' | b'~') if c.at_string() => c.string()?,
        _ => c.take_rest().to_vec(),
    };
    Ok(Listed { verb, attributes, delimiter, name })
}

/// What stands behind `name` in a list of fields and their values; NIL has none.
fn server_name(c: &mut Cursor<'_>) -> Result<Option<String>, Bad> {
    let mut found = None;
    if !c.eat(b'(') {
        return Ok(found);
    }
    while !c.eat(b')') {
        c.take_while(|b| b == b' ');
        let field = c.string()?;
        c.space()?;
        let value = c.nstring()?;
        if field.eq_ignore_ascii_case(b"name") {
            found = value.map(|name| String::from_utf8_lossy(&name).into_owned());
        }
    }
    Ok(found)
}

/// An identity: `(M6d99ac3275bb4e)`, a string, an atom; `None` where it says nothing.
fn object_id(c: &mut Cursor<'_>) -> Result<Option<String>, Bad> {
    let raw = match c.eat(b'(') {
        true => {
            let raw = c.take_while(|b| b != b')').to_vec();
            c.eat(b')');
            raw
        }
        false if c.at_string() => c.string()?,
        false => c.take_while(|b| !matches!(b, b' ' | b')')).to_vec(),
    };
    let id = String::from_utf8_lossy(&raw).into_owned();
    Ok(Some(id).filter(|id| !id.is_empty() && !id.eq_ignore_ascii_case("NIL")))
}

fn status_items(c: &mut Cursor<'_>) -> Result<(Vec<(String, u64)>, Option<String>), Bad> {
    c.space()?;
    c.expect(b'(', "A list is wanted")?;
    let (mut items, mut id) = (Vec::new(), None);
    while !c.eat(b')') && items.len() < WORDS_MAX {
        c.take_while(|b| b == b' ');
        let name = c.keyword()?;
        c.space()?;
        match c.peek() {
            _ if matches!(&*name, "MAILBOXID" | "X-GUID") => id = object_id(c)?,
            Some(b'0'..=b'9') => items.push((name, c.number64()?)),
            _ => skip(c, 0)?,
        }
    }
    Ok((items, id))
}

fn namespace(c: &mut Cursor<'_>) -> Result<Vec<(Vec<u8>, Option<u8>)>, Bad> {
    c.space()?;
    if !c.eat(b'(') {
        c.keyword()?;
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    while !c.eat(b')') && found.len() < WORDS_MAX {
        c.take_while(|b| b == b' ');
        c.expect(b'(', "A namespace is wanted")?;
        let prefix = c.string()?;
        c.space()?;
        let delimiter = c.nstring()?.and_then(|text| text.first().copied());
        while !c.eat(b')') {
            c.take_while(|b| b == b' ');
            skip(c, 0)?;
        }
        found.push((prefix, delimiter));
    }
    Ok(found)
}

fn fetched(c: &mut Cursor<'_>, number: u32) -> Result<Fetched, Bad> {
    let mut found = Fetched { number, ..Fetched::default() };
    c.expect(b'(', "A list is wanted")?;
    loop {
        c.take_while(|b| b == b' ');
        if c.eat(b')') {
            return Ok(found);
        }
        let item = item_name(c);
        c.take_while(|b| b == b' ');
        item_value(c, &item, &mut found)?;
    }
}

/// `RFC822.SIZE`, `BODY[HEADER.FIELDS (A B)]<0>`.
fn item_name(c: &mut Cursor<'_>) -> String {
    let mut name = c.take_while(|b| !matches!(b, b' ' | b'[' | b')' | b'(')).to_vec();
    if c.peek() == Some(b'[') {
        name.extend_from_slice(c.take_while(|b| b != b']'));
        name.extend_from_slice(c.take_while(|b| b == b']'));
        c.take_while(|b| !matches!(b, b' ' | b')'));
    }
    String::from_utf8_lossy(&name).to_ascii_uppercase()
}

fn item_value(c: &mut Cursor<'_>, item: &str, found: &mut Fetched) -> Result<(), Bad> {
    let is_body = BODIES.iter().any(|name| if name.ends_with('[') { item.starts_with(name) } else { item == *name });
    match item {
        "" => return Err(Bad("An item is wanted")),
        "UID" => found.uid = Some(c.number()?),
        "RFC822.SIZE" => found.size = Some(c.number64()?),
        "FLAGS" => found.flags = Some(flags(c)?),
        "INTERNALDATE" => found.internal_date = c.nstring()?,
        "MODSEQ" => {
            c.expect(b'(', "A list is wanted")?;
            found.modseq = Some(c.number64()?);
            c.expect(b')', "A list does not end")?;
        }
        "EMAILID" | "X-GM-MSGID" | "X-GUID" | "DIGEST.SHA1" => found.identity = object_id(c)?,
        _ if is_body => body(c, found)?,
        _ => skip(c, 0)?,
    }
    Ok(())
}

/// A body: a literal that went past leaves its announcement and its line end; a quoted one is here.
fn body(c: &mut Cursor<'_>, found: &mut Fetched) -> Result<(), Bad> {
    c.eat(b'~');
    match c.peek() {
        Some(b'{') => {
            c.take_while(|b| b != b'\n');
            c.expect(b'\n', "Bad literal")?;
            found.streamed = true;
        }
        Some(b'"') => found.body = Some(c.string()?),
        // NIL: what is not there has no octets.
        _ => found.body = Some(c.nstring()?.unwrap_or_default()),
    }
    Ok(())
}

/// Steps over a value of whatever kind.
fn skip(c: &mut Cursor<'_>, depth: usize) -> Result<(), Bad> {
    if depth == DEPTH {
        return Err(Bad("Nested too deeply"));
    }
    if c.at_string() {
        return c.string().map(drop);
    }
    if !c.eat(b'(') {
        let taken = c.take_while(|b| !matches!(b, b' ' | b')' | b'('));
        return if taken.is_empty() { Err(Bad("A value is wanted")) } else { Ok(()) };
    }
    while !c.eat(b')') {
        c.take_while(|b| b == b' ');
        if c.peek() != Some(b')') {
            skip(c, depth + 1)?;
        }
    }
    Ok(())
}
