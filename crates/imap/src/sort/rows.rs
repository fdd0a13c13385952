//! Going through the rows of many messages, in batches, beside the session.

use anser_base::MessageId;
use anser_store::{Entry, Listing, Snapshot};

use crate::command::gather::blocking;
use crate::progress::Progress;
use crate::reply::Trouble;
use crate::session::Session;

/// Rows of one batch.
const BATCH: usize = 1_024;

/// Hands every message of `numbers` to `each`, in order: its entry, its listing, the hashes of its Message-IDs. A message that is gone
/// has an empty listing.
pub(crate) async fn fold_rows<S, F>(
    session: &mut Session,
    tag: &str,
    list: &Snapshot,
    numbers: &[u32],
    mut state: S,
    each: F,
) -> Result<S, Trouble>
where
    S: Send + 'static,
    F: Fn(&mut S, &Entry, &Listing, &[i64]) + Copy + Send + 'static,
{
    let account = session.view()?.owner.id;
    let mut progress = Progress::new(session, tag, numbers.len());
    for (turn, batch) in numbers.chunks(BATCH).enumerate() {
        progress.at(session, turn * BATCH).await?;
        let entries: Vec<Entry> = batch.iter().filter_map(|seq| list.by_seq(*seq)).cloned().collect();
        let ids: Vec<MessageId> = entries.iter().map(|entry| entry.message).collect();
        let rows = session.deps.store.read(account, move |tx| tx.listing_rows(&ids)).await?;
        state = blocking(move || {
            for (entry, row) in entries.iter().zip(rows) {
                let row = row.unwrap_or_default();
                each(&mut state, entry, &row.listing(), &row.thread_ids());
            }
            Ok(state)
        })
        .await?;
    }
    Ok(state)
}
