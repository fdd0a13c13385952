//! The IMAP door: IMAP4rev1 (RFC 3501) and IMAP4rev2 (RFC 9051) with the extensions that `capability` lists.
//!
//! | state of a session | commands that it takes | left by |
//! |---|---|---|
//! | not authenticated | CAPABILITY NOOP ID LOGOUT STARTTLS AUTHENTICATE LOGIN | a good login → authenticated; three bad ones, or three minutes → logout |
//! | authenticated | those of any state, and all on mailboxes by name: SELECT EXAMINE CREATE DELETE RENAME SUBSCRIBE UNSUBSCRIBE LIST LSUB NAMESPACE STATUS APPEND IDLE ENABLE GETQUOTA GETQUOTAROOT | SELECT, EXAMINE → selected |
//! | selected | those of authenticated, and CHECK CLOSE UNSELECT EXPUNGE SEARCH SORT THREAD FETCH STORE COPY MOVE, with UID or without | CLOSE, UNSELECT, a failed SELECT → authenticated |
//! | logout | none | the connection closes |
//!
//! The table in `command` says which state each verb needs; each verb has one file. What a client was told of its mailbox is one
//! shared list (`view`); whatever changed since is told as the difference to the store's newest list, whoever made the change.
//!
//! | module | holds |
//! |---|---|
//! | `session` | the loop, input, output, the state |
//! | `command` | one file a verb |
//! | `access` | whose mailbox a name means, and what the user may do with it |
//! | `view` | what the client was told of the selected mailbox, and how it is brought up to date |
//! | `tree` | every mailbox that the user can see, by name |
//! | `notify`, `known` | what NOTIFY asked for, and the mailboxes as the client knows them |
//! | `fetch` | data items of FETCH: envelope, body structure, sections, streaming |
//! | `search` | search keys, judged by the list, by the message's row, by its text |
//! | `sort` | the keys and the order of SORT |
//! | `thread` | the algorithms of THREAD |
//! | `progress` | what a long command says on its way |
//! | `reply` | tagged replies, and how errors become them |
//! | `name` | mailbox names and object ids |
//! | `note` | what the journal is told |

mod access;
mod capability;
mod command;
mod fetch;
mod known;
mod name;
mod note;
mod notify;
mod progress;
mod reply;
mod search;
mod session;
mod sort;
mod thread;
mod tree;
mod view;
mod words;

use std::sync::Arc;
use std::time::Duration;

use anser_base::{Clock, limits};
use anser_directory::Directory;
use anser_journal::Journal;
use anser_net::{Shutdown, Stream, TlsAcceptor};
use anser_store::Store;

/// What the door works with.
#[derive(Clone)]
pub struct Deps {
    /// Mailboxes and messages.
    pub store: Store,
    /// Who may log in.
    pub directory: Directory,
    /// Where logins, openings and deletions are noted.
    pub journal: Journal,
    /// For STARTTLS; `None` offers none.
    pub tls: Option<TlsAcceptor>,
    /// The clock of WITHIN searches and of messages without a date.
    pub clock: Clock,
    /// This server's name, in the greeting.
    pub hostname: String,
    /// The URL of the JMAP session resource of the same mail (RFC 9698), without quotes or backslashes; `None` offers none.
    pub jmap_url: Option<String>,
    /// Limits.
    pub limits: Limits,
    /// Whether passwords are taken over connections without TLS.
    pub allow_plaintext_auth: bool,
}

/// Limits of a session.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Largest message of APPEND, in bytes; told as APPENDLIMIT (RFC 7889).
    pub message_size: u64,
    /// How long a client may take to log in.
    pub login_time: Duration,
    /// How long a client that logged in may say nothing, in IDLE or out of it (RFC 9051 §5.4 asks for 30 minutes at least).
    pub idle_time: Duration,
    /// How long a command may say nothing of how far it is (RFC 9585 §3 advises ten to fifteen seconds).
    pub progress_time: Duration,
    /// How long a search of texts may take before its client is asked to come again: the mail that it waits for is indexed meanwhile.
    pub search_time: Duration,
    /// Failed logins after which the connection is closed.
    pub failed_logins: u32,
    /// Octets of one command before the login, literals included.
    pub login_command: usize,
    /// Octets of a refused command that are skipped, so that the client can go on; one that sends or announces more is cut off.
    pub skipped: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_size: limits::MESSAGE_SIZE,
            login_time: Duration::from_secs(3 * 60),
            idle_time: Duration::from_secs(30 * 60),
            progress_time: Duration::from_secs(10),
            search_time: Duration::from_secs(10 * 60),
            failed_logins: 3,
            login_command: 8 * 1024,
            skipped: 4 * limits::MESSAGE_SIZE,
        }
    }
}

/// Serves one connection to its end. Hand it to [`anser_net::serve()`].
pub async fn session(stream: Stream, deps: Arc<Deps>, shutdown: Shutdown) {
    session::Session::new(stream, deps, shutdown).run().await;
}
