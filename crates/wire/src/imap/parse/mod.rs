//! From one complete command to its type.

mod append;
mod cursor;
mod fetch;
mod mailbox;
mod notify;
mod search;

pub(super) use append::{Fragment, MessageHead, Place, Step, Target, fragment, target};
pub(super) use cursor::{Cursor, is_atom_char};
pub(super) use fetch::section;

use super::command::{Acl, Command, Metadata, QuotaLimit, Store, StoreAction, Transfer};
use super::{LIST_MAX, TAG_MAX};
use crate::Secret;
use crate::sasl::decode_base64;

/// Why a command is refused with BAD.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bad(pub &'static str);

/// The tag at the front of a command, if there is a good one.
pub(super) fn tag(cursor: &mut Cursor<'_>) -> Result<String, Bad> {
    let octets = cursor.take_while(|b| (is_atom_char(b) || b == b']') && b != b'+' && b.is_ascii());
    if octets.is_empty() || octets.len() > TAG_MAX || !cursor.eat(b' ') {
        return Err(Bad("A tag is wanted"));
    }
    Ok(String::from_utf8_lossy(octets).into_owned())
}

/// Parses what follows the tag, up to the end of the command.
pub(super) fn command(c: &mut Cursor<'_>) -> Result<Command, Bad> {
    let name = c.keyword().map_err(|_| Bad("A command is wanted"))?;
    let command = match name.as_str() {
        "UID" => {
            c.space()?;
            let name = c.keyword()?;
            with_numbers(c, &name, true)?.ok_or(Bad("Unknown UID command"))?
        }
        _ => match plain(&name) {
            Some(command) => command,
            None => match with_numbers(c, &name, false)? {
                Some(command) => command,
                None => with_arguments(c, &name)?,
            },
        },
    };
    c.end()?;
    Ok(command)
}

/// Commands without arguments.
fn plain(name: &str) -> Option<Command> {
    Some(match name {
        "CAPABILITY" => Command::Capability,
        "NOOP" => Command::Noop,
        "LOGOUT" => Command::Logout,
        "STARTTLS" => Command::StartTls,
        "NAMESPACE" => Command::Namespace,
        "IDLE" => Command::Idle,
        "CHECK" => Command::Check,
        "CLOSE" => Command::Close,
        "UNSELECT" => Command::Unselect,
        "EXPUNGE" => Command::Expunge(None),
        "UNAUTHENTICATE" => Command::Unauthenticate,
        "GETJMAPACCESS" => Command::GetJmapAccess,
        _ => return None,
    })
}

/// Commands on messages, which exist with and without UID.
fn with_numbers(c: &mut Cursor<'_>, name: &str, uid: bool) -> Result<Option<Command>, Bad> {
    Ok(Some(match name {
        "FETCH" => Command::Fetch(fetch::fetch(c, uid)?),
        "STORE" => Command::Store(store(c, uid)?),
        "SEARCH" => Command::Search(search::search(c, uid)?),
        "COPY" => Command::Copy(transfer(c, uid)?),
        "MOVE" => Command::Move(transfer(c, uid)?),
        "SORT" => Command::Sort(search::sort(c, uid)?),
        "THREAD" => Command::Thread(search::thread(c, uid)?),
        "EXPUNGE" if uid => {
            c.space()?;
            Command::Expunge(Some(c.sequence_set()?))
        }
        _ => return Ok(None),
    }))
}

/// Every other command. An unknown one has its arguments dropped.
fn with_arguments(c: &mut Cursor<'_>, name: &str) -> Result<Command, Bad> {
    if !KNOWN.contains(&name) {
        c.take_rest();
        return Ok(Command::Unknown(name.to_owned()));
    }
    if name == "LANGUAGE" {
        return Ok(Command::Language(languages(c)?));
    }
    c.space()?;
    Ok(match name {
        "LOGIN" => login(c)?,
        "AUTHENTICATE" => authenticate(c)?,
        "ENABLE" => Command::Enable(words(c)?),
        "COMPRESS" => Command::Compress(c.keyword()?),
        "SELECT" => Command::Select(mailbox::select(c, false)?),
        "EXAMINE" => Command::Select(mailbox::select(c, true)?),
        "CREATE" => mailbox::create(c)?,
        "DELETE" => Command::Delete(c.mailbox()?),
        "RENAME" => Command::Rename { from: c.mailbox()?, to: second(c, Cursor::mailbox)? },
        "SUBSCRIBE" => Command::Subscribe(c.mailbox()?),
        "UNSUBSCRIBE" => Command::Unsubscribe(c.mailbox()?),
        "LIST" => Command::List(mailbox::list(c)?),
        "XLIST" => Command::Xlist { reference: c.reference()?, pattern: second(c, Cursor::pattern)? },
        "LSUB" => Command::Lsub { reference: c.reference()?, pattern: second(c, Cursor::pattern)? },
        "STATUS" => Command::Status { mailbox: c.mailbox()?, items: second(c, mailbox::status_items)? },
        "ID" => id(c)?,
        "GETQUOTA" => Command::GetQuota(c.astring()?),
        "GETQUOTAROOT" => Command::GetQuotaRoot(c.mailbox()?),
        "SETQUOTA" => Command::SetQuota { root: c.astring()?, limits: second(c, |c| c.list(quota_limit))? },
        "GETMETADATA" | "SETMETADATA" => Command::Metadata(metadata(c, name == "GETMETADATA")?),
        "NOTIFY" => Command::Notify(notify::notify(c)?),
        "APPEND" | "REPLACE" => return Err(Bad("Bad arguments of APPEND")),
        _ => Command::Acl(acl(c, name)?),
    })
}

const KNOWN: [&str; 30] = [
    "LANGUAGE",
    "LOGIN",
    "AUTHENTICATE",
    "ENABLE",
    "COMPRESS",
    "SELECT",
    "EXAMINE",
    "CREATE",
    "DELETE",
    "RENAME",
    "SUBSCRIBE",
    "UNSUBSCRIBE",
    "LIST",
    "XLIST",
    "LSUB",
    "STATUS",
    "ID",
    "GETQUOTA",
    "GETQUOTAROOT",
    "SETQUOTA",
    "GETMETADATA",
    "SETMETADATA",
    "NOTIFY",
    "APPEND",
    "REPLACE",
    "SETACL",
    "DELETEACL",
    "LISTRIGHTS",
    "GETACL",
    "MYRIGHTS",
];

/// A space and an argument.
fn second<'a, T>(c: &mut Cursor<'a>, argument: impl FnOnce(&mut Cursor<'a>) -> Result<T, Bad>) -> Result<T, Bad> {
    c.space()?;
    argument(c)
}

/// The ranges of LANGUAGE, perhaps none.
fn languages(c: &mut Cursor<'_>) -> Result<Vec<String>, Bad> {
    let mut ranges = Vec::new();
    while c.more() && ranges.len() < LIST_MAX {
        ranges.push(c.astring()?);
    }
    Ok(ranges)
}

/// Keywords up to the end.
fn words(c: &mut Cursor<'_>) -> Result<Vec<String>, Bad> {
    let mut words = vec![c.keyword()?];
    while c.more() && words.len() < LIST_MAX {
        words.push(c.keyword()?);
    }
    Ok(words)
}

fn login(c: &mut Cursor<'_>) -> Result<Command, Bad> {
    let user = c.astring()?;
    if user.chars().any(char::is_control) {
        return Err(Bad("A user name holds a control character"));
    }
    Ok(Command::Login { user, password: Secret::new(second(c, Cursor::astring_octets)?) })
}

fn authenticate(c: &mut Cursor<'_>) -> Result<Command, Bad> {
    let mechanism = c.keyword()?;
    let initial = match c.more() {
        false => None,
        true => Some(match c.take_rest().trim_ascii_end() {
            b"=" => Secret::new([]),
            text => Secret::new(decode_base64(text).map_err(|_| Bad("Cannot decode base64"))?),
        }),
    };
    Ok(Command::Authenticate { mechanism, initial })
}

fn id(c: &mut Cursor<'_>) -> Result<Command, Bad> {
    if c.peek() != Some(b'(') {
        return if c.keyword()? == "NIL" { Ok(Command::Id(Vec::new())) } else { Err(Bad("A list or NIL is wanted")) };
    }
    let pair = |c: &mut Cursor<'_>| {
        let name = c.string_text()?;
        let value = second(c, Cursor::nstring)?;
        Ok((name, value.map(|octets| String::from_utf8_lossy(&octets).into_owned())))
    };
    c.list(pair).map(Command::Id)
}

fn quota_limit(c: &mut Cursor<'_>) -> Result<QuotaLimit, Bad> {
    Ok(QuotaLimit { resource: c.keyword()?, limit: second(c, Cursor::number64)? })
}

fn acl(c: &mut Cursor<'_>, name: &str) -> Result<Acl, Bad> {
    let mailbox = c.mailbox()?;
    Ok(match name {
        "SETACL" => Acl::Set { mailbox, identifier: second(c, Cursor::astring)?, rights: second(c, Cursor::astring)? },
        "DELETEACL" => Acl::Delete { mailbox, identifier: second(c, Cursor::astring)? },
        "LISTRIGHTS" => Acl::ListRights { mailbox, identifier: second(c, Cursor::astring)? },
        "MYRIGHTS" => Acl::MyRights(mailbox),
        _ => Acl::Get(mailbox),
    })
}

fn metadata(c: &mut Cursor<'_>, get: bool) -> Result<Metadata, Bad> {
    if !get {
        let entry = |c: &mut Cursor<'_>| Ok((c.astring()?, second(c, Cursor::nstring)?));
        return Ok(Metadata::Set { mailbox: c.mailbox()?, entries: second(c, |c| c.list1(entry))? });
    }
    let (mut max_size, mut depth) = mailbox::metadata_options(c)?;
    let mailbox = c.mailbox()?;
    c.space()?;
    // The examples of RFC 5464 have the options behind the mailbox, its grammar before it.
    if matches!(c.rest(), [b'(', letter, ..] if letter.is_ascii_alphabetic()) {
        (max_size, depth) = mailbox::metadata_options(c)?;
    }
    let entries = if c.peek() == Some(b'(') { c.list1(Cursor::astring)? } else { vec![c.astring()?] };
    Ok(Metadata::Get { mailbox, max_size, depth, entries })
}

fn transfer(c: &mut Cursor<'_>, uid: bool) -> Result<Transfer, Bad> {
    c.space()?;
    Ok(Transfer { uid, set: c.sequence_set()?, mailbox: second(c, Cursor::mailbox)? })
}

fn store(c: &mut Cursor<'_>, uid: bool) -> Result<Store, Bad> {
    c.space()?;
    let set = c.sequence_set()?;
    c.space()?;
    let mut unchanged_since = None;
    if c.eat(b'(') {
        if !c.eat_word("UNCHANGEDSINCE") {
            return Err(Bad("Unknown STORE modifier"));
        }
        unchanged_since = Some(c.number64()?);
        c.expect(b')', "Bad STORE modifier")?;
        c.space()?;
    }
    let (action, silent) = match c.keyword()?.as_str() {
        "FLAGS" => (StoreAction::Replace, false),
        "FLAGS.SILENT" => (StoreAction::Replace, true),
        "+FLAGS" => (StoreAction::Add, false),
        "+FLAGS.SILENT" => (StoreAction::Add, true),
        "-FLAGS" => (StoreAction::Remove, false),
        "-FLAGS.SILENT" => (StoreAction::Remove, true),
        _ => return Err(Bad("Unknown STORE item")),
    };
    c.space()?;
    Ok(Store { uid, set, unchanged_since, action, silent, flags: store_flags(c)? })
}

/// A flag list, or flags without parentheses.
fn store_flags(c: &mut Cursor<'_>) -> Result<Vec<super::Flag>, Bad> {
    if c.peek() == Some(b'(') {
        return c.list(Cursor::flag);
    }
    let mut flags = vec![c.flag()?];
    while c.more() && flags.len() < LIST_MAX {
        flags.push(c.flag()?);
    }
    Ok(flags)
}
