//! DMARC aggregate reports (RFC 9990, before it RFC 7489 §7.2): what a receiver saw in the name of a domain in a time, as XML. What is
//! written has the elements of both; what is read may be of either.

use std::fmt::Write;
use std::net::IpAddr;

use anser_senderauth::Verdict;
use anser_senderauth::dmarc::{self, Policy, Record};
use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;
use serde::{Deserialize, Serialize};

use crate::{Meta, plain};

/// Rows of one report that are written or read; of more the rest is left out.
pub const ROWS: usize = 1000;
/// Signatures of one row.
const SIGNATURES: usize = 5;
/// Longest text of an element, in bytes; of more the rest is left out.
const TEXT: usize = 512;
/// Longest name of a domain, in bytes.
const DOMAIN: usize = 253;
/// Elements within each other.
const DEPTH: usize = 16;

/// A report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Who reports.
    pub meta: Meta,
    /// What the domain asked for.
    pub policy: Published,
    /// What was seen, and how often.
    pub rows: Vec<(Row, u64)>,
}

/// What a domain asked for, in the words of its record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// Whose record it was.
    pub domain: String,
    /// `p=`.
    pub policy: String,
    /// `sp=`.
    pub subdomains: String,
    /// `np=`.
    pub missing: String,
    /// `adkim=`: `r` or `s`.
    pub dkim: String,
    /// `aspf=`: `r` or `s`.
    pub spf: String,
    /// `t=y`.
    pub testing: bool,
}

/// Messages that were alike.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Row {
    /// The peer that sent them; `None` when it is not said.
    pub source: Option<IpAddr>,
    /// What was done: `none`, `pass`, `quarantine`, `reject`.
    pub disposition: String,
    /// A signature passed and fits the author.
    pub dkim: bool,
    /// SPF passed and fits the author.
    pub spf: bool,
    /// Why something else was done than the domain asked for, if it was.
    pub reason: String,
    /// The author's domain.
    pub author: String,
    /// The sender's domain.
    pub sender: String,
    /// The signatures.
    pub signatures: Vec<Signature>,
    /// What SPF said, and of whom.
    pub checked: Option<Checked>,
}

/// A signature, and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Signature {
    /// `d=`.
    pub domain: String,
    /// `s=`.
    pub selector: String,
    /// The word of RFC 8601.
    pub result: String,
}

/// What SPF said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Checked {
    /// The domain.
    pub domain: String,
    /// `mfrom` or `helo`.
    pub scope: String,
    /// The word of RFC 8601.
    pub result: String,
}

impl Row {
    /// What is to be told of a message, and the domain to tell it to; `None` when it asks for no reports, or when trouble with the DNS left
    /// it open.
    pub fn of(verdict: &Verdict) -> Option<(String, Self)> {
        let dmarc = &verdict.dmarc;
        let asks = dmarc.record.as_ref().is_some_and(|record| !record.reports.is_empty());
        if !asks || dmarc.result == dmarc::Result::TempError {
            return None;
        }
        let disposition = match dmarc.result {
            dmarc::Result::Pass => "pass",
            _ => verdict.applied.word(),
        };
        let is_milder = verdict.applied < verdict.asks();
        // Those that fit the author are what the domain's people look for.
        let mut signatures: Vec<_> = verdict.dkim.iter().filter(|one| !one.domain.is_empty()).collect();
        signatures.sort_by_key(|one| !dmarc.dkim_aligned.contains(&one.domain));
        let signature = |one: &anser_senderauth::dkim::Outcome| Signature {
            domain: one.domain.clone(),
            selector: one.selector.clone(),
            result: one.result.word().to_owned(),
        };
        let row = Self {
            source: Some(verdict.ip),
            disposition: disposition.to_owned(),
            dkim: !dmarc.dkim_aligned.is_empty(),
            spf: dmarc.spf_aligned,
            reason: if is_milder { "local_policy".to_owned() } else { String::new() },
            author: dmarc.domain.clone(),
            sender: if verdict.spf.of_helo { String::new() } else { verdict.spf.domain.clone() },
            signatures: signatures.into_iter().take(SIGNATURES).map(signature).collect(),
            checked: (!verdict.spf.domain.is_empty()).then(|| Checked {
                domain: verdict.spf.domain.clone(),
                scope: if verdict.spf.of_helo { "helo" } else { "mfrom" }.to_owned(),
                result: verdict.spf.outcome.result.word().to_owned(),
            }),
        };
        Some((dmarc.policy_domain.clone(), row))
    }

    /// Whether DMARC passed.
    pub fn passed(&self) -> bool {
        self.dkim || self.spf
    }
}

impl Published {
    /// Of a record.
    pub fn of(domain: &str, record: &Record) -> Self {
        let word = |policy: Policy| policy.word().to_owned();
        let mode = |strict| if strict { "s" } else { "r" }.to_owned();
        let subdomains = record.subdomains.unwrap_or(record.policy);
        Self {
            domain: domain.to_owned(),
            policy: word(record.policy),
            subdomains: word(subdomains),
            missing: word(record.missing.unwrap_or(subdomains)),
            dkim: mode(record.strict_dkim),
            spf: mode(record.strict_spf),
            testing: record.testing,
        }
    }
}

impl Report {
    /// As XML.
    pub fn write(&self) -> String {
        let Self { meta, policy, rows } = self;
        let mut xml = Xml(String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"));
        xml.open("feedback xmlns=\"urn:ietf:params:xml:ns:dmarc-2.0\"");
        xml.text("version", "1.0");
        xml.open("report_metadata");
        xml.text("org_name", &meta.organization);
        xml.text("email", &meta.contact);
        xml.text("report_id", &meta.id);
        xml.open("date_range");
        xml.text("begin", &meta.begin.to_string());
        xml.text("end", &meta.end.to_string());
        xml.close("date_range");
        xml.close("report_metadata");
        xml.open("policy_published");
        xml.text("domain", &policy.domain);
        xml.text("adkim", &policy.dkim);
        xml.text("aspf", &policy.spf);
        xml.text("p", &policy.policy);
        xml.text("sp", &policy.subdomains);
        xml.text("np", &policy.missing);
        xml.text("testing", if policy.testing { "y" } else { "n" });
        xml.text("discovery_method", "treewalk");
        xml.close("policy_published");
        for (row, count) in rows.iter().take(ROWS) {
            write_row(&mut xml, row, *count);
        }
        xml.close("feedback");
        xml.0
    }

    /// Reads a report; `None` for what is none. A document type is refused, and entities of its own with it, so that nothing grows.
    /// Elements that are not known are passed over.
    pub fn read(xml: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(xml);
        let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
        let mut reading = Reading::default();
        loop {
            match reader.read_event().ok()? {
                Event::Start(start) => reading.start(start.local_name().as_ref())?,
                Event::Text(part) => reading.take(&part),
                Event::CData(part) => reading.take(&part),
                Event::GeneralRef(entity) => match entity.resolve_char_ref().ok()? {
                    Some(char) => reading.take(char.encode_utf8(&mut [0; 4])),
                    None => reading.take(resolve_predefined_entity(&entity)?),
                },
                Event::End(_) => reading.end()?,
                Event::DocType(_) => return None,
                Event::Eof => break,
                _ => {}
            }
        }
        let report = reading.report;
        (reading.is_feedback && !report.policy.domain.is_empty()).then_some(report)
    }
}

fn write_row(xml: &mut Xml, row: &Row, count: u64) {
    let result = |passed| if passed { "pass" } else { "fail" };
    xml.open("record");
    xml.open("row");
    xml.text("source_ip", &row.source.map(|source| source.to_string()).unwrap_or_default());
    xml.text("count", &count.to_string());
    xml.open("policy_evaluated");
    xml.text("disposition", &row.disposition);
    xml.text("dkim", result(row.dkim));
    xml.text("spf", result(row.spf));
    if !row.reason.is_empty() {
        xml.open("reason");
        xml.text("type", &row.reason);
        xml.close("reason");
    }
    xml.close("policy_evaluated");
    xml.close("row");
    xml.open("identifiers");
    xml.text("envelope_from", &row.sender);
    xml.text("header_from", &row.author);
    xml.close("identifiers");
    xml.open("auth_results");
    for signature in &row.signatures {
        xml.open("dkim");
        xml.text("domain", &signature.domain);
        xml.text("selector", &signature.selector);
        xml.text("result", &signature.result);
        xml.close("dkim");
    }
    if let Some(checked) = &row.checked {
        xml.open("spf");
        xml.text("domain", &checked.domain);
        xml.text("scope", &checked.scope);
        xml.text("result", &checked.result);
        xml.close("spf");
    }
    xml.close("auth_results");
    xml.close("record");
}

/// Elements one after the other.
struct Xml(String);

impl Xml {
    fn open(&mut self, name: &str) {
        let _ = writeln!(self.0, "<{name}>");
    }

    fn close(&mut self, name: &str) {
        let _ = writeln!(self.0, "</{name}>");
    }

    fn text(&mut self, name: &str, text: &str) {
        let _ = writeln!(self.0, "<{name}>{}</{name}>", quick_xml::escape::escape(plain(text, TEXT)));
    }
}

/// A report while it is read.
#[derive(Default)]
struct Reading {
    report: Report,
    path: Vec<String>,
    text: String,
    row: Row,
    count: u64,
    signature: Signature,
    checked: Checked,
    is_feedback: bool,
}

impl Reading {
    fn start(&mut self, name: &str) -> Option<()> {
        self.text.clear();
        if self.path.is_empty() {
            self.is_feedback = name == "feedback";
        }
        self.path.push(plain(name, TEXT));
        (self.is_feedback && self.path.len() <= DEPTH).then_some(())
    }

    fn take(&mut self, part: &str) {
        let room = TEXT.saturating_sub(self.text.len());
        self.text.push_str(&part[..part.floor_char_boundary(room)]);
    }

    fn end(&mut self) -> Option<()> {
        let path = std::mem::take(&mut self.path);
        let names: Vec<&str> = path.iter().skip(1).map(String::as_str).collect();
        self.element(&names);
        self.text.clear();
        self.path = path;
        self.path.pop().map(drop)
    }

    /// What an element held, by its place.
    fn element(&mut self, names: &[&str]) {
        let value = plain(&self.text, TEXT);
        let (meta, policy, row) = (&mut self.report.meta, &mut self.report.policy, &mut self.row);
        let domain = || domain_of(&value);
        match names {
            ["report_metadata", "org_name"] => meta.organization = value,
            ["report_metadata", "email"] => meta.contact = value,
            ["report_metadata", "report_id"] => meta.id = value,
            ["report_metadata", "date_range", "begin"] => meta.begin = value.parse().unwrap_or_default(),
            ["report_metadata", "date_range", "end"] => meta.end = value.parse().unwrap_or_default(),
            ["policy_published", "domain"] => policy.domain = domain(),
            ["policy_published", "p"] => policy.policy = word(&value),
            ["policy_published", "sp"] => policy.subdomains = word(&value),
            ["policy_published", "np"] => policy.missing = word(&value),
            ["policy_published", "adkim"] => policy.dkim = word(&value),
            ["policy_published", "aspf"] => policy.spf = word(&value),
            ["policy_published", "testing"] => policy.testing = value == "y",
            ["record", "row", "source_ip"] => row.source = value.parse().ok(),
            ["record", "row", "count"] => self.count = value.parse().unwrap_or_default(),
            ["record", "row", "policy_evaluated", "disposition"] => row.disposition = word(&value),
            ["record", "row", "policy_evaluated", "dkim"] => row.dkim = word(&value) == "pass",
            ["record", "row", "policy_evaluated", "spf"] => row.spf = word(&value) == "pass",
            ["record", "row", "policy_evaluated", "reason", "type"] => row.reason = word(&value),
            ["record", "identifiers", "header_from"] => row.author = domain(),
            ["record", "identifiers", "envelope_from"] => row.sender = domain(),
            ["record", "auth_results", "dkim", "domain"] => self.signature.domain = domain(),
            ["record", "auth_results", "dkim", "selector"] => self.signature.selector = domain(),
            ["record", "auth_results", "dkim", "result"] => self.signature.result = word(&value),
            ["record", "auth_results", "dkim"] => {
                let signature = std::mem::take(&mut self.signature);
                if row.signatures.len() < SIGNATURES {
                    row.signatures.push(signature);
                }
            }
            ["record", "auth_results", "spf", "domain"] => self.checked.domain = domain(),
            ["record", "auth_results", "spf", "scope"] => self.checked.scope = word(&value),
            ["record", "auth_results", "spf", "result"] => self.checked.result = word(&value),
            ["record", "auth_results", "spf"] => row.checked = Some(std::mem::take(&mut self.checked)),
            ["record"] => {
                let (row, count) = (std::mem::take(&mut self.row), std::mem::take(&mut self.count));
                if self.report.rows.len() < ROWS {
                    self.report.rows.push((row, count));
                }
            }
            _ => {}
        }
    }
}

/// A word of the protocol.
fn word(value: &str) -> String {
    plain(value, 32).to_ascii_lowercase()
}

fn domain_of(value: &str) -> String {
    plain(value.trim_end_matches('.'), DOMAIN).to_lowercase()
}
