//! The commands: which state each needs, and which function performs it.

pub(crate) mod append;
mod authenticate;
mod close;
mod create;
mod delete;
mod enable;
mod expunge;
mod fetch;
mod id;
mod idle;
mod list;
mod login;
mod lsub;
mod namespace;
mod quota;
mod rename;
mod search;
mod select;
mod starttls;
mod status;
mod store;
mod subscribe;
mod transfer;

use anser_base::MailboxId;
use anser_store::Mailbox;
use anser_wire::imap::Command;

use crate::capability;
use crate::name;
use crate::reply::{Outcome, Reply, Trouble};
use crate::session::Session;
use crate::view::Telling;

pub(crate) use select::leave_mailbox;

/// The state that a command needs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needs {
    Nothing,
    NoLogin,
    Login,
    Mailbox,
}

/// Which state a command needs, and whether EXPUNGE may be told before its tagged reply (RFC 9051 §7.5.1: not where the client
/// may have more commands by message number under way).
fn rule(command: &Command) -> (Needs, bool) {
    match command {
        Command::Capability | Command::Noop | Command::Logout | Command::Id(_) | Command::Unknown(_) => {
            (Needs::Nothing, true)
        }
        Command::StartTls | Command::Authenticate { .. } | Command::Login { .. } => (Needs::NoLogin, true),
        Command::Enable(_)
        | Command::Select(_)
        | Command::Create { .. }
        | Command::Delete(_)
        | Command::Rename { .. }
        | Command::Subscribe(_)
        | Command::Unsubscribe(_)
        | Command::List(_)
        | Command::Lsub { .. }
        | Command::Namespace
        | Command::Status { .. }
        | Command::Idle
        | Command::GetQuota(_)
        | Command::GetQuotaRoot(_)
        | Command::SetQuota { .. }
        | Command::Acl(_)
        | Command::Metadata(_)
        | Command::Compress(_)
        | Command::Unauthenticate
        | Command::Notify(_) => (Needs::Login, true),
        Command::Check | Command::Close | Command::Unselect | Command::Expunge(_) => (Needs::Mailbox, true),
        Command::Search(search) => (Needs::Mailbox, search.uid),
        Command::Fetch(fetch) => (Needs::Mailbox, fetch.uid),
        Command::Store(store) => (Needs::Mailbox, store.uid),
        Command::Copy(copy) | Command::Move(copy) => (Needs::Mailbox, copy.uid || matches!(command, Command::Move(_))),
        Command::Sort(_) | Command::Thread(_) => (Needs::Mailbox, false),
    }
}

/// Performs a command and answers it; on the way to the answer the client is told what changed in its mailbox.
pub(crate) async fn run(session: &mut Session, tag: &str, command: Command) -> Result<(), Trouble> {
    let (needs, expunge) = rule(&command);
    let outcome = match refused(session, needs) {
        Some(reply) => Ok(reply),
        None => perform(session, tag, command).await,
    };
    finish(session, tag, outcome, expunge).await
}

/// Tells what changed and writes the tagged reply.
pub(crate) async fn finish(session: &mut Session, tag: &str, outcome: Outcome, expunge: bool) -> Result<(), Trouble> {
    let reply = match outcome {
        Ok(reply) | Err(Trouble::Refused(reply)) => reply,
        Err(Trouble::Failed(error)) => {
            if error.source.is_some() {
                tracing::warn!(error = error.chain(), peer = %session.peer(), "an IMAP command failed");
            }
            Reply::of(&error)
        }
        Err(Trouble::Answered) => return Ok(()),
        Err(ended) => return Err(ended),
    };
    match session.sync(&Telling { expunge, ..Telling::ALL }).await {
        Err(Trouble::Failed(error)) => tracing::warn!(error = error.chain(), "a mailbox cannot be brought up to date"),
        other => other?,
    }
    session.reply(tag, &reply);
    session.relieve().await
}

fn refused(session: &Session, needs: Needs) -> Option<Reply> {
    match (needs, &session.user, &session.view) {
        (Needs::NoLogin, Some(_), _) => Some(Reply::bad("Already logged in")),
        (Needs::Login | Needs::Mailbox, None, _) => Some(Reply::bad("Log in first")),
        (Needs::Mailbox, _, None) => Some(Reply::bad("Select a mailbox first")),
        _ => None,
    }
}

async fn perform(session: &mut Session, tag: &str, command: Command) -> Outcome {
    match command {
        Command::Capability => {
            let line = format!("CAPABILITY {}", capability::words(session));
            session.untagged(&line);
            Ok(Reply::ok("Done"))
        }
        Command::Noop | Command::Check => Ok(Reply::ok("Done")),
        Command::Logout => {
            leave_mailbox(session).await;
            session.untagged("BYE Logging out");
            session.ended = true;
            Ok(Reply::ok("Done"))
        }
        Command::Id(pairs) => id::run(session, pairs),
        Command::StartTls => starttls::run(session, tag).await,
        Command::Authenticate { mechanism, initial } => authenticate::run(session, &mechanism, initial).await,
        Command::Login { user, password } => login::run(session, &user, &password).await,
        Command::Enable(words) => enable::run(session, words),
        Command::Select(select) => select::run(session, select).await,
        Command::Create { mailbox, special_use } => create::run(session, &mailbox, &special_use).await,
        Command::Delete(mailbox) => delete::run(session, &mailbox).await,
        Command::Rename { from, to } => rename::run(session, &from, &to).await,
        Command::Subscribe(mailbox) => subscribe::run(session, &mailbox, true).await,
        Command::Unsubscribe(mailbox) => subscribe::run(session, &mailbox, false).await,
        Command::List(list) => list::run(session, list).await,
        Command::Lsub { reference, pattern } => lsub::run(session, &reference, &pattern).await,
        Command::Namespace => namespace::run(session),
        Command::Status { mailbox, items } => status::run(session, &mailbox, items).await,
        Command::Idle => idle::run(session).await,
        Command::Close => close::run(session, true).await,
        Command::Unselect => close::run(session, false).await,
        Command::Expunge(set) => expunge::run(session, set).await,
        Command::Search(search) => search::run(session, tag, search).await,
        Command::Fetch(fetch) => fetch::run(session, fetch).await,
        Command::Store(store) => store::run(session, store).await,
        Command::Copy(copy) => transfer::copy(session, copy).await,
        Command::Move(copy) => transfer::move_to(session, copy).await,
        Command::GetQuota(root) => quota::get(session, &root).await,
        Command::GetQuotaRoot(mailbox) => quota::get_root(session, &mailbox).await,
        Command::SetQuota { .. } => Ok(Reply::no("NOPERM", "Quotas are set by the administrator")),
        Command::Sort(_)
        | Command::Thread(_)
        | Command::Acl(_)
        | Command::Metadata(_)
        | Command::Compress(_)
        | Command::Unauthenticate
        | Command::Notify(_)
        | Command::Unknown(_) => Ok(Reply::bad("Unknown command")),
    }
}

/// The mailbox of this name; NO with NONEXISTENT when there is none.
async fn find(session: &Session, name: &str) -> Result<Mailbox, Trouble> {
    find_or(session, name, "NONEXISTENT").await
}

/// The mailbox of this name; NO with TRYCREATE when there is none (RFC 9051 §6.3.12).
async fn find_target(session: &Session, name: &str) -> Result<Mailbox, Trouble> {
    find_or(session, name, "TRYCREATE").await
}

async fn find_or(session: &Session, name: &str, code: &'static str) -> Result<Mailbox, Trouble> {
    let levels = name::levels(name)?;
    let account = session.account_id()?;
    let found = session.deps.store.read(account, move |tx| {
        let path: Vec<&str> = levels.iter().map(String::as_str).collect();
        tx.mailbox_at(&path)
    });
    match found.await? {
        Some(mailbox) => Ok(mailbox),
        None => Err(Reply::no(code, "There is no such mailbox").into()),
    }
}

/// Whether this mailbox is the selected one.
fn is_selected(session: &Session, mailbox: MailboxId) -> bool {
    session.view.as_ref().is_some_and(|view| view.mailbox == mailbox)
}
