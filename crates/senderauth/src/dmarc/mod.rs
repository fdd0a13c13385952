//! Domain-based Message Authentication, Reporting and Conformance (RFC 9989): is the shown author's domain one that was authenticated?

mod destination;
mod record;

pub use destination::destinations;
pub use record::{Policy, Record, Suffix};

use crate::dns::{self, Dns, Kind, Trouble};

/// Names that one tree walk asks (RFC 9989 §4.10).
pub const WALK: usize = 8;
/// Authenticated domains whose organization is looked for. A message with more of them has to align with one of these.
pub const IDENTIFIERS: usize = 12;

anser_base::words! {
    /// The outcome (RFC 9989 §5.3.5).
    pub enum Result {
        /// The domain has no policy.
        None = "none",
        /// An authenticated domain aligns.
        Pass = "pass",
        /// None does.
        Fail = "fail",
        /// The DNS failed; later may work.
        TempError = "temperror",
        /// There is no one author's domain.
        PermError = "permerror",
    }
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The outcome.
    pub result: Result,
    /// The author's domain.
    pub domain: String,
    /// Whose record was applied; empty when there is none.
    pub policy_domain: String,
    /// What the domain asks for the messages of this author that fail; testing is taken into account.
    pub policy: Policy,
    /// The record that was applied.
    pub record: Option<Record>,
    /// The domain of SPF aligns, and SPF passed.
    pub spf_aligned: bool,
    /// The domains of signatures that pass and align.
    pub dkim_aligned: Vec<String>,
}

impl Outcome {
    /// Without a policy.
    pub fn of(domain: &str, result: Result) -> Self {
        Self {
            result,
            domain: domain.to_owned(),
            policy_domain: String::new(),
            policy: Policy::None,
            record: None,
            spf_aligned: false,
            dkim_aligned: Vec::new(),
        }
    }
}

/// What is known to be authentic: domains in the form of [`dns::domain`].
#[derive(Clone, Debug, Default)]
pub struct Identifiers<'a> {
    /// The domain of MAIL FROM, when SPF passed for it.
    pub spf: Option<&'a str>,
    /// The domains of DKIM signatures that passed.
    pub dkim: Vec<&'a str>,
    /// Domains for which SPF or DKIM could not be checked because of the DNS. If one of them aligns, a failure is none yet
    /// (RFC 9989 §5.3.6); others do not matter, or anybody could make his forgery a riddle.
    pub troubled: Vec<&'a str>,
}

/// Checks one author's domain, in the form of [`dns::domain`].
pub async fn check(dns: &Dns<'_>, author: &str, identifiers: &Identifiers<'_>) -> Outcome {
    let outcome = evaluate(dns, author, identifiers).await;
    outcome.unwrap_or_else(|Trouble(_)| Outcome::of(author, Result::TempError))
}

async fn evaluate(dns: &Dns<'_>, author: &str, known: &Identifiers<'_>) -> std::result::Result<Outcome, Trouble> {
    let walk = walk(dns, author).await?;
    let organization = walk.organization(author);
    let Some((policy_domain, record)) = walk.policy(author, &organization) else {
        return Ok(Outcome::of(author, Result::None));
    };
    let policy = asked(dns, author, policy_domain, record).await?;
    let spf_aligned = match known.spf {
        Some(domain) => aligns(dns, author, &organization, domain, record.strict_spf).await?,
        None => false,
    };
    let mut dkim_aligned: Vec<String> = Vec::new();
    for domain in known.dkim.iter().take(IDENTIFIERS) {
        let is_new = !dkim_aligned.iter().any(|known| known == domain);
        if is_new && aligns(dns, author, &organization, domain, record.strict_dkim).await? {
            dkim_aligned.push((*domain).to_owned());
        }
    }
    let mut result = if spf_aligned || !dkim_aligned.is_empty() { Result::Pass } else { Result::Fail };
    for domain in known.troubled.iter().take(IDENTIFIERS) {
        if result == Result::Fail && aligns(dns, author, &organization, domain, false).await? {
            result = Result::TempError;
        }
    }
    Ok(Outcome {
        result,
        domain: author.to_owned(),
        policy_domain: policy_domain.to_owned(),
        policy,
        record: Some(record.clone()),
        spf_aligned,
        dkim_aligned,
    })
}

/// What is asked for this author: by the record of its own name, or by that of a name above it (RFC 9989 §4.10.1).
async fn asked(dns: &Dns<'_>, author: &str, owner: &str, record: &Record) -> std::result::Result<Policy, Trouble> {
    let policy = if author == owner {
        record.policy
    } else {
        let existing = record.subdomains.unwrap_or(record.policy);
        match record.missing {
            Some(missing) if missing != existing && !exists(dns, author).await? => missing,
            _ => existing,
        }
    };
    Ok(if record.testing { policy.milder() } else { policy })
}

/// RFC 9989 §3.2.13: a name that the DNS does not know at all.
async fn exists(dns: &Dns<'_>, name: &str) -> std::result::Result<bool, Trouble> {
    Ok(dns.ask(name, Kind::A).await?.exists)
}

/// Identifier alignment (RFC 9989 §4.10.2).
async fn aligns(
    dns: &Dns<'_>,
    author: &str,
    organization: &str,
    domain: &str,
    strict: bool,
) -> std::result::Result<bool, Trouble> {
    if author == domain {
        return Ok(true);
    }
    // Organizations that differ in their ends are no kin: the walk can be spared.
    if strict || !dns::is_within(domain, organization) {
        return Ok(false);
    }
    Ok(walk(dns, domain).await?.organization(domain) == organization)
}

/// The records that a tree walk found, from the longest name to the shortest.
struct Walk {
    found: Vec<(String, Record)>,
}

/// Asks for the policy of an author ahead of everything else, so that nothing a stranger slows down can hide it.
pub async fn prepare(dns: &Dns<'_>, author: &str) {
    drop(walk(dns, author).await);
}

/// Walks up from a name (RFC 9989 §4.10).
async fn walk(dns: &Dns<'_>, start: &str) -> std::result::Result<Walk, Trouble> {
    let mut found = Vec::new();
    for name in names(start) {
        let texts = dns.texts(&format!("_dmarc.{name}")).await?;
        let mut records = texts.iter().filter(|text| is_record(text));
        let (Some(text), None) = (records.next(), records.next()) else { continue };
        let Some(record) = Record::parse(text) else { continue };
        let last = record.suffix != Suffix::Unknown;
        found.push((name.to_owned(), record));
        if last {
            break;
        }
    }
    Ok(Walk { found })
}

fn is_record(text: &[u8]) -> bool {
    let version = text.split(|byte| *byte == b';').next().unwrap_or_default();
    let dense: Vec<u8> = version.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    dense == b"v=DMARC1"
}

/// The name itself and those above it; of a long one at most seven labels remain for the second.
fn names(start: &str) -> Vec<&str> {
    let mut names = vec![start];
    let mut rest = start;
    while let Some((_, above)) = rest.split_once('.') {
        rest = above;
        if rest.split('.').count() < WALK {
            names.push(rest);
        }
    }
    names
}

impl Walk {
    /// RFC 9989 §4.10.2.
    fn organization(&self, start: &str) -> String {
        for (name, record) in &self.found {
            match record.suffix {
                Suffix::No => return name.clone(),
                Suffix::Yes if name != start => return one_below(name, start),
                _ => {}
            }
        }
        self.found.last().map_or(start, |(name, _)| name).to_owned()
    }

    /// The record of the author, of its organization, or of its public suffix (RFC 9989 §4.10.1).
    fn policy(&self, author: &str, organization: &str) -> Option<(&str, &Record)> {
        let of = |wanted: &str| self.found.iter().find(|(name, _)| name == wanted);
        let suffix = || self.found.iter().find(|(_, record)| record.suffix == Suffix::Yes);
        of(author).or_else(|| of(organization)).or_else(suffix).map(|(name, record)| (name.as_str(), record))
    }
}

/// The name one label below `above` on the way to `start`.
fn one_below(above: &str, start: &str) -> String {
    let Some(rest) = start.strip_suffix(above).and_then(|rest| rest.strip_suffix('.')) else { return start.to_owned() };
    let label = rest.rsplit('.').next().unwrap_or_default();
    format!("{label}.{above}")
}
