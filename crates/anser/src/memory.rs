//! How the allocator of the system keeps memory. Left alone, glibc makes eight arenas for each processor, and what was freed in one of
//! them stays there: of a mailbox that moved in the server kept three times what it had used.

use std::time::Duration;

use anser_migrate::Migrate;
use tokio::time::sleep;

/// How long memory is left alone after it was given back: looking through all of it takes milliseconds.
const REST: Duration = Duration::from_secs(10);

/// One arena for each processor. To be called before there are threads.
pub fn keep_few_arenas() {
    #[cfg(target_env = "gnu")]
    {
        let processors = std::thread::available_parallelism().map_or(1, |count| count.get());
        let arenas = i32::try_from(processors).unwrap_or(i32::MAX);
        // SAFETY: it sets a number of the allocator. One that refuses goes on as it was.
        unsafe { libc::mallopt(libc::M_ARENA_MAX, arenas) };
    }
}

/// Gives memory back that nobody holds whenever a pass of a move ended, and once more when the indexer went over what it brought.
pub async fn give_back_after_moves(moves: Migrate) {
    let mut changes = moves.changes();
    while changes.changed().await.is_ok() {
        for _ in 0..2 {
            // A panic of it is told by the runtime.
            let _ = tokio::task::spawn_blocking(give_back).await;
            sleep(REST).await;
        }
    }
}

/// Gives free pages back to the system.
fn give_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: it takes no pointer, and locks what it looks through.
    unsafe {
        libc::malloc_trim(0)
    };
}

#[cfg(all(test, target_env = "gnu"))]
mod tests {
    use anser_testkit::memory::resident;

    /// Bytes of a piece, and pieces.
    const PIECE: usize = 10_000;
    const PIECES: usize = 10_000;

    #[test]
    fn what_nobody_holds_goes_back_behind_what_somebody_holds() {
        let mut all: Vec<Vec<u8>> = (0..PIECES).map(|_| vec![1; PIECE]).collect();
        let held = all.pop();
        drop(all);
        let before = resident();
        super::give_back();
        let given = before.saturating_sub(resident());
        assert!(given > (PIECE * PIECES / 2) as u64, "{given} bytes");
        drop(held);
    }
}
