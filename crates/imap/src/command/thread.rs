//! THREAD and UID THREAD (RFC 5256 §3).

use anser_wire::imap::Thread;

use super::search::find;
use crate::reply::{Outcome, Reply};
use crate::session::Session;
use crate::thread::{Algorithm, threads};

pub(super) async fn run(session: &mut Session, tag: &str, thread: Thread) -> Outcome {
    let Some(algorithm) = Algorithm::named(&thread.algorithm) else {
        return Ok(Reply::bad("Unknown threading algorithm"));
    };
    let found = find(session, tag, &thread.key, Some(&thread.charset), thread.uid).await?;
    let forest = threads(session, tag, &found.list, &found.numbers, algorithm).await?;
    session.out.extend_from_slice(b"* THREAD");
    for root in 0..forest.len() {
        if root == 0 {
            session.out.push(b' ');
        }
        let told = |place: u32| found.numbers.get(place as usize).map_or(0, |seq| found.told(*seq));
        forest.write(root, &mut session.out, told);
        session.relieve().await?;
    }
    session.out.extend_from_slice(b"\r\n");
    Ok(found.done())
}
