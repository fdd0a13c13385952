//! Comparators and match types: does this text match one of those keys (RFC 5228 §2.7)?

mod fold;
mod pattern;
mod posix;

use std::cmp::Ordering;
use std::sync::OnceLock;

use memchr::memmem::Finder;
use regex::Regex;

use self::posix::weight as regex_weight;
use crate::template::Template;

pub(crate) use fold::{Lazy, Text};
pub(crate) use pattern::Pattern;
pub(crate) use posix::{MAX_REGEXES, compile as compile_regex};

/// How texts are compared (RFC 4790).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Comparator {
    Octet,
    #[default]
    AsciiCasemap,
    UnicodeCasemap,
    AsciiNumeric,
}

/// What kind of match is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum MatchType {
    #[default]
    Is,
    Contains,
    Matches,
    Regex,
    Count(Relation),
    Value(Relation),
    /// Membership of an external list (RFC 6134).
    List,
}

/// RFC 5231 §4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    Gt,
    Ge,
    Lt,
    Le,
    Eq,
    Ne,
}

/// A test's match type, comparator and keys, made ready.
#[derive(Debug)]
pub(crate) struct Matcher {
    pub(crate) comparator: Comparator,
    pub(crate) kind: MatchType,
    pub(crate) keys: Vec<Key>,
}

/// One key of a matcher.
#[derive(Debug)]
pub(crate) enum Key {
    /// Constant.
    Ready(Ready),
    /// It holds variables: made ready when it is known.
    Later(Template),
}

/// A key whose text is known, in the form that its match type wants.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) text: Text,
    form: Form,
}

#[derive(Debug)]
enum Form {
    Plain,
    Contains(Box<Finder<'static>>),
    Matches(Pattern),
    /// Compiled at first use, for programs come back from their stored form unchecked.
    Regex {
        compiled: OnceLock<Option<Regex>>,
        weight: u64,
    },
}

/// What a match found: nothing, a match, or one with the values of its wildcards, the whole first.
pub(crate) enum Found {
    No,
    Yes,
    Values(Vec<String>),
}

impl Comparator {
    pub(crate) fn named(name: &str) -> Option<Comparator> {
        Some(match name {
            "i;octet" => Comparator::Octet,
            "i;ascii-casemap" => Comparator::AsciiCasemap,
            "i;unicode-casemap" => Comparator::UnicodeCasemap,
            "i;ascii-numeric" => Comparator::AsciiNumeric,
            _ => return None,
        })
    }

    fn is_equal(self, left: &Text, right: &Text) -> bool {
        match self {
            Comparator::Octet => left.plain() == right.plain(),
            Comparator::AsciiCasemap => left.plain().eq_ignore_ascii_case(right.plain()),
            Comparator::UnicodeCasemap => left.folded(self) == right.folded(self),
            Comparator::AsciiNumeric => numeric(left.plain()) == numeric(right.plain()),
        }
    }

    fn order(self, left: &Text, right: &Text) -> Ordering {
        match self {
            Comparator::AsciiNumeric => {
                // What starts with no digit is larger than every number (RFC 4790 §9.1.1).
                let key = |text: &Text| numeric(text.plain()).map(|digits| (digits.len(), digits.to_owned()));
                match (key(left), key(right)) {
                    (None, None) => Ordering::Equal,
                    (None, Some(_)) => Ordering::Greater,
                    (Some(_), None) => Ordering::Less,
                    (Some(left), Some(right)) => left.cmp(&right),
                }
            }
            _ => left.folded(self).cmp(right.folded(self)),
        }
    }
}

/// The digits that `text` starts with, without leading zeros.
fn numeric(text: &str) -> Option<&str> {
    let end = text.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    (end > 0).then(|| text[..end].trim_start_matches('0'))
}

impl Relation {
    pub(crate) fn named(name: &str) -> Option<Relation> {
        Some(match name.to_ascii_lowercase().as_str() {
            "gt" => Relation::Gt,
            "ge" => Relation::Ge,
            "lt" => Relation::Lt,
            "le" => Relation::Le,
            "eq" => Relation::Eq,
            "ne" => Relation::Ne,
            _ => return None,
        })
    }

    pub(crate) fn holds(self, order: Ordering) -> bool {
        match self {
            Relation::Gt => order.is_gt(),
            Relation::Ge => order.is_ge(),
            Relation::Lt => order.is_lt(),
            Relation::Le => order.is_le(),
            Relation::Eq => order.is_eq(),
            Relation::Ne => order.is_ne(),
        }
    }
}

impl Matcher {
    pub(crate) fn new(comparator: Comparator, kind: MatchType, keys: &[Template]) -> Matcher {
        let keys = keys.iter().map(|key| match key {
            Template::Fixed(text) => Key::Ready(Ready::new(comparator, kind, text)),
            parts => Key::Later(parts.clone()),
        });
        Matcher { comparator, kind, keys: keys.collect() }
    }
}

impl Ready {
    pub(crate) fn new(comparator: Comparator, kind: MatchType, text: &str) -> Ready {
        let text = Text::new(text);
        let form = match kind {
            MatchType::Contains => Form::Contains(Box::new(Finder::new(text.folded(comparator)).into_owned())),
            MatchType::Matches => Form::Matches(Pattern::new(text.folded(comparator))),
            MatchType::Regex => Form::Regex { compiled: OnceLock::new(), weight: regex_weight(text.plain()) },
            _ => Form::Plain,
        };
        Ready { text, form }
    }

    /// What one comparison of `subject` with this key may cost, in steps of the budget.
    pub(crate) fn cost(&self, subject: &Text) -> u64 {
        /// Bytes that a step pays for.
        const STEP_BYTES: u64 = 64;
        let length = subject.plain().len() as u64;
        let factor = match &self.form {
            Form::Plain | Form::Contains(_) => 1,
            Form::Matches(pattern) => pattern.cost(),
            Form::Regex { weight, .. } => 2 + weight,
        };
        factor + length * factor / STEP_BYTES
    }

    /// Compares; `wants_values` asks for the values of wildcards and groups.
    pub(crate) fn matches(&self, comparator: Comparator, kind: MatchType, subject: &Text, wants_values: bool) -> Found {
        let yes = |is_match: bool| if is_match { Found::Yes } else { Found::No };
        match (&self.form, kind) {
            (Form::Contains(finder), _) => yes(finder.find(subject.folded(comparator).as_bytes()).is_some()),
            (Form::Matches(pattern), _) => pattern.matches(comparator, subject, wants_values),
            (Form::Regex { compiled, .. }, _) => {
                let regex = compiled.get_or_init(|| compile_regex(self.text.plain(), comparator).ok());
                match regex {
                    Some(regex) if wants_values => groups(regex, subject.plain()),
                    Some(regex) => yes(regex.is_match(subject.plain())),
                    None => Found::No,
                }
            }
            (Form::Plain, MatchType::Value(relation)) => yes(relation.holds(comparator.order(subject, &self.text))),
            (Form::Plain, _) => yes(comparator.is_equal(subject, &self.text)),
        }
    }
}

/// The groups of a regular expression; a group that took no part is empty.
fn groups(regex: &Regex, subject: &str) -> Found {
    match regex.captures(subject) {
        None => Found::No,
        Some(captures) => {
            let values = captures.iter().take(crate::template::MAX_MATCH_VARIABLE as usize + 1);
            Found::Values(values.map(|group| group.map(|g| g.as_str().to_owned()).unwrap_or_default()).collect())
        }
    }
}
