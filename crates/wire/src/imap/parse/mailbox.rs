//! Commands on mailboxes with arguments of their own.

use super::{Bad, Cursor, second};
use crate::imap::{Command, List, ListReturn, ListSelection, PATTERNS_MAX, Qresync, Select, StatusItem};

pub(super) fn select(c: &mut Cursor<'_>, read_only: bool) -> Result<Select, Bad> {
    let mut select = Select { mailbox: c.mailbox()?, read_only, condstore: false, qresync: None };
    if c.more() {
        for parameter in c.list1(select_parameter)? {
            match parameter {
                Some(qresync) => select.qresync = Some(qresync),
                None => select.condstore = true,
            }
        }
    }
    Ok(select)
}

/// QRESYNC, or `None` for CONDSTORE.
fn select_parameter(c: &mut Cursor<'_>) -> Result<Option<Qresync>, Bad> {
    match c.keyword()?.as_str() {
        "CONDSTORE" => Ok(None),
        "QRESYNC" => second(c, qresync).map(Some),
        _ => Err(Bad("Unknown SELECT parameter")),
    }
}

fn qresync(c: &mut Cursor<'_>) -> Result<Qresync, Bad> {
    c.expect(b'(', "QRESYNC wants a list")?;
    let uid_validity = c.nz_number()?;
    let mod_seq = second(c, Cursor::number64)?;
    let mut qresync = Qresync { uid_validity, mod_seq, known_uids: None, sequence_match: None };
    if c.eat(b' ') {
        if c.peek() != Some(b'(') {
            qresync.known_uids = Some(c.sequence_set()?);
        }
        if qresync.known_uids.is_none() || c.eat(b' ') {
            c.expect(b'(', "Bad QRESYNC parameter")?;
            qresync.sequence_match = Some((c.sequence_set()?, second(c, Cursor::sequence_set)?));
            c.expect(b')', "Bad QRESYNC parameter")?;
        }
    }
    c.expect(b')', "Bad QRESYNC parameter")?;
    Ok(qresync)
}

pub(super) fn create(c: &mut Cursor<'_>) -> Result<Command, Bad> {
    let mailbox = c.mailbox()?;
    let special_use = if c.more() { c.list1(create_parameter)?.concat() } else { Vec::new() };
    Ok(Command::Create { mailbox, special_use })
}

fn create_parameter(c: &mut Cursor<'_>) -> Result<Vec<String>, Bad> {
    if !c.eat_word("USE") {
        return Err(Bad("Unknown CREATE parameter"));
    }
    c.list(|c| {
        c.expect(b'\\', "A special use is wanted")?;
        Ok(format!("\\{}", c.atom()?))
    })
}

pub(super) fn list(c: &mut Cursor<'_>) -> Result<List, Bad> {
    let mut list = List::default();
    if c.peek() == Some(b'(') {
        list.extended = true;
        for option in c.list(Cursor::keyword)? {
            select_option(&mut list.selection, &option)?;
        }
        c.space()?;
    }
    list.reference = c.reference()?;
    c.space()?;
    if c.peek() == Some(b'(') {
        list.extended = true;
        list.patterns = c.list1(Cursor::pattern)?;
        if list.patterns.len() > PATTERNS_MAX {
            return Err(Bad("Too many patterns"));
        }
    } else {
        list.patterns.push(c.pattern()?);
    }
    if c.more() {
        list.extended = true;
        if !c.eat_word("RETURN") {
            return Err(Bad("RETURN is wanted"));
        }
        for option in c.list(return_option)? {
            apply_return(&mut list.returns, option)?;
        }
    }
    let ListSelection { recursive_match, subscribed, special_use, .. } = list.selection;
    if recursive_match && !subscribed && !special_use {
        return Err(Bad("RECURSIVEMATCH wants another selection option"));
    }
    Ok(list)
}

fn select_option(selection: &mut ListSelection, option: &str) -> Result<(), Bad> {
    match option {
        "SUBSCRIBED" => selection.subscribed = true,
        "REMOTE" => selection.remote = true,
        "RECURSIVEMATCH" => selection.recursive_match = true,
        "SPECIAL-USE" => selection.special_use = true,
        _ => return Err(Bad("Unknown LIST selection option")),
    }
    Ok(())
}

/// What a return option of LIST comes with.
enum Detail {
    None,
    Status(Vec<StatusItem>),
    Metadata(Vec<String>),
}

fn return_option(c: &mut Cursor<'_>) -> Result<(String, Detail), Bad> {
    let option = c.keyword()?;
    let detail = match option.as_str() {
        "STATUS" => Detail::Status(second(c, status_items)?),
        "METADATA" => Detail::Metadata(second(c, |c| c.list1(Cursor::astring))?),
        _ => Detail::None,
    };
    Ok((option, detail))
}

fn apply_return(returns: &mut ListReturn, (option, detail): (String, Detail)) -> Result<(), Bad> {
    match detail {
        Detail::Status(items) => returns.status = items,
        Detail::Metadata(entries) => returns.metadata = entries,
        Detail::None => return apply_plain_return(returns, &option),
    }
    Ok(())
}

fn apply_plain_return(returns: &mut ListReturn, option: &str) -> Result<(), Bad> {
    match option {
        "SUBSCRIBED" => returns.subscribed = true,
        "CHILDREN" => returns.children = true,
        "SPECIAL-USE" => returns.special_use = true,
        "MYRIGHTS" => returns.my_rights = true,
        _ => return Err(Bad("Unknown LIST return option")),
    }
    Ok(())
}

pub(super) fn status_items(c: &mut Cursor<'_>) -> Result<Vec<StatusItem>, Bad> {
    c.list1(|c| StatusItem::parse(&c.keyword()?).ok_or(Bad("Unknown STATUS item")))
}

/// `(MAXSIZE n DEPTH d)` and its space, or nothing: MAXSIZE, and DEPTH with 0 as its default.
pub(super) fn metadata_options(c: &mut Cursor<'_>) -> Result<(Option<u64>, Option<u8>), Bad> {
    let (mut max_size, mut depth) = (None, Some(0));
    if c.peek() != Some(b'(') {
        return Ok((max_size, depth));
    }
    let options = c.list1(|c| Ok((c.keyword()?, second(c, Cursor::keyword)?)))?;
    c.space()?;
    for (option, value) in options {
        match (option.as_str(), value.as_str()) {
            ("MAXSIZE", value) => max_size = Some(value.parse().map_err(|_| Bad("Bad MAXSIZE"))?),
            ("DEPTH", "0") => depth = Some(0),
            ("DEPTH", "1") => depth = Some(1),
            ("DEPTH", "INFINITY") => depth = None,
            _ => return Err(Bad("Unknown GETMETADATA option")),
        }
    }
    Ok((max_size, depth))
}
