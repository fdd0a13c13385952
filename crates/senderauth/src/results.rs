//! `Authentication-Results` (RFC 8601): written, and known again when somebody forges ours.

use anser_mime::header::{Field, fields};

use crate::dmarc::Policy;
use crate::dns;
use crate::verdict::Verdict;

/// The whole field with its line break. `results` is [`Verdict::results`].
pub fn field(authserv_id: &str, results: &str) -> String {
    format!("Authentication-Results: {authserv_id};\r\n\t{results}\r\n")
}

/// The results of a verdict, folded. What a stranger said gets into it only as a domain name, or as an address whose local part is a
/// plain dot-atom.
pub fn text(verdict: &Verdict) -> String {
    let mut all = Vec::new();
    let name = verdict.iprev.name.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
    all.push(format!("iprev={} policy.iprev={}{name}", verdict.iprev.result.word(), quoted_ip(verdict)));
    all.push(spf(verdict));
    if verdict.dkim.is_empty() {
        all.push("dkim=none".to_owned());
    }
    all.extend(verdict.dkim.iter().map(dkim));
    all.push(arc(verdict));
    all.push(dmarc(verdict));
    all.join(";\r\n\t")
}

/// An IPv6 address has colons, which only a quoted string may have.
fn quoted_ip(verdict: &Verdict) -> String {
    if verdict.ip.is_ipv4() { verdict.ip.to_string() } else { format!("\"{}\"", verdict.ip) }
}

fn spf(verdict: &Verdict) -> String {
    let mut text = format!("spf={}", verdict.spf.outcome.result.word());
    if verdict.spf.domain.is_empty() {
        return text;
    }
    let domain = &verdict.spf.domain;
    let property = if verdict.spf.of_helo { "helo" } else { "mailfrom" };
    let local = verdict.spf.sender.as_ref().map(|sender| sender.local()).filter(|local| is_plain(local));
    let value = local.map_or(domain.clone(), |local| format!("{local}@{domain}"));
    text.push_str(&format!(" smtp.{property}={value}"));
    text
}

/// Letters, digits and what means nothing in any header: the other signs of a dot-atom are quotes or comments to somebody.
fn is_plain(local: &str) -> bool {
    !local.is_empty()
        && local.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-+=~".contains(&byte))
        && local.split('.').all(|atom| !atom.is_empty())
}

fn dkim(outcome: &crate::dkim::Outcome) -> String {
    let mut text = format!("dkim={}", outcome.result.word());
    if let Some(reason) = outcome.reason {
        text.push_str(&format!(" reason=\"{reason}\""));
    }
    if outcome.testing {
        text.push_str(" (testing)");
    }
    if let Some(algorithm) = outcome.algorithm {
        let crate::dkim::Outcome { domain, selector, mark, .. } = outcome;
        text.push_str(&format!(
            "\r\n\t header.d={domain} header.s={selector} header.a={} header.b=\"{mark}\"",
            algorithm.word()
        ));
    }
    text
}

fn arc(verdict: &Verdict) -> String {
    let mut text = format!("arc={}", verdict.arc.status.word());
    if let Some(reason) = verdict.arc.reason {
        text.push_str(&format!(" reason=\"{reason}\""));
    }
    if let Some(newest) = verdict.arc.sets.last() {
        text.push_str(&format!(" (i={} d={})", verdict.arc.highest, newest.domain));
    }
    text
}

fn dmarc(verdict: &Verdict) -> String {
    let outcome = &verdict.dmarc;
    let mut text = format!("dmarc={}", outcome.result.word());
    if outcome.record.is_some() {
        text.push_str(&format!(" (p={})", outcome.policy.word()));
    }
    if !outcome.domain.is_empty() {
        text.push_str(&format!(" header.from={}", outcome.domain));
    }
    if verdict.applied != Policy::None {
        text.push_str(&format!(" policy.dmarc={}", verdict.applied.word()));
    }
    text
}

/// The results that this house wrote into a header, behind its name: those of the first field that names it. Forged ones are taken out
/// where mail comes in.
pub fn written_by(header: &[u8], authserv_id: &str) -> Option<String> {
    let own = dns::domain(authserv_id).unwrap_or_else(|| authserv_id.to_ascii_lowercase());
    let all = fields(header).filter(|field| field.name.eq_ignore_ascii_case(b"authentication-results"));
    let values = all.map(|field| String::from_utf8_lossy(field.value).into_owned());
    let mut named = values.filter_map(|value| {
        let (name, results) = value.split_once(';')?;
        (dns::domain(name.trim()).as_deref() == Some(&own)).then(|| results.trim().to_owned())
    });
    named.next()
}

/// The header without the fields that claim to be results of `authserv_id`, or of nobody that can be read (RFC 8601 §5). `None` when
/// there is none to remove.
pub fn without_forged(header: &[u8], authserv_id: &str) -> Option<Vec<u8>> {
    let forged: Vec<_> =
        fields(header).filter(|field| is_forged(header, field, authserv_id)).map(|field| field.range).collect();
    if forged.is_empty() {
        return None;
    }
    let (mut out, mut from) = (Vec::with_capacity(header.len()), 0);
    for range in forged {
        out.extend_from_slice(&header[from..range.start]);
        from = range.end;
    }
    out.extend_from_slice(&header[from..]);
    Some(out)
}

fn is_forged(header: &[u8], field: &Field<'_>, authserv_id: &str) -> bool {
    const NAME: &[u8] = b"authentication-results";
    let value = if field.name.eq_ignore_ascii_case(NAME) {
        field.value
    } else if field.name.is_empty() {
        // Not a field for us; some programs read it as one.
        let raw = &header[field.range.clone()];
        let Some(colon) = memchr::memchr(b':', raw) else { return false };
        let name: Vec<u8> = raw[..colon].iter().copied().filter(|byte| byte.is_ascii_graphic()).collect();
        return name.eq_ignore_ascii_case(NAME);
    } else {
        return false;
    };
    match service(value) {
        Some(name) => {
            let name = dns::domain(&name).unwrap_or(name);
            let own = dns::domain(authserv_id).unwrap_or_else(|| authserv_id.to_ascii_lowercase());
            dns::is_within(&name, &own)
        }
        None => true,
    }
}

/// The authserv-id in lower case: the first token or quoted string, comments and folds skipped. `None` when there is none.
fn service(value: &[u8]) -> Option<String> {
    let rest = skip_comments(value)?;
    let mut name = Vec::new();
    if let Some(quoted) = rest.strip_prefix(b"\"") {
        let mut bytes = quoted.iter();
        loop {
            match bytes.next()? {
                b'"' => break,
                b'\\' => name.push(*bytes.next()?),
                b'\r' | b'\n' => {}
                byte => name.push(*byte),
            }
        }
    } else {
        let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b';' | b'(' | b'"');
        let end = rest.iter().position(ends).unwrap_or(rest.len());
        name.extend_from_slice(&rest[..end]);
    }
    let name = String::from_utf8(name).ok()?.trim().to_lowercase();
    let clean = !name.is_empty() && !name.contains(|c: char| c.is_control());
    clean.then_some(name)
}

/// Skips white space and comments, nested ones too; `None` when one is never closed.
fn skip_comments(value: &[u8]) -> Option<&[u8]> {
    let mut rest = value.trim_ascii_start();
    while rest.first() == Some(&b'(') {
        let (mut depth, mut at) = (0usize, 0);
        loop {
            match rest.get(at)? {
                b'(' => depth += 1,
                b')' => depth -= 1,
                b'\\' => at += 1,
                _ => {}
            }
            at += 1;
            if depth == 0 {
                break;
            }
        }
        rest = rest[at..].trim_ascii_start();
    }
    Some(rest)
}

/// One result (RFC 8601 §2.2): of a method, and of what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MethodResult {
    /// `spf`, `dkim`, in lower case.
    pub method: String,
    /// `pass`, `none`, in lower case.
    pub word: String,
    /// `header.d`, in lower case, and its value without quotes.
    pub properties: Vec<(String, String)>,
    /// What stands in brackets.
    pub comments: Vec<String>,
}

impl MethodResult {
    /// The value of a property.
    pub fn property(&self, name: &str) -> Option<&str> {
        self.properties.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn is(&self, method: &str, word: &str) -> bool {
        self.method == method && self.word == word
    }
}

/// The results behind an authserv-id, in their order. What is no result is passed over; nothing within quotes or brackets is one.
pub fn each(results: &str) -> Vec<MethodResult> {
    let (mut all, mut reading, mut word) = (Vec::new(), MethodResult::default(), Word::default());
    let mut chars = results.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => word.quote(&enclosed(&mut chars, None, '"')),
            '(' => {
                word.end(&mut reading);
                reading.comments.push(enclosed(&mut chars, Some('('), ')'));
            }
            ';' => {
                word.end(&mut reading);
                all.push(std::mem::take(&mut reading));
            }
            '=' if word.value.is_none() => word.value = Some(String::new()),
            c if c.is_ascii_whitespace() => word.end(&mut reading),
            c => word.value.as_mut().unwrap_or(&mut word.name).push(c),
        }
    }
    word.end(&mut reading);
    all.push(reading);
    all.retain(|one| !one.method.is_empty());
    all
}

/// `name=value`, as far as it was read.
#[derive(Default)]
struct Word {
    name: String,
    value: Option<String>,
    is_wrong: bool,
}

impl Word {
    fn quote(&mut self, text: &str) {
        match &mut self.value {
            Some(value) => value.push_str(text),
            None => self.is_wrong = true,
        }
    }

    /// Adds it to a result: the first is its method.
    fn end(&mut self, of: &mut MethodResult) {
        let Self { name, value, is_wrong } = std::mem::take(self);
        let Some(value) = value.filter(|_| !is_wrong && !name.is_empty()) else { return };
        match of.method.is_empty() {
            true => (of.method, of.word) = (name.to_ascii_lowercase(), value.to_ascii_lowercase()),
            false => of.properties.push((name.to_ascii_lowercase(), value)),
        }
    }
}

/// What is up to a closing sign, others of its kind opened within; a backslash takes its meaning from the sign behind it.
fn enclosed(chars: &mut std::str::Chars<'_>, opens: Option<char>, closes: char) -> String {
    let (mut text, mut depth) = (String::new(), 1);
    while let Some(c) = chars.next() {
        match c {
            '\\' => text.extend(chars.next()),
            c if c == closes && depth == 1 => break,
            c => {
                depth += usize::from(Some(c) == opens);
                depth -= usize::from(c == closes);
                text.push(c);
            }
        }
    }
    text
}

/// The word that results have for a method: `pass`, `none` and the like.
pub fn word_of(results: &str, method: &str) -> Option<String> {
    each(results).into_iter().find(|one| one.method == method).map(|one| one.word)
}

/// Whether results of this house say that a message is set apart (RFC 9989 §9.2).
pub fn is_quarantined(results: &str) -> bool {
    each(results).iter().any(|one| one.method == "dmarc" && one.property("policy.dmarc") == Some("quarantine"))
}

/// Whether results of this house say that only the server which a message came from makes DMARC pass for it, and that its author's domain
/// has it refused or set apart otherwise: no other server can pass it on as it is.
pub fn needs_its_server(results: &str) -> bool {
    let all = each(results);
    let is_strict = |one: &&MethodResult| one.comments.iter().any(|text| text == "p=quarantine" || text == "p=reject");
    let strict = all.iter().find(|one| one.is("dmarc", "pass")).filter(is_strict);
    let Some(author) = strict.and_then(|one| one.property("header.from")).map(str::to_ascii_lowercase) else {
        return false;
    };
    let signed = all.iter().filter(|one| one.is("dkim", "pass")).filter_map(|one| one.property("header.d"));
    let mut domains = signed.map(str::to_ascii_lowercase);
    !domains.any(|domain| dns::is_within(&domain, &author) || dns::is_within(&author, &domain))
}

/// Whether results that a trusted server wrote say that DMARC passed for an author.
pub fn says_pass(results: &str, author: &str) -> bool {
    let from = |one: &MethodResult| one.property("header.from").is_some_and(|from| from.eq_ignore_ascii_case(author));
    each(results).iter().any(|one| one.is("dmarc", "pass") && from(one))
}
