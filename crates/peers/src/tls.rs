//! Reports on TLS (RFC 8460): how sessions with the servers of a domain went, as JSON.

use serde::{Deserialize, Serialize};

use crate::{Meta, plain};

/// Policies of one report, and failures of one policy, that are written or read; of more the rest is left out.
pub const POLICIES: usize = 100;
/// Failures of one policy.
pub const FAILURES: usize = 1000;
/// Lines of a policy that are told.
const LINES: usize = 100;
/// Longest text, in bytes; of more the rest is left out.
const TEXT: usize = 512;
/// Longest word or name, in bytes.
const NAME: usize = 253;

/// What was to be kept to with a domain (RFC 8460 §4.4).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Policy {
    /// `tlsa`, `sts`, `no-policy-found`.
    pub policy_type: String,
    /// Its text, line by line; for `tlsa` the records.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "texts")]
    pub policy_string: Vec<String>,
    /// The domain.
    pub policy_domain: String,
    /// The hosts that a policy names.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "texts")]
    pub mx_host: Vec<String>,
}

/// Why there was no session that the policy wants, or none with TLS at all (RFC 8460 §4.3, §4.4).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Failure {
    /// A word of RFC 8460 §4.3.
    pub result_type: String,
    /// Our address.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sending_mta_ip: String,
    /// The server's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub receiving_mx_hostname: String,
    /// Its address.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub receiving_ip: String,
    /// What more is known.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub failure_reason_code: String,
}

/// One session, or the attempt at one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Session {
    /// What it was to keep to.
    pub policy: Policy,
    /// What failed; `None` when nothing did.
    pub failure: Option<Failure>,
}

/// A report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Who reports.
    pub meta: Meta,
    /// Sessions that were alike, and how many.
    pub sessions: Vec<(Session, u64)>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Written {
    #[serde(default)]
    organization_name: String,
    date_range: DateRange,
    #[serde(default)]
    contact_info: String,
    #[serde(default)]
    report_id: String,
    policies: Vec<WrittenPolicy>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct DateRange {
    start_datetime: String,
    end_datetime: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct WrittenPolicy {
    policy: Policy,
    #[serde(default)]
    summary: Summary,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    failure_details: Vec<WrittenFailure>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct Summary {
    total_successful_session_count: u64,
    total_failure_session_count: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct WrittenFailure {
    #[serde(flatten)]
    failure: Failure,
    #[serde(default)]
    failed_session_count: u64,
}

impl Report {
    /// As JSON.
    pub fn write(&self) -> Vec<u8> {
        let mut sessions = self.sessions.clone();
        sessions.sort();
        let mut policies: Vec<WrittenPolicy> = Vec::new();
        for (session, count) in sessions {
            if policies.last().is_none_or(|last| last.policy != session.policy) {
                if policies.len() == POLICIES {
                    break;
                }
                let (policy, summary) = (session.policy, Summary::default());
                policies.push(WrittenPolicy { policy, summary, failure_details: Vec::new() });
            }
            let Some(last) = policies.last_mut() else { break };
            let Some(failure) = session.failure else {
                last.summary.total_successful_session_count += count;
                continue;
            };
            last.summary.total_failure_session_count += count;
            if last.failure_details.len() < FAILURES {
                last.failure_details.push(WrittenFailure { failure, failed_session_count: count });
            }
        }
        let Meta { organization, contact, id, begin, end } = self.meta.clone();
        let date_range = DateRange { start_datetime: datetime(begin), end_datetime: datetime(end) };
        let written =
            Written { organization_name: organization, date_range, contact_info: contact, report_id: id, policies };
        serde_json::to_vec(&written).unwrap_or_default()
    }

    /// Reads a report; `None` for what is none. What is not known is passed over.
    pub fn read(json: &[u8]) -> Option<Self> {
        let written: Written = serde_json::from_slice(json).ok()?;
        let range = &written.date_range;
        let meta = Meta {
            organization: plain(&written.organization_name, TEXT),
            contact: plain(&written.contact_info, TEXT),
            id: plain(&written.report_id, TEXT),
            begin: seconds(&range.start_datetime)?,
            end: seconds(&range.end_datetime)?,
        };
        let mut sessions = Vec::new();
        for WrittenPolicy { policy, summary, failure_details } in written.policies.into_iter().take(POLICIES) {
            let policy = policy.cleaned();
            let mut told = 0u64;
            for WrittenFailure { failure, failed_session_count: count } in failure_details.into_iter().take(FAILURES) {
                told = told.saturating_add(count);
                sessions.push((Session { policy: policy.clone(), failure: Some(failure.cleaned()) }, count));
            }
            let untold = summary.total_failure_session_count.saturating_sub(told);
            if untold > 0 {
                sessions.push((Session { policy: policy.clone(), failure: Some(Failure::default()) }, untold));
            }
            let passed = summary.total_successful_session_count;
            if passed > 0 || (untold == 0 && told == 0) {
                sessions.push((Session { policy, failure: None }, passed));
            }
        }
        (!sessions.is_empty()).then_some(Self { meta, sessions })
    }
}

impl Policy {
    fn cleaned(self) -> Self {
        Self {
            policy_type: plain(&self.policy_type, NAME).to_ascii_lowercase(),
            policy_string: self.policy_string.iter().take(LINES).map(|line| plain(line, TEXT)).collect(),
            policy_domain: plain(self.policy_domain.trim_end_matches('.'), NAME).to_lowercase(),
            mx_host: self.mx_host.iter().take(LINES).map(|host| plain(host, NAME)).collect(),
        }
    }
}

impl Failure {
    fn cleaned(self) -> Self {
        Self {
            result_type: plain(&self.result_type, NAME).to_ascii_lowercase(),
            sending_mta_ip: plain(&self.sending_mta_ip, NAME),
            receiving_mx_hostname: plain(&self.receiving_mx_hostname, NAME),
            receiving_ip: plain(&self.receiving_ip, NAME),
            failure_reason_code: plain(&self.failure_reason_code, TEXT),
        }
    }
}

/// A list of texts, or one text: some write a single host so.
fn texts<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Texts {
        Many(Vec<String>),
        One(String),
        None(()),
    }
    Ok(match Texts::deserialize(deserializer)? {
        Texts::Many(texts) => texts,
        Texts::One(text) => vec![text],
        Texts::None(()) => Vec::new(),
    })
}

/// RFC 3339, in UTC.
fn datetime(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).unwrap_or_default().to_string()
}

/// Of RFC 3339; some leave the zone out.
fn seconds(text: &str) -> Option<i64> {
    let found: Result<jiff::Timestamp, _> = text.parse().or_else(|_| format!("{text}Z").parse());
    found.ok().map(|time| time.as_second())
}
