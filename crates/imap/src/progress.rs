//! INPROGRESS (RFC 9585): a command that takes long says how far it is, so that the client does not take the server for dead.

use anser_wire::imap::write::Status;
use tokio::time::Instant;

use crate::reply::Trouble;
use crate::session::Session;

/// How far a command is.
pub(crate) struct Progress<'t> {
    tag: &'t str,
    goal: usize,
    next: Instant,
}

impl<'t> Progress<'t> {
    /// At the beginning of a command that goes through `goal` messages.
    pub fn new(session: &Session, tag: &'t str, goal: usize) -> Self {
        Self { tag, goal, next: Instant::now() + session.deps.limits.progress_time }
    }

    /// Tells how many messages are done, if it is time to.
    pub async fn at(&mut self, session: &mut Session, done: usize) -> Result<(), Trouble> {
        if Instant::now() < self.next || done >= self.goal {
            return Ok(());
        }
        self.next = Instant::now() + session.deps.limits.progress_time;
        let code = format!("INPROGRESS (\"{}\" {done} {})", self.tag, self.goal);
        session.tell("*", Status::Ok, &code, "Still working");
        session.flush().await
    }
}
