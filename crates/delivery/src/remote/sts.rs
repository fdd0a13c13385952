//! MTA-STS (RFC 8461): a domain that asks for verified TLS by a policy at its web server.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anser_base::{Clock, Timestamp};
use anser_net::dns::{RecordType, Status, ascii_name};
use anser_net::http::client;
use anser_net::{Resolver, fetch};
use anser_peers::Peers;
use anser_peers::policies::Kept;
use tokio::sync::Semaphore;

use super::Outward;
use super::client::authorities;

/// Longest policy that is read, in bytes (RFC 8461 §3.2 asks for at least 64 KB).
const POLICY: usize = 64 * 1024;
/// Patterns of one policy that are kept.
const PATTERNS: usize = 100;
/// Longest time that a policy holds without being fetched anew, in seconds (RFC 8461 §3.2).
const MAX_AGE: u64 = 31_557_600;
/// How long a policy may take to come (RFC 8461 §3.3 recommends a minute).
const FETCH: Duration = Duration::from_secs(60);
/// After a fetch that failed none is tried for this long (RFC 8461 §3.3).
const AGAIN: Duration = Duration::from_secs(300);
/// A policy that holds is fetched anew after a day, or half of its time, so that it does not end while its web server happens to be down
/// (RFC 8461 §3.3).
const REFRESH: Duration = Duration::from_secs(24 * 3600);
/// Policies fetched at once.
const FETCHES: usize = 10;
/// Policies remembered.
const REMEMBERED: usize = 10_000;

/// What a policy asks for (RFC 8461 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Nothing but hosts that fit, verified.
    Enforce,
    /// To be told about, no more.
    Testing,
    /// Nothing.
    None,
}

/// A policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Policy {
    pub mode: Mode,
    mx: Vec<String>,
    max_age: Duration,
    /// As it was fetched.
    text: String,
}

impl Policy {
    /// Reads a policy (RFC 8461 §3.2); `None` for what is none. Unknown fields are passed over, and of a repeated one the first
    /// counts.
    pub fn parse(text: &str) -> Option<Self> {
        let (mut version, mut mode, mut max_age, mut mx) = (None, None, None, Vec::new());
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let (name, value) = line.split_once(':')?;
            let value = value.trim();
            match name.trim() {
                "version" => version = version.or(Some(value)),
                "mode" => mode = mode.or(Some(value)),
                "max_age" => max_age = max_age.or(Some(value.parse::<u64>().ok()?)),
                "mx" if mx.len() < PATTERNS => mx.push(ascii_pattern(value)?),
                _ => {}
            }
        }
        let mode = match mode? {
            "enforce" => Mode::Enforce,
            "testing" => Mode::Testing,
            "none" => Mode::None,
            _ => return None,
        };
        let is_whole = version == Some("STSv1") && (mode == Mode::None || !mx.is_empty());
        let max_age = Duration::from_secs(max_age?.min(MAX_AGE));
        is_whole.then(|| Self { mode, mx, max_age, text: text.to_owned() })
    }

    /// Its text, line by line, as reports tell it (RFC 8460 §4.4).
    pub fn lines(&self) -> Vec<String> {
        self.text.lines().map(str::trim).filter(|line| !line.is_empty()).take(PATTERNS).map(str::to_owned).collect()
    }

    /// The patterns of the hosts that it names.
    pub fn hosts(&self) -> &[String] {
        &self.mx
    }

    /// Whether a host is one of those that the policy names (RFC 8461 §4.1): `*.` stands for exactly one label.
    pub fn names(&self, host: &str) -> bool {
        let parent = host.split_once('.').map(|(_, parent)| parent);
        self.mx.iter().any(|pattern| match pattern.strip_prefix("*.") {
            Some(rest) => parent == Some(rest),
            None => pattern == host,
        })
    }
}

fn ascii_pattern(pattern: &str) -> Option<String> {
    match pattern.strip_prefix("*.") {
        Some(rest) => ascii_name(rest).map(|rest| format!("*.{rest}")),
        None => ascii_name(pattern),
    }
}

/// The `id` of the record at `_mta-sts.<domain>` (RFC 8461 §3.1). With several such records there is no policy.
fn id_of<'a>(texts: impl Iterator<Item = &'a [u8]>) -> Option<String> {
    let mut ids = texts.filter_map(|text| {
        let text = std::str::from_utf8(text).ok()?;
        let mut fields = text.split(';').map(str::trim);
        (fields.next()? == "v=STSv1").then_some(())?;
        Some(fields.find_map(|field| field.strip_prefix("id=")).unwrap_or_default().trim().to_owned())
    });
    let id = ids.next()?;
    let is_good = (1..=32).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (is_good && ids.next().is_none()).then_some(id)
}

/// The policies that are known, for as long as they hold, over a restart too (RFC 8461 §5.1).
pub(super) struct Policies {
    peers: Peers,
    clock: Clock,
    known: Mutex<HashMap<String, Known>>,
    fetches: Semaphore,
}

#[derive(Clone)]
struct Known {
    /// Of the record when the policy was fetched.
    id: String,
    policy: Option<Arc<Policy>>,
    until: Timestamp,
    /// It is fetched anew from then on, though the record is the same.
    refresh: Timestamp,
    /// No fetch before this.
    again: Timestamp,
}

impl Known {
    fn holds(&self, now: Timestamp) -> bool {
        self.policy.is_some() && self.until > now
    }
}

impl Policies {
    pub fn new(peers: Peers, clock: Clock) -> Self {
        Self { peers, clock, known: Mutex::default(), fetches: Semaphore::new(FETCHES) }
    }

    /// The policy of a domain. One that is known holds for its time, whatever becomes of its record or of its web server, so that
    /// nobody can take it away (RFC 8461 §10.2).
    pub async fn of(&self, resolver: &Resolver, options: &client::Options, domain: &str) -> Option<Arc<Policy>> {
        let domain = ascii_name(domain).filter(|name| name.contains('.'))?;
        let known = self.remembered(&domain).await;
        let now = self.clock.now();
        let old = known.as_ref().filter(|known| known.holds(now)).and_then(|known| known.policy.clone());
        let answer = resolver.lookup(&format!("_mta-sts.{domain}"), RecordType::Txt).await;
        let id = match &answer.status {
            Status::Found(_) => id_of(answer.texts()),
            _ => None,
        };
        let Some(id) = id else { return old };
        let is_due = known
            .as_ref()
            .is_none_or(|known| known.again <= now && (!known.holds(now) || known.id != id || known.refresh <= now));
        if !is_due {
            return old;
        }
        let again = now.after(AGAIN);
        let next = match self.fetch(resolver, options, &domain).await {
            Some(policy) => {
                let (until, refresh) = (now.after(policy.max_age), now.after(REFRESH.min(policy.max_age / 2)));
                self.keep_stored(&domain, &id, &policy, until).await;
                Known { id, policy: Some(policy), until, refresh, again }
            }
            None => Known { again, ..known.unwrap_or(Known { id, policy: None, until: now, refresh: now, again }) },
        };
        let policy = next.policy.clone().filter(|_| next.until >= now);
        self.keep(domain, next, now);
        policy
    }

    /// Fetches anew what ends soon, though no mail goes there now.
    pub async fn refresh(&self, resolver: &Resolver, options: &client::Options) {
        let soon = self.clock.now().after(REFRESH);
        match self.peers.ending_policies(soon).await {
            Ok(domains) => {
                for domain in domains {
                    self.of(resolver, options, &domain).await;
                }
            }
            Err(error) => tracing::error!(error = error.chain(), "MTA-STS policies that end cannot be looked up"),
        }
    }

    /// What is known in memory, or from before the start. That is fetched anew soon.
    async fn remembered(&self, domain: &str) -> Option<Known> {
        if let Some(known) = self.known().get(domain) {
            return Some(known.clone());
        }
        let stored = self.peers.kept_policy(domain).await.unwrap_or_else(|error| {
            tracing::error!(error = error.chain(), domain, "the MTA-STS policy of a domain cannot be looked up");
            None
        })?;
        let (now, policy) = (self.clock.now(), Policy::parse(&stored.policy)?);
        Some(Known { id: stored.id, policy: Some(Arc::new(policy)), until: stored.until, refresh: now, again: now })
    }

    async fn keep_stored(&self, domain: &str, id: &str, policy: &Policy, until: Timestamp) {
        let kept = Kept { domain: domain.to_owned(), id: id.to_owned(), policy: policy.text.clone(), until };
        if let Err(error) = self.peers.keep_policy(kept).await {
            tracing::error!(error = error.chain(), domain, "the MTA-STS policy of a domain cannot be kept");
        }
    }

    async fn fetch(&self, resolver: &Resolver, options: &client::Options, domain: &str) -> Option<Arc<Policy>> {
        let _turn = self.fetches.acquire().await.ok()?;
        let host = format!("mta-sts.{domain}");
        match fetch::text(resolver, &host, "/.well-known/mta-sts.txt", POLICY, options).await {
            Ok(text) => Policy::parse(&text).map(Arc::new),
            Err(error) => {
                tracing::info!(domain, error = error.chain(), "an MTA-STS policy cannot be fetched");
                None
            }
        }
    }

    fn keep(&self, domain: String, known: Known, now: Timestamp) {
        let mut all = self.known();
        if all.len() >= REMEMBERED {
            all.retain(|_, known| known.holds(now));
        }
        if all.len() < REMEMBERED || all.contains_key(&domain) {
            all.insert(domain, known);
        }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How policies are fetched; `None` where nobody vouches for certificates.
pub(super) fn options(outward: &Outward) -> Option<client::Options> {
    let authorities = authorities(&outward.authorities).ok()?;
    let (port, private) = (outward.web_port, outward.private);
    Some(client::Options { port, private, ..client::Options::new(authorities, FETCH) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str =
        "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\nmax_age: 604800\r\n";

    #[test]
    fn the_policy_of_the_rfc_is_read() {
        let policy = Policy::parse(GOOD).unwrap();
        assert_eq!((policy.mode, policy.max_age.as_secs()), (Mode::Enforce, 604_800));
        for (host, fits) in [
            ("mail.example.com", true),
            ("a.example.net", true),
            ("a.b.example.net", false),
            ("example.net", false),
            ("other.example.com", false),
        ] {
            assert_eq!(policy.names(host), fits, "{host}");
        }
        let plain = Policy::parse(&GOOD.replace("\r\n", "\n")).unwrap();
        assert_eq!((plain.mode, plain.hosts(), plain.lines()), (policy.mode, policy.hosts(), policy.lines()));
        assert_eq!(Policy::parse("version: STSv1\nmode: none\nmax_age: 1\nx: y\n").unwrap().mode, Mode::None);
    }

    #[test]
    fn what_is_no_policy_is_none() {
        for bad in [
            "",
            "<html>",
            "mode: enforce\nmx: a.test\nmax_age: 1",
            &GOOD.replace("STSv1", "STSv2"),
            &GOOD.replace("enforce", "please"),
            &GOOD.replace("604800", "long"),
            "version: STSv1\nmode: enforce\nmax_age: 1\n",
            "version: STSv1\nmode: enforce\nmx: a..b\nmax_age: 1\n",
        ] {
            assert_eq!(Policy::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_record_names_its_policy() {
        let id = |texts: &[&str]| id_of(texts.iter().map(|text| text.as_bytes()));
        assert_eq!(id(&["v=STSv1; id=20160831085700Z;"]).as_deref(), Some("20160831085700Z"));
        assert_eq!(id(&["v=spf1 -all", "v=STSv1;id=1"]).as_deref(), Some("1"));
        for bad in
            [&["v=STSv1;"][..], &["v=STSv1; id=a b"], &["id=1; v=STSv1"], &["v=STSv1; id=1", "v=STSv1; id=2"], &[]]
        {
            assert_eq!(id(bad), None, "{bad:?}");
        }
    }
}
