//! First stage: octets off the socket, either until the dot or as many as BDAT said.

use anser_net::Fill;
use anser_wire::smtp::DataDecoder;
use tokio::time::Instant;

use super::intake::{DISCARDED, Intake};
use crate::answer::Stop;
use crate::session::Session;
use crate::verb::too_large;

/// Reads to the end of data (RFC 5321 §4.5.2), also when the message is refused on the way. True when there was a bare CR or LF.
pub async fn dot_stuffed(session: &mut Session, intake: &mut Intake) -> Result<bool, Stop> {
    let deadline = begin(session);
    let mut decoder = DataDecoder::new();
    loop {
        arrive(session, deadline).await?;
        let before = intake.buffer.len();
        let progress = decoder.push(session.stream.buffer(), &mut intake.buffer);
        session.stream.consume(progress.consumed);
        if progress.bare_newline {
            intake.refuse_bare_newline();
        }
        intake.settle(intake.buffer.len() - before).await?;
        if progress.done {
            end(session);
            return Ok(progress.bare_newline);
        }
    }
}

/// Reads one chunk.
pub async fn chunk(session: &mut Session, intake: &mut Intake, size: u64) -> Result<(), Stop> {
    check_size(session, size)?;
    let deadline = begin(session);
    let mut missing = size;
    while missing > 0 {
        arrive(session, deadline).await?;
        let octets = at_most(session.stream.buffer(), missing);
        let count = octets.len();
        intake.append(octets);
        session.stream.consume(count);
        missing -= count as u64;
        intake.settle(count).await?;
    }
    end(session);
    Ok(())
}

/// Reads a chunk that nobody wants.
pub async fn nothing(session: &mut Session, size: u64) -> Result<(), Stop> {
    check_size(session, size)?;
    let deadline = begin(session);
    let mut missing = size;
    while missing > 0 {
        arrive(session, deadline).await?;
        let count = at_most(session.stream.buffer(), missing).len();
        session.stream.consume(count);
        missing -= count as u64;
    }
    end(session);
    Ok(())
}

/// A chunk so large that reading it to drop it makes no sense ends the session.
fn check_size(session: &Session, size: u64) -> Result<(), Stop> {
    let limit = session.deps.limits.message_size;
    if size <= limit.saturating_add(DISCARDED) { Ok(()) } else { Err(too_large(limit).and_close()) }
}

fn at_most(buffer: &[u8], count: u64) -> &[u8] {
    &buffer[..buffer.len().min(usize::try_from(count).unwrap_or(usize::MAX))]
}

fn begin(session: &mut Session) -> Instant {
    session.stream.set_read_timeout(session.deps.limits.data_timeout);
    Instant::now() + session.deps.limits.message_time
}

fn end(session: &mut Session) {
    session.stream.set_read_timeout(session.deps.limits.command_timeout);
}

/// Waits until there is something in the input buffer.
async fn arrive(session: &mut Session, deadline: Instant) -> Result<(), Stop> {
    if session.stream.buffered_input_len() > 0 {
        return Ok(());
    }
    if Instant::now() > deadline {
        return Err(Stop::close(421, (4, 4, 2), "The message takes too long"));
    }
    session.stream.flush().await.map_err(Stop::gone)?;
    match session.stream.fill().await.map_err(Stop::gone)? {
        Fill::Data(_) => Ok(()),
        Fill::Closed => Err(Stop::Gone),
        Fill::TimedOut => Err(Stop::close(421, (4, 4, 2), "You were silent for too long")),
    }
}
