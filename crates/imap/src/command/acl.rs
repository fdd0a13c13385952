//! SETACL, DELETEACL, GETACL, LISTRIGHTS and MYRIGHTS (RFC 4314).
//!
//! Identifiers are addresses of accounts and groups of the tenant, local parts of the owner's domain, `anyone` and `authenticated`,
//! each with `-` before it for rights that are taken away. The owner has every right, always; his own line is shown and cannot be cut.
//!
//! Who was given something is noted in the directory before the list is written and forgotten after it was emptied, so that a crash
//! between leaves a note too many, never one too few.

use anser_base::Durability;
use anser_directory::{Account, GroupId, Identity};
use anser_store::{Grant, Rights, RightsAct, ShareNotice, Subject, Who};
use anser_wire::imap::Acl;
use anser_wire::imap::write::{write_astring, write_mailbox};

use crate::access::{self, Place};
use crate::name;
use crate::reply::{Outcome, Reply, Trouble};
use crate::session::Session;

/// One of these is enough for MYRIGHTS (RFC 4314 §4).
const ANY: Rights = Rights(
    Rights::LOOKUP.0
        | Rights::READ.0
        | Rights::INSERT.0
        | Rights::CREATE.0
        | Rights::DELETE_MAILBOX.0
        | Rights::ADMINISTER.0,
);

/// Whom an identifier means.
struct Named {
    who: Who,
    negative: bool,
}

pub(super) async fn run(session: &mut Session, acl: Acl) -> Outcome {
    match acl {
        Acl::Set { mailbox, identifier, rights } => set(session, &mailbox, &identifier, &rights).await,
        Acl::Delete { mailbox, identifier } => delete(session, &mailbox, &identifier).await,
        Acl::Get(mailbox) => get(session, &mailbox).await,
        Acl::ListRights { mailbox, identifier } => list_rights(session, &mailbox, &identifier).await,
        Acl::MyRights(mailbox) => my_rights(session, &mailbox).await,
    }
}

async fn set(session: &mut Session, mailbox: &str, identifier: &str, rights: &str) -> Outcome {
    let (act, letters) = match rights.split_at_checked(1) {
        Some(("+", letters)) => (RightsAct::Add, letters),
        Some(("-", letters)) => (RightsAct::Remove, letters),
        _ => (RightsAct::Set, rights),
    };
    let rights = Rights::parse(letters).map_err(|letter| match letter.is_ascii_uppercase() {
        true => Reply::bad("Uppercase rights are not allowed"),
        false => Reply::bad(format!("The {letter} right is not supported")),
    })?;
    let place = access::find(session, mailbox, Rights::ADMINISTER).await?;
    let named = named(session, &place.owner, identifier).await?;
    change(session, &place, named, act, rights).await
}

async fn delete(session: &mut Session, mailbox: &str, identifier: &str) -> Outcome {
    let place = access::find(session, mailbox, Rights::ADMINISTER).await?;
    let named = named(session, &place.owner, identifier).await?;
    change(session, &place, named, RightsAct::Set, Rights::NONE).await
}

async fn change(session: &Session, place: &Place, named: Named, act: RightsAct, rights: Rights) -> Outcome {
    let (owner, id) = (place.owner.id, place.mailbox.id);
    if named.who == Who::Account(owner) {
        let keeps = match act {
            RightsAct::Add => !named.negative,
            RightsAct::Set => !named.negative && rights == Rights::ALL,
            RightsAct::Remove => named.negative,
        };
        return if keeps { Ok(Reply::ok("Done")) } else { Ok(Reply::no("CANNOT", "The owner keeps every right")) };
    }
    let (directory, store, who) = (&session.deps.directory, &session.deps.store, named.who);
    let gives = act != RightsAct::Remove && rights != Rights::NONE && !named.negative;
    if gives {
        directory.note_share(owner, who.to_sql()).await?;
    }
    let line = Grant { who, negative: named.negative, rights };
    let by = session.account()?.clone();
    let concerned = directory.concerned(owner, by.id, who.to_sql()).await?;
    let concerned: Vec<Subject> = concerned.into_iter().map(|(account, groups)| Subject { account, groups }).collect();
    let (still_gives, shared) = store
        .write(owner, Durability::Sync, move |tx| {
            let shared = tx.share(id, line, act, &concerned)?;
            Ok((tx.gives_to(who)?, shared))
        })
        .await?;
    match still_gives {
        // Somebody may have emptied the list and forgotten the note since it was made above.
        true => directory.note_share(owner, who.to_sql()).await?,
        false => {
            directory.forget_share(owner, who.to_sql()).await?;
            // Or have given them something before the note was gone.
            if store.read(owner, move |tx| tx.gives_to(who)).await? {
                directory.note_share(owner, who.to_sql()).await?;
            }
        }
    }
    let by = (by.id, by.name.as_str(), by.address.to_string());
    store.tell_of_share(ShareNotice::by(by, owner, id, &shared.name), shared.rights).await;
    Ok(Reply::ok("Done"))
}

async fn named(session: &Session, owner: &Account, identifier: &str) -> Result<Named, Trouble> {
    let (negative, name) = match identifier.strip_prefix('-') {
        Some(name) => (true, name),
        None => (false, identifier),
    };
    if name.is_empty() || name.contains(char::is_control) {
        return Err(Reply::bad("This is no identifier").into());
    }
    let who = match name {
        "anyone" => Who::Anyone,
        "authenticated" => Who::Authenticated,
        name => match session.deps.directory.identify(name, owner).await? {
            Some(Identity::Account(account)) => Who::Account(account.id),
            Some(Identity::Group(group)) => Who::Group(group.id.0),
            None => return Err(Reply::no("CANNOT", "Nobody has this name").into()),
        },
    };
    Ok(Named { who, negative })
}

async fn get(session: &mut Session, mailbox: &str) -> Outcome {
    let place = access::find(session, mailbox, Rights::ADMINISTER).await?;
    let id = place.mailbox.id;
    let list = session.deps.store.read(place.owner.id, move |tx| tx.acl(id)).await?;
    let mut lines = Vec::with_capacity(list.len() + 1);
    if !place.owner.shared {
        lines.push((place.owner.address.to_string(), Rights::ALL));
    }
    for grant in list {
        // Whoever is gone for good has no name any more.
        let Some(name) = name_of(session, grant.who).await? else { continue };
        let sign = if grant.negative { "-" } else { "" };
        lines.push((format!("{sign}{name}"), grant.rights));
    }
    let utf8 = session.enabled.utf8;
    begin(session, "ACL", mailbox);
    for (name, rights) in lines {
        session.out.push(b' ');
        write_astring(&mut session.out, name.as_bytes(), utf8);
        session.out.push(b' ');
        write_astring(&mut session.out, rights.to_string().as_bytes(), utf8);
    }
    session.out.extend_from_slice(b"\r\n");
    Ok(Reply::ok("Done"))
}

async fn name_of(session: &Session, who: Who) -> Result<Option<String>, Trouble> {
    let directory = &session.deps.directory;
    Ok(match who {
        Who::Anyone => Some("anyone".to_owned()),
        Who::Authenticated => Some("authenticated".to_owned()),
        Who::Account(id) => directory.account(id).await?.map(|account| account.address.to_string()),
        Who::Group(id) => directory.group_by_id(GroupId(id)).await?.map(|group| group.address.to_string()),
    })
}

/// Every right can be given and taken by itself, but the owner's, which he always has.
async fn list_rights(session: &mut Session, mailbox: &str, identifier: &str) -> Outcome {
    let place = access::find(session, mailbox, Rights::ADMINISTER).await?;
    let named = named(session, &place.owner, identifier).await?;
    let utf8 = session.enabled.utf8;
    begin(session, "LISTRIGHTS", mailbox);
    session.out.push(b' ');
    write_astring(&mut session.out, identifier.as_bytes(), utf8);
    let all = Rights::ALL.to_string();
    let words = match named.who == Who::Account(place.owner.id) && !named.negative {
        true => format!(" {all}"),
        false => all.chars().fold(" \"\"".to_owned(), |words, letter| format!("{words} {letter}")),
    };
    session.out.extend_from_slice(words.as_bytes());
    session.out.extend_from_slice(b"\r\n");
    Ok(Reply::ok("Done"))
}

async fn my_rights(session: &mut Session, mailbox: &str) -> Outcome {
    let place = access::find(session, mailbox, Rights::NONE).await?;
    if !place.rights.has_any(ANY) {
        place.require(ANY, "NONEXISTENT")?;
    }
    begin(session, "MYRIGHTS", mailbox);
    session.out.extend_from_slice(format!(" {}\r\n", place.rights).as_bytes());
    Ok(Reply::ok("Done"))
}

fn begin(session: &mut Session, word: &str, mailbox: &str) {
    let path = name::text(mailbox);
    session.out.extend_from_slice(format!("* {word} ").as_bytes());
    write_mailbox(&mut session.out, path.strip_suffix(name::SEPARATOR).unwrap_or(&path), session.enabled.utf8);
}
