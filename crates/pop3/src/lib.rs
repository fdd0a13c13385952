//! The POP3 door: RFC 1939 with CAPA (RFC 2449), STLS (RFC 2595), SASL (RFC 5034), response codes (RFC 2449 §8, RFC 3206), UTF8 and
//! LANG (RFC 6856).
//!
//! | state of a session | commands that it takes | left by |
//! |---|---|---|
//! | AUTHORIZATION | USER PASS AUTH STLS UTF8 CAPA LANG QUIT; APOP is refused | a good login that gets the lock → TRANSACTION; three bad ones, ten minutes, QUIT → closed |
//! | TRANSACTION | STAT LIST UIDL RETR TOP DELE NOOP RSET CAPA LANG QUIT | QUIT → UPDATE; ten silent minutes, a broken connection, a shutdown → closed, and nothing is removed |
//! | UPDATE | none | what was marked is expunged in one durable transaction, then answered → closed |
//!
//! The table in `command` says which state each command needs and which function answers it.
//!
//! # What a client sees
//!
//! - The maildrop is the inbox as it stood at login, in UID order. Numbers stay for the session; a message that somebody expunges
//!   meanwhile through another door answers `-ERR` from then on.
//! - One session for each account in this process ([`Locks`]); a second one is told `[IN-USE]`, or takes over from one whose client
//!   has said nothing for [`TAKEN_OVER`].
//! - Sizes are those of the stored message, trace header included. A message that was stored with bare CR or LF, which only imports
//!   and APPEND bring, goes out with CRLF: a client may take either for the end of a line, and a dot behind it for the end of the
//!   message. It is that much longer than STAT and LIST say; RETR says what it sends, for messages up to 128 KiB. Messages go out as they are stored, 8-bit header fields included, with or without UTF8: rewriting them for old
//!   clients (RFC 6858) would break their signatures.
//! - A message that was sent by RETR gets `\Seen` when the session ends, however it ends.
//! - The options of an account may show less of its inbox ([`Options`]).
//!
//! | module | holds |
//! |---|---|
//! | `session` | the loop, input, output, the state |
//! | `command` | the table of commands, and a function for each |
//! | `maildrop` | the list that a session works on, its marks, the update |
//! | `uidl` | unique ids |
//! | `bodies` | messages read before they are asked for |
//! | `cut` | the end of what TOP sends |
//! | `lock`, `options` | one session for each account; what an account shows |
//! | `reply`, `note` | answers, what the journal is told |

mod bodies;
mod capability;
mod command;
mod cut;
mod lock;
mod maildrop;
mod note;
mod options;
mod reply;
mod session;
mod uidl;

use std::sync::Arc;
use std::time::Duration;

use anser_base::Clock;
use anser_directory::Directory;
use anser_journal::Journal;
use anser_net::{Refusal, Shutdown, Stream, TlsAcceptor};
use anser_store::Store;

pub use lock::{Locks, TAKEN_OVER};
pub use options::{DAYS, Options};

/// What the door works with.
#[derive(Clone)]
pub struct Deps {
    /// Mailboxes and messages.
    pub store: Store,
    /// Who may log in.
    pub directory: Directory,
    /// Where logins and deletions are noted.
    pub journal: Journal,
    /// For STLS; `None` offers none.
    pub tls: Option<TlsAcceptor>,
    /// The clock of [`Options::days`].
    pub clock: Clock,
    /// This server's name, in the greeting.
    pub hostname: String,
    /// Limits.
    pub limits: Limits,
    /// Whether logins are taken over connections without TLS.
    pub allow_plaintext_auth: bool,
    /// Which accounts have a session; the plain and the TLS service share one.
    pub locks: Locks,
}

/// Limits of a session.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long a client may take to log in.
    pub login_time: Duration,
    /// How long a client that logged in may say nothing (RFC 1939 §3 asks for 10 minutes at least).
    pub idle_time: Duration,
    /// Failed logins after which the connection is closed.
    pub failed_logins: u32,
    /// Commands before the login after which the connection is closed.
    pub login_commands: u32,
    /// Lines that are no command in their state, after which the connection is closed.
    pub bad_commands: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            login_time: Duration::from_secs(10 * 60),
            idle_time: Duration::from_secs(10 * 60),
            failed_logins: 3,
            login_commands: 200,
            bad_commands: 50,
        }
    }
}

/// Serves one connection to its end. Hand it to [`anser_net::serve()`].
pub async fn session(stream: Stream, deps: Arc<Deps>, shutdown: Shutdown) {
    session::Session::new(stream, deps, shutdown).run().await;
}

/// What a refused connection is told, for [`anser_net::ServeOptions::refusal`].
pub fn refusal_words() -> Arc<dyn Fn(Refusal) -> String + Send + Sync> {
    Arc::new(|refusal| format!("-ERR [SYS/TEMP] {}\r\n", refusal.words()))
}
