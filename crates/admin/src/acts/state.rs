//! How things stand, and reloading.

use anser_acme::{Acme, Standing};
use anser_base::{Class, Error, Result, Timestamp};
use anser_net::TlsAcceptor;

use crate::answer::{CertificateView, Report, ServiceView, StatusView, TroubleView};
use crate::{Actor, Admin, Running};

/// Milliseconds of a day.
const DAY_MS: i64 = 24 * 3600 * 1000;

impl Admin {
    /// How things stand.
    pub async fn status(&self) -> Result<Report> {
        let counts = self.deps.queue.counts().await?;
        let (running, now) = (self.deps.running.as_deref(), self.deps.clock.now());
        Ok(Report::Status(Box::new(StatusView {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            hostname: self.deps.hostname.clone(),
            engine: if self.deps.db.is_postgres() { "postgres" } else { "embedded" }.to_owned(),
            running: running.is_some(),
            process: running.map(|_| std::process::id()),
            started: running.map(|running| running.started.to_string()),
            services: running.map(services).unwrap_or_default(),
            certificates: running
                .and_then(|running| running.tls.as_ref())
                .map(|tls| certificates(tls, now))
                .unwrap_or_default(),
            certificates_failing: running.and_then(|running| running.acme.as_ref()).map(failing).unwrap_or_default(),
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

fn certificates(tls: &TlsAcceptor, now: Timestamp) -> Vec<CertificateView> {
    let all = tls.certificates().into_iter().map(|certificate| CertificateView {
        state: Standing::of(&certificate, now).word().to_owned(),
        days: certificate.ends.0.saturating_sub(now.0).div_euclid(DAY_MS),
        begins: certificate.begins.to_string(),
        ends: certificate.ends.to_string(),
        issuer: certificate.issuer,
        names: certificate.names,
    });
    all.collect()
}

fn failing(acme: &Acme) -> Vec<TroubleView> {
    let all = acme.troubles().into_iter().map(|(name, trouble)| TroubleView {
        name,
        failures: trouble.failures,
        why: trouble.why,
        again: trouble.again.to_string(),
    });
    all.collect()
}
