//! SORT and UID SORT (RFC 5256 §3), with SORT=DISPLAY (RFC 5957) and ESORT (RFC 5267 §3).

use anser_wire::imap::Sort;

use super::search::{find, settle_saved, tell};
use crate::reply::Outcome;
use crate::session::Session;
use crate::sort::order;

pub(super) async fn run(session: &mut Session, tag: &str, sort: Sort) -> Outcome {
    let options = sort.return_options;
    let outcome = sorted(session, tag, sort).await;
    settle_saved(session, options, outcome)
}

async fn sorted(session: &mut Session, tag: &str, sort: Sort) -> Outcome {
    let mut found = find(session, tag, &sort.key, Some(&sort.charset), sort.uid).await?;
    let numbers = std::mem::take(&mut found.numbers);
    found.numbers = order(session, tag, &found.list, numbers, &sort.criteria).await?;
    tell(session, tag, "SORT", found, sort.return_options).await
}
