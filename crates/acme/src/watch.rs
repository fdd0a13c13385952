//! Certificates that nobody renews here: those of files. Their end is told long before.

use std::collections::HashSet;
use std::time::Duration;

use anser_base::{Result, Timestamp};
use anser_net::Shutdown;
use anser_net::certificate::Summary;

use crate::{Deps, alarm};

/// How often certificates are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(6 * 3600);
/// Of the life of a certificate this part is left when its end is near.
const NEAR_END: i64 = 4;
/// But never more than this.
const EARLIEST: Duration = Duration::from_secs(30 * 24 * 3600);

/// How a certificate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Others trust it as far as they trust who gave it.
    Good,
    /// It ends soon.
    Ending,
    /// It has ended, or not begun.
    Bad,
    /// It vouches for itself: for trials.
    SelfSigned,
}

impl Standing {
    /// Of a certificate at a time.
    pub fn of(certificate: &Summary, now: Timestamp) -> Self {
        let Summary { begins, ends, self_signed, .. } = *certificate;
        match () {
            () if now < begins || now >= ends => Self::Bad,
            () if is_near_end(begins, ends, now) => Self::Ending,
            () if self_signed => Self::SelfSigned,
            () => Self::Good,
        }
    }

    /// `ok`, `ending`, `bad`, `self-signed`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Ending => "ending",
            Self::Bad => "bad",
            Self::SelfSigned => "self-signed",
        }
    }
}

/// Whether so little of its life is left that somebody has to know.
pub(crate) fn is_near_end(begins: Timestamp, ends: Timestamp, now: Timestamp) -> bool {
    let part = (ends.0.saturating_sub(begins.0) / NEAR_END).min(EARLIEST.as_millis() as i64);
    ends.0.saturating_sub(now.0) < part
}

/// Looks at the certificates that are served until the shutdown begins, and tells the administrator about those of files that end soon.
pub async fn watch(deps: &Deps, shutdown: Shutdown) {
    loop {
        let Some(looked) = shutdown.or(look(deps)).await else { return };
        if let Err(error) = looked {
            tracing::error!(error = error.chain(), "certificates could not be looked at");
        }
        if shutdown.or(tokio::time::sleep(LOOK_EVERY)).await.is_none() {
            return;
        }
    }
}

/// One look.
pub async fn look(deps: &Deps) -> Result<()> {
    let renewed: HashSet<String> = deps.directory.certificates().await?.into_iter().map(|one| one.name).collect();
    let now = deps.clock.now();
    for certificate in deps.tls.certificates() {
        let is_ours = certificate.names.iter().all(|name| renewed.contains(name));
        if matches!(Standing::of(&certificate, now), Standing::Ending | Standing::Bad) && !is_ours {
            let name = certificate.names.first().unwrap_or(&deps.hostname);
            let why = "nobody put a new one into the file / 证书文件未更新";
            alarm::tell(deps, name, Some(certificate.ends), why, alarm::Then::IsYours).await;
        }
    }
    Ok(())
}
