//! Sequence sets (RFC 9051 §9 `sequence-set`): what a client names, and what it comes to.

use super::SEQUENCE_SET_MAX;
use std::fmt;

/// One end of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// A message number or UID, not 0.
    Number(u32),
    /// `*`, the highest number in the mailbox.
    Star,
}

/// A set of message numbers or UIDs as the client wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SequenceSet {
    /// `$`: the saved result of the last SEARCH (RFC 5182).
    Saved,
    /// Ranges in the order written; a single number is a range of one.
    Ranges(Vec<(Bound, Bound)>),
}

/// A set of numbers: ascending, disjoint, non-adjacent ranges, both ends included.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NumberSet {
    ranges: Vec<(u32, u32)>,
}

impl SequenceSet {
    /// Reads `1,3:5,10:*` or `$`. `None` where it is no set, holds 0, or has more members than
    /// [`SEQUENCE_SET_MAX`].
    pub fn parse(text: &str) -> Option<Self> {
        if text == "$" {
            return Some(SequenceSet::Saved);
        }
        let mut ranges = Vec::new();
        for member in text.split(',') {
            if ranges.len() == SEQUENCE_SET_MAX {
                return None;
            }
            ranges.push(match member.split_once(':') {
                Some((first, last)) => (bound(first)?, bound(last)?),
                None => (bound(member)?, bound(member)?),
            });
        }
        Some(SequenceSet::Ranges(ranges))
    }

    /// The numbers meant in a mailbox whose highest number is `max` (0: it is empty). Numbers above `max` are left out:
    /// nothing can have them. `saved` stands in for `$`.
    pub fn resolve(&self, max: u32, saved: &NumberSet) -> NumberSet {
        let SequenceSet::Ranges(ranges) = self else { return saved.clone() };
        let number = |bound: Bound| match bound {
            Bound::Number(number) => number,
            Bound::Star => max,
        };
        let ordered = ranges.iter().map(|&(a, b)| (number(a).min(number(b)), number(a).max(number(b))));
        NumberSet::from_ranges(ordered.map(|(first, last)| (first.max(1), last.min(max))).collect())
    }

    /// Whether it names a number above `max` outright: BAD where it is a set of message numbers (RFC 9051 §6.4.8 lets
    /// UIDs pass).
    pub fn exceeds(&self, max: u32) -> bool {
        let above = |bound: &Bound| matches!(bound, Bound::Number(number) if *number > max);
        match self {
            SequenceSet::Saved => false,
            SequenceSet::Ranges(ranges) => ranges.iter().any(|(first, last)| above(first) || above(last)),
        }
    }
}

impl fmt::Display for SequenceSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SequenceSet::Ranges(ranges) = self else { return f.write_str("$") };
        for (at, (first, last)) in ranges.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(f, "{comma}{first}")?;
            if first != last {
                write!(f, ":{last}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Bound::Number(number) => write!(f, "{number}"),
            Bound::Star => f.write_str("*"),
        }
    }
}

fn bound(text: &str) -> Option<Bound> {
    if text == "*" {
        return Some(Bound::Star);
    }
    let number = text.parse().ok().filter(|number| *number > 0 && text.bytes().all(|b| b.is_ascii_digit()));
    number.map(Bound::Number)
}

impl NumberSet {
    /// The union of ranges in any order; a range whose first is above its last is empty.
    pub fn from_ranges(mut ranges: Vec<(u32, u32)>) -> Self {
        ranges.retain(|(first, last)| first <= last);
        ranges.sort_unstable();
        let mut merged: Vec<(u32, u32)> = Vec::with_capacity(ranges.len());
        for (first, last) in ranges {
            match merged.last_mut() {
                Some(previous) if first <= previous.1.saturating_add(1) => previous.1 = previous.1.max(last),
                _ => merged.push((first, last)),
            }
        }
        Self { ranges: merged }
    }

    /// The ranges, ascending and apart.
    pub fn ranges(&self) -> &[(u32, u32)] {
        &self.ranges
    }

    /// Whether the number is in the set.
    pub fn contains(&self, number: u32) -> bool {
        let at = self.ranges.partition_point(|(_, last)| *last < number);
        self.ranges.get(at).is_some_and(|(first, _)| *first <= number)
    }

    /// How many numbers it holds.
    pub fn len(&self) -> u64 {
        self.ranges.iter().map(|(first, last)| u64::from(last - first) + 1).sum()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The numbers, ascending. A set of UIDs may span four billion: there, go by [`NumberSet::ranges`].
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.ranges.iter().flat_map(|&(first, last)| first..=last)
    }
}

impl FromIterator<u32> for NumberSet {
    fn from_iter<I: IntoIterator<Item = u32>>(numbers: I) -> Self {
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        for number in numbers {
            match ranges.last_mut() {
                Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
                _ => ranges.push((number, number)),
            }
        }
        Self::from_ranges(ranges)
    }
}

impl fmt::Display for NumberSet {
    /// The set as the protocol writes it; nothing if it is empty.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bounds = self.ranges.iter().map(|&(first, last)| (Bound::Number(first), Bound::Number(last)));
        SequenceSet::Ranges(bounds.collect()).fmt(f)
    }
}
