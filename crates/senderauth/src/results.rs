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

/// The word that results have for a method: `pass`, `none` and the like.
pub fn word_of(results: &str, method: &str) -> Option<String> {
    let text = without_comments(results);
    let mut words = text.split(';').filter_map(|result| result.split_ascii_whitespace().next()?.split_once('='));
    words.find(|(name, _)| name.eq_ignore_ascii_case(method)).map(|(_, word)| word.to_ascii_lowercase())
}

/// Whether results of this house say that a message is set apart (RFC 9989 §9.2).
pub fn is_quarantined(results: &str) -> bool {
    without_comments(results).split(';').any(|result| {
        let mut words = result.split_ascii_whitespace();
        words.next().is_some_and(|word| word.starts_with("dmarc="))
            && words.any(|word| word == "policy.dmarc=quarantine")
    })
}

/// Whether results of this house say that only the server which a message came from makes DMARC pass for it, and that its author's domain
/// has it refused or set apart otherwise: no other server can pass it on as it is.
pub fn needs_its_server(results: &str) -> bool {
    let property = |result: &str, name: &str| {
        result.split_ascii_whitespace().find_map(|word| Some(word.strip_prefix(name)?.to_ascii_lowercase()))
    };
    let strict = results.split(';').map(str::trim).find(|result| {
        result.starts_with("dmarc=pass")
            && ["(p=quarantine)", "(p=reject)"].iter().any(|policy| result.contains(policy))
    });
    let Some(author) = strict.and_then(|result| property(result, "header.from=")) else { return false };
    let signed = results.split(';').map(str::trim).filter(|result| result.starts_with("dkim=pass"));
    let mut domains = signed.filter_map(|result| property(result, "header.d="));
    !domains.any(|domain| dns::is_within(&domain, &author) || dns::is_within(&author, &domain))
}

/// Whether results that a trusted server wrote say that DMARC passed for an author. Comments are no results.
pub fn says_pass(results: &str, author: &str) -> bool {
    without_comments(results).split(';').any(|result| {
        let mut words = result.split_ascii_whitespace();
        words.next().is_some_and(|word| word.eq_ignore_ascii_case("dmarc=pass"))
            && words.any(|word| word.to_ascii_lowercase().strip_prefix("header.from=") == Some(author))
    })
}

fn without_comments(text: &str) -> String {
    let (mut out, mut depth, mut quoted) = (String::with_capacity(text.len()), 0usize, false);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            '"' if depth == 0 => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            c if depth == 0 && !quoted => out.push(c),
            _ => {}
        }
    }
    out
}
