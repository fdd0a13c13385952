//! POSIX extended regular expressions (the regex draft) on an engine that is linear in the text, whatever the expression.
//! It prefers the leftmost match and in it the first alternative, where POSIX prefers the longest.

use regex::{Regex, RegexBuilder};

use super::Comparator;

/// Bytes of a regular expression.
pub const MAX_REGEX: usize = 4_096;

/// Regular expressions of one script: each one takes memory as long as its program lives.
pub const MAX_REGEXES: usize = 200;

/// Characters that an expression may stand for with its repetitions written out.
const MAX_WEIGHT: u64 = 10_000;

/// Bytes that a compiled expression may take, and its cache again.
const MAX_COMPILED: usize = 256 << 10;

/// Groups within groups.
const MAX_GROUPS: u32 = 60;

/// Character classes of POSIX.
const CLASSES: &[&str] =
    &["alnum", "alpha", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper", "xdigit"];

/// Compiles `pattern`; the error is one line for the author of the script.
pub(crate) fn compile(pattern: &str, comparator: Comparator) -> Result<Regex, String> {
    if pattern.len() > MAX_REGEX {
        return Err(format!("longer than {MAX_REGEX} bytes"));
    }
    if weight(pattern) > MAX_WEIGHT {
        return Err("its repetitions are too large".to_owned());
    }
    let built = RegexBuilder::new(&translated(pattern)?)
        .case_insensitive(comparator != Comparator::Octet)
        .unicode(true)
        .size_limit(MAX_COMPILED)
        .dfa_size_limit(MAX_COMPILED)
        .nest_limit(MAX_GROUPS)
        .build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "too large once it is compiled".to_owned(),
        error => error.to_string().lines().last().unwrap_or("not valid").trim_start_matches("error: ").to_owned(),
    })
}

/// How many characters `pattern` matches one by one when its counted repetitions are written out: what looking at one
/// character of a text may cost at worst.
pub(super) fn weight(pattern: &str) -> u64 {
    // Sums of the groups around; within the group, its sum so far and that of its last item.
    let (mut outer, mut sum, mut last) = (Vec::new(), 0u64, 0u64);
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '(' => {
                outer.push(sum);
                sum = 0;
            }
            ')' => {
                last = sum;
                sum = outer.pop().unwrap_or(0).saturating_add(last);
            }
            '{' => {
                let end = rest.find('}').unwrap_or(rest.len());
                let counts = rest[..end].split(',').map(|count| count.trim().parse::<u64>().unwrap_or(0));
                let times = counts.max().unwrap_or(0).max(1);
                sum = sum.saturating_add(last.saturating_mul(times - 1));
                last = last.saturating_mul(times);
                rest = &rest[end..];
            }
            '*' | '+' | '?' | '|' | '^' | '$' | '}' => {}
            _ => {
                rest = match c {
                    '\\' => rest.chars().next().map_or("", |escaped| &rest[escaped.len_utf8()..]),
                    '[' => bracket(rest, &mut String::new()).unwrap_or_default(),
                    _ => rest,
                };
                last = 1;
                sum = sum.saturating_add(1);
            }
        }
    }
    outer.iter().fold(sum, |all, group| all.saturating_add(*group))
}

/// The same expression in the engine's syntax: bracket expressions differ, everything else that POSIX defines is the same.
fn translated(pattern: &str) -> Result<String, String> {
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '\\' => match rest.chars().next() {
                Some('1'..='9') => return Err("back references are not supported".to_owned()),
                Some(escaped) => {
                    rest = &rest[escaped.len_utf8()..];
                    out.push('\\');
                    out.push(escaped);
                }
                None => return Err("it ends with a backslash".to_owned()),
            },
            '[' => rest = bracket(rest, &mut out)?,
            other => out.push(other),
        }
    }
    Ok(out)
}

/// Translates a bracket expression whose `[` was passed; answers what follows its `]`.
fn bracket<'a>(text: &'a str, out: &mut String) -> Result<&'a str, String> {
    out.push('[');
    let mut rest = text;
    if let Some(after) = rest.strip_prefix('^') {
        out.push('^');
        rest = after;
    }
    let mut is_first = true;
    loop {
        let c = rest.chars().next().ok_or("a bracket is not closed")?;
        rest = &rest[c.len_utf8()..];
        match c {
            ']' if !is_first => {
                out.push(']');
                return Ok(rest);
            }
            '[' if rest.starts_with(':') => {
                let end = rest.find(":]").ok_or("a character class is not closed")?;
                if !CLASSES.contains(&&rest[1..end]) {
                    return Err(format!("there is no character class {}", &rest[1..end]));
                }
                out.push('[');
                out.push_str(&rest[..end]);
                out.push_str(":]");
                rest = &rest[end + 2..];
            }
            '[' if rest.starts_with(['=', '.']) => rest = collating(rest, out)?,
            // POSIX takes a backslash as it is; people write it to escape, and that is what they mean.
            '\\' => {
                let escaped = rest.chars().next().ok_or("a bracket is not closed")?;
                rest = &rest[escaped.len_utf8()..];
                out.push('\\');
                out.push(escaped);
            }
            '[' | ']' | '&' | '~' => {
                out.push('\\');
                out.push(c);
            }
            other => out.push(other),
        }
        is_first = false;
    }
}

/// `[=x=]` or `[.x.]` with one character, which stands for itself.
fn collating<'a>(text: &'a str, out: &mut String) -> Result<&'a str, String> {
    let unsupported = || "collating elements of more than one character are not supported".to_owned();
    let mut chars = text.chars();
    let mark = chars.next().ok_or_else(unsupported)?;
    let element = chars.next().ok_or_else(unsupported)?;
    let rest = chars.as_str().strip_prefix(mark).and_then(|rest| rest.strip_prefix(']')).ok_or_else(unsupported)?;
    if element.is_ascii_punctuation() {
        out.push('\\');
    }
    out.push(element);
    Ok(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn posix_expressions_mean_what_posix_says() {
        let is = |pattern: &str, text: &str| compile(pattern, Comparator::Octet).unwrap().is_match(text);
        assert!(is("^[^[:lower:]]+$", "ABC 1") && !is("^[^[:lower:]]+$", "ABc"));
        assert!(is("^[]a-c[&&]+$", "]b[&") && is("^[[=a=][.-.]]+$", "a-") && is("me(\\+.*)?@x\\.y", "me+z@x.y"));
        assert!(is("^a{2,3}$", "aaa") && is("^中.$", "中文"));
        assert!(compile("abc", Comparator::AsciiCasemap).unwrap().is_match("xABC"));
        assert_eq!(["abc", "a{3}b", "(ab{2}){10}c", "[{]((a{9}){9}){9}"].map(weight), [3, 4, 31, 730]);
        for bad in ["(a", "(a)\\1", "[a", "[[=ab=]]", "a\\", "(a{1000}){1000}", &"(".repeat(5000), "[[:nothing:]]"] {
            assert!(compile(bad, Comparator::Octet).is_err(), "{bad}");
        }
    }
}
