//! When what is done.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use anser_base::{Result, Timestamp};
use anser_directory::Certificate;
use anser_journal::{Entry, Origin, What};
use anser_net::Shutdown;

use crate::{Acme, alarm, names, order, watch};

/// How often it is looked whether something is due.
pub const CHECK_EVERY: Duration = Duration::from_secs(3600);
/// Of the life of a certificate this part is left when it is renewed: with 90 days, a month.
const RENEW_AT: i64 = 3;
/// After a failure a name waits this long, and twice as long after each further one (authorities count failures).
const FIRST_WAIT: Duration = Duration::from_secs(3600);
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

/// What a round did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Names that got a certificate.
    pub got: Vec<String>,
    /// Names that did not, and why.
    pub failed: Vec<(String, String)>,
}

/// How a name has failed since it last got a certificate, or the server started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trouble {
    /// How often.
    pub failures: u32,
    /// When it is tried again.
    pub again: Timestamp,
    /// What was wrong the last time.
    pub why: String,
}

/// By name.
pub(crate) type Troubles = BTreeMap<String, Trouble>;

impl Acme {
    /// Uses what is kept, then renews what is due, for ever: until the shutdown begins.
    pub async fn run(&self, shutdown: Shutdown) {
        if let Err(error) = self.install().await {
            tracing::error!(error = error.chain(), "the certificates that are kept cannot be used; the files serve");
        }
        loop {
            let Some(round) = shutdown.or(self.look()).await else { return };
            if let Err(error) = round {
                tracing::error!(error = error.chain(), "certificates could not be looked after");
            }
            if shutdown.or(tokio::time::sleep(CHECK_EVERY)).await.is_none() {
                return;
            }
        }
    }

    /// One round over all names, whatever failed before.
    pub async fn round(&self) -> Result<Round> {
        self.troubled().clear();
        self.look().await
    }

    /// The names that get no certificate at present.
    pub fn troubles(&self) -> Vec<(String, Trouble)> {
        self.troubled().iter().map(|(name, trouble)| (name.clone(), trouble.clone())).collect()
    }

    fn troubled(&self) -> MutexGuard<'_, Troubles> {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives new handshakes what is kept; the server's own name comes first.
    pub async fn install(&self) -> Result<()> {
        let mut all = self.deps.directory.certificates().await?;
        let now = self.deps.clock.now();
        all.retain(|certificate| certificate.ends > now);
        // Those of names that are wanted no more go with time; until then there may be too many.
        all.sort_by_key(|certificate| (certificate.name != self.deps.hostname, Reverse(certificate.ends)));
        all.truncate(names::NAMES);
        self.deps.tls.install(all.into_iter().map(|one| (one.chain, one.key)).collect())
    }

    /// One round over the names that do not wait after a failure.
    async fn look(&self) -> Result<Round> {
        let deps = &self.deps;
        let kept: HashMap<String, Certificate> =
            deps.directory.certificates().await?.into_iter().map(|one| (one.name.clone(), one)).collect();
        let wanted = names::wanted(deps, &self.settings.names).await?;
        self.troubled().retain(|name, _| wanted.contains(name));
        let mut round = Round::default();
        for name in wanted {
            let (old, now) = (kept.get(&name), deps.clock.now());
            let waits = self.troubled().get(&name).is_some_and(|trouble| trouble.again > now);
            if waits || !is_due(old, now) {
                continue;
            }
            match order::order(self, &name, old.map(|old| old.key.as_str())).await {
                Ok(certificate) => {
                    self.got(certificate).await?;
                    round.got.push(name);
                }
                Err(error) => {
                    let why = error.chain().to_string();
                    self.failed(&name, old, &why).await;
                    round.failed.push((name, why));
                }
            }
        }
        Ok(round)
    }

    async fn got(&self, certificate: Certificate) -> Result<()> {
        let (name, ends) = (certificate.name.clone(), certificate.ends);
        self.deps.directory.keep_certificate(certificate).await?;
        self.install().await?;
        self.troubled().remove(&name);
        tracing::info!(name, "a certificate was issued");
        note(self, &name, format!("issued, ends {ends}")).await;
        Ok(())
    }

    /// Waits longer each time; tells the administrator while there is time to mend it.
    async fn failed(&self, name: &str, old: Option<&Certificate>, why: &str) {
        let now = self.deps.clock.now();
        tracing::error!(name, why, "no certificate was issued");
        note(self, name, format!("failed: {why}")).await;
        {
            let mut troubles = self.troubled();
            let failures = troubles.get(name).map_or(0, |trouble| trouble.failures);
            let wait = FIRST_WAIT.saturating_mul(1 << failures.min(10)).min(LONGEST_WAIT);
            let trouble = Trouble { failures: failures + 1, again: now.after(wait), why: why.to_owned() };
            troubles.insert(name.to_owned(), trouble);
        }
        if old.is_none_or(|old| watch::is_near_end(old.begins, old.ends, now)) {
            alarm::tell(&self.deps, name, old.map(|old| old.ends), why, alarm::Then::TriesAgain).await;
        }
    }
}

/// Whether it is time for a new one.
fn is_due(certificate: Option<&Certificate>, now: Timestamp) -> bool {
    certificate.is_none_or(|one| one.ends.0.saturating_sub(now.0) < (one.ends.0 - one.begins.0) / RENEW_AT)
}

async fn note(acme: &Acme, name: &str, after: String) {
    let what = What::Administered {
        actor: "acme".to_owned(),
        act: "certificate".to_owned(),
        object: name.to_owned(),
        before: None,
        after: Some(after),
    };
    if let Err(error) = acme.deps.journal.append_durable(Entry { origin: Origin::internal(), what }).await {
        tracing::error!(error = error.chain(), "what became of a certificate was not written down");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_renewed_long_before_its_end_and_the_alarm_comes_later() {
        const DAY: i64 = 24 * 3600 * 1000;
        let certificate = Certificate {
            name: "a".into(),
            chain: String::new(),
            key: String::new(),
            begins: Timestamp(0),
            ends: Timestamp(90 * DAY),
        };
        let due = |day: i64| is_due(Some(&certificate), Timestamp(day * DAY));
        assert!(!due(59) && due(61));
        let alarms = |day: i64| watch::is_near_end(certificate.begins, certificate.ends, Timestamp(day * DAY));
        assert!(!alarms(66) && alarms(68) && alarms(200));
        assert!(is_due(None, Timestamp(0)));
    }
}
