//! The commands: one table of which state each needs and which function performs it.

mod acl;
pub(crate) mod append;
mod authenticate;
mod catenate;
mod close;
mod compress;
mod create;
mod delete;
mod enable;
mod expunge;
pub(crate) mod fetch;
pub(crate) mod gather;
mod id;
mod idle;
mod jmap_access;
mod language;
pub(crate) mod list;
mod login;
mod logout;
mod lsub;
pub(crate) mod metadata;
mod namespace;
mod notify;
mod quota;
mod rename;
mod replace;
mod search;
mod select;
mod sort;
mod starttls;
pub(crate) mod status;
mod store;
mod subscribe;
mod thread;
mod transfer;
mod unauthenticate;
mod xlist;

use anser_base::{AccountId, MailboxId};
use anser_wire::imap::Command;

use crate::access;
use crate::capability;
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

/// Makes `rule` and `perform` of one table.
macro_rules! commands {
    (|$session:ident, $tag:ident| $($pattern:pat => $needs:ident, $expunge:expr, $run:expr;)+) => {
        /// Which state a command needs, and whether EXPUNGE may be told before its tagged reply.
        #[allow(unused_variables)]
        fn rule(command: &Command) -> (Needs, bool) {
            match command {
                $($pattern => (Needs::$needs, $expunge),)+
            }
        }

        async fn perform($session: &mut Session, $tag: &str, command: Command) -> Outcome {
            match command {
                $($pattern => $run,)+
            }
        }
    };
}

// A command, the state that it needs, whether EXPUNGE may be told before its tagged reply (RFC 9051 §7.5.1: not where the client may
// have more commands by message number under way), and what performs it. APPEND and REPLACE are not among them: see `append`.
#[rustfmt::skip]
commands! { |session, tag|
    Command::Capability => Nothing, true, capability::run(session);
    Command::Language(wanted) => Nothing, true, language::run(session, &wanted);
    Command::Noop => Nothing, true, Ok(Reply::ok("Done"));
    Command::Logout => Nothing, true, logout::run(session).await;
    Command::Id(pairs) => Nothing, true, id::run(session, pairs);
    Command::Unknown(_) => Nothing, true, Ok(Reply::bad("Unknown command"));
    Command::StartTls => NoLogin, true, starttls::run(session, tag).await;
    Command::Authenticate { mechanism, initial } => NoLogin, true, authenticate::run(session, &mechanism, initial).await;
    Command::Login { user, password } => NoLogin, true, login::run(session, &user, &password).await;
    Command::Enable(words) => Login, true, enable::run(session, words).await;
    Command::Select(select) => Login, true, select::run(session, select).await;
    Command::Create { mailbox, special_use } => Login, true, create::run(session, &mailbox, &special_use).await;
    Command::Delete(mailbox) => Login, true, delete::run(session, &mailbox).await;
    Command::Rename { from, to } => Login, true, rename::run(session, &from, &to).await;
    Command::Subscribe(mailbox) => Login, true, subscribe::run(session, &mailbox, true).await;
    Command::Unsubscribe(mailbox) => Login, true, subscribe::run(session, &mailbox, false).await;
    Command::List(list) => Login, true, list::run(session, list).await;
    Command::Lsub { reference, pattern } => Login, true, lsub::run(session, &reference, &pattern).await;
    Command::Xlist { reference, pattern } => Login, true, xlist::run(session, &reference, &pattern).await;
    Command::Namespace => Login, true, namespace::run(session);
    Command::Status { mailbox, items } => Login, true, status::run(session, &mailbox, items).await;
    Command::Idle => Login, true, idle::run(session).await;
    Command::GetQuota(root) => Login, true, quota::get(session, &root).await;
    Command::GetQuotaRoot(mailbox) => Login, true, quota::get_root(session, &mailbox).await;
    Command::SetQuota { root, limits } => Login, true, quota::set(session, &root, &limits).await;
    Command::Acl(acl) => Login, true, acl::run(session, acl).await;
    Command::Metadata(metadata) => Login, true, metadata::run(session, metadata).await;
    Command::Compress(algorithm) => Login, true, compress::run(session, tag, &algorithm).await;
    Command::Unauthenticate => Login, true, unauthenticate::run(session, tag).await;
    Command::GetJmapAccess => Login, true, jmap_access::run(session);
    Command::Notify(notify) => Login, true, notify::run(session, notify).await;
    Command::Check => Mailbox, true, Ok(Reply::ok("Done"));
    Command::Close => Mailbox, true, close::run(session, true).await;
    Command::Unselect => Mailbox, true, close::run(session, false).await;
    Command::Expunge(set) => Mailbox, true, expunge::run(session, set).await;
    Command::Search(search) => Mailbox, search.uid, search::run(session, tag, search).await;
    Command::Sort(sort) => Mailbox, sort.uid, sort::run(session, tag, sort).await;
    Command::Thread(thread) => Mailbox, thread.uid, thread::run(session, tag, thread).await;
    Command::Fetch(fetch) => Mailbox, fetch.uid, fetch::run(session, fetch).await;
    Command::Store(store) => Mailbox, store.uid, store::run(session, store).await;
    Command::Copy(copy) => Mailbox, copy.uid, transfer::copy(session, copy).await;
    Command::Move(copy) => Mailbox, true, transfer::move_to(session, copy).await;
}

/// Performs a command and answers it; on the way to the answer the client is told what changed in its mailbox.
pub(crate) async fn run(session: &mut Session, tag: &str, command: Command) -> Result<(), Trouble> {
    let (needs, expunge) = rule(&command);
    access::refresh(session).await?;
    let by_number = session.enabled.uid_only && command.uses_numbers();
    let outcome = match refused(session, needs, by_number) {
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
    if let Some(view) = session.view.as_mut().filter(|_| session.enabled.qresync) {
        view.tell_held(&mut session.out);
    }
    session.reply(tag, &reply);
    session.relieve().await
}

fn refused(session: &Session, needs: Needs, by_number: bool) -> Option<Reply> {
    match (needs, &session.user, &session.view) {
        (Needs::NoLogin, Some(_), _) => Some(Reply::bad("Already logged in")),
        (Needs::Login | Needs::Mailbox, None, _) => Some(Reply::bad("Log in first")),
        (Needs::Mailbox, _, None) => Some(Reply::bad("Select a mailbox first")),
        _ if by_number => Some(Reply::uid_required()),
        _ => None,
    }
}

/// Whether this mailbox of this account is the selected one.
fn is_selected(session: &Session, owner: AccountId, mailbox: MailboxId) -> bool {
    session.view.as_ref().is_some_and(|view| (view.owner.id, view.mailbox) == (owner, mailbox))
}
