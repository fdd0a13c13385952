//! The ManageSieve door (RFC 5804): people's Sieve scripts, put, listed, checked and made active by programs.
//!
//! | state of a session | commands that it takes | left by |
//! |---|---|---|
//! | not authenticated | CAPABILITY STARTTLS AUTHENTICATE NOOP LOGOUT | a good login → authenticated; three bad ones, silence, LOGOUT → closed |
//! | authenticated | CAPABILITY HAVESPACE PUTSCRIPT CHECKSCRIPT LISTSCRIPTS SETACTIVE GETSCRIPT DELETESCRIPT RENAMESCRIPT NOOP UNAUTHENTICATE LOGOUT | UNAUTHENTICATE → not authenticated; half an hour of silence, LOGOUT → closed |
//!
//! The scripts are the directory's, which stores none that does not compile. What is wrong with one is told with line and column, in
//! the language of the account that logged in: `LANGUAGE` says which (RFC 5804 §1.7).
//!
//! | module | holds |
//! |---|---|
//! | `session` | the loop, input, output, the state |
//! | `command` | the commands, a function for each |
//! | `reply` | answers, and how errors become them |

mod command;
mod reply;
mod session;

use std::sync::Arc;
use std::time::Duration;

use anser_directory::Directory;
use anser_journal::Journal;
use anser_net::{Refusal, Shutdown, Stream, TlsAcceptor};

/// What the door works with.
#[derive(Clone)]
pub struct Deps {
    /// Who may log in, and their scripts.
    pub directory: Directory,
    /// Where logins and changes are noted.
    pub journal: Journal,
    /// For STARTTLS; `None` offers none.
    pub tls: Option<TlsAcceptor>,
    /// Limits.
    pub limits: Limits,
    /// Whether logins are taken over connections without TLS.
    pub allow_plaintext_auth: bool,
}

/// Limits of a session.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long a client may take to log in.
    pub login_time: Duration,
    /// How long a client that logged in may say nothing (RFC 5804 §1.2 asks for 30 minutes at least).
    pub idle_time: Duration,
    /// Failed logins after which the connection is closed.
    pub failed_logins: u32,
    /// Commands before the login after which the connection is closed.
    pub login_commands: u32,
    /// Lines that are no command in their state, after which the connection is closed.
    pub bad_commands: u32,
    /// Octets of a literal before the login.
    pub login_literal: u64,
    /// Octets of a literal that is over its limit and still read, to be thrown away; behind more of them the connection is closed.
    pub skipped: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            login_time: Duration::from_secs(5 * 60),
            idle_time: Duration::from_secs(30 * 60),
            failed_logins: 3,
            login_commands: 100,
            bad_commands: 50,
            login_literal: 12 * 1024,
            skipped: 16 << 20,
        }
    }
}

/// Serves one connection to its end. Hand it to [`anser_net::serve()`].
pub async fn session(stream: Stream, deps: Arc<Deps>, shutdown: Shutdown) {
    session::Session::new(stream, deps, shutdown).run().await;
}

/// What a refused connection is told, for [`anser_net::ServeOptions::refusal`].
pub fn refusal_words() -> Arc<dyn Fn(Refusal) -> String + Send + Sync> {
    Arc::new(|refusal| format!("BYE (TRYLATER) \"{}\"\r\n", refusal.words()))
}
