//! Wildcards: `*` and `?` of `:matches` (RFC 5228 §2.7.1). No backtracking: a star takes as little as it can, and taking
//! less never helps what follows, so that each piece between two stars is looked for once.

use super::{Comparator, Found, Text};
use crate::template::MAX_MATCH_VARIABLE;

/// A pattern cut at its stars: `n` stars make `n + 1` runs, which may be empty.
#[derive(Debug, PartialEq)]
pub(crate) struct Pattern {
    runs: Vec<Vec<Unit>>,
}

#[derive(Debug, PartialEq)]
enum Unit {
    Literal(Box<str>),
    /// `?`: any one character.
    Any,
}

impl Pattern {
    /// Reads a pattern; a backslash takes the special meaning from `*`, `?` and itself.
    pub(crate) fn new(pattern: &str) -> Pattern {
        let mut runs = vec![Vec::new()];
        let mut literal = String::new();
        let mut chars = pattern.chars();
        while let Some(c) = chars.next() {
            match c {
                '*' => {
                    push(&mut runs, &mut literal, None);
                    runs.push(Vec::new());
                }
                '?' => push(&mut runs, &mut literal, Some(Unit::Any)),
                '\\' => literal.push(chars.next().unwrap_or('\\')),
                other => literal.push(other),
            }
        }
        push(&mut runs, &mut literal, None);
        Pattern { runs }
    }

    /// Times that a byte of the subject may be looked at.
    pub(crate) fn cost(&self) -> u64 {
        let widest = self.runs.iter().filter(|run| run.contains(&Unit::Any)).map(Vec::len).max().unwrap_or(0);
        1 + self.runs.len() as u64 / 16 + widest as u64
    }

    pub(crate) fn matches(&self, comparator: Comparator, subject: &Text, wants_values: bool) -> Found {
        let Some(ranges) = self.wildcards(subject.folded(comparator)) else { return Found::No };
        if !wants_values {
            return Found::Yes;
        }
        let plain = subject.plain();
        let origins = subject.origins(comparator);
        let origin = |at: usize| origins.as_ref().map_or(at, |origins| origins[at] as usize);
        let values = ranges.iter().take(MAX_MATCH_VARIABLE as usize).map(|(from, to)| {
            // A wildcard may have taken half of what one character was folded to.
            plain.get(origin(*from)..origin(*to)).unwrap_or_default().to_owned()
        });
        Found::Values(std::iter::once(plain.to_owned()).chain(values).collect())
    }

    /// What each wildcard takes of `text`, in order; `None` when the pattern does not match all of it.
    fn wildcards(&self, text: &str) -> Option<Vec<(usize, usize)>> {
        let mut taken = Vec::new();
        let (first, rest) = self.runs.split_first()?;
        let mut at = run_at(first, text, 0, &mut taken)?;
        let Some((last, middle)) = rest.split_last() else {
            return (at == text.len()).then_some(taken);
        };
        for run in middle {
            let star = taken.len();
            let found = find_run(run, text, at, &mut taken)?;
            taken.insert(star, (at, found.0));
            at = found.1;
        }
        let start = start_of_last(last, text)?;
        if start < at {
            return None;
        }
        taken.push((at, start));
        run_at(last, text, start, &mut taken)?;
        Some(taken)
    }
}

/// Ends the literal before a wildcard.
fn push(runs: &mut [Vec<Unit>], literal: &mut String, unit: Option<Unit>) {
    let Some(run) = runs.last_mut() else { return };
    if !literal.is_empty() {
        run.push(Unit::Literal(std::mem::take(literal).into()));
    }
    run.extend(unit);
}

/// Matches `run` at `at` and answers where it ends; adds what its `?` took.
fn run_at(run: &[Unit], text: &str, mut at: usize, taken: &mut Vec<(usize, usize)>) -> Option<usize> {
    let before = taken.len();
    for unit in run {
        let length = match unit {
            Unit::Literal(literal) => text[at..].starts_with(&**literal).then_some(literal.len()),
            Unit::Any => text[at..].chars().next().map(char::len_utf8),
        };
        let Some(length) = length else {
            taken.truncate(before);
            return None;
        };
        if *unit == Unit::Any {
            taken.push((at, at + length));
        }
        at += length;
    }
    Some(at)
}

/// The first place at or after `at` where `run` matches, and where it ends there.
fn find_run(run: &[Unit], text: &str, at: usize, taken: &mut Vec<(usize, usize)>) -> Option<(usize, usize)> {
    let mut start = at;
    loop {
        if let Some(Unit::Literal(literal)) = run.first() {
            start += memchr::memmem::find(&text.as_bytes()[start..], literal.as_bytes())?;
        }
        if let Some(end) = run_at(run, text, start, taken) {
            return Some((start, end));
        }
        start += text[start..].chars().next()?.len_utf8();
    }
}

/// Where the last run has to start to end with the text.
fn start_of_last(run: &[Unit], text: &str) -> Option<usize> {
    let mut rest = text;
    for unit in run.iter().rev() {
        rest = match unit {
            Unit::Literal(literal) => rest.strip_suffix(&**literal)?,
            Unit::Any => {
                let mut chars = rest.chars();
                chars.next_back()?;
                chars.as_str()
            }
        };
    }
    Some(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(pattern: &str, text: &str) -> Option<Vec<String>> {
        let ranges = Pattern::new(pattern).wildcards(text)?;
        Some(ranges.into_iter().map(|(from, to)| text[from..to].to_owned()).collect())
    }

    #[test]
    fn wildcards_take_as_little_as_they_can() {
        let some = |list: &[&str]| Some(list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>());
        assert_eq!(values("[*] *", "[acme] [fwd] v"), some(&["acme", "[fwd] v"]));
        assert_eq!(values("coyote@**.com", "coyote@acme.com"), some(&["", "acme"]));
        assert_eq!(values("*?b", "aab"), some(&["a", "a"]));
        assert_eq!(values("?文*", "中文件"), some(&["中", "件"]));
        assert_eq!(values("a\\*b", "a*b"), some(&[]));
        assert_eq!(values("*", ""), some(&[""]));
        assert_eq!(values("*a?c*", "abxadc"), some(&["abx", "d", ""]));
        for (pattern, text) in [("a", "ab"), ("?", ""), ("a*a", "a"), ("*b", "abc"), ("a\\?", "ab"), ("", "x")] {
            assert_eq!(values(pattern, text), None, "{pattern}");
        }
    }

    #[test]
    fn many_stars_are_no_more_work_than_few() {
        let text = "a".repeat(100_000);
        assert_eq!(values(&("a*".repeat(5_000) + "b"), &text), None);
    }
}
