//! Connections that wait for the next entry.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::client::Client;

/// Connections kept.
const IDLE_CONNECTIONS: usize = 8;
/// How long one is kept. Servers wait 5 minutes (RFC 5321 §4.5.3.2.7); sockets of ours are worth less to them than that.
const IDLE_TIME: Duration = Duration::from_secs(15);
/// Messages that go over one connection, so that load spreads again over the servers behind one name.
const MESSAGES: u32 = 100;

#[derive(Default)]
pub(super) struct Pool {
    idle: Mutex<Vec<(Instant, Client)>>,
    is_watched: AtomicBool,
}

impl Pool {
    /// The connection that was used last, if it still seems alive.
    pub async fn take(&self) -> Option<Client> {
        loop {
            let (since, mut client) = self.idle().pop()?;
            if since.elapsed() < IDLE_TIME && client.is_quiet().await {
                return Some(client);
            }
        }
    }

    /// Keeps a connection, or says good-bye on it.
    pub fn put(self: &Arc<Self>, client: Client) {
        let is_worn = client.messages() >= MESSAGES;
        let mut idle = self.idle();
        if is_worn || idle.len() >= IDLE_CONNECTIONS {
            drop(idle);
            tokio::spawn(client.quit());
            return;
        }
        idle.push((Instant::now(), client));
        drop(idle);
        if !self.is_watched.swap(true, Ordering::AcqRel) {
            tokio::spawn(watch(self.clone()));
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<(Instant, Client)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_expired(&self) -> Vec<Client> {
        self.idle().extract_if(.., |(since, _)| since.elapsed() >= IDLE_TIME).map(|(_, client)| client).collect()
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
