//! MTA-STS (RFC 8461): a domain that asks for verified TLS by a policy at its web server.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anser_net::dns::{RecordType, Status, ascii_name};
use anser_net::http::client;
use anser_net::{Resolver, fetch};
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// Longest policy that is read, in bytes (RFC 8461 §3.2 asks for at least 64 KB).
const POLICY: usize = 64 * 1024;
/// Patterns of one policy that are kept.
const PATTERNS: usize = 100;
/// Longest time that a policy holds without being fetched anew, in seconds (RFC 8461 §3.2).
const MAX_AGE: u64 = 31_557_600;
/// How long a policy may take to come (RFC 8461 §3.3 recommends a minute).
pub(super) const FETCH: Duration = Duration::from_secs(60);
/// After a fetch that failed none is tried for this long (RFC 8461 §3.3).
const AGAIN: Duration = Duration::from_secs(300);
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
        is_whole.then_some(Self { mode, mx, max_age: Duration::from_secs(max_age?.min(MAX_AGE)) })
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

/// The policies that are known, for as long as they hold.
pub(super) struct Policies {
    known: Mutex<HashMap<String, Known>>,
    fetches: Semaphore,
}

#[derive(Clone)]
struct Known {
    id: String,
    policy: Option<Arc<Policy>>,
    until: Instant,
    /// No fetch before this.
    again: Instant,
}

impl Policies {
    pub fn new() -> Self {
        Self { known: Mutex::default(), fetches: Semaphore::new(FETCHES) }
    }

    /// The policy of a domain. One that is known holds for its time, whatever becomes of its record or of its web server, so that
    /// nobody can take it away (RFC 8461 §10.2).
    pub async fn of(&self, resolver: &Resolver, options: &client::Options, domain: &str) -> Option<Arc<Policy>> {
        let domain = ascii_name(domain).filter(|name| name.contains('.'))?;
        let now = Instant::now();
        let known = self.known().get(&domain).cloned();
        let old = known.as_ref().filter(|known| known.until > now).and_then(|known| known.policy.clone());
        let answer = resolver.lookup(&format!("_mta-sts.{domain}"), RecordType::Txt).await;
        let id = match &answer.status {
            Status::Found(_) => id_of(answer.texts()),
            _ => None,
        };
        let Some(id) = id else { return old };
        if let Some(known) = &known
            && (known.again > now || (known.id == id && known.until > now && known.policy.is_some()))
        {
            return old;
        }
        let fetched = self.fetch(resolver, options, &domain).await;
        let policy = fetched.or(old);
        let again = now + AGAIN;
        let until = match (&policy, &known) {
            (Some(policy), Some(known)) if known.policy.as_ref() == Some(policy) => known.until.max(again),
            (Some(policy), _) => now + policy.max_age,
            (None, _) => again,
        };
        self.keep(domain, Known { id, policy: policy.clone(), until, again });
        policy
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

    fn keep(&self, domain: String, known: Known) {
        let mut all = self.known();
        if all.len() >= REMEMBERED {
            let now = Instant::now();
            all.retain(|_, known| known.until > now && known.policy.is_some());
        }
        if all.len() < REMEMBERED || all.contains_key(&domain) {
            all.insert(domain, known);
        }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
        assert_eq!(Policy::parse(&GOOD.replace("\r\n", "\n")), Some(policy));
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
