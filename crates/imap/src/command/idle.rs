//! IDLE (RFC 9051 §6.3.13): the client is told of a change as soon as it is committed.

use anser_store::{Changes, Watch};
use anser_wire::imap::write::write_continuation;
use tokio::time::{Instant, sleep_until};

use crate::access;
use crate::notify;
use crate::reply::{Outcome, Reply, Trouble};
use crate::session::{Input, Session};
use crate::view::Telling;

/// What woke the session.
enum Woken {
    Input,
    Changes(bool),
    Shutdown,
    Silence,
}

pub(super) async fn run(session: &mut Session) -> Outcome {
    session.reader.expect_line();
    // The watch begins before the first look, so that nothing falls in between.
    let watched = session.view.as_ref().map(|view| view.owner.id);
    let mut watch = session.deps.store.watch(watched.unwrap_or(session.account_id()?));
    write_continuation(&mut session.out, "idling");
    session.sync(&Telling::ALL).await?;
    let deadline = Instant::now() + session.deps.limits.idle_time;
    loop {
        match session.buffered() {
            Some(Input::Line(line)) if line.eq_ignore_ascii_case(b"DONE") => return Ok(Reply::ok("Done")),
            Some(Input::Line(_)) => return Ok(Reply::bad("DONE is wanted")),
            Some(Input::Error(_, text)) => return Ok(Reply::bad(text)),
            Some(_) | None => {}
        }
        if session.notifier.is_some() {
            notify::wait(session, true).await?;
            if session.stream.buffered_input_len() == 0 {
                session.fill().await?;
            }
            continue;
        }
        session.flush().await?;
        match wait(session, &mut watch, deadline).await? {
            // Readable without input is the end of the connection.
            Woken::Input if session.stream.buffered_input_len() == 0 => session.fill().await?,
            Woken::Input => {}
            Woken::Changes(true) => {
                access::refresh(session).await?;
                session.sync(&Telling::ALL).await?;
            }
            Woken::Changes(false) => {}
            Woken::Shutdown => return Err(Trouble::Bye("The server is shutting down")),
            Woken::Silence => return Err(Trouble::Bye("Nothing was heard for too long")),
        }
    }
}

async fn wait(session: &mut Session, watch: &mut Watch, deadline: Instant) -> Result<Woken, Trouble> {
    // `readable` returns at once while part of a line is buffered, so that part is taken by the reader before each wait.
    tokio::select! {
        biased;
        readable = session.stream.readable() => readable.map(|()| Woken::Input).map_err(Trouble::Gone),
        changes = watch.next() => Ok(Woken::Changes(concerns(session, changes.as_deref()))),
        () = session.shutdown.notified() => Ok(Woken::Shutdown),
        () = sleep_until(deadline) => Ok(Woken::Silence),
    }
}

/// Whether changes may touch the selected mailbox; missed ones may.
fn concerns(session: &Session, changes: Option<&Changes>) -> bool {
    let Some(view) = &session.view else { return false };
    changes.is_none_or(|changes| changes.list.iter().any(|change| change.mailbox() == view.mailbox))
}
