//! Whether who follows may still do so: what they came in by is asked after when the directory changed, and from time to time.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::auth::{self, User};
use crate::door::Door;

/// How often is asked though nothing changed here: a token's time is over, or another node changed something.
const EVERY: Duration = Duration::from_secs(15);
/// How long is waited at least between two times, and twice as long after each that a change brought about: while somebody brings in a
/// thousand accounts not every open connection asks after each of them.
const PAUSE: Duration = Duration::from_secs(1);

/// Who is on a connection.
pub(super) struct Standing {
    door: Arc<Door>,
    pub user: Arc<User>,
    changed: watch::Receiver<u64>,
    next: Instant,
    /// When it was asked last, and how long it is not asked again.
    asked: Instant,
    pause: Duration,
}

impl Standing {
    /// Of somebody who just came in. Is due at once: something may have changed since that was found good.
    pub fn of(door: Arc<Door>, user: Arc<User>) -> Self {
        let (changed, now) = (door.deps.directory.watch(), Instant::now());
        Self { door, user, changed, next: now, asked: now, pause: Duration::ZERO }
    }

    /// Ends when it is time for [`Self::is_good`]. Cancel-safe.
    pub async fn is_due(&mut self) {
        loop {
            tokio::select! {
                () = sleep_until(self.next) => return,
                Ok(()) = self.changed.changed() => self.next = self.next.min(self.asked + self.pause),
            }
        }
    }

    /// Whether what they came in by is still good; whose accounts are open to them is looked up anew.
    pub async fn is_good(&mut self) -> bool {
        let now = Instant::now();
        let is_early = now < self.asked + EVERY;
        self.pause = if is_early { (self.pause * 2).clamp(PAUSE, EVERY) } else { PAUSE };
        (self.next, self.asked) = (now + EVERY, now);
        match auth::again(&self.door, &self.user).await {
            Ok(Some(user)) => self.user = Arc::new(user),
            Ok(None) => return false,
            Err(error) => tracing::error!(error = error.chain(), "a login cannot be asked after"),
        }
        true
    }
}
