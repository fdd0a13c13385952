//! When what is done.

use std::collections::HashMap;
use std::time::Duration;

use anser_base::{Result, Timestamp};
use anser_directory::Certificate;
use anser_journal::{Entry, Origin, What};
use anser_net::Shutdown;

use crate::{Acme, alarm, names, order};

/// How often it is looked whether something is due.
pub const CHECK_EVERY: Duration = Duration::from_secs(3600);
/// Of the life of a certificate this part is left when it is renewed: with 90 days, a month.
const RENEW_AT: i64 = 3;
/// Of the life of a certificate this part is left when the administrator is told that renewing fails.
const ALARM_AT: i64 = 4;
/// After a failure a name waits this long, and twice as long after each further one (authorities count failures).
const FIRST_WAIT: Duration = Duration::from_secs(3600);
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);
/// The administrator is told about a name once in this time.
const ALARM_EVERY: Duration = Duration::from_secs(24 * 3600);

/// What a round did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Names that got a certificate.
    pub got: Vec<String>,
    /// Names that did not, and why.
    pub failed: Vec<(String, String)>,
}

/// How a name has failed.
#[derive(Clone, Copy, Debug, Default)]
struct Trouble {
    failures: u32,
    again: Timestamp,
    told: Option<Timestamp>,
}

impl Acme {
    /// Uses what is kept, then renews what is due, for ever: until the shutdown begins.
    pub async fn run(&self, shutdown: Shutdown) {
        if let Err(error) = self.install().await {
            tracing::error!(error = error.chain(), "the certificates that are kept cannot be used; the files serve");
        }
        let mut keeper = Keeper { acme: self, troubles: HashMap::new() };
        loop {
            let Some(round) = shutdown.or(keeper.round()).await else { return };
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
        Keeper { acme: self, troubles: HashMap::new() }.round().await
    }

    /// Gives new handshakes what is kept; the server's own name comes first.
    pub async fn install(&self) -> Result<()> {
        let mut all = self.deps.directory.certificates().await?;
        let now = self.deps.clock.now();
        all.retain(|certificate| certificate.ends > now);
        all.sort_by_key(|certificate| certificate.name != self.deps.hostname);
        self.deps.tls.install(all.into_iter().map(|one| (one.chain, one.key)).collect())
    }
}

struct Keeper<'a> {
    acme: &'a Acme,
    troubles: HashMap<String, Trouble>,
}

impl Keeper<'_> {
    async fn round(&mut self) -> Result<Round> {
        let deps = &self.acme.deps;
        let kept: HashMap<String, Certificate> =
            deps.directory.certificates().await?.into_iter().map(|one| (one.name.clone(), one)).collect();
        let wanted = names::wanted(deps, &self.acme.settings.names).await?;
        self.troubles.retain(|name, _| wanted.contains(name));
        let mut round = Round::default();
        for name in wanted {
            let (old, now) = (kept.get(&name), deps.clock.now());
            let waits = self.troubles.get(&name).is_some_and(|trouble| trouble.again > now);
            if waits || !is_due(old, now, RENEW_AT) {
                continue;
            }
            match order::order(self.acme, &name, old.map(|old| old.key.as_str())).await {
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

    async fn got(&mut self, certificate: Certificate) -> Result<()> {
        let (name, ends) = (certificate.name.clone(), certificate.ends);
        let deps = &self.acme.deps;
        deps.directory.keep_certificate(certificate).await?;
        self.acme.install().await?;
        self.troubles.remove(&name);
        tracing::info!(name, "a certificate was issued");
        note(self.acme, &name, format!("issued, ends {}", ends.0 / 1000)).await;
        Ok(())
    }

    /// Waits longer each time; tells the administrator while there is time to mend it.
    async fn failed(&mut self, name: &str, old: Option<&Certificate>, why: &str) {
        let now = self.acme.deps.clock.now();
        tracing::error!(name, why, "no certificate was issued");
        note(self.acme, name, format!("failed: {why}")).await;
        let trouble = self.troubles.entry(name.to_owned()).or_default();
        let wait = FIRST_WAIT.saturating_mul(1 << trouble.failures.min(10)).min(LONGEST_WAIT);
        (trouble.failures, trouble.again) = (trouble.failures + 1, now.after(wait));
        let was_told = trouble.told.is_some_and(|told| told.after(ALARM_EVERY) > now);
        if was_told || !is_due(old, now, ALARM_AT) {
            return;
        }
        trouble.told = Some(now);
        if let Err(error) = alarm::tell(&self.acme.deps, name, old.map(|old| old.ends), why).await {
            tracing::error!(error = error.chain(), "the administrator could not be told about a certificate");
        }
    }
}

/// Whether less than this part of its life is left.
fn is_due(certificate: Option<&Certificate>, now: Timestamp, part: i64) -> bool {
    certificate.is_none_or(|one| one.ends.0.saturating_sub(now.0) < (one.ends.0 - one.begins.0) / part)
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
        let due = |day: i64, part| is_due(Some(&certificate), Timestamp(day * DAY), part);
        assert!(!due(59, RENEW_AT) && due(61, RENEW_AT));
        assert!(!due(66, ALARM_AT) && due(68, ALARM_AT) && due(200, ALARM_AT));
        assert!(is_due(None, Timestamp(0), RENEW_AT));
    }
}
