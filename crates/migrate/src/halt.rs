//! Waiting for an old server ends at once when its pass is stopped, however slowly its octets come: whoever asks one waits by [`answer`].
//! What came whole is stored all the same.

use tokio::sync::watch;

use crate::trouble::Trouble;

tokio::task_local! {
    /// Turns true when the work of this task is to end; not set where nothing stops it.
    static STOPPED: watch::Receiver<bool>;
}

/// Does work whose waits end once `stopped` turns true.
pub async fn until<T>(stopped: watch::Receiver<bool>, work: impl Future<Output = T>) -> T {
    STOPPED.scope(stopped, work).await
}

/// Waits for an old server. [`Trouble::Stopped`] when the work is to end: the connection is of no use then.
pub async fn answer<T>(waiting: impl Future<Output = T>) -> Result<T, Trouble> {
    let Ok(mut stopped) = STOPPED.try_with(Clone::clone) else { return Ok(waiting.await) };
    tokio::select! {
        // A server that sends without end is always ready.
        biased;
        _ = stopped.wait_for(|stopped| *stopped) => Err(Trouble::Stopped),
        came = waiting => Ok(came),
    }
}
