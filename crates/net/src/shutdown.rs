//! The handle that tells every listener and session to end.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// Longest grace that [`Shutdown::begin`] gives, so that no deadline overflows.
const LONGEST_GRACE: Duration = Duration::from_secs(24 * 3600);

/// Shared by all who must end together; clones are the same handle.
#[derive(Clone, Debug)]
pub struct Shutdown {
    deadline: Arc<watch::Sender<Option<Instant>>>,
}

impl Shutdown {
    /// A handle on which nothing has ended yet.
    pub fn new() -> Self {
        Self { deadline: Arc::new(watch::Sender::new(None)) }
    }

    /// Begins to end: listeners close, sessions are told, and whoever still runs after `grace` is aborted. A second call
    /// can only bring the deadline nearer.
    pub fn begin(&self, grace: Duration) {
        let wanted = Instant::now() + grace.min(LONGEST_GRACE);
        self.deadline.send_modify(|deadline| *deadline = Some(deadline.map_or(wanted, |old| old.min(wanted))));
    }

    /// Whether [`Self::begin`] was called.
    pub fn is_shutting_down(&self) -> bool {
        self.deadline.borrow().is_some()
    }

    /// Waits until [`Self::begin`] is called; returns at once when it was. Cancel-safe.
    pub async fn notified(&self) {
        self.begun().await;
    }

    /// The future's value, or `None` when the shutdown begins first. A future that is ready wins, so that a command
    /// which has arrived is still answered. The future is dropped in the `None` case: it must be cancel-safe.
    pub async fn or<F: Future>(&self, future: F) -> Option<F::Output> {
        tokio::select! {
            biased;
            value = future => Some(value),
            () = self.notified() => None,
        }
    }

    /// Waits until the grace of a begun shutdown is over, also when it is shortened meanwhile.
    pub(crate) async fn expired(&self) {
        let mut changes = self.deadline.subscribe();
        let mut deadline = self.begun().await;
        while let Ok(Ok(())) = tokio::time::timeout_at(deadline, changes.changed()).await {
            deadline = self.begun().await;
        }
    }

    async fn begun(&self) -> Instant {
        let mut changes = self.deadline.subscribe();
        loop {
            if let Some(deadline) = *changes.borrow_and_update() {
                return deadline;
            }
            // The sender lives as long as `self`, so this cannot fail.
            let _ = changes.changed().await;
        }
    }
}

impl Default for Shutdown {
    fn default() -> Self {
        Self::new()
    }
}
