//! Views of domains and their records.

use serde::{Deserialize, Serialize};

/// A domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainView {
    /// Its name.
    pub name: String,
    /// Whether it is switched off.
    pub disabled: bool,
    /// The domain whose addresses it repeats.
    pub alias_of: Option<String>,
    /// Where mail to unknown addresses goes.
    pub catch_all: Option<String>,
    /// Who reads `postmaster@` it.
    pub postmaster: Option<String>,
    /// Whether login names without a domain are sought in it.
    pub default: bool,
}

/// A key that mail is signed with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DkimView {
    /// Where its record belongs: `selector._domainkey.example.org`.
    pub name: String,
    /// `rsa-sha256` or `ed25519-sha256`.
    pub algorithm: String,
    /// `waiting`, `active`, `retiring`.
    pub state: String,
    /// When it was made (RFC 3339).
    pub created: String,
    /// The text of its record.
    pub record: String,
}

/// A record that a domain needs in the DNS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordView {
    /// Its name, without a final dot.
    pub name: String,
    /// `A`, `MX`, `TXT` and the like.
    pub kind: String,
    /// What it holds, as a zone file has it; `<IPv4>` stands for what only the operator knows.
    pub value: String,
    /// Mail suffers without it.
    pub needed: bool,
    /// What it is for, in English.
    pub en: String,
    /// What it is for, in Chinese.
    pub zh: String,
    /// What the name servers of the zone answer: `ok`, `waiting` (as it should be, but others may still remember something else),
    /// `differs` (from one to the other), `missing`, `absent` (and not needed), `wrong`, `unknown`; empty when they were not asked.
    pub state: String,
    /// What is wrong and how to mend it, in English.
    pub problem_en: Option<String>,
    /// The same in Chinese.
    pub problem_zh: Option<String>,
    /// What the DNS says at present; several values with commas between them.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub now: String,
    /// Seconds for which others may remember what the name servers say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<u64>,
    /// Seconds for which others may still remember something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<u64>,
}
