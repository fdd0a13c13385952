//! Connections that wait for the next entry.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::client::Client;

/// Connections kept.
const IDLE_CONNECTIONS: usize = 64;
/// How long one is kept. Servers wait 5 minutes (RFC 5321 §4.5.3.2.7); sockets of ours are worth less to them than that.
const IDLE_TIME: Duration = Duration::from_secs(15);
/// Messages that go over one connection, so that load spreads again over the servers behind one name.
const MESSAGES: u32 = 100;

/// A connection that waits: for what, since when.
struct Idle {
    key: String,
    since: Instant,
    client: Client,
}

#[derive(Default)]
pub(super) struct Pool {
    idle: Mutex<Vec<Idle>>,
    is_watched: AtomicBool,
}

impl Pool {
    /// The connection of this key that was used last, if it still seems alive.
    pub async fn take(&self, key: &str) -> Option<Client> {
        loop {
            let Idle { since, mut client, .. } = {
                let mut idle = self.idle();
                let at = idle.iter().rposition(|idle| idle.key == key)?;
                idle.remove(at)
            };
            if since.elapsed() < IDLE_TIME && client.is_quiet().await {
                return Some(client);
            }
        }
    }

    /// Keeps a connection, or says good-bye on it.
    pub fn put(self: &Arc<Self>, key: String, client: Client) {
        let is_worn = client.messages() >= MESSAGES;
        if is_worn {
            tokio::spawn(client.quit());
            return;
        }
        let mut idle = self.idle();
        // The one that waits longest makes room.
        let oldest = (idle.len() >= IDLE_CONNECTIONS).then(|| idle.remove(0));
        idle.push(Idle { key, since: Instant::now(), client });
        drop(idle);
        if let Some(oldest) = oldest {
            tokio::spawn(oldest.client.quit());
        }
        if !self.is_watched.swap(true, Ordering::AcqRel) {
            tokio::spawn(watch(self.clone()));
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_expired(&self) -> Vec<Client> {
        self.idle().extract_if(.., |idle| idle.since.elapsed() >= IDLE_TIME).map(|idle| idle.client).collect()
    }
}

/// Says good-bye on connections that nobody used for long, until there are none.
async fn watch(pool: Arc<Pool>) {
    loop {
        tokio::time::sleep(IDLE_TIME).await;
        for client in pool.take_expired() {
            tokio::spawn(client.quit());
        }
        let idle = pool.idle();
        if idle.is_empty() {
            // Under the lock, so that a connection that is put now sees it.
            pool.is_watched.store(false, Ordering::Release);
            return;
        }
    }
}
