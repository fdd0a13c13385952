//! How things stand, and reloading.

use anser_base::{Class, Error, Result};

use crate::answer::{Report, ServiceView, StatusView};
use crate::{Actor, Admin, Running};

impl Admin {
    /// How things stand.
    pub async fn status(&self) -> Result<Report> {
        let counts = self.deps.queue.counts().await?;
        let running = self.deps.running.as_deref();
        Ok(Report::Status(Box::new(StatusView {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            hostname: self.deps.hostname.clone(),
            engine: if self.deps.db.is_postgres() { "postgres" } else { "embedded" }.to_owned(),
            running: running.is_some(),
            process: running.map(|_| std::process::id()),
            started: running.map(|running| running.started.to_string()),
            services: running.map(services).unwrap_or_default(),
            accounts: self.deps.directory.account_count().await?,
            queue_fresh: counts.fresh,
            queue_waiting: counts.waiting,
            queue_held: counts.held,
        })))
    }

    /// Reads the certificates again. `Class::Invalid` when they cannot be used: the old ones stay. `Class::Conflict` when no server
    /// runs.
    pub async fn reload(&self, actor: &Actor) -> Result<Report> {
        let Some(running) = self.deps.running.clone() else {
            return Err(Error::new(Class::Conflict, "no server is running", "服务器没有运行"));
        };
        if let Some(tls) = running.tls.clone() {
            tokio::task::spawn_blocking(move || tls.reload()).await.map_err(Error::unavailable)??;
            tracing::info!("the certificates were read again");
        }
        self.note(actor, "server.reload", &self.deps.hostname, None, None).await?;
        Ok(Report::Done)
    }
}

fn services(running: &Running) -> Vec<ServiceView> {
    let view =
        |(name, addresses, counters): &(&'static str, Vec<_>, std::sync::Arc<anser_net::Counters>)| ServiceView {
            name: (*name).to_owned(),
            addresses: addresses.iter().map(ToString::to_string).collect(),
            live: counters.live(),
            accepted: counters.accepted(),
            refused: counters.refused(),
        };
    running.services.iter().map(view).collect()
}
