//! GETMETADATA and SETMETADATA (RFC 5464): annotations of mailboxes, of the account, and of the organisation.
//!
//! | name | kept in | shown to | set by |
//! |---|---|---|---|
//! | `/shared/…` of a mailbox | the owner's account | who has `l` and one of `rswip` | who has `w` besides |
//! | `/private/…` of a mailbox | the owner's account | the one user who set it | who has `l` and one of `rswip` |
//! | `/shared/…` of the server | the directory, for each tenant | everybody of the tenant | its administrators |
//! | `/private/…` of the server | the user's account | the user | the user |

use anser_base::{AccountId, Class, Durability, MailboxId};
use anser_store::{ACCOUNT_ITSELF, ANNOTATION, ANNOTATION_NAME, ANNOTATIONS, Annotation, MailTx, Rights};
use anser_wire::imap::Metadata;
use anser_wire::imap::write::{write_astring, write_list, write_mailbox, write_nstring};

use crate::access;
use crate::name;
use crate::reply::{Outcome, Reply, Trouble};
use crate::session::Session;

/// One of these is needed beside `l` (RFC 5464 §3.3).
pub(super) const SOME: Rights =
    Rights(Rights::READ.0 | Rights::SEEN.0 | Rights::WRITE.0 | Rights::INSERT.0 | Rights::POST.0);

/// What is wanted of annotations.
pub(super) struct Wanted<'a> {
    /// Names with `/private` or `/shared`.
    pub entries: &'a [String],
    /// How far below each entry: `None` for all the way.
    pub depth: Option<u8>,
    /// Longest value, in octets.
    pub max_size: Option<u64>,
}

/// Annotations with their whole names, and the size of the largest that was too large.
struct Shown {
    entries: Vec<(String, Option<Vec<u8>>)>,
    longest: Option<u64>,
}

pub(super) async fn run(session: &mut Session, metadata: Metadata) -> Outcome {
    match metadata {
        Metadata::Get { mailbox, max_size, depth, entries } => {
            get(session, &mailbox, &Wanted { entries: &entries, depth, max_size }).await
        }
        Metadata::Set { mailbox, entries } => set(session, &mailbox, entries).await,
    }
}

async fn get(session: &mut Session, mailbox: &str, wanted: &Wanted<'_>) -> Outcome {
    let place = place(session, mailbox, Rights::NONE).await?;
    let longest = write(session, &name::text(mailbox), place, wanted).await?;
    match longest {
        Some(size) => Ok(Reply::ok_with(format!("METADATA LONGENTRIES {size}"), "Done")),
        None => Ok(Reply::ok("Done")),
    }
}

/// Writes the METADATA response of a mailbox, of the server for no place; returns the size of the largest value that was left out.
pub(super) async fn write(
    session: &mut Session,
    path: &str,
    place: Option<(AccountId, MailboxId)>,
    wanted: &Wanted<'_>,
) -> Result<Option<u64>, Trouble> {
    let (shared, private) = stored(session, place).await?;
    let shown = shown(wanted, &shared, &private)?;
    let utf8 = session.enabled.utf8;
    if !shown.entries.is_empty() {
        session.out.extend_from_slice(b"* METADATA ");
        write_mailbox(&mut session.out, path, utf8);
        session.out.push(b' ');
        write_list(&mut session.out, &shown.entries, |out, (name, value)| {
            write_astring(out, name.as_bytes(), utf8);
            out.push(b' ');
            write_nstring(out, value.as_deref(), utf8);
        });
        session.out.extend_from_slice(b"\r\n");
    }
    Ok(shown.longest)
}

/// Where the annotations of a mailbox are that the user may look at, and with `need` change; `None` for the server's.
async fn place(session: &Session, mailbox: &str, need: Rights) -> Result<Option<(AccountId, MailboxId)>, Trouble> {
    if mailbox.is_empty() {
        return Ok(None);
    }
    let place = access::find(session, mailbox, Rights::LOOKUP.with(need)).await?;
    match place.rights.has_any(SOME) {
        true => Ok(Some((place.owner.id, place.mailbox.id))),
        false => Err(access::not_permitted().into()),
    }
}

/// Shared and private annotations.
async fn stored(
    session: &Session,
    place: Option<(AccountId, MailboxId)>,
) -> Result<(Vec<Annotation>, Vec<Annotation>), Trouble> {
    let user = session.account_id()?;
    let store = &session.deps.store;
    Ok(match place {
        Some((owner, id)) => {
            let read = move |tx: &mut MailTx<'_, '_>| Ok((tx.annotations(id, None)?, tx.annotations(id, Some(user))?));
            store.read(owner, read).await?
        }
        None => {
            let shared = session.deps.directory.annotations(session.account()?.tenant).await?;
            (shared, store.read(user, move |tx| tx.annotations(ACCOUNT_ITSELF, Some(user))).await?)
        }
    })
}

/// Writes a METADATA response with names only.
pub(crate) fn write_names(session: &mut Session, path: &str, names: impl Iterator<Item = String>) {
    let utf8 = session.enabled.utf8;
    session.out.extend_from_slice(b"* METADATA ");
    write_mailbox(&mut session.out, path, utf8);
    for name in names {
        session.out.push(b' ');
        write_astring(&mut session.out, name.as_bytes(), utf8);
    }
    session.out.extend_from_slice(b"\r\n");
}

fn shown(wanted: &Wanted<'_>, shared: &[Annotation], private: &[Annotation]) -> Result<Shown, Reply> {
    let mut shown = Shown { entries: Vec::new(), longest: None };
    for asked in wanted.entries {
        let (is_private, name) = split(asked)?;
        let (top, all) = if is_private { ("/private", private) } else { ("/shared", shared) };
        let mut found = false;
        for (entry, value) in all.iter().filter(|(entry, _)| is_within(entry, &name, wanted.depth)) {
            found |= *entry == name;
            let size = value.len() as u64;
            let whole = format!("{top}{entry}");
            if wanted.max_size.is_some_and(|max| size > max) {
                shown.longest = shown.longest.max(Some(size));
            } else if !shown.entries.iter().any(|(known, _)| *known == whole) {
                shown.entries.push((whole, Some(value.clone())));
            }
        }
        if !found && wanted.depth == Some(0) && !name.is_empty() {
            shown.entries.push((format!("{top}{name}"), None));
        }
    }
    Ok(shown)
}

/// Whether an entry is the named one, or below it by so many levels at most.
fn is_within(entry: &str, name: &str, depth: Option<u8>) -> bool {
    match entry.strip_prefix(name) {
        Some("") => true,
        Some(rest) if rest.starts_with('/') => {
            depth.is_none_or(|depth| rest.matches('/').count() <= usize::from(depth))
        }
        _ => false,
    }
}

/// Whether an entry is private, and its name without that, in lower case (RFC 5464 §3.2: US-ASCII without regard to case).
fn split(entry: &str) -> Result<(bool, String), Reply> {
    let lower = entry.to_ascii_lowercase();
    let good = lower.is_ascii()
        && lower.len() <= ANNOTATION_NAME
        && !lower.contains(['*', '%'])
        && !lower.contains(char::is_control)
        && !lower.contains("//")
        && !lower.ends_with('/');
    let parts = [("/private", true), ("/shared", false)];
    let found = parts.iter().find_map(|(top, private)| {
        let rest = lower.strip_prefix(top)?;
        (rest.is_empty() || rest.starts_with('/')).then(|| (*private, rest.to_owned()))
    });
    found.filter(|_| good).ok_or_else(|| Reply::bad("This is no name of an annotation"))
}

async fn set(session: &mut Session, mailbox: &str, entries: Vec<(String, Option<Vec<u8>>)>) -> Outcome {
    let (mut shared, mut private) = (Vec::new(), Vec::new());
    for (entry, value) in entries {
        let (is_private, name) = split(&entry)?;
        if name.is_empty() {
            return Ok(Reply::bad("This is no name of an annotation"));
        }
        if value.as_ref().is_some_and(|value| value.len() > ANNOTATION) {
            return Ok(Reply::no(format!("METADATA MAXSIZE {ANNOTATION}"), "The annotation is too long"));
        }
        if is_private { &mut private } else { &mut shared }.push((name, value));
    }
    let need = if shared.is_empty() { Rights::NONE } else { Rights::WRITE };
    match place(session, mailbox, need).await? {
        Some((owner, id)) => annotate(session, owner, id, shared, private).await?,
        None => annotate_server(session, shared, private).await?,
    }
    Ok(Reply::ok("Done"))
}

type Entries = Vec<(String, Option<Vec<u8>>)>;

async fn annotate(
    session: &Session,
    owner: AccountId,
    id: MailboxId,
    shared: Entries,
    private: Entries,
) -> Result<(), Trouble> {
    let user = session.account_id()?;
    let work = move |tx: &mut MailTx<'_, '_>| {
        tx.annotate(id, None, &shared)?;
        tx.annotate(id, Some(user), &private)
    };
    match session.deps.store.write(owner, Durability::Sync, work).await {
        Err(error) if error.class == Class::Limit => Err(too_many().into()),
        other => Ok(other?),
    }
}

async fn annotate_server(session: &Session, shared: Entries, private: Entries) -> Result<(), Trouble> {
    if shared.is_empty() {
        return annotate(session, session.account_id()?, ACCOUNT_ITSELF, shared, private).await;
    }
    if !access::administers(session).await? {
        return Err(access::not_permitted().into());
    }
    let (directory, tenant) = (&session.deps.directory, session.account()?.tenant);
    let known = directory.annotations(tenant).await?;
    let new = shared.iter().filter(|(name, value)| value.is_some() && !known.iter().any(|(entry, _)| entry == name));
    if known.len() + new.count() > ANNOTATIONS {
        return Err(too_many().into());
    }
    annotate(session, session.account_id()?, ACCOUNT_ITSELF, Entries::new(), private).await?;
    Ok(directory.annotate(tenant, shared).await?)
}

fn too_many() -> Reply {
    Reply::no("METADATA TOOMANY", "There are too many annotations")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_and_refused() {
        assert_eq!(split("/Private/Comment").ok(), Some((true, "/comment".to_owned())));
        assert_eq!(split("/shared").ok(), Some((false, String::new())));
        for bad in ["comment", "/sharedx/a", "/shared//a", "/shared/a/", "/shared/%", "/shared/\u{e9}", "/other/a"] {
            assert!(split(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn depth_counts_levels() {
        for (entry, depth, expected) in [
            ("/a", Some(0), true),
            ("/a/b", Some(0), false),
            ("/a/b", Some(1), true),
            ("/a/b/c", Some(1), false),
            ("/a/b/c", None, true),
            ("/ab", None, false),
        ] {
            assert_eq!(is_within(entry, "/a", depth), expected, "{entry} {depth:?}");
        }
    }
}
